/* query: waiting for a connection and running, time-outs, orphans, cancelling; and what is told of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/parts.h"
#include "tests/core/toy_world.h"

#define STEPS(...) ((const struct step[]){__VA_ARGS__})

enum { INDEXED = 0, SCANNED = 1, MALFORMED = STATEMENT_PLANS_MAX };

/* ---- shelf: one pool of one connection; a request is (ms, plan) of its statement ---- */

static void as_asked(struct call *call, struct pack *body)
{
    struct cursor request = call_request(call);
    cursor_array(&request);
    int64_t ms = cursor_int(&request), plan = cursor_int(&request);
    pack_array(body, 3);
    pack_text(body, "electronics");
    pack_int(body, ms);
    pack_int(body, plan);
}

static void too_much(struct call *call, struct pack *body)
{
    static const char much[BODY_BYTES_MAX];
    (void)call;
    pack_text_len(body, much, sizeof much);
}

/* The figures are gone: what is left is the result. */
static void keep_result(struct call *call, const struct answer *answer)
{
    struct cursor cursor = answer->body;
    struct slice result = cursor_raw(&cursor);
    call_keep_bytes(call, result.at, result.len);
}

static void the_result(struct call *call, struct pack *body)
{
    pack_array(body, 1);
    pack_raw(body, call_kept(call)->bytes, call_kept(call)->len);
}

#define TAKES .takes = "ms:int plan:int"
static const struct route routes[] = {
    {.name = "GET /lookup",
     TAKES,
     .steps = STEPS(QUERY("things", "lookup", .body = as_asked, .then = keep_result),
                    REPLY(STATUS_OK, the_result))},
    {.name = "GET /scan",
     TAKES,
     .steps =
         STEPS(QUERY("things", "scan", .body = as_asked, .then = keep_result), REPLY(STATUS_OK, the_result))},
    {.name = "GET /limited",
     TAKES,
     .steps = STEPS(QUERY("things", "lookup", .limit_ms = 300, .body = as_asked, .then = keep_result),
                    REPLY(STATUS_OK, the_result))},
    {.name = "GET /much",
     TAKES,
     .steps = STEPS(QUERY("things", "lookup", .body = too_much), REPLY(STATUS_OK, NULL))},
    {0},
};

static const struct actor_kind shelf = {
    .service = "shelf", .port = 1, .routes = routes, .pools = {{"things", 1, 2000}}};

static const struct actor_kind *const kinds[] = {&shelf, &toy_database};

#define QUERY_NAME "SELECT toys.things"

static void begin(struct toy *toy)
{
    toy_begin(toy, kinds, ARRAY_LEN(kinds));
}

static void set_pool(struct toy *toy, struct pool_spec pool)
{
    pool.name = "things";
    toy->scenario.services[0] = (struct service_spec){.service = "shelf", .pools = {pool}, .pool_count = 1};
    toy->scenario.service_count = 1;
}

static uint64_t ask(struct toy *toy, const char *route, int64_t ms, int64_t plan)
{
    struct pack *body = toy_pack(toy);
    pack_array(body, 2);
    pack_int(body, ms);
    pack_int(body, plan);
    return toy_ask(toy, "shelf", route, body, S(60));
}

static const struct pool_stats *pool_stats(const struct toy *toy)
{
    return &world_stats(toy->world)->pools[0];
}

/* ---- tests ---- */

