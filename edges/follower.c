#include "edges/follower_parts.h"

#include "core/gather.h"
#include "edges/look_up.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TRY_AGAIN_S 0.1
#define FINISH_LIMIT_S 5.0
enum { JOIN_FIELDS = 6, FIGURES_FIELDS = 3, FIGURES_ROOM = 64 };
enum { ID_JOIN = 1, ID_READY, ID_FIGURES, ID_FAULT };

static struct pack *fresh(struct follower *follower)
{
    follower->pack.len = 0;
    follower->pack.overflow = false;
    return &follower->pack;
}

/* There is nothing to go on with. */
static void give_up(struct follower *follower, struct slice why)
{
    char shown[RPC_SHOWN_BYTES];
    if (follower->refused)
        return;
    follower->refused = true;
    fprintf(stderr, "doorbuster: the load generator at %s:%u: %s\n", follower->address->host,
            follower->address->port, rpc_shown(why, shown));
    if (follower->world)
        follower->options.lost(follower->options.owner);
}

/* ---- figures ---- */

/* One request is under way at a time; what changes meanwhile goes with the next. */
static void tell_figures(struct follower *follower)
{
    uint64_t produced = 0, settled = 0;
    if (!follower->connection || !follower->joined || follower->telling || !follower->gather)
        return;
    follower->options.exported(follower->options.owner, &produced, &settled);
    struct pack *pack = fresh(follower);
    rpc_request(pack, ID_FIGURES, "figures");
    pack_array(pack, FIGURES_FIELDS);
    pack_int(pack, (int64_t)produced);
    pack_int(pack, (int64_t)settled);
    follower->told_all = !gather_write(follower->gather, pack, BODY_BYTES_MAX - pack->len - FIGURES_ROOM);
    if (follower->told_all)
        pack_nil(pack);
    follower->telling = rpc_connection_send(follower->connection, pack);
}

static void on_tell(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    tell_figures(watcher->data);
}

static void take_acknowledgement(struct follower *follower, const struct rpc_frame *frame)
{
    follower->telling = false;
    if (frame->error.at) {
        give_up(follower, frame->error);
        return;
    }
    gather_acknowledge(follower->gather);
    if (gather_more(follower->gather))
        tell_figures(follower);
}

/* ---- what the conductor says ---- */

/* Before there is a world the latest is kept for it. */
static void follow(struct follower *follower, struct cursor *from)
{
    struct course course;
    if (!follower->world)
        follower->has_first = course_read(from, &follower->first);
    else if (course_read(from, &course))
        course_follow(follower->world, &follower->faults_followed, &course,
                      follower->now(follower->options.owner));
}

void follower_say_ready(struct follower *follower)
{
    struct pack *pack = fresh(follower);
    rpc_request(pack, ID_READY, "ready");
    pack_nil(pack);
    rpc_connection_send(follower->connection, pack);
}

static void take_run(struct follower *follower, const struct rpc_frame *frame)
{
    struct cursor value = frame->value;
    if (frame->error.at) {
        give_up(follower, frame->error);
        return;
    }
    if (!shared_read_run(&value, &follower->run)) {
        static const char why[] = "what it told of the run makes no sense";
        give_up(follower, (struct slice){why, sizeof why - 1});
        return;
    }
    follower->joined = true;
    follower->options.run.run = follower->run.run;
    if (follower->world) { /* back again: for the course as it is now */
        gather_again(follower->gather);
        follower_say_ready(follower);
    }
    ev_break(follower->options.loop, EVBREAK_ONE);
}

static void take_begin(struct follower *follower, const struct rpc_frame *frame)
{
    struct cursor value = frame->value;
    if (frame->error.at || cursor_array(&value) != 2 || !shared_read_begin(&value, &follower->begin))
        return;
    follower->begun = true;
    follow(follower, &value);
    ev_break(follower->options.loop, EVBREAK_ONE);
}

