/*
 * scenario_names: what to say when a scenario names a thing that the shop does not have - with the name that was
 * probably meant. Within the loader only.
 */
#ifndef EDGES_SCENARIO_NAMES_H
#define EDGES_SCENARIO_NAMES_H

#include "edges/scenario_fill.h"

enum name_kind { NAME_SERVICE, NAME_INDEX, NAME_POOL, NAME_ROUTE, NAME_VARIANT, NAME_JOURNEY };

/* Adds the problem: "expected a known service, found `fronted` (did you mean frontend?)". `of` is the service that
   should have the pool, route or variant; NULL: any service's. The node's own text is the name ... */
void name_unknown(const struct filling *filling, const struct yaml_node *node, enum name_kind kind,
                  const struct actor_kind *of);
/* ... or `found` is, which stands there. */
void name_unknown_at(const struct filling *filling, const struct yaml_node *node, struct yaml_place at,
                     const char *found, enum name_kind kind, const struct actor_kind *of);

#endif
