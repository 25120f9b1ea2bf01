/*
 * http_body: requests and answers between JSON and the msgpack arrays of core/pack.h, by the fields that a route
 * declares (core/shape.h).
 *
 * A field's value comes from the path or a header, else from the JSON object of the body, else from the query; an
 * optional one that is nowhere, or null, is nil. Names that are not declared are ignored. Text becomes a number only
 * if all of it is one (JSON's grammar); a number in JSON never becomes text. `any` takes a JSON scalar; of a query, a
 * whole number or else text. Lists come from JSON arrays of objects.
 *
 * Failures are answered {"error":..., "reason":..., "demo_minute":...}: as many of them as the body has.
 */
#ifndef EDGES_HTTP_BODY_H
#define EDGES_HTTP_BODY_H

#include "core/shape.h"
#include "core/status.h"
#include "core/text.h"
#include "edges/http_path.h"

#include <jansson.h>

struct http_fields {
    const struct http_params *first; /* of the path and of headers; or NULL */
    const json_t *body; /* an object, or NULL */
    const struct http_params *query; /* or NULL */
};

/* Parses a body; empty bytes are an empty object. NULL: not one JSON object, and `error` says why. */
json_t *http_body_parse(struct slice bytes, struct text *error);
/* False: a field is missing or wrong, and `error` names it. */
bool http_body_pack(const struct body_shape *takes, const struct http_fields *fields, struct pack *pack,
                    struct text *error);

/* The value of one field, past it; the cursor turns bad where it is not as declared. */
void http_body_write_value(const struct body_shape *shape, uint16_t index, struct cursor *cursor,
                           struct text *json);
/* An answer as a JSON object. An answer without bytes or items is {}. False: it is not as declared. */
bool http_body_write(const struct body_shape *answers, const struct body *body, struct text *json);
void http_body_write_error(enum status status, const struct body *body, struct text *json);
/* {"error": "..."} */
void http_body_write_reason(const char *reason, struct text *json);

#endif
