/*
 * statements: everything the shop asks of its database, and the indexes that serve it.
 *
 * The modelled database and a real one both work from this table (core/statement.h), which says what each takes
 * and answers. Where nothing is found, rows are [], and so is the answer of a statement that writes.
 */
#ifndef ACTORS_SHOP_STATEMENTS_H
#define ACTORS_SHOP_STATEMENTS_H

#include "core/statement.h"

enum shop_statement {
    SQL_PRODUCTS_BY_CATEGORY,
    SQL_RECOMMENDATIONS,
    SQL_SEARCH,
    SQL_SEARCH_UNINDEXED,
    SQL_POPULAR_WITH_HISTORY,
    SQL_POPULAR_PRODUCTS,
    SQL_PRODUCT_BY_ID,
    SQL_STOCK_OF,
    SQL_STOCK_RESERVE,
    SQL_ORDER_INSERT, /* under a key that is taken: the order that has it */
    SQL_COUNT
};

enum { SHOP_INDEXES = 5 };

/* Sized, so that the generated registry can count them at compile time. */
extern const struct statement shop_statements[SQL_COUNT];
extern const size_t shop_statement_count;
extern const struct index_def shop_indexes[SHOP_INDEXES];
extern const size_t shop_index_count;

#endif
