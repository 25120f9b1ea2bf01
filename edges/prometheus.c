#include "edges/prometheus.h"

#include "edges/json_out.h"

/* OpenTelemetry's advice for durations in seconds; and for money. */
static const double second_bounds[] = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
                                       0.5,   0.75, 1,     2.5,  5,     7.5, 10};
static const double money_bounds[] = {1, 2.5, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000};

#define SECONDS second_bounds, ARRAY_LEN(second_bounds)
#define MONEY money_bounds, ARRAY_LEN(money_bounds)

static const struct family {
    const char *name;
    const double *bounds;
    size_t bound_count;
} families[] = {
    [METRIC_HTTP_SERVER_DURATION] = {"http_server_request_duration_seconds", SECONDS},
    [METRIC_HTTP_CLIENT_DURATION] = {"http_client_request_duration_seconds", SECONDS},
    [METRIC_DB_DURATION] = {"db_client_operation_duration_seconds", SECONDS},
    [METRIC_POOL_COUNT] = {"db_client_connections", NULL, 0},
    [METRIC_POOL_MAX] = {"db_client_connections_max", NULL, 0},
    [METRIC_POOL_PENDING] = {"db_client_connection_pending_requests", NULL, 0},
    [METRIC_POOL_TIMEOUTS] = {"db_client_connection_timeouts_total", NULL, 0},
    [METRIC_POOL_WAIT] = {"db_client_connection_wait_time_seconds", SECONDS},
    [METRIC_POOL_USE] = {"db_client_connection_use_time_seconds", SECONDS},
    [METRIC_MAILBOX_DEPTH] = {"actor_mailbox_depth", NULL, 0},
    [METRIC_MAILBOX_REFUSED] = {"actor_mailbox_refused_total", NULL, 0},
    [METRIC_LOAD_STARTED] = {"load_requests_started_total", NULL, 0},
    [METRIC_LOAD_LATE] = {"load_requests_late_total", NULL, 0},
    [METRIC_LOAD_DROPPED] = {"load_requests_dropped_total", NULL, 0},
    [METRIC_SDK_SPAN_STARTED] = {"otel_sdk_span_started_total", NULL, 0},
    [METRIC_SDK_SPAN_QUEUE] = {"otel_sdk_processor_span_queue_size", NULL, 0},
    [METRIC_SDK_SPAN_PROCESSED] = {"otel_sdk_processor_span_processed_total", NULL, 0},
    [METRIC_SDK_SPAN_INFLIGHT] = {"otel_sdk_exporter_span_inflight", NULL, 0},
    [METRIC_SDK_SPAN_EXPORTED] = {"otel_sdk_exporter_span_exported_total", NULL, 0},
    [METRIC_SDK_LOG_CREATED] = {"otel_sdk_log_created_total", NULL, 0},
    [METRIC_SDK_LOG_QUEUE] = {"otel_sdk_processor_log_queue_size", NULL, 0},
    [METRIC_SDK_LOG_PROCESSED] = {"otel_sdk_processor_log_processed_total", NULL, 0},
    [METRIC_SDK_LOG_INFLIGHT] = {"otel_sdk_exporter_log_inflight", NULL, 0},
    [METRIC_SDK_LOG_EXPORTED] = {"otel_sdk_exporter_log_exported_total", NULL, 0},
    [METRIC_SDK_POINT_INFLIGHT] = {"otel_sdk_exporter_metric_data_point_inflight", NULL, 0},
    [METRIC_SDK_POINT_EXPORTED] = {"otel_sdk_exporter_metric_data_point_exported_total", NULL, 0},
    [METRIC_SDK_EXPORT_DURATION] = {"otel_sdk_exporter_operation_duration_seconds", SECONDS},
    [METRIC_DEMO_FAILURE_RATE] = {"demo_failure_rate", NULL, 0},
    [METRIC_LOAD_ENDED] = {"load_requests_ended_total", NULL, 0},
    [METRIC_LOAD_FAILED] = {"load_requests_failed_total", NULL, 0},
    [METRIC_LOAD_DURATION] = {"load_request_duration_seconds", SECONDS},
    [METRIC_LOG_RECORDS] = {"log_records_total", NULL, 0},
    [METRIC_POOL_ACQUIRE] = {"pool_acquire_duration_seconds", SECONDS},
    [METRIC_POOL_WAITERS_PEAK] = {"pool_waiters_peak", NULL, 0},
    [METRIC_STATEMENT_DURATION] = {"db_statement_duration_seconds", SECONDS},
    [METRIC_STATEMENTS_PEAK] = {"db_statements_peak", NULL, 0},
    [METRIC_CONNECTIONS_PEAK] = {"db_connections_peak", NULL, 0},
    [METRIC_LOCK_WAIT] = {"db_lock_wait_time_seconds", SECONDS},
    [METRIC_LOCK_TIMEOUTS] = {"db_lock_timeouts_total", NULL, 0},
    [METRIC_CACHE_LOOKUPS] = {"cache_lookups_total", NULL, 0},
    [METRIC_HOT_SOLD] = {"shop_hot_product_sold_total", NULL, 0},
    [METRIC_HOT_LEFT] = {"shop_hot_product_left", NULL, 0},
    [METRIC_SHOP_ORDERS] = {"shop_orders_total", NULL, 0},
    [METRIC_SHOP_REVENUE] = {"shop_revenue_usd_total", NULL, 0},
    [METRIC_SHOP_ORDER_VALUE] = {"shop_order_value_usd", MONEY},
    [METRIC_SHOP_CART_CREATED] = {"shop_cart_created_total", NULL, 0},
    [METRIC_SHOP_CART_ABANDONED] = {"shop_cart_abandoned_total", NULL, 0},
    [METRIC_SHOP_CHECKOUT_SUCCESS] = {"shop_checkout_success_ratio", NULL, 0},
};
_Static_assert(ARRAY_LEN(families) == METRIC_COUNT, "every metric has a line");

