/* text: bytes that grow, and numbers against the C library's printf. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/draw.h"
#include "core/text.h"

/* Writes with `write`, compares, and starts afresh. */
#define ASSERT_WRITES(expected, write)                                                                       \
    do {                                                                                                     \
        struct text text = {0};                                                                              \
        write;                                                                                               \
        assert_string_equal(text_c(&text), expected);                                                        \
        text_fini(&text);                                                                                    \
    } while (0)

static void bytes_grow_at_the_end(void **state)
{
    (void)state;
    struct text text = {0};
    for (int i = 0; i < 10000; i++) {
        text_lit(&text, "ab");
        text_char(&text, 'c');
        text_str(&text, "de");
        text_bytes(&text, "fgh", 2);
    }
    assert_int_equal(text.len, 70000);
    assert_true(text.cap >= text.len && text.cap <= 4 * text.len);
    for (size_t i = 0; i < text.len; i++)
        assert_int_equal(text.bytes[i], "abcdefg"[i % 7]);
    assert_int_equal(strlen(text_c(&text)), text.len);
    text_fini(&text);
    assert_null(text.bytes);
    assert_int_equal(text.cap, 0);
}

static void text_c_does_not_count_its_end(void **state)
{
    (void)state;
    struct text text = {0};
    assert_string_equal(text_c(&text), "");
    assert_int_equal(text.len, 0);
    text_lit(&text, "a");
    assert_string_equal(text_c(&text), "a");
    text_lit(&text, "b");
    assert_string_equal(text_c(&text), "ab");
    text_fini(&text);
}

static void integers_are_written_as_printf_does(void **state)
{
    (void)state;
    ASSERT_WRITES("0", text_i64(&text, 0));
    ASSERT_WRITES("-9223372036854775808", text_i64(&text, INT64_MIN));
    ASSERT_WRITES("9223372036854775807", text_i64(&text, INT64_MAX));
    ASSERT_WRITES("18446744073709551615", text_u64(&text, UINT64_MAX));
    for (uint32_t i = 0; i < 10000; i++) {
        struct draw chance = draw(1, 0, 0, i);
        int64_t value = (int64_t)chance.a >> chance.b % 64;
        char expected[32];
        snprintf(expected, sizeof expected, "%lld", (long long)value);
        ASSERT_WRITES(expected, text_i64(&text, value));
    }
}

static void decimals_are_rounded_half_away_from_zero(void **state)
{
    (void)state;
    ASSERT_WRITES("3", text_fixed(&text, 2.5, 0));
    ASSERT_WRITES("-3", text_fixed(&text, -2.5, 0));
    ASSERT_WRITES("0.13", text_fixed(&text, 0.125, 2));
    ASSERT_WRITES("1.000", text_fixed(&text, 0.9999, 3));
    ASSERT_WRITES("-1.00", text_fixed(&text, -0.999, 2));
    ASSERT_WRITES("0.0", text_fixed(&text, -0.01, 1));
    ASSERT_WRITES("0.000000001", text_fixed(&text, 1e-9, 9));
    ASSERT_WRITES("49.99", text_fixed(&text, 49.99, 2));
    ASSERT_WRITES("78.0", text_fixed(&text, 78, 1));
    ASSERT_WRITES("999999999999999", text_fixed(&text, 999999999999999.0, 0));
}

/* Ties aside, which random values never hit, both round to the nearest. */
static void decimals_are_those_of_printf(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 20000; i++) {
        struct draw chance = draw(2, 0, 0, i);
        double value = (draw_uniform(chance.a) - 0.5) * 20000;
        int decimals = (int)(chance.b % 7);
        char expected[48];
        snprintf(expected, sizeof expected, "%.*f", decimals, value);
        if (strspn(expected, "-0.") == strlen(expected))
            continue; /* printf writes -0.0 */
        ASSERT_WRITES(expected, text_fixed(&text, value, decimals));
    }
}

static void durations_are_written_as_people_do(void **state)
{
    (void)state;
    ASSERT_WRITES("0s", text_duration(&text, 0));
    ASSERT_WRITES("0.001us", text_duration(&text, 1));
    ASSERT_WRITES("1.5us", text_duration(&text, 1500));
    ASSERT_WRITES("250ms", text_duration(&text, 250 * NS_PER_MS));
    ASSERT_WRITES("2.05ms", text_duration(&text, 2050 * NS_PER_US));
    ASSERT_WRITES("2s", text_duration(&text, 2 * NS_PER_S));
    ASSERT_WRITES("59.5s", text_duration(&text, 59500 * NS_PER_MS));
    ASSERT_WRITES("1m", text_duration(&text, NS_PER_MIN));
    ASSERT_WRITES("2m30s", text_duration(&text, 150 * NS_PER_S));
    ASSERT_WRITES("-3s", text_duration(&text, -3 * NS_PER_S));
    ASSERT_WRITES("90m", text_duration(&text, 90 * NS_PER_MIN));
    ASSERT_WRITES("6h", text_duration(&text, 6 * NS_PER_HOUR));
}

static void the_clock_shows_hours_when_there_are_any(void **state)
{
    (void)state;
    ASSERT_WRITES("00:00", text_clock(&text, 0));
    ASSERT_WRITES("22:41", text_clock(&text, 22 * NS_PER_MIN + 41 * NS_PER_S + NS_PER_MS));
    ASSERT_WRITES("59:59", text_clock(&text, 60 * NS_PER_MIN - 1));
    ASSERT_WRITES("1:00:00", text_clock(&text, 60 * NS_PER_MIN));
    ASSERT_WRITES("12:03:09", text_clock(&text, 723 * NS_PER_MIN + 9 * NS_PER_S));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_grow_at_the_end),
        cmocka_unit_test(text_c_does_not_count_its_end),
        cmocka_unit_test(integers_are_written_as_printf_does),
        cmocka_unit_test(decimals_are_rounded_half_away_from_zero),
        cmocka_unit_test(decimals_are_those_of_printf),
        cmocka_unit_test(durations_are_written_as_people_do),
        cmocka_unit_test(the_clock_shows_hours_when_there_are_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
