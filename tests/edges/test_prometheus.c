/* prometheus: what the text says, line by line. promtool judges the names in tests/live. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "edges/prometheus.h"

static struct metrics metrics;
static struct text page;

static const char *write(uint16_t service)
{
    page.len = 0;
    prometheus_write(&page, &metrics, service, "cart-service", NULL);
    return text_c(&page);
}

static void has(const char *line)
{
    const char *found = strstr(text_c(&page), line);
    if (!found || (found > page.bytes && found[-1] != '\n') || found[strlen(line)] != '\n')
        fail_msg("no line\n%s\nin\n%s", line, text_c(&page));
}

static void without_series_there_is_the_target(void **state)
{
    (void)state;
    assert_string_equal(write(0), "# HELP target_info What is told of here.\n"
                                  "# TYPE target_info gauge\n"
                                  "target_info{service_name=\"cart-service\"} 1\n");
}

static void counters_and_gauges_have_their_value(void **state)
{
    (void)state;
    struct attrs attrs = {0};
    attrs_text(&attrs, ATTR_DB_POOL_NAME, "a\"b\\c\nd");
    attrs_int(&attrs, ATTR_HTTP_STATUS, 503);
    attrs_bool(&attrs, ATTR_METRIC_OVERFLOW, true);
    attrs_real(&attrs, ATTR_CHECKOUT_TOTAL, 1.5);
    metrics_series(&metrics, METRIC_POOL_TIMEOUTS, 3, attrs.list, attrs.count)->value = 12;
    metrics_series(&metrics, METRIC_POOL_COUNT, 3, NULL, 0)->value = -2.5;
    metrics_series(&metrics, METRIC_SHOP_REVENUE, 3, NULL, 0)->value = 99.99;
    metrics_series(&metrics, METRIC_SHOP_REVENUE, 4, NULL, 0)->value = 1;
    write(3);
    has("# TYPE db_client_connection_timeouts_total counter");
    has("# HELP db_client_connection_timeouts_total Timeouts while waiting for a connection of the pool.");
    has("db_client_connection_timeouts_total{db_client_connection_pool_name=\"a\\\"b\\\\c\\nd\","
        "http_response_status_code=\"503\",otel_metric_overflow=\"true\",checkout_total=\"1.5\"} 12");
    has("# TYPE db_client_connections gauge");
    has("db_client_connections -2.5");
    has("shop_revenue_usd_total 99.99");
    write(4);
    has("shop_revenue_usd_total 1");
    assert_null(strstr(text_c(&page), "db_client"));
}

static void histograms_are_cumulative(void **state)
{
    (void)state;
    struct attrs attrs = {0};
    attrs_text(&attrs, ATTR_TRAFFIC_TYPE, "demo");
    struct series *series = metrics_series(&metrics, METRIC_HTTP_SERVER_DURATION, 3, attrs.list, attrs.count);
    static const double seconds[] = {0, 0.001, 0.02, 0.02, 0.3, 30};
    for (size_t i = 0; i < ARRAY_LEN(seconds); i++)
        histogram_add(series->histogram, seconds[i]);
    metrics_series(&metrics, METRIC_SHOP_ORDER_VALUE, 3, NULL, 0);
    write(3);
#define NAME "http_server_request_duration_seconds"
    has("# TYPE " NAME " histogram");
    has(NAME "_bucket{traffic_type=\"demo\",le=\"0.005\"} 2");
    has(NAME "_bucket{traffic_type=\"demo\",le=\"0.025\"} 4");
    has(NAME "_bucket{traffic_type=\"demo\",le=\"0.25\"} 4");
    has(NAME "_bucket{traffic_type=\"demo\",le=\"0.5\"} 5");
    has(NAME "_bucket{traffic_type=\"demo\",le=\"10\"} 5");
    has(NAME "_bucket{traffic_type=\"demo\",le=\"+Inf\"} 6");
    has(NAME "_count{traffic_type=\"demo\"} 6");
    has("shop_order_value_usd_bucket{le=\"1000\"} 0");
    has("shop_order_value_usd_bucket{le=\"+Inf\"} 0");
    has("shop_order_value_usd_sum 0");
#undef NAME
}

/* p95 above 300 ms asks how many lie within 300 ms: a bucket ends there. Money has none of it. */
static void alerts_bring_their_bounds(void **state)
{
    (void)state;
    struct condition children[] = {{.quantile = 0.95, .bound = 0.3},
                                   {.quantile = 0.5, .bound = 0.005},
                                   {.quantile = 0, .bound = 0.7},
                                   {.quantile = 0.99, .bound = 60},
                                   {.quantile = 0.9, .bound = 0.3}};
    static struct scenario scenario = {.alert_count = 1};
    scenario.alerts[0].stage_count = 1;
    scenario.alerts[0].stages[0].when =
        (struct condition){.kind = CONDITION_ANY, .children = children, .child_count = ARRAY_LEN(children)};
    struct prometheus_bounds bounds;
    prometheus_bounds_of(&bounds, &scenario);
    assert_int_equal(bounds.count, 3);
    struct series *series = metrics_series(&metrics, METRIC_LOCK_WAIT, 5, NULL, 0);
    histogram_add(series->histogram, 0.28);
    histogram_add(series->histogram, 0.31);
    metrics_series(&metrics, METRIC_SHOP_ORDER_VALUE, 5, NULL, 0);
    page.len = 0;
    prometheus_write(&page, &metrics, 5, "cart-service", &bounds);
    has("db_lock_wait_time_seconds_bucket{le=\"0.25\"} 0");
    has("db_lock_wait_time_seconds_bucket{le=\"0.3\"} 1");
    has("db_lock_wait_time_seconds_bucket{le=\"0.5\"} 2");
    has("db_lock_wait_time_seconds_bucket{le=\"60\"} 2");
    assert_null(strstr(text_c(&page), "le=\"0.7\""));
    assert_null(strstr(text_c(&page), "usd_bucket{le=\"60\""));
    const char *first = strstr(text_c(&page), "le=\"0.005\"");
    assert_non_null(first);
    assert_true(strstr(first + 1, "le=\"0.005\"") == NULL);
}

static int tear_down(void **state)
{
    (void)state;
    metrics_fini(&metrics);
    text_fini(&page);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_series_there_is_the_target),
        cmocka_unit_test(counters_and_gauges_have_their_value),
        cmocka_unit_test(histograms_are_cumulative),
        cmocka_unit_test(alerts_bring_their_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
