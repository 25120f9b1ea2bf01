/* expect: of other series than one stream's - all streams, surges, levels, latencies and their windows from sample to
   sample, and alerts that resolve. */
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
static const struct actor_kind driver = {
    .service = "driver",
    .drives_load = true,
    .routes = (const struct route[]){
        {.name = "visit", .steps = (const struct step[]){ASK("shelf", "GET /x"), END()}}, {0}}};
static const struct actor_kind *const kinds[] = {&shelf, &driver};

static struct curve_point from_start[] = {{0, 100}}, from_minute_1[] = {{MIN_(1), 100}};

/* A run of five minutes; `fill` makes its figures, sample by sample. */
static struct expect_stats judge(struct expect_spec expect, void (*fill)(struct world *, int sample))
{
    struct toy toy;
    toy_begin(&toy, kinds, ARRAY_LEN(kinds));
    toy.scenario.duration_ns = MIN_(5);
    for (size_t i = 0; i < 2; i++)
        toy.scenario.streams[i] =
            (struct stream_spec){.name = i ? "demo" : "baseline", .service = "shelf", .route = "GET /x"};
    toy.scenario.streams[0].rate_per_min = (struct curve){.points = from_start, .count = 1};
    toy.scenario.streams[1].rate_per_min = (struct curve){.points = from_minute_1, .count = 1};
    toy.scenario.stream_count = 2;
    toy.scenario.alert_count = 1;
    toy.scenario.expects[0] = expect;
    toy.scenario.expect_count = 1;
    toy_open(&toy, 1);
    world_stop_traffic(toy.world);
    for (int sample = 1; sample <= 20; sample++) {
        toy.world->now_ns = sample * WORLD_SAMPLE_NS;
        if (fill)
            fill(toy.world, sample);
        stats_sample(toy.world);
        alerts_judge(toy.world, toy.world->now_ns);
    }
    world_finish(toy.world);
    struct expect_stats stats = world_stats(toy.world)->expects[0];
    assert_true(stats.judged);
    toy_end(&toy);
    return stats;
}

struct judged {
    struct expect_spec expect;
    bool held;
    const char *actual;
};

static void check(const struct judged *cases, size_t count, void (*fill)(struct world *, int))
{
    for (size_t i = 0; i < count; i++) {
        struct expect_stats stats = judge(cases[i].expect, fill);
        if (stats.held != cases[i].held || strcmp(stats.actual, cases[i].actual) != 0)
            fail_msg("case %zu: held %d, `%s`, expected `%s`", i, stats.held, stats.actual, cases[i].actual);
    }
}

#define OF(kind_, index_) .series = {.kind = (kind_), .index = (index_), .name = "x", .pool = "a"}
#define CLOSED(low_, high_) .low = (low_), .high = (high_)
#define AT(at) .when = EXPECT_AT, .at_ns = (at)
#define EACH(from, until) .when = EXPECT_EACH_MINUTE, .at_ns = (from), .until_ns = (until)
#define WINDOW(from, until) .when = EXPECT_WINDOW, .at_ns = (from), .until_ns = (until)

/* ---- streams ---- */

/* Each minute m has 10 requests a stream; of the demo's, 0, 1, 2, 5, 9 fail, of the baseline's none. */
static void fill_streams(struct world *world, int sample)
{
    static const int failing[] = {0, 1, 2, 5, 9};
    for (int m = 0; sample == 20 && m < 5; m++)
        for (int i = 0; i < 10; i++) {
            stats_root(&world->stats.streams[0], MIN_(m) + S(6 * i), MS(50), false);
            if (m)
                stats_root(&world->stats.streams[1], MIN_(m) + S(6 * i), MS(500 + m), i < failing[m]);
        }
}

