#include "edges/redis_setup.h"

#include "core/starting_cart.h"
#include "edges/redis_bound.h"
#include "edges/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH_CARTS = 500, SWEEP_AT_ONCE = 200 };

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / NS_PER_MS;
}

static struct timeval interval(int64_t ms)
{
    ms = MAX(ms, 1); /* 0 would be no limit */
    return (struct timeval){ms / 1000, ms % 1000 * 1000};
}

/* A connection, and until when all is to be done with it. */
struct dialled {
    redisContext *redis;
    int64_t until_ms;
};

static void explain(const redisContext *redis, struct text *error)
{
    if (redis->err == REDIS_ERR_IO && (errno == EAGAIN || errno == ETIMEDOUT))
        text_lit(error, "no answer in time");
    else
        text_str(error, redis->err ? redis->errstr : "no answer in time");
}

/* The next reply; NULL: explained. In place of redisGetReply, which reads for as long as something comes. */
static redisReply *next_reply(const struct dialled *dialled, struct text *error)
{
    redisContext *redis = dialled->redis;
    void *reply = NULL;
    int written = 0;
    bool well = true;
    while (well && !written)
        well = redisBufferWrite(redis, &written) == REDIS_OK;
    while (well && !reply) {
        well = redisGetReplyFromReader(redis, &reply) == REDIS_OK;
        if (well && !reply)
            well = now_ms() < dialled->until_ms && !redis_bound_passed(redis->reader) &&
                   redisBufferRead(redis) == REDIS_OK;
    }
    if (!well)
        explain(redis, error);
    return reply;
}

/* The answer to a command that must succeed; NULL: explained. */
static redisReply *ask(const struct dialled *dialled, int count, const char **arguments, struct text *error)
{
    redisAppendCommandArgv(dialled->redis, count, arguments, NULL);
    redisReply *reply = next_reply(dialled, error);
    if (reply && reply->type == REDIS_REPLY_ERROR) {
        text_str(error, reply->str);
        freeReplyObject(reply);
        reply = NULL;
    }
    return reply;
}

static bool told(const struct dialled *redis, int count, const char **arguments, struct text *error)
{
    redisReply *reply = ask(redis, count, arguments, error);
    freeReplyObject(reply);
    return reply != NULL;
}

static bool greet(const struct dialled *redis, const struct redis_url *url, struct text *error)
{
    char number[16];
    snprintf(number, sizeof number, "%d", url->database);
    const char *auth[] = {"AUTH", url->user, url->password}, *anyone[] = {"AUTH", url->password};
    const char *select[] = {"SELECT", number}, *ping[] = {"PING"};
    if (url->user[0] && !told(redis, 3, auth, error))
        return false;
    if (!url->user[0] && url->password[0] && !told(redis, 2, anyone, error))
        return false;
    if (url->database && !told(redis, 2, select, error))
        return false;
    redisReply *pong = ask(redis, 1, ping, error);
    bool is_redis = pong && pong->type == REDIS_REPLY_STATUS && strcmp(pong->str, "PONG") == 0;
    if (pong && !is_redis)
        text_lit(error, "what answers there is not Redis");
    freeReplyObject(pong);
    return is_redis;
}

static void hang_up(struct dialled *dialled)
{
    if (dialled->redis)
        redisFree(dialled->redis);
    dialled->redis = NULL;
}

/* Connected and let in; false: explained. */
static bool dial(struct dialled *dialled, const struct redis_url *url, const char *address, int64_t limit_ms,
                 struct text *error)
{
    struct timeval limit = interval(limit_ms);
    errno = 0;
    dialled->until_ms = now_ms() + limit_ms;
    dialled->redis = url->local ? redisConnectUnixWithTimeout(url->path, limit)
                                : redisConnectWithTimeout(address, url->port, limit);
    ASSERT(dialled->redis); /* memory */
    redis_bound(dialled->redis->reader, NULL);
    if (dialled->redis->err || redisSetTimeout(dialled->redis, limit) != REDIS_OK)
        explain(dialled->redis, error);
    else if (greet(dialled, url, error))
        return true;
    hang_up(dialled);
    return false;
}

/* The first address that answers; it takes the name's place. */
static bool dial_any(struct dialled *dialled, struct redis_url *url, int64_t limit_ms, struct text *error)
{
    struct resolved resolved;
    int64_t until_ms = now_ms() + limit_ms;
    if (!resolve_host(&resolved, url->host, limit_ms, error))
        return false;
    for (size_t i = 0; i < resolved.count; i++) {
        int64_t each_ms = (until_ms - now_ms()) / (int64_t)(resolved.count - i);
        error->len = 0;
        if (!dial(dialled, url, resolved.addresses[i], each_ms, error))
            continue;
        snprintf(url->host, sizeof url->host, "%s", resolved.addresses[i]);
        return true;
    }
    return false;
}

bool redis_setup_find(struct redis_url *url, int64_t limit_ms, struct text *error)
{
    struct text why = {0};
    struct redis_url asked = *url;
    struct dialled dialled = {.redis = NULL};
    bool found =
        url->local ? dial(&dialled, url, NULL, limit_ms, &why) : dial_any(&dialled, url, limit_ms, &why);
    if (!found) {
        text_lit(error, "Redis: tried ");
        redis_url_text(&asked, error);
        text_lit(error, ": ");
        text_str(error, text_c(&why));
    }
    hang_up(&dialled);
    text_fini(&why);
    return found;
}

