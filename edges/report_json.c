#include "edges/report_json.h"

#include "edges/figures.h"

#include <jansson.h>
#include <stdlib.h>

static void put(json_t *object, const char *key, json_t *value)
{
    ASSERT(json_object_set_new(object, key, value) == 0);
}

static void put_count(json_t *object, const char *key, uint64_t value)
{
    put(object, key, json_integer((json_int_t)value));
}

/* Rounded half up here, so that printing 15 digits shows the decimals and no more. */
static json_t *rounded(double value, double scale)
{
    double scaled = value * scale;
    int64_t whole = (int64_t)(scaled + (scaled < 0 ? -0.5 : 0.5));
    return json_real((double)whole / scale);
}

static void put_ratio(json_t *object, const char *key, double value)
{
    put(object, key, rounded(value, 1e4));
}

static void put_ms(json_t *object, const char *key, double seconds)
{
    put(object, key, rounded(seconds * 1e3, 1e2));
}

static void put_usd(json_t *object, const char *key, double value)
{
    put(object, key, rounded(value, 1e2));
}

static void put_instant(json_t *object, const char *key, int64_t at_ns, bool happened)
{
    put(object, key, happened && at_ns != NEVER ? rounded((double)at_ns / 1e9, 1e3) : json_null());
}

/* Text that is not UTF-8 keeps its ASCII. */
static json_t *string(const char *text)
{
    json_t *value = json_string(text);
    if (value)
        return value;
    char *mended = base_copy(text);
    for (char *at = mended; *at; at++)
        if ((unsigned char)*at >= 0x80)
            *at = '?';
    value = json_string(mended);
    free(mended);
    return value;
}

static json_t *string_or_null(const char *text)
{
    return text ? string(text) : json_null();
}

static void put_window(json_t *object, const struct window *window)
{
    put_count(object, "requests", window->requests);
    put_count(object, "errors", window->errors);
    put_ratio(object, "error_rate", figure_share(window->errors, window->requests));
}

