/* far: asks that come from another process, and the course that processes share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/core/far_toy.h"

/* ---- what comes ---- */

static void an_ask_from_another_process_is_served(void **state)
{
    (void)state;
    far_open(only_shelf);
    struct far_ask ask = far_good_ask(SHELF, 0, UINT64_MAX);
    far_ask_here(&ask);
    toy_run_until(&toy, MS(100));
    assert_int_equal(edge.answer_count, 1);
    assert_true(edge.answers[0].token == UINT64_MAX);
    assert_int_equal(edge.answers[0].status, STATUS_OK);
    assert_int_equal(edge.answers[0].number, 42);
    const struct span *server = toy_span(&toy, "GET /item/{id}", 0);
    assert_true(server->trace_hi == 1 && server->trace_lo == 2 && server->parent == 3);
    assert_true(server->id == span_child_id(7, 3, 1)); /* as if it had come by mailbox */
    assert_int_equal(toy_attr_number(&server->attrs, ATTR_DEMO_MINUTE), 1);
    assert_string_equal(toy_attr_text(&server->attrs, ATTR_DEMO_PHASE), "two");
    assert_int_equal(toy.answer_count, 0);
    toy_end(&toy);
}

static void a_served_ask_has_its_deadline(void **state)
{
    (void)state;
    far_open(only_shelf);
    struct far_ask ask = far_good_ask(SHELF, 0, 1), none = far_good_ask(SHELF, 0, 2),
                   late = far_good_ask(SHELF, 0, 3);
    ask.limit_ns = MS(40);
    none.limit_ns = 0;
    late.limit_ns = NEVER;
    far_ask_here(&ask);
    far_ask_here(&none);
    far_ask_here(&late);
    toy_run_until(&toy, MS(40));
    assert_int_equal(edge.answer_count, 2);
    assert_true(edge.answers[0].token == 2 && edge.answers[0].status == STATUS_DEADLINE);
    assert_int_equal(edge.answers[1].token, 1);
    assert_true(status_failed(edge.answers[1].status));
    toy_run_until(&toy, MS(100));
    assert_true(edge.answers[2].token == 3 && edge.answers[2].status == STATUS_OK);
    toy_end(&toy);
}

