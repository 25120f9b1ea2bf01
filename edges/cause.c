#include "edges/cause_parts.h"

/* Where failures begin; the other failed statuses pass on somebody else's. */
static const enum status origins[] = {STATUS_DEADLINE,
                                      STATUS_NO_PEER,
                                      STATUS_OVERLOADED,
                                      STATUS_LOCK_TIMEOUT,
                                      STATUS_CONNECTIONS_EXHAUSTED,
                                      STATUS_CONNECTION_LOST};

/* ---- statements ---- */

static uint64_t lost_for(const struct run_stats *stats, enum spent on)
{
    uint64_t lost = 0;
    for (size_t i = 0; i < stats->profile_count; i++)
        lost += stats->profile[i].lost[on];
    return lost;
}

/* The database's cores are everybody's: who takes more than half of its time slows down all others. */
static bool hogs(const struct run_stats *stats, const struct statement_stats *scan)
{
    double own_ns = 0, all_ns = 0;
    for (size_t i = 0; i < stats->profile_count && scan; i++) {
        const struct profile_line *line = &stats->profile[i];
        all_ns += line->pool ? line->cpu_ns : 0;
        own_ns += cause_same(line->function, scan->name) ? line->cpu_ns : 0;
    }
    return own_ns * 2 > all_ns;
}

static bool is_lost(const struct run_stats *stats, const struct statement_stats *scan)
{
    for (size_t i = 0; i < stats->profile_count && scan; i++)
        if (cause_same(stats->profile[i].function, scan->name) && stats->profile[i].lost[SPENT_RUNNING])
            return true;
    return false;
}

/* The scan that was in the way of whom the pool made wait; without a pool, of whose statements were given up. */
static void find_scan(struct cause *cause, const struct report *report)
{
    const struct run_stats *stats = report->stats;
    const struct statement_stats *any = cause_worst_scan(stats, NULL);
    const struct statement_stats *scan = cause->pool ? cause_worst_scan(stats, cause->pool) : NULL;
    if (!scan && cause->errors && !(hogs(stats, any) || (!cause->pool && is_lost(stats, any))))
        return;
    cause_set_scan(cause, report, scan ? scan : any);
}

/* ---- pools ---- */

static bool calm_before(const struct pool_stats *pool, int64_t at_ns)
{
    for (size_t m = 0; m < pool->minute_count && (int64_t)(m + 1) * NS_PER_MIN <= at_ns; m++)
        if (pool->minutes[m].timeouts + pool->minutes[m].given_up)
            return false;
    return true;
}

int cause_pool_first_max(const struct report *report, const struct pool_stats *pool)
{
    const struct service_spec *service = scenario_service(report->scenario, pool->service);
    const struct actor_kind *kind = registry_kind(report->registry, pool->service);
    for (size_t i = 0; service && i < service->pool_count; i++)
        if (cause_same(service->pools[i].name, pool->name) && service->pools[i].max)
            return service->pools[i].max;
    for (size_t i = 0; kind && i < SERVICE_POOLS_MAX; i++)
        if (cause_same(kind->pools[i].name, pool->name))
            return kind->pools[i].max;
    return pool->max;
}

/* What a delay adds matters where it is a fair part of the time that connections are taken. */
static const struct fault_spec *pool_delay(const struct report *report, const struct pool_stats *pool)
{
    double delayed_s = cause_spent_s(report->stats, pool, SPENT_DELAYED);
    double running_s = cause_spent_s(report->stats, pool, SPENT_RUNNING);
    return delayed_s * 4 > running_s ? cause_first_fault(report, FAULT_QUERY_DELAY, pool->service) : NULL;
}

void cause_set_pool(struct cause *cause, const struct report *report, const struct pool_stats *pool)
{
    cause->pool = pool;
    cause->cut = cause_first_fault(report, FAULT_POOL_MAX, pool->name);
    cause->held = cause_first_fault(report, FAULT_HOLD_CONNECTIONS, pool->name);
    cause->delay = pool_delay(report, pool);
    if (cause->cut && cause->cut->value >= cause_pool_first_max(report, pool))
        cause->cut = NULL;
}

static void find_pool(struct cause *cause, const struct report *report)
{
    const struct pool_stats *worst = NULL;
    for (size_t i = 0; i < report->stats->pool_count; i++) {
        const struct pool_stats *pool = &report->stats->pools[i];
        uint64_t lost = cause_pool_lost(pool);
        cause->pool_timeouts += lost;
        if (lost && (!worst || lost > cause_pool_lost(worst)))
            worst = pool;
    }
    if (!worst || cause->pool_timeouts < cause->errors / CAUSE_A_FEW)
        return;
    cause_set_pool(cause, report, worst);
}

bool cause_holds(const struct report *report, const struct fault_stats *fault)
{
    return fault->spec.kind == FAULT_HOLD_CONNECTIONS && fault->landed &&
           cause_first_fault(report, FAULT_HOLD_CONNECTIONS, fault->spec.target) == &fault->spec;
}

