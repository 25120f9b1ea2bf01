/* peers: asks of a world that go to others - by turns, around those that are lost, and ending whatever happens. */
#include "tests/edges/peer_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const struct node_wish front_of_one = {.hosts = {[FRONT] = true}, .asks = {{SHELF, 1}}},
                              front_of_two = {.hosts = {[FRONT] = true}, .asks = {{SHELF, 1}, {SHELF, 2}}},
                              shelf_alone = {.hosts = {[SHELF] = true}};

/* What `complete` says is of all services; here only of shelf's links. */
static size_t ready_links(const struct node *node)
{
    size_t ready = 0;
    for (size_t p = 0; p < node->peers->place_count; p++)
        for (size_t i = 0; i < PEER_COPIES_MAX; i++)
            ready +=
                node->peers->places[p].links[i].used && node->peers->places[p].links[i].state == LINK_READY;
    return ready;
}

static enum status ask(struct node *node, const char *route, int64_t number)
{
    size_t at = node->answer_count;
    node_request(node, FRONT, route, number);
    UNTIL(node->answer_count > at);
    if (node->answers[at].status == STATUS_OK)
        assert_int_equal(node->answers[at].number, number + 1);
    return node->answers[at].status;
}

/* ---- there and back ---- */

static void an_ask_goes_over_and_its_answer_comes_back(void **state)
{
    (void)state;
    bench_begin();
    struct node *front = node_open(0, &front_of_one), *shelf = node_open(1, &shelf_alone);
    UNTIL(ready_links(front) == 1);
    assert_int_equal(ask(front, "GET /ask", 41), STATUS_OK);
    assert_int_equal(ask(front, "GET /ask", 1000), STATUS_OK);
    assert_int_equal(peers_tally(front->peers)->asked, 2);
    assert_int_equal(peers_tally(shelf->peers)->served, 2);
    assert_int_equal(peers_tally(front->peers)->lost, 0);
    assert_int_equal(front->peers->asked.live + shelf->peers->served.live, 0);
    assert_int_equal(world_stats(shelf->world)->services[SHELF].spans, 2);
    bench_end();
}

static void it_is_told_who_is_missing(void **state)
{
    (void)state;
    bench_begin();
    struct node *front = node_open(0, &(struct node_wish){.hosts = {[FRONT] = true, [DRIVER] = true},
                                                          .asks = {{SHELF, 1}, {DATABASE, 1}}});
    struct text missing = {0};
    assert_false(peers_complete(front->peers, &missing));
    assert_string_equal(text_c(&missing), "shelf"); /* the database is asked by shelf alone */
    node_open(1, &(struct node_wish){.hosts = {[SHELF] = true, [DATABASE] = true}});
    UNTIL(peers_complete(front->peers, NULL));
    text_fini(&missing);
    bench_end();
}

static void a_statement_that_is_given_up_is_cancelled_there(void **state)
{
    (void)state;
    bench_begin();
    bench.scenario.postgresql.cancel_on_deadline = true;
    struct node *shelf =
        node_open(0, &(struct node_wish){.hosts = {[SHELF] = true}, .asks = {{DATABASE, 1}}});
    struct node *database = node_open(1, &(struct node_wish){.hosts = {[DATABASE] = true}});
    UNTIL(ready_links(shelf) == 1);
    node_request(shelf, SHELF, "GET /query", 5000);
    UNTIL(database->peers->served.live == 1);
    bench.now_ns = MS(299);
    bench_settle();
    assert_int_equal(shelf->answer_count, 0);
    bench.now_ns = MS(300);
    UNTIL(shelf->answer_count == 1);
    assert_int_equal(shelf->answers[0].status, STATUS_UNAVAILABLE);
    UNTIL(shelf->peers->asked.live == 0);
    struct world_leftovers left = world_leftovers(shelf->world);
    assert_int_equal(left.connections + left.queries, 0);
    bench.now_ns = MS(400);
    node_request(shelf, SHELF, "GET /query", 0);
    UNTIL(shelf->answer_count == 2);
    assert_int_equal(shelf->answers[1].status, STATUS_OK);
    bench_end();
}

