/* cause: where the time of statements went, and which faults act on it. */
#include "edges/cause_parts.h"

const struct fault_stats *cause_landed(const struct report *report, size_t index)
{
    const struct fault_stats *fault = &report->stats->faults[index];
    return fault->landed ? fault : NULL;
}

/* The first landed fault of this kind on this target that does harm, or NULL. */
const struct fault_spec *cause_first_fault(const struct report *report, enum fault_kind kind,
                                           const char *target)
{
    const struct fault_spec *first = NULL;
    for (size_t i = 0; i < report->stats->fault_count; i++) {
        const struct fault_stats *fault = cause_landed(report, i);
        bool same = fault && (cause_same(fault->spec.target, target) || (!fault->spec.target && !target));
        if (same && fault->spec.kind == kind && !report_fault_releases(&fault->spec) &&
            (!first || fault->spec.at_ns < first->at_ns))
            first = &fault->spec;
    }
    return first;
}

/* ---- statements ---- */

static const struct statement_stats *stats_of(const struct run_stats *stats, const char *statement)
{
    for (size_t i = 0; i < stats->statement_count; i++)
        if (cause_same(stats->statements[i].name, statement))
            return &stats->statements[i];
    return NULL;
}

bool cause_of_pool(const struct profile_line *line, const struct pool_stats *pool)
{
    return !pool || (cause_same(line->service, pool->service) && cause_same(line->pool, pool->name));
}

/* The statement that scanned longest for want of an index, of those that ask this pool; NULL: any pool. */
const struct statement_stats *cause_worst_scan(const struct run_stats *stats, const struct pool_stats *pool)
{
    const struct profile_line *worst = NULL;
    for (size_t i = 0; i < stats->profile_count; i++) {
        const struct profile_line *line = &stats->profile[i];
        if (line->scanned_ns > 0 && cause_of_pool(line, pool) &&
            (!worst || line->scanned_ns > worst->scanned_ns))
            worst = line;
    }
    const struct statement_stats *scan = worst ? stats_of(stats, worst->function) : NULL;
    return scan && scan->full_scans ? scan : NULL;
}

void cause_set_scan(struct cause *cause, const struct report *report, const struct statement_stats *scan)
{
    cause->statement = scan ? registry_statement(report->registry, scan->name) : NULL;
    if (!cause->statement || !cause->statement->missing_index)
        return;
    cause->scan = scan;
    cause->index = cause->statement->missing_index;
    cause->created = cause_first_fault(report, FAULT_CREATE_INDEX, cause->index);
    cause->dropped = cause_first_fault(report, FAULT_DROP_INDEX, cause->index);
    for (size_t i = 0; i < STATEMENT_PLANS_MAX && !cause->dropped; i++)
        cause->dropped = cause_first_fault(report, FAULT_DROP_INDEX, cause->statement->plans[i].index);
}

/* Time of the statements that ask this pool; NULL: of all. */
double cause_spent_s(const struct run_stats *stats, const struct pool_stats *pool, enum spent on)
{
    double spent_ns = 0;
    for (size_t i = 0; i < stats->profile_count; i++)
        if (stats->profile[i].pool && cause_of_pool(&stats->profile[i], pool))
            spent_ns += stats->profile[i].spent_ns[on];
    return spent_ns / 1e9;
}

/* The delay of the service whose statements lost most by it; of those that lost nothing, most time. */
const struct fault_spec *cause_worst_delay(const struct report *report)
{
    const struct run_stats *stats = report->stats;
    const struct profile_line *worst = NULL;
    for (size_t i = 0; i < stats->profile_count; i++) {
        const struct profile_line *line = &stats->profile[i];
        uint64_t lost = line->lost[SPENT_DELAYED], most = worst ? worst->lost[SPENT_DELAYED] : 0;
        double most_ns = worst ? worst->spent_ns[SPENT_DELAYED] : 0;
        if (line->spent_ns[SPENT_DELAYED] > 0 &&
            (lost > most || (lost == most && line->spent_ns[SPENT_DELAYED] > most_ns)))
            worst = line;
    }
    return worst ? cause_first_fault(report, FAULT_QUERY_DELAY, worst->service) : NULL;
}
