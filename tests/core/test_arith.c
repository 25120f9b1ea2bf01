/* arith against the C library, which is close enough to judge it but not the same everywhere. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/arith.h"

static void assert_near(double got, double expected, double relative)
{
    if (!(fabs(got - expected) <= relative * fabs(expected)))
        fail_msg("%.17g is not %.17g within %g", got, expected, relative);
}

static uint64_t bits_of(double value)
{
    union {
        double value;
        uint64_t bits;
    } both = {.value = value};
    return both.bits;
}

static void exp_agrees_with_the_library(void **state)
{
    (void)state;
    for (double x = -699.9; x < 699.9; x += 0.00731)
        assert_near(arith_exp(x), exp(x), 1e-15);
    for (double x = 1e-300; x < 1; x *= 1.7) {
        assert_near(arith_exp(x), exp(x), 1e-15);
        assert_near(arith_exp(-x), exp(-x), 1e-15);
    }
    assert_true(arith_exp(0) == 1);
}

static void exp_stays_finite_outside_its_range(void **state)
{
    (void)state;
    assert_true(arith_exp(1e300) == arith_exp(700));
    assert_true(arith_exp(-1e300) == arith_exp(-700));
    assert_true(isnormal(arith_exp(-1e300)) && isnormal(arith_exp(1e300)));
}

static void log_agrees_with_the_library(void **state)
{
    (void)state;
    for (double x = 2.3e-308; x < 1e308; x *= 1.00391)
        assert_near(arith_log(x), log(x), 1e-15);
    for (double x = 0.5; x < 2; x += 0.0000173)
        assert_near(arith_log(x), log(x), 1e-15);
    for (double distance = 0.5; distance > 1e-15; distance /= 1.3) {
        assert_near(arith_log(1 + distance), log(1 + distance), 1e-15);
        assert_near(arith_log(1 - distance), log(1 - distance), 1e-15);
    }
    assert_true(arith_log(1) == 0);
}

static void sqrt_is_the_correctly_rounded_one(void **state)
{
    (void)state;
    assert_true(arith_sqrt(0) == 0);
    for (double x = 1e-300; x < 1e300; x *= 1.0173)
        assert_true(arith_sqrt(x) == sqrt(x));
}

/* What the quantile is the inverse of. */
static double probability_below(double z)
{
    return erfc(-z / sqrt(2)) / 2;
}

static void the_quantile_is_the_inverse_of_the_normal_distribution(void **state)
{
    (void)state;
    /* Above 5, 1 - p has too few digits left to find z again. */
    for (double z = -8; z <= 5; z += 0.00137)
        assert_near(arith_normal_quantile(probability_below(z)), z, 2e-9);
    assert_true(arith_normal_quantile(0.5) == 0);
    assert_near(arith_normal_quantile(0.99), 2.3263478740408411, 2e-9);
    assert_near(arith_normal_quantile(0.001), -3.0902323061678132, 2e-9);
    assert_true(arith_normal_quantile(1.0 / 64) == -arith_normal_quantile(63.0 / 64));
}

/* The same bits on every machine and at every level of optimisation: written down once. */
static void the_bits_are_the_same_everywhere(void **state)
{
    (void)state;
    assert_int_equal(bits_of(arith_exp(1)), UINT64_C(0x4005bf0a8b145769));
    assert_int_equal(bits_of(arith_exp(-123.456)), UINT64_C(0x34cda9fb9e4ee720));
    assert_int_equal(bits_of(arith_log(10)), UINT64_C(0x40026bb1bbb55516));
    assert_int_equal(bits_of(arith_log(0.123)), UINT64_C(0xc000c3bab03ad16e));
    assert_int_equal(bits_of(arith_normal_quantile(0.3)), UINT64_C(0xbfe0c7e395d14936));
    assert_int_equal(bits_of(arith_normal_quantile(1e-9)), UINT64_C(0xc017fdc11f49a6b6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_agrees_with_the_library),
        cmocka_unit_test(exp_stays_finite_outside_its_range),
        cmocka_unit_test(log_agrees_with_the_library),
        cmocka_unit_test(sqrt_is_the_correctly_rounded_one),
        cmocka_unit_test(the_quantile_is_the_inverse_of_the_normal_distribution),
        cmocka_unit_test(the_bits_are_the_same_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
