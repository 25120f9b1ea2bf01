#include "core/draw.h"
#include "edges/otlp_json_parts.h"

void attr_keys_add(struct attr_keys *keys, unsigned key)
{
    keys->bits[key / 64] |= UINT64_C(1) << key % 64;
}

bool attr_keys_have(const struct attr_keys *keys, unsigned key)
{
    return keys->bits[key / 64] >> key % 64 & 1;
}

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
    const struct status_info *info = status_info(status);
    struct attrs attrs = {0};
    struct text code = {0};
    text_i64(&code, info->http);
    attrs_int(&attrs, ATTR_HTTP_STATUS, info->http);
    /* A client's 4xx is an error by its code, also where the shop calls it an outcome. */
    attrs_text(&attrs, ATTR_ERROR_TYPE, info->error_type ? info->error_type : text_c(&code));
    attrs_text(&attrs, ATTR_DB_STATUS, info->sqlstate);
    text->http_len = info->http ? keep(text->http, sizeof text->http, otlp, &attrs.list[0]) : 0;
    text->error_len = keep(text->error, sizeof text->error, otlp, &attrs.list[1]);
    text->sqlstate_len =
        info->sqlstate ? keep(text->sqlstate, sizeof text->sqlstate, otlp, &attrs.list[2]) : 0;
    text_fini(&code);
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

/* One attribute of a resource; values are names and versions. */
static void resource_attr(struct text *text, const char *key, const char *value)
{
    size_t len = strlen(value);
    text_lit(text, "{\"key\":\"");
    text_str(text, key);
    text_lit(text, "\",\"value\":{\"stringValue\":\"");
    text_reserve(text, JSON_TEXT_ROOM(len));
    text->len = (size_t)(json_text(text->bytes + text->len, value, len) - text->bytes);
    text_lit(text, "\"}},");
}

/* Has the form of a random UUID (RFC 9562, version 4) and follows from the seed and the name. */
static void instance_id(char id[37], uint64_t seed, const char *service)
{
    enum { PURPOSE_INSTANCE = 0x696e7374 }; /* "inst" */
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (const char *c = service; *c; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
    struct draw bits = draw(seed, hash, PURPOSE_INSTANCE, 0);
    bits.a = (bits.a & ~UINT64_C(0xf000)) | 0x4000;
    bits.b = (bits.b & ~(UINT64_C(3) << 62)) | UINT64_C(2) << 62;
    char hex[32];
    json_hex64(json_hex64(hex, bits.a), bits.b);
    for (size_t from = 0, to = 0; from < sizeof hex; from++) {
        if (from == 8 || from == 12 || from == 16 || from == 20)
            id[to++] = '-';
        id[to++] = hex[from];
    }
    id[36] = '\0';
}

void resource_put(struct otlp_json *otlp, struct text *text, uint16_t service)
{
    const char *name = otlp->options.service_name(otlp->options.owner, service);
    char id[37];
    instance_id(id, otlp->options.seed, name);
    const char *const pairs[][2] = {
        {"service.name", name},
        {"service.namespace", "ecommerce"},
        {"service.instance.id", id},
        {"service.version", otlp->options.version},
        {"deployment.environment.name", "demo"},
        {"telemetry.sdk.name", "doorbuster"},
        {"telemetry.sdk.language", "c"},
        {"telemetry.sdk.version", otlp->options.version},
        {"host.name", "virtual"},
        {"cx.application.name", "ecommerce"},
        {"cx.subsystem.name", name},
    };
    text_lit(text, "{\"resource\":{\"attributes\":[");
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        resource_attr(text, pairs[i][0], pairs[i][1]);
    text->len--; /* the last comma */
    text_lit(text, "]},");
}
