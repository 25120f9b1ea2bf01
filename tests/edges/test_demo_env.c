/* demo_env: what each variable of the demo's ancestors does, which values are refused, and when the demo began. */
#include "edges/demo_env.h"

#include "edges/registry.h"
#include "edges/scenario_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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
        assert_false(env.waits || env.no_baseline || env.baseline_journey || env.demo_journey);
        assert_true(env.base_rpm < 0 && env.peak_rpm < 0);
        assert_true(env.duration_ns < 0 && env.baseline_rpm < 0 && env.connections < 0);
        assert_int_equal(env.start_unix_s, -1);
    }
}

static void test_values(void **state)
{
    (void)state;
    struct demo_env env;
    assert_true(read_one(&env, "DEMO_DURATION_MINUTES", "45"));
    assert_int_equal(env.duration_ns, 45 * NS_PER_MIN);
    assert_true(read_one(&env, "BASELINE_RPM", "0"));
    assert_int_equal(env.baseline_rpm, 0);
    assert_true(read_one(&env, "DB_MAX_CONNECTIONS", "100"));
    assert_int_equal(env.connections, 100);
    assert_true(read_one(&env, "BASELINE_ENDPOINT", "/products"));
    assert_string_equal(env.baseline_journey, "products");
    assert_true(read_one(&env, "DEMO_ENDPOINT", "/api/checkout"));
    assert_string_equal(env.demo_journey, "checkout");
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
        {"DEMO_START_TIMESTAMP", "4294967297"}, /* its nanoseconds would not fit at 1000 times the speed */
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
        {"BASELINE_ENDPOINT", "browse"},
        {"BASELINE_ENDPOINT", "/products/"},
        {"DEMO_ENDPOINT", "/api/checkout?x=1"},
        {"DEMO_ENDPOINT", "/"},
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
    /* The known ones are named. */
    assert_false(read_one(&env, "DEMO_ENDPOINT", "/nothing"));
    assert_non_null(strstr(text_c(&error), "/products/recommendations"));
    assert_non_null(strstr(text_c(&error), "/orders/create"));
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

/* ---- Scenarios ---- */

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

#define WITH_POOLS(pool)                                                                                     \
    "doorbuster: 1\n"                                                                                        \
    "name: small\n"                                                                                          \
    "story: Pools of their own.\n"                                                                           \
    "duration: 10m\n"                                                                                        \
    "streams:\n"                                                                                             \
    "  orders: {call: checkout GET /orders/popular-products, rate: 60/min}\n"                                \
    "  demo: {call: ad-service GET /ads, rate: 60/min}\n"                                                    \
    "phases: [[0m, calm]]\n"                                                                                 \
    "services:\n"                                                                                            \
    "  checkout: {pools: {orders: {max: 30}}}\n"                                                             \
    "  product-catalog: {pools: {" pool "}}\n"

static const char pools[] = WITH_POOLS("catalog: {max: 10}");
static const char feature[] = WITH_POOLS("recommendations: {max: 20}");

static const char other[] = "doorbuster: 1\n"
                            "name: small\n"
                            "story: Nobody buys.\n"
                            "duration: 10m\n"
                            "streams:\n"
                            "  baseline: {journey: browse, rate: 60/min}\n"
                            "phases: [[0m, calm]]\n";

static const char bursts[] = "doorbuster: 1\n"
                             "name: small\n"
                             "story: All at once.\n"
                             "duration: 10m\n"
                             "streams:\n"
                             "  demo: {journey: browse, bursts: {at: 1m, count: 5, within: 1s}}\n"
                             "phases: [[0m, calm]]\n";

/* The scenario as it is with that variable and that flag; NULL: `error` says why not. */
static struct scenario *changed(const char *text, const char *name, const char *value, const char *flag)
{
    struct demo_env env;
    const struct demo_flags flags = {&flag, flag != NULL};
    struct scenario *scenario = load(text);
    assert_true(read_one(&env, name, value));
    if (demo_env_apply(&env, scenario, &registry, &flags, &error))
        return scenario;
    scenario_free(scenario);
    return NULL;
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *scenario, *name, *value, *why;
    } cases[] = {
        {pools, "BASELINE_RPM", "250", "BASELINE_RPM: this scenario has no stream named baseline"},
        {pools, "BASELINE_ENDPOINT", "/products",
         "BASELINE_ENDPOINT: this scenario has no stream named baseline"},
        {shop, "DB_MAX_CONNECTIONS", "50", "DB_MAX_CONNECTIONS: this scenario sets no pool's max"},
        {other, "DEMO_PEAK_RPM", "120",
         "DEMO_BASE_RPM, DEMO_PEAK_RPM: this scenario has no stream named demo"},
        {other, "DEMO_ENDPOINT", "/products", "DEMO_ENDPOINT: this scenario has no stream named demo"},
        {bursts, "DEMO_PEAK_RPM", "120",
         "DEMO_BASE_RPM, DEMO_PEAK_RPM: bursts and no rate has this scenario's stream demo"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_null(changed(cases[i].scenario, cases[i].name, cases[i].value, NULL));
        assert_string_equal(text_c(&error), cases[i].why);
    }
    /* What has nothing to do with streams fits them all. */
    static const char *const scenarios[] = {shop, pools, other, bursts};
    for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
        scenario_free(changed(scenarios[i], "DEMO_DURATION_MINUTES", "45", NULL));
        assert_string_equal(text_c(&error), "");
        scenario_free(changed(scenarios[i], "BASELINE_ENABLED", "false", NULL));
        assert_string_equal(text_c(&error), "");
    }
}

