/* far: asks that leave for another process, and what goes along with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/core/far_toy.h"

static const char state_text[] = "rojo=00f067aa0ba902b7";

static void an_ask_for_another_process_leaves_and_ends_with_its_answer(void **state)
{
    (void)state;
    far_open(only_front);
    uint64_t token = toy_ask(&toy, "front", "GET /ask", NULL, S(10));
    toy_run_until(&toy, MS(1));
    assert_int_equal(edge.ask_count, 1);
    const struct far_ask *ask = &edge.asks[0].ask;
    assert_int_equal(ask->from, FRONT);
    assert_int_equal(ask->to, SHELF);
    assert_int_equal(ask->route, 0);
    assert_int_equal(ask->limit_ns, S(1));
    assert_int_equal(ask->body_len, 2);
    assert_memory_equal(ask->body, "\x91\x2a", 2);
    assert_int_equal(ask->trace_state.len, 0);
    far_answer_now(ask->token, STATUS_OK, "\x91\x07");
    assert_int_equal(toy_answer(&toy, token)->status, STATUS_OK);
    assert_int_equal(toy_number(toy_answer(&toy, token)), 7);
    const struct span *client = toy_span(&toy, "GET /item/{id}", 0);
    assert_int_equal(client->id, ask->context.span);
    assert_int_equal(client->status, STATUS_OK);
    assert_int_equal(toy.span_count, 2); /* nothing of what is not hosted */
    toy_end(&toy);
}

static void its_deadline_ends_it_and_late_answers_are_counted(void **state)
{
    (void)state;
    far_open(only_front);
    uint64_t token = toy_ask(&toy, "front", "GET /ask", NULL, S(10));
    toy_run_until(&toy, S(1));
    assert_int_equal(toy_answer(&toy, token)->status, STATUS_UNAVAILABLE);
    assert_int_equal(toy_answer(&toy, token)->at_ns, S(1));
    assert_int_equal(toy_span(&toy, "GET /item/{id}", 0)->status, STATUS_DEADLINE);
    far_answer_now(edge.asks[0].ask.token, STATUS_OK, "\x91\x07");
    far_answer_now(edge.asks[0].ask.token, STATUS_OK, "\x91\x07");
    assert_int_equal(world_stats(toy.world)->late_replies, 2);
    assert_int_equal(toy.answer_count, 1);

    token = toy_ask(&toy, "front", "GET /ask", NULL, S(10));
    toy_run_until(&toy, S(2) - 1);
    far_answer_now(edge.asks[1].ask.token, STATUS_OK, "\x91\x08");
    far_answer_now(edge.asks[1].ask.token, STATUS_FAILED, NULL);
    assert_int_equal(toy_answer(&toy, token)->status, STATUS_OK);
    assert_int_equal(toy_number(toy_answer(&toy, token)), 8);
    assert_int_equal(world_stats(toy.world)->late_replies, 3);
    toy_end(&toy);
}

/* What is left is what the asker has left, and no limit is none. */
static void limits_travel(void **state)
{
    (void)state;
    far_open(only_front);
    toy_ask(&toy, "front", "GET /ask", NULL, MS(400));
    struct far_ask ask = far_good_ask(FRONT, 1, 5);
    ask.from = DRIVER;
    ask.limit_ns = NEVER;
    far_ask_here(&ask);
    toy_run_until(&toy, 0);
    assert_int_equal(edge.ask_count, 2);
    assert_int_equal(edge.asks[0].ask.limit_ns, MS(400));
    assert_true(edge.asks[1].ask.limit_ns == NEVER);
    far_answer_now(edge.asks[0].ask.token, STATUS_OK, "\x90");
    far_answer_now(edge.asks[1].ask.token, STATUS_OK, "\x90");
    assert_int_equal(edge.answer_count, 1);
    toy_end(&toy);
}

static void nobody_to_carry_it_is_no_peer(void **state)
{
    (void)state;
    far_open(only_front);
    void (*carry)(void *, const struct far_ask *) = toy.world->sink.far_ask;
    toy.world->sink.far_ask = NULL;
    uint64_t first = toy_ask(&toy, "front", "GET /ask", NULL, S(10));
    toy_run_until(&toy, 0);
    assert_int_equal(toy_answer(&toy, first)->status, STATUS_UNAVAILABLE);
    toy.world->sink.far_ask = carry;
    edge.at_once = STATUS_NO_PEER; /* answered from within the call */
    uint64_t second = toy_ask(&toy, "front", "GET /ask", NULL, S(10));
    toy_run_until(&toy, 0);
    assert_int_equal(toy_answer(&toy, second)->status, STATUS_UNAVAILABLE);
    assert_int_equal(world_stats(toy.world)->asks_ended[STATUS_NO_PEER], 2);
    assert_int_equal(toy_span_count(&toy, "GET /item/{id}"), 2);
    toy_end(&toy);
}

static uint64_t query_for(int64_t ms)
{
    struct pack *body = toy_pack(&toy);
    pack_array(body, 1);
    pack_int(body, ms);
    return toy_ask(&toy, "shelf", "GET /query", body, S(10));
}

/* rows, plan, active, cpu, lock wait, result */
#define FIGURES "\x96\x01\x00\x01\x00\x00\xa1t"

