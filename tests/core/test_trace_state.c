/* A tracestate from outside: on every span of its trace, however late, and held no longer than that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/parts.h"
#include "tests/core/toy_world.h"

#define STEPS(...) ((const struct step[]){__VA_ARGS__})

enum { LATE_MS = 500, FRONT = 0, RUNS = 50 };

static const char state_text[] = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE";

/* ---- front asks shelf, whose query takes longer than the route waits for it ---- */

static void late(struct call *call, struct pack *body)
{
    (void)call;
    pack_array(body, 3);
    pack_text(body, "electronics");
    pack_int(body, LATE_MS);
    pack_int(body, 0);
}

static const struct actor_kind front = {
    .service = "front",
    .port = 1,
    .routes = (const struct route[]){
        {.name = "GET /slow", .steps = STEPS(ASK("shelf", "GET /limited"), REPLY(STATUS_OK, NULL))}, {0}}};
static const struct actor_kind shelf = {
    .service = "shelf",
    .port = 2,
    .pools = {{"things", 1, 2000}},
    .routes = (const struct route[]){
        {.name = "GET /limited",
         .steps = STEPS(QUERY("things", "lookup", .limit_ms = 300, .body = late), REPLY(STATUS_OK, NULL))},
        {0}}};
static const struct actor_kind *const kinds[] = {&front, &shelf, &toy_database};

static struct {
    uint64_t trace_lo;
    unsigned with, without, late;
} seen;

/* What a span says of its tracestate is read while the sink has it: it is not the test's later. */
static void on_span(void *owner, const struct span *span)
{
    (void)owner;
    if (span->trace_lo != seen.trace_lo) {
        assert_null(span->state);
        assert_false(span->joined);
        seen.without++;
        return;
    }
    assert_non_null(span->state);
    assert_int_equal(span->state->len, strlen(state_text));
    assert_memory_equal(span->state->bytes, state_text, strlen(state_text));
    assert_true(span->joined);
    seen.with++;
    seen.late += span->late;
}

static void open_toy(struct toy *toy)
{
    memset(&seen, 0, sizeof seen);
    seen.trace_lo = 0x2222;
    toy_begin(toy, kinds, ARRAY_LEN(kinds));
    toy_open(toy, 1);
    toy->world->sink = (struct sink){.span = on_span};
}

/* Its bytes are gone when the call returns. */
static void join(struct toy *toy, bool joins)
{
    char bytes[sizeof state_text];
    memcpy(bytes, state_text, sizeof bytes);
    struct world_request request = {.service = FRONT,
                                    .body = "\x90",
                                    .body_len = 1,
                                    .limit_ns = S(10),
                                    .joins = joins,
                                    .trace_hi = 0x1111,
                                    .trace_lo = seen.trace_lo,
                                    .parent = 0x3333,
                                    .flags = 1,
                                    .trace_state = {bytes, (uint32_t)strlen(bytes)}};
    world_request(toy->world, &request, world_now(toy->world));
    memset(bytes, '!', sizeof bytes);
}

/* ---- facts ---- */

static void it_is_on_every_span_of_its_trace(void **state)
{
    (void)state;
    struct toy toy;
    open_toy(&toy);
    join(&toy, true);
    toy_run_until(&toy, MS(LATE_MS - 1));
    /* Both services have answered; the statement runs on. */
    assert_int_equal(seen.with, 5);
    assert_int_equal(world_leftovers(toy.world).calls, 0);
    assert_int_equal(world_leftovers(toy.world).queries, 1);
    toy_run(&toy);
    assert_int_equal(seen.with, 6);
    assert_int_equal(seen.late, 1);
    assert_int_equal(seen.without, 0);
    assert_int_equal(world_leftovers(toy.world).bodies, 0);
    toy_end(&toy);
}

static void other_traces_have_none(void **state)
{
    (void)state;
    struct toy toy;
    open_toy(&toy);
    join(&toy, false);
    toy_ask(&toy, "front", "GET /slow", NULL, S(10));
    toy_run(&toy);
    assert_int_equal(seen.with, 0);
    assert_true(seen.without > 6);
    toy_end(&toy);
}

/* Many at once, one after the other, and a world that ends in their midst: nothing is left over. */
static void it_is_given_back(void **state)
{
    (void)state;
    struct toy toy;
    open_toy(&toy);
    for (int i = 0; i < RUNS; i++)
        join(&toy, true);
    toy_run(&toy);
    assert_int_equal(world_leftovers(toy.world).bodies, 0);
    for (int i = 0; i < RUNS; i++) {
        join(&toy, true);
        toy_run_until(&toy, world_now(toy.world) + S(1));
        assert_int_equal(world_leftovers(toy.world).bodies, 0);
    }
    join(&toy, true);
    toy_run_until(&toy, world_now(toy.world) + MS(10));
    assert_true(world_leftovers(toy.world).bodies > 0);
    world_free(toy.world); /* the sanitizer looks for what it has kept */
    toy_open(&toy, 1);
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_on_every_span_of_its_trace),
        cmocka_unit_test(other_traces_have_none),
        cmocka_unit_test(it_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
