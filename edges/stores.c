#include "edges/stores.h"

#include "edges/managed_sql.h"
#include "edges/pg_calibration.h"
#include "edges/pg_store.h"
#include "edges/redis_store.h"

#include <stdio.h>
#include <stdlib.h>

static bool is(const char *where, const char *word)
{
    return where && strcmp(where, word) == 0;
}

static bool is_real(const char *where)
{
    return where && !is(where, "model");
}

static bool is_managed(const char *where)
{
    return is(where, "managed");
}

bool stores_real(const struct stores_options *options)
{
    return is_real(options->postgresql) || is_real(options->redis);
}

static bool fail(struct text *error)
{
    fprintf(stderr, "doorbuster: %s\n", text_c(error));
    text_fini(error);
    return false;
}

static double rows_at_start(const struct stores_options *options)
{
    return curve_at(&options->scenario->postgresql.products, MAX(options->from_ns - NS_PER_MIN, 0));
}

static bool resize(void *owner, int64_t rows, struct text *error)
{
    return managed_postgres_renew(owner, MIN(MAX(rows, MANAGED_ROWS_MIN), MANAGED_ROWS_MAX), error);
}

/* Measured in whatever the last run left, whose rows are most likely those of this one; then made anew. */
static double calibrate(struct stores *stores, const struct pg_scan *scan, struct text *error)
{
    struct managed_postgres *managed = &stores->managed_postgres;
    struct pg_fit_options fit = {.conninfo = text_c(&managed->admin_conninfo),
                                 .scan = scan,
                                 .rows = rows_at_start(&stores->options),
                                 .resize = resize,
                                 .owner = managed,
                                 .quiet = stores->options.quiet};
    bool shop;
    int64_t rows;
    return managed_sql_look(managed->server.socket_folder, &shop, &rows, error) ? pg_fit(&fit, rows, error)
                                                                                : 0;
}

/* False: explained. */
static bool start_managed(struct stores *stores, struct pg_store_options *pg, struct text *error)
{
    const struct stores_options *options = &stores->options;
    struct managed_postgres *managed = &stores->managed_postgres;
    struct managed_options wanted = {.max_connections = options->scenario->postgresql.max_connections,
                                     .rows = MAX((int64_t)rows_at_start(options), MANAGED_ROWS_MIN),
                                     .keep = pg->scan,
                                     .quiet = options->quiet};
    if (!managed_postgres_start(managed, &wanted, error))
        return false;
    stores->has_postgres = true;
    pg->rows_factor = pg->scan ? calibrate(stores, pg->scan, error) : 1;
    pg->scan = NULL; /* done */
    pg->conninfo = text_c(&managed->conninfo);
    pg->admin_conninfo = text_c(&managed->admin_conninfo);
    return pg->rows_factor > 0;
}

static bool open_postgresql(struct stores *stores)
{
    const struct stores_options *options = &stores->options;
    bool managed = is_managed(options->postgresql);
    struct pg_scan scan;
    struct pg_store_options pg = {.loop = options->loop,
                                  .conninfo = is(options->postgresql, "env") ? "" : options->postgresql,
                                  .registry = options->registry,
                                  .scenario = options->scenario,
                                  .from_ns = MAX(options->from_ns - NS_PER_MIN, 0),
                                  .own = managed,
                                  .yes = options->yes,
                                  .quiet = options->quiet,
                                  .now = options->now,
                                  .owner = options->owner};
    struct text error = {0};
    if (pg_scan_choose(&scan, options->registry, options->scenario))
        pg.scan = &scan;
    if (managed && !start_managed(stores, &pg, &error))
        return fail(&error);
    stores->pg = pg_store_open(&pg, &error);
    return stores->pg || fail(&error);
}

static void say(void *owner, const char *line)
{
    (void)owner;
    fprintf(stderr, "doorbuster: %s\n", line);
}

static bool open_redis(struct stores *stores)
{
    const struct stores_options *options = &stores->options;
    struct text error = {0}, url = {0};
    if (is_managed(options->redis)) {
        struct managed_options wanted = {.quiet = options->quiet};
        if (!managed_redis_start(&stores->managed_redis, &wanted, &error))
            return fail(&error);
        stores->has_redis = true;
        text_lit(&url, "unix://");
        text_str(&url, stores->managed_redis.socket);
    } else {
        text_str(&url, options->redis);
    }
    stores->redis = redis_store_open(&(struct redis_store_options){.loop = options->loop,
                                                                   .url = text_c(&url),
                                                                   .scenario = options->scenario,
                                                                   .seed = options->seed,
                                                                   .now = options->now,
                                                                   .say = say,
                                                                   .owner = options->owner},
                                     &error);
    text_fini(&url);
    return stores->redis || fail(&error);
}

/* As it was, but with the real stores in the place of the models of those names. */
static void make_registry(struct stores *stores)
{
    const struct registry *from = stores->options.registry;
    const struct actor_kind **kinds = base_alloc(from->kind_count, sizeof(const struct actor_kind *));
    const struct actor_kind *real[] = {stores->pg ? pg_store_kind(stores->pg) : NULL,
                                       stores->redis ? redis_store_kind(stores->redis) : NULL};
    for (size_t i = 0; i < from->kind_count; i++) {
        kinds[i] = from->kinds[i];
        for (size_t r = 0; r < ARRAY_LEN(real); r++)
            if (real[r] && strcmp(real[r]->service, kinds[i]->service) == 0)
                kinds[i] = real[r];
    }
    stores->registry = *from;
    stores->registry.kinds = kinds;
}

bool stores_open(struct stores *stores, const struct stores_options *options)
{
    *stores = (struct stores){.options = *options};
    bool pg = !is_real(options->postgresql) || open_postgresql(stores);
    bool redis = !is_real(options->redis) || open_redis(stores);
    if (pg && redis) {
        make_registry(stores);
        return true;
    }
    stores_close(stores);
    return false;
}

void stores_watch(struct stores *stores)
{
    if (stores->has_postgres)
        managed_server_revive(&stores->managed_postgres.server);
    if (stores->has_redis)
        managed_server_revive(&stores->managed_redis.server);
}

void stores_finish(struct stores *stores)
{
    if (stores->pg)
        pg_store_finish(stores->pg);
}

void stores_close(struct stores *stores)
{
    pg_store_close(stores->pg);
    if (stores->redis)
        redis_store_close(stores->redis);
    if (stores->has_postgres)
        managed_postgres_stop(&stores->managed_postgres);
    if (stores->has_redis)
        managed_redis_stop(&stores->managed_redis);
    free((void *)stores->registry.kinds);
    *stores = (struct stores){0};
}
