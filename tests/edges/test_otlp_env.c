/* otlp_env: the OTEL_* variables, a table of what is read and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "edges/otlp_env.h"

enum { VARIABLES_MAX = 8 };

struct variables {
    const char *list[VARIABLES_MAX][2];
};

static const char *get(void *owner, const char *name)
{
    const struct variables *variables = owner;
    for (size_t i = 0; i < VARIABLES_MAX && variables->list[i][0]; i++)
        if (!strcmp(variables->list[i][0], name))
            return variables->list[i][1];
    return NULL;
}

static struct otlp_env env;
static struct text warnings;

static bool read_env(const char *endpoint, struct variables variables)
{
    otlp_env_fini(&env);
    warnings.len = 0;
    struct otlp_env_options options = {
        .get = get, .owner = &variables, .endpoint = endpoint, .warnings = &warnings};
    return otlp_env_read(&env, &options);
}

#define READ(...) assert_true(read_env(NULL, (struct variables){{__VA_ARGS__}}))

static unsigned warning_count(void)
{
    unsigned lines = 0;
    for (size_t i = 0; i < warnings.len; i++)
        lines += warnings.bytes[i] == '\n';
    return lines;
}

static void nothing_set_is_the_design(void **state)
{
    (void)state;
    READ({"OTEL_EXPORTER_OTLP_ENDPOINT", ""}, {"OTEL_SDK_DISABLED", ""});
    assert_int_equal(warning_count(), 0);
    assert_false(env.disabled);
    assert_false(otlp_env_wanted(&env));
    assert_int_equal(env.metric_interval_ms, 60000);
    assert_false(env.points.delta);
    assert_false(env.points.explicit_bounds);
    assert_int_equal(env.sampler, OTLP_SAMPLE_ALL);
    assert_true(env.parent_based);
    static const int64_t delays_ms[] = {[OTLP_TRACES] = 5000, [OTLP_METRICS] = 5000, [OTLP_LOGS] = 1000};
    for (int i = 0; i < OTLP_SIGNALS; i++) {
        const struct otlp_signal_env *signal = &env.signals[i];
        assert_true(signal->wanted);
        assert_null(signal->url);
        assert_false(signal->json || signal->gzip);
        assert_int_equal(signal->timeout_ms, 10000);
        assert_int_equal(signal->delay_ms, delays_ms[i]);
        assert_int_equal(signal->batch_items, 512);
        assert_int_equal(signal->queue_items, 0);
        assert_int_equal(signal->give_up_ms, 0);
        assert_int_equal(signal->header_count, 0);
    }
    char host[256];
    assert_int_equal(gethostname(host, sizeof host), 0);
    assert_string_equal(env.machine.pairs[0].key, "host.name");
    assert_string_equal(env.machine.pairs[0].value, host);
    assert_string_equal(env.machine.pairs[1].key, "process.pid");
    assert_int_equal(env.machine.pairs[1].number, getpid());
    assert_int_equal(env.machine.count, 2);
}

static void endpoints_are_joined_by_the_rules(void **state)
{
    (void)state;
    static const struct {
        const char *base, *own; /* of traces */
        const char *url; /* NULL: refused */
    } table[] = {
        {"http://h:4318", NULL, "http://h:4318/v1/traces"},
        {"http://h:4318/", NULL, "http://h:4318/v1/traces"},
        {"https://h/otlp", NULL, "https://h/otlp/v1/traces"},
        {"https://h/otlp/", NULL, "https://h/otlp/v1/traces"},
        {"http://h/a?key=1", NULL, "http://h/a/v1/traces?key=1"},
        {"http://[::1]:4318", NULL, "http://[::1]:4318/v1/traces"},
        {"http://h:4318", "http://t:1/own", "http://t:1/own"},
        {"http://h:4318", "http://t:1", "http://t:1/"},
        {NULL, "https://t/v1/traces", "https://t/v1/traces"},
        {"localhost:4318", NULL, NULL},
        {"ftp://h/", NULL, NULL},
        {"http://", NULL, NULL},
        {"h", NULL, NULL},
        {"http://h:99999999", NULL, NULL},
        {"http://h:4318", "nonsense", "http://h:4318/v1/traces"},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        READ({"OTEL_EXPORTER_OTLP_ENDPOINT", table[i].base ? table[i].base : ""},
             {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", table[i].own ? table[i].own : ""});
        const char *url = env.signals[OTLP_TRACES].url;
        if (table[i].url)
            assert_string_equal(url ? url : "none", table[i].url);
        else
            assert_null(url);
        bool strange = !table[i].url || (table[i].own && !strcmp(table[i].own, "nonsense"));
        assert_int_equal(warning_count(), strange);
    }
    READ({"OTEL_EXPORTER_OTLP_ENDPOINT", "http://h"});
    assert_string_equal(env.signals[OTLP_METRICS].url, "http://h/v1/metrics");
    assert_string_equal(env.signals[OTLP_LOGS].url, "http://h/v1/logs");
    assert_true(otlp_env_wanted(&env));
}

static void the_command_line_wins(void **state)
{
    (void)state;
    assert_true(
        read_env("http://cli:1/x", (struct variables){{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://h"},
                                                       {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://l"}}}));
    assert_string_equal(env.signals[OTLP_LOGS].url, "http://cli:1/x/v1/logs");
    assert_false(read_env("localhost:4318", (struct variables){{{0}}}));
    assert_non_null(strstr(text_c(&warnings), "--otlp=localhost:4318"));
}

static void a_signals_own_variable_wins(void **state)
{
    (void)state;
    READ({"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"}, {"OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/protobuf"},
         {"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"}, {"OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "none"},
         {"OTEL_EXPORTER_OTLP_TIMEOUT", "2500"}, {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "100"},
         {"OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"}, {"OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE", "/logs.pem"});
    assert_int_equal(warning_count(), 0);
    assert_true(env.signals[OTLP_TRACES].json && env.signals[OTLP_METRICS].json);
    assert_false(env.signals[OTLP_LOGS].json);
    assert_true(env.signals[OTLP_TRACES].gzip && env.signals[OTLP_LOGS].gzip);
    assert_false(env.signals[OTLP_METRICS].gzip);
    assert_int_equal(env.signals[OTLP_TRACES].timeout_ms, 100);
    assert_int_equal(env.signals[OTLP_LOGS].timeout_ms, 2500);
    assert_string_equal(env.signals[OTLP_TRACES].certificate, "/ca.pem");
    assert_string_equal(env.signals[OTLP_LOGS].certificate, "/logs.pem");
}

static void headers_are_pairs(void **state)
{
    (void)state;
    READ({"OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20k%3D1 , x-a= b=c ,,x-empty="},
         {"OTEL_EXPORTER_OTLP_LOGS_HEADERS", "only=this"});
    const struct otlp_signal_env *traces = &env.signals[OTLP_TRACES], *logs = &env.signals[OTLP_LOGS];
    assert_int_equal(warning_count(), 0);
    assert_int_equal(traces->header_count, 3);
    assert_string_equal(traces->headers[0], "Authorization: Bearer k=1");
    assert_string_equal(traces->headers[1], "x-a: b=c");
    assert_string_equal(traces->headers[2], "x-empty;");
    assert_int_equal(logs->header_count, 1);
    assert_string_equal(logs->headers[0], "only: this");

    static const char *const bad[] = {
        "secret",       "=secret",     "a=secret%0d%0ab:c", "a b=secret",  "a=secret%2",
        "a=secret%00",  "a=%zzsecret", "a=1,secret",        "a%0a=secret", "content-type=secret",
        "Expect=secret"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        READ({"OTEL_EXPORTER_OTLP_HEADERS", bad[i]});
        assert_int_equal(env.signals[OTLP_TRACES].header_count, 0);
        assert_int_equal(warning_count(), 1);
        assert_null(strstr(text_c(&warnings), "secret")); /* values are not shown */
    }
}

static void resource_attributes_are_all_or_nothing(void **state)
{
    (void)state;
    READ({"OTEL_RESOURCE_ATTRIBUTES", "team=a%2Cb, k8s.cluster.name=c1"});
    assert_int_equal(env.more_count, 2);
    assert_string_equal(env.more[0].key, "team");
    assert_string_equal(env.more[0].value, "a,b");
    assert_string_equal(env.more[1].key, "k8s.cluster.name");
    static const char *const bad[] = {"a=1,b", "a=1,=2", "a=%f", "a=\xff", "a=%ff"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        READ({"OTEL_RESOURCE_ATTRIBUTES", bad[i]});
        assert_int_equal(env.more_count, 0);
        assert_int_equal(warning_count(), 1);
    }
}

static void a_resource_is_completed(void **state)
{
    (void)state;
    READ({"OTEL_RESOURCE_ATTRIBUTES", "service.name=mine,team=shop,host.name=h"}, {"K8S_POD_NAME", "pod-1"},
         {"POD_NAMESPACE", "ns"}, {"NODE_NAME", "node"});
    assert_int_equal(env.machine.count, 5);
}

static void signals_can_be_off(void **state)
{
    (void)state;
    READ({"OTEL_EXPORTER_OTLP_ENDPOINT", "http://h"}, {"OTEL_TRACES_EXPORTER", "none"},
         {"OTEL_METRICS_EXPORTER", "otlp"}, {"OTEL_LOGS_EXPORTER", "console"});
    assert_false(env.signals[OTLP_TRACES].wanted);
    assert_true(env.signals[OTLP_METRICS].wanted);
    assert_true(env.signals[OTLP_LOGS].wanted);
    assert_int_equal(warning_count(), 1);
    READ({"OTEL_EXPORTER_OTLP_ENDPOINT", "http://h"}, {"OTEL_SDK_DISABLED", "TRUE"});
    assert_true(env.disabled);
    assert_false(otlp_env_wanted(&env));
    READ({"OTEL_SDK_DISABLED", "1"});
    assert_false(env.disabled);
    assert_int_equal(warning_count(), 1);
}

static void batches_and_queues_are_set(void **state)
{
    (void)state;
    READ({"OTEL_BSP_SCHEDULE_DELAY", "50"}, {"OTEL_BSP_MAX_QUEUE_SIZE", "2048"},
         {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "100"}, {"OTEL_BSP_EXPORT_TIMEOUT", "30000"},
         {"OTEL_BLRP_SCHEDULE_DELAY", "20"}, {"OTEL_METRIC_EXPORT_INTERVAL", "15000"});
    const struct otlp_signal_env *traces = &env.signals[OTLP_TRACES];
    assert_int_equal(warning_count(), 0);
    assert_int_equal(traces->delay_ms, 50);
    assert_int_equal(traces->queue_items, 2048);
    assert_int_equal(traces->batch_items, 100);
    assert_int_equal(traces->give_up_ms, 30000);
    assert_int_equal(env.signals[OTLP_LOGS].delay_ms, 20);
    assert_int_equal(env.metric_interval_ms, 15000);
}

static void preferences_are_taken(void **state)
{
    (void)state;
    READ({"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "Delta"},
         {"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "explicit_bucket_histogram"},
         {"OTEL_METRICS_EXEMPLAR_FILTER", "always_off"});
    assert_int_equal(warning_count(), 0);
    assert_true(env.points.delta && env.points.explicit_bounds && env.points.no_exemplars);
    static const struct {
        const char *name;
        enum otlp_sampler sampler;
        bool parent_based;
    } samplers[] = {
        {"always_on", OTLP_SAMPLE_ALL, false},
        {"always_off", OTLP_SAMPLE_NONE, false},
        {"traceidratio", OTLP_SAMPLE_RATIO, false},
        {"parentbased_always_on", OTLP_SAMPLE_ALL, true},
        {"parentbased_always_off", OTLP_SAMPLE_NONE, true},
        {"parentbased_traceidratio", OTLP_SAMPLE_RATIO, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(samplers); i++) {
        READ({"OTEL_TRACES_SAMPLER", samplers[i].name}, {"OTEL_TRACES_SAMPLER_ARG", "0.25"});
        assert_int_equal(env.sampler, samplers[i].sampler);
        assert_int_equal(env.parent_based, samplers[i].parent_based);
        assert_true(env.ratio == 0.25);
    }
}

/* A signal's own limit wins over the general one; what is not set is the specification's. */
static void attributes_are_limited(void **state)
{
    (void)state;
    const struct otlp_limits *spans = &env.limits[OTLP_TRACES], *logs = &env.limits[OTLP_LOGS];
    READ({"OTEL_SDK_DISABLED", "false"});
    assert_false(spans->given || logs->given || env.no_links);
    READ({"OTEL_ATTRIBUTE_COUNT_LIMIT", "10"}, {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "0"},
         {"OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "5"}, {"OTEL_SPAN_LINK_COUNT_LIMIT", "0"});
    assert_int_equal(warning_count(), 0);
    assert_true(spans->given && spans->count == 0 && spans->characters == SIZE_MAX);
    assert_true(logs->given && logs->count == 10 && logs->characters == 5);
    assert_true(env.no_links);
    READ({"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "7"}, {"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "9"},
         {"OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "3"}, {"OTEL_SPAN_LINK_COUNT_LIMIT", "1"});
    assert_true(spans->given && spans->count == 128 && spans->characters == 9);
    assert_true(logs->given && logs->count == 3 && logs->characters == 7);
    assert_false(env.limits[OTLP_METRICS].given || env.no_links);
}

static void propagators_are_chosen(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        unsigned warnings;
        bool none;
    } table[] = {
        {"tracecontext", 0, false},
        {"none", 0, true},
        {" none ", 0, true},
        {"none,b3", 2, false},
        {"tracecontext,none", 1, false},
        {"tracecontext, baggage", 1, false},
        {"b3,b3multi", 2, false},
        {"jaeger", 1, false},
        {"None", 1, false},
        {",tracecontext", 0, false},
        {"none,", 0, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        READ({"OTEL_PROPAGATORS", table[i].list});
        if (env.no_propagation != table[i].none || warning_count() != table[i].warnings)
            fail_msg("%s: %s", table[i].list, text_c(&warnings));
    }
    READ({"OTEL_PROPAGATORS", "tracecontext,b3"});
    assert_string_equal(text_c(&warnings), "doorbuster: OTEL_PROPAGATORS=b3 is ignored: of propagators "
                                           "tracecontext and none are known\n");
    READ({"OTEL_PROPAGATORS", "none"}, {"OTEL_SDK_DISABLED", "true"});
    assert_true(env.no_propagation && env.disabled);
}

static void conventions_are_as_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        unsigned warnings;
    } table[] = {
        {"http", 0},     {"database/dup", 0}, {"http,database/dup", 0},     {"http/dup", 1},
        {"database", 1}, {"messaging", 1},    {"http/dup,database,rpc", 3},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        READ({"OTEL_SEMCONV_STABILITY_OPT_IN", table[i].list});
        assert_int_equal(warning_count(), table[i].warnings);
    }
}

/* Warned about by name, and the default holds. */
static void what_cannot_be_read_is_told(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
        {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http"},
        {"OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"},
        {"OTEL_EXPORTER_OTLP_TIMEOUT", "10s"},
        {"OTEL_EXPORTER_OTLP_TIMEOUT", "0"},
        {"OTEL_EXPORTER_OTLP_TIMEOUT", "99999999999999999999"},
        {"OTEL_EXPORTER_OTLP_TIMEOUT", " 1"},
        {"OTEL_BSP_SCHEDULE_DELAY", "-1"},
        {"OTEL_BSP_MAX_QUEUE_SIZE", "0"},
        {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "x"},
        {"OTEL_METRIC_EXPORT_INTERVAL", "0"},
        {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "sometimes"},
        {"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "t-digest"},
        {"OTEL_TRACES_SAMPLER", "parentbased_"},
        {"OTEL_TRACES_SAMPLER", "jaeger_remote"},
        {"OTEL_TRACES_SAMPLER_ARG", "1.5"},
        {"OTEL_TRACES_SAMPLER_ARG", "nan"},
        {"OTEL_ATTRIBUTE_COUNT_LIMIT", "many"},
        {"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-1"},
        {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "1.5"},
        {"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "x"},
        {"OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "-1"},
        {"OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", " "},
        {"OTEL_SPAN_LINK_COUNT_LIMIT", "one"},
        /* What does not apply here. */
        {"OTEL_SERVICE_NAME", "mine"},
        {"OTEL_EXPORTER_OTLP_INSECURE", "true"},
        {"OTEL_EXPORTER_OTLP_TRACES_INSECURE", "true"},
        {"OTEL_EXPORTER_OTLP_METRICS_INSECURE", "true"},
        {"OTEL_EXPORTER_OTLP_LOGS_INSECURE", "true"},
        {"OTEL_LOG_LEVEL", "debug"},
        {"OTEL_SPAN_EVENT_COUNT_LIMIT", "128"},
        {"OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "128"},
        {"OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "128"},
        {"OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", "logs"},
        {"OTEL_CONFIG_FILE", "otel.yaml"},
        {"OTEL_EXPERIMENTAL_CONFIG_FILE", "otel.yaml"},
        {"OTEL_EXPORTER_PROMETHEUS_HOST", "0.0.0.0"},
        {"OTEL_EXPORTER_PROMETHEUS_PORT", "9464"},
        {"OTEL_EXPORTER_ZIPKIN_ENDPOINT", "http://z"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        READ({bad[i][0], bad[i][1]});
        assert_int_equal(warning_count(), 1);
        assert_non_null(strstr(text_c(&warnings), bad[i][0]));
        assert_false(env.signals[OTLP_TRACES].json || env.signals[OTLP_TRACES].gzip);
        assert_int_equal(env.signals[OTLP_TRACES].timeout_ms, 10000);
        assert_int_equal(env.signals[OTLP_TRACES].delay_ms, 5000);
        assert_int_equal(env.metric_interval_ms, 60000);
        assert_false(env.points.delta || env.points.explicit_bounds);
        assert_true(env.sampler == OTLP_SAMPLE_ALL && env.parent_based && env.ratio == 1);
        assert_false(env.limits[OTLP_TRACES].given || env.limits[OTLP_LOGS].given || env.no_links);
        assert_false(env.no_propagation);
    }
    READ({"OTEL_TRACES_SAMPLER", "a\nb\033[31m"});
    assert_int_equal(warning_count(), 1); /* nothing that a terminal obeys */
    assert_null(memchr(warnings.bytes, '\033', warnings.len));
}

static int forget(void **state)
{
    (void)state;
    otlp_env_fini(&env);
    text_fini(&warnings);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_set_is_the_design),
        cmocka_unit_test(endpoints_are_joined_by_the_rules),
        cmocka_unit_test(the_command_line_wins),
        cmocka_unit_test(a_signals_own_variable_wins),
        cmocka_unit_test(headers_are_pairs),
        cmocka_unit_test(resource_attributes_are_all_or_nothing),
        cmocka_unit_test(a_resource_is_completed),
        cmocka_unit_test(signals_can_be_off),
        cmocka_unit_test(batches_and_queues_are_set),
        cmocka_unit_test(preferences_are_taken),
        cmocka_unit_test(attributes_are_limited),
        cmocka_unit_test(propagators_are_chosen),
        cmocka_unit_test(conventions_are_as_they_are),
        cmocka_unit_test(what_cannot_be_read_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
