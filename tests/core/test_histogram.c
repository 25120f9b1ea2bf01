/* histogram: buckets have the bounds OTLP gives them, and quantiles are what sorting says, within a bucket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <math.h>

#include <cmocka.h>

#include "core/histogram.h"

static double power(int sixty_fourths)
{
    return ldexp(pow(2, (double)(sixty_fourths & 63) / 64), sixty_fourths >> 6);
}

static int only_bucket(double value)
{
    static struct histogram histogram;
    histogram = (struct histogram){0};
    histogram_add(&histogram, value);
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
        if (histogram.buckets[i])
            return i;
    return -1;
}

static void bounds_are_powers_of_the_64th_root(void **state)
{
    (void)state;
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
        double exact = power(HISTOGRAM_LOWEST * HISTOGRAM_PER_OCTAVE + i + 1);
        assert_true(fabs(histogram_bound(i) / exact - 1) < 1e-15);
    }
    assert_true(histogram_bound(HISTOGRAM_BUCKETS - 1) == 4096.0);
}

/* (lower, upper]: the bound itself is the last value of its bucket, the next double the first above. */
static void upper_bounds_are_inclusive(void **state)
{
    (void)state;
    for (int i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
        assert_int_equal(only_bucket(histogram_bound(i)), i);
        assert_int_equal(only_bucket(nextafter(histogram_bound(i), 1e9)), i + 1);
    }
}

static void every_value_lies_within_its_bucket(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int n = 0; n < 4000; n++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        double value = ldexp(1 + (double)(seed >> 12) * 0x1p-52, (int)(seed % 32) - 20);
        int bucket = only_bucket(value);
        assert_true(value <= histogram_bound(bucket));
        assert_true(bucket == 0 || value > histogram_bound(bucket - 1));
    }
}

static void what_lies_outside_counts_at_the_ends(void **state)
{
    (void)state;
    assert_int_equal(only_bucket(1e-9), 0);
    assert_int_equal(only_bucket(5e-324), 0);
    assert_int_equal(only_bucket(1e9), HISTOGRAM_BUCKETS - 1);
    assert_int_equal(only_bucket(1.7e308), HISTOGRAM_BUCKETS - 1);
}

static void zeros_and_what_is_no_number(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    histogram_add(&histogram, 0);
    histogram_add(&histogram, -1);
    histogram_add(&histogram, NAN);
    histogram_add(&histogram, INFINITY);
    histogram_add(&histogram, -INFINITY);
    assert_int_equal(histogram.count, 2);
    assert_int_equal(histogram.zeros, 2);
    assert_true(histogram.min == -1 && histogram.max == 0 && histogram.sum == -1);
    assert_int_equal(histogram_above(&histogram, 0), 0);
    assert_true(histogram_quantile(&histogram, 0.5) == 0);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void quantiles_are_those_of_sorting(void **state)
{
    (void)state;
    enum { N = 10001 };
    static double values[N];
    static struct histogram histogram;
    uint64_t seed = 7;
    for (int i = 0; i < N; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        values[i] = exp((double)(seed >> 40) * 0x1p-24 * 8 - 6);
        histogram_add(&histogram, values[i]);
    }
    qsort(values, N, sizeof *values, by_value);
    static const double quantiles[] = {0, 0.001, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1};
    for (size_t i = 0; i < ARRAY_LEN(quantiles); i++) {
        size_t rank = (size_t)ceil(quantiles[i] * N);
        double exact = values[rank ? rank - 1 : 0];
        assert_true(fabs(histogram_quantile(&histogram, quantiles[i]) / exact - 1) < 0.0055);
    }
    assert_true(histogram_quantile(&histogram, -1) >= values[0]);
    assert_true(histogram_quantile(&histogram, 2) <= values[N - 1]);
}

static void a_single_value_is_every_quantile(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    assert_true(histogram_quantile(&histogram, 0.5) == 0);
    histogram_add_ns(&histogram, 2800 * NS_PER_MS);
    assert_true(fabs(histogram_quantile(&histogram, 0) - 2.8) < 1e-12);
    assert_true(fabs(histogram_quantile(&histogram, 0.95) - 2.8) < 1e-12);
}

static void above_counts_whole_buckets(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    for (int i = 1; i <= 100; i++)
        histogram_add(&histogram, i * 0.1);
    assert_int_equal(histogram_above(&histogram, 4.95), 51);
    assert_int_equal(histogram_above(&histogram, 0), 100);
    assert_int_equal(histogram_above(&histogram, 11), 0);
}

/* So that `p95 above b` and `more than 5 % above b` are the same question. */
static void above_agrees_with_quantiles(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    for (int i = 1; i <= 1000; i++)
        histogram_add(&histogram, i * 0.001);
    for (double bound = 0.3; bound < 0.9; bound += 0.0013)
        for (double q = 0.05; q < 1; q += 0.05) {
            double within = (double)(histogram.count - histogram_above(&histogram, bound));
            assert_int_equal(histogram_quantile(&histogram, q) > bound, within < q * (double)histogram.count);
        }
}

static struct histogram *filled(const double *values, size_t count)
{
    struct histogram *histogram = base_alloc(1, sizeof *histogram);
    for (size_t i = 0; i < count; i++)
        histogram_add(histogram, values[i]);
    return histogram;
}

static void merged_ones_are_one(void **state)
{
    (void)state;
    static const double values[] = {0.3, 0, 7, 0.01, 900, 0.3, 12, 0.5};
    struct histogram *all = filled(values, 8), *into = filled(values, 3), *rest = filled(values + 3, 5);
    struct histogram *none = filled(values, 0);
    histogram_merge(into, rest);
    histogram_merge(into, none);
    assert_true(into->min == 0 && into->max == 900);
    assert_int_equal(into->count, 8);
    assert_int_equal(into->zeros, 1);
    assert_memory_equal(into->buckets, all->buckets, sizeof all->buckets);
    histogram_merge(none, rest);
    assert_memory_equal(none, rest, sizeof *rest);
    free(all);
    free(into);
    free(rest);
    free(none);
}

static void what_came_since_has_ends_to_the_bucket(void **state)
{
    (void)state;
    static const double values[] = {0.001, 500, 0.3, 7, 0.4};
    struct histogram *before = filled(values, 2), *now = filled(values, 5), since;
    histogram_since(&since, now, before);
    assert_int_equal(since.count, 3);
    assert_true(since.sum > 7.699 && since.sum < 7.701);
    assert_true(since.min <= 0.3 && since.min > 0.3 / 1.012);
    assert_true(since.max >= 7 && since.max < 7 * 1.012);
    histogram_since(&since, now, now);
    assert_true(since.count == 0 && since.min == 0 && since.max == 0);
    /* Never beyond what was seen at all. */
    struct histogram *none = filled(values, 0);
    histogram_since(&since, now, none);
    assert_true(since.min == 0.001 && since.max == 500);
    free(none);
    free(before);
    free(now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merged_ones_are_one),
        cmocka_unit_test(what_came_since_has_ends_to_the_bucket),
        cmocka_unit_test(bounds_are_powers_of_the_64th_root),
        cmocka_unit_test(upper_bounds_are_inclusive),
        cmocka_unit_test(every_value_lies_within_its_bucket),
        cmocka_unit_test(what_lies_outside_counts_at_the_ends),
        cmocka_unit_test(zeros_and_what_is_no_number),
        cmocka_unit_test(quantiles_are_those_of_sorting),
        cmocka_unit_test(a_single_value_is_every_quantile),
        cmocka_unit_test(above_counts_whole_buckets),
        cmocka_unit_test(above_agrees_with_quantiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
