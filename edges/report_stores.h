/*
 * report_stores: what database and cache did - the statements that mattered most, connections, row locks, hits.
 *
 * A block of lines for the terminal; nothing where nobody asked them anything.
 */
#ifndef EDGES_REPORT_STORES_H
#define EDGES_REPORT_STORES_H

#include "edges/paint.h"
#include "edges/report.h"

void report_stores(struct text *out, const struct report *report, const struct paint *paint);

#endif
