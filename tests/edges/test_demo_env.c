/* demo_env: what each variable of the demo's ancestors does, which values are refused, and when the demo began. */
#include "edges/demo_env.h"

#include "edges/registry.h"
#include "edges/scenario_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

/* 2026-11-27T18:00:00Z */
#define NOW_S INT64_C(1795802400)

static const char *set_name, *set_value, *second_name, *second_value;

static const char *get(const char *name)
{
    if (set_name && !strcmp(name, set_name))
        return set_value;
    return second_name && !strcmp(name, second_name) ? second_value : NULL;
}

static struct text error;

static bool read_two(struct demo_env *env, int64_t now_s, const char *name, const char *value,
                     const char *second, const char *other_value)
{
    set_name = name;
    set_value = value;
    second_name = second;
    second_value = other_value;
    error.len = 0;
    return demo_env_read(env, get, now_s, &error);
}

static bool read_one(struct demo_env *env, const char *name, const char *value)
{
    return read_two(env, NOW_S, name, value, NULL, NULL);
}

static void test_nothing_set(void **state)
{
    (void)state;
    static const char *const names[] = {NULL, "DEMO_MODE", "DEMO_START_TIME", "BASELINE_RPM", "OTHER"};
    struct demo_env env;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_true(read_one(&env, names[i], "")); /* set and empty is not set */
        assert_int_equal(env.setting_count, 0);
        assert_false(env.waits || env.no_baseline);
        assert_true(env.base_rpm < 0 && env.peak_rpm < 0);
        assert_int_equal(env.start_unix_s, -1);
    }
}

static void test_settings(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *setting;
    } cases[] = {
        {"DEMO_DURATION_MINUTES", "45", "duration=45m"},
        {"DEMO_DURATION_MINUTES", "1440", "duration=1440m"},
        {"BASELINE_RPM", "250", "streams.baseline.rate=250/min"},
        {"BASELINE_RPM", "0", "streams.baseline.rate=0/min"},
        {"DB_MAX_CONNECTIONS", "100", "services.recommendation-service.pools.recommendations.max=100"},
    };
    struct demo_env env;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(read_one(&env, cases[i].name, cases[i].value));
        assert_int_equal(env.setting_count, 1);
        assert_string_equal(env.settings[0], cases[i].setting);
    }
    assert_true(read_one(&env, "DEMO_MODE", "off"));
    assert_true(env.waits);
    assert_true(read_one(&env, "DEMO_MODE", "blackfriday"));
    assert_false(env.waits);
    assert_true(read_one(&env, "BASELINE_ENABLED", "false"));
    assert_true(env.no_baseline);
    assert_true(read_one(&env, "BASELINE_ENABLED", "true"));
    assert_false(env.no_baseline);
    assert_true(read_one(&env, "DEMO_BASE_RPM", "15"));
    assert_true(env.base_rpm == 15 && env.peak_rpm < 0);
    assert_true(read_one(&env, "DEMO_PEAK_RPM", "120"));
    assert_true(env.peak_rpm == 120 && env.base_rpm < 0);
    assert_true(read_one(&env, "DEMO_START_TIMESTAMP", "1795802401"));
    assert_int_equal(env.start_unix_s, 1795802401);
}

static void test_bad_values(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"DEMO_MODE", "on"},
        {"DEMO_MODE", "OFF"},
        {"DEMO_MODE", "off "},
        {"DEMO_START_TIMESTAMP", "-1"},
        {"DEMO_START_TIMESTAMP", "1795802401.5"},
        {"DEMO_START_TIMESTAMP", "1099511627777"},
        {"DEMO_START_TIMESTAMP", "99999999999999999999999"},
        {"DEMO_START_TIME", "24:00"},
        {"DEMO_START_TIME", "12:60"},
        {"DEMO_START_TIME", "12"},
        {"DEMO_START_TIME", "12:5"},
        {"DEMO_START_TIME", "12:05:00"},
        {"DEMO_START_TIME", " 9:05"},
        {"DEMO_START_TIME", "9:+5"},
        {"DEMO_START_TIME", "-1:05"},
        {"DEMO_START_TIME", "012:05"},
        {"DEMO_START_TIME", ":05"},
        {"DEMO_DURATION_MINUTES", "0"},
        {"DEMO_DURATION_MINUTES", "1441"},
        {"DEMO_DURATION_MINUTES", "30m"},
        {"BASELINE_ENABLED", "no"},
        {"BASELINE_ENABLED", "False"},
        {"BASELINE_RPM", "-1"},
        {"BASELINE_RPM", "1000001"},
        {"BASELINE_RPM", "+5"},
        {"BASELINE_RPM", "0x10"},
        {"BASELINE_RPM", "100, duration=1m"},
        {"DEMO_BASE_RPM", "many"},
        {"DEMO_PEAK_RPM", "1e3"},
        {"DB_MAX_CONNECTIONS", "0"},
        {"DB_MAX_CONNECTIONS", "10001"},
    };
    struct demo_env env;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_false(read_one(&env, cases[i][0], cases[i][1]));
        assert_ptr_equal(strstr(text_c(&error), cases[i][0]), text_c(&error));
        assert_non_null(strstr(text_c(&error), cases[i][1]));
        assert_non_null(strstr(text_c(&error), ": expected "));
    }
    /* Also where the timestamp says it better. */
    assert_false(read_two(&env, NOW_S, "DEMO_START_TIMESTAMP", "1795802401", "DEMO_START_TIME", "25:00"));
}

