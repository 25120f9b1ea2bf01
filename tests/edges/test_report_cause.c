/* The cause in one sentence: figures in, words out. */
#include "edges/cause.h"
#include "edges/report_cause.h"
#include "tests/edges/report_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_cause(const struct fixture *fixture, const char *expected)
{
    struct text out = {0};
    report_cause(&out, &fixture->report);
    assert_string_equal(text_c(&out), expected);
    text_fini(&out);
}

static void the_cause_is_read_off_the_figures(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    assert_cause(fixture,
                 "cause: idx_products_recommendations is missing: each recommendations query reads 487,342 "
                 "rows; 20 connections of pool recommendations carry 15.7/s while 70.1/s ask; "
                 "550 of 900 demo requests failed waiting 2s for a connection");
    fixture->stats.asks_ended[STATUS_DEADLINE] = 3;
    fixture->stats.pools[1].timeouts = 547;
    assert_cause(fixture,
                 "cause: idx_products_recommendations is missing: each recommendations query reads 487,342 "
                 "rows; 20 connections of pool recommendations carry 15.7/s while 70.1/s ask; "
                 "550 of 900 demo requests failed, 547 of them waiting 2s for a connection");
    fixture_free(fixture);
}

static void an_index_made_later_and_a_pool_cut_are_told_as_such(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->stats.fault_count = 3;
    fixture->stats.faults[1].spec = (struct fault_spec){
        .at_ns = 9 * NS_PER_MIN, .kind = FAULT_CREATE_INDEX, .target = "idx_products_recommendations"};
    fixture->stats.faults[2].spec = (struct fault_spec){
        .at_ns = 6 * NS_PER_MIN, .kind = FAULT_POOL_MAX, .target = "recommendations", .value = 5};
    fixture->stats.faults[1].landed = true;
    fixture->stats.faults[2].landed = true;
    assert_cause(fixture,
                 "cause: idx_products_recommendations was missing until 09:00: each recommendations query "
                 "read 487,342 rows; pool recommendations is cut to 5 from 06:00 on; 5 connections of pool "
                 "recommendations carry 15.7/s while 70.1/s ask; 550 of 900 demo requests failed waiting 2s "
                 "for a connection");
    fixture_free(fixture);
}

static void without_a_pool_the_deepest_failing_call_is_named(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct edge_stats edges[] = {{.from = "load-generator", .to = "frontend", .calls = 900, .errors = 550},
                                 {.from = "frontend", .to = "cart-service", .calls = 900, .errors = 550},
                                 {.from = "frontend", .to = "ad-service", .calls = 900}};
    struct edge_stats *own = fixture->stats.edges;
    fixture->stats.edges = edges;
    fixture->stats.edge_count = 3;
    fixture->stats.pools[1].timeouts = 3;
    fixture->stats.asks_ended[STATUS_NO_PEER] = 550;
    fixture->stats.faults[0].spec =
        (struct fault_spec){.at_ns = 5 * NS_PER_MIN, .kind = FAULT_SERVICE_DOWN, .target = "cart-service"};
    assert_cause(fixture,
                 "cause: 550 of 900 calls from frontend to cart-service fail, service_down at 05:00; "
                 "550 of 900 demo requests failed: 550 asks found nobody there");
    fixture->stats.asks_ended[STATUS_CONNECTION_LOST] = 551;
    assert_cause(
        fixture,
        "cause: 550 of 900 calls from frontend to cart-service fail, service_down at 05:00; 550 of 900 "
        "demo requests failed: 551 queries lost their connection to the database");
    fixture->stats.edges = own;
    fixture_free(fixture);
}

static struct fault_spec *land(struct fixture *fixture, enum fault_kind kind, const char *target,
                               int at_minute, double value)
{
    struct fault_stats *fault = &fixture->stats.faults[fixture->stats.fault_count++];
    *fault = (struct fault_stats){.landed = true, .judged = true, .applied = true};
    fault->spec =
        (struct fault_spec){.kind = kind, .target = target, .at_ns = at_minute * NS_PER_MIN, .value = value};
    return &fault->spec;
}

static void assert_kind(const struct fixture *fixture, enum cause_kind kind)
{
    assert_string_equal(cause_kind_name(cause_of(&fixture->report).kind), cause_kind_name(kind));
}

static void calm_errors(struct fixture *fixture)
{
    fixture->stats.streams[1].whole.errors = 0;
    fixture->stats.pools[1].timeouts = 0;
}