static void what_does_not_fit_is_a_failure_and_not_sent(void **state)
{
    (void)state;
    bench_begin();
    struct node *front = node_open(0, &front_of_one), *shelf = node_open(1, &shelf_alone);
    UNTIL(ready_links(front) == 1);
    assert_true(status_failed(ask(front, "GET /send-much", 1)));
    assert_int_equal(world_stats(front->world)->asks_ended[STATUS_FAILED], 1);
    assert_true(status_failed(ask(front, "GET /much", 1))); /* the answer does not fit */
    assert_int_equal(world_stats(front->world)->asks_ended[STATUS_FAILED], 2);
    assert_int_equal(peers_tally(shelf->peers)->served, 1);
    assert_int_equal(ask(front, "GET /ask", 1), STATUS_OK);
    bench_end();
}

/* ---- copies ---- */

static void copies_take_turns(void **state)
{
    (void)state;
    bench_begin();
    struct node *front = node_open(0, &front_of_two);
    struct node *one = node_open(1, &shelf_alone), *two = node_open(2, &shelf_alone);
    UNTIL(ready_links(front) == 2);
    for (int i = 0; i < 10; i++)
        assert_int_equal(ask(front, "GET /ask", i), STATUS_OK);
    assert_int_equal(peers_tally(one->peers)->served, 5);
    assert_int_equal(peers_tally(two->peers)->served, 5);
    bench_end();
}

static void a_lost_copy_is_left_out_and_tried_again(void **state)
{
    (void)state;
    bench_begin();
    struct node *front = node_open(0, &front_of_two);
    struct node *one = node_open(1, &shelf_alone), *two = node_open(2, &shelf_alone);
    UNTIL(ready_links(front) == 2);
    node_close(two);
    UNTIL(ready_links(front) == 1);
    for (int i = 0; i < 6; i++)
        assert_int_equal(ask(front, "GET /ask", i), STATUS_OK);
    assert_int_equal(peers_tally(one->peers)->served, 6);
    two = node_open(2, &shelf_alone);
    UNTIL(ready_links(front) == 2);
    for (int i = 0; i < 4; i++)
        assert_int_equal(ask(front, "GET /ask", i), STATUS_OK);
    assert_int_equal(peers_tally(one->peers)->served, 8);
    assert_int_equal(peers_tally(two->peers)->served, 2);
    assert_int_equal(peers_tally(front->peers)->lost, 0);
    bench_end();
}

/* ---- ends ---- */

static void nobody_there_is_no_peer_at_once(void **state)
{
    (void)state;
    bench_begin();
    struct node *front = node_open(0, &front_of_one);
    assert_int_equal(ask(front, "GET /ask", 1), STATUS_UNAVAILABLE);
    assert_int_equal(world_stats(front->world)->asks_ended[STATUS_NO_PEER], 1);
    assert_int_equal(peers_tally(front->peers)->lost, 1);
    node_open(1, &shelf_alone);
    UNTIL(ready_links(front) == 1);
    assert_int_equal(ask(front, "GET /ask", 1), STATUS_OK);
    bench_end();
}

static void what_a_lost_connection_owed_is_no_peer_at_once(void **state)
{
    (void)state;
    bench_begin();
    struct node *front = node_open(0, &front_of_two);
    struct node *one = node_open(1, &shelf_alone), *two = node_open(2, &shelf_alone);
    UNTIL(ready_links(front) == 2);
    for (int i = 0; i < 6; i++)
        node_request(front, FRONT, "GET /slow", i);
    UNTIL(one->peers->served.live + two->peers->served.live == 6);
    node_close(one);
    UNTIL(front->answer_count == 3);
    assert_int_equal(world_stats(front->world)->asks_ended[STATUS_NO_PEER], 3);
    assert_int_equal(peers_tally(front->peers)->lost, 3);
    bench_settle();
    assert_int_equal(front->answer_count, 3); /* the other one's go on */
    bench.now_ns += S(2);
    UNTIL(front->answer_count == 6);
    assert_int_equal(world_stats(front->world)->asks_ended[STATUS_OK], 3);
    assert_int_equal(front->peers->asked.live, 0);
    bench_end();
}

