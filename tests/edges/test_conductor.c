/* conductor: who may join and who may not, what members are told and believed, and what remains of those that go. */
#include "edges/conductor.h"

#include "core/gather.h"
#include "edges/course_wire.h"
#include "tests/edges/peer_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SEED = 7, SOMEBODY = 1000 };

static struct conductor *conductor;
static struct node *node;
static const struct shared_begin begins = {.begins_unix_ns = 5, .first_ns = 0, .start_unix_ns = 5};

static bool on_join(void *owner, struct rpc_connection *connection, const struct rpc_frame *first)
{
    (void)owner;
    return conductor_joins(conductor, connection, first);
}

static void begin(void)
{
    bench_begin();
    node = node_open(0, &(struct node_wish){.hosts = {[DRIVER] = true}, .joins = on_join});
    struct conductor_options options = {
        .loop = bench.loop,
        .registry = &bench.registry,
        .placement = &node->placement,
        .run = {.version = BENCH_VERSION, .scenario = BENCH_SCENARIO, .run = BENCH_RUN},
        .told = {.run = BENCH_RUN,
                 .seed = SEED,
                 .from_ns = S(3),
                 .duration_ns = MIN_(4),
                 .speed = 2.5,
                 .waits = true},
        .quiet = true};
    conductor = conductor_open(&options);
}

static void all_begin(void)
{
    conductor_begin(conductor, node->world, &begins, bench_now, NULL);
}

static void end(void)
{
    conductor_close(conductor);
    bench_end();
}

/* ---- a member by hand ---- */

static void send_join(struct raw *raw, const char *version, uint64_t scenario, uint64_t run, uint64_t process,
                      const char *service)
{
    struct pack *pack = bench_pack();
    rpc_request(pack, 1, "join");
    pack_array(pack, 6);
    pack_int(pack, PEER_PROTOCOL);
    pack_text(pack, version);
    pack_int(pack, (int64_t)scenario);
    pack_int(pack, (int64_t)run);
    pack_int(pack, (int64_t)process);
    pack_array(pack, service ? 1 : 0);
    if (service)
        pack_text(pack, service);
    raw_send(raw, pack);
}

static void send_nil(struct raw *raw, uint32_t id, const char *method)
{
    struct pack *pack = bench_pack();
    if (id)
        rpc_request(pack, id, method);
    else
        rpc_notice(pack, method);
    pack_nil(pack);
    raw_send(raw, pack);
}

static struct raw *join(uint64_t process, const char *service)
{
    struct raw *raw = raw_connect(node, DRIVER);
    send_join(raw, BENCH_VERSION, BENCH_SCENARIO, 0, process, service);
    assert_null(raw_read(raw).error.at);
    return raw;
}

/* The answer to `ready`, or a notice of the course. */
static struct course read_course(struct rpc_frame frame)
{
    static struct course course;
    assert_null(frame.error.at);
    if (frame.kind == RPC_RESPONSE) {
        struct shared_begin told;
        assert_int_equal(cursor_array(&frame.value), 2);
        assert_true(shared_read_begin(&frame.value, &told));
        assert_memory_equal(&told, &begins, sizeof told);
    }
    assert_true(course_read(&frame.value, &course));
    return course;
}

static struct raw *join_and_begin(uint64_t process, const char *service)
{
    struct raw *raw = join(process, service);
    send_nil(raw, 2, "ready");
    read_course(raw_read(raw));
    return raw;
}

static void send_figures(struct raw *raw, struct gather *gather, int64_t spans, int64_t settled)
{
    struct pack *pack = bench_pack();
    rpc_request(pack, 3, "figures");
    pack_array(pack, 3);
    pack_int(pack, spans);
    pack_int(pack, settled);
    if (!gather || !gather_write(gather, pack, 32 * 1024))
        pack_nil(pack);
    raw_send(raw, pack);
}

/* A process that hosts front and has served so many requests that nobody could answer. */
static struct world *front_world(unsigned served)
{
    static const bool hosts[BENCH_SERVICES] = {[FRONT] = true};
    struct world_options options = {
        .scenario = &bench.scenario, .registry = &bench.registry, .seed = SEED, .hosts = hosts};
    struct world *world = world_new(&options);
    for (unsigned i = 0; i < served; i++) {
        struct world_request request = {
            .service = FRONT, .body = "\x91\x01", .body_len = 2, .limit_ns = S(10), .token = i};
        world_request(world, &request, 0);
    }
    world_turn(world, 0, UINT32_MAX);
    return world;
}

