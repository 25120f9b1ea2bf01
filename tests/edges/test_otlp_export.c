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

static void begin(size_t queue_bytes)
{
    struct text warnings = {0};
    struct otlp_env_options options = {.get = get, .endpoint = "http://127.0.0.1:1", .warnings = &warnings};
    assert_true(otlp_env_read(&env, &options));
    assert_int_equal(warnings.len, 0);
    struct otlp_export_options made = {.env = &env, .queue_bytes = queue_bytes};
    made.source = (struct otlp_source){.version = "0.1.0", .service_name = service_name};
    export = otlp_export_open(ev_default_loop(0), &made);
}

static void end(void)
{
    otlp_export_close(export, ended);
    otlp_env_fini(&env);
    memset(variables, 0, sizeof variables);
}

static void add_spans(unsigned count, uint8_t flags, uint8_t stream)
{
    static const struct span_site site = {.kind = SPAN_SERVER, .name = "GET /"};
    for (unsigned i = 0; i < count; i++) {
        struct span span = {.site = &site, .trace_hi = 1, .id = i + 1, .flags = flags, .stream = stream};
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
    add_spans(1000, 3, 0);
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
    begin(65536);
    add_spans(5000, 3, 0);
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

static unsigned sampled(const char *sampler, const char *ratio, uint8_t flags, uint8_t stream)
{
    variables[0][0] = "OTEL_TRACES_SAMPLER";
    variables[0][1] = sampler;
    variables[1][0] = "OTEL_TRACES_SAMPLER_ARG";
    variables[1][1] = ratio;
    begin(0);
    add_spans(1000, flags, stream);
    struct otlp_export_stats stats = stats_of(OTLP_TRACES);
    assert_int_equal(stats.produced + stats.unsampled, 1000);
    end();
    return (unsigned)stats.produced;
}

static void samplers_are_obeyed(void **state)
{
    (void)state;
    enum { ON = 3, OFF = 2 };
    assert_int_equal(sampled("always_on", "", OFF, 0), 1000);
    assert_int_equal(sampled("always_off", "", ON, 0), 0);
    assert_int_equal(sampled("traceidratio", "0", ON, 0), 0);
    assert_int_equal(sampled("traceidratio", "1", ON, 0), 1000);
    unsigned tenth = sampled("traceidratio", "0.1", ON, 0), half = sampled("traceidratio", "0.5", ON, 0);
    assert_in_range(tenth, 80, 120);
    assert_in_range(half, 470, 530);
    assert_int_equal(sampled("parentbased_always_on", "", OFF, 0), 0);
    assert_int_equal(sampled("parentbased_traceidratio", "0.1", ON, 0), tenth);
    assert_int_equal(sampled("parentbased_always_off", "", ON, STREAM_OUTSIDE), 1000);
    assert_int_equal(sampled("parentbased_always_off", "", OFF, STREAM_OUTSIDE), 0);
}

static void metrics_come_at_their_interval(void **state)
{
    (void)state;
    struct metrics metrics = {0};
    series_add(metrics_series(&metrics, METRIC_SHOP_ORDERS, 0, NULL, 0), 1);
    begin(0);
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
    add_spans(10, 3, 0);
    assert_int_equal(stats_of(OTLP_TRACES).produced, 0);
    end();
}

static double self_value(const struct otlp_self *self, size_t count, const char *name, const char *error_type)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(self[i].name, name) && !strcmp(self[i].error_type, error_type))
            return self[i].value;
    fail_msg("%s{%s} is missing", name, error_type);
    return -1;
}

static void it_tells_of_itself(void **state)
{
    (void)state;
    struct otlp_self self[OTLP_SELF_MAX];
    begin(65536);
    add_spans(5000, 3, 0);
    struct otlp_export_stats stats = stats_of(OTLP_TRACES);
    size_t count = otlp_export_self(export, self);
    assert_true(self_value(self, count, "otel.sdk.processor.span.queue.size", "") == (double)stats.queued);
    assert_true(self_value(self, count, "otel.sdk.processor.span.processed", "queue_full") ==
                (double)stats.dropped[OTLP_DROP_QUEUE_FULL]);
    assert_true(self_value(self, count, "otel.sdk.exporter.span.inflight", "") == (double)stats.in_flight);
    assert_true(self_value(self, count, "otel.sdk.exporter.log.exported", "rejected") == 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_takes_is_counted), cmocka_unit_test(the_queue_is_bounded),
        cmocka_unit_test(samplers_are_obeyed),          cmocka_unit_test(metrics_come_at_their_interval),
        cmocka_unit_test(what_is_off_is_not_taken),     cmocka_unit_test(it_tells_of_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
