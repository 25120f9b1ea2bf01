/* expect: each measure against bounds open and closed, in the whole run, at an instant and minute by minute. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/parts.h"
#include "tests/core/toy_world.h"

static const struct actor_kind shelf = {.service = "shelf",
                                        .port = 1,
                                        .routes = (const struct route[]){{0}},
                                        .pools = {{"a", 9, 1}, {"b", 9, 1}}};
static const struct actor_kind other = {
    .service = "other", .port = 2, .routes = (const struct route[]){{0}}, .pools = {{"a", 9, 1}}};
static const struct actor_kind driver = {
    .service = "driver",
    .drives_load = true,
    .routes = (const struct route[]){
        {.name = "visit", .steps = (const struct step[]){ASK("shelf", "GET /x"), END()}}, {0}}};
static const struct actor_kind *const kinds[] = {&shelf, &other, &driver};

static struct curve_point points[] = {{MIN_(1), 100}};

/* A run of five minutes whose demo begins after one; `fill` makes its figures. */
static struct expect_stats judge(struct expect_spec expect, void (*fill)(struct world *))
{
    struct toy toy;
    toy_begin(&toy, kinds, ARRAY_LEN(kinds));
    toy.scenario.duration_ns = MIN_(5);
    toy.scenario.streams[0] =
        (struct stream_spec){.name = "baseline", .mixes = MIX_OF("visit"), .mix_count = 1};
    toy.scenario.streams[1] = (struct stream_spec){.name = "demo",
                                                   .mixes = MIX_OF("visit"),
                                                   .mix_count = 1,
                                                   .rate_per_min = {.points = points, .count = 1}};
    toy.scenario.stream_count = 2;
    toy.scenario.alert_count = 1;
    toy.scenario.expects[0] = expect;
    toy.scenario.expect_count = 1;
    toy_open(&toy, 1);
    world_stop_traffic(toy.world);
    toy.world->now_ns = MIN_(5);
    if (fill)
        fill(toy.world);
    world_finish(toy.world);
    struct expect_stats stats = world_stats(toy.world)->expects[0];
    assert_true(stats.judged);
    toy_end(&toy);
    return stats;
}

/* A request of the demo, meant for an instant. */
static void request(struct world *world, int64_t at_ns, int64_t latency_ns, bool failed)
{
    stats_root(&world->stats.streams[1], at_ns, latency_ns, failed);
}

/* In minute 1 one of 4 fails, in minute 2 two of 4, none in minute 3, and minute 4 has no request. Latencies in
   minute m are m00, m01, m02, m03 ms. */
static void fill_minutes(struct world *world)
{
    for (int m = 1; m <= 3; m++)
        for (int i = 0; i < 4; i++)
            request(world, MIN_(m) + S(10 * i), MS(100 * m + i), i < (m == 3 ? 0 : m));
}

#define DEMO(kind_) .series = {.kind = (kind_), .index = 1, .name = "demo"}
#define CLOSED(low_, high_) .low = (low_), .high = (high_)
#define BELOW(high_) .low = -INFINITY, .high = (high_), .high_open = true
#define ABOVE(low_) .low = (low_), .high = INFINITY, .low_open = true

struct judged {
    struct expect_spec expect;
    bool held;
    const char *actual;
};

static void check(const struct judged *cases, size_t count, void (*fill)(struct world *))
{
    for (size_t i = 0; i < count; i++) {
        struct expect_stats stats = judge(cases[i].expect, fill);
        if (stats.held != cases[i].held || strcmp(stats.actual, cases[i].actual) != 0)
            fail_msg("case %zu: held %d, `%s`, expected `%s`", i, stats.held, stats.actual, cases[i].actual);
    }
}

/* ---- tests ---- */

