#include "edges/report_cause.h"

#include "edges/figures.h"

enum { A_FEW = 20 }; /* one in so many is not worth a word */

/* Where failures begin; the other failed statuses pass on somebody else's. */
static const struct origin {
    enum status status;
    const char *words;
} origins[] = {
    {STATUS_DEADLINE, " asks passed their deadline"},
    {STATUS_NO_PEER, " asks found nobody there"},
    {STATUS_OVERLOADED, " asks met a full mailbox"},
    {STATUS_LOCK_TIMEOUT, " queries waited for a row lock in vain"},
    {STATUS_CONNECTIONS_EXHAUSTED, " connections were refused by the database"},
};

struct evidence {
    const struct report *report;
    uint64_t errors, timeouts; /* of root requests; of all pools */
    const struct pool_stats *pool; /* with the most time-outs; NULL: hardly any timed out */
    const struct origin *origin; /* the most frequent one; NULL: none */
    uint64_t origin_count;
};

static const struct pool_stats *worst_pool(const struct run_stats *stats, uint64_t *timeouts)
{
    const struct pool_stats *worst = NULL;
    *timeouts = 0;
    for (size_t i = 0; i < stats->pool_count; i++) {
        const struct pool_stats *pool = &stats->pools[i];
        *timeouts += pool->timeouts;
        if (pool->timeouts && (!worst || pool->timeouts > worst->timeouts))
            worst = pool;
    }
    return worst;
}

static struct evidence gather(const struct report *report)
{
    struct evidence evidence = {.report = report, .errors = report_errors(report)};
    evidence.pool = worst_pool(report->stats, &evidence.timeouts);
    if (evidence.timeouts < evidence.errors / A_FEW)
        evidence.pool = NULL;
    for (size_t i = 0; i < ARRAY_LEN(origins); i++) {
        uint64_t count = report->stats->asks_ended[origins[i].status];
        if (count > evidence.origin_count) {
            evidence.origin = &origins[i];
            evidence.origin_count = count;
        }
    }
    return evidence;
}

/* The statement that scanned most for want of an index, or NULL. */
static const struct statement_stats *worst_scan(const struct run_stats *stats)
{
    const struct statement_stats *worst = NULL;
    for (size_t i = 0; i < stats->statement_count; i++)
        if (stats->statements[i].full_scans &&
            (!worst || stats->statements[i].full_scans > worst->full_scans))
            worst = &stats->statements[i];
    return worst;
}

static const char *missing_index(const struct registry *registry, const char *statement)
{
    for (size_t i = 0; i < registry->statement_count; i++)
        if (!strcmp(registry->statements[i].name, statement))
            return registry->statements[i].missing_index;
    return NULL;
}

/* The newest landed fault of this kind and target up to an instant, or NULL. */
static const struct fault_spec *landed_fault(const struct report *report, enum fault_kind kind,
                                             const char *target, int64_t until_ns)
{
    const struct fault_spec *newest = NULL;
    for (size_t i = 0; i < report->stats->fault_count; i++) {
        const struct fault_spec *spec = &report->stats->faults[i].spec;
        bool here = spec->kind == kind && spec->target && !strcmp(spec->target, target);
        if (here && report->stats->faults[i].landed && spec->at_ns <= until_ns &&
            (!newest || spec->at_ns >= newest->at_ns))
            newest = spec;
    }
    return newest;
}

static void say_scan(struct text *out, const struct report *report)
{
    const struct statement_stats *scan = worst_scan(report->stats);
    const char *index = scan ? missing_index(report->registry, scan->name) : NULL;
    if (!index)
        return;
    const struct fault_spec *created = landed_fault(report, FAULT_CREATE_INDEX, index, NEVER);
    text_str(out, index);
    if (created) {
        text_lit(out, " was missing until ");
        text_clock(out, created->at_ns);
    } else {
        text_lit(out, " is missing");
    }
    text_lit(out, ": each ");
    text_str(out, scan->name);
    text_str(out, created ? " query read " : " query reads ");
    text_count(out, scan->scan_rows_max);
    text_lit(out, " rows; ");
}

