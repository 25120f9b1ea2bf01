/* call: a route's steps one by one, how each kind of failure is answered, what a call keeps to itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/parts.h"
#include "tests/core/toy_world.h"

/* ---- back: answers in every way there is ---- */

static void say_done(struct call *call, struct pack *body)
{
    (void)call;
    pack_array(body, 1);
    pack_text(body, "done");
}

static void say_why(struct call *call, struct pack *body)
{
    (void)call;
    pack_array(body, 1);
    pack_text(body, "the back's own reason");
}

static void too_much(struct call *call, struct pack *body)
{
    static const char much[BODY_BYTES_MAX];
    (void)call;
    pack_array(body, 1);
    pack_text_len(body, much, sizeof much);
}

#define STEPS(...) ((const struct step[]){__VA_ARGS__})

static const struct route back_routes[] = {
    {.name = "GET /slow", .steps = STEPS(WORK(), REPLY(STATUS_OK, say_done))},
    {.name = "GET /ok", .steps = STEPS(REPLY(STATUS_OK, say_done))},
    {.name = "POST /made", .steps = STEPS(REPLY(STATUS_CREATED, say_done))},
    {.name = "GET /gone", .steps = STEPS(REPLY(STATUS_NOT_FOUND, say_why))},
    {.name = "GET /sold", .steps = STEPS(REPLY(STATUS_SOLD_OUT, say_why))},
    {.name = "GET /broken", .steps = STEPS(REPLY(STATUS_FAILED, say_why))},
    {.name = "GET /busy", .steps = STEPS(REPLY(STATUS_UNAVAILABLE, say_why))},
    {.name = "GET /full", .steps = STEPS(REPLY(STATUS_POOL_EXHAUSTED, say_why))},
    {.name = "GET /silent", .steps = STEPS(REPLY(STATUS_BAD_INPUT, NULL))},
    {.name = "GET /huge", .steps = STEPS(REPLY(STATUS_OK, too_much))},
    {.name = "GET /end", .steps = STEPS(WORK(), END())},
    {0},
};

static const struct actor_kind back = {
    .service = "back", .port = 1, .work = {MS(100), MS(100)}, .routes = back_routes};

/* ---- front: asks for it ---- */

static void own_words(struct call *call, struct pack *body)
{
    pack_array(body, 2);
    pack_text(body, "front's words");
    pack_int(body, call_failure(call));
}

static void see_outcome(struct call *call, const struct answer *answer)
{
    *(int *)call_locals(call) = (int)answer->status + 1;
}

static void tell_outcome(struct call *call, struct pack *body)
{
    pack_array(body, 1);
    pack_int(body, *(int *)call_locals(call));
}

static bool never(struct call *call)
{
    (void)call;
    return false;
}

static void end_early(struct call *call)
{
    call_reply(call, STATUS_CREATED, say_done);
}

static void pass_by(struct call *call)
{
    ++*(int *)call_locals(call);
}

/* Each asks the back's route of the same name, and answers what came of it. */
#define PLAIN(path)                                                                                          \
    {                                                                                                        \
        .name = path, .steps = STEPS(ASK("back", path), REPLY(STATUS_OK, say_done))                          \
    }
#define OUTCOME(path, of)                                                                                    \
    {                                                                                                        \
        .name = path, .steps = STEPS(ASK("back", of, .outcomes = true, .then = see_outcome),                 \
                                     REPLY(STATUS_OK, tell_outcome))                                         \
    }

