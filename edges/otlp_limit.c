#include "edges/otlp_limit.h"

#include "edges/json_out.h"
#include "edges/utf8.h"

void otlp_list_fini(struct otlp_list *list)
{
    text_fini(&list->url);
}

static void add(struct otlp_list *list, const struct otlp_limits *limits, const struct attr *attr)
{
    if (limits->given && list->count >= limits->count) {
        list->dropped++;
        return;
    }
    ASSERT(list->count < OTLP_LIST_MAX);
    struct attr *kept = &list->list[list->count++];
    *kept = *attr;
    if (limits->given && kept->type == ATTR_TEXT)
        kept->len = (uint32_t)utf8_prefix(kept->text, kept->len, limits->characters);
}

static void add_text(struct otlp_list *list, const struct otlp_limits *limits, enum attr_key key,
                     const char *text, size_t len)
{
    add(list, limits,
        &(struct attr){.key = (uint16_t)key, .type = ATTR_TEXT, .len = (uint32_t)len, .text = text});
}

/* url.path of a SERVER, url.full of a CLIENT. */
static void add_url(struct otlp_list *list, const struct otlp_limits *limits, const struct span *span)
{
    struct text after = {0};
    list->url.len = 0;
    otlp_url_parts(span->site, &list->url, &after);
    text_reserve(&list->url, JSON_URL_ROOM(span->path_param.len));
    char *at = list->url.bytes + list->url.len;
    list->url.len += (size_t)(json_url_part(at, span->path_param.at, span->path_param.len) - at);
    if (after.len)
        text_bytes(&list->url, after.bytes, after.len);
    text_fini(&after);
    add_text(list, limits, otlp_url_key(span->site), list->url.bytes, list->url.len);
}

static void add_status(struct otlp_list *list, const struct otlp_limits *limits, const struct span *span,
                       const struct attr_keys *told)
{
    const struct otlp_status *status = &list->status;
    bool http = attr_keys_have(told, ATTR_HTTP_METHOD), database = attr_keys_have(told, ATTR_DB_SYSTEM_NAME);
    bool error = otlp_is_error(http, span->site->kind, span->status);
    otlp_status_make(&list->status, span->status);
    if (http && status->has_http && !attr_keys_have(told, ATTR_HTTP_STATUS))
        add(list, limits, &status->http);
    if (error && !attr_keys_have(told, ATTR_ERROR_TYPE))
        add(list, limits, &status->error);
    if (error && database && status->has_sqlstate && !attr_keys_have(told, ATTR_DB_STATUS))
        add(list, limits, &status->sqlstate);
}

void otlp_limit_span(struct otlp_list *list, const struct otlp_limits *limits, const struct span *span)
{
    const struct attrs *of_site = &span->site->attrs, *own = &span->attrs;
    const char *traffic = span->demo ? "demo" : "baseline";
    struct attr_keys told = {{0}};
    list->count = 0;
    list->dropped = own->dropped;
    for (size_t i = 0; i < own->count; i++)
        attr_keys_add(&told, own->list[i].key);
    /* A key stands once: what the span says wins over its site. */
    for (size_t i = 0; i < of_site->count; i++)
        if (of_site->list[i].key != ATTR_TRAFFIC_TYPE && !attr_keys_have(&told, of_site->list[i].key))
            add(list, limits, &of_site->list[i]);
    for (size_t i = 0; i < of_site->count; i++)
        attr_keys_add(&told, of_site->list[i].key);
    add_text(list, limits, ATTR_TRAFFIC_TYPE, traffic, strlen(traffic));
    for (size_t i = 0; i < own->count; i++)
        if (own->list[i].key != ATTR_TRAFFIC_TYPE)
            add(list, limits, &own->list[i]);
    if (span->site->path_template && !attr_keys_have(&told, otlp_url_key(span->site)))
        add_url(list, limits, span);
    add_status(list, limits, span, &told);
}

void otlp_limit_attrs(struct otlp_list *list, const struct otlp_limits *limits, const struct attrs *attrs)
{
    list->count = 0;
    list->dropped = attrs->dropped;
    for (size_t i = 0; i < attrs->count; i++)
        add(list, limits, &attrs->list[i]);
}
