/*
 * report_timeline: the streams along time - a table of points, two streams side by side, and the error
 * rate of each minute as a line of bars.
 */
#ifndef EDGES_REPORT_TIMELINE_H
#define EDGES_REPORT_TIMELINE_H

#include "edges/paint.h"
#include "edges/report.h"

void report_timeline(struct text *out, const struct report *report, const struct paint *paint);

#endif
