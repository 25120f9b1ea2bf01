#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/quantity.h"

static struct slice slice(const char *text)
{
    return (struct slice){text, (uint32_t)strlen(text)};
}

static void durations_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ps;
    } cases[] = {
        {"0s", 0},
        {"1ns", 1000},
        {"1.0465us", 1046500},
        {"0.000000001s", 1000},
        {"0.5ns", 500},
        {"250ms", INT64_C(250000000000)},
        {"90s", INT64_C(90000000000000)},
        {"2m30s", INT64_C(150000000000000)},
        {"1h30m", INT64_C(5400000000000000)},
        {"1.5h", INT64_C(5400000000000000)},
        {"1m1ms1us1ns", INT64_C(60001001001000)},
        {"0.1ms", INT64_C(100000000)},
        {"1000h", INT64_C(3600000000000000000)},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t ps = -1;
        assert_int_equal(quantity_duration_ps(slice(cases[i].text), &ps), QUANTITY_OK);
        assert_int_equal(ps, cases[i].ps);
    }
}

static void durations_are_refused_by_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum quantity_result result;
    } cases[] = {
        {"", QUANTITY_FORM},       {"0", QUANTITY_NO_UNIT},      {"15", QUANTITY_NO_UNIT},
        {"1.5", QUANTITY_NO_UNIT}, {"-5m", QUANTITY_NEGATIVE},   {"-5", QUANTITY_NEGATIVE},
        {"5 m", QUANTITY_FORM},    {"m", QUANTITY_FORM},         {"5min", QUANTITY_FORM},
        {"5s5m", QUANTITY_FORM},   {"5m5m", QUANTITY_FORM},      {"5.m", QUANTITY_FORM},
        {".5m", QUANTITY_FORM},    {"+5m", QUANTITY_FORM},       {"5M", QUANTITY_FORM},
        {"1e3s", QUANTITY_FORM},   {"1001h", QUANTITY_LARGE},    {"999999999h", QUANTITY_LARGE},
        {"0.5ns", QUANTITY_FINE},  {"1.0001ns", QUANTITY_FINE},  {"1234567890s", QUANTITY_FORM},
        {"5m30", QUANTITY_FORM},   {"1000h1ns", QUANTITY_LARGE}, {"0.000000001us", QUANTITY_FINE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t ns;
        assert_int_equal(quantity_duration(slice(cases[i].text), &ns), cases[i].result);
    }
}

/* What is written for a duration reads back as the same one. */
static void every_millisecond_reads_back(void **state)
{
    (void)state;
    for (int ms = 0; ms < 100000; ms += 7) {
        char text[16] = "00000.000s";
        for (int i = 8, left = ms; i >= 0; i--) {
            if (text[i] == '.')
                continue;
            text[i] = (char)('0' + left % 10);
            left /= 10;
        }
        int64_t ns;
        assert_int_equal(quantity_duration(slice(text), &ns), QUANTITY_OK);
        assert_int_equal(ns, ms * NS_PER_MS);
    }
}

static void rates_are_per_minute(void **state)
{
    (void)state;
    double rate;
    assert_int_equal(quantity_rate(slice("800/min"), &rate), QUANTITY_OK);
    assert_true(rate == 800);
    assert_int_equal(quantity_rate(slice("1.5/s"), &rate), QUANTITY_OK);
    assert_true(rate == 90);
    assert_int_equal(quantity_rate(slice("90/h"), &rate), QUANTITY_OK);
    assert_true(rate == 1.5);
    assert_int_equal(quantity_rate(slice("0.1/min"), &rate), QUANTITY_OK);
    assert_true(rate == 0.1);
    assert_int_equal(quantity_rate(slice("800"), &rate), QUANTITY_NO_UNIT);
    assert_int_equal(quantity_rate(slice("-800/min"), &rate), QUANTITY_NEGATIVE);
    assert_int_equal(quantity_rate(slice("800/m"), &rate), QUANTITY_FORM);
    assert_int_equal(quantity_rate(slice("800/minute"), &rate), QUANTITY_FORM);
}

static void percents_are_shares(void **state)
{
    (void)state;
    double share;
    assert_int_equal(quantity_percent(slice("75%"), &share), QUANTITY_OK);
    assert_true(share == 0.75);
    assert_int_equal(quantity_percent(slice("99.9%"), &share), QUANTITY_OK);
    assert_true(share == 0.999);
    assert_int_equal(quantity_percent(slice("75"), &share), QUANTITY_NO_UNIT);
    assert_int_equal(quantity_percent(slice("75 %"), &share), QUANTITY_FORM);
    assert_int_equal(quantity_percent(slice("-1%"), &share), QUANTITY_NEGATIVE);
}

static void numbers_are_those_of_yaml_and_json(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double number;
        bool integer;
    } cases[] = {
        {"0", 0, true},       {"20", 20, true},      {"-7", -7, true},
        {"+7", 7, true},      {"0x1f", 31, true},    {"0o17", 15, true},
        {"007", 7, true},     {"1.5", 1.5, false},   {".25", 0.25, false},
        {"1.", 1, false},     {"1e3", 1000, false},  {"1.5E-2", 0.015, false},
        {"1e+2", 100, false}, {"0.1", 0.1, false},   {"1e400", 1 / 0.0, false},
        {"1e-400", 0, false}, {"14.4", 14.4, false}, {"1e99999", 1 / 0.0, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        double number;
        assert_true(quantity_number(slice(cases[i].text), &number));
        assert_true(number == cases[i].number);
        assert_int_equal(quantity_is_integer(slice(cases[i].text)), cases[i].integer);
    }
    static const char *const none[] = {"",     ".",   "-",   "+",     "e3",    "1e",   "1e+",
                                       "0x",   "0o8", "0xg", "1.2.3", "1_000", "1:30", ".inf",
                                       ".nan", "nan", "inf", "1 ",    " 1",    "--1",  "-0x1f"};
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        double number;
        assert_false(quantity_number(slice(none[i]), &number));
        assert_false(quantity_is_integer(slice(none[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_exact),          cmocka_unit_test(durations_are_refused_by_reason),
        cmocka_unit_test(every_millisecond_reads_back), cmocka_unit_test(rates_are_per_minute),
        cmocka_unit_test(percents_are_shares),          cmocka_unit_test(numbers_are_those_of_yaml_and_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
