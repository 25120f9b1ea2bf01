/* follower: it joins, begins and finishes with a conductor, over real sockets; and comes back to one that it had lost. */
#include "edges/follower.h"

#include "core/gather.h"
#include "edges/conductor.h"
#include "tests/edges/peer_bench.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { SEED = 7, EXPORTED = 40, SETTLED = 30 };

static struct conductor *conductor;
static struct follower *follower;
static struct node *lead, *rest;
static struct placement placement; /* of the follower, where there is no node */
static struct shared_run joined;
static unsigned finishes, losses;
static bool finish_within; /* as soon as it is told to */
static ev_timer act;

static const struct shared_begin begins = {.begins_unix_ns = 5, .first_ns = 0, .start_unix_ns = 6};

static bool on_join(void *owner, struct rpc_connection *connection, const struct rpc_frame *first)
{
    (void)owner;
    return conductor_joins(conductor, connection, first);
}

static void on_exported(void *owner, uint64_t *produced, uint64_t *settled)
{
    (void)owner;
    *produced = EXPORTED;
    *settled = SETTLED;
}

static void on_finish(void *owner)
{
    (void)owner;
    finishes++;
    if (finish_within) {
        ev_timer_set(&act, 0, 0);
        ev_timer_start(bench.loop, &act);
    }
}

static void on_lost(void *owner)
{
    (void)owner;
    losses++;
}

/* What another process would do by itself. */
static void later(void (*what)(struct ev_loop *, ev_timer *, int))
{
    ev_timer_init(&act, what, 0, 0);
    if (!finish_within)
        ev_timer_start(bench.loop, &act);
}

static void lead_begins(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events;
    assert_true(conductor_gather(conductor, lead->peers, 10000));
    conductor_begin(conductor, lead->world, &begins, bench_now, NULL);
}

static void rest_finishes(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events;
    follower_finish(follower);
}

static void open_follower(const struct placement *at)
{
    struct follower_options options = {.loop = bench.loop,
                                       .registry = &bench.registry,
                                       .placement = at,
                                       .run = {.version = BENCH_VERSION, .scenario = BENCH_SCENARIO},
                                       .quiet = true,
                                       .exported = on_exported,
                                       .finish = on_finish,
                                       .lost = on_lost};
    finishes = losses = 0;
    finish_within = false;
    follower = follower_open(&options);
}

/* The node finds the driver at place 0, which a wish cannot say. */
static void find_lead(struct placement *at)
{
    struct peer_address *address = &at->addresses[at->address_count++];
    address->service = "driver";
    snprintf(address->host, sizeof address->host, "%s", lead->address);
    address->port = 9010;
}

static void open_both(void)
{
    static struct curve_point constant_60[] = {{0, 60}};
    bench_begin();
    bench.scenario.stream_count = 1;
    bench.scenario.streams[0] = (struct stream_spec){.name = "guests",
                                                     .mixes = MIX_OF("visit"),
                                                     .mix_count = 1,
                                                     .demo = true,
                                                     .rate_per_min = {.points = constant_60, .count = 1}};
    lead = node_open(0, &(struct node_wish){.hosts = {[DRIVER] = true},
                                            .asks = {{FRONT, 1}, {SHELF, 1}, {DATABASE, 1}},
                                            .joins = on_join});
    world_stop_traffic(lead->world);
    struct conductor_options options = {
        .loop = bench.loop,
        .registry = &bench.registry,
        .placement = &lead->placement,
        .run = {.version = BENCH_VERSION, .scenario = BENCH_SCENARIO, .run = BENCH_RUN},
        .told = {.run = BENCH_RUN, .seed = SEED, .duration_ns = MIN_(10), .speed = 1},
        .quiet = true};
    conductor = conductor_open(&options);
    rest = node_open(1, &(struct node_wish){.hosts = {[FRONT] = true, [SHELF] = true, [DATABASE] = true},
                                            .run_unknown = true,
                                            .no_world = true});
    find_lead(&rest->placement);
    open_follower(&rest->placement);
}

static void begin_together(void)
{
    struct shared_begin told;
    assert_true(follower_join(follower, &joined));
    peers_know(rest->peers, joined.run);
    UNTIL(peers_complete(rest->peers, NULL));
    later(lead_begins);
    assert_true(follower_ready(follower, NULL, &told));
    assert_memory_equal(&told, &begins, sizeof told);
    node_world(rest);
    follower_begin(follower, rest->world, bench_now);
}

static void end_both(void)
{
    follower_close(follower);
    conductor_close(conductor);
    bench_end();
}

static uint64_t told_spans(void)
{
    return world_stats(lead->world)->services[FRONT].spans;
}

static void serve_front(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        size_t at = rest->answer_count;
        node_request(rest, FRONT, "GET /ask", i);
        UNTIL(rest->answer_count > at);
    }
}

