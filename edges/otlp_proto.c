#include "edges/otlp_proto.h"

#include <stdlib.h>

#include "edges/otlp_proto_parts.h"

/* The envelope has the same numbers in all three signals. */
enum {
    FIELD_REQUEST_RESOURCES = 1,
    FIELD_RESOURCE = 1,
    FIELD_RESOURCE_SCOPES = 2,
    FIELD_SCOPE = 1,
    FIELD_SCOPE_ITEMS = 2,
    FIELD_SCHEMA_URL = 3, /* of both */
};

static size_t put_length(char *at, size_t len)
{
    size_t used = 0;
    for (; len >= 0x80; len >>= 7)
        at[used++] = (char)(len | 0x80);
    at[used++] = (char)len;
    return used;
}

void proto_length(struct text *text, size_t len)
{
    ASSERT(len <= UINT32_MAX);
    text_reserve(text, PROTO_LENGTH_MAX);
    text->len += put_length(text->bytes + text->len, len);
}

void proto_message(struct text *text, unsigned field, const ProtobufCMessage *message)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    text_reserve(text, 1 + PROTO_LENGTH_MAX + len);
    text_char(text, PROTO_TAG(field));
    proto_length(text, len);
    text->len += protobuf_c_message_pack(message, (uint8_t *)text->bytes + text->len);
}

void proto_id(uint8_t bytes[8], uint64_t id)
{
    id = __builtin_bswap64(id);
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "swapping makes it big-endian");
    memcpy(bytes, &id, sizeof id);
}

ProtobufCBinaryData proto_bytes(const void *bytes, size_t len)
{
    return (ProtobufCBinaryData){.len = len, .data = (uint8_t *)bytes};
}

struct otlp_proto *otlp_proto_new(const struct otlp_encoding *encoding)
{
    struct otlp_proto *otlp = base_alloc(1, sizeof *otlp);
    otlp->encoding = *encoding;
    otlp->points.options = encoding->points;
    Otlp__Scope scope = OTLP__SCOPE__INIT;
    scope.name = (char *)OTLP_SCOPE_NAME;
    scope.version = (char *)encoding->source.version;
    proto_message(&otlp->scope, FIELD_SCOPE, &scope.base);
    text_char(&otlp->schema, PROTO_TAG(FIELD_SCHEMA_URL));
    proto_length(&otlp->schema, strlen(OTLP_SCHEMA_URL));
    text_lit(&otlp->schema, OTLP_SCHEMA_URL);
    proto_attrs_init(&otlp->attrs);
    for (int status = 0; status < STATUS_COUNT; status++)
        otlp_status_make(&otlp->statuses[status], (enum status)status);
    return otlp;
}

static void put_pair(struct text *text, const struct otlp_pair *pair)
{
    enum { FIELD_ATTRIBUTES = 1 };
    Otlp__KeyValue message = OTLP__KEY_VALUE__INIT;
    Otlp__AnyValue value = OTLP__ANY_VALUE__INIT;
    struct text repaired = {0};
    message.key = (char *)pair->key;
    message.value = &value;
    if (pair->value)
        proto_value_text(&value, &repaired, pair->value, strlen(pair->value));
    else
        proto_value_int(&value, pair->number);
    proto_message(text, FIELD_ATTRIBUTES, &message.base);
    text_fini(&repaired);
}

/* Not with otlp->attrs: those may be of the record that is the first of its service. */
static void put_resource(const struct otlp_proto *otlp, struct text *text, uint16_t service)
{
    struct otlp_resource made;
    struct text pairs = {0};
    otlp_resource_make(&made, &otlp->encoding.source, service);
    for (size_t i = 0; i < made.count; i++)
        put_pair(&pairs, &made.pairs[i]);
    text_char(text, PROTO_TAG(FIELD_RESOURCE));
    proto_length(text, pairs.len);
    text_bytes(text, pairs.bytes, pairs.len);
    text_fini(&pairs);
}

struct text *otlp_proto_items(struct otlp_proto *otlp, enum otlp_signal signal, uint16_t service)
{
    struct proto_batch *batch = &otlp->batches[signal];
    size_t count = (size_t)service + 1;
    if (count > batch->service_count) {
        batch->services = base_grow(batch->services, batch->service_count, count, sizeof *batch->services);
        batch->service_count = count;
    }
    if (count > otlp->resource_count) {
        otlp->resources = base_grow(otlp->resources, otlp->resource_count, count, sizeof *otlp->resources);
        otlp->resource_count = count;
    }
    if (!otlp->resources[service].len)
        put_resource(otlp, &otlp->resources[service], service);
    return &batch->services[service];
}

/* Two lengths and their tags come before what they measure: room for them, by service. */
struct envelope {
    char resources[1 + PROTO_LENGTH_MAX], scopes[1 + PROTO_LENGTH_MAX];
};

static void part(struct iovec **next, const void *bytes, size_t len)
{
    *(*next)++ = (struct iovec){.iov_base = (void *)bytes, .iov_len = len};
}

