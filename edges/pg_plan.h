/*
 * pg_plan: which of a statement's plans the server takes, read from what EXPLAIN (FORMAT JSON) says.
 *
 * Source: PostgreSQL 15, section 14.1 and EXPLAIN. Nodes carry "Index Name" where they use one.
 */
#ifndef EDGES_PG_PLAN_H
#define EDGES_PG_PLAN_H

#include "core/statement.h"

/* The first plan of the statement whose index is used; else the first without an index, which may be one that the
   statement does not list. `fallback` where the text makes no sense. */
int pg_plan_read(const struct statement *statement, const char *json, int fallback);

#endif