static void each_measure_of_a_stream(void **state)
{
    (void)state;
    static const struct judged cases[] = {
        {{DEMO(PROBE_ERRORS), .measure = EXPECT_RATE, CLOSED(0.25, 0.25)}, true, "25.00%"},
        {{DEMO(PROBE_ERRORS), .measure = EXPECT_RATE, CLOSED(0, 0.24)}, false, "25.00%"},
        {{DEMO(PROBE_ERRORS), .measure = EXPECT_COUNT, CLOSED(3, 3)}, true, "3"},
        {{DEMO(PROBE_REQUESTS), .measure = EXPECT_COUNT, CLOSED(12, 12)}, true, "12"},
        {{DEMO(PROBE_LATENCY), .measure = EXPECT_MAX, CLOSED(0.303, 0.303)}, true, "303.0ms"},
        {{DEMO(PROBE_LATENCY), .measure = EXPECT_MIN, CLOSED(0.100, 0.100)}, true, "100.0ms"},
    };
    check(cases, ARRAY_LEN(cases), fill_minutes);
    struct expect_stats stats = judge((struct expect_spec){DEMO(PROBE_LATENCY), .measure = EXPECT_PERCENTILE,
                                                           .percentile = 0.5, CLOSED(0.199, 0.205)},
                                      fill_minutes);
    assert_true(stats.held);
}

static void bounds_are_open_or_closed(void **state)
{
    (void)state;
    static const struct judged cases[] = {
        {{DEMO(PROBE_ERRORS), .measure = EXPECT_COUNT, BELOW(3)}, false, "3"},
        {{DEMO(PROBE_ERRORS), .measure = EXPECT_COUNT, BELOW(3.5)}, true, "3"},
        {{DEMO(PROBE_ERRORS), .measure = EXPECT_COUNT, ABOVE(3)}, false, "3"},
        {{DEMO(PROBE_ERRORS), .measure = EXPECT_COUNT, ABOVE(2)}, true, "3"},
        {{DEMO(PROBE_ERRORS), .measure = EXPECT_COUNT, CLOSED(-INFINITY, 3)}, true, "3"},
        {{DEMO(PROBE_ERRORS), .measure = EXPECT_COUNT, CLOSED(3, INFINITY)}, true, "3"},
        {{DEMO(PROBE_ERRORS), .measure = EXPECT_COUNT, CLOSED(4, 9)}, false, "3"},
    };
    check(cases, ARRAY_LEN(cases), fill_minutes);
}

static void at_an_instant_is_the_minute_around_it(void **state)
{
    (void)state;
#define AT(at, ...) .when = EXPECT_AT, .at_ns = (at), __VA_ARGS__
    static const struct judged cases[] = {
        /* The stream's start: its first minute. */
        {{DEMO(PROBE_REQUESTS), AT(MIN_(1), .measure = EXPECT_COUNT), CLOSED(4, 4)}, true, "4"},
        {{DEMO(PROBE_ERRORS), AT(MIN_(1), .measure = EXPECT_RATE), CLOSED(0.25, 0.25)}, true, "25.00%"},
        /* 1:30-2:30: the request of 1:30, and three of minute 2, two of them failed. */
        {{DEMO(PROBE_REQUESTS), AT(MIN_(2), .measure = EXPECT_COUNT), CLOSED(4, 4)}, true, "4"},
        {{DEMO(PROBE_ERRORS), AT(MIN_(2), .measure = EXPECT_RATE), CLOSED(0.5, 0.5)}, true, "50.00%"},
        {{DEMO(PROBE_LATENCY), AT(MIN_(2), .measure = EXPECT_MIN), CLOSED(0.103, 0.103)}, true, "103.0ms"},
        {{DEMO(PROBE_ERRORS), AT(MIN_(3), .measure = EXPECT_RATE), CLOSED(0, 0)}, true, "0.00%"},
    };
    check(cases, ARRAY_LEN(cases), fill_minutes);
}

