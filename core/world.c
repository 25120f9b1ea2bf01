/* world: mailboxes, turns and time; the messages between actors and what leaves through the sink. */
#include "core/parts.h"

#include <stdlib.h>

struct world *world_new(const struct world_options *options)
{
    struct world *world = base_alloc(1, sizeof *world);
    world->scenario = options->scenario;
    world->registry = options->registry;
    world->seed = options->seed;
    world->sink = options->sink;
    world->from_ns = options->from_ns;
    world->history_ns = options->history_ns;
    timeline_end_at(world, options->duration_ns);
    world->sample_at_ns = -1;
    world->now_ns = MAX(MAX(options->from_ns - NS_PER_MIN, 0), options->begin_ns);
    world->zero_ns = world->last_zero_ns = options->demo_waits ? NEVER : 0;
    world->pack.bytes = base_alloc(BODY_BYTES_MAX, 1);
    uint32_t calls_max = options->calls_max ? options->calls_max : CALLS_MAX;
    slab_init(&world->calls, sizeof(struct call), calls_max);
    slab_init(&world->queries, sizeof(struct query), calls_max);
    stats_start(world);
    for (size_t i = 0; options->hosts && i < options->registry->kind_count; i++)
        world->metrics.away |= (uint64_t)!options->hosts[i] << i;
    bind_world(world);
    faults_bind(world);
    world->alerts = alerts_new(world);
    timeline_start(world);
    for (size_t i = 0; i < world->actor_count; i++)
        if (world->actors[i].kind->start && !world->actors[i].away)
            world->actors[i].kind->start(&world->actors[i]);
    load_start(world);
    stretches_start(world);
    timeline_arm_sample(world);
    return world;
}

/* What is still under way holds bodies. */
static void drop_calls(struct world *world)
{
    struct body_pool *bodies = &world->messages.bodies;
    for (uint32_t slot = 0; slot < world->calls.count; slot++) {
        struct call *call = slab_at(&world->calls, slot);
        if (!call)
            continue;
        body_unref(bodies, call->request);
        body_unref(bodies, call->context.state);
        body_unref(bodies, call->kept);
        body_unref(bodies, call->sent);
    }
    for (uint32_t slot = 0; slot < world->queries.count; slot++) {
        struct query *query = slab_at(&world->queries, slot);
        if (!query)
            continue;
        body_unref(bodies, query->params);
        body_unref(bodies, query->context.state);
    }
}

void world_free(struct world *world)
{
    for (size_t i = 0; i < world->actor_count; i++) {
        struct actor *actor = &world->actors[i];
        if (actor->kind->stop && !actor->away)
            actor->kind->stop(actor);
        for (struct message *message; (message = mailbox_take(&actor->mailbox));)
            message_free(&world->messages, message);
    }
    drop_calls(world);
    alerts_free(world->alerts);
    unbind_world(world);
    stats_free(world);
    metrics_fini(&world->metrics);
    slab_fini(&world->calls);
    slab_fini(&world->queries);
    message_pool_fini(&world->messages);
    due_fini(&world->due);
    free(world->plans);
    free(world->pack.bytes);
    free(world);
}

void world_stop_traffic(struct world *world)
{
    load_stop(world, false);
    timeline_cancel(world);
    due_cancel(&world->due, &world->sample);
}

bool world_idle(const struct world *world)
{
    return !world->calls.live && !world->queries.live;
}

void world_finish(struct world *world)
{
    stats_sample(world);
    if (world->sink.metrics)
        world->sink.metrics(world->sink.owner, &world->metrics, world->now_ns);
    faults_judge(world);
    expects_judge(world);
}

/* ---- turns ---- */

int64_t world_next_at(const struct world *world)
{
    return world->ready_first ? world->now_ns : due_next_at(&world->due);
}

static void make_ready(struct world *world, struct actor *actor)
{
    if (actor->ready)
        return;
    actor->ready = true;
    actor->next_ready = NULL;
    if (world->ready_last)
        world->ready_last->next_ready = actor;
    else
        world->ready_first = actor;
    world->ready_last = actor;
}

