/* expect_parse: the grammar of expectations, and the column at which each slip is said to be. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/expect_parse.h"
#include "tests/edges/toy_registry.h"

static struct curve_point from_start[] = {{0, 100}};
static struct curve_point from_minute_1[] = {{NS_PER_MIN, 800}, {5 * NS_PER_MIN, 2100}};

static const struct condition either[] = {{.for_ns = 5 * NS_PER_MIN}, {.for_ns = 10 * NS_PER_MIN}};

static const struct scenario scenario = {
    .duration_ns = 30 * NS_PER_MIN,
    .streams = {{.name = "baseline", .rate_per_min = {from_start, 1}},
                {.name = "demo", .rate_per_min = {from_minute_1, 2}}},
    .stream_count = 2,
    .alerts = {{.name = "burn"},
               {.name = "checkout-collapse"},
               {.name = "slow",
                .stages = {{.when = {.for_ns = NS_PER_MIN}},
                           {.when = {.kind = CONDITION_ANY,
                                     .children = (struct condition *)either,
                                     .child_count = 2}}},
                .stage_count = 2}},
    .alert_count = 3,
};

static char name[256];

static struct expect_spec parsed(const char *text)
{
    struct expect_spec spec;
    struct text error = {0};
    size_t column = 99;
    if (!expect_parse(text, &scenario, &toy_registry, name, &spec, &error, &column))
        fail_msg("%s: column %zu: %s", text, column, text_c(&error));
    assert_int_equal(column, 0);
    assert_ptr_equal(spec.text, text);
    return spec;
}

static void assert_refused(const char *text, size_t column, const char *message)
{
    struct expect_spec spec;
    struct text error = {0};
    size_t found = 0;
    assert_false(expect_parse(text, &scenario, &toy_registry, name, &spec, &error, &found));
    assert_string_equal(text_c(&error), message);
    assert_int_equal(found, column);
    text_fini(&error);
}

static void rate_at_a_minute(void **state)
{
    (void)state;
    struct expect_spec spec = parsed("demo.errors at 20m: rate within 0.73..0.83");
    assert_int_equal(spec.series.kind, PROBE_ERRORS);
    assert_int_equal(spec.series.index, 1);
    assert_string_equal(spec.series.name, "demo.errors");
    assert_int_equal(spec.when, EXPECT_AT);
    assert_int_equal(spec.at_ns, 20 * NS_PER_MIN);
    assert_int_equal(spec.measure, EXPECT_RATE);
    assert_true(spec.low == 0.73 && spec.high == 0.83 && !spec.low_open && !spec.high_open);
    assert_int_equal(spec.alert, -1);
    assert_true(parsed("demo.errors at 20m: rate within 73%..83%").low == 0.73);
    assert_int_equal(parsed("demo.errors at 1m: rate<=1").at_ns, NS_PER_MIN);
    assert_int_equal(parsed("baseline.errors at 29m30s: rate<=1").at_ns, 29 * NS_PER_MIN + 30 * NS_PER_S);
}

static void each_minute(void **state)
{
    (void)state;
    struct expect_spec spec = parsed("baseline.errors each minute: rate<=0.02");
    assert_int_equal(spec.when, EXPECT_EACH_MINUTE);
    assert_int_equal(spec.at_ns, 0);
    assert_int_equal(spec.until_ns, 30 * NS_PER_MIN);
    assert_true(spec.low == -INFINITY && spec.high == 0.02);
    assert_int_equal(parsed("demo.errors each minute: rate<=0.02").at_ns, NS_PER_MIN);
    spec = parsed("demo.latency each minute from 20m until 25m: p(95) within 3000ms..3.9s");
    assert_int_equal(spec.at_ns, 20 * NS_PER_MIN);
    assert_int_equal(spec.until_ns, 25 * NS_PER_MIN);
    assert_int_equal(spec.measure, EXPECT_PERCENTILE);
    assert_true(spec.percentile == 0.95 && spec.low == 3 && spec.high == 3.9);
}

static void bounds_are_open_and_closed(void **state)
{
    (void)state;
    struct expect_spec spec = parsed("demo.latency at 1m: p(95)<700ms");
    assert_true(spec.low == -INFINITY && spec.high == 0.7 && spec.high_open && !spec.low_open);
    spec = parsed("demo.latency:max  >  1.5s");
    assert_int_equal(spec.when, EXPECT_WHOLE);
    assert_int_equal(spec.measure, EXPECT_MAX);
    assert_true(spec.low == 1.5 && spec.high == INFINITY && spec.low_open && !spec.high_open);
    spec = parsed("demo.latency: min>=1ms");
    assert_true(spec.measure == EXPECT_MIN && spec.low == 0.001 && !spec.low_open);
    spec = parsed("trace.services: count==10");
    assert_true(spec.low == 10 && spec.high == 10);
    assert_float_equal(parsed("demo.latency: p(99.9)<1s").percentile, 0.999, 1e-12);
}

static void figures_of_the_run(void **state)
{
    (void)state;
    assert_int_equal(parsed("trace.depth: max>=8").measure, EXPECT_MAX);
    assert_int_equal(parsed("pool.recommendations.timeouts: count==0").measure, EXPECT_COUNT);
    assert_string_equal(parsed("pool.recommendations.used: max<=20").series.pool, "recommendations");
    assert_int_equal(parsed("logs.pool_exhausted: count>0").series.index, LOG_BODY_POOL_EXHAUSTED);
    assert_true(parsed("business.orders: count>1e3").low == 1000);
    assert_true(parsed("business.revenue: count>=0.5").low == 0.5);
}

static void new_measures(void **state)
{
    (void)state;
    struct expect_spec spec = parsed("all.errors each minute: rate<=0.02");
    assert_int_equal(spec.series.index, PROBE_ALL_STREAMS);
    assert_int_equal(spec.at_ns, 0); /* the first of them starts there */
    spec = parsed("demo.errors each minute from 5m: surge<=5%");
    assert_true(spec.measure == EXPECT_SURGE && spec.high == 0.05 && spec.at_ns == 5 * NS_PER_MIN);
    assert_int_equal(parsed("pool.orders.waiters: max<=3").measure, EXPECT_MAX);
    assert_true(parsed("pool.orders.wait: p(95)<=2s").percentile == 0.95);
    assert_true(parsed("query.recommendations.latency: max<=2s").high == 2);
    assert_int_equal(parsed("query.recommendations.latency: count>=1").measure, EXPECT_COUNT);
    assert_true(parsed("query.recommendations.cpu: rate>=0.98").low == 0.98);
    assert_int_equal(parsed("database.active: max==43").measure, EXPECT_MAX);
    assert_int_equal(parsed("database.lock_timeouts: count==0").measure, EXPECT_COUNT);
    assert_true(parsed("database.lock_wait: p(95) within 1s..1.4s").low == 1);
    assert_true(parsed("cache.hits: rate>90%").low == 0.9);
    assert_true(parsed("script.failure_rate: max>=35%").low == 0.35);
    assert_true(parsed("business.hot_left: min==0").high == 0);
    assert_true(parsed("business.hot_sold: count==1400").low == 1400);
    assert_int_equal(parsed("business.abandoned: count>=1").series.kind, PROBE_ABANDONED);
}

