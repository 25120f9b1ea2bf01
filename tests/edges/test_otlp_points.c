/* otlp_points: delta points add up to the totals; explicit buckets hold every count where it belongs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "edges/otlp_points.h"

static struct metrics metrics;
static struct otlp_points points;
static struct otlp_point point;

static int begin(void **state)
{
    (void)state;
    metrics = (struct metrics){0};
    points = (struct otlp_points){0};
    return 0;
}

static int end(void **state)
{
    (void)state;
    metrics_fini(&metrics);
    otlp_points_fini(&points);
    return 0;
}

static struct series *series_of(enum metric_id metric)
{
    return metrics_series(&metrics, metric, 0, NULL, 0);
}

static bool make(const struct series *series, int64_t at_s)
{
    return otlp_points_make(&points, series, 0, at_s * NS_PER_S, &point);
}

static void a_delta_is_what_was_added(void **state)
{
    (void)state;
    points.options.delta = true;
    struct series *orders = series_of(METRIC_SHOP_ORDERS);
    series_add(orders, 3);
    assert_true(make(orders, 60));
    assert_true(point.value == 3 && point.start_ns == 0 && point.at_ns == 60 * NS_PER_S);
    otlp_points_done(&points, 60 * NS_PER_S);
    assert_false(make(orders, 120)); /* nothing to tell */
    otlp_points_done(&points, 120 * NS_PER_S);
    series_add(orders, 2);
    assert_true(make(orders, 180));
    assert_true(point.value == 2 && point.start_ns == 120 * NS_PER_S);
    assert_int_equal(otlp_points_temporality(&points, METRIC_COUNTER), 1);
}

static void what_goes_up_and_down_stays_cumulative(void **state)
{
    (void)state;
    points.options.delta = true;
    struct series *pending = series_of(METRIC_POOL_PENDING);
    series_add(pending, 5);
    assert_true(make(pending, 60));
    otlp_points_done(&points, 60 * NS_PER_S);
    assert_true(make(pending, 120));
    assert_true(point.value == 5 && point.start_ns == 0);
    assert_int_equal(otlp_points_temporality(&points, METRIC_UPDOWN), 2);
}

static uint64_t bucket_sum(void)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < point.bucket_count; i++)
        sum += point.buckets[i];
    return sum;
}

static void a_histograms_deltas_add_up(void **state)
{
    (void)state;
    points.options.delta = true;
    struct series *series = series_of(METRIC_DB_DURATION);
    uint64_t counted = 0;
    double sum = 0;
    for (int round = 1; round <= 4; round++) {
        for (int i = 0; i < 10 * round; i++)
            histogram_add(series->histogram, 0.001 * (double)(i * round));
        assert_true(make(series, 60 * round));
        assert_false(point.has_range); /* of the round it is not known */
        assert_int_equal(point.count, 10 * round);
        assert_int_equal(bucket_sum() + point.zeros, point.count);
        counted += point.count;
        sum += point.sum;
        otlp_points_done(&points, 60 * round * NS_PER_S);
        assert_false(make(series, 60 * round + 1));
    }
    assert_int_equal(counted, series->histogram->count);
    assert_true(sum > series->histogram->sum * 0.999999 && sum < series->histogram->sum * 1.000001);
}

static size_t bucket_with(uint64_t count)
{
    size_t i = 0;
    while (i < point.bucket_count && point.buckets[i] != count)
        i++;
    return i;
}

static void explicit_buckets_have_the_advised_bounds(void **state)
{
    (void)state;
    points.options.explicit_bounds = true;
    struct series *series = series_of(METRIC_HTTP_SERVER_DURATION);
    static const double values[] = {0.004, 0.03, 0.3, 2.8, 9, 60};
    static const size_t buckets[] = {0, 3, 7, 11, 13, 14}; /* (0.025, 0.05] is the fourth */
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        for (size_t n = 0; n <= i; n++)
            histogram_add(series->histogram, values[i]);
    assert_true(make(series, 60));
    assert_int_equal(point.bucket_count, 15);
    assert_true(point.bounds[0] == 0.005 && point.bounds[13] == 10);
    assert_int_equal(bucket_sum(), point.count);
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        assert_int_equal(bucket_with(i + 1), buckets[i]);
    assert_true(point.has_range && point.min == 0.004 && point.max == 60);

    series = series_of(METRIC_SHOP_ORDER_VALUE);
    histogram_add(series->histogram, 0);
    histogram_add(series->histogram, 99.5);
    histogram_add(series->histogram, 99.5);
    assert_true(make(series, 60));
    assert_int_equal(point.bucket_count, 16);
    assert_int_equal(point.buckets[0], 1); /* (-inf, 0] */
    assert_int_equal(bucket_with(2), 6); /* (75, 100] */
}

static void exemplars_are_of_the_points_time(void **state)
{
    (void)state;
    struct series *series = series_of(METRIC_DB_DURATION);
    struct span span = {.trace_hi = 1, .trace_lo = 2, .id = 3, .flags = 3};
    series_record(series, NS_PER_S, 7 * NS_PER_S, &span);
    assert_true(make(series, 60));
    assert_true(point.has_exemplar);
    points.options.no_exemplars = true;
    assert_true(make(series, 60));
    assert_false(point.has_exemplar);
    points.options = (struct otlp_point_options){.delta = true};
    otlp_points_done(&points, 60 * NS_PER_S);
    assert_true(make(series, 120));
    assert_false(point.has_exemplar); /* it was before the delta began */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_delta_is_what_was_added, begin, end),
        cmocka_unit_test_setup_teardown(what_goes_up_and_down_stays_cumulative, begin, end),
        cmocka_unit_test_setup_teardown(a_histograms_deltas_add_up, begin, end),
        cmocka_unit_test_setup_teardown(explicit_buckets_have_the_advised_bounds, begin, end),
        cmocka_unit_test_setup_teardown(exemplars_are_of_the_points_time, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
