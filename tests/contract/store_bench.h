/*
 * store_bench: one world on either store - the model in virtual time, or a real PostgreSQL in real time - so that a
 * test can expect the same of both.
 *
 * The world has an asker, whose statements go through a pool, and the store itself, which can be asked directly.
 */
#ifndef TESTS_CONTRACT_STORE_BENCH_H
#define TESTS_CONTRACT_STORE_BENCH_H

#include "edges/pg_store.h"
#include "tests/actors/shop_world.h"
#include "tests/contract/pg_server.h"

#include <ev.h>

struct store_bench {
    struct toy toy;
    const struct pg_server *server; /* NULL: the model */
    struct pg_store *store;
    struct ev_loop *loop;
    ev_timer tick;
    int64_t zero_ns; /* monotonic */
    int64_t turned_ns,
        late_ns; /* in real time: the last turn, and the longest between two, which 1 ms should be */
};

/* `server` NULL: the model. What differs from shop_stores goes into bench->toy.scenario before bench_open. The asker's
   pool has 3 connections, and 400 ms for who waits for one. */
void bench_begin(struct store_bench *bench, const struct pg_server *server);
void bench_open(struct store_bench *bench);
void bench_end(struct store_bench *bench); /* and finishes the world, once */
void bench_finish(struct store_bench *bench); /* the world, before its end */

/* JSON as shop_pack reads it. Straight to the store, with a limit of 60 s; the token. */
uint64_t bench_ask(struct store_bench *bench, enum shop_statement statement, const char *json);
/* By a route of the asker: "POST /reserve" gives up after 200 ms, "POST /patient" does not. */
uint64_t bench_through(struct store_bench *bench, const char *route, const char *json);
/* Lets time pass until it is answered; fails the test after 20 s. */
const struct toy_answer *bench_wait(struct store_bench *bench, uint64_t token);
void bench_pass(struct store_bench *bench, int64_t span_ns);
/* Both. */
const struct toy_answer *bench_get(struct store_bench *bench, enum shop_statement statement,
                                   const char *json);

/* An answer's figures, and its result behind them. */
struct bench_figures {
    int64_t rows, plan, active, cpu_us, lock_us;
    struct cursor result;
};
struct bench_figures bench_figures(const struct toy_answer *answer);

#endif
