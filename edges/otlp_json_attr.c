#include "edges/otlp_json_parts.h"

static void open_init(struct attr_open *open, const char *name, const char *value)
{
    struct text text = {0};
    text_lit(&text, ",{\"key\":\"");
    text_str(&text, name);
    text_str(&text, value);
    ASSERT(text.len <= sizeof open->bytes);
    memcpy(open->bytes, text.bytes, text.len);
    open->len = text.len;
    text_fini(&text);
}

static size_t keep(char *bytes, size_t size, const struct otlp_json *otlp, const struct attr *attr)
{
    char room[512];
    ASSERT(attr_room(attr) <= sizeof room);
    size_t len = (size_t)(attr_put(otlp, room, attr) - room);
    ASSERT(len <= size);
    memcpy(bytes, room, len);
    return len;
}

static void status_init(const struct otlp_json *otlp, struct status_text *text, enum status status)
{
    struct otlp_status made;
    otlp_status_make(&made, status);
    text->http_len = made.has_http ? keep(text->http, sizeof text->http, otlp, &made.http) : 0;
    text->error_len = keep(text->error, sizeof text->error, otlp, &made.error);
    text->sqlstate_len =
        made.has_sqlstate ? keep(text->sqlstate, sizeof text->sqlstate, otlp, &made.sqlstate) : 0;
}

void otlp_json_attr_init(struct otlp_json *otlp)
{
    static const char *const values[] = {
        [ATTR_TEXT] = "\",\"value\":{\"stringValue\":\"",
        [ATTR_INT] = "\",\"value\":{\"intValue\":\"",
        [ATTR_REAL] = "\",\"value\":{\"doubleValue\":",
        [ATTR_BOOL] = "\",\"value\":{\"boolValue\":",
    };
    for (int key = 0; key < ATTR_COUNT; key++)
        for (size_t type = 0; type < ARRAY_LEN(values); type++)
            open_init(&otlp->opens[key][type], attr_name((enum attr_key)key), values[type]);
    for (int status = 0; status < STATUS_COUNT; status++)
        status_init(otlp, &otlp->statuses[status], (enum status)status);
}

size_t attr_room(const struct attr *attr)
{
    return ATTR_ROOM + (attr->type == ATTR_TEXT ? JSON_TEXT_ROOM(attr->len) : 0);
}

char *attr_put(const struct otlp_json *otlp, char *at, const struct attr *attr)
{
    const struct attr_open *open = &otlp->opens[attr->key][attr->type];
    memcpy(at, open->bytes, sizeof open->bytes);
    at += open->len;
    switch ((enum attr_type)attr->type) {
    case ATTR_TEXT:
        at = json_text(at, attr->text, attr->len);
        return JSON_PUT(at, "\"}}");
    case ATTR_INT:
        at = json_i64(at, attr->integer);
        return JSON_PUT(at, "\"}}");
    case ATTR_REAL:
        at = json_double(at, attr->real);
        return JSON_PUT(at, "}}");
    case ATTR_BOOL:
        break;
    }
    return attr->truth ? JSON_PUT(at, "true}}") : JSON_PUT(at, "false}}");
}

void attrs_put(const struct otlp_json *otlp, struct text *text, const struct attr *attrs, size_t count)
{
    text_char(text, '[');
    for (size_t i = 0; i < count; i++) {
        text_reserve(text, attr_room(&attrs[i]));
        char *start = text->bytes + text->len;
        char *end = attr_put(otlp, start, &attrs[i]);
        size_t len = (size_t)(end - start);
        if (i == 0)
            memmove(start, start + 1, --len); /* its comma */
        text->len += len;
    }
    text_char(text, ']');
}

/* One attribute of a resource, with a comma after it. */
static void resource_attr(struct text *text, const struct otlp_pair *pair)
{
    text_lit(text, "{\"key\":\"");
    text_json(text, pair->key);
    text_lit(text, "\",\"value\":{\"");
    if (pair->value) {
        text_lit(text, "stringValue\":\"");
        text_json(text, pair->value);
    } else {
        text_lit(text, "intValue\":\"");
        text_i64(text, pair->number);
    }
    text_lit(text, "\"}},");
}

void resource_put(struct otlp_json *otlp, struct text *text, uint16_t service)
{
    struct otlp_resource resource;
    otlp_resource_make(&resource, &otlp->encoding.source, service);
    text_lit(text, "{\"resource\":{\"attributes\":[");
    for (size_t i = 0; i < resource.count; i++)
        resource_attr(text, &resource.pairs[i]);
    text->len--; /* the last comma */
    text_lit(text, "]},");
}
