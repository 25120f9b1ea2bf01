/*
 * pace: how well a live run kept to its clock.
 *
 * Requests start when they are due; one that starts over PACE_LATE_NS later is late, in time of the timeline: at a
 * speed of 20 a machine that stands still for half a millisecond makes those late that were due then. The machine did
 * not keep up where PACE_LATE_MIN or more were late that were over a share of 1 / PACE_LATE_SHARE of all: latencies are
 * then the machine's as well, and what hangs by them is not the scenario's alone.
 */
#ifndef EDGES_PACE_H
#define EDGES_PACE_H

#include "core/world.h"

#include <jansson.h>

#define PACE_LATE_NS (10 * NS_PER_MS)
enum { PACE_LATE_MIN = 5, PACE_LATE_SHARE = 20 };

struct pace {
    uint64_t started, late; /* requests of all streams */
    double start_p99_s, start_max_s; /* how late they started, on the timeline */
    double lag_p99_s, lag_max_s; /* how late the loop came, in real time */
};

/* `lag` as live_lag has it. */
void pace_read(struct pace *pace, const struct run_stats *stats, size_t streams, const struct histogram *lag);
bool pace_kept_up(const struct pace *pace);

/* "12 of 340 requests started over 10 ms late, the last of them by 1.2 s; ..." without an end of line. */
void pace_text(struct text *out, const struct pace *pace);
json_t *pace_json(const struct pace *pace);

#endif
