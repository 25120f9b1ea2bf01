/* attr: names stand for the keys, a key stands once, and what does not fit is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/attr.h"
#include "core/log.h"

static void names_are_the_contract(void **state)
{
    (void)state;
    assert_string_equal(attr_name(ATTR_HTTP_METHOD), "http.request.method");
    assert_string_equal(attr_name(ATTR_TRAFFIC_TYPE), "traffic.type");
    assert_string_equal(attr_name(ATTR_LOG_EVIDENCE), "evidence");
    for (int a = 0; a < ATTR_COUNT; a++)
        for (int b = 0; b < a; b++)
            assert_string_not_equal(attr_name((enum attr_key)a), attr_name((enum attr_key)b));
}

static void values_keep_their_type(void **state)
{
    (void)state;
    struct attrs attrs = {0};
    attrs_text(&attrs, ATTR_DEMO_PHASE, "peak");
    attrs_text_len(&attrs, ATTR_ORDER_ID, "ord-12345", 5);
    attrs_int(&attrs, ATTR_DEMO_MINUTE, -7);
    attrs_real(&attrs, ATTR_CHECKOUT_TOTAL, 99.5);
    attrs_bool(&attrs, ATTR_CHECKOUT_FAILED, true);
    attrs_text(&attrs, ATTR_USER_ID, NULL);

    assert_int_equal(attrs.count, 5);
    assert_int_equal(attrs.list[0].type, ATTR_TEXT);
    assert_int_equal(attrs.list[0].len, 4);
    assert_int_equal(attrs.list[1].len, 5);
    assert_memory_equal(attrs.list[1].text, "ord-1", 5);
    assert_int_equal(attrs.list[2].type, ATTR_INT);
    assert_int_equal(attrs.list[2].integer, -7);
    assert_int_equal(attrs.list[3].type, ATTR_REAL);
    assert_true(attrs.list[3].real == 99.5);
    assert_int_equal(attrs.list[4].type, ATTR_BOOL);
    assert_true(attrs.list[4].truth);
}

static void setting_again_replaces(void **state)
{
    (void)state;
    struct attrs attrs = {0};
    attrs_text(&attrs, ATTR_ERROR_TYPE, "503");
    attrs_int(&attrs, ATTR_DEMO_MINUTE, 1);
    attrs_int(&attrs, ATTR_ERROR_TYPE, 504);
    assert_int_equal(attrs.count, 2);
    assert_int_equal(attrs.list[0].type, ATTR_INT);
    assert_int_equal(attrs.list[0].integer, 504);
}

static void a_full_list_counts_what_it_drops(void **state)
{
    (void)state;
    struct attrs attrs = {0};
    for (int key = 0; key < ATTRS_MAX + 3; key++)
        attrs_int(&attrs, (enum attr_key)key, key);
    assert_int_equal(attrs.count, ATTRS_MAX);
    assert_int_equal(attrs.dropped, 3);
    assert_null(attrs_slot(&attrs, ATTR_LOG_EVIDENCE));
    assert_non_null(attrs_slot(&attrs, (enum attr_key)0));
}

static void log_texts(void **state)
{
    (void)state;
    assert_string_equal(log_body_text(LOG_BODY_SLOW_QUERY), "Slow query detected: missing index");
    assert_string_equal(log_body_text(LOG_BODY_POOL_EXHAUSTED), "Connection pool exhausted");
    assert_string_equal(log_severity_text(LOG_INFO), "INFO");
    assert_string_equal(log_severity_text(LOG_WARN), "WARN");
    assert_string_equal(log_severity_text(LOG_ERROR), "ERROR");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_the_contract),
        cmocka_unit_test(values_keep_their_type),
        cmocka_unit_test(setting_again_replaces),
        cmocka_unit_test(a_full_list_counts_what_it_drops),
        cmocka_unit_test(log_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
