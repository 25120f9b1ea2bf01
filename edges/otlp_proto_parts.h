/*
 * otlp_proto_parts: the inside of the OTLP/protobuf encoder. For edges/otlp_proto*.c alone.
 *
 * Items of a signal wait as bytes, one list for each service, each item with its tag and length: field 2
 * of ScopeSpans, ScopeMetrics and ScopeLogs alike.
 */
#ifndef EDGES_OTLP_PROTO_PARTS_H
#define EDGES_OTLP_PROTO_PARTS_H

#include "core/text.h"
#include "edges/otlp_limit.h"
#include "edges/otlp_proto.h"

#include "edges/proto/otlp.pb-c.h"

/* Wire type 2: what follows has a length. */
#define PROTO_TAG(field) ((char)((field) << 3 | 2))
enum { PROTO_LENGTH_MAX = 5, PROTO_ATTRS_MAX = OTLP_LIST_MAX };

/* What is constant of a span's site. */
struct site_bytes {
    bool ready, http, database;
    enum attr_key url_key;
    struct attr_keys keys;
    struct text head; /* of a Span: name, kind, attributes */
    struct text url, url_end; /* before and after the parameter of the path */
};

/* A list of attributes as protobuf-c wants them. Values are not copied but where they must be repaired. */
struct proto_attrs {
    Otlp__KeyValue *list[PROTO_ATTRS_MAX];
    Otlp__KeyValue pairs[PROTO_ATTRS_MAX];
    Otlp__AnyValue values[PROTO_ATTRS_MAX];
    size_t count;
    struct text repaired[PROTO_ATTRS_MAX];
};

struct proto_batch {
    struct text *services; /* items, by index of the service */
    size_t service_count;
    unsigned items;
};

struct otlp_proto {
    struct otlp_encoding encoding;
    struct otlp_points points;
    struct proto_batch batches[OTLP_SIGNALS];
    struct text *resources; /* by index of the service, with tag; empty: not asked yet */
    size_t resource_count;
    struct text scope, schema; /* with their tags */
    struct site_bytes *sites; /* by id */
    size_t site_count;
    struct otlp_status statuses[STATUS_COUNT];
    struct proto_attrs attrs; /* of what is being packed */
    struct otlp_list limited;
    struct text url, data;
};

/* otlp_proto.c */
struct text *otlp_proto_items(struct otlp_proto *otlp, enum otlp_signal signal, uint16_t service);
void otlp_proto_added(struct otlp_proto *otlp, enum otlp_signal signal, unsigned items);
void proto_length(struct text *text, size_t len);
/* Tag, length and the packed message. */
void proto_message(struct text *text, unsigned field, const ProtobufCMessage *message);
/* As they are on the wire: big-endian. */
void proto_id(uint8_t bytes[8], uint64_t id);
ProtobufCBinaryData proto_bytes(const void *bytes, size_t len);

/* otlp_proto_attr.c */
void proto_attrs_init(struct proto_attrs *attrs);
void proto_attrs_fini(struct proto_attrs *attrs);
void proto_attrs_add(struct proto_attrs *attrs, const struct attr *attr);
void proto_attrs_text(struct proto_attrs *attrs, const char *key, const char *text, size_t len);
void proto_value_text(Otlp__AnyValue *value, struct text *repaired, const char *text, size_t len);
void proto_value_int(Otlp__AnyValue *value, int64_t number);

/* otlp_proto_span.c */
void site_bytes_fini(struct site_bytes *site);

#endif
