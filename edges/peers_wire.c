/* What processes say to each other: the names of what can be asked, asks, answers and greetings. */
#include "edges/peers_parts.h"
#include "edges/trace_parent.h"

#include <stdlib.h>

enum { ASK_FIELDS = 15, GREETING_FIELDS = 4 };

/* ---- names ---- */

static void name(struct peers *peers, size_t to, const char *service, const char *route, size_t index)
{
    struct text text = {0};
    text_str(&text, service);
    text_char(&text, ' ');
    text_str(&text, route);
    peers->methods =
        base_grow(peers->methods, peers->method_count, peers->method_count + 1, sizeof *peers->methods);
    peers->methods[peers->method_count++] =
        (struct peer_method){.name = base_copy(text_c(&text)), .to = (uint16_t)to, .route = (uint16_t)index};
    text_fini(&text);
}

void peers_name_methods(struct peers *peers)
{
    const struct registry *registry = peers->options.registry;
    for (size_t i = 0; i < registry->kind_count; i++) {
        const struct actor_kind *kind = registry->kinds[i];
        peers->first_method[i] = (uint16_t)peers->method_count;
        bool statements = kind->store && strcmp(kind->store, "postgresql") == 0;
        for (size_t s = 0; statements && s < registry->statement_count; s++)
            name(peers, i, kind->service, registry->statements[s].name, s);
        for (size_t r = 0; !statements && kind->routes && kind->routes[r].name; r++)
            name(peers, i, kind->service, kind->routes[r].name, r);
    }
}

void peers_forget_methods(struct peers *peers)
{
    for (size_t i = 0; i < peers->method_count; i++)
        free(peers->methods[i].name);
    free(peers->methods);
}

const struct peer_method *peers_method(const struct peers *peers, struct slice name)
{
    for (size_t i = 0; i < peers->method_count; i++)
        if (slice_is(name, peers->methods[i].name))
            return &peers->methods[i];
    return NULL;
}

/* ---- asks ---- */

void peers_write_ask(const struct peers *peers, struct pack *pack, uint32_t id, const struct far_ask *ask)
{
    const struct trace_context *context = &ask->context;
    size_t method = (size_t)peers->first_method[ask->to] + ask->route;
    bool known = ask->route != UINT16_MAX && method < peers->method_count;
    rpc_request(pack, id, known ? peers->methods[method].name : "nowhere");
    pack_array(pack, ASK_FIELDS);
    pack_text(pack, peers->options.registry->kinds[ask->from]->service);
    pack_int(pack, ask->limit_ns == NEVER ? -1 : ask->limit_ns / NS_PER_US);
    pack_int(pack, (int64_t)context->trace_hi);
    pack_int(pack, (int64_t)context->trace_lo);
    pack_int(pack, (int64_t)context->span);
    pack_int(pack, context->flags);
    pack_int(pack, context->depth);
    pack_int(pack, context->ordinal);
    pack_int(pack, context->stream == STREAM_OUTSIDE ? -1 : context->stream);
    pack_int(pack, context->phase);
    pack_int(pack, context->demo_minute);
    pack_int(pack, context->root_ms);
    pack_int(pack, (context->demo ? 1 : 0) | (context->joined ? 2 : 0));
    pack_text_len(pack, ask->trace_state.at, ask->trace_state.len);
    ASSERT(ask->body_len); /* one value of MessagePack, as every body is */
    pack_raw(pack, ask->body, ask->body_len);
}

static bool within(int64_t value, int64_t low, int64_t high)
{
    return value >= low && value <= high;
}

static int service_named(const struct peers *peers, struct slice called)
{
    for (size_t i = 0; i < peers->options.registry->kind_count; i++)
        if (slice_is(called, peers->options.registry->kinds[i]->service))
            return (int)i;
    return -1;
}

