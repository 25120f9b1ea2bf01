/* A service's routes over HTTP: which one it is, the request's fields, its trace, and the answer. */
#include "edges/http_body.h"
#include "edges/http_parts.h"
#include "edges/trace_parent.h"

#include <stdlib.h>

#define LIMIT_NS (10 * NS_PER_S)
#define KEY_FIELD "idempotency_key"

/* Routes of the demo's traffic: what is asked of them is of that type unless the query says otherwise. */
static const char *const demo_paths[] = {"/api/checkout", "/products/recommendations"};

/* ---- Preparing ---- */

static void prepare_route(struct http_route *prepared, const struct route *route, const char *path)
{
    prepared->route = route;
    prepared->method = (struct slice){route->name, (uint32_t)(path - route->name - 1)};
    prepared->template = path;
    for (size_t i = 0; i < ARRAY_LEN(demo_paths); i++)
        prepared->demo |= strcmp(path, demo_paths[i]) == 0;
    bool declared = body_shape_parse(route->takes, &prepared->takes, NULL) &&
                    body_shape_parse(route->answers, &prepared->answers, NULL);
    ASSERT(declared);
}

void http_routes_prepare(struct http_service *service)
{
    const struct route *routes = service->kind->routes;
    size_t count = 0;
    while (routes && routes[count].name)
        count++;
    service->routes = base_alloc(count, sizeof *service->routes);
    for (size_t i = 0; i < count; i++) {
        const char *space = strchr(routes[i].name, ' ');
        if (!space)
            continue; /* a journey */
        struct http_route *prepared = &service->routes[service->route_count++];
        prepared->index = i;
        prepare_route(prepared, &routes[i], space + 1);
    }
}

/* ---- Which one ---- */

/* The one with the fewest parameters: /products/search goes before /products/{id}. */
static const struct http_route *find_route(struct http_request *request, struct http_params *params,
                                           struct http_allowed *allowed, bool *bad)
{
    const struct http_service *service = request->service;
    const struct http_route *found = NULL;
    struct http_params tried;
    for (size_t i = 0; i < service->route_count; i++) {
        const struct http_route *route = &service->routes[i];
        tried.count = tried.used = 0;
        enum http_match match = http_path_match(route->template, http_request_path(request), &tried);
        if (match == HTTP_NO_MATCH)
            continue;
        http_allow(allowed, route->method);
        if (!http_method_is(request, route->method) || (found && params->count <= tried.count))
            continue;
        found = route;
        *bad = match == HTTP_MATCH_BAD;
        params->count = params->used = 0;
        http_path_match(route->template, http_request_path(request), params);
    }
    return found;
}

/* ---- Its fields ---- */

static void fail(struct http_request *request, struct text *reason)
{
    http_request_respond_error(request, 400, text_c(reason));
}

/* Of the query: baseline or demo. */
static bool read_traffic(struct http_request *request, const struct http_params *query, bool *demo)
{
    struct slice type = http_params_find(query, (struct slice){"traffic_type", 12});
    if (!type.at)
        return true;
    *demo = slice_is(type, "demo");
    if (*demo || slice_is(type, "baseline"))
        return true;
    http_request_respond_error(request, 400, "traffic_type must be baseline or demo");
    return false;
}

static bool read_query(struct http_request *request, struct http_params *query)
{
    struct slice wrong;
    query->count = query->used = 0;
    if (http_query_parse(http_request_query(request), query, &wrong))
        return true;
    struct text reason = {0};
    text_lit(&reason, "the query is malformed or too long");
    if (wrong.len) {
        text_lit(&reason, " at ");
        text_bytes(&reason, wrong.at, wrong.len);
    }
    fail(request, &reason);
    text_fini(&reason);
    return false;
}

static bool read_key(struct http_request *request, struct http_params *params)
{
    struct slice key = http_request_header(request, "idempotency-key", NULL);
    if (!key.at || http_params_add(params, KEY_FIELD, key))
        return true;
    http_request_respond_error(request, 400, "Idempotency-Key must be text of at most 256 bytes");
    return false;
}

static bool pack_request(struct http_request *request, struct http_params *params,
                         const struct http_params *query)
{
    struct pack *pack = &request->service->server->pack;
    struct text reason = {0};
    struct http_fields fields = {.first = params, .query = query};
    json_t *body = http_body_parse(http_request_body(request), &reason);
    fields.body = body;
    pack->len = 0;
    pack->overflow = false;
    bool packed = body && http_body_pack(&request->route->takes, &fields, pack, &reason);
    if (!packed)
        fail(request, &reason);
    json_decref(body);
    text_fini(&reason);
    return packed;
}

/* ---- Its trace ---- */

static void add_state(void *state, struct slice header)
{
    trace_state_add(state, header);
}

/* A valid traceparent, once, makes the request a child of it; a tracestate counts beside such a one alone.
   `room` keeps it for as long as `out` is used. */
static void read_trace(const struct http_request *request, struct world_request *out,
                       char room[static TRACE_STATE_BYTES_MAX])
{
    struct trace_parent parent;
    struct trace_state state;
    size_t count;
    if (request->service->server->options.no_propagation)
        return;
    struct slice header = http_request_header(request, "traceparent", &count);
    if (count != 1 || !trace_parent_parse(header, &parent))
        return;
    state.members = 0;
    state.bad = false;
    http_request_each_header(request, "tracestate", add_state, &state);
    out->trace_state = (struct slice){room, trace_state_write(&state, room)};
    out->joins = true;
    out->trace_hi = parent.trace_hi;
    out->trace_lo = parent.trace_lo;
    out->parent = parent.parent;
    out->flags = parent.flags;
}

/* ---- From beginning to end ---- */

static void ask_world(struct http_request *request, bool demo)
{
    const struct http_options *options = &request->service->server->options;
    const struct pack *pack = &request->service->server->pack;
    char trace_state[TRACE_STATE_BYTES_MAX];
    struct world_request out = {.service = request->service->index,
                                .route = request->route->index,
                                .body = pack->bytes,
                                .body_len = pack->len,
                                .limit_ns = LIMIT_NS,
                                .token = http_request_token(request),
                                .demo = demo};
    read_trace(request, &out, trace_state);
    world_request(options->world, &out, options->now(options->owner));
    if (options->requested)
        options->requested(options->owner);
}

bool http_route_begin(struct http_request *request, struct http_allowed *allowed)
{
    struct http_params params, query;
    bool bad = false;
    params.count = params.used = 0;
    const struct http_route *route = find_route(request, &params, allowed, &bad);
    if (!route)
        return false;
    request->route = route;
    bool demo = route->demo;
    if (bad)
        http_request_respond_error(request, 400, "the path is malformed or too long");
    else if (read_query(request, &query) && read_traffic(request, &query, &demo) &&
             read_key(request, &params) && pack_request(request, &params, &query))
        ask_world(request, demo);
    return true;
}

void http_route_answer(struct http_request *request, enum status status, const struct body *body)
{
    struct text *json = &request->service->server->json;
    int http = status_info(status)->http;
    json->len = 0;
    if (http == 0) {
        http = 504;
        http_body_write_error(status, body, json);
    } else if (http >= 400) {
        http_body_write_error(status, body, json);
    } else if (!http_body_write(&request->route->answers, body, json)) {
        http = 500;
        http_body_write_reason("the answer is not as declared", json);
    }
    http_request_respond_json(request, http, json);
}
