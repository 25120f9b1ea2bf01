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

#define LATE_START_NS NS_PER_MS

/* Root requests of a minute, as they are seen while it runs. */
struct seen {
    uint32_t requests, errors;
};

struct stream_stats {
    double scale; /* of its rates against the scenario's: a demo may be started with others */
    uint64_t started, answered, failed, in_flight, dropped;
    uint64_t late; /* started over LATE_START_NS after they were due; only a clock can be late */
    struct histogram start_error;
    struct window *minutes; /* one a minute of the duration */
    struct seen *seen; /* likewise, and those that only warmed up the world as well */
    size_t minute_count;
    struct window *points; /* as stream_spec.table_ns, then the expectations' own; 60 s centred, or the
                              stream's first minute where the point is its start */
    size_t point_count;
    struct window whole;
    uint64_t ended, ended_failed; /* by the instant of their end: what a monitoring system sees */
    struct histogram ended_latency; /* likewise; cumulative */
};

struct service_stats {
    const char *service;
    uint64_t spans, errors;
    uint32_t asks_peak; /* the most asks that waited for it at once */
    struct histogram latency; /* of its SERVER spans */
};

struct edge_stats {
    const char *from, *to;
    uint64_t calls, errors;
    struct histogram latency;
};

/* One minute of a pool: what it carried and what it did not. */
struct pool_minute {
    uint32_t acquired, timeouts, given_up;
};

struct pool_stats {
    const char *name, *service;
    int max, peak_used;
    int64_t acquire_timeout_ns; /* at the end of the run */
    uint64_t acquired, timeouts, refused;
    uint64_t given_up; /* whose own limit came before the pool's, or with it, while they waited */
    struct histogram wait; /* of who got a connection */
    struct histogram wait_any; /* likewise, and of who did not */
    uint32_t waiters_most; /* at once */
    struct pool_minute *minutes; /* one a minute of the duration, by the instant of the outcome */
    size_t minute_count;
};

/* What the database ran: one line a statement of the registry. */
struct statement_stats {
    const char *name; /* of the statement table */
    uint64_t runs;
    uint64_t full_scans; /* runs whose plan used no index although the statement has a missing_index */
    uint64_t scan_rows_max; /* rows that the largest of those read */
    struct histogram latency; /* of their execution, without the wait for a connection */
    bool scans; /* its latest run was a full scan for want of the missing_index */
};

enum { ALERT_SPELLS_MAX = 16 };

struct alert_spell {
    int64_t fired_at_ns, resolved_at_ns; /* on the timeline; NEVER: not yet */
};

struct alert_stats {
    bool fired;
    int64_t fired_at_ns, resolved_at_ns; /* first and last, on the timeline; NEVER: not yet */
    uint32_t firings;
    struct alert_spell spells[ALERT_SPELLS_MAX]; /* of the first of them */
};

/* Judged: what it is about lay in the part of the timeline that was played. */
struct expect_stats {
    bool judged, held;
    char actual[96];
};

/* What had become of the thing that a fault acts on, up to an instant. */
struct fault_tally {
    uint64_t met; /* who asked the pools, called the service, or had it run statements */
    uint64_t failed, given_up; /* of them: errors, or time-outs; who did not wait for one */
    double answers_s; /* how long the answers took together */
};

struct fault_stats {
    struct fault_spec spec; /* of the scenario, or set while it ran (at_ns: when it was) */
    struct fault_tally before; /* when it was applied: only what came after proves it */
    double was; /* the setting that it replaced */
    bool over; /* the next fault on the same matter has come: the evidence is complete */
    bool judged, applied, landed;
    bool told; /* by the process that has the store: applied, landed and evidence are its words */
    bool by_hand; /* set while it ran: nothing that the scenario promises */
    uint64_t nth; /* of those that were set by hand, from 1 on; also when it took another's place */
    uint64_t requests, failed; /* ROUTE_*: that it acted on */
    char evidence[120];
};

/* What the stores say of themselves. */
struct store_stats {
    uint32_t active_peak; /* statements under way at once */
    uint32_t connections_peak; /* in use or held at once, over all pools */
    uint32_t active_recent, connections_recent; /* likewise, the most since the last sample */
    struct histogram lock_wait; /* of statements that want a row, also of those that get it at once */
    uint64_t lock_timeouts;
    uint64_t cache_hits, cache_misses; /* of GET */
};

/* Where a statement's time goes: to the wait for a connection, to a fault's delay, to the database. */
enum spent { SPENT_WAITING, SPENT_DELAYED, SPENT_RUNNING, SPENT_COUNT };

/* CPU time by who spent it: a service's own work, or a statement that it ran. */
struct profile_line {
    const char *service, *route, *function; /* product-catalog, GET /products, products_by_category or work */
    double cpu_ns;
    const char *pool; /* of a statement, as what follows; NULL: work */
    double spent_ns[SPENT_COUNT];
    double scanned_ns, locked_ns; /* of SPENT_RUNNING: full scans for want of an index, waits for a row */
    uint64_t lost[SPENT_COUNT]; /* given up by the asker, by what most of its time had gone to */
};

/* What the shop's services did, by what they told their callers; and what stands in the database. The two
   differ by answers that came too late to be told. */
enum business {
    BUSINESS_CHECKOUT, /* begun at the front door */
    BUSINESS_CHECKOUT_DONE,
    BUSINESS_ORDER, /* created */
    BUSINESS_SOLD_OUT,
    BUSINESS_CART_CREATED,
    BUSINESS_CART_ABANDONED,
    BUSINESS_COUNT
};

struct business_stats {
    uint64_t count[BUSINESS_COUNT];
    int64_t revenue_cents;
    /* The database's own: orders that stand, their money and pieces, and the pieces gone from stock. */
    uint64_t db_orders;
    int64_t db_revenue_cents, db_pieces, db_stock_taken;
    int64_t hot_sold, hot_left; /* of postgresql.hot_product, as the database has it */
};

enum { EDGES_MAX = 256 };

struct run_stats {
    struct stream_stats streams[STREAMS_MAX];
    struct service_stats services[SERVICES_MAX];
    size_t service_count;
    struct edge_stats *edges;
    size_t edge_count;
    struct pool_stats *pools;
    size_t pool_count;
    struct statement_stats *statements;
    size_t statement_count;
    struct alert_stats alerts[ALERTS_MAX];
    struct expect_stats expects[EXPECTS_MAX];
    struct fault_stats faults[FAULTS_MAX];
    size_t fault_count;
    struct business_stats business;
    struct store_stats stores;
    struct profile_line *profile;
    size_t profile_count;
    double script_rate; /* the highest share that a scripted fault fails now */
    uint64_t traces, spans, logs[LOG_BODY_COUNT];
    uint8_t max_depth;
    /* Conservation: asks started = ended; replies that came after their ask had ended. */
    uint64_t asks, asks_ended[STATUS_COUNT], late_replies, mailbox_refused;
    uint64_t expired; /* requests whose deadline had passed before they were handled */
};

/* Requests per minute that the stream is meant to have at an instant of the timeline. */
double stream_rate(const struct stream_stats *stats, const struct stream_spec *spec, int64_t at_ns);

/* The stream's window for a point of the timeline, as in stream_stats.points; NULL: nobody asked for it. */
const struct window *stream_point(const struct stream_stats *stats, const struct stream_spec *spec,
                                  int64_t at_ns);

#endif
