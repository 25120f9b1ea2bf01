/* ask: a step that asks another service, or a command to the cache - one CLIENT span, one answer, one limit. */
#include "core/parts.h"

struct body *ask_open(struct call *call, const struct bound_step *bound)
{
    struct world *world = call->actor->world;
    const struct step *step = bound->step;
    int64_t limit_at_ns = step->limit_ms ? world->now_ns + step->limit_ms * NS_PER_MS : NEVER;
    call->step_deadline_ns = MIN(limit_at_ns, call->deadline_ns);
    world->stats.asks++;
    span_open(&call->span, bound->site, world->seed, &call->below, call->step + 1u, world->now_ns);
    struct pack *pack = world_pack(world);
    if (step->body)
        step->body(call, pack);
    else
        pack_array(pack, 0);
    return world_body(world, pack);
}

void ask_begin(struct call *call, const struct bound_step *bound)
{
    struct world *world = call->actor->world;
    if (call->root)
        journey_request(call);
    struct body *body = ask_open(call, bound);
    if (call->root)
        journey_requested(call);
    if (bound->site->path_template && body)
        call->span.path_param = call_path_param(body, call->span_digits);
    struct trace_context context = span_context(&call->span, &call->below);
    if (!body) {
        ask_ended(call, bound, STATUS_FAILED);
        call_resume(call, STATUS_FAILED, NULL, cursor_of(NULL));
        return;
    }
    call_arm(call, call->step_deadline_ns);
    /* The span names the path's parameter when it ends: the body stays until then. */
    struct body *held = body_ref(body);
    body_unref(&world->messages.bodies, call->sent);
    call->sent = held;
    if (call->actor->loses && script_loses(call, bound)) {
        body_unref(&world->messages.bodies, body);
        return;
    }
    if (outbound_leaves(call, bound)) {
        outbound_begin(call, bound, &context, body);
        body_unref(&world->messages.bodies, body);
        return;
    }
    world_ask(world, call->actor, bound->to, bound->route, slab_handle(&call->item), call->step_deadline_ns,
              &context, body);
}

void ask_ended(struct call *call, const struct bound_step *bound, enum status status)
{
    struct world *world = call->actor->world;
    struct span *span = &call->span;
    int64_t took_ns = world->now_ns - span->start_ns;
    bool of_service = bound->step->kind == STEP_ASK;
    if (call->outbound)
        outbound_end(call);
    world->stats.asks_ended[status]++;
    bound->edge->calls++;
    bound->edge->errors += status_failed(status);
    histogram_add_ns(&bound->edge->latency, took_ns);
    span->status = status;
    series_record(bound_series_of(world, bound->durations,
                                  of_service ? METRIC_HTTP_CLIENT_DURATION : METRIC_DB_DURATION, span),
                  took_ns, world->now_ns, span);
    world_emit(world, span, status, world->now_ns);
    if (call->root)
        journey_answered(call, status);
}

void ask_answered(struct call *call, struct message *message)
{
    const struct bound_step *bound = &call->route->steps[call->step];
    ask_ended(call, bound, message->status);
    call_resume(call, message->status, message->body, cursor_of(message->body));
}