static const struct route front_routes[] = {
    PLAIN("GET /ok"),
    PLAIN("POST /made"),
    PLAIN("GET /gone"),
    PLAIN("GET /sold"),
    PLAIN("GET /broken"),
    PLAIN("GET /busy"),
    PLAIN("GET /full"),
    PLAIN("GET /huge"),
    PLAIN("GET /nowhere"),
    OUTCOME("GET /outcome/ok", "GET /ok"),
    OUTCOME("GET /outcome/gone", "GET /gone"),
    OUTCOME("GET /outcome/sold", "GET /sold"),
    OUTCOME("GET /outcome/broken", "GET /broken"),
    {.name = "GET /words",
     .steps = STEPS(ASK("back", "GET /broken", .on_failure = own_words), REPLY(STATUS_OK, say_done))},
    {.name = "GET /status",
     .steps = STEPS(ASK("back", "GET /broken", .status = STATUS_UNAVAILABLE), REPLY(STATUS_OK, say_done))},
    {.name = "GET /optional",
     .steps = STEPS(ASK("back", "GET /broken", .optional = true, .then = see_outcome),
                    ASK("ghost", "GET /x", .optional = true), REPLY(STATUS_OK, tell_outcome))},
    {.name = "GET /when",
     .steps = STEPS(ASK("back", "GET /broken", .when = never), REPLY(STATUS_FAILED, say_why, .when = never),
                    REPLY(STATUS_OK, say_done))},
    {.name = "GET /early",
     .steps = STEPS(DO(pass_by), DO(end_early), ASK("back", "GET /ok"), REPLY(STATUS_OK, tell_outcome))},
    {.name = "GET /count", .steps = STEPS(DO(pass_by), DO(pass_by), REPLY(STATUS_OK, tell_outcome))},
    {0},
};

static const struct actor_kind front = {.service = "front", .port = 2, .routes = front_routes};

static const struct actor_kind *const kinds[] = {&front, &back};

static const struct toy_answer *asked(struct toy *toy, const char *service, const char *route)
{
    uint64_t token = toy_ask(toy, service, route, NULL, S(10));
    toy_run(toy);
    return toy_answer(toy, token);
}

/* ---- tests ---- */

static void each_answer_of_another_becomes_one_of_ours(void **state)
{
    (void)state;
    static const struct {
        const char *route;
        enum status client, answer;
        const char *text;
    } cases[] = {
        {"GET /ok", STATUS_OK, STATUS_OK, "done"},
        {"POST /made", STATUS_CREATED, STATUS_OK, "done"},
        /* What is no failure of the other's is one of ours when nobody looks at it. */
        {"GET /gone", STATUS_NOT_FOUND, STATUS_FAILED, "the back's own reason"},
        {"GET /sold", STATUS_SOLD_OUT, STATUS_FAILED, "the back's own reason"},
        {"GET /broken", STATUS_FAILED, STATUS_FAILED, "the back's own reason"},
        {"GET /busy", STATUS_UNAVAILABLE, STATUS_UNAVAILABLE, "the back's own reason"},
        {"GET /full", STATUS_UNAVAILABLE, STATUS_UNAVAILABLE, "the back's own reason"},
        {"GET /huge", STATUS_FAILED, STATUS_FAILED, "failed"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct toy toy;
        toy_begin(&toy, kinds, 2);
        toy_open(&toy, 1);
        const struct toy_answer *answer = asked(&toy, "front", cases[i].route);
        assert_int_equal(answer->status, cases[i].answer);
        assert_string_equal(toy_text(answer), cases[i].text);
        /* Told in the order of their ends: the back's SERVER, the front's CLIENT, the front's SERVER. */
        assert_int_equal(toy.span_count, 3);
        assert_int_equal(toy.spans[1].site->kind, SPAN_CLIENT);
        assert_int_equal(toy.spans[1].status, cases[i].client);
        assert_int_equal(toy.spans[2].site->kind, SPAN_SERVER);
        assert_int_equal(toy.spans[2].status, cases[i].answer);
        toy_end(&toy);
    }
}

/* The place that knows why says why: on its span the pool, on the wire a 503. */
static void inner_reasons_stay_on_the_servers_span(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, kinds, 2);
    toy_open(&toy, 1);
    assert_int_equal(asked(&toy, "back", "GET /full")->status, STATUS_UNAVAILABLE);
    assert_int_equal(toy_span(&toy, "GET /full", 0)->status, STATUS_POOL_EXHAUSTED);
    toy_end(&toy);
}

