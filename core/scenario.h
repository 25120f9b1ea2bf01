/*
 * scenario: a scenario file as data. The loader fills and checks it; nobody changes it afterwards.
 *
 * Units in names; instants are on the timeline (0 = its start). Everything a struct points to belongs
 * to the scenario. Names of services, pools, indexes and series have been checked against the registry.
 */
#ifndef CORE_SCENARIO_H
#define CORE_SCENARIO_H

#include "core/curve.h"
#include "core/draw.h"

enum {
    STREAMS_MAX = 8,
    JOURNEYS_MAX = 8, /* of one mix */
    MIXES_MAX = 4,
    VISIT_PAGES_MAX = 8,
    PHASES_MAX = 32,
    SERVICES_MAX = 64,
    SERVICE_POOLS_MAX = 4,
    SERVICE_VARIANTS_MAX = 4,
    FAULTS_MAX = 64,
    SCRIPT_STEPS_MAX = 16,
    ALERTS_MAX = 32,
    CONDITIONS_MAX = 16, /* children of one all / any, stages of one flow */
    CONDITION_DEPTH_MAX = 8,
    EXPECTS_MAX = 64,
    TABLE_POINTS_MAX = 32
};

/* Which journeys begin from an instant on, and in what shares of all. */
struct mix {
    int64_t at_ns;
    struct {
        const char *journey; /* of the load generator */
        double weight;
    } of[JOURNEYS_MAX];
    size_t count;
};

/* How visitors of several requests behave. */
struct visit_spec {
    int64_t think_mean_ns, think_max_ns; /* between requests: exponential, cut at the longest */
    int pages_min, pages_max; /* pages seen by who looks around */
    int64_t hot_product; /* 0: none */
    double hot_share; /* of journeys that want it, instead of any other product */
    double leave_share; /* of those with something in the cart who leave without buying */
};

/* Instead of a rate: `count` arrivals spread evenly over `within`, and again `every`, `rounds` times in all. */
struct burst_spec {
    int64_t at_ns, within_ns, every_ns;
    int count, rounds; /* count 0: the stream has a rate */
};

/* One source of open-loop traffic: Poisson arrivals on a curve per minute, of requests or of journeys that
   take several. */
struct stream_spec {
    const char *name;
    struct mix mixes[MIXES_MAX]; /* `journey` of the file is a mix of one */
    size_t mix_count; /* 0: a route is asked directly ... */
    const char *service; /* ... of this service ... */
    const char *route; /* ... "GET /wrap" */
    struct visit_spec visit;
    struct burst_spec burst;
    struct curve rate_per_min; /* `scale` of the file is in it already */
    bool demo; /* traffic.type */
    bool via_http; /* its requests leave through sink.ask, and come back as requests from outside */
    int64_t table_ns[TABLE_POINTS_MAX]; /* points the report's table shows */
    size_t table_count;
};

struct phase {
    int64_t at_ns;
    const char *name;
};

struct pool_spec {
    const char *name;
    int max; /* 0: the service's default */
    int64_t acquire_timeout_ns; /* 0: likewise */
};

struct service_spec {
    const char *service;
    struct duration_dist work; /* p50 0: the service's own */
    struct pool_spec pools[SERVICE_POOLS_MAX];
    size_t pool_count;
    int variant[SERVICE_VARIANTS_MAX]; /* chosen value of the kind's variant i: 0 is its default */
    int mailbox_max; /* 0: default */
};

struct postgresql_spec {
    int cores;
    int max_connections;
    int read_replicas;
    struct curve products; /* rows of the table */
    double scan_ns_per_row;
    double jitter_sigma;
    bool cancel_on_deadline;
    int64_t lock_hold_ns; /* how long a reservation keeps its row beyond its own CPU time: the rest of its
                             transaction */
    int64_t lock_timeout_ns; /* a statement that has waited this long for a row fails; 0: it waits on */
    int64_t hot_product; /* the product whose stock is set; 0: none */
    int hot_stock;
    const char *database, *host;
};

struct redis_spec {
    struct duration_dist work;
    int carts; /* carts there at the start: cart-1000 and on */
    int keys_max; /* the least recently used is dropped beyond it */
    int64_t cart_ttl_ns;
};