static void windows(void **state)
{
    (void)state;
    struct expect_spec spec =
        parsed("query.recommendations.latency from 4m until 6m: p(95) within 0.8s..1.5s");
    assert_true(spec.when == EXPECT_WINDOW && spec.at_ns == 4 * NS_PER_MIN &&
                spec.until_ns == 6 * NS_PER_MIN);
    spec = parsed("pool.orders.timeouts from 4m15s: count>=1");
    assert_true(spec.when == EXPECT_WINDOW && spec.until_ns == 30 * NS_PER_MIN);
    spec = parsed("business.hot_left until 12m: min>0");
    assert_true(spec.when == EXPECT_WINDOW && spec.at_ns == 0 && spec.until_ns == 12 * NS_PER_MIN);
    /* Of streams, any instants. */
    spec = parsed("demo.latency from 4m7s until 6m1s: p(95)<1s");
    assert_true(spec.when == EXPECT_WINDOW && spec.at_ns == 247 * NS_PER_S &&
                spec.until_ns == 361 * NS_PER_S);
    assert_int_equal(parsed("all.requests from 0m until 2m: count>0").when, EXPECT_WINDOW);
    assert_refused("demo.errors from 6m until 6m: rate<=1", 12,
                   "expected the earlier instant first, found `from` (nothing lies between them)");
    assert_refused("demo.errors until 1m: rate<=1", 12,
                   "expected a window in which the stream runs, found `until` (before it starts)");
    assert_refused("cache.hits from 4m7s until 6m: rate<=1", 11,
                   "expected instants at multiples of 15s, found `from` (such series are seen every 15 s)");
    assert_refused("query.recommendations.cpu from 4m until 6m: rate<=1", 26,
                   "expected no window here, found `from` (a figure of the whole run)");
    assert_refused("trace.depth until 6m: max<=1", 12,
                   "expected no window here, found `until` (a figure of the whole run)");
    assert_refused("cache.hits each minute: rate<=1", 11,
                   "expected no minute here: only streams are kept by the minute, found `each`");
}