static void a_query_holds_its_connection_until_the_answer(void **state)
{
    (void)state;
    far_open(only_shelf);
    uint64_t first = query_for(10), second = query_for(10);
    toy_run_until(&toy, MS(20));
    assert_int_equal(edge.ask_count, 1); /* the pool has one connection */
    assert_int_equal(edge.asks[0].ask.to, DATABASE);
    far_answer_now(edge.asks[0].ask.token, STATUS_OK, FIGURES);
    assert_int_equal(toy_answer(&toy, first)->status, STATUS_FAILED); /* cut short: that is no result */
    assert_int_equal(edge.ask_count, 2);
    struct outbound_answer good = {
        .token = edge.asks[1].ask.token, .body = FIGURES, .body_len = sizeof FIGURES - 1};
    world_answer(toy.world, &good, world_now(toy.world));
    toy_run_until(&toy, MS(30));
    assert_int_equal(toy_answer(&toy, second)->status, STATUS_OK);
    assert_int_equal(world_stats(toy.world)->statements[0].runs, 1);
    assert_int_equal(edge.cancel_count, 0);
    toy_end(&toy);
}

static void a_query_that_is_given_up_is_cancelled_and_still_awaited(void **state)
{
    (void)state;
    far_open(only_shelf);
    uint64_t token = query_for(1000);
    toy_run_until(&toy, MS(300));
    assert_int_equal(toy_answer(&toy, token)->status, STATUS_UNAVAILABLE);
    assert_int_equal(edge.cancel_count, 1);
    assert_true(edge.cancelled == edge.asks[0].ask.token);
    assert_int_equal(world_leftovers(toy.world).connections, 1);
    query_for(10);
    toy_run_until(&toy, MS(310));
    assert_int_equal(edge.ask_count, 1);
    far_answer_now(edge.asks[0].ask.token, STATUS_NO_PEER, NULL); /* the database is lost meanwhile */
    assert_int_equal(edge.ask_count, 2);
    far_answer_now(edge.asks[1].ask.token, STATUS_NO_PEER, NULL);
    struct world_leftovers left = world_leftovers(toy.world);
    assert_int_equal(left.connections + left.queries + left.calls + left.bodies, 0);
    assert_int_equal(toy_span_count(&toy, "query execution"), 2);
    toy_end(&toy);
}

/* ---- what goes along ---- */

static void a_tracestate_goes_along(void **state)
{
    (void)state;
    far_open(only_front);
    char bytes[sizeof state_text];
    memcpy(bytes, state_text, sizeof bytes);
    struct far_ask ask = far_good_ask(FRONT, 0, 1);
    ask.from = DRIVER;
    ask.context.joined = true;
    ask.trace_state = (struct slice){bytes, (uint32_t)strlen(bytes)};
    far_ask_here(&ask);
    memset(bytes, 'x', sizeof bytes); /* it is copied */
    toy_run_until(&toy, 0);
    assert_int_equal(edge.ask_count, 1);
    assert_true(slice_is(edge.asks[0].ask.trace_state, state_text));
    assert_true(edge.asks[0].ask.context.joined);
    far_answer_now(edge.asks[0].ask.token, STATUS_OK, "\x90");
    assert_int_equal(world_leftovers(toy.world).bodies, 0);
    toy_end(&toy);
}

static void a_service_that_is_down_is_down_everywhere(void **state)
{
    (void)state;
    far_open(only_front);
    struct fault_spec down = {.kind = FAULT_SERVICE_DOWN, .target = "shelf"}, up = down, slow = down;
    up.kind = FAULT_SERVICE_UP;
    slow.kind = FAULT_SERVICE_SLOW;
    slow.value = 3;
    assert_int_equal(world_set_fault(toy.world, &down, 0), STATUS_OK);
    toy_ask(&toy, "front", "GET /ask", NULL, S(10));
    toy_run_until(&toy, 0);
    assert_int_equal(edge.ask_count, 0);
    assert_int_equal(world_stats(toy.world)->asks_ended[STATUS_NO_PEER], 1);
    assert_int_equal(world_set_fault(toy.world, &up, 0), STATUS_OK);
    assert_int_equal(world_set_fault(toy.world, &slow, 0), STATUS_OK);
    toy_ask(&toy, "front", "GET /ask", NULL, S(10));
    toy_run_until(&toy, 0);
    assert_int_equal(edge.ask_count, 1);
    far_answer_now(edge.asks[0].ask.token, STATUS_OK, "\x90");
    toy_end(&toy);

    far_open(only_shelf);
    assert_int_equal(world_set_fault(toy.world, &slow, 0), STATUS_OK);
    struct far_ask ask = far_good_ask(SHELF, 0, 1);
    far_ask_here(&ask);
    toy_run_until(&toy, MS(299));
    assert_int_equal(edge.answer_count, 0);
    toy_run_until(&toy, MS(300));
    assert_int_equal(edge.answer_count, 1);
    assert_int_equal(toy.log_count, 0); /* the load generator's process tells of it */
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ask_for_another_process_leaves_and_ends_with_its_answer),
        cmocka_unit_test(its_deadline_ends_it_and_late_answers_are_counted),
        cmocka_unit_test(limits_travel),
        cmocka_unit_test(nobody_to_carry_it_is_no_peer),
        cmocka_unit_test(a_query_holds_its_connection_until_the_answer),
        cmocka_unit_test(a_query_that_is_given_up_is_cancelled_and_still_awaited),
        cmocka_unit_test(a_tracestate_goes_along),
        cmocka_unit_test(a_service_that_is_down_is_down_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