static void routes_that_a_service_does_not_have_are_not_found(void **state)
{
    (void)state;
    static const bool all_but_front[FAR_SERVICES] = {[DRIVER] = true, [SHELF] = true, [DATABASE] = true};
    far_open(all_but_front);
    world_stop_traffic(toy.world);
    struct far_ask ask = far_good_ask(SHELF, 2, 1), worse = far_good_ask(SHELF, UINT16_MAX, 2),
                   journey = far_good_ask(DRIVER, 0, 3); /* nobody's to ask */
    far_ask_here(&ask);
    far_ask_here(&worse);
    far_ask_here(&journey);
    toy_run_until(&toy, 0);
    assert_int_equal(edge.answer_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(edge.answers[i].status, STATUS_NOT_FOUND);
    assert_int_equal(toy.span_count, 0);
    toy_end(&toy);
}

static void the_impossible_is_refused_and_costs_nothing(void **state)
{
    (void)state;
    far_open(shop);
    struct far_ask asks[20];
    size_t count = 0;
    for (; count < ARRAY_LEN(asks); count++)
        asks[count] = far_good_ask(count < 3 ? DATABASE : SHELF, 0, count);
    asks[0].route = TOY_STATEMENTS;
    asks[1].route = UINT16_MAX;
    asks[2].from = FAR_SERVICES;
    asks[3].to = FAR_SERVICES;
    asks[4].to = UINT16_MAX;
    asks[5].to = FRONT; /* not hosted here */
    asks[6].from = OUTSIDE;
    asks[7].from = MESSAGE_FAR;
    asks[8].body_len = BODY_BYTES_MAX + 1;
    asks[9].trace_state.len = BODY_BYTES_MAX + 1;
    asks[10].limit_ns = -1;
    asks[11].limit_ns = INT64_MIN;
    asks[12].context.stream = 1;
    asks[13].context.stream = STREAM_OUTSIDE - 1;
    asks[14].context.phase = 2;
    asks[15].context.phase = UINT8_MAX;
    asks[16].context.demo_minute = -2;
    asks[17].context.root_ms = -2;
    asks[18].context.depth = UINT8_MAX;
    asks[19].context.depth = UINT8_MAX - 8;
    int64_t now_ns = world_now(toy.world);
    for (size_t i = 0; i < count; i++)
        if (world_far_ask(toy.world, &asks[i], S(1000)))
            fail_msg("ask %zu is taken", i);
    struct world_leftovers left = world_leftovers(toy.world);
    assert_int_equal(left.messages + left.bodies + left.calls + left.queries, 0);
    assert_int_equal(world_now(toy.world), now_ns); /* nor can it move the clock */
    assert_int_equal(edge.answer_count, 0);
    toy_end(&toy);
}

static void a_statement_from_afar_is_run_and_can_be_cancelled(void **state)
{
    (void)state;
    far_open(only_database);
    toy.scenario.postgresql.cancel_on_deadline = true;
    struct far_ask ask = far_good_ask(DATABASE, 0, 9);
    ask.body = "\x93\xa1x\x64\x00"; /* 100 ms */
    ask.body_len = 5;
    ask.from = SHELF;
    far_ask_here(&ask);
    toy_run_until(&toy, MS(99));
    assert_int_equal(edge.answer_count, 0);
    world_far_cancel(toy.world, FAR_SERVICES, DATABASE, 9, MS(99)); /* these say nothing that could be */
    world_far_cancel(toy.world, SHELF, FAR_SERVICES, 9, MS(99));
    world_far_cancel(toy.world, SHELF, FRONT, 9, MS(99));
    world_far_cancel(toy.world, SHELF, DATABASE, 10, MS(99));
    toy_run_until(&toy, MS(99));
    assert_int_equal(edge.answer_count, 0);
    world_far_cancel(toy.world, SHELF, DATABASE, 9, MS(99));
    toy_run_until(&toy, MS(99));
    assert_int_equal(edge.answer_count, 1);
    assert_true(edge.answers[0].token == 9 && edge.answers[0].status == STATUS_DEADLINE);
    toy_run(&toy);
    assert_int_equal(edge.answer_count, 1);
    toy_end(&toy);
}

static void a_full_mailbox_answers_at_once(void **state)
{
    (void)state;
    far_open(only_shelf);
    toy.world->actors[SHELF].mailbox.asks_max = 2;
    for (uint64_t i = 0; i < 3; i++) {
        struct far_ask ask = far_good_ask(SHELF, 0, i);
        far_ask_here(&ask);
    }
    assert_int_equal(edge.answer_count, 1);
    assert_true(edge.answers[0].token == 2 && edge.answers[0].status == STATUS_OVERLOADED);
    assert_int_equal(world_stats(toy.world)->mailbox_refused, 1);
    toy_run(&toy);
    assert_int_equal(edge.answer_count, 3);
    toy_end(&toy);
}

/* ---- the course ---- */

static void one_that_comes_later_begins_later(void **state)
{
    (void)state;
    memset(&edge, 0, sizeof edge);
    toy_begin(&toy, far_kinds, FAR_SERVICES);
    toy.options.hosts = only_shelf;
    toy.options.begin_ns = S(90);
    toy.scenario.fault_count = 1;
    toy.scenario.faults[0] = (struct fault_spec)FAULT(S(30), FAULT_SERVICE_SLOW, "shelf", 2);
    toy_open(&toy, 7);
    assert_int_equal(world_now(toy.world), S(90));
    assert_int_equal(world_demo_at(toy.world), S(90));
    world_turn(toy.world, S(90), UINT32_MAX);
    assert_int_equal(toy.world->actors[SHELF].slow, 2); /* what came before it has come */
    toy_run(&toy);
    assert_int_equal(world_now(toy.world), toy.scenario.duration_ns);
    toy_end(&toy);
}

static void a_course_says_where_the_timeline_lies_and_counts_faults(void **state)
{
    (void)state;
    far_open(NULL);
    struct world_course course = world_course(toy.world);
    assert_true(course.zero_ns == 0 && course.from_ns == 0 && course.duration_ns == MIN_(2));
    struct fault_spec fault = {.kind = FAULT_SERVICE_SLOW, .target = "shelf", .value = 2};
    assert_int_equal(world_set_fault(toy.world, &fault, 0), STATUS_OK);
    assert_int_equal(world_set_fault(toy.world, &fault, 0), STATUS_OK);
    assert_int_equal(world_course(toy.world).faults_set, 2);
    assert_true(world_stop_demo(toy.world));
    assert_true(world_course(toy.world).zero_ns == NEVER);
    toy_end(&toy);
}

static void a_course_is_followed(void **state)
{
    (void)state;
    toy_begin(&toy, far_kinds, FAR_SERVICES);
    toy.options.hosts = only_shelf;
    toy.options.demo_waits = true;
    toy_open(&toy, 7);
    assert_true(world_course(toy.world).zero_ns == NEVER);
    struct world_course course = {.zero_ns = S(5), .from_ns = S(1), .duration_ns = S(50)};
    world_follow(toy.world, &course, S(20));
    struct world_course followed = world_course(toy.world);
    assert_true(followed.zero_ns == S(5) && followed.from_ns == S(1) && followed.duration_ns == S(50));
    assert_int_equal(world_demo_at(toy.world), S(15));
    world_follow(toy.world, &course, S(21)); /* nothing new */
    assert_int_equal(world_demo_at(toy.world), S(16));
    course.zero_ns = NEVER;
    world_follow(toy.world, &course, S(30));
    assert_true(world_course(toy.world).zero_ns == NEVER);
    assert_true(world_demo_at(toy.world) < 0);
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ask_from_another_process_is_served),
        cmocka_unit_test(a_served_ask_has_its_deadline),
        cmocka_unit_test(routes_that_a_service_does_not_have_are_not_found),
        cmocka_unit_test(the_impossible_is_refused_and_costs_nothing),
        cmocka_unit_test(a_statement_from_afar_is_run_and_can_be_cancelled),
        cmocka_unit_test(a_full_mailbox_answers_at_once),
        cmocka_unit_test(one_that_comes_later_begins_later),
        cmocka_unit_test(a_course_says_where_the_timeline_lies_and_counts_faults),
        cmocka_unit_test(a_course_is_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
