/* progress: what the line on the terminal says - while it runs, warms up, waits, or ends early. */
#include "edges/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MINUTES = 10 };

static struct seen seen[2][MINUTES];

static const struct scenario scenario = {
    .duration_ns = MINUTES * NS_PER_MIN,
    .streams = {{.name = "baseline"}, {.name = "demo", .demo = true}},
    .stream_count = 2,
    .phases = {{0, "calm"}, {5 * NS_PER_MIN, "peak"}},
    .phase_count = 2,
};

/* Requests and errors of three minutes of each stream. */
static void fill(struct run_stats *stats)
{
    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < 2; i++) {
        stats->streams[i].seen = seen[i];
        stats->streams[i].minute_count = MINUTES;
    }
    seen[0][4] = (struct seen){100, 0};
    seen[0][5] = (struct seen){40, 0};
    seen[1][4] = (struct seen){1200, 300};
    seen[1][5] = (struct seen){500, 400};
    stats->streams[0].ended = 321;
    stats->streams[1].ended = 999;
}

static void assert_says(int64_t on_timeline_ns, int64_t duration_ns, const char *expected)
{
    static struct run_stats stats;
    struct progress progress = {
        .scenario = &scenario, .on_timeline_ns = on_timeline_ns, .duration_ns = duration_ns};
    struct text line = {0};
    fill(&stats);
    progress_line(&line, &progress, &stats);
    assert_string_equal(text_c(&line), expected);
    text_fini(&line);
}

static void the_newest_minute_that_is_over(void **state)
{
    (void)state;
    assert_says(5 * NS_PER_MIN + 20 * NS_PER_S, MINUTES * NS_PER_MIN,
                "05:20 of 10:00, peak   baseline 100/min, 0.0 % errors   demo 1,200/min, 25.0 % errors");
}

/* A run with --from 6m has seen nothing of minute 3. */
static void the_first_one_while_there_is_no_other(void **state)
{
    (void)state;
    assert_says(4 * NS_PER_MIN + 50 * NS_PER_S, MINUTES * NS_PER_MIN,
                "04:50 of 10:00, calm   baseline 100/min, 0.0 % errors   demo 1,200/min, 25.0 % errors");
}

static void no_further_than_the_end(void **state)
{
    (void)state;
    assert_says(6 * NS_PER_MIN + NS_PER_S, 6 * NS_PER_MIN,
                "06:00 of 06:00, peak   baseline 40/min, 0.0 % errors   demo 500/min, 80.0 % errors");
    assert_says(MINUTES * NS_PER_MIN + NS_PER_S, MINUTES * NS_PER_MIN, "10:00 of 10:00, peak");
}

static void a_demo_that_waits(void **state)
{
    (void)state;
    assert_says(-1, MINUTES * NS_PER_MIN,
                "the demo waits for its start   baseline 321 requests, 0.0 % errors");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_minute_that_is_over),
        cmocka_unit_test(the_first_one_while_there_is_no_other),
        cmocka_unit_test(no_further_than_the_end),
        cmocka_unit_test(a_demo_that_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