static void service_parts(const struct otlp_proto *otlp, const struct text *items,
                          const struct text *resource, struct envelope *envelope, struct iovec **next)
{
    size_t scopes = otlp->scope.len + items->len + otlp->schema.len;
    envelope->scopes[0] = PROTO_TAG(FIELD_RESOURCE_SCOPES);
    size_t scopes_open = 1 + put_length(envelope->scopes + 1, scopes);
    size_t resources = resource->len + scopes_open + scopes + otlp->schema.len;
    envelope->resources[0] = PROTO_TAG(FIELD_REQUEST_RESOURCES);
    part(next, envelope->resources, 1 + put_length(envelope->resources + 1, resources));
    part(next, resource->bytes, resource->len);
    part(next, envelope->scopes, scopes_open);
    part(next, otlp->scope.bytes, otlp->scope.len);
    part(next, items->bytes, items->len);
    part(next, otlp->schema.bytes, otlp->schema.len); /* of the scope */
    part(next, otlp->schema.bytes, otlp->schema.len); /* of the resource */
}

void otlp_proto_flush(struct otlp_proto *otlp, enum otlp_signal signal)
{
    enum { PARTS_PER_SERVICE = 7 };
    struct proto_batch *batch = &otlp->batches[signal];
    if (!batch->items)
        return;
    struct iovec *parts = base_alloc(batch->service_count * PARTS_PER_SERVICE, sizeof *parts);
    struct envelope *envelopes = base_alloc(batch->service_count, sizeof *envelopes);
    struct iovec *next = parts;
    for (size_t i = 0; i < batch->service_count; i++)
        if (batch->services[i].len)
            service_parts(otlp, &batch->services[i], &otlp->resources[i], &envelopes[i], &next);
    otlp->encoding.take(otlp->encoding.owner, signal, parts, (size_t)(next - parts), batch->items);
    free(parts);
    free(envelopes);
    for (size_t i = 0; i < batch->service_count; i++)
        batch->services[i].len = 0;
    batch->items = 0;
}

size_t otlp_proto_held(const struct otlp_proto *otlp, enum otlp_signal signal)
{
    size_t held = 0;
    for (size_t i = 0; i < otlp->batches[signal].service_count; i++)
        held += otlp->batches[signal].services[i].len;
    return held;
}

void otlp_proto_added(struct otlp_proto *otlp, enum otlp_signal signal, unsigned items)
{
    struct proto_batch *batch = &otlp->batches[signal];
    batch->items += items;
    unsigned max = otlp->encoding.items_max[signal];
    if (batch->items >= (max ? max : OTLP_BATCH_ITEMS))
        otlp_proto_flush(otlp, signal);
}

static Otlp__AnyValue text_value(const char *text)
{
    Otlp__AnyValue value = OTLP__ANY_VALUE__INIT;
    value.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
    value.string_value = proto_bytes(text, strlen(text));
    return value;
}

void otlp_proto_log(void *otlp_proto, const struct log_record *record)
{
    struct otlp_proto *otlp = otlp_proto;
    Otlp__LogRecord log = OTLP__LOG_RECORD__INIT;
    Otlp__AnyValue body = text_value(log_body_text(record->body));
    uint8_t trace[16], span[8];
    log.time_unix_nano = log.observed_time_unix_nano = otlp_unix_ns(&otlp->encoding.source, record->at_ns);
    log.severity_number = (int32_t)record->severity;
    log.severity_text = (char *)log_severity_text(record->severity);
    log.body = &body;
    otlp->attrs.count = 0;
    const struct otlp_list *list = &otlp->limited;
    otlp_limit_attrs(&otlp->limited, &otlp->encoding.limits[OTLP_LOGS], &record->attrs);
    for (size_t i = 0; i < list->count; i++)
        proto_attrs_add(&otlp->attrs, &list->list[i]);
    log.n_attributes = otlp->attrs.count;
    log.attributes = otlp->attrs.list;
    log.dropped_attributes_count = list->dropped;
    if (record->trace_hi | record->trace_lo) {
        proto_id(trace, record->trace_hi);
        proto_id(trace + 8, record->trace_lo);
        proto_id(span, record->span);
        log.trace_id = proto_bytes(trace, sizeof trace);
        log.span_id = proto_bytes(span, record->span ? sizeof span : 0);
        log.flags = record->flags;
    }
    proto_message(otlp_proto_items(otlp, OTLP_LOGS, record->service), FIELD_SCOPE_ITEMS, &log.base);
    otlp_proto_added(otlp, OTLP_LOGS, 1);
}

void otlp_proto_free(struct otlp_proto *otlp)
{
    for (int signal = 0; signal < OTLP_SIGNALS; signal++) {
        for (size_t i = 0; i < otlp->batches[signal].service_count; i++)
            text_fini(&otlp->batches[signal].services[i]);
        free(otlp->batches[signal].services);
    }
    for (size_t i = 0; i < otlp->resource_count; i++)
        text_fini(&otlp->resources[i]);
    for (size_t i = 0; i < otlp->site_count; i++)
        site_bytes_fini(&otlp->sites[i]);
    free(otlp->resources);
    free(otlp->sites);
    text_fini(&otlp->scope);
    text_fini(&otlp->schema);
    text_fini(&otlp->url);
    text_fini(&otlp->data);
    proto_attrs_fini(&otlp->attrs);
    otlp_list_fini(&otlp->limited);
    otlp_points_fini(&otlp->points);
    free(otlp);
}
