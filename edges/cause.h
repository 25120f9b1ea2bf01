/*
 * cause: why requests failed - or, where none did, why they were slow - read off a run's figures, never off what the
 * scenario is called or meant to do.
 *
 * The report's last sentence and the answer key both begin here. A fault counts when it landed, does harm, and acts
 * on what the failed requests met: the pool they waited for, the service whose statements they gave up. Pointers lead
 * into the report; NULL means that it had no part.
 */
#ifndef EDGES_CAUSE_H
#define EDGES_CAUSE_H

#include "edges/report.h"

enum cause_kind {
    CAUSE_NONE, /* nothing failed */
    CAUSE_SCRIPT, /* nothing caused it: the scenario says how many fail */
    CAUSE_ROW_LOCK, /* many want one row */
    CAUSE_MISSING_INDEX,
    CAUSE_QUERY_DELAY,
    CAUSE_TABLE_GROWTH,
    CAUSE_POOL_CUT, /* the pool was enough until it was made smaller */
    CAUSE_CONNECTIONS_HELD,
    CAUSE_POOL, /* too small for what was asked */
    CAUSE_SERVICE_DOWN,
    CAUSE_SERVICE_SLOW,
    CAUSE_MESSAGE_LOSS,
    CAUSE_CALLS, /* one service's calls to another fail */
    CAUSE_KINDS
};

struct cause {
    enum cause_kind kind;
    uint64_t errors; /* of root requests */
    bool slow; /* no request failed: why the slowest minute was slow */
    uint64_t pool_timeouts; /* of all pools, with those who gave up before */
    uint64_t lock_timeouts, scripted;
    uint64_t lost; /* statements given up for what `kind` says; 0: it is not about those */
    const struct statement_stats *scan; /* the statement that scanned most for want of an index */
    const struct statement *statement; /* likewise, of the registry */
    const char *index; /* that it wants */
    const struct fault_spec *dropped; /* that index, or the one that made do for it */
    const struct fault_spec *created; /* that index, in the end */
    const struct pool_stats *pool; /* with the most time-outs, when those matter */
    const struct fault_spec *cut, *held; /* of that pool */
    const struct fault_spec *delay; /* of its service, or of the one whose statements were given up */
    const struct fault_spec *growth; /* of the table */
    const struct fault_spec *script; /* the one that failed most requests */
    const struct edge_stats *edge; /* the call that fails where nothing below it does */
    const struct fault_spec *edge_fault; /* on the service it goes to */
    enum status origin; /* how most failures begin that pools do not explain; STATUS_OK: none */
    uint64_t origin_count;
};

/* One in so many is not worth a word. */
enum { CAUSE_A_FEW = 20 };

struct cause cause_of(const struct report *report);
const char *cause_kind_name(enum cause_kind kind); /* missing_index */

/* When a later fault on the same thing ended what this one did; NEVER: none has. */
int64_t cause_fault_end(const struct report *report, const struct fault_spec *fault);
/* Connections at most before any fault: as the scenario says, or the service's own. */
int cause_pool_first_max(const struct report *report, const struct pool_stats *pool);
/* How many connections were held idle by faults, over all pools, and in how many pools. */
int cause_connections_held(const struct report *report, int *pools);
/* Whether the fault is the first landed one that held connections of its pool. */
bool cause_holds(const struct report *report, const struct fault_stats *fault);
/* Who got no connection of the pool in time, whoever's time it was. */
static inline uint64_t cause_pool_lost(const struct pool_stats *pool)
{
    return pool->timeouts + pool->given_up;
}

/* Whether anything happened that could have gone wrong. */
bool cause_was_quiet(const struct report *report);
/* How far a stream's p95 went up, in seconds, from its calmest to its slowest minute; 0: not worth a word. */
double cause_slowed(const struct stream_stats *stream, double *calm_s, double *slow_s);

#endif
