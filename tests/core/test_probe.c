/* probe: every name that alerts and expectations may use, and what is said of others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/probe.h"
#include "tests/edges/toy_registry.h"

static const struct scenario two_streams = {.streams = {{.name = "baseline"}, {.name = "demo"}},
                                            .stream_count = 2};

static void every_name_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum probe_kind kind;
        int index;
        const char *pool;
    } cases[] = {
        {"baseline.requests", PROBE_REQUESTS, 0, NULL},
        {"demo.errors", PROBE_ERRORS, 1, NULL},
        {"demo.latency", PROBE_LATENCY, 1, NULL},
        {"all.errors", PROBE_ERRORS, PROBE_ALL_STREAMS, NULL},
        {"pool.recommendations.waiters", PROBE_POOL_WAITERS, 0, "recommendations"},
        {"pool.orders.used", PROBE_POOL_USED, 0, "orders"},
        {"pool.catalog.timeouts", PROBE_POOL_TIMEOUTS, 0, "catalog"},
        {"logs.slow_query", PROBE_LOGS, LOG_BODY_SLOW_QUERY, NULL},
        {"logs.pool_exhausted", PROBE_LOGS, LOG_BODY_POOL_EXHAUSTED, NULL},
        {"trace.depth", PROBE_TRACE_DEPTH, 0, NULL},
        {"trace.services", PROBE_TRACE_SERVICES, 0, NULL},
        {"trace.spans", PROBE_TRACE_SPANS, 0, NULL},
        {"business.orders", PROBE_ORDERS, 0, NULL},
        {"business.revenue", PROBE_REVENUE, 0, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct probe probe;
        struct text error = {0};
        assert_true(probe_parse(cases[i].text, &two_streams, &toy_registry, &probe, &error));
        assert_int_equal(probe.kind, cases[i].kind);
        assert_int_equal(probe.index, cases[i].index);
        assert_ptr_equal(probe.name, cases[i].text);
        assert_int_equal(probe.pool == NULL, cases[i].pool == NULL);
        if (cases[i].pool)
            assert_string_equal(probe.pool, cases[i].pool);
        assert_int_equal(error.len, 0);
    }
}

static void other_names_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"", "expected a series like STREAM.requests, STREAM.errors, STREAM.latency, found ``"},
        {"demo", "expected a series like STREAM.requests, STREAM.errors, STREAM.latency, found `demo`"},
        {"demo.", "expected a series like STREAM.requests, STREAM.errors, STREAM.latency, found `demo.`"},
        {"demo.error",
         "expected a series like STREAM.requests, STREAM.errors, STREAM.latency, found `demo.error`"},
        {"demo.errors.rate",
         "expected a series like STREAM.requests, STREAM.errors, STREAM.latency, found `demo.errors.rate`"},
        {"mobile.errors", "expected a known stream, found `mobile`"},
        {".errors", "expected a known stream, found ``"},
        {"dem.errors", "expected a known stream, found `dem`"},
        {"pool.recommendations", "expected a series like pool.NAME.waiters, pool.NAME.used, "
                                 "pool.NAME.timeouts, found `pool.recommendations`"},
        {"pool.recommendation.used", "expected a known pool, found `recommendation`"},
        {"pool.a.b.used", "expected a known pool, found `a.b`"},
        {"logs.slow", "expected a series like logs.slow_query, logs.pool_exhausted, found `logs.slow`"},
        {"trace.depth.max",
         "expected a series like trace.depth, trace.services, trace.spans, found `trace.depth.max`"},
        {"business.profit",
         "expected a series like business.orders, business.revenue, found `business.profit`"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct probe probe;
        struct text error = {0};
        assert_false(probe_parse(cases[i].text, &two_streams, &toy_registry, &probe, &error));
        assert_string_equal(text_c(&error), cases[i].error);
        text_fini(&error);
    }
}

static void words_of_series_are_no_names_for_streams(void **state)
{
    (void)state;
    static const char *const reserved[] = {"all", "pool", "logs", "trace", "business", "alert"};
    static const char *const free_names[] = {"demo", "baseline", "pools", "log", "a", "orders"};
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        assert_true(probe_name_reserved(reserved[i]));
    for (size_t i = 0; i < ARRAY_LEN(free_names); i++)
        assert_false(probe_name_reserved(free_names[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_known),
        cmocka_unit_test(other_names_are_refused),
        cmocka_unit_test(words_of_series_are_no_names_for_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