enum fault_kind {
    FAULT_DROP_INDEX,
    FAULT_CREATE_INDEX,
    FAULT_POOL_MAX,
    FAULT_ACQUIRE_TIMEOUT,
    FAULT_HOLD_CONNECTIONS,
    FAULT_READ_REPLICAS,
    FAULT_SERVICE_DOWN,
    FAULT_SERVICE_UP,
    FAULT_SERVICE_SLOW,
    FAULT_QUERY_DELAY, /* of a service: its statements hold their connections that much longer */
    FAULT_TABLE_GROWTH, /* rows of the products table from now on, instead of the curve */
    FAULT_ROUTE_DELAY, /* these three: `physics: scripted` alone, see core/script.c */
    FAULT_ROUTE_FAILURES,
    FAULT_MESSAGE_LOSS, /* asks to `target` of the service `route`, by share */
    FAULT_KIND_COUNT
};

/* What a scripted fault does from an instant on, until its next step. */
struct script_step {
    int64_t at_ns;
    double low, high; /* ROUTE_DELAY: the delay in ns; the others: the share that fails or is lost, in both */
};

struct fault_spec {
    int64_t at_ns;
    enum fault_kind kind;
    const char *target; /* the index, pool or service it acts on; NULL for read_replicas */
    double value; /* max, count, replicas, factor, rows, a share, or the timeout or least delay in ns */
    int line; /* in the file, 0: set otherwise */
    const char *route; /* ROUTE_*: "GET /products" of that service; MESSAGE_LOSS: who asks it; else NULL */
    double most; /* ROUTE_DELAY: the longest delay, in ns */
    const char *missing_index; /* ROUTE_DELAY: whose absence the delay plays; NULL: it plays no query */
    int64_t after_ns; /* ROUTE_FAILURES: how long a request waits before it fails */
    struct script_step steps[SCRIPT_STEPS_MAX]; /* of a scripted fault that changes along the timeline */
    size_t step_count; /* 0: value and most hold from at_ns on */
};

/* A figure of the running world, by name: `demo.errors`, `pool.recommendations.waiters`. */
enum probe_kind {
    PROBE_REQUESTS, /* STREAM.requests: root requests ended */
    PROBE_ERRORS, /* STREAM.errors: those that failed; as a ratio it is per requests */
    PROBE_LATENCY, /* STREAM.latency: from the intended start */
    PROBE_POOL_WAITERS, /* pool.NAME.waiters: the most waiting at once */
    PROBE_POOL_USED,
    PROBE_POOL_TIMEOUTS,
    PROBE_POOL_WAIT, /* pool.NAME.wait: for a connection, time-outs included */
    PROBE_QUERY_LATENCY, /* query.STATEMENT.latency: execution, without the wait; index: the statement */
    PROBE_QUERY_CPU, /* query.STATEMENT.cpu: its share of all CPU time of the run */
    PROBE_DATABASE_ACTIVE, /* database.active: statements under way at once */
    PROBE_DATABASE_CONNECTIONS, /* database.connections: in use or held, over all pools */
    PROBE_LOCK_WAIT, /* database.lock_wait: for a row */
    PROBE_LOCK_TIMEOUTS, /* database.lock_timeouts */
    PROBE_CACHE_HITS, /* cache.hits: product pages found in the cache, per look-up */
    PROBE_SCRIPT_RATE, /* script.failure_rate: the highest share that a scripted fault fails now */
    PROBE_LOGS, /* logs.slow_query, logs.pool_exhausted */
    PROBE_TRACE_DEPTH,
    PROBE_TRACE_SERVICES,
    PROBE_TRACE_SPANS,
    PROBE_ORDERS,
    PROBE_REVENUE,
    PROBE_SOLD_OUT, /* business.sold_out: orders refused because nothing was left */
    PROBE_ABANDONED, /* business.abandoned: carts */
    PROBE_HOT_SOLD, /* business.hot_sold, business.hot_left: pieces of the product whose stock is set */
    PROBE_HOT_LEFT,
    PROBE_KIND_COUNT
};

enum { PROBE_ALL_STREAMS = -1 };