static void all_streams_together(void **state)
{
    (void)state;
    static const struct judged cases[] = {
        {{OF(PROBE_REQUESTS, PROBE_ALL_STREAMS), .measure = EXPECT_COUNT, CLOSED(90, 90)}, true, "90"},
        {{OF(PROBE_ERRORS, PROBE_ALL_STREAMS), .measure = EXPECT_COUNT, CLOSED(17, 17)}, true, "17"},
        {{OF(PROBE_LATENCY, PROBE_ALL_STREAMS), .measure = EXPECT_MIN, CLOSED(0.05, 0.05)}, true, "50.0ms"},
        {{OF(PROBE_LATENCY, PROBE_ALL_STREAMS), .measure = EXPECT_MAX, CLOSED(0.5, 0.504)}, true, "504.0ms"},
        /* 1:30-2:30: five of the one half, five of the other, of each stream; 0 + 2 of 20 fail. */
        {{OF(PROBE_ERRORS, PROBE_ALL_STREAMS), AT(MIN_(2)), .measure = EXPECT_RATE, CLOSED(0.1, 0.1)},
         true,
         "10.00%"},
        /* At 1m it is no stream's first minute: the baseline began before. */
        {{OF(PROBE_REQUESTS, PROBE_ALL_STREAMS), AT(MIN_(1)), .measure = EXPECT_COUNT, CLOSED(15, 15)},
         true,
         "15"},
        {{OF(PROBE_ERRORS, PROBE_ALL_STREAMS), EACH(0, MIN_(5)), .measure = EXPECT_RATE, CLOSED(0, 0.4)},
         false,
         "45.00% in minute 4"},
    };
    check(cases, ARRAY_LEN(cases), fill_streams);
}

static void windows_of_a_stream(void **state)
{
    (void)state;
    static const struct judged cases[] = {
        {{OF(PROBE_REQUESTS, 1), WINDOW(MIN_(1), MIN_(3)), .measure = EXPECT_COUNT, CLOSED(20, 20)},
         true,
         "20"},
        {{OF(PROBE_ERRORS, 1), WINDOW(MIN_(3), MIN_(5)), .measure = EXPECT_RATE, CLOSED(0, 0.69)},
         false,
         "70.00%"},
        /* To the instant: the request at 3:12 is the third of its minute. */
        {{OF(PROBE_REQUESTS, 1), WINDOW(MIN_(3), MIN_(3) + S(12)), .measure = EXPECT_COUNT, CLOSED(2, 2)},
         true,
         "2"},
        {{OF(PROBE_LATENCY, 1), WINDOW(MIN_(2), MIN_(4)), .measure = EXPECT_MAX, CLOSED(0.503, 0.503)},
         true,
         "503.0ms"},
        {{OF(PROBE_LATENCY, 1), WINDOW(0, MIN_(1)), .measure = EXPECT_MAX, CLOSED(0, 1)},
         false,
         "no request"},
    };
    check(cases, ARRAY_LEN(cases), fill_streams);
}

static void a_surge_is_above_twice_the_minute_before(void **state)
{
    (void)state;
    /* Of the demo: 10 %, 20 % (0 more than twice), 50 % (10 points more), 90 % (10 points less). */
    static const struct judged cases[] = {
        {{OF(PROBE_ERRORS, 1), EACH(MIN_(1), MIN_(5)), .measure = EXPECT_SURGE, CLOSED(-INFINITY, 0.11)},
         true,
         "-10.00%..10.00%"},
        {{OF(PROBE_ERRORS, 1), EACH(MIN_(1), MIN_(5)), .measure = EXPECT_SURGE, CLOSED(-INFINITY, 0.05)},
         false,
         "10.00% in minute 3"},
        {{OF(PROBE_ERRORS, 1), EACH(MIN_(4), MIN_(5)), .measure = EXPECT_SURGE, CLOSED(-INFINITY, 0.05)},
         true,
         "-10.00%..-10.00%"},
        /* The first minute has none before it. */
        {{OF(PROBE_ERRORS, 1), EACH(MIN_(1), MIN_(2)), .measure = EXPECT_SURGE, CLOSED(-INFINITY, 0.05)},
         false,
         "no request in these minutes"},
    };
    check(cases, ARRAY_LEN(cases), fill_streams);
}

/* ---- other series ---- */

/* Sample n, at n x 15 s: n statements of n x 0.1 s each since the last one, of which one times out; hits and misses;
   n pieces fewer. */
