/*
 * otlp_points: data points as OTLP has them, made of the run's cumulative series, before anyone encodes
 * them (OpenTelemetry metrics data model; conventions 1.44 for the bounds).
 *
 * Histograms are exponential, or by the advised bounds of their metric: then a bucket of the series counts
 * where its middle lies, so that counts near a bound may be off by 0.6 % of its value. Delta points need
 * the totals of the collection before, kept here: 8 KiB a histogram. Series are told apart by their place
 * in the list of their metric, which only grows.
 */
#ifndef EDGES_OTLP_POINTS_H
#define EDGES_OTLP_POINTS_H

#include "core/metrics.h"

enum { OTLP_BUCKETS_MAX = 160 }; /* as SDKs have it by default */

struct otlp_point_options {
    bool delta; /* of counters and histograms; up-down counters stay cumulative */
    bool explicit_bounds;
    bool no_exemplars;
};

struct otlp_before;

struct otlp_points {
    struct otlp_point_options options;
    int64_t since_ns; /* delta: the collection before */
    struct otlp_before *before[METRIC_COUNT];
    size_t before_count[METRIC_COUNT];
};

struct otlp_point {
    int64_t start_ns, at_ns; /* a gauge has no start */
    double value; /* all but histograms */
    uint64_t count, zeros;
    double sum, min, max;
    bool has_exemplar;
    bool has_range; /* min and max are known: not those of a delta */
    int scale, offset; /* exponential: of buckets[0] */
    const double *bounds; /* explicit: bucket_count - 1 upper bounds, each its bucket's; else NULL */
    size_t bucket_count;
    uint64_t buckets[OTLP_BUCKETS_MAX];
};

/* False: nothing to tell (a histogram in which nothing was counted; a delta in which nothing changed). */
bool otlp_points_make(struct otlp_points *points, const struct series *series, size_t index, int64_t at_ns,
                      struct otlp_point *point);
/* After each collection. */
void otlp_points_done(struct otlp_points *points, int64_t at_ns);
void otlp_points_fini(struct otlp_points *points);

/* One more than the highest index of a service that has series. */
uint16_t otlp_points_services(const struct metrics *metrics);

/* OTLP's AggregationTemporality of a metric of this kind. */
int otlp_points_temporality(const struct otlp_points *points, enum metric_kind kind);

#endif
