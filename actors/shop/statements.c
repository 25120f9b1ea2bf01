#include "actors/shop/statements.h"

/* What each index is on. */
#define RECOMMENDATIONS "products(category, active, popularity DESC)"
#define CATEGORY_ACTIVE "products(category, name) WHERE active AND stock_quantity > 0"
#define NAME_PREFIX "products(lower(name) text_pattern_ops)"

#define CREATE(index, on) "CREATE INDEX " index " ON " on
/* CONCURRENTLY takes longer, but no order waits for it. */
#define INDEX(index, on)                                                                                     \
    .name = (index), .sql = CREATE(index, on),                                                               \
    .live_sql = "CREATE INDEX CONCURRENTLY IF NOT EXISTS " index " ON " on,                                  \
    .drop_sql = "DROP INDEX CONCURRENTLY IF EXISTS " index

const struct index_def shop_indexes[] = {
    {INDEX("idx_products_category", "products(category)"), .at_start = true},
    {INDEX("idx_products_stock_quantity", "products(stock_quantity)"), .at_start = true},
    {INDEX("idx_products_category_active", CATEGORY_ACTIVE), .at_start = true},
    {INDEX("idx_products_recommendations", RECOMMENDATIONS)},
    {INDEX("idx_products_name_prefix", NAME_PREFIX)},
};
const size_t shop_index_count = ARRAY_LEN(shop_indexes);

