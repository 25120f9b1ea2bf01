/*
 * promtool_rules: a scenario's alerts as Prometheus rules, equal to what core/alert.c judges.
 *
 * One group at the run's own interval, in which rules stand in the order in which they need each other. Levels
 * of conditions are 0 or 1: all is their product, any their sum cut at 1, not 1 less it; where there is no data
 * there is no value, and nothing fires. `for` inside a condition counts the samples without a break. A flow's
 * stage has been reached when its level holds and the stage before it was reached within the frame.
 *
 * The same rules serve a live scrape of every 15 s: nothing in them is of the export alone.
 */
#ifndef EDGES_PROMTOOL_RULES_H
#define EDGES_PROMTOOL_RULES_H

#include "core/actor.h"
#include "core/text.h"

void promtool_rules_write(struct text *yaml, const struct scenario *scenario,
                          const struct registry *registry);

/* The annotation `summary` of an alert's rule. */
void promtool_rules_summary(struct text *out, const struct scenario *scenario,
                            const struct alert_spec *alert);

#endif
