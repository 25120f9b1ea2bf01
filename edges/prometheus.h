/*
 * prometheus: the metrics of one service as Prometheus text (exposition format 0.0.4).
 *
 * Names are those of core/metrics.h with `_` for `.`, the unit behind them (_seconds), and _total for counters; where
 * Prometheus reserves an ending, the name is another (db_client_connections). target_info carries service.name.
 * Histograms are told by fixed bounds; a value that shares its bucket with a bound counts as below it
 * (buckets are 1.1 % wide). Exemplars have no place in this format.
 */
#ifndef EDGES_PROMETHEUS_H
#define EDGES_PROMETHEUS_H

#include "core/metrics.h"
#include "core/text.h"

#define PROMETHEUS_TYPE "text/plain; version=0.0.4; charset=utf-8"

void prometheus_write(struct text *page, const struct metrics *metrics, uint16_t service, const char *name);

#endif
