/*
 * histogram: base-2 exponential buckets at a fixed scale, for reports and for OTLP.
 *
 * Scale 6: 64 buckets an octave, bucket i = (2^(i/64), 2^((i+1)/64)], so a percentile is within 0.6 %
 * (OpenTelemetry metrics data model, ExponentialHistogram). Values are durations in seconds (or USD)
 * from 2^-20 to 2^12; smaller ones count in the lowest bucket, larger ones in the highest. Merging
 * neighbours lowers the scale exactly, which is how an exporter keeps to 160 buckets. 8 KiB each.
 */
#ifndef CORE_HISTOGRAM_H
#define CORE_HISTOGRAM_H

#include "core/base.h"

enum {
    HISTOGRAM_SCALE = 6,
    HISTOGRAM_PER_OCTAVE = 1 << HISTOGRAM_SCALE,
    HISTOGRAM_LOWEST = -20, /* exponent of the lowest bound */
    HISTOGRAM_HIGHEST = 12,
    HISTOGRAM_BUCKETS = (HISTOGRAM_HIGHEST - HISTOGRAM_LOWEST) * HISTOGRAM_PER_OCTAVE
};

struct histogram {
    uint64_t count, zeros; /* zeros: values <= 0, counted apart */
    double sum, min, max;
    uint32_t buckets[HISTOGRAM_BUCKETS]; /* index 0 is OTLP index HISTOGRAM_LOWEST * PER_OCTAVE */
};

void histogram_add(struct histogram *histogram, double value);
static inline void histogram_add_ns(struct histogram *histogram, int64_t duration_ns)
{
    histogram_add(histogram, (double)duration_ns / (double)NS_PER_S);
}
/* Quantile q in [0, 1]: the geometric middle of its bucket, kept within min and max; 0 when empty. */
double histogram_quantile(const struct histogram *histogram, double q);
/* How many values are above `bound`, each taken as histogram_quantile gives it: as the middle of its bucket. */
uint64_t histogram_above(const struct histogram *histogram, double bound);
void histogram_merge(struct histogram *into, const struct histogram *from);
/* What came after `before`, an earlier state of `now`; its min and max are known to the bucket alone. */
void histogram_since(struct histogram *out, const struct histogram *now, const struct histogram *before);
/* Sets min and max of what is part of `whole` by its buckets. */
void histogram_settle(struct histogram *part, const struct histogram *whole);
/* Upper bound of bucket i. */
double histogram_bound(int bucket);

#endif
