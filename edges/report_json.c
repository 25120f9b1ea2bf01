#include "edges/report_json.h"

#include "edges/cause.h"
#include "edges/conductor.h"
#include "edges/figures.h"
#include "edges/fork.h"
#include "edges/json_put.h"
#include "edges/pace.h"
#include "edges/report_cause.h"
#include "edges/report_rules.h"

static void put_window(json_t *object, const struct window *window)
{
    json_put_count(object, "requests", window->requests);
    json_put_count(object, "errors", window->errors);
    json_put_ratio(object, "error_rate", figure_share(window->errors, window->requests));
}

static json_t *table(const struct stream_spec *spec, const struct stream_stats *stats)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < spec->table_count; i++) {
        const struct window *window = stream_point(stats, spec, spec->table_ns[i]);
        json_t *row = json_object();
        struct text at = {0};
        report_point(&at, spec->table_ns[i]);
        json_put_text(row, "at", text_c(&at));
        text_fini(&at);
        put_window(row, window);
        json_put_ms(row, "p95_ms", histogram_quantile(&window->latency, 0.95));
        json_add(rows, row);
    }
    return rows;
}

static json_t *minutes(const struct stream_spec *spec, const struct stream_stats *stats)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < stats->minute_count; i++) {
        const struct window *minute = &stats->minutes[i];
        json_t *row = json_object();
        json_put_count(row, "minute", i);
        json_put_number(row, "rpm_target", stream_rate(stats, spec, minute->from_ns));
        put_window(row, minute);
        json_put_ms(row, "p50_ms", histogram_quantile(&minute->latency, 0.50));
        json_put_ms(row, "p95_ms", histogram_quantile(&minute->latency, 0.95));
        json_put_ms(row, "p99_ms", histogram_quantile(&minute->latency, 0.99));
        json_add(rows, row);
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
        json_put_ms(stream, "p50_ms", histogram_quantile(&stats->whole.latency, 0.50));
        json_put_ms(stream, "p95_ms", histogram_quantile(&stats->whole.latency, 0.95));
        json_put_ms(stream, "p99_ms", histogram_quantile(&stats->whole.latency, 0.99));
        json_put(stream, "table", table(spec, stats));
        json_put(stream, "minutes", minutes(spec, stats));
        json_put(all, spec->name, stream);
    }
    return all;
}

static json_t *services(const struct run_stats *stats)
{
    json_t *all = json_object();
    for (size_t i = 0; i < stats->service_count; i++) {
        json_t *service = json_object();
        json_put_count(service, "spans", stats->services[i].spans);
        json_put_count(service, "errors", stats->services[i].errors);
        json_put_ms(service, "p95_ms", histogram_quantile(&stats->services[i].latency, 0.95));
        json_put(all, stats->services[i].service, service);
    }
    return all;
}

static json_t *edges(const struct run_stats *stats)
{
    json_t *all = json_array();
    for (size_t i = 0; i < stats->edge_count; i++) {
        json_t *edge = json_object();
        json_put_text(edge, "from", stats->edges[i].from);
        json_put_text(edge, "to", stats->edges[i].to);
        json_put_count(edge, "calls", stats->edges[i].calls);
        json_put_count(edge, "errors", stats->edges[i].errors);
        json_put_ms(edge, "p95_ms", histogram_quantile(&stats->edges[i].latency, 0.95));
        json_add(all, edge);
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
        json_put_text(pool, "service", stats->service);
        json_put(pool, "max", json_integer(stats->max));
        json_put(pool, "peak_used", json_integer(stats->peak_used));
        json_put_count(pool, "acquired", stats->acquired);
        json_put_count(pool, "timeouts", stats->timeouts);
        json_put_count(pool, "refused", stats->refused);
        json_put_count(pool, "given_up", stats->given_up);
        json_put_ms(pool, "p95_wait_ms", histogram_quantile(&stats->wait_any, 0.95));
        report_pool_name(&name, report, stats);
        json_put(all, text_c(&name), pool);
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
        json_put_count(statement, "runs", stats->statements[i].runs);
        json_put_count(statement, "full_scans", stats->statements[i].full_scans);
        json_put_count(statement, "scan_rows_max", stats->statements[i].scan_rows_max);
        json_put_ms(statement, "p50_ms", histogram_quantile(&stats->statements[i].latency, 0.50));
        json_put_ms(statement, "p95_ms", histogram_quantile(&stats->statements[i].latency, 0.95));
        json_put_ms(statement, "p99_ms", histogram_quantile(&stats->statements[i].latency, 0.99));
        json_put(all, stats->statements[i].name, statement);
    }
    return all;
}

static json_t *database(const struct store_stats *stats)
{
    json_t *all = json_object();
    json_put_count(all, "active_peak", stats->active_peak);
    json_put_count(all, "connections_peak", stats->connections_peak);
    json_put_count(all, "lock_waits", stats->lock_wait.count);
    json_put_ms(all, "lock_wait_p95_ms", histogram_quantile(&stats->lock_wait, 0.95));
    json_put_count(all, "lock_timeouts", stats->lock_timeouts);
    return all;
}

static json_t *cache(const struct store_stats *stats)
{
    json_t *all = json_object();
    json_put_count(all, "hits", stats->cache_hits);
    json_put_count(all, "misses", stats->cache_misses);
    json_put_ratio(all, "hit_rate", figure_share(stats->cache_hits, stats->cache_hits + stats->cache_misses));
    return all;
}

