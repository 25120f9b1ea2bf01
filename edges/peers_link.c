/* The connections to others: looking names up, connecting, greeting, and coming back. */
#include "edges/look_up.h"
#include "edges/peers_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/draw.h"

#define LOOK_AGAIN_S 5.0 /* for copies that have come or gone */
#define LOOK_POLL_S 0.05
enum { PURPOSE_JITTER = 0x9ee };

/* ---- asks that have left ---- */

uint32_t peers_asked_id(const struct peer_asked *asked)
{
    return asked->item.generation << 16 | asked->item.slot;
}

struct peer_asked *peers_asked_find(struct peers *peers, const struct peer_link *link, uint32_t id)
{
    uint32_t slot = id & 0xffff;
    struct peer_asked *asked = slot < peers->asked.count ? slab_at(&peers->asked, slot) : NULL;
    return asked && asked->link == link && peers_asked_id(asked) == id ? asked : NULL;
}

void peers_asked_end(struct peers *peers, struct peer_asked *asked, const struct outbound_answer *answer)
{
    struct outbound_answer whole = *answer;
    whole.token = asked->token;
    slab_give(&peers->asked, asked);
    world_answer(peers->world, &whole, peers->options.now(peers->options.owner));
}

/* Nobody will answer these any more. */
static void lose_asked(struct peer_link *link)
{
    struct peers *peers = link->peers;
    for (uint32_t slot = 0; slot < peers->asked.count; slot++) {
        struct peer_asked *asked = slab_at(&peers->asked, slot);
        if (!asked || asked->link != link)
            continue;
        peers->tally.lost++;
        peers_asked_end(peers, asked, &(struct outbound_answer){.status = STATUS_NO_PEER});
    }
}

/* ---- a link's life ---- */

static void try_again(struct peer_link *link)
{
    struct peers *peers = link->peers;
    int64_t most_ms = PEER_AGAIN_FIRST_MS;
    for (uint32_t i = 0; i < link->attempts && most_ms < PEER_AGAIN_MOST_MS; i++)
        most_ms *= 2;
    link->attempts++;
    uint64_t key = peers->options.run.run ^ (uint64_t)(uintptr_t)link->place->service;
    double share = draw_uniform(draw(key, link->attempts, PURPOSE_JITTER, 0).a);
    ev_timer_set(&link->again, (double)MIN(most_ms, PEER_AGAIN_MOST_MS) / 1e3 * (0.5 + share / 2), 0);
    ev_timer_start(peers->options.loop, &link->again);
}

static void went_down(struct peer_link *link)
{
    link->connection = NULL;
    link->state = LINK_DOWN;
    lose_asked(link);
    if (link->listed)
        try_again(link);
    else
        link->used = false;
}

static void drop(struct peer_link *link)
{
    struct rpc_connection *connection = link->connection;
    link->connection = NULL;
    rpc_connection_close(connection);
    went_down(link);
}

static void on_opened(void *owner)
{
    struct peer_link *link = owner;
    struct pack *pack = peers_pack(link->peers);
    link->state = LINK_GREETING;
    peers_write_greeting(link->peers, pack, 0);
    rpc_connection_send(link->connection, pack);
}

/* Refusals are told once: both sides can be looked at then. */
static void greeted(struct peer_link *link, const struct rpc_frame *frame)
{
    char shown[RPC_SHOWN_BYTES];
    if (!frame->error.at) {
        link->state = LINK_READY;
        link->attempts = 0;
        link->told = false;
        return;
    }
    if (!link->told)
        fprintf(stderr, "doorbuster: %s at %s:%u will not serve this process: %s\n",
                link->place->address->service, link->place->address->host, link->place->address->port,
                rpc_shown(frame->error, shown));
    link->told = true;
    drop(link);
}

/* Another copy is asked from now on; what it was asked it answers. */
static void let_leave(struct peer_link *link)
{
    struct pack *pack = peers_pack(link->peers);
    link->state = LINK_LEAVING;
    rpc_notice(pack, "left");
    pack_nil(pack);
    rpc_connection_send(link->connection, pack);
}