static void each_minute_must_hold(void **state)
{
    (void)state;
#define EACH(from, until, ...) .when = EXPECT_EACH_MINUTE, .at_ns = (from), .until_ns = (until), __VA_ARGS__
    static const struct judged cases[] = {
        {{DEMO(PROBE_ERRORS), EACH(MIN_(1), MIN_(5), .measure = EXPECT_RATE), CLOSED(0, 0.5)},
         true,
         "0.00%..50.00%"},
        {{DEMO(PROBE_ERRORS), EACH(MIN_(1), MIN_(5), .measure = EXPECT_RATE), CLOSED(0, 0.4)},
         false,
         "50.00% in minute 2"},
        {{DEMO(PROBE_ERRORS), EACH(MIN_(3), MIN_(5), .measure = EXPECT_RATE), CLOSED(0, 0.4)},
         true,
         "0.00%..0.00%"},
        {{DEMO(PROBE_ERRORS), EACH(MIN_(1), MIN_(2), .measure = EXPECT_RATE), CLOSED(0, 0.4)},
         true,
         "25.00%..25.00%"},
        {{DEMO(PROBE_LATENCY), EACH(MIN_(1), MIN_(5), .measure = EXPECT_MAX), BELOW(0.3)},
         false,
         "303.0ms in minute 3"},
        /* A minute without requests has no rate; as a count it is a nought. */
        {{DEMO(PROBE_REQUESTS), EACH(MIN_(1), MIN_(4), .measure = EXPECT_COUNT), CLOSED(4, 4)}, true, "4..4"},
        {{DEMO(PROBE_REQUESTS), EACH(MIN_(1), MIN_(5), .measure = EXPECT_COUNT), CLOSED(4, 4)},
         false,
         "0 in minute 4"},
        {{DEMO(PROBE_ERRORS), EACH(MIN_(4), MIN_(5), .measure = EXPECT_RATE), CLOSED(0, 1)},
         false,
         "no request in these minutes"},
    };
    check(cases, ARRAY_LEN(cases), fill_minutes);
}

static void without_requests_only_counts_hold(void **state)
{
    (void)state;
    static const struct judged cases[] = {
        {{DEMO(PROBE_ERRORS), .measure = EXPECT_RATE, CLOSED(0, 1)}, false, "no request"},
        {{DEMO(PROBE_LATENCY), .measure = EXPECT_PERCENTILE, .percentile = 0.95, BELOW(1)},
         false,
         "no request"},
        {{DEMO(PROBE_REQUESTS), .measure = EXPECT_COUNT, CLOSED(0, 0)}, true, "0"},
        {{DEMO(PROBE_ERRORS), .when = EXPECT_AT, .at_ns = MIN_(2), .measure = EXPECT_RATE, CLOSED(0, 1)},
         false,
         "no request"},
    };
    check(cases, ARRAY_LEN(cases), NULL);
}

static void fill_run(struct world *world)
{
    struct run_stats *stats = &world->stats;
    stats->pools[0].peak_used = 7; /* a of shelf */
    stats->pools[1].peak_used = 100;
    stats->pools[2].peak_used = 2; /* a of other */
    stats->pools[0].timeouts = 40;
    stats->pools[2].timeouts = 2;
    stats->logs[LOG_BODY_SLOW_QUERY] = 11;
    stats->max_depth = 8;
    stats->spans = 1234;
    stats->services[0].spans = 1000;
    stats->services[2].spans = 234;
    stats->business.count[BUSINESS_ORDER] = 5;
    stats->business.revenue_cents = 49995;
}

