/*
 * rpc_connection: one TCP connection that carries MessagePack-RPC messages (edges/rpc_frame.h), on a libev loop.
 *
 * Never blocks. What cannot be written at once waits, at most RPC_WAITING_BYTES_MAX; beyond that rpc_connection_send refuses.
 * Each side says "ping" every RPC_PING_MS. Who has heard nothing for RPC_SILENT_MS closes, so that a cut cable is found
 * out although TCP would wait for minutes; so does who gets what is no message.
 *
 * `message` and `closed` are called from the loop alone. The owner may close the connection, and free itself, within them;
 * after `closed` the connection is gone. Frames point into the connection's buffer, for the call. One thread.
 */
#ifndef EDGES_RPC_CONNECTION_H
#define EDGES_RPC_CONNECTION_H

#include "edges/rpc_frame.h"

struct ev_loop;
struct rpc_connection;

enum {
    RPC_WAITING_BYTES_MAX = 4 * 1024 * 1024,
    RPC_PING_MS = 500,
    RPC_SILENT_MS = 2000,
    RPC_CONNECT_MS = 500
};

struct rpc_owner {
    void (*opened)(void *owner); /* of one that connects: it has; may be NULL */
    void (*message)(void *owner, const struct rpc_frame *frame);
    void (*closed)(void *owner, const char *why); /* not by rpc_connection_close */
    void *owner;
};

/* Takes the descriptor over: a TCP socket, non-blocking. `connecting`: connect() is under way; it has RPC_CONNECT_MS. */
struct rpc_connection *rpc_connection_open(struct ev_loop *loop, int fd, bool connecting,
                                           const struct rpc_owner *owner);
/* From the next message on it is told to somebody else; also within a call of `message`. */
void rpc_connection_adopt(struct rpc_connection *connection, const struct rpc_owner *owner);
/* NULL passes. What waits is written as far as the socket takes it at once. */
void rpc_connection_close(struct rpc_connection *connection);

/* A whole message. False, and nothing sent: it overflowed, too much waits, or the connection is about to be closed. */
bool rpc_connection_send(struct rpc_connection *connection, const struct pack *message);
bool rpc_connection_broken(const struct rpc_connection *connection); /* it will be closed, by the loop */
size_t rpc_connection_waiting(const struct rpc_connection *connection); /* bytes */

#endif