static void on_message(void *owner, const struct rpc_frame *frame)
{
    struct peer_link *link = owner;
    struct peers *peers = link->peers;
    if (frame->kind == RPC_NOTICE && slice_is(frame->method, "leave") && link->state == LINK_READY)
        let_leave(link);
    if (frame->kind != RPC_RESPONSE)
        return;
    if (link->state == LINK_GREETING) {
        greeted(link, frame);
        return;
    }
    struct peer_asked *asked = peers_asked_find(peers, link, frame->id);
    if (!asked)
        return;
    struct outbound_answer answer = {0};
    if (!peers_read_answer(frame, &answer))
        answer = (struct outbound_answer){.status = STATUS_FAILED};
    peers_asked_end(peers, asked, &answer);
}

static void on_closed(void *owner, const char *why)
{
    (void)why;
    went_down(owner);
}

int peers_connect(const struct sockaddr_storage *at)
{
    int fd = socket(at->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t len = at->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (fd < 0 || connect(fd, (const struct sockaddr *)at, len) == 0 || errno == EINPROGRESS)
        return fd;
    int problem = errno;
    close(fd);
    errno = problem;
    return -1;
}

static void link_connect(struct peer_link *link)
{
    const struct rpc_owner owner = {
        .opened = on_opened, .message = on_message, .closed = on_closed, .owner = link};
    int fd = peers_connect(&link->at);
    if (fd < 0) {
        try_again(link);
        return;
    }
    link->state = LINK_CONNECTING;
    link->connection = rpc_connection_open(link->peers->options.loop, fd, true, &owner);
}

static void on_again(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    struct peer_link *link = watcher->data;
    if (link->listed)
        link_connect(link);
    else
        link->used = false;
}

/* ---- names ---- */

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr *b)
{
    if (a->ss_family != b->sa_family)
        return false;
    if (b->sa_family == AF_INET)
        return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
               ((const struct sockaddr_in *)(const void *)b)->sin_addr.s_addr;
    return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
                  &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr, sizeof(struct in6_addr)) == 0;
}

static void add_link(struct peer_place *place, const struct addrinfo *found)
{
    struct peer_link *at = NULL;
    for (size_t i = 0; i < PEER_COPIES_MAX; i++) {
        struct peer_link *link = &place->links[i];
        if (link->used && same_address(&link->at, found->ai_addr)) {
            link->listed = true;
            return;
        }
        if (!at && !link->used)
            at = link;
    }
    if (!at || found->ai_addrlen > sizeof at->at)
        return;
    *at = (struct peer_link){.peers = place->peers, .place = place, .used = true, .listed = true};
    memcpy(&at->at, found->ai_addr, found->ai_addrlen);
    ev_timer_init(&at->again, on_again, 0, 0);
    at->again.data = at;
    link_connect(at);
}

/* Of a name that was given one address counts, and each time another one; of one found by default each is a copy. Links of
   addresses that are no more listed stay as long as they are connected. */
static void take_addresses(struct peer_place *place, const struct addrinfo *list)
{
    for (size_t i = 0; i < PEER_COPIES_MAX; i++)
        place->links[i].listed = false;
    if (!place->address->resolves)
        list = look_up_nth(list, place->tried++);
    for (const struct addrinfo *found = list; found; found = found->ai_next) {
        if (found->ai_family != AF_INET && found->ai_family != AF_INET6)
            continue;
        add_link(place, found);
        if (!place->address->resolves)
            return;
    }
}

bool peers_someone_there(const struct peer_place *place)
{
    for (size_t i = 0; i < PEER_COPIES_MAX; i++)
        if (place->links[i].used && place->links[i].state == LINK_READY)
            return true;
    return false;
}

static void on_look(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)events;
    struct peer_place *place = watcher->data;
    double now = ev_now(loop), since = now - place->looked_at;
    struct addrinfo *found;
    if (!place->look_up) {
        if (since >= LOOK_AGAIN_S || (!peers_someone_there(place) && since >= PEER_AGAIN_MOST_MS / 1e3))
            place->look_up = look_up_begin(place->address->host, place->address->port);
        return;
    }
    if (!look_up_done(place->look_up, &found))
        return;
    place->look_up = NULL;
    place->looked_at = now;
    if (!found)
        return;
    if (place->address->resolves || !peers_someone_there(place))
        take_addresses(place, found);
    freeaddrinfo(found);
}

