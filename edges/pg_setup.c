/* pg_setup: brings the database to where a run begins, and looks at it when the run is over. Blocks. */
#include "edges/managed_sql.h"
#include "edges/pg_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PARAMS_MAX = 2, NUMBER_BYTES = 24, SETUP_LIMIT_MIN = 10, LEAVE_STEPS = 100, LEAVE_STEP_MS = 10 };

/* Of what sql/init-db.sql makes; and whether a run has been allowed to have it. */
static const char look_for_shop[] =
    "SELECT to_regclass('products') IS NOT NULL OR to_regclass('orders') IS NOT NULL OR "
    "to_regclass('order_items') IS "
    "NOT NULL, to_regprocedure('shop_grow(bigint)') IS NOT NULL, "
    "coalesce(obj_description(to_regprocedure('shop_grow(bigint)'), 'pg_proc') = 'doorbuster', false)";
static const char allow[] = "COMMENT ON FUNCTION shop_grow(bigint) IS 'doorbuster'";
static const char refill[] = "UPDATE products SET stock_quantity = made.stock_quantity FROM (SELECT "
                             "product_id AS id FROM order_items UNION "
                             "SELECT generate_series(1, 1600)) AS touched, LATERAL shop_products(touched.id, "
                             "touched.id) AS made WHERE "
                             "products.id = touched.id AND products.stock_quantity <> made.stock_quantity";
static const char empty_orders[] = "TRUNCATE order_items, orders";
static const char count_rows[] = "SELECT count(*) FROM products";
static const char shrink[] = "DELETE FROM products WHERE id > $1";
static const char grow[] = "SELECT shop_grow($1)";
static const char stock[] = "UPDATE products SET stock_quantity = $2 WHERE id = $1";
static const char analyze[] = "VACUUM (ANALYZE) products";

/* $1, $2: the product whose stock is set, and to what. */
static const char look[] =
    "SELECT (SELECT count(*) FROM orders WHERE status = 'created'), "
    "(SELECT coalesce(sum(total) * 100, 0)::bigint FROM orders WHERE status = 'created'), "
    "(SELECT coalesce(sum(quantity), 0) FROM order_items JOIN orders ON orders.id = order_id WHERE status = "
    "'created'), "
    "(SELECT coalesce(sum(CASE WHEN p.id = $1 THEN $2 ELSE made.stock_quantity END - p.stock_quantity), 0) "
    "FROM "
    "(SELECT DISTINCT product_id AS id FROM order_items) AS ordered JOIN products p ON p.id = ordered.id, "
    "LATERAL shop_products(p.id, p.id) AS made), "
    "(SELECT stock_quantity FROM products WHERE id = $1), "
    "(SELECT coalesce(seq_scan, 0) FROM pg_stat_user_tables WHERE relid = 'products'::regclass)";
static const char look_indexes[] = "SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE relid = "
                                   "'products'::regclass";
static const char others_there[] =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
    "application_name LIKE 'doorbuster-%' AND pid <> pg_backend_pid()";

