/* peers: what is served to whoever comes, what is refused, and where it ends. */
#include "tests/edges/peer_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/parts.h"

static const struct node_wish shelf_alone = {.hosts = {[SHELF] = true}};

static struct raw *greeted(const struct node *node, uint16_t service)
{
    struct raw *raw = raw_connect(node, service);
    raw_greet(raw, BENCH_VERSION, BENCH_SCENARIO, BENCH_RUN);
    assert_null(raw_read(raw).error.at);
    return raw;
}

static enum status status_of(struct rpc_frame frame)
{
    assert_int_equal(frame.kind, RPC_RESPONSE);
    cursor_array(&frame.value);
    int64_t status = cursor_int(&frame.value);
    assert_false(frame.value.bad);
    assert_int_equal(frame.error.at != NULL, status_failed((enum status)status));
    return (enum status)status;
}

static void assert_refused(struct raw *raw, const char *why)
{
    struct rpc_frame frame = raw_read(raw);
    if (!frame.error.at || !slice_is(frame.error, why))
        fail_msg("'%.*s' is not '%s'", (int)frame.error.len, frame.error.at ? frame.error.at : "", why);
}

/* ---- greetings ---- */

static void who_differs_is_told_why_and_may_try_again(void **state)
{
    (void)state;
    bench_begin();
    struct node *node = node_open(0, &shelf_alone);
    struct raw *raw = raw_connect(node, SHELF);
    raw_greet(raw, "1.2.4", BENCH_SCENARIO, BENCH_RUN);
    assert_refused(raw, "another version of doorbuster: all processes of a run have to be of one");
    raw_greet(raw, BENCH_VERSION, BENCH_SCENARIO + 1, BENCH_RUN);
    assert_refused(raw, "another scenario: all processes of a run need the same file and the same --set");
    raw_greet(raw, BENCH_VERSION, BENCH_SCENARIO, BENCH_RUN + 1);
    assert_refused(raw, "another run: it belongs to another load-generator, or to an earlier start of it");
    static const unsigned char strange[] = "\x94\x00\x01\xa5greet\x91\x01",
                               protocol[] = "\x94\x00\x01\xa5greet\x94\x02\xa5"
                                            "1.2.3\x4d\x63";
    raw_write(raw, strange, sizeof strange - 1);
    assert_refused(raw, "this is no greeting of doorbuster's");
    raw_write(raw, protocol, sizeof protocol - 1);
    assert_refused(raw, "another version of doorbuster: all processes of a run have to be of one");
    raw_greet(raw, BENCH_VERSION, BENCH_SCENARIO, BENCH_RUN);
    assert_null(raw_read(raw).error.at);
    raw_ask(raw, 5, "shelf GET /item/{id}", 1000000, 41);
    struct rpc_frame frame = raw_read(raw);
    assert_int_equal(frame.id, 5);
    assert_int_equal(status_of(frame), STATUS_OK);
    raw_close(raw);
    bench_end();
}

static void a_greeting_waits_for_the_run(void **state)
{
    (void)state;
    bench_begin();
    struct node *node = node_open(0, &(struct node_wish){.hosts = {[SHELF] = true}, .run_unknown = true});
    struct raw *early = raw_connect(node, SHELF), *other = raw_connect(node, SHELF);
    raw_greet(early, BENCH_VERSION, BENCH_SCENARIO, BENCH_RUN);
    raw_greet(other, BENCH_VERSION, BENCH_SCENARIO, BENCH_RUN + 1);
    bench_settle();
    struct rpc_frame frame;
    assert_false(raw_has_message(early, &frame));
    peers_know(node->peers, BENCH_RUN);
    assert_null(raw_read(early).error.at);
    assert_refused(other, "another run: it belongs to another load-generator, or to an earlier start of it");
    raw_close(early);
    raw_close(other);
    bench_end();
}

