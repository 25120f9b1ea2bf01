/*
 * far: asks that cross from one process of a run to another. Every process has the whole world by name and index, so that
 * figures and messages mean the same everywhere; those that it does not host are `away`, and what is asked of them
 * leaves through the sink.
 */
#include "core/parts.h"

void far_ask(struct world *world, const struct actor *from, const struct actor *to, uint16_t route,
             uint64_t ask, int64_t deadline_ns, const struct trace_context *context, const struct body *body)
{
    if (!world->sink.far_ask || !body) {
        world_reply(world, to->index, from->index, ask, STATUS_NO_PEER, NULL);
        return;
    }
    struct far_ask leaves = {.token = ask,
                             .from = from->index,
                             .to = to->index,
                             .route = route,
                             .context = *context,
                             .limit_ns = deadline_ns == NEVER ? NEVER : MAX(deadline_ns - world->now_ns, 0),
                             .body = body->bytes,
                             .body_len = body->len};
    leaves.context.state = NULL;
    if (context->state)
        leaves.trace_state = (struct slice){(const char *)context->state->bytes, context->state->len};
    world->sink.far_ask(world->sink.owner, &leaves);
}

void far_cancel(struct world *world, const struct actor *from, const struct actor *to, uint64_t ask)
{
    if (to->away) {
        if (world->sink.far_cancel)
            world->sink.far_cancel(world->sink.owner, ask);
        return;
    }
    struct message *cancel = message_new(&world->messages);
    cancel->kind = MESSAGE_CANCEL;
    cancel->from = from->index;
    cancel->to = to->index;
    cancel->ask = ask;
    world_send(world, cancel);
}

/* A store takes the routes of its kind, or statements. A service answers 404 itself. */
static bool store_takes(const struct world *world, const struct actor_kind *kind, uint16_t route)
{
    size_t count = world->registry->statement_count;
    if (strcmp(kind->store, "redis") == 0)
        for (count = 0; kind->routes[count].name;)
            count++;
    return route < count;
}

/* Whoever wrote it may be hostile, or of another version. */
static bool possible(const struct world *world, const struct far_ask *ask)
{
    const struct trace_context *context = &ask->context;
    const struct scenario *scenario = world->scenario;
    if (ask->from >= world->actor_count || ask->to >= world->actor_count || world->actors[ask->to].away)
        return false;
    const struct actor_kind *kind = world->actors[ask->to].kind;
    return !(kind->store && !store_takes(world, kind, ask->route)) && ask->body_len <= BODY_BYTES_MAX &&
           ask->trace_state.len <= BODY_BYTES_MAX && ask->limit_ns >= 0 &&
           (context->stream < scenario->stream_count || context->stream == STREAM_OUTSIDE) &&
           context->phase < MAX(scenario->phase_count, 1) && context->demo_minute >= -1 &&
           context->root_ms >= -1 && context->depth < UINT8_MAX - 8;
}

bool world_far_ask(struct world *world, const struct far_ask *ask, int64_t now_ns)
{
    if (!possible(world, ask))
        return false;
    world->now_ns = MAX(world->now_ns, now_ns);
    struct body_pool *bodies = &world->messages.bodies;
    struct trace_context context = ask->context;
    struct body *body = body_new(bodies, ask->body, ask->body_len), *state = NULL;
    if (ask->trace_state.len)
        state = body_new(bodies, ask->trace_state.at, ask->trace_state.len);
    context.state = state;
    struct actor asker = {.index = (uint16_t)(ask->from | MESSAGE_FAR)};
    int64_t deadline_ns = ask->limit_ns > NEVER - world->now_ns ? NEVER : world->now_ns + ask->limit_ns;
    world_ask(world, &asker, &world->actors[ask->to], ask->route, ask->token, deadline_ns, &context, body);
    body_unref(bodies, state);
    return true;
}

void world_far_cancel(struct world *world, uint16_t from, uint16_t to, uint64_t token, int64_t now_ns)
{
    if (from >= world->actor_count || to >= world->actor_count || world->actors[to].away ||
        !world->actors[to].kind->store)
        return;
    world->now_ns = MAX(world->now_ns, now_ns);
    struct actor asker = {.index = (uint16_t)(from | MESSAGE_FAR)};
    far_cancel(world, &asker, &world->actors[to], token);
}
