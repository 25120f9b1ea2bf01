#include "tests/edges/peer_bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/parts.h"

#define STEPS(...) ((const struct step[]){__VA_ARGS__})

struct bench bench;

/* ---- actors ---- */

static void say_number(struct call *call, struct pack *body)
{
    struct cursor request = call_request(call);
    cursor_array(&request);
    pack_array(body, 1);
    pack_int(body, cursor_int(&request) + 1);
}

static void say_much(struct call *call, struct pack *body)
{
    static const char much[BODY_BYTES_MAX];
    (void)call;
    pack_text_len(body, much, sizeof much - 5);
}

static void pass(struct call *call, struct pack *body)
{
    const struct body *request = call_request_body(call);
    pack_raw(body, request->bytes, request->len);
}

static void as_long_as_asked(struct call *call, struct pack *body)
{
    struct cursor request = call_request(call);
    cursor_array(&request);
    int64_t ms = cursor_int(&request);
    pack_array(body, 3);
    pack_text(body, "things");
    pack_int(body, ms);
    pack_int(body, 0);
}

static void keep(struct call *call, const struct answer *answer)
{
    call_keep(call, answer->raw);
}

static void kept(struct call *call, struct pack *body)
{
    pack_raw(body, call_kept(call)->bytes, call_kept(call)->len);
}

static const struct actor_kind driver = {
    .service = "driver",
    .port = 8010,
    .drives_load = true,
    .routes =
        (const struct route[]){{.name = "visit", .steps = STEPS(ASK("front", "GET /ask"), END())}, {0}}};
static const struct actor_kind front = {
    .service = "front",
    .port = 8000,
    .routes = (const struct route[]){
        {.name = "GET /ask",
         .takes = "id:int",
         .steps = STEPS(ASK("shelf", "GET /item/{id}", .limit_ms = 1000, .body = pass, .then = keep),
                        REPLY(STATUS_OK, kept))},
        {.name = "GET /slow",
         .takes = "id:int",
         .steps = STEPS(ASK("shelf", "GET /slow", .limit_ms = 5000, .body = pass, .then = keep),
                        REPLY(STATUS_OK, kept))},
        {.name = "GET /much",
         .takes = "id:int",
         .steps = STEPS(ASK("shelf", "GET /much", .body = pass), REPLY(STATUS_OK, pass))},
        {.name = "GET /send-much",
         .takes = "id:int",
         .steps = STEPS(ASK("shelf", "GET /item/{id}", .body = say_much), REPLY(STATUS_OK, pass))},
        {0}}};
static const struct actor_kind shelf = {
    .service = "shelf",
    .port = 8001,
    .work = {S(2), S(2)},
    .pools = {{"things", 1, 2000}},
    .routes = (const struct route[]){
        {.name = "GET /item/{id}", .takes = "id:int", .steps = STEPS(REPLY(STATUS_OK, say_number))},
        {.name = "GET /slow", .takes = "id:int", .steps = STEPS(WORK(), REPLY(STATUS_OK, say_number))},
        {.name = "GET /much", .takes = "id:int", .steps = STEPS(REPLY(STATUS_OK, say_much))},
        {.name = "GET /query",
         .takes = "ms:int",
         .steps = STEPS(QUERY("things", "lookup", .limit_ms = 300, .body = as_long_as_asked),
                        REPLY(STATUS_OK, say_number))},
        {0}}};
static const struct actor_kind *const kinds[BENCH_SERVICES] = {&driver, &front, &shelf, &toy_database};

/* ---- the whole ---- */

static void on_tick(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events;
}

int64_t bench_now(void *owner)
{
    (void)owner;
    return bench.now_ns;
}

void bench_begin(void)
{
    bench = (struct bench){.loop = ev_loop_new(EVFLAG_AUTO),
                           .registry = {.kinds = kinds,
                                        .kind_count = BENCH_SERVICES,
                                        .statements = toy_statements,
                                        .statement_count = TOY_STATEMENTS}};
    bench.scenario = (struct scenario){
        .name = "bench",
        .duration_ns = MIN_(10),
        .phases = {{.name = "all"}},
        .phase_count = 1,
        .postgresql = {.cores = 1, .max_connections = 100, .database = "toys", .host = "toy-box"}};
    bench.pack.bytes = base_alloc(BODY_BYTES_MAX, 1);
    ev_timer_init(&bench.tick, on_tick, 0.001, 0.001);
    ev_timer_start(bench.loop, &bench.tick);
}

void bench_end(void)
{
    for (size_t i = 0; i < NODES_MAX; i++)
        node_close(bench.nodes[i]);
    ev_timer_stop(bench.loop, &bench.tick);
    assert_int_equal(ev_pending_count(bench.loop), 0);
    ev_loop_destroy(bench.loop);
    free(bench.pack.bytes);
}

