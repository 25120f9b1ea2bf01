/*
 * promtool_series: a run's metrics as the input of a promtool test - what a scrape of every service's
 * /metrics would have given at each sample.
 *
 * Series have the names and labels of prometheus.h, and the label job, which is the service: as a scrape that
 * has one job a service would give them. Sample i of the run stands at (first + i) x 15 s of the test, where
 * `first` follows from the first sample's instant: promtool's clock is the timeline, later by the past (a
 * whole number of samples) that the run is given. Equal values in a row are written once (5+0x3).
 *
 * Only series whose metric's name occurs in `mentions` are kept, or all. At most PROMTOOL_SERIES_TEXT_MAX bytes of
 * values: beyond it no sample is taken any more, and promtool_series_full says so.
 */
#ifndef EDGES_PROMTOOL_SERIES_H
#define EDGES_PROMTOOL_SERIES_H

#include "core/text.h"
#include "core/world.h"
#include "edges/prometheus.h"

#define PROMTOOL_SERIES_TEXT_MAX ((size_t)256 << 20)

struct promtool_series;

struct promtool_series_options {
    const char *mentions; /* rules, or names, in any text; NULL: all series. Lives as long as the series */
    const struct prometheus_bounds *bounds; /* NULL: none */
    int64_t end_ns; /* of the timeline: what is told behind it is not taken */
    /* Samples before the run's start. Of that past only ended requests are known, at the rates of the start;
       other series begin with the run. */
    size_t past;
    const struct scenario *scenario; /* for its streams, where there is a past */
};

struct promtool_series *promtool_series_new(const struct promtool_series_options *options);
void promtool_series_free(struct promtool_series *series);

/* For sink.metrics: every service's page at this instant. Services' names are the registry's. */
void promtool_series_take(struct promtool_series *series, const struct world *world,
                          const struct metrics *metrics, int64_t at_ns);

size_t promtool_series_samples(const struct promtool_series *series);
size_t promtool_series_count(const struct promtool_series *series);
bool promtool_series_full(const struct promtool_series *series);
/* Where sample i stands: on the timeline, and on promtool's clock. */
int64_t promtool_series_at(const struct promtool_series *series, size_t sample);
int64_t promtool_series_test_at(const struct promtool_series *series, size_t sample);

/* The lines under `input_series:`. */
void promtool_series_write(struct promtool_series *series, struct text *yaml);

#endif
