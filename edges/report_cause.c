#include "edges/report_cause.h"

#include "edges/cause.h"
#include "edges/figures.h"

static const char *origin_words(enum status origin)
{
    static const char *const words[STATUS_COUNT] = {
        [STATUS_DEADLINE] = " asks passed their deadline",
        [STATUS_NO_PEER] = " asks found nobody there",
        [STATUS_OVERLOADED] = " asks met a full mailbox",
        [STATUS_LOCK_TIMEOUT] = " queries waited for a row lock in vain",
        [STATUS_CONNECTIONS_EXHAUSTED] = " connections were refused by the database",
        [STATUS_CONNECTION_LOST] = " queries lost their connection to the database",
    };
    return words[origin];
}

/* " from 06:00 to 12:00": as long as the fault lasted. */
static void say_while(struct text *out, const struct report *report, const struct fault_spec *fault)
{
    int64_t end_ns = cause_fault_end(report, fault);
    text_lit(out, " from ");
    text_clock(out, fault->at_ns);
    text_str(out, end_ns == NEVER ? " on" : " to ");
    if (end_ns != NEVER)
        text_clock(out, end_ns);
}

/* The index was never made, or dropped; what made do for it went as well. */
static void say_index(struct text *out, const struct cause *cause)
{
    bool itself = cause->dropped && !strcmp(cause->dropped->target, cause->index);
    text_str(out, cause->index);
    if (itself) {
        text_lit(out, " was dropped at ");
        text_clock(out, cause->dropped->at_ns);
        if (cause->created) {
            text_lit(out, " and created at ");
            text_clock(out, cause->created->at_ns);
        }
        return;
    }
    if (cause->created) {
        text_lit(out, " was missing until ");
        text_clock(out, cause->created->at_ns);
    } else {
        text_lit(out, " is missing");
    }
    if (cause->dropped) {
        text_lit(out, ", ");
        text_str(out, cause->dropped->target);
        text_lit(out, " dropped at ");
        text_clock(out, cause->dropped->at_ns);
    }
}

static void say_scan(struct text *out, const struct cause *cause)
{
    say_index(out, cause);
    text_lit(out, ": each ");
    text_str(out, cause->scan->name);
    text_str(out, cause->created ? " query read " : " query reads ");
    text_count(out, cause->scan->scan_rows_max);
    text_lit(out, " rows");
}

static void say_lock(struct text *out, const struct report *report, const struct cause *cause)
{
    const struct store_stats *stores = &report->stats->stores;
    int64_t limit_ns = report->scenario->postgresql.lock_timeout_ns;
    text_lit(out, "orders queue for the row of ");
    if (report->scenario->postgresql.hot_product) {
        text_lit(out, "product ");
        text_i64(out, report->scenario->postgresql.hot_product);
    } else {
        text_lit(out, "a product");
    }
    text_lit(out, " (lock wait p95 ");
    figure_latency(out, histogram_quantile(&stores->lock_wait, 0.95));
    text_lit(out, "), ");
    text_count(out, cause->lock_timeouts);
    text_lit(out, " gave up");
    if (limit_ns) {
        text_lit(out, " after ");
        text_duration(out, limit_ns);
    }
    text_lit(out, "; ");
}

static bool over(const struct report *report, const struct fault_spec *fault)
{
    return cause_fault_end(report, fault) != NEVER;
}

static void say_delay(struct text *out, const struct report *report, const struct fault_spec *delay)
{
    text_lit(out, "each statement of ");
    text_str(out, delay->target);
    text_str(out, over(report, delay) ? " took " : " takes ");
    text_duration(out, (int64_t)delay->value);
    text_lit(out, " more");
    say_while(out, report, delay);
    text_lit(out, "; ");
}

static void say_growth(struct text *out, const struct report *report, const struct fault_spec *growth)
{
    text_str(out, over(report, growth) ? "the products table had " : "the products table has ");
    text_count(out, (uint64_t)growth->value);
    text_lit(out, " rows");
    say_while(out, report, growth);
    text_lit(out, "; ");
}

static void say_slow_service(struct text *out, const struct report *report, const struct fault_spec *slow)
{
    text_str(out, slow->target);
    text_str(out, over(report, slow) ? " took " : " takes ");
    text_fixed(out, slow->value, slow->value < 10 ? 1 : 0);
    text_lit(out, " times as long");
    say_while(out, report, slow);
    text_lit(out, "; ");
}

