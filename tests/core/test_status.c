/* status: what the list promises of every line in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base.h"
#include "core/status.h"

static void every_status_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < STATUS_COUNT; i++) {
        const char *text = status_info((enum status)i)->text;
        assert_non_null(text);
        assert_true(text[0] != '\0');
        for (int j = 0; j < i; j++)
            assert_string_not_equal(text, status_info((enum status)j)->text);
    }
}

static void failures_and_only_they_and_bad_requests_have_an_error_type(void **state)
{
    (void)state;
    for (int i = 0; i < STATUS_COUNT; i++) {
        const struct status_info *info = status_info((enum status)i);
        bool bad_request = i == STATUS_BAD_INPUT || i == STATUS_NOT_FOUND;
        assert_int_equal(info->error_type != NULL, info->failed || bad_request);
        assert_int_equal(info->failed, status_failed((enum status)i));
    }
}

static void http_codes_say_the_same_as_failed(void **state)
{
    (void)state;
    for (int i = 0; i < STATUS_COUNT; i++) {
        const struct status_info *info = status_info((enum status)i);
        assert_int_equal(info->failed, info->http == 0 || info->http >= 500);
        assert_true(info->http == 0 || (info->http >= 200 && info->http < 600));
    }
    assert_int_equal(status_info(STATUS_OK)->http, 200);
    assert_int_equal(status_info(STATUS_CREATED)->http, 201);
    assert_int_equal(status_info(STATUS_NOT_FOUND)->http, 404);
    assert_int_equal(status_info(STATUS_POOL_EXHAUSTED)->http, 503);
}

static void sold_out_is_an_outcome_and_no_error(void **state)
{
    (void)state;
    assert_int_equal(status_info(STATUS_SOLD_OUT)->http, 409);
    assert_false(status_failed(STATUS_SOLD_OUT));
    assert_null(status_info(STATUS_SOLD_OUT)->error_type);
}

static void postgresql_codes_have_five_characters(void **state)
{
    (void)state;
    for (int i = 0; i < STATUS_COUNT; i++) {
        const char *sqlstate = status_info((enum status)i)->sqlstate;
        if (sqlstate)
            assert_int_equal(strlen(sqlstate), 5);
    }
    assert_string_equal(status_info(STATUS_CONNECTIONS_EXHAUSTED)->sqlstate, "53300");
    assert_string_equal(status_info(STATUS_LOCK_TIMEOUT)->sqlstate, "55P03");
    assert_string_equal(status_info(STATUS_POOL_EXHAUSTED)->sqlstate, "08006");
}

static jmp_buf broken;

static void note_broken(const char *condition, const char *file, int line)
{
    (void)condition, (void)file, (void)line;
    longjmp(broken, 1);
}

static void a_status_outside_the_list_is_a_bug(void **state)
{
    (void)state;
    static const int outside[] = {STATUS_COUNT, -1};
    base_on_broken = note_broken;
    for (volatile size_t i = 0; i < ARRAY_LEN(outside); i++) {
        if (setjmp(broken) == 0) {
            status_info((enum status)outside[i]);
            fail_msg("status %d was taken", outside[i]);
        }
    }
    base_on_broken = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_text_of_its_own),
        cmocka_unit_test(failures_and_only_they_and_bad_requests_have_an_error_type),
        cmocka_unit_test(http_codes_say_the_same_as_failed),
        cmocka_unit_test(sold_out_is_an_outcome_and_no_error),
        cmocka_unit_test(postgresql_codes_have_five_characters),
        cmocka_unit_test(a_status_outside_the_list_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
