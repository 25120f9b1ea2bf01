/* The variables of the SDK as a whole: sampling, metrics, limits, propagation, conventions. See edges/otlp_env.h. */
#include <limits.h>
#include <stdlib.h>
#include <strings.h>

#include "edges/otlp_env_parts.h"

static bool take_disabled(struct otlp_env *env, const char *value)
{
    env->disabled = !strcasecmp(value, "true");
    return env->disabled || !strcasecmp(value, "false");
}

static bool take_interval(struct otlp_env *env, const char *value)
{
    return env_number(value, 1, INT_MAX, &env->metric_interval_ms);
}

static bool take_temporality(struct otlp_env *env, const char *value)
{
    /* lowmemory differs from delta in instruments that are observed, which there are none of */
    env->points.delta = !strcasecmp(value, "delta") || !strcasecmp(value, "lowmemory");
    return env->points.delta || !strcasecmp(value, "cumulative");
}

static bool take_aggregation(struct otlp_env *env, const char *value)
{
    env->points.explicit_bounds = !strcasecmp(value, "explicit_bucket_histogram");
    return env->points.explicit_bounds || !strcasecmp(value, "base2_exponential_bucket_histogram");
}

static bool take_exemplars(struct otlp_env *env, const char *value)
{
    env->points.no_exemplars = !strcmp(value, "always_off");
    return env->points.no_exemplars || !strcmp(value, "trace_based") || !strcmp(value, "always_on");
}

static bool take_sampler(struct otlp_env *env, const char *value)
{
    static const struct {
        const char *name;
        enum otlp_sampler sampler;
    } samplers[] = {{"always_on", OTLP_SAMPLE_ALL},
                    {"always_off", OTLP_SAMPLE_NONE},
                    {"traceidratio", OTLP_SAMPLE_RATIO}};
    static const char prefix[] = "parentbased_";
    bool parent_based = !strncmp(value, prefix, strlen(prefix));
    value += parent_based ? strlen(prefix) : 0;
    for (size_t i = 0; i < ARRAY_LEN(samplers); i++) {
        if (strcmp(value, samplers[i].name))
            continue;
        env->sampler = samplers[i].sampler;
        env->parent_based = parent_based;
        return true;
    }
    return false;
}

static bool take_ratio(struct otlp_env *env, const char *value)
{
    char *end;
    double ratio = strtod(value, &end);
    if (end == value || *end || !(ratio >= 0 && ratio <= 1))
        return false;
    env->ratio = ratio;
    return true;
}

/* A span has one link at most. */
static bool take_links(struct otlp_env *env, const char *value)
{
    int64_t links;
    bool good = env_number(value, 0, INT_MAX, &links);
    env->no_links = good && links == 0;
    return good;
}

