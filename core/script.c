/*
 * script: faults that nothing causes - a route's delay or failure, an ask that gets lost - by keyed draw.
 * Only scenarios with `physics: scripted` have them.
 *
 * Which one acts, and at which of its steps, is decided by the instant at which the root was meant to start,
 * never by the clock: so a seed gives the same traces whoever drives the world. Of several on one route the
 * newest acts alone.
 */
#include "core/parts.h"

#include "core/text.h"

enum { PURPOSE_DELAY = 0x500, PURPOSE_FAILURE, PURPOSE_LOSS };

_Static_assert(FAULTS_MAX <= 64, "a route's faults are bits of one word");

/* ---- which one acts ---- */

static struct bound_route *route_of(struct world *world, const struct fault_spec *fault)
{
    struct actor *actor = fault->target ? bind_actor(world, fault->target) : NULL;
    for (size_t i = 0; actor && fault->route && i < actor->route_count; i++)
        if (actor->routes[i].site && strcmp(actor->routes[i].route->name, fault->route) == 0)
            return &actor->routes[i];
    return NULL;
}

bool script_bind(struct world *world, const struct fault_spec *fault, size_t index)
{
    uint64_t *mask = NULL;
    if (fault->kind != FAULT_MESSAGE_LOSS) {
        struct bound_route *route = route_of(world, fault);
        mask = route ? &route->script : NULL;
    } else if (bind_actor(world, fault->target)) {
        struct actor *asker = bind_actor(world, fault->route);
        mask = asker ? &asker->loses : NULL;
    }
    if (mask)
        *mask |= UINT64_C(1) << index;
    return mask != NULL;
}

/* What the fault does to a root of that instant; a step without effect where none has come yet. */
static struct script_step step_at(const struct fault_spec *spec, int64_t root_ns)
{
    struct script_step acts = {.at_ns = spec->at_ns, .low = spec->value, .high = spec->most};
    if (spec->step_count)
        acts.low = acts.high = 0;
    for (size_t i = 0; i < spec->step_count && spec->steps[i].at_ns <= root_ns; i++)
        acts = spec->steps[i];
    return acts;
}

/* The newest of this kind among the faults of a mask; `target` NULL: whomever it acts on. */
static struct fault_stats *newest(struct world *world, uint64_t mask, enum fault_kind kind,
                                  const char *target, int64_t root_ns)
{
    struct fault_stats *found = NULL;
    for (uint64_t left = mask; left; left &= left - 1) {
        struct fault_stats *fault = &world->stats.faults[__builtin_ctzll(left)];
        const struct fault_spec *spec = &fault->spec;
        if (spec->kind != kind || spec->at_ns > root_ns || (target && strcmp(spec->target, target) != 0))
            continue;
        if (!found || spec->at_ns >= found->spec.at_ns)
            found = fault;
    }
    return found;
}

static int64_t root_of(const struct trace_context *context)
{
    return context->root_ms * NS_PER_MS;
}

static struct fault_stats *acting(const struct call *call, enum fault_kind kind)
{
    return newest(call->actor->world, call->route->script, kind, NULL, root_of(&call->context));
}

static double chance(const struct call *call, uint64_t span, uint32_t purpose)
{
    return draw_uniform(draw(call->actor->world->seed, span, purpose, 0).a);
}

static void hold(struct call *call, struct fault_stats *fault, int64_t hold_ns)
{
    call->script = fault;
    call->script_since_ns = call->actor->world->now_ns;
    call_arm(call, call->script_since_ns + hold_ns);
}

static struct log_record record_of(const struct call *call, enum log_body body, enum log_severity severity)
{
    return (struct log_record){.body = body,
                               .severity = severity,
                               .service = call->actor->index,
                               .at_ns = call->actor->world->now_ns,
                               .trace_hi = call->server.trace_hi,
                               .trace_lo = call->server.trace_lo,
                               .span = call->server.id,
                               .flags = call->server.flags};
}

/* ---- failures: as of a pool whose connections are all taken ---- */

/* The pool that it would have waited for: of the route's first statement, else the service's first. */
static const struct pool *pool_of(const struct call *call)
{
    for (size_t i = 0; i < call->route->step_count; i++)
        if (call->route->steps[i].pool)
            return call->route->steps[i].pool;
    return call->actor->pool_count ? &call->actor->pools[0].pool : NULL;
}

