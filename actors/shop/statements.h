/*
 * statements: everything the shop asks of its database, and the indexes that serve it.
 *
 * The modelled database and a real one both work from this table (core/statement.h). Parameters come in
 * the order of the SQL's $1, $2, ...; the result's fields are named beside each statement.
 */
#ifndef ACTORS_SHOP_STATEMENTS_H
#define ACTORS_SHOP_STATEMENTS_H

#include "core/statement.h"

enum shop_statement {
    SQL_PRODUCTS_BY_CATEGORY, /* category price_min price_max -> [id name category price stock_quantity] ... */
    SQL_RECOMMENDATIONS, /* category price_min price_max -> [id name price popularity] ... */
    SQL_SEARCH, /* category q price_min price_max -> [id name category price stock_quantity] ... */
    SQL_SEARCH_UNINDEXED, /* id|nil letters|nil -> [id name category price stock_quantity popularity] ... */
    SQL_POPULAR_WITH_HISTORY, /* category price_min price_max -> [id name category price stock_quantity] ... */
    SQL_POPULAR_PRODUCTS, /* -> [id name orders] ... */
    SQL_PRODUCT_BY_ID, /* id -> [id name category price stock_quantity] ..., at most one */
    SQL_STOCK_OF, /* id -> [stock_quantity] ..., at most one */
    SQL_STOCK_RESERVE, /* product_id quantity order_id -> [reserved left], or [] for no such product */
    /* order_id user_id product_id quantity idempotency_key|nil -> [order_id total_cents product_id quantity], those
       of the order that has the key, or [] for no such product */
    SQL_ORDER_INSERT,
    SQL_COUNT
};

enum { SHOP_INDEXES = 5 };

/* Sized, so that the generated registry can count them at compile time. */
extern const struct statement shop_statements[SQL_COUNT];
extern const size_t shop_statement_count;
extern const struct index_def shop_indexes[SHOP_INDEXES];
extern const size_t shop_index_count;

#endif
