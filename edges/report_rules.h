/*
 * report_rules: what the user's own Prometheus rules did, in the report.
 */
#ifndef EDGES_REPORT_RULES_H
#define EDGES_REPORT_RULES_H

#include "edges/paint.h"
#include "edges/rule_file.h"

#include <jansson.h>

/* A section of the text; `name_width` columns for the names. */
void report_rules_text(struct text *out, const struct rule_outcomes *rules, const struct paint *paint,
                       size_t name_width);

/* [{"name", "state", "firings", "fired_at_s", "resolved_at_s"}]: as the scenario's alerts are told. */
json_t *report_rules_json(const struct rule_outcomes *rules);

#endif