static void fill_series(struct world *world, int sample)
{
    struct run_stats *stats = &world->stats;
    for (int i = 0; i < sample; i++) {
        histogram_add_ns(&stats->statements[1].latency, MS(100 * sample));
        histogram_add_ns(&stats->pools[0].wait_any, MS(10 * sample));
        histogram_add_ns(&stats->stores.lock_wait, MS(sample));
    }
    stats->stores.lock_timeouts++;
    stats->stores.cache_hits += sample > 10 ? 9 : 5;
    stats->stores.cache_misses += sample > 10 ? 1 : 5;
    stats->script_rate = sample == 7 ? 0.35 : 0.1;
    stats->business.hot_left = MAX(100 - 10 * sample, 0);
    stats->business.hot_sold = MIN(10 * sample, 100);
    stats->pools[0].waiters_most = 7;
    stats->stores.active_peak = 43;
    stats->stores.connections_peak = 95;
    stats->business.count[BUSINESS_SOLD_OUT] = 3;
    stats->business.count[BUSINESS_CART_ABANDONED] = 4;
}

static void figures_of_the_run(void **state)
{
    (void)state;
    static const struct judged cases[] = {
        {{OF(PROBE_QUERY_LATENCY, 1), .measure = EXPECT_MAX, CLOSED(2, 2)}, true, "2000.0ms"},
        {{OF(PROBE_QUERY_LATENCY, 1), .measure = EXPECT_COUNT, CLOSED(210, 210)}, true, "210"},
        {{OF(PROBE_QUERY_LATENCY, 0), .measure = EXPECT_MAX, CLOSED(0, 9)}, false, "none"},
        {{OF(PROBE_QUERY_LATENCY, 0), .measure = EXPECT_COUNT, CLOSED(0, 0)}, true, "0"},
        {{OF(PROBE_POOL_WAIT, 0), .measure = EXPECT_MAX, CLOSED(0, 0.1)}, false, "200.0ms"},
        {{OF(PROBE_LOCK_WAIT, 0), .measure = EXPECT_MIN, CLOSED(0.001, 0.001)}, true, "1.0ms"},
        {{OF(PROBE_LOCK_TIMEOUTS, 0), .measure = EXPECT_COUNT, CLOSED(20, 20)}, true, "20"},
        {{OF(PROBE_CACHE_HITS, 0), .measure = EXPECT_RATE, CLOSED(0.7, 0.7)}, true, "70.00%"},
        {{OF(PROBE_CACHE_HITS, 0), .measure = EXPECT_COUNT, CLOSED(140, 140)}, true, "140"},
        {{OF(PROBE_SCRIPT_RATE, 0), .measure = EXPECT_MAX, CLOSED(0.35, 1)}, true, "35.00%"},
        {{OF(PROBE_POOL_WAITERS, 0), .measure = EXPECT_MAX, CLOSED(7, 7)}, true, "7"},
        {{OF(PROBE_DATABASE_ACTIVE, 0), .measure = EXPECT_MAX, CLOSED(43, 43)}, true, "43"},
        {{OF(PROBE_DATABASE_CONNECTIONS, 0), .measure = EXPECT_MAX, CLOSED(95, 95)}, true, "95"},
        {{OF(PROBE_HOT_LEFT, 0), .measure = EXPECT_MIN, CLOSED(0, 0)}, true, "0"},
        {{OF(PROBE_HOT_SOLD, 0), .measure = EXPECT_COUNT, CLOSED(100, 100)}, true, "100"},
        {{OF(PROBE_SOLD_OUT, 0), .measure = EXPECT_COUNT, CLOSED(3, 3)}, true, "3"},
        {{OF(PROBE_ABANDONED, 0), .measure = EXPECT_COUNT, CLOSED(4, 4)}, true, "4"},
    };
    check(cases, ARRAY_LEN(cases), fill_series);
}

