/* query delay: a fault makes a service's statements hold their connections for nothing first; and what held and
   used connections come to over all pools. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/parts.h"
#include "tests/core/toy_world.h"

#define STEPS(...) ((const struct step[]){__VA_ARGS__})

/* Statements of 100 ms, by their index or by a scan. */
static void indexed(struct call *call, struct pack *body)
{
    (void)call;
    pack_array(body, 3);
    pack_text(body, "electronics");
    pack_int(body, 100);
    pack_int(body, 0);
}

static void scanning(struct call *call, struct pack *body)
{
    (void)call;
    pack_array(body, 3);
    pack_text(body, "electronics");
    pack_int(body, 100);
    pack_int(body, 1);
}

/* Told to have cost nothing, as by a database that does not know. */
static void unknown(struct call *call, struct pack *body)
{
    (void)call;
    pack_array(body, 3);
    pack_text(body, "electronics");
    pack_int(body, 0);
    pack_int(body, 0);
}

static const struct route routes[] = {
    {.name = "GET /lookup",
     .steps = STEPS(WORK(), QUERY("things", "lookup", .body = indexed), REPLY(STATUS_OK, NULL))},
    {.name = "GET /scan", .steps = STEPS(QUERY("things", "scan", .body = scanning), REPLY(STATUS_OK, NULL))},
    {.name = "GET /hasty",
     .steps = STEPS(QUERY("things", "lookup", .limit_ms = 500, .body = indexed), REPLY(STATUS_OK, NULL))},
    {.name = "GET /unknown",
     .steps = STEPS(QUERY("things", "lookup", .body = unknown), REPLY(STATUS_OK, NULL))},
    {0}};

static const struct actor_kind shelf = {
    .service = "shelf", .port = 1, .work = {MS(5), MS(5)}, .routes = routes, .pools = {{"things", 1, 5000}}};
static const struct actor_kind attic = {
    .service = "attic", .port = 2, .routes = routes, .pools = {{"things", 10, 5000}}};

static const struct actor_kind *const kinds[] = {&shelf, &attic, &toy_database};

#define QUERY_NAME "SELECT toys.things"

static void begin(struct toy *toy)
{
    toy_begin(toy, kinds, ARRAY_LEN(kinds));
    toy->scenario.duration_ns = MIN_(1);
}

static void set(struct toy *toy, enum fault_kind kind, const char *target, double value)
{
    struct fault_spec fault = FAULT(0, kind, target, value);
    assert_int_equal(world_set_fault(toy->world, &fault, world_now(toy->world)), STATUS_OK);
}

static uint64_t ask(struct toy *toy, const char *service, const char *route)
{
    return toy_ask(toy, service, route, NULL, S(20));
}

static const struct statement_stats *statement(const struct toy *toy, size_t index)
{
    return &world_stats(toy->world)->statements[index];
}

static void a_delay_comes_before_the_statement_and_is_told(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    set(&toy, FAULT_QUERY_DELAY, "shelf", MS(2800));
    uint64_t slow = ask(&toy, "shelf", "GET /lookup"), other = ask(&toy, "attic", "GET /lookup");
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, slow)->at_ns, MS(5 + 2800 + 100));
    assert_true(toy_answer(&toy, other)->at_ns < MS(200)); /* another service's */
    const struct span *run = toy_span(&toy, "query execution", 1);
    assert_true(run->start_ns == MS(5) && run->end_ns == MS(2905)); /* the connection is held throughout */
    const struct attrs *attrs = &toy_span(&toy, QUERY_NAME, 1)->attrs;
    assert_int_equal(toy_attr_number(attrs, ATTR_DB_SIM_SLOW), 1);
    assert_int_equal(toy_attr_number(attrs, ATTR_DB_SIM_DELAY_MS), 2800);
    assert_int_equal(toy_attr_number(attrs, ATTR_DB_SLOW_QUERY), 1);
    assert_int_equal(toy_attr_number(attrs, ATTR_DB_QUERY_MS), 2900);
    assert_null(toy_attr(attrs, ATTR_DB_FULL_SCAN));
    assert_null(toy_attr(&toy_span(&toy, QUERY_NAME, 0)->attrs, ATTR_DB_SIM_SLOW));
    assert_int_equal(world_stats(toy.world)->logs[LOG_BODY_SLOW_QUERY], 0); /* no index is missing */
    assert_true(statement(&toy, 0)->latency.max == 2.9);

    set(&toy, FAULT_QUERY_DELAY, "shelf", 0);
    int64_t began_ns = world_now(toy.world);
    uint64_t mended = ask(&toy, "shelf", "GET /lookup");
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, mended)->at_ns, began_ns + MS(105));
    world_finish(toy.world);
    const struct fault_stats *faults = world_stats(toy.world)->faults;
    assert_true(faults[0].landed && faults[1].landed);
    assert_string_equal(faults[0].evidence, "1 statements of shelf held their connection for 2.8s more");
    assert_string_equal(faults[1].evidence, "1 statements of shelf were asked without delay");
    toy_end(&toy);
}

