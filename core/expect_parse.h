/*
 * expect_parse: one line of a scenario's `expect`, in k6's threshold grammar on named series.
 *
 *     expectation = SERIES [when] ":" measure bound
 *                 | "alert" NAME ":" ( "fires" [ "in" DURATION ".." DURATION ] | "never fires" )
 *     when        = "at" DURATION | "each minute" [ "from" DURATION ] [ "until" DURATION ]
 *     measure     = "rate" | "count" | "max" | "min" | "p(" NUMBER ")"
 *     bound       = ( "<=" | "<" | ">=" | ">" | "==" ) value | "within" value ".." value
 *     value       = a share (0.83, 83%), a duration (700ms) or a number, as the series asks
 *
 *     demo.errors at 20m: rate within 0.73..0.83       baseline.errors each minute: rate<=0.02
 *     demo.latency each minute from 20m: p(95) within 3000ms..3900ms
 *     alert checkout-collapse: fires in 22m..23m       pool.recommendations.used: max<=20
 *
 * SERIES as in core/probe.h, but for `all` and waiters, of which no such figures are kept. "at 20m" means 19:30-20:30; at the instant a stream starts, its first minute.
 * Only streams are kept by the minute. Shares of 0 to 1, latencies in seconds; an alert's window too.
 */
#ifndef CORE_EXPECT_PARSE_H
#define CORE_EXPECT_PARSE_H

#include "core/probe.h"

/* `name` is room for strlen(text) + 1 bytes that lives as long as `out`, as do text and registry. Streams,
   duration and alerts of the scenario are there already. False: `error` says what was expected and found, at
   byte `*column` of the text, counted from 0. */
bool expect_parse(const char *text, const struct scenario *scenario, const struct registry *registry,
                  char *name, struct expect_spec *out, struct text *error, size_t *column);

/* The instant from which a stream's rate is above 0 or climbs from there; NEVER if it stays 0. */
int64_t stream_start(const struct stream_spec *stream);

#endif
