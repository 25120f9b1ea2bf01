#include "edges/redis_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { CART, PAGE, TTL_S_MAX = 86400 };

static const char *const folders[] = {":cart:", ":page:"};

/* Adds to a cart, if it has room: one product more or more of one. Answers how many products it holds, -1 where it
   has no room; and whether it was not there before. */
static const char add_to_cart[] = "local held = redis.call('HLEN', KEYS[1])\n"
                                  "local known = redis.call('HEXISTS', KEYS[1], ARGV[1])\n"
                                  "if known == 0 and held >= tonumber(ARGV[4]) then return {-1, 0} end\n"
                                  "redis.call('HINCRBY', KEYS[1], ARGV[1], ARGV[2])\n"
                                  "redis.call('PEXPIRE', KEYS[1], ARGV[3])\n"
                                  "return {held + 1 - known, held == 0 and 1 or 0}";

/* ---- messages to commands ---- */

static void add_bytes(struct redis_command *command, const char *bytes, size_t len)
{
    command->arguments[command->count] = bytes;
    command->lengths[command->count++] = len;
}

static void add_text(struct redis_command *command, const char *text)
{
    add_bytes(command, text, strlen(text));
}

static void add_number(struct redis_command *command, size_t place, int64_t value)
{
    snprintf(command->numbers[place], sizeof command->numbers[place], "%lld", (long long)value);
    add_text(command, command->numbers[place]);
}

static size_t write_key(const struct redis_keys *keys, int folder, struct slice key, char *to)
{
    size_t prefix = strlen(keys->prefix), name = strlen(folders[folder]);
    memcpy(to, keys->prefix, prefix);
    memcpy(to + prefix, folders[folder], name);
    memcpy(to + prefix + name, key.at, key.len);
    return prefix + name + key.len;
}

size_t redis_cart_key(const struct redis_keys *keys, struct slice key,
                      char to[static REDIS_PREFIX_BYTES + REDIS_KEY_BYTES_MAX + 8])
{
    return write_key(keys, CART, key, to);
}

static void add_key(struct redis_command *command, const struct redis_keys *keys, int folder,
                    struct slice key)
{
    add_bytes(command, command->keys[folder], write_key(keys, folder, key, command->keys[folder]));
}

static enum status write_hgetall(struct redis_command *command, const struct redis_keys *keys,
                                 struct slice key, struct cursor *arguments)
{
    (void)arguments;
    add_text(command, "HGETALL");
    add_key(command, keys, CART, key);
    return STATUS_OK;
}

static enum status write_hset(struct redis_command *command, const struct redis_keys *keys, struct slice key,
                              struct cursor *arguments)
{
    int64_t product = cursor_int(arguments), quantity = cursor_int(arguments);
    if (arguments->bad || quantity < 1 || quantity > REDIS_QUANTITY_MAX)
        return STATUS_BAD_INPUT;
    add_text(command, "EVAL");
    add_text(command, add_to_cart);
    add_text(command, "1");
    add_key(command, keys, CART, key);
    add_number(command, 0, product);
    add_number(command, 1, quantity);
    add_number(command, 2, keys->cart_ttl_ms);
    add_text(command, "32");
    return STATUS_OK;
}
_Static_assert(REDIS_CART_PRODUCTS_MAX == 32, "as write_hset says");

static enum status write_del(struct redis_command *command, const struct redis_keys *keys, struct slice key,
                             struct cursor *arguments)
{
    (void)arguments;
    add_text(command, "DEL");
    add_key(command, keys, CART, key);
    add_key(command, keys, PAGE, key);
    return STATUS_OK;
}

static enum status write_get(struct redis_command *command, const struct redis_keys *keys, struct slice key,
                             struct cursor *arguments)
{
    (void)arguments;
    add_text(command, "GET");
    add_key(command, keys, PAGE, key);
    return STATUS_OK;
}

static enum status write_setex(struct redis_command *command, const struct redis_keys *keys, struct slice key,
                               struct cursor *arguments)
{
    int64_t ttl_s = cursor_int(arguments);
    struct slice value = cursor_raw(arguments);
    if (arguments->bad || ttl_s < 1 || ttl_s > TTL_S_MAX)
        return STATUS_BAD_INPUT;
    add_text(command, "SETEX");
    add_key(command, keys, PAGE, key);
    add_number(command, 0, ttl_s);
    add_bytes(command, value.at, value.len);
    return STATUS_OK;
}

/* ---- replies to answers ---- */

static bool reply_number(const redisReply *reply, int64_t *value)
{
    char *end;
    if (reply->type != REDIS_REPLY_STRING || !reply->len)
        return false;
    bool digit = reply->str[0] >= '0' && reply->str[0] <= '9';
    if (!digit && reply->str[0] != '-')
        return false;
    errno = 0;
    *value = strtoll(reply->str, &end, 10);
    return !errno && end == reply->str + reply->len;
}