const struct statement shop_statements[] = {
    [SQL_PRODUCTS_BY_CATEGORY] =
        {.name = "products_by_category",
         .operation = "SELECT",
         .collection = "products",
         .sql =
             "SELECT id, name, category, price, stock_quantity FROM products WHERE category = $1 AND active "
             "AND stock_quantity > 0 AND price BETWEEN $2 AND $3 ORDER BY name LIMIT 50",
         .takes = "category:text price_min:real price_max:real",
         .answers = "rows:[id:int name:text category:text price:real stock_quantity:int]",
         .endpoint_type = "fast_indexed",
         .fixed_us = 9500,
         .plans = {{.index = "idx_products_category_active", .rows = 50, .row_cost = 1},
                   {.share = 1, .row_cost = 1}},
         .missing_index = "idx_products_category_active",
         .healing_sql = CREATE("idx_products_category_active", CATEGORY_ACTIVE)},
    /* A bitmap scan on idx_products_category is what hides the missing index until that one is dropped. */
    [SQL_RECOMMENDATIONS] =
        {.name = "recommendations",
         .operation = "SELECT",
         .collection = "products",
         .sql = "SELECT id, name, price, popularity FROM products WHERE category = $1 AND active AND price "
                "BETWEEN $2 AND $3 ORDER BY popularity DESC LIMIT 10",
         .takes = "category:text price_min:real price_max:real",
         .answers = "rows:[id:int name:text price:real popularity:int]",
         .endpoint_type = "slow_unindexed",
         .fixed_us = 100,
         .plans = {{.index = "idx_products_recommendations", .rows = 12, .row_cost = 1},
                   {.index = "idx_products_category", .share = 0.125, .row_cost = 0.72},
                   {.share = 1, .row_cost = 1}},
         .missing_index = "idx_products_recommendations",
         .healing_sql = CREATE("idx_products_recommendations", RECOMMENDATIONS)},
    [SQL_SEARCH] =
        {.name = "search",
         .operation = "SELECT",
         .collection = "products",
         .sql =
             "SELECT id, name, category, price, stock_quantity FROM products WHERE category = $1 AND active "
             "AND stock_quantity > 0 AND position(lower($2) IN lower(name)) > 0 AND price BETWEEN $3 AND $4 "
             "ORDER BY name LIMIT 50",
         .takes = "category:text q:text price_min:real price_max:real",
         .answers = "rows:[id:int name:text category:text price:real stock_quantity:int]",
         .fixed_us = 9500,
         .plans = {{.index = "idx_products_category_active", .rows = 400, .row_cost = 1},
                   {.share = 1, .row_cost = 2}}},
    /* One query for whoever looks something up, by number or by the letters its name begins with. The index for
       the letters was never created; by number none would help, as it is compared as text. */
    [SQL_SEARCH_UNINDEXED] =
        {.name = "search_products_unindexed",
         .operation = "SELECT",
         .collection = "products",
         .sql = "SELECT id, name, category, price, stock_quantity, popularity FROM products WHERE id::text = "
                "($1::bigint)::text OR starts_with(lower(name), lower($2)) ORDER BY id = $1 DESC NULLS LAST, "
                "popularity DESC LIMIT 50",
         .takes = "id?:int letters?:text",
         .answers = "rows:[id:int name:text category:text price:real stock_quantity:int popularity:int]",
         .endpoint_type = "slow_unindexed",
         .fixed_us = 100,
         .plans = {{.index = "idx_products_name_prefix", .rows = 50, .row_cost = 1},
                   {.share = 1, .row_cost = 1}},
         .missing_index = "idx_products_name_prefix",
         .healing_sql = CREATE("idx_products_name_prefix", NAME_PREFIX)},
    [SQL_POPULAR_WITH_HISTORY] =
        {.name = "popular_with_history",
         .operation = "SELECT",
         .collection = "products",
         .sql =
             "SELECT p.id, p.name, p.category, p.price, p.stock_quantity FROM products p WHERE p.category "
             "= $1 AND p.active AND p.stock_quantity > 0 AND p.price BETWEEN $2 AND $3 ORDER BY p.name LIMIT "
             "50",
         .takes = "category:text price_min:real price_max:real",
         .answers = "rows:[id:int name:text category:text price:real stock_quantity:int]",
         .fixed_us = 9500,
         .plans = {{.index = "idx_products_category_active", .rows = 50, .row_cost = 4},
                   {.share = 1, .row_cost = 1}}},
    [SQL_POPULAR_PRODUCTS] =
        {.name = "popular_products",
         .operation = "SELECT",
         .collection = "orders",
         .sql =
             "SELECT p.id, p.name, count(*) AS orders FROM order_items i JOIN products "
             "p ON p.id = i.product_id "
             "WHERE i.order_id IN (SELECT id FROM orders WHERE status = 'created' ORDER BY created_at DESC "
             "LIMIT 1000) "
             "GROUP BY p.id, p.name ORDER BY orders DESC LIMIT 10",
         .takes = "",
         .answers = "rows:[id:int name:text orders:int]",
         .fixed_us = 4000,
         .plans = {{.index = "order_items_pkey", .rows = 1000, .row_cost = 1}}},
    [SQL_PRODUCT_BY_ID] = {.name = "product_by_id",
                           .operation = "SELECT",
                           .collection = "products",
                           .sql =
                               "SELECT id, name, category, price, stock_quantity FROM products WHERE id = $1",
                           .takes = "id:int",
                           .answers = "rows:[id:int name:text category:text price:real stock_quantity:int]",
                           .fixed_us = 300,
                           .plans = {{.index = "products_pkey", .rows = 1, .row_cost = 1}}},
    [SQL_STOCK_OF] = {.name = "stock_of",
                      .operation = "SELECT",
                      .collection = "products",
                      .sql = "SELECT stock_quantity FROM products WHERE id = $1",
                      .takes = "id:int",
                      .answers = "rows:[stock_quantity:int]",
                      .fixed_us = 300,
                      .plans = {{.index = "products_pkey", .rows = 1, .row_cost = 1}}},
    /* One transaction: the pieces leave the stock and the order stands, or neither. */
    [SQL_STOCK_RESERVE] =
        {.name = "stock_reserve",
         .operation = "UPDATE",
         .collection = "products",
         .sql =
             "WITH pending AS (SELECT id FROM orders WHERE id = $3 AND status = 'pending' FOR UPDATE), taken "
             "AS (UPDATE products SET stock_quantity = stock_quantity - $2 FROM pending WHERE products.id = "
             "$1 AND stock_quantity >= $2 AND $2 > 0 RETURNING stock_quantity), made AS (UPDATE orders SET "
             "status = 'created' FROM taken WHERE orders.id = $3 RETURNING orders.id) SELECT EXISTS (SELECT "
             "1 FROM made) OR (NOT EXISTS (SELECT 1 FROM pending) AND EXISTS (SELECT 1 FROM orders WHERE id "
             "= $3)) AS reserved, coalesce((SELECT stock_quantity FROM taken), stock_quantity) AS remaining "
             "FROM products WHERE id = $1",
         .takes = "product_id:int quantity:int order_id:int",
         .answers = "reserved:bool remaining:int",
         .fixed_us = 400,
         .plans = {{.index = "products_pkey", .rows = 1, .row_cost = 1}},
         .writes = true,
         .locks_row = true},
    /* Under a key that is taken it gives the order that has it, and what was ordered then. */
    [SQL_ORDER_INSERT] =
        {.name = "order_insert",
         .operation = "INSERT",
         .collection = "orders",
         .sql =
             "WITH placed AS (INSERT INTO orders (id, user_id, total, status, idempotency_key) SELECT $1, "
             "$2, price * $4, 'pending', $5 FROM products WHERE id = $3 AND $4 > 0 AND "
             "octet_length(coalesce($5, '')) <= 64 ON CONFLICT (idempotency_key) DO UPDATE SET "
             "idempotency_key = orders.idempotency_key RETURNING id, total), item AS (INSERT INTO "
             "order_items (order_id, product_id, quantity, unit_price) SELECT placed.id, products.id, $4, "
             "price FROM placed, products WHERE placed.id = $1 AND products.id = $3 ON CONFLICT DO NOTHING) "
             "SELECT placed.id, "
             "(total * 100)::bigint AS total_cents, coalesce(first.product_id, $3) AS product_id, "
             "coalesce(first.quantity, $4) AS quantity FROM placed LEFT JOIN order_items first ON "
             "first.order_id = placed.id",
         .takes = "order_id:int user_id:text product_id:int quantity:int idempotency_key?:text",
         .answers = "order_id:int total_cents:int product_id:int quantity:int",
         .fixed_us = 400,
         .plans = {{.index = "orders_pkey", .rows = 1, .row_cost = 1}},
         .writes = true},
};
const size_t shop_statement_count = ARRAY_LEN(shop_statements);
_Static_assert(ARRAY_LEN(shop_statements) == SQL_COUNT, "every statement has an entry");