static void the_index_that_made_do_is_told_when_it_was_dropped(void **state)
{
    static const struct statement statements[] = {{.name = "recommendations",
                                                   .missing_index = "idx_products_recommendations",
                                                   .plans = {{.index = "idx_products_recommendations"},
                                                             {.index = "idx_products_category"},
                                                             {.share = 1}}}};
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->registry.statements = statements;
    fixture->registry.statement_count = 1;
    assert_kind(fixture, CAUSE_MISSING_INDEX);
    assert_cause(
        fixture,
        "cause: idx_products_recommendations is missing, idx_products_category dropped at 00:00: each "
        "recommendations query reads 487,342 rows; 20 connections of pool recommendations carry 15.7/s "
        "while 70.1/s ask; 550 of 900 demo requests failed waiting 2s for a connection");
    fixture_free(fixture);
}

/* The index went first and slowed things down; the pool was enough until it was cut. */
static void what_tipped_it_over_is_the_cause(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->stats.fault_count = 0;
    land(fixture, FAULT_DROP_INDEX, "idx_products_recommendations", 3, 0);
    land(fixture, FAULT_POOL_MAX, "recommendations", 6, 5);
    land(fixture, FAULT_POOL_MAX, "recommendations", 9, 20);
    land(fixture, FAULT_CREATE_INDEX, "idx_products_recommendations", 9, 0);
    assert_kind(fixture, CAUSE_POOL_CUT);
    assert_cause(
        fixture,
        "cause: idx_products_recommendations was dropped at 03:00 and created at 09:00: each "
        "recommendations query read 487,342 rows; pool recommendations was cut to 5 from 06:00 to "
        "09:00; 5 connections of pool recommendations carry 15.7/s while 70.1/s ask; 550 of 900 demo "
        "requests failed waiting 2s for a connection");
    fixture->stats.pools[1].minutes[4].timeouts = 1;
    assert_kind(fixture, CAUSE_MISSING_INDEX);
    fixture_free(fixture);
}

static void connections_that_are_held_are_counted(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->stats.statements[0].full_scans = 0;
    fixture->stats.fault_count = 0;
    land(fixture, FAULT_HOLD_CONNECTIONS, "recommendations", 5, 18);
    land(fixture, FAULT_HOLD_CONNECTIONS, "orders", 5, 7);
    assert_kind(fixture, CAUSE_CONNECTIONS_HELD);
    assert_cause(
        fixture,
        "cause: 25 connections are held idle in 2 pools from 05:00 on; 2 free connections of pool "
        "recommendations carry 15.7/s while 70.1/s ask; 550 of 900 demo requests failed waiting 2s for "
        "a connection");
    fixture_free(fixture);
}

static void who_queues_for_a_row_is_told_from_who_wants_a_connection(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct store_stats *stores = &fixture->stats.stores;
    fixture->stats.statements[0].full_scans = 0;
    fixture->stats.pools[1].timeouts = 0;
    fixture->scenario.postgresql.hot_product = 17;
    fixture->scenario.postgresql.lock_timeout_ns = 1500 * NS_PER_MS;
    for (int i = 0; i < 100; i++)
        histogram_add(&stores->lock_wait, 1.2);
    stores->lock_timeouts = 540;
    fixture->stats.business.count[BUSINESS_SOLD_OUT] = 31;
    fixture->stats.business.hot_sold = 1400;
    assert_kind(fixture, CAUSE_ROW_LOCK);
    assert_cause(
        fixture,
        "cause: orders queue for the row of product 17 (lock wait p95 1.20 s), 540 gave up after 1.5s; "
        "550 of 900 demo requests failed; 1,400 pieces of product 17 sold, 0 left, 31 orders came too "
        "late");
    stores->lock_timeouts = 3;
    fixture->stats.pools[1].timeouts = 547;
    assert_kind(fixture, CAUSE_POOL);
    fixture_free(fixture);
}

static void a_script_is_called_one(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->stats.statements[0].full_scans = 0;
    fixture->stats.pools[1].timeouts = 0;
    fixture->stats.fault_count = 0;
    struct fault_spec *spec = land(fixture, FAULT_ROUTE_FAILURES, "product-catalog", 0, 0.02);
    spec->route = "GET /products";
    spec->steps[0].high = 0.02;
    spec->steps[1].high = 0.78;
    spec->step_count = 2;
    fixture->stats.faults[0].failed = 500;
    assert_kind(fixture, CAUSE_SCRIPT);
    assert_cause(fixture,
                 "cause: scripted, nothing makes it so but the scenario: GET /products of product-catalog "
                 "fails up to 78.0 % of its requests; 550 of 900 demo requests failed");
    spec = land(fixture, FAULT_ROUTE_FAILURES, "checkout", 0, 0.8);
    spec->route = "POST /checkout";
    fixture->stats.faults[1].failed = 40;
    spec = land(fixture, FAULT_ROUTE_DELAY, "product-catalog", 0, 100 * NS_PER_MS);
    spec->route = "GET /products";
    spec->most = 2500 * NS_PER_MS;
    assert_cause(
        fixture,
        "cause: scripted, nothing makes it so but the scenario: GET /products of product-catalog and "
        "1 other route fail up to 80.0 % of their requests; GET /products of product-catalog is "
        "delayed by up to 2.5s; 550 of 900 demo requests failed");
    fixture_free(fixture);
}

