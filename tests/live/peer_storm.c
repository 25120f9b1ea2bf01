/*
 * A storm of frames against the peer ports of a run on 127.0.0.1: random bytes, random MessagePack, greetings, asks,
 * cancellations and joins, whole and mutated.
 *
 *     peer_storm FRAMES SEED LOAD_PORT PORT[,PORT...] SCENARIO [SETTING...]
 *
 * It learns the run at the load generator's peer port, as a process that joins does, and leaves again; so its greetings are good.
 * Each connection gets a batch at a time and is heard before the next, or is made anew when it was cut: what is under way
 * stays far below any bound of the shop, so nobody else has to notice. Asks have next to no time left.
 * Ends with 1 when a port does not answer any more, or cuts off who has said nothing wrong; else tells in one line of
 * JSON what became of the frames.
 */
#include "core/draw.h"
#include "edges/peers.h"
#include "edges/registry.h"
#include "edges/shared_run.h"
#include "edges/version.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    PORTS_MAX = 16,
    CONNECTIONS_A_PORT = 3,
    BATCH = 40,
    CUT_BATCH = 6,
    SENTINEL = 0x5e471e1,
    LIMIT_MS = 5000,
    SILENT_MS = 1000,
    UNHEARD_MS = 5,
    RANDOM_BYTES_MAX = 300
};

struct link {
    uint16_t port;
    int fd; /* -1: none */
    bool greeted;
    int64_t said_at_ms; /* who is silent for two seconds is cut off */
    size_t len; /* of what has come, and was not looked at yet */
    unsigned char in[RPC_FRAME_BYTES_MAX];
};

static struct {
    struct link links[PORTS_MAX * CONNECTIONS_A_PORT];
    size_t link_count;
    uint64_t seed, drawn, scenario, run;
    uint64_t frames, connected, cut, answers;
} storm;

static unsigned char bytes[BODY_BYTES_MAX];
static struct pack pack = {.bytes = bytes};

static uint64_t chance(uint64_t below)
{
    return draw(storm.seed, storm.drawn++, 1, 0).a % below;
}