static uint64_t front_spans(void)
{
    return world_stats(node->world)->services[FRONT].spans;
}

/* ---- joining ---- */

static void who_differs_is_refused_with_the_reason(void **state)
{
    static const struct {
        const char *version;
        uint64_t scenario, run;
        const char *service, *why;
    } cases[] = {
        {"1.2.4", BENCH_SCENARIO, 0, "front",
         "another version of doorbuster: all processes of a run have to be of one"},
        {BENCH_VERSION, 1, 0, "front",
         "another scenario: all processes of a run need the same file, --set and DEMO_ variables"},
        {BENCH_VERSION, BENCH_SCENARIO, 1, "front", "another run has begun: start this process again"},
        {BENCH_VERSION, BENCH_SCENARIO, 0, "back", "it hosts what is not known here"},
        {BENCH_VERSION, BENCH_SCENARIO, 0, NULL, "it hosts what is not known here"},
    };
    (void)state;
    begin();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct raw *raw = raw_connect(node, DRIVER);
        send_join(raw, cases[i].version, cases[i].scenario, cases[i].run, SOMEBODY, cases[i].service);
        struct rpc_frame frame = raw_read(raw);
        if (!frame.error.at || !slice_is(frame.error, cases[i].why))
            fail_msg("case %zu: '%.*s'", i, (int)frame.error.len, frame.error.at ? frame.error.at : "");
        UNTIL(raw_is_closed(raw));
        raw_close(raw);
    }
    struct raw *raw = raw_connect(node, DRIVER);
    send_nil(raw, 1, "join");
    assert_true(slice_is(raw_read(raw).error, "this is no process of doorbuster's"));
    raw_close(raw);
    assert_int_equal(conductor_tally(conductor)->joined, 0);
    end();
}

static void who_joins_learns_the_run(void **state)
{
    (void)state;
    begin();
    struct raw *raw = raw_connect(node, DRIVER);
    send_join(raw, BENCH_VERSION, BENCH_SCENARIO, 0, SOMEBODY, "front");
    struct rpc_frame frame = raw_read(raw);
    struct shared_run run;
    assert_null(frame.error.at);
    assert_true(shared_read_run(&frame.value, &run));
    assert_true(run.run == BENCH_RUN && run.seed == SEED && run.from_ns == S(3) &&
                run.duration_ns == MIN_(4));
    assert_true(run.speed == 2.5 && run.waits && !run.begun);
    struct rpc_frame none;
    send_nil(raw, 2, "ready"); /* held back until all begin */
    bench_settle();
    assert_false(raw_has_message(raw, &none));
    all_begin();
    struct course course = read_course(raw_read(raw));
    assert_true(course.world.zero_ns == 0 && course.fault_count == 0);
    struct raw *late = join_and_begin(SOMEBODY + 1, "shelf");
    assert_int_equal(conductor_tally(conductor)->joined, 2);
    raw_close(late);
    raw_close(raw);
    end();
}

static void more_processes_than_there_is_room_for_are_refused(void **state)
{
    static struct raw *raws[CONDUCTOR_MEMBERS_MAX];
    (void)state;
    begin();
    for (size_t i = 0; i < CONDUCTOR_MEMBERS_MAX; i++)
        raws[i] = join(SOMEBODY + i, "front");
    struct raw *last = raw_connect(node, DRIVER);
    send_join(last, BENCH_VERSION, BENCH_SCENARIO, 0, 1, "front");
    assert_true(slice_is(raw_read(last).error, "too many processes"));
    raw_close(last);
    raw_close(raws[9]); /* before the beginning who goes is forgotten */
    bench_settle();
    raws[9] = join(1, "front");
    for (size_t i = 0; i < CONDUCTOR_MEMBERS_MAX; i++)
        raw_close(raws[i]);
    end();
}

/* ---- figures ---- */

static void figures_count_and_are_acknowledged(void **state)
{
    (void)state;
    begin();
    all_begin();
    struct world *world = front_world(5);
    struct gather *gather = gather_new(world);
    struct raw *raw = join_and_begin(SOMEBODY, "front");
    send_figures(raw, gather, 10, 4);
    struct rpc_frame frame = raw_read(raw);
    assert_int_equal(frame.id, 3);
    assert_null(frame.error.at);
    assert_int_equal(front_spans(), world_stats(world)->services[FRONT].spans);
    assert_in_range(front_spans(), 5, 100);
    send_figures(raw, NULL, 12, 12);
    assert_null(raw_read(raw).error.at);
    gather_free(gather);
    world_free(world);
    raw_close(raw);
    end();
}

