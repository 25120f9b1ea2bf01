#include "edges/report_json.h"

#include "edges/conductor.h"
#include "tests/edges/report_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

static json_t *parsed(const struct report *report)
{
    struct text out = {0};
    json_error_t error;
    report_json(&out, report);
    json_t *root = json_loadb(out.bytes, out.len, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(root);
    text_fini(&out);
    return root;
}

static void keys_come_in_the_order_of_the_contract(void **state)
{
    static const char *const order[] = {"report",       "scenario", "seed",     "duration_s", "layout",
                                        "streams",      "services", "edges",    "pools",      "statements",
                                        "database",     "cache",    "business", "alerts",     "faults",
                                        "expectations", "traces",   "cause"};
    (void)state;
    struct fixture *fixture = fixture_new();
    json_t *root = parsed(&fixture->report), *value;
    const char *key;
    size_t at = 0;
    json_object_foreach(root, key, value) assert_string_equal(key, order[at++]);
    assert_int_equal(at, ARRAY_LEN(order));
    json_decref(root);
    fixture_free(fixture);
}

static void a_spread_run_says_who_was_lost(void **state)
{
    const struct conductor_tally tally = {.joined = 14, .gone = 2, .spans_lost = 31};
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->report.processes = &tally;
    json_t *root = parsed(&fixture->report), *processes = json_object_get(root, "processes");
    assert_int_equal(json_integer_value(json_object_get(processes, "joined")), 14);
    assert_int_equal(json_integer_value(json_object_get(processes, "gone")), 2);
    assert_int_equal(json_integer_value(json_object_get(processes, "spans_lost")), 31);
    json_decref(root);
    fixture_free(fixture);
}

static void a_stream_has_its_counts_table_and_minutes(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    json_t *root = parsed(&fixture->report);
    json_t *demo = json_object_get(json_object_get(root, "streams"), "demo");
    assert_int_equal(json_integer_value(json_object_get(demo, "requests")), 900);
    assert_int_equal(json_integer_value(json_object_get(demo, "errors")), 550);
    assert_true(json_real_value(json_object_get(demo, "error_rate")) == 0.6111);
    json_t *row = json_array_get(json_object_get(demo, "table"), 2);
    assert_string_equal(json_string_value(json_object_get(row, "at")), "5m");
    assert_true(json_real_value(json_object_get(row, "error_rate")) == 0.8);
    assert_true(json_real_value(json_object_get(row, "p95_ms")) == 3000.0);
    json_t *minutes = json_object_get(demo, "minutes");
    assert_int_equal(json_array_size(minutes), 10);
    row = json_array_get(minutes, 0);
    assert_int_equal(json_integer_value(json_object_get(row, "minute")), 0);
    assert_true(json_real_value(json_object_get(row, "rpm_target")) == 0.0);
    row = json_array_get(minutes, 1);
    assert_true(json_real_value(json_object_get(row, "rpm_target")) == 100.0);
    json_decref(root);
    fixture_free(fixture);
}

static void money_is_derived_and_rounded(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    json_t *root = parsed(&fixture->report);
    json_t *business = json_object_get(root, "business");
    assert_int_equal(json_integer_value(json_object_get(business, "orders")), 350);
    assert_true(json_real_value(json_object_get(business, "revenue")) == 34996.5);
    assert_true(json_real_value(json_object_get(business, "average_order_value")) == 99.99);
    assert_true(json_real_value(json_object_get(business, "revenue_lost")) == 54994.5);
    assert_true(json_real_value(json_object_get(business, "revenue_per_request")) == 18.42);
    assert_true(json_real_value(json_object_get(business, "checkout_success_rate")) == 0.3889);
    assert_true(json_real_value(json_object_get(business, "cart_abandonment_rate")) == 0.0);
    json_decref(root);
    fixture_free(fixture);
}

static void what_did_not_happen_is_null(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    json_t *root = parsed(&fixture->report);
    json_t *fired = json_array_get(json_object_get(root, "alerts"), 0);
    json_t *never = json_array_get(json_object_get(root, "alerts"), 1);
    assert_string_equal(json_string_value(json_object_get(fired, "state")), "fired");
    assert_true(json_real_value(json_object_get(fired, "fired_at_s")) == 330.0);
    assert_true(json_is_null(json_object_get(fired, "resolved_at_s")));
    assert_string_equal(json_string_value(json_object_get(never, "state")), "inactive");
    assert_true(json_is_null(json_object_get(never, "fired_at_s")));
    json_decref(root);
    fixture->report.interrupted = true;
    fixture->stats.expects[0].judged = false;
    root = parsed(&fixture->report);
    json_t *expectation = json_array_get(json_object_get(root, "expectations"), 0);
    assert_true(json_is_null(json_object_get(expectation, "held")));
    assert_true(json_is_real(json_object_get(root, "interrupted_at_s")));
    json_decref(root);
    fixture_free(fixture);
}

static void pools_of_one_name_are_told_apart(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    json_t *root = parsed(&fixture->report), *pools = json_object_get(root, "pools");
    json_t *busy = json_object_get(pools, "recommendations");
    assert_string_equal(json_string_value(json_object_get(busy, "service")), "recommendation-service");
    assert_int_equal(json_integer_value(json_object_get(busy, "timeouts")), 550);
    assert_non_null(json_object_get(pools, "product-catalog/recommendations"));
    json_decref(root);
    fixture_free(fixture);
}

static void equal_runs_give_equal_bytes_with_few_decimals(void **state)
{
    (void)state;
    struct fixture *one = fixture_new(), *other = fixture_new();
    struct text a = {0}, b = {0};
    report_json(&a, &one->report);
    report_json(&b, &other->report);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.bytes, b.bytes, a.len);
    assert_int_equal(a.bytes[a.len - 1], '\n');
    assert_null(strstr(text_c(&a), "00000"));
    assert_null(strstr(text_c(&a), "99999"));
    text_fini(&a);
    text_fini(&b);
    fixture_free(one);
    fixture_free(other);
}

static void text_that_is_not_utf8_is_mended(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->scenario.name = "caf\xe9";
    json_t *root = parsed(&fixture->report);
    assert_string_equal(json_string_value(json_object_get(root, "scenario")), "caf?");
    json_decref(root);
    fixture_free(fixture);
}

static void the_cause_is_told_as_kind_and_sentence(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    json_t *root = parsed(&fixture->report), *cause = json_object_get(root, "cause");
    assert_string_equal(json_string_value(json_object_get(cause, "kind")), "missing_index");
    assert_non_null(strstr(json_string_value(json_object_get(cause, "says")), "487,342 rows"));
    json_decref(root);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_in_the_order_of_the_contract),
        cmocka_unit_test(a_spread_run_says_who_was_lost),
        cmocka_unit_test(a_stream_has_its_counts_table_and_minutes),
        cmocka_unit_test(money_is_derived_and_rounded),
        cmocka_unit_test(what_did_not_happen_is_null),
        cmocka_unit_test(pools_of_one_name_are_told_apart),
        cmocka_unit_test(equal_runs_give_equal_bytes_with_few_decimals),
        cmocka_unit_test(text_that_is_not_utf8_is_mended),
        cmocka_unit_test(the_cause_is_told_as_kind_and_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