static void on_message(void *owner, const struct rpc_frame *frame)
{
    struct follower *follower = owner;
    if (frame->kind == RPC_RESPONSE && frame->id == ID_JOIN && !follower->joined) {
        take_run(follower, frame);
    } else if (frame->kind == RPC_RESPONSE && frame->id == ID_READY) {
        take_begin(follower, frame);
    } else if (frame->kind == RPC_RESPONSE && frame->id == ID_FIGURES && follower->telling) {
        take_acknowledgement(follower, frame);
    } else if (frame->kind == RPC_NOTICE && slice_is(frame->method, "course")) {
        struct cursor value = frame->value;
        follow(follower, &value);
    } else if (frame->kind == RPC_REQUEST && slice_is(frame->method, "finish") && !follower->finishing) {
        follower->finishing = true;
        follower->finish = frame->id;
        if (follower->world) /* else it is to begin first */
            follower->options.finish(follower->options.owner);
    }
}

/* ---- the connection ---- */

static void try_again(struct follower *follower)
{
    ev_timer_set(&follower->again, TRY_AGAIN_S, 0);
    ev_timer_start(follower->options.loop, &follower->again);
}

static void on_closed(void *owner, const char *why)
{
    struct follower *follower = owner;
    (void)why;
    follower->connection = NULL;
    if (follower->joined) /* not each time that it cannot be reached again */
        follower->away_since = ev_now(follower->options.loop);
    else
        follower->tried++;
    follower->joined = follower->telling = false;
    if (!follower->refused)
        try_again(follower);
    ev_break(follower->options.loop, EVBREAK_ONE);
}

static void on_opened(void *owner)
{
    struct follower *follower = owner;
    const struct registry *registry = follower->options.registry;
    uint32_t count = 0;
    struct pack *pack = fresh(follower);
    for (size_t i = 0; i < registry->kind_count; i++)
        count += follower->options.placement->hosts[i];
    rpc_request(pack, ID_JOIN, "join");
    pack_array(pack, JOIN_FIELDS);
    pack_int(pack, PEER_PROTOCOL);
    pack_text(pack, follower->options.run.version);
    pack_int(pack, (int64_t)follower->options.run.scenario);
    pack_int(pack, (int64_t)follower->options.run.run);
    pack_int(pack, (int64_t)follower->process);
    pack_array(pack, count);
    for (size_t i = 0; i < registry->kind_count; i++)
        if (follower->options.placement->hosts[i])
            pack_text(pack, registry->kinds[i]->service);
    rpc_connection_send(follower->connection, pack);
}

static void connect_to(struct follower *follower, const struct addrinfo *list)
{
    const struct addrinfo *found = look_up_nth(list, follower->tried);
    const struct rpc_owner owner = {
        .opened = on_opened, .message = on_message, .closed = on_closed, .owner = follower};
    struct sockaddr_storage at = {0};
    int fd = -1;
    if (found && found->ai_addrlen <= sizeof at) {
        memcpy(&at, found->ai_addr, found->ai_addrlen);
        fd = peers_connect(&at);
    }
    if (fd >= 0) {
        follower->connection = rpc_connection_open(follower->options.loop, fd, true, &owner);
        return;
    }
    follower->tried++;
    try_again(follower);
}

/* Begins a look-up, or asks whether it is done. A conductor that is away for long has taken its run along. */
static void on_again(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)events;
    struct follower *follower = watcher->data;
    struct addrinfo *found;
    if (follower->world && ev_now(loop) - follower->away_since > FOLLOWER_ALONE_S) {
        static const char why[] = "has been away for half a minute: the run is over";
        give_up(follower, (struct slice){why, sizeof why - 1});
        return;
    }
    if (!follower->look_up)
        follower->look_up = look_up_begin(follower->address->host, follower->address->port);
    if (!follower->look_up || !look_up_done(follower->look_up, &found)) {
        ev_timer_set(&follower->again, TRY_AGAIN_S / 10, 0);
        ev_timer_start(loop, &follower->again);
        return;
    }
    follower->look_up = NULL;
    connect_to(follower, found);
    if (found)
        freeaddrinfo(found);
}