static void open_place(struct peer_place *place)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char port[8];
    snprintf(port, sizeof port, "%u", place->address->port);
    ev_timer_init(&place->look, on_look, 0, LOOK_POLL_S);
    place->look.data = place;
    if (getaddrinfo(place->address->host, port, &hints, &found) == 0) {
        take_addresses(place, found); /* a number: there is nothing to look up */
        freeaddrinfo(found);
        return;
    }
    place->looked_at = -LOOK_AGAIN_S;
    ev_timer_start(place->peers->options.loop, &place->look);
}

/* ---- all of them ---- */

static uint16_t service_of(const struct peers *peers, const char *service)
{
    const struct registry *registry = peers->options.registry;
    uint16_t index = 0;
    while (strcmp(registry->kinds[index]->service, service) != 0)
        index++;
    return index;
}

/* Whom the steps of a kind ask; whoever drives load may ask any service that a stream names. */
static bool asks(const struct actor_kind *kind, const struct actor_kind *other)
{
    if (kind->drives_load)
        return !other->store;
    for (const struct route *route = kind->routes; !kind->store && route && route->name; route++)
        for (size_t i = 0; i < ROUTE_STEPS_MAX && route->steps[i].kind != STEP_END; i++) {
            const struct step *step = &route->steps[i];
            if ((step->kind == STEP_ASK && strcmp(step->to, other->service) == 0) ||
                (step->kind == STEP_QUERY && other->store && strcmp(other->store, "postgresql") == 0) ||
                (step->kind == STEP_CACHE && other->store && strcmp(other->store, "redis") == 0))
                return true;
            if (step->kind == STEP_REPLY && !step->when)
                break;
        }
    return false;
}

void peers_find_asked(struct peers *peers)
{
    const struct registry *registry = peers->options.registry;
    const bool *hosts = peers->options.placement->hosts;
    for (size_t to = 0; to < registry->kind_count; to++)
        for (size_t i = 0; i < registry->kind_count && !hosts[to]; i++)
            peers->asks[to] |= hosts[i] && asks(registry->kinds[i], registry->kinds[to]);
}

void peers_links_open(struct peers *peers)
{
    const struct placement *placement = peers->options.placement;
    peers->places = base_alloc(placement->address_count, sizeof *peers->places);
    for (size_t i = 0; i < placement->address_count; i++) {
        uint16_t service = service_of(peers, placement->addresses[i].service);
        if (!peers->asks[service])
            continue;
        struct peer_place *place = &peers->places[peers->place_count++];
        place->peers = peers;
        place->address = &placement->addresses[i];
        place->service = service;
        open_place(place);
    }
}

void peers_links_close(struct peers *peers)
{
    for (size_t p = 0; p < peers->place_count; p++) {
        struct peer_place *place = &peers->places[p];
        ev_timer_stop(peers->options.loop, &place->look);
        look_up_drop(place->look_up);
        for (size_t i = 0; i < PEER_COPIES_MAX; i++) {
            ev_timer_stop(peers->options.loop, &place->links[i].again);
            rpc_connection_close(place->links[i].connection);
        }
    }
    free(peers->places);
}

/* One that has said that it leaves and is still there does not mean it: it is greeted anew. */
void peers_links_sweep(struct peers *peers)
{
    for (size_t p = 0; p < peers->place_count; p++)
        for (size_t i = 0; i < PEER_COPIES_MAX; i++) {
            struct peer_link *link = &peers->places[p].links[i];
            bool leaves = link->used && link->state == LINK_LEAVING;
            link->leaving_s = leaves ? link->leaving_s + 1 : 0;
            if (link->leaving_s > 2 * PEER_LEAVING_MS / 1000)
                drop(link);
        }
}

struct peer_link *peers_link_for(struct peers *peers, uint16_t service)
{
    struct peer_link *ready[PLACEMENT_ADDRESSES_MAX * PEER_COPIES_MAX];
    unsigned count = 0;
    for (size_t p = 0; p < peers->place_count; p++)
        for (size_t i = 0; peers->places[p].service == service && i < PEER_COPIES_MAX; i++)
            if (peers->places[p].links[i].used && peers->places[p].links[i].state == LINK_READY)
                ready[count++] = &peers->places[p].links[i];
    return count ? ready[peers->turn[service]++ % count] : NULL;
}