static enum status read_hgetall(const redisReply *reply, struct pack *answer, struct store_stats *stats)
{
    (void)stats;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements % 2 ||
        reply->elements > 2 * REDIS_CART_PRODUCTS_MAX)
        return STATUS_FAILED;
    pack_array(answer, (uint32_t)reply->elements / 2);
    for (size_t i = 0; i < reply->elements; i += 2) {
        int64_t product, quantity;
        if (!reply_number(reply->element[i], &product) || !reply_number(reply->element[i + 1], &quantity))
            return STATUS_FAILED;
        pack_array(answer, 2);
        pack_int(answer, product);
        pack_int(answer, quantity);
    }
    return STATUS_OK;
}

static enum status read_hset(const redisReply *reply, struct pack *answer, struct store_stats *stats)
{
    (void)stats;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
        return STATUS_FAILED;
    const redisReply *items = reply->element[0], *is_new = reply->element[1];
    if (items->type != REDIS_REPLY_INTEGER || is_new->type != REDIS_REPLY_INTEGER)
        return STATUS_FAILED;
    if (items->integer == -1)
        return STATUS_BAD_INPUT;
    if (items->integer < 1 || items->integer > REDIS_CART_PRODUCTS_MAX)
        return STATUS_FAILED;
    pack_array(answer, 2);
    pack_int(answer, items->integer);
    pack_bool(answer, is_new->integer != 0);
    return STATUS_OK;
}

static enum status read_del(const redisReply *reply, struct pack *answer, struct store_stats *stats)
{
    (void)stats;
    if (reply->type != REDIS_REPLY_INTEGER)
        return STATUS_FAILED;
    pack_array(answer, 1);
    pack_int(answer, reply->integer > 0);
    return STATUS_OK;
}

/* Exactly one value of msgpack, or nothing that a caller could read. */
static enum status read_get(const redisReply *reply, struct pack *answer, struct store_stats *stats)
{
    bool hit = reply->type == REDIS_REPLY_STRING;
    if (!hit && reply->type != REDIS_REPLY_NIL)
        return STATUS_FAILED;
    if (hit) {
        struct cursor value = {.at = (const unsigned char *)reply->str};
        value.end = value.at + reply->len;
        cursor_skip(&value);
        if (value.bad || value.at != value.end || reply->len > BODY_BYTES_MAX)
            return STATUS_FAILED;
        pack_raw(answer, reply->str, reply->len);
    } else {
        pack_nil(answer);
    }
    if (stats) {
        stats->cache_hits += hit;
        stats->cache_misses += !hit;
    }
    return STATUS_OK;
}

static enum status read_setex(const redisReply *reply, struct pack *answer, struct store_stats *stats)
{
    (void)stats;
    if (reply->type != REDIS_REPLY_STATUS || strcmp(reply->str, "OK") != 0)
        return STATUS_FAILED;
    pack_array(answer, 0);
    return STATUS_OK;
}

/* ---- both, by route ---- */

const struct route redis_command_routes[] = {{.name = "HGETALL"}, {.name = "HSET"},  {.name = "DEL"},
                                             {.name = "GET"},     {.name = "SETEX"}, {.name = NULL}};

static const struct {
    enum status (*write)(struct redis_command *, const struct redis_keys *, struct slice, struct cursor *);
    enum status (*read)(const redisReply *, struct pack *, struct store_stats *);
} commands[] = {{write_hgetall, read_hgetall},
                {write_hset, read_hset},
                {write_del, read_del},
                {write_get, read_get},
                {write_setex, read_setex}};
_Static_assert(ARRAY_LEN(redis_command_routes) == ARRAY_LEN(commands) + 1, "a name a command");

size_t redis_command_count(void)
{
    return ARRAY_LEN(commands);
}

enum status redis_command_write(struct redis_command *command, const struct redis_keys *keys, size_t route,
                                const struct body *body)
{
    struct cursor cursor = cursor_of(body);
    cursor_array(&cursor);
    struct slice key = cursor_text(&cursor);
    command->count = 0;
    if (cursor.bad || !key.len || key.len > REDIS_KEY_BYTES_MAX)
        return STATUS_BAD_INPUT;
    return commands[route].write(command, keys, key, &cursor);
}

enum status redis_error_status(const char *error)
{
    static const struct {
        const char *code;
        enum status status;
    } codes[] = {{"OOM ", STATUS_OVERLOADED},         {"LOADING ", STATUS_UNAVAILABLE},
                 {"BUSY ", STATUS_UNAVAILABLE},       {"READONLY ", STATUS_UNAVAILABLE},
                 {"MASTERDOWN ", STATUS_UNAVAILABLE}, {"MISCONF ", STATUS_UNAVAILABLE},
                 {"NOREPLICAS ", STATUS_UNAVAILABLE}, {"TRYAGAIN ", STATUS_UNAVAILABLE}};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (strncmp(error, codes[i].code, strlen(codes[i].code)) == 0)
            return codes[i].status;
    return STATUS_FAILED;
}

enum status redis_command_read(size_t route, const redisReply *reply, struct pack *answer,
                               struct store_stats *stats)
{
    if (reply->type == REDIS_REPLY_ERROR)
        return redis_error_status(reply->str);
    return commands[route].read(reply, answer, stats);
}
