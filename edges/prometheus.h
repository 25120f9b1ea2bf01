/*
 * prometheus: the metrics of one service as Prometheus text (exposition format 0.0.4).
 *
 * Names are those of core/metrics.h with `_` for `.`, the unit behind them (_seconds), and _total for counters; where
 * Prometheus reserves an ending, the name is another (db_client_connections). target_info carries service.name.
 * Histograms are told by fixed bounds, and those in seconds also by the bounds that the scenario's alerts ask about; a
 * value that shares its bucket with a bound counts as the bucket's middle does (buckets are 1.1 % wide).
 * Exemplars have no place in this format.
 */
#ifndef EDGES_PROMETHEUS_H
#define EDGES_PROMETHEUS_H

#include "core/metrics.h"
#include "core/scenario.h"
#include "core/text.h"

#define PROMETHEUS_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum { PROMETHEUS_BOUNDS_MAX = 64 };

/* Further bounds for durations: rising, in seconds. */
struct prometheus_bounds {
    double of[PROMETHEUS_BOUNDS_MAX];
    size_t count;
};

/* Those of the alerts' conditions on quantiles; what is more than PROMETHEUS_BOUNDS_MAX is left out. */
void prometheus_bounds_of(struct prometheus_bounds *bounds, const struct scenario *scenario);

/* `bounds` NULL: none. */
void prometheus_write(struct text *page, const struct metrics *metrics, uint16_t service, const char *name,
                      const struct prometheus_bounds *bounds);
/* Likewise without the target_info: metrics of other names, of the same page. */
void prometheus_add(struct text *page, const struct metrics *metrics, uint16_t service,
                    const struct prometheus_bounds *bounds);

#endif
