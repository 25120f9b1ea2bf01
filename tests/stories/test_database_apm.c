/*
 * Scene 9: the acceptance figures of the rush on the database, for 20 seeds; and what each of its two causes does
 * alone - the look-up without an index, and the connections that are held.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/stories/story.h"

#define SCENE "scenarios/database-apm.yaml"
#define LOOK_UP "search_products_unindexed"

enum { SEEDS = 20, LOOK_UPS = 470 };

static const struct statement_stats *statement(const struct story *story, const char *name)
{
    for (size_t i = 0; i < story->stats->statement_count; i++)
        if (strcmp(story->stats->statements[i].name, name) == 0)
            return &story->stats->statements[i];
    fail_msg("no statement %s", name);
    return NULL;
}

static double cpu_percent(const struct story *story, const char *function)
{
    double of_it = 0, all = 0;
    for (size_t i = 0; i < story->stats->profile_count; i++) {
        const struct profile_line *line = &story->stats->profile[i];
        all += line->cpu_ns;
        of_it += strcmp(line->function, function) == 0 ? line->cpu_ns : 0;
    }
    return 100 * of_it / all;
}

static double failed_percent(const struct story *story)
{
    static const char *const streams[] = {"search", "popular", "stock"};
    uint64_t requests = 0, failed = 0;
    for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
        requests += story_stream(story, streams[i])->whole.requests;
        failed += story_stream(story, streams[i])->whole.errors;
    }
    assert_int_equal(requests, LOOK_UPS);
    return 100 * (double)failed / (double)requests;
}

static double p95_ms(const struct story *story, const char *name)
{
    return histogram_quantile(&statement(story, name)->latency, 0.95) * 1e3;
}

static int judge(uint64_t seed)
{
    struct story story = story_play(SCENE, seed, NULL, NULL);
    const struct run_stats *stats = story.stats;
    int off = 0;
    for (size_t i = 0; i < story.scenario->expect_count; i++)
        if (!stats->expects[i].held) {
            printf("seed %d: %s: %s\n", (int)seed, story.scenario->expects[i].text, stats->expects[i].actual);
            off++;
        }
    for (size_t i = 0; i < stats->fault_count; i++)
        off += story_outside(stats->faults[i].landed, 1, 1, "seed %d: fault %zu landed", (int)seed, i);
    off += story_outside(p95_ms(&story, LOOK_UP), 2520, 3080, "seed %d: p95 in ms", (int)seed);
    off += story_outside(histogram_quantile(&statement(&story, LOOK_UP)->latency, 0.99) * 1e3, 2880, 3520,
                         "seed %d: p99 in ms", (int)seed);
    off += story_outside(failed_percent(&story), 4.3, 12.3, "seed %d: failed in percent", (int)seed);
    off += story_outside(stats->stores.active_peak, 43, 43, "seed %d: active at the peak", (int)seed);
    off += story_outside(stats->stores.connections_peak, 95, 95, "seed %d: connections", (int)seed);
    off += story_outside(cpu_percent(&story, LOOK_UP), 98.7, 99.7, "seed %d: CPU in percent", (int)seed);
    story_end(&story);
    return off;
}

static void each_seed_has_the_figures_of_the_scene(void **state)
{
    (void)state;
    int off = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        off += judge(seed);
    assert_int_equal(off, 0);
}

static void with_its_index_the_look_up_is_nothing(void **state)
{
    (void)state;
    struct story story = story_play(
        SCENE, 1, NULL,
        SETTINGS("expect=[]", "alerts=[]", "faults=[{at: 0m, create_index: idx_products_name_prefix}]"));
    assert_true(failed_percent(&story) == 0);
    assert_int_equal(statement(&story, LOOK_UP)->full_scans, 0);
    assert_int_equal(statement(&story, LOOK_UP)->runs, LOOK_UPS);
    assert_true(p95_ms(&story, LOOK_UP) < 50);
    story_end(&story);
}

/* Then 47 scans share the cores, each longer for it, and nobody is refused. */
static void without_the_held_connections_nobody_is_refused(void **state)
{
    (void)state;
    struct story story = story_play(SCENE, 1, NULL, SETTINGS("expect=[]", "alerts=[]", "faults=[]"));
    assert_true(failed_percent(&story) == 0);
    assert_in_range(story.stats->stores.active_peak, 47, 49); /* and at times the baseline's */
    assert_in_range(story.stats->stores.connections_peak, 47, 49);
    assert_true(p95_ms(&story, LOOK_UP) > 2900);
    story_end(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_seed_has_the_figures_of_the_scene),
        cmocka_unit_test(with_its_index_the_look_up_is_nothing),
        cmocka_unit_test(without_the_held_connections_nobody_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
