/* fault: applies what the scenario breaks (or mends), and proves afterwards that it landed. */
#include "core/parts.h"

#include "core/text.h"

static struct pool *pool_of(struct world *world, const char *name, size_t nth)
{
    for (size_t a = 0; a < world->actor_count; a++)
        for (size_t i = 0; i < world->actors[a].pool_count; i++)
            if (strcmp(world->actors[a].pools[i].pool.name, name) == 0 && nth-- == 0)
                return &world->actors[a].pools[i].pool;
    return NULL;
}

static void apply_to_pools(struct world *world, const struct fault_spec *fault)
{
    struct pool *pool;
    for (size_t nth = 0; (pool = pool_of(world, fault->target, nth)); nth++) {
        if (fault->kind == FAULT_POOL_MAX)
            pool_resize(pool, (int)fault->value, pool->held, world->now_ns);
        else if (fault->kind == FAULT_HOLD_CONNECTIONS)
            pool_resize(pool, pool->max, (int)fault->value, world->now_ns);
        else
            pool->acquire_timeout_ns = (int64_t)fault->value;
    }
}

static void calls_to(const struct world *world, const char *service, uint64_t *calls, uint64_t *errors)
{
    *calls = *errors = 0;
    for (size_t i = 0; i < world->stats.edge_count; i++)
        if (strcmp(world->stats.edges[i].to, service) == 0) {
            *calls += world->stats.edges[i].calls;
            *errors += world->stats.edges[i].errors;
        }
}

/* How often what the fault acts on has been met: by those who ask the pools, or the service. */
static uint64_t touched(struct world *world, const struct fault_spec *fault)
{
    uint64_t calls, errors, asked = 0;
    const struct pool *pool;
    if (fault->kind == FAULT_POOL_MAX || fault->kind == FAULT_HOLD_CONNECTIONS ||
        fault->kind == FAULT_ACQUIRE_TIMEOUT) {
        for (size_t nth = 0; (pool = pool_of(world, fault->target, nth)); nth++)
            asked += pool->stats->acquired + pool->stats->timeouts + pool->stats->refused;
        return asked;
    }
    if (fault->kind == FAULT_QUERY_DELAY) {
        const struct actor *actor = bind_actor(world, fault->target);
        return !actor ? 0 : fault->value > 0 ? actor->queries_delayed : actor->queries;
    }
    if (fault->kind < FAULT_SERVICE_DOWN || fault->kind > FAULT_SERVICE_SLOW)
        return 0;
    calls_to(world, fault->target, &calls, &errors);
    return fault->kind == FAULT_SERVICE_DOWN ? errors : calls;
}

/* What a fault that plays a slow or a full database does, in the words that such logs have. */
static void describe_simulation(struct world *world, const struct fault_spec *fault, struct attrs *attrs)
{
    const struct pool *pool = fault->kind == FAULT_HOLD_CONNECTIONS ? pool_of(world, fault->target, 0) : NULL;
    if (pool) {
        attrs_text(attrs, ATTR_LOG_SIMULATION_TYPE, "connection_pool_exhaustion");
        attrs_int(attrs, ATTR_LOG_CONNECTIONS_HELD, (int64_t)fault->value);
        attrs_int(attrs, ATTR_LOG_POOL_MAX, pool->max);
        attrs_real(attrs, ATTR_LOG_UTILIZATION, 100 * (pool->used + fault->value) / pool->max);
    } else if (fault->kind == FAULT_QUERY_DELAY) {
        attrs_text(attrs, ATTR_LOG_SIMULATION_TYPE, "slow_queries");
        attrs_real(attrs, ATTR_LOG_DELAY_MS, fault->value / 1e6);
    }
}

static void log_fault(struct world *world, const struct fault_spec *fault)
{
    struct log_record record = {.body = LOG_BODY_FAULT,
                                .severity = LOG_INFO,
                                .at_ns = world->now_ns,
                                .service = world->load ? world->load->index : 0};
    attrs_text(&record.attrs, ATTR_LOG_FAULT, fault_kind_name(fault->kind));
    attrs_text(&record.attrs, ATTR_LOG_ACTION, fault->target);
    attrs_int(&record.attrs, ATTR_LOG_DEMO_MINUTE, world_timeline(world, world->now_ns) / NS_PER_MIN);
    describe_simulation(world, fault, &record.attrs);
    world_log(world, &record);
}