static void who_does_not_greet_is_cut_off_and_counted(void **state)
{
    static const struct {
        const unsigned char *bytes;
        size_t len;
        bool refused;
    } cases[] = {
        {(const unsigned char *)"\x94\x00\x01\xa4join\xc0", 9, true},
        {(const unsigned char *)"\x94\x01\x01\xc0\xc0", 5, true}, /* an answer to nothing */
        {(const unsigned char *)"\x93\x02\xa6"
                                "cancel\x91\x01",
         11, true},
        {(const unsigned char *)"GET / HTTP/1.1\r\n\r\n", 18, false}, /* no message, whoever reads it */
        {(const unsigned char *)"\xc1", 1, false},
        {(const unsigned char *)"\xdd\xff\xff\xff\xff", 5, false},
    };
    (void)state;
    bench_begin();
    struct node *node = node_open(0, &shelf_alone);
    uint64_t refused = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct raw *raw = raw_connect(node, SHELF);
        raw_write(raw, cases[i].bytes, cases[i].len);
        UNTIL(raw_is_closed(raw));
        refused += cases[i].refused;
        assert_int_equal(peers_tally(node->peers)->refused, refused);
        assert_int_equal(node->peers->client_count, 0);
        raw_close(raw);
    }
    bench_end();
}

/* ---- asks ---- */

static void what_cannot_be_asked_is_answered_so(void **state)
{
    static const char *const nowhere[] = {
        "",        "shelf",        "shelf GET /item", "shelf GET /item/{id} ",
        "nowhere", "shelf lookup", "cancel",          "greet",
        "join",    "ping"};
    (void)state;
    bench_begin();
    struct node *node = node_open(0, &shelf_alone);
    struct raw *raw = greeted(node, SHELF);
    for (uint32_t i = 0; i < ARRAY_LEN(nowhere); i++) {
        raw_ask(raw, i, nowhere[i], 1000000, 1);
        struct rpc_frame frame = raw_read(raw);
        assert_int_equal(frame.id, i);
        assert_int_equal(status_of(frame), STATUS_NOT_FOUND);
    }
    raw_ask(raw, 1, "front GET /ask", 1000000, 1); /* not hosted here */
    assert_int_equal(status_of(raw_read(raw)), STATUS_BAD_INPUT);
    raw_ask(raw, 1, "shelf GET /item/{id}", -2, 1);
    assert_int_equal(status_of(raw_read(raw)), STATUS_BAD_INPUT);
    raw_ask(raw, 1, "shelf GET /item/{id}", INT64_MAX, 1);
    assert_int_equal(status_of(raw_read(raw)), STATUS_BAD_INPUT);
    /* [driver, no limit, ids, flags ... traits, a tracestate that is none, body] */
    static const unsigned char strange[] = "\x94\x00\x01\xb4shelf GET /item/{id}\x9f\xa6"
                                           "driver\xff\x01\x01\x01"
                                           "\x00\x00\x00\xff\x00\xff\xff\x00\xa3"
                                           "a\xff=\x91\x01";
    raw_write(raw, strange, sizeof strange - 1);
    assert_int_equal(status_of(raw_read(raw)), STATUS_BAD_INPUT);
    static const unsigned char no_params[] = "\x94\x00\x01\xb4shelf GET /item/{id}\xc0";
    raw_write(raw, no_params, sizeof no_params - 1);
    assert_int_equal(status_of(raw_read(raw)), STATUS_BAD_INPUT);
    assert_int_equal(peers_tally(node->peers)->refused, ARRAY_LEN(nowhere) + 5);
    assert_int_equal(peers_tally(node->peers)->served, 0);
    raw_ask(raw, 1, "shelf GET /item/{id}", -1, 1); /* without a limit */
    assert_int_equal(status_of(raw_read(raw)), STATUS_OK);
    raw_ask(raw, 1, "shelf GET /item/{id}", 0, 1);
    assert_int_equal(status_of(raw_read(raw)), STATUS_DEADLINE);
    assert_int_equal(node->peers->served.live, 0);
    raw_close(raw);
    bench_end();
}

static void nobody_is_there_before_the_world(void **state)
{
    (void)state;
    bench_begin();
    struct node *node = node_open(0, &(struct node_wish){.hosts = {[SHELF] = true}, .no_world = true});
    struct raw *raw = greeted(node, SHELF);
    raw_ask(raw, 1, "shelf GET /item/{id}", 1000000, 1);
    assert_int_equal(status_of(raw_read(raw)), STATUS_NO_PEER);
    node_world(node);
    raw_ask(raw, 2, "shelf GET /item/{id}", 1000000, 1);
    assert_int_equal(status_of(raw_read(raw)), STATUS_OK);
    raw_close(raw);
    bench_end();
}