/* HH:MM is today's or, when that is to come, yesterday's; in local time, as summer time was then. */
static void test_start_time(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        int64_t now_s;
        const char *value;
        int64_t start_s;
    } cases[] = {
        {"UTC", NOW_S, "18:00", NOW_S},
        {"UTC", NOW_S + 59, "18:00", NOW_S},
        {"UTC", NOW_S, "17:45", NOW_S - 900},
        {"UTC", NOW_S, "9:05", NOW_S - 8 * 3600 - 55 * 60},
        {"UTC", NOW_S, "18:01", NOW_S + 60 - 86400},
        /* Past midnight: it began before. */
        {"UTC", NOW_S + 6 * 3600 + 600, "23:50", NOW_S + 6 * 3600 - 600},
        {"UTC", NOW_S + 6 * 3600, "00:00", NOW_S + 6 * 3600},
        {"EST5", NOW_S, "12:30", NOW_S - 1800},
        /* 2026-10-25, summer time ends at 03:00: 01:30 was still within it, and so was the day before. */
        {"CET-1CEST,M3.5.0,M10.5.0/3", INT64_C(1792965600), "01:30", INT64_C(1792884600)},
        {"CET-1CEST,M3.5.0,M10.5.0/3", INT64_C(1792965600), "23:30", INT64_C(1792877400)},
    };
    struct demo_env env;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        setenv("TZ", cases[i].zone, 1);
        tzset();
        assert_true(read_two(&env, cases[i].now_s, "DEMO_START_TIME", cases[i].value, NULL, NULL));
        assert_int_equal(env.start_unix_s, cases[i].start_s);
    }
    setenv("TZ", "UTC", 1);
    tzset();
    assert_true(read_two(&env, NOW_S, "DEMO_START_TIMESTAMP", "17", "DEMO_START_TIME", "17:00"));
    assert_int_equal(env.start_unix_s, 17);
}

/* ---- Rates ---- */

static const char shop[] =
    "doorbuster: 1\n"
    "name: small\n"
    "story: Rates that go up and down.\n"
    "duration: 10m\n"
    "streams:\n"
    "  baseline: {journey: browse, rate: 60/min}\n"
    "  demo: {journey: checkout, rate: [[0m, 100/min], [2m, 300/min], [5m, 200/min]]}\n"
    "phases: [[0m, calm]]\n";

static struct scenario *load(const char *text)
{
    struct text problems = {0};
    struct scenario *scenario =
        scenario_load_text("small.yaml", text, strlen(text), &registry, NULL, 0, &problems);
    assert_string_equal(text_c(&problems), "");
    assert_non_null(scenario);
    text_fini(&problems);
    return scenario;
}

static bool apply(struct scenario *scenario, double base, double peak, bool no_baseline)
{
    struct demo_env env = {
        .base_rpm = base, .peak_rpm = peak, .no_baseline = no_baseline, .start_unix_s = -1};
    error.len = 0;
    return demo_env_apply(&env, scenario, &error);
}

static void test_stretch(void **state)
{
    (void)state;
    static const struct {
        double base, peak, expected[3];
    } cases[] = {
        {-1, -1, {100, 300, 200}},  {-1, 500, {100, 500, 300}}, {200, -1, {200, 300, 250}},
        {15, 120, {15, 120, 67.5}}, {0, 0, {0, 0, 0}},          {300, 300, {300, 300, 300}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scenario *scenario = load(shop);
        assert_true(apply(scenario, cases[i].base, cases[i].peak, false));
        const struct stream_spec *demo = &scenario->streams[scenario_stream(scenario, "demo")];
        assert_int_equal(demo->rate_per_min.count, 3);
        for (size_t p = 0; p < 3; p++)
            assert_true(demo->rate_per_min.points[p].value == cases[i].expected[p]);
        const struct stream_spec *baseline = &scenario->streams[scenario_stream(scenario, "baseline")];
        assert_true(baseline->rate_per_min.points[0].value == 60);
        scenario_free(scenario);
    }
}

static void test_refused_rates(void **state)
{
    (void)state;
    static const char other[] = "doorbuster: 1\n"
                                "name: small\n"
                                "story: Nobody buys.\n"
                                "duration: 10m\n"
                                "streams:\n"
                                "  baseline: {journey: browse, rate: 60/min}\n"
                                "phases: [[0m, calm]]\n";
    struct scenario *scenario = load(shop);
    assert_false(apply(scenario, 400, -1, false)); /* above the file's highest */
    assert_non_null(strstr(text_c(&error), "DEMO_BASE_RPM"));
    scenario_free(scenario);
    scenario = load(other);
    assert_false(apply(scenario, -1, 120, false));
    assert_non_null(strstr(text_c(&error), "no stream named demo"));
    assert_true(apply(scenario, -1, -1, true));
    assert_true(scenario->streams[0].rate_per_min.points[0].value == 0);
    scenario_free(scenario);
    text_fini(&error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_set), cmocka_unit_test(test_settings),
        cmocka_unit_test(test_bad_values),  cmocka_unit_test(test_start_time),
        cmocka_unit_test(test_stretch),     cmocka_unit_test(test_refused_rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