static void a_query_waits_then_runs(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    toy_run_until(&toy, S(7));
    ask(&toy, "GET /lookup", 500, INDEXED);
    uint64_t token = ask(&toy, "GET /lookup", 100, INDEXED);
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, token)->status, STATUS_OK);
    assert_int_equal(toy_answer(&toy, token)->at_ns, MS(7600));
    assert_string_equal(toy_text(toy_answer(&toy, token)), "things");

    const struct span *client = toy_span(&toy, QUERY_NAME, 1), *wait = toy_span(&toy, "pool wait", 1),
                      *run = toy_span(&toy, "query execution", 1);
    assert_true(client->start_ns == S(7) && client->end_ns == MS(7600));
    assert_true(wait->start_ns == S(7) && wait->end_ns == MS(7500));
    assert_true(run->start_ns == MS(7500) && run->end_ns == MS(7600));
    assert_true(wait->parent == client->id && run->parent == client->id && wait->id != run->id);
    assert_true(run->depth == 3 && !run->late);
    assert_true(wait->site->kind == SPAN_INTERNAL && client->site->kind == SPAN_CLIENT);
    assert_int_equal(pool_stats(&toy)->acquired, 2);
    assert_int_equal(toy_attr_number(&client->attrs, ATTR_POOL_WAIT_MS), 500);
    const struct series *took = world_metrics(toy.world)->first[METRIC_DB_DURATION],
                        *waited = world_metrics(toy.world)->first[METRIC_POOL_WAIT],
                        *used = world_metrics(toy.world)->first[METRIC_POOL_USE];
    assert_true(took->histogram->max == 0.6 && took->histogram->min == 0.5);
    assert_true(waited->histogram->max == 0.5 && waited->histogram->min == 0);
    assert_true(used->histogram->max == 0.5 && used->histogram->min == 0.1);
    toy_end(&toy);
}

static void a_queries_span_tells_of_its_pool_and_its_plan(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    set_pool(&toy, (struct pool_spec){.max = 4});
    toy_open(&toy, 1);
    ask(&toy, "GET /lookup", 500, INDEXED);
    ask(&toy, "GET /lookup", 700, INDEXED);
    ask(&toy, "GET /lookup", 900, INDEXED);
    toy_run(&toy);
    const struct attrs *attrs = &toy_span(&toy, QUERY_NAME, 1)->attrs;
    assert_int_equal(toy_attr_number(attrs, ATTR_POOL_SIZE), 4);
    assert_int_equal(toy_attr_number(attrs, ATTR_POOL_ACTIVE), 2); /* when it got its own */
    assert_int_equal(toy_attr_number(attrs, ATTR_POOL_UTILIZATION), 50);
    assert_int_equal(toy_attr_number(attrs, ATTR_POOL_WAIT_MS), 0);
    assert_int_equal(toy_attr_number(attrs, ATTR_POOL_EXHAUSTED), 0);
    assert_string_equal(toy_attr_text(attrs, ATTR_DB_INDEX_USED), "things_pkey");
    assert_int_equal(toy_attr_number(attrs, ATTR_DB_ROWS_SCANNED), 10);
    assert_int_equal(toy_attr_number(attrs, ATTR_DB_QUERY_MS), 700);
    assert_int_equal(toy_attr_number(attrs, ATTR_DB_ACTIVE_QUERIES), 2); /* the first had ended */
    assert_null(toy_attr(attrs, ATTR_DB_FULL_SCAN));
    assert_null(toy_attr(attrs, ATTR_DB_SLOW_QUERY));
    const struct attrs *site = &toy_span(&toy, QUERY_NAME, 1)->site->attrs;
    assert_string_equal(toy_attr_text(site, ATTR_DB_STATEMENT), "SELECT thing");
    assert_string_equal(toy_attr_text(site, ATTR_DB_NAMESPACE), "toys|public");
    assert_string_equal(toy_attr_text(site, ATTR_SERVER_ADDRESS), "toy-box");
    assert_string_equal(toy_attr_text(&toy_span(&toy, "pool wait", 0)->site->attrs, ATTR_DB_POOL_NAME),
                        "things");
    toy_end(&toy);
}

