#include "edges/otlp_source.h"

#include "core/draw.h"
#include "edges/json_out.h"

#include <stdio.h>

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

static bool has_key(const struct otlp_resource *resource, const char *key)
{
    for (size_t i = 0; i < resource->count; i++)
        if (!strcmp(resource->pairs[i].key, key))
            return true;
    return false;
}

static void add_pairs(struct otlp_resource *resource, const struct otlp_pair *pairs, size_t count)
{
    for (size_t i = 0; i < count && resource->count < ARRAY_LEN(resource->pairs); i++)
        if (!has_key(resource, pairs[i].key))
            resource->pairs[resource->count++] = pairs[i];
}

void otlp_resource_make(struct otlp_resource *resource, const struct otlp_source *source, uint16_t service)
{
    static const struct otlp_pair virtual = {"host.name", "virtual", 0};
    const char *name = source->service_name(source->owner, service);
    instance_id(resource->instance, source->seed, name);
    resource->count = 0;
    const struct otlp_pair first[] = {
        {"service.name", name, 0},
        {"service.namespace", "ecommerce", 0},
        {"service.instance.id", resource->instance, 0},
        {"service.version", source->version, 0},
        {"deployment.environment.name", "demo", 0},
        {"telemetry.sdk.name", "doorbuster", 0},
        {"telemetry.sdk.language", "c", 0},
        {"telemetry.sdk.version", source->version, 0},
    };
    const struct otlp_pair last[] = {
        {"cx.application.name", "ecommerce", 0},
        {"cx.subsystem.name", name, 0},
    };
    _Static_assert(ARRAY_LEN(first) + ARRAY_LEN(last) == OTLP_OWN_PAIRS, "all of them fit");
    add_pairs(resource, first, ARRAY_LEN(first));
    if (source->machine)
        add_pairs(resource, source->machine->pairs, source->machine->count);
    else
        add_pairs(resource, &virtual, 1);
    add_pairs(resource, last, ARRAY_LEN(last));
    add_pairs(resource, source->more, source->more_count);
}

uint64_t otlp_unix_ns(const struct otlp_source *source, int64_t at_ns)
{
    return (uint64_t)MAX(source->start_unix_ns + at_ns, 0);
}

bool otlp_is_error(bool http, enum span_kind kind, enum status status)
{
    const struct status_info *info = status_info(status);
    return info->failed || (http && kind == SPAN_CLIENT && info->http >= 400);
}

void otlp_status_make(struct otlp_status *made, enum status status)
{
    const struct status_info *info = status_info(status);
    struct attrs attrs = {0};
    *made = (struct otlp_status){.has_http = info->http, .has_sqlstate = info->sqlstate};
    snprintf(made->code, sizeof made->code, "%d", info->http);
    attrs_int(&attrs, ATTR_HTTP_STATUS, info->http);
    /* A client's 4xx is an error by its code, also where the shop calls it an outcome. */
    attrs_text(&attrs, ATTR_ERROR_TYPE, info->error_type ? info->error_type : made->code);
    attrs_text(&attrs, ATTR_DB_STATUS, info->sqlstate);
    made->http = attrs.list[0];
    made->error = attrs.list[1];
    made->sqlstate = attrs.list[2];
}

uint32_t otlp_span_flags(const struct span *span)
{
    /* What a service answers came from another one. */
    bool remote = span->site->kind == SPAN_SERVER && span->parent;
    return OTLP_HAS_IS_REMOTE | (remote ? OTLP_IS_REMOTE : 0U) | span->flags;
}

enum attr_key otlp_url_key(const struct span_site *site)
{
    return site->kind == SPAN_CLIENT ? ATTR_URL_FULL : ATTR_URL_PATH;
}

void otlp_url_parts(const struct span_site *site, struct text *before, struct text *after)
{
    const char *open = strchr(site->path_template, '{');
    const char *close = open ? strchr(open, '}') : NULL;
    ASSERT(close);
    if (site->kind == SPAN_CLIENT) {
        text_lit(before, "http://");
        text_str(before, site->peer);
        text_char(before, ':');
        text_u64(before, site->peer_port);
    }
    text_bytes(before, site->path_template, (size_t)(open - site->path_template));
    if (close[1])
        text_str(after, close + 1);
    for (size_t i = 0; site->kind == SPAN_CLIENT && i < site->attrs.count; i++) {
        const struct attr *attr = &site->attrs.list[i];
        if (attr->key == ATTR_URL_QUERY && attr->type == ATTR_TEXT) {
            text_char(after, '?');
            text_bytes(after, attr->text, attr->len);
        }
    }
}
