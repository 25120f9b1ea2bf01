/* What the exporter tells of itself. See edges/otlp_export.h. */
#include <stdio.h>

#include "edges/otlp_export_parts.h"

struct list {
    struct otlp_self *self;
    size_t count;
};

static const struct {
    const char *processor, *exporter; /* otel.component.type */
    const char *queue_size, *processed, *in_flight, *exported, *unit;
} names[] = {
    [OTLP_TRACES] = {"batching_span_processor", "otlp_http_span_exporter",
                     "otel.sdk.processor.span.queue.size", "otel.sdk.processor.span.processed",
                     "otel.sdk.exporter.span.inflight", "otel.sdk.exporter.span.exported", "{span}"},
    [OTLP_METRICS] = {"periodic_metric_reader", "otlp_http_metric_exporter", NULL, NULL,
                      "otel.sdk.exporter.metric_data_point.inflight",
                      "otel.sdk.exporter.metric_data_point.exported", "{data_point}"},
    [OTLP_LOGS] = {"batching_log_processor", "otlp_http_log_exporter", "otel.sdk.processor.log.queue.size",
                   "otel.sdk.processor.log.processed", "otel.sdk.exporter.log.inflight",
                   "otel.sdk.exporter.log.exported", "{log_record}"},
};

static void tell(struct list *list, const char *name, enum otlp_signal signal, bool exporter,
                 const char *error_type, double value)
{
    ASSERT(list->count < OTLP_SELF_MAX);
    struct otlp_self *self = &list->self[list->count++];
    *self = (struct otlp_self){.name = name,
                               .unit = names[signal].unit,
                               .component = exporter ? names[signal].exporter : names[signal].processor,
                               .value = value};
    self->monotonic = strstr(name, "processed") || strstr(name, "exported");
    snprintf(self->error_type, sizeof self->error_type, "%s", error_type);
}

static void tell_exported(struct list *list, enum otlp_signal signal, const struct otlp_export_stats *stats)
{
    const char *name = names[signal].exported;
    tell(list, name, signal, true, "", (double)stats->accepted);
    tell(list, name, signal, true, "rejected", (double)stats->dropped[OTLP_DROP_REJECTED]);
    tell(list, name, signal, true, "timeout", (double)stats->dropped[OTLP_DROP_TIMEOUT]);
    for (size_t i = 0; i < OTLP_CODES_MAX; i++) {
        char code[24] = "_OTHER";
        if (stats->codes[i].code)
            snprintf(code, sizeof code, "%ld", stats->codes[i].code);
        if (stats->codes[i].items)
            tell(list, name, signal, true, code, (double)stats->codes[i].items);
    }
}

size_t otlp_export_self(const struct otlp_export *export, struct otlp_self self[OTLP_SELF_MAX])
{
    struct list list = {.self = self};
    for (int i = 0; i < OTLP_SIGNALS; i++) {
        enum otlp_signal signal = (enum otlp_signal)i;
        struct otlp_export_stats stats = otlp_export_stats(export, signal);
        if (!export->senders[i].wanted)
            continue;
        if (names[i].processed) {
            uint64_t full = stats.dropped[OTLP_DROP_QUEUE_FULL];
            uint64_t ended = stats.dropped[OTLP_DROP_SHUTDOWN];
            tell(&list, names[i].queue_size, signal, false, "", (double)stats.queued);
            tell(&list, names[i].processed, signal, false, "",
                 (double)(stats.produced - stats.queued - full - ended));
            tell(&list, names[i].processed, signal, false, "queue_full", (double)full);
            tell(&list, names[i].processed, signal, false, "already_shutdown", (double)ended);
        }
        tell(&list, names[i].in_flight, signal, true, "", (double)stats.in_flight);
        tell_exported(&list, signal, &stats);
    }
    return list.count;
}
