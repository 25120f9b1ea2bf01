-- The shop's database: tables, constraints, indexes and the 72 named products. Can be run again: it adds
-- what is missing and changes nothing that is there. Rows beyond the named ones come from sql/seed.sql.
--
--   psql -v ON_ERROR_STOP=1 -f init-db.sql "$DATABASE"

SET client_min_messages = warning;
BEGIN;

CREATE TABLE IF NOT EXISTS products (
    id             bigint PRIMARY KEY CHECK (id > 0),
    name           text NOT NULL,
    category       text NOT NULL,
    price          numeric(10, 2) NOT NULL CHECK (price >= 0),
    stock_quantity integer NOT NULL CHECK (stock_quantity >= 0),
    active         boolean NOT NULL DEFAULT true,
    popularity     integer NOT NULL DEFAULT 0,
    description    text NOT NULL DEFAULT ''
);

CREATE TABLE IF NOT EXISTS orders (
    id              bigint PRIMARY KEY,
    user_id         text NOT NULL,
    total           numeric(12, 2) NOT NULL CHECK (total >= 0),
    status          text NOT NULL CHECK (status IN ('pending', 'created')),
    idempotency_key text UNIQUE,
    created_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS order_items (
    order_id   bigint NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    product_id bigint NOT NULL REFERENCES products (id),
    quantity   integer NOT NULL CHECK (quantity > 0),
    unit_price numeric(10, 2) NOT NULL CHECK (unit_price >= 0),
    PRIMARY KEY (order_id, product_id)
);

-- For the newest orders, which GET /orders/popular-products counts.
CREATE INDEX IF NOT EXISTS idx_orders_created_at ON orders (created_at);

-- What a product costs, how well it sells and how many there are is arithmetic on its id, the same that the
-- modelled database does (actors/shop/catalogue.c): this number below 2^32 looks unordered, and no step of it
-- leaves a bigint.
CREATE OR REPLACE FUNCTION shop_mixed(id bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    x bigint := id * 2654435761 % 4294967296;
BEGIN
    x := x # (x >> 15);
    x := x * 1540483477 % 4294967296;
    RETURN x # (x >> 13);
END
$$;

-- The products of these ids as the catalogue has them; the first 72 go by names of their own.
CREATE OR REPLACE FUNCTION shop_products(first bigint, last bigint)
RETURNS TABLE (id bigint, name text, category text, price numeric, stock_quantity integer, popularity integer)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 100000 AS $$
    SELECT n,
           (ARRAY['Gadget ', 'Shelf ', 'Gear ', 'Utensil ', 'Planter ', 'Toy ', 'Novel ', 'Garment '])[kind] || n,
           (ARRAY['electronics', 'furniture', 'sports', 'kitchen', 'garden', 'toys', 'books', 'fashion'])[kind],
           ((base / 2 + of_price % base / 100 * 100 + 99) / 100.0)::numeric(10, 2),
           (1000 + of_stock % 2000)::integer,
           (CASE WHEN n <= 72 THEN 100000 WHEN n <= 1600 THEN 50000 ELSE 0 END + of_sales % 50000)::integer
    FROM (SELECT n, (n - 1) % 8 + 1 AS kind,
                 (ARRAY[7900, 14900, 5900, 3900, 2900, 2400, 1400, 4900])[(n - 1) % 8 + 1] AS base,
                 shop_mixed(n) AS of_price, shop_mixed(n + 7) AS of_sales, shop_mixed(n + 13) AS of_stock
          FROM generate_series(first, last) AS n OFFSET 0) AS made
$$;

-- Grows the table to this many rows and answers how many it added; it never takes any away.
CREATE OR REPLACE FUNCTION shop_grow(rows bigint) RETURNS bigint
LANGUAGE sql STRICT AS $$
    WITH added AS (
        INSERT INTO products (id, name, category, price, stock_quantity, popularity, description)
        SELECT id, name, category, price, stock_quantity, popularity,
               'Number ' || id || ' of our range of ' || category || '.'
        FROM shop_products((SELECT coalesce(max(id), 0) + 1 FROM products), rows)
        RETURNING 1)
    SELECT count(*) FROM added
$$;

INSERT INTO products (id, name, category, price, stock_quantity, popularity, description)
SELECT id, named.name, category, price, stock_quantity, popularity,
       named.name || ': one of the ' || category || ' that our customers come back for.'
FROM (VALUES
    (1, 'Aurora Wireless Headphones'),
    (2, 'Oslo Oak Desk'),
    (3, 'Ridgeline Trail Shoes'),
    (4, 'Copper Pour-Over Kettle'),
    (5, 'Cedar Raised Bed'),
    (6, 'Balance Bike Pico'),
    (7, 'The Long Harbour'),
    (8, 'Merino Crew Sweater'),
    (9, 'Pulse Smart Watch'),
    (10, 'Lund Reading Chair'),
    (11, 'Apex Climbing Rope 60m'),
    (12, 'Cast Iron Skillet 28cm'),
    (13, 'Solar Path Lights (6)'),
    (14, 'Wooden Railway Set'),
    (15, 'A Field Guide to Moss'),
    (16, 'Waxed Cotton Jacket'),
    (17, 'Vista 27" Monitor'),
    (18, 'Birch Bookshelf'),
    (19, 'Tempo Road Helmet'),
    (20, 'Chef''s Knife 20cm'),
    (21, 'Rain Barrel 200l'),
    (22, 'Marble Run Deluxe'),
    (23, 'Bread, Slowly'),
    (24, 'Linen Shirt'),
    (25, 'Nimbus Mechanical Keyboard'),
    (26, 'Walnut Nightstand'),
    (27, 'Kestrel Yoga Mat'),
    (28, 'Stoneware Dinner Set'),
    (29, 'Pruning Shears Pro'),
    (30, 'Night Sky Projector'),
    (31, 'The Cartographer''s Key'),
    (32, 'Selvedge Jeans'),
    (33, 'Echo Bookshelf Speakers'),
    (34, 'Haven Sofa, 3 seats'),
    (35, 'Fjord Kayak Paddle'),
    (36, 'Espresso Grinder M2'),
    (37, 'Teak Garden Bench'),
    (38, 'Puzzle: Old Town (1000)'),
    (39, 'Cooking for Two'),
    (40, 'Canvas Sneakers'),
    (41, 'Orbit Mesh Router (3)'),
    (42, 'Studio Standing Desk'),
    (43, 'Summit 45l Backpack'),
    (44, 'Enamel Dutch Oven'),
    (45, 'Compost Tumbler'),
    (46, 'Robot Builder Kit'),
    (47, 'Letters from Lisbon'),
    (48, 'Wool Overcoat'),
    (49, 'Prism 4K Action Camera'),
    (50, 'Ash Dining Table'),
    (51, 'Trail Running Vest'),
    (52, 'Hand Blender Duo'),
    (53, 'Wildflower Seed Mix'),
    (54, 'Plush Otter'),
    (55, 'Gardens in Winter'),
    (56, 'Leather Belt'),
    (57, 'Volt Power Bank 20k'),
    (58, 'Nook Corner Shelf'),
    (59, 'Folding Exercise Bike'),
    (60, 'Glass Storage Set (10)'),
    (61, 'Greenhouse Mini'),
    (62, 'Kite Albatross'),
    (63, 'The Quiet Machine'),
    (64, 'Rain Boots'),
    (65, 'Lumen Desk Lamp'),
    (66, 'Drift Bed Frame'),
    (67, 'Carbon Tennis Racket'),
    (68, 'Pasta Machine Roma'),
    (69, 'Bird Feeder Window'),
    (70, 'Balsa Glider (4)'),
    (71, 'Maps of the Deep Sea'),
    (72, 'Silk Scarf')
) AS named (id, name)
JOIN shop_products(1, 72) USING (id)
ON CONFLICT (id) DO NOTHING;

COMMIT;

-- Healthy: every statement of the shop has its index, but for the two that a new feature needs and nobody has
-- created: idx_products_recommendations and idx_products_name_prefix (see restore_indexes.sql).
CREATE INDEX IF NOT EXISTS idx_products_category ON products (category);
CREATE INDEX IF NOT EXISTS idx_products_stock_quantity ON products (stock_quantity);
CREATE INDEX IF NOT EXISTS idx_products_category_active ON products (category, name)
    WHERE active AND stock_quantity > 0;
ANALYZE products;
