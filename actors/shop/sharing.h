/*
 * sharing: a machine with so many cores shared by all that run (processor sharing).
 *
 * n jobs on c cores: each advances at min(1, c / n) of a core. Kept as the classic virtual-time form: `attained`
 * is the service that a job present since zero would have had, a job is done when attained reaches its
 * target. O(log n) a change. Jobs are the caller's memory. Costs in nanoseconds of one core.
 */
#ifndef ACTORS_SHOP_SHARING_H
#define ACTORS_SHOP_SHARING_H

#include "core/base.h"

struct sharing_job {
    double target;
    uint64_t sequence;
    uint32_t place; /* index in the heap + 1; 0: not running */
};

struct sharing {
    int cores;
    double attained;
    int64_t at_ns;
    uint64_t sequence;
    struct sharing_job **heap;
    size_t count, cap;
};

void sharing_fini(struct sharing *sharing);
void sharing_add(struct sharing *sharing, struct sharing_job *job, double cost_ns, int64_t now_ns);
void sharing_remove(struct sharing *sharing, struct sharing_job *job, int64_t now_ns);
/* When the next job is done if nothing changes; NEVER when idle. */
int64_t sharing_next_at(const struct sharing *sharing);
/* A job that is done by now, taken out; NULL: none. */
struct sharing_job *sharing_done(struct sharing *sharing, int64_t now_ns);

#endif