/* The pool's size then: a fault may have changed it since, or later. 0: unknown. */
static int pool_max_at(const struct report *report, const struct pool_stats *pool, int64_t at_ns)
{
    const struct fault_spec *set = landed_fault(report, FAULT_POOL_MAX, pool->name, at_ns);
    if (set)
        return (int)set->value;
    return landed_fault(report, FAULT_POOL_MAX, pool->name, NEVER) ? 0 : pool->max;
}

/* What it carried and what asked, in its worst minute. */
static void say_pool(struct text *out, const struct report *report, const struct pool_stats *pool)
{
    size_t worst = 0;
    if (!pool->minute_count)
        return;
    for (size_t m = 1; m < pool->minute_count; m++)
        if (pool->minutes[m].timeouts > pool->minutes[worst].timeouts)
            worst = m;
    const struct pool_minute *minute = &pool->minutes[worst];
    int max = pool_max_at(report, pool, (int64_t)worst * NS_PER_MIN);
    if (max) {
        text_i64(out, max);
        text_lit(out, " connections of ");
    }
    text_lit(out, "pool ");
    text_str(out, pool->name);
    text_str(out, max == 1 || !max ? " carries " : " carry ");
    figure_per_second(out, minute->acquired / 60.0);
    text_lit(out, " while ");
    figure_per_second(out, (minute->acquired + minute->timeouts) / 60.0);
    text_lit(out, " ask; ");
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

/* The call that fails where nothing below it does, most often; NULL: none. */
static const struct edge_stats *deepest_failure(const struct run_stats *stats)
{
    const struct edge_stats *deepest = NULL;
    for (size_t i = 0; i < stats->edge_count; i++) {
        const struct edge_stats *edge = &stats->edges[i];
        bool leaf = edge->errors > 0;
        for (size_t j = 0; j < stats->edge_count && leaf; j++)
            leaf = !stats->edges[j].errors || strcmp(stats->edges[j].from, edge->to);
        if (leaf && (!deepest || edge->errors > deepest->errors))
            deepest = edge;
    }
    return deepest;
}

static void say_edge(struct text *out, const struct report *report)
{
    const struct edge_stats *edge = deepest_failure(report->stats);
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

static void say_wait(struct text *out, const struct evidence *evidence)
{
    text_lit(out, " waiting ");
    text_duration(out, evidence->pool->acquire_timeout_ns);
    text_lit(out, " for a connection");
}

static void say_how(struct text *out, const struct evidence *evidence)
{
    if (evidence->pool && evidence->timeouts == evidence->errors) {
        say_wait(out, evidence);
        return;
    }
    if (evidence->pool && evidence->timeouts < evidence->errors) {
        text_lit(out, ", ");
        text_count(out, evidence->timeouts);
        text_lit(out, " of them");
        say_wait(out, evidence);
    }
    bool nearly_all = evidence->pool && evidence->timeouts >= evidence->errors - evidence->errors / A_FEW;
    if (evidence->origin && !nearly_all) {
        text_str(out, evidence->pool ? ", and " : ": ");
        text_count(out, evidence->origin_count);
        text_str(out, evidence->origin->words);
    }
}

static void say_health(struct text *out, const struct report *report)
{
    if (!report_requests(report)) {
        text_str(out, report->stats->traces
                          ? "nothing judged: the run ended before its part of the timeline began"
                          : "no errors: nothing was asked");
        return;
    }
    text_lit(out, "no errors: ");
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

void report_cause(struct text *out, const struct report *report)
{
    struct evidence evidence = gather(report);
    if (!evidence.errors) {
        say_health(out, report);
        return;
    }
    text_lit(out, "cause: ");
    bool pool = evidence.pool && evidence.timeouts * 2 >= evidence.errors;
    bool late = evidence.origin && evidence.origin->status == STATUS_DEADLINE;
    if (pool || (late && worst_scan(report->stats)))
        say_scan(out, report);
    else
        say_edge(out, report);
    if (evidence.pool)
        say_pool(out, report, evidence.pool);
    say_failed(out, report);
    say_how(out, &evidence);
}