/* ---- before the world ---- */

struct follower *follower_open(const struct follower_options *options)
{
    struct follower *follower = base_alloc(1, sizeof *follower);
    follower->options = *options;
    follower->process = shared_draw();
    follower->pack.bytes = base_alloc(BODY_BYTES_MAX, 1);
    for (size_t i = 0; i < options->placement->address_count; i++)
        if (registry_kind(options->registry, options->placement->addresses[i].service)->drives_load)
            follower->address = &options->placement->addresses[i];
    ASSERT(follower->address); /* who does not host the load generator knows where it is */
    ev_timer_init(&follower->again, on_again, 0, 0);
    ev_timer_init(&follower->tell, on_tell, SHARED_FIGURES_MS / 1e3, SHARED_FIGURES_MS / 1e3);
    follower->again.data = follower->tell.data = follower;
    return follower;
}

void follower_close(struct follower *follower)
{
    if (!follower)
        return;
    ev_timer_stop(follower->options.loop, &follower->again);
    ev_timer_stop(follower->options.loop, &follower->tell);
    look_up_drop(follower->look_up);
    rpc_connection_close(follower->connection);
    gather_free(follower->gather);
    free(follower->pack.bytes);
    free(follower);
}

/* ---- with a world ---- */

/* Who starts late has all that the scenario broke so far due at once: what was mended by hand comes behind it. */
static void catch_up(struct follower *follower)
{
    struct world *world = follower->world;
    world_follow(world, &follower->first.world, world_now(world));
    world_turn(world, world_now(world), UINT_MAX);
    course_follow(world, &follower->faults_followed, &follower->first, world_now(world));
}

void follower_begin(struct follower *follower, struct world *world, int64_t (*now)(void *owner))
{
    follower->world = world;
    follower->now = now;
    follower->gather = gather_new(world);
    if (follower->has_first)
        catch_up(follower);
    ev_timer_start(follower->options.loop, &follower->tell);
    if (follower->finishing)
        follower->options.finish(follower->options.owner);
}

bool follower_set_fault(struct follower *follower, const struct fault_spec *fault)
{
    struct pack *pack = fresh(follower);
    rpc_request(pack, ID_FAULT, "fault");
    course_write_fault(pack, fault);
    return follower->connection && follower->joined && rpc_connection_send(follower->connection, pack);
}

static void tell_verdicts(struct follower *follower)
{
    struct pack *pack = fresh(follower);
    rpc_response(pack, follower->finish, NULL);
    if (!gather_verdicts(follower->world, pack))
        pack_nil(pack);
    rpc_connection_send(follower->connection, pack);
}

/* Until what was written has left. */
static void drain(struct follower *follower, const ev_timer *limit)
{
    while (follower->connection && rpc_connection_waiting(follower->connection) && ev_is_active(limit))
        ev_run(follower->options.loop, EVRUN_ONCE);
}

static void on_limit(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)watcher;
    (void)events;
    ev_break(loop, EVBREAK_ONE);
}

void follower_finish(struct follower *follower)
{
    struct ev_loop *loop = follower->options.loop;
    ev_timer limit;
    if (follower->refused || !follower->connection)
        return;
    ev_timer_init(&limit, on_limit, FINISH_LIMIT_S, 0);
    ev_timer_start(loop, &limit);
    ev_timer_stop(loop, &follower->tell);
    follower->told_all = false;
    tell_figures(follower);
    while (follower->connection && ev_is_active(&limit) && !(follower->told_all && !follower->telling)) {
        ev_run(loop, EVRUN_ONCE);
        if (!follower->told_all)
            tell_figures(follower);
    }
    if (follower->connection && follower->finishing) {
        tell_verdicts(follower);
    } else if (follower->connection) {
        struct pack *pack = fresh(follower);
        rpc_notice(pack, "leave");
        pack_nil(pack);
        rpc_connection_send(follower->connection, pack);
    }
    drain(follower, &limit);
    ev_timer_stop(loop, &limit);
}