/* NULL: it failed; explained where `error` is given. */
static PGresult *ask(PGconn *pg, const char *sql, int count, const int64_t *numbers, struct text *error)
{
    static const Oid types[PARAMS_MAX] = {20, 20};
    char texts[PARAMS_MAX][NUMBER_BYTES];
    const char *values[PARAMS_MAX];
    for (int i = 0; i < count; i++) {
        snprintf(texts[i], NUMBER_BYTES, "%lld", (long long)numbers[i]);
        values[i] = texts[i];
    }
    PGresult *result = PQexecParams(pg, sql, count, types, values, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return result;
    if (error) {
        text_str(error, "PostgreSQL: ");
        text_str(error, pg_message(pg));
    }
    PQclear(result);
    return NULL;
}

static bool carry_out(PGconn *pg, const char *sql, int count, const int64_t *numbers, struct text *error)
{
    PGresult *result = ask(pg, sql, count, numbers, error);
    PQclear(result);
    return result != NULL;
}

static int64_t number_at(const PGresult *result, int row, int column)
{
    return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

static bool number_of(PGconn *pg, const char *sql, int64_t *number, struct text *error)
{
    PGresult *result = ask(pg, sql, 0, NULL, error);
    if (result)
        *number = number_at(result, 0, 0);
    PQclear(result);
    return result != NULL;
}

/* A session counts what it did at the latest when it ends, which it does a moment after its client. False: there are
   sessions of a doorbuster that do not end. */
static bool is_alone(PGconn *pg)
{
    int64_t others = 1;
    for (int step = 0; step < LEAVE_STEPS; step++) {
        if (!number_of(pg, others_there, &others, NULL) || others == 0)
            break;
        nanosleep(&(struct timespec){.tv_nsec = LEAVE_STEP_MS * NS_PER_MS}, NULL);
    }
    return others == 0;
}

static bool refuse(PGconn *pg, const char *why, struct text *error)
{
    text_str(error, "PostgreSQL: database ");
    text_str(error, PQdb(pg));
    text_str(error, why);
    return false;
}

static bool make_shop(PGconn *pg, struct text *error)
{
    PGresult *result = PQexec(pg, managed_init_db);
    bool made = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return made || refuse(pg, " could not be made a shop", error);
}

/* Nothing is changed in a database that this program did not make, unless its owner has said so. */
static bool is_shop(PGconn *pg, const struct pg_store_options *options, struct text *error)
{
    PGresult *result = ask(pg, look_for_shop, 0, NULL, error);
    if (!result)
        return false;
    bool tables = *PQgetvalue(result, 0, 0) == 't', shop = *PQgetvalue(result, 0, 1) == 't';
    bool allowed = *PQgetvalue(result, 0, 2) == 't' || options->own;
    PQclear(result);
    if (tables && !shop)
        return refuse(pg, " has tables of those names that are not doorbuster's; give it one of its own",
                      error);
    if (!shop && !options->yes)
        return refuse(pg, " has no shop in it; --yes makes one", error);
    if (!allowed && !options->yes)
        return refuse(pg, " is not one that doorbuster made; --yes lets it have it, orders and all", error);
    if (!is_alone(pg))
        return refuse(pg, " is what another doorbuster is at work with", error);
    return (shop || make_shop(pg, error)) && (allowed || carry_out(pg, allow, 0, NULL, error));
}

static bool set_rows(PGconn *pg, struct pg_store *store, int64_t rows, struct text *error)
{
    if (!number_of(pg, count_rows, &store->rows, error))
        return false;
    bool less = store->rows > rows;
    if (rows == PG_ROWS_AS_THEY_ARE || (less && store->options.keep))
        return true;
    if (store->rows != rows && !carry_out(pg, less ? shrink : grow, 1, &rows, error))
        return false;
    return number_of(pg, count_rows, &store->rows, error);
}

static bool set_indexes(PGconn *pg, const struct registry *registry, struct text *error)
{
    for (size_t i = 0; i < registry->index_count; i++) {
        const struct index_def *index = &registry->indexes[i];
        if (!carry_out(pg, index->at_start ? index->live_sql : index->drop_sql, 0, NULL, error))
            return false;
    }
    return true;
}

static bool begin_anew(PGconn *pg, struct pg_store *store, struct text *error)
{
    const struct postgresql_spec *spec = &store->options.scenario->postgresql;
    int64_t hot[2] = {spec->hot_product, spec->hot_stock};
    if (store->options.keep)
        return true;
    return carry_out(pg, refill, 0, NULL, error) && carry_out(pg, empty_orders, 0, NULL, error) &&
           (!spec->hot_product || carry_out(pg, stock, 2, hot, error));
}

static bool connected(PGconn *pg, struct text *error)
{
    if (PQstatus(pg) == CONNECTION_OK)
        return true;
    text_str(error, "PostgreSQL: ");
    text_str(error, pg_message(pg));
    return false;
}

static bool look_with(PGconn *pg, const struct pg_store *store, struct pg_standing *standing)
{
    const struct postgresql_spec *spec = &store->options.scenario->postgresql;
    int64_t hot[2] = {spec->hot_product, spec->hot_stock};
    *standing = (struct pg_standing){0};
    PGresult *result = ask(pg, look, 2, hot, NULL);
    PGresult *indexes = result ? ask(pg, look_indexes, 0, NULL, NULL) : NULL;
    bool known = result && indexes && PQntuples(result) == 1;
    if (known) {
        int64_t *const fields[] = {&standing->orders,      &standing->revenue_cents, &standing->pieces,
                                   &standing->stock_taken, &standing->hot_left,      &standing->seq_scans};
        for (size_t i = 0; i < ARRAY_LEN(fields); i++)
            *fields[i] = number_at(result, 0, (int)i);
    }
    for (int row = 0; known && row < PQntuples(indexes); row++) {
        int place = pg_index_place(store, PQgetvalue(indexes, row, 0));
        if (place >= 0)
            standing->index_scans[place] = number_at(indexes, row, 1);
    }
    PQclear(result);
    PQclear(indexes);
    return known;
}

bool pg_setup(struct pg_store *store, int64_t rows, struct text *error)
{
    PGconn *pg = pg_connect_blocking(store->options.admin_conninfo, pg_address(store), "doorbuster-setup",
                                     PG_OPEN_LIMIT_S, SETUP_LIMIT_MIN * NS_PER_MIN);
    bool good = connected(pg, error) && is_shop(pg, &store->options, error) && begin_anew(pg, store, error) &&
                set_rows(pg, store, rows, error) && set_indexes(pg, store->registry, error) &&
                carry_out(pg, analyze, 0, NULL, error);
    if (good && !look_with(pg, store, &store->before)) {
        text_str(error, "PostgreSQL: ");
        text_str(error, pg_message(pg));
        good = false;
    }
    PQfinish(pg);
    return good;
}

bool pg_setup_look(const struct pg_store *store, struct pg_standing *standing)
{
    PGconn *pg = pg_connect_blocking(store->options.admin_conninfo, pg_address(store), "doorbuster-figures",
                                     PG_LOOK_LIMIT_MS / 1000, PG_LOOK_LIMIT_MS * NS_PER_MS);
    bool known = PQstatus(pg) == CONNECTION_OK;
    if (known) {
        is_alone(pg);
        known = look_with(pg, store, standing);
    }
    PQfinish(pg);
    return known;
}