struct probe {
    enum probe_kind kind;
    int index; /* stream (or PROBE_ALL_STREAMS), statement or log body */
    const char *pool; /* PROBE_POOL_*: its name */
    const char *name; /* as written */
};

enum condition_kind { CONDITION_SERIES, CONDITION_ALL, CONDITION_ANY, CONDITION_NOT };

/* True or false at an instant. A series condition: (series over the window, per another series if
   given) above or below a bound, and so without a break for `for_ns`. */
struct condition {
    enum condition_kind kind;
    struct probe series;
    struct probe per; /* per.name NULL: none; PROBE_ERRORS is then per its own stream's requests */
    int64_t over_ns; /* 0: the value now */
    double quantile; /* of a latency or wait: 0.95 */
    bool below;
    double bound;
    int64_t for_ns;
    struct condition *children; /* ALL, ANY: all of them; NOT: one */
    size_t child_count;
};

enum alert_kind { ALERT_FLOW, ALERT_BURN_RATE, ALERT_THRESHOLD };

struct alert_stage {
    struct condition when;
    int64_t within_ns; /* after the stage before it; 0 for the first */
};

struct alert_spec {
    const char *name;
    enum alert_kind kind;
    struct alert_stage stages[CONDITIONS_MAX]; /* FLOW; THRESHOLD has one */
    size_t stage_count;
    int stream; /* BURN_RATE: stream or PROBE_ALL_STREAMS */
    double objective; /* 0.99 */
    double factor;
    int64_t long_ns, short_ns;
};

/* k6's threshold grammar on named series, parsed: see core/expect_parse.h. */
enum expect_when { EXPECT_WHOLE, EXPECT_AT, EXPECT_EACH_MINUTE, EXPECT_WINDOW };
enum expect_measure {
    EXPECT_RATE,
    EXPECT_COUNT,
    EXPECT_PERCENTILE,
    EXPECT_MAX,
    EXPECT_MIN,
    EXPECT_SURGE, /* of errors: a minute's rate less twice the rate of the minute before */
    EXPECT_FIRES,
    EXPECT_NEVER_FIRES,
    EXPECT_RESOLVES /* it has fired and is over: for the last time in this window */
};

struct expect_spec {
    const char *text;
    struct probe series; /* unused for alerts */
    int alert; /* index, for the measures of alerts; else -1 */
    enum expect_when when;
    int64_t at_ns; /* EXPECT_AT: centre of the minute; else from this instant on */
    int64_t until_ns; /* not EXPECT_AT: to this one */
    enum expect_measure measure;
    double percentile; /* 0.95 */
    double low,
        high; /* held when low <= x <= high; -INFINITY and INFINITY where open; ratio, seconds or count */
    bool low_open, high_open; /* < and > exclude the bound itself */
};

static inline bool expect_of_alert(const struct expect_spec *expect)
{
    return expect->measure >= EXPECT_FIRES;
}

struct scenario {
    const char *file, *name, *story;
    int64_t duration_ns;
    bool scripted; /* may have faults that nothing causes */
    struct stream_spec streams[STREAMS_MAX];
    size_t stream_count;
    struct phase phases[PHASES_MAX];
    size_t phase_count;
    struct service_spec services[SERVICES_MAX];
    size_t service_count;
    struct postgresql_spec postgresql;
    struct redis_spec redis;
    struct fault_spec faults[FAULTS_MAX];
    size_t fault_count;
    struct alert_spec alerts[ALERTS_MAX];
    size_t alert_count;
    struct expect_spec expects[EXPECTS_MAX];
    size_t expect_count;
    void *memory; /* the loader's */
};

/* Index of the phase at an instant; 0 when there is none before it. */
uint8_t scenario_phase(const struct scenario *scenario, int64_t at_ns);
int scenario_stream(const struct scenario *scenario, const char *name); /* -1: none */
/* The rate that a stream is meant to have at an instant, of bursts as long as they come. */
double stream_rate_per_min(const struct stream_spec *stream, int64_t at_ns);
/* The service's line in the file, or NULL. */
const struct service_spec *scenario_service(const struct scenario *scenario, const char *service);

/* Name of a fault as the file writes it: drop_index. */
const char *fault_kind_name(enum fault_kind kind);

#endif