void fault_apply(struct world *world, size_t index)
{
    const struct fault_spec *fault = &world->stats.faults[index].spec;
    struct actor *actor;
    world->stats.faults[index].applied = true;
    world->stats.faults[index].before = touched(world, fault);
    log_fault(world, fault);
    switch (fault->kind) {
    case FAULT_DROP_INDEX:
    case FAULT_CREATE_INDEX:
    case FAULT_READ_REPLICAS:
    case FAULT_TABLE_GROWTH:
        world->stats.faults[index].applied =
            world->postgresql && world->postgresql->kind->fault(world->postgresql, fault);
        return;
    case FAULT_POOL_MAX:
    case FAULT_HOLD_CONNECTIONS:
    case FAULT_ACQUIRE_TIMEOUT:
        apply_to_pools(world, fault);
        return;
    case FAULT_SERVICE_DOWN:
    case FAULT_SERVICE_UP:
    case FAULT_SERVICE_SLOW:
    case FAULT_QUERY_DELAY:
        actor = bind_actor(world, fault->target);
        ASSERT(actor);
        if (fault->kind == FAULT_SERVICE_SLOW)
            actor->slow = fault->value;
        else if (fault->kind == FAULT_QUERY_DELAY)
            actor->query_delay_ns = (int64_t)fault->value;
        else
            actor->down = fault->kind == FAULT_SERVICE_DOWN;
        return;
    case FAULT_MESSAGE_LOSS:
    case FAULT_ROUTE_DELAY:
    case FAULT_ROUTE_FAILURES:
        return; /* its instant decides, request by request */
    case FAULT_KIND_COUNT:
        break;
    }
    ASSERT(!"every kind of fault has a case");
}

static bool is_scripted(const struct fault_spec *fault)
{
    return fault->kind >= FAULT_ROUTE_DELAY && fault->kind <= FAULT_MESSAGE_LOSS;
}

void faults_bind(struct world *world)
{
    if (world->scenario->scripted)
        world->script_rate = metrics_series(&world->metrics, METRIC_DEMO_FAILURE_RATE,
                                            world->load ? world->load->index : 0, NULL, 0);
    for (size_t i = 0; i < world->stats.fault_count; i++)
        if (is_scripted(&world->stats.faults[i].spec))
            script_bind(world, &world->stats.faults[i].spec, i);
}

/* Of the same fault that was set before; FAULTS_MAX: there is none. Only where no place is left, so that what is
   switched on and off all day can go on. */
static size_t place_of_same(const struct world *world, const struct fault_spec *fault)
{
    for (size_t i = world->scenario->fault_count; i < FAULTS_MAX && !is_scripted(fault); i++) {
        const struct fault_spec *set = &world->stats.faults[i].spec;
        bool same_target = set->target && fault->target ? strcmp(set->target, fault->target) == 0
                                                        : set->target == fault->target;
        if (set->kind == fault->kind && set->value == fault->value && same_target)
            return i;
    }
    return FAULTS_MAX;
}

static void set_again(struct world *world, size_t index, int64_t now_ns)
{
    world->now_ns = MAX(world->now_ns, now_ns);
    world->stats.faults[index].spec.at_ns = MAX(world_timeline(world, world->now_ns), 0);
    fault_apply(world, index);
}

enum status world_set_fault(struct world *world, const struct fault_spec *fault, int64_t now_ns)
{
    struct run_stats *stats = &world->stats;
    bool of_service = fault->kind >= FAULT_SERVICE_DOWN && fault->kind <= FAULT_QUERY_DELAY;
    bool of_pool = fault->kind == FAULT_POOL_MAX || fault->kind == FAULT_HOLD_CONNECTIONS ||
                   fault->kind == FAULT_ACQUIRE_TIMEOUT;
    bool of_index = fault->kind == FAULT_DROP_INDEX || fault->kind == FAULT_CREATE_INDEX;
    if ((of_service && !bind_actor(world, fault->target)) || (of_pool && !pool_of(world, fault->target, 0)) ||
        (of_index && !registry_index(world->registry, fault->target)))
        return STATUS_NOT_FOUND;
    if (stats->fault_count == FAULTS_MAX) {
        size_t same = place_of_same(world, fault);
        if (same == FAULTS_MAX)
            return STATUS_OVERLOADED;
        set_again(world, same, now_ns);
        return STATUS_OK;
    }
    if (is_scripted(fault) && !script_bind(world, fault, stats->fault_count))
        return STATUS_NOT_FOUND;
    world->now_ns = MAX(world->now_ns, now_ns);
    struct fault_spec *spec = &stats->faults[stats->fault_count].spec;
    *spec = *fault;
    spec->at_ns = MAX(world_timeline(world, world->now_ns), 0);
    spec->target = fault->target ? world_keep(world, base_copy(fault->target)) : NULL;
    spec->route = fault->route ? world_keep(world, base_copy(fault->route)) : NULL;
    spec->missing_index = fault->missing_index ? world_keep(world, base_copy(fault->missing_index)) : NULL;
    fault_apply(world, stats->fault_count++);
    return STATUS_OK;
}

