/* ask: limits, deadlines that travel, answers that come too late, refusals; and that each ask ends once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/parts.h"
#include "tests/core/toy_world.h"

#define STEPS(...) ((const struct step[]){__VA_ARGS__})

static void say_done(struct call *call, struct pack *body)
{
    (void)call;
    pack_array(body, 1);
    pack_text(body, "done");
}

/* ---- back: 100 ms of work. clock: answers all it has at each full 100 ms, like a bus. ---- */

static const struct actor_kind back = {
    .service = "back",
    .port = 1,
    .work = {MS(100), MS(100)},
    .routes =
        (const struct route[]){{.name = "GET /slow", .steps = STEPS(WORK(), REPLY(STATUS_OK, say_done))},
                               {.name = "GET /things/{id}", .steps = STEPS(REPLY(STATUS_OK, say_done))},
                               {0}}};

static const struct actor_kind between = {
    .service = "between",
    .port = 2,
    .routes = (const struct route[]){
        {.name = "GET /slow",
         .steps = STEPS(ASK("back", "GET /slow", .limit_ms = 1000), REPLY(STATUS_OK, say_done))},
        {0}}};

struct clock {
    struct timer timer;
    struct {
        uint16_t from;
        uint64_t ask;
    } waiting[16];
    size_t count;
};

static void tick(void *owner, int64_t now_ns)
{
    struct actor *actor = owner;
    struct clock *clock = actor_state(actor);
    struct pack *pack = actor_pack(actor);
    pack_array(pack, 0);
    for (size_t i = 0; i < clock->count; i++)
        actor_reply(actor, clock->waiting[i].from, clock->waiting[i].ask, STATUS_OK, pack);
    clock->count = 0;
    if (now_ns < MIN_(10))
        actor_arm(actor, &clock->timer, now_ns + MS(100));
}

static void clock_start(struct actor *actor)
{
    struct clock *clock = actor_state(actor);
    clock->timer = (struct timer){.fire = tick, .owner = actor};
    actor_arm(actor, &clock->timer, MS(100));
}

static void clock_receive(struct actor *actor, struct message *message)
{
    struct clock *clock = actor_state(actor);
    clock->waiting[clock->count].from = message->from;
    clock->waiting[clock->count++].ask = message->ask;
}

static const struct actor_kind clock_kind = {.service = "clock",
                                             .port = 3,
                                             .store = "redis",
                                             .state_bytes = sizeof(struct clock),
                                             .routes = (const struct route[]){{.name = "TICK"}, {0}},
                                             .start = clock_start,
                                             .receive = clock_receive};

/* ---- front ---- */

static void id_17(struct call *call, struct pack *body)
{
    (void)call;
    pack_array(body, 1);
    pack_int(body, 17);
}

static void id_text(struct call *call, struct pack *body)
{
    (void)call;
    pack_array(body, 1);
    pack_text(body, "seventeen");
}

static void too_much(struct call *call, struct pack *body)
{
    (void)call;
    for (int i = 0; i < BODY_BYTES_MAX / 8; i++)
        pack_real(body, 1);
    pack_nil(body);
}

static void see(struct call *call, const struct answer *answer)
{
    (void)answer;
    ++*(int *)call_locals(call);
}

static const struct route front_routes[] = {
    {.name = "GET /patient",
     .steps = STEPS(ASK("back", "GET /slow", .limit_ms = 101), REPLY(STATUS_OK, say_done))},
    {.name = "GET /hasty",
     .steps = STEPS(ASK("back", "GET /slow", .limit_ms = 60), REPLY(STATUS_OK, say_done))},
    {.name = "GET /exact",
     .steps = STEPS(ASK("back", "GET /slow", .limit_ms = 100), REPLY(STATUS_OK, say_done))},
    {.name = "GET /tick", .steps = STEPS(CACHE("TICK", .limit_ms = 100), REPLY(STATUS_OK, say_done))},
    {.name = "GET /nested", .steps = STEPS(ASK("between", "GET /slow"), REPLY(STATUS_OK, say_done))},
    {.name = "GET /again",
     .steps = STEPS(ASK("back", "GET /slow", .limit_ms = 60, .optional = true, .then = see),
                    ASK("back", "GET /slow", .limit_ms = 150, .then = see), REPLY(STATUS_OK, say_done))},
    {.name = "GET /ghost",
     .steps = STEPS(ASK("ghost", "GET /x", .limit_ms = 60), REPLY(STATUS_OK, say_done))},
    {.name = "GET /number",
     .steps = STEPS(ASK("back", "GET /things/{id}", .body = id_17), REPLY(STATUS_OK, say_done))},
    {.name = "GET /text",
     .steps = STEPS(ASK("back", "GET /things/{id}", .body = id_text), REPLY(STATUS_OK, say_done))},
    {.name = "GET /much",
     .steps = STEPS(ASK("back", "GET /slow", .body = too_much), REPLY(STATUS_OK, say_done))},
    {0},
};

