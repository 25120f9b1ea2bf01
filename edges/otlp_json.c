#include "edges/otlp_json.h"

#include <stdlib.h>

#include "edges/otlp_json_parts.h"

/* The envelope by signal: what opens a line, and what comes after a scope. */
static const struct {
    const char *open, *scopes, *items;
} envelopes[] = {
    [OTLP_TRACES] = {"{\"resourceSpans\":[", "\"scopeSpans\":[", "\"spans\":["},
    [OTLP_METRICS] = {"{\"resourceMetrics\":[", "\"scopeMetrics\":[", "\"metrics\":["},
    [OTLP_LOGS] = {"{\"resourceLogs\":[", "\"scopeLogs\":[", "\"logRecords\":["},
};

static const char resource_end[] =
    "],\"schemaUrl\":\"" OTLP_SCHEMA_URL "\"}],\"schemaUrl\":\"" OTLP_SCHEMA_URL "\"}";

struct otlp_json *otlp_json_new(const struct otlp_encoding *encoding)
{
    struct otlp_json *otlp = base_alloc(1, sizeof *otlp);
    otlp->encoding = *encoding;
    otlp->points.options = encoding->points;
    for (int signal = 0; signal < OTLP_SIGNALS; signal++)
        otlp->wanted[signal] = true;
    text_lit(&otlp->scope, "{\"scope\":{\"name\":\"" OTLP_SCOPE_NAME "\",\"version\":\"");
    text_json(&otlp->scope, encoding->source.version);
    text_lit(&otlp->scope, "\"},");
    otlp_json_attr_init(otlp);
    return otlp;
}

void text_json(struct text *text, const char *value)
{
    size_t len = strlen(value);
    text_reserve(text, JSON_TEXT_ROOM(len));
    text->len = (size_t)(json_text(text->bytes + text->len, value, len) - text->bytes);
}

uint64_t otlp_json_unix_ns(const struct otlp_json *otlp, int64_t at_ns)
{
    return otlp_unix_ns(&otlp->encoding.source, at_ns);
}

struct text *otlp_json_items(struct otlp_json *otlp, enum otlp_signal signal, uint16_t service)
{
    struct batch *batch = &otlp->batches[signal];
    if (service >= batch->service_count) {
        size_t count = (size_t)service + 1;
        batch->services = base_grow(batch->services, batch->service_count, count, sizeof *batch->services);
        batch->service_count = count;
    }
    if (service >= otlp->resource_count) {
        size_t count = (size_t)service + 1;
        otlp->resources = base_grow(otlp->resources, otlp->resource_count, count, sizeof *otlp->resources);
        otlp->resource_count = count;
    }
    if (!otlp->resources[service].len)
        resource_put(otlp, &otlp->resources[service], service);
    return &batch->services[service];
}

static void part(struct iovec **next, const char *bytes, size_t len)
{
    *(*next)++ = (struct iovec){.iov_base = (void *)bytes, .iov_len = len};
}

static void part_text(struct iovec **next, const char *text)
{
    part(next, text, strlen(text));
}

/* The parts of a line: the envelope around the items of each service that has some. */
static size_t line_parts(const struct otlp_json *otlp, enum otlp_signal signal, struct iovec *parts)
{
    const struct batch *batch = &otlp->batches[signal];
    struct iovec *next = parts;
    for (size_t i = 0; i < batch->service_count; i++) {
        const struct text *items = &batch->services[i];
        if (!items->len)
            continue;
        part_text(&next, next == parts ? envelopes[signal].open : ",");
        part(&next, otlp->resources[i].bytes, otlp->resources[i].len);
        part_text(&next, envelopes[signal].scopes);
        part(&next, otlp->scope.bytes, otlp->scope.len);
        part_text(&next, envelopes[signal].items);
        part(&next, items->bytes + 1, items->len - 1); /* not its first comma */
        part(&next, resource_end, sizeof resource_end - 1);
    }
    part_text(&next, "]}\n");
    return (size_t)(next - parts);
}

