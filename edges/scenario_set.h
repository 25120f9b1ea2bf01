/*
 * scenario_set: one --set argument, `path=value`, put into the tree of a scenario before it is checked.
 * See scenario_load.h for what a path is.
 */
#ifndef EDGES_SCENARIO_SET_H
#define EDGES_SCENARIO_SET_H

#include "edges/scenario_problems.h"

/* `number` counts settings from 1; it is the line in problems. */
void scenario_set(struct yaml_tree *tree, struct yaml_node *root, const char *setting, size_t number,
                  struct problems *problems);

#endif