/* ---- both sides ---- */

static void they_begin_and_finish_together(void **state)
{
    (void)state;
    open_both();
    begin_together();
    assert_true(joined.run == BENCH_RUN && joined.seed == SEED && joined.duration_ns == MIN_(10));
    serve_front(5);
    uint64_t spans = world_stats(rest->world)->services[FRONT].spans;
    assert_in_range(spans, 5, 100);
    UNTIL(told_spans() == spans);

    struct fault_spec fault = {.kind = FAULT_SERVICE_SLOW, .target = "front", .value = 3};
    assert_int_equal(world_set_fault(lead->world, &fault, bench.now_ns), STATUS_OK);
    UNTIL(world_stats(rest->world)->fault_count == 1);
    fault.target = "shelf";
    assert_true(follower_set_fault(follower, &fault)); /* there and back */
    UNTIL(world_stats(rest->world)->fault_count == 2);
    assert_int_equal(world_stats(lead->world)->fault_count, 2);

    serve_front(3);
    later(rest_finishes);
    ev_timer_stop(bench.loop, &act);
    finish_within = true;
    conductor_finish(conductor);
    assert_int_equal(finishes, 1);
    assert_int_equal(told_spans(), world_stats(rest->world)->services[FRONT].spans);
    assert_int_equal(conductor_tally(conductor)->joined, 1);
    assert_int_equal(conductor_tally(conductor)->gone, 0);
    assert_int_equal(losses, 0);
    end_both();
}

static void who_ends_before_the_run_leaves(void **state)
{
    (void)state;
    open_both();
    begin_together();
    serve_front(2);
    double since = ev_now(bench.loop);
    follower_finish(follower);
    ev_now_update(bench.loop);
    assert_true(ev_now(bench.loop) - since < 3); /* all is told: there is nothing to wait for */
    assert_int_equal(told_spans(), world_stats(rest->world)->services[FRONT].spans);
    follower_close(follower);
    follower = NULL;
    bench_settle();
    assert_int_equal(conductor_tally(conductor)->gone, 0); /* it has said so */
    end_both();
}

static void a_refusal_ends_it_before_it_begins(void **state)
{
    (void)state;
    open_both();
    follower_close(follower);
    struct follower_options options = {.loop = bench.loop,
                                       .registry = &bench.registry,
                                       .placement = &rest->placement,
                                       .run = {.version = BENCH_VERSION, .scenario = BENCH_SCENARIO + 1},
                                       .quiet = true,
                                       .lost = on_lost};
    losses = 0;
    follower = follower_open(&options);
    assert_false(follower_join(follower, &joined));
    assert_false(follower_was_cut_short(follower));
    assert_int_equal(losses, 0); /* there was no world to lose */
    end_both();
}

/* ---- a conductor by hand ---- */

static int listener;
static struct raw *hand;
static bool news; /* follow right behind the beginning */

static void answer_join(uint32_t id, uint64_t run)
{
    struct pack *pack = bench_pack();
    rpc_response(pack, id, NULL);
    shared_write_run(pack,
                     &(struct shared_run){.run = run, .seed = SEED, .duration_ns = MIN_(10), .speed = 1});
    raw_send(hand, pack);
}

static void answer_ready(uint32_t id, struct world *world)
{
    struct pack *pack = bench_pack();
    rpc_response(pack, id, NULL);
    pack_array(pack, 2);
    shared_write_begin(pack, &begins);
    course_write(pack, world);
    raw_send(hand, pack);
}

/* With the same read as what was sent before it. */
static void send_news(void)
{
    struct fault_spec fault = {.kind = FAULT_SERVICE_SLOW, .target = "front", .value = 3};
    assert_int_equal(world_set_fault(lead->world, &fault, 0), STATUS_OK);
    struct pack *pack = bench_pack();
    rpc_notice(pack, "course");
    course_write(pack, lead->world);
    raw_send(hand, pack);
}

/* Takes one message at a time, from within the loop that the follower runs. */
static void conduct(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct rpc_frame frame;
    (void)loop;
    (void)watcher;
    (void)events;
    if (!hand) {
        int fd = accept(listener, NULL, NULL);
        hand = fd < 0 ? NULL : raw_take(fd);
    } else if (raw_has_message(hand, &frame)) {
        if (slice_is(frame.method, "join"))
            answer_join(frame.id, BENCH_RUN);
        else if (slice_is(frame.method, "ready"))
            answer_ready(frame.id, lead->world);
        if (news && slice_is(frame.method, "ready"))
            send_news();
    }
}

