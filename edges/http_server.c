#include "edges/http_parts.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

enum {
    REQUEST_TIMEOUT_MS = 10000,
    ANY_PORT_NUMBER = 65535 /* libh2o: the port does not matter */
};

/* ---- Who answers ---- */

void http_allow(struct http_allowed *allowed, struct slice method)
{
    for (size_t i = 0; i < allowed->count; i++)
        if (allowed->methods[i].len == method.len &&
            memcmp(allowed->methods[i].at, method.at, method.len) == 0)
            return;
    if (allowed->count < ARRAY_LEN(allowed->methods))
        allowed->methods[allowed->count++] = method;
}

bool http_method_is(const struct http_request *request, struct slice method)
{
    struct slice asked = http_request_method(request);
    if (slice_is(asked, "HEAD"))
        asked = (struct slice){"GET", 3};
    return asked.len == method.len && memcmp(asked.at, method.at, asked.len) == 0;
}

static void list_allowed(const struct http_allowed *allowed, struct text *list)
{
    for (size_t i = 0; i < allowed->count; i++) {
        if (i)
            text_lit(list, ", ");
        text_bytes(list, allowed->methods[i].at, allowed->methods[i].len);
        if (slice_is(allowed->methods[i], "GET"))
            text_lit(list, ", HEAD");
    }
}

/* What a browser asks before it lets a page call us: for the page's own origin alone. */
static bool is_preflight(const struct http_request *request)
{
    const char *page = request->service->server->options.cors_origin;
    return page && slice_is(http_request_method(request), "OPTIONS") &&
           slice_is(http_request_header(request, "origin", NULL), page) &&
           http_request_header(request, "access-control-request-method", NULL).at;
}

static void turn_away(struct http_request *request, const struct http_allowed *allowed)
{
    struct text list = {0};
    if (!allowed->count) {
        http_request_respond_error(request, 404, HTTP_NO_ROUTE);
        return;
    }
    list_allowed(allowed, &list);
    if (is_preflight(request)) {
        http_request_add_header(request, "access-control-allow-methods", text_c(&list));
        http_request_add_header(request, "access-control-allow-headers",
                                "authorization, content-type, idempotency-key, traceparent, tracestate");
        http_request_add_header(request, "access-control-max-age", "600");
        http_request_respond(request, 204, NULL, "", 0);
    } else {
        http_request_add_header(request, "allow", text_c(&list));
        http_request_respond_error(request, 405, "the route does not take this method");
    }
    text_fini(&list);
}

struct handler {
    h2o_handler_t super;
    struct http_service *service;
};

/* There is no room for another request. */
static void send_busy(h2o_req_t *req)
{
    h2o_add_header_by_str(&req->pool, &req->res.headers, H2O_STRLIT("retry-after"), 1, NULL,
                          H2O_STRLIT(HTTP_RETRY_AFTER_S));
    h2o_send_error_503(req, "Service Unavailable", "too many requests", H2O_SEND_ERROR_KEEP_HEADERS);
}

static int on_request(h2o_handler_t *self, h2o_req_t *req)
{
    struct http_service *service = ((struct handler *)self)->service;
    struct http_allowed allowed = {0};
    struct http_request *request = http_request_new(service, req);
    if (!request)
        send_busy(req);
    else if (http_request_within_caps(request) && !http_page_answer(request, &allowed) &&
             !http_route_begin(request, &allowed))
        turn_away(request, &allowed);
    return 0;
}

bool http_server_answer(struct http_server *server, uint64_t token, enum status status,
                        const struct body *body)
{
    struct http_request *request = http_server_request(server, token);
    if (!request || !request->route)
        return false;
    uv_update_time(uv_in_ev_loop(server->joint));
    http_route_answer(request, status, body);
    return true;
}

/* ---- Opening ---- */