static void test_duration(void **state)
{
    (void)state;
    static const struct {
        const char *minutes, *flag;
        int64_t scenario_min, run_min;
    } cases[] = {
        {"45", NULL, 45, 45},
        {"45", "durations=5m", 45, 45},
        {"10", NULL, 10, 10},
        {"5", NULL, 10, 5}, /* nothing of the scenario contradicts a run that ends early */
        {"45", "duration=12m", 10, 10},
        {"5", "duration=12m", 10, 10},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scenario *scenario = changed(shop, "DEMO_DURATION_MINUTES", cases[i].minutes, cases[i].flag);
        const struct demo_flags flags = {&cases[i].flag, cases[i].flag != NULL};
        struct demo_env env;
        assert_true(read_one(&env, "DEMO_DURATION_MINUTES", cases[i].minutes));
        assert_int_equal(scenario->duration_ns, cases[i].scenario_min * NS_PER_MIN);
        assert_int_equal(demo_env_duration(&env, scenario, &flags), cases[i].run_min * NS_PER_MIN);
        scenario_free(scenario);
    }
}

static void test_baseline_rate(void **state)
{
    (void)state;
    static const struct {
        const char *rpm, *flag;
        double expected;
    } cases[] = {{"250", NULL, 250}, {"0", NULL, 0}, {"250", "streams.baseline.rate=60/min", 60}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scenario *scenario = changed(shop, "BASELINE_RPM", cases[i].rpm, cases[i].flag);
        const struct curve *rate = &scenario->streams[scenario_stream(scenario, "baseline")].rate_per_min;
        assert_int_equal(rate->count, 1);
        assert_true(rate->points[0].value == cases[i].expected);
        scenario_free(scenario);
    }
}

static void test_endpoints(void **state)
{
    (void)state;
    static const char *const known[][2] = {{"/api/browse", "browse"},
                                           {"/api/checkout", "checkout"},
                                           {"/products", "products"},
                                           {"/products/recommendations", "recommendations"},
                                           {"/orders/create", "order"}};
    static const char *const scenarios[] = {shop, pools, bursts};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        for (size_t s = 0; s < ARRAY_LEN(scenarios); s++) {
            struct scenario *scenario = changed(scenarios[s], "DEMO_ENDPOINT", known[i][0], NULL);
            assert_string_equal(text_c(&error), "");
            const struct stream_spec *demo = &scenario->streams[scenario_stream(scenario, "demo")];
            assert_int_equal(demo->mix_count, 1);
            assert_string_equal(demo->mixes[0].of[0].journey, known[i][1]);
            assert_true(!demo->service && !demo->route);
            scenario_free(scenario);
        }
    struct scenario *scenario = changed(shop, "BASELINE_ENDPOINT", "/api/checkout", NULL);
    assert_string_equal(scenario->streams[scenario_stream(scenario, "baseline")].mixes[0].of[0].journey,
                        "checkout");
    scenario_free(scenario);
    scenario = changed(shop, "BASELINE_ENDPOINT", "/api/checkout", "streams.baseline.journey=browse");
    assert_string_equal(scenario->streams[scenario_stream(scenario, "baseline")].mixes[0].of[0].journey,
                        "browse");
    scenario_free(scenario);
}

