/*
 * redis_server: a Redis of the test's own, in a folder of its own, on a unix socket, that keeps nothing.
 */
#ifndef TESTS_CONTRACT_REDIS_SERVER_H
#define TESTS_CONTRACT_REDIS_SERVER_H

#include "core/base.h"

#include <hiredis/hiredis.h>
#include <sys/types.h>

struct redis_server {
    char folder[64], socket[96], url[128];
    const char *password; /* NULL: none */
    pid_t pid;
};

/* False: there is no redis-server here; the test is then skipped by name. */
bool redis_server_there(void);
/* Returns when it answers. `server` is zeroed or was stopped; fails the test otherwise. */
void redis_server_start(struct redis_server *server);
void redis_server_signal(const struct redis_server *server, int signal);
void redis_server_kill(struct redis_server *server); /* -9; its folder stays */
void redis_server_end(struct redis_server *server);

/* A connection of the test's own, past everything that is tested. */
redisContext *redis_server_dial(const struct redis_server *server);
/* A command as printf writes it; its answer as a number, the length of a text, or the number of items; -1: an error. */
long long redis_server_ask(redisContext *redis, const char *format, ...);

#endif
