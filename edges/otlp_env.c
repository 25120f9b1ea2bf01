#include "edges/otlp_env.h"

#include "edges/otlp_env_parts.h"
#include "edges/otlp_machine.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const signal_names[] = {
    [OTLP_TRACES] = "TRACES", [OTLP_METRICS] = "METRICS", [OTLP_LOGS] = "LOGS"};
static const char *const signal_paths[] = {
    [OTLP_TRACES] = "v1/traces", [OTLP_METRICS] = "v1/metrics", [OTLP_LOGS] = "v1/logs"};

enum { NAME_MAX_BYTES = 96 };

/* ---- what each variable sets ---- */

static bool take_protocol(struct otlp_signal_env *signal, const char *value)
{
    if (strcmp(value, "http/protobuf") && strcmp(value, "http/json"))
        return false; /* grpc too */
    signal->json = !strcmp(value, "http/json");
    return true;
}

static bool take_compression(struct otlp_signal_env *signal, const char *value)
{
    if (strcmp(value, "gzip") && strcmp(value, "none"))
        return false;
    signal->gzip = !strcmp(value, "gzip");
    return true;
}

static bool take_timeout(struct otlp_signal_env *signal, const char *value)
{
    return env_number(value, 1, INT_MAX, &signal->timeout_ms);
}

static bool take_certificate(struct otlp_signal_env *signal, const char *value)
{
    env_copy(&signal->certificate, value);
    return true;
}

static bool take_client_key(struct otlp_signal_env *signal, const char *value)
{
    env_copy(&signal->client_key, value);
    return true;
}

static bool take_client_certificate(struct otlp_signal_env *signal, const char *value)
{
    env_copy(&signal->client_certificate, value);
    return true;
}

/* OTEL_EXPORTER_OTLP_NAME for all signals, OTEL_EXPORTER_OTLP_SIGNAL_NAME for one. */
static const struct {
    const char *name;
    bool (*take)(struct otlp_signal_env *signal, const char *value);
    const char *wants; /* for the warning */
    bool secret;
} exporter_variables[] = {
    {"PROTOCOL", take_protocol, "http/protobuf or http/json", false},
    {"COMPRESSION", take_compression, "none or gzip", false},
    {"TIMEOUT", take_timeout, "milliseconds", false},
    {"HEADERS", env_headers, "name=value,name=value", true},
    {"CERTIFICATE", take_certificate, "", false},
    {"CLIENT_KEY", take_client_key, "", false},
    {"CLIENT_CERTIFICATE", take_client_certificate, "", false},
};

static bool take_delay(struct otlp_signal_env *signal, const char *value)
{
    return env_number(value, 0, INT_MAX, &signal->delay_ms);
}

static bool take_give_up(struct otlp_signal_env *signal, const char *value)
{
    return env_number(value, 0, INT_MAX, &signal->give_up_ms);
}

static bool take_queue(struct otlp_signal_env *signal, const char *value)
{
    int64_t items;
    bool good = env_number(value, 1, INT_MAX, &items);
    signal->queue_items = good ? (unsigned)items : signal->queue_items;
    return good;
}

static bool take_batch(struct otlp_signal_env *signal, const char *value)
{
    int64_t items;
    bool good = env_number(value, 1, INT_MAX, &items);
    signal->batch_items = good ? (unsigned)items : signal->batch_items;
    return good;
}

static bool take_exporter(struct otlp_signal_env *signal, const char *value)
{
    if (strcmp(value, "otlp") && strcmp(value, "none"))
        return false;
    signal->wanted = !strcmp(value, "otlp");
    return true;
}

