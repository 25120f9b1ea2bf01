#include "core/metrics.h"

#include <stdlib.h>

enum { FLAG_SAMPLED = 0x01 };

static const struct metric_info table[] = {
    [METRIC_HTTP_SERVER_DURATION] = {"http.server.request.duration", "s", "Duration of HTTP server requests.",
                                     METRIC_HISTOGRAM},
    [METRIC_HTTP_CLIENT_DURATION] = {"http.client.request.duration", "s", "Duration of HTTP client requests.",
                                     METRIC_HISTOGRAM},
    [METRIC_DB_DURATION] = {"db.client.operation.duration", "s", "Duration of database client operations.",
                            METRIC_HISTOGRAM},
    [METRIC_POOL_COUNT] = {"db.client.connection.count", "{connection}",
                           "Connections that are in the state described by the state attribute.",
                           METRIC_UPDOWN},
    [METRIC_POOL_MAX] = {"db.client.connection.max", "{connection}",
                         "The maximum number of open connections allowed.", METRIC_UPDOWN},
    [METRIC_POOL_PENDING] = {"db.client.connection.pending_requests", "{request}",
                             "Requests that wait for an open connection.", METRIC_UPDOWN},
    [METRIC_POOL_TIMEOUTS] = {"db.client.connection.timeouts", "{timeout}",
                              "Timeouts while waiting for a connection of the pool.", METRIC_COUNTER},
    [METRIC_POOL_WAIT] = {"db.client.connection.wait_time", "s",
                          "The time it took to obtain an open connection from the pool.", METRIC_HISTOGRAM},
    [METRIC_POOL_USE] = {"db.client.connection.use_time", "s",
                         "The time between borrowing a connection and returning it to the pool.",
                         METRIC_HISTOGRAM},
    [METRIC_MAILBOX_DEPTH] = {"actor.mailbox.depth", "{message}", "Messages that wait in a mailbox.",
                              METRIC_UPDOWN},
    [METRIC_MAILBOX_REFUSED] = {"actor.mailbox.refused", "{message}",
                                "Messages refused because the mailbox was full.", METRIC_COUNTER},
    [METRIC_LOAD_STARTED] = {"load.requests.started", "{request}", "Root requests started.", METRIC_COUNTER},
    [METRIC_LOAD_LATE] = {"load.requests.late", "{request}",
                          "Root requests started over 1 ms after they were due.", METRIC_COUNTER},
    [METRIC_LOAD_DROPPED] = {"load.requests.dropped", "{request}",
                             "Root requests that were due but not started.", METRIC_COUNTER},
    [METRIC_SDK_SPAN_STARTED] = {"otel.sdk.span.started", "{span}",
                                 "Spans, by whether they are exported; counted when they end.",
                                 METRIC_COUNTER},
    [METRIC_SDK_SPAN_QUEUE] = {"otel.sdk.processor.span.queue.size", "{span}",
                               "Spans that wait to be exported.", METRIC_UPDOWN},
    [METRIC_SDK_SPAN_PROCESSED] = {"otel.sdk.processor.span.processed", "{span}",
                                   "Spans handed to the exporter, or lost before.", METRIC_COUNTER},
    [METRIC_SDK_SPAN_INFLIGHT] = {"otel.sdk.exporter.span.inflight", "{span}",
                                  "Spans whose request is under way, or waits for another attempt.",
                                  METRIC_UPDOWN},
    [METRIC_SDK_SPAN_EXPORTED] = {"otel.sdk.exporter.span.exported", "{span}",
                                  "Spans whose export has ended, by outcome.", METRIC_COUNTER},
    [METRIC_SDK_LOG_CREATED] = {"otel.sdk.log.created", "{log_record}", "Log records.", METRIC_COUNTER},
    [METRIC_SDK_LOG_QUEUE] = {"otel.sdk.processor.log.queue.size", "{log_record}",
                              "Log records that wait to be exported.", METRIC_UPDOWN},
    [METRIC_SDK_LOG_PROCESSED] = {"otel.sdk.processor.log.processed", "{log_record}",
                                  "Log records handed to the exporter, or lost before.", METRIC_COUNTER},
    [METRIC_SDK_LOG_INFLIGHT] = {"otel.sdk.exporter.log.inflight", "{log_record}",
                                 "Log records whose request is under way, or waits for another attempt.",
                                 METRIC_UPDOWN},
    [METRIC_SDK_LOG_EXPORTED] = {"otel.sdk.exporter.log.exported", "{log_record}",
                                 "Log records whose export has ended, by outcome.", METRIC_COUNTER},
    [METRIC_SDK_POINT_INFLIGHT] = {"otel.sdk.exporter.metric_data_point.inflight", "{data_point}",
                                   "Data points that wait to be exported, or whose request is under way.",
                                   METRIC_UPDOWN},
    [METRIC_SDK_POINT_EXPORTED] = {"otel.sdk.exporter.metric_data_point.exported", "{data_point}",
                                   "Data points whose export has ended, by outcome.", METRIC_COUNTER},
    [METRIC_SDK_EXPORT_DURATION] = {"otel.sdk.exporter.operation.duration", "s",
                                    "From a request's first attempt to its end.", METRIC_HISTOGRAM},
    [METRIC_DEMO_FAILURE_RATE] = {"demo.failure_rate", "1",
                                  "Highest share of a route's requests that a scripted fault fails.",
                                  METRIC_GAUGE},
    [METRIC_LOAD_ENDED] = {"load.requests.ended", "{request}", "Root requests that have ended.",
                           METRIC_COUNTER},
    [METRIC_LOAD_FAILED] = {"load.requests.failed", "{request}", "Root requests that have ended in failure.",
                            METRIC_COUNTER},
    [METRIC_LOAD_DURATION] = {"load.request.duration", "s",
                              "From the instant a root request was meant to start to its end.",
                              METRIC_HISTOGRAM},
    [METRIC_LOG_RECORDS] = {"log.records", "{record}", "Log records, by what they say.", METRIC_COUNTER},
    [METRIC_POOL_ACQUIRE] = {"pool.acquire.duration", "s",
                             "Until a connection of the pool was obtained, or given up for.",
                             METRIC_HISTOGRAM},
    [METRIC_POOL_WAITERS_PEAK] = {"pool.waiters.peak", "{request}",
                                  "The most that waited for a connection of the pool since the last sample.",
                                  METRIC_GAUGE},
    [METRIC_STATEMENT_DURATION] = {"db.statement.duration", "s",
                                   "Of a statement's execution, without the wait for a connection.",
                                   METRIC_HISTOGRAM},
    [METRIC_STATEMENTS_PEAK] = {"db.statements.peak", "{statement}",
                                "The most statements under way at once since the last sample.", METRIC_GAUGE},
    [METRIC_CONNECTIONS_PEAK] =
        {"db.connections.peak", "{connection}",
         "The most connections in use or held at once since the last sample, over all pools.", METRIC_GAUGE},
    [METRIC_LOCK_WAIT] = {"db.lock.wait_time", "s", "Time that statements waited for a row.",
                          METRIC_HISTOGRAM},
    [METRIC_LOCK_TIMEOUTS] = {"db.lock.timeouts", "{timeout}", "Statements that gave up waiting for a row.",
                              METRIC_COUNTER},
    [METRIC_CACHE_LOOKUPS] = {"cache.lookups", "{lookup}", "Look-ups in the cache, by outcome.",
                              METRIC_COUNTER},
    [METRIC_HOT_SOLD] = {"shop.hot_product.sold", "{piece}", "Pieces sold of the product whose stock is set.",
                         METRIC_COUNTER},
    [METRIC_HOT_LEFT] = {"shop.hot_product.left", "{piece}", "Pieces left of the product whose stock is set.",
                         METRIC_GAUGE},
    [METRIC_SHOP_ORDERS] = {"shop.orders", "{order}", "Orders, by outcome.", METRIC_COUNTER},
    [METRIC_SHOP_REVENUE] = {"shop.revenue", "{USD}", "Money of the orders that stand.", METRIC_COUNTER},
    [METRIC_SHOP_ORDER_VALUE] = {"shop.order.value", "{USD}", "Value of an order.", METRIC_HISTOGRAM},
    [METRIC_SHOP_CART_CREATED] = {"shop.cart.created", "{cart}", "Carts created.", METRIC_COUNTER},
    [METRIC_SHOP_CART_ABANDONED] = {"shop.cart.abandoned", "{cart}", "Carts whose checkout did not happen.",
                                    METRIC_COUNTER},
    [METRIC_SHOP_CHECKOUT_SUCCESS] = {"shop.checkout.success_ratio", "1",
                                      "Share of checkouts that succeeded.", METRIC_GAUGE},
};
_Static_assert(ARRAY_LEN(table) == METRIC_COUNT, "every metric has a line");

