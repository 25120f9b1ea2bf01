#include "edges/otlp_json.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "edges/otlp_json_parts.h"

#define SCHEMA_URL "https://opentelemetry.io/schemas/1.44.0"

/* The envelope by signal: what opens a line, and what comes after a scope. */
static const struct {
    const char *open, *scopes, *items;
} envelopes[] = {
    [OTLP_TRACES] = {"{\"resourceSpans\":[", "\"scopeSpans\":[", "\"spans\":["},
    [OTLP_METRICS] = {"{\"resourceMetrics\":[", "\"scopeMetrics\":[", "\"metrics\":["},
    [OTLP_LOGS] = {"{\"resourceLogs\":[", "\"scopeLogs\":[", "\"logRecords\":["},
};

static const char resource_end[] = "],\"schemaUrl\":\"" SCHEMA_URL "\"}],\"schemaUrl\":\"" SCHEMA_URL "\"}";

struct otlp_json *otlp_json_open(const struct otlp_json_options *options)
{
    struct otlp_json *otlp = base_alloc(1, sizeof *otlp);
    otlp->options = *options;
    text_lit(&otlp->scope, "{\"scope\":{\"name\":\"doorbuster\",\"version\":\"");
    size_t len = strlen(options->version);
    text_reserve(&otlp->scope, JSON_TEXT_ROOM(len));
    char *end = json_text(otlp->scope.bytes + otlp->scope.len, options->version, len);
    otlp->scope.len = (size_t)(end - otlp->scope.bytes);
    text_lit(&otlp->scope, "\"},");
    otlp_json_attr_init(otlp);
    return otlp;
}

uint64_t otlp_json_unix_ns(const struct otlp_json *otlp, int64_t at_ns)
{
    return (uint64_t)MAX(otlp->options.start_unix_ns + at_ns, 0);
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

/* All of it, or errno. A descriptor that does not block is waited for. */
static int write_all(int fd, struct iovec *parts, size_t count)
{
    enum { PARTS_MAX = 1024 }; /* IOV_MAX of Linux */
    while (count) {
        ssize_t wrote = writev(fd, parts, (int)MIN(count, PARTS_MAX));
        if (wrote < 0 && errno == EAGAIN) {
            struct pollfd ready = {.fd = fd, .events = POLLOUT};
            poll(&ready, 1, -1);
        } else if (wrote < 0 && errno != EINTR) {
            return errno;
        }
        size_t left = wrote > 0 ? (size_t)wrote : 0;
        for (; count && left >= parts->iov_len; parts++, count--)
            left -= parts->iov_len;
        if (count) {
            parts->iov_base = (char *)parts->iov_base + left;
            parts->iov_len -= left;
        }
    }
    return 0;
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
    if (!batch->tally.error) {
        struct iovec *parts = base_alloc(batch->service_count * PARTS_PER_SERVICE + 1, sizeof *parts);
        size_t count = line_parts(otlp, signal, parts), bytes = 0;
        for (size_t i = 0; i < count; i++)
            bytes += parts[i].iov_len;
        batch->tally.error = write_all(otlp->options.fds[signal], parts, count);
        if (!batch->tally.error) {
            batch->tally.items += batch->items;
            batch->tally.bytes += bytes;
            batch->tally.lines++;
        }
        free(parts);
    }
    /* A line that was cut ends the file: another behind it would not be read. */
    if (batch->tally.error)
        batch->tally.lost += batch->items;
    for (size_t i = 0; i < batch->service_count; i++)
        batch->services[i].len = 0;
    batch->items = 0;
}

void otlp_json_added(struct otlp_json *otlp, enum otlp_signal signal, unsigned items)
{
    struct batch *batch = &otlp->batches[signal];
    batch->items += items;
    if (batch->items >= OTLP_LINE_ITEMS)
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
    text_lit(text, ",\"flags\":3"); /* sampled, random id: as roots of ours are */
}

void otlp_json_log(void *otlp_json, const struct log_record *record)
{
    struct otlp_json *otlp = otlp_json;
    if (otlp->options.fds[OTLP_LOGS] < 0)
        return;
    struct text *text = otlp_json_items(otlp, OTLP_LOGS, record->service);
    uint64_t at_ns = otlp_json_unix_ns(otlp, record->at_ns);
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
    attrs_put(otlp, text, record->attrs.list, record->attrs.count);
    if (record->attrs.dropped) {
        text_lit(text, ",\"droppedAttributesCount\":");
        text_u64(text, record->attrs.dropped);
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

bool otlp_json_close(struct otlp_json *otlp, struct otlp_json_tally tally[OTLP_SIGNALS])
{
    bool whole = true;
    for (int signal = 0; signal < OTLP_SIGNALS; signal++) {
        otlp_json_flush(otlp, (enum otlp_signal)signal);
        whole = whole && !otlp->batches[signal].tally.lost;
        if (tally)
            tally[signal] = otlp->batches[signal].tally;
        batch_fini(&otlp->batches[signal]);
    }
    for (size_t i = 0; i < otlp->resource_count; i++)
        text_fini(&otlp->resources[i]);
    for (size_t i = 0; i < otlp->site_count; i++)
        site_fini(&otlp->sites[i]);
    free(otlp->resources);
    free(otlp->sites);
    text_fini(&otlp->scope);
    free(otlp);
    return whole;
}
