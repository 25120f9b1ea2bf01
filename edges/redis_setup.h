/*
 * redis_setup: what is done with a Redis before and after a run, and may wait for it: finding it, the carts that are
 * there at the start, and removing what a run has left.
 *
 * All calls block, none for much longer than `limit_ms`. Errors are one line: what was tried and what came of it, never
 * a password.
 */
#ifndef EDGES_REDIS_SETUP_H
#define EDGES_REDIS_SETUP_H

#include "core/scenario.h"
#include "edges/redis_command.h"
#include "edges/redis_url.h"

/* A server is there, lets us in and answers. `url`: its host becomes the number of the address that answered. */
bool redis_setup_find(struct redis_url *url, int64_t limit_ms, struct text *error);

/* Writes the scenario's starting carts. What the server can hold (maxmemory) is the server's business: one that is full
   is an error here. */
bool redis_setup_fill(const struct redis_url *url, const struct redis_keys *keys,
                      const struct scenario *scenario, uint64_t seed, int64_t limit_ms, struct text *error);

/* Removes every key with this prefix, as far as the time goes; the rest ends with its time to live. */
void redis_setup_sweep(const struct redis_url *url, const struct redis_keys *keys, int64_t limit_ms);

#endif
