/* otlp_export, as far as it goes without a backend: what is taken, sampled, bounded and counted. (Backends:
   tests/live/test_otlp_faults.py.) The endpoint is a port where nobody listens, and the loop does not run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "edges/otlp_export.h"

enum { VARIABLES_MAX = 4 };

static const char *variables[VARIABLES_MAX][2];
static struct otlp_env env;
static struct otlp_export *export;
static struct otlp_export_stats ended[OTLP_SIGNALS];

static const char *get(void *owner, const char *name)
{
    (void)owner;
    for (size_t i = 0; i < VARIABLES_MAX; i++)
        if (variables[i][0] && !strcmp(variables[i][0], name))
            return variables[i][1];
    return NULL;
}

static const char *service_name(void *owner, uint16_t service)
{
    (void)owner;
    (void)service;
    return "frontend";
}

static void open_export(size_t queue_bytes, bool virtual)
{
    struct text warnings = {0};
    struct otlp_env_options options = {.get = get, .endpoint = "http://127.0.0.1:1", .warnings = &warnings};
    assert_true(otlp_env_read(&env, &options));
    assert_int_equal(warnings.len, 0);
    struct otlp_export_options made = {.env = &env, .queue_bytes = queue_bytes, .virtual = virtual};
    made.source = (struct otlp_source){.version = "0.1.0", .service_name = service_name};
    export = otlp_export_open(ev_default_loop(0), &made);
}

static void begin(size_t queue_bytes)
{
    open_export(queue_bytes, false);
}

static void begin_virtual(void)
{
    open_export(0, true);
}

static void end(void)
{
    otlp_export_close(export, ended);
    otlp_env_fini(&env);
    memset(variables, 0, sizeof variables);
}

static void add_spans(unsigned count, uint8_t flags, bool joined)
{
    static const struct span_site site = {.kind = SPAN_SERVER, .name = "GET /"};
    for (unsigned i = 0; i < count; i++) {
        struct span span = {.site = &site, .trace_hi = 1, .id = i + 1, .flags = flags, .joined = joined};
        span.trace_lo = i * UINT64_C(0x9e3779b97f4a7c15) + 1;
        otlp_export_span(export, &span);
    }
}

static struct otlp_export_stats stats_of(enum otlp_signal signal)
{
    return otlp_export_stats(export, signal);
}

static void what_nobody_takes_is_counted(void **state)
{
    (void)state;
    begin(0);
    assert_true(otlp_export_idle(export));
    add_spans(1000, 3, false);
    struct log_record record = {.body = LOG_BODY_PHASE, .severity = LOG_INFO};
    otlp_export_log(export, &record);
    assert_int_equal(stats_of(OTLP_TRACES).produced, 1000);
    assert_int_equal(stats_of(OTLP_TRACES).queued, 1000);
    assert_int_equal(stats_of(OTLP_TRACES).in_flight, 512);
    assert_int_equal(stats_of(OTLP_LOGS).queued, 1);
    assert_false(otlp_export_idle(export));
    end();
    assert_int_equal(ended[OTLP_TRACES].dropped[OTLP_DROP_SHUTDOWN], 1000);
    assert_int_equal(ended[OTLP_TRACES].queued, 0);
    assert_int_equal(ended[OTLP_TRACES].queued_bytes, 0);
    assert_int_equal(ended[OTLP_LOGS].dropped[OTLP_DROP_SHUTDOWN], 1);
}

static void the_queue_is_bounded(void **state)
{
    (void)state;
    open_export(65536, true);
    add_spans(5000, 3, false);
    struct otlp_export_stats stats = stats_of(OTLP_TRACES);
    assert_true(stats.queued_bytes >= 65536 && stats.queued_bytes < 65536 + 2048);
    assert_true(stats.dropped[OTLP_DROP_QUEUE_FULL] > 0);
    assert_int_equal(stats.dropped[OTLP_DROP_QUEUE_FULL] + stats.queued, 5000);
    /* The bound is over all signals. */
    struct log_record record = {.body = LOG_BODY_PHASE, .severity = LOG_INFO};
    otlp_export_log(export, &record);
    assert_int_equal(stats_of(OTLP_LOGS).dropped[OTLP_DROP_QUEUE_FULL], 1);
    struct metrics metrics = {0};
    series_add(metrics_series(&metrics, METRIC_SHOP_ORDERS, 0, NULL, 0), 1);
    otlp_export_last_metrics(export, &metrics, NS_PER_S);
    assert_int_equal(stats_of(OTLP_METRICS).produced, 1);
    assert_int_equal(stats_of(OTLP_METRICS).dropped[OTLP_DROP_QUEUE_FULL], 1);
    metrics_fini(&metrics);
    end();
}

static unsigned sampled(const char *sampler, const char *ratio, uint8_t flags, bool joined)
{
    variables[0][0] = "OTEL_TRACES_SAMPLER";
    variables[0][1] = sampler;
    variables[1][0] = "OTEL_TRACES_SAMPLER_ARG";
    variables[1][1] = ratio;
    begin(0);
    add_spans(1000, flags, joined);
    struct otlp_export_stats stats = stats_of(OTLP_TRACES);
    assert_int_equal(stats.produced + stats.unsampled, 1000);
    end();
    return (unsigned)stats.produced;
}

