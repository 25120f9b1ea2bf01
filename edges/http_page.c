/* The pages that every service has, and those that other modules brought. */
#include "edges/http_body.h"
#include "edges/http_parts.h"
#include "edges/prometheus.h"

#include <stdlib.h>

static const char text_type[] = "text/plain; charset=utf-8";

/* ---- The list ---- */

void http_page_add(struct http_service *service, const struct http_page *page, bool first)
{
    struct http_page *copy = base_alloc(1, sizeof *copy);
    struct http_page **at = &service->pages;
    *copy = *page;
    while (!first && *at)
        at = &(*at)->next;
    copy->next = *at;
    *at = copy;
}

void http_pages_free(struct http_service *service)
{
    for (struct http_page *page = service->pages, *next; page; page = next) {
        next = page->next;
        free(page);
    }
}

static bool covers(const struct http_page *page, struct slice path)
{
    size_t len = strlen(page->path);
    if (path.len < len || memcmp(path.at, page->path, len) != 0)
        return false;
    return path.len == len || (page->below && path.at[len] == '/');
}

bool http_page_answer(struct http_request *request, struct http_allowed *allowed)
{
    for (const struct http_page *page = request->service->pages; page; page = page->next) {
        struct slice method = {page->method, (uint32_t)strlen(page->method)};
        if (!covers(page, http_request_path(request)))
            continue;
        http_allow(allowed, method);
        if (!http_method_is(request, method))
            continue;
        page->handler(page->owner, request);
        return true;
    }
    return false;
}

/* ---- Health ---- */

/* Requests the service has answered, by traffic.type. */
static uint64_t requests_of(const struct http_service *service, const char *traffic)
{
    uint64_t requests = 0;
    const struct metrics *metrics = world_metrics(service->server->options.world);
    for (const struct series *s = metrics->first[METRIC_HTTP_SERVER_DURATION]; s; s = s->next) {
        if (s->service != service->index)
            continue;
        for (size_t i = 0; i < s->attr_count; i++)
            if (s->attrs[i].key == ATTR_TRAFFIC_TYPE && strcmp(s->attrs[i].text, traffic) == 0)
                requests += s->histogram->count;
    }
    return requests;
}

static void add_demo(const struct http_service *service, struct text *json)
{
    const struct http_options *options = &service->server->options;
    int64_t on_timeline_ns = world_demo_at(options->world);
    text_lit(json, ",\"demo_mode\":\"");
    text_str(json, on_timeline_ns < 0 ? "off" : "blackfriday");
    text_lit(json, "\",\"demo_minute\":");
    if (on_timeline_ns >= 0)
        text_i64(json, on_timeline_ns / NS_PER_MIN);
    else
        text_lit(json, "null");
    text_lit(json, ",\"requests\":{\"baseline\":");
    text_u64(json, requests_of(service, "baseline"));
    text_lit(json, ",\"demo\":");
    text_u64(json, requests_of(service, "demo"));
    text_char(json, '}');
}

static void health(void *owner, struct http_request *request)
{
    struct http_service *service = owner;
    struct text *json = &service->server->json;
    json->len = 0;
    text_lit(json, "{\"status\":\"healthy\",\"service\":\"");
    text_str(json, service->kind->service);
    text_char(json, '"');
    if (strcmp(service->kind->service, "product-catalog") == 0)
        add_demo(service, json);
    text_char(json, '}');
    http_request_respond_json(request, 200, json);
}

static void livez(void *owner, struct http_request *request)
{
    (void)owner;
    static const char alive[] = "{\"status\":\"alive\"}";
    http_request_respond(request, 200, "application/json", alive, sizeof alive - 1);
}

static void readyz(void *owner, struct http_request *request)
{
    static const char ready[] = "{\"status\":\"ready\"}";
    struct http_service *service = owner;
    if (service->server->draining)
        http_request_respond_error(request, 503, "draining");
    else
        http_request_respond(request, 200, "application/json", ready, sizeof ready - 1);
}

static void metrics(void *owner, struct http_request *request)
{
    struct http_service *service = owner;
    const struct http_options *options = &service->server->options;
    struct text *page = &service->server->json;
    page->len = 0;
    prometheus_write(page, world_metrics(options->world), (uint16_t)service->index, service->kind->service,
                     options->bounds);
    if (options->more_metrics)
        prometheus_add(page, options->more_metrics(options->owner), (uint16_t)service->index,
                       options->bounds);
    http_request_respond(request, 200, PROMETHEUS_TYPE, page->bytes, page->len);
}

/* ---- The index ---- */

static void pad(struct text *page, size_t from, size_t width)
{
    while (page->len - from < width)
        text_char(page, ' ');
    text_char(page, ' ');
}

static void list_page(struct text *page, const struct http_page *listed)
{
    size_t from = page->len;
    text_lit(page, "  ");
    text_str(page, listed->method);
    pad(page, from, 8);
    text_str(page, listed->path);
    text_char(page, '\n');
}

static void list_route(struct text *page, const struct http_route *route)
{
    size_t from = page->len;
    text_lit(page, "  ");
    text_bytes(page, route->method.at, route->method.len);
    pad(page, from, 8);
    text_str(page, route->template);
    if (route->route->takes && *route->route->takes) {
        pad(page, from, 48);
        text_str(page, route->route->takes);
    }
    text_char(page, '\n');
}

static void list_routes(void *owner, struct http_request *request)
{
    const struct http_server *server = ((struct http_service *)owner)->server;
    struct text *page = &((struct http_service *)owner)->server->json;
    page->len = 0;
    for (size_t i = 0; i < server->service_count; i++) {
        const struct http_service *service = &server->services[i];
        text_str(page, service->kind->service);
        text_lit(page, ", port ");
        text_u64(page, service->port);
        text_char(page, '\n');
        for (size_t r = 0; r < service->route_count; r++)
            list_route(page, &service->routes[r]);
        for (const struct http_page *listed = service->pages; listed; listed = listed->next)
            list_page(page, listed);
        text_char(page, '\n');
    }
    http_request_respond(request, 200, text_type, page->bytes, page->len);
}

void http_pages_prepare(struct http_service *service)
{
    static const struct {
        const char *path, *only;
        void (*handler)(void *owner, struct http_request *request);
    } pages[] = {
        {"/health", NULL, health},   {"/livez", NULL, livez},        {"/readyz", NULL, readyz},
        {"/metrics", NULL, metrics}, {"/", "frontend", list_routes},
    };
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        struct http_page page = {
            .method = "GET", .path = pages[i].path, .handler = pages[i].handler, .owner = service};
        if (!pages[i].only || strcmp(pages[i].only, service->kind->service) == 0)
            http_page_add(service, &page, false);
    }
}