static json_t *table(const struct stream_spec *spec, const struct stream_stats *stats)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < spec->table_count; i++) {
        const struct window *window = stream_point(stats, spec, spec->table_ns[i]);
        json_t *row = json_object();
        struct text at = {0};
        report_point(&at, spec->table_ns[i]);
        put(row, "at", string(text_c(&at)));
        text_fini(&at);
        put_window(row, window);
        put_ms(row, "p95_ms", histogram_quantile(&window->latency, 0.95));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *minutes(const struct stream_spec *spec, const struct stream_stats *stats)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < stats->minute_count; i++) {
        const struct window *minute = &stats->minutes[i];
        json_t *row = json_object();
        put_count(row, "minute", i);
        put(row, "rpm_target", rounded(curve_at(&spec->rate_per_min, minute->from_ns), 1e2));
        put_window(row, minute);
        put_ms(row, "p50_ms", histogram_quantile(&minute->latency, 0.50));
        put_ms(row, "p95_ms", histogram_quantile(&minute->latency, 0.95));
        put_ms(row, "p99_ms", histogram_quantile(&minute->latency, 0.99));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *streams(const struct report *report)
{
    json_t *all = json_object();
    for (size_t i = 0; i < report->scenario->stream_count; i++) {
        const struct stream_spec *spec = &report->scenario->streams[i];
        const struct stream_stats *stats = &report->stats->streams[i];
        json_t *stream = json_object();
        put_window(stream, &stats->whole);
        put_ms(stream, "p50_ms", histogram_quantile(&stats->whole.latency, 0.50));
        put_ms(stream, "p95_ms", histogram_quantile(&stats->whole.latency, 0.95));
        put_ms(stream, "p99_ms", histogram_quantile(&stats->whole.latency, 0.99));
        put(stream, "table", table(spec, stats));
        put(stream, "minutes", minutes(spec, stats));
        put(all, spec->name, stream);
    }
    return all;
}

static json_t *services(const struct run_stats *stats)
{
    json_t *all = json_object();
    for (size_t i = 0; i < stats->service_count; i++) {
        json_t *service = json_object();
        put_count(service, "spans", stats->services[i].spans);
        put_count(service, "errors", stats->services[i].errors);
        put_ms(service, "p95_ms", histogram_quantile(&stats->services[i].latency, 0.95));
        put(all, stats->services[i].service, service);
    }
    return all;
}

static json_t *edges(const struct run_stats *stats)
{
    json_t *all = json_array();
    for (size_t i = 0; i < stats->edge_count; i++) {
        json_t *edge = json_object();
        put(edge, "from", string(stats->edges[i].from));
        put(edge, "to", string(stats->edges[i].to));
        put_count(edge, "calls", stats->edges[i].calls);
        put_count(edge, "errors", stats->edges[i].errors);
        put_ms(edge, "p95_ms", histogram_quantile(&stats->edges[i].latency, 0.95));
        json_array_append_new(all, edge);
    }
    return all;
}

static json_t *pools(const struct report *report)
{
    json_t *all = json_object();
    for (size_t i = 0; i < report->stats->pool_count; i++) {
        const struct pool_stats *stats = &report->stats->pools[i];
        json_t *pool = json_object();
        struct text name = {0};
        put(pool, "service", string(stats->service));
        put(pool, "max", json_integer(stats->max));
        put(pool, "peak_used", json_integer(stats->peak_used));
        put_count(pool, "acquired", stats->acquired);
        put_count(pool, "timeouts", stats->timeouts);
        put_count(pool, "refused", stats->refused);
        put_ms(pool, "p95_wait_ms", histogram_quantile(&stats->wait, 0.95));
        report_pool_name(&name, report, stats);
        put(all, text_c(&name), pool);
        text_fini(&name);
    }
    return all;
}

static json_t *statements(const struct run_stats *stats)
{
    json_t *all = json_object();
    for (size_t i = 0; i < stats->statement_count; i++) {
        if (!stats->statements[i].runs)
            continue;
        json_t *statement = json_object();
        put_count(statement, "runs", stats->statements[i].runs);
        put_count(statement, "full_scans", stats->statements[i].full_scans);
        put_count(statement, "scan_rows_max", stats->statements[i].scan_rows_max);
        put(all, stats->statements[i].name, statement);
    }
    return all;
}

static json_t *business(const struct report *report)
{
    const struct business_stats *stats = &report->stats->business;
    struct business_figures figures = report_business(report);
    json_t *all = json_object();
    put_count(all, "orders", figures.orders);
    put_usd(all, "revenue", figures.revenue);
    put_usd(all, "revenue_per_request", figures.revenue_per_request);
    put_usd(all, "revenue_lost", figures.revenue_lost);
    put_usd(all, "average_order_value", figures.average_order_value);
    put_ratio(all, "checkout_success_rate", figures.checkout_success_rate);
    put_ratio(all, "cart_abandonment_rate", figures.cart_abandonment_rate);
    put_count(all, "checkouts", figures.checkouts);
    put_count(all, "checkouts_failed", figures.checkouts_failed);
    put_count(all, "sold_out", stats->count[BUSINESS_SOLD_OUT]);
    put_count(all, "carts_created", stats->count[BUSINESS_CART_CREATED]);
    put_count(all, "carts_abandoned", stats->count[BUSINESS_CART_ABANDONED]);
    return all;
}

static json_t *alerts(const struct report *report)
{
    json_t *all = json_array();
    for (size_t i = 0; i < report->scenario->alert_count; i++) {
        const struct alert_spec *spec = &report->scenario->alerts[i];
        const struct alert_stats *stats = &report->stats->alerts[i];
        json_t *alert = json_object();
        put(alert, "name", string(spec->name));
        put(alert, "kind", string(report_alert_kind(spec->kind)));
        put(alert, "state", string(report_alert_state(stats)));
        put_instant(alert, "fired_at_s", stats->fired_at_ns, stats->fired);
        put_instant(alert, "resolved_at_s", stats->resolved_at_ns, stats->fired);
        json_array_append_new(all, alert);
    }
    return all;
}

static json_t *expectations(const struct report *report)
{
    json_t *all = json_array();
    for (size_t i = 0; i < report->scenario->expect_count; i++) {
        const struct expect_stats *stats = &report->stats->expects[i];
        json_t *expectation = json_object();
        put(expectation, "expect", string(report->scenario->expects[i].text));
        put(expectation, "held", stats->judged ? json_boolean(stats->held) : json_null());
        put(expectation, "actual", stats->judged ? string(stats->actual) : json_null());
        json_array_append_new(all, expectation);
    }
    return all;
}

static json_t *faults(const struct report *report)
{
    json_t *all = json_array();
    for (size_t i = 0; i < report->stats->fault_count; i++) {
        const struct fault_stats *stats = &report->stats->faults[i];
        const struct fault_spec *spec = &stats->spec;
        json_t *fault = json_object();
        put(fault, "name", string(fault_kind_name(spec->kind)));
        put(fault, "target", string_or_null(spec->target));
        put_instant(fault, "at_s", spec->at_ns, true);
        put(fault, "landed", stats->judged ? json_boolean(stats->landed) : json_null());
        put(fault, "evidence", string_or_null(stats->evidence[0] ? stats->evidence : NULL));
        json_array_append_new(all, fault);
    }
    return all;
}

static json_t *traces(const struct report *report)
{
    json_t *all = json_object();
    put_count(all, "count", report->stats->traces);
    put_count(all, "spans", report->stats->spans);
    put_count(all, "max_depth", report->stats->max_depth);
    put_count(all, "services", report_services(report));
    return all;
}

static int to_text(const char *bytes, size_t len, void *out)
{
    text_bytes(out, bytes, len);
    return 0;
}

void report_json(struct text *out, const struct report *report)
{
    json_t *root = json_object();
    put_count(root, "report", REPORT_VERSION);
    put(root, "scenario", string(report->scenario->name));
    put_count(root, "seed", report->seed);
    put(root, "duration_s", rounded((double)report->scenario->duration_ns / 1e9, 1e3));
    put(root, "layout", string(report->layout));
    if (report->interrupted)
        put_instant(root, "interrupted_at_s", report->ended_at_ns, true);
    put(root, "streams", streams(report));
    put(root, "services", services(report->stats));
    put(root, "edges", edges(report->stats));
    put(root, "pools", pools(report));
    put(root, "statements", statements(report->stats));
    put(root, "business", business(report));
    put(root, "alerts", alerts(report));
    put(root, "faults", faults(report));
    put(root, "expectations", expectations(report));
    put(root, "traces", traces(report));
    ASSERT(json_dump_callback(root, to_text, out, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) == 0);
    text_char(out, '\n');
    json_decref(root);
}
