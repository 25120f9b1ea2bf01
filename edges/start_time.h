/*
 * start_time: the instant at which a virtual run begins, as a person writes it.
 *
 * RFC 3339 (2026-11-27T22:47:00Z, with an offset or a fraction if wanted; section 5.6) or whole
 * seconds since 1970. Years 1970 to 2261, so that nanoseconds fit int64_t with room for the run.
 */
#ifndef EDGES_START_TIME_H
#define EDGES_START_TIME_H

#include <stdbool.h>
#include <stdint.h>

bool start_time_parse(const char *text, int64_t *unix_ns);

/* The start of a run of this length that ends now, by the wall clock. */
int64_t start_time_ending_now(int64_t duration_ns);

#endif
