/*
 * scenario_formats: how strings in a scenario file are written, as a regular expression for the schema and as a
 * reader for the loader, side by side. See struct format for what a reader leaves behind.
 */
#ifndef EDGES_SCENARIO_FORMATS_H
#define EDGES_SCENARIO_FORMATS_H

#include "edges/scenario_shape.h"

extern const struct format format_name; /* drop_index, recommendation-service */
extern const struct format format_label; /* any short text */
extern const struct format format_story; /* any text of a paragraph */
extern const struct format format_expectation; /* the grammar is core/expect_parse.h's */
extern const struct format format_call; /* checkout POST /orders/create */
extern const struct format format_route; /* POST /orders/create */
extern const struct format format_duration; /* 90s: nanoseconds in `whole` */
extern const struct format
    format_delay; /* 500ms or 100ms..300ms: nanoseconds, the least in `whole`, the most in `real` */
extern const struct format format_fine_duration; /* 1.0465us: nanoseconds in `real` */
extern const struct format format_rate; /* 800/min: a minute's, in `real` */
extern const struct format format_percent; /* 75%: 0.75 in `real` */
extern const struct format format_bound; /* 75% as 0.75 or 500ms as 0.5, in `real` */

#endif
