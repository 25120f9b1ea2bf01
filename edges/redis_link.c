#include "edges/redis_link.h"

#include "core/draw.h"
#include "edges/redis_bound.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-aliasing" /* libev's own macros, in an inline function */
#include <hiredis/adapters/libev.h>
#pragma GCC diagnostic pop

enum { PURPOSE_JITTER = 0x5ed };

struct redis_link {
    struct redis_link_options options;
    enum redis_link_state state;
    redisAsyncContext *context; /* NULL while DOWN */
    uint32_t owed; /* answers, over all connections; those of one that has gone are told at once */
    uint32_t attempt; /* in a row, that did not end in READY */
    uint64_t attempts;
    ev_timer again; /* DOWN: until the next attempt */
    ev_timer limit; /* CONNECTING: of the handshake. READY and owed: until silence is an end */
};

static void set_state(struct redis_link *link, enum redis_link_state state, const char *why)
{
    link->state = state;
    link->options.state(link->options.owner, state, why);
}

static void wait_to_try_again(struct redis_link *link)
{
    int64_t most_ms = REDIS_BACKOFF_FIRST_MS;
    for (uint32_t i = 0; i < link->attempt && most_ms < REDIS_BACKOFF_MOST_MS; i++)
        most_ms *= 2;
    link->attempt++;
    double share = draw_uniform(draw(link->options.seed, link->attempts, PURPOSE_JITTER, 0).a);
    ev_timer_stop(link->options.loop, &link->limit);
    ev_timer_set(&link->again, (double)MIN(most_ms, REDIS_BACKOFF_MOST_MS) / 1e3 * (0.5 + share / 2), 0);
    ev_timer_start(link->options.loop, &link->again);
}

/* The context is, or is being, freed. */
static void went_down(struct redis_link *link, const char *why)
{
    link->context = NULL;
    wait_to_try_again(link);
    set_state(link, REDIS_LINK_DOWN, why);
}

/* Frees the context: at once, which tells everybody who waits, or when the callback that this is has returned. */
static void drop(struct redis_link *link, const char *why)
{
    redisAsyncContext *context = link->context;
    link->context = NULL;
    redisAsyncFree(context);
    went_down(link, why);
}

/* ---- what hiredis tells ---- */

static void on_connect(const redisAsyncContext *context, int status)
{
    struct redis_link *link = context->data;
    char why[sizeof context->c.errstr];
    if (status == REDIS_OK || link->context != context)
        return;
    snprintf(why, sizeof why, "%s", context->c.errstr);
    went_down(link, why);
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
    struct redis_link *link = context->data;
    char why[sizeof context->c.errstr];
    if (link->context != context)
        return;
    snprintf(why, sizeof why, "%s", status == REDIS_OK ? "closed" : context->c.errstr);
    went_down(link, why);
}

/* `last` is set for the PING. */
static void on_greeting(redisAsyncContext *context, void *answer, void *last)
{
    struct redis_link *link = context->data;
    const redisReply *reply = answer;
    char why[128];
    if (!reply || link->context != context)
        return;
    if (reply->type != REDIS_REPLY_STATUS) {
        snprintf(why, sizeof why, "%s", reply->type == REDIS_REPLY_ERROR ? reply->str : "this is not Redis");
        drop(link, why);
    } else if (last) {
        ev_timer_stop(link->options.loop, &link->limit);
        link->attempt = 0;
        set_state(link, REDIS_LINK_READY, NULL);
    }
}

static void on_reply(redisAsyncContext *context, void *reply, void *token)
{
    struct redis_link *link = context->data;
    link->owed--;
    if (link->context == context && link->state == REDIS_LINK_READY) {
        if (link->owed)
            ev_timer_again(link->options.loop, &link->limit);
        else
            ev_timer_stop(link->options.loop, &link->limit);
    }
    link->options.reply(link->options.owner, token, reply);
}

