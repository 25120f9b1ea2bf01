/* One request: what others may know of it, its limits, and its answer. */
#include "edges/http_body.h"
#include "edges/http_parts.h"

static const char plain_error[] = "text/plain; charset=utf-8"; /* what libh2o's own errors are */

static const struct {
    int status;
    const char *phrase;
} phrases[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

static const char *phrase(int status)
{
    for (size_t i = 0; i < ARRAY_LEN(phrases); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return status < 400 ? "OK" : "Error";
}

/* ---- Life ---- */

static void on_disposed(void *data)
{
    struct http_request *request = *(struct http_request **)data;
    slab_give(&request->service->server->requests, request);
}

struct http_request *http_request_new(struct http_service *service, h2o_req_t *req)
{
    struct http_request *request = slab_take(&service->server->requests);
    if (!request)
        return NULL;
    request->service = service;
    request->req = req;
    request->route = NULL;
    request->answered = false;
    struct http_request **link = h2o_mem_alloc_shared(&req->pool, sizeof(struct http_request *), on_disposed);
    *link = request;
    return request;
}

struct http_request *http_server_request(struct http_server *server, uint64_t token)
{
    struct http_request *request = slab_find(&server->requests, token);
    return request && !request->answered ? request : NULL;
}

/* ---- What it says ---- */

static struct slice slice_of(h2o_iovec_t bytes)
{
    return (struct slice){bytes.base, (uint32_t)bytes.len};
}

uint64_t http_request_token(const struct http_request *request)
{
    return slab_handle(&request->item);
}

struct slice http_request_method(const struct http_request *request)
{
    return slice_of(request->req->method);
}

/* Path and query; of a target with scheme and host (RFC 9112, 3.2.2) what comes behind them. */
static struct slice target(const h2o_req_t *req)
{
    static const char scheme[] = "http://";
    struct slice all = slice_of(req->path);
    uint32_t from = 0;
    if (all.len > sizeof scheme - 1 && memcmp(all.at, scheme, sizeof scheme - 1) == 0)
        for (from = sizeof scheme - 1; from < all.len && all.at[from] != '/' && all.at[from] != '?';)
            from++;
    return (struct slice){all.at + from, all.len - from};
}

struct slice http_request_path(const struct http_request *request)
{
    struct slice path = target(request->req);
    const char *query = path.len ? memchr(path.at, '?', path.len) : NULL;
    if (query)
        path.len = (uint32_t)(query - path.at);
    return path.len ? path : (struct slice){"/", 1};
}

struct slice http_request_query(const struct http_request *request)
{
    struct slice all = target(request->req);
    const char *query = all.len ? memchr(all.at, '?', all.len) : NULL;
    if (!query)
        return (struct slice){"", 0};
    return (struct slice){query + 1, (uint32_t)(all.at + all.len - query - 1)};
}

struct slice http_request_body(const struct http_request *request)
{
    return slice_of(request->req->entity);
}

/* libh2o puts the name of the service where the client named no host. */
static struct slice host_of(const struct http_request *request)
{
    h2o_iovec_t host = request->req->input.authority;
    if (host.base == request->service->hosts[0]->authority.hostport.base)
        return (struct slice){0};
    return slice_of(host);
}

struct slice http_request_header(const struct http_request *request, const char *name, size_t *count)
{
    struct slice found = {0};
    size_t seen = 0;
    const h2o_headers_t *headers = &request->req->headers;
    if (strcmp(name, "host") == 0) {
        found = host_of(request);
        seen = found.at != NULL;
    }
    for (size_t i = 0; i < headers->size; i++) {
        if (!slice_is(slice_of(*headers->entries[i].name), name))
            continue;
        if (seen++ == 0)
            found = slice_of(headers->entries[i].value);
    }
    if (count)
        *count = seen;
    return found;
}

void http_request_each_header(const struct http_request *request, const char *name,
                              void (*take)(void *owner, struct slice value), void *owner)
{
    const h2o_headers_t *headers = &request->req->headers;
    for (size_t i = 0; i < headers->size; i++)
        if (slice_is(slice_of(*headers->entries[i].name), name))
            take(owner, slice_of(headers->entries[i].value));
}

/* ---- Caps ---- */

static size_t header_bytes(const h2o_req_t *req)
{
    size_t bytes = req->input.authority.len;
    for (size_t i = 0; i < req->headers.size; i++)
        bytes += req->headers.entries[i].name->len + req->headers.entries[i].value.len + strlen(": \r\n");
    return bytes;
}

static bool refuse(struct http_request *request, int status, const char *reason)
{
    request->req->http1_is_persistent = 0;
    http_request_respond_error(request, status, reason);
    return false;
}

bool http_request_within_caps(struct http_request *request)
{
    const h2o_req_t *req = request->req;
    if (req->path.len > HTTP_TARGET_MAX)
        return refuse(request, 414, "the request target is longer than 2048 bytes");
    if (header_bytes(req) > HTTP_HEADERS_MAX)
        return refuse(request, 431, "the headers are longer than 16 KiB");
    if (req->entity.len > HTTP_BODY_MAX)
        return refuse(request, 413, "the body is longer than 64 KiB");
    if (req->version >= 0x101 && host_of(request).len == 0)
        return refuse(request, 400, "HTTP/1.1 needs a Host header");
    return true;
}

/* ---- Its answer ---- */

void http_request_add_header(struct http_request *request, const char *name, const char *value)
{
    h2o_req_t *req = request->req;
    h2o_iovec_t copy = h2o_strdup(&req->pool, value, SIZE_MAX);
    h2o_add_header_by_str(&req->pool, &req->res.headers, name, strlen(name), 1, NULL, copy.base, copy.len);
}

static void allow_origin(struct http_request *request)
{
    const char *page = request->service->server->options.cors_origin;
    if (!page)
        return;
    http_request_add_header(request, "vary", "Origin");
    if (slice_is(http_request_header(request, "origin", NULL), page))
        http_request_add_header(request, "access-control-allow-origin", page);
}

void http_request_respond(struct http_request *request, int http_status, const char *content_type,
                          const char *bytes, size_t len)
{
    h2o_req_t *req = request->req;
    ASSERT(!request->answered);
    request->answered = true;
    req->res.status = http_status;
    req->res.reason = phrase(http_status);
    if (request->service->server->draining)
        req->http1_is_persistent = 0;
    allow_origin(request);
    if (http_status == 503)
        http_request_add_header(request, "retry-after", HTTP_RETRY_AFTER_S);
    if (content_type) {
        h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL, content_type,
                       strlen(content_type));
        req->res.content_length = len;
    }
    h2o_send_inline(req, bytes, len);
}

void http_request_respond_json(struct http_request *request, int http_status, const struct text *json)
{
    http_request_respond(request, http_status, "application/json", json->bytes, json->len);
}

void http_request_respond_error(struct http_request *request, int http_status, const char *reason)
{
    struct text *json = &request->service->server->json;
    json->len = 0;
    http_body_write_reason(reason, json);
    http_request_respond_json(request, http_status, json);
}

/* ---- libh2o's own errors, which are text ---- */

struct rewriter {
    h2o_ostream_t super;
    h2o_iovec_t json;
};

static void send_json(h2o_ostream_t *self, h2o_req_t *req, h2o_iovec_t *bufs, size_t count,
                      h2o_send_state_t state)
{
    (void)bufs;
    (void)count;
    struct rewriter *rewriter = (struct rewriter *)self;
    size_t buffers = rewriter->json.len != 0;
    h2o_ostream_send_next(&rewriter->super, req, &rewriter->json, buffers, state);
    rewriter->json.len = 0;
}

static void rewrite_error(h2o_filter_t *self, h2o_req_t *req, h2o_ostream_t **slot)
{
    ssize_t type = h2o_find_header(&req->res.headers, H2O_TOKEN_CONTENT_TYPE, -1);
    bool theirs = req->res.status >= 400 && type >= 0 &&
                  slice_is(slice_of(req->res.headers.entries[type].value), plain_error);
    if (theirs) {
        struct rewriter *rewriter = (struct rewriter *)h2o_add_ostream(req, sizeof *rewriter, slot);
        struct text json = {0};
        req->res.reason = phrase(req->res.status);
        http_body_write_reason(req->res.reason, &json);
        rewriter->super.do_send = send_json;
        rewriter->json = h2o_strdup(&req->pool, json.bytes, json.len);
        text_fini(&json);
        req->res.headers.entries[type].value = h2o_iovec_init(H2O_STRLIT("application/json"));
        req->res.content_length = rewriter->json.len;
        slot = &rewriter->super.next;
    }
    h2o_setup_next_ostream(req, slot);
    (void)self;
}

void http_errors_are_json(h2o_pathconf_t *path)
{
    h2o_create_filter(path, sizeof(h2o_filter_t))->on_setup_ostream = rewrite_error;
}
