/* alert: percentiles over windows, windows that reach into a healthy past, and how often an alert fired. */
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

static struct curve_point hundred[] = {{0, 100}};

/* One alert on one condition; nobody sends anything but the test. */
static void begin(struct toy *toy, struct condition condition)
{
    toy_begin(toy, kinds, ARRAY_LEN(kinds));
    toy->scenario.streams[0] = (struct stream_spec){
        .name = "baseline", .service = "shelf", .route = "GET /x", .rate_per_min = {hundred, 1}};
    toy->scenario.streams[1] =
        (struct stream_spec){.name = "demo", .service = "shelf", .route = "GET /x", .demo = true};
    toy->scenario.stream_count = 2;
    toy->scenario.duration_ns = MIN_(60);
    toy->scenario.alert_count = 1;
    struct alert_spec *alert = &toy->scenario.alerts[0];
    alert->kind = ALERT_THRESHOLD;
    alert->stages[0].when = condition;
    alert->stage_count = 1;
}

static int64_t sample_at(size_t sample)
{
    return (int64_t)(sample + 1) * WORLD_SAMPLE_NS;
}

static bool fires(struct toy *toy, size_t sample)
{
    alerts_judge(toy->world, sample_at(sample));
    const struct alert_stats *stats = &toy->world->stats.alerts[0];
    return stats->fired && stats->resolved_at_ns == NEVER;
}

#define SERIES(kind_, index_) .series = {.kind = (kind_), .index = (index_), .name = "x", .pool = "a"}

/* ---- percentiles ---- */

static struct histogram *latencies(struct toy *toy, enum probe_kind kind)
{
    struct run_stats *stats = &toy->world->stats;
    switch (kind) {
    case PROBE_LATENCY:
        return &stats->streams[1].ended_latency;
    case PROBE_POOL_WAIT:
        return &stats->pools[0].wait_any;
    case PROBE_QUERY_LATENCY:
        return &stats->statements[1].latency;
    default:
        return &stats->stores.lock_wait;
    }
}

static void percentiles_are_over_the_window(void **state)
{
    (void)state;
    static const enum probe_kind of[] = {PROBE_LATENCY, PROBE_POOL_WAIT, PROBE_QUERY_LATENCY,
                                         PROBE_LOCK_WAIT};
    for (size_t k = 0; k < ARRAY_LEN(of); k++) {
        struct toy toy;
        begin(&toy, (struct condition){SERIES(of[k], 1), .quantile = 0.95, .over_ns = MIN_(1), .bound = 0.5});
        toy_open(&toy, 1);
        struct histogram *histogram = latencies(&toy, of[k]);
        for (int i = 0; i < 100000; i++)
            histogram_add(histogram, 0.01); /* before the first window ends */
        assert_false(fires(&toy, 0));
        /* 100 a sample; from sample 10 on 10 of them take a second: 5 % of the window at two, more at three. */
        for (size_t s = 1; s < 10; s++) {
            for (int i = 0; i < 100; i++)
                histogram_add(histogram, 0.01);
            assert_false(fires(&toy, s));
        }
        for (size_t s = 10; s < 20; s++) {
            for (int i = 0; i < 100; i++)
                histogram_add(histogram, i < 10 ? 1 : 0.01);
            assert_int_equal(fires(&toy, s), s >= 12);
        }
        /* Nothing is neither above nor below: it ends when the last of them have left. */
        for (size_t s = 20; s < 26; s++)
            assert_int_equal(fires(&toy, s), s < 23);
        toy_end(&toy);
    }
}

static void all_streams_share_a_percentile(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, (struct condition){SERIES(PROBE_LATENCY, PROBE_ALL_STREAMS), .quantile = 0.5,
                                   .over_ns = MIN_(1), .below = true, .bound = 0.5});
    toy_open(&toy, 1);
    assert_false(fires(&toy, 0)); /* below nothing is not below */
    for (int i = 0; i < 3; i++)
        histogram_add(&toy.world->stats.streams[0].ended_latency, 1);
    assert_false(fires(&toy, 1));
    for (int i = 0; i < 4; i++)
        histogram_add(&toy.world->stats.streams[1].ended_latency, 0.1);
    assert_true(fires(&toy, 2));
    toy_end(&toy);
}

/* ---- other series ---- */

static void a_share_of_lookups_and_levels(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy,
          (struct condition){SERIES(PROBE_CACHE_HITS, 0), .over_ns = MIN_(1), .below = true, .bound = 0.9});
    toy_open(&toy, 1);
    struct store_stats *stores = &toy.world->stats.stores;
    stores->cache_hits = 9;
    stores->cache_misses = 1;
    assert_false(fires(&toy, 0));
    stores->cache_misses = 2;
    assert_true(fires(&toy, 1));
    toy_end(&toy);

    static const enum probe_kind levels[] = {PROBE_SCRIPT_RATE, PROBE_DATABASE_ACTIVE,
                                             PROBE_DATABASE_CONNECTIONS, PROBE_HOT_LEFT};
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        begin(&toy, (struct condition){SERIES(levels[i], 0), .bound = 0.3});
        toy_open(&toy, 1);
        assert_false(fires(&toy, 0));
        toy.world->stats.script_rate = 0.35;
        toy.world->stats.stores.active_recent = toy.world->stats.stores.connections_recent = 1;
        toy.world->stats.business.hot_left = 1;
        assert_true(fires(&toy, 1));
        /* Peaks are of one sample. */
        if (levels[i] == PROBE_DATABASE_ACTIVE || levels[i] == PROBE_DATABASE_CONNECTIONS)
            assert_false(fires(&toy, 2));
        toy_end(&toy);
    }
}

