/* The flagship forked: one run until the index is created, two afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "edges/fork.h"
#include "edges/registry.h"
#include "edges/scenario_load.h"
#include "tests/stories/digest.h"
#include "tests/stories/story.h"

#define INDEX "create_index: idx_products_recommendations"

enum { SEED = 7, AT_MINUTE = 18 };

static struct scenario *forked(const char *file, int64_t at_ns, const char *change)
{
    static char path[4096];
    struct text error = {0};
    snprintf(path, sizeof path, "%s", story_path(file));
    struct fork_request request = {.registry = &registry, .file = path, .at_ns = at_ns, .change = change};
    struct scenario *scenario = fork_scenario(&request, &error);
    if (!scenario)
        fail_msg("%s", text_c(&error));
    text_fini(&error);
    return scenario;
}

static struct report play(struct story *story, struct digest *digest)
{
    struct world_options options = {.scenario = story->scenario, .registry = &registry, .seed = SEED};
    options.sink = digest_sink(digest);
    story->world = world_new(&options);
    story->stats = world_stats(story->world);
    story_run(story);
    return (struct report){.scenario = story->scenario,
                           .registry = &registry,
                           .stats = story->stats,
                           .seed = SEED,
                           .layout = "virtual",
                           .ended_at_ns = story->scenario->duration_ns};
}

static void assert_same_until(const struct story *a, const struct story *b, size_t minute)
{
    for (size_t s = 0; s < a->scenario->stream_count; s++)
        for (size_t m = 0; m < minute; m++) {
            const struct window *one = &a->stats->streams[s].minutes[m],
                                *other = &b->stats->streams[s].minutes[m];
            /* A request counts where it started: those of the last seconds end after the change. */
            assert_int_equal(one->requests, other->requests);
            if (m + 1 < minute)
                assert_memory_equal(one, other, sizeof *one);
        }
}

static void test_the_index_at_18_heals_from_the_next_minute_on(void **state)
{
    (void)state;
    const int64_t at_ns = AT_MINUTE * NS_PER_MIN;
    struct digest without = {.until_ns = at_ns}, with = {.until_ns = at_ns};
    struct story first = {.scenario = scenario_load(story_path(FLAGSHIP), &registry, NULL, 0, NULL)};
    struct story second = {.scenario = forked(FLAGSHIP, at_ns, INDEX)};
    struct report report = play(&first, &without), changed = play(&second, &with);
    struct fork fork = {at_ns, INDEX, &changed};
    int off = 0;

    assert_true(without.spans > 100000);
    assert_int_equal(without.spans, with.spans);
    assert_int_equal(without.logs, with.logs);
    assert_true(without.value == with.value);
    assert_same_until(&first, &second, AT_MINUTE);

    for (size_t minute = AT_MINUTE + 1; minute < 30; minute++) {
        off += story_outside(window_error_percent(story_minute(&first, "demo", minute)), 65, 85,
                             "demo errors in percent without the index, minute %zu", minute);
        off += story_outside(window_error_percent(story_minute(&second, "demo", minute)), 0, 5,
                             "demo errors in percent with the index, minute %zu", minute);
    }
    struct fork_stream demo = fork_stream(&changed, &fork, 1), as_it_was = fork_stream(&report, &fork, 1);
    off += story_outside(demo.last_p95, 0.05, 0.5, "demo p95 of the last minutes, with the index");
    off += story_outside(as_it_was.last_p95, 3, 3.9, "demo p95 of the last minutes, without");
    assert_int_equal(demo.requests, as_it_was.requests);
    assert_true(demo.errors * 10 < as_it_was.errors);
    assert_true(report_business(&changed).orders > 2 * report_business(&report).orders);
    assert_true(first.stats->alerts[0].fired);
    assert_false(second.stats->alerts[0].fired);
    assert_int_equal(off, 0);
    story_end(&first);
    story_end(&second);
}

static void test_a_setting_holds_for_the_whole_run(void **state)
{
    (void)state;
    struct scenario *scenario = forked("tests/stories/telling.yaml", 0, "postgresql.cores=16");
    assert_int_equal(scenario->postgresql.cores, 16);
    scenario_free(scenario);
    scenario =
        forked("tests/stories/telling.yaml", 60 * NS_PER_S, "pool_max: {pool: recommendations, max: 4}");
    const struct fault_spec *last = &scenario->faults[scenario->fault_count - 1];
    assert_int_equal(last->kind, FAULT_POOL_MAX);
    assert_int_equal(last->at_ns, 60 * NS_PER_S);
    scenario_free(scenario);
}

