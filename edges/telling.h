/*
 * telling: a run that is over, told everywhere it was asked for: the report as text and as JSON, the answer key,
 * the JUnit cases, the profile.
 *
 * The text goes to standard output, or to standard error where data goes there; with --quiet not into the place of
 * progress.
 */
#ifndef EDGES_TELLING_H
#define EDGES_TELLING_H

#include "edges/answer_key.h"
#include "edges/output.h"
#include "edges/report.h"

struct telling {
    const struct options *options;
    struct outputs *outputs; /* closed when all is told */
    const struct report *report;
    const struct answer_key *key; /* NULL: not asked for */
};

/* False: something could not be written; explained. */
bool telling_write(const struct telling *telling);

/* How fast it was, on stderr: wall-clock figures are never part of a report. */
void telling_speed(const struct report *report, int64_t played_ns, int64_t wall_ns);

#endif
