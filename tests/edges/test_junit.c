/* junit: what it says of each expectation and fault; tests/scripts/telling.sh reads it with an XML parser. */
#include "edges/junit.h"
#include "tests/edges/report_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static char *written(const struct fixture *fixture)
{
    struct text out = {0};
    junit_write(&out, &fixture->report);
    text_c(&out);
    return out.bytes;
}

static void assert_says(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("not said: %s\nin: %s", part, text);
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr(text, part)); text++)
        count++;
    return count;
}

static void every_expectation_and_fault_is_a_case(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    char *text = written(fixture);
    assert_says(text, "<testsuites name=\"small\" tests=\"3\" failures=\"1\" errors=\"0\">");
    assert_says(text, "<testsuite name=\"small\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"0\">");
    assert_int_equal(count_of(text, "<testcase classname=\"small\""), 3);
    assert_says(text, "name=\"baseline.errors: rate&lt;=0.02\"/>");
    assert_says(text, "name=\"fault drop_index idx_products_category at 00:00: lands\"/>");
    assert_says(text, "<property name=\"seed\" value=\"7\"/>");
    free(text);
    fixture_free(fixture);
}

static void what_was_set_by_hand_is_no_failure(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->stats.faults[0].landed = false;
    fixture->stats.faults[0].by_hand = true;
    char *text = written(fixture);
    assert_says(text, "failures=\"1\"");
    assert_says(text, "skipped=\"1\"");
    free(text);
    fixture_free(fixture);
}

static void a_failure_has_what_was_expected_and_what_was_found(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->stats.faults[0].landed = false;
    char *text = written(fixture);
    assert_says(text, "<failure type=\"expectation\" message=\"expected demo.errors at 5m: rate&lt;0.1, "
                      "found 0.8\">expected demo.errors at 5m: rate&lt;0.1, found 0.8</failure>");
    assert_says(text, "<failure type=\"fault\" message=\"expected the fault to land, found 1,204 sequential");
    assert_says(text, "failures=\"2\"");
    free(text);
    fixture->stats.faults[0].evidence[0] = '\0';
    text = written(fixture);
    assert_says(text, "expected the fault to land, found nothing to prove it");
    free(text);
    fixture_free(fixture);
}

static void what_was_not_judged_is_skipped(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->stats.expects[1].judged = false;
    fixture->stats.faults[0].judged = false;
    char *text = written(fixture);
    assert_says(text, "tests=\"3\" failures=\"0\" errors=\"0\" skipped=\"2\"");
    assert_int_equal(count_of(text, "<skipped message="), 2);
    assert_int_equal(count_of(text, "<failure"), 0);
    free(text);
    fixture_free(fixture);
}

static void nothing_to_judge_is_a_suite_without_cases(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->scenario.expect_count = 0;
    fixture->stats.fault_count = 0;
    char *text = written(fixture);
    assert_says(text, "tests=\"0\" failures=\"0\"");
    assert_int_equal(count_of(text, "<testcase"), 0);
    free(text);
    fixture_free(fixture);
}

static void text_is_escaped_and_what_xml_cannot_hold_is_not_there(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->scenario.name = "a&b<c>\"d\" \x1b[31m\x07 caf\xc3\xa9 \xff \xef\xbf\xbe \xed\xa0\x80.";
    char *text = written(fixture);
    assert_says(text, "name=\"a&amp;b&lt;c&gt;&quot;d&quot; ?[31m? caf\xc3\xa9 ? ??? ???.\"");
    for (const char *at = text; *at; at++)
        assert_true(*at == '\n' || (unsigned char)*at >= ' ');
    free(text);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_expectation_and_fault_is_a_case),
        cmocka_unit_test(what_was_set_by_hand_is_no_failure),
        cmocka_unit_test(a_failure_has_what_was_expected_and_what_was_found),
        cmocka_unit_test(what_was_not_judged_is_skipped),
        cmocka_unit_test(nothing_to_judge_is_a_suite_without_cases),
        cmocka_unit_test(text_is_escaped_and_what_xml_cannot_hold_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