static void who_leaves_serves_what_is_on_its_way(void **state)
{
    static const unsigned char left[] = "\x93\x02\xa4left\xc0";
    (void)state;
    bench_begin();
    struct node *node = node_open(0, &shelf_alone);
    struct raw *raw = greeted(node, SHELF);
    raw_ask(raw, 3, "shelf GET /slow", -1, 1);
    UNTIL(node->peers->served.live == 1);
    peers_leave(node->peers);
    struct rpc_frame frame = raw_read(raw);
    assert_int_equal(frame.kind, RPC_NOTICE);
    assert_true(slice_is(frame.method, "leave"));
    raw_ask(raw, 4, "shelf GET /item/{id}", 1000000, 1);
    frame = raw_read(raw);
    assert_int_equal(frame.id, 4);
    assert_int_equal(status_of(frame), STATUS_OK);
    raw_write(raw, left, sizeof left - 1);
    UNTIL(node->peers->clients->left);
    assert_false(peers_left(node->peers));
    bench.now_ns += S(2); /* what is under way is served */
    frame = raw_read(raw);
    assert_int_equal(frame.id, 3);
    assert_int_equal(status_of(frame), STATUS_OK);
    assert_true(peers_left(node->peers));
    struct raw *late = greeted(node, SHELF);
    frame = raw_read(late);
    assert_true(slice_is(frame.method, "leave"));
    node->peers->leaving_since -= PEER_LEAVING_MS / 1e3 + 1;
    raw_ask(late, 5, "shelf GET /item/{id}", 1000000, 1);
    assert_int_equal(status_of(raw_read(late)), STATUS_NO_PEER);
    raw_close(late);
    raw_close(raw);
    bench_end();
}

/* A body of 64 KiB less 5 bytes of its header leaves no room for the envelope. */
static void an_answer_that_does_not_fit_is_a_failure(void **state)
{
    (void)state;
    bench_begin();
    struct node *node = node_open(0, &shelf_alone);
    struct raw *raw = greeted(node, SHELF);
    raw_ask(raw, 1, "shelf GET /much", 1000000, 1);
    assert_int_equal(status_of(raw_read(raw)), STATUS_FAILED);
    assert_int_equal(peers_tally(node->peers)->refused, 1);
    raw_close(raw);
    bench_end();
}

static void an_answer_whose_asker_has_gone_is_unheard(void **state)
{
    (void)state;
    bench_begin();
    struct node *node = node_open(0, &shelf_alone);
    struct raw *raw = greeted(node, SHELF), *other = greeted(node, SHELF);
    raw_ask(raw, 1, "shelf GET /slow", -1, 1);
    raw_ask(raw, 2, "shelf GET /slow", -1, 1);
    raw_ask(other, 3, "shelf GET /slow", -1, 1);
    UNTIL(node->peers->served.live == 3);
    raw_close(raw);
    UNTIL(node->peers->client_count == 1);
    bench.now_ns += S(2);
    struct rpc_frame frame = raw_read(other);
    assert_int_equal(frame.id, 3);
    assert_int_equal(peers_tally(node->peers)->unheard, 2);
    assert_int_equal(node->peers->served.live, 0);
    raw_close(other);
    bench_end();
}

static void cancel(struct raw *raw, int64_t id)
{
    struct pack *pack = bench_pack();
    rpc_notice(pack, "cancel");
    pack_array(pack, 1);
    pack_int(pack, id);
    raw_send(raw, pack);
}

static void a_statement_is_cancelled_by_whoever_asked_for_it(void **state)
{
    (void)state;
    bench_begin();
    bench.scenario.postgresql.cancel_on_deadline = true;
    struct node *node = node_open(0, &(struct node_wish){.hosts = {[DATABASE] = true}});
    struct raw *raw = greeted(node, DATABASE), *other = greeted(node, DATABASE);
    static const unsigned char params[] = "\x93\xa1x\xcd\x03\xe8\x00"; /* 1,000 ms */
    raw_ask_body(raw, 7, "postgresql lookup", -1, params, sizeof params - 1);
    UNTIL(node->peers->served.live == 1);
    static const unsigned char nothing[] = "\x93\x02\xa6"
                                           "cancel\xc0";
    raw_write(raw, nothing, sizeof nothing - 1);
    cancel(raw, 8);
    cancel(raw, -1);
    cancel(raw, INT64_MAX);
    cancel(other, 7);
    bench_settle();
    assert_int_equal(node->peers->served.live, 1);
    cancel(raw, 7);
    cancel(raw, 7);
    struct rpc_frame frame = raw_read(raw);
    assert_int_equal(frame.id, 7);
    assert_int_equal(status_of(frame), STATUS_DEADLINE);
    cancel(raw, 7);
    bench_settle();
    assert_false(raw_has_message(raw, &frame));
    raw_close(raw);
    raw_close(other);
    bench_end();
}