static _Noreturn void give_up(const char *what, uint16_t port)
{
    fprintf(stderr, "peer_storm: port %u: %s after %llu frames\n", port, what,
            (unsigned long long)storm.frames);
    exit(EXIT_FAILURE);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct pack *fresh(void)
{
    pack.len = 0;
    pack.overflow = false;
    return &pack;
}

/* ---- connections ---- */

static int connect_to(uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
        give_up(strerror(errno), port);
    storm.connected++;
    return fd;
}

static void drop(struct link *link)
{
    close(link->fd);
    link->fd = -1;
    link->len = 0;
    storm.cut++;
}

static void send_bytes(struct link *link, const void *at, size_t len)
{
    for (size_t done = 0; link->fd >= 0 && done < len;) {
        ssize_t wrote = send(link->fd, (const char *)at + done, len - done, MSG_NOSIGNAL);
        if (wrote < 0 && errno != EINTR)
            drop(link);
        done += wrote > 0 ? (size_t)wrote : 0;
    }
}

/* A whole message that has come. It is good until more is read. */
static bool take_message(struct link *link, struct rpc_frame *frame)
{
    static unsigned char whole[RPC_FRAME_BYTES_MAX];
    struct rpc_scan scan = {0};
    enum rpc_scanned scanned = rpc_scan(&scan, link->in, link->len);
    if (scanned == RPC_MORE)
        return false;
    if (scanned == RPC_BAD || !rpc_read(frame, link->in, scan.at))
        give_up("what it says is no message", link->port);
    memcpy(whole, link->in, scan.at);
    ASSERT(rpc_read(frame, whole, scan.at));
    link->len -= scan.at;
    memmove(link->in, link->in + scan.at, link->len);
    return true;
}

/* The response to a request of that id; false: it was cut off. */
static bool hear(struct link *link, uint32_t id, struct rpc_frame *frame)
{
    while (link->fd >= 0) {
        if (take_message(link, frame)) {
            storm.answers += frame->kind == RPC_RESPONSE;
            if (frame->kind == RPC_RESPONSE && frame->id == id)
                return true;
            continue;
        }
        struct pollfd readable = {.fd = link->fd, .events = POLLIN};
        if (poll(&readable, 1, LIMIT_MS) == 0)
            give_up("it says nothing for five seconds", link->port);
        ssize_t got = recv(link->fd, link->in + link->len, sizeof link->in - link->len, 0);
        if (got <= 0)
            drop(link);
        else
            link->len += (size_t)got;
    }
    return false;
}

/* ---- frames ---- */

static void write_random_bytes(void)
{
    size_t len = 1 + chance(RANDOM_BYTES_MAX);
    for (fresh(); pack.len < len;)
        bytes[pack.len++] = (unsigned char)chance(256);
}

static void write_random_value(unsigned depth)
{
    switch (chance(depth > 4 ? 5 : 7)) {
    case 0:
        pack_nil(&pack);
        break;
    case 1:
        pack_int(&pack, (int64_t)(chance(UINT64_MAX) >> chance(64)));
        break;
    case 2:
        pack_int(&pack, -(int64_t)(chance(UINT64_MAX) >> (1 + chance(63))));
        break;
    case 3:
        pack_real(&pack, (double)chance(1000) / 8);
        break;
    case 4:
        pack_text_len(&pack, "cart-1 electronics 12345", chance(24));
        break;
    default:
        for (uint32_t left = (uint32_t)chance(6), n = left + 1; n--;) {
            if (n == left)
                pack_array(&pack, left);
            else
                write_random_value(depth + 1);
        }
    }
}

/* Of the right shape, for whoever looks no further. */
static void write_random_message(void)
{
    static const char *const methods[] = {"greet", "join",  "cancel", "ready", "figures",
                                          "fault", "leave", "ping",   ""};
    const char *method = methods[chance(ARRAY_LEN(methods))];
    fresh();
    if (chance(4) == 0)
        rpc_notice(&pack, method);
    else if (chance(4) == 0)
        rpc_response(&pack, (uint32_t)chance(UINT32_MAX), chance(2) ? method : NULL);
    else
        rpc_request(&pack, (uint32_t)chance(1000), method);
    write_random_value(0);
}

static void write_greeting(bool good)
{
    rpc_request(fresh(), good ? SENTINEL : (uint32_t)chance(1000), "greet");
    pack_array(&pack, 4);
    pack_int(&pack, PEER_PROTOCOL);
    pack_text(&pack, version_number());
    pack_int(&pack, (int64_t)(storm.scenario ^ (good ? 0 : chance(2))));
    pack_int(&pack, (int64_t)(storm.run ^ (good ? 0 : chance(2))));
}

static void write_join(uint64_t scenario)
{
    rpc_request(fresh(), scenario == storm.scenario ? SENTINEL : (uint32_t)chance(1000), "join");
    pack_array(&pack, 6);
    pack_int(&pack, PEER_PROTOCOL);
    pack_text(&pack, version_number());
    pack_int(&pack, (int64_t)scenario);
    pack_int(&pack, 0);
    pack_int(&pack, (int64_t)shared_draw());
    pack_array(&pack, 1);
    pack_text(&pack, "ad-service");
}

static void write_ask(void)
{
    const struct actor_kind *kind = registry.kinds[chance(registry.kind_count)];
    struct text method = {0};
    size_t routes = 0;
    while (kind->routes && kind->routes[routes].name)
        routes++;
    text_str(&method, kind->service);
    text_char(&method, ' ');
    text_str(&method, routes ? kind->routes[chance(routes)].name
                             : registry.statements[chance(registry.statement_count)].name);
    rpc_request(fresh(), (uint32_t)chance(1000), text_c(&method));
    text_fini(&method);
    pack_array(&pack, 15);
    pack_text(&pack, registry.kinds[chance(registry.kind_count)]->service);
    pack_int(&pack, (int64_t)chance(20)); /* microseconds */
    for (int i = 0; i < 3; i++)
        pack_int(&pack, (int64_t)chance(UINT64_MAX));
    static const uint8_t below[] = {2, 9, 9, 2, 2, 20, 200, 4}; /* flags to traits */
    for (size_t i = 0; i < ARRAY_LEN(below); i++)
        pack_int(&pack, (int64_t)chance(below[i]) - (i == 3 || i == 5 || i == 6));
    pack_text_len(&pack, "a=1,b=2", chance(8));
    write_random_value(0);
}

static void write_cancel(void)
{
    rpc_notice(fresh(), "cancel");
    pack_array(&pack, 1);
    pack_int(&pack, (int64_t)chance(1000));
}

static void mutate(void)
{
    for (uint64_t flips = 1 + chance(4); flips; flips--)
        bytes[chance(pack.len)] = (unsigned char)chance(256);
    if (chance(16) == 0)
        pack.len = 1 + chance(pack.len);
}

/* Whole ones leave the connection in one piece, where it was greeted. */
static void write_frame(bool mutated)
{
    switch (chance(12)) {
    case 0:
        write_greeting(false);
        break;
    case 1:
    case 2:
        write_random_message();
        break;
    case 3:
        write_cancel();
        break;
    case 4:
        write_join(storm.scenario + 1 + chance(9)); /* never a good one, whatever becomes of it */
        break;
    case 5:
        if (mutated)
            write_random_bytes();
        else
            write_random_message();
        break;
    default:
        write_ask();
    }
    if (mutated && chance(2))
        mutate();
}

/* ---- the storm ---- */

static void greet(struct link *link)
{
    struct rpc_frame frame;
    write_greeting(true);
    send_bytes(link, bytes, pack.len);
    if (!hear(link, SENTINEL, &frame))
        give_up("it does not answer a good greeting", link->port);
    if (frame.error.at)
        give_up("it refuses a good greeting", link->port);
}

static void send_frames(struct link *link, uint64_t count, bool mutated)
{
    for (; count && link->fd >= 0; count--) {
        write_frame(mutated);
        send_bytes(link, bytes, pack.len);
        storm.frames++;
    }
}

/* Nothing that a frame may have claimed is more than this, and then it is no message: the other side closes. */
static void close_by_nonsense(struct link *link)
{
    struct rpc_frame frame;
    memset(bytes, 0xc0, sizeof bytes);
    send_bytes(link, bytes, sizeof bytes);
    while (link->fd >= 0 && hear(link, SENTINEL, &frame))
        continue;
}

static void send_batch(struct link *link, uint64_t count)
{
    struct rpc_frame frame;
    bool mutated = chance(3) == 0;
    if (link->fd >= 0 && now_ms() - link->said_at_ms > SILENT_MS)
        drop(link);
    if (link->fd < 0) {
        link->fd = connect_to(link->port);
        if (link->greeted)
            greet(link);
    }
    link->said_at_ms = now_ms();
    if (mutated || !link->greeted) /* what comes behind the frame that ends it is not read */
        count = MIN(count, (uint64_t)CUT_BATCH);
    send_frames(link, count, mutated);
    if (mutated) {
        close_by_nonsense(link);
        return;
    }
    rpc_request(fresh(), SENTINEL, "nowhere");
    pack_nil(&pack);
    send_bytes(link, bytes, pack.len);
    if (!hear(link, SENTINEL, &frame) && link->greeted && now_ms() - link->said_at_ms < SILENT_MS)
        give_up("it cuts off who said nothing wrong", link->port);
}

static void learn_run(uint16_t port)
{
    static struct link link;
    struct rpc_frame frame;
    struct shared_run run;
    link.port = port;
    link.fd = connect_to(port);
    write_join(storm.scenario);
    send_bytes(&link, bytes, pack.len);
    if (!hear(&link, SENTINEL, &frame) || frame.error.at || !shared_read_run(&frame.value, &run))
        give_up("it does not tell of its run", port);
    storm.run = run.run;
    rpc_notice(fresh(), "leave");
    pack_nil(&pack);
    send_bytes(&link, bytes, pack.len);
    drop(&link);
}

static void take_ports(const char *list)
{
    while (list) {
        for (int i = 0; i < CONNECTIONS_A_PORT && storm.link_count < ARRAY_LEN(storm.links); i++) {
            struct link *link = &storm.links[storm.link_count++];
            link->port = (uint16_t)strtoul(list, NULL, 10);
            link->fd = -1;
            link->greeted = i > 0;
        }
        const char *comma = strchr(list, ',');
        list = comma ? comma + 1 : NULL;
    }
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fputs("usage: peer_storm FRAMES SEED LOAD_PORT PORT[,PORT...] SCENARIO [SETTING...]\n", stderr);
        return EXIT_FAILURE;
    }
    uint64_t frames = strtoull(argv[1], NULL, 10);
    storm.seed = strtoull(argv[2], NULL, 10);
    if (!shared_scenario(&storm.scenario, argv[5], (const char *const *)(argv + 6), (size_t)argc - 6))
        give_up("the scenario cannot be read", 0);
    learn_run((uint16_t)strtoul(argv[3], NULL, 10));
    take_ports(argv[4]);
    for (size_t i = 0; storm.frames < frames; i = (i + 1) % storm.link_count)
        send_batch(&storm.links[i], MIN((uint64_t)BATCH, frames - storm.frames));
    for (size_t i = 0; i < storm.link_count; i++) { /* all of them still serve whoever is good */
        struct link *link = &storm.links[i];
        if (link->fd >= 0)
            drop(link);
        link->fd = connect_to(link->port);
        greet(link);
        drop(link);
    }
    printf("{\"frames\": %llu, \"connections\": %llu, \"cut\": %llu, \"answers\": %llu}\n",
           (unsigned long long)storm.frames, (unsigned long long)storm.connected,
           (unsigned long long)storm.cut, (unsigned long long)storm.answers);
    return EXIT_SUCCESS;
}
