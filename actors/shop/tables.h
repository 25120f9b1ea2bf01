/*
 * tables: the rows of the modelled database, and what each statement reads and writes in them.
 *
 * A statement runs at once and alone, as at the instant of its commit; what it costs and whom it waits for
 * is the database's business (actors/postgresql.c). The result is one value: rows, or one row.
 */
#ifndef ACTORS_SHOP_TABLES_H
#define ACTORS_SHOP_TABLES_H

#include "actors/shop/catalogue.h"
#include "actors/shop/orders.h"
#include "actors/shop/statements.h"

struct tables {
    struct catalogue catalogue;
    struct orders orders;
};

void tables_init(struct tables *tables, int64_t products);
void tables_fini(struct tables *tables);
/* Whether pieces will leave the stock: a reservation that finds its order and enough of them. */
bool tables_takes(const struct tables *tables, enum shop_statement statement, struct cursor *params);
void tables_run(struct tables *tables, enum shop_statement statement, struct cursor *params,
                struct pack *result);

#endif
