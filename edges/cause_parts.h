/*
 * cause_parts: what the parts of cause ask of each other. Nobody else includes it.
 */
#ifndef EDGES_CAUSE_PARTS_H
#define EDGES_CAUSE_PARTS_H

#include "edges/cause.h"

static inline bool cause_same(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

/* cause_find.c */
const struct fault_stats *cause_landed(const struct report *report, size_t index); /* NULL: it has not */
/* The first landed fault of this kind on this target that does harm, or NULL. */
const struct fault_spec *cause_first_fault(const struct report *report, enum fault_kind kind,
                                           const char *target);
bool cause_of_pool(const struct profile_line *line, const struct pool_stats *pool); /* NULL: any */
/* The statement that scanned longest for want of an index, of those that ask this pool; NULL: any pool. */
const struct statement_stats *cause_worst_scan(const struct run_stats *stats, const struct pool_stats *pool);
void cause_set_scan(struct cause *cause, const struct report *report, const struct statement_stats *scan);
/* Time of the statements that ask this pool; NULL: of all. */
double cause_spent_s(const struct run_stats *stats, const struct pool_stats *pool, enum spent on);
/* The delay of the service whose statements lost most by it; where none was lost, most time. */
const struct fault_spec *cause_worst_delay(const struct report *report);

/* cause.c */
void cause_set_pool(struct cause *cause, const struct report *report, const struct pool_stats *pool);
enum cause_kind cause_why_pool(const struct cause *cause);

/* cause_slow.c */
bool cause_any_slowed(const struct report *report);
/* What took most of the time that nobody wants to spend. */
enum cause_kind cause_why_slow(struct cause *cause, const struct report *report);

#endif
