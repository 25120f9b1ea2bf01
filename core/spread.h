/*
 * spread: the last so many samples of a histogram that only grows, for percentiles over a window.
 *
 * Kept as one histogram of the window and, for each sample in it, the buckets that grew: a window's 8 KiB
 * twice, and 8 bytes a bucket that grew. Owner: whoever made it. Durations in seconds.
 */
#ifndef CORE_SPREAD_H
#define CORE_SPREAD_H

#include "core/histogram.h"

struct spread;

/* `now` is what the histogram holds before the first sample. */
struct spread *spread_new(size_t samples, const struct histogram *now);
void spread_free(struct spread *spread); /* NULL: nothing */

/* The next sample: the oldest one leaves a full window. */
void spread_put(struct spread *spread, const struct histogram *now);

/* Of what came in the window. */
const struct histogram *spread_window(const struct spread *spread);

#endif
