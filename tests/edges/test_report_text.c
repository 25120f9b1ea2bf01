#include "edges/report_text.h"

#include "edges/conductor.h"
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
    assert_tells(text,
                 "database\n  recommendations         350 runs, 350 full scans of up to 487,342 rows\n");
    assert_tells(text, "350 orders, $34,997; 550 of 900 checkouts lost, about $54,995\n");
    assert_tells(text, "1,900 traces of 25,000 spans, up to 8 levels deep");
    free(text);
    fixture_free(fixture);
}

static void who_waited_in_vain_is_in_the_wait(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct pool_stats *pool = &fixture->stats.pools[1];
    for (int i = 0; i < 350; i++)
        histogram_add(&pool->wait_any, i < 300 ? 0 : 2);
    pool->given_up = 12;
    pool->max = 5;
    char *text = told(fixture, &plain);
    assert_tells(text,
                 "20 used at the peak, 5 allowed at the end, 550 timed out, 12 gave up, wait p95 1.99 s\n");
    free(text);
    fixture_free(fixture);
}

static void keep_minutes(struct stream_stats *stats, size_t from, size_t to)
{
    for (size_t m = 0; m < stats->minute_count; m++)
        if (m < from || m >= to)
            stats->minutes[m].requests = 0;
    for (size_t i = 0; i < stats->point_count; i++)
        if (stats->points[i].from_ns / NS_PER_MIN < (int64_t)from ||
            stats->points[i].from_ns / NS_PER_MIN >= (int64_t)to)
            stats->points[i].requests = 0;
}

/* The table's points are 0, 1 and 5 minutes: none of them was played. */
static void a_run_of_a_few_minutes_shows_those(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    for (size_t s = 0; s < 2; s++)
        keep_minutes(&fixture->stats.streams[s], 7, 9);
    char *text = told(fixture, &plain);
    assert_tells(text, "     7 critical       100   0.0 %         300 ms    100 100.0 % ######  3.00 s\n");
    assert_tells(text, "     8 critical       100");
    assert_null(strstr(text, "     5 critical"));
    assert_null(strstr(text, "     9 critical"));
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
    fixture->scenario.alerts[0].name = "recommendations-collapse";
    char *text = told(fixture, &plain);
    for (char *line = strtok(strstr(text, "\n\n"), "\n"); line && !strstr(line, "alerts");
         line = strtok(NULL, "\n"))
        assert_true(strlen(line) <= 80);
    free(text);
    text = told(fixture, &plain);
    assert_tells(text, "\n  recommendations-collapse  flow       fired 05:30\n");
    free(text);
    fixture_free(fixture);
}

static void the_stores_are_told_where_they_matter(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct store_stats *stores = &fixture->stats.stores;
    char *text = told(fixture, &plain);
    assert_null(strstr(text, "row locks"));
    assert_null(strstr(text, "product cache"));
    assert_null(strstr(text, "at the peak  "));
    free(text);
    for (int i = 0; i < 100; i++)
        histogram_add(&stores->lock_wait, 1.2);
    for (int i = 0; i < 100; i++)
        histogram_add(&fixture->stats.statements[0].latency, 0.5);
    stores->lock_timeouts = 12;
    stores->cache_hits = 930;
    stores->cache_misses = 70;
    stores->active_peak = 43;
    stores->connections_peak = 95;
    fixture->scenario.postgresql.max_connections = 100;
    text = told(fixture, &plain);
    assert_tells(text, "  recommendations         350 runs, p95 500 ms, 350 full scans of up to");
    assert_tells(text, "  at the peak             43 statements at once, 95 of 100 connections taken\n");
    assert_tells(text, "  row locks               wait p95 1.20 s of 100, 12 gave up\n");
    assert_tells(text, "  product cache           93.0 % of 1,000 look-ups hit\n");
    free(text);
    fixture_free(fixture);
}

static void only_the_statements_that_matter_most_are_shown(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct statement_stats many[9] = {0}, *own = fixture->stats.statements;
    static const char *const names[] = {"s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"};
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        many[i].name = names[i];
        many[i].runs = i + 1;
        histogram_add(&many[i].latency, (double)(i + 1));
    }
    many[2].full_scans = 1;
    many[8].runs = 0;
    fixture->stats.statements = many;
    fixture->stats.statement_count = ARRAY_LEN(many);
    char *text = told(fixture, &plain), *at = strstr(text, "database\n");
    static const char *const order[] = {"s2", "s7", "s6", "s5", "s4"};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        at = strchr(at, '\n') + 1;
        assert_memory_equal(at + 2, order[i], 2);
    }
    assert_null(strstr(text, "  s3 "));
    free(text);
    fixture->stats.statements = own;
    fixture_free(fixture);
}

static void processes_are_told_where_one_was_lost(void **state)
{
    struct conductor_tally tally = {.joined = 12};
    (void)state;
    struct fixture *fixture = fixture_new();
    fixture->report.processes = &tally;
    char *text = told(fixture, &plain);
    assert_null(strstr(text, "processes"));
    free(text);
    tally = (struct conductor_tally){.joined = 14, .gone = 2, .spans_lost = 1031};
    text = told(fixture, &plain);
    assert_tells(
        text, "processes\n  2 were lost while it ran; 1,031 spans that they had told of were not exported\n");
    free(text);
    fixture_free(fixture);
}

static void money_and_carts_are_told_where_there_are_any(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    struct business_stats *shop = &fixture->stats.business;
    shop->count[BUSINESS_CART_CREATED] = 400;
    shop->count[BUSINESS_CART_ABANDONED] = 100;
    char *text = told(fixture, &plain);
    assert_tells(text, "\n  400 carts, 100 abandoned (25.0 %)\n");
    free(text);
    shop->count[BUSINESS_ORDER] = shop->count[BUSINESS_CHECKOUT_DONE] = 0;
    shop->revenue_cents = 0;
    shop->count[BUSINESS_CART_CREATED] = 0;
    text = told(fixture, &plain);
    assert_tells(text, "  0 orders, $0; 900 of 900 checkouts lost\n");
    assert_null(strstr(text, "carts"));
    free(text);
    memset(shop, 0, sizeof *shop);
    text = told(fixture, &plain);
    assert_null(strstr(text, "business"));
    free(text);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_stands_in_it),
        cmocka_unit_test(who_waited_in_vain_is_in_the_wait),
        cmocka_unit_test(a_run_of_a_few_minutes_shows_those),
        cmocka_unit_test(what_failed_comes_first),
        cmocka_unit_test(many_that_held_are_counted),
        cmocka_unit_test(plain_is_ascii_and_no_control_character_gets_through),
        cmocka_unit_test(colour_tells_green_from_red),
        cmocka_unit_test(lines_of_the_table_fit_eighty_columns),
        cmocka_unit_test(the_stores_are_told_where_they_matter),
        cmocka_unit_test(only_the_statements_that_matter_most_are_shown),
        cmocka_unit_test(processes_are_told_where_one_was_lost),
        cmocka_unit_test(money_and_carts_are_told_where_there_are_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