static const struct actor_kind front = {.service = "front", .port = 4, .routes = front_routes};

static const struct actor_kind *const kinds[] = {&front, &between, &back, &clock_kind};

static void open_world(struct toy *toy)
{
    toy_begin(toy, kinds, ARRAY_LEN(kinds));
    toy_open(toy, 1);
}

static void assert_ended(const struct toy *toy, enum status status, uint64_t times)
{
    const struct run_stats *stats = world_stats(toy->world);
    uint64_t ended = 0;
    for (size_t i = 0; i < STATUS_COUNT; i++)
        ended += stats->asks_ended[i];
    assert_int_equal(stats->asks_ended[status], times);
    assert_int_equal(stats->asks, ended);
}

/* ---- tests ---- */

static void an_answer_in_time_is_taken(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy);
    uint64_t token = toy_ask(&toy, "front", "GET /patient", NULL, S(10));
    toy_run(&toy);
    const struct toy_answer *answer = toy_answer(&toy, token);
    assert_int_equal(answer->status, STATUS_OK);
    assert_int_equal(answer->at_ns, MS(100));
    const struct span *inner = &toy.spans[0], *client = &toy.spans[1], *server = &toy.spans[2];
    assert_int_equal(inner->parent, client->id);
    assert_int_equal(client->parent, server->id);
    assert_int_equal(server->parent, 0);
    assert_int_equal(inner->depth, 3);
    assert_int_equal(client->start_ns, 0);
    assert_int_equal(client->end_ns, MS(100));
    assert_true(client->trace_hi == server->trace_hi && client->trace_lo == inner->trace_lo);
    assert_string_equal(client->site->peer, "back");
    const struct edge_stats *edge = &world_stats(toy.world)->edges[0];
    assert_string_equal(edge->from, "front");
    assert_string_equal(edge->to, "back");
    assert_int_equal(edge->calls, 1);
    assert_int_equal(edge->errors, 0);
    assert_true(edge->latency.max == 0.1);
    assert_true(world_metrics(toy.world)->first[METRIC_HTTP_CLIENT_DURATION]->histogram->max == 0.1);
    assert_true(world_metrics(toy.world)->first[METRIC_HTTP_SERVER_DURATION]->histogram->min == 0.1);
    assert_int_equal(world_stats(toy.world)->spans, toy.span_count);
    assert_ended(&toy, STATUS_OK, 1);
    toy_end(&toy);
}

static void a_limit_ends_the_wait(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy);
    uint64_t token = toy_ask(&toy, "front", "GET /hasty", NULL, S(10));
    toy_run(&toy);
    const struct toy_answer *answer = toy_answer(&toy, token);
    assert_int_equal(answer->status, STATUS_UNAVAILABLE);
    assert_int_equal(answer->at_ns, MS(60));
    assert_string_equal(toy_text(answer), "deadline exceeded");
    /* The deadline went along: the back stopped at it too, and its answer came too late. */
    const struct span *inner = NULL, *client = NULL;
    for (size_t i = 0; i < toy.span_count; i++)
        if (strcmp(toy.spans[i].site->name, "GET /slow") == 0)
            *(toy.spans[i].site->kind == SPAN_SERVER ? &inner : &client) = &toy.spans[i];
    assert_int_equal(client->status, STATUS_DEADLINE);
    assert_int_equal(client->end_ns, MS(60));
    assert_int_equal(inner->status, STATUS_UNAVAILABLE);
    assert_int_equal(inner->end_ns, MS(60));
    assert_int_equal(world_stats(toy.world)->late_replies, 1);
    assert_ended(&toy, STATUS_DEADLINE, 1);
    toy_end(&toy);
}

static void at_the_very_instant_of_the_deadline_the_answer_loses(void **state)
{
    (void)state;
    /* Whether the deadline's timer comes first (the work's is armed after it) ... */
    static const char *const routes[] = {"GET /exact", "GET /tick"}; /* ... or the answer does. */
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        struct toy toy;
        open_world(&toy);
        uint64_t token = toy_ask(&toy, "front", routes[i], NULL, S(10));
        toy_run(&toy);
        assert_int_equal(toy_answer(&toy, token)->status, STATUS_UNAVAILABLE);
        assert_int_equal(toy_answer(&toy, token)->at_ns, MS(100));
        assert_int_equal(world_stats(toy.world)->late_replies, 1);
        assert_ended(&toy, STATUS_DEADLINE, 1);
        toy_end(&toy);
    }
}

