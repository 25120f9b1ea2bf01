#include "edges/redis_store.h"

#include "core/due.h"
#include "core/message.h"
#include "core/slab.h"
#include "edges/redis_command.h"
#include "edges/redis_setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

enum { SWEEP_LIMIT_MS = 1000 };

/* An ask under way: waiting for a connection, or for its reply. */
struct command {
    struct slab_item item;
    struct timer limit;
    struct redis_store *store;
    struct command *next; /* of those that wait */
    char *bytes; /* as long as it waits */
    size_t len;
    uint64_t ask;
    uint16_t from, route;
    bool answered; /* the limit came first */
};

struct redis_store {
    struct redis_store_options options;
    struct actor_kind kind;
    struct redis_url url;
    struct redis_keys keys;
    struct redis_link *link; /* while a world has it */
    struct actor *actor;
    struct slab commands;
    struct command *first_waiting, *last_waiting;
    struct redis_store_tally tally;
    bool away; /* said */
};

static struct redis_store *open_store;

/* ---- answering ---- */

static void answer(struct command *command, enum status status, const struct pack *body)
{
    struct redis_store *store = command->store;
    if (command->answered)
        return;
    command->answered = true;
    actor_disarm(store->actor, &command->limit);
    store->tally.answers[status]++;
    actor_reply(store->actor, command->from, command->ask, status, status == STATUS_OK ? body : NULL);
}

static void forget(struct command *command)
{
    free(command->bytes);
    slab_give(&command->store->commands, command);
}

/* Its place stays taken until the reply, which may come yet. */
static void on_limit(void *owner, int64_t now_ns)
{
    (void)now_ns;
    answer(owner, STATUS_DEADLINE, NULL);
}

static void on_reply(void *owner, void *token, const redisReply *reply)
{
    struct redis_store *store = owner;
    struct command *command = token;
    if (!command->answered) {
        actor_wake(store->actor, store->options.now(store->options.owner));
        struct pack *body = actor_pack(store->actor);
        enum status status = STATUS_NO_PEER;
        if (reply)
            status = redis_command_read(command->route, reply, body, &actor_stats(store->actor)->stores);
        answer(command, status, body);
    }
    forget(command);
}

/* ---- those that wait for a connection ---- */

static struct command *take_waiting(struct redis_store *store)
{
    struct command *command = store->first_waiting;
    if (command)
        store->first_waiting = command->next;
    if (!store->first_waiting)
        store->last_waiting = NULL;
    return command;
}

static void put_waiting(struct redis_store *store, struct command *command)
{
    command->next = NULL;
    if (store->last_waiting)
        store->last_waiting->next = command;
    else
        store->first_waiting = command;
    store->last_waiting = command;
}

/* Those whose limit has passed are not sent any more. */
static void send_or_lose(struct redis_store *store, struct command *command)
{
    bool sent = !command->answered && redis_link_send(store->link, command, command->bytes, command->len);
    if (sent) {
        free(command->bytes);
        command->bytes = NULL;
        return;
    }
    answer(command, STATUS_NO_PEER, NULL);
    forget(command);
}

static void say(struct redis_store *store, const char *what, const char *why)
{
    struct text line = {0};
    if (!store->options.say)
        return;
    text_lit(&line, "Redis at ");
    redis_url_text(&store->url, &line);
    text_str(&line, what);
    text_str(&line, why ? why : "");
    store->options.say(store->options.owner, text_c(&line));
    text_fini(&line);
}

static void on_state(void *owner, enum redis_link_state state, const char *why)
{
    struct redis_store *store = owner;
    if (state == REDIS_LINK_CONNECTING)
        return;
    actor_wake(store->actor, store->options.now(store->options.owner));
    bool ready = state == REDIS_LINK_READY;
    store->tally.losses += !ready && !store->away;
    if (ready && store->away)
        say(store, " is back", NULL);
    else if (!ready && !store->away)
        say(store, " is away: ", why);
    store->away = !ready;
    for (struct command *command; (command = take_waiting(store));)
        send_or_lose(store, command);
}

/* ---- the kind ---- */

static struct redis_store **store_of(struct actor *actor)
{
    return actor_state(actor);
}

static void refuse(struct actor *actor, const struct message *message, enum status status)
{
    (*store_of(actor))->tally.answers[status]++;
    actor_reply(actor, message->from, message->ask, status, NULL);
}