static void an_answer_without_a_body_and_a_route_without_a_reply(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, kinds, 2);
    toy_open(&toy, 1);
    const struct toy_answer *answer = asked(&toy, "back", "GET /silent");
    assert_int_equal(answer->status, STATUS_BAD_INPUT);
    assert_int_equal(answer->body->len, 1); /* an empty array */
    answer = asked(&toy, "back", "GET /end");
    assert_int_equal(answer->status, STATUS_OK);
    assert_int_equal(answer->body->bytes[0], 0x90);
    toy_end(&toy);
}

static void outcomes_are_the_routes_to_judge(void **state)
{
    (void)state;
    static const struct {
        const char *route;
        enum status seen;
    } cases[] = {{"GET /outcome/ok", STATUS_OK},
                 {"GET /outcome/gone", STATUS_NOT_FOUND},
                 {"GET /outcome/sold", STATUS_SOLD_OUT}};
    struct toy toy;
    toy_begin(&toy, kinds, 2);
    toy_open(&toy, 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct toy_answer *answer = asked(&toy, "front", cases[i].route);
        assert_int_equal(answer->status, STATUS_OK);
        assert_int_equal(toy_number(answer), cases[i].seen + 1);
    }
    assert_int_equal(asked(&toy, "front", "GET /outcome/broken")->status, STATUS_FAILED);
    toy_end(&toy);
}

static void a_failure_answers_in_the_steps_own_words(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, kinds, 2);
    toy_open(&toy, 1);
    const struct toy_answer *answer = asked(&toy, "front", "GET /words");
    assert_int_equal(answer->status, STATUS_FAILED);
    assert_string_equal(toy_text(answer), "front's words");
    struct cursor cursor = cursor_of(answer->body);
    cursor_array(&cursor);
    cursor_skip(&cursor);
    assert_int_equal(cursor_int(&cursor), STATUS_FAILED);
    answer = asked(&toy, "front", "GET /status");
    assert_int_equal(answer->status, STATUS_UNAVAILABLE);
    assert_string_equal(toy_text(answer), "the back's own reason");
    toy_end(&toy);
}

static void an_optional_step_fails_in_sight_and_the_route_goes_on(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, kinds, 2);
    toy_open(&toy, 1);
    const struct toy_answer *answer = asked(&toy, "front", "GET /optional");
    assert_int_equal(answer->status, STATUS_OK);
    assert_int_equal(toy_number(answer), 0); /* `then` is for successes */
    assert_int_equal(toy_span(&toy, "GET /broken", 1)->status, STATUS_FAILED);
    assert_int_equal(toy_span(&toy, "GET /x", 0)->status, STATUS_NO_PEER);
    assert_int_equal(toy_span(&toy, "GET /optional", 0)->status, STATUS_OK);
    toy_end(&toy);
}

static void steps_whose_when_is_false_or_behind_a_reply_never_were(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, kinds, 2);
    toy_open(&toy, 1);
    assert_int_equal(asked(&toy, "front", "GET /when")->status, STATUS_OK);
    const struct toy_answer *answer = asked(&toy, "front", "GET /early");
    assert_int_equal(answer->status, STATUS_CREATED);
    assert_string_equal(toy_text(answer), "done");
    assert_int_equal(toy.span_count, 2);
    assert_int_equal(world_stats(toy.world)->asks, 0);
    toy_end(&toy);
}

static void locals_begin_at_zero_in_each_call(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, kinds, 2);
    toy_open(&toy, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(toy_number(asked(&toy, "front", "GET /count")), 2);
    toy_end(&toy);
}

static void what_nobody_answers_to(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, kinds, 2);
    toy_open(&toy, 1);
    /* From outside: 404, and no trace of it, for no route took it. */
    assert_int_equal(asked(&toy, "back", "GET /nowhere")->status, STATUS_NOT_FOUND);
    assert_int_equal(toy.span_count, 0);
    /* From inside: the asker's failure. */
    const struct toy_answer *answer = asked(&toy, "front", "GET /nowhere");
    assert_int_equal(answer->status, STATUS_FAILED);
    assert_int_equal(toy_span(&toy, "GET /nowhere", 0)->status, STATUS_NOT_FOUND);
    toy_end(&toy);
}

