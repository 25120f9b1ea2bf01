/* Spans: the bytes of the site, then the message of what the span adds. See edges/otlp_proto.h. */
#include "edges/json_out.h"
#include "edges/otlp_proto_parts.h"

enum { FIELD_SPAN = 2 }; /* of ScopeSpans */

void site_bytes_fini(struct site_bytes *site)
{
    text_fini(&site->head);
    text_fini(&site->url);
    text_fini(&site->url_end);
}

/* Name, kind and the site's attributes but those of `without`. */
static void put_head(struct otlp_proto *otlp, struct text *text, const struct span_site *site,
                     const struct attr_keys *without)
{
    Otlp__Span head = OTLP__SPAN__INIT;
    head.name = (char *)site->name;
    head.kind = (int32_t)site->kind;
    otlp->attrs.count = 0;
    for (size_t i = 0; i < site->attrs.count; i++) {
        const struct attr *attr = &site->attrs.list[i];
        if (attr->key != ATTR_TRAFFIC_TYPE && !attr_keys_have(without, attr->key))
            proto_attrs_add(&otlp->attrs, attr);
    }
    head.n_attributes = otlp->attrs.count;
    head.attributes = otlp->attrs.list;
    text_reserve(text, protobuf_c_message_get_packed_size(&head.base));
    text->len += protobuf_c_message_pack(&head.base, (uint8_t *)text->bytes + text->len);
}

static const struct site_bytes *site_bytes(struct otlp_proto *otlp, const struct span_site *site)
{
    if (site->id >= otlp->site_count) {
        size_t count = MAX((size_t)site->id + 1, otlp->site_count * 2);
        otlp->sites = base_grow(otlp->sites, otlp->site_count, count, sizeof *otlp->sites);
        otlp->site_count = count;
    }
    struct site_bytes *made = &otlp->sites[site->id];
    if (made->ready)
        return made;
    put_head(otlp, &made->head, site, &(struct attr_keys){{0}});
    for (size_t i = 0; i < site->attrs.count; i++)
        attr_keys_add(&made->keys, site->attrs.list[i].key);
    made->http = attr_keys_have(&made->keys, ATTR_HTTP_METHOD);
    made->database = attr_keys_have(&made->keys, ATTR_DB_SYSTEM_NAME);
    if (site->path_template) {
        otlp_url_parts(site, &made->url, &made->url_end);
        made->url_key = otlp_url_key(site);
    }
    made->ready = true;
    return made;
}

static void add_url(struct otlp_proto *otlp, const struct site_bytes *site, struct slice param)
{
    struct text *url = &otlp->url;
    url->len = 0;
    text_bytes(url, site->url.bytes, site->url.len);
    text_reserve(url, JSON_URL_ROOM(param.len));
    url->len = (size_t)(json_url_part(url->bytes + url->len, param.at, param.len) - url->bytes);
    if (site->url_end.len)
        text_bytes(url, site->url_end.bytes, site->url_end.len);
    proto_attrs_text(&otlp->attrs, attr_name(site->url_key), url->bytes, url->len);
}

/* What the span adds to the attributes of its site; what it says itself wins over what follows from its
   status. */
static void add_attributes(struct otlp_proto *otlp, const struct site_bytes *site, const struct span *span,
                           const struct attr_keys *told, bool error)
{
    struct proto_attrs *attrs = &otlp->attrs;
    const struct otlp_status *status = &otlp->statuses[span->status];
    const char *traffic = span->demo ? "demo" : "baseline";
    attrs->count = 0;
    proto_attrs_text(attrs, attr_name(ATTR_TRAFFIC_TYPE), traffic, strlen(traffic));
    for (size_t i = 0; i < span->attrs.count; i++)
        if (span->attrs.list[i].key != ATTR_TRAFFIC_TYPE)
            proto_attrs_add(attrs, &span->attrs.list[i]);
    if (site->url.len && !attr_keys_have(told, site->url_key))
        add_url(otlp, site, span->path_param);
    if (site->http && status->has_http && !attr_keys_have(told, ATTR_HTTP_STATUS))
        proto_attrs_add(attrs, &status->http);
    if (error && !attr_keys_have(told, ATTR_ERROR_TYPE))
        proto_attrs_add(attrs, &status->error);
    if (error && site->database && status->has_sqlstate && !attr_keys_have(told, ATTR_DB_STATUS))
        proto_attrs_add(attrs, &status->sqlstate);
}

