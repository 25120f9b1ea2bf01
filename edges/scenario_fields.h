/*
 * scenario_fields: the table of everything a scenario file may say. The loader's checks, its messages, its
 * defaults and the JSON Schema all come from it; a new field is a line here and its use where it is filled.
 */
#ifndef EDGES_SCENARIO_FIELDS_H
#define EDGES_SCENARIO_FIELDS_H

#include "edges/scenario_shape.h"

extern const struct shape shape_scenario; /* the file: into struct scenario */
extern const struct shape shape_stream; /* into struct stream_spec */
extern const struct shape shape_visit; /* into struct visit_spec */
extern const struct shape shape_bursts; /* into struct burst_spec */
extern const struct shape shape_service; /* into struct service_spec */
extern const struct shape shape_work; /* into struct duration_dist */
extern const struct shape shape_pool; /* into struct pool_spec */
extern const struct shape shape_postgresql;
extern const struct shape shape_redis;
extern const struct shape shape_condition; /* into struct condition */
extern const struct shape shape_stage; /* into struct alert_stage */
extern const struct shape shape_burn_rate; /* into struct alert_spec */
extern const struct shape shape_alert; /* into struct alert_spec */

#endif