/* ---- the carts of the start ---- */

static void append_cart(redisContext *redis, const struct redis_keys *keys, uint64_t seed, uint64_t index)
{
    char name[32], key[REDIS_PREFIX_BYTES + REDIS_KEY_BYTES_MAX + 8], ttl[24];
    char numbers[STARTING_CART_PRODUCTS][24];
    int64_t products[STARTING_CART_PRODUCTS];
    int len = snprintf(name, sizeof name, "cart-%llu", (unsigned long long)index + STARTING_CART_FIRST);
    size_t key_len = redis_cart_key(keys, (struct slice){name, (uint32_t)len}, key);
    const char *arguments[2 + 2 * STARTING_CART_PRODUCTS] = {"HSET", key};
    size_t lengths[2 + 2 * STARTING_CART_PRODUCTS] = {4, key_len};
    uint32_t count = starting_cart(seed, index, products);
    for (uint32_t n = 0; n < count; n++) {
        int digits = snprintf(numbers[n], sizeof numbers[n], "%lld", (long long)products[n]);
        arguments[2 + 2 * n] = numbers[n];
        lengths[2 + 2 * n] = (size_t)digits;
        arguments[3 + 2 * n] = "1";
        lengths[3 + 2 * n] = 1;
    }
    redisAppendCommandArgv(redis, (int)(2 + 2 * count), arguments, lengths);
    int digits = snprintf(ttl, sizeof ttl, "%lld", (long long)keys->cart_ttl_ms);
    redisAppendCommandArgv(redis, 3, (const char *[]){"PEXPIRE", key, ttl},
                           (size_t[]){7, key_len, (size_t)digits});
}

/* Answers to so many commands, none of which is an error. */
static bool all_well(const struct dialled *dialled, size_t count, struct text *error)
{
    for (size_t i = 0; i < count; i++) {
        redisReply *reply = next_reply(dialled, error);
        if (!reply)
            return false;
        bool well = reply->type == REDIS_REPLY_INTEGER;
        if (!well)
            text_str(error, reply->type == REDIS_REPLY_ERROR ? reply->str : "an answer of the wrong kind");
        freeReplyObject(reply);
        if (!well)
            return false;
    }
    return true;
}

bool redis_setup_fill(const struct redis_url *url, const struct redis_keys *keys,
                      const struct scenario *scenario, uint64_t seed, int64_t limit_ms, struct text *error)
{
    uint64_t carts = (uint64_t)MIN(scenario->redis.carts, scenario->redis.keys_max), next = 0;
    struct text why = {0};
    struct dialled dialled;
    bool well = dial(&dialled, url, url->host, limit_ms, &why);
    while (well && next < carts) {
        uint64_t batch = MIN(carts - next, BATCH_CARTS);
        for (uint64_t i = 0; i < batch; i++)
            append_cart(dialled.redis, keys, seed, next++);
        well = all_well(&dialled, 2 * batch, &why);
    }
    if (!well) {
        text_lit(error, "Redis: writing the carts of the start: ");
        text_str(error, text_c(&why));
    }
    hang_up(&dialled);
    text_fini(&why);
    return well;
}

/* ---- afterwards ---- */

static bool unlink_all(const struct dialled *dialled, const redisReply *found, struct text *error)
{
    if (!found->elements)
        return true;
    const char **arguments = base_alloc(found->elements + 1, sizeof *arguments);
    size_t *lengths = base_alloc(found->elements + 1, sizeof *lengths);
    arguments[0] = "UNLINK";
    lengths[0] = strlen(arguments[0]);
    for (size_t i = 0; i < found->elements; i++) {
        arguments[1 + i] = found->element[i]->str;
        lengths[1 + i] = found->element[i]->len;
    }
    redisAppendCommandArgv(dialled->redis, (int)found->elements + 1, arguments, lengths);
    free(arguments);
    free(lengths);
    return all_well(dialled, 1, error);
}

static bool is_text(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING;
}

/* [the next cursor, [key...]] */
static bool is_page(const redisReply *page)
{
    bool good = page && page->type == REDIS_REPLY_ARRAY && page->elements == 2 && is_text(page->element[0]) &&
                page->element[1]->type == REDIS_REPLY_ARRAY;
    for (size_t i = 0; good && i < page->element[1]->elements; i++)
        good = is_text(page->element[1]->element[i]);
    return good;
}

void redis_setup_sweep(const struct redis_url *url, const struct redis_keys *keys, int64_t limit_ms)
{
    struct text why = {0};
    char pattern[REDIS_PREFIX_BYTES + 4], cursor[24] = "0", at_once[16];
    struct dialled dialled;
    bool more = dial(&dialled, url, url->host, limit_ms, &why);
    snprintf(pattern, sizeof pattern, "%s:*", keys->prefix);
    snprintf(at_once, sizeof at_once, "%d", SWEEP_AT_ONCE);
    while (more) {
        redisReply *page =
            ask(&dialled, 6, (const char *[]){"SCAN", cursor, "MATCH", pattern, "COUNT", at_once}, &why);
        more = is_page(page) && unlink_all(&dialled, page->element[1], &why);
        if (more)
            snprintf(cursor, sizeof cursor, "%s", page->element[0]->str);
        more = more && strcmp(cursor, "0") != 0 && now_ms() < dialled.until_ms;
        freeReplyObject(page);
    }
    hang_up(&dialled);
    text_fini(&why);
}
