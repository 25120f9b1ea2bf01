/*
 * redis_bound: what is taken in of what a server says. hiredis has room for whatever is claimed, waits for ends that may
 * never come, and aborts at a reply that nobody asked for. With this a list of over REDIS_REPLY_ITEMS_MAX, and a reply
 * that nobody asked for, end the connection as if there were no memory for them.
 *
 * Source: hiredis 0.14.1, read.h and redisProcessCallbacks of async.c.
 */
#ifndef EDGES_REDIS_BOUND_H
#define EDGES_REDIS_BOUND_H

#include <hiredis/async.h>
#include <stdbool.h>

enum { REDIS_REPLY_ITEMS_MAX = 1024, REDIS_REPLY_BYTES_MAX = 1024 * 1024 };

/* For each new connection; `asker` whose replies they are, NULL for a connection that waits for each. */
void redis_bound(redisReader *reader, const redisAsyncContext *asker);
/* To be asked after each read: more than REDIS_REPLY_BYTES_MAX have come, and no end of the reply. */
bool redis_bound_passed(const redisReader *reader);

#endif