const struct metric_info *metric_info(enum metric_id metric)
{
    ASSERT((unsigned)metric < METRIC_COUNT);
    return &table[metric];
}

void metrics_fini(struct metrics *metrics)
{
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        for (struct series *series = metrics->first[m], *next; series; series = next) {
            next = series->next;
            free(series->histogram);
            free(series);
        }
    }
    *metrics = (struct metrics){0};
}

static bool same_value(const struct attr *a, const struct attr *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case ATTR_TEXT:
        return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
    case ATTR_BOOL:
        return a->truth == b->truth;
    default: /* reals by their bits: NaN is itself */
        return a->integer == b->integer;
    }
}

/* A set has no order. */
static bool same_set(const struct series *series, const struct attr *attrs, size_t count)
{
    if (series->attr_count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t j = 0;
        while (j < count && series->attrs[j].key != attrs[i].key)
            j++;
        if (j == count || !same_value(&series->attrs[j], &attrs[i]))
            return false;
    }
    return true;
}

static struct series *series_find(const struct metrics *metrics, enum metric_id metric, uint16_t service,
                                  const struct attr *attrs, size_t count)
{
    struct series *series = metrics->first[metric];
    while (series && !(series->service == service && same_set(series, attrs, count)))
        series = series->next;
    return series;
}