/* In place of the adapter's: reads, and looks at how much is still unread, for a reply may never end. */
static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    redisAsyncContext *context = ((redisLibevEvents *)watcher->data)->context;
    struct redis_link *link = context->data;
    redisAsyncHandleRead(context);
    if (link->context == context && redis_bound_passed(context->c.reader))
        drop(link, "a reply that is too long");
}

/* ---- connecting ---- */

static void greet(struct redis_link *link)
{
    static char last;
    const struct redis_url *url = link->options.url;
    redisAsyncContext *context = link->context;
    const char *auth[] = {"AUTH", url->user, url->password}, *anyone[] = {"AUTH", url->password};
    char number[16];
    if (url->user[0])
        redisAsyncCommandArgv(context, on_greeting, NULL, 3, auth, NULL);
    else if (url->password[0])
        redisAsyncCommandArgv(context, on_greeting, NULL, 2, anyone, NULL);
    snprintf(number, sizeof number, "%d", url->database);
    const char *select[] = {"SELECT", number}, *ping[] = {"PING"};
    if (url->database)
        redisAsyncCommandArgv(context, on_greeting, NULL, 2, select, NULL);
    redisAsyncCommandArgv(context, on_greeting, &last, 1, ping, NULL);
}

static void on_again(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)events;
    struct redis_link *link = watcher->data;
    const struct redis_url *url = link->options.url;
    redisAsyncContext *context =
        url->local ? redisAsyncConnectUnix(url->path) : redisAsyncConnect(url->host, url->port);
    ASSERT(context); /* memory */
    link->attempts++;
    if (context->err) {
        char why[sizeof context->c.errstr];
        snprintf(why, sizeof why, "%s", context->c.errstr);
        redisAsyncFree(context);
        went_down(link, why);
        return;
    }
    context->data = link;
    fcntl(context->c.fd, F_SETFD, FD_CLOEXEC);
    link->context = context;
    redis_bound(context->c.reader, context);
    redisLibevAttach(loop, context);
    ev_set_cb(&((redisLibevEvents *)context->ev.data)->rev, on_readable);
    redisAsyncSetConnectCallback(context, on_connect);
    redisAsyncSetDisconnectCallback(context, on_disconnect);
    link->limit.repeat = REDIS_HANDSHAKE_MS / 1e3;
    ev_timer_again(loop, &link->limit);
    greet(link);
    set_state(link, REDIS_LINK_CONNECTING, NULL);
}

static void on_limit(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    struct redis_link *link = watcher->data;
    drop(link, link->state == REDIS_LINK_READY ? "no answer" : "no greeting");
}

struct redis_link *redis_link_open(const struct redis_link_options *options)
{
    struct redis_link *link = base_alloc(1, sizeof *link);
    link->options = *options;
    ev_timer_init(&link->again, on_again, 0, 0);
    ev_timer_init(&link->limit, on_limit, 0, 0);
    link->again.data = link->limit.data = link;
    ev_timer_start(options->loop, &link->again);
    link->state = REDIS_LINK_CONNECTING;
    return link;
}

void redis_link_close(struct redis_link *link)
{
    redisAsyncContext *context = link->context;
    link->context = NULL;
    if (context)
        redisAsyncFree(context);
    ev_timer_stop(link->options.loop, &link->again);
    ev_timer_stop(link->options.loop, &link->limit);
    free(link);
}

enum redis_link_state redis_link_state(const struct redis_link *link)
{
    return link->state;
}

bool redis_link_send(struct redis_link *link, void *token, const char *bytes, size_t len)
{
    if (link->state != REDIS_LINK_READY ||
        redisAsyncFormattedCommand(link->context, on_reply, token, bytes, len) != REDIS_OK)
        return false;
    if (!link->owed++) {
        link->limit.repeat = REDIS_SILENT_MS / 1e3;
        ev_timer_again(link->options.loop, &link->limit);
    }
    return true;
}
