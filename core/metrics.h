/*
 * metrics: the instruments of the run, each a set of series told apart by attributes.
 *
 * Series are found once and their pointer is kept by who counts, so counting is an addition. At most
 * METRIC_SERIES_MAX series a metric; further sets share one series a service, with
 * otel.metric.overflow=true. Cumulative from the start of the run. Histograms are exponential; the
 * exemplar is the newest value with its trace.
 */
#ifndef CORE_METRICS_H
#define CORE_METRICS_H

#include "core/histogram.h"
#include "core/span.h"

enum { METRIC_SERIES_MAX = 2000, SERIES_ATTRS_MAX = 9 };

enum metric_kind { METRIC_COUNTER, METRIC_UPDOWN, METRIC_GAUGE, METRIC_HISTOGRAM };

enum metric_id {
    METRIC_HTTP_SERVER_DURATION,
    METRIC_HTTP_CLIENT_DURATION,
    METRIC_DB_DURATION,
    METRIC_POOL_COUNT,
    METRIC_POOL_MAX,
    METRIC_POOL_PENDING,
    METRIC_POOL_TIMEOUTS,
    METRIC_POOL_WAIT,
    METRIC_POOL_USE,
    METRIC_MAILBOX_DEPTH,
    METRIC_MAILBOX_REFUSED,
    METRIC_LOAD_STARTED,
    METRIC_LOAD_LATE,
    METRIC_LOAD_DROPPED,
    /* The exporter's of itself; edges/otlp_export.h. */
    METRIC_SDK_SPAN_STARTED,
    METRIC_SDK_SPAN_QUEUE,
    METRIC_SDK_SPAN_PROCESSED,
    METRIC_SDK_SPAN_INFLIGHT,
    METRIC_SDK_SPAN_EXPORTED,
    METRIC_SDK_LOG_CREATED,
    METRIC_SDK_LOG_QUEUE,
    METRIC_SDK_LOG_PROCESSED,
    METRIC_SDK_LOG_INFLIGHT,
    METRIC_SDK_LOG_EXPORTED,
    METRIC_SDK_POINT_INFLIGHT,
    METRIC_SDK_POINT_EXPORTED,
    METRIC_SDK_EXPORT_DURATION,
    /* What alerts watch; core/instrument.c. */
    METRIC_DEMO_FAILURE_RATE,
    METRIC_LOAD_ENDED,
    METRIC_LOAD_FAILED,
    METRIC_LOAD_DURATION,
    METRIC_LOG_RECORDS,
    METRIC_POOL_ACQUIRE,
    METRIC_POOL_WAITERS_PEAK,
    METRIC_STATEMENT_DURATION,
    METRIC_STATEMENTS_PEAK,
    METRIC_CONNECTIONS_PEAK,
    METRIC_LOCK_WAIT,
    METRIC_LOCK_TIMEOUTS,
    METRIC_CACHE_LOOKUPS,
    METRIC_HOT_SOLD,
    METRIC_HOT_LEFT,
    /* The shop's own. */
    METRIC_SHOP_ORDERS,
    METRIC_SHOP_REVENUE,
    METRIC_SHOP_ORDER_VALUE,
    METRIC_SHOP_CART_CREATED,
    METRIC_SHOP_CART_ABANDONED,
    METRIC_SHOP_CHECKOUT_SUCCESS,
    METRIC_COUNT
};

struct metric_info {
    const char *name, *unit, *description;
    enum metric_kind kind;
};

struct exemplar {
    double value;
    int64_t at_ns;
    uint64_t trace_hi, trace_lo, span; /* trace 0: none */
};

struct series {
    enum metric_id metric;
    uint16_t service;
    uint16_t attr_count;
    struct attr attrs[SERIES_ATTRS_MAX];
    double value; /* counters, up-down counters, gauges */
    struct histogram *histogram; /* METRIC_HISTOGRAM */
    struct exemplar exemplar;
    struct series *next; /* same metric */
};

struct metrics {
    struct series *first[METRIC_COUNT], *last[METRIC_COUNT];
    uint32_t count[METRIC_COUNT];
    uint64_t overflowed;
    uint64_t away; /* bit i: service i is another process's, and so is telling of it */
};

const struct metric_info *metric_info(enum metric_id metric);

void metrics_fini(struct metrics *metrics);
static inline bool metrics_tell(const struct metrics *metrics, uint16_t service)
{
    return !(metrics->away >> service & 1);
}

/* The series with these attributes, made if new. Text of attributes must outlive metrics. */
struct series *metrics_series(struct metrics *metrics, enum metric_id metric, uint16_t service,
                              const struct attr *attrs, size_t count);

static inline void series_add(struct series *series, double value)
{
    series->value += value;
}

/* Records a duration with the span it belongs to. */
void series_record(struct series *series, int64_t duration_ns, int64_t at_ns, const struct span *span);

#endif
