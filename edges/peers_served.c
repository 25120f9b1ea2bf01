#define _GNU_SOURCE /* accept4; NOLINT(cert-dcl51-cpp,bugprone-reserved-identifier) */
/* Those who ask us: listeners, their connections, their greetings, and what is being served. */
#include "edges/peers_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 128 };

static void accept_again(struct peers *peers);

/* ---- connections ---- */

static void forget_client(struct peer_client *client)
{
    struct peers *peers = client->peers;
    for (uint32_t slot = 0; client->under_way && slot < peers->served.count; slot++) {
        struct peer_served *served = slab_at(&peers->served, slot);
        if (!served || served->client != client)
            continue;
        served->client = NULL;
        client->under_way--;
    }
    if (client->previous)
        client->previous->next = client->next;
    else
        peers->clients = client->next;
    if (client->next)
        client->next->previous = client->previous;
    peers->client_count--;
    free(client);
    accept_again(peers);
}

static void on_closed(void *owner, const char *why)
{
    (void)why;
    forget_client(owner);
}

static void cut(struct peer_client *client)
{
    struct rpc_connection *connection = client->connection;
    forget_client(client);
    rpc_connection_close(connection);
}

static void respond(struct peer_client *client, const struct pack *pack)
{
    if (!rpc_connection_send(client->connection, pack))
        client->peers->tally.unheard++;
}

static void answer_at_once(struct peer_client *client, uint32_t id, enum status status)
{
    struct pack *pack = peers_pack(client->peers);
    peers_write_answer(pack, id, status, NULL);
    respond(client, pack);
}

/* ---- greetings, and the opposite ---- */

static void tell_leave(struct peer_client *client)
{
    struct pack *pack = peers_pack(client->peers);
    rpc_notice(pack, "leave");
    pack_nil(pack);
    respond(client, pack);
}

void peers_tell_leave(struct peers *peers)
{
    for (struct peer_client *client = peers->clients; client; client = client->next)
        if (client->greeted)
            tell_leave(client);
}

static void greet_back(struct peer_client *client, const char *why)
{
    struct pack *pack = peers_pack(client->peers);
    if (!why && client->run != client->peers->options.run.run)
        why = "another run: it belongs to another load-generator, or to an earlier start of it";
    rpc_response(pack, client->greeting, why);
    pack_nil(pack);
    client->greeted = !why;
    client->held = false;
    respond(client, pack);
    if (client->greeted && client->peers->leaving)
        tell_leave(client);
}

/* A process that does not know its run yet answers when it does. */
static void take_greeting(struct peer_client *client, const struct rpc_frame *frame)
{
    const char *why = peers_differ(client->peers, frame->value, &client->run);
    client->greeting = frame->id;
    client->held = !why && !client->peers->options.run.run;
    if (!client->held)
        greet_back(client, why);
}

void peers_greet_back(struct peers *peers)
{
    for (struct peer_client *client = peers->clients; client; client = client->next)
        if (client->held)
            greet_back(client, NULL);
}

/* ---- asks ---- */

static bool nobody_here(const struct peers *peers)
{
    return !peers->world ||
           (peers->leaving && ev_now(peers->options.loop) - peers->leaving_since > PEER_LEAVING_MS / 1e3);
}

static void serve(struct peer_client *client, const struct rpc_frame *frame)
{
    struct peers *peers = client->peers;
    const struct peer_method *method = peers_method(peers, frame->method);
    struct far_ask ask = {0};
    if (nobody_here(peers)) {
        answer_at_once(client, frame->id, STATUS_NO_PEER);
        return;
    }
    if (!method || !peers_read_ask(peers, frame->value, &ask)) {
        peers->tally.refused++;
        answer_at_once(client, frame->id, method ? STATUS_BAD_INPUT : STATUS_NOT_FOUND);
        return;
    }
    struct peer_served *served = slab_take(&peers->served);
    if (!served) {
        peers->tally.refused++;
        answer_at_once(client, frame->id, STATUS_OVERLOADED);
        return;
    }
    served->client = client;
    served->id = frame->id;
    served->from = ask.from;
    served->to = ask.to = method->to;
    served->cancelled = false;
    ask.route = method->route;
    ask.token = slab_handle(&served->item);
    client->under_way++;
    if (world_far_ask(peers->world, &ask, peers->options.now(peers->options.owner))) {
        peers->tally.served++;
        return;
    }
    client->under_way--;
    slab_give(&peers->served, served);
    peers->tally.refused++;
    answer_at_once(client, frame->id, STATUS_BAD_INPUT);
}

/* Few are under way, and fewer are given up. */
static void cancel(struct peer_client *client, struct cursor params)
{
    struct peers *peers = client->peers;
    cursor_array(&params);
    int64_t id = cursor_int(&params);
    for (uint32_t slot = 0; !params.bad && peers->world && slot < peers->served.count; slot++) {
        struct peer_served *served = slab_at(&peers->served, slot);
        if (!served || served->client != client || served->id != id || served->cancelled)
            continue;
        served->cancelled = true;
        world_far_cancel(peers->world, served->from, served->to, slab_handle(&served->item),
                         peers->options.now(peers->options.owner));
        return;
    }
}

