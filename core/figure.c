/* figure: the values of series (core/probe.h), read from the run's own figures. */
#include "core/parts.h"
#include "core/probe.h"

static double stream_sum(const struct world *world, int stream, bool failed)
{
    double sum = 0;
    for (int i = 0; i < (int)world->scenario->stream_count; i++) {
        const struct stream_stats *stats = &world->stats.streams[i];
        if (stream == PROBE_ALL_STREAMS || stream == i)
            sum += (double)(failed ? stats->ended_failed : stats->ended);
    }
    return sum;
}

/* Pools of one name count together, whichever service they are of. */
static double pool_sum(const struct world *world, const struct probe *probe)
{
    double sum = 0;
    for (size_t a = 0; a < world->actor_count; a++)
        for (size_t i = 0; i < world->actors[a].pool_count; i++) {
            const struct pool *pool = &world->actors[a].pools[i].pool;
            if (strcmp(pool->name, probe->pool) != 0)
                continue;
            if (probe->kind == PROBE_POOL_WAITERS)
                sum += MAX(pool->waiters_peak, pool->away.waiters_peak);
            else
                sum += probe->kind == PROBE_POOL_USED ? pool_active(pool) + pool->away.used
                                                      : (double)pool->stats->timeouts;
        }
    return sum;
}

static double services_seen(const struct run_stats *stats)
{
    double seen = 0;
    for (size_t i = 0; i < stats->service_count; i++)
        seen += stats->services[i].spans > 0;
    return seen;
}

static double cpu_share(const struct run_stats *stats, int statement)
{
    double all_ns = 0, own_ns = 0;
    for (size_t i = 0; i < stats->profile_count; i++) {
        const struct profile_line *line = &stats->profile[i];
        all_ns += line->cpu_ns;
        if (strcmp(line->function, stats->statements[statement].name) == 0)
            own_ns += line->cpu_ns;
    }
    return all_ns > 0 ? own_ns / all_ns : 0;
}

static double shop_figure(const struct business_stats *shop, enum probe_kind kind)
{
    switch (kind) {
    case PROBE_ORDERS:
        return (double)shop->count[BUSINESS_ORDER];
    case PROBE_REVENUE:
        return (double)shop->revenue_cents / 100;
    case PROBE_SOLD_OUT:
        return (double)shop->count[BUSINESS_SOLD_OUT];
    case PROBE_ABANDONED:
        return (double)shop->count[BUSINESS_CART_ABANDONED];
    case PROBE_HOT_SOLD:
        return (double)shop->hot_sold;
    default:
        return (double)shop->hot_left;
    }
}

double figure_now(const struct world *world, const struct probe *probe)
{
    const struct run_stats *stats = &world->stats;
    switch (probe->kind) {
    case PROBE_REQUESTS:
    case PROBE_ERRORS:
        return stream_sum(world, probe->index, probe->kind == PROBE_ERRORS);
    case PROBE_POOL_WAITERS:
    case PROBE_POOL_USED:
    case PROBE_POOL_TIMEOUTS:
        return pool_sum(world, probe);
    case PROBE_QUERY_CPU:
        return cpu_share(stats, probe->index);
    case PROBE_DATABASE_ACTIVE:
        return stats->stores.active_recent;
    case PROBE_DATABASE_CONNECTIONS:
        return stats->stores.connections_recent;
    case PROBE_LOCK_TIMEOUTS:
        return (double)stats->stores.lock_timeouts;
    case PROBE_CACHE_HITS:
        return (double)stats->stores.cache_hits;
    case PROBE_SCRIPT_RATE:
        return stats->script_rate;
    case PROBE_LOGS:
        return (double)stats->logs[probe->index];
    case PROBE_TRACE_DEPTH:
        return stats->max_depth;
    case PROBE_TRACE_SERVICES:
        return services_seen(stats);
    case PROBE_TRACE_SPANS:
        return (double)stats->spans;
    default:
        return shop_figure(&stats->business, probe->kind);
    }
}

double figure_base(const struct world *world, const struct probe *probe)
{
    const struct store_stats *stores = &world->stats.stores;
    if (probe->kind == PROBE_CACHE_HITS)
        return (double)(stores->cache_hits + stores->cache_misses);
    return probe->kind == PROBE_ERRORS ? stream_sum(world, probe->index, false) : 0;
}

void figure_spread(const struct world *world, const struct probe *probe, struct histogram *into)
{
    const struct run_stats *stats = &world->stats;
    if (probe->kind == PROBE_LOCK_WAIT)
        histogram_merge(into, &stats->stores.lock_wait);
    else if (probe->kind == PROBE_QUERY_LATENCY)
        histogram_merge(into, &stats->statements[probe->index].latency);
    for (size_t i = 0; probe->kind == PROBE_POOL_WAIT && i < stats->pool_count; i++)
        if (strcmp(stats->pools[i].name, probe->pool) == 0)
            histogram_merge(into, &stats->pools[i].wait_any);
    for (int i = 0; probe->kind == PROBE_LATENCY && i < (int)world->scenario->stream_count; i++)
        if (probe->index == PROBE_ALL_STREAMS || probe->index == i)
            histogram_merge(into, &stats->streams[i].ended_latency);
}

static double pool_peak(const struct run_stats *stats, const struct probe *probe)
{
    double sum = 0;
    for (size_t i = 0; i < stats->pool_count; i++) {
        const struct pool_stats *pool = &stats->pools[i];
        if (strcmp(pool->name, probe->pool) == 0)
            sum += probe->kind == PROBE_POOL_USED ? (double)pool->peak_used : (double)pool->waiters_most;
    }
    return sum;
}

bool figure_peak(const struct world *world, const struct probe *probe, double *peak)
{
    switch (probe->kind) {
    case PROBE_POOL_USED:
    case PROBE_POOL_WAITERS:
        *peak = pool_peak(&world->stats, probe);
        return true;
    case PROBE_DATABASE_ACTIVE:
        *peak = world->stats.stores.active_peak;
        return true;
    case PROBE_DATABASE_CONNECTIONS:
        *peak = world->stats.stores.connections_peak;
        return true;
    default:
        return false;
    }
}
