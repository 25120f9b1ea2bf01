/*
 * script: faults of a route that nothing causes - a delay or a failure by keyed draw. Only scenarios with
 * `physics: scripted` have them.
 *
 * Which one acts is decided by the instant at which the root was meant to start, never by the clock: so a
 * seed gives the same traces whoever drives the world. Of several on one route the newest acts alone.
 */
#include "core/parts.h"

#include "core/text.h"

enum { PURPOSE_DELAY = 0x500, PURPOSE_FAILURE };
/* What a scripted failure says it has waited. */
#define ACQUIRE_TIMEOUT_MS 5000
#define ACQUIRE_TIMEOUT_ERROR "SQLSTATE[08006]: Connection timeout after 5000ms"

_Static_assert(FAULTS_MAX <= 64, "a route's faults are bits of one word");

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
    struct bound_route *route = route_of(world, fault);
    if (route)
        route->script |= UINT64_C(1) << index;
    return route != NULL;
}

static struct fault_stats *acting(const struct call *call, enum fault_kind kind)
{
    struct fault_stats *newest = NULL, *faults = call->actor->world->stats.faults;
    int64_t root_ns = call->context.root_ms * NS_PER_MS;
    for (uint64_t left = call->route->script; left; left &= left - 1) {
        struct fault_stats *fault = &faults[__builtin_ctzll(left)];
        bool begun = fault->spec.kind == kind && fault->spec.at_ns <= root_ns;
        if (begun && (!newest || fault->spec.at_ns >= newest->spec.at_ns))
            newest = fault;
    }
    return newest;
}

static double chance(const struct call *call, uint32_t purpose)
{
    return draw_uniform(draw(call->actor->world->seed, call->server.id, purpose, 0).a);
}

bool script_delays(struct call *call)
{
    struct fault_stats *fault = call->route->script ? acting(call, FAULT_ROUTE_DELAY) : NULL;
    if (!fault || fault->spec.most <= 0)
        return false;
    const struct fault_spec *spec = &fault->spec;
    int64_t delay_ns = (int64_t)(spec->value + chance(call, PURPOSE_DELAY) * (spec->most - spec->value));
    fault->requests++;
    attrs_bool(&call->server.attrs, ATTR_DB_SIM_SLOW, true);
    attrs_real(&call->server.attrs, ATTR_DB_SIM_DELAY_MS, (double)delay_ns / 1e6);
    call->delayed = true;
    call_arm(call, call->actor->world->now_ns + delay_ns);
    return true;
}

/* The pool that it would have waited for: of the route's first statement, else the service's first. */
static const struct pool *pool_of(const struct call *call)
{
    for (size_t i = 0; i < call->route->step_count; i++)
        if (call->route->steps[i].pool)
            return call->route->steps[i].pool;
    return call->actor->pool_count ? &call->actor->pools[0].pool : NULL;
}

static void describe(struct call *call, const struct pool *pool, double rate)
{
    struct attrs *attrs = &call->server.attrs;
    if (pool) {
        attrs_int(attrs, ATTR_POOL_SIZE, pool->max);
        attrs_int(attrs, ATTR_POOL_ACTIVE, pool->max);
        attrs_real(attrs, ATTR_POOL_UTILIZATION, 100);
    }
    attrs_real(attrs, ATTR_POOL_WAIT_MS, ACQUIRE_TIMEOUT_MS);
    attrs_bool(attrs, ATTR_POOL_EXHAUSTED, true);
    attrs_real(attrs, ATTR_DEMO_FAILURE_RATE, rate);
}

static void log_failure(const struct call *call, const struct pool *pool, const struct fault_stats *fault)
{
    struct log_record record = {.body = LOG_BODY_POOL_EXHAUSTED,
                                .severity = LOG_ERROR,
                                .service = call->actor->index,
                                .at_ns = call->actor->world->now_ns,
                                .trace_hi = call->server.trace_hi,
                                .trace_lo = call->server.trace_lo,
                                .span = call->server.id};
    struct text rate = {0};
    text_fixed(&rate, fault->spec.value * 100, 1);
    text_char(&rate, '%');
    if (pool) {
        attrs_int(&record.attrs, ATTR_LOG_MAX_CONNECTIONS, pool->max);
        attrs_int(&record.attrs, ATTR_LOG_ACTIVE_CONNECTIONS, pool->max);
    }
    attrs_real(&record.attrs, ATTR_LOG_WAIT_MS, ACQUIRE_TIMEOUT_MS);
    attrs_int(&record.attrs, ATTR_LOG_REJECTED, (int64_t)fault->failed);
    attrs_int(&record.attrs, ATTR_LOG_DEMO_MINUTE, call->context.demo_minute);
    attrs_text(&record.attrs, ATTR_LOG_FAILURE_RATE, text_c(&rate));
    attrs_text(&record.attrs, ATTR_LOG_RECOMMENDATION, "Enable read replicas or increase max_connections");
    world_log(call->actor->world, &record);
    text_fini(&rate);
}

static void explain(struct call *call, struct pack *pack)
{
    (void)call;
    pack_array(pack, 1);
    pack_text(pack, ACQUIRE_TIMEOUT_ERROR);
}

void script_fails(struct call *call)
{
    struct fault_stats *fault = call->route->script ? acting(call, FAULT_ROUTE_FAILURES) : NULL;
    if (!fault)
        return;
    fault->requests++;
    if (chance(call, PURPOSE_FAILURE) >= fault->spec.value)
        return;
    fault->failed++;
    const struct pool *pool = pool_of(call);
    describe(call, pool, fault->spec.value);
    log_failure(call, pool, fault);
    call_reply(call, STATUS_POOL_EXHAUSTED, explain);
}

bool script_landed(const struct fault_stats *stats, struct text *evidence)
{
    const struct fault_spec *spec = &stats->spec;
    bool fails = spec->kind == FAULT_ROUTE_FAILURES;
    if (fails) {
        text_count(evidence, stats->failed);
        text_str(evidence, " of ");
    }
    text_count(evidence, stats->requests);
    text_str(evidence, " requests of ");
    text_str(evidence, spec->route);
    text_str(evidence, fails ? " failed" : " delayed");
    /* Nothing is to be seen of one that mends. */
    return (fails ? stats->failed > 0 : stats->requests > 0) || (fails ? spec->value : spec->most) <= 0;
}