static struct series *series_new(struct metrics *metrics, enum metric_id metric, uint16_t service,
                                 const struct attr *attrs, size_t count)
{
    struct series *series = base_alloc(1, sizeof *series);
    series->metric = metric;
    series->service = service;
    series->attr_count = (uint16_t)count;
    if (count)
        memcpy(series->attrs, attrs, count * sizeof *attrs);
    if (metric_info(metric)->kind == METRIC_HISTOGRAM)
        series->histogram = base_alloc(1, sizeof *series->histogram);
    if (metrics->last[metric])
        metrics->last[metric]->next = series;
    else
        metrics->first[metric] = series;
    metrics->last[metric] = series;
    metrics->count[metric]++;
    return series;
}

struct series *metrics_series(struct metrics *metrics, enum metric_id metric, uint16_t service,
                              const struct attr *attrs, size_t count)
{
    static const struct attr overflow = {.key = ATTR_METRIC_OVERFLOW, .type = ATTR_BOOL, .truth = true};
    ASSERT((unsigned)metric < METRIC_COUNT && count <= SERIES_ATTRS_MAX);
    struct series *series = series_find(metrics, metric, service, attrs, count);
    if (series)
        return series;
    if (metrics->count[metric] < METRIC_SERIES_MAX)
        return series_new(metrics, metric, service, attrs, count);
    metrics->overflowed++;
    series = series_find(metrics, metric, service, &overflow, 1);
    return series ? series : series_new(metrics, metric, service, &overflow, 1);
}

void series_record(struct series *series, int64_t duration_ns, int64_t at_ns, const struct span *span)
{
    double value = (double)duration_ns / (double)NS_PER_S;
    histogram_add(series->histogram, value);
    if (span && span->flags & FLAG_SAMPLED)
        series->exemplar = (struct exemplar){value, at_ns, span->trace_hi, span->trace_lo, span->id};
}