static void who_gets_no_connection_in_time_is_told_so(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    ask(&toy, "GET /lookup", 3000, INDEXED);
    uint64_t token = ask(&toy, "GET /scan", 100, SCANNED);
    toy_run(&toy);
    const struct toy_answer *answer = toy_answer(&toy, token);
    assert_int_equal(answer->status, STATUS_UNAVAILABLE);
    assert_int_equal(answer->at_ns, S(2));
    assert_string_equal(toy_text(answer), "SQLSTATE[08006]: Connection timeout after 2000ms");

    /* It comes before the long one. Its wait failed, and it has no execution. */
    const struct span *client = toy_span(&toy, QUERY_NAME, 0), *wait = toy_span(&toy, "pool wait", 1);
    assert_int_equal(client->status, STATUS_POOL_EXHAUSTED);
    assert_int_equal(wait->status, STATUS_POOL_EXHAUSTED);
    assert_int_equal(wait->parent, client->id);
    assert_int_equal(wait->end_ns, S(2));
    assert_int_equal(toy_span_count(&toy, "query execution"), 1);
    const struct span *server = toy_span(&toy, "GET /scan", 0);
    assert_int_equal(server->status, STATUS_POOL_EXHAUSTED);
    const struct attrs *both[] = {&client->attrs, &server->attrs};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(toy_attr_number(both[i], ATTR_POOL_SIZE), 1);
        assert_int_equal(toy_attr_number(both[i], ATTR_POOL_ACTIVE), 1);
        assert_int_equal(toy_attr_number(both[i], ATTR_POOL_UTILIZATION), 100);
        assert_int_equal(toy_attr_number(both[i], ATTR_POOL_WAIT_MS), 2000);
        assert_int_equal(toy_attr_number(both[i], ATTR_POOL_EXHAUSTED), 1);
        assert_null(toy_attr(both[i], ATTR_DB_INDEX_USED));
    }
    assert_int_equal(pool_stats(&toy)->timeouts, 1);
    assert_int_equal(pool_stats(&toy)->minutes[0].timeouts, 1);
    assert_int_equal(world_stats(toy.world)->statements[1].runs, 0);
    toy_end(&toy);
}

static void a_time_out_is_logged_with_the_advice_that_helps(void **state)
{
    (void)state;
    static const struct {
        const char *route, *advice;
    } cases[] = {{"GET /scan", "CREATE INDEX idx_things ON things(kind)"},
                 {"GET /lookup", "Enable read replicas or increase max_connections"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct toy toy;
        begin(&toy);
        set_pool(&toy, (struct pool_spec){.acquire_timeout_ns = MS(750)});
        toy_open(&toy, 1);
        toy_run_until(&toy, S(150));
        ask(&toy, "GET /lookup", 1000, INDEXED);
        uint64_t token = ask(&toy, cases[i].route, 1, INDEXED);
        toy_run(&toy);
        assert_string_equal(toy_text(toy_answer(&toy, token)),
                            "SQLSTATE[08006]: Connection timeout after 750ms");
        assert_int_equal(toy.log_count, 1);
        const struct log_record *log = &toy.logs[0];
        assert_int_equal(log->body, LOG_BODY_POOL_EXHAUSTED);
        assert_int_equal(log->severity, LOG_ERROR);
        assert_int_equal(log->at_ns, S(150) + MS(750));
        assert_int_equal(log->span, toy_span(&toy, QUERY_NAME, 0)->id);
        assert_int_equal(toy_attr_number(&log->attrs, ATTR_LOG_MAX_CONNECTIONS), 1);
        assert_int_equal(toy_attr_number(&log->attrs, ATTR_LOG_ACTIVE_CONNECTIONS), 1);
        assert_int_equal(toy_attr_number(&log->attrs, ATTR_LOG_WAIT_MS), 750);
        assert_int_equal(toy_attr_number(&log->attrs, ATTR_LOG_REJECTED), 1);
        assert_int_equal(toy_attr_number(&log->attrs, ATTR_LOG_DEMO_MINUTE), 2);
        assert_string_equal(toy_attr_text(&log->attrs, ATTR_LOG_RECOMMENDATION), cases[i].advice);
        toy_end(&toy);
    }
}

static void a_deadline_in_the_line_is_no_time_out_of_the_pool(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    ask(&toy, "GET /lookup", 3000, INDEXED);
    uint64_t token = ask(&toy, "GET /limited", 1, INDEXED);
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, token)->status, STATUS_UNAVAILABLE);
    assert_int_equal(toy_answer(&toy, token)->at_ns, MS(300));
    assert_string_equal(toy_text(toy_answer(&toy, token)), "deadline exceeded");
    assert_int_equal(toy_span(&toy, QUERY_NAME, 0)->status, STATUS_DEADLINE);
    assert_int_equal(toy_span(&toy, "pool wait", 1)->status, STATUS_DEADLINE);
    /* The service did answer, with a 503. */
    assert_int_equal(toy_span(&toy, "GET /limited", 0)->status, STATUS_UNAVAILABLE);
    assert_int_equal(toy_attr_number(&toy_span(&toy, QUERY_NAME, 0)->attrs, ATTR_POOL_EXHAUSTED), 0);
    assert_int_equal(pool_stats(&toy)->timeouts, 0);
    assert_int_equal(toy.log_count, 0);
    toy_end(&toy);
}