static void describe(struct call *call, const struct pool *pool, double waited_ms, double rate,
                     bool exhausted)
{
    struct attrs *attrs = &call->server.attrs;
    if (pool) {
        attrs_int(attrs, ATTR_POOL_SIZE, pool->max);
        attrs_int(attrs, ATTR_POOL_ACTIVE, pool->max);
        attrs_real(attrs, ATTR_POOL_UTILIZATION, 100);
    }
    attrs_real(attrs, ATTR_POOL_WAIT_MS, waited_ms);
    attrs_bool(attrs, ATTR_POOL_EXHAUSTED, exhausted);
    attrs_real(attrs, ATTR_DEMO_FAILURE_RATE, rate);
}

static void log_failure(const struct call *call, const struct pool *pool, const struct fault_stats *fault,
                        double waited_ms, double share)
{
    struct log_record record = record_of(call, LOG_BODY_POOL_EXHAUSTED, LOG_ERROR);
    struct text rate = {0};
    text_fixed(&rate, share * 100, 1);
    text_char(&rate, '%');
    if (pool) {
        attrs_int(&record.attrs, ATTR_LOG_MAX_CONNECTIONS, pool->max);
        attrs_int(&record.attrs, ATTR_LOG_ACTIVE_CONNECTIONS, pool->max);
    }
    attrs_real(&record.attrs, ATTR_LOG_WAIT_MS, waited_ms);
    attrs_int(&record.attrs, ATTR_LOG_REJECTED, (int64_t)fault->failed);
    attrs_int(&record.attrs, ATTR_LOG_DEMO_MINUTE, call->context.demo_minute);
    attrs_text(&record.attrs, ATTR_LOG_FAILURE_RATE, text_c(&rate));
    attrs_text(&record.attrs, ATTR_LOG_RECOMMENDATION, "Enable read replicas or increase max_connections");
    world_log(call->actor->world, &record);
    text_fini(&rate);
}

/* The limit that it names is the one that has passed; of a failure that comes at once, the pool's. */
static void explain(struct call *call, struct pack *pack)
{
    const struct pool *pool = pool_of(call);
    const struct fault_stats *fault = acting(call, FAULT_ROUTE_FAILURES);
    int64_t limit_ns = fault->spec.after_ns;
    if (!limit_ns && pool)
        limit_ns = pool->acquire_timeout_ns;
    struct text text = {0};
    text_lit(&text, "SQLSTATE[08006]: Connection timeout after ");
    text_i64(&text, limit_ns / NS_PER_MS);
    text_lit(&text, "ms");
    pack_array(pack, 1);
    pack_text_len(pack, text.bytes, text.len);
    text_fini(&text);
}

static void end_failing(struct call *call, const struct fault_stats *fault, int64_t waited_ns, bool cut)
{
    const struct pool *pool = pool_of(call);
    double share = step_at(&fault->spec, root_of(&call->context)).low, waited_ms = (double)waited_ns / 1e6;
    describe(call, pool, waited_ms, share, !cut);
    if (cut)
        return;
    if (call->route->route->lost)
        call->route->route->lost(call);
    log_failure(call, pool, fault, waited_ms, share);
    call_reply(call, STATUS_POOL_EXHAUSTED, explain);
}

static bool fails(struct call *call)
{
    struct fault_stats *fault = acting(call, FAULT_ROUTE_FAILURES);
    if (!fault)
        return false;
    fault->requests++;
    if (chance(call, call->server.id, PURPOSE_FAILURE) >= step_at(&fault->spec, root_of(&call->context)).low)
        return false;
    fault->failed++;
    route_unmet(call->actor->world, call->route);
    if (fault->spec.after_ns)
        hold(call, fault, fault->spec.after_ns);
    else
        end_failing(call, fault, 0, false);
    return fault->spec.after_ns > 0;
}

/* ---- delays: as of a query that has to scan ---- */

bool script_holds(struct call *call)
{
    struct fault_stats *fault = acting(call, FAULT_ROUTE_DELAY);
    struct script_step step = {0};
    if (fault)
        step = step_at(&fault->spec, root_of(&call->context));
    if (step.high <= 0)
        return fails(call);
    double span_ns = chance(call, call->server.id, PURPOSE_DELAY) * (step.high - step.low);
    int64_t delay_ns = (int64_t)(step.low + span_ns);
    fault->requests++;
    attrs_bool(&call->server.attrs, ATTR_DB_SIM_SLOW, true);
    attrs_real(&call->server.attrs, ATTR_DB_SIM_DELAY_MS, (double)delay_ns / 1e6);
    if (fault->spec.missing_index) {
        attrs_text(&call->server.attrs, ATTR_DB_MISSING_INDEX, fault->spec.missing_index);
        attrs_bool(&call->server.attrs, ATTR_DB_SLOW_QUERY, delay_ns > SLOW_QUERY_NS);
    }
    hold(call, fault, delay_ns);
    return true;
}