static void its_deadline_ends_an_ask_that_is_not_answered(void **state)
{
    (void)state;
    bench_begin();
    struct node *front = node_open(0, &front_of_one), *shelf = node_open(1, &shelf_alone);
    UNTIL(ready_links(front) == 1);
    node_request(front, FRONT, "GET /slow", 1);
    UNTIL(world_leftovers(shelf->world).calls == 1);
    struct world *world = shelf->world;
    shelf->world = NULL; /* its time stands still */
    bench.now_ns += S(5);
    UNTIL(front->answer_count == 1);
    assert_int_equal(world_stats(front->world)->asks_ended[STATUS_DEADLINE], 1);
    assert_int_equal(front->peers->asked.live, 1);
    shelf->world = world;
    UNTIL(front->peers->asked.live == 0);
    UNTIL(world_stats(front->world)->late_replies == 1);
    assert_int_equal(front->answer_count, 1);
    bench_end();
}

/* ---- a strange server in the place of shelf ---- */

static struct raw *serve_by_hand(int listener)
{
    struct raw *raw = raw_accept(listener);
    struct rpc_frame frame = raw_read(raw);
    assert_true(frame.kind == RPC_REQUEST && slice_is(frame.method, "greet"));
    struct pack *pack = bench_pack();
    rpc_response(pack, frame.id, NULL);
    pack_nil(pack);
    raw_send(raw, pack);
    return raw;
}

static void answer(struct raw *raw, uint32_t id, int64_t status, int64_t number)
{
    struct pack *pack = bench_pack();
    rpc_response(pack, id, NULL);
    pack_array(pack, 2);
    pack_int(pack, status);
    pack_array(pack, 1);
    pack_int(pack, number);
    raw_send(raw, pack);
}

static void answers_of_another_connection_or_twice_are_ignored(void **state)
{
    (void)state;
    bench_begin();
    int listener = raw_listen(1, SHELF);
    struct node *front = node_open(0, &front_of_one);
    struct raw *first = serve_by_hand(listener);
    UNTIL(ready_links(front) == 1);
    node_request(front, FRONT, "GET /ask", 1);
    uint32_t old = raw_read(first).id;
    raw_close(first);
    UNTIL(front->answer_count == 1);
    assert_int_equal(front->answers[0].status, STATUS_UNAVAILABLE);

    struct raw *second = serve_by_hand(listener);
    UNTIL(ready_links(front) == 1);
    node_request(front, FRONT, "GET /ask", 1);
    uint32_t new = raw_read(second).id;
    assert_int_not_equal(new, old);
    answer(second, old, STATUS_OK, 5);
    answer(second, UINT32_MAX, STATUS_OK, 6);
    bench_settle();
    assert_int_equal(front->answer_count, 1);
    answer(second, new, STATUS_OK, 7);
    answer(second, new, STATUS_OK, 8);
    UNTIL(front->answer_count == 2);
    assert_int_equal(front->answers[1].number, 7);
    bench_settle();
    assert_int_equal(front->answer_count, 2);
    assert_int_equal(world_stats(front->world)->late_replies, 0);
    raw_close(second);
    close(listener);
    bench_end();
}

/* The loop has not noticed yet: what is asked meanwhile finds nobody, too. */
static void what_cannot_be_written_any_more_is_no_peer(void **state)
{
    enum { ASKS = 5 };
    (void)state;
    bench_begin();
    int listener = raw_listen(1, SHELF);
    struct node *front = node_open(0, &front_of_one);
    struct raw *raw = serve_by_hand(listener);
    UNTIL(ready_links(front) == 1);
    raw_close(raw);
    for (int i = 0; i < ASKS; i++) {
        node_request(front, FRONT, "GET /ask", i);
        world_turn(front->world, bench.now_ns, UINT32_MAX);
    }
    UNTIL(front->answer_count == ASKS);
    assert_int_equal(world_stats(front->world)->asks_ended[STATUS_NO_PEER], ASKS);
    assert_int_equal(peers_tally(front->peers)->lost, ASKS);
    close(listener);
    bench_end();
}

