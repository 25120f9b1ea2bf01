/* --history: the flagship's burn rates with three days of healthy baseline behind them, and without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edges/registry.h"
#include "edges/scenario_load.h"
#include "tests/stories/story.h"

enum { SEEDS_QUICK = 4, SEEDS_LONG = 20 };

/* The same scenario, with a past. */
static struct story play_after(int64_t history_ns, uint64_t seed)
{
    struct text errors = {0};
    struct story story = {.scenario = scenario_load(story_path(FLAGSHIP), &registry, NULL, 0, &errors)};
    assert_non_null(story.scenario);
    text_fini(&errors);
    struct world_options options = {
        .scenario = story.scenario, .registry = &registry, .seed = seed, .history_ns = history_ns};
    story.world = world_new(&options);
    story.stats = world_stats(story.world);
    story_run(&story);
    return story;
}

/* Windows of 6 h and 1 h: full of good requests, both fire later, and at about the same time; clipped at the start
   of the run, the gentle one does so as soon as a twentieth is lost. The flow looks back minutes and is the same. */
static void windows_full_of_good_traffic_fire_later(void **state)
{
    (void)state;
    static const struct {
        int64_t history_ns;
        double slow_s[2], fast_s[2];
    } cases[] = {
        {0, {5 * 60, 6.75 * 60}, {7 * 60, 8.5 * 60}},
        {72 * NS_PER_HOUR, {8.5 * 60, 9.25 * 60}, {8.5 * 60, 9.25 * 60}},
    };
    int off = 0, seeds = story_long() ? SEEDS_LONG : SEEDS_QUICK;
    for (int seed = 1; seed <= seeds; seed++)
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            struct story story = play_after(cases[i].history_ns, (uint64_t)seed);
            const struct alert_stats *alerts = story.stats->alerts;
            off += story_outside((double)alerts[0].fired_at_ns / 1e9, 22 * 60, 23 * 60,
                                 "seed %d, case %zu: checkout-collapse fires, in s", seed, i);
            off += story_outside((double)alerts[1].fired_at_ns / 1e9, cases[i].slow_s[0], cases[i].slow_s[1],
                                 "seed %d, case %zu: budget-burn-slow fires, in s", seed, i);
            off += story_outside((double)alerts[2].fired_at_ns / 1e9, cases[i].fast_s[0], cases[i].fast_s[1],
                                 "seed %d, case %zu: budget-burn-fast fires, in s", seed, i);
            for (size_t a = 0; a < 3; a++)
                off +=
                    story_outside(alerts[a].firings, 1, 1, "seed %d, case %zu: alert %zu fires", seed, i, a);
            story_end(&story);
        }
    assert_int_equal(off, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_full_of_good_traffic_fire_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
