/* json_out: any bytes become valid JSON text, and numbers read back as they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <math.h>

#include <cmocka.h>

#include "edges/json_out.h"

static char out[4096];

static const char *end(char *at)
{
    *at = '\0';
    return out;
}

static const char *text(const char *bytes, size_t len)
{
    return end(json_text(out, bytes, len));
}

#define TEXT(literal) text("" literal, sizeof(literal) - 1)

static void plain_text_stays(void **state)
{
    (void)state;
    assert_string_equal(TEXT(""), "");
    assert_string_equal(TEXT("GET"), "GET");
    assert_string_equal(TEXT("SELECT ecommerce.products"), "SELECT ecommerce.products");
    assert_string_equal(TEXT("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9b\x92 ~\x7f"),
                        "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9b\x92 ~\x7f");
}

static void what_json_wants_escaped_is(void **state)
{
    (void)state;
    assert_string_equal(TEXT("\"quoted\" back\\slash"), "\\\"quoted\\\" back\\\\slash");
    assert_string_equal(TEXT("a\nb\tc\0d\x1f"), "a\\u000ab\\u0009c\\u0000d\\u001f");
    assert_string_equal(TEXT("12345678\""), "12345678\\\"");
}

static void what_is_not_utf8_is_replaced(void **state)
{
    (void)state;
#define BAD "\xef\xbf\xbd"
    assert_string_equal(TEXT("a\xff"
                             "b"),
                        "a" BAD "b");
    assert_string_equal(TEXT("\xc0\xaf"), BAD BAD); /* overlong */
    assert_string_equal(TEXT("\xe0\x80\xaf"), BAD BAD BAD); /* overlong */
    assert_string_equal(TEXT("\xed\xa0\x80"), BAD BAD BAD); /* surrogate */
    assert_string_equal(TEXT("\xf4\x90\x80\x80"), BAD BAD BAD BAD); /* above U+10FFFF */
    assert_string_equal(TEXT("cut \xe2\x82"), "cut " BAD BAD);
    assert_string_equal(TEXT("\xed\x9f\xbf\xf4\x8f\xbf\xbf"), "\xed\x9f\xbf\xf4\x8f\xbf\xbf");
#undef BAD
}

/* Whatever byte stands at whatever place of the eight that are taken at once. */
static void every_byte_at_every_place(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        for (size_t place = 0; place < 17; place++) {
            char in[17], want[64];
            memset(in, 'x', sizeof in);
            in[place] = (char)byte;
            char middle[8] = {(char)byte};
            if (byte < ' ')
                snprintf(middle, sizeof middle, "\\u%04x", (unsigned)byte);
            else if (byte == '"' || byte == '\\')
                snprintf(middle, sizeof middle, "\\%c", byte);
            else if (byte >= 0x80)
                snprintf(middle, sizeof middle, "\xef\xbf\xbd");
            snprintf(want, sizeof want, "%.*s%s%.*s", (int)place, "xxxxxxxxxxxxxxxxx", middle,
                     (int)(16 - place), "xxxxxxxxxxxxxxxxx");
            assert_string_equal(text(in, sizeof in), want);
        }
    }
}

static void no_more_room_is_taken_than_said(void **state)
{
    (void)state;
    for (size_t len = 0; len < 40; len++) {
        char *in = malloc(len + 1), *room = malloc(JSON_TEXT_ROOM(len));
        assert_true(in && room);
        memset(in, 1, len);
        assert_int_equal(json_text(room, in, len) - room, 6 * len);
        free(in);
        free(room);
    }
}

static void parts_of_urls_are_percent_encoded(void **state)
{
    (void)state;
    static const char hostile[] = "a/b?c#d%e \"\xff\0-._~!$&'()*+,;=:@Zz09{}";
    assert_string_equal(end(json_url_part(out, hostile, sizeof hostile - 1)),
                        "a%2Fb%3Fc%23d%25e%20%22%FF%00-._~!$&'()*+,;=:@Zz09%7B%7D");
    assert_string_equal(end(json_url_part(out, NULL, 0)), "");
}

static void whole_numbers(void **state)
{
    (void)state;
    static const uint64_t values[] = {
        0, 9, 10, 99999999, 100000000, 123456789, 4294967296, 10000000000, 1764000000000000001, UINT64_MAX};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        char want[32];
        snprintf(want, sizeof want, "%llu", (unsigned long long)values[i]);
        assert_string_equal(end(json_u64(out, values[i])), want);
    }
    assert_string_equal(end(json_i64(out, INT64_MIN)), "-9223372036854775808");
    assert_string_equal(end(json_i64(out, -1)), "-1");
    assert_string_equal(end(json_hex64(out, 0x0123456789abcdef)), "0123456789abcdef");
    assert_string_equal(end(json_hex64(out, 0xf)), "000000000000000f");
}

static void doubles_are_short(void **state)
{
    (void)state;
    assert_string_equal(end(json_double(out, 0)), "0");
    assert_string_equal(end(json_double(out, -0.0)), "-0");
    assert_string_equal(end(json_double(out, 5)), "5");
    assert_string_equal(end(json_double(out, 0.1)), "0.1");
    assert_string_equal(end(json_double(out, -99.95)), "-99.95");
    assert_string_equal(end(json_double(out, 5000.020001)), "5000.020001");
    assert_string_equal(end(json_double(out, 0.000000001)), "0.000000001");
    assert_string_equal(end(json_double(out, 1e22)), "1e+22");
    assert_string_equal(end(json_double(out, 1.0 / 3)), "0.3333333333333333");
    assert_string_equal(end(json_double(out, NAN)), "\"NaN\"");
    assert_string_equal(end(json_double(out, INFINITY)), "\"Infinity\"");
    assert_string_equal(end(json_double(out, -INFINITY)), "\"-Infinity\"");
}

static void doubles_read_back(void **state)
{
    (void)state;
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 100000; i++) {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        double any, few = (double)(int64_t)(bits >> 30) / 1e6;
        memcpy(&any, &bits, sizeof any);
        assert_true(strtod(end(json_double(out, few)), NULL) == few);
        assert_true(strlen(out) <= JSON_NUMBER_ROOM);
        if (isfinite(any))
            assert_true(strtod(end(json_double(out, any)), NULL) == any);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_stays),
        cmocka_unit_test(what_json_wants_escaped_is),
        cmocka_unit_test(what_is_not_utf8_is_replaced),
        cmocka_unit_test(every_byte_at_every_place),
        cmocka_unit_test(no_more_room_is_taken_than_said),
        cmocka_unit_test(parts_of_urls_are_percent_encoded),
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(doubles_are_short),
        cmocka_unit_test(doubles_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