/* ---- history ---- */

static void add(struct toy *toy, size_t stream, uint64_t ended, uint64_t failed)
{
    toy->world->stats.streams[stream].ended += ended;
    toy->world->stats.streams[stream].ended_failed += failed;
}

static void a_window_reaches_into_history(void **state)
{
    (void)state;
    static const struct {
        int64_t history_ns;
        size_t fires; /* at this sample */
    } cases[] = {
        {0, 0}, /* 25 of 25 */
        {MIN_(1), 1}, /* 25 of 25 + 100, 50 of 50 + 100 */
        {MIN_(4), 9}, /* 225 of 625: the window of 10 minutes is 400 + 25 a sample */
        {MIN_(1000), 16}, /* 17 x 25 of 1000, for what comes in pushes out as much */
    };
    for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
        struct toy toy;
        begin(&toy, (struct condition){SERIES(PROBE_ERRORS, 0), .over_ns = MIN_(10), .bound = 0.33});
        if (cases[c].history_ns == MIN_(4))
            toy.scenario.alerts[0].stages[0].when.bound = 0.38;
        if (cases[c].history_ns == MIN_(1000))
            toy.scenario.alerts[0].stages[0].when.bound = 0.41;
        toy.options.history_ns = cases[c].history_ns;
        toy_open(&toy, 1);
        for (size_t s = 0; s <= cases[c].fires; s++) {
            add(&toy, 0, 25, 25);
            assert_int_equal(fires(&toy, s), s == cases[c].fires);
        }
        toy_end(&toy);
    }
}

static void a_burn_rate_reaches_further_than_the_scenario(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, (struct condition){SERIES(PROBE_ERRORS, 0), .over_ns = MIN_(1), .bound = 0.9});
    struct alert_spec *burn = &toy.scenario.alerts[0];
    *burn = (struct alert_spec){.kind = ALERT_BURN_RATE,
                                .stream = PROBE_ALL_STREAMS,
                                .objective = 0.99,
                                .factor = 10,
                                .long_ns = MIN_(180),
                                .short_ns = MIN_(5)};
    toy.options.history_ns = MIN_(72 * 60);
    toy_open(&toy, 1);
    /* 25 good ones a sample as ever, and 500 bad ones of a stream that has no past. The window of 3 hours, three
       times the run, holds 18,000 + 500 n of which 500 n are bad: a tenth from n = 5 on. */
    for (size_t s = 0; s < 8; s++) {
        add(&toy, 0, 25, 0);
        add(&toy, 1, 500, 500);
        assert_int_equal(fires(&toy, s), s >= 4);
    }
    toy_end(&toy);
}

static void of_what_health_says_nothing_about_there_is_no_history(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, (struct condition){SERIES(PROBE_ORDERS, 0),
                                   .per = {.kind = PROBE_REQUESTS, .index = 0, .name = "r"},
                                   .over_ns = MIN_(10), .below = true, .bound = 0.5});
    toy.options.history_ns = MIN_(60);
    toy_open(&toy, 1);
    add(&toy, 0, 25, 0);
    toy.world->stats.business.count[BUSINESS_ORDER] = 20;
    assert_false(fires(&toy, 0)); /* 20 of 25, not 20 of 1000 */
    toy_end(&toy);

    /* Time-outs stand still in health, so that they have one: 90 of 1000. */
    begin(&toy, (struct condition){SERIES(PROBE_POOL_TIMEOUTS, 0),
                                   .per = {.kind = PROBE_REQUESTS, .index = 0, .name = "r"},
                                   .over_ns = MIN_(10), .bound = 0.1});
    toy.options.history_ns = MIN_(60);
    toy_open(&toy, 1);
    add(&toy, 0, 25, 0);
    toy.world->stats.pools[0].timeouts = 90;
    assert_false(fires(&toy, 0));
    toy.world->stats.pools[0].timeouts = 110;
    assert_true(fires(&toy, 1));
    toy_end(&toy);
}

/* ---- spells ---- */

static void each_time_it_fires_is_told_up_to_a_bound(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, (struct condition){SERIES(PROBE_SCRIPT_RATE, 0), .bound = 0.3});
    toy_open(&toy, 1);
    const struct alert_stats *stats = &toy.world->stats.alerts[0];
    for (size_t s = 0; s < 2 * (ALERT_SPELLS_MAX + 2); s++) {
        toy.world->stats.script_rate = s % 2 ? 1 : 0;
        fires(&toy, s);
        assert_int_equal(stats->firings, (s + 1) / 2);
    }
    assert_int_equal(stats->fired_at_ns, sample_at(1));
    assert_true(stats->resolved_at_ns == NEVER);
    for (size_t i = 0; i < ALERT_SPELLS_MAX; i++) {
        assert_int_equal(stats->spells[i].fired_at_ns, sample_at(2 * i + 1));
        assert_int_equal(stats->spells[i].resolved_at_ns, sample_at(2 * i + 2));
    }
    toy.world->stats.script_rate = 0;
    fires(&toy, 99);
    assert_int_equal(stats->resolved_at_ns, sample_at(99)); /* the last one, though it is not in the list */
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_over_the_window),
        cmocka_unit_test(all_streams_share_a_percentile),
        cmocka_unit_test(a_share_of_lookups_and_levels),
        cmocka_unit_test(a_window_reaches_into_history),
        cmocka_unit_test(a_burn_rate_reaches_further_than_the_scenario),
        cmocka_unit_test(of_what_health_says_nothing_about_there_is_no_history),
        cmocka_unit_test(each_time_it_fires_is_told_up_to_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
