-- Fills the products table up to a number of rows, 500,000 if none is given. Run init-db.sql before it.
-- Can be run again: it adds what is missing, so it also grows the table.
--
--   psql -v ON_ERROR_STOP=1 -v rows=500000 -f seed.sql "$DATABASE"

\if :{?rows}
\else
    \set rows 500000
\endif

SELECT shop_grow(:rows) AS rows_added;
VACUUM (ANALYZE) products;