static void a_nanosecond_before_the_deadline_the_answer_wins(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy);
    toy_run_until(&toy, 1); /* the next tick is 99.999999 ms away */
    uint64_t token = toy_ask(&toy, "front", "GET /tick", NULL, S(10));
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, token)->status, STATUS_OK);
    assert_int_equal(world_stats(toy.world)->late_replies, 0);
    toy_end(&toy);
}

static void a_childs_deadline_is_the_smaller_of_its_own_and_what_is_left(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy);
    /* 80 ms from outside; nothing of its own at front; 1000 ms at between; the back works for 100 ms. */
    uint64_t token = toy_ask(&toy, "front", "GET /nested", NULL, MS(80));
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, token)->status, STATUS_UNAVAILABLE);
    assert_int_equal(toy_answer(&toy, token)->at_ns, MS(80));
    for (size_t i = 0; i < toy.span_count; i++)
        assert_int_equal(toy.spans[i].end_ns, MS(80));
    assert_int_equal(toy.span_count, 5);
    assert_ended(&toy, STATUS_DEADLINE, 2);
    assert_int_equal(world_stats(toy.world)->late_replies, 2);
    toy_end(&toy);
}

static void a_late_answer_does_not_reach_the_next_step(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy);
    uint64_t token = toy_ask(&toy, "front", "GET /again", NULL, S(10));
    toy_run(&toy);
    /* The first is given up at 60, the second answers at 160. */
    assert_int_equal(toy_answer(&toy, token)->status, STATUS_OK);
    assert_int_equal(toy_answer(&toy, token)->at_ns, MS(160));
    assert_int_equal(world_stats(toy.world)->late_replies, 1);
    for (size_t i = 0; i < toy.span_count; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(toy.spans[i].id != toy.spans[j].id);
    toy_end(&toy);
}

/* Only a driver that lags lets a request wait so long. */
static void what_expired_while_it_waited_fails_unhandled(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy);
    uint64_t late = toy_ask(&toy, "back", "GET /slow", NULL, MS(50));
    uint64_t exact = toy_ask(&toy, "back", "GET /slow", NULL, MS(60));
    uint64_t early = toy_ask(&toy, "back", "GET /slow", NULL, MS(300));
    world_turn(toy.world, MS(60), 100);
    assert_int_equal(toy_answer(&toy, late)->status, STATUS_DEADLINE);
    assert_int_equal(toy_answer(&toy, exact)->status, STATUS_DEADLINE);
    assert_int_equal(world_stats(toy.world)->expired, 2);
    assert_int_equal(toy.span_count, 0);
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, early)->status, STATUS_OK);
    assert_int_equal(toy_answer(&toy, early)->at_ns, MS(160));
    toy_end(&toy);
}

static void nobody_there_is_known_at_once(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy);
    uint64_t token = toy_ask(&toy, "front", "GET /ghost", NULL, S(10));
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, token)->status, STATUS_UNAVAILABLE);
    assert_int_equal(toy_answer(&toy, token)->at_ns, 0);
    assert_string_equal(toy_text(toy_answer(&toy, token)), "no peer");
    assert_ended(&toy, STATUS_NO_PEER, 1);
    toy_end(&toy);
}

static void a_full_mailbox_refuses_with_503(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, kinds, ARRAY_LEN(kinds));
    toy.scenario.services[0] = (struct service_spec){.service = "back", .mailbox_max = 2};
    toy.scenario.service_count = 1;
    toy_open(&toy, 1);
    uint64_t tokens[5];
    for (size_t i = 0; i < 5; i++)
        tokens[i] = toy_ask(&toy, "front", "GET /patient", NULL, S(10));
    /* The front takes all five before the back has its turn. */
    toy_run(&toy);
    for (size_t i = 0; i < 5; i++) {
        const struct toy_answer *answer = toy_answer(&toy, tokens[i]);
        assert_int_equal(answer->status, i < 2 ? STATUS_OK : STATUS_UNAVAILABLE);
        assert_int_equal(answer->at_ns, i < 2 ? MS(100) : 0);
        assert_string_equal(toy_text(answer), i < 2 ? "done" : "overloaded");
    }
    assert_int_equal(world_stats(toy.world)->mailbox_refused, 3);
    assert_ended(&toy, STATUS_OVERLOADED, 3);
    /* The bound is of what waits at once, not of what comes in all. */
    uint64_t token = toy_ask(&toy, "front", "GET /patient", NULL, S(10));
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, token)->status, STATUS_OK);
    toy_end(&toy);
}

static void from_outside_a_full_mailbox_says_so_at_once(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, kinds, ARRAY_LEN(kinds));
    toy.scenario.services[0] = (struct service_spec){.service = "back", .mailbox_max = 1};
    toy.scenario.service_count = 1;
    toy_open(&toy, 1);
    toy_ask(&toy, "back", "GET /slow", NULL, S(1));
    uint64_t refused = toy_ask(&toy, "back", "GET /slow", NULL, S(1));
    assert_int_equal(toy_answer(&toy, refused)->status, STATUS_OVERLOADED);
    toy_run(&toy);
    assert_int_equal(toy.answer_count, 2);
    toy_end(&toy);
}