static const struct {
    const char *name;
    enum otlp_signal signal;
    bool (*take)(struct otlp_signal_env *signal, const char *value);
    const char *wants;
} signal_variables[] = {
    {"OTEL_TRACES_EXPORTER", OTLP_TRACES, take_exporter, "otlp or none"},
    {"OTEL_METRICS_EXPORTER", OTLP_METRICS, take_exporter, "otlp or none"},
    {"OTEL_LOGS_EXPORTER", OTLP_LOGS, take_exporter, "otlp or none"},
    {"OTEL_BSP_SCHEDULE_DELAY", OTLP_TRACES, take_delay, "milliseconds"},
    {"OTEL_BSP_EXPORT_TIMEOUT", OTLP_TRACES, take_give_up, "milliseconds"},
    {"OTEL_BSP_MAX_QUEUE_SIZE", OTLP_TRACES, take_queue, "a number of spans"},
    {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", OTLP_TRACES, take_batch, "a number of spans"},
    {"OTEL_BLRP_SCHEDULE_DELAY", OTLP_LOGS, take_delay, "milliseconds"},
    {"OTEL_BLRP_EXPORT_TIMEOUT", OTLP_LOGS, take_give_up, "milliseconds"},
    {"OTEL_BLRP_MAX_QUEUE_SIZE", OTLP_LOGS, take_queue, "a number of records"},
    {"OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", OTLP_LOGS, take_batch, "a number of records"},
    {"OTEL_METRIC_EXPORT_TIMEOUT", OTLP_METRICS, take_give_up, "milliseconds"},
};

/* ---- reading ---- */

const char *env_get(const struct otlp_env_options *options, const char *name)
{
    const char *value = options->get ? options->get(options->owner, name) : getenv(name);
    return value && *value ? value : NULL;
}

static void say_ignored(const struct otlp_env_options *options, const char *name, struct slice value,
                        const char *joint, const char *why)
{
    enum { SHOWN_MAX = 80 };
    struct text *warnings = options->warnings;
    text_lit(warnings, "doorbuster: ");
    text_str(warnings, name);
    if (value.at)
        text_char(warnings, '=');
    for (size_t i = 0; i < MIN(value.len, (uint32_t)SHOWN_MAX); i++) {
        bool plain = (unsigned char)value.at[i] >= ' ';
        text_bytes(warnings, plain ? &value.at[i] : "?", 1);
    }
    text_str(warnings, joint);
    text_str(warnings, why);
    text_char(warnings, '\n');
}

void env_refuse(const struct otlp_env_options *options, const char *name, const char *value,
                const char *wants)
{
    struct slice shown = {value, value ? (uint32_t)strlen(value) : 0};
    say_ignored(options, name, shown, " is ignored: it wants ", wants);
}

void env_ignore(const struct otlp_env_options *options, const char *name, struct slice value, const char *why)
{
    say_ignored(options, name, value, " is ignored: ", why);
}

static void read_exporter(struct otlp_env *env, const struct otlp_env_options *options, int signal)
{
    char name[NAME_MAX_BYTES];
    for (size_t i = 0; i < ARRAY_LEN(exporter_variables); i++) {
        for (int own = 0; own < 2; own++) {
            snprintf(name, sizeof name, "OTEL_EXPORTER_OTLP_%s%s%s", own ? signal_names[signal] : "",
                     own ? "_" : "", exporter_variables[i].name);
            const char *value = env_get(options, name);
            bool good = !value || exporter_variables[i].take(&env->signals[signal], value);
            /* A general variable is warned about once. */
            if (!good && (own || signal == 0))
                env_refuse(options, name, exporter_variables[i].secret ? NULL : value,
                           exporter_variables[i].wants);
        }
    }
}

static const char url_wants[] = "a URL that begins with http:// or https://";

static void read_endpoint(struct otlp_env *env, const struct otlp_env_options *options, int signal)
{
    char name[NAME_MAX_BYTES];
    char **url = &env->signals[signal].url;
    const char *value = env_get(options, "OTEL_EXPORTER_OTLP_ENDPOINT");
    if (value && !env_url(url, value, signal_paths[signal]) && signal == 0)
        env_refuse(options, "OTEL_EXPORTER_OTLP_ENDPOINT", value, url_wants);
    snprintf(name, sizeof name, "OTEL_EXPORTER_OTLP_%s_ENDPOINT", signal_names[signal]);
    value = env_get(options, name);
    if (value && !env_url(url, value, NULL))
        env_refuse(options, name, value, url_wants);
}

static void set_defaults(struct otlp_env *env)
{
    enum {
        TIMEOUT_MS = 10000,
        SPANS_DELAY_MS = 5000,
        LOGS_DELAY_MS = 1000,
        METRIC_INTERVAL_MS = 60000,
        ATTRIBUTES = 128
    };
    *env = (struct otlp_env){.parent_based = true, .ratio = 1, .metric_interval_ms = METRIC_INTERVAL_MS};
    for (int signal = 0; signal < OTLP_SIGNALS; signal++)
        env->limits[signal] = (struct otlp_limits){.count = ATTRIBUTES, .characters = SIZE_MAX};
    for (int signal = 0; signal < OTLP_SIGNALS; signal++)
        env->signals[signal] = (struct otlp_signal_env){.wanted = true,
                                                        .timeout_ms = TIMEOUT_MS,
                                                        .delay_ms = SPANS_DELAY_MS,
                                                        .batch_items = OTLP_BATCH_ITEMS};
    env->signals[OTLP_LOGS].delay_ms = LOGS_DELAY_MS;
}

static bool read_endpoints(struct otlp_env *env, const struct otlp_env_options *options)
{
    for (int signal = 0; signal < OTLP_SIGNALS; signal++) {
        if (!options->endpoint) {
            read_endpoint(env, options, signal);
        } else if (!env_url(&env->signals[signal].url, options->endpoint, signal_paths[signal])) {
            struct slice shown = {options->endpoint, (uint32_t)strlen(options->endpoint)};
            say_ignored(options, "--otlp", shown, ": expected ", url_wants);
            return false;
        }
    }
    return true;
}

bool otlp_env_read(struct otlp_env *env, const struct otlp_env_options *options)
{
    set_defaults(env);
    for (int signal = 0; signal < OTLP_SIGNALS; signal++)
        read_exporter(env, options, signal);
    for (size_t i = 0; i < ARRAY_LEN(signal_variables); i++) {
        const char *value = env_get(options, signal_variables[i].name);
        if (value && !signal_variables[i].take(&env->signals[signal_variables[i].signal], value))
            env_refuse(options, signal_variables[i].name, value, signal_variables[i].wants);
    }
    env_read_sdk(env, options);
    otlp_machine_read(&env->machine, options->get, options->owner);
    return read_endpoints(env, options);
}

void otlp_env_fini(struct otlp_env *env)
{
    for (int i = 0; i < OTLP_SIGNALS; i++) {
        struct otlp_signal_env *signal = &env->signals[i];
        env_headers_fini(signal);
        free(signal->url);
        free(signal->certificate);
        free(signal->client_key);
        free(signal->client_certificate);
    }
    otlp_machine_fini(&env->machine);
    env_resource_fini(env);
}

bool otlp_env_wanted(const struct otlp_env *env)
{
    bool wanted = false;
    for (int signal = 0; signal < OTLP_SIGNALS; signal++)
        wanted = wanted || (env->signals[signal].wanted && env->signals[signal].url);
    return wanted && !env->disabled;
}
