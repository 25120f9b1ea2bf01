#include "edges/otlp_proto_parts.h"

#include "edges/utf8.h"

void proto_attrs_init(struct proto_attrs *attrs)
{
    for (size_t i = 0; i < PROTO_ATTRS_MAX; i++) {
        otlp__key_value__init(&attrs->pairs[i]);
        otlp__any_value__init(&attrs->values[i]);
        attrs->pairs[i].value = &attrs->values[i];
        attrs->list[i] = &attrs->pairs[i];
    }
}

void proto_attrs_fini(struct proto_attrs *attrs)
{
    for (size_t i = 0; i < PROTO_ATTRS_MAX; i++)
        text_fini(&attrs->repaired[i]);
}

static Otlp__AnyValue *next(struct proto_attrs *attrs, const char *key)
{
    ASSERT(attrs->count < PROTO_ATTRS_MAX);
    attrs->pairs[attrs->count].key = (char *)key; /* only read, but protobuf-c's field is not const */
    return &attrs->values[attrs->count++];
}

void proto_value_text(Otlp__AnyValue *value, struct text *repaired, const char *text, size_t len)
{
    if (!utf8_valid(text, len)) {
        repaired->len = 0;
        utf8_repair(repaired, text, len);
        text = repaired->bytes;
        len = repaired->len;
    }
    value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
    value->string_value = proto_bytes(text, len);
}

void proto_value_int(Otlp__AnyValue *value, int64_t number)
{
    value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
    value->int_value = number;
}

void proto_attrs_text(struct proto_attrs *attrs, const char *key, const char *text, size_t len)
{
    Otlp__AnyValue *value = next(attrs, key);
    proto_value_text(value, &attrs->repaired[attrs->count - 1], text, len);
}

void proto_attrs_add(struct proto_attrs *attrs, const struct attr *attr)
{
    const char *key = attr_name(attr->key);
    Otlp__AnyValue *value;
    switch ((enum attr_type)attr->type) {
    case ATTR_TEXT:
        proto_attrs_text(attrs, key, attr->text, attr->len);
        return;
    case ATTR_INT:
        proto_value_int(next(attrs, key), attr->integer);
        return;
    case ATTR_REAL:
        value = next(attrs, key);
        value->value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
        value->double_value = attr->real;
        return;
    case ATTR_BOOL:
        value = next(attrs, key);
        value->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
        value->bool_value = attr->truth;
    }
}
