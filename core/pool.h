/*
 * pool: a client's bounded set of connections, with a first-come-first-served line in front.
 *
 * Pure policy: it stands before the modelled database and before a real one. The waiting entry is the
 * caller's memory. A connection that comes free goes to the head of the line at once (`granted`), so a
 * newcomer never overtakes. The line is bounded; who finds it full is refused and counted. Time-outs are
 * the caller's timers: whoever gives up says so.
 */
#ifndef CORE_POOL_H
#define CORE_POOL_H

#include "core/stats.h"

enum { POOL_WAITERS_MAX = 4096, POOL_FAULTS = FAULT_HOLD_CONNECTIONS - FAULT_POOL_MAX + 1 };

struct pool_wait {
    struct pool_wait *next, *previous;
    int64_t since_ns;
    bool waiting;
};

enum pool_result { POOL_GRANTED, POOL_QUEUED, POOL_REFUSED };

/* Connections of several pools together, to one database. */
struct pool_total {
    int64_t active;
    uint32_t *peak, *recent; /* of the run, and since the last sample */
};

/* The same pool in other processes, as they last told (core/gather.h): figures, which take none of its room. */
struct pool_away {
    int used;
    uint32_t waiters, waiters_peak;
    int fault_peaks[POOL_FAULTS];
};

struct pool {
    const char *name;
    int max;
    int used; /* by queries */
    int held; /* by a fault: idle, but nobody else's */
    int64_t acquire_timeout_ns;
    struct pool_wait *first, *last;
    uint32_t waiters, waiters_peak; /* the peak since it was last read and reset */
    int fault_peaks[POOL_FAULTS]; /* the most in use since the last fault of each kind on pools */
    void (*granted)(struct pool_wait *wait, int64_t now_ns);
    int64_t zero_ns; /* of the timeline, for the figures by minute; NEVER: it waits */
    struct pool_stats *stats;
    struct pool_total *total; /* NULL: nobody adds it up */
    struct pool_away away;
};

enum pool_result pool_acquire(struct pool *pool, struct pool_wait *wait, int64_t now_ns);
/* Out of the line: as who does not wait any more, as whose own limit has come, or as whose acquire timeout has;
   the last two are counted. */
void pool_leave(struct pool *pool, struct pool_wait *wait);
void pool_give_up(struct pool *pool, struct pool_wait *wait, int64_t now_ns);
void pool_time_out(struct pool *pool, struct pool_wait *wait, int64_t now_ns);
/* A connection comes back. */
void pool_release(struct pool *pool, int64_t now_ns);
/* A smaller pool keeps what is in use and shrinks as connections come back. */
void pool_resize(struct pool *pool, int max, int held, int64_t now_ns);

static inline int pool_active(const struct pool *pool)
{
    return pool->used + pool->held;
}

#endif