static void each_figure_of_the_run(void **state)
{
    (void)state;
    static const struct judged cases[] = {
        /* Pools of one name count together. */
        {{.series = {.kind = PROBE_POOL_USED, .pool = "a"}, .measure = EXPECT_MAX, CLOSED(9, 9)}, true, "9"},
        {{.series = {.kind = PROBE_POOL_TIMEOUTS, .pool = "a"}, .measure = EXPECT_COUNT, CLOSED(42, 42)},
         true,
         "42"},
        {{.series = {.kind = PROBE_LOGS, .index = LOG_BODY_SLOW_QUERY}, .measure = EXPECT_COUNT, ABOVE(11)},
         false,
         "11"},
        {{.series = {.kind = PROBE_TRACE_DEPTH}, .measure = EXPECT_MAX, CLOSED(8, INFINITY)}, true, "8"},
        {{.series = {.kind = PROBE_TRACE_SPANS}, .measure = EXPECT_COUNT, CLOSED(1234, 1234)}, true, "1234"},
        {{.series = {.kind = PROBE_TRACE_SERVICES}, .measure = EXPECT_COUNT, CLOSED(2, 2)}, true, "2"},
        {{.series = {.kind = PROBE_ORDERS}, .measure = EXPECT_COUNT, CLOSED(5, 5)}, true, "5"},
        {{.series = {.kind = PROBE_REVENUE}, .measure = EXPECT_COUNT, BELOW(500)}, true, "499.95"},
    };
    check(cases, ARRAY_LEN(cases), fill_run);
}

static void fire_at_150_s(struct world *world)
{
    world->stats.alerts[0] =
        (struct alert_stats){.fired = true, .fired_at_ns = S(150), .resolved_at_ns = NEVER};
}

static void an_alert_fires_in_its_window_or_never(void **state)
{
    (void)state;
    static const struct judged fired[] = {
        {{.measure = EXPECT_FIRES, CLOSED(150, 165)}, true, "fired at 02:30"},
        {{.measure = EXPECT_FIRES, CLOSED(120, 150)}, true, "fired at 02:30"},
        {{.measure = EXPECT_FIRES, CLOSED(151, 300)}, false, "fired at 02:30"},
        {{.measure = EXPECT_FIRES, CLOSED(0, 149)}, false, "fired at 02:30"},
        {{.measure = EXPECT_NEVER_FIRES}, false, "fired at 02:30"},
    };
    static const struct judged quiet[] = {
        {{.measure = EXPECT_FIRES, CLOSED(0, 300)}, false, "never fired"},
        {{.measure = EXPECT_NEVER_FIRES}, true, "never fired"},
    };
    check(fired, ARRAY_LEN(fired), fire_at_150_s);
    check(quiet, ARRAY_LEN(quiet), NULL);
}

/* A run whose length is no whole number of samples is played to its end all the same. */
static void all_of_an_odd_duration_is_judged(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, kinds, ARRAY_LEN(kinds));
    toy.scenario.duration_ns = S(100);
    toy.scenario.streams[0] =
        (struct stream_spec){.name = "baseline", .mixes = MIX_OF("visit"), .mix_count = 1};
    toy.scenario.stream_count = 1;
    toy.scenario.expects[0] = (struct expect_spec){
        .series = {.kind = PROBE_REQUESTS, .name = "baseline"}, .measure = EXPECT_COUNT, CLOSED(1, 9)};
    toy.scenario.expect_count = 1;
    toy_open(&toy, 1);
    toy_run(&toy);
    world_finish(toy.world);
    assert_int_equal(world_now(toy.world), S(100));
    assert_true(world_stats(toy.world)->expects[0].judged);
    assert_false(world_stats(toy.world)->expects[0].held);
    toy_end(&toy);
}