static void a_statement_whose_caller_gave_up_keeps_its_connection(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    uint64_t given_up = ask(&toy, "GET /limited", 1000, INDEXED);
    uint64_t next = ask(&toy, "GET /lookup", 10, INDEXED);
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, given_up)->at_ns, MS(300));
    assert_int_equal(toy_answer(&toy, next)->at_ns, MS(1010));
    const struct span *client = toy_span(&toy, QUERY_NAME, 0), *run = toy_span(&toy, "query execution", 0);
    assert_int_equal(client->status, STATUS_DEADLINE);
    assert_int_equal(client->end_ns, MS(300));
    assert_null(toy_attr(&client->attrs, ATTR_DB_INDEX_USED)); /* unknown when it ended */
    assert_int_equal(run->parent, client->id);
    assert_int_equal(run->end_ns, S(1));
    assert_int_equal(run->status, STATUS_OK);
    assert_true(run->late);
    assert_false(toy_span(&toy, "pool wait", 0)->late);
    assert_int_equal(world_stats(toy.world)->late_replies, 1);
    assert_int_equal(world_stats(toy.world)->statements[0].runs, 2);
    toy_end(&toy);
}

static void cancelling_on_deadline_frees_the_connection_at_once(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy.scenario.postgresql.cancel_on_deadline = true;
    toy_open(&toy, 1);
    uint64_t given_up = ask(&toy, "GET /limited", 1000, INDEXED);
    uint64_t next = ask(&toy, "GET /lookup", 10, INDEXED);
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, given_up)->at_ns, MS(300));
    assert_int_equal(toy_answer(&toy, next)->at_ns, MS(310));
    const struct span *run = toy_span(&toy, "query execution", 0);
    assert_int_equal(run->end_ns, MS(300));
    assert_int_equal(run->status, STATUS_DEADLINE);
    assert_int_equal(world_stats(toy.world)->statements[0].runs, 1);
    toy_end(&toy);
}

static void at_the_instant_of_the_deadline_the_result_loses(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    uint64_t token = ask(&toy, "GET /limited", 300, INDEXED);
    uint64_t next = ask(&toy, "GET /limited", 299, INDEXED);
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, token)->status, STATUS_UNAVAILABLE);
    assert_int_equal(toy_answer(&toy, next)->status, STATUS_UNAVAILABLE); /* its limit was over in the line */
    next = ask(&toy, "GET /limited", 299, INDEXED);
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, next)->status, STATUS_OK);
    toy_end(&toy);
}

static void assert_slow_log(const struct toy *toy)
{
    const struct log_record *log = &toy->logs[0];
    assert_int_equal(log->body, LOG_BODY_SLOW_QUERY);
    assert_int_equal(log->severity, LOG_WARN);
    assert_int_equal(log->span, toy_span(toy, QUERY_NAME, 0)->id);
    assert_string_equal(toy_attr_text(&log->attrs, ATTR_LOG_CATEGORY), "electronics");
    assert_int_equal(toy_attr_number(&log->attrs, ATTR_LOG_QUERY_MS), 1001);
    assert_string_equal(toy_attr_text(&log->attrs, ATTR_LOG_RECOMMENDED_INDEX),
                        "CREATE INDEX idx_things ON things(kind)");
    assert_int_equal(world_stats(toy->world)->logs[LOG_BODY_SLOW_QUERY], 1);
}