void bench_turn(void)
{
    ev_run(bench.loop, EVRUN_ONCE);
    for (size_t i = 0; i < NODES_MAX; i++)
        if (bench.nodes[i] && bench.nodes[i]->world)
            world_turn(bench.nodes[i]->world, bench.now_ns, UINT_MAX);
}

void bench_settle(void)
{
    for (int i = 0; i < 30; i++)
        bench_turn();
}

struct pack *bench_pack(void)
{
    bench.pack.len = 0;
    bench.pack.overflow = false;
    return &bench.pack;
}

/* ---- nodes ---- */

static void on_answer(void *owner, uint64_t token, enum status status, const struct body *body)
{
    struct node *node = owner;
    struct cursor cursor = cursor_of(body);
    cursor_array(&cursor);
    assert_in_range(node->answer_count, 0, NODE_ANSWERS_MAX - 1);
    node->answers[node->answer_count].token = token;
    node->answers[node->answer_count].status = status;
    node->answers[node->answer_count++].number = cursor_int(&cursor);
}

static void on_far_ask(void *owner, const struct far_ask *ask)
{
    peers_ask(((struct node *)owner)->peers, ask);
}

static void on_far_cancel(void *owner, uint64_t token)
{
    peers_cancel(((struct node *)owner)->peers, token);
}

static void on_far_answer(void *owner, uint64_t token, enum status status, const struct body *body)
{
    peers_answer(((struct node *)owner)->peers, token, status, body);
}

static void address_of(char address[static 20], unsigned place)
{
    unsigned pid = (unsigned)getpid();
    snprintf(address, 20, "127.%u.%u.%u", 1 + pid / 250 % 250, 1 + pid % 250, place + 1);
}

static void place(struct node *node, const struct node_wish *wish)
{
    struct placement *placement = &node->placement;
    placement->spread = true;
    memcpy(placement->hosts, wish->hosts, sizeof wish->hosts);
    for (size_t i = 0; i < ARRAY_LEN(wish->asks) && (wish->asks[i].service || wish->asks[i].place); i++) {
        struct peer_address *address = &placement->addresses[placement->address_count++];
        const struct actor_kind *kind = kinds[wish->asks[i].service];
        address->service = kind->service;
        address_of(address->host, wish->asks[i].place);
        address->port = placement_port(kind);
    }
}

void node_world(struct node *node)
{
    struct world_options options = {.scenario = &bench.scenario,
                                    .registry = &bench.registry,
                                    .seed = 7,
                                    .hosts = node->placement.hosts,
                                    .begin_ns = bench.now_ns,
                                    .sink = {.owner = node,
                                             .answer = on_answer,
                                             .far_ask = on_far_ask,
                                             .far_cancel = on_far_cancel,
                                             .far_answer = on_far_answer}};
    node->world = world_new(&options);
    peers_serve(node->peers, node->world);
}

struct node *node_open(unsigned at, const struct node_wish *wish)
{
    struct text error = {0};
    struct node *node = base_alloc(1, sizeof *node);
    assert_null(bench.nodes[at]);
    node->place = at;
    address_of(node->address, at);
    place(node, wish);
    struct peers_options options = {.loop = bench.loop,
                                    .placement = &node->placement,
                                    .registry = &bench.registry,
                                    .address = node->address,
                                    .run = {.version = BENCH_VERSION, .scenario = BENCH_SCENARIO},
                                    .now = bench_now,
                                    .joins = wish->joins,
                                    .owner = wish->owner};
    node->peers = peers_open(&options, &error);
    if (!node->peers)
        fail_msg("%s", text_c(&error));
    text_fini(&error);
    if (!wish->no_world)
        node_world(node);
    if (!wish->run_unknown)
        peers_know(node->peers, BENCH_RUN);
    bench.nodes[at] = node;
    return node;
}

void node_close(struct node *node)
{
    if (!node)
        return;
    peers_close(node->peers);
    if (node->world)
        world_free(node->world);
    bench.nodes[node->place] = NULL;
    free(node);
}

size_t node_request(struct node *node, uint16_t service, const char *route, int64_t number)
{
    const struct route *routes = kinds[service]->routes;
    size_t r = 0;
    while (strcmp(routes[r].name, route) != 0)
        r++;
    struct pack *pack = bench_pack();
    pack_array(pack, 1);
    pack_int(pack, number);
    struct world_request request = {.service = service,
                                    .route = r,
                                    .body = pack->bytes,
                                    .body_len = pack->len,
                                    .limit_ns = S(60),
                                    .token = node->asked++};
    world_request(node->world, &request, bench.now_ns);
    return request.token;
}

