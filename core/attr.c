#include "core/attr.h"

const char *attr_name(enum attr_key key)
{
    static const char *const names[] = {
#define ATTR_NAME(id, name) name,
        ATTR_LIST(ATTR_NAME)
#undef ATTR_NAME
    };
    ASSERT((unsigned)key < ATTR_COUNT);
    return names[key];
}

/* A key stands once in a list (OTLP, KeyValue): setting it again replaces the value. */
struct attr *attrs_slot(struct attrs *attrs, enum attr_key key)
{
    for (size_t i = 0; i < attrs->count; i++)
        if (attrs->list[i].key == key)
            return &attrs->list[i];
    if (attrs->count == ATTRS_MAX) {
        attrs->dropped = (uint16_t)MIN(attrs->dropped + 1, UINT16_MAX);
        return NULL;
    }
    struct attr *attr = &attrs->list[attrs->count++];
    attr->key = (uint16_t)key;
    return attr;
}

void attrs_text(struct attrs *attrs, enum attr_key key, const char *text)
{
    if (text)
        attrs_text_len(attrs, key, text, strlen(text));
}

void attrs_text_len(struct attrs *attrs, enum attr_key key, const char *text, size_t len)
{
    struct attr *attr = attrs_slot(attrs, key);
    if (!attr)
        return;
    attr->type = ATTR_TEXT;
    attr->len = (uint32_t)MIN(len, UINT32_MAX);
    attr->text = text;
}

void attrs_int(struct attrs *attrs, enum attr_key key, int64_t value)
{
    struct attr *attr = attrs_slot(attrs, key);
    if (!attr)
        return;
    attr->type = ATTR_INT;
    attr->integer = value;
}

void attrs_real(struct attrs *attrs, enum attr_key key, double value)
{
    struct attr *attr = attrs_slot(attrs, key);
    if (!attr)
        return;
    attr->type = ATTR_REAL;
    attr->real = value;
}

void attrs_bool(struct attrs *attrs, enum attr_key key, bool value)
{
    struct attr *attr = attrs_slot(attrs, key);
    if (!attr)
        return;
    attr->type = ATTR_BOOL;
    attr->truth = value;
}
