/* otlp_export_retry, otlp_export_answer: what a status, a Retry-After and a body mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "edges/otlp_export_answer.h"
#include "edges/otlp_export_retry.h"

static void four_codes_are_tried_again(void **state)
{
    (void)state;
    for (long code = 100; code < 600; code++) {
        enum otlp_verdict want = code >= 200 && code < 300 ? OTLP_ACCEPTED : OTLP_REFUSED;
        if (code == 429 || code == 502 || code == 503 || code == 504)
            want = OTLP_RETRY;
        assert_int_equal(otlp_verdict(code), want);
    }
}

static void waits_grow_to_five_seconds(void **state)
{
    (void)state;
    static const double middle_s[] = {1, 1.5, 2.25, 3.375, 5, 5, 5};
    for (unsigned i = 0; i < ARRAY_LEN(middle_s); i++) {
        assert_true(otlp_backoff_s(i + 1, 0) == middle_s[i] * 0.8);
        assert_true(otlp_backoff_s(i + 1, 0.5) > middle_s[i] * 0.99);
        assert_true(otlp_backoff_s(i + 1, 0.999) < middle_s[i] * 1.2);
    }
    assert_true(otlp_backoff_s(1000000, 0.5) <= 5.001);
}

static void retry_after_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        double wait_s; /* at 1764000000, which is Mon, 24 Nov 2025 16:00:00 GMT */
    } table[] = {
        {"7", 7},
        {" 120 \r\n", 120},
        {"0", 0},
        {"999999999999999999999", 3600},
        {"Mon, 24 Nov 2025 16:00:30 GMT", 30},
        {"Mon, 24 Nov 2025 15:59:00 GMT", 0}, /* it has passed */
        {"Monday, 24-Nov-25 16:00:05 GMT", 5},
        {"Mon Nov 24 16:00:09 2025", 9},
        {"", -1},
        {"soon", -1},
        {"-5", -1},
        {"1.5", -1},
        {"12:", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        assert_true(otlp_retry_after_s(table[i].value, strlen(table[i].value), 1764000000) ==
                    table[i].wait_s);
}

#define ANSWER(json, body) otlp_answer_read(&answer, json, body, sizeof(body) - 1)

static void partial_success_is_read(void **state)
{
    (void)state;
    struct otlp_answer answer;
    ANSWER(true, "{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"too\\nold\"}}");
    assert_int_equal(answer.rejected, 3);
    assert_string_equal(answer.message, "too?old");
    ANSWER(true, "{\"partialSuccess\":{\"rejectedDataPoints\":2}}");
    assert_int_equal(answer.rejected, 2);
    ANSWER(true, "{\"partialSuccess\":{\"rejectedLogRecords\":-2}}");
    assert_int_equal(answer.rejected, 0);
    ANSWER(false, "\x0a\x07\x08\x05\x12\x03"
                  "bad");
    assert_int_equal(answer.rejected, 5);
    assert_string_equal(answer.message, "bad");
}

/* Servers answer with all sorts of things. */
static void other_bodies_say_nothing(void **state)
{
    (void)state;
    struct otlp_answer answer;
    static const char *const json[] = {"",
                                       "{}",
                                       "{\"ok\":1}",
                                       "[1]",
                                       "null",
                                       "<html>",
                                       "{\"partialSuccess\":7}",
                                       "{\"partialSuccess\":{\"rejectedSpans\":[1]}}"};
    for (size_t i = 0; i < ARRAY_LEN(json); i++) {
        otlp_answer_read(&answer, true, json[i], strlen(json[i]));
        assert_int_equal(answer.rejected, 0);
        assert_string_equal(answer.message, "");
    }
    ANSWER(false, "\xff\xff\xff\xff");
    assert_int_equal(answer.rejected, 0);
    char deep[5000];
    memset(deep, '[', sizeof deep);
    otlp_answer_read(&answer, true, deep, sizeof deep);
    assert_int_equal(answer.rejected, 0);
}

static void errors_have_a_message(void **state)
{
    (void)state;
    struct otlp_answer answer;
    otlp_answer_error(&answer, true, "{\"code\":3,\"message\":\"no\"}", 25);
    assert_string_equal(answer.message, "no");
    otlp_answer_error(&answer, false, "\x08\x03\x12\x02no", 6);
    assert_string_equal(answer.message, "no");
    otlp_answer_error(&answer, true, "bad gateway", 11);
    assert_string_equal(answer.message, "bad gateway");
    otlp_answer_error(&answer, true, NULL, 0);
    assert_string_equal(answer.message, "");
    char big[1000];
    memset(big, 'x', sizeof big);
    otlp_answer_error(&answer, true, big, sizeof big);
    assert_int_equal(strlen(answer.message), OTLP_MESSAGE_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_codes_are_tried_again), cmocka_unit_test(waits_grow_to_five_seconds),
        cmocka_unit_test(retry_after_is_read),        cmocka_unit_test(partial_success_is_read),
        cmocka_unit_test(other_bodies_say_nothing),   cmocka_unit_test(errors_have_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
