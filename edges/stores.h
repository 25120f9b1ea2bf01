/*
 * stores: which database and which cache a live run has - the models, servers of our own (edges/managed.h), or
 * somebody's at a URL - and the registry that goes with them.
 *
 * Opening blocks: PG_OPEN_LIMIT_S and REDIS_OPEN_LIMIT_MS where nobody answers, some seconds where a managed server is
 * filled for the first time. Real stores keep real time, so the world must too.
 */
#ifndef EDGES_STORES_H
#define EDGES_STORES_H

#include "core/world.h"
#include "edges/managed.h"

struct ev_loop;
struct pg_store;
struct redis_store;

struct stores_options {
    struct ev_loop *loop;
    /* "model" or NULL; "managed"; "env", by libpq's PG... variables and by REDIS_URL; or where it is. */
    const char *postgresql, *redis;
    bool yes, quiet;
    const struct scenario *scenario;
    const struct registry *registry;
    uint64_t seed;
    int64_t from_ns;
    int64_t (*now)(void *owner); /* on the world's clock; asked from the world's start on */
    void *owner;
};

struct stores {
    struct stores_options options;
    struct managed_postgres managed_postgres;
    struct managed_redis managed_redis;
    bool has_postgres, has_redis; /* of those: started */
    struct pg_store *pg;
    struct redis_store *redis;
    struct registry registry;
};

/* Whether anything but the models is wanted. */
bool stores_real(const struct stores_options *options);

/* False: told on stderr, a line for each that was tried, and nothing is open. `stores` stays put. */
bool stores_open(struct stores *stores, const struct stores_options *options);
/* Now and then, while it runs: starts a managed server again that has died. */
void stores_watch(struct stores *stores);
void stores_finish(struct stores *stores); /* before world_finish */
void stores_close(struct stores *stores); /* after world_free; twice does nothing more */

#endif
