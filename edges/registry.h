/*
 * registry: the shop this program was built with. The definition is made from the files in actors/ at
 * build time; the edges see it through this declaration alone.
 */
#ifndef EDGES_REGISTRY_H
#define EDGES_REGISTRY_H

#include "core/actor.h"

extern const struct registry registry;

#endif