static void receive(struct actor *actor, struct message *message)
{
    struct redis_store *store = *store_of(actor);
    struct redis_command words;
    char *bytes;
    if (message->kind == MESSAGE_CANCEL)
        return;
    if (message->route >= redis_command_count()) {
        refuse(actor, message, STATUS_OVERLOADED);
        return;
    }
    enum status status = redis_command_write(&words, &store->keys, message->route, message->body);
    if (status != STATUS_OK || redis_link_state(store->link) == REDIS_LINK_DOWN) {
        refuse(actor, message, status != STATUS_OK ? status : STATUS_NO_PEER);
        return;
    }
    struct command *command = slab_take(&store->commands);
    if (!command) {
        refuse(actor, message, STATUS_OVERLOADED);
        return;
    }
    int len = redisFormatCommandArgv(&bytes, words.count, words.arguments, words.lengths);
    ASSERT(len > 0); /* memory */
    command->store = store;
    command->limit = (struct timer){.fire = on_limit, .owner = command};
    command->bytes = bytes;
    command->len = (size_t)len;
    command->ask = message->ask;
    command->from = message->from;
    command->route = message->route;
    command->answered = false;
    actor_arm(actor, &command->limit, actor_now(actor) + store->options.limit_ms * NS_PER_MS);
    if (redis_link_state(store->link) == REDIS_LINK_READY)
        send_or_lose(store, command);
    else
        put_waiting(store, command);
}

static void start(struct actor *actor)
{
    struct redis_store *store = *store_of(actor) = open_store;
    ASSERT(store && !store->link);
    struct redis_link_options options = {.loop = store->options.loop,
                                         .url = &store->url,
                                         .seed = store->options.seed,
                                         .reply = on_reply,
                                         .state = on_state,
                                         .owner = store};
    store->actor = actor;
    store->away = false;
    slab_init(&store->commands, sizeof(struct command), REDIS_COMMANDS_MAX);
    store->link = redis_link_open(&options);
}

/* Nobody is there any more to be answered. */
static void stop(struct actor *actor)
{
    struct redis_store *store = *store_of(actor);
    for (uint32_t slot = 0; slot < store->commands.count; slot++) {
        struct command *command = slab_at(&store->commands, slot);
        if (command && !command->answered) {
            command->answered = true;
            actor_disarm(actor, &command->limit);
        }
    }
    redis_link_close(store->link);
    store->link = NULL;
    for (struct command *command; (command = take_waiting(store));)
        forget(command);
    slab_fini(&store->commands);
}

/* ---- the store ---- */

/* Its alphabet is hexadecimal, for SCAN's patterns have signs of their own. */
static void name_run(struct redis_store *store)
{
    uint32_t run;
    ASSERT(getrandom(&run, sizeof run, 0) == sizeof run);
    snprintf(store->keys.prefix, sizeof store->keys.prefix, "doorbuster:%08x", run);
    store->keys.cart_ttl_ms = MAX(store->options.scenario->redis.cart_ttl_ns / NS_PER_MS, 1);
}

/* A password in REDIS_URL shows in no list of processes. */
static bool read_url(struct redis_url *url, const char *text, struct text *error)
{
    const char *from = strcmp(text, "env") == 0 ? getenv("REDIS_URL") : text;
    if (from)
        return redis_url_read(url, from, error);
    text_lit(error, "Redis: REDIS_URL is not set");
    return false;
}

struct redis_store *redis_store_open(const struct redis_store_options *options, struct text *error)
{
    struct redis_store *store = base_alloc(1, sizeof *store);
    ASSERT(!open_store);
    store->options = *options;
    if (!options->limit_ms)
        store->options.limit_ms = REDIS_LIMIT_MS;
    store->kind = (struct actor_kind){.service = "redis",
                                      .store = "redis",
                                      .routes = redis_command_routes,
                                      .state_bytes = sizeof store,
                                      .start = start,
                                      .stop = stop,
                                      .receive = receive};
    name_run(store);
    if (!read_url(&store->url, options->url, error) ||
        !redis_setup_find(&store->url, REDIS_OPEN_LIMIT_MS, error) ||
        !redis_setup_fill(&store->url, &store->keys, options->scenario, options->seed, REDIS_FILL_LIMIT_MS,
                          error)) {
        free(store);
        return NULL;
    }
    store->kind.port = store->url.port;
    return open_store = store;
}

void redis_store_close(struct redis_store *store)
{
    if (!store)
        return;
    redis_setup_sweep(&store->url, &store->keys, SWEEP_LIMIT_MS);
    open_store = NULL;
    free(store);
}

const struct actor_kind *redis_store_kind(const struct redis_store *store)
{
    return &store->kind;
}

struct redis_store_tally redis_store_tally(const struct redis_store *store)
{
    return store->tally;
}

const char *redis_store_prefix(const struct redis_store *store)
{
    return store->keys.prefix;
}

bool redis_store_ready(const struct redis_store *store)
{
    return store->link && redis_link_state(store->link) == REDIS_LINK_READY;
}

bool redis_store_check(const char *url, int64_t limit_ms, struct text *error)
{
    struct redis_url parsed;
    return read_url(&parsed, url, error) && redis_setup_find(&parsed, limit_ms, error);
}