static void strange_figures_count_nothing(void **state)
{
    (void)state;
    begin();
    all_begin();
    struct raw *raw = join_and_begin(SOMEBODY, "front");
    send_nil(raw, 3, "figures");
    assert_true(slice_is(raw_read(raw).error, "these are no figures of this run"));
    send_figures(raw, NULL, -1, 0);
    assert_true(slice_is(raw_read(raw).error, "these are no figures of this run"));
    send_nil(raw, 4, "finish");
    assert_true(slice_is(raw_read(raw).error, "nothing of that name is done here now"));
    assert_int_equal(front_spans(), 0);
    raw_close(raw);
    end();
}

/* ---- going and coming back ---- */

static void who_comes_back_is_the_same_and_hears_the_course_again(void **state)
{
    (void)state;
    begin();
    all_begin();
    struct world *world = front_world(5);
    struct gather *gather = gather_new(world);
    struct raw *raw = join_and_begin(SOMEBODY, "front");
    send_figures(raw, gather, 10, 4);
    assert_null(raw_read(raw).error.at);
    uint64_t spans = front_spans();
    raw_close(raw);
    UNTIL(conductor_tally(conductor)->gone == 1);
    assert_int_equal(conductor_tally(conductor)->spans_lost, 6);
    struct fault_spec fault = {.kind = FAULT_SERVICE_SLOW, .target = "front", .value = 3};
    assert_int_equal(world_set_fault(node->world, &fault, 0), STATUS_OK);

    raw = raw_connect(node, DRIVER);
    send_join(raw, BENCH_VERSION, BENCH_SCENARIO, BENCH_RUN, SOMEBODY, "front");
    assert_null(raw_read(raw).error.at);
    send_nil(raw, 2, "ready");
    struct course course = read_course(raw_read(raw));
    assert_int_equal(course.fault_count, 1);
    assert_true(course.faults[0].spec.value == 3);
    assert_int_equal(conductor_tally(conductor)->joined, 1);
    gather_again(gather);
    send_figures(raw, gather, 10, 10);
    assert_null(raw_read(raw).error.at);
    assert_int_equal(front_spans(), spans); /* counts once */
    fault.value = 4;
    assert_int_equal(world_set_fault(node->world, &fault, 0), STATUS_OK);
    course = read_course(raw_read(raw)); /* and whatever is new */
    assert_int_equal(course.fault_count, 2);
    gather_free(gather);
    world_free(world);
    raw_close(raw);
    end();
}

static void another_in_its_place_counts_on_top(void **state)
{
    (void)state;
    begin();
    all_begin();
    struct world *world = front_world(5);
    struct gather *gather = gather_new(world), *again;
    struct raw *raw = join_and_begin(SOMEBODY, "front");
    send_figures(raw, gather, 10, 4);
    assert_null(raw_read(raw).error.at);
    uint64_t spans = front_spans();
    raw_close(raw);
    UNTIL(conductor_tally(conductor)->gone == 1);
    struct world *second = front_world(7);
    again = gather_new(second);
    raw = join_and_begin(SOMEBODY + 1, "front");
    assert_int_equal(conductor_tally(conductor)->joined, 2);
    send_figures(raw, again, 3, 3);
    assert_null(raw_read(raw).error.at);
    assert_int_equal(front_spans(), spans + world_stats(second)->services[FRONT].spans);
    gather_free(gather);
    gather_free(again);
    world_free(world);
    world_free(second);
    raw_close(raw);
    end();
}

/* It had not died, and comes back beside the one in its place. */
static void who_comes_back_after_another_has_its_place_counts_once(void **state)
{
    (void)state;
    begin();
    all_begin();
    struct world *world = front_world(5);
    struct gather *gather = gather_new(world);
    struct raw *raw = join_and_begin(SOMEBODY, "front");
    send_figures(raw, gather, 10, 4);
    assert_null(raw_read(raw).error.at);
    uint64_t spans = front_spans();
    raw_close(raw);
    UNTIL(conductor_tally(conductor)->gone == 1);
    struct raw *other = join_and_begin(SOMEBODY + 1, "front");
    raw = join_and_begin(SOMEBODY, "front");
    assert_int_equal(conductor_tally(conductor)->joined, 2);
    assert_int_equal(conductor_tally(conductor)->gone, 0);
    gather_again(gather);
    send_figures(raw, gather, 10, 10);
    assert_null(raw_read(raw).error.at);
    assert_int_equal(front_spans(), spans);
    gather_free(gather);
    world_free(world);
    raw_close(raw);
    raw_close(other);
    end();
}

