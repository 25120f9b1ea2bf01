#include "core/pool.h"

static bool has_room(const struct pool *pool)
{
    return pool_active(pool) < pool->max;
}

/* So many more, or fewer, are open. */
static void add_up(struct pool *pool, int more)
{
    struct pool_total *total = pool->total;
    if (!total)
        return;
    total->active += more;
    *total->peak = (uint32_t)MAX(*total->peak, total->active);
    *total->recent = (uint32_t)MAX(*total->recent, total->active);
}

static struct pool_minute *minute_at(const struct pool *pool, int64_t now_ns)
{
    const struct pool_stats *stats = pool->stats;
    if (now_ns < pool->zero_ns || !stats->minute_count)
        return NULL;
    size_t minute = (size_t)((now_ns - pool->zero_ns) / NS_PER_MIN);
    return &stats->minutes[MIN(minute, stats->minute_count - 1)];
}

static void peak(struct pool *pool, int active)
{
    pool->stats->peak_used = MAX(pool->stats->peak_used, active);
    for (size_t i = 0; i < POOL_FAULTS; i++)
        pool->fault_peaks[i] = MAX(pool->fault_peaks[i], active);
}

static void take(struct pool *pool, int64_t waited_ns, int64_t now_ns)
{
    struct pool_minute *minute = minute_at(pool, now_ns);
    if (minute)
        minute->acquired++;
    pool->used++;
    add_up(pool, 1);
    pool->stats->acquired++;
    peak(pool, pool_active(pool));
    histogram_add_ns(&pool->stats->wait, waited_ns);
    histogram_add_ns(&pool->stats->wait_any, waited_ns);
}

enum pool_result pool_acquire(struct pool *pool, struct pool_wait *wait, int64_t now_ns)
{
    *wait = (struct pool_wait){.since_ns = now_ns};
    if (has_room(pool)) {
        take(pool, 0, now_ns);
        return POOL_GRANTED;
    }
    if (pool->waiters == POOL_WAITERS_MAX) {
        pool->stats->refused++;
        return POOL_REFUSED;
    }
    wait->waiting = true;
    wait->previous = pool->last;
    if (pool->last)
        pool->last->next = wait;
    else
        pool->first = wait;
    pool->last = wait;
    pool->waiters++;
    pool->waiters_peak = MAX(pool->waiters_peak, pool->waiters);
    pool->stats->waiters_most = MAX(pool->stats->waiters_most, pool->waiters);
    return POOL_QUEUED;
}

void pool_leave(struct pool *pool, struct pool_wait *wait)
{
    ASSERT(wait->waiting);
    wait->waiting = false;
    *(wait->previous ? &wait->previous->next : &pool->first) = wait->next;
    *(wait->next ? &wait->next->previous : &pool->last) = wait->previous;
    pool->waiters--;
}

void pool_give_up(struct pool *pool, struct pool_wait *wait, int64_t now_ns)
{
    struct pool_minute *minute = minute_at(pool, now_ns);
    if (minute)
        minute->given_up++;
    pool->stats->given_up++;
    histogram_add_ns(&pool->stats->wait_any, now_ns - wait->since_ns);
    pool_leave(pool, wait);
}

void pool_time_out(struct pool *pool, struct pool_wait *wait, int64_t now_ns)
{
    struct pool_minute *minute = minute_at(pool, now_ns);
    if (minute)
        minute->timeouts++;
    pool->stats->timeouts++;
    histogram_add_ns(&pool->stats->wait_any, now_ns - wait->since_ns);
    pool_leave(pool, wait);
}

static void grant(struct pool *pool, int64_t now_ns)
{
    while (pool->first && has_room(pool)) {
        struct pool_wait *wait = pool->first;
        pool_leave(pool, wait);
        take(pool, now_ns - wait->since_ns, now_ns);
        pool->granted(wait, now_ns);
    }
}

void pool_release(struct pool *pool, int64_t now_ns)
{
    ASSERT(pool->used > 0);
    pool->used--;
    add_up(pool, -1);
    grant(pool, now_ns);
}

void pool_resize(struct pool *pool, int max, int held, int64_t now_ns)
{
    pool->max = max;
    add_up(pool, held - pool->held);
    pool->held = held;
    pool->stats->max = max;
    peak(pool, MIN(pool_active(pool), max));
    grant(pool, now_ns);
}
