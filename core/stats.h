/*
 * stats: what a run adds up to. Plain figures that the world counts and reports read.
 *
 * A root request counts in the window in which it was *meant* to start; latency runs from that
 * instant, errors included (no coordinated omission).
 */
#ifndef CORE_STATS_H
#define CORE_STATS_H

#include "core/histogram.h"
#include "core/log.h"
#include "core/scenario.h"

struct window {
    int64_t from_ns, to_ns;
    uint64_t requests, errors;
    struct histogram latency;
};

struct stream_stats {
    uint64_t started, answered, failed, in_flight, dropped;
    struct window *minutes; /* one a minute of the duration */
    size_t minute_count;
    struct window *points; /* as stream_spec.table_ns, then the expectations' own; 60 s centred, or the
                              stream's first minute where the point is its start */
    size_t point_count;
    struct window whole;
    uint64_t ended, ended_failed; /* by the instant of their end: what a monitoring system sees */
};

struct service_stats {
    const char *service;
    uint64_t spans, errors;
    struct histogram latency; /* of its SERVER spans */
};

struct edge_stats {
    const char *from, *to;
    uint64_t calls, errors;
    struct histogram latency;
};

struct pool_stats {
    const char *name, *service;
    int max, peak_used;
    uint64_t acquired, timeouts, refused;
    struct histogram wait;
};

struct alert_stats {
    bool fired;
    int64_t fired_at_ns, resolved_at_ns; /* NEVER: not yet */
};

struct expect_stats {
    bool held;
    char actual[96];
};

struct fault_stats {
    bool applied, landed;
    char evidence[120];
};

/* What the shop earned, as its database saw it. */
struct business_stats {
    uint64_t orders;
    int64_t revenue_cents, order_items, stock_taken; /* of orders that stand */
    uint64_t sold_out, checkouts, checkouts_failed, carts_created, carts_abandoned;
};

struct run_stats {
    struct stream_stats streams[STREAMS_MAX];
    struct service_stats services[SERVICES_MAX];
    size_t service_count;
    struct edge_stats *edges;
    size_t edge_count;
    struct pool_stats *pools;
    size_t pool_count;
    struct alert_stats alerts[ALERTS_MAX];
    struct expect_stats expects[EXPECTS_MAX];
    struct fault_stats faults[FAULTS_MAX];
    struct business_stats business;
    uint64_t traces, spans, logs[LOG_BODY_COUNT];
    uint8_t max_depth;
    /* Conservation: asks started = ended; replies that came after their ask had ended. */
    uint64_t asks, asks_ended[STATUS_COUNT], late_replies, mailbox_refused;
    uint32_t mailbox_peak;
};

#endif