static void a_body_that_does_not_fit_fails_and_nothing_is_sent(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy);
    uint64_t token = toy_ask(&toy, "front", "GET /much", NULL, S(10));
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, token)->status, STATUS_FAILED);
    assert_int_equal(toy_span_count(&toy, "GET /slow"), 1); /* the CLIENT's alone */
    assert_int_equal(toy_span(&toy, "GET /slow", 0)->status, STATUS_FAILED);
    assert_int_equal(world_stats(toy.world)->edges[0].errors, 1);
    assert_ended(&toy, STATUS_FAILED, 1);
    toy_end(&toy);
}

static void spans_name_what_is_in_their_path(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy);
    toy_ask(&toy, "front", "GET /number", NULL, S(1));
    toy_run(&toy);
    toy_ask(&toy, "front", "GET /text", NULL, S(1));
    toy_run(&toy);
    static const char *const expected[] = {"17", "17", "seventeen", "seventeen"};
    assert_int_equal(toy_span_count(&toy, "GET /things/{id}"), 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(slice_is(toy_span(&toy, "GET /things/{id}", i)->path_param, expected[i]));
    toy_end(&toy);
}

static void an_id_in_a_path_may_be_any_number(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        uint32_t len;
        const char *text;
    } cases[] = {
        {"\x91\x00", 2, "0"},
        {"\x91\xff", 2, "-1"},
        {"\x91\xd3\x80\0\0\0\0\0\0\0", 10, "-9223372036854775808"},
        {"\x91\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 10, "9223372036854775807"},
        {"\x91\xa3"
         "a/b",
         5, "a/b"},
        {"\x91\xc0", 2, ""},
        {"\x90", 1, ""},
        {"", 0, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct body_pool pool = {0};
        char digits[PATH_DIGITS_MAX];
        struct body *body = body_new(&pool, cases[i].bytes, cases[i].len);
        assert_true(slice_is(call_path_param(body, digits), cases[i].text));
        body_unref(&pool, body);
        body_pool_fini(&pool);
    }
}

/* Whatever the limits, each request is answered once, each ask ends once, and nothing is left. */
static void under_random_limits_each_ask_ends_once(void **state)
{
    (void)state;
    enum { REQUESTS = 3000 };
    static const char *const routes[] = {"GET /patient", "GET /hasty", "GET /exact", "GET /tick",
                                         "GET /nested",  "GET /again", "GET /ghost", "GET /text"};
    struct toy toy;
    open_world(&toy);
    toy.deaf = true;
    for (uint64_t i = 0; i < REQUESTS; i++) {
        struct draw chance = draw(5, i, 1, 0);
        if (world_next_at(toy.world) != NEVER)
            toy_run_until(&toy, world_now(toy.world) + (int64_t)draw_below(chance.a, (uint64_t)MS(20)));
        int64_t limit_ns = (int64_t)draw_below(chance.b, (uint64_t)MS(250));
        toy_ask(&toy, "front", routes[chance.b % ARRAY_LEN(routes)], NULL, limit_ns - limit_ns % MS(10));
    }
    toy_run(&toy);
    assert_int_equal(toy.answer_count, REQUESTS);
    assert_ended(&toy, STATUS_BAD_INPUT, 0);
    assert_true(world_stats(toy.world)->asks_ended[STATUS_OK] > REQUESTS / 10);
    assert_true(world_stats(toy.world)->asks_ended[STATUS_DEADLINE] > REQUESTS / 10);
    assert_true(world_stats(toy.world)->late_replies > REQUESTS / 10);
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_in_time_is_taken),
        cmocka_unit_test(a_limit_ends_the_wait),
        cmocka_unit_test(at_the_very_instant_of_the_deadline_the_answer_loses),
        cmocka_unit_test(a_nanosecond_before_the_deadline_the_answer_wins),
        cmocka_unit_test(a_childs_deadline_is_the_smaller_of_its_own_and_what_is_left),
        cmocka_unit_test(a_late_answer_does_not_reach_the_next_step),
        cmocka_unit_test(what_expired_while_it_waited_fails_unhandled),
        cmocka_unit_test(nobody_there_is_known_at_once),
        cmocka_unit_test(a_full_mailbox_refuses_with_503),
        cmocka_unit_test(from_outside_a_full_mailbox_says_so_at_once),
        cmocka_unit_test(a_body_that_does_not_fit_fails_and_nothing_is_sent),
        cmocka_unit_test(spans_name_what_is_in_their_path),
        cmocka_unit_test(an_id_in_a_path_may_be_any_number),
        cmocka_unit_test(under_random_limits_each_ask_ends_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