static void measures_belong_to_series(void **state)
{
    (void)state;
    assert_refused("demo.latency each minute: surge<=0.05", 26,
                   "expected a measure of this series, like p(95), found `surge<=0.05`");
    assert_refused("cache.hits: surge<=0.05", 12,
                   "expected a measure of this series, like rate, found `surge<=0.05` (a surge is one of a "
                   "stream's errors)");
    assert_refused(
        "demo.errors: surge<=0.05", 13,
        "expected a surge of each minute, found `surge<=0.05` (it is told from the minute before)");
    assert_refused("database.active: p(95)<=3", 17,
                   "expected a measure of this series, like max, found `p(95)<=3`");
    assert_refused("pool.orders.wait: rate<=1", 18,
                   "expected a measure of this series, like p(95), found `rate<=1`");
    assert_refused("query.recommendations.cpu: rate<=1.5", 33,
                   "expected a share of 0 to 1, found `1.5` (more than all of them)");
    assert_refused("query.nothing.latency: p(95)<1s", 0, "expected a known statement, found `nothing`");
    assert_refused("pool.orders.wait: p(95)<=3", 25,
                   "expected a duration like 700ms, found `3` (missing unit)");
}

static void alerts_resolve(void **state)
{
    (void)state;
    struct expect_spec spec = parsed("alert slow: resolves in 12m..14m");
    assert_true(spec.measure == EXPECT_RESOLVES && spec.low == 720 && spec.high == 840 && spec.alert == 2);
    assert_true(parsed("alert slow: resolves").high == 1800);
    /* Its second stage wants five minutes of something, or ten of something else. */
    assert_int_equal(parsed("alert slow: fires in 0m..5m15s").measure, EXPECT_FIRES);
    assert_refused("alert slow: fires in 0m..5m14s", 18,
                   "expected a window in which it can fire, found `in` (its conditions last longer)");
    assert_refused("alert slow: resolves in 0m..5m15s", 21,
                   "expected a window in which it can resolve, found `in` (it cannot have fired by then)");
    assert_refused("alert slow: resolved", 12, "expected fires, never fires or resolves, found `resolved`");
}

static void alerts_fire_or_never(void **state)
{
    (void)state;
    struct expect_spec spec = parsed("alert checkout-collapse: fires in 22m..23m");
    assert_int_equal(spec.alert, 1);
    assert_int_equal(spec.measure, EXPECT_FIRES);
    assert_true(spec.low == 1320 && spec.high == 1380);
    spec = parsed("alert burn: fires");
    assert_true(spec.alert == 0 && spec.low == 0 && spec.high == 1800);
    assert_int_equal(parsed("alert burn: never fires").measure, EXPECT_NEVER_FIRES);
}

