/*
 * The scripted scenarios, 20 seeds each: all that their files expect holds, and what the script says is what the
 * traces tell - delays to the millisecond, failures at the rate of their minute, and nothing else goes wrong.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "edges/registry.h"
#include "edges/report.h"
#include "tests/stories/story.h"
#include "tests/stories/tree.h"

enum { SEEDS = 20, MINUTES = 30, TOLD_MAX = 20, ACQUIRE_TIMEOUT_MS = 5000 };

/* What a script does to a route from a minute on. */
struct band {
    int from_minute;
    double least_ms, most_ms, rate; /* of all requests, those that fail */
};

struct tally {
    uint64_t requests[MINUTES], failed[MINUTES];
    double least_ms[MINUTES], most_ms[MINUTES]; /* of the delays */
};

struct watch {
    bool (*watches)(const char *route); /* NULL: it is not delayed, or does not fail */
    const struct band *(*band_of)(const char *route, int minute);
    struct tally failing;
    double wait_ms; /* of a failure */
    uint64_t delayed, failed; /* of this run */
    int off;
};

static const struct attr *attr_of(const struct span *span, enum attr_key key)
{
    for (size_t i = 0; i < span->attrs.count; i++)
        if (span->attrs.list[i].key == key)
            return &span->attrs.list[i];
    return NULL;
}

static double number_of(const struct span *span, enum attr_key key)
{
    const struct attr *attr = attr_of(span, key);
    if (!attr)
        return -1;
    return attr->type == ATTR_REAL  ? attr->real
           : attr->type == ATTR_INT ? (double)attr->integer
                                    : attr->truth;
}

static int wrong(const struct span *span, int minute, const char *what, double found)
{
    static int told;
    if (told++ < TOLD_MAX)
        print_error("%s in minute %d: %s, found %g\n", span->site->name, minute, what, found);
    return 1;
}

/* What the span tells of its delay, and that it lasted. */
static int judge_delay(const struct span *span, int minute, const struct band *band)
{
    double delay_ms = number_of(span, ATTR_DB_SIM_DELAY_MS),
           took_ms = (double)(span->end_ns - span->start_ns) / 1e6;
    int off = 0;
    if (delay_ms < band->least_ms || delay_ms > band->most_ms)
        off += wrong(span, minute, "a delay beyond its band", delay_ms);
    if (took_ms < delay_ms)
        off += wrong(span, minute, "it took less than its delay", took_ms);
    if (number_of(span, ATTR_DB_SLOW_QUERY) != (delay_ms > 1000))
        off += wrong(span, minute, "db.slow_query is above a second", delay_ms);
    if (!attr_of(span, ATTR_DB_MISSING_INDEX))
        off += wrong(span, minute, "no db.missing_index", 0);
    return off;
}

static int judge_failure(const struct watch *watch, const struct span *span, int minute,
                         const struct band *band)
{
    double rate = number_of(span, ATTR_DEMO_FAILURE_RATE), wait_ms = number_of(span, ATTR_POOL_WAIT_MS);
    double delay_ms = MAX(number_of(span, ATTR_DB_SIM_DELAY_MS), 0);
    int64_t took_us = (span->end_ns - span->start_ns) / NS_PER_US;
    int off = 0;
    if (fabs(rate - band->rate) > 1e-9)
        off += wrong(span, minute, "demo.failure_rate", rate);
    if (wait_ms != watch->wait_ms)
        off += wrong(span, minute, "wait_time_ms", wait_ms);
    if (strncmp(span->site->name, "POST", 4) == 0 && number_of(span, ATTR_CHECKOUT_FAILED) != 1)
        off += wrong(span, minute, "checkout.failed", number_of(span, ATTR_CHECKOUT_FAILED));
    if (fabs((double)took_us / 1e3 - wait_ms - delay_ms) > 0.002)
        off += wrong(span, minute, "it did not wait as long as it says, ms", (double)took_us / 1e3);
    return off;
}

