/*
 * redis_link: one connection to a Redis on a libev loop, made anew whenever it is lost.
 *
 * It is CONNECTING until the server has let us in (AUTH, SELECT) and answered a PING, then READY until the connection
 * ends; then it is DOWN for 50 ms at first and at most 800 ms, jittered, and tries again. Commands are sent while it
 * is READY and answered in their order: each that redis_link_send took is told to `reply` exactly once, with NULL when the
 * connection has gone. A server that is connected and says nothing for REDIS_SILENT_MS while it owes answers has gone too,
 * as has one that says more than any command of ours is answered with (edges/redis_bound.h).
 *
 * `reply` and `state` are called from the loop, and from redis_link_close; never from redis_link_send. One thread.
 * Source: hiredis 0.14.1, async.h and adapters/libev.h.
 */
#ifndef EDGES_REDIS_LINK_H
#define EDGES_REDIS_LINK_H

#include "edges/redis_url.h"

#include <ev.h>
#include <hiredis/async.h>

enum {
    REDIS_HANDSHAKE_MS = 1000,
    REDIS_SILENT_MS = 2000,
    REDIS_BACKOFF_FIRST_MS = 50,
    REDIS_BACKOFF_MOST_MS = 800
};

enum redis_link_state { REDIS_LINK_DOWN, REDIS_LINK_CONNECTING, REDIS_LINK_READY };

struct redis_link_options {
    struct ev_loop *loop;
    const struct redis_url *url; /* its host a number; the link's owner keeps it */
    uint64_t seed; /* of the jitter */
    void (*reply)(void *owner, void *token, const redisReply *reply);
    /* It has changed; `why`: one line, for DOWN. */
    void (*state)(void *owner, enum redis_link_state state, const char *why);
    void *owner;
};

struct redis_link;

/* Begins to connect, in the loop's next iteration. */
struct redis_link *redis_link_open(const struct redis_link_options *options);
void redis_link_close(struct redis_link *link);

enum redis_link_state redis_link_state(const struct redis_link *link);
/* A command as redisFormatCommandArgv makes it, copied. False: it is not READY, or is just about to go. */
bool redis_link_send(struct redis_link *link, void *token, const char *bytes, size_t len);

#endif
