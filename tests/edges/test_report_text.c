#include "edges/report_cause.h"
#include "edges/report_text.h"
#include "tests/edges/report_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct paint plain = {false, false}, bright = {true, true}, blocks = {false, true};

static char *told(const struct fixture *fixture, const struct paint *paint)
{
    struct text out = {0};
    report_text(&out, &fixture->report, paint);
    text_c(&out);
    return out.bytes;
}

static void assert_tells(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("not told: %s\nin: %s", part, text);
}

static void everything_stands_in_it(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    char *text = told(fixture, &plain);
    assert_tells(text, "small - seed 7 - 10m in virtual time\n");
    assert_tells(text, "     5 critical       100   0.0 %         300 ms    100  80.0 % #####   3.00 s\n");
    assert_tells(text, "     0 calm           100   0.0 %         300 ms      -\n");
    assert_tells(text, "  demo          __:=*####\n");
    assert_tells(text, "collapse                flow       fired 05:30\n");
    assert_tells(text, "burn                    burn_rate  did not fire\n");
    assert_tells(text, "00:00  drop_index idx_products_category: landed, 1,204 sequential scans\n");
    assert_tells(text, "20 of 20 used at the peak, 550 timed out, wait p95");
    assert_tells(text, "350 orders, $34,997; 550 of 900 checkouts lost, about $54,995\n");
    assert_tells(text, "1,900 traces of 25,000 spans, up to 8 levels deep");
    free(text);
    fixture_free(fixture);
}

static void what_failed_comes_first(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    char *text = told(fixture, &plain);
    assert_tells(text, "expectations\n  FAILED  demo.errors at 5m: rate<0.1  (0.8)\n  ok      baseline");
    free(text);
    fixture_free(fixture);
}

static void many_that_held_are_counted(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->scenario.expect_count = 15;
    for (size_t i = 2; i < 15; i++) {
        fixture->scenario.expects[i].text = "one more";
        fixture->stats.expects[i].judged = fixture->stats.expects[i].held = true;
    }
    char *text = told(fixture, &plain);
    assert_tells(text, "  ok      14 held\n");
    assert_null(strstr(text, "one more"));
    free(text);
    fixture_free(fixture);
}

static void plain_is_ascii_and_no_control_character_gets_through(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    char *text = told(fixture, &plain);
    assert_tells(text, "A pool runs dry ? and ?[31mnobody? knows why.\n");
    for (const char *at = text; *at; at++)
        assert_true(*at == '\n' || (*at >= ' ' && *at <= '~'));
    free(text);
    text = told(fixture, &blocks);
    assert_tells(text, "\xe2\x80\x93 and ?[31mnobody? knows");
    assert_null(strchr(text, '\x1b'));
    free(text);
    fixture_free(fixture);
}

static void colour_tells_green_from_red(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    char *text = told(fixture, &bright);
    assert_tells(text, "\x1b[31m80.0 %\x1b[0m");
    assert_tells(text, "\x1b[32m0.0 %\x1b[0m");
    assert_tells(text, "\x1b[31mFAILED\x1b[0m");
    free(text);
    fixture_free(fixture);
}

static void lines_of_the_table_fit_eighty_columns(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->scenario.streams[0].name = "a name that is far too long for the column it stands in";
    char *text = told(fixture, &plain);
    for (char *line = strtok(strstr(text, "\n\n"), "\n"); line && !strstr(line, "alerts");
         line = strtok(NULL, "\n"))
        assert_true(strlen(line) <= 80);
    free(text);
    fixture_free(fixture);
}

static void assert_cause(const struct fixture *fixture, const char *expected)
{
    struct text out = {0};
    report_cause(&out, &fixture->report);
    assert_string_equal(text_c(&out), expected);
    text_fini(&out);
}

static void the_cause_is_read_off_the_figures(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    assert_cause(fixture,
                 "cause: idx_products_recommendations is missing: each recommendations query reads 487,342 "
                 "rows; 20 connections of pool recommendations carry 15.7/s while 70.1/s ask; "
                 "550 of 900 demo requests failed waiting 2s for a connection");
    fixture->stats.asks_ended[STATUS_DEADLINE] = 3;
    fixture->stats.pools[1].timeouts = 547;
    assert_cause(fixture,
                 "cause: idx_products_recommendations is missing: each recommendations query reads 487,342 "
                 "rows; 20 connections of pool recommendations carry 15.7/s while 70.1/s ask; "
                 "550 of 900 demo requests failed, 547 of them waiting 2s for a connection");
    fixture_free(fixture);
}

static void an_index_made_later_and_a_pool_cut_are_told_as_such(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->stats.fault_count = 3;
    fixture->stats.faults[1].spec = (struct fault_spec){
        .at_ns = 9 * NS_PER_MIN, .kind = FAULT_CREATE_INDEX, .target = "idx_products_recommendations"};
    fixture->stats.faults[2].spec = (struct fault_spec){
        .at_ns = 6 * NS_PER_MIN, .kind = FAULT_POOL_MAX, .target = "recommendations", .value = 5};
    fixture->stats.faults[1].landed = true;
    fixture->stats.faults[2].landed = true;
    assert_cause(fixture,
                 "cause: idx_products_recommendations was missing until 09:00: each recommendations query "
                 "read 487,342 rows; 5 connections of pool recommendations carry 15.7/s while 70.1/s ask; "
                 "550 of 900 demo requests failed waiting 2s for a connection");
    fixture_free(fixture);
}

static void without_a_pool_the_deepest_failing_call_is_named(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct edge_stats edges[] = {{.from = "load-generator", .to = "frontend", .calls = 900, .errors = 550},
                                 {.from = "frontend", .to = "cart-service", .calls = 900, .errors = 550},
                                 {.from = "frontend", .to = "ad-service", .calls = 900}};
    struct edge_stats *own = fixture->stats.edges;
    fixture->stats.edges = edges;
    fixture->stats.edge_count = 3;
    fixture->stats.pools[1].timeouts = 3;
    fixture->stats.asks_ended[STATUS_NO_PEER] = 550;
    fixture->stats.faults[0].spec =
        (struct fault_spec){.at_ns = 5 * NS_PER_MIN, .kind = FAULT_SERVICE_DOWN, .target = "cart-service"};
    assert_cause(fixture,
                 "cause: 550 of 900 calls from frontend to cart-service fail, service_down at 05:00; "
                 "550 of 900 demo requests failed: 550 asks found nobody there");
    fixture->stats.edges = own;
    fixture_free(fixture);
}

static void no_errors_have_no_cause(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->stats.streams[1].whole.errors = 0;
    assert_cause(fixture,
                 "no errors: 1,000 baseline requests answered (p95 300 ms), 900 demo requests answered (p95 "
                 "3.00 s)");
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_stands_in_it),
        cmocka_unit_test(what_failed_comes_first),
        cmocka_unit_test(many_that_held_are_counted),
        cmocka_unit_test(plain_is_ascii_and_no_control_character_gets_through),
        cmocka_unit_test(colour_tells_green_from_red),
        cmocka_unit_test(lines_of_the_table_fit_eighty_columns),
        cmocka_unit_test(the_cause_is_read_off_the_figures),
        cmocka_unit_test(an_index_made_later_and_a_pool_cut_are_told_as_such),
        cmocka_unit_test(without_a_pool_the_deepest_failing_call_is_named),
        cmocka_unit_test(no_errors_have_no_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