static void deliver_reply(struct world *world, struct message *message)
{
    bool of_query = message->ask & QUERY_HANDLE;
    if (of_query) {
        struct query *query = slab_find(&world->queries, message->ask & ~QUERY_HANDLE);
        ASSERT(query); /* a query waits for its answer, however late */
        query_answered(query, message);
        return;
    }
    struct call *call = slab_find(&world->calls, message->ask);
    /* The answer of the deadline's very instant loses. */
    if (call && world->now_ns < call->step_deadline_ns)
        ask_answered(call, message);
    else
        world->stats.late_replies++;
}

static void handle(struct actor *actor, struct message *message)
{
    if (message->kind == MESSAGE_REPLY)
        deliver_reply(actor->world, message);
    else if (actor->kind->receive)
        actor->kind->receive(actor, message);
    else if (message->kind == MESSAGE_ASK)
        call_begin(actor, message);
    message_free(&actor->world->messages, message);
}

/* Behind all that are ready if there is more for it to do. */
static void end_turn(struct world *world, struct actor *actor)
{
    world->turn_taken = 0;
    world->ready_first = actor->next_ready;
    if (!world->ready_first)
        world->ready_last = NULL;
    actor->ready = false;
    if (actor->mailbox.first)
        make_ready(world, actor);
}

/* Lets actors take their messages, a bounded number each before the next one's turn. Whoever is in the
   middle of a turn stays first in line, so it does not matter where max_events cuts. */
static unsigned run_ready(struct world *world, unsigned max_events)
{
    unsigned events = 0;
    while (world->ready_first && events < max_events) {
        struct actor *actor = world->ready_first;
        bool may = world->turn_taken < TURN_MESSAGES_MAX;
        struct message *message = may ? mailbox_take(&actor->mailbox) : NULL;
        if (!message) {
            end_turn(world, actor);
            continue;
        }
        world->turn_taken++;
        events++;
        handle(actor, message);
    }
    return events;
}

unsigned world_turn(struct world *world, int64_t now_ns, unsigned max_events)
{
    unsigned events = 0;
    world->now_ns = MAX(world->now_ns, now_ns);
    for (;;) {
        events += run_ready(world, max_events - events);
        if (events >= max_events)
            return events;
        struct timer *timer = due_pop(&world->due, world->now_ns);
        if (!timer)
            return events;
        timer->fire(timer->owner, world->now_ns);
        events++;
    }
}

/* ---- messages ---- */

void world_send(struct world *world, struct message *message)
{
    struct actor *to = &world->actors[message->to];
    bool put = mailbox_put(&to->mailbox, message);
    ASSERT(put); /* asks go through world_ask */
    make_ready(world, to);
}

void world_ask(struct world *world, const struct actor *from, struct actor *to, uint16_t route, uint64_t ask,
               int64_t deadline_ns, const struct trace_context *context, struct body *body)
{
    if (to && to->away && !to->down) {
        far_ask(world, from, to, route, ask, deadline_ns, context, body);
        body_unref(&world->messages.bodies, body);
        return;
    }
    struct message *message = message_new(&world->messages);
    message->kind = MESSAGE_ASK;
    message->from = from->index;
    message->to = to ? to->index : from->index;
    message->route = route;
    message->ask = ask;
    message->deadline_ns = deadline_ns;
    message->context = *context;
    body_ref(context->state);
    message->body = body;
    enum status refused = !to || to->down ? STATUS_NO_PEER : STATUS_OVERLOADED;
    if (refused == STATUS_OVERLOADED && mailbox_put(&to->mailbox, message)) {
        to->stats->asks_peak = MAX(to->stats->asks_peak, to->mailbox.asks);
        make_ready(world, to);
        return;
    }
    world->stats.mailbox_refused += refused == STATUS_OVERLOADED;
    route_unmet(world, to && route < to->route_count ? &to->routes[route] : NULL);
    world_reply(world, message->to, from->index, ask, refused, NULL);
    message_free(&world->messages, message);
}

/* The context of a request from outside: of a trace of its own, or of whose it joins. */
static struct trace_context stranger(struct world *world, const struct world_request *request)
{
    struct trace_context context = trace_root(world->seed, STREAM_OUTSIDE, world->outside);
    if (request->joins) {
        context.trace_hi = request->trace_hi;
        context.trace_lo = request->trace_lo;
        context.span = request->parent;
        context.flags = request->flags;
        context.depth = 1;
        context.joined = true;
    }
    /* From 1 on: 0 is the child that a request of this world's own has. */
    context.ordinal = (uint32_t)++world->outside;
    context.demo = request->demo;
    world_date(world, &context, world->now_ns);
    return context;
}

