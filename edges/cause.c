#include "edges/cause.h"

/* Where failures begin; the other failed statuses pass on somebody else's. */
static const enum status origins[] = {STATUS_DEADLINE, STATUS_NO_PEER, STATUS_OVERLOADED, STATUS_LOCK_TIMEOUT,
                                      STATUS_CONNECTIONS_EXHAUSTED};

static bool is(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

static const struct fault_stats *landed_at(const struct report *report, size_t index)
{
    const struct fault_stats *fault = &report->stats->faults[index];
    return fault->landed ? fault : NULL;
}

/* The first landed fault of this kind on this target, or NULL. */
static const struct fault_spec *first_fault(const struct report *report, enum fault_kind kind,
                                            const char *target)
{
    const struct fault_spec *first = NULL;
    for (size_t i = 0; i < report->stats->fault_count; i++) {
        const struct fault_stats *fault = landed_at(report, i);
        if (fault && fault->spec.kind == kind && is(fault->spec.target, target) &&
            (!first || fault->spec.at_ns < first->at_ns))
            first = &fault->spec;
    }
    return first;
}

/* ---- queries ---- */

static const struct statement_stats *worst_scan(const struct run_stats *stats)
{
    const struct statement_stats *worst = NULL;
    for (size_t i = 0; i < stats->statement_count; i++)
        if (stats->statements[i].full_scans &&
            (!worst || stats->statements[i].full_scans > worst->full_scans))
            worst = &stats->statements[i];
    return worst;
}

static void find_scan(struct cause *cause, const struct report *report)
{
    const struct statement_stats *scan = worst_scan(report->stats);
    cause->statement = scan ? registry_statement(report->registry, scan->name) : NULL;
    if (!cause->statement || !cause->statement->missing_index)
        return;
    cause->scan = scan;
    cause->index = cause->statement->missing_index;
    cause->created = first_fault(report, FAULT_CREATE_INDEX, cause->index);
    cause->dropped = first_fault(report, FAULT_DROP_INDEX, cause->index);
    for (size_t i = 0; i < STATEMENT_PLANS_MAX && !cause->dropped; i++)
        cause->dropped = first_fault(report, FAULT_DROP_INDEX, cause->statement->plans[i].index);
}

/* ---- pools ---- */

static bool calm_before(const struct pool_stats *pool, int64_t at_ns)
{
    for (size_t m = 0; m < pool->minute_count && (int64_t)(m + 1) * NS_PER_MIN <= at_ns; m++)
        if (pool->minutes[m].timeouts)
            return false;
    return true;
}

int cause_pool_first_max(const struct report *report, const struct pool_stats *pool)
{
    const struct service_spec *service = scenario_service(report->scenario, pool->service);
    const struct actor_kind *kind = registry_kind(report->registry, pool->service);
    for (size_t i = 0; service && i < service->pool_count; i++)
        if (is(service->pools[i].name, pool->name) && service->pools[i].max)
            return service->pools[i].max;
    for (size_t i = 0; kind && i < SERVICE_POOLS_MAX; i++)
        if (is(kind->pools[i].name, pool->name))
            return kind->pools[i].max;
    return pool->max;
}

static void find_pool(struct cause *cause, const struct report *report)
{
    const struct pool_stats *worst = NULL;
    for (size_t i = 0; i < report->stats->pool_count; i++) {
        const struct pool_stats *pool = &report->stats->pools[i];
        cause->pool_timeouts += pool->timeouts;
        if (pool->timeouts && (!worst || pool->timeouts > worst->timeouts))
            worst = pool;
    }
    if (!worst || cause->pool_timeouts < cause->errors / CAUSE_A_FEW)
        return;
    cause->pool = worst;
    cause->cut = first_fault(report, FAULT_POOL_MAX, worst->name);
    cause->held = first_fault(report, FAULT_HOLD_CONNECTIONS, worst->name);
    cause->delay = first_fault(report, FAULT_QUERY_DELAY, worst->service);
    if (cause->cut && cause->cut->value >= cause_pool_first_max(report, worst))
        cause->cut = NULL;
    if (cause->held && cause->held->value < 1)
        cause->held = NULL;
}

int cause_connections_held(const struct report *report, int *pools)
{
    int held = 0;
    *pools = 0;
    for (size_t i = 0; i < report->stats->fault_count; i++) {
        const struct fault_spec *fault = &report->stats->faults[i].spec;
        if (fault->kind != FAULT_HOLD_CONNECTIONS || !landed_at(report, i) || fault->value < 1 ||
            first_fault(report, FAULT_HOLD_CONNECTIONS, fault->target) != fault)
            continue;
        held += (int)fault->value;
        ++*pools;
    }
    return held;
}

/* ---- calls ---- */

static void find_edge(struct cause *cause, const struct report *report)
{
    const struct run_stats *stats = report->stats;
    for (size_t i = 0; i < stats->edge_count; i++) {
        const struct edge_stats *edge = &stats->edges[i];
        bool leaf = edge->errors > 0;
        for (size_t j = 0; j < stats->edge_count && leaf; j++)
            leaf = !stats->edges[j].errors || strcmp(stats->edges[j].from, edge->to);
        if (leaf && (!cause->edge || edge->errors > cause->edge->errors))
            cause->edge = edge;
    }
    static const enum fault_kind kinds[] = {FAULT_SERVICE_DOWN, FAULT_SERVICE_SLOW, FAULT_MESSAGE_LOSS};
    for (size_t i = 0; i < ARRAY_LEN(kinds) && cause->edge && !cause->edge_fault; i++)
        cause->edge_fault = first_fault(report, kinds[i], cause->edge->to);
}

static void find_origin(struct cause *cause, const struct report *report)
{
    for (size_t i = 0; i < ARRAY_LEN(origins); i++) {
        uint64_t count = report->stats->asks_ended[origins[i]];
        if (origins[i] == STATUS_LOCK_TIMEOUT)
            count = MAX(count, cause->lock_timeouts);
        if (count > cause->origin_count) {
            cause->origin = origins[i];
            cause->origin_count = count;
        }
    }
}

static void find_script(struct cause *cause, const struct report *report)
{
    uint64_t most = 0;
    for (size_t i = 0; i < report->stats->fault_count; i++) {
        const struct fault_stats *fault = landed_at(report, i);
        if (!fault || fault->spec.kind != FAULT_ROUTE_FAILURES)
            continue;
        cause->scripted += fault->failed;
        if (cause->script && fault->failed <= most)
            continue;
        cause->script = &fault->spec;
        most = fault->failed;
    }
}

/* ---- which of them ---- */

static enum cause_kind of_pool(const struct cause *cause)
{
    if (cause->cut && calm_before(cause->pool, cause->cut->at_ns))
        return CAUSE_POOL_CUT;
    if (cause->scan)
        return CAUSE_MISSING_INDEX;
    if (cause->delay)
        return CAUSE_QUERY_DELAY;
    return cause->held ? CAUSE_CONNECTIONS_HELD : CAUSE_POOL;
}

static enum cause_kind of_edge(const struct cause *cause)
{
    if (!cause->edge_fault)
        return CAUSE_CALLS;
    if (cause->edge_fault->kind == FAULT_SERVICE_DOWN)
        return CAUSE_SERVICE_DOWN;
    return cause->edge_fault->kind == FAULT_SERVICE_SLOW ? CAUSE_SERVICE_SLOW : CAUSE_MESSAGE_LOSS;
}

/* Whoever waits for a row keeps a connection: then the pool's time-outs are the row's as well. */
static enum cause_kind kind_of(const struct cause *cause)
{
    uint64_t half = cause->errors - cause->errors / 2;
    if (!cause->errors)
        return CAUSE_NONE;
    if (cause->script && cause->scripted >= half)
        return CAUSE_SCRIPT;
    if (cause->lock_timeouts > cause->errors / CAUSE_A_FEW &&
        cause->lock_timeouts + cause->pool_timeouts >= half)
        return CAUSE_ROW_LOCK;
    if (cause->pool && cause->pool_timeouts >= half)
        return of_pool(cause);
    if (cause->origin == STATUS_DEADLINE && cause->scan)
        return CAUSE_MISSING_INDEX;
    return of_edge(cause);
}

struct cause cause_of(const struct report *report)
{
    struct cause cause = {.errors = report_errors(report), .origin = STATUS_OK};
    cause.lock_timeouts = report->stats->stores.lock_timeouts;
    find_scan(&cause, report);
    find_pool(&cause, report);
    find_edge(&cause, report);
    find_origin(&cause, report);
    find_script(&cause, report);
    cause.kind = kind_of(&cause);
    return cause;
}

const char *cause_kind_name(enum cause_kind kind)
{
    static const char *const names[] = {
        [CAUSE_NONE] = "none",
        [CAUSE_SCRIPT] = "scripted",
        [CAUSE_ROW_LOCK] = "row_lock",
        [CAUSE_MISSING_INDEX] = "missing_index",
        [CAUSE_QUERY_DELAY] = "query_delay",
        [CAUSE_POOL_CUT] = "pool_cut",
        [CAUSE_CONNECTIONS_HELD] = "connections_held",
        [CAUSE_POOL] = "pool_too_small",
        [CAUSE_SERVICE_DOWN] = "service_down",
        [CAUSE_SERVICE_SLOW] = "service_slow",
        [CAUSE_MESSAGE_LOSS] = "message_loss",
        [CAUSE_CALLS] = "failing_calls",
    };
    _Static_assert(ARRAY_LEN(names) == CAUSE_KINDS, "every kind has a name");
    return names[kind];
}

static bool ends(const struct fault_spec *fault, const struct fault_spec *later)
{
    static const enum fault_kind opposites[][2] = {{FAULT_DROP_INDEX, FAULT_CREATE_INDEX},
                                                   {FAULT_SERVICE_DOWN, FAULT_SERVICE_UP}};
    bool same = is(fault->target, later->target) || (!fault->target && !later->target);
    same &= !fault->route || is(fault->route, later->route);
    if (!same || later->at_ns <= fault->at_ns)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(opposites); i++)
        if (fault->kind == opposites[i][0])
            return later->kind == opposites[i][1];
    return later->kind == fault->kind;
}

int64_t cause_fault_end(const struct report *report, const struct fault_spec *fault)
{
    int64_t end_ns = NEVER;
    for (size_t i = 0; i < report->stats->fault_count; i++) {
        const struct fault_stats *later = landed_at(report, i);
        if (later && ends(fault, &later->spec))
            end_ns = MIN(end_ns, later->spec.at_ns);
    }
    return end_ns;
}
