/*
 * fuzz_http: what the HTTP edge makes of a request from anywhere.
 *
 * The bytes are lines: path, query, traceparent, tracestate; the rest is the body. A body that is taken must be as
 * declared and come out as JSON that jansson reads; a traceparent that is taken must be taken again as it is sent.
 */
#include <stdlib.h>

#include "edges/http_body.h"
#include "edges/trace_parent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* JSON allocates: freed memory is not to be kept up to the fuzzer's own limit. */
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=16";
}

static const char *const templates[] = {"/cart/{cart_id}", "/products/search", "/a/{x}/b/{y}", "/"};
static const char *const declarations[] = {
    "cart_id:text product_id:any quantity:int",
    "items:[weight:real zips?:[zip:text]] amount?:real gift?:bool",
    "x?:any y?:int z?:text",
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static struct slice next_line(const char **at, const char *end)
{
    const char *start = *at;
    const char *stop = start < end ? memchr(start, '\n', (size_t)(end - start)) : NULL;
    *at = stop ? stop + 1 : end;
    return (struct slice){start, (uint32_t)((stop ? stop : end) - start)};
}

static void try_body(const struct body_shape *shape, const struct http_fields *fields)
{
    static unsigned char bytes[BODY_BYTES_MAX];
    static struct body_pool pool;
    struct pack pack = {.bytes = bytes};
    struct text error = {0}, json = {0};
    if (http_body_pack(shape, fields, &pack, &error)) {
        struct body *body = body_new(&pool, pack.bytes, pack.len);
        require(http_body_write(shape, body, &json));
        json_t *read = json_loadb(json.bytes, json.len, JSON_REJECT_DUPLICATES, NULL);
        require(json_is_object(read));
        json_decref(read);
        http_body_write_error(STATUS_FAILED, body, &json);
        body_unref(&pool, body);
    } else {
        require(error.len > 0);
    }
    text_fini(&error);
    text_fini(&json);
}

/* What goes on is a good list, within its bound, and goes on as it is. */
static void check_state(const struct trace_state *state)
{
    char sent[TRACE_STATE_BYTES_MAX], again[TRACE_STATE_BYTES_MAX];
    struct trace_state read = {0};
    uint32_t len = trace_state_write(state, sent);
    require(len <= TRACE_STATE_BYTES_MAX);
    trace_state_add(&read, (struct slice){sent, len});
    require(!read.bad && trace_state_write(&read, again) == len && memcmp(sent, again, len) == 0);
}

static void try_trace(struct slice parent_header, struct slice state_header)
{
    struct trace_parent parent, again;
    struct trace_state state = {0};
    char sent[TRACE_PARENT_LEN];
    trace_state_add(&state, state_header);
    check_state(&state);
    if (!trace_parent_parse(parent_header, &parent))
        return;
    trace_parent_format(&parent, sent);
    require(trace_parent_parse((struct slice){sent, TRACE_PARENT_LEN}, &again));
    require(again.trace_hi == parent.trace_hi && again.trace_lo == parent.trace_lo &&
            again.parent == parent.parent && again.flags == parent.flags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_params first, query;
    const char *at = (const char *)data, *end = at + size;
    if (size > 2 * HTTP_TARGET_MAX)
        return 0;
    struct slice path = next_line(&at, end), search = next_line(&at, end), wrong;
    struct slice parent_header = next_line(&at, end), state_header = next_line(&at, end);
    first.count = first.used = query.count = query.used = 0;
    for (size_t i = 0; i < ARRAY_LEN(templates); i++) {
        size_t before = first.count;
        enum http_match match = http_path_match(templates[i], path, &first);
        require(match != HTTP_NO_MATCH || first.count == before);
    }
    try_trace(parent_header, state_header);
    if (!http_query_parse(search, &query, &wrong))
        return 0;
    struct text error = {0};
    json_t *body = http_body_parse((struct slice){at, (uint32_t)(end - at)}, &error);
    struct http_fields fields = {.first = &first, .body = body, .query = &query};
    for (size_t i = 0; body && i < ARRAY_LEN(declarations); i++) {
        struct body_shape shape;
        require(body_shape_parse(declarations[i], &shape, NULL));
        try_body(&shape, &fields);
    }
    json_decref(body);
    text_fini(&error);
    return 0;
}