/* "checkout/orders 30 product-catalog/catalog 10" */
static const char *pools_of(const struct scenario *scenario)
{
    static char said[256];
    said[0] = '\0';
    for (size_t i = 0; i < scenario->service_count; i++)
        for (size_t p = 0; p < scenario->services[i].pool_count; p++)
            snprintf(said + strlen(said), sizeof said - strlen(said), "%s%s %d", *said ? " " : "",
                     scenario->services[i].pools[p].name, scenario->services[i].pools[p].max);
    return said;
}

static void test_connections(void **state)
{
    (void)state;
    static const struct {
        const char *scenario, *flag, *pools;
    } cases[] = {
        {pools, NULL, "orders 50 catalog 50"},
        {pools, "services.checkout.pools.orders.max=30", "orders 30 catalog 50"},
        {feature, NULL, "orders 30 recommendations 50"},
        {feature, "services.product-catalog={}", "orders 30 recommendations 20"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scenario *scenario = changed(cases[i].scenario, "DB_MAX_CONNECTIONS", "50", cases[i].flag);
        assert_string_equal(text_c(&error), "");
        assert_string_equal(pools_of(scenario), cases[i].pools);
        scenario_free(scenario);
    }
}

/* ---- Rates ---- */

static bool apply_with(struct scenario *scenario, double base, double peak, bool no_baseline,
                       const char *flag)
{
    struct demo_env env = {.base_rpm = base,
                           .peak_rpm = peak,
                           .no_baseline = no_baseline,
                           .start_unix_s = -1,
                           .baseline_rpm = -1,
                           .connections = -1};
    error.len = 0;
    return demo_env_apply(&env, scenario, &registry, &(struct demo_flags){&flag, flag != NULL}, &error);
}

static bool apply(struct scenario *scenario, double base, double peak, bool no_baseline)
{
    return apply_with(scenario, base, peak, no_baseline, NULL);
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

/* The flag has set it, in whole or in part, or what it is in. */
static void test_flags_win(void **state)
{
    (void)state;
    static const struct {
        const char *flag;
        double expected;
    } cases[] = {
        {"streams.demo.rate=5/min", 300},
        {"streams.demo.rate.0.1=5/min", 300},
        {"streams.demo={journey: x}", 300},
        {"streams.demo.scale=2", 300},
        {"streams={}", 300},
        {"streams.demo.rates=5/min", 999},
        {"streams.demo2.rate=5/min", 999},
        {"streams.demo.table=[]", 999},
        {"streams.baseline.rate=5/min", 999},
        {"stream=5", 999},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scenario *scenario = load(shop);
        assert_true(apply_with(scenario, -1, 999, false, cases[i].flag));
        const struct stream_spec *demo = &scenario->streams[scenario_stream(scenario, "demo")];
        if (demo->rate_per_min.points[1].value != cases[i].expected)
            fail_msg("--set %s: %g", cases[i].flag, demo->rate_per_min.points[1].value);
        scenario_free(scenario);
    }
}

static void test_refused_rates(void **state)
{
    (void)state;
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

static void test_idle(void **state)
{
    (void)state;
    struct text names = {0};
    set_name = "DEMO_MODE";
    set_value = "off";
    second_name = "CART_URL";
    second_value = "";
    demo_env_idle(get, &names);
    assert_int_equal(names.len, 0);
    set_name = "RECOMMENDATION_URL";
    second_value = "http://cart-service:8013";
    demo_env_idle(get, &names);
    assert_string_equal(text_c(&names), "CART_URL, RECOMMENDATION_URL");
    text_fini(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_set),   cmocka_unit_test(test_values),
        cmocka_unit_test(test_bad_values),    cmocka_unit_test(test_start_time),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_duration),
        cmocka_unit_test(test_baseline_rate), cmocka_unit_test(test_endpoints),
        cmocka_unit_test(test_connections),   cmocka_unit_test(test_stretch),
        cmocka_unit_test(test_flags_win),     cmocka_unit_test(test_refused_rates),
        cmocka_unit_test(test_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