static void slips_are_said_where_they_are(void **state)
{
    (void)state;
    assert_refused("", 0, "expected a series or `alert`, found the end");
    assert_refused(
        "demo.error: rate<=1", 0,
        "expected a series like STREAM.requests, STREAM.errors, STREAM.latency, found `demo.error`");
    assert_refused("demo.errors rate<=1", 12, "expected :, found `rate<=1`");
    assert_refused("demo.errors: ratio<=1", 13,
                   "expected a measure of this series, like rate, found `ratio<=1`");
    assert_refused("demo.errors: rate 1", 18, "expected <=, <, >=, >, == or within, found `1`");
    assert_refused("demo.errors: rate<=", 19, "expected a share like 0.83 or 83%, found the end");
    assert_refused("demo.errors: rate<=0.1 or so", 23, "expected the end of the expectation, found `or`");
    assert_refused("demo.errors at 20: rate<=1", 15,
                   "expected an instant with its unit, like 20m, found `20` (missing unit)");
    assert_refused("demo.errors at 31m: rate<=1", 15,
                   "expected an instant within the duration, found `31m` (after the end)");
}

static void contradictions_are_refused(void **state)
{
    (void)state;
    assert_refused("demo.errors: rate within 0.8..0.7", 25,
                   "expected the low bound first, found `0.8..0.7` (low bound above the high one)");
    assert_refused("demo.errors: rate<=1.5", 19,
                   "expected a share of 0 to 1, found `1.5` (more than all of them)");
    assert_refused("demo.errors: rate<0", 17,
                   "expected a bound that can be met, found `<0` (nothing is below 0)");
    assert_refused("demo.errors at 0m: rate<=1", 15,
                   "expected a minute in which the stream runs, found `0m` (before it starts)");
    assert_refused("demo.errors at 29m31s: rate<=1", 15,
                   "expected 60 s around the instant within the duration, found `29m31s` (after the end)");
    assert_refused("demo.errors each minute from 0m: rate<=1", 24,
                   "expected minutes in which the stream runs, found `from` (before it starts)");
    assert_refused("demo.errors each minute from 9m until 9m: rate<=1", 24,
                   "expected at least one minute, found `from` (none between them)");
    assert_refused("trace.depth at 5m: max>=8", 12,
                   "expected no minute here: only streams are kept by the minute, found `at`");
    assert_refused("alert burn: fires in 9m..8m", 18,
                   "expected the earlier instant first, found `in` (low bound above the high one)");
    assert_refused("alert fire: never fires", 6, "expected an alert of this scenario, found `fire`");
}

/* Any prefix of a good one, and any with one character changed, ends in an answer. */
static void mutations_end(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "demo.latency each minute from 20m until 25m: p(95) within 3000ms..3.9s",
        "alert checkout-collapse: fires in 22m..23m",
        "pool.orders.used: max<=20",
        "alert slow: resolves in 12m..14m",
        "query.recommendations.latency from 4m until 6m: p(95) within 0.8s..1.5s",
        "all.errors each minute from 3m: surge<=5%"};
    static const char signs[] = " .:<>=(%0am-";
    for (size_t t = 0; t < ARRAY_LEN(texts); t++)
        for (size_t at = 0; at <= strlen(texts[t]); at++)
            for (size_t sign = 0; sign < sizeof signs; sign++) {
                char text[128];
                struct expect_spec spec;
                struct text error = {0};
                size_t column = 0;
                memcpy(text, texts[t], strlen(texts[t]) + 1);
                text[at] = signs[sign];
                text[strlen(texts[t])] = '\0';
                bool right = expect_parse(text, &scenario, &toy_registry, name, &spec, &error, &column);
                assert_true(right ? error.len == 0 && column == 0 : error.len > 0 && column <= strlen(text));
                text_fini(&error);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rate_at_a_minute),
        cmocka_unit_test(each_minute),
        cmocka_unit_test(bounds_are_open_and_closed),
        cmocka_unit_test(figures_of_the_run),
        cmocka_unit_test(alerts_fire_or_never),
        cmocka_unit_test(slips_are_said_where_they_are),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(mutations_end),
        cmocka_unit_test(new_measures),
        cmocka_unit_test(windows),
        cmocka_unit_test(measures_belong_to_series),
        cmocka_unit_test(alerts_resolve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