void otlp_json_flush(struct otlp_json *otlp, enum otlp_signal signal)
{
    enum { PARTS_PER_SERVICE = 7 };
    struct batch *batch = &otlp->batches[signal];
    if (!batch->items)
        return;
    struct iovec *parts = base_alloc(batch->service_count * PARTS_PER_SERVICE + 1, sizeof *parts);
    size_t count = line_parts(otlp, signal, parts);
    otlp->encoding.take(otlp->encoding.owner, signal, parts, count, batch->items);
    free(parts);
    for (size_t i = 0; i < batch->service_count; i++)
        batch->services[i].len = 0;
    batch->items = 0;
}

size_t otlp_json_held(const struct otlp_json *otlp, enum otlp_signal signal)
{
    size_t held = 0;
    for (size_t i = 0; i < otlp->batches[signal].service_count; i++)
        held += otlp->batches[signal].services[i].len;
    return held;
}

void otlp_json_added(struct otlp_json *otlp, enum otlp_signal signal, unsigned items)
{
    struct batch *batch = &otlp->batches[signal];
    batch->items += items;
    unsigned max = otlp->encoding.items_max[signal];
    if (batch->items >= (max ? max : OTLP_BATCH_ITEMS))
        otlp_json_flush(otlp, signal);
}

static void put_id(struct text *text, uint64_t id)
{
    text_reserve(text, 16);
    json_hex64(text->bytes + text->len, id);
    text->len += 16;
}

static void put_context(struct text *text, const struct log_record *record)
{
    text_lit(text, ",\"traceId\":\"");
    put_id(text, record->trace_hi);
    put_id(text, record->trace_lo);
    text_lit(text, "\"");
    if (record->span) {
        text_lit(text, ",\"spanId\":\"");
        put_id(text, record->span);
        text_lit(text, "\"");
    }
    text_lit(text, ",\"flags\":");
    text_u64(text, record->flags);
}

void otlp_json_log(void *otlp_json, const struct log_record *record)
{
    struct otlp_json *otlp = otlp_json;
    if (!otlp->wanted[OTLP_LOGS])
        return;
    struct text *text = otlp_json_items(otlp, OTLP_LOGS, record->service);
    uint64_t at_ns = otlp_json_unix_ns(otlp, record->at_ns);
    struct otlp_list *list = &otlp->limited;
    text_lit(text, ",{\"timeUnixNano\":\"");
    text_u64(text, at_ns);
    text_lit(text, "\",\"observedTimeUnixNano\":\"");
    text_u64(text, at_ns);
    text_lit(text, "\",\"severityNumber\":");
    text_u64(text, record->severity);
    text_lit(text, ",\"severityText\":\"");
    text_str(text, log_severity_text(record->severity));
    text_lit(text, "\",\"body\":{\"stringValue\":\"");
    text_str(text, log_body_text(record->body));
    text_lit(text, "\"},\"attributes\":");
    otlp_limit_attrs(list, &otlp->encoding.limits[OTLP_LOGS], &record->attrs);
    attrs_put(otlp, text, list->list, list->count);
    if (list->dropped) {
        text_lit(text, ",\"droppedAttributesCount\":");
        text_u64(text, list->dropped);
    }
    if (record->trace_hi | record->trace_lo)
        put_context(text, record);
    text_char(text, '}');
    otlp_json_added(otlp, OTLP_LOGS, 1);
}

static void batch_fini(struct batch *batch)
{
    for (size_t i = 0; i < batch->service_count; i++)
        text_fini(&batch->services[i]);
    free(batch->services);
}

static void site_fini(struct site_text *site)
{
    text_fini(&site->head);
    text_fini(&site->url);
    text_fini(&site->url_end);
}

void otlp_json_free(struct otlp_json *otlp)
{
    for (int signal = 0; signal < OTLP_SIGNALS; signal++)
        batch_fini(&otlp->batches[signal]);
    for (size_t i = 0; i < otlp->resource_count; i++)
        text_fini(&otlp->resources[i]);
    for (size_t i = 0; i < otlp->site_count; i++)
        site_fini(&otlp->sites[i]);
    free(otlp->resources);
    free(otlp->sites);
    text_fini(&otlp->scope);
    otlp_list_fini(&otlp->limited);
    otlp_points_fini(&otlp->points);
    free(otlp);
}
