/*
 * redis: the modelled cache. Carts are hashes with a time to live, product pages are strings; beyond its bound the
 * least recently used key goes. Every command costs a small time of its own.
 */
#include <stdlib.h>

#include "core/actor.h"
#include "core/due.h"
#include "core/message.h"
#include "core/slab.h"
#include "core/starting_cart.h"

#define uthash_fatal(message) ASSERT(!message)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wconversion"
#include <uthash.h>

enum {
    KEY_BYTES_MAX = 64,
    CART_ITEMS_MAX = 32,
    QUANTITY_MAX = 1000000, /* added at once */
    UNDER_WAY_MAX = 4096,
    PURPOSE_LATENCY = 0x400
};

struct item {
    int64_t product, quantity;
};

struct entry {
    char key[KEY_BYTES_MAX];
    uint32_t key_len;
    int64_t expires_at_ns;
    struct item items[CART_ITEMS_MAX];
    uint32_t item_count;
    struct body *value; /* of a string; NULL: a cart */
    UT_hash_handle hh;
};

struct command {
    struct slab_item item;
    struct timer timer;
    struct actor *actor;
    uint16_t from, route;
    uint64_t ask;
    struct body *body;
};

struct cache {
    struct entry *entries; /* the least recently used first */
    struct slab commands;
    double latency_sigma;
};

static void drop(struct actor *actor, struct cache *cache, struct entry *entry)
{
    HASH_DEL(cache->entries, entry);
    actor_release(actor, entry->value);
    free(entry);
}

/* The entry, now the most recently used; NULL: none, or its time has passed. */
static struct entry *find(struct actor *actor, struct slice key)
{
    struct cache *cache = actor_state(actor);
    struct entry *entry;
    HASH_FIND(hh, cache->entries, key.at, key.len, entry);
    if (!entry)
        return NULL;
    if (actor_now(actor) >= entry->expires_at_ns) {
        drop(actor, cache, entry);
        return NULL;
    }
    HASH_DEL(cache->entries, entry);
    HASH_ADD(hh, cache->entries, key, entry->key_len, entry);
    return entry;
}

static struct entry *add(struct actor *actor, struct slice key, int64_t ttl_ns)
{
    struct cache *cache = actor_state(actor);
    if (HASH_COUNT(cache->entries) >= (unsigned)actor_scenario(actor)->redis.keys_max)
        drop(actor, cache, cache->entries);
    struct entry *entry = base_alloc(1, sizeof *entry);
    memcpy(entry->key, key.at, key.len);
    entry->key_len = key.len;
    entry->expires_at_ns = actor_now(actor) + ttl_ns;
    HASH_ADD(hh, cache->entries, key, entry->key_len, entry);
    return entry;
}

/* ---- commands: key, arguments -> answer ---- */

static enum status hgetall(struct actor *actor, struct slice key, struct cursor *arguments,
                           struct pack *answer)
{
    (void)arguments;
    const struct entry *cart = find(actor, key);
    uint32_t count = cart ? cart->item_count : 0;
    pack_array(answer, count);
    for (uint32_t i = 0; i < count; i++) {
        pack_array(answer, 2);
        pack_int(answer, cart->items[i].product);
        pack_int(answer, cart->items[i].quantity);
    }
    return STATUS_OK;
}

/* product quantity -> [items in the cart, whether it is new] */
static enum status hset(struct actor *actor, struct slice key, struct cursor *arguments, struct pack *answer)
{
    int64_t product = cursor_int(arguments), quantity = cursor_int(arguments);
    if (arguments->bad || quantity < 1 || quantity > QUANTITY_MAX)
        return STATUS_BAD_INPUT;
    int64_t ttl_ns = actor_scenario(actor)->redis.cart_ttl_ns;
    struct entry *cart = find(actor, key);
    bool is_new = !cart || !cart->item_count;
    if (!cart)
        cart = add(actor, key, ttl_ns);
    uint32_t at = 0;
    while (at < cart->item_count && cart->items[at].product != product)
        at++;
    if (at == CART_ITEMS_MAX)
        return STATUS_BAD_INPUT;
    cart->items[at].product = product;
    cart->items[at].quantity += quantity;
    cart->item_count = MAX(cart->item_count, at + 1);
    cart->expires_at_ns = actor_now(actor) + ttl_ns;
    pack_array(answer, 2);
    pack_int(answer, cart->item_count);
    pack_bool(answer, is_new);
    return STATUS_OK;
}

static enum status del(struct actor *actor, struct slice key, struct cursor *arguments, struct pack *answer)
{
    (void)arguments;
    struct entry *entry = find(actor, key);
    pack_array(answer, 1);
    pack_int(answer, entry != NULL);
    if (entry)
        drop(actor, actor_state(actor), entry);
    return STATUS_OK;
}