static void a_full_table_of_calls_refuses(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, kinds, 2);
    toy.options.calls_max = 3;
    toy_open(&toy, 1);
    uint64_t tokens[5];
    for (size_t i = 0; i < 5; i++)
        tokens[i] = toy_ask(&toy, "back", "GET /slow", NULL, S(10));
    toy_run_until(&toy, 0);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(toy_answered(&toy, tokens[i]), i >= 3);
    assert_int_equal(toy_answer(&toy, tokens[3])->status, STATUS_OVERLOADED);
    toy_run_until(&toy, MS(100));
    assert_int_equal(toy_answer(&toy, tokens[0])->status, STATUS_OK);
    assert_int_equal(asked(&toy, "back", "GET /slow")->status, STATUS_OK);
    toy_end(&toy);
}

/* ---- what a call is given ---- */

static void four_draws(struct call *call, struct pack *body)
{
    pack_array(body, 4);
    for (uint32_t i = 0; i < 4; i++)
        pack_int(body, (int64_t)(call_draw(call, i) >> 1));
}

static void echo(struct call *call, struct pack *body)
{
    pack_raw(body, call_request_body(call)->bytes, call_request_body(call)->len);
}

static void keep_twice(struct call *call)
{
    call_keep_bytes(call, "\x91\x01", 2);
    call_keep_bytes(call, "\x91\x02", 2);
    call_keep(call, call_kept(call));
}

static void the_kept(struct call *call, struct pack *body)
{
    pack_raw(body, call_kept(call)->bytes, call_kept(call)->len);
}

static void the_variant(struct call *call, struct pack *body)
{
    pack_array(body, 1);
    pack_int(body, call_variant(call, 0));
}

static const struct actor_kind giver = {
    .service = "giver",
    .port = 3,
    .routes = (const struct route[]){{.name = "GET /draws", .steps = STEPS(REPLY(STATUS_OK, four_draws))},
                                     {.name = "GET /echo",
                                      .takes = "name:text numbers?:[n:int]",
                                      .steps = STEPS(REPLY(STATUS_OK, echo))},
                                     {.name = "GET /kept",
                                      .steps = STEPS(DO(keep_twice), REPLY(STATUS_OK, the_kept))},
                                     {.name = "GET /variant", .steps = STEPS(REPLY(STATUS_OK, the_variant))},
                                     {0}},
    .variants = {{"kind", {"one", "two"}}},
};

static const struct actor_kind *const givers[] = {&giver};

static void draws_belong_to_the_call_and_the_index(void **state)
{
    (void)state;
    unsigned char drawn[2][2][64];
    for (int run = 0; run < 2; run++) {
        struct toy toy;
        toy_begin(&toy, givers, 1);
        toy_open(&toy, 9);
        for (int i = 0; i < 2; i++) {
            const struct toy_answer *answer = asked(&toy, "giver", "GET /draws");
            assert_int_equal(answer->body->len, 1 + 4 * 9); /* four large numbers */
            memcpy(drawn[run][i], answer->body->bytes, answer->body->len);
            assert_memory_not_equal(drawn[run][i] + 1, drawn[run][i] + 10, 9);
        }
        toy_end(&toy);
    }
    assert_memory_equal(drawn[0], drawn[1], 37);
    assert_memory_equal(drawn[0][1], drawn[1][1], 37);
    assert_memory_not_equal(drawn[0][0], drawn[0][1], 37);
}

static void the_newest_body_kept_is_kept(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, givers, 1);
    toy_open(&toy, 1);
    assert_int_equal(toy_number(asked(&toy, "giver", "GET /kept")), 2);
    assert_int_equal(world_leftovers(toy.world).bodies, 0);
    toy_end(&toy);
}

