/*
 * pg_connection: one connection to PostgreSQL on a libev loop that never waits for it.
 *
 * It does one thing at a time: prepares a statement, runs one, asks a question. Each is followed by one `done` with
 * its last result, whatever that is, or by one `lost`. A connection that could not be made or that broke says `lost`
 * and tries again by itself: after 50 to 100 ms, then twice as long each time up to a second, so that all are back
 * within two of the server's return; `ready` follows when it succeeds. All of these come from the loop, never from
 * within a call of this module, and all of its calls may be made from within them.
 *
 * An attempt may take PG_CONNECT_LIMIT_S, one thing `answer_limit_s`, which is for servers that have fallen silent.
 * libpq would look a host name up and block: give the address beside it.
 *
 * Sessions are set so that a statement costs what the model says it does: planned for its own parameters, on one core,
 * not compiled. Nothing is written by libpq to stderr.
 *
 * Source: PostgreSQL 15, chapter 34 "libpq", sections 34.1 and 34.4.
 */
#ifndef EDGES_PG_CONNECTION_H
#define EDGES_PG_CONNECTION_H

#include "core/base.h"
#include "core/status.h"

#include <libpq-fe.h>

enum { PG_CONNECT_LIMIT_S = 2, PG_ANSWER_LIMIT_S = 60 };

struct ev_loop;
struct pg_connection;

/* A host's name and its numeric addresses, to be tried one after the other: as libpq writes several, with commas and
   the name as often as there are addresses. */
struct pg_address {
    const char *hosts, *addresses;
};

struct pg_connection_options {
    struct ev_loop *loop;
    const char *conninfo; /* or a URL */
    const struct pg_address *address; /* NULL: the host in there is no name */
    const char *application; /* application_name; copied */
    int64_t lock_timeout_ns; /* 0: none */
    int answer_limit_s; /* 0: PG_ANSWER_LIMIT_S */
    void *owner;
    void (*ready)(void *owner);
    void (*done)(void *owner, const PGresult *result);
    /* `why` has no newline at its end. */
    void (*lost)(void *owner, enum status status, const char *why);
};

/* Begins to connect. */
struct pg_connection *pg_connection_open(const struct pg_connection_options *options);
/* What is under way is not answered any more. */
void pg_connection_close(struct pg_connection *connection);

/* There, and nothing under way: it may be given something to do. */
bool pg_connection_idle(const struct pg_connection *connection);
/* The server's process; of an idle or busy one. */
int pg_connection_pid(const struct pg_connection *connection);

void pg_connection_prepare(struct pg_connection *connection, const char *name, const char *sql, int count,
                           const Oid *types);
void pg_connection_run(struct pg_connection *connection, const char *name, int count,
                       const char *const *values);
void pg_connection_ask(struct pg_connection *connection, const char *sql, int count, const Oid *types,
                       const char *const *values);

/* For who connects without a loop: the same keywords, and a session set the same way. The connection may have failed:
   see PQstatus. The caller's, to PQfinish. Blocks for at most `limit_s` (at least 2) an address. */
PGconn *pg_connect_blocking(const char *conninfo, const struct pg_address *address, const char *application,
                            int limit_s, int64_t statement_timeout_ns);
/* libpq's message, without the newline it ends with; valid until the next call. */
const char *pg_message(const PGconn *connection);

#endif