static void windows_from_sample_to_sample(void **state)
{
    (void)state;
    static const struct judged cases[] = {
        /* From 2m (sample 8) until 3m (12): what came with the samples 9 to 12. */
        {{OF(PROBE_QUERY_LATENCY, 1), WINDOW(MIN_(2), MIN_(3)), .measure = EXPECT_COUNT, CLOSED(42, 42)},
         true,
         "42"},
        {{OF(PROBE_LOCK_TIMEOUTS, 0), WINDOW(MIN_(2), MIN_(3)), .measure = EXPECT_COUNT, CLOSED(4, 4)},
         true,
         "4"},
        {{OF(PROBE_CACHE_HITS, 0), WINDOW(MIN_(2), MIN_(3)), .measure = EXPECT_RATE, CLOSED(0.9, 1)},
         false,
         "70.00%"},
        {{OF(PROBE_CACHE_HITS, 0), WINDOW(MIN_(3), MIN_(5)), .measure = EXPECT_RATE, CLOSED(0.9, 1)},
         true,
         "90.00%"},
        /* Levels are what they were at the samples, the first and the last with them. */
        {{OF(PROBE_HOT_LEFT, 0), WINDOW(MIN_(1), MIN_(2)), .measure = EXPECT_MAX, CLOSED(60, 60)},
         true,
         "60"},
        {{OF(PROBE_HOT_LEFT, 0), WINDOW(MIN_(1), MIN_(2)), .measure = EXPECT_MIN, CLOSED(20, 20)},
         true,
         "20"},
        {{OF(PROBE_SCRIPT_RATE, 0), WINDOW(MIN_(2), MIN_(5)), .measure = EXPECT_MAX, CLOSED(0, 0.1)},
         true,
         "10.00%"},
        {{OF(PROBE_HOT_SOLD, 0), WINDOW(0, MIN_(1)), .measure = EXPECT_COUNT, CLOSED(40, 40)}, true, "40"},
        {{OF(PROBE_QUERY_LATENCY, 0), WINDOW(0, MIN_(1)), .measure = EXPECT_MAX, CLOSED(0, 9)},
         false,
         "none"},
    };
    check(cases, ARRAY_LEN(cases), fill_series);
    struct expect_stats stats =
        judge((struct expect_spec){OF(PROBE_QUERY_LATENCY, 1), WINDOW(MIN_(2), MIN_(3)),
                                   .measure = EXPECT_PERCENTILE, .percentile = 0.5, CLOSED(1.08, 1.12)},
              fill_series);
    assert_true(stats.held);
}

/* ---- alerts ---- */

static void fire_twice(struct world *world, int sample)
{
    if (sample == 20)
        world->stats.alerts[0] =
            (struct alert_stats){.fired = true, .fired_at_ns = S(60), .resolved_at_ns = S(240), .firings = 2};
}

static void fire_for_good(struct world *world, int sample)
{
    if (sample == 20)
        world->stats.alerts[0] =
            (struct alert_stats){.fired = true, .fired_at_ns = S(60), .resolved_at_ns = NEVER, .firings = 1};
}

static void an_alert_resolves(void **state)
{
    (void)state;
    static const struct judged over[] = {
        {{.measure = EXPECT_RESOLVES, CLOSED(240, 300)}, true, "fired at 01:00, resolved at 04:00"},
        {{.measure = EXPECT_RESOLVES, CLOSED(0, 239)}, false, "fired at 01:00, resolved at 04:00"},
    };
    static const struct judged going_on[] = {
        {{.measure = EXPECT_RESOLVES, CLOSED(0, 300)}, false, "fired at 01:00, not resolved"}};
    static const struct judged never[] = {
        {{.measure = EXPECT_RESOLVES, CLOSED(0, 300)}, false, "never fired"}};
    check(over, ARRAY_LEN(over), fire_twice);
    check(going_on, ARRAY_LEN(going_on), fire_for_good);
    check(never, ARRAY_LEN(never), NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_streams_together),
        cmocka_unit_test(windows_of_a_stream),
        cmocka_unit_test(a_surge_is_above_twice_the_minute_before),
        cmocka_unit_test(figures_of_the_run),
        cmocka_unit_test(windows_from_sample_to_sample),
        cmocka_unit_test(an_alert_resolves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
