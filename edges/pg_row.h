/*
 * pg_row: a statement's parameters and its result, between msgpack and libpq.
 *
 * Both follow what the statement declares (core/statement.h, in the words of core/shape.h). Parameters travel as text,
 * each of the type declared for it, so no value ever becomes part of SQL. Refused before anything is sent: another
 * shape, text with a NUL or that is not UTF-8, a number that is not finite.
 *
 * Texts of a struct pg_params point into its own memory, and it stays put while they are used.
 */
#ifndef EDGES_PG_ROW_H
#define EDGES_PG_ROW_H

#include "core/shape.h"
#include "core/statement.h"

#include <libpq-fe.h>

enum { PG_PARAMS_MAX = 8, PG_NUMBER_BYTES = 32 };

/* A statement's declarations, read once. */
struct pg_shape {
    struct body_shape takes, answers;
    int param_count;
    Oid param_types[PG_PARAMS_MAX];
};

struct pg_params {
    int count;
    const char *values[PG_PARAMS_MAX]; /* NULL: null */
    char bytes[BODY_BYTES_MAX + PG_PARAMS_MAX * PG_NUMBER_BYTES];
};

/* Asserts that the statement's declarations are ones. */
void pg_shape_read(struct pg_shape *shape, const struct statement *statement);

/* False: refused. */
bool pg_params_read(struct pg_params *params, const struct pg_shape *shape, const struct body *body);

/* The result as one value: a list of rows, or the one row (none: an empty array). False: its columns are not those
   declared, and what has been packed is to be thrown away. */
bool pg_result_pack(const PGresult *result, const struct pg_shape *shape, struct pack *pack);

#endif
