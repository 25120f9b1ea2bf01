/*
 * outbound: requests that leave the world through the sink and come back in through its front door.
 *
 * A request from outside that names the span of such a one is taken for it: span ids are 64 drawn bits, known
 * only to whoever was sent them. So it keeps what a header does not carry, and its trace is the one that a
 * mailbox would have given it.
 */
#include "core/parts.h"

/* Ids are drawn: any bits of them spread evenly. */
static struct call **bucket_of(struct world *world, uint64_t span)
{
    return &world->outbound[span % OUTBOUND_BUCKETS];
}

bool outbound_leaves(const struct call *call, const struct bound_step *bound)
{
    const struct world *world = call->actor->world;
    return call->root && world->scenario->streams[call->context.stream].via_http && bound->to &&
           bound->route < bound->to->route_count;
}

void outbound_begin(struct call *call, const struct bound_step *bound, const struct trace_context *context,
                    const struct body *body)
{
    struct world *world = call->actor->world;
    uint16_t load = call->actor->index;
    if (!world->sink.ask) {
        world_reply(world, load, load, slab_handle(&call->item), STATUS_NO_PEER, NULL);
        return;
    }
    struct call **bucket = bucket_of(world, call->span.id);
    call->outbound = true;
    call->arrived = false;
    call->next_outbound = *bucket;
    *bucket = call;
    struct outbound_ask ask = {.token = slab_handle(&call->item),
                               .service = bound->to->kind,
                               .route = &bound->to->kind->routes[bound->route],
                               .body = body,
                               .context = *context,
                               .limit_ns = NEVER};
    if (call->step_deadline_ns != NEVER)
        ask.limit_ns = call->step_deadline_ns - world->now_ns;
    world->sink.ask(world->sink.owner, &ask);
}

void outbound_end(struct call *call)
{
    struct call **link = bucket_of(call->actor->world, call->span.id);
    while (*link != call)
        link = &(*link)->next_outbound;
    *link = call->next_outbound;
    call->outbound = false;
}

struct call *outbound_arrives(struct world *world, const struct world_request *request)
{
    if (!request->joins)
        return NULL;
    for (struct call *call = *bucket_of(world, request->parent); call; call = call->next_outbound) {
        const struct bound_step *bound = &call->route->steps[call->step];
        if (call->span.id != request->parent || call->span.trace_lo != request->trace_lo ||
            call->span.trace_hi != request->trace_hi || call->arrived ||
            bound->to->index != request->service || bound->route != request->route)
            continue;
        call->arrived = true;
        return call;
    }
    return NULL;
}
