/*
 * report_json: the report as JSON, version REPORT_VERSION: a contract (fields may be added, none changed).
 *
 * Keys come in a fixed order. Ratios have 4 decimals, milliseconds 2, seconds 3, money 2; equal runs
 * give equal bytes. `null` means: did not happen.
 */
#ifndef EDGES_REPORT_JSON_H
#define EDGES_REPORT_JSON_H

#include "edges/report.h"

/* Adds the report, indented, with a newline at its end. */
void report_json(struct text *out, const struct report *report);

#endif
