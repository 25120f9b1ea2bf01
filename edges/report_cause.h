/*
 * report_cause: why requests failed, in one sentence - read off the run's figures, never off what the
 * scenario meant to do.
 */
#ifndef EDGES_REPORT_CAUSE_H
#define EDGES_REPORT_CAUSE_H

#include "edges/report.h"

/* Adds "cause: ..." or "no errors: ...", without a newline. */
void report_cause(struct text *out, const struct report *report);
/* Likewise without "cause: ". */
void report_cause_sentence(struct text *out, const struct report *report);

#endif