static void a_variant_is_the_scenarios(void **state)
{
    (void)state;
    for (int variant = 0; variant < 2; variant++) {
        struct toy toy;
        toy_begin(&toy, givers, 1);
        toy.scenario.services[0] = (struct service_spec){.service = "giver", .variant = {variant}};
        toy.scenario.service_count = (size_t)variant; /* without a line in the file: the first */
        toy_open(&toy, 1);
        assert_int_equal(toy_number(asked(&toy, "giver", "GET /variant")), variant);
        toy_end(&toy);
    }
}

static void from_outside_a_body_must_be_what_the_route_takes(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        enum status status;
    } cases[] = {
        {"\x92\xa1x\xc0", 4, STATUS_OK},
        {"\x92\xa1x\x91\x91\x07", 6, STATUS_OK},
        {"", 0, STATUS_BAD_INPUT},
        {"\x90", 1, STATUS_BAD_INPUT},
        {"\x91\xa1x", 3, STATUS_BAD_INPUT}, /* a field is missing */
        {"\x93\xa1x\xc0\xc0", 5, STATUS_BAD_INPUT}, /* one too many */
        {"\x92\x01\xc0", 3, STATUS_BAD_INPUT}, /* of another type */
        {"\x92\xa1x\xc0\xc0", 5, STATUS_BAD_INPUT}, /* something behind it */
        {"\x92\xbfx\xc0", 4, STATUS_BAD_INPUT}, /* a text longer than the body */
        {"\x92\xa1x\xdd\xff\xff\xff\xff", 8, STATUS_BAD_INPUT},
        {"\xc1", 1, STATUS_BAD_INPUT},
    };
    struct toy toy;
    toy_begin(&toy, givers, 1);
    toy_open(&toy, 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t token = toy_ask_index(&toy, 0, 1, cases[i].bytes, cases[i].len, S(1));
        toy_run(&toy);
        const struct toy_answer *answer = toy_answer(&toy, token);
        assert_int_equal(answer->status, cases[i].status);
        assert_int_equal(toy.spans[toy.span_count - 1].status, cases[i].status);
        if (answer->status == STATUS_OK)
            assert_memory_equal(answer->body->bytes, cases[i].bytes, cases[i].len);
        else
            assert_string_equal(toy_text(answer), "expected name:text numbers?:[n:int]");
    }
    toy_end(&toy);
}

static const struct actor_kind driver = {
    .service = "driver",
    .drives_load = true,
    .routes =
        (const struct route[]){{.name = "visit", .steps = STEPS(ASK("giver", "GET /kept"), END())}, {0}},
};

static void a_journey_is_no_route(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, (const struct actor_kind *const[]){&driver, &giver}, 2);
    toy_open(&toy, 1);
    assert_int_equal(asked(&toy, "driver", "visit")->status, STATUS_NOT_FOUND);
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_of_another_becomes_one_of_ours),
        cmocka_unit_test(inner_reasons_stay_on_the_servers_span),
        cmocka_unit_test(an_answer_without_a_body_and_a_route_without_a_reply),
        cmocka_unit_test(outcomes_are_the_routes_to_judge),
        cmocka_unit_test(a_failure_answers_in_the_steps_own_words),
        cmocka_unit_test(an_optional_step_fails_in_sight_and_the_route_goes_on),
        cmocka_unit_test(steps_whose_when_is_false_or_behind_a_reply_never_were),
        cmocka_unit_test(locals_begin_at_zero_in_each_call),
        cmocka_unit_test(what_nobody_answers_to),
        cmocka_unit_test(a_full_table_of_calls_refuses),
        cmocka_unit_test(draws_belong_to_the_call_and_the_index),
        cmocka_unit_test(the_newest_body_kept_is_kept),
        cmocka_unit_test(a_variant_is_the_scenarios),
        cmocka_unit_test(from_outside_a_body_must_be_what_the_route_takes),
        cmocka_unit_test(a_journey_is_no_route),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