static void raise_descriptors(unsigned connections)
{
    struct rlimit limit;
    rlim_t wanted = connections + HTTP_DESCRIPTORS_BESIDES;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = MIN(wanted, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void open_service(struct http_server *server, struct http_service *service, size_t index)
{
    service->server = server;
    service->kind = world_service(server->options.world, index);
    service->index = index;
    service->fd = -1;
    const char *name = service->kind->service;
    h2o_hostconf_t *host =
        h2o_config_register_host(&server->config, h2o_iovec_init(name, strlen(name)), ANY_PORT_NUMBER);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
    struct handler *handler = (struct handler *)h2o_create_handler(path, sizeof *handler);
    handler->super.on_req = on_request;
    handler->service = service;
    http_errors_are_json(path);
    http_errors_are_json(&host->fallback_path);
    service->hosts[0] = host;
    http_routes_prepare(service);
    http_pages_prepare(service);
}

static void open_services(struct http_server *server)
{
    size_t count = world_service_count(server->options.world);
    server->services = base_alloc(count, sizeof *server->services);
    for (size_t i = 0; i < count; i++)
        if (!world_service(server->options.world, i)->store && world_hosts(server->options.world, i))
            open_service(server, &server->services[server->service_count++], i);
    if (!server->service_count) /* stores alone; libh2o wants a host all the same */
        h2o_config_register_host(&server->config, h2o_iovec_init(H2O_STRLIT("nobody")), ANY_PORT_NUMBER);
    h2o_context_init(&server->context, uv_in_ev_loop(server->joint), &server->config);
    for (size_t i = 0; i < server->service_count; i++)
        server->services[i].accept =
            (h2o_accept_ctx_t){.ctx = &server->context, .hosts = server->services[i].hosts};
}

static void configure(h2o_globalconf_t *config, const struct http_options *options)
{
    h2o_config_init(config);
    config->server_name = h2o_iovec_init(H2O_STRLIT("doorbuster"));
    config->max_request_entity_size = HTTP_BODY_MAX;
    config->http1.req_timeout = options->request_timeout_ms;
    config->http1.upgrade_to_http2 = 0;
}

struct http_server *http_server_open(struct ev_loop *ev, const struct http_options *options,
                                     struct text *error)
{
    struct http_server *server = base_alloc(1, sizeof *server);
    server->ev = ev;
    server->options = *options;
    if (!server->options.connections_max)
        server->options.connections_max = HTTP_CONNECTIONS_DEFAULT;
    if (!server->options.request_timeout_ms)
        server->options.request_timeout_ms = REQUEST_TIMEOUT_MS;
    signal(SIGPIPE, SIG_IGN);
    raise_descriptors(server->options.connections_max);
    server->joint = uv_in_ev_open(ev);
    ASSERT(server->joint);
    server->pack.bytes = base_alloc(BODY_BYTES_MAX, 1);
    slab_init(&server->requests, sizeof(struct http_request), server->options.connections_max);
    configure(&server->config, &server->options);
    open_services(server);
    for (size_t i = 0; i < server->service_count; i++)
        if (!http_listen(&server->services[i], error)) {
            http_server_close(server);
            return NULL;
        }
    http_listen_start(server);
    return server;
}

/* ---- Closing ---- */

/* Whoever still waits is told; the sockets are closed after that. */
static void dismiss(struct http_server *server)
{
    for (uint32_t slot = 0; slot < server->requests.count; slot++) {
        struct http_request *request = slab_at(&server->requests, slot);
        if (request && !request->answered)
            http_request_respond_error(request, 503, "the server ends");
    }
}

void http_server_close(struct http_server *server)
{
    server->draining = true;
    dismiss(server);
    http_listen_close(server);
    h2o_context_dispose(&server->context);
    h2o_config_dispose(&server->config);
    uv_in_ev_close(server->joint);
    for (size_t i = 0; i < server->service_count; i++) {
        free(server->services[i].routes);
        http_pages_free(&server->services[i]);
    }
    slab_fini(&server->requests);
    text_fini(&server->json);
    free(server->pack.bytes);
    free(server->services);
    free(server);
}

/* ---- For who drives ---- */

void http_server_drain(struct http_server *server)
{
    server->draining = true;
}

bool http_server_draining(const struct http_server *server)
{
    return server->draining;
}

size_t http_server_pending(const struct http_server *server)
{
    return server->requests.live;
}

size_t http_server_connections(const struct http_server *server)
{
    return server->connection_count;
}

static struct http_service *find_service(const struct http_server *server, const char *service)
{
    for (size_t i = 0; i < server->service_count; i++)
        if (strcmp(server->services[i].kind->service, service) == 0)
            return &server->services[i];
    return NULL;
}

uint16_t http_server_port(const struct http_server *server, const char *service)
{
    const struct http_service *found = find_service(server, service);
    return found ? found->port : 0;
}

bool http_server_on_loopback(const struct http_server *server)
{
    return server->on_loopback;
}

bool http_server_handle(struct http_server *server, const char *service, const char *method, const char *path,
                        void (*handler)(void *owner, struct http_request *request), void *owner)
{
    struct http_service *found = find_service(server, service);
    if (found)
        http_page_add(found,
                      &(struct http_page){
                          .method = method, .path = path, .below = true, .handler = handler, .owner = owner},
                      true);
    return found != NULL;
}