/* Of a part of the timeline only that part can fail. */
static void what_was_not_played_is_not_judged(void **state)
{
    (void)state;
    static const struct {
        struct expect_spec expect;
        bool judged;
    } cases[] = {
        {{DEMO(PROBE_REQUESTS), .measure = EXPECT_COUNT, CLOSED(1, 9)}, false},
        {{DEMO(PROBE_REQUESTS), AT(MIN_(2), .measure = EXPECT_COUNT), CLOSED(1, 9)}, false},
        {{DEMO(PROBE_REQUESTS), AT(MIN_(4), .measure = EXPECT_COUNT), CLOSED(1, 9)}, true},
        {{DEMO(PROBE_REQUESTS), EACH(MIN_(1), MIN_(5), .measure = EXPECT_COUNT), CLOSED(1, 9)}, true},
        {{DEMO(PROBE_REQUESTS), EACH(MIN_(1), MIN_(5), .measure = EXPECT_COUNT), CLOSED(0, 9)}, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct toy toy;
        toy_begin(&toy, kinds, ARRAY_LEN(kinds));
        toy.scenario.duration_ns = MIN_(5);
        toy.scenario.streams[1] =
            (struct stream_spec){.name = "demo", .mixes = MIX_OF("visit"), .mix_count = 1};
        toy.scenario.streams[0] = toy.scenario.streams[1];
        toy.scenario.stream_count = 2;
        toy.scenario.expects[0] = cases[i].expect;
        toy.scenario.expect_count = 1;
        toy.options.from_ns = MIN_(3);
        toy_open(&toy, 1);
        assert_int_equal(world_now(toy.world), MIN_(2)); /* a minute to warm up */
        toy_run(&toy);
        world_finish(toy.world);
        assert_int_equal(world_stats(toy.world)->expects[0].judged, cases[i].judged);
        toy_end(&toy);
    }
}

/* Switched off by whoever plays it: neither its rates nor its latencies are missed, and counts of nothing hold. */
static void a_stream_without_a_rate_is_not_judged(void **state)
{
    (void)state;
    static const struct expect_spec missed[] = {
        {DEMO(PROBE_ERRORS), .measure = EXPECT_RATE, .when = EXPECT_EACH_MINUTE, .until_ns = MIN_(5),
         BELOW(1)},
        {DEMO(PROBE_LATENCY), .measure = EXPECT_MAX, BELOW(1)},
        {DEMO(PROBE_REQUESTS), .measure = EXPECT_COUNT, ABOVE(5)},
        {DEMO(PROBE_REQUESTS), .measure = EXPECT_COUNT, CLOSED(0, 0)},
    };
    for (size_t i = 0; i < ARRAY_LEN(missed); i++) {
        struct toy toy;
        toy_begin(&toy, kinds, ARRAY_LEN(kinds));
        struct curve_point none = {0, 0};
        toy.scenario.duration_ns = MIN_(5);
        toy.scenario.streams[0] = (struct stream_spec){.name = "baseline",
                                                       .mixes = MIX_OF("visit"),
                                                       .mix_count = 1,
                                                       .rate_per_min = {.points = points, .count = 1}};
        toy.scenario.streams[1] = (struct stream_spec){.name = "demo",
                                                       .mixes = MIX_OF("visit"),
                                                       .mix_count = 1,
                                                       .rate_per_min = {.points = &none, .count = 1}};
        toy.scenario.stream_count = 2;
        toy.scenario.expects[0] = missed[i];
        toy.scenario.expect_count = 1;
        toy_open(&toy, 1);
        world_stop_traffic(toy.world);
        toy.world->now_ns = MIN_(5);
        world_finish(toy.world);
        bool holds = i == 3;
        assert_int_equal(world_stats(toy.world)->expects[0].held, holds);
        assert_int_equal(world_stats(toy.world)->expects[0].judged, holds);
        toy_end(&toy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_measure_of_a_stream),
        cmocka_unit_test(bounds_are_open_or_closed),
        cmocka_unit_test(at_an_instant_is_the_minute_around_it),
        cmocka_unit_test(each_minute_must_hold),
        cmocka_unit_test(without_requests_only_counts_hold),
        cmocka_unit_test(each_figure_of_the_run),
        cmocka_unit_test(an_alert_fires_in_its_window_or_never),
        cmocka_unit_test(all_of_an_odd_duration_is_judged),
        cmocka_unit_test(what_was_not_played_is_not_judged),
        cmocka_unit_test(a_stream_without_a_rate_is_not_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
