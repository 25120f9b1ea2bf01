/* pg_scan: which scan a scenario is about, and the rows that make it as heavy elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>

#include "actors/shop/statements.h"
#include "edges/pg_scan.h"
#include "edges/registry.h"

static struct scenario *with(const char *dropped)
{
    static struct scenario scenario;
    static struct curve_point points[2];
    points[0] = (struct curve_point){.value = 252300};
    points[1] = (struct curve_point){.at_ns = 10 * NS_PER_MIN, .value = 487342};
    scenario = (struct scenario){.postgresql = {.cores = 8,
                                                .max_connections = 200,
                                                .products = {.points = points, .count = 2},
                                                .scan_ns_per_row = 1046.5}};
    if (dropped)
        scenario.faults[scenario.fault_count++] =
            (struct fault_spec){.kind = FAULT_DROP_INDEX, .target = dropped};
    return &scenario;
}

static void assert_scan(const struct scenario *scenario, const char *statement, int at_once)
{
    struct pg_scan scan;
    assert_true(pg_scan_choose(&scan, &registry, scenario));
    assert_string_equal(scan.statement->name, statement);
    assert_int_equal(scan.at_once, at_once);
}

static void a_scenario_is_about_what_its_faults_make_scan(void **state)
{
    (void)state;
    assert_scan(with("idx_products_category"), "recommendations", 20);
    assert_scan(with("idx_products_category_active"), "products_by_category", 20);
    assert_scan(with(NULL), "recommendations", 20);
    struct scenario *scenario = with(NULL);
    scenario->expects[scenario->expect_count++] = (struct expect_spec){
        .alert = -1, .series = {.kind = PROBE_QUERY_LATENCY, .index = SQL_SEARCH_UNINDEXED, .name = "query"}};
    assert_scan(scenario, "search_products_unindexed", 20);
}

static void as_many_scan_at_once_as_the_pool_lets(void **state)
{
    (void)state;
    struct scenario *scenario = with("idx_products_category");
    struct service_spec *service = &scenario->services[scenario->service_count++];
    *service = (struct service_spec){.service = "recommendation-service",
                                     .pools = {{.name = "recommendations", .max = 40}},
                                     .pool_count = 1};
    assert_scan(scenario, "recommendations", 40);
    service->pools[0].max = 500;
    assert_scan(scenario, "recommendations", PG_SCANNERS_MAX);
    scenario->postgresql.max_connections = 10;
    assert_scan(scenario, "recommendations", 7);
}

static void small_tables_are_not_measured(void **state)
{
    (void)state;
    struct pg_scan scan;
    struct scenario *scenario = with(NULL);
    scenario->postgresql.products.points[1].value = 47000; /* 49 ms of CPU */
    scenario->postgresql.products.points[0].value = 47000;
    assert_false(pg_scan_choose(&scan, &registry, scenario));
}

/* Whatever the server: with the rows that it gets it scans as often a second as the model, within 3 %. */
static void capacity_is_the_models(void **state)
{
    (void)state;
    struct pg_scan scan;
    assert_true(pg_scan_choose(&scan, &registry, with("idx_products_category")));
    double model_per_s = 1e9 / (scan.model_ns * 252300);
    assert_true(fabs(model_per_s - 30.3) < 0.05); /* 8 cores at 0.264 s */
    for (double real_ns = 15; real_ns < 6000; real_ns *= 1.07) {
        double real_per_s = 1e9 / (real_ns * 252300 * pg_scan_factor(&scan, real_ns));
        assert_true(fabs(real_per_s / model_per_s - 1) < 0.03);
    }
}

static void a_factor_is_bounded(void **state)
{
    (void)state;
    struct pg_scan scan;
    assert_true(pg_scan_choose(&scan, &registry, with("idx_products_category")));
    assert_true(fabs(pg_scan_factor(&scan, 1) * 487342 - PG_ROWS_MOST) < 1);
    scan.rows_most = 10000;
    assert_true(fabs(pg_scan_factor(&scan, 1) - PG_FACTOR_MOST) < 1e-9);
    assert_true(fabs(pg_scan_factor(&scan, 1e9) - PG_FACTOR_LEAST) < 1e-9);
    assert_true(fabs(pg_scan_factor(&scan, 0) - 1) < 1e-9);
    assert_true(fabs(pg_scan_factor(&scan, NAN) - 1) < 1e-9);
}

static void two_measurements_that_agree_want_the_same_rows(void **state)
{
    (void)state;
    struct pg_scan scan;
    assert_true(pg_scan_choose(&scan, &registry, with("idx_products_category")));
    assert_true(fabs(pg_scan_factor(&scan, 46.0) - pg_scan_factor(&scan, 46.4)) < 1e-9);
}

static void it_is_said_in_one_line(void **state)
{
    (void)state;
    struct pg_scan scan;
    struct text line = {0};
    assert_true(pg_scan_choose(&scan, &registry, with("idx_products_category")));
    pg_scan_tell(&scan, 62, &line);
    assert_string_equal(text_c(&line),
                        "calibrated: 62 ns a row of recommendations at 20 at once; 252,300 rows of the "
                        "scenario are 529,830 here");
    line.len = 0;
    pg_scan_tell(&scan, 2.5, &line);
    assert_non_null(strstr(text_c(&line), "2.5 ns a row"));
    assert_non_null(strstr(text_c(&line), "expect another table of errors"));
    text_fini(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scenario_is_about_what_its_faults_make_scan),
        cmocka_unit_test(as_many_scan_at_once_as_the_pool_lets),
        cmocka_unit_test(small_tables_are_not_measured),
        cmocka_unit_test(capacity_is_the_models),
        cmocka_unit_test(a_factor_is_bounded),
        cmocka_unit_test(two_measurements_that_agree_want_the_same_rows),
        cmocka_unit_test(it_is_said_in_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