/* What made the pool smaller than it was meant to be, or kept it busy. */
static void say_pool_faults(struct text *out, const struct report *report, const struct cause *cause)
{
    int pools, held = cause_connections_held(report, &pools);
    if (cause->held) {
        text_i64(out, held);
        text_str(out,
                 over(report, cause->held) ? " connections were held idle" : " connections are held idle");
        if (pools > 1) {
            text_lit(out, " in ");
            text_i64(out, pools);
            text_lit(out, " pools");
        }
        say_while(out, report, cause->held);
        text_lit(out, "; ");
    }
    if (cause->delay)
        say_delay(out, report, cause->delay);
    if (cause->cut) {
        text_lit(out, "pool ");
        text_str(out, cause->cut->target);
        text_str(out, over(report, cause->cut) ? " was cut to " : " is cut to ");
        text_i64(out, (int64_t)cause->cut->value);
        say_while(out, report, cause->cut);
        text_lit(out, "; ");
    }
}

static bool same_pool(const struct fault_stats *fault, const struct pool_stats *pool)
{
    return fault->landed && fault->spec.kind == FAULT_POOL_MAX && !strcmp(fault->spec.target, pool->name);
}

/* The pool's size then: a fault may have changed it since, or later. 0: unknown. */
static int pool_max_at(const struct report *report, const struct pool_stats *pool, int64_t at_ns)
{
    const struct fault_spec *newest = NULL;
    bool ever = false;
    for (size_t i = 0; i < report->stats->fault_count; i++) {
        const struct fault_stats *fault = &report->stats->faults[i];
        if (!same_pool(fault, pool))
            continue;
        ever = true;
        if (fault->spec.at_ns <= at_ns && (!newest || fault->spec.at_ns >= newest->at_ns))
            newest = &fault->spec;
    }
    if (newest)
        return (int)newest->value;
    return ever ? 0 : pool->max;
}

/* How many of its connections a fault held in that minute. */
static int held_in(const struct report *report, const struct fault_spec *held, size_t minute)
{
    int64_t from_ns = (int64_t)minute * NS_PER_MIN;
    bool then = held && held->at_ns < from_ns + NS_PER_MIN && cause_fault_end(report, held) > from_ns;
    return then ? (int)held->value : 0;
}

static uint32_t minute_lost(const struct pool_stats *pool, size_t minute)
{
    return pool->minutes[minute].timeouts + pool->minutes[minute].given_up;
}

/* What it carried and what asked, in its worst minute. */
static void say_pool(struct text *out, const struct report *report, const struct cause *cause)
{
    const struct pool_stats *pool = cause->pool;
    size_t worst = 0;
    if (!pool->minute_count)
        return;
    for (size_t m = 1; m < pool->minute_count; m++)
        if (minute_lost(pool, m) > minute_lost(pool, worst))
            worst = m;
    const struct pool_minute *minute = &pool->minutes[worst];
    int max = pool_max_at(report, pool, (int64_t)worst * NS_PER_MIN);
    int held = held_in(report, cause->held, worst);
    bool known = max > 0;
    if (known) {
        max = MAX(max - held, 0);
        text_i64(out, max);
        text_str(out, held ? " free connection" : " connection");
        text_str(out, max == 1 ? " of " : "s of ");
    }
    text_lit(out, "pool ");
    text_str(out, pool->name);
    text_str(out, max == 1 || !known ? " carries " : " carry ");
    figure_per_second(out, minute->acquired / 60.0);
    text_lit(out, " while ");
    figure_per_second(out, (minute->acquired + minute_lost(pool, worst)) / 60.0);
    text_lit(out, " ask; ");
}

/* Why statements took long, where no pool says so. */
static void say_statements(struct text *out, const struct report *report, const struct cause *cause)
{
    if (cause->kind == CAUSE_QUERY_DELAY && !cause->pool) {
        say_delay(out, report, cause->delay);
    } else if (cause->kind == CAUSE_TABLE_GROWTH) {
        say_growth(out, report, cause->growth);
    } else if (cause->scan) {
        say_scan(out, cause);
        text_lit(out, "; ");
    }
}

/* "GET /products of product-catalog and 2 other routes", the one that met it most often first; how far it goes in
   `most`. 0: none. */