/* ---- bounds ---- */

static void more_asks_than_can_be_under_way_are_refused(void **state)
{
    enum { BEYOND = 7 };
    (void)state;
    bench_begin();
    struct node *node = node_open(0, &shelf_alone);
    node->world->actors[SHELF].mailbox.asks_max = 2 * PEER_SERVED_MAX;
    struct raw *raw = greeted(node, SHELF);
    for (uint32_t i = 0; i < PEER_SERVED_MAX + BEYOND; i++)
        raw_ask(raw, i, "shelf GET /slow", -1, 1);
    for (uint32_t i = 0; i < BEYOND; i++) {
        struct rpc_frame frame = raw_read(raw);
        assert_int_equal(frame.id, PEER_SERVED_MAX + i);
        assert_int_equal(status_of(frame), STATUS_OVERLOADED);
    }
    assert_int_equal(peers_tally(node->peers)->refused, BEYOND);
    assert_int_equal(node->peers->served.live, PEER_SERVED_MAX);
    bench.now_ns += S(2);
    for (uint32_t i = 0; i < PEER_SERVED_MAX; i++)
        assert_int_equal(status_of(raw_read(raw)), STATUS_OK);
    assert_int_equal(node->peers->served.live, 0);
    raw_ask(raw, 1, "shelf GET /item/{id}", -1, 1);
    assert_int_equal(status_of(raw_read(raw)), STATUS_OK);
    raw_close(raw);
    bench_end();
}

static void more_connections_than_are_taken_wait(void **state)
{
    static struct raw *raws[PEER_CONNECTIONS_MAX + 1];
    (void)state;
    bench_begin();
    struct node *node = node_open(0, &shelf_alone);
    for (size_t i = 0; i <= PEER_CONNECTIONS_MAX; i++) {
        raws[i] = raw_connect(node, SHELF);
        if (i < PEER_CONNECTIONS_MAX)
            UNTIL(node->peers->client_count == i + 1);
    }
    struct raw *last = raws[PEER_CONNECTIONS_MAX];
    raw_greet(last, BENCH_VERSION, BENCH_SCENARIO, BENCH_RUN);
    bench_settle();
    struct rpc_frame frame;
    assert_false(raw_has_message(last, &frame));
    assert_int_equal(node->peers->client_count, PEER_CONNECTIONS_MAX);
    raw_close(raws[17]);
    raws[17] = NULL;
    assert_null(raw_read(last).error.at);
    assert_int_equal(node->peers->client_count, PEER_CONNECTIONS_MAX);
    for (size_t i = 0; i <= PEER_CONNECTIONS_MAX; i++)
        if (raws[i])
            raw_close(raws[i]);
    UNTIL(node->peers->client_count == 0);
    bench_end();
}

static void a_port_that_is_taken_is_named(void **state)
{
    (void)state;
    bench_begin();
    struct node *node = node_open(0, &shelf_alone);
    struct text error = {0}, wanted = {0};
    struct peers_options options = node->peers->options;
    assert_null(peers_open(&options, &error));
    text_lit(&wanted, "shelf: its peers' port 9001 of ");
    text_str(&wanted, node->address);
    text_lit(&wanted, ": Address already in use");
    assert_string_equal(text_c(&error), text_c(&wanted));
    text_fini(&error);
    text_fini(&wanted);
    bench_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_differs_is_told_why_and_may_try_again),
        cmocka_unit_test(a_greeting_waits_for_the_run),
        cmocka_unit_test(who_does_not_greet_is_cut_off_and_counted),
        cmocka_unit_test(what_cannot_be_asked_is_answered_so),
        cmocka_unit_test(nobody_is_there_before_the_world),
        cmocka_unit_test(who_leaves_serves_what_is_on_its_way),
        cmocka_unit_test(an_answer_that_does_not_fit_is_a_failure),
        cmocka_unit_test(an_answer_whose_asker_has_gone_is_unheard),
        cmocka_unit_test(a_statement_is_cancelled_by_whoever_asked_for_it),
        cmocka_unit_test(more_asks_than_can_be_under_way_are_refused),
        cmocka_unit_test(more_connections_than_are_taken_wait),
        cmocka_unit_test(a_port_that_is_taken_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