static void samplers_are_obeyed(void **state)
{
    (void)state;
    enum { ON = 3, OFF = 2 };
    assert_int_equal(sampled("always_on", "", OFF, false), 1000);
    assert_int_equal(sampled("always_off", "", ON, false), 0);
    assert_int_equal(sampled("traceidratio", "0", ON, false), 0);
    assert_int_equal(sampled("traceidratio", "1", ON, false), 1000);
    unsigned tenth = sampled("traceidratio", "0.1", ON, false),
             half = sampled("traceidratio", "0.5", ON, false);
    assert_in_range(tenth, 80, 120);
    assert_in_range(half, 470, 530);
    /* A trace that was joined is exported if its parent was, or is said to be; others are roots. */
    assert_int_equal(sampled("parentbased_always_on", "", OFF, true), 0);
    assert_int_equal(sampled("parentbased_always_on", "", ON, true), 1000);
    assert_int_equal(sampled("parentbased_traceidratio", "0.1", ON, false), tenth);
    assert_int_equal(sampled("parentbased_traceidratio", "0.1", ON, true), 1000);
    assert_int_equal(sampled("parentbased_traceidratio", "0.1", OFF, true), 0);
    assert_int_equal(sampled("traceidratio", "0.1", OFF, true), tenth);
    assert_int_equal(sampled("parentbased_always_off", "", ON, false), 0);
    assert_int_equal(sampled("parentbased_always_off", "", ON, true), 1000);
    assert_int_equal(sampled("parentbased_always_off", "", OFF, true), 0);
}

static void metrics_come_at_their_interval(void **state)
{
    (void)state;
    struct metrics metrics = {0};
    series_add(metrics_series(&metrics, METRIC_SHOP_ORDERS, 0, NULL, 0), 1);
    begin_virtual(); /* without the exporter's own */
    for (int64_t at_s = 15; at_s <= 150; at_s += 15)
        otlp_export_metrics(export, &metrics, at_s * NS_PER_S);
    assert_int_equal(stats_of(OTLP_METRICS).produced, 2); /* at 60 s and 120 s */
    otlp_export_last_metrics(export, &metrics, 150 * NS_PER_S);
    otlp_export_last_metrics(export, &metrics, 150 * NS_PER_S); /* told already */
    assert_int_equal(stats_of(OTLP_METRICS).produced, 3);
    end();
    metrics_fini(&metrics);
}

static void what_is_off_is_not_taken(void **state)
{
    (void)state;
    variables[0][0] = "OTEL_TRACES_EXPORTER";
    variables[0][1] = "none";
    begin(0);
    add_spans(10, 3, false);
    assert_int_equal(stats_of(OTLP_TRACES).produced, 0);
    end();
}

/* `error` "": none. */
static double self_value(enum metric_id metric, const char *error)
{
    double found = -1;
    for (const struct series *s = otlp_export_self(export)->first[metric]; s; s = s->next) {
        const char *its = "";
        for (size_t i = 0; i < s->attr_count; i++)
            if (s->attrs[i].key == ATTR_ERROR_TYPE)
                its = s->attrs[i].text;
        if (strcmp(its, error) == 0) {
            assert_true(found < 0);
            found = s->value;
        }
    }
    return found;
}

static void it_tells_of_itself(void **state)
{
    (void)state;
    begin(65536);
    add_spans(5000, 3, false);
    struct otlp_export_stats stats = stats_of(OTLP_TRACES);
    double full = self_value(METRIC_SDK_SPAN_PROCESSED, "queue_full");
    assert_true(full == (double)stats.dropped[OTLP_DROP_QUEUE_FULL] && full > 0);
    assert_true(self_value(METRIC_SDK_SPAN_INFLIGHT, "") == 512);
    assert_true(self_value(METRIC_SDK_SPAN_QUEUE, "") == (double)stats.queued - 512);
    assert_true(self_value(METRIC_SDK_SPAN_PROCESSED, "") == 512);
    assert_true(self_value(METRIC_SDK_SPAN_EXPORTED, "") == 0);
    assert_true(self_value(METRIC_SDK_SPAN_EXPORTED, "rejected") == 0);
    assert_true(self_value(METRIC_SDK_LOG_CREATED, "") == 0);
    assert_true(self_value(METRIC_SDK_POINT_EXPORTED, "queue_full") == 0);
    const struct series *started = otlp_export_self(export)->first[METRIC_SDK_SPAN_STARTED];
    assert_true(started->value + started->next->value == 5000);
    end();
}

/* With the run's own metrics, in one request; not where there is no machine in the run. */
static void it_exports_what_it_tells(void **state)
{
    (void)state;
    struct metrics metrics = {0};
    series_add(metrics_series(&metrics, METRIC_SHOP_ORDERS, 0, NULL, 0), 1);
    begin(0);
    otlp_export_last_metrics(export, &metrics, NS_PER_S);
    struct otlp_export_stats stats = stats_of(OTLP_METRICS);
    assert_in_range(stats.produced, 20, 30);
    assert_int_equal(stats.in_flight, stats.produced);
    assert_true(self_value(METRIC_SDK_POINT_INFLIGHT, "") == (double)stats.produced);
    end();
    begin_virtual();
    otlp_export_last_metrics(export, &metrics, NS_PER_S);
    assert_int_equal(stats_of(OTLP_METRICS).produced, 1);
    end();
    metrics_fini(&metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_takes_is_counted), cmocka_unit_test(the_queue_is_bounded),
        cmocka_unit_test(samplers_are_obeyed),          cmocka_unit_test(metrics_come_at_their_interval),
        cmocka_unit_test(what_is_off_is_not_taken),     cmocka_unit_test(it_tells_of_itself),
        cmocka_unit_test(it_exports_what_it_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