static size_t say_routes(struct text *out, const struct report *report, enum fault_kind kind, double *most)
{
    const struct fault_stats *worst = NULL;
    size_t routes = 0;
    *most = 0;
    for (size_t i = 0; i < report->stats->fault_count; i++) {
        const struct fault_stats *fault = &report->stats->faults[i];
        if (fault->spec.kind != kind || !fault->landed)
            continue;
        routes++;
        if (!worst || fault->failed > worst->failed ||
            (fault->failed == worst->failed && fault->requests > worst->requests))
            worst = fault;
        *most = MAX(*most, MAX(fault->spec.value, fault->spec.most));
        for (size_t s = 0; s < fault->spec.step_count; s++)
            *most = MAX(*most, fault->spec.steps[s].high);
    }
    if (!worst)
        return 0;
    text_str(out, worst->spec.route);
    text_lit(out, " of ");
    text_str(out, worst->spec.target);
    if (routes > 1) {
        text_lit(out, " and ");
        text_u64(out, routes - 1);
        text_str(out, routes > 2 ? " other routes" : " other route");
    }
    return routes;
}

static void say_script(struct text *out, const struct report *report)
{
    double most;
    text_lit(out, "scripted, nothing makes it so but the scenario: ");
    size_t routes = say_routes(out, report, FAULT_ROUTE_FAILURES, &most);
    if (routes) {
        text_str(out, routes > 1 ? " fail up to " : " fails up to ");
        figure_ratio(out, most);
        text_str(out, routes > 1 ? " of their requests; " : " of its requests; ");
    }
    routes = say_routes(out, report, FAULT_ROUTE_DELAY, &most);
    if (!routes)
        return;
    text_str(out, routes > 1 ? " are delayed by up to " : " is delayed by up to ");
    text_duration(out, (int64_t)most);
    text_lit(out, "; ");
}

/* "66,012 of 101,950 demo and 3 of 900 orders requests failed" */
static void say_failed(struct text *out, const struct report *report)
{
    bool first = true;
    for (size_t i = 0; i < report->scenario->stream_count; i++) {
        const struct window *whole = &report->stats->streams[i].whole;
        if (!whole->errors)
            continue;
        if (!first)
            text_lit(out, " and ");
        first = false;
        text_count(out, whole->errors);
        text_lit(out, " of ");
        text_count(out, whole->requests);
        text_char(out, ' ');
        text_str(out, report->scenario->streams[i].name);
    }
    text_lit(out, " requests failed");
}

static void say_edge(struct text *out, const struct report *report, const struct cause *cause)
{
    const struct edge_stats *edge = cause->edge;
    if (!edge)
        return;
    text_count(out, edge->errors);
    text_lit(out, " of ");
    text_count(out, edge->calls);
    text_lit(out, " calls from ");
    text_str(out, edge->from);
    text_lit(out, " to ");
    text_str(out, edge->to);
    text_lit(out, " fail");
    for (size_t i = 0; i < report->stats->fault_count; i++) {
        const struct fault_spec *spec = &report->stats->faults[i].spec;
        if (!spec->target || strcmp(spec->target, edge->to) || !report->stats->faults[i].landed)
            continue;
        text_lit(out, ", ");
        text_str(out, fault_kind_name(spec->kind));
        text_lit(out, " at ");
        text_clock(out, spec->at_ns);
    }
    text_lit(out, "; ");
}

static void say_wait(struct text *out, const struct cause *cause)
{
    text_lit(out, " waiting ");
    if (cause->pool->timeouts || !cause->pool->given_up) {
        text_duration(out, cause->pool->acquire_timeout_ns);
        text_char(out, ' ');
    }
    text_lit(out, "for a connection");
}

static void say_how(struct text *out, const struct cause *cause)
{
    uint64_t timeouts = cause->pool_timeouts;
    if (cause->kind == CAUSE_SCRIPT)
        return;
    if (cause->lost) {
        text_lit(out, ": ");
        text_count(out, cause->lost);
        text_lit(out, " statements were given up");
        return;
    }
    if (cause->pool && timeouts == cause->errors) {
        say_wait(out, cause);
        return;
    }
    if (cause->pool && timeouts < cause->errors) {
        text_lit(out, ", ");
        text_count(out, timeouts);
        text_lit(out, " of them");
        say_wait(out, cause);
    }
    bool nearly_all = cause->pool && timeouts >= cause->errors - cause->errors / CAUSE_A_FEW;
    if (cause->origin && !nearly_all && cause->kind != CAUSE_ROW_LOCK) {
        text_str(out, cause->pool ? ", and " : ": ");
        text_count(out, cause->origin_count);
        text_str(out, origin_words(cause->origin));
    }
}