static void a_scan_without_its_index_says_so(void **state)
{
    (void)state;
    static const struct {
        int64_t ms, plan;
        bool scan, slow;
    } cases[] = {{1000, SCANNED, true, false}, {1001, SCANNED, true, true}, {5000, INDEXED, false, false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct toy toy;
        begin(&toy);
        toy_open(&toy, 1);
        ask(&toy, "GET /scan", cases[i].ms, cases[i].plan);
        toy_run(&toy);
        const struct span *server = toy_span(&toy, "GET /scan", 0);
        const struct attrs *both[] = {&toy_span(&toy, QUERY_NAME, 0)->attrs, &server->attrs};
        for (size_t s = 0; s < 2; s++) {
            assert_string_equal(toy_attr_text(both[s], ATTR_DB_INDEX_USED),
                                cases[i].scan ? "NONE" : "idx_things");
            assert_int_equal(toy_attr_number(both[s], ATTR_DB_ROWS_SCANNED),
                             cases[i].scan ? TOY_SCANNED : 10);
            assert_int_equal(toy_attr_number(both[s], ATTR_DB_QUERY_MS), cases[i].ms);
            assert_int_equal(toy_attr_number(both[s], ATTR_DB_FULL_SCAN), cases[i].scan ? 1 : -1);
            assert_string_equal(toy_attr_text(both[s], ATTR_DB_MISSING_INDEX),
                                cases[i].scan ? "idx_things" : "");
            assert_int_equal(toy_attr_number(both[s], ATTR_DB_SLOW_QUERY),
                             cases[i].scan ? cases[i].slow : -1);
            assert_int_equal(toy_attr_number(both[s], ATTR_DB_SIM_DELAY_MS),
                             cases[i].scan ? cases[i].ms : -1);
        }
        assert_string_equal(toy_attr_text(both[0], ATTR_ENDPOINT_TYPE), "slow_unindexed");
        const struct statement_stats *stats = &world_stats(toy.world)->statements[1];
        assert_int_equal(stats->runs, 1);
        assert_int_equal(stats->full_scans, cases[i].scan);
        assert_int_equal(stats->scan_rows_max, cases[i].scan ? TOY_SCANNED : 0);
        assert_int_equal(toy.log_count, cases[i].slow);
        if (cases[i].slow)
            assert_slow_log(&toy);
        toy_end(&toy);
    }
}

static void what_the_database_refuses_is_a_503_with_its_sqlstate(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    uint64_t token = ask(&toy, "GET /lookup", -1, INDEXED);
    uint64_t next = ask(&toy, "GET /lookup", 10, INDEXED);
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, token)->status, STATUS_UNAVAILABLE);
    assert_string_equal(toy_text(toy_answer(&toy, token)), "too many connections");
    assert_int_equal(toy_span(&toy, QUERY_NAME, 0)->status, STATUS_CONNECTIONS_EXHAUSTED);
    assert_int_equal(toy_span(&toy, "query execution", 0)->status, STATUS_CONNECTIONS_EXHAUSTED);
    assert_int_equal(toy_span(&toy, "GET /lookup", 0)->status, STATUS_CONNECTIONS_EXHAUSTED);
    assert_int_equal(toy_answer(&toy, next)->at_ns, MS(10)); /* the connection came back at once */
    toy_end(&toy);
}

static void a_report_that_makes_no_sense_is_a_failure(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    uint64_t token = ask(&toy, "GET /lookup", 10, MALFORMED);
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, token)->status, STATUS_FAILED);
    assert_int_equal(world_stats(toy.world)->statements[0].runs, 0);
    assert_int_equal(world_leftovers(toy.world).connections, 0);
    toy_end(&toy);
}

static void what_cannot_reach_the_database_fails(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, kinds, 1); /* without one */
    toy_open(&toy, 1);
    uint64_t token = ask(&toy, "GET /lookup", 10, INDEXED);
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, token)->status, STATUS_UNAVAILABLE);
    assert_int_equal(toy_span(&toy, QUERY_NAME, 0)->status, STATUS_NO_PEER);
    token = ask(&toy, "GET /much", 10, INDEXED); /* its parameters do not fit: not even a connection */
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, token)->status, STATUS_FAILED);
    assert_int_equal(pool_stats(&toy)->acquired, 1);
    toy_end(&toy);
}