static void a_slow_scan_is_told_with_all_that_it_took(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    set(&toy, FAULT_QUERY_DELAY, "shelf", MS(1000));
    ask(&toy, "shelf", "GET /scan");
    toy_run(&toy);
    const struct attrs *attrs = &toy_span(&toy, QUERY_NAME, 0)->attrs;
    assert_int_equal(toy_attr_number(attrs, ATTR_DB_SIM_DELAY_MS), 1100);
    assert_int_equal(toy_attr_number(attrs, ATTR_DB_FULL_SCAN), 1);
    assert_int_equal(world_stats(toy.world)->logs[LOG_BODY_SLOW_QUERY], 1);
    toy_end(&toy);
}

/* Who gives up while it is delayed: the connection is held to the end of the delay, or until then where statements
   are cancelled. The database never hears of it. */
static void who_gives_up_in_the_delay_never_asks(void **state)
{
    (void)state;
    for (int cancels = 0; cancels < 2; cancels++) {
        struct toy toy;
        begin(&toy);
        toy.scenario.postgresql.cancel_on_deadline = cancels;
        toy_open(&toy, 1);
        set(&toy, FAULT_QUERY_DELAY, "shelf", MS(800));
        uint64_t hasty = ask(&toy, "shelf", "GET /hasty");
        toy_run_until(&toy, MS(100));
        uint64_t next = ask(&toy, "shelf", "GET /lookup");
        toy_run(&toy);
        int64_t free_ms = cancels ? 500 : 800;
        assert_int_equal(toy_answer(&toy, hasty)->status, STATUS_UNAVAILABLE);
        assert_int_equal(toy_answer(&toy, hasty)->at_ns, MS(500));
        assert_int_equal(toy_answer(&toy, next)->at_ns, MS(free_ms + 900));
        const struct span *run = toy_span(&toy, "query execution", 0);
        assert_int_equal(run->status, STATUS_DEADLINE);
        assert_int_equal(run->end_ns, MS(free_ms));
        assert_int_equal(statement(&toy, 0)->runs, 1);
        toy_end(&toy);
    }
}

static void what_is_delayed_is_not_at_work(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    const struct store_stats *stores = &world_stats(toy.world)->stores;
    set(&toy, FAULT_QUERY_DELAY, "shelf", S(18));
    ask(&toy, "shelf", "GET /lookup");
    toy_run_until(&toy, S(14));
    ask(&toy, "attic", "GET /lookup");
    toy_run_until(&toy, WORLD_SAMPLE_NS - MS(100));
    ask(&toy, "attic", "GET /lookup"); /* the only one that is when the sample is taken */
    toy_run_until(&toy, WORLD_SAMPLE_NS);
    assert_int_equal(stores->active_recent, 1);
    assert_int_equal(stores->connections_recent, 2);
    toy_end(&toy);
}

static void a_service_that_is_not_there_cannot_be_delayed(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    struct fault_spec fault = FAULT(0, FAULT_QUERY_DELAY, "nobody", 1);
    assert_int_equal(world_set_fault(toy.world, &fault, 0), STATUS_NOT_FOUND);
    set(&toy, FAULT_QUERY_DELAY, "attic", MS(10));
    toy_run(&toy);
    world_finish(toy.world);
    assert_false(world_stats(toy.world)->faults[0].landed); /* nobody asked */
    toy_end(&toy);
}