/* ---- raw ---- */

struct raw *raw_take(int fd)
{
    struct raw *raw = base_alloc(1, sizeof *raw);
    assert_true(fd >= 0);
    raw->fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return raw;
}

static struct sockaddr_in port_of(unsigned at, uint16_t service)
{
    char text[20];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(placement_port(kinds[service]))};
    address_of(text, at);
    assert_int_equal(inet_pton(AF_INET, text, &address.sin_addr), 1);
    return address;
}

struct raw *raw_connect(const struct node *node, uint16_t service)
{
    struct sockaddr_in at = port_of(node->place, service);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return raw_take(fd);
}

void raw_close(struct raw *raw)
{
    close(raw->fd);
    free(raw);
}

void raw_write(struct raw *raw, const void *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t wrote = send(raw->fd, (const char *)bytes + done, len - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (wrote < 0 && errno != EAGAIN)
            return; /* it was closed: what is read says so */
        done += wrote > 0 ? (size_t)wrote : 0;
        if (wrote < 0)
            bench_turn();
    }
}

void raw_send(struct raw *raw, const struct pack *pack)
{
    assert_false(pack->overflow);
    raw_write(raw, pack->bytes, pack->len);
}

static void drop_first(struct raw *raw, size_t len)
{
    raw->len -= len;
    memmove(raw->in, raw->in + len, raw->len);
}

bool raw_has_message(struct raw *raw, struct rpc_frame *frame)
{
    static unsigned char whole[RPC_FRAME_BYTES_MAX];
    for (;;) {
        struct rpc_scan scan = {0};
        if (rpc_scan(&scan, raw->in, raw->len) == RPC_WHOLE) {
            memcpy(whole, raw->in, scan.at);
            drop_first(raw, scan.at);
            assert_true(rpc_read(frame, whole, scan.at));
            if (frame->kind != RPC_NOTICE || !slice_is(frame->method, "ping"))
                return true;
            continue;
        }
        ssize_t got = recv(raw->fd, raw->in + raw->len, sizeof raw->in - raw->len, MSG_DONTWAIT);
        if (got <= 0)
            return false;
        raw->len += (size_t)got;
    }
}

struct rpc_frame raw_read(struct raw *raw)
{
    struct rpc_frame frame;
    UNTIL(raw_has_message(raw, &frame));
    return frame;
}

bool raw_is_closed(struct raw *raw)
{
    struct rpc_frame frame;
    unsigned char byte;
    if (raw_has_message(raw, &frame))
        fail_msg("a message where nothing was to come");
    ssize_t got = recv(raw->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
    return got == 0 || (got < 0 && errno != EAGAIN);
}

void raw_greet(struct raw *raw, const char *version, uint64_t scenario, uint64_t run)
{
    struct pack *pack = bench_pack();
    rpc_request(pack, 1, "greet");
    pack_array(pack, 4);
    pack_int(pack, PEER_PROTOCOL);
    pack_text(pack, version);
    pack_int(pack, (int64_t)scenario);
    pack_int(pack, (int64_t)run);
    raw_send(raw, pack);
}

void raw_ask_body(struct raw *raw, uint32_t id, const char *method, int64_t limit_us, const void *body,
                  size_t len)
{
    static const int64_t context[] = {1, 2, 3, 1, 2, 1, -1, 0, 0, 0, 0};
    struct pack *pack = bench_pack();
    rpc_request(pack, id, method);
    pack_array(pack, 15);
    pack_text(pack, "front");
    pack_int(pack, limit_us);
    for (size_t i = 0; i < ARRAY_LEN(context); i++)
        pack_int(pack, context[i]);
    pack_text(pack, "");
    pack_raw(pack, body, len);
    raw_send(raw, pack);
}

void raw_ask(struct raw *raw, uint32_t id, const char *method, int64_t limit_us, int64_t number)
{
    unsigned char bytes[16];
    struct pack body = {.bytes = bytes};
    pack_array(&body, 1);
    pack_int(&body, number);
    raw_ask_body(raw, id, method, limit_us, body.bytes, body.len);
}

int raw_listen(unsigned at, uint16_t service)
{
    struct sockaddr_in address = port_of(at, service);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 16), 0);
    return fd;
}

static bool try_accept(int listener, int *fd)
{
    struct timeval none = {0};
    fd_set one;
    FD_ZERO(&one);
    FD_SET(listener, &one);
    if (select(listener + 1, &one, NULL, NULL, &none) != 1)
        return false;
    *fd = accept(listener, NULL, NULL);
    return *fd >= 0;
}

struct raw *raw_accept(int listener)
{
    int fd = -1;
    UNTIL(try_accept(listener, &fd));
    return raw_take(fd);
}
