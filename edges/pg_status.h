/*
 * pg_status: what PostgreSQL's five characters mean to whoever asked.
 *
 * Source: PostgreSQL 15, appendix A, error codes. The first two characters are a class. A code that has no status of
 * its own is STATUS_FAILED and goes along with the answer, so that the span can tell it.
 */
#ifndef EDGES_PG_STATUS_H
#define EDGES_PG_STATUS_H

#include "core/status.h"

/* NULL, as where libpq itself saw the connection break: STATUS_CONNECTION_LOST. */
enum status pg_status(const char *sqlstate);

#endif
