/*
 * Why the flagship fails: one thing is changed, and what must follow does. Errors come from waiting for a
 * connection and from deadlines, out of arrivals and capacity alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "edges/registry.h"
#include "tests/stories/digest.h"
#include "tests/stories/story.h"

#define POOL_MAX "services.recommendation-service.pools.recommendations.max="
#define INDEX_AT_24M "faults.+={at: 24m, create_index: idx_products_recommendations}"

static const uint64_t seed = 7;
static const int table[] = {1, 5, 10, 15, 20, 25};

static double demo_percent(const struct story *story, int minute)
{
    return window_error_percent(story_point(story, "demo", minute));
}

/* No minute of a stream outside these errors, from one minute to another. */
static int minutes_outside(const struct story *story, const char *stream, size_t from, size_t to, double low,
                           double high)
{
    int off = 0;
    for (size_t minute = from; minute < to; minute++)
        off += story_outside(window_error_percent(story_minute(story, stream, minute)), low, high,
                             "%s errors in percent of minute %zu", stream, minute);
    return off;
}

static void test_index_never_dropped(void **state)
{
    (void)state;
    struct story story = story_play(FLAGSHIP, seed, NULL, SETTINGS("faults=[]"));
    int off = minutes_outside(&story, "demo", 1, 30, 0, 0) + minutes_outside(&story, "baseline", 0, 30, 0, 0);
    for (size_t minute = 1; minute < 30; minute++)
        off += story_outside(window_p95_ms(story_minute(&story, "demo", minute)), 50, 500,
                             "demo p95 in ms of minute %zu", minute);
    for (size_t i = 0; i < story.scenario->alert_count; i++)
        off += story_outside(story.stats->alerts[i].fired, 0, 0, "%s fires", story.scenario->alerts[i].name);
    assert_int_equal(off, 0);
    story_end(&story);
}

static void test_larger_pool_is_worse(void **state)
{
    (void)state;
    struct story story = story_play(FLAGSHIP, seed, NULL, SETTINGS(POOL_MAX "100"));
    int off = minutes_outside(&story, "demo", 20, 30, 95, 100);
    off +=
        story_outside(demo_percent(&story, 5), 40, 100, "demo errors in percent at 5m, 12 with a pool of 20");
    off += story_outside(demo_percent(&story, 10), 70, 100,
                         "demo errors in percent at 10m, 47 with a pool of 20");
    off += minutes_outside(&story, "baseline", 0, 30, 0, 0); /* its pool and its index are its own */
    assert_int_equal(off, 0);
    story_end(&story);

    story = story_play(FLAGSHIP, seed, NULL, SETTINGS(POOL_MAX "40"));
    off = story_outside(demo_percent(&story, 20), 80, 86, "pool 40: demo errors in percent at 20m");
    off += story_outside(demo_percent(&story, 25), 80, 86, "pool 40: demo errors in percent at 25m");
    off += minutes_outside(&story, "baseline", 0, 30, 0, 0);
    assert_int_equal(off, 0);
    story_end(&story);
}

static void test_cancelling_does_not_help(void **state)
{
    (void)state;
    struct story story =
        story_play(FLAGSHIP, seed, NULL, SETTINGS(POOL_MAX "100", "postgresql.cancel=on_deadline"));
    assert_int_equal(minutes_outside(&story, "demo", 20, 30, 95, 100), 0);
    story_end(&story);
}

static void test_index_created_heals(void **state)
{
    (void)state;
    struct story story = story_play(FLAGSHIP, seed, NULL, SETTINGS(INDEX_AT_24M));
    int off = minutes_outside(&story, "demo", 24, 30, 0, 4.99);
    off += minutes_outside(&story, "demo", 20, 23, 73, 83);
    for (size_t minute = 25; minute < 30; minute++)
        off += story_outside(window_p95_ms(story_minute(&story, "demo", minute)), 50, 300,
                             "demo p95 in ms of minute %zu", minute);
    assert_int_equal(off, 0);
    const struct fault_stats *created = &story.stats->faults[story.scenario->fault_count - 1];
    assert_true(created->applied && created->landed);
    story_end(&story);
}

/* The same seed with one later change tells the same until then, to the last attribute. */
static void test_fork_is_the_same_before_the_change(void **state)
{
    (void)state;
    struct digest as_it_was = {.until_ns = 24 * NS_PER_MIN}, healed = as_it_was;
    struct sink sink = digest_sink(&as_it_was);
    struct story story = story_play(FLAGSHIP, seed, &sink, NULL);
    story_end(&story);
    sink = digest_sink(&healed);
    story = story_play(FLAGSHIP, seed, &sink, SETTINGS(INDEX_AT_24M));
    story_end(&story);
    assert_true(as_it_was.spans > 1000000);
    assert_int_equal(as_it_was.spans, healed.spans);
    assert_int_equal(as_it_was.logs, healed.logs);
    assert_int_equal(as_it_was.value, healed.value);
}

/* Scans a minute that the cores get through, by the plan that the incident leaves. */
static double capacity_per_min(const struct scenario *scenario, int minute)
{
    const struct statement *statement = registry_statement(&registry, "recommendations");
    const struct postgresql_spec *spec = &scenario->postgresql;
    const struct plan *plan = &statement->plans[STATEMENT_PLANS_MAX - 1];
    double rows = plan->rows + plan->share * curve_at(&spec->products, minute * NS_PER_MIN);
    double scan_s = statement->fixed_us * 1e-6 + rows * plan->row_cost * spec->scan_ns_per_row * 1e-9;
    return 60 * spec->cores / scan_s;
}

