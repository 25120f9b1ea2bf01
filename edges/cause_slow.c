/* cause: of what was slow although nothing failed. */
#include "edges/cause_parts.h"

double cause_slowed(const struct stream_stats *stream, double *calm_s, double *slow_s)
{
    enum { ENOUGH = 10 };
    *calm_s = *slow_s = 0;
    for (size_t m = 0; m < stream->minute_count; m++) {
        const struct histogram *latency = &stream->minutes[m].latency;
        double p95 = histogram_quantile(latency, 0.95);
        if (latency->count < ENOUGH)
            continue;
        *calm_s = *calm_s > 0 ? MIN(*calm_s, p95) : p95;
        *slow_s = MAX(*slow_s, p95);
    }
    return *slow_s > 2 * *calm_s && *slow_s - *calm_s > 0.05 ? *slow_s - *calm_s : 0;
}

bool cause_any_slowed(const struct report *report)
{
    double calm_s, slow_s;
    for (size_t i = 0; i < report->scenario->stream_count; i++)
        if (cause_slowed(&report->stats->streams[i], &calm_s, &slow_s) > 0)
            return true;
    return false;
}

/* Seconds that a slow service's own work took for being slow; the fault is in `edge_fault`. */
static double slow_work_s(struct cause *cause, const struct report *report)
{
    double most_s = 0;
    for (size_t i = 0; i < report->stats->fault_count; i++) {
        const struct fault_stats *fault = cause_landed(report, i);
        double work_s = 0;
        if (!fault || fault->spec.kind != FAULT_SERVICE_SLOW || report_fault_releases(&fault->spec))
            continue;
        for (size_t l = 0; l < report->stats->profile_count; l++)
            if (cause_same(report->stats->profile[l].service, fault->spec.target) &&
                !report->stats->profile[l].pool)
                work_s += report->stats->profile[l].cpu_ns / 1e9 * (1 - 1 / fault->spec.value);
        if (work_s <= most_s)
            continue;
        most_s = work_s;
        cause->edge_fault = &fault->spec;
    }
    return most_s;
}

static double scripted_delay_s(struct cause *cause, const struct report *report)
{
    double most_s = 0;
    for (size_t i = 0; i < report->stats->fault_count; i++) {
        const struct fault_stats *fault = cause_landed(report, i);
        double mean_ns = fault ? (fault->spec.value + fault->spec.most) / 2 : 0;
        if (!fault || fault->spec.kind != FAULT_ROUTE_DELAY ||
            mean_ns * (double)fault->requests <= most_s * 1e9)
            continue;
        most_s = mean_ns * (double)fault->requests / 1e9;
        cause->script = &fault->spec;
    }
    return most_s;
}

/* What took most of the time that nobody wants to spend. */
enum cause_kind cause_why_slow(struct cause *cause, const struct report *report)
{
    const struct run_stats *stats = report->stats;
    double scanned_s = 0, locked_s = 0, waited_s = 0, most_s = 0, took_s[CAUSE_KINDS] = {0};
    const struct pool_stats *pool = NULL;
    enum cause_kind why = CAUSE_NONE;
    for (size_t i = 0; i < stats->profile_count; i++) {
        scanned_s += stats->profile[i].scanned_ns / 1e9;
        locked_s += stats->profile[i].locked_ns / 1e9;
    }
    for (size_t i = 0; i < stats->pool_count; i++)
        if (cause_spent_s(stats, &stats->pools[i], SPENT_WAITING) > waited_s) {
            pool = &stats->pools[i];
            waited_s = cause_spent_s(stats, pool, SPENT_WAITING);
        }
    cause->delay = cause_worst_delay(report);
    cause->growth = cause_first_fault(report, FAULT_TABLE_GROWTH, NULL);
    took_s[CAUSE_SCRIPT] = scripted_delay_s(cause, report);
    took_s[CAUSE_SERVICE_SLOW] = slow_work_s(cause, report);
    took_s[CAUSE_ROW_LOCK] = locked_s;
    took_s[CAUSE_MISSING_INDEX] = cause->scan ? scanned_s : 0;
    took_s[CAUSE_QUERY_DELAY] = cause->delay ? cause_spent_s(stats, NULL, SPENT_DELAYED) : 0;
    took_s[CAUSE_TABLE_GROWTH] = cause->growth ? cause_spent_s(stats, NULL, SPENT_RUNNING) - locked_s : 0;
    took_s[CAUSE_POOL] = waited_s;
    for (int kind = 0; kind < CAUSE_KINDS; kind++)
        if (took_s[kind] > most_s) {
            most_s = took_s[kind];
            why = (enum cause_kind)kind;
        }
    if (why != CAUSE_POOL)
        return why;
    cause_set_pool(cause, report, pool);
    if (cause_worst_scan(stats, pool))
        cause_set_scan(cause, report, cause_worst_scan(stats, pool));
    return cause_why_pool(cause);
}
