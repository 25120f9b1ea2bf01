/*
 * redis_command: the cache's commands as Redis understands them, and what its replies mean. No connection in here.
 *
 * Messages and answers are those of the modelled cache (route order: HGETALL, HSET, DEL, GET, SETEX):
 *
 *     HGETALL  [cart]                     -> [[product, quantity]...]
 *     HSET     [cart, product, quantity]  -> [products in the cart, whether it is new]; BAD_INPUT: it has no room
 *     DEL      [key]                      -> [1 or 0]
 *     GET      [key]                      -> the value, or nil
 *     SETEX    [key, seconds, value]      -> []
 *
 * A cart is a hash PREFIX:cart:KEY of product to quantity, with the time to live of its last change; a page is a string
 * PREFIX:page:KEY, the value's msgpack. HSET is one small script, so that its bound holds whoever else writes. A hash
 * of at most 32 fields keeps its order as long as the server's hash-max-listpack-entries is not below that.
 *
 * A reply is believed only if it is what that command can answer: else STATUS_FAILED. Bounds: keys of 1 to 64 bytes of
 * any kind, values of at most BODY_BYTES_MAX.
 */
#ifndef EDGES_REDIS_COMMAND_H
#define EDGES_REDIS_COMMAND_H

#include "core/actor.h"

#include <hiredis/hiredis.h>

enum {
    REDIS_KEY_BYTES_MAX = 64,
    REDIS_PREFIX_BYTES = 32, /* with its end */
    REDIS_CART_PRODUCTS_MAX = 32,
    REDIS_QUANTITY_MAX = 1000000, /* added at once */
    REDIS_ARGUMENTS_MAX = 8
};

struct redis_keys {
    char prefix[REDIS_PREFIX_BYTES];
    int64_t cart_ttl_ms;
};

/* Arguments point into themselves, and into the body that they were made from. */
struct redis_command {
    int count;
    const char *arguments[REDIS_ARGUMENTS_MAX];
    size_t lengths[REDIS_ARGUMENTS_MAX];
    char keys[2][REDIS_PREFIX_BYTES + REDIS_KEY_BYTES_MAX + 8];
    char numbers[3][24];
};

/* As a kind's. */
extern const struct route redis_command_routes[];
size_t redis_command_count(void);

/* STATUS_OK, or STATUS_BAD_INPUT. `route` is below the count. */
enum status redis_command_write(struct redis_command *command, const struct redis_keys *keys, size_t route,
                                const struct body *body);

/* The answer to a message of that route. `stats` may be NULL. */
enum status redis_command_read(size_t route, const redisReply *reply, struct pack *answer,
                               struct store_stats *stats);

/* What an error reply ("OOM command not allowed...") comes to. */
enum status redis_error_status(const char *error);

/* PREFIX:cart:KEY; its length. */
size_t redis_cart_key(const struct redis_keys *keys, struct slice key,
                      char to[static REDIS_PREFIX_BYTES + REDIS_KEY_BYTES_MAX + 8]);

#endif