static const char *const types[] = {
    [METRIC_COUNTER] = "counter",
    [METRIC_UPDOWN] = "gauge",
    [METRIC_GAUGE] = "gauge",
    [METRIC_HISTOGRAM] = "histogram",
};

static void write_real(struct text *page, double value)
{
    text_reserve(page, JSON_NUMBER_ROOM);
    page->len = (size_t)(json_double(page->bytes + page->len, value) - page->bytes);
}

static void write_escaped(struct text *page, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = bytes[i];
        if (c == '\\' || c == '"' || c == '\n')
            text_char(page, '\\');
        if (c == '\n')
            c = 'n';
        text_char(page, c);
    }
}

static void write_value(struct text *page, const struct attr *attr)
{
    switch ((enum attr_type)attr->type) {
    case ATTR_TEXT:
        write_escaped(page, attr->text, attr->len);
        return;
    case ATTR_INT:
        text_i64(page, attr->integer);
        return;
    case ATTR_REAL:
        write_real(page, attr->real);
        return;
    case ATTR_BOOL:
        text_str(page, attr->truth ? "true" : "false");
        return;
    }
}

static void write_label(struct text *page, const struct attr *attr)
{
    size_t from = page->len;
    text_str(page, attr_name((enum attr_key)attr->key));
    for (size_t i = from; i < page->len; i++)
        if (page->bytes[i] == '.')
            page->bytes[i] = '_';
    text_lit(page, "=\"");
    write_value(page, attr);
    text_char(page, '"');
}

/* `bound`: the le of a bucket, or NULL. */
static void write_labels(struct text *page, const struct series *series, const char *bound)
{
    if (!series->attr_count && !bound)
        return;
    text_char(page, '{');
    for (size_t i = 0; i < series->attr_count; i++) {
        if (i)
            text_char(page, ',');
        write_label(page, &series->attrs[i]);
    }
    if (bound) {
        if (series->attr_count)
            text_char(page, ',');
        text_lit(page, "le=\"");
        text_str(page, bound);
        text_char(page, '"');
    }
    text_char(page, '}');
}

static void write_line(struct text *page, const struct series *series, const char *name, const char *suffix,
                       const char *bound)
{
    text_str(page, name);
    text_str(page, suffix);
    write_labels(page, series, bound);
    text_char(page, ' ');
}

static void add_bound(struct prometheus_bounds *bounds, double bound)
{
    size_t at = bounds->count;
    while (at && bounds->of[at - 1] >= bound)
        at--;
    bool known = at < bounds->count && bounds->of[at] <= bound;
    if (bound <= 0 || known || bounds->count == PROMETHEUS_BOUNDS_MAX)
        return;
    memmove(&bounds->of[at + 1], &bounds->of[at], (bounds->count - at) * sizeof bounds->of[0]);
    bounds->of[at] = bound;
    bounds->count++;
}

