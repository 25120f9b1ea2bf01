/*
 * pg_server: a PostgreSQL of a test's own, in a folder that goes when the test does.
 *
 * It listens on a socket in that folder alone, and writes nothing through to disk. As root it runs as the user
 * postgres. It dies with the test's process.
 */
#ifndef TESTS_CONTRACT_PG_SERVER_H
#define TESTS_CONTRACT_PG_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct pg_server {
    char folder[64], bin[256], conninfo[128];
    pid_t pid; /* 0: not running */
};

/* Makes it, with the shop's schema and so many products. False: there are no binaries of PostgreSQL here. */
bool pg_server_make(struct pg_server *server, int64_t rows);
void pg_server_start(struct pg_server *server); /* and waits until it answers */
/* All its processes stand still, or go on. */
void pg_server_freeze(const struct pg_server *server, bool frozen);
/* All at once, with no chance to say anything. */
void pg_server_kill(struct pg_server *server);
void pg_server_remove(struct pg_server *server);

/* Another program, as the server's user, that dies with the test's process as well. */
pid_t pg_server_begin(const struct pg_server *server, const char *path, const char *const *arguments);

/* Carries out constant SQL; the number that it answers with, 0 where it has no rows. */
int64_t pg_server_do(const struct pg_server *server, const char *sql);

#endif