/* The world looks at what the numbers mean; here they only have to fit. */
static bool read_context(struct cursor *params, struct trace_context *context)
{
    context->trace_hi = (uint64_t)cursor_int(params);
    context->trace_lo = (uint64_t)cursor_int(params);
    context->span = (uint64_t)cursor_int(params);
    int64_t flags = cursor_int(params), depth = cursor_int(params), ordinal = cursor_int(params);
    int64_t stream = cursor_int(params), phase = cursor_int(params), minute = cursor_int(params);
    int64_t root_ms = cursor_int(params), traits = cursor_int(params);
    if (params->bad || !within(flags, 0, UINT8_MAX) || !within(depth, 0, UINT8_MAX) ||
        !within(ordinal, 0, UINT32_MAX) || !within(stream, -1, UINT8_MAX - 1) ||
        !within(phase, 0, UINT8_MAX) || !within(minute, -1, INT16_MAX) || !within(root_ms, -1, INT32_MAX) ||
        !within(traits, 0, 3))
        return false;
    context->flags = (uint8_t)flags;
    context->depth = (uint8_t)depth;
    context->ordinal = (uint32_t)ordinal;
    context->stream = (uint8_t)(stream < 0 ? STREAM_OUTSIDE : stream);
    context->phase = (uint8_t)phase;
    context->demo_minute = (int16_t)minute;
    context->root_ms = (int32_t)root_ms;
    context->demo = traits & 1;
    context->joined = traits & 2;
    return true;
}

bool peers_read_ask(const struct peers *peers, struct cursor params, struct far_ask *ask)
{
    struct trace_state state = {.bad = false};
    uint32_t fields = cursor_array(&params);
    int from = service_named(peers, cursor_text(&params));
    int64_t limit_us = cursor_int(&params);
    if (fields != ASK_FIELDS || from < 0 || !read_context(&params, &ask->context) ||
        !within(limit_us, -1, NEVER / NS_PER_US))
        return false;
    ask->from = (uint16_t)from;
    ask->limit_ns = limit_us < 0 ? NEVER : limit_us * NS_PER_US;
    ask->trace_state = cursor_text(&params);
    if (ask->trace_state.len)
        trace_state_add(&state, ask->trace_state);
    struct slice body = cursor_raw(&params);
    ask->body = body.at;
    ask->body_len = body.len;
    return !params.bad && !state.bad && ask->trace_state.len <= TRACE_STATE_BYTES_MAX;
}

void peers_write_answer(struct pack *pack, uint32_t id, enum status status, const struct body *body)
{
    rpc_response(pack, id, status_failed(status) ? status_info(status)->text : NULL);
    bool empty = !body || !body->len; /* which is not the same as nil */
    pack_array(pack, empty ? 1 : 2);
    pack_int(pack, status);
    if (!empty)
        pack_raw(pack, body->bytes, body->len);
}

bool peers_read_answer(const struct rpc_frame *frame, struct outbound_answer *answer)
{
    struct cursor result = frame->value;
    uint32_t fields = cursor_array(&result);
    int64_t status = cursor_int(&result);
    if (result.bad || fields < 1 || fields > 2 || !within(status, 0, STATUS_COUNT - 1))
        return false;
    answer->status = (enum status)status;
    if (fields == 1)
        return true;
    struct slice body = cursor_raw(&result);
    answer->body = body.at;
    answer->body_len = body.len;
    return !result.bad;
}

/* ---- greetings ---- */

void peers_write_greeting(const struct peers *peers, struct pack *pack, uint32_t id)
{
    const struct peer_run *run = &peers->options.run;
    rpc_request(pack, id, "greet");
    pack_array(pack, GREETING_FIELDS);
    pack_int(pack, PEER_PROTOCOL);
    pack_text(pack, run->version);
    pack_int(pack, (int64_t)run->scenario);
    pack_int(pack, (int64_t)run->run);
}

const char *peers_differ(const struct peers *peers, struct cursor greeting, uint64_t *run)
{
    const struct peer_run *own = &peers->options.run;
    uint32_t fields = cursor_array(&greeting);
    int64_t protocol = cursor_int(&greeting);
    struct slice version = cursor_text(&greeting);
    uint64_t scenario = (uint64_t)cursor_int(&greeting);
    *run = (uint64_t)cursor_int(&greeting);
    if (greeting.bad || fields != GREETING_FIELDS)
        return "this is no greeting of doorbuster's";
    if (protocol != PEER_PROTOCOL || !slice_is(version, own->version))
        return "another version of doorbuster: all processes of a run have to be of one";
    if (scenario != own->scenario)
        return "another scenario: all processes of a run need the same file and the same --set";
    return NULL;
}
