/*
 * managed: servers of our own - a PostgreSQL and a Redis that doorbuster starts, fills and takes down again.
 *
 * Each lives in a folder of the user's cache (managed_folder.h), listens on a Unix socket alone, and serves one
 * doorbuster at a time: a second one is refused. What an earlier doorbuster left behind when it was killed is ended
 * first. Starting blocks: some seconds the first time, when the rows are made, and one or two from then on, when the
 * database is copied from a template of those rows. Progress is told on stderr; errors are one line without its end.
 * Owner: whoever declares the struct; each start that succeeded wants its stop, one that failed has left nothing.
 */
#ifndef EDGES_MANAGED_H
#define EDGES_MANAGED_H

#include "edges/managed_process.h"

enum {
    MANAGED_CONNECTIONS_MAX = 2000,
    MANAGED_CONNECTIONS_OURS = 3, /* beside those, for administration alone */
    MANAGED_ROWS_MIN = 1600,
    MANAGED_ROWS_MAX = 10 * 1000 * 1000,
    MANAGED_ARGUMENTS_MAX = 64
};

struct managed_options {
    const char *cache; /* instead of the environment's; NULL: that */
    int max_connections; /* that the shop can have; PostgreSQL */
    int64_t rows; /* of the products table; PostgreSQL */
    bool keep; /* take the database as the last run left it, if there is one; PostgreSQL */
    bool quiet; /* no progress on stderr */
};

/* A server's process and what it takes to start it again. */
struct managed_server {
    struct managed_folder folder;
    struct managed_user user;
    char socket_folder[MANAGED_PATH_MAX];
    struct text arguments; /* NUL after each */
    int end_signal;
    pid_t pid; /* 0: not running */
    int64_t started_ms;
};

struct managed_postgres {
    struct managed_server server;
    struct text conninfo; /* for libpq: database ecommerce as its owner, ecommerce_user; NUL-terminated */
    struct text admin_conninfo; /* the same database as superuser */
    int version; /* 15 */
    struct managed_options options;
};

struct managed_redis {
    struct managed_server server;
    char socket[MANAGED_PATH_MAX];
};

bool managed_postgres_start(struct managed_postgres *postgres, const struct managed_options *options,
                            struct text *error);
void managed_postgres_stop(struct managed_postgres *postgres);
/* The database as it is at start, with this many rows: no orders, every index of a healthy shop. Connections to it are
   cut. False: explained, the database may be gone. */
bool managed_postgres_renew(struct managed_postgres *postgres, int64_t rows, struct text *error);

bool managed_redis_start(struct managed_redis *redis, const struct managed_options *options,
                         struct text *error);
void managed_redis_stop(struct managed_redis *redis);

/* For a timer: starts the server again if it has died, and does not wait until it is ready. True: it has just done so;
   one that dies at once is tried again at a later call. */
bool managed_server_revive(struct managed_server *server);

/* Removes what the servers of `cache` keep, and says on `told` what was removed or why not, a line each. False: a
   server is in use, or something could not be removed. */
bool managed_clean(const char *cache, struct text *told);

/* ---- For the servers ---- */

/* Its folder, opened; stale ones ended; a folder for the socket. */
bool managed_server_open(struct managed_server *server, const struct managed_options *options,
                         const char *name, const char *const *users, struct text *error);
void managed_server_argue(struct managed_server *server, const char *argument);
bool managed_server_start(struct managed_server *server, struct text *error);
/* It died, or did not begin to serve: with what it said last. Always false. */
bool managed_server_fails(struct managed_server *server, const char *what, struct text *error);
void managed_server_stop(struct managed_server *server);
__attribute__((format(printf, 2, 3))) void managed_tell(const struct managed_options *options,
                                                        const char *format, ...);

#endif
