/* metrics: one series a set of attributes, never more than the bound, exemplars only of sampled spans. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/metrics.h"

static struct attr text(enum attr_key key, const char *value)
{
    return (struct attr){
        .key = (uint16_t)key, .type = ATTR_TEXT, .len = (uint32_t)strlen(value), .text = value};
}

static struct attr integer(enum attr_key key, int64_t value)
{
    return (struct attr){.key = (uint16_t)key, .type = ATTR_INT, .integer = value};
}

static void the_table_names_every_metric(void **state)
{
    (void)state;
    for (int m = 0; m < METRIC_COUNT; m++) {
        const struct metric_info *info = metric_info((enum metric_id)m);
        assert_true(info->name && info->name[0] && info->unit && info->description[0]);
        for (int other = 0; other < m; other++)
            assert_string_not_equal(info->name, metric_info((enum metric_id)other)->name);
    }
    assert_string_equal(metric_info(METRIC_POOL_WAIT)->name, "db.client.connection.wait_time");
    assert_string_equal(metric_info(METRIC_POOL_PENDING)->unit, "{request}");
    assert_int_equal(metric_info(METRIC_SHOP_CHECKOUT_SUCCESS)->kind, METRIC_GAUGE);
}

static void a_set_has_one_series_in_any_order(void **state)
{
    (void)state;
    struct metrics metrics = {0};
    char same[] = "GET";
    struct attr one[] = {text(ATTR_HTTP_METHOD, "GET"), integer(ATTR_HTTP_STATUS, 200)};
    struct attr turned[] = {integer(ATTR_HTTP_STATUS, 200), text(ATTR_HTTP_METHOD, same)};
    struct attr other[] = {text(ATTR_HTTP_METHOD, "GET"), integer(ATTR_HTTP_STATUS, 503)};
    struct series *series = metrics_series(&metrics, METRIC_HTTP_SERVER_DURATION, 3, one, 2);
    assert_non_null(series->histogram);
    assert_int_equal(series->service, 3);
    assert_ptr_equal(metrics_series(&metrics, METRIC_HTTP_SERVER_DURATION, 3, turned, 2), series);
    assert_ptr_not_equal(metrics_series(&metrics, METRIC_HTTP_SERVER_DURATION, 3, other, 2), series);
    assert_ptr_not_equal(metrics_series(&metrics, METRIC_HTTP_SERVER_DURATION, 3, one, 1), series);
    assert_ptr_not_equal(metrics_series(&metrics, METRIC_HTTP_SERVER_DURATION, 4, one, 2), series);
    assert_int_equal(metrics.count[METRIC_HTTP_SERVER_DURATION], 4);
    assert_ptr_equal(metrics.first[METRIC_HTTP_SERVER_DURATION], series);
    assert_int_equal(metrics.last[METRIC_HTTP_SERVER_DURATION]->service, 4);

    struct series *counter = metrics_series(&metrics, METRIC_SHOP_ORDERS, 0, NULL, 0);
    assert_null(counter->histogram);
    series_add(counter, 2);
    series_add(counter, 3);
    assert_true(counter->value == 5);
    metrics_fini(&metrics);
    assert_null(metrics.first[METRIC_SHOP_ORDERS]);
}

static void what_is_too_many_shares_the_overflow(void **state)
{
    (void)state;
    struct metrics metrics = {0};
    for (int i = 0; i < METRIC_SERIES_MAX; i++) {
        struct attr attr = integer(ATTR_DEMO_MINUTE, i);
        metrics_series(&metrics, METRIC_SHOP_ORDERS, 1, &attr, 1);
    }
    assert_int_equal(metrics.overflowed, 0);
    struct attr late = integer(ATTR_DEMO_MINUTE, METRIC_SERIES_MAX), later = integer(ATTR_DEMO_MINUTE, -1);
    struct series *overflow = metrics_series(&metrics, METRIC_SHOP_ORDERS, 1, &late, 1);
    assert_int_equal(overflow->attr_count, 1);
    assert_int_equal(overflow->attrs[0].key, ATTR_METRIC_OVERFLOW);
    assert_true(overflow->attrs[0].truth);
    assert_ptr_equal(metrics_series(&metrics, METRIC_SHOP_ORDERS, 1, &later, 1), overflow);
    assert_int_equal(metrics.overflowed, 2);
    assert_int_equal(metrics.count[METRIC_SHOP_ORDERS], METRIC_SERIES_MAX + 1);
    struct attr known = integer(ATTR_DEMO_MINUTE, 7);
    assert_ptr_not_equal(metrics_series(&metrics, METRIC_SHOP_ORDERS, 1, &known, 1), overflow);
    metrics_fini(&metrics);
}

static void exemplars_are_of_sampled_spans(void **state)
{
    (void)state;
    struct metrics metrics = {0};
    struct series *series = metrics_series(&metrics, METRIC_DB_DURATION, 0, NULL, 0);
    struct span span = {.trace_hi = 1, .trace_lo = 2, .id = 3, .flags = 0x03};
    series_record(series, 250 * NS_PER_MS, 77, &span);
    assert_true(series->exemplar.value == 0.25);
    assert_int_equal(series->exemplar.at_ns, 77);
    assert_int_equal(series->exemplar.span, 3);
    span.flags = 0x02;
    series_record(series, NS_PER_S, 78, &span);
    series_record(series, NS_PER_S, 79, NULL);
    assert_int_equal(series->exemplar.at_ns, 77);
    assert_int_equal(series->histogram->count, 3);
    metrics_fini(&metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_names_every_metric),
        cmocka_unit_test(a_set_has_one_series_in_any_order),
        cmocka_unit_test(what_is_too_many_shares_the_overflow),
        cmocka_unit_test(exemplars_are_of_sampled_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
