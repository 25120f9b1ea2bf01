/*
 * peer_bench: several processes of a toy run within one - each a world and its peers - on one loop, over real sockets.
 *
 * driver visits front, which asks shelf, which runs statements of toy_database. Time in the worlds passes when the test
 * says so (bench.now_ns); the loop's goes by itself, and nobody sleeps: UNTIL turns loop and worlds until something is so.
 * Every node listens at an address of its own, 127.x.y.(place + 1), of which x and y are the process's: tests that run at
 * the same time never meet.
 *
 * `struct raw` is the other end of a connection in the hands of the test, which writes bytes and reads messages.
 */
#ifndef TESTS_EDGES_PEER_BENCH_H
#define TESTS_EDGES_PEER_BENCH_H

#include "edges/peers_parts.h"
#include "tests/core/toy_world.h"

enum {
    DRIVER,
    FRONT,
    SHELF,
    DATABASE,
    BENCH_SERVICES,
    NODES_MAX = 4,
    NODE_ANSWERS_MAX = 64,
    TURNS_MAX = 20000
};

#define BENCH_VERSION "1.2.3"
enum { BENCH_SCENARIO = 77, BENCH_RUN = 99 };

#define UNTIL(condition)                                                                                     \
    for (int turns_ = 0; !(condition); turns_++) {                                                           \
        if (turns_ == TURNS_MAX)                                                                             \
            fail_msg("line %d: it never comes to %s", __LINE__, #condition);                                 \
        bench_turn();                                                                                        \
    }

/* How a node is to be; what is 0 is as the others have it. */
struct node_wish {
    bool hosts[BENCH_SERVICES];
    struct {
        uint16_t service;
        unsigned place;
    } asks[4]; /* where it finds others, up to the first that is all 0 */
    bool run_unknown, no_world;
    bool (*joins)(void *owner, struct rpc_connection *connection, const struct rpc_frame *first);
    void *owner;
};

struct node {
    unsigned place;
    char address[20];
    struct placement placement;
    struct world *world;
    struct peers *peers;
    struct {
        uint64_t token;
        enum status status;
        int64_t number; /* that the body begins with; 0: none */
    } answers[NODE_ANSWERS_MAX];
    size_t answer_count;
    uint64_t asked;
};

struct bench {
    struct ev_loop *loop;
    ev_timer tick;
    int64_t now_ns;
    struct scenario scenario;
    struct registry registry;
    struct node *nodes[NODES_MAX];
    struct pack pack;
};

extern struct bench bench;

void bench_begin(void);
void bench_end(void); /* with all nodes */
/* What the loop has to do, for a millisecond at most; then all that is due in the worlds. */
void bench_turn(void);
void bench_settle(void); /* a few turns, for what is not to happen */
int64_t bench_now(void *owner);
struct pack *bench_pack(void); /* empty */

struct node *node_open(unsigned place, const struct node_wish *wish);
void node_close(struct node *node);
void node_world(struct node *node); /* for one that was opened without */
/* A request for a service that is hosted there; its body is (number). The place of its answer among answers. */
size_t node_request(struct node *node, uint16_t service, const char *route, int64_t number);

struct raw {
    int fd;
    size_t len;
    unsigned char in[2 * RPC_FRAME_BYTES_MAX];
};

/* Connects to the peer port of a service of that node. */
struct raw *raw_connect(const struct node *node, uint16_t service);
struct raw *raw_take(int fd);
void raw_close(struct raw *raw);
void raw_write(struct raw *raw, const void *bytes, size_t len);
void raw_send(struct raw *raw, const struct pack *pack);
/* The next message that is no ping; turns until it is there. It is good until the next call. */
struct rpc_frame raw_read(struct raw *raw);
/* Whether one is there; never waits. */
bool raw_has_message(struct raw *raw, struct rpc_frame *frame);
bool raw_is_closed(struct raw *raw); /* by the other side, and nothing is left to read */
void raw_greet(struct raw *raw, const char *version, uint64_t scenario, uint64_t run);
/* From front; the body is (number), or those bytes. */
void raw_ask_body(struct raw *raw, uint32_t id, const char *method, int64_t limit_us, const void *body,
                  size_t len);
void raw_ask(struct raw *raw, uint32_t id, const char *method, int64_t limit_us, int64_t number);
/* A listener in the place of a node's service. */
int raw_listen(unsigned place, uint16_t service);
struct raw *raw_accept(int listener); /* turns until somebody comes */

#endif
