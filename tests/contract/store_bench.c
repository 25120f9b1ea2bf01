#include "tests/contract/store_bench.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum { DATABASE = 1 /* its place among the kinds */ };

#define STEPS(...) ((const struct step[]){__VA_ARGS__})
#define WAIT_MAX S(20)

static void the_params(struct call *call, struct pack *body)
{
    struct cursor request = call_request(call);
    cursor_array(&request);
    struct slice raw = cursor_raw(&request);
    pack_raw(body, raw.at, raw.len);
}

static const struct actor_kind asker = {
    .service = "asker",
    .port = 1,
    .routes =
        (const struct route[]){
            {.name = "POST /reserve",
             .takes = "params:any",
             .steps = STEPS(QUERY("p", "stock_reserve", .limit_ms = 200, .body = the_params),
                            REPLY(STATUS_OK, NULL))},
            {.name = "POST /patient",
             .takes = "params:any",
             .steps = STEPS(QUERY("p", "stock_reserve", .body = the_params), REPLY(STATUS_OK, NULL))},
            {.name = "GET /recommendations",
             .takes = "params:any",
             .steps = STEPS(QUERY("p", "recommendations", .body = the_params), REPLY(STATUS_OK, NULL))},
            {.name = "GET /stock",
             .takes = "params:any",
             .steps = STEPS(QUERY("p", "stock_of", .body = the_params), REPLY(STATUS_OK, NULL))},
            {0}},
    .pools = {{"p", 3, 400}}};

static int64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t now_of(void *owner)
{
    const struct store_bench *bench = owner;
    return monotonic_ns() - bench->zero_ns;
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)timer;
    (void)events;
}

void bench_begin(struct store_bench *bench, const struct pg_server *server)
{
    memset(bench, 0, sizeof *bench);
    bench->server = server;
    shop_stores(&bench->toy, &asker);
    bench->toy.scenario.postgresql.max_connections = 100;
}

void bench_open(struct store_bench *bench)
{
    struct text error = {0};
    if (bench->server) {
        bench->loop = ev_loop_new(EVFLAG_AUTO);
        ev_timer_init(&bench->tick, on_tick, 0.001, 0.001);
        ev_timer_start(bench->loop, &bench->tick);
        bench->zero_ns = monotonic_ns();
        bench->store = pg_store_open(&(struct pg_store_options){.loop = bench->loop,
                                                                .conninfo = bench->server->conninfo,
                                                                .registry = &bench->toy.registry,
                                                                .scenario = &bench->toy.scenario,
                                                                .own = true,
                                                                .now = now_of,
                                                                .owner = bench},
                                     &error);
        if (!bench->store)
            fail_msg("%s", text_c(&error));
        bench->toy.kinds[DATABASE] = pg_store_kind(bench->store);
        bench->zero_ns = monotonic_ns();
    }
    toy_open(&bench->toy, 1);
}

void bench_finish(struct store_bench *bench)
{
    if (bench->store)
        assert_true(pg_store_finish(bench->store));
    world_finish(bench->toy.world);
}

void bench_end(struct store_bench *bench)
{
    toy_end(&bench->toy);
    pg_store_close(bench->store);
    if (!bench->loop)
        return;
    ev_timer_stop(bench->loop, &bench->tick);
    ev_loop_destroy(bench->loop);
}

static void turn(struct store_bench *bench)
{
    ev_run(bench->loop, EVRUN_ONCE);
    int64_t now_ns = now_of(bench);
    bench->late_ns = bench->turned_ns ? MAX(bench->late_ns, now_ns - bench->turned_ns) : 0;
    bench->turned_ns = now_ns;
    world_turn(bench->toy.world, now_ns, UINT_MAX);
}

void bench_pass(struct store_bench *bench, int64_t span_ns)
{
    int64_t until_ns = (bench->store ? now_of(bench) : world_now(bench->toy.world)) + span_ns;
    if (!bench->store)
        toy_run_until(&bench->toy, until_ns);
    while (bench->store && now_of(bench) < until_ns)
        turn(bench);
}

const struct toy_answer *bench_wait(struct store_bench *bench, uint64_t token)
{
    int64_t since_ns = bench->store ? now_of(bench) : world_now(bench->toy.world);
    while (!toy_answered(&bench->toy, token)) {
        if (bench->store) {
            turn(bench);
            if (now_of(bench) - since_ns > WAIT_MAX)
                fail_msg("no answer");
        } else {
            int64_t next_ns = world_next_at(bench->toy.world);
            if (next_ns - since_ns > WAIT_MAX)
                fail_msg("no answer");
            world_turn(bench->toy.world, next_ns, UINT_MAX);
        }
    }
    return toy_answer(&bench->toy, token);
}

static void catch_up(struct store_bench *bench)
{
    if (bench->store)
        world_turn(bench->toy.world, now_of(bench), UINT_MAX);
}

uint64_t bench_ask(struct store_bench *bench, enum shop_statement statement, const char *json)
{
    struct pack *params = toy_pack(&bench->toy);
    shop_pack(params, json);
    catch_up(bench);
    uint64_t token =
        toy_ask_index(&bench->toy, DATABASE, (size_t)statement, params->bytes, params->len, S(60));
    catch_up(bench);
    return token;
}

uint64_t bench_through(struct store_bench *bench, const char *route, const char *json)
{
    struct pack *body = toy_pack(&bench->toy);
    pack_array(body, 1);
    shop_pack(body, json);
    catch_up(bench);
    uint64_t token = toy_ask(&bench->toy, "asker", route, body, S(60));
    if (bench->store)
        catch_up(bench);
    else
        toy_run_until(&bench->toy, world_now(bench->toy.world));
    return token;
}

const struct toy_answer *bench_get(struct store_bench *bench, enum shop_statement statement, const char *json)
{
    return bench_wait(bench, bench_ask(bench, statement, json));
}

struct bench_figures bench_figures(const struct toy_answer *answer)
{
    struct bench_figures figures;
    assert_non_null(answer->body);
    figures.result = cursor_of(answer->body);
    assert_int_equal(cursor_array(&figures.result), 6);
    int64_t *const fields[] = {&figures.rows, &figures.plan, &figures.active, &figures.cpu_us,
                               &figures.lock_us};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        *fields[i] = cursor_int(&figures.result);
    assert_false(figures.result.bad);
    return figures;
}