static void see_span(void *owner, const struct span *span)
{
    struct watch *watch = owner;
    int minute = (int)number_of(span, ATTR_DEMO_MINUTE);
    if (span->site->kind != SPAN_SERVER || minute < 0 || minute >= MINUTES)
        return;
    const struct band *band = watch->band_of(span->site->name, minute);
    if (!band)
        return;
    if (band->most_ms > 0) {
        double delay_ms = number_of(span, ATTR_DB_SIM_DELAY_MS);
        watch->delayed++;
        watch->off += judge_delay(span, minute, band);
        watch->failing.least_ms[minute] = MIN(watch->failing.least_ms[minute], delay_ms);
        watch->failing.most_ms[minute] = MAX(watch->failing.most_ms[minute], delay_ms);
    }
    if (!watch->watches(span->site->name))
        return;
    watch->failing.requests[minute]++;
    if (span->status != STATUS_POOL_EXHAUSTED)
        return;
    watch->failed++;
    watch->failing.failed[minute]++;
    watch->off += judge_failure(watch, span, minute, band);
}

/* Only what the script fails has failed, and the run is a success. */
static void play_seed(const char *file, uint64_t seed, struct watch *watch)
{
    const struct sink sink = {.owner = watch, .span = see_span};
    watch->failed = watch->delayed = 0;
    struct story story = story_play(file, seed, &sink, NULL);
    const struct report report = {.scenario = story.scenario, .registry = &registry, .stats = story.stats};
    int off = 0;
    uint64_t lost = 0;
    for (size_t i = 0; i < story.scenario->stream_count; i++)
        lost += story.stats->streams[i].failed;
    off += story_outside((double)lost, (double)watch->failed, (double)watch->failed,
                         "seed %d: requests that failed, beside the script's", (int)seed);
    off += story_outside((double)watch->delayed, 1, 1e9, "seed %d: requests delayed", (int)seed);
    for (size_t i = 0; i < story.scenario->expect_count; i++)
        off += story_outside(story.stats->expects[i].held, 1, 1, "seed %d: %s (%s)", (int)seed,
                             story.scenario->expects[i].text, story.stats->expects[i].actual);
    off += story_outside(report_failed(&report), 0, 0, "seed %d: the run failed", (int)seed);
    if (off)
        print_error("repeat: doorbuster simulate %s --seed %d\n", file, (int)seed);
    watch->off += off;
    story_end(&story);
}

/* All minutes together within 3 standard errors of the script, each of them within 5. */
static int judge_rates(const struct watch *watch, const char *route)
{
    double failed = 0, meant = 0, variance = 0;
    int off = 0;
    for (int minute = 0; minute < MINUTES; minute++) {
        double requests = (double)watch->failing.requests[minute],
               found = (double)watch->failing.failed[minute];
        double rate = watch->band_of(route, minute)->rate, spread = requests * rate * (1 - rate);
        failed += found;
        meant += requests * rate;
        variance += spread;
        off += story_outside(found, requests * rate - 5 * sqrt(spread), requests * rate + 5 * sqrt(spread),
                             "failures of minute %d, of %g requests", minute, requests);
    }
    print_message("%g requests failed, %g by the script, %.2f standard errors off\n", failed, meant,
                  (failed - meant) / sqrt(variance));
    return off +
           story_outside(failed, meant - 3 * sqrt(variance), meant + 3 * sqrt(variance), "failures in all");
}

/* A band is used to both its ends. */
static int judge_ends(const struct watch *watch, const char *route)
{
    int off = 0;
    for (int minute = 1; minute < MINUTES; minute++) {
        const struct band *band = watch->band_of(route, minute);
        double near = (band->most_ms - band->least_ms) / 50;
        off += story_outside(watch->failing.least_ms[minute], band->least_ms, band->least_ms + near,
                             "shortest delay of minute %d in ms", minute);
        off += story_outside(watch->failing.most_ms[minute], band->most_ms - near, band->most_ms,
                             "longest delay of minute %d in ms", minute);
    }
    return off;
}