static enum status get(struct actor *actor, struct slice key, struct cursor *arguments, struct pack *answer)
{
    (void)arguments;
    const struct entry *entry = find(actor, key);
    struct store_stats *stats = &actor_stats(actor)->stores;
    if (entry && entry->value) {
        stats->cache_hits++;
        pack_raw(answer, entry->value->bytes, entry->value->len);
    } else {
        stats->cache_misses++;
        pack_nil(answer);
    }
    return STATUS_OK;
}

/* seconds value -> [] */
static enum status setex(struct actor *actor, struct slice key, struct cursor *arguments, struct pack *answer)
{
    int64_t ttl_s = cursor_int(arguments);
    struct slice value = cursor_raw(arguments);
    if (arguments->bad || ttl_s < 1 || ttl_s > 86400)
        return STATUS_BAD_INPUT;
    struct entry *entry = find(actor, key);
    if (!entry)
        entry = add(actor, key, 0);
    entry->expires_at_ns = actor_now(actor) + ttl_s * NS_PER_S;
    actor_release(actor, entry->value);
    entry->value = actor_body(actor, value.at, value.len);
    pack_array(answer, 0);
    return STATUS_OK;
}

typedef enum status command_fn(struct actor *, struct slice, struct cursor *, struct pack *);
static command_fn *const commands[] = {hgetall, hset, del, get, setex};
static const struct route routes[] = {{.name = "HGETALL"}, {.name = "HSET"},  {.name = "DEL"},
                                      {.name = "GET"},     {.name = "SETEX"}, {.name = NULL}};
_Static_assert(ARRAY_LEN(routes) == ARRAY_LEN(commands) + 1, "a name a command");

static void command_due(void *owner, int64_t now_ns)
{
    (void)now_ns;
    struct command *command = owner;
    struct actor *actor = command->actor;
    struct cache *cache = actor_state(actor);
    struct cursor cursor = cursor_of(command->body);
    struct pack *answer = actor_pack(actor);
    cursor_array(&cursor);
    struct slice key = cursor_text(&cursor);
    enum status status = STATUS_BAD_INPUT;
    if (!cursor.bad && key.len && key.len <= KEY_BYTES_MAX)
        status = commands[command->route](actor, key, &cursor, answer);
    actor_reply(actor, command->from, command->ask, status, status == STATUS_OK ? answer : NULL);
    actor_release(actor, command->body);
    slab_give(&cache->commands, command);
}

static void receive(struct actor *actor, struct message *message)
{
    struct cache *cache = actor_state(actor);
    if (message->kind == MESSAGE_CANCEL)
        return;
    struct command *command = message->route < ARRAY_LEN(commands) ? slab_take(&cache->commands) : NULL;
    if (!command) {
        actor_reply(actor, message->from, message->ask, STATUS_OVERLOADED, NULL);
        return;
    }
    command->actor = actor;
    command->timer = (struct timer){.fire = command_due, .owner = command};
    command->from = message->from;
    command->route = message->route;
    command->ask = message->ask;
    command->body = body_ref(message->body);
    uint64_t chance = draw(actor_seed(actor), message->context.span, PURPOSE_LATENCY, 0).a;
    const struct duration_dist *latency = &actor_scenario(actor)->redis.work;
    actor_arm(actor, &command->timer,
              actor_now(actor) + draw_duration(chance, latency, cache->latency_sigma));
}

static void seed_carts(struct actor *actor)
{
    int carts = MIN(actor_scenario(actor)->redis.carts, actor_scenario(actor)->redis.keys_max);
    for (uint64_t i = 0; i < (uint64_t)carts; i++) {
        int64_t products[STARTING_CART_PRODUCTS];
        struct pack *label = actor_pack(actor);
        pack_label(label, "cart-", STARTING_CART_FIRST + i);
        struct cursor cursor = {.at = label->bytes, .end = label->bytes + label->len};
        struct slice name = cursor_text(&cursor);
        struct entry *cart = add(actor, name, actor_scenario(actor)->redis.cart_ttl_ns);
        cart->item_count = starting_cart(actor_seed(actor), i, products);
        for (uint32_t n = 0; n < cart->item_count; n++)
            cart->items[n] = (struct item){products[n], 1};
    }
}

static void start(struct actor *actor)
{
    struct cache *cache = actor_state(actor);
    slab_init(&cache->commands, sizeof(struct command), UNDER_WAY_MAX);
    cache->latency_sigma = duration_dist_sigma(&actor_scenario(actor)->redis.work);
    seed_carts(actor);
}

static void stop(struct actor *actor)
{
    struct cache *cache = actor_state(actor);
    while (cache->entries)
        drop(actor, cache, cache->entries);
    for (uint32_t slot = 0; slot < cache->commands.count; slot++) {
        struct command *command = slab_at(&cache->commands, slot);
        if (command)
            actor_release(actor, command->body);
    }
    slab_fini(&cache->commands);
}
#pragma GCC diagnostic pop

const struct actor_kind actor_redis = {
    .service = "redis",
    .port = 6379,
    .store = "redis",
    .routes = routes,
    .state_bytes = sizeof(struct cache),
    .start = start,
    .stop = stop,
    .receive = receive,
};