void peers_answer(struct peers *peers, uint64_t token, enum status status, const struct body *body)
{
    struct peer_served *served = slab_find(&peers->served, token);
    if (!served)
        return;
    struct peer_client *client = served->client;
    uint32_t id = served->id;
    slab_give(&peers->served, served);
    if (!client) {
        peers->tally.unheard++;
        return;
    }
    client->under_way--;
    struct pack *pack = peers_pack(peers);
    peers_write_answer(pack, id, status, body);
    if (!pack->overflow) {
        respond(client, pack);
        return;
    }
    peers->tally.refused++; /* a body that leaves no room for its envelope */
    answer_at_once(client, id, STATUS_FAILED);
}

static void on_message(void *owner, const struct rpc_frame *frame)
{
    struct peer_client *client = owner;
    struct peers *peers = client->peers;
    if (client->greeted) {
        if (frame->kind == RPC_REQUEST)
            serve(client, frame);
        else if (frame->kind == RPC_NOTICE && slice_is(frame->method, "cancel"))
            cancel(client, frame->value);
        else if (frame->kind == RPC_NOTICE && slice_is(frame->method, "left"))
            client->left = true;
    } else if (frame->kind == RPC_REQUEST && slice_is(frame->method, "greet") && !client->held) {
        take_greeting(client, frame);
    } else if (peers->options.joins &&
               peers->options.joins(peers->options.owner, client->connection, frame)) {
        forget_client(client); /* its connection is somebody else's now */
    } else {
        peers->tally.refused++;
        cut(client);
    }
}

/* ---- listeners ---- */

void peers_take(struct peers *peers, int fd)
{
    struct peer_client *client = base_alloc(1, sizeof *client);
    client->peers = peers;
    client->next = peers->clients;
    if (client->next)
        client->next->previous = client;
    peers->clients = client;
    peers->client_count++;
    const struct rpc_owner owner = {.message = on_message, .closed = on_closed, .owner = client};
    client->connection = rpc_connection_open(peers->options.loop, fd, false, &owner);
}

static void accept_no_more(struct peers *peers)
{
    for (size_t i = 0; i < peers->listener_count; i++)
        ev_io_stop(peers->options.loop, &peers->listeners[i].io);
    peers->accepting = false;
}

static void accept_again(struct peers *peers)
{
    if (peers->accepting || peers->client_count >= PEER_CONNECTIONS_MAX)
        return;
    for (size_t i = 0; i < peers->listener_count; i++)
        ev_io_start(peers->options.loop, &peers->listeners[i].io);
    peers->accepting = true;
}

static void on_accept(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    struct peers *peers = watcher->data;
    int fd = accept4(watcher->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE)
            accept_no_more(peers); /* until the next sweep */
        return;
    }
    peers_take(peers, fd);
    if (peers->client_count >= PEER_CONNECTIONS_MAX)
        accept_no_more(peers);
}

/* A connection that never greets has no place here; one whose greeting waits for the run has. */
static void on_sweep(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    struct peers *peers = watcher->data;
    for (struct peer_client *client = peers->clients, *next; client; client = next) {
        next = client->next;
        if (!client->greeted && !client->held && ++client->idle_s > PEER_GREETING_S) {
            peers->tally.refused++;
            cut(client);
        }
    }
    peers_links_sweep(peers);
    accept_again(peers);
}

static int listen_at(const char *address, uint16_t port)
{
    char digits[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *at = NULL;
    snprintf(digits, sizeof digits, "%u", port);
    if (getaddrinfo(address, digits, &hints, &at) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (fd >= 0 && (bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0)) {
        int problem = errno;
        close(fd);
        errno = problem;
        fd = -1;
    }
    freeaddrinfo(at);
    return fd;
}

bool peers_listen(struct peers *peers, struct text *error)
{
    const struct registry *registry = peers->options.registry;
    const char *address = peers->options.address ? peers->options.address : "127.0.0.1";
    for (size_t i = 0; i < registry->kind_count; i++) {
        if (!peers->options.placement->hosts[i])
            continue;
        uint16_t port = placement_port(registry->kinds[i]);
        int fd = listen_at(address, port);
        if (fd < 0) {
            text_str(error, registry->kinds[i]->service);
            text_lit(error, ": its peers' port ");
            text_u64(error, port);
            text_lit(error, " of ");
            text_str(error, address);
            text_lit(error, ": ");
            text_str(error, strerror(errno));
            return false;
        }
        struct peer_listener *listener = &peers->listeners[peers->listener_count++];
        listener->fd = fd;
        ev_io_init(&listener->io, on_accept, fd, EV_READ);
        listener->io.data = peers;
    }
    ev_timer_init(&peers->sweep, on_sweep, 1, 1);
    peers->sweep.data = peers;
    ev_timer_start(peers->options.loop, &peers->sweep);
    accept_again(peers);
    return true;
}

void peers_served_close(struct peers *peers)
{
    ev_timer_stop(peers->options.loop, &peers->sweep);
    accept_no_more(peers);
    peers->accepting = true; /* nobody is to begin again */
    while (peers->clients)
        cut(peers->clients);
    for (size_t i = 0; i < peers->listener_count; i++)
        close(peers->listeners[i].fd);
}