static void a_slow_service_is_named_with_the_calls_that_fail(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->stats.pools[1].timeouts = 0;
    fixture->stats.statements[0].full_scans = 0;
    fixture->stats.fault_count = 0;
    land(fixture, FAULT_SERVICE_SLOW, "frontend", 5, 100);
    fixture->stats.asks_ended[STATUS_DEADLINE] = 550;
    assert_kind(fixture, CAUSE_SERVICE_SLOW);
    assert_cause(fixture,
                 "cause: 550 of 1,900 calls from load-generator to frontend fail, service_slow at 05:00; 550 "
                 "of 900 demo requests failed: 550 asks passed their deadline");
    fixture->stats.faults[0].landed = false;
    assert_kind(fixture, CAUSE_CALLS);
    fixture_free(fixture);
}

/* A statement of the orders pool: how many were given up, and what time it took. */
static struct profile_line *orders_line(struct fixture *fixture, uint64_t delayed, uint64_t running)
{
    fixture->stats.profile = base_grow(fixture->stats.profile, fixture->stats.profile_count,
                                       fixture->stats.profile_count + 1, sizeof *fixture->stats.profile);
    struct profile_line *line = &fixture->stats.profile[fixture->stats.profile_count++];
    *line = (struct profile_line){.service = "checkout",
                                  .route = "POST /orders/create",
                                  .function = "order_insert",
                                  .pool = "orders",
                                  .spent_ns = {0, (double)delayed * 2e9, (double)running * 2e9},
                                  .lost = {0, delayed, running}};
    return line;
}

/* The search scans in a pool of its own, and nothing of what failed waited for it. */
static void only_what_the_failed_requests_met_is_blamed(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->stats.pools[1].timeouts = 0;
    fixture->stats.fault_count = 0;
    orders_line(fixture, 550, 0);
    land(fixture, FAULT_QUERY_DELAY, "product-catalog", 4, 1e9);
    land(fixture, FAULT_QUERY_DELAY, "checkout", 5, 2.8e9);
    assert_kind(fixture, CAUSE_QUERY_DELAY);
    assert_null(cause_of(&fixture->report).scan);
    assert_cause(fixture, "cause: each statement of checkout takes 2.8s more from 05:00 on; 550 of 900 demo "
                          "requests failed: 550 statements were given up");
    fixture->stats.profile[1].lost[SPENT_DELAYED] = 0;
    fixture->stats.profile[1].lost[SPENT_RUNNING] = 550;
    assert_kind(fixture, CAUSE_MISSING_INDEX); /* it has taken the cores from all others */
    fixture->stats.profile[1].cpu_ns = 400e9;
    assert_kind(fixture, CAUSE_CALLS);
    land(fixture, FAULT_TABLE_GROWTH, NULL, 5, 5e6);
    assert_kind(fixture, CAUSE_TABLE_GROWTH);
    fixture_free(fixture);
}

static void who_gives_up_before_the_pool_does_has_waited_for_it(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct pool_stats *pool = &fixture->stats.pools[1];
    fixture->stats.profile[0].scanned_ns = 0;
    fixture->stats.fault_count = 0;
    pool->timeouts = 0;
    pool->given_up = 550;
    pool->minutes[7] = (struct pool_minute){.given_up = 60};
    land(fixture, FAULT_HOLD_CONNECTIONS, "recommendations", 5, 20);
    assert_kind(fixture, CAUSE_CONNECTIONS_HELD);
    assert_cause(fixture,
                 "cause: 20 connections are held idle from 05:00 on; 0 free connections of pool "
                 "recommendations carry 0.0/s while 1.0/s ask; 550 of 900 demo requests failed waiting for a "
                 "connection");
    fixture_free(fixture);
}