void world_request(struct world *world, const struct world_request *request, int64_t now_ns)
{
    ASSERT(request->service < world->actor_count && request->body_len <= BODY_BYTES_MAX);
    struct actor *to = &world->actors[request->service];
    world->now_ns = MAX(world->now_ns, now_ns);
    int64_t deadline_ns = world->now_ns + request->limit_ns;
    struct call *own = outbound_arrives(world, request);
    struct trace_context context;
    if (own) {
        context = span_context(&own->span, &own->below);
        deadline_ns = MIN(deadline_ns, own->step_deadline_ns);
    } else {
        context = stranger(world, request);
    }
    struct actor outside = {.index = OUTSIDE};
    struct body_pool *bodies = &world->messages.bodies;
    struct body *body = body_new(bodies, request->body, request->body_len), *state = NULL;
    if (request->joins && request->trace_state.len)
        context.state = state = body_new(bodies, request->trace_state.at, request->trace_state.len);
    world_ask(world, &outside, to, (uint16_t)request->route, request->token, deadline_ns, &context, body);
    body_unref(bodies, state);
}

void world_answer(struct world *world, const struct outbound_answer *answer, int64_t now_ns)
{
    ASSERT(answer->body_len <= BODY_BYTES_MAX);
    world->now_ns = MAX(world->now_ns, now_ns);
    struct body *body = body_new(&world->messages.bodies, answer->body, answer->body_len);
    /* Whoever waits is found by the token; any mailbox brings it there. */
    world_reply(world, 0, 0, answer->token, answer->status, body);
}

void world_reply(struct world *world, uint16_t from, uint16_t to, uint64_t ask, enum status status,
                 struct body *body)
{
    if (to & MESSAGE_FAR) {
        const struct sink *sink = &world->sink;
        void (*answer)(void *, uint64_t, enum status, const struct body *) =
            to == OUTSIDE ? sink->answer : sink->far_answer;
        if (answer)
            answer(sink->owner, ask, status, body);
        body_unref(&world->messages.bodies, body);
        return;
    }
    struct message *message = message_new(&world->messages);
    message->kind = MESSAGE_REPLY;
    message->from = from;
    message->to = to;
    message->ask = ask;
    message->status = status;
    message->body = body;
    world_send(world, message);
}

struct pack *world_pack(struct world *world)
{
    world->pack.len = 0;
    world->pack.overflow = false;
    return &world->pack;
}

struct body *world_body(struct world *world, const struct pack *pack)
{
    return pack->overflow ? NULL : body_new(&world->messages.bodies, pack->bytes, pack->len);
}

/* ---- what leaves ---- */

void world_emit(struct world *world, struct span *span, enum status status, int64_t end_ns)
{
    struct service_stats *service = &world->stats.services[span->site->service];
    span->status = status;
    span->end_ns = end_ns;
    world->stats.spans++;
    world->stats.max_depth = MAX(world->stats.max_depth, span->depth);
    service->spans++;
    service->errors += status_failed(status);
    if (span->site->kind == SPAN_SERVER)
        histogram_add_ns(&service->latency, end_ns - span->start_ns);
    if (world->sink.span)
        world->sink.span(world->sink.owner, span);
}

void world_log(struct world *world, struct log_record *record)
{
    world->stats.logs[record->body]++;
    if (world->sink.log)
        world->sink.log(world->sink.owner, record);
}

/* ---- for who drives and who reads ---- */

int64_t world_now(const struct world *world)
{
    return world->now_ns;
}

uint64_t world_seed(const struct world *world)
{
    return world->seed;
}

const struct run_stats *world_stats(const struct world *world)
{
    return &world->stats;
}

const struct metrics *world_metrics(const struct world *world)
{
    return &world->metrics;
}

size_t world_service_count(const struct world *world)
{
    return world->actor_count;
}

bool world_hosts(const struct world *world, size_t index)
{
    return !world->actors[index].away;
}

const struct actor_kind *world_service(const struct world *world, size_t index)
{
    return world->actors[index].kind;
}

size_t world_site_count(const struct world *world)
{
    return world->site_count;
}

const struct span_site *world_site(const struct world *world, size_t id)
{
    return world->sites[id];
}
