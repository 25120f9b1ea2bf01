/* Spans: the part of a site is encoded once, the rest at a cursor. See edges/otlp_json.h. */
#include "edges/otlp_json_parts.h"

/* Ids, times, flags, a link, traffic type and what the status adds. */
enum { SPAN_ROOM = 1024 };

static void put_text(struct text *text, const char *bytes, size_t len)
{
    text_reserve(text, JSON_TEXT_ROOM(len));
    text->len = (size_t)(json_text(text->bytes + text->len, bytes, len) - text->bytes);
}

/* Name, kind and the site's attributes but those of `without`. */
static void put_head(const struct otlp_json *otlp, struct text *text, const struct span_site *site,
                     const struct attr_keys *without)
{
    text_lit(text, "\"name\":\"");
    put_text(text, site->name, strlen(site->name));
    text_lit(text, "\",\"kind\":");
    text_u64(text, site->kind);
    text_lit(text, ",\"attributes\":[");
    for (size_t i = 0; i < site->attrs.count; i++) {
        const struct attr *attr = &site->attrs.list[i];
        if (attr->key == ATTR_TRAFFIC_TYPE || attr_keys_have(without, attr->key))
            continue; /* traffic.type is the span's to say */
        text_reserve(text, attr_room(attr));
        char *start = text->bytes + text->len;
        size_t len = (size_t)(attr_put(otlp, start, attr) - start);
        memmove(start, start + 1, len - 1); /* the comma goes behind it */
        text->len += len - 1;
        text_char(text, ',');
    }
}

/* The attribute that holds the path, cut where the parameter goes. */
static void put_url(struct site_text *text, const struct span_site *site)
{
    const char *open = strchr(site->path_template, '{');
    const char *close = open ? strchr(open, '}') : NULL;
    ASSERT(close);
    if (site->kind == SPAN_CLIENT) {
        text_lit(&text->url, ",{\"key\":\"url.full\",\"value\":{\"stringValue\":\"http://");
        put_text(&text->url, site->peer, strlen(site->peer));
        text_char(&text->url, ':');
        text_u64(&text->url, site->peer_port);
    } else {
        text_lit(&text->url, ",{\"key\":\"url.path\",\"value\":{\"stringValue\":\"");
    }
    put_text(&text->url, site->path_template, (size_t)(open - site->path_template));
    put_text(&text->url_end, close + 1, strlen(close + 1));
    for (size_t i = 0; site->kind == SPAN_CLIENT && i < site->attrs.count; i++) {
        const struct attr *attr = &site->attrs.list[i];
        if (attr->key == ATTR_URL_QUERY && attr->type == ATTR_TEXT) {
            text_char(&text->url_end, '?');
            put_text(&text->url_end, attr->text, attr->len);
        }
    }
    text_lit(&text->url_end, "\"}}");
    text->url_key = site->kind == SPAN_CLIENT ? ATTR_URL_FULL : ATTR_URL_PATH;
}

static const struct site_text *site_text(struct otlp_json *otlp, const struct span_site *site)
{
    if (site->id >= otlp->site_count) {
        size_t count = MAX((size_t)site->id + 1, otlp->site_count * 2);
        otlp->sites = base_grow(otlp->sites, otlp->site_count, count, sizeof *otlp->sites);
        otlp->site_count = count;
    }
    struct site_text *text = &otlp->sites[site->id];
    if (text->ready)
        return text;
    put_head(otlp, &text->head, site, &(struct attr_keys){{0}});
    for (size_t i = 0; i < site->attrs.count; i++)
        attr_keys_add(&text->keys, site->attrs.list[i].key);
    text->http = attr_keys_have(&text->keys, ATTR_HTTP_METHOD);
    text->database = attr_keys_have(&text->keys, ATTR_DB_SYSTEM_NAME);
    text->kind = site->kind;
    if (site->path_template)
        put_url(text, site);
    text->ready = true;
    return text;
}

static char *put_trace(char *at, const struct span *span, uint64_t id)
{
    at = json_hex64(at, span->trace_hi);
    at = json_hex64(at, span->trace_lo);
    at = JSON_PUT(at, "\",\"spanId\":\"");
    return json_hex64(at, id);
}

/* W3C tracestate, behind a string that is still open. */
static char *put_state(char *at, const struct body *state)
{
    if (!state)
        return at;
    at = JSON_PUT(at, "\",\"traceState\":\"");
    return json_text(at, (const char *)state->bytes, state->len);
}

static char *put_flags(char *at, const struct span *span)
{
    at = JSON_PUT(at, ",\"flags\":");
    return json_u64(at, otlp_span_flags(span));
}

/* Everything before the name: what differs in each span and is no attribute. */
static char *put_identity(const struct otlp_json *otlp, char *at, const struct span *span, bool error,
                          unsigned dropped)
{
    at = JSON_PUT(at, ",{\"traceId\":\"");
    at = put_trace(at, span, span->id);
    at = put_state(at, span->state);
    if (span->parent) {
        at = JSON_PUT(at, "\",\"parentSpanId\":\"");
        at = json_hex64(at, span->parent);
    }
    at = JSON_PUT(at, "\",\"startTimeUnixNano\":\"");
    at = json_u64(at, otlp_json_unix_ns(otlp, span->start_ns));
    at = JSON_PUT(at, "\",\"endTimeUnixNano\":\"");
    at = json_u64(at, otlp_json_unix_ns(otlp, span->end_ns));
    at = JSON_PUT(at, "\"");
    at = put_flags(at, span);
    at = error ? JSON_PUT(at, ",\"status\":{\"code\":2},") : JSON_PUT(at, ",");
    if (span->late && span->parent && otlp->encoding.no_links) {
        at = JSON_PUT(at, "\"droppedLinksCount\":1,");
    } else if (span->late && span->parent) {
        at = JSON_PUT(at, "\"links\":[{\"traceId\":\"");
        at = put_trace(at, span, span->parent);
        at = put_state(at, span->state);
        at = JSON_PUT(at, "\"");
        at = put_flags(at, span);
        at = JSON_PUT(at, "}],");
    }
    if (dropped) {
        at = JSON_PUT(at, "\"droppedAttributesCount\":");
        at = json_u64(at, dropped);
        *at++ = ',';
    }
    return at;
}