static void the_dead_make_room_when_all_places_are_taken(void **state)
{
    static struct raw *raws[CONDUCTOR_MEMBERS_MAX];
    (void)state;
    begin();
    all_begin();
    for (size_t i = 0; i < CONDUCTOR_MEMBERS_MAX; i++)
        raws[i] = join(SOMEBODY + i, i ? "shelf" : "front");
    raw_close(raws[0]);
    UNTIL(conductor_tally(conductor)->gone == 1);
    raws[0] = join_and_begin(1, "front");
    for (size_t i = 0; i < CONDUCTOR_MEMBERS_MAX; i++)
        raw_close(raws[i]);
    end();
}

/* It has not begun, so it has nothing to tell; the limit is ten seconds. */
static void the_end_does_not_wait_for_who_has_only_joined(void **state)
{
    (void)state;
    begin();
    all_begin();
    struct raw *raw = join(SOMEBODY, "front");
    double before = ev_time();
    conductor_finish(conductor);
    assert_true(ev_time() - before < 5);
    send_nil(raw, 2, "ready");
    assert_true(slice_is(raw_read(raw).error, "nothing of that name is done here now"));
    raw_close(raw);
    end();
}

/* Its connection may stay open for a while: it is nobody's any more. */
static void who_has_left_has_no_say_in_who_takes_its_place(void **state)
{
    (void)state;
    begin();
    all_begin();
    struct raw *old = join_and_begin(SOMEBODY, "front");
    send_nil(old, 0, "leave");
    bench_settle();
    assert_int_equal(conductor_tally(conductor)->gone, 0); /* as it should */
    send_figures(old, NULL, 1, 1);
    assert_true(slice_is(raw_read(old).error, "nothing of that name is done here now"));
    struct raw *new = join_and_begin(SOMEBODY + 1, "front");
    raw_close(old);
    bench_settle();
    assert_int_equal(conductor_tally(conductor)->gone, 0);
    send_figures(new, NULL, 1, 1);
    assert_null(raw_read(new).error.at);
    raw_close(new);
    UNTIL(conductor_tally(conductor)->gone == 1);
    end();
}

/* ---- faults ---- */

static void a_fault_that_a_member_asks_for_comes_back_to_all(void **state)
{
    (void)state;
    begin();
    all_begin();
    struct raw *one = join_and_begin(SOMEBODY, "front"), *two = join_and_begin(SOMEBODY + 1, "shelf");
    struct pack *pack = bench_pack();
    rpc_request(pack, 4, "fault");
    course_write_fault(pack, &(struct fault_spec){.kind = FAULT_SERVICE_DOWN, .target = "shelf"});
    raw_send(one, pack);
    struct rpc_frame frame = raw_read(one);
    assert_true(frame.kind == RPC_RESPONSE && !frame.error.at);
    assert_int_equal(read_course(raw_read(one)).fault_count, 1);
    assert_int_equal(read_course(raw_read(two)).fault_count, 1);
    pack = bench_pack();
    rpc_request(pack, 5, "fault");
    course_write_fault(pack, &(struct fault_spec){.kind = FAULT_SERVICE_DOWN, .target = "nobody"});
    raw_send(one, pack);
    assert_true(slice_is(raw_read(one).error, "it cannot be set"));
    send_nil(one, 6, "fault");
    assert_true(slice_is(raw_read(one).error, "this is no fault"));
    raw_close(one);
    raw_close(two);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_differs_is_refused_with_the_reason),
        cmocka_unit_test(who_joins_learns_the_run),
        cmocka_unit_test(more_processes_than_there_is_room_for_are_refused),
        cmocka_unit_test(figures_count_and_are_acknowledged),
        cmocka_unit_test(strange_figures_count_nothing),
        cmocka_unit_test(who_comes_back_is_the_same_and_hears_the_course_again),
        cmocka_unit_test(another_in_its_place_counts_on_top),
        cmocka_unit_test(who_comes_back_after_another_has_its_place_counts_once),
        cmocka_unit_test(the_dead_make_room_when_all_places_are_taken),
        cmocka_unit_test(the_end_does_not_wait_for_who_has_only_joined),
        cmocka_unit_test(who_has_left_has_no_say_in_who_takes_its_place),
        cmocka_unit_test(a_fault_that_a_member_asks_for_comes_back_to_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