/* Sold out is an outcome, and the end of many a story. */
static void say_sold(struct text *out, const struct report *report)
{
    const struct business_stats *shop = &report->stats->business;
    if (!shop->count[BUSINESS_SOLD_OUT])
        return;
    text_lit(out, "; ");
    if (report->scenario->postgresql.hot_product) {
        text_count(out, (uint64_t)shop->hot_sold);
        text_lit(out, " pieces of product ");
        text_i64(out, report->scenario->postgresql.hot_product);
        text_lit(out, " sold, ");
        text_count(out, (uint64_t)shop->hot_left);
        text_lit(out, " left, ");
    }
    text_count(out, shop->count[BUSINESS_SOLD_OUT]);
    text_lit(out, " orders came too late");
}

static void say_health(struct text *out, const struct report *report)
{
    if (!report_requests(report)) {
        text_str(out, report->stats->traces
                          ? "nothing judged: the run ended before its part of the timeline began"
                          : "no errors: nothing was asked");
        return;
    }
    text_str(out, cause_was_quiet(report) ? "nothing went wrong: " : "no errors: ");
    bool first = true;
    for (size_t i = 0; i < report->scenario->stream_count; i++) {
        const struct window *whole = &report->stats->streams[i].whole;
        if (!whole->requests)
            continue;
        if (!first)
            text_lit(out, ", ");
        first = false;
        text_count(out, whole->requests);
        text_char(out, ' ');
        text_str(out, report->scenario->streams[i].name);
        text_lit(out, " requests answered (p95 ");
        figure_latency(out, histogram_quantile(&whole->latency, 0.95));
        text_char(out, ')');
    }
}

/* "p95 of buyers rose from 188 ms to 1.79 s, no request failed" */
static void say_slowed(struct text *out, const struct report *report)
{
    for (size_t i = 0; i < report->scenario->stream_count; i++) {
        double calm_s, slow_s;
        if (cause_slowed(&report->stats->streams[i], &calm_s, &slow_s) <= 0)
            continue;
        text_lit(out, "p95 of ");
        text_str(out, report->scenario->streams[i].name);
        text_lit(out, " went from ");
        figure_latency(out, calm_s);
        text_lit(out, " to ");
        figure_latency(out, slow_s);
        text_lit(out, ", ");
    }
    text_lit(out, "no request failed");
}

static void say_row(struct text *out, const struct report *report)
{
    text_lit(out, "orders queue for the row of a product (lock wait p95 ");
    figure_latency(out, histogram_quantile(&report->stats->stores.lock_wait, 0.95));
    text_lit(out, "); ");
}

static void say_slow_cause(struct text *out, const struct report *report, const struct cause *cause)
{
    if (cause->kind == CAUSE_SCRIPT)
        say_script(out, report);
    else if (cause->kind == CAUSE_ROW_LOCK)
        say_row(out, report);
    else if (cause->kind == CAUSE_SERVICE_SLOW)
        say_slow_service(out, report, cause->edge_fault);
    else
        say_statements(out, report, cause);
    if (cause->pool) {
        say_pool_faults(out, report, cause);
        text_lit(out, "pool ");
        text_str(out, cause->pool->name);
        text_lit(out, " made its callers wait; ");
    }
    say_slowed(out, report);
}

static void say_cause(struct text *out, const struct report *report, const struct cause *cause)
{
    bool pool = cause->pool && cause->pool_timeouts * 2 >= cause->errors;
    if (cause->kind == CAUSE_SCRIPT)
        say_script(out, report);
    else if (cause->kind == CAUSE_ROW_LOCK)
        say_lock(out, report, cause);
    else if (cause->lost)
        say_statements(out, report, cause);
    else if (!pool && cause->kind != CAUSE_MISSING_INDEX)
        say_edge(out, report, cause);
    else if (cause->scan) {
        say_scan(out, cause);
        text_lit(out, "; ");
    }
    if (cause->pool && cause->kind != CAUSE_SCRIPT) {
        say_pool_faults(out, report, cause);
        say_pool(out, report, cause);
    }
    say_failed(out, report);
    say_how(out, cause);
}

void report_cause_sentence(struct text *out, const struct report *report)
{
    struct cause cause = cause_of(report);
    if (cause.slow) {
        say_slow_cause(out, report, &cause);
    } else if (cause.kind != CAUSE_NONE) {
        say_cause(out, report, &cause);
    } else {
        say_health(out, report);
        if (cause.scan) {
            text_lit(out, "; but ");
            say_scan(out, &cause);
        }
    }
    say_sold(out, report);
}

void report_cause(struct text *out, const struct report *report)
{
    if (cause_of(report).kind != CAUSE_NONE)
        text_lit(out, "cause: ");
    report_cause_sentence(out, report);
}
