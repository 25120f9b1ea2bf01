/* What the exporter tells of itself. See edges/otlp_export.h. */
#include "edges/otlp_export_parts.h"

struct component {
    const char *type, *name; /* otel.component.* */
};
/* There is one of each kind in a process. */
#define COMPONENT(type)                                                                                      \
    {                                                                                                        \
        type, type "/0"                                                                                      \
    }

/* Data points have no processor: they go from the reader to the exporter. */
static const struct {
    struct component processor, exporter, json_exporter;
    enum metric_id created, queue, processed, in_flight, exported;
} names[] = {
    [OTLP_TRACES] = {COMPONENT("batching_span_processor"), COMPONENT("otlp_http_span_exporter"),
                     COMPONENT("otlp_http_json_span_exporter"), METRIC_SDK_SPAN_STARTED,
                     METRIC_SDK_SPAN_QUEUE, METRIC_SDK_SPAN_PROCESSED, METRIC_SDK_SPAN_INFLIGHT,
                     METRIC_SDK_SPAN_EXPORTED},
    [OTLP_METRICS] = {.exporter = COMPONENT("otlp_http_metric_exporter"),
                      .json_exporter = COMPONENT("otlp_http_json_metric_exporter"),
                      .in_flight = METRIC_SDK_POINT_INFLIGHT,
                      .exported = METRIC_SDK_POINT_EXPORTED},
    [OTLP_LOGS] = {COMPONENT("batching_log_processor"), COMPONENT("otlp_http_log_exporter"),
                   COMPONENT("otlp_http_json_log_exporter"), METRIC_SDK_LOG_CREATED, METRIC_SDK_LOG_QUEUE,
                   METRIC_SDK_LOG_PROCESSED, METRIC_SDK_LOG_INFLIGHT, METRIC_SDK_LOG_EXPORTED},
};

const char *self_code(long code)
{
    enum { FIRST = 100, LAST = 599 };
    static char texts[LAST - FIRST + 1][4];
    if (code == OTLP_CODE_OURS)
        return "too_large";
    if (code < FIRST || code > LAST)
        return "_OTHER";
    char *text = texts[code - FIRST];
    for (int digit = 2; digit >= 0; digit--, code /= 10)
        text[digit] = (char)('0' + code % 10);
    return text;
}

static const struct component *exporter_of(const struct sender *sender)
{
    return sender->env->json ? &names[sender->signal].json_exporter : &names[sender->signal].exporter;
}

struct labels {
    struct attr attrs[4];
    size_t count;
};

static void add(struct labels *labels, enum attr_key key, const char *text)
{
    labels->attrs[labels->count++] =
        (struct attr){.key = (uint16_t)key, .type = ATTR_TEXT, .len = (uint32_t)strlen(text), .text = text};
}

static struct labels labels_of(const struct component *component, const char *error)
{
    struct labels labels = {.count = 0};
    add(&labels, ATTR_OTEL_COMPONENT_TYPE, component->type);
    add(&labels, ATTR_OTEL_COMPONENT_NAME, component->name);
    if (error)
        add(&labels, ATTR_ERROR_TYPE, error);
    return labels;
}

static struct series *series_of(struct otlp_export *export, enum metric_id metric,
                                const struct labels *labels)
{
    const struct otlp_source *source = &export->options.source;
    uint16_t service = source->process_service ? source->process_service(source->owner) : 0;
    return metrics_series(&export->self, metric, service, labels->attrs, labels->count);
}

static void tell(const struct sender *sender, enum metric_id metric, const struct component *component,
                 const char *error, uint64_t value)
{
    struct labels labels = labels_of(component, error);
    series_of(sender->export, metric, &labels)->value = (double)value;
}

void self_ended(const struct sender *sender, long code, const char *error)
{
    struct labels labels = labels_of(exporter_of(sender), error);
    double took_s = ev_now(sender->export->loop) - sender->begun_at;
    if (code)
        labels.attrs[labels.count++] =
            (struct attr){.key = ATTR_HTTP_STATUS, .type = ATTR_INT, .integer = code};
    struct series *series = series_of(sender->export, METRIC_SDK_EXPORT_DURATION, &labels);
    series_record(series, (int64_t)(took_s * 1e9), 0, NULL);
}

static void tell_created(const struct sender *sender, const struct otlp_export_stats *stats)
{
    struct labels labels = {.count = 0}, dropped = {.count = 0};
    enum metric_id created = names[sender->signal].created;
    if (sender->signal == OTLP_TRACES) {
        add(&labels, ATTR_OTEL_SAMPLING_RESULT, "RECORD_AND_SAMPLE");
        add(&dropped, ATTR_OTEL_SAMPLING_RESULT, "DROP");
        series_of(sender->export, created, &dropped)->value = (double)stats->unsampled;
    }
    series_of(sender->export, created, &labels)->value = (double)stats->produced;
}

static void tell_processed(const struct sender *sender, const struct otlp_export_stats *stats)
{
    enum otlp_signal signal = sender->signal;
    const struct component *processor = &names[signal].processor;
    uint64_t full = stats->dropped[OTLP_DROP_QUEUE_FULL], ended = stats->dropped[OTLP_DROP_SHUTDOWN];
    uint64_t waiting = stats->queued - stats->in_flight;
    tell(sender, names[signal].queue, processor, NULL, waiting);
    tell(sender, names[signal].processed, processor, NULL, stats->produced - waiting - full - ended);
    tell(sender, names[signal].processed, processor, "queue_full", full);
    tell(sender, names[signal].processed, processor, "already_shutdown", ended);
    tell(sender, names[signal].in_flight, exporter_of(sender), NULL, stats->in_flight);
}

static void tell_exported(const struct sender *sender, const struct otlp_export_stats *stats)
{
    enum metric_id exported = names[sender->signal].exported;
    const struct component *exporter = exporter_of(sender);
    tell(sender, exported, exporter, NULL, stats->accepted);
    tell(sender, exported, exporter, "rejected", stats->dropped[OTLP_DROP_REJECTED]);
    tell(sender, exported, exporter, "timeout", stats->dropped[OTLP_DROP_TIMEOUT]);
    for (size_t i = 0; i < OTLP_CODES_MAX; i++)
        if (stats->codes[i].items)
            tell(sender, exported, exporter, self_code(stats->codes[i].code), stats->codes[i].items);
}

const struct metrics *otlp_export_self(struct otlp_export *export)
{
    for (int i = 0; i < OTLP_SIGNALS; i++) {
        const struct sender *sender = &export->senders[i];
        struct otlp_export_stats stats = otlp_export_stats(export, (enum otlp_signal)i);
        if (!sender->wanted)
            continue;
        tell_exported(sender, &stats);
        if (sender->signal != OTLP_METRICS) {
            tell_created(sender, &stats);
            tell_processed(sender, &stats);
            continue;
        }
        const struct component *exporter = exporter_of(sender);
        tell(sender, names[i].in_flight, exporter, NULL, stats.queued);
        tell(sender, names[i].exported, exporter, "queue_full", stats.dropped[OTLP_DROP_QUEUE_FULL]);
        tell(sender, names[i].exported, exporter, "already_shutdown", stats.dropped[OTLP_DROP_SHUTDOWN]);
    }
    return &export->self;
}