static void strange_answers_fail_their_asks_and_nothing_else(void **state)
{
    static const int64_t strange[] = {-1, STATUS_COUNT, INT64_MAX};
    (void)state;
    bench_begin();
    int listener = raw_listen(1, SHELF);
    struct node *front = node_open(0, &front_of_one);
    struct raw *raw = serve_by_hand(listener);
    UNTIL(ready_links(front) == 1);
    for (size_t i = 0; i <= ARRAY_LEN(strange); i++) {
        node_request(front, FRONT, "GET /ask", 1);
        uint32_t id = raw_read(raw).id;
        if (i < ARRAY_LEN(strange)) {
            answer(raw, id, strange[i], 1);
        } else {
            struct pack *pack = bench_pack();
            rpc_response(pack, id, "why?");
            pack_text(pack, "because");
            raw_send(raw, pack);
        }
        UNTIL(front->answer_count == i + 1);
        assert_int_equal(world_stats(front->world)->asks_ended[STATUS_FAILED], i + 1);
    }
    struct pack *pack = bench_pack(); /* a server does not ask */
    rpc_request(pack, 1, "shelf GET /ask");
    pack_nil(pack);
    raw_send(raw, pack);
    bench_settle();
    assert_int_equal(ready_links(front), 1);
    raw_close(raw);
    close(listener);
    bench_end();
}

static void who_refuses_the_greeting_is_asked_nothing_and_tried_again(void **state)
{
    (void)state;
    bench_begin();
    int listener = raw_listen(1, SHELF);
    struct node *front = node_open(0, &front_of_one);
    for (int i = 0; i < 2; i++) {
        struct raw *raw = raw_accept(listener);
        uint32_t id = raw_read(raw).id;
        struct pack *pack = bench_pack();
        rpc_response(pack, id, "not of mine");
        pack_nil(pack);
        raw_send(raw, pack);
        UNTIL(raw_is_closed(raw));
        raw_close(raw);
        assert_int_equal(ready_links(front), 0);
    }
    struct raw *raw = serve_by_hand(listener);
    UNTIL(ready_links(front) == 1);
    raw_close(raw);
    close(listener);
    bench_end();
}

/* It takes asks, and never reads: what waits is bounded, and then they fail at once. */
static void who_never_reads_costs_no_more_than_its_bound(void **state)
{
    (void)state;
    bench_begin();
    int listener = raw_listen(1, SHELF);
    struct node *front = node_open(0, &front_of_one);
    struct raw *raw = serve_by_hand(listener);
    UNTIL(ready_links(front) == 1);
    static unsigned char much[32 * 1024] = {0xc5, 0x7f, 0xfd};
    struct far_ask big = {
        .from = FRONT, .to = SHELF, .limit_ns = S(1), .body = much, .body_len = sizeof much};
    struct rpc_connection *connection = front->peers->places[0].links[0].connection;
    uint64_t asked = 0;
    for (; world_stats(front->world)->late_replies == 0 && asked < 2000; asked++) {
        big.token = UINT32_MAX; /* nobody's: an end is a late reply */
        peers_ask(front->peers, &big);
        assert_in_range(rpc_connection_waiting(connection), 0, RPC_WAITING_BYTES_MAX);
        world_turn(front->world, bench.now_ns, UINT32_MAX);
    }
    assert_in_range(asked, RPC_WAITING_BYTES_MAX / sizeof much, 1999);
    assert_int_equal(ready_links(front), 1);
    raw_close(raw);
    UNTIL(front->peers->asked.live == 0);
    close(listener);
    bench_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ask_goes_over_and_its_answer_comes_back),
        cmocka_unit_test(it_is_told_who_is_missing),
        cmocka_unit_test(a_statement_that_is_given_up_is_cancelled_there),
        cmocka_unit_test(what_does_not_fit_is_a_failure_and_not_sent),
        cmocka_unit_test(copies_take_turns),
        cmocka_unit_test(a_lost_copy_is_left_out_and_tried_again),
        cmocka_unit_test(nobody_there_is_no_peer_at_once),
        cmocka_unit_test(what_a_lost_connection_owed_is_no_peer_at_once),
        cmocka_unit_test(its_deadline_ends_an_ask_that_is_not_answered),
        cmocka_unit_test(answers_of_another_connection_or_twice_are_ignored),
        cmocka_unit_test(what_cannot_be_written_any_more_is_no_peer),
        cmocka_unit_test(strange_answers_fail_their_asks_and_nothing_else),
        cmocka_unit_test(who_refuses_the_greeting_is_asked_nothing_and_tried_again),
        cmocka_unit_test(who_never_reads_costs_no_more_than_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
