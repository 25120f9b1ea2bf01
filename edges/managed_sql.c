#include "edges/managed_sql.h"

#include <libpq-fe.h>
#include <stdlib.h>

enum { STAMP_FORMAT = 1 };

#define ADMIN "postgres"
#define OWNER "ecommerce_user"
#define SHOP "ecommerce"
#define TEMPLATE "ecommerce_template"

void managed_sql_stamp(struct text *stamp, int version)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (const char *at = managed_init_db; *at; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
    text_lit(stamp, "doorbuster ");
    text_i64(stamp, STAMP_FORMAT);
    text_lit(stamp, " postgresql ");
    text_i64(stamp, version);
    text_lit(stamp, " sql ");
    text_u64(stamp, hash);
}

/* A value may hold anything: quotes and backslashes are escaped. */
static void put_setting(struct text *conninfo, const char *name, const char *value)
{
    if (conninfo->len)
        text_char(conninfo, ' ');
    text_str(conninfo, name);
    text_lit(conninfo, "='");
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\')
            text_char(conninfo, '\\');
        text_char(conninfo, *value);
    }
    text_char(conninfo, '\'');
}

void managed_sql_conninfo(struct text *conninfo, const char *socket_folder, const char *database,
                          const char *user)
{
    put_setting(conninfo, "host", socket_folder);
    put_setting(conninfo, "port", "5432");
    put_setting(conninfo, "dbname", database);
    put_setting(conninfo, "user", user);
    text_c(conninfo);
}

/* ---- One connection, statement by statement ---- */

static void hear_nothing(void *owner, const char *message)
{
    (void)owner;
    (void)message;
}

static bool refuse(struct text *error, const char *what, const char *message)
{
    size_t len = strcspn(message, "\n");
    text_lit(error, "PostgreSQL: ");
    text_str(error, what);
    text_lit(error, ": ");
    text_bytes(error, message, len);
    return false;
}

static PGconn *open_database(const char *socket_folder, const char *database, const char *user,
                             struct text *error)
{
    struct text conninfo = {0};
    managed_sql_conninfo(&conninfo, socket_folder, database, user);
    PGconn *connection = PQconnectdb(text_c(&conninfo));
    text_fini(&conninfo);
    PQsetNoticeProcessor(connection, hear_nothing, NULL);
    if (PQstatus(connection) == CONNECTION_OK)
        return connection;
    refuse(error, database, PQerrorMessage(connection));
    PQfinish(connection);
    return NULL;
}

static bool ran(PGconn *connection, PGresult *result, struct text *error)
{
    ExecStatusType status = PQresultStatus(result);
    bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    PQclear(result);
    return good || refuse(error, PQdb(connection), PQerrorMessage(connection));
}

static bool run(PGconn *connection, const char *sql, struct text *error)
{
    return ran(connection, PQexec(connection, sql), error);
}

static bool run_all(PGconn *connection, const char *const *statements, size_t count, struct text *error)
{
    for (size_t i = 0; i < count; i++)
        if (!run(connection, statements[i], error))
            return false;
    return true;
}

static bool run_with_number(PGconn *connection, const char *sql, int64_t number, struct text *error)
{
    struct text value = {0};
    text_i64(&value, number);
    const char *const values[] = {text_c(&value)};
    bool good = ran(connection, PQexecParams(connection, sql, 1, NULL, values, NULL, NULL, 0), error);
    text_fini(&value);
    return good;
}

/* The one value of the one row, 0 if that is null. */
static bool ask_number(PGconn *connection, const char *sql, int64_t *number, struct text *error)
{
    PGresult *result = PQexec(connection, sql);
    *number = PQntuples(result) ? strtoll(PQgetvalue(result, 0, 0), NULL, 10) : 0;
    return ran(connection, result, error);
}

/* ---- The databases ---- */

bool managed_sql_look(const char *socket_folder, bool *shop, int64_t *rows, struct text *error)
{
    int64_t count = 0, of_template = 0;
    *rows = 0;
    PGconn *admin = open_database(socket_folder, ADMIN, ADMIN, error);
    bool good =
        admin &&
        ask_number(admin, "SELECT count(*) FROM pg_database WHERE datname = '" SHOP "'", &count, error) &&
        ask_number(admin, "SELECT count(*) FROM pg_database WHERE datname = '" TEMPLATE "'", &of_template,
                   error);
    *shop = count > 0;
    PQfinish(admin);
    if (!good || !of_template)
        return good;
    PGconn *template = open_database(socket_folder, TEMPLATE, OWNER, error);
    good = template && ask_number(template, "SELECT max(id) FROM products", rows, error);
    PQfinish(template);
    return good;
}

