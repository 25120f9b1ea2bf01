/* curve: values, and the instants at which areas are reached. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/curve.h"
#include "core/draw.h"

#define MINUTES(m) ((int64_t)((m) * (double)NS_PER_MIN))

/* 0 before minute 1, then 10 a minute, up to 30 at minute 5, nothing from 7 to 9, at last 4. */
static struct curve_point bumpy_points[] = {
    {MINUTES(1), 10}, {MINUTES(5), 30}, {MINUTES(7), 0}, {MINUTES(9), 0}, {MINUTES(10), 4},
};
static const struct curve bumpy = {bumpy_points, ARRAY_LEN(bumpy_points)};

static struct curve_point fading_points[] = {{0, 60}, {MINUTES(2), 0}};
static const struct curve fading = {fading_points, ARRAY_LEN(fading_points)};

static void assert_instant(int64_t got_ns, int64_t expected_ns)
{
    if (got_ns < expected_ns - 1 || got_ns > expected_ns + 1)
        fail_msg("%lld ns is not %lld ns", (long long)got_ns, (long long)expected_ns);
}

static void values_are_linear_between_points(void **state)
{
    (void)state;
    assert_true(curve_at(&bumpy, 0) == 0);
    assert_true(curve_at(&bumpy, MINUTES(1) - 1) == 0);
    assert_true(curve_at(&bumpy, MINUTES(1)) == 10);
    assert_true(curve_at(&bumpy, MINUTES(3)) == 20);
    assert_true(curve_at(&bumpy, MINUTES(5)) == 30);
    assert_true(curve_at(&bumpy, MINUTES(6)) == 15);
    assert_true(curve_at(&bumpy, MINUTES(8)) == 0);
    assert_true(curve_at(&bumpy, MINUTES(10)) == 4);
    assert_true(curve_at(&bumpy, NEVER - 1) == 4);
}

static void a_curve_without_points_is_zero(void **state)
{
    (void)state;
    const struct curve empty = {0};
    assert_true(curve_at(&empty, 5) == 0);
    assert_true(curve_advance(&empty, 5, 1) == NEVER);
}

static void two_points_at_one_instant_are_a_jump(void **state)
{
    (void)state;
    struct curve_point points[] = {{0, 1}, {MINUTES(1), 1}, {MINUTES(1), 9}, {MINUTES(2), 9}};
    const struct curve jump = {points, ARRAY_LEN(points)};
    assert_true(curve_at(&jump, MINUTES(1) - 1) == 1);
    assert_true(curve_at(&jump, MINUTES(1)) == 9);
    assert_instant(curve_advance(&jump, 0, 10), MINUTES(2));
    assert_instant(curve_advance(&jump, MINUTES(0.5), 5), MINUTES(1.5));
}

static void areas_are_value_times_minutes(void **state)
{
    (void)state;
    /* By hand: 80 from minute 1 to 5, 30 to 7, none to 9, 2 to 10, then 4 a minute. */
    assert_instant(curve_advance(&bumpy, 0, 80), MINUTES(5));
    assert_instant(curve_advance(&bumpy, 0, 110), MINUTES(7));
    assert_instant(curve_advance(&bumpy, 0, 112), MINUTES(10));
    assert_instant(curve_advance(&bumpy, 0, 120), MINUTES(12));
    assert_instant(curve_advance(&bumpy, MINUTES(3), 50), MINUTES(5));
    assert_instant(curve_advance(&bumpy, MINUTES(1), 30), MINUTES(3));
    assert_instant(curve_advance(&bumpy, MINUTES(8), 2), MINUTES(10));
    assert_instant(curve_advance(&bumpy, MINUTES(20), 4), MINUTES(21));
}

static void no_area_takes_no_time(void **state)
{
    (void)state;
    assert_int_equal(curve_advance(&bumpy, 17, 0), 17);
}

static void what_is_never_reached_is_never(void **state)
{
    (void)state;
    assert_instant(curve_advance(&fading, 0, 59.85), MINUTES(1.9));
    assert_true(curve_advance(&fading, 0, 60.0001) == NEVER);
    assert_true(curve_advance(&fading, MINUTES(3), 1e-9) == NEVER);
    assert_true(curve_advance(&bumpy, 0, 1e300) == NEVER);
    struct curve_point trickle_point = {0, 1e-300};
    const struct curve trickle = {&trickle_point, 1};
    assert_true(curve_advance(&trickle, 0, 1) == NEVER);
}

/* The area between two instants by summing small slices. */
static double area_between(const struct curve *curve, int64_t from_ns, int64_t to_ns)
{
    enum { SLICES = 20000 };
    double width = (double)(to_ns - from_ns) / SLICES, sum = 0;
    for (int i = 0; i < SLICES; i++)
        sum += curve_at(curve, from_ns + (int64_t)((i + 0.5) * width));
    return sum * width / (double)NS_PER_MIN;
}

static void any_area_is_the_one_asked_for(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 200; i++) {
        struct curve_point points[6];
        int64_t at_ns = 0;
        for (uint32_t p = 0; p < ARRAY_LEN(points); p++) {
            struct draw chance = draw(1, i, 0, p);
            at_ns += 1 + (int64_t)draw_below(chance.a, MINUTES(3));
            points[p] = (struct curve_point){at_ns, chance.b % 4 ? draw_uniform(chance.b) * 100 : 0};
        }
        const struct curve curve = {points, ARRAY_LEN(points)};
        struct draw chance = draw(1, i, 1, 0);
        int64_t from_ns = (int64_t)draw_below(chance.a, MINUTES(12));
        double area = draw_uniform(chance.b) * 300;
        int64_t to_ns = curve_advance(&curve, from_ns, area);
        if (to_ns == NEVER)
            assert_true(points[5].value == 0 &&
                        area_between(&curve, from_ns, MINUTES(30)) < area * 1.001 + 0.1);
        else
            assert_true(fabs(area_between(&curve, from_ns, to_ns) - area) < 0.002 * area + 0.05);
    }
}

/* Arrivals come one after another; stepping must neither lose nor gain any. */
static void many_small_steps_are_one_large_step(void **state)
{
    (void)state;
    int64_t at_ns = 0;
    for (int i = 0; i < 1000; i++)
        at_ns = curve_advance(&bumpy, at_ns, 0.1);
    int64_t off_ns = at_ns - curve_advance(&bumpy, 0, 100);
    assert_true(off_ns > -NS_PER_US && off_ns < NS_PER_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_linear_between_points),
        cmocka_unit_test(a_curve_without_points_is_zero),
        cmocka_unit_test(two_points_at_one_instant_are_a_jump),
        cmocka_unit_test(areas_are_value_times_minutes),
        cmocka_unit_test(no_area_takes_no_time),
        cmocka_unit_test(what_is_never_reached_is_never),
        cmocka_unit_test(any_area_is_the_one_asked_for),
        cmocka_unit_test(many_small_steps_are_one_large_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
