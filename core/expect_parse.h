/*
 * expect_parse: one line of a scenario's `expect`, in k6's threshold grammar on named series.
 *
 *     expectation = SERIES [when] ":" measure bound
 *                 | "alert" NAME ":" ( "never fires" | ( "fires" | "resolves" ) [ "in" DURATION ".." DURATION ] )
 *     when        = "at" DURATION | [ "each minute" ] [ "from" DURATION ] [ "until" DURATION ]
 *     measure     = "rate" | "surge" | "count" | "max" | "min" | "p(" NUMBER ")"
 *     bound       = ( "<=" | "<" | ">=" | ">" | "==" ) value | "within" value ".." value
 *     value       = a share (0.83, 83%), a duration (700ms) or a number, as the series asks
 *
 *     demo.errors at 20m: rate within 0.73..0.83       baseline.errors each minute: rate<=0.02
 *     demo.latency each minute from 20m: p(95) within 3000ms..3900ms
 *     query.search.latency from 4m until 6m: p(95)<=1.5s
 *     shoppers.errors each minute: surge<=0.05         pool.recommendations.used: max<=20
 *     alert checkout-collapse: fires in 22m..23m       alert slow: resolves in 12m..14m
 *
 * SERIES as in core/probe.h. Their measures: of errors rate (per request), count and surge (a minute's rate less
 * twice the rate of the minute before); of cache.hits rate (per look-up) and count; of other counters count;
 * of levels max and min; of latencies and waits p(), max, min and count; of query.X.cpu rate; of trace.depth
 * max, of the other traces' figures count.
 *
 * Streams are kept by the minute and by windows of any instants, counting the requests that were meant for
 * them. "at 20m" means 19:30-20:30; at the instant a stream starts, its first minute. Windows of other series
 * run from sample to sample, and hold what ended in them. An alert fires when it does so first, and resolves when
 * it is over for good; its window is inclusive. Shares of 0 to 1, latencies in seconds; an alert's window too.
 */
#ifndef CORE_EXPECT_PARSE_H
#define CORE_EXPECT_PARSE_H

#include "core/probe.h"

/* `name` is room for strlen(text) + 1 bytes that lives as long as `out`, as do text and registry. Streams,
   duration and alerts of the scenario are there already. False: `error` says what was expected and found, at
   byte `*column` of the text, counted from 0. */
bool expect_parse(const char *text, const struct scenario *scenario, const struct registry *registry,
                  char *name, struct expect_spec *out, struct text *error, size_t *column);

/* The instant from which a stream's rate is above 0 or climbs from there, or of its first burst; NEVER if it
   stays 0. */
int64_t stream_start(const struct stream_spec *stream);

#endif