static void what_ends_a_fault_is_not_to_blame(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->stats.profile[0].scanned_ns = 0;
    fixture->stats.profile[0].spent_ns[SPENT_DELAYED] = 350e9;
    fixture->stats.fault_count = 0;
    land(fixture, FAULT_QUERY_DELAY, "recommendation-service", 2, 0);
    land(fixture, FAULT_HOLD_CONNECTIONS, "recommendations", 2, 0);
    assert_kind(fixture, CAUSE_POOL);
    land(fixture, FAULT_QUERY_DELAY, "recommendation-service", 4, 1e9);
    assert_kind(fixture, CAUSE_QUERY_DELAY);
    assert_ptr_equal(cause_of(&fixture->report).delay, &fixture->stats.faults[2].spec);
    fixture_free(fixture);
}

/* Demo's p95 goes from 3 s to 9 s in minute 7. */
static void what_made_it_slow_is_told_although_nothing_failed(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    calm_errors(fixture);
    fixture->stats.profile[0].scanned_ns = fixture->stats.profile[0].spent_ns[SPENT_WAITING] = 0;
    fixture->stats.fault_count = 0;
    for (int i = 0; i < 20; i++)
        histogram_add(&fixture->stats.streams[1].minutes[7].latency, 9);
    assert_kind(fixture, CAUSE_NONE);
    land(fixture, FAULT_SERVICE_SLOW, "payment-service", 5, 1);
    assert_kind(fixture, CAUSE_NONE);
    land(fixture, FAULT_SERVICE_SLOW, "payment-service", 6, 10);
    orders_line(fixture, 0, 0)->pool = NULL;
    fixture->stats.profile[1].service = "payment-service";
    fixture->stats.profile[1].cpu_ns = 100e9;
    assert_kind(fixture, CAUSE_SERVICE_SLOW);
    assert_cause(fixture,
                 "cause: payment-service takes 10 times as long from 06:00 on; p95 of demo went from "
                 "3.00 s to 8.96 s, no request failed");
    land(fixture, FAULT_TABLE_GROWTH, NULL, 7, 5e6);
    assert_kind(fixture, CAUSE_TABLE_GROWTH);
    assert_cause(fixture, "cause: the products table has 5,000,000 rows from 07:00 on; p95 of demo went from "
                          "3.00 s to 8.96 s, no request failed");
    orders_line(fixture, 200, 0);
    land(fixture, FAULT_QUERY_DELAY, "checkout", 8, 1.5e9);
    assert_cause(fixture, "cause: each statement of checkout takes 1.5s more from 08:00 on; p95 of demo went "
                          "from 3.00 s to 8.96 s, no request failed");
    fixture->stats.profile[0].spent_ns[SPENT_WAITING] = 900e9;
    assert_kind(fixture, CAUSE_POOL);
    fixture->stats.profile[0].locked_ns = 1000e9;
    assert_kind(fixture, CAUSE_ROW_LOCK);
    fixture_free(fixture);
}

static void where_nothing_failed_nothing_is_blamed(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    calm_errors(fixture);
    assert_kind(fixture, CAUSE_NONE);
    assert_cause(
        fixture,
        "no errors: 1,000 baseline requests answered (p95 300 ms), 900 demo requests answered (p95 3.00 s); "
        "but idx_products_recommendations is missing: each recommendations query reads 487,342 rows");
    fixture->stats.statements[0].full_scans = 0;
    assert_cause(fixture,
                 "no errors: 1,000 baseline requests answered (p95 300 ms), 900 demo requests answered (p95 "
                 "3.00 s)");
    fixture->stats.fault_count = 0;
    fixture->stats.alerts[0].fired = false;
    assert_cause(fixture,
                 "nothing went wrong: 1,000 baseline requests answered (p95 300 ms), 900 demo requests "
                 "answered (p95 3.00 s)");
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cause_is_read_off_the_figures),
        cmocka_unit_test(an_index_made_later_and_a_pool_cut_are_told_as_such),
        cmocka_unit_test(without_a_pool_the_deepest_failing_call_is_named),
        cmocka_unit_test(the_index_that_made_do_is_told_when_it_was_dropped),
        cmocka_unit_test(what_tipped_it_over_is_the_cause),
        cmocka_unit_test(connections_that_are_held_are_counted),
        cmocka_unit_test(who_queues_for_a_row_is_told_from_who_wants_a_connection),
        cmocka_unit_test(a_script_is_called_one),
        cmocka_unit_test(a_slow_service_is_named_with_the_calls_that_fail),
        cmocka_unit_test(only_what_the_failed_requests_met_is_blamed),
        cmocka_unit_test(who_gives_up_before_the_pool_does_has_waited_for_it),
        cmocka_unit_test(what_ends_a_fault_is_not_to_blame),
        cmocka_unit_test(what_made_it_slow_is_told_although_nothing_failed),
        cmocka_unit_test(where_nothing_failed_nothing_is_blamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
