/* scenario_set: --set path=value, and where its errors are said to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edges/scenario_load.h"
#include "tests/edges/toy_registry.h"

static const char base[] = "doorbuster: 1\nname: a-name\nstory: Something.\nduration: 30m\n"
                           "streams: {demo: {journey: browse, rate: [[1m, 100/min]]}}\n"
                           "phases: [[0m, calm], [5m, peak]]\n"
                           "faults: [{at: 0m, drop_index: idx_products_category}]\n";

static struct scenario *load(const char *const *settings, size_t count, struct text *errors)
{
    return scenario_load_text("test.yaml", base, strlen(base), &toy_registry, settings, count, errors);
}

static struct scenario *load_one(const char *setting)
{
    struct text errors = {0};
    struct scenario *scenario = load(&setting, 1, &errors);
    if (!scenario)
        fail_msg("%s: %s", setting, text_c(&errors));
    return scenario;
}

static void assert_error(const char *setting, const char *expected)
{
    struct text errors = {0};
    assert_null(load(&setting, 1, &errors));
    assert_string_equal(text_c(&errors), expected);
    text_fini(&errors);
}

static void values_are_replaced(void **state)
{
    (void)state;
    struct scenario *scenario = load_one("duration=45m");
    assert_int_equal(scenario->duration_ns, 45 * NS_PER_MIN);
    scenario_free(scenario);
    scenario = load_one("streams.demo.rate.0.1=3/s");
    assert_true(scenario->streams[0].rate_per_min.points[0].value == 180);
    scenario_free(scenario);
    scenario = load_one("faults.0.at=1m");
    assert_int_equal(scenario->faults[0].at_ns, NS_PER_MIN);
    scenario_free(scenario);
    scenario = load_one("faults=[]");
    assert_int_equal(scenario->fault_count, 0);
    scenario_free(scenario);
    scenario = load_one("story=a = b");
    assert_string_equal(scenario->story, "a = b");
    scenario_free(scenario);
}

static void keys_are_made(void **state)
{
    (void)state;
    struct scenario *scenario = load_one("streams.demo.scale=0.5");
    assert_true(scenario->streams[0].rate_per_min.points[0].value == 50);
    scenario_free(scenario);
    scenario = load_one("services.recommendation-service.pools.recommendations.max=100");
    assert_int_equal(scenario_service(scenario, "recommendation-service")->pools[0].max, 100);
    scenario_free(scenario);
    scenario = load_one("expect.+='demo.errors: rate<=0.5'");
    assert_int_equal(scenario->expect_count, 1);
    scenario_free(scenario);
}

static void lists_grow(void **state)
{
    (void)state;
    struct scenario *scenario = load_one("faults.+={at: 24m, create_index: idx_products_recommendations}");
    assert_int_equal(scenario->fault_count, 2);
    assert_int_equal(scenario->faults[1].kind, FAULT_CREATE_INDEX);
    assert_int_equal(scenario->faults[1].at_ns, 24 * NS_PER_MIN);
    assert_int_equal(scenario->faults[0].line, 7);
    assert_int_equal(scenario->faults[1].line, 0);
    scenario_free(scenario);
}

static void settings_apply_in_turn(void **state)
{
    (void)state;
    static const char *const settings[] = {"duration=10m", "postgresql.cores=4", "duration=20m", "faults=[]",
                                           "faults.+={at: 19m, read_replicas: 1}"};
    struct text errors = {0};
    struct scenario *scenario = load(settings, ARRAY_LEN(settings), &errors);
    assert_non_null(scenario);
    assert_int_equal(scenario->duration_ns, 20 * NS_PER_MIN);
    assert_int_equal(scenario->postgresql.cores, 4);
    assert_int_equal(scenario->fault_count, 1);
    scenario_free(scenario);
}

static void errors_cite_the_setting(void **state)
{
    (void)state;
    assert_error(
        "duration=20",
        "--set:1:10: duration: expected a duration with its unit, like 90s or 5m, found 20 (missing unit)\n");
    assert_error("postgresql.cores=0",
                 "--set:1:18: postgresql.cores: expected a whole number from 1 to 1024, found 0\n");
    assert_error("streams.demo.scael=2",
                 "--set:1:14: streams.demo.scael: expected one of the keys journey, journeys, call, rate, "
                 "bursts, scale, "
                 "visit, traffic, via, table, found an unknown key (did you mean scale?)\n");
    assert_error("faults.+={at: 31m, read_replicas: 1}",
                 "--set:1:15: faults.1.at: expected an instant within the duration, before 30m, found 31m\n");
    assert_error("services.frontend.work.p50=5ms",
                 "--set:1:19: services.frontend.work: expected the key p99, found none\n");
    assert_error("expect.+='demo.errors: rate<=2'",
                 "--set:1:30: expect.0: expected a share of 0 to 1, found `2` (more than all of them)\n");
    static const char *const settings[] = {"duration=20m", "redis.carts=x"};
    struct text errors = {0};
    assert_null(load(settings, 2, &errors));
    assert_string_equal(text_c(&errors),
                        "--set:2:13: redis.carts: expected a whole number from 0 to 1000000, found `x`\n");
    text_fini(&errors);
}

static void paths_that_lead_nowhere_are_refused(void **state)
{
    (void)state;
    assert_error("duration", "--set:1:1: scenario: expected path=value on one line, found no =\n");
    assert_error("story=a\nb", "--set:1:1: scenario: expected path=value on one line, found two lines\n");
    assert_error("=5m", "--set:1:1: scenario: expected a key, found nothing\n");
    assert_error("streams..rate=5/s", "--set:1:9: scenario: expected a key, found nothing\n");
    assert_error(
        "duration.x=5m",
        "--set:1:10: duration: expected a map or a list to set something in, found a single value\n");
    assert_error("phases.2=[9m, end]",
                 "--set:1:8: phases: expected a position within the list, from 0, found none\n");
    assert_error(
        "phases.x=[9m, end]",
        "--set:1:8: phases: expected a position in the list, or + to append, found something else\n");
    assert_error(
        "phases.99999999999999=[9m, end]",
        "--set:1:8: phases: expected a position in the list, or + to append, found something else\n");
    assert_error("phases=", "--set:1:8: phases: expected a YAML document, found nothing\n");
}

static void values_have_the_limits_of_files(void **state)
{
    (void)state;
    struct text deep = {0}, errors = {0};
    text_str(&deep, "a");
    for (int i = 0; i < 60; i++)
        text_str(&deep, ".a");
    text_str(&deep, "=[[[[[]]]]]");
    const char *setting = text_c(&deep);
    assert_null(load(&setting, 1, &errors));
    assert_non_null(strstr(text_c(&errors), "expected nesting of at most 64 levels"));
    text_fini(&deep);
    text_fini(&errors);
    assert_error("faults=&a []", "--set:1:8: faults: expected no anchors or aliases, found an anchor\n");
    assert_error("faults=[", "--set:1:9: faults: expected YAML, found while parsing a flow node, did not "
                             "find expected node content\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_replaced),
        cmocka_unit_test(keys_are_made),
        cmocka_unit_test(lists_grow),
        cmocka_unit_test(settings_apply_in_turn),
        cmocka_unit_test(errors_cite_the_setting),
        cmocka_unit_test(paths_that_lead_nowhere_are_refused),
        cmocka_unit_test(values_have_the_limits_of_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