static const struct {
    const char *name;
    bool (*take)(struct otlp_env *env, const char *value);
    const char *wants;
} variables[] = {
    {"OTEL_SDK_DISABLED", take_disabled, "true or false"},
    {"OTEL_METRIC_EXPORT_INTERVAL", take_interval, "milliseconds"},
    {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", take_temporality, "cumulative, delta or lowmemory"},
    {"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", take_aggregation,
     "explicit_bucket_histogram or base2_exponential_bucket_histogram"},
    {"OTEL_METRICS_EXEMPLAR_FILTER", take_exemplars, "trace_based, always_on or always_off"},
    {"OTEL_TRACES_SAMPLER", take_sampler,
     "always_on, always_off, traceidratio, or one of these after parentbased_"},
    {"OTEL_TRACES_SAMPLER_ARG", take_ratio, "a number from 0 to 1"},
    {"OTEL_RESOURCE_ATTRIBUTES", env_resource, "key=value,key=value"},
    {"OTEL_SPAN_LINK_COUNT_LIMIT", take_links, "a number of links"},
};

/* ---- limits of attributes ---- */

enum { OF_SPANS = 1 << OTLP_TRACES, OF_LOGS = 1 << OTLP_LOGS };

/* A signal's own behind the general ones, so that they win. */
static const struct {
    const char *name;
    int signals;
    bool characters;
} limit_variables[] = {
    {"OTEL_ATTRIBUTE_COUNT_LIMIT", OF_SPANS | OF_LOGS, false},
    {"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", OF_SPANS | OF_LOGS, true},
    {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", OF_SPANS, false},
    {"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", OF_SPANS, true},
    {"OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", OF_LOGS, false},
    {"OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", OF_LOGS, true},
};

static void read_limits(struct otlp_env *env, const struct otlp_env_options *options)
{
    for (size_t i = 0; i < ARRAY_LEN(limit_variables); i++) {
        int64_t limit;
        const char *value = env_get(options, limit_variables[i].name);
        if (!value)
            continue;
        if (!env_number(value, 0, INT_MAX, &limit)) {
            env_refuse(options, limit_variables[i].name, value,
                       limit_variables[i].characters ? "a number of characters" : "a number of attributes");
            continue;
        }
        for (int signal = 0; signal < OTLP_SIGNALS; signal++) {
            struct otlp_limits *limits = &env->limits[signal];
            if (!(limit_variables[i].signals & 1 << signal))
                continue;
            limits->given = true;
            *(limit_variables[i].characters ? &limits->characters : &limits->count) = (size_t)limit;
        }
    }
}

/* ---- lists of names ---- */

/* Why a name of a list is not followed; NULL: it is. */
struct choice {
    const char *name, *why;
};

static const struct choice propagators[] = {
    {"tracecontext", NULL},
    {"none", "it stands alone or not at all"},
    {"baggage", "baggage is not carried"},
    {NULL, "of propagators tracecontext and none are known"},
};

/* HTTP spans have the stable names alone, database spans have both generations: vendors need both. */
static const struct choice conventions[] = {
    {"http", NULL},
    {"http/dup", "the older names of HTTP are never sent"},
    {"database", "both generations of database names are always sent"},
    {"database/dup", NULL},
    {NULL, "nothing of that kind is sent"},
};

static const struct choice *choice_of(const struct choice *choices, struct slice name)
{
    while (choices->name && !(strlen(choices->name) == name.len && !memcmp(choices->name, name.at, name.len)))
        choices++;
    return choices;
}

static struct slice next_name(const char **list)
{
    const char *at = *list + strspn(*list, ", \t");
    size_t len = strcspn(at, ",");
    *list = at + len;
    while (len && strchr(" \t", at[len - 1]))
        len--;
    return (struct slice){at, (uint32_t)len};
}

/* Warns about the names that are not followed. */
static void read_list(const struct otlp_env_options *options, const char *name, const struct choice *choices)
{
    const char *list = env_get(options, name);
    for (struct slice one; list && (one = next_name(&list)).len;) {
        const char *why = choice_of(choices, one)->why;
        if (why)
            env_ignore(options, name, one, why);
    }
}

/* Whose names are all unknown leaves it at tracecontext. */
static void read_propagators(struct otlp_env *env, const struct otlp_env_options *options)
{
    static const char name[] = "OTEL_PROPAGATORS";
    const char *list = env_get(options, name);
    struct slice first = list ? next_name(&list) : (struct slice){"", 0};
    env->no_propagation =
        list && first.len == strlen("none") && !memcmp(first.at, "none", first.len) && !next_name(&list).len;
    if (!env->no_propagation)
        read_list(options, name, propagators);
}

/* ---- what does not apply ---- */

static const struct choice ignored[] = {
    {"OTEL_SERVICE_NAME", "each service has a name of its own"},
    {"OTEL_EXPORTER_OTLP_INSECURE", "the endpoint says http:// or https://"},
    {"OTEL_EXPORTER_OTLP_TRACES_INSECURE", "the endpoint says http:// or https://"},
    {"OTEL_EXPORTER_OTLP_METRICS_INSECURE", "the endpoint says http:// or https://"},
    {"OTEL_EXPORTER_OTLP_LOGS_INSECURE", "the endpoint says http:// or https://"},
    {"OTEL_LOG_LEVEL", "--log-level says which logs are written"},
    {"OTEL_SPAN_EVENT_COUNT_LIMIT", "spans have no events"},
    {"OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "spans have no events"},
    {"OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "links have no attributes"},
    {"OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", "no exceptions are recorded"},
    {"OTEL_CONFIG_FILE", "variables and flags alone configure the exporter"},
    {"OTEL_EXPERIMENTAL_CONFIG_FILE", "variables and flags alone configure the exporter"},
    {"OTEL_EXPORTER_PROMETHEUS_HOST", "/metrics is on each service's own port"},
    {"OTEL_EXPORTER_PROMETHEUS_PORT", "/metrics is on each service's own port"},
    {"OTEL_EXPORTER_ZIPKIN_ENDPOINT", "there is no exporter for Zipkin"},
};

void env_read_sdk(struct otlp_env *env, const struct otlp_env_options *options)
{
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        const char *value = env_get(options, variables[i].name);
        if (value && !variables[i].take(env, value))
            env_refuse(options, variables[i].name, value, variables[i].wants);
    }
    read_limits(env, options);
    read_propagators(env, options);
    read_list(options, "OTEL_SEMCONV_STABILITY_OPT_IN", conventions);
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        if (env_get(options, ignored[i].name))
            env_ignore(options, ignored[i].name, (struct slice){0}, ignored[i].why);
}
