#include "tests/contract/cache.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/actors/shop_world.h"

enum { ANSWER_LIMIT_S = 5 };

void cache_begin(struct cache *cache, struct redis_server *server)
{
    *cache = (struct cache){.server = server};
    toy_begin(&cache->toy, (const struct actor_kind *const[]){&actor_redis}, 1);
    cache->toy.scenario.duration_ns = MIN_(600);
    cache->toy.scenario.redis.keys_max = 10000;
    cache->toy.scenario.services[0] = (struct service_spec){.service = "redis", .mailbox_max = 1 << 20};
    cache->toy.scenario.service_count = 1;
    if (server)
        real_time_begin(&cache->real, &cache->toy);
}

static int64_t now(void *owner)
{
    return real_time_now(&((struct cache *)owner)->real);
}

static void hear(void *owner, const char *line)
{
    struct cache *cache = owner;
    if (cache->said_count < ARRAY_LEN(cache->said))
        snprintf(cache->said[cache->said_count++], sizeof cache->said[0], "%s", line);
}

void cache_open(struct cache *cache, uint64_t seed)
{
    struct text error = {0};
    if (cache->server) {
        cache->store = redis_store_open(
            &(struct redis_store_options){.loop = cache->real.loop,
                                          .url = cache->url ? cache->url : cache->server->url,
                                          .scenario = &cache->toy.scenario,
                                          .seed = seed,
                                          .limit_ms = cache->limit_ms,
                                          .now = now,
                                          .say = hear,
                                          .owner = cache},
            &error);
        if (!cache->store)
            fail_msg("%s", text_c(&error));
        cache->toy.kinds[0] = redis_store_kind(cache->store);
    }
    toy_open(&cache->toy, seed);
}

void cache_end(struct cache *cache)
{
    toy_end(&cache->toy);
    if (!cache->server)
        return;
    redis_store_close(cache->store);
    real_time_end(&cache->real);
}

uint64_t cache_send_bytes(struct cache *cache, size_t command, const void *bytes, size_t len)
{
    return toy_ask_index(&cache->toy, 0, command, bytes, len, S(100));
}

uint64_t cache_send(struct cache *cache, size_t command, const char *json)
{
    struct pack *body = toy_pack(&cache->toy);
    shop_pack(body, json);
    return cache_send_bytes(cache, command, body->bytes, body->len);
}

const struct toy_answer *cache_wait(struct cache *cache, uint64_t token)
{
    if (cache->server)
        return real_time_answer(&cache->real, token, S(ANSWER_LIMIT_S));
    toy_run_until(&cache->toy, world_now(cache->toy.world) + MS(1));
    return toy_answer(&cache->toy, token);
}

const struct toy_answer *cache_ask(struct cache *cache, size_t command, const char *json)
{
    return cache_wait(cache, cache_send(cache, command, json));
}

enum status cache_status(struct cache *cache, size_t command, const char *json)
{
    return cache_ask(cache, command, json)->status;
}

void cache_expect(struct cache *cache, size_t command, const char *json, enum status status,
                  const char *answer)
{
    const struct toy_answer *came = cache_ask(cache, command, json);
    if (came->status != status)
        fail_msg("%zu %s: expected %s, found %s", command, json, status_info(status)->text,
                 status_info(came->status)->text);
    if (!answer) {
        assert_true(!came->body || !came->body->len);
        return;
    }
    struct pack *body = toy_pack(&cache->toy);
    shop_pack(body, answer);
    assert_non_null(came->body);
    if (came->body->len != body->len || memcmp(came->body->bytes, body->bytes, body->len) != 0)
        fail_msg("%zu %s: not answered with %s", command, json, answer);
}

void cache_pass(struct cache *cache, int64_t ns)
{
    if (cache->server)
        real_time_until(&cache->real, NULL, NULL, ns);
    else
        toy_run_until(&cache->toy, world_now(cache->toy.world) + ns);
}

static bool is_ready(void *owner)
{
    return redis_store_ready(((struct cache *)owner)->store);
}

bool cache_ready(struct cache *cache, int64_t limit_ns)
{
    return real_time_until(&cache->real, is_ready, cache, limit_ns);
}
