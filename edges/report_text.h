/*
 * report_text: the report as a person reads it at a glance - the timeline with the streams side by side,
 * alerts, faults, pools, business, expectations, and last the cause in one line.
 *
 * At most 80 columns wide but for what a scenario says in its own words, the cause and evidence.
 */
#ifndef EDGES_REPORT_TEXT_H
#define EDGES_REPORT_TEXT_H

#include "edges/paint.h"
#include "edges/report.h"

void report_text(struct text *out, const struct report *report, const struct paint *paint);

#endif
