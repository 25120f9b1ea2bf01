/* The load generator's settings in the environment, on the dual-mode scenario that they were made for. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "edges/demo_env.h"
#include "edges/registry.h"
#include "edges/scenario_load.h"
#include "tests/stories/story.h"

#define DIRECT "scenarios/black-friday-v4.yaml"
#define NOW_S 1795802400

struct variable {
    const char *name, *value;
};

static const struct variable *variables;

static const char *get(const char *name)
{
    for (const struct variable *at = variables; at->name; at++)
        if (strcmp(at->name, name) == 0)
            return at->value;
    return NULL;
}

/* Plays the first minutes of the scenario as the environment would have it. */
static struct story play(const struct variable *set, const char *const *settings, struct demo_env *env)
{
    struct text error = {0};
    size_t count = 0;
    variables = set;
    while (settings[count])
        count++;
    const struct demo_flags flags = {.settings = settings, .count = count};
    struct story story = {.scenario = scenario_load(story_path(DIRECT), &registry, settings, count, &error)};
    bool fits = story.scenario && demo_env_read(env, get, NOW_S, &error) &&
                demo_env_apply(env, story.scenario, &registry, &flags, &error);
    if (!fits)
        fail_msg("%s", text_c(&error));
    text_fini(&error);
    const struct world_options options = {
        .scenario = story.scenario, .registry = &registry, .seed = 1, .demo_waits = env->waits};
    story.world = world_new(&options);
    story.stats = world_stats(story.world);
    for (int64_t at_ns; (at_ns = world_next_at(story.world)) <= 20 * NS_PER_MIN;)
        world_turn(story.world, at_ns, UINT_MAX);
    return story;
}

static double started(const struct story *story, const char *stream, size_t minute)
{
    return (double)story_minute(story, stream, minute)->requests;
}

static void test_rates(void **state)
{
    (void)state;
    struct demo_env env;
    const struct variable set[] = {
        {"BASELINE_RPM", "400"}, {"DEMO_BASE_RPM", "200"}, {"DEMO_PEAK_RPM", "600"}, {NULL, NULL}};
    struct story story = play(set, SETTINGS("alerts=[]", "expect=[]"), &env);
    int off = story_outside(started(&story, "baseline", 0), 320, 480, "baseline of minute 0");
    off += story_outside(started(&story, "demo", 0), 0, 0, "demo of minute 0");
    off += story_outside(started(&story, "demo", 1), 150, 300, "demo of minute 1");
    off += story_outside(started(&story, "demo", 16), 500, 700, "demo of minute 16");
    off += story_outside(started(&story, "baseline", 16), 320, 480, "baseline of minute 16");
    off += story_outside((double)story_stream(&story, "demo")->failed, 0, 0,
                         "errors of a seventh of the traffic");
    story_end(&story);
    assert_int_equal(off, 0);
}

static void test_without_baseline(void **state)
{
    (void)state;
    struct demo_env env;
    const struct variable set[] = {{"BASELINE_ENABLED", "false"}, {NULL, NULL}};
    struct story story = play(set, SETTINGS("alerts=[]", "expect=[]"), &env);
    int off = story_outside((double)story_stream(&story, "baseline")->started, 0, 0, "baseline requests");
    off += story_outside(started(&story, "demo", 1), 700, 1300, "demo of minute 1");
    story_end(&story);
    assert_int_equal(off, 0);
}

static void test_waits(void **state)
{
    (void)state;
    struct demo_env env;
    const struct variable set[] = {{"DEMO_MODE", "off"}, {NULL, NULL}};
    struct story story = play(set, SETTINGS("alerts=[]", "expect=[]"), &env);
    int off = story_outside((double)story_stream(&story, "demo")->started, 0, 0, "demo requests");
    off += story_outside((double)story_stream(&story, "baseline")->started, 1800, 2200, "baseline requests");
    story_end(&story);
    assert_int_equal(off, 0);
}

/* They act on the pools of the incident: half of them lose more. */
static void test_connections(void **state)
{
    (void)state;
    struct demo_env env;
    const struct variable set[] = {{"DB_MAX_CONNECTIONS", "5"}, {NULL, NULL}};
    struct story story = play(set, SETTINGS("alerts=[]", "expect=[]"), &env);
    for (size_t i = 0; i < story.stats->pool_count; i++)
        if (strcmp(story.stats->pools[i].service, "product-catalog") == 0)
            assert_int_equal(story.stats->pools[i].max,
                             strcmp(story.stats->pools[i].name, "catalog") ? 5 : 20);
    int off =
        story_outside(window_error_percent(story_minute(&story, "demo", 4)), 20, 60, "errors of minute 4");
    story_end(&story);
    assert_int_equal(off, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_without_baseline),
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_connections),
    };
    return cmocka_run_group_tests_name("demo settings", tests, NULL, NULL);
}