static void connections_add_up_over_all_pools(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    const struct store_stats *stores = &world_stats(toy.world)->stores;
    set(&toy, FAULT_HOLD_CONNECTIONS, "things", 7); /* of both: the shelf's is beyond its one */
    set(&toy, FAULT_POOL_MAX, "things", 10);
    assert_int_equal(stores->connections_peak, 14);
    for (int i = 0; i < 5; i++) {
        ask(&toy, "shelf", "GET /scan");
        ask(&toy, "attic", "GET /scan");
    }
    toy_run(&toy);
    assert_int_equal(stores->connections_peak, 20); /* three each, and four wait */
    set(&toy, FAULT_HOLD_CONNECTIONS, "things", 0);
    ask(&toy, "attic", "GET /scan");
    toy_run(&toy);
    assert_int_equal(stores->connections_peak, 20);
    const struct attrs *attrs = &toy.logs[0].attrs;
    assert_string_equal(toy_attr_text(attrs, ATTR_LOG_SIMULATION_TYPE), "connection_pool_exhaustion");
    assert_int_equal(toy_attr_number(attrs, ATTR_LOG_CONNECTIONS_HELD), 7);
    assert_int_equal(toy_attr_number(attrs, ATTR_LOG_POOL_MAX), 1);
    assert_int_equal(toy_attr_number(attrs, ATTR_LOG_UTILIZATION), 700);
    toy_end(&toy);
}

static void cpu_time_is_told_by_who_spent_it(void **state)
{
    (void)state;
    static const struct profile_line expected[] = {
        {.service = "shelf", .route = "GET /lookup", .function = "work", .cpu_ns = 2 * MS(5)},
        {.service = "shelf", .route = "GET /lookup", .function = "lookup", .cpu_ns = 2 * MS(100)},
        {.service = "shelf", .route = "GET /scan", .function = "scan", .cpu_ns = MS(100)},
        {.service = "shelf", .route = "GET /hasty", .function = "lookup", .cpu_ns = 0},
        {.service = "shelf", .route = "GET /unknown", .function = "lookup", .cpu_ns = 0},
        {.service = "attic", .route = "GET /lookup", .function = "work", .cpu_ns = 0}};
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    ask(&toy, "shelf", "GET /lookup");
    ask(&toy, "shelf", "GET /lookup");
    ask(&toy, "shelf", "GET /scan");
    toy_run(&toy);
    const struct run_stats *stats = world_stats(toy.world);
    assert_int_equal(stats->profile_count, 10);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_string_equal(stats->profile[i].service, expected[i].service);
        assert_string_equal(stats->profile[i].route, expected[i].route);
        assert_string_equal(stats->profile[i].function, expected[i].function);
        assert_true(stats->profile[i].cpu_ns == expected[i].cpu_ns);
    }
    toy_end(&toy);
}

static void a_connection_that_is_held_for_nothing_takes_no_cpu_time(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    set(&toy, FAULT_QUERY_DELAY, "shelf", MS(2800));
    ask(&toy, "shelf", "GET /unknown");
    toy_run(&toy);
    const struct run_stats *stats = world_stats(toy.world);
    for (size_t i = 0; i < stats->profile_count; i++)
        if (strcmp(stats->profile[i].route, "GET /unknown") == 0)
            assert_true(stats->profile[i].cpu_ns == 0);
    assert_true(statement(&toy, 0)->latency.max == 2.8);
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delay_comes_before_the_statement_and_is_told),
        cmocka_unit_test(a_slow_scan_is_told_with_all_that_it_took),
        cmocka_unit_test(who_gives_up_in_the_delay_never_asks),
        cmocka_unit_test(what_is_delayed_is_not_at_work),
        cmocka_unit_test(a_service_that_is_not_there_cannot_be_delayed),
        cmocka_unit_test(connections_add_up_over_all_pools),
        cmocka_unit_test(cpu_time_is_told_by_who_spent_it),
        cmocka_unit_test(a_connection_that_is_held_for_nothing_takes_no_cpu_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
