/*
 * managed_sql: the databases of a managed PostgreSQL - a template with the shop's tables and rows, made once and kept,
 * and the shop's own, copied from it at every start.
 *
 * All calls block. Errors are one line. Rows from MANAGED_ROWS_MIN to MANAGED_ROWS_MAX.
 */
#ifndef EDGES_MANAGED_SQL_H
#define EDGES_MANAGED_SQL_H

#include "edges/managed.h"

extern const char managed_init_db[]; /* sql/init-db.sql */

/* What is in `data` that this program made, and no other would; changes with the SQL. */
void managed_sql_stamp(struct text *stamp, int version);

/* How libpq reaches a database through the socket. */
void managed_sql_conninfo(struct text *conninfo, const char *socket_folder, const char *database,
                          const char *user);

/* The shop's owner and the empty template. Made whole or not at all. */
bool managed_sql_prepare(const char *socket_folder, struct text *error);
/* The template has so many rows, more or fewer than before. */
bool managed_sql_fill(const char *socket_folder, int64_t rows, struct text *error);
/* The shop's database, copied from the template; connections to an older one are cut. */
bool managed_sql_copy(const char *socket_folder, struct text *error);
/* So many connections are the shop's, however many an administrator has. */
bool managed_sql_limit(const char *socket_folder, int connections, struct text *error);
/* Whether there is a shop's database, and how many rows the template has (0: no template). */
bool managed_sql_look(const char *socket_folder, bool *shop, int64_t *rows, struct text *error);

#endif
