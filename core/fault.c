/* fault: applies what the scenario breaks (or mends); core/evidence.c proves that it landed. */
#include "core/parts.h"

static void apply_to_pools(struct world *world, const struct fault_spec *fault)
{
    struct pool *pool;
    for (size_t nth = 0; (pool = fault_pool(world, fault->target, nth)); nth++) {
        if (fault->kind == FAULT_POOL_MAX)
            pool_resize(pool, (int)fault->value, pool->held, world->now_ns);
        else if (fault->kind == FAULT_HOLD_CONNECTIONS)
            pool_resize(pool, pool->max, (int)fault->value, world->now_ns);
        else
            pool->acquire_timeout_ns = (int64_t)fault->value;
    }
}

/* What a fault that plays a slow or a full database does, in the words that such logs have. */
static void describe_simulation(struct world *world, const struct fault_spec *fault, struct attrs *attrs)
{
    const struct pool *pool =
        fault->kind == FAULT_HOLD_CONNECTIONS ? fault_pool(world, fault->target, 0) : NULL;
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
    if (world->load && world->load->away)
        return;
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
    evidence_begin(world, index);
    world->stats.faults[index].applied = true;
    log_fault(world, fault);
    switch (fault->kind) {
    case FAULT_DROP_INDEX:
    case FAULT_CREATE_INDEX:
    case FAULT_READ_REPLICAS:
    case FAULT_TABLE_GROWTH:
        actor = world->postgresql;
        world->stats.faults[index].applied = actor && (actor->away || actor->kind->fault(actor, fault));
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

static bool same_matter(const struct fault_spec *a, const struct fault_spec *b)
{
    bool same_target = a->target && b->target ? strcmp(a->target, b->target) == 0 : a->target == b->target;
    return a->kind == b->kind && same_target;
}

/* How well a place serves for a new fault once all are taken: it may take that of the same fault, else of one that it
   replaces, else of one that another has replaced. So whatever was broken can be mended, and what is switched
   on and off all day can go on. */
static int fitness(const struct run_stats *stats, size_t first, size_t place, const struct fault_spec *fault)
{
    const struct fault_spec *set = &stats->faults[place].spec;
    if (is_scripted(set))
        return 0;
    if (same_matter(set, fault))
        return set->value == fault->value ? 3 : 2;
    for (size_t i = first; i < FAULTS_MAX; i++)
        if (i != place && same_matter(&stats->faults[i].spec, set))
            return 1;
    return 0;
}

/* The fittest, and of those the one set longest ago; FAULTS_MAX: there is none. Those of the scenario stay. */
static size_t place_again(const struct world *world, const struct fault_spec *fault)
{
    const struct run_stats *stats = &world->stats;
    size_t first = world->scenario->fault_count, best = FAULTS_MAX;
    int most = 0;
    for (size_t i = first; i < FAULTS_MAX && !is_scripted(fault); i++) {
        int fit = fitness(stats, first, i, fault);
        bool older = best < FAULTS_MAX && stats->faults[i].spec.at_ns < stats->faults[best].spec.at_ns;
        if (fit > most || (fit && fit == most && fit < 3 && older)) {
            best = i;
            most = fit;
        }
    }
    return best;
}

/* Now, by the clock of the latest demo: what is set after its end is not told as of its beginning. */
static int64_t told_now(const struct world *world)
{
    return world->last_zero_ns == NEVER ? 0 : MAX(world->now_ns - world->last_zero_ns, 0);
}

static void set_again(struct world *world, size_t index, const struct fault_spec *fault, int64_t now_ns)
{
    struct fault_spec *spec = &world->stats.faults[index].spec;
    world->now_ns = MAX(world->now_ns, now_ns);
    if (!same_matter(spec, fault)) /* as often as there are places at most: then no two are the same matter */
        spec->target = fault->target ? world_keep(world, base_copy(fault->target)) : NULL;
    spec->kind = fault->kind;
    spec->value = fault->value;
    spec->at_ns = told_now(world);
    world->stats.faults[index].nth = ++world->faults_set;
    fault_apply(world, index);
}

enum status world_set_fault(struct world *world, const struct fault_spec *fault, int64_t now_ns)
{
    struct run_stats *stats = &world->stats;
    bool of_service = fault->kind >= FAULT_SERVICE_DOWN && fault->kind <= FAULT_QUERY_DELAY;
    bool of_pool = fault->kind == FAULT_POOL_MAX || fault->kind == FAULT_HOLD_CONNECTIONS ||
                   fault->kind == FAULT_ACQUIRE_TIMEOUT;
    bool of_index = fault->kind == FAULT_DROP_INDEX || fault->kind == FAULT_CREATE_INDEX;
    if ((of_service && !bind_actor(world, fault->target)) ||
        (of_pool && !fault_pool(world, fault->target, 0)) ||
        (of_index && !registry_index(world->registry, fault->target)))
        return STATUS_NOT_FOUND;
    if (stats->fault_count == FAULTS_MAX) {
        size_t place = place_again(world, fault);
        if (place == FAULTS_MAX)
            return STATUS_OVERLOADED;
        set_again(world, place, fault, now_ns);
        return STATUS_OK;
    }
    if (is_scripted(fault) && !script_bind(world, fault, stats->fault_count))
        return STATUS_NOT_FOUND;
    world->now_ns = MAX(world->now_ns, now_ns);
    struct fault_spec *spec = &stats->faults[stats->fault_count].spec;
    *spec = *fault;
    spec->at_ns = told_now(world);
    spec->target = fault->target ? world_keep(world, base_copy(fault->target)) : NULL;
    spec->route = fault->route ? world_keep(world, base_copy(fault->route)) : NULL;
    spec->missing_index = fault->missing_index ? world_keep(world, base_copy(fault->missing_index)) : NULL;
    stats->faults[stats->fault_count].by_hand = true;
    stats->faults[stats->fault_count].nth = ++world->faults_set;
    fault_apply(world, stats->fault_count++);
    return STATUS_OK;
}