int cause_connections_held(const struct report *report, int *pools)
{
    int held = 0;
    *pools = 0;
    for (size_t i = 0; i < report->stats->fault_count; i++) {
        const struct fault_stats *fault = &report->stats->faults[i];
        if (!cause_holds(report, fault))
            continue;
        held += (int)fault->spec.value;
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
        cause->edge_fault = cause_first_fault(report, kinds[i], cause->edge->to);
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
        const struct fault_stats *fault = cause_landed(report, i);
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

enum cause_kind cause_why_pool(const struct cause *cause)
{
    if (cause->cut && calm_before(cause->pool, cause->cut->at_ns))
        return CAUSE_POOL_CUT;
    if (cause->delay && !cause->scan)
        return CAUSE_QUERY_DELAY;
    if (cause->scan)
        return CAUSE_MISSING_INDEX;
    return cause->held ? CAUSE_CONNECTIONS_HELD : CAUSE_POOL;
}

static enum cause_kind why_edge(const struct cause *cause)
{
    if (!cause->edge_fault)
        return CAUSE_CALLS;
    if (cause->edge_fault->kind == FAULT_SERVICE_DOWN)
        return CAUSE_SERVICE_DOWN;
    return cause->edge_fault->kind == FAULT_SERVICE_SLOW ? CAUSE_SERVICE_SLOW : CAUSE_MESSAGE_LOSS;
}

/* What most statements were given up for, where enough were; CAUSE_NONE: that explains nothing. */
static enum cause_kind why_lost(struct cause *cause, const struct report *report)
{
    uint64_t delayed = lost_for(report->stats, SPENT_DELAYED), ran = lost_for(report->stats, SPENT_RUNNING);
    uint64_t half = cause->errors - cause->errors / 2;
    if (cause->pool_timeouts + delayed + ran < half)
        return CAUSE_NONE;
    if (cause->pool && cause->pool_timeouts >= MAX(delayed, ran))
        return cause_why_pool(cause);
    const struct fault_spec *delay = delayed >= ran ? cause_worst_delay(report) : NULL;
    const struct fault_spec *growth = cause_first_fault(report, FAULT_TABLE_GROWTH, NULL);
    if (!delay && !cause->scan && !growth)
        return CAUSE_NONE;
    cause->lost = MAX(delayed, ran);
    cause->pool = NULL;
    cause->cut = cause->held = NULL;
    cause->delay = delay;
    cause->growth = delay || cause->scan ? NULL : growth;
    return delay ? CAUSE_QUERY_DELAY : cause->scan ? CAUSE_MISSING_INDEX : CAUSE_TABLE_GROWTH;
}

/* Whoever waits for a row keeps a connection: then the pool's time-outs are the row's as well. */
static enum cause_kind why_failed(struct cause *cause, const struct report *report)
{
    uint64_t half = cause->errors - cause->errors / 2;
    if (cause->script && cause->scripted >= half)
        return CAUSE_SCRIPT;
    if (cause->lock_timeouts > cause->errors / CAUSE_A_FEW &&
        cause->lock_timeouts + cause->pool_timeouts >= half)
        return CAUSE_ROW_LOCK;
    enum cause_kind kind = why_lost(cause, report);
    if (kind == CAUSE_NONE)
        kind = why_edge(cause);
    if (!cause->pool && kind != CAUSE_MISSING_INDEX)
        cause->scan = NULL; /* it is not in the way of what failed */
    return kind;
}

/* ---- all of it ---- */

/* Whether anything happened that could have gone wrong. */
bool cause_was_quiet(const struct report *report)
{
    for (size_t i = 0; i < report->scenario->alert_count; i++)
        if (report->stats->alerts[i].fired)
            return false;
    return !report->stats->fault_count;
}

struct cause cause_of(const struct report *report)
{
    struct cause cause = {.errors = report_errors(report), .origin = STATUS_OK};
    cause.lock_timeouts = report->stats->stores.lock_timeouts;
    cause.slow = !cause.errors && !cause_was_quiet(report) && cause_any_slowed(report);
    if (cause.errors)
        find_pool(&cause, report);
    find_scan(&cause, report);
    if (cause.errors) {
        find_edge(&cause, report);
        find_origin(&cause, report);
        find_script(&cause, report);
        cause.kind = why_failed(&cause, report);
    } else if (cause.slow) {
        cause.kind = cause_why_slow(&cause, report);
        cause.slow = cause.kind != CAUSE_NONE;
    }
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
        [CAUSE_TABLE_GROWTH] = "table_growth",
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
    bool same = cause_same(fault->target, later->target) || (!fault->target && !later->target);
    same &= !fault->route || cause_same(fault->route, later->route);
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
        const struct fault_stats *later = cause_landed(report, i);
        if (later && ends(fault, &later->spec))
            end_ns = MIN(end_ns, later->spec.at_ns);
    }
    return end_ns;
}
