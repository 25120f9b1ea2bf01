/* draw: known answers of Philox, and the shape of each distribution. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/draw.h"

enum { DRAWS = 200000 };

static uint64_t bits(uint32_t index)
{
    return draw(20241129, 7, 3, index).a;
}

/* The known answers that Random123 publishes for philox4x32 with 10 rounds. */
static void draws_are_philox4x32_10(void **state)
{
    (void)state;
    struct draw zeros = draw(0, 0, 0, 0);
    assert_int_equal(zeros.a, UINT64_C(0xe169c58d6627e8d5));
    assert_int_equal(zeros.b, UINT64_C(0x9b00dbd8bc57ac4c));
    struct draw ones = draw(UINT64_MAX, UINT64_MAX, UINT32_MAX, UINT32_MAX);
    assert_int_equal(ones.a, UINT64_C(0x41c83b0e408f276d));
    assert_int_equal(ones.b, UINT64_C(0x6d5451fda20bc7c6));
    struct draw pi = draw(UINT64_C(0x299f31d0a4093822), UINT64_C(0x85a308d3243f6a88), 0x13198a2e, 0x03707344);
    assert_int_equal(pi.a, UINT64_C(0x94fdccebd16cfe09));
    assert_int_equal(pi.b, UINT64_C(0x24126ea15001e420));
}

static void every_part_of_the_name_matters(void **state)
{
    (void)state;
    uint64_t base = draw(1, 2, 3, 4).a;
    assert_int_equal(draw(1, 2, 3, 4).a, base);
    assert_int_not_equal(draw(9, 2, 3, 4).a, base);
    assert_int_not_equal(draw(1 | UINT64_C(1) << 32, 2, 3, 4).a, base);
    assert_int_not_equal(draw(1, 9, 3, 4).a, base);
    assert_int_not_equal(draw(1, 2 | UINT64_C(1) << 32, 3, 4).a, base);
    assert_int_not_equal(draw(1, 2, 9, 4).a, base);
    assert_int_not_equal(draw(1, 2, 3, 9).a, base);
}

static void uniform_is_strictly_between_0_and_1(void **state)
{
    (void)state;
    assert_true(draw_uniform(0) > 0);
    assert_true(draw_uniform(UINT64_MAX) < 1);
    assert_true(draw_uniform(0) == 1 - draw_uniform(UINT64_MAX));
    int tenths[10] = {0};
    for (uint32_t i = 0; i < DRAWS; i++)
        tenths[(int)(10 * draw_uniform(bits(i)))]++;
    double chi_square = 0;
    for (int i = 0; i < 10; i++)
        chi_square += pow(tenths[i] - DRAWS / 10.0, 2) / (DRAWS / 10.0);
    assert_true(chi_square < 27.9); /* 9 degrees of freedom, one in a thousand */
}

static void extremes_are_finite(void **state)
{
    (void)state;
    static const uint64_t ends[] = {0, 1, UINT64_MAX};
    static const struct duration_dist wide = {.p50_ns = 1, .p99_ns = INT64_MAX};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        double waiting = draw_exponential(ends[i]);
        assert_true(waiting > 0 && waiting < 40);
        assert_true(fabs(draw_normal(ends[i])) < 8.4);
        assert_true(isfinite(draw_lognormal_mean1(ends[i], 1000)));
        int64_t duration_ns = draw_duration(ends[i], &wide, duration_dist_sigma(&wide));
        assert_true(duration_ns >= 0 && duration_ns <= INT64_C(1) << 60);
    }
}

static void moments_are_those_of_the_distributions(void **state)
{
    (void)state;
    double exponential = 0, normal = 0, square = 0, lognormal = 0;
    for (uint32_t i = 0; i < DRAWS; i++) {
        double z = draw_normal(bits(i));
        exponential += draw_exponential(bits(i)) / DRAWS;
        normal += z / DRAWS;
        square += z * z / DRAWS;
        lognormal += draw_lognormal_mean1(bits(i), 0.5) / DRAWS;
    }
    assert_true(fabs(exponential - 1) < 0.01);
    assert_true(fabs(normal) < 0.01);
    assert_true(fabs(square - 1) < 0.015);
    assert_true(fabs(lognormal - 1) < 0.01);
}

static void below_is_uniform_and_below(void **state)
{
    (void)state;
    int counts[7] = {0};
    for (uint32_t i = 0; i < 70000; i++)
        counts[draw_below(bits(i), 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(counts[i], 9600, 10400);
    assert_int_equal(draw_below(UINT64_MAX, 1), 0);
    assert_int_equal(draw_below(UINT64_MAX, UINT64_MAX), UINT64_MAX - 1);
    assert_int_equal(draw_below(0, UINT64_MAX), 0);
}

static void a_duration_has_its_median_and_its_99th_percentile(void **state)
{
    (void)state;
    static const struct duration_dist dist = {.p50_ns = 4 * NS_PER_MS, .p99_ns = 30 * NS_PER_MS};
    double sigma = duration_dist_sigma(&dist);
    int above_p50 = 0, above_p99 = 0;
    for (uint32_t i = 0; i < DRAWS; i++) {
        int64_t duration_ns = draw_duration(bits(i), &dist, sigma);
        above_p50 += duration_ns > dist.p50_ns;
        above_p99 += duration_ns > dist.p99_ns;
    }
    assert_in_range(above_p50, DRAWS / 2 - 1000, DRAWS / 2 + 1000);
    assert_in_range(above_p99, DRAWS / 100 - 200, DRAWS / 100 + 200);
}

static void equal_percentiles_mean_a_constant(void **state)
{
    (void)state;
    static const struct duration_dist constant = {.p50_ns = 12345, .p99_ns = 12345}, none = {0};
    assert_true(duration_dist_sigma(&constant) == 0);
    assert_true(duration_dist_sigma(&none) == 0);
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(draw_duration(bits(i), &constant, 0), 12345);
        assert_int_equal(draw_duration(bits(i), &none, 0), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_are_philox4x32_10),
        cmocka_unit_test(every_part_of_the_name_matters),
        cmocka_unit_test(uniform_is_strictly_between_0_and_1),
        cmocka_unit_test(extremes_are_finite),
        cmocka_unit_test(moments_are_those_of_the_distributions),
        cmocka_unit_test(below_is_uniform_and_below),
        cmocka_unit_test(a_duration_has_its_median_and_its_99th_percentile),
        cmocka_unit_test(equal_percentiles_mean_a_constant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