static void add_bounds(struct prometheus_bounds *bounds, const struct condition *condition)
{
    if (condition->kind == CONDITION_SERIES && condition->quantile > 0)
        add_bound(bounds, condition->bound);
    for (size_t i = 0; i < condition->child_count; i++)
        add_bounds(bounds, &condition->children[i]);
}

void prometheus_bounds_of(struct prometheus_bounds *bounds, const struct scenario *scenario)
{
    bounds->count = 0;
    for (size_t i = 0; i < scenario->alert_count; i++)
        for (size_t s = 0; s < scenario->alerts[i].stage_count; s++)
            add_bounds(bounds, &scenario->alerts[i].stages[s].when);
}

/* The least bound that has not been told, of the family's own and the further ones; 0: there is none. */
static double next_bound(const struct family *family, const struct prometheus_bounds *bounds, size_t *own,
                         size_t *further)
{
    size_t further_count = bounds && family->bounds == second_bounds ? bounds->count : 0;
    double a = *own < family->bound_count ? family->bounds[*own] : 0;
    double b = *further < further_count ? bounds->of[*further] : 0;
    double least = a > 0 && b > 0 ? MIN(a, b) : MAX(a, b);
    *own += a > 0 && a <= least;
    *further += b > 0 && b <= least;
    return least;
}

static void write_histogram(struct text *page, const struct series *series, const struct family *family,
                            const struct prometheus_bounds *bounds)
{
    const struct histogram *histogram = series->histogram;
    size_t own = 0, further = 0;
    struct text bound = {0};
    for (double least; (least = next_bound(family, bounds, &own, &further)) > 0;) {
        bound.len = 0;
        write_real(&bound, least);
        write_line(page, series, family->name, "_bucket", text_c(&bound));
        text_u64(page, histogram->count - histogram_above(histogram, least));
        text_char(page, '\n');
    }
    text_fini(&bound);
    write_line(page, series, family->name, "_bucket", "+Inf");
    text_u64(page, histogram->count);
    text_char(page, '\n');
    write_line(page, series, family->name, "_sum", NULL);
    write_real(page, histogram->sum);
    text_char(page, '\n');
    write_line(page, series, family->name, "_count", NULL);
    text_u64(page, histogram->count);
    text_char(page, '\n');
}

static void write_head(struct text *page, const char *name, const char *help, const char *type)
{
    text_lit(page, "# HELP ");
    text_str(page, name);
    text_char(page, ' ');
    text_str(page, help);
    text_lit(page, "\n# TYPE ");
    text_str(page, name);
    text_char(page, ' ');
    text_str(page, type);
    text_char(page, '\n');
}

static void write_family(struct text *page, const struct metrics *metrics, enum metric_id metric,
                         uint16_t service, const struct prometheus_bounds *bounds)
{
    const struct family *family = &families[metric];
    const struct metric_info *info = metric_info(metric);
    bool headed = false;
    for (const struct series *series = metrics->first[metric]; series; series = series->next) {
        if (series->service != service)
            continue;
        if (!headed)
            write_head(page, family->name, info->description, types[info->kind]);
        headed = true;
        if (info->kind == METRIC_HISTOGRAM) {
            write_histogram(page, series, family, bounds);
            continue;
        }
        write_line(page, series, family->name, "", NULL);
        write_real(page, series->value);
        text_char(page, '\n');
    }
}

void prometheus_write(struct text *page, const struct metrics *metrics, uint16_t service, const char *name,
                      const struct prometheus_bounds *bounds)
{
    write_head(page, "target_info", "What is told of here.", "gauge");
    text_lit(page, "target_info{service_name=\"");
    write_escaped(page, name, strlen(name));
    text_lit(page, "\"} 1\n");
    prometheus_add(page, metrics, service, bounds);
}

void prometheus_add(struct text *page, const struct metrics *metrics, uint16_t service,
                    const struct prometheus_bounds *bounds)
{
    for (size_t m = 0; m < METRIC_COUNT; m++)
        write_family(page, metrics, (enum metric_id)m, service, bounds);
}
