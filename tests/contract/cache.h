/*
 * cache: a toy world of one cache, the model in virtual time or a real Redis against the clock, asked in the same way.
 */
#ifndef TESTS_CONTRACT_CACHE_H
#define TESTS_CONTRACT_CACHE_H

#include "edges/redis_store.h"
#include "tests/contract/real_time.h"
#include "tests/contract/redis_server.h"

enum { HGETALL, HSET, DEL, GET, SETEX, CACHE_COMMANDS };

struct cache {
    struct toy toy;
    struct real_time real;
    struct redis_server *server; /* NULL: the model */
    struct redis_store *store;
    const char *url; /* other than the server's own; NULL: that */
    int64_t limit_ms; /* of a command; 0: the store's own */
    char said[8][256]; /* by the store */
    size_t said_count;
};

/* With a scenario to be filled in; `server` runs already. */
void cache_begin(struct cache *cache, struct redis_server *server);
void cache_open(struct cache *cache, uint64_t seed);
void cache_end(struct cache *cache); /* answers what is under way first */

/* Asks without waiting; `json` as shop_pack takes it. Its token. */
uint64_t cache_send(struct cache *cache, size_t command, const char *json);
uint64_t cache_send_bytes(struct cache *cache, size_t command, const void *bytes, size_t len);
const struct toy_answer *cache_wait(struct cache *cache, uint64_t token);
/* Asks and waits. */
const struct toy_answer *cache_ask(struct cache *cache, size_t command, const char *json);
enum status cache_status(struct cache *cache, size_t command, const char *json);
/* Asks and compares; NULL: the answer has no body. */
void cache_expect(struct cache *cache, size_t command, const char *json, enum status status,
                  const char *answer);
void cache_pass(struct cache *cache, int64_t ns);
/* Until the store is connected; false: not within the limit. */
bool cache_ready(struct cache *cache, int64_t limit_ns);

#endif
