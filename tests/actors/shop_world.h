/*
 * shop_world: a toy world (tests/core/toy_world.h) of the whole shop, or of its stores and a kind of the
 * test's own.
 */
#ifndef TESTS_ACTORS_SHOP_WORLD_H
#define TESTS_ACTORS_SHOP_WORLD_H

#include "actors/shop/statements.h"
#include "tests/core/toy_world.h"

enum { SHOP_ROWS = 5000 };

extern const struct registry registry;
extern const struct actor_kind actor_postgresql, actor_redis;

/* As toy_begin, with the shop's statements and a database of SHOP_ROWS products: 8 cores, 1 us a row, no
   jitter. `extra` (may be NULL) is added to all the shop's kinds; shop_stores has the two stores alone. */
void shop_begin(struct toy *toy, const struct actor_kind *extra);
void shop_stores(struct toy *toy, const struct actor_kind *asker);

/* Writes msgpack from JSON's arrays, texts without escapes, numbers, true, false and null. */
void shop_pack(struct pack *pack, const char *json);
/* Asks a route with such a body and lets `wait_ns` pass; its answer. */
const struct toy_answer *shop_ask(struct toy *toy, const char *service, const char *route, const char *json,
                                  int64_t wait_ns);
/* The number that follows so many fields of an answer; fails the test when there is none. */
double shop_real(const struct toy_answer *answer, int skipped);
/* Sets a fault now. */
void shop_fault(struct toy *toy, enum fault_kind kind, const char *target, double value);
/* Whether the body is an array of the fields declared (core/shape.h). */
bool shop_fits(const char *declaration, const void *bytes, size_t len);

#endif
