/*
 * scenario_schema: the JSON Schema (draft-07) of scenario files, written from the table of fields that the
 * loader checks with (scenario_fields.h). scenarios/scenario.schema.json is a copy of what this writes, for
 * editors; a test says when it is stale.
 */
#ifndef EDGES_SCENARIO_SCHEMA_H
#define EDGES_SCENARIO_SCHEMA_H

#include "core/text.h"

void scenario_schema_write(struct text *out);

#endif
