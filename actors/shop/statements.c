#include "actors/shop/statements.h"

#define CREATE_RECOMMENDATIONS                                                                               \
    "CREATE INDEX idx_products_recommendations ON products(category, active, popularity DESC)"

const struct index_def shop_indexes[] = {
    {"idx_products_category", "CREATE INDEX idx_products_category ON products(category)", true},
    {"idx_products_stock_quantity", "CREATE INDEX idx_products_stock_quantity ON products(stock_quantity)",
     true},
    {"idx_products_category_active",
     "CREATE INDEX idx_products_category_active ON products(category, name) WHERE active AND stock_quantity "
     "> 0",
     true},
    {"idx_products_recommendations", CREATE_RECOMMENDATIONS, false},
};
const size_t shop_index_count = ARRAY_LEN(shop_indexes);

const struct statement shop_statements[] = {
    [SQL_PRODUCTS_BY_CATEGORY] =
        {.name = "products_by_category",
         .operation = "SELECT",
         .collection = "products",
         .sql =
             "SELECT id, name, category, price, stock_quantity FROM products WHERE category = $1 AND active "
             "AND stock_quantity > 0 ORDER BY name LIMIT 50",
         .endpoint_type = "fast_indexed",
         .fixed_us = 9500,
         .plans = {{.index = "idx_products_category_active", .rows = 50, .row_cost = 1},
                   {.share = 1, .row_cost = 1}}},
    /* A bitmap scan on idx_products_category is what hides the missing index until that one is dropped. */
    [SQL_RECOMMENDATIONS] =
        {.name = "recommendations",
         .operation = "SELECT",
         .collection = "products",
         .sql = "SELECT id, name, price, popularity FROM products WHERE category = $1 AND active AND price "
                "BETWEEN $2 AND $3 ORDER BY popularity DESC LIMIT 10",
         .endpoint_type = "slow_unindexed",
         .fixed_us = 100,
         .plans = {{.index = "idx_products_recommendations", .rows = 12, .row_cost = 1},
                   {.index = "idx_products_category", .share = 0.125, .row_cost = 0.72},
                   {.share = 1, .row_cost = 1}},
         .missing_index = "idx_products_recommendations",
         .healing_sql = CREATE_RECOMMENDATIONS},
    [SQL_SEARCH] =
        {.name = "search",
         .operation = "SELECT",
         .collection = "products",
         .sql =
             "SELECT id, name, category, price, stock_quantity FROM products WHERE category = $1 AND active "
             "AND stock_quantity > 0 AND name ILIKE $2 ORDER BY name LIMIT 50",
         .fixed_us = 9500,
         .plans = {{.index = "idx_products_category_active", .rows = 400, .row_cost = 1},
                   {.share = 1, .row_cost = 2}}},
    [SQL_POPULAR_WITH_HISTORY] =
        {.name = "popular_with_history",
         .operation = "SELECT",
         .collection = "products",
         .sql = "SELECT p.id, p.name, p.category, p.price, p.stock_quantity FROM products p WHERE p.category "
                "= $1 "
                "AND p.active AND p.stock_quantity > 0 ORDER BY p.name LIMIT 50",
         .fixed_us = 9500,
         .plans = {{.index = "idx_products_category_active", .rows = 50, .row_cost = 4},
                   {.share = 1, .row_cost = 1}}},
    [SQL_POPULAR_PRODUCTS] =
        {.name = "popular_products",
         .operation = "SELECT",
         .collection = "orders",
         .sql = "SELECT p.id, p.name, count(*) AS orders FROM order_items i JOIN products "
                "p ON p.id = i.product_id "
                "WHERE i.order_id IN (SELECT id FROM orders ORDER BY created_at DESC LIMIT 1000) "
                "GROUP BY p.id, p.name ORDER BY orders DESC LIMIT 10",
         .fixed_us = 4000,
         .plans = {{.index = "order_items_pkey", .rows = 1000, .row_cost = 1}}},
    [SQL_PRODUCT_BY_ID] = {.name = "product_by_id",
                           .operation = "SELECT",
                           .collection = "products",
                           .sql =
                               "SELECT id, name, category, price, stock_quantity FROM products WHERE id = $1",
                           .fixed_us = 300,
                           .plans = {{.index = "products_pkey", .rows = 1, .row_cost = 1}}},
    [SQL_STOCK_OF] = {.name = "stock_of",
                      .operation = "SELECT",
                      .collection = "products",
                      .sql = "SELECT stock_quantity FROM products WHERE id = $1",
                      .fixed_us = 300,
                      .plans = {{.index = "products_pkey", .rows = 1, .row_cost = 1}}},
    /* One transaction: the pieces leave the stock and the order stands, or neither. */
    [SQL_STOCK_RESERVE] =
        {.name = "stock_reserve",
         .operation = "UPDATE",
         .collection = "products",
         .sql =
             "WITH taken AS (UPDATE products SET stock_quantity = stock_quantity - $2 WHERE id = $1 AND "
             "stock_quantity >= $2 AND EXISTS (SELECT 1 FROM orders WHERE id = $3 AND status = 'pending') "
             "RETURNING id, stock_quantity, price), item AS (INSERT INTO order_items (order_id, product_id, "
             "quantity, unit_price) SELECT $3, id, $2, price FROM taken) UPDATE orders SET status = "
             "'created' "
             "FROM taken WHERE orders.id = $3 RETURNING stock_quantity",
         .fixed_us = 400,
         .plans = {{.index = "products_pkey", .rows = 1, .row_cost = 1}},
         .writes = true,
         .locks_row = true},
    [SQL_ORDER_INSERT] =
        {.name = "order_insert",
         .operation = "INSERT",
         .collection = "orders",
         .sql = "INSERT INTO orders (id, user_id, total, status, idempotency_key) SELECT $1, $2, price * $4, "
                "'pending', $5 FROM products WHERE id = $3 ON CONFLICT (idempotency_key) DO UPDATE SET "
                "idempotency_key = orders.idempotency_key RETURNING id, "
                "total",
         .fixed_us = 400,
         .plans = {{.index = "orders_pkey", .rows = 1, .row_cost = 1}},
         .writes = true},
};
const size_t shop_statement_count = ARRAY_LEN(shop_statements);
_Static_assert(ARRAY_LEN(shop_statements) == SQL_COUNT, "every statement has an entry");
