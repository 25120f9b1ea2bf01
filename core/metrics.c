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
