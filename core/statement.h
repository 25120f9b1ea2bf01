/*
 * statement: what the shop asks of its database - one table that the model and a real server both read.
 *
 * A statement lists its plans, best first: the first whose index exists now is taken, the last needs
 * none. Rows read = rows + share x rows of the table now; CPU = fixed_us + rows read x the scenario's scan
 * cost x row_cost.
 */
#ifndef CORE_STATEMENT_H
#define CORE_STATEMENT_H

#include "core/base.h"

enum { STATEMENT_PLANS_MAX = 3 };

struct plan {
    const char *index; /* NULL: the plan without an index, always possible */
    double rows;
    double share;
    double row_cost; /* relative to a row of a full scan */
};

struct statement {
    const char *name;
    const char *operation; /* SELECT, INSERT, UPDATE */
    const char *collection; /* products, orders */
    const char *sql;
    const char *takes; /* its parameters $1, $2, ... in order, as core/shape.h writes them */
    const char *answers; /* its result: one row's columns, or `rows:[columns]` where there may be several */
    const char *endpoint_type; /* attribute endpoint.type of the route that runs it, or NULL */
    int fixed_us;
    struct plan plans[STATEMENT_PLANS_MAX];
    const char *missing_index; /* the index whose absence is the incident, or NULL */
    const char *healing_sql; /* the statement that creates it */
    bool writes; /* never on a read replica */
    bool locks_row; /* of the product that is its first parameter, until it ends */
};

/* An index the shop's database can have. Primary keys are always there and not listed. */
struct index_def {
    const char *name;
    const char *sql; /* creates it */
    bool at_start; /* false: the incident is that it was never created */
    const char *live_sql; /* creates it while the shop goes on, unless it is there */
    const char *drop_sql; /* likewise drops it, if it is there */
};

#endif
