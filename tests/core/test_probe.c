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
        {"pool.orders.wait", PROBE_POOL_WAIT, 0, "orders"},
        {"query.products_by_category.latency", PROBE_QUERY_LATENCY, 0, NULL},
        {"query.recommendations.latency", PROBE_QUERY_LATENCY, 1, NULL},
        {"query.recommendations.cpu", PROBE_QUERY_CPU, 1, NULL},
        {"database.active", PROBE_DATABASE_ACTIVE, 0, NULL},
        {"database.connections", PROBE_DATABASE_CONNECTIONS, 0, NULL},
        {"database.lock_wait", PROBE_LOCK_WAIT, 0, NULL},
        {"database.lock_timeouts", PROBE_LOCK_TIMEOUTS, 0, NULL},
        {"cache.hits", PROBE_CACHE_HITS, 0, NULL},
        {"script.failure_rate", PROBE_SCRIPT_RATE, 0, NULL},
        {"logs.slow_query", PROBE_LOGS, LOG_BODY_SLOW_QUERY, NULL},
        {"logs.pool_exhausted", PROBE_LOGS, LOG_BODY_POOL_EXHAUSTED, NULL},
        {"trace.depth", PROBE_TRACE_DEPTH, 0, NULL},
        {"trace.services", PROBE_TRACE_SERVICES, 0, NULL},
        {"trace.spans", PROBE_TRACE_SPANS, 0, NULL},
        {"business.orders", PROBE_ORDERS, 0, NULL},
        {"business.revenue", PROBE_REVENUE, 0, NULL},
        {"business.sold_out", PROBE_SOLD_OUT, 0, NULL},
        {"business.abandoned", PROBE_ABANDONED, 0, NULL},
        {"business.hot_sold", PROBE_HOT_SOLD, 0, NULL},
        {"business.hot_left", PROBE_HOT_LEFT, 0, NULL},
    };
    uint32_t seen = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct probe probe;
        struct text error = {0};
        seen |= 1u << cases[i].kind;
        assert_true(probe_parse(cases[i].text, &two_streams, &toy_registry, &probe, &error));
        assert_int_equal(probe.kind, cases[i].kind);
        assert_int_equal(probe.index, cases[i].index);
        assert_ptr_equal(probe.name, cases[i].text);
        assert_int_equal(probe.pool == NULL, cases[i].pool == NULL);
        if (cases[i].pool)
            assert_string_equal(probe.pool, cases[i].pool);
        assert_int_equal(error.len, 0);
    }
    assert_true(seen == (1u << PROBE_KIND_COUNT) - 1);
}

static void each_kind_says_what_it_is(void **state)
{
    (void)state;
    static const struct {
        enum probe_kind kind;
        enum probe_nature nature;
        enum probe_unit unit;
        bool healthy;
    } cases[] = {
        {PROBE_REQUESTS, PROBE_COUNTER, PROBE_COUNT, true},
        {PROBE_ERRORS, PROBE_COUNTER, PROBE_RATE, true},
        {PROBE_CACHE_HITS, PROBE_COUNTER, PROBE_RATE, false},
        {PROBE_ORDERS, PROBE_COUNTER, PROBE_COUNT, false},
        {PROBE_LATENCY, PROBE_DISTRIBUTION, PROBE_SECONDS, false},
        {PROBE_POOL_WAIT, PROBE_DISTRIBUTION, PROBE_SECONDS, false},
        {PROBE_QUERY_LATENCY, PROBE_DISTRIBUTION, PROBE_SECONDS, false},
        {PROBE_LOCK_WAIT, PROBE_DISTRIBUTION, PROBE_SECONDS, false},
        {PROBE_SCRIPT_RATE, PROBE_LEVEL, PROBE_RATE, false},
        {PROBE_HOT_LEFT, PROBE_LEVEL, PROBE_COUNT, false},
        {PROBE_QUERY_CPU, PROBE_WHOLE, PROBE_RATE, false},
        {PROBE_TRACE_SPANS, PROBE_WHOLE, PROBE_COUNT, false},
        {PROBE_TRACE_DEPTH, PROBE_MOST, PROBE_COUNT, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct probe_type *type = probe_type(cases[i].kind);
        assert_int_equal(type->nature, cases[i].nature);
        assert_int_equal(type->unit, cases[i].unit);
        assert_int_equal(type->healthy, cases[i].healthy);
    }
    for (enum probe_kind kind = 0; kind < PROBE_KIND_COUNT; kind++) {
        const struct probe_type *type = probe_type(kind);
        assert_int_equal(type->nature == PROBE_DISTRIBUTION, type->unit == PROBE_SECONDS);
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
                                 "pool.NAME.timeouts, pool.NAME.wait, found `pool.recommendations`"},
        {"pool.recommendation.used", "expected a known pool, found `recommendation`"},
        {"pool.a.b.used", "expected a known pool, found `a.b`"},
        {"logs.slow", "expected a series like logs.slow_query, logs.pool_exhausted, found `logs.slow`"},
        {"trace.depth.max",
         "expected a series like trace.depth, trace.services, trace.spans, found `trace.depth.max`"},
        {"business.profit",
         "expected a series like business.orders, business.revenue, business.sold_out, business.abandoned, "
         "business.hot_sold, business.hot_left, found `business.profit`"},
        {"query.latency",
         "expected a series like query.STATEMENT.latency, query.STATEMENT.cpu, found `query.latency`"},
        {"query.select.latency", "expected a known statement, found `select`"},
        {"query.recommendations.rows", "expected a series like query.STATEMENT.latency, query.STATEMENT.cpu, "
                                       "found `query.recommendations.rows`"},
        {"cache.misses", "expected a series like cache.hits, found `cache.misses`"},
        {"STREAM.errors", "expected a known stream, found `STREAM`"},
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
    static const char *const reserved[] = {"all",   "pool",  "logs",     "trace", "business",
                                           "alert", "query", "database", "cache", "script"};
    static const char *const free_names[] = {"demo", "baseline", "pools", "log", "a", "orders", "queries"};
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        assert_true(probe_name_reserved(reserved[i]));
    for (size_t i = 0; i < ARRAY_LEN(free_names); i++)
        assert_false(probe_name_reserved(free_names[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_known),
        cmocka_unit_test(each_kind_says_what_it_is),
        cmocka_unit_test(other_names_are_refused),
        cmocka_unit_test(words_of_series_are_no_names_for_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