/* Evidence for pools: what their settings are now and what became of those who asked. */
static void tell_pools(struct world *world, const struct fault_spec *fault, struct text *evidence)
{
    const struct pool *pool, *busiest = pool_of(world, fault->target, 0);
    for (size_t nth = 1; (pool = pool_of(world, fault->target, nth)); nth++)
        if (pool->stats->acquired > busiest->stats->acquired)
            busiest = pool;
    text_str(evidence, "pool ");
    text_str(evidence, busiest->name);
    text_str(evidence, ": max ");
    text_i64(evidence, busiest->max);
    text_str(evidence, ", most in use ");
    text_i64(evidence, busiest->stats->peak_used);
    text_str(evidence, ", ");
    text_count(evidence, busiest->stats->timeouts);
    text_str(evidence, " time-outs after ");
    text_duration(evidence, busiest->acquire_timeout_ns);
}

static void tell_service(struct world *world, const struct fault_spec *fault, struct text *evidence)
{
    uint64_t calls, errors;
    calls_to(world, fault->target, &calls, &errors);
    const struct actor *actor = bind_actor(world, fault->target);
    text_count(evidence, errors);
    text_str(evidence, " of ");
    text_count(evidence, calls);
    text_str(evidence, " calls to ");
    text_str(evidence, fault->target);
    text_str(evidence, " failed");
    if (fault->kind != FAULT_SERVICE_SLOW)
        return;
    text_str(evidence, "; p95 of its answers ");
    text_fixed(evidence, histogram_quantile(&actor->stats->latency, 0.95) * 1000, 0);
    text_str(evidence, " ms");
}

static void tell_delay(const struct fault_spec *fault, uint64_t statements, struct text *evidence)
{
    text_count(evidence, statements);
    text_str(evidence, " statements of ");
    text_str(evidence, fault->target);
    if (fault->value > 0) {
        text_str(evidence, " held their connection for ");
        text_duration(evidence, (int64_t)fault->value);
        text_str(evidence, " more");
    } else {
        text_str(evidence, " were asked without delay");
    }
}

void faults_judge(struct world *world)
{
    for (size_t i = 0; i < world->stats.fault_count; i++) {
        struct fault_stats *stats = &world->stats.faults[i];
        const struct fault_spec *fault = &stats->spec;
        struct text evidence = {0};
        stats->judged = stats->applied || fault->at_ns <= world_timeline(world, world->now_ns);
        if (!stats->applied) {
            text_str(&evidence, "never applied: the run ended before it, or nothing answers to it");
        } else if (fault->kind <= FAULT_CREATE_INDEX || fault->kind == FAULT_READ_REPLICAS ||
                   fault->kind == FAULT_TABLE_GROWTH) {
            struct actor *store = world->postgresql;
            stats->landed = store && store->kind->landed(store, fault, &evidence);
        } else if (is_scripted(fault)) {
            stats->landed = script_landed(stats, &evidence);
        } else if (fault->kind == FAULT_QUERY_DELAY) {
            stats->landed = touched(world, fault) > stats->before;
            tell_delay(fault, touched(world, fault) - stats->before, &evidence);
        } else if (fault->kind >= FAULT_SERVICE_DOWN) {
            stats->landed = touched(world, fault) > stats->before;
            tell_service(world, fault, &evidence);
        } else {
            stats->landed = touched(world, fault) > stats->before;
            tell_pools(world, fault, &evidence);
        }
        size_t len = MIN(evidence.len, sizeof stats->evidence - 1);
        if (len)
            memcpy(stats->evidence, evidence.bytes, len);
        stats->evidence[len] = '\0';
        text_fini(&evidence);
    }
}