static void open_by_hand(void)
{
    bench_begin();
    static const struct node_wish nobody = {0};
    lead = node_open(2, &nobody); /* its world alone is wanted: whose course it is */
    rest = node_open(1, &(struct node_wish){.hosts = {[FRONT] = true, [SHELF] = true, [DATABASE] = true},
                                            .run_unknown = true});
    placement = rest->placement;
    listener = raw_listen(0, DRIVER);
    assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
    struct peer_address *address = &placement.addresses[placement.address_count++];
    address->service = "driver";
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    inet_ntop(AF_INET, &at.sin_addr, address->host, sizeof address->host);
    address->port = ntohs(at.sin_port);
    open_follower(&placement);
    hand = NULL;
    ev_timer_init(&act, conduct, 0.001, 0.001);
    ev_timer_start(bench.loop, &act);
    struct shared_begin told;
    assert_true(follower_join(follower, &joined));
    assert_true(follower_ready(follower, NULL, &told));
    ev_timer_stop(bench.loop, &act);
    follower_begin(follower, rest->world, bench_now);
}

static void end_by_hand(void)
{
    if (hand)
        raw_close(hand);
    close(listener);
    follower_close(follower);
    bench_end();
}

/* The next request of that name; figures that come before it are acknowledged. */
static struct rpc_frame next(const char *method)
{
    for (;;) {
        struct rpc_frame frame = raw_read(hand);
        if (slice_is(frame.method, method))
            return frame;
        assert_true(slice_is(frame.method, "figures"));
    }
}

static void accept_again(void)
{
    raw_close(hand);
    hand = raw_accept(listener);
    struct rpc_frame frame = raw_read(hand);
    assert_true(slice_is(frame.method, "join"));
    cursor_array(&frame.value);
    cursor_int(&frame.value);
    cursor_text(&frame.value);
    cursor_int(&frame.value);
    assert_int_equal(cursor_int(&frame.value), BENCH_RUN); /* the run that it is of */
    answer_join(frame.id, BENCH_RUN);
}

static void what_is_new_right_behind_the_beginning_is_not_lost(void **state)
{
    (void)state;
    news = true;
    open_by_hand();
    news = false;
    assert_int_equal(world_stats(rest->world)->fault_count, 1);
    end_by_hand();
}

static void who_was_cut_off_joins_again_and_catches_up(void **state)
{
    (void)state;
    open_by_hand();
    struct fault_spec fault = {.kind = FAULT_SERVICE_SLOW, .target = "front", .value = 3};
    assert_int_equal(world_set_fault(lead->world, &fault, 0), STATUS_OK); /* while it is away */
    accept_again();
    answer_ready(next("ready").id, lead->world);
    UNTIL(world_stats(rest->world)->fault_count == 1);
    accept_again();
    answer_ready(next("ready").id, lead->world);
    struct rpc_frame figures = next("figures"); /* and goes on */
    cursor_array(&figures.value);
    assert_int_equal(cursor_int(&figures.value), EXPORTED);
    assert_int_equal(cursor_int(&figures.value), SETTLED);
    assert_int_equal(world_stats(rest->world)->fault_count, 1);
    assert_int_equal(losses, 0);
    end_by_hand();
}

static void what_was_not_acknowledged_is_told_again(void **state)
{
    (void)state;
    open_by_hand();
    serve_front(3);
    struct gathered *gathered = gathered_new(lead->world);
    struct rpc_frame frame = next("figures");
    accept_again(); /* it never heard that they had come */
    answer_ready(next("ready").id, lead->world);
    frame = next("figures");
    cursor_array(&frame.value);
    cursor_int(&frame.value);
    cursor_int(&frame.value);
    assert_true(gathered_read(gathered, &frame.value));
    assert_int_equal(told_spans(), world_stats(rest->world)->services[FRONT].spans);
    gathered_free(gathered);
    end_by_hand();
}

static void another_run_or_refused_figures_end_it(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        open_by_hand();
        struct pack *pack;
        if (i == 0) {
            raw_close(hand);
            hand = raw_accept(listener);
            uint32_t id = raw_read(hand).id;
            pack = bench_pack();
            rpc_response(pack, id, "another run has begun: start this process again");
        } else {
            uint32_t id = next("figures").id;
            pack = bench_pack();
            rpc_response(pack, id, "these are no figures of this run");
        }
        pack_nil(pack);
        raw_send(hand, pack);
        UNTIL(losses == 1);
        bench_settle();
        assert_int_equal(losses, 1);
        end_by_hand();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_begin_and_finish_together),
        cmocka_unit_test(who_ends_before_the_run_leaves),
        cmocka_unit_test(a_refusal_ends_it_before_it_begins),
        cmocka_unit_test(what_is_new_right_behind_the_beginning_is_not_lost),
        cmocka_unit_test(who_was_cut_off_joins_again_and_catches_up),
        cmocka_unit_test(what_was_not_acknowledged_is_told_again),
        cmocka_unit_test(another_run_or_refused_figures_end_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
