/*
 * redis_store: the cache of a live world is a real Redis. It is a kind like the modelled cache's, which a driver
 * puts into the registry in that one's place; the same messages get the same answers (edges/redis_command.h).
 *
 * Every run has keys of its own, PREFIX:cart:ID and PREFIX:page:ID with a PREFIX like doorbuster:1a2b3c4d, so that
 * runs, and others who use the server, do not meet. The scenario's starting carts are written by redis_store_open; at
 * the end all keys of the run are removed, and if that fails they end with their time to live. keys_max bounds
 * the starting carts alone: what else the server keeps is its own maxmemory's business.
 *
 * One connection (edges/redis_link.h). Every message gets exactly one answer, whatever becomes of it:
 *
 *     bad input             a key, product, quantity or time to live that cannot be, or a cart without room
 *     overloaded            REDIS_COMMANDS_MAX are under way, or the server has no memory left
 *     deadline exceeded     no reply within limit_ms; the command may still come to pass
 *     no peer               nobody is connected, or the connection was lost before the reply
 *     unavailable           the server is loading, busy, or must not write now
 *     failed                any other error, or a reply that is not one to this command
 *
 * While it connects commands wait; while it is away they are answered at once. One thread, one store a process:
 * the world's start looks for the one that is open.
 */
#ifndef EDGES_REDIS_STORE_H
#define EDGES_REDIS_STORE_H

#include "core/actor.h"
#include "edges/redis_link.h"

enum {
    REDIS_COMMANDS_MAX = 1024,
    REDIS_LIMIT_MS = 1000,
    REDIS_OPEN_LIMIT_MS = 1500,
    REDIS_FILL_LIMIT_MS = 3000
};

struct redis_store_options {
    struct ev_loop *loop;
    const char *url; /* edges/redis_url.h; "env": what REDIS_URL says */
    const struct scenario *scenario; /* its starting carts, and their time to live */
    uint64_t seed;
    int64_t limit_ms; /* of a command; 0: REDIS_LIMIT_MS */
    int64_t (*now)(void *owner); /* the world's clock */
    void (*say)(void *owner, const char *line); /* that it went away, that it is back; may be NULL */
    void *owner;
};

struct redis_store_tally {
    uint64_t answers[STATUS_COUNT];
    uint64_t losses; /* how often it went away */
};

struct redis_store;

/* Finds the server, within REDIS_OPEN_LIMIT_MS, and writes the starting carts, within REDIS_FILL_LIMIT_MS. Blocks. NULL:
   `error` is one line. */
struct redis_store *redis_store_open(const struct redis_store_options *options, struct text *error);
/* After the world has gone. NULL passes. */
void redis_store_close(struct redis_store *store);

/* For the registry, in place of the kind with the same `service`. */
const struct actor_kind *redis_store_kind(const struct redis_store *store);
struct redis_store_tally redis_store_tally(const struct redis_store *store);
const char *redis_store_prefix(const struct redis_store *store);
bool redis_store_ready(const struct redis_store *store); /* connected */

/* Whether a server answers there: nothing is written. For before a run. */
bool redis_store_check(const char *url, int64_t limit_ms, struct text *error);

#endif
