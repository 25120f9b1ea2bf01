-- Every index that the shop's statements can use: the two that missing_index_config.sql drops, the one of the
-- category pages, and the two that were never created. Can be run again, and while the shop runs: CONCURRENTLY
-- takes longer but blocks no order. An index that such a build left behind broken is dropped first.
--
--   psql -v ON_ERROR_STOP=1 -f restore_indexes.sql "$DATABASE"
--
-- Expected: recommendations take 0.1 ms, the pool empties within seconds, and the errors end.

SET client_min_messages = warning;

DO $$
DECLARE
    broken regclass;
BEGIN
    FOR broken IN SELECT indexrelid::regclass FROM pg_index
                  WHERE indrelid = 'products'::regclass AND NOT indisvalid
    LOOP
        EXECUTE 'DROP INDEX ' || broken;
    END LOOP;
END
$$;

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_products_category ON products (category);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_products_stock_quantity ON products (stock_quantity);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_products_category_active ON products (category, name)
    WHERE active AND stock_quantity > 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_products_recommendations
    ON products (category, active, popularity DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_products_name_prefix ON products (lower(name) text_pattern_ops);
ANALYZE products;