bool managed_sql_prepare(const char *socket_folder, struct text *error)
{
    static const char *const statements[] = {
        "CREATE ROLE " OWNER " LOGIN",
        "CREATE DATABASE " TEMPLATE " OWNER " OWNER,
    };
    PGconn *admin = open_database(socket_folder, ADMIN, ADMIN, error);
    bool good = admin && run_all(admin, statements, ARRAY_LEN(statements), error);
    PQfinish(admin);
    PGconn *template = good ? open_database(socket_folder, TEMPLATE, OWNER, error) : NULL;
    good = template && run(template, managed_init_db, error);
    PQfinish(template);
    return good;
}

/* Many rows go in several times as fast where no index waits for each of them; init-db.sql makes those again. */
static bool grow(PGconn *template, int64_t rows, struct text *error)
{
    static const char *const drops[] = {
        "DROP INDEX idx_products_category",
        "DROP INDEX idx_products_stock_quantity",
        "DROP INDEX idx_products_category_active",
    };
    return run(template, "BEGIN", error) && run_all(template, drops, ARRAY_LEN(drops), error) &&
           run_with_number(template, "SELECT shop_grow($1)", rows, error) && run(template, "COMMIT", error) &&
           run(template, managed_init_db, error) && run(template, "VACUUM (ANALYZE) products", error);
}

/* Where most of them go, those that stay are sooner made again. */
static bool remake(PGconn *template, int64_t rows, struct text *error)
{
    return run(template, "TRUNCATE products CASCADE", error) && run(template, managed_init_db, error) &&
           grow(template, rows, error);
}

static bool shrink(PGconn *template, int64_t rows, struct text *error)
{
    return run_with_number(template, "DELETE FROM products WHERE id > $1", rows, error) &&
           run(template, "VACUUM (FULL, ANALYZE) products", error);
}

bool managed_sql_fill(const char *socket_folder, int64_t rows, struct text *error)
{
    int64_t now;
    PGconn *template = open_database(socket_folder, TEMPLATE, OWNER, error);
    bool good = template && ask_number(template, "SELECT max(id) FROM products", &now, error);
    if (good && now != rows)
        good = (now < rows ? grow : rows < now / 2 ? remake : shrink)(template, rows, error);
    PQfinish(template);
    return good;
}

bool managed_sql_copy(const char *socket_folder, struct text *error)
{
    static const char *const statements[] = {
        "DROP DATABASE IF EXISTS " SHOP " WITH (FORCE)",
        "CREATE DATABASE " SHOP " TEMPLATE " TEMPLATE " OWNER " OWNER " STRATEGY file_copy",
    };
    PGconn *admin = open_database(socket_folder, ADMIN, ADMIN, error);
    bool good = admin && run_all(admin, statements, ARRAY_LEN(statements), error);
    PQfinish(admin);
    /* Read once, so that the first scans of a run are not the ones that fetch it from the disk. */
    PGconn *shop = good ? open_database(socket_folder, SHOP, OWNER, error) : NULL;
    good = shop && run(shop, "SELECT sum(popularity) FROM products", error);
    PQfinish(shop);
    return good;
}

/* Slots that are reserved for superusers are no such limit: a superuser's session takes one of the others' as well. */
bool managed_sql_limit(const char *socket_folder, int connections, struct text *error)
{
    /* ALTER takes no parameters, and no SQL is built here. */
    static const char tell[] = "SELECT set_config('doorbuster.connections', $1, false)";
    static const char alter[] = "DO $$ BEGIN EXECUTE format('ALTER ROLE " OWNER " CONNECTION LIMIT %s', "
                                "current_setting('doorbuster.connections')::int); END $$";
    PGconn *admin = open_database(socket_folder, ADMIN, ADMIN, error);
    bool good = admin && run_with_number(admin, tell, connections, error) && run(admin, alter, error);
    PQfinish(admin);
    return good;
}