/* Attributes that follow from the status, unless the span has told them itself. */
static char *put_status(const struct otlp_json *otlp, char *at, const struct site_text *site,
                        const struct span *span, const struct attr_keys *told, bool error)
{
    const struct status_text *text = &otlp->statuses[span->status];
    if (site->http && !attr_keys_have(told, ATTR_HTTP_STATUS))
        at = json_bytes(at, text->http, text->http_len);
    if (error && !attr_keys_have(told, ATTR_ERROR_TYPE))
        at = json_bytes(at, text->error, text->error_len);
    if (error && site->database && !attr_keys_have(told, ATTR_DB_STATUS))
        at = json_bytes(at, text->sqlstate, text->sqlstate_len);
    return at;
}

static char *put_attributes(const struct otlp_json *otlp, char *at, const struct site_text *site,
                            const struct span *span, const struct attr_keys *told, bool error)
{
    if (span->demo)
        at = JSON_PUT(at, "{\"key\":\"traffic.type\",\"value\":{\"stringValue\":\"demo\"}}");
    else
        at = JSON_PUT(at, "{\"key\":\"traffic.type\",\"value\":{\"stringValue\":\"baseline\"}}");
    for (size_t i = 0; i < span->attrs.count; i++)
        if (span->attrs.list[i].key != ATTR_TRAFFIC_TYPE)
            at = attr_put(otlp, at, &span->attrs.list[i]);
    if (site->url.len && !attr_keys_have(told, site->url_key)) {
        at = json_bytes(at, site->url.bytes, site->url.len);
        at = json_url_part(at, span->path_param.at, span->path_param.len);
        at = json_bytes(at, site->url_end.bytes, site->url_end.len);
    }
    at = put_status(otlp, at, site, span, told, error);
    return JSON_PUT(at, "]}");
}

static void put_span(const struct otlp_json *otlp, struct text *items, const struct site_text *site,
                     const struct text *head, const struct span *span, const struct attr_keys *own)
{
    struct attr_keys told = {{own->bits[0] | site->keys.bits[0], own->bits[1] | site->keys.bits[1]}};
    bool error = otlp_is_error(site->http, site->kind, span->status);
    size_t room =
        SPAN_ROOM + head->len + site->url.len + site->url_end.len + JSON_URL_ROOM(span->path_param.len);
    for (size_t i = 0; i < span->attrs.count; i++)
        room += attr_room(&span->attrs.list[i]);
    if (span->state)
        room += 2 * JSON_TEXT_ROOM(span->state->len);
    text_reserve(items, room);
    char *at = items->bytes + items->len;
    at = put_identity(otlp, at, span, error, span->attrs.dropped);
    at = json_bytes(at, head->bytes, head->len);
    at = put_attributes(otlp, at, site, span, &told, error);
    items->len = (size_t)(at - items->bytes);
}

/* Within limits: all attributes anew, of its site as well. */
static void put_limited(struct otlp_json *otlp, struct text *items, const struct site_text *site,
                        const struct span *span)
{
    const struct otlp_list *list = &otlp->limited;
    const char *name = span->site->name;
    bool error = otlp_is_error(site->http, site->kind, span->status);
    otlp_limit_span(&otlp->limited, &otlp->encoding.limits[OTLP_TRACES], span);
    text_reserve(items, SPAN_ROOM + (span->state ? 2 * JSON_TEXT_ROOM(span->state->len) : 0));
    char *at = put_identity(otlp, items->bytes + items->len, span, error, list->dropped);
    items->len = (size_t)(at - items->bytes);
    text_lit(items, "\"name\":\"");
    put_text(items, name, strlen(name));
    text_lit(items, "\",\"kind\":");
    text_u64(items, site->kind);
    text_lit(items, ",\"attributes\":");
    attrs_put(otlp, items, list->list, list->count);
    text_char(items, '}');
}

void otlp_json_span(void *otlp_json, const struct span *span)
{
    struct otlp_json *otlp = otlp_json;
    if (!otlp->wanted[OTLP_TRACES])
        return;
    const struct site_text *site = site_text(otlp, span->site);
    struct text *items = otlp_json_items(otlp, OTLP_TRACES, span->site->service);
    struct attr_keys own = {{0}};
    if (otlp->encoding.limits[OTLP_TRACES].given) {
        put_limited(otlp, items, site, span);
        otlp_json_added(otlp, OTLP_TRACES, 1);
        return;
    }
    for (size_t i = 0; i < span->attrs.count; i++)
        attr_keys_add(&own, span->attrs.list[i].key);
    if ((own.bits[0] & site->keys.bits[0]) | (own.bits[1] & site->keys.bits[1])) {
        /* A key stands once in a list, and what the span says wins over its site: rare, so that the
           site's part is encoded anew. */
        struct text head = {0};
        put_head(otlp, &head, span->site, &own);
        put_span(otlp, items, site, &head, span, &own);
        text_fini(&head);
    } else {
        put_span(otlp, items, site, &site->head, span, &own);
    }
    otlp_json_added(otlp, OTLP_TRACES, 1);
}
