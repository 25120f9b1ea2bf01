/*
 * fuzz_rpc: whatever comes to a peer port, with the whole shop behind it.
 *
 * The first byte chooses: 1, a good greeting comes before the rest; 2, the rest comes in pieces of as many bytes as the
 * second byte says; 4, somebody conducts, so that `join` is taken. What is left is what somebody writes to the port. The world serves it for some
 * seconds of its own, and then holds nothing any more. It takes long to make and serves several inputs, unless somebody could
 * have set a fault.
 */
#include "edges/conductor.h"
#include "edges/peers_parts.h"
#include "edges/registry.h"
#include "edges/scenario_load.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* A world is a megabyte: freed memory is not to be kept up to the fuzzer's own limit. */
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=16";
}

enum {
    GREETED = 1,
    IN_PIECES = 2,
    CONDUCTED = 4,
    INPUT_BYTES_MAX = 256 * 1024,
    TURNS = 3,
    INPUTS_A_WORLD = 64
};
#define SERVED_S 120

static struct run {
    struct ev_loop *loop;
    struct placement placement;
    struct world *world;
    struct peers *peers;
    struct conductor *conductor;
    int far; /* the descriptor of whoever writes */
    int64_t now_ns;
    unsigned inputs; /* that the world has served */
} run;

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* ---- the one who is written to ---- */

static int64_t on_now(void *owner)
{
    (void)owner;
    return run.now_ns;
}

static bool on_join(void *owner, struct rpc_connection *connection, const struct rpc_frame *first)
{
    (void)owner;
    return run.conductor && conductor_joins(run.conductor, connection, first);
}

static void on_far_answer(void *owner, uint64_t token, enum status status, const struct body *body)
{
    (void)owner;
    peers_answer(run.peers, token, status, body);
}

static const struct scenario *scenario(void)
{
    static const char text[] = "doorbuster: 1\nname: fuzz\nstory: Nobody comes but strangers.\nduration: 5m\n"
                               "streams: {few: {journey: browse, rate: 1/min}}\nphases: [[0m, calm]]\n"
                               "postgresql: {cores: 8, products: 1000, scan: 1us}\n";
    static struct scenario *loaded;
    struct text errors = {0};
    if (!loaded)
        loaded = scenario_load_text("fuzz.yaml", text, sizeof text - 1, &registry, NULL, 0, &errors);
    if (!loaded)
        fputs(text_c(&errors), stderr);
    require(loaded);
    return loaded;
}

static void open_conductor(const struct peer_run *known)
{
    struct conductor_options options = {.loop = run.loop,
                                        .registry = &registry,
                                        .placement = &run.placement,
                                        .run = *known,
                                        .told = {.run = known->run, .duration_ns = NS_PER_MIN, .speed = 1},
                                        .quiet = true};
    run.conductor = conductor_open(&options);
    conductor_begin(run.conductor, run.world, &(struct shared_begin){.begins_unix_ns = 1}, on_now, NULL);
}

static void open_world(void)
{
    struct world_options options = {.scenario = scenario(),
                                    .registry = &registry,
                                    .seed = 1,
                                    .calls_max = 4096,
                                    .sink = {.far_answer = on_far_answer}};
    run.now_ns = 0;
    run.inputs = 0;
    run.world = world_new(&options);
    world_stop_traffic(run.world);
}

/* Nothing is listened at: nothing is placed here, as far as peers know. */
static void open_run(bool conducted)
{
    struct text error = {0};
    int pair[2];
    struct peers_options peers = {.loop = run.loop,
                                  .placement = &run.placement,
                                  .registry = &registry,
                                  .run = {.version = "1", .scenario = 1, .run = 1},
                                  .now = on_now,
                                  .joins = on_join};
    if (!run.world)
        open_world();
    run.peers = peers_open(&peers, &error);
    require(run.peers);
    peers_serve(run.peers, run.world);
    if (conducted)
        open_conductor(&peers.run);
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    run.far = pair[0];
    peers_take(run.peers, pair[1]);
}

static void close_run(void)
{
    bool last = run.conductor || ++run.inputs == INPUTS_A_WORLD;
    close(run.far);
    conductor_close(run.conductor);
    run.conductor = NULL;
    peers_close(run.peers);
    if (!last)
        return;
    world_free(run.world);
    run.world = NULL;
}

/* ---- the one who writes ---- */

static void turn(void)
{
    static unsigned char answers[RPC_FRAME_BYTES_MAX];
    ev_run(run.loop, EVRUN_NOWAIT);
    world_turn(run.world, run.now_ns, 10000);
    while (read(run.far, answers, sizeof answers) > 0)
        ;
}

/* False: it was cut off. */
static bool write_all(const void *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t wrote = send(run.far, (const char *)bytes + done, len - done, MSG_NOSIGNAL);
        if (wrote < 0 && errno != EAGAIN)
            return false;
        done += wrote > 0 ? (size_t)wrote : 0;
        if (wrote < 0)
            turn();
    }
    return true;
}

static bool greet(void)
{
    static const unsigned char greeting[] = "\x94\x00\x01\xa5greet\x94\x01\xa1"
                                            "1\x01\x01";
    bool written = write_all(greeting, sizeof greeting - 1);
    turn();
    return written;
}

static void write_in_pieces(const uint8_t *data, size_t size, size_t piece)
{
    for (size_t at = 0; at < size; at += piece) {
        if (!write_all(data + at, MIN(piece, size - at)))
            return;
        turn();
    }
}

/* However it is cut, it ends where it does, and what is read lies within. */
static void check_scan(const uint8_t *data, size_t size, size_t piece)
{
    struct rpc_scan whole = {0}, cut = {0};
    struct rpc_frame frame;
    enum rpc_scanned at_once = rpc_scan(&whole, data, size), scanned = RPC_MORE;
    for (size_t len = 0; scanned == RPC_MORE && len < size; len += piece)
        scanned = rpc_scan(&cut, data, MIN(len, size));
    if (scanned == RPC_MORE)
        scanned = rpc_scan(&cut, data, size);
    require(scanned == at_once);
    if (scanned != RPC_WHOLE)
        return;
    require(whole.at == cut.at && whole.at <= size && whole.at <= RPC_FRAME_BYTES_MAX);
    if (rpc_read(&frame, data, whole.at))
        require(frame.value.at > data && frame.value.end == data + whole.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > INPUT_BYTES_MAX)
        return 0;
    size_t piece = data[0] & IN_PIECES ? data[1] + 1u : size;
    if (!run.loop)
        run.loop = ev_loop_new(EVFLAG_AUTO);
    check_scan(data + 2, size - 2, piece);
    open_run(data[0] & CONDUCTED);
    if (!(data[0] & GREETED) || greet())
        write_in_pieces(data + 2, size - 2, piece);
    for (int i = 0; i < TURNS; i++)
        turn();
    shutdown(run.far, SHUT_WR);
    turn();
    turn();
    require(run.peers->client_count == 0);
    require(run.peers->served.live <= PEER_SERVED_MAX);
    for (int s = 0; s < SERVED_S && world_next_at(run.world) != NEVER; s++) {
        run.now_ns += NS_PER_S;
        turn();
    }
    require(run.peers->served.live == 0 && world_leftovers(run.world).calls == 0);
    close_run();
    return 0;
}
