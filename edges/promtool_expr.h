/*
 * promtool_expr: what a scenario's conditions watch, in PromQL, on the metrics that /metrics tells.
 *
 * A window's growth is written `x - (x offset 5m or x * 0)`: exact at samples, and clipped where the series
 * begins, as core/alert.c clips it. (increase() would extrapolate to the window's ends.) Ranges are a second
 * longer than what they are meant to hold, so that the sample at their very start is in them whether the
 * server's ranges are closed on the left (Prometheus 2) or open (3), and the one before is not.
 *
 * Every figure is a recording rule, so that it can be looked at: doorbuster:demo:errors (the sum over services),
 * :5m (its growth), :ratio_5m. A rule that is there already is not written again.
 */
#ifndef EDGES_PROMTOOL_EXPR_H
#define EDGES_PROMTOOL_EXPR_H

#include "core/actor.h"
#include "core/text.h"

struct promtool_rules {
    struct text *yaml;
    const struct scenario *scenario;
    const struct registry *registry;
    struct text written; /* names of rules so far, each between newlines */
};

/* One recording rule; false: it was there. */
bool promtool_record(struct promtool_rules *rules, const char *name, const char *expr);

/* name with _ for - ; of two names of a list that become equal the later one gets its place behind it. */
void promtool_ident(struct text *out, const char *name, size_t place,
                    const char *(*name_at)(const void *, size_t), const void *list);

/* Writes the rules that a series condition stands on, and into `out` the comparison: `x > 0.75`, or with
   `truth` `x > bool 0.75`, which is 0 or 1. */
void promtool_compare(struct promtool_rules *rules, const struct condition *condition, bool truth,
                      struct text *out);

/* The share of requests that failed over a window, for a stream or all; into `out` its name. */
void promtool_error_ratio(struct promtool_rules *rules, int stream, int64_t over_ns, struct text *out);

void promtool_number(struct text *out, double value);
/* A window as whole samples, with a second more if `range`: 5m, 5m1s. */
void promtool_window(struct text *out, int64_t over_ns, bool range);

#endif