static json_t *business(const struct report *report)
{
    struct business_figures figures = report_business(report);
    json_t *all = json_object();
    json_put_count(all, "orders", figures.orders);
    json_put_usd(all, "revenue", figures.revenue);
    json_put_usd(all, "revenue_per_request", figures.revenue_per_request);
    json_put_usd(all, "revenue_lost", figures.revenue_lost);
    json_put_usd(all, "average_order_value", figures.average_order_value);
    json_put_ratio(all, "checkout_success_rate", figures.checkout_success_rate);
    json_put_ratio(all, "cart_abandonment_rate", figures.cart_abandonment_rate);
    json_put_count(all, "checkouts", figures.checkouts);
    json_put_count(all, "checkouts_failed", figures.checkouts_failed);
    json_put_count(all, "sold_out", figures.sold_out);
    json_put_count(all, "carts_created", figures.carts_created);
    json_put_count(all, "carts_abandoned", figures.carts_abandoned);
    return all;
}

static json_t *alerts(const struct report *report)
{
    json_t *all = json_array();
    for (size_t i = 0; i < report->scenario->alert_count; i++) {
        const struct alert_spec *spec = &report->scenario->alerts[i];
        const struct alert_stats *stats = &report->stats->alerts[i];
        json_t *alert = json_object();
        json_put_text(alert, "name", spec->name);
        json_put_text(alert, "kind", report_alert_kind(spec->kind));
        json_put_text(alert, "state", report_alert_state(stats));
        json_put_seconds(alert, "fired_at_s", stats->fired ? stats->fired_at_ns : NEVER);
        json_put_seconds(alert, "resolved_at_s", stats->fired ? stats->resolved_at_ns : NEVER);
        json_add(all, alert);
    }
    return all;
}

static json_t *expectations(const struct report *report)
{
    json_t *all = json_array();
    for (size_t i = 0; i < report->scenario->expect_count; i++) {
        const struct expect_stats *stats = &report->stats->expects[i];
        json_t *expectation = json_object();
        json_put_text(expectation, "expect", report->scenario->expects[i].text);
        json_put(expectation, "held", stats->judged ? json_boolean(stats->held) : json_null());
        json_put_text(expectation, "actual", stats->judged ? stats->actual : NULL);
        json_add(all, expectation);
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
        json_put_text(fault, "name", fault_kind_name(spec->kind));
        json_put_text(fault, "target", spec->target);
        json_put_seconds(fault, "at_s", spec->at_ns);
        json_put_number(fault, "value", spec->value);
        json_put(fault, "by_hand", json_boolean(stats->by_hand));
        json_put(fault, "landed", stats->judged ? json_boolean(stats->landed) : json_null());
        json_put_text(fault, "evidence", stats->evidence[0] ? stats->evidence : NULL);
        json_add(all, fault);
    }
    return all;
}

static json_t *traces(const struct report *report)
{
    json_t *all = json_object();
    json_put_count(all, "count", report->stats->traces);
    json_put_count(all, "spans", report->stats->spans);
    json_put_count(all, "max_depth", report->stats->max_depth);
    json_put_count(all, "services", report_services(report));
    return all;
}

static json_t *cause(const struct report *report)
{
    json_t *all = json_object();
    struct text says = {0};
    report_cause_sentence(&says, report);
    json_put_text(all, "kind", cause_kind_name(cause_of(report).kind));
    json_put_text(all, "says", text_c(&says));
    text_fini(&says);
    return all;
}

static json_t *processes(const struct conductor_tally *tally)
{
    json_t *all = json_object();
    json_put_count(all, "joined", tally->joined);
    json_put_count(all, "gone", tally->gone);
    json_put_count(all, "spans_lost", tally->spans_lost);
    return all;
}

void report_json(struct text *out, const struct report *report)
{
    json_t *root = json_object();
    json_put_count(root, "report", REPORT_VERSION);
    json_put_text(root, "scenario", report->scenario->name);
    json_put_count(root, "seed", report->seed);
    json_put_seconds(root, "duration_s", report->scenario->duration_ns);
    json_put_text(root, "layout", report->layout);
    if (report->pace)
        json_put(root, "clock", pace_json(report->pace));
    if (report->processes)
        json_put(root, "processes", processes(report->processes));
    if (report->interrupted)
        json_put_seconds(root, "interrupted_at_s", report->ended_at_ns);
    json_put(root, "streams", streams(report));
    json_put(root, "services", services(report->stats));
    json_put(root, "edges", edges(report->stats));
    json_put(root, "pools", pools(report));
    json_put(root, "statements", statements(report->stats));
    json_put(root, "database", database(&report->stats->stores));
    json_put(root, "cache", cache(&report->stats->stores));
    json_put(root, "business", business(report));
    json_put(root, "alerts", alerts(report));
    if (report->rules)
        json_put(root, "rules", report_rules_json(report->rules));
    json_put(root, "faults", faults(report));
    json_put(root, "expectations", expectations(report));
    json_put(root, "traces", traces(report));
    json_put(root, "cause", cause(report));
    if (report->fork)
        json_put(root, "fork", fork_json(report, report->fork));
    json_write(out, root);
}