static void test_errors_follow_capacity(void **state)
{
    (void)state;
    static const char *const scales[] = {"streams.demo.scale=0.5", "streams.demo.scale=0.75",
                                         "streams.demo.scale=1", "streams.demo.scale=1.5"};
    int off = 0;
    for (size_t i = 0; i < ARRAY_LEN(scales); i++) {
        struct story story = story_play(FLAGSHIP, seed, NULL, SETTINGS(scales[i]));
        for (int minute = 20; minute <= 25; minute += 5) {
            double offered = curve_at(&story.scenario->streams[1].rate_per_min, minute * NS_PER_MIN);
            double percent = 100 * (1 - capacity_per_min(story.scenario, minute) / offered);
            off += story_outside(demo_percent(&story, minute), percent - 5, percent + 5,
                                 "%s: demo errors in percent at %dm", scales[i], minute);
        }
        story_end(&story);
    }
    assert_int_equal(off, 0);
}

static void test_read_replicas_help_and_do_not_cure(void **state)
{
    (void)state;
    static const double percent[] = {0, 0, 2, 14, 45, 45};
    int off = 0;
    struct story story = story_play(FLAGSHIP, seed, NULL, SETTINGS("postgresql.read_replicas=2"));
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        off += story_outside(demo_percent(&story, table[i]), percent[i] - 5, percent[i] + 5,
                             "two replicas: demo errors in percent at %dm", table[i]);
    off += minutes_outside(&story, "baseline", 0, 30, 0, 0);
    assert_int_equal(off, 0);
    story_end(&story);
}

/* ---- where errors come from ---- */

static void count_failed(void *owner, const struct span *span)
{
    uint64_t *failed = owner;
    failed[span->status] += status_failed(span->status);
}

/* Pool time-outs, deadlines, and the 503s that pass them on: nothing else ever fails. */
static void test_errors_come_from_waiting_alone(void **state)
{
    (void)state;
    uint64_t failed[STATUS_COUNT] = {0};
    struct sink sink = {.owner = failed, .span = count_failed};
    struct story story = story_play(FLAGSHIP, seed, &sink, NULL);
    assert_true(failed[STATUS_POOL_EXHAUSTED] > 60000);
    assert_true(failed[STATUS_UNAVAILABLE] > 60000);
    for (int status = 0; status < STATUS_COUNT; status++)
        if (status != STATUS_POOL_EXHAUSTED && status != STATUS_UNAVAILABLE && status != STATUS_DEADLINE)
            assert_int_equal(failed[status], 0);
    assert_int_equal(story.stats->mailbox_refused, 0);
    assert_int_equal(story.stats->expired, 0);
    story_end(&story);
}

/* ---- a service that is away ---- */

struct outage {
    const char *service; /* the one that is asked in vain */
    int64_t from_ns, to_ns;
    uint64_t asked, refused, refused_outside, answered_inside, roots_failed;
};

static void watch_outage(void *owner, const struct span *span)
{
    struct outage *outage = owner;
    bool inside = span->start_ns >= outage->from_ns && span->start_ns < outage->to_ns;
    outage->roots_failed += span->depth == 1 && status_failed(span->status);
    if (!span->site->peer || strcmp(span->site->peer, outage->service) != 0)
        return;
    bool refused = span->status == STATUS_NO_PEER;
    outage->asked++;
    outage->refused += refused;
    outage->refused_outside += refused && !inside;
    outage->answered_inside += !refused && inside;
}

static void test_service_down_for_a_minute(void **state)
{
    (void)state;
    struct outage outage = {"cart-service", 5 * NS_PER_MIN, 6 * NS_PER_MIN, 0, 0, 0, 0, 0};
    struct sink sink = {.owner = &outage, .span = watch_outage};
    struct story story = story_play(FLAGSHIP, seed, &sink,
                                    SETTINGS("faults=[]", "faults.+={at: 5m, service_down: cart-service}",
                                             "faults.+={at: 6m, service_up: cart-service}"));
    assert_true(outage.refused > 2000);
    assert_int_equal(outage.refused_outside, 0);
    assert_int_equal(outage.answered_inside, 0);
    /* Whoever asked in vain has failed, and nobody else. */
    assert_int_equal(outage.roots_failed, outage.refused);
    assert_int_equal(story_stream(&story, "demo")->failed + story_stream(&story, "baseline")->failed,
                     outage.refused);
    int off = 0;
    for (size_t minute = 0; minute < 30; minute++) {
        if (minute == 4 || minute == 5) /* a request of the last moments of 4 asks in 5 */
            continue;
        off += minutes_outside(&story, "demo", minute, minute + 1, 0, 0);
        off += minutes_outside(&story, "baseline", minute, minute + 1, 0, 0);
    }
    off +=
        minutes_outside(&story, "demo", 5, 6, 99, 100) + minutes_outside(&story, "baseline", 5, 6, 97, 100);
    assert_int_equal(off, 0);
    assert_true(story.stats->faults[0].landed && story.stats->faults[1].landed);
    story_end(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_index_never_dropped),
        cmocka_unit_test(test_larger_pool_is_worse),
        cmocka_unit_test(test_cancelling_does_not_help),
        cmocka_unit_test(test_index_created_heals),
        cmocka_unit_test(test_fork_is_the_same_before_the_change),
        cmocka_unit_test(test_errors_follow_capacity),
        cmocka_unit_test(test_read_replicas_help_and_do_not_cure),
        cmocka_unit_test(test_errors_come_from_waiting_alone),
        cmocka_unit_test(test_service_down_for_a_minute),
    };
    return cmocka_run_group_tests_name("mechanism", tests, NULL, NULL);
}