static void put_span(struct otlp_proto *otlp, struct text *items, const struct text *head, Otlp__Span *added)
{
    size_t len = protobuf_c_message_get_packed_size(&added->base);
    text_reserve(items, 1 + PROTO_LENGTH_MAX + head->len + len);
    text_char(items, PROTO_TAG(FIELD_SPAN));
    proto_length(items, head->len + len);
    if (head->len)
        text_bytes(items, head->bytes, head->len);
    items->len += protobuf_c_message_pack(&added->base, (uint8_t *)items->bytes + items->len);
    otlp_proto_added(otlp, OTLP_TRACES, 1);
}

/* All attributes, of its site as well. */
static void add_limited(struct otlp_proto *otlp, Otlp__Span *added, const struct span *span)
{
    const struct otlp_list *list = &otlp->limited;
    otlp_limit_span(&otlp->limited, &otlp->encoding.limits[OTLP_TRACES], span);
    otlp->attrs.count = 0;
    for (size_t i = 0; i < list->count; i++)
        proto_attrs_add(&otlp->attrs, &list->list[i]);
    added->name = (char *)span->site->name;
    added->kind = (int32_t)span->site->kind;
    added->dropped_attributes_count = list->dropped;
}

/* `told` NULL: within limits, and `head` is empty. */
static void pack_span(struct otlp_proto *otlp, struct text *items, const struct site_bytes *site,
                      const struct text *head, const struct span *span, const struct attr_keys *told)
{
    Otlp__Span added = OTLP__SPAN__INIT;
    Otlp__Link link = OTLP__LINK__INIT, *links = &link;
    Otlp__Status failed = OTLP__STATUS__INIT;
    uint8_t trace[16], id[8], parent[8];
    bool error = otlp_is_error(site->http, span->site->kind, span->status);
    proto_id(trace, span->trace_hi);
    proto_id(trace + 8, span->trace_lo);
    proto_id(id, span->id);
    proto_id(parent, span->parent);
    added.trace_id = proto_bytes(trace, sizeof trace);
    added.span_id = proto_bytes(id, sizeof id);
    if (span->state)
        added.trace_state = proto_bytes(span->state->bytes, span->state->len);
    added.parent_span_id = proto_bytes(parent, span->parent ? sizeof parent : 0);
    added.start_time_unix_nano = otlp_unix_ns(&otlp->encoding.source, span->start_ns);
    added.end_time_unix_nano = otlp_unix_ns(&otlp->encoding.source, span->end_ns);
    added.flags = otlp_span_flags(span);
    added.dropped_attributes_count = span->attrs.dropped;
    failed.code = 2;
    added.status = error ? &failed : NULL;
    if (span->late && span->parent && otlp->encoding.no_links) {
        added.dropped_links_count = 1;
    } else if (span->late && span->parent) {
        link.trace_id = added.trace_id;
        link.span_id = added.parent_span_id;
        link.trace_state = added.trace_state;
        link.flags = added.flags;
        added.n_links = 1;
        added.links = &links;
    }
    if (told)
        add_attributes(otlp, site, span, told, error);
    else
        add_limited(otlp, &added, span);
    added.n_attributes = otlp->attrs.count;
    added.attributes = otlp->attrs.list;
    put_span(otlp, items, head, &added);
}

void otlp_proto_span(void *otlp_proto, const struct span *span)
{
    struct otlp_proto *otlp = otlp_proto;
    const struct site_bytes *site = site_bytes(otlp, span->site);
    struct text *items = otlp_proto_items(otlp, OTLP_TRACES, span->site->service);
    struct attr_keys own = {{0}}, told = site->keys;
    if (otlp->encoding.limits[OTLP_TRACES].given) {
        pack_span(otlp, items, site, &(struct text){0}, span, NULL);
        return;
    }
    for (size_t i = 0; i < span->attrs.count; i++) {
        attr_keys_add(&own, span->attrs.list[i].key);
        attr_keys_add(&told, span->attrs.list[i].key);
    }
    if ((own.bits[0] & site->keys.bits[0]) | (own.bits[1] & site->keys.bits[1])) {
        /* A key stands once in a list, and what the span says wins over its site: rare, so that the
           site's part is packed anew. */
        struct text head = {0};
        put_head(otlp, &head, span->site, &own);
        pack_span(otlp, items, site, &head, span, &told);
        text_fini(&head);
    } else {
        pack_span(otlp, items, site, &site->head, span, &told);
    }
}