static void play_all(const char *file, struct watch *watch)
{
    for (int minute = 0; minute < MINUTES; minute++)
        watch->failing.least_ms[minute] = 1e9;
    for (int seed = 1; seed <= SEEDS; seed++)
        play_seed(file, (uint64_t)seed, watch);
}

/* ---- black-friday-v1: exact delays on three routes, failures on three others ---- */

static bool is_order_route(const char *route)
{
    return !strcmp(route, "POST /orders/create") || !strcmp(route, "POST /checkout") ||
           !strcmp(route, "GET /orders/popular-products");
}

static const struct band *classic_band(const char *route, int minute)
{
    static struct band now;
    double delay_ms = minute < 10 ? 500 : minute < 15 ? 1000 : 2500;
    bool listed = !strcmp(route, "GET /products") || !strcmp(route, "GET /products/search") ||
                  !strcmp(route, "GET /products/popular-with-history");
    now = (struct band){.from_minute = minute};
    if (listed)
        now.least_ms = now.most_ms = delay_ms;
    if (is_order_route(route))
        now.rate = minute < 15 ? 0 : MIN(0.35, (minute - 15) * 0.05);
    return listed || is_order_route(route) ? &now : NULL;
}

static void test_classic(void **state)
{
    (void)state;
    static struct watch watch;
    watch = (struct watch){.watches = is_order_route, .band_of = classic_band, .wait_ms = ACQUIRE_TIMEOUT_MS};
    play_all("scenarios/black-friday-v1.yaml", &watch);
    watch.off += judge_rates(&watch, "POST /checkout");
    assert_int_equal(watch.off, 0);
}

/* ---- black-friday-v4-scripted: bands of delays and failures on one route ---- */

static bool is_recommendations(const char *route)
{
    return strcmp(route, "GET /products/recommendations") == 0;
}

static const struct band *scripted_band(const char *route, int minute)
{
    static const struct band bands[] = {{0, 100, 300, 0.02},
                                        {10, 500, 1200, 0.15},
                                        {15, 1200, 2000, 0.45},
                                        {18, 2000, 2600, 0.65},
                                        {20, 2500, 3200, 0.78}};
    const struct band *acts = NULL;
    for (size_t i = 0; i < ARRAY_LEN(bands); i++)
        if (is_recommendations(route) && bands[i].from_minute <= minute)
            acts = &bands[i];
    return acts;
}

static void test_scripted_direct(void **state)
{
    (void)state;
    static struct watch watch;
    watch = (struct watch){.watches = is_recommendations, .band_of = scripted_band};
    play_all("scenarios/black-friday-v4-scripted.yaml", &watch);
    watch.off += judge_rates(&watch, "GET /products/recommendations");
    watch.off += judge_ends(&watch, "GET /products/recommendations");
    assert_int_equal(watch.off, 0);
}

/* ---- their traces ---- */

static void test_trees(void **state)
{
    (void)state;
    static const char *const files[] = {"scenarios/black-friday-v1.yaml",
                                        "scenarios/black-friday-v4-scripted.yaml",
                                        "scenarios/black-friday-v4.yaml"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct tree tree = {0};
        const struct sink sink = tree_sink(&tree);
        struct story story = story_play(files[i], 1, &sink, NULL);
        tree_sort(&tree);
        assert_int_equal(tree_problems(&tree), 0);
        assert_int_equal(tree_traces(&tree), story.stats->traces);
        tree_fini(&tree);
        story_end(&story);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classic),
        cmocka_unit_test(test_scripted_direct),
        cmocka_unit_test(test_trees),
    };
    return cmocka_run_group_tests_name("scripted scenarios", tests, NULL, NULL);
}