static void a_full_line_refuses_at_once(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy.scenario.services[0] = (struct service_spec){.service = "shelf", .mailbox_max = POOL_WAITERS_MAX + 2};
    toy.scenario.service_count = 1;
    toy_open(&toy, 1);
    toy.deaf = true;
    uint64_t token = 0;
    for (int i = 0; i < POOL_WAITERS_MAX + 2; i++)
        token = ask(&toy, "GET /lookup", 10, INDEXED);
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, token)->status, STATUS_UNAVAILABLE);
    assert_int_equal(toy_answer(&toy, token)->at_ns, 0);
    assert_int_equal(pool_stats(&toy)->refused, 1);
    /* 2 s at 10 ms each: so many are served (one at the instant of its time-out), the others give up. */
    assert_in_range(pool_stats(&toy)->acquired, 200, 201);
    assert_int_equal(pool_stats(&toy)->acquired + pool_stats(&toy)->timeouts, POOL_WAITERS_MAX + 1);
    toy_end(&toy);
}

static void under_random_load_nothing_is_lost(void **state)
{
    (void)state;
    enum { REQUESTS = 2000 };
    struct toy toy;
    begin(&toy);
    toy.scenario.postgresql.cancel_on_deadline = true;
    set_pool(&toy, (struct pool_spec){.max = 5});
    toy_open(&toy, 1);
    for (uint64_t i = 0; i < REQUESTS; i++) {
        struct draw chance = draw(5, i, 1, 0);
        toy_run_until(&toy, world_now(toy.world) + (int64_t)draw_below(chance.a, (uint64_t)MS(60)));
        ask(&toy, i % 3 ? "GET /lookup" : "GET /limited", (int64_t)draw_below(chance.b, 700) - 20, INDEXED);
    }
    toy_run(&toy);
    const struct run_stats *stats = world_stats(toy.world);
    uint64_t ended = 0;
    for (size_t i = 0; i < STATUS_COUNT; i++)
        ended += stats->asks_ended[i];
    assert_int_equal(toy.answer_count, REQUESTS);
    assert_true(stats->asks == REQUESTS && ended == REQUESTS);
    assert_int_equal(stats->asks_ended[STATUS_POOL_EXHAUSTED], pool_stats(&toy)->timeouts);
    assert_true(pool_stats(&toy)->timeouts > 50);
    assert_true(stats->asks_ended[STATUS_DEADLINE] > 50);
    assert_true(stats->asks_ended[STATUS_CONNECTIONS_EXHAUSTED] > 5);
    assert_int_equal(pool_stats(&toy)->peak_used, 5);
    assert_int_equal(toy_span_count(&toy, "query execution"), pool_stats(&toy)->acquired);
    assert_int_equal(toy_span_count(&toy, "pool wait"), REQUESTS);
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_waits_then_runs),
        cmocka_unit_test(a_queries_span_tells_of_its_pool_and_its_plan),
        cmocka_unit_test(who_gets_no_connection_in_time_is_told_so),
        cmocka_unit_test(a_time_out_is_logged_with_the_advice_that_helps),
        cmocka_unit_test(a_deadline_in_the_line_is_no_time_out_of_the_pool),
        cmocka_unit_test(a_statement_whose_caller_gave_up_keeps_its_connection),
        cmocka_unit_test(cancelling_on_deadline_frees_the_connection_at_once),
        cmocka_unit_test(at_the_instant_of_the_deadline_the_result_loses),
        cmocka_unit_test(a_scan_without_its_index_says_so),
        cmocka_unit_test(what_the_database_refuses_is_a_503_with_its_sqlstate),
        cmocka_unit_test(a_report_that_makes_no_sense_is_a_failure),
        cmocka_unit_test(what_cannot_reach_the_database_fails),
        cmocka_unit_test(a_full_line_refuses_at_once),
        cmocka_unit_test(under_random_load_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
