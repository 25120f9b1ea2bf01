/* journey: what a customer's call has that a route's has not - requests that are traces of their own, pauses to
   think, and an end that traffic's end may bring. */
#include "core/parts.h"

enum { PURPOSE_THINK = 0x700, PURPOSE_SESSION };

/* Of the journey, wherever it runs: virtual or live, by mailbox or by HTTP. */
static void name_session(struct call *call)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t bits = draw(call->actor->world->seed, call->context.trace_lo, PURPOSE_SESSION, 0).a;
    for (size_t i = 0; i < SESSION_DIGITS; i++, bits >>= 4)
        call->session[i] = digits[bits & 15];
}

void journey_begin(struct call *call, struct arrivals *arrivals, uint64_t number, int64_t intended_at_ns)
{
    struct world *world = call->actor->world;
    arrivals->under_way++;
    call->root = true;
    call->number = number;
    call->intended_at_ns = intended_at_ns;
    call->context = trace_root(world->seed, arrivals->index, number);
    call->context.stream = arrivals->index;
    call->context.demo = arrivals->spec->demo;
    world_date(world, &call->context, intended_at_ns);
    call->below = call->context;
    call->deadline_ns = call->step_deadline_ns = NEVER;
    /* A journey has no span of its own; its draws hang on the root's trace. */
    call->server.id = call->context.trace_lo;
    call->server.attrs.count = 0;
    if (call->route->visit)
        name_session(call);
}

void journey_end(struct call *call)
{
    call->actor->world->arrivals[call->context.stream].under_way--;
}

/* ---- requests ---- */

/* The first one's start was meant for the instant at which the journey's was. */
void journey_request(struct call *call)
{
    struct world *world = call->actor->world;
    if (call->intended_at_ns == NEVER) {
        struct trace_context fresh =
            trace_root(world->seed, call->context.stream, call->number | (uint64_t)call->step << 48);
        call->below.trace_hi = fresh.trace_hi;
        call->below.trace_lo = fresh.trace_lo;
        call->intended_at_ns = world->now_ns;
        world_date(world, &call->below, world->now_ns);
    }
    struct stream_stats *stats = &world->stats.streams[call->context.stream];
    stats->started++;
    stats->in_flight++;
}

void journey_requested(struct call *call)
{
    if (call->route->visit)
        attrs_text_len(&call->span.attrs, ATTR_SESSION_ID, call->session, SESSION_DIGITS);
}

/* A request of ours that is refused as wrong, or asks for what is not there, has failed its customer. */
void journey_answered(struct call *call, enum status status)
{
    struct world *world = call->actor->world;
    bool failed = status_failed(status) || status == STATUS_BAD_INPUT || status == STATUS_NOT_FOUND;
    struct stream_stats *stats = &world->stats.streams[call->context.stream];
    stats->in_flight--;
    stats_seen(stats, world_timeline(world, call->intended_at_ns), failed);
    stats_root(stats, world_counted(world, call->intended_at_ns), world->now_ns - call->intended_at_ns,
               failed);
    world->stats.traces++;
    call->intended_at_ns = NEVER;
}

/* ---- pauses ---- */

bool journey_over(const struct call *call)
{
    const struct world *world = call->actor->world;
    return world->arrivals[call->context.stream].stopped || world->now_ns >= world_end(world);
}

bool journey_thinks(struct call *call)
{
    struct world *world = call->actor->world;
    const struct visit_spec *visit = call_visit(call);
    if (journey_over(call))
        return false;
    double mean_ns = (double)visit->think_mean_ns;
    double think_ns =
        mean_ns * draw_exponential(draw(world->seed, call->server.id, PURPOSE_THINK, call->step).a);
    int64_t until_ns = world->now_ns + (int64_t)MIN(think_ns, (double)visit->think_max_ns);
    call_arm(call, MIN(until_ns, world_end(world)));
    return true;
}

void journeys_stop(struct world *world)
{
    for (uint32_t slot = 0; slot < world->calls.count; slot++) {
        struct call *call = slab_at(&world->calls, slot);
        if (call && call->root && call->route->steps[call->step].step->kind == STEP_THINK &&
            journey_over(call))
            call_quit(call);
    }
}