/* Created at 40s and again at 50s: a contradiction in a file, not in a fork. */
static void test_a_change_may_come_before_the_files_own(void **state)
{
    (void)state;
    static const char *const settings[] = {"faults.+={at: 50s, create_index: idx_products_category}"};
    struct text error = {0};
    struct fork_request request = {.registry = &registry,
                                   .file = story_path("tests/stories/telling.yaml"),
                                   .settings = settings,
                                   .setting_count = 1,
                                   .at_ns = 40 * NS_PER_S,
                                   .change = "create_index: idx_products_category"};
    struct scenario *scenario = fork_scenario(&request, &error);
    assert_non_null(scenario);
    const struct fault_spec *last = &scenario->faults[scenario->fault_count - 1];
    assert_int_equal(last->at_ns, 40 * NS_PER_S);
    assert_string_equal(last->target, "idx_products_category");
    assert_int_equal(last[-1].at_ns, 50 * NS_PER_S);
    scenario_free(scenario);
    text_fini(&error);
}

static void refused(int64_t at_ns, const char *change, const char *because)
{
    struct text error = {0};
    struct fork_request request = {.registry = &registry,
                                   .file = story_path("tests/stories/telling.yaml"),
                                   .at_ns = at_ns,
                                   .change = change};
    assert_null(fork_scenario(&request, &error));
    if (!strstr(text_c(&error), because))
        fail_msg("%s: not said: %s\nbut: %s", change, because, text_c(&error));
    assert_null(strstr(text_c(&error), "--set"));
    text_fini(&error);
}

static void test_a_change_that_cannot_be_is_explained(void **state)
{
    (void)state;
    refused(60 * NS_PER_S, "postgresql.cores=16",
            "a setting holds for the whole run, so its instant is 0m; what "
            "changes at an instant is one of drop_index, create_index,");
    refused(0, "postgresql.cors=16", "postgresql.cors: ");
    refused(0, "postgresql.cores=many", "postgresql.cores: expected ");
    refused(60 * NS_PER_S, "create_index: idx_nowhere",
            "create_index: expected a known index, found `idx_nowhere`");
    refused(60 * NS_PER_S, "make_coffee: now", "make_coffee");
    refused(2 * 3600 * NS_PER_S, "create_index: idx_products_recommendations", "expected an instant within");
    refused(60 * NS_PER_S, "", "expected ");
    refused(60 * NS_PER_S, "create_index: [", "expected ");
    refused(60 * NS_PER_S, "service_down: ad-service}, {at: 0m, service_down: checkout", "expected ");
    refused(60 * NS_PER_S, "one\ntwo", "expected ");
    refused(
        60 * NS_PER_S, "create_index idx_products_category",
        "create_index idx_products_category: expected a colon, as in `create_index: idx_products_category`");
}

/* What a file must not say, for it changes nothing, a fork must not say either. */
static void test_a_change_that_changes_nothing_is_refused(void **state)
{
    (void)state;
    refused(60 * NS_PER_S, "drop_index: idx_products_recommendations", "which is not");
    refused(60 * NS_PER_S, "create_index: idx_products_name_lower", "expected ");
    refused(60 * NS_PER_S, "create_index: idx_products_stock_quantity", "which is there");
    refused(60 * NS_PER_S, "service_up: ad-service", "that is up anyway");
}

static void test_a_change_may_stand_in_braces(void **state)
{
    (void)state;
    struct scenario *scenario =
        forked("tests/stories/telling.yaml", 60 * NS_PER_S, " {pool_max: {pool: recommendations, max: 4}} ");
    assert_int_equal(scenario->faults[scenario->fault_count - 1].kind, FAULT_POOL_MAX);
    scenario_free(scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_index_at_18_heals_from_the_next_minute_on),
        cmocka_unit_test(test_a_setting_holds_for_the_whole_run),
        cmocka_unit_test(test_a_change_may_come_before_the_files_own),
        cmocka_unit_test(test_a_change_that_cannot_be_is_explained),
        cmocka_unit_test(test_a_change_that_changes_nothing_is_refused),
        cmocka_unit_test(test_a_change_may_stand_in_braces),
    };
    return cmocka_run_group_tests_name("fork", tests, NULL, NULL);
}
