-- The incident: takes away two indexes that hid a third one's absence, and the cures, if they are there.
-- Can be run again. ANALYZE makes the planner look at the table as it is.
--
--   psql -v ON_ERROR_STOP=1 -f missing_index_config.sql "$DATABASE"
--
-- Expected: the recommendations query (products of a category by popularity) reads every row of the table, 60 to
-- 95 ms of one core per 500,000 rows instead of 25 ms by idx_products_category and 0.1 ms by an index of its own.
-- The pool of 20 connections fills up with such scans, and whoever waits for one longer than 5 s fails.
-- Category pages go on as before: they have idx_products_category_active.
--
--   EXPLAIN SELECT id, name, price, popularity FROM products
--   WHERE category = 'electronics' AND active AND price BETWEEN 0 AND 10000
--   ORDER BY popularity DESC LIMIT 10;          -- Seq Scan on products
--
-- As it was before:
--
--   CREATE INDEX idx_products_category ON products (category);
--   CREATE INDEX idx_products_stock_quantity ON products (stock_quantity);
--
-- The cures, which restore_indexes.sql adds to them: for recommendations, and for the search by first letters.
--
--   CREATE INDEX idx_products_recommendations ON products (category, active, popularity DESC);
--   CREATE INDEX idx_products_name_prefix ON products (lower(name) text_pattern_ops);

SET client_min_messages = warning;
DROP INDEX IF EXISTS idx_products_category;
DROP INDEX IF EXISTS idx_products_stock_quantity;
DROP INDEX IF EXISTS idx_products_recommendations;
DROP INDEX IF EXISTS idx_products_name_prefix;
ANALYZE products;