static void log_slow(const struct call *call, const struct fault_spec *spec, int64_t took_ns)
{
    struct log_record record = record_of(call, LOG_BODY_SLOW_QUERY, LOG_WARN);
    const char *takes = call->route->route->takes, first[] = "category";
    if (takes && strncmp(takes, first, sizeof first - 1) == 0) {
        struct cursor request = cursor_of(call->request);
        cursor_array(&request);
        struct slice category = cursor_text(&request);
        if (!request.bad)
            attrs_text_len(&record.attrs, ATTR_LOG_CATEGORY, category.at, category.len);
    }
    attrs_real(&record.attrs, ATTR_LOG_QUERY_MS, (double)took_ns / 1e6);
    attrs_int(&record.attrs, ATTR_LOG_DEMO_MINUTE, call->context.demo_minute);
    attrs_text(&record.attrs, ATTR_LOG_RECOMMENDED_INDEX,
               registry_index(call->actor->world->registry, spec->missing_index)->sql);
    world_log(call->actor->world, &record);
}

bool script_woken(struct call *call, bool cut)
{
    struct fault_stats *fault = call->script;
    int64_t waited_ns = call->actor->world->now_ns - call->script_since_ns;
    call->script = NULL;
    if (fault->spec.kind == FAULT_ROUTE_FAILURES) {
        end_failing(call, fault, waited_ns, cut);
        return false;
    }
    if (fault->spec.missing_index && waited_ns > SLOW_QUERY_NS)
        log_slow(call, &fault->spec, waited_ns);
    if (cut)
        route_unmet(call->actor->world, call->route);
    return !cut && fails(call);
}

/* ---- losses: the asker waits for its own limit ---- */

bool script_loses(struct call *call, const struct bound_step *bound)
{
    struct world *world = call->actor->world;
    int64_t root_ns = root_of(&call->below);
    if (!bound->to || call->step_deadline_ns == NEVER)
        return false;
    struct fault_stats *fault =
        newest(world, call->actor->loses, FAULT_MESSAGE_LOSS, bound->to->kind->service, root_ns);
    if (!fault)
        return false;
    fault->requests++;
    if (chance(call, call->span.id, PURPOSE_LOSS) >= step_at(&fault->spec, root_ns).low)
        return false;
    fault->failed++;
    if (bound->step->kind == STEP_ASK) /* a store has commands, and no routes */
        route_unmet(world, &bound->to->routes[bound->route]);
    return true;
}

/* ---- figures ---- */

void script_sample(struct world *world)
{
    if (!world->script_rate)
        return;
    double highest = 0;
    int64_t now_ns = world_timeline(world, world->now_ns);
    for (size_t a = 0; a < world->actor_count; a++)
        for (size_t i = 0; i < world->actors[a].route_count; i++) {
            uint64_t mask = world->actors[a].routes[i].script;
            const struct fault_stats *fault = newest(world, mask, FAULT_ROUTE_FAILURES, NULL, now_ns);
            if (fault)
                highest = MAX(highest, step_at(&fault->spec, now_ns).low);
        }
    world->stats.script_rate = highest;
    world->script_rate->value = highest;
}

/* Nothing is to be seen of one that mends. */
static bool mends(const struct fault_spec *spec)
{
    double most = spec->kind == FAULT_ROUTE_DELAY ? spec->most : spec->value;
    for (size_t i = 0; i < spec->step_count; i++)
        most = MAX(most, spec->steps[i].high);
    return most <= 0;
}

bool script_landed(const struct fault_stats *stats, struct text *evidence)
{
    const struct fault_spec *spec = &stats->spec;
    bool by_share = spec->kind != FAULT_ROUTE_DELAY;
    if (by_share) {
        text_count(evidence, stats->failed);
        text_str(evidence, " of ");
    }
    text_count(evidence, stats->requests);
    if (spec->kind == FAULT_MESSAGE_LOSS) {
        text_str(evidence, " asks from ");
        text_str(evidence, spec->route);
        text_str(evidence, " to ");
        text_str(evidence, spec->target);
        text_str(evidence, " lost");
    } else {
        text_str(evidence, " requests of ");
        text_str(evidence, spec->route);
        text_str(evidence, by_share ? " failed" : " delayed");
    }
    return (by_share ? stats->failed : stats->requests) > 0 || mends(spec);
}
