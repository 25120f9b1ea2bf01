/* outbound: requests that leave through the sink and come back: the same trace as by mailbox, each ends once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

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

static void say_who(struct call *call, struct pack *body)
{
    pack_array(body, 1);
    pack_int(body, (int64_t)call_request_number(call));
}

static const struct actor_kind back = {
    .service = "back",
    .port = 1,
    .work = {MS(100), MS(300)},
    .routes = (const struct route[]){
        {.name = "GET /slow/{id}", .takes = "id:int", .steps = STEPS(WORK(), REPLY(STATUS_OK, say_done))},
        {.name = "GET /other", .steps = STEPS(REPLY(STATUS_OK, say_done))},
        {0}}};

static const struct actor_kind driver = {
    .service = "driver",
    .port = 2,
    .drives_load = true,
    .routes = (const struct route[]){
        {.name = "visit",
         .steps = STEPS(ASK("back", "GET /slow/{id}", .limit_ms = 1000, .body = say_who),
                        ASK("back", "GET /slow/{id}", .limit_ms = 1000, .body = say_who), END())},
        {0}}};

static const struct actor_kind *const kinds[] = {&driver, &back};
static struct curve_point constant_60[] = {{0, 60}};

/* ---- an edge of a few lines: what leaves is noted, and brought back in where the test wants it ---- */

static struct outbound_ask asks[1024];
static size_t ask_count;
static struct world *looped; /* asks come back in at once, and their answers too */

static struct world_request request_of(const struct outbound_ask *ask)
{
    return (struct world_request){.service = 1,
                                  .body = ask->body->bytes,
                                  .body_len = ask->body->len,
                                  .limit_ns = S(10),
                                  .token = ask->token,
                                  .joins = true,
                                  .trace_hi = ask->context.trace_hi,
                                  .trace_lo = ask->context.trace_lo,
                                  .parent = ask->context.span,
                                  .flags = ask->context.flags};
}

static void on_ask(void *owner, const struct outbound_ask *ask)
{
    (void)owner;
    assert_in_range(ask_count, 0, ARRAY_LEN(asks) - 1);
    asks[ask_count++] = *ask;
    if (!looped)
        return;
    struct world_request request = request_of(ask);
    world_request(looped, &request, world_now(looped));
}

static void on_answer(void *owner, uint64_t token, enum status status, const struct body *body)
{
    (void)owner;
    struct outbound_answer answer = {.token = token, .status = status};
    if (body) {
        answer.body = body->bytes;
        answer.body_len = body->len;
    }
    world_answer(looped, &answer, world_now(looped));
}

static void open_toy(struct toy *toy, bool via_http)
{
    toy_begin(toy, kinds, ARRAY_LEN(kinds));
    toy->scenario.duration_ns = MIN_(2);
    toy->scenario.phase_count = 1;
    toy->scenario.phases[0] = (struct phase){.name = "all"};
    toy->scenario.stream_count = 1;
    toy->scenario.streams[0] = (struct stream_spec){.name = "guests",
                                                    .mixes = MIX_OF("visit"),
                                                    .mix_count = 1,
                                                    .demo = true,
                                                    .via_http = via_http,
                                                    .rate_per_min = {.points = constant_60, .count = 1}};
    toy_open(toy, 7);
    ask_count = 0;
    looped = NULL;
    toy->world->sink.ask = on_ask;
}

static void run_to_first_ask(struct toy *toy)
{
    while (!ask_count)
        world_turn(toy->world, world_next_at(toy->world), 1);
    world_stop_traffic(toy->world);
}

static void answer_now(struct toy *toy, uint64_t token, enum status status)
{
    struct outbound_answer answer = {.token = token, .status = status, .body = "\x90", .body_len = 1};
    world_answer(toy->world, &answer, world_now(toy->world));
}

/* ---- facts ---- */

static void a_request_leaves_with_its_span_and_limit(void **state)
{
    (void)state;
    struct toy toy;
    open_toy(&toy, true);
    run_to_first_ask(&toy);
    assert_string_equal(asks[0].service->service, "back");
    assert_string_equal(asks[0].route->name, "GET /slow/{id}");
    assert_int_equal(asks[0].limit_ns, S(1));
    assert_true(asks[0].context.demo);
    answer_now(&toy, asks[0].token, STATUS_OK);
    toy_run_until(&toy, world_now(toy.world));
    const struct span *client = toy_span(&toy, "GET /slow/{id}", 0);
    assert_int_equal(client->id, asks[0].context.span);
    assert_int_equal(client->status, STATUS_OK);
    assert_int_equal(ask_count, 2); /* the journey goes on */
    answer_now(&toy, asks[1].token, STATUS_UNAVAILABLE);
    toy_run(&toy);
    const struct stream_stats *stats = &world_stats(toy.world)->streams[0];
    assert_int_equal(stats->in_flight, 0);
    assert_int_equal(toy_span(&toy, "GET /slow/{id}", 1)->status, STATUS_UNAVAILABLE);
    toy_end(&toy);
}

static int by_id(const void *a, const void *b)
{
    const struct span *left = a, *right = b;
    return (left->id > right->id) - (left->id < right->id);
}

static void the_trace_is_the_one_by_mailbox(void **state)
{
    (void)state;
    struct toy mailbox, http;
    open_toy(&mailbox, false);
    toy_run(&mailbox);
    open_toy(&http, true);
    looped = http.world;
    http.world->sink.answer = on_answer;
    toy_run(&http);
    assert_in_range(ask_count, 100, ARRAY_LEN(asks));
    assert_int_equal(http.span_count, mailbox.span_count);
    qsort(mailbox.spans, mailbox.span_count, sizeof *mailbox.spans, by_id);
    qsort(http.spans, http.span_count, sizeof *http.spans, by_id);
    for (size_t i = 0; i < http.span_count; i++) {
        const struct span *a = &mailbox.spans[i], *b = &http.spans[i];
        assert_true(a->id == b->id && a->parent == b->parent && a->trace_lo == b->trace_lo &&
                    a->trace_hi == b->trace_hi && a->depth == b->depth && a->stream == b->stream &&
                    a->demo == b->demo && a->status == b->status && a->flags == b->flags);
        assert_int_equal(toy_attr_number(&a->attrs, ATTR_DEMO_MINUTE),
                         toy_attr_number(&b->attrs, ATTR_DEMO_MINUTE));
        assert_true(a->start_ns == b->start_ns && a->end_ns == b->end_ns);
    }
    assert_int_equal(world_stats(http.world)->streams[0].started,
                     world_stats(mailbox.world)->streams[0].started);
    toy_end(&mailbox);
    toy_end(&http);
}

/* The SERVER span that a request which joins the first ask's span gets. */
static struct span arrive(struct toy *toy, const struct world_request *request, const char *name)
{
    size_t seen = toy_span_count(toy, name);
    world_request(toy->world, request, world_now(toy->world));
    toy_run_until(toy, world_now(toy->world) + MS(900));
    assert_int_equal(toy_span_count(toy, name), seen + 1);
    return *toy_span(toy, name, seen);
}

static void only_the_one_that_was_sent_is_taken_for_it(void **state)
{
    (void)state;
    struct toy toy;
    open_toy(&toy, true);
    run_to_first_ask(&toy);
    uint64_t own = span_child_id(7, asks[0].context.span, 0);
    struct world_request request = request_of(&asks[0]), other = request;
    other.route = 1;
    other.body_len = 0;
    other.token = 100;
    assert_int_not_equal(arrive(&toy, &other, "GET /other").id, own);
    toy_end(&toy);

    open_toy(&toy, true);
    run_to_first_ask(&toy);
    request = request_of(&asks[0]);
    request.token = 100;
    struct world_request wrong_trace = request;
    wrong_trace.trace_hi++;
    wrong_trace.token = 101;
    struct world_request again = request;
    again.token = 102;
    struct trace_context left = asks[0].context;
    world_request(toy.world, &wrong_trace, world_now(toy.world));
    world_request(toy.world, &request, world_now(toy.world));
    world_request(toy.world, &again, world_now(toy.world));
    toy_run_until(&toy, world_now(toy.world) + MS(900));
    size_t own_spans = 0, strangers = 0;
    for (size_t i = 0; i < toy.span_count; i++) {
        const struct span *span = &toy.spans[i];
        if (span->site->kind != SPAN_SERVER)
            continue;
        assert_int_equal(span->parent, left.span);
        own_spans += span->id == own && span->stream == 0 && span->demo;
        strangers += span->id != own && span->stream == STREAM_OUTSIDE && !span->demo;
    }
    assert_int_equal(own_spans, 1);
    assert_int_equal(strangers, 2);
    answer_now(&toy, asks[0].token, STATUS_OK);
    toy_run(&toy);
    toy_end(&toy);
}

static void late_and_second_answers_are_dropped_and_counted(void **state)
{
    (void)state;
    struct toy toy;
    open_toy(&toy, true);
    run_to_first_ask(&toy);
    uint64_t first = asks[0].token;
    toy_run_until(&toy, world_now(toy.world) + S(1)); /* its limit ends it */
    assert_int_equal(toy_span(&toy, "GET /slow/{id}", 0)->status, STATUS_DEADLINE);
    assert_int_equal(world_stats(toy.world)->late_replies, 0);
    answer_now(&toy, first, STATUS_OK);
    toy_run_until(&toy, world_now(toy.world));
    assert_int_equal(world_stats(toy.world)->late_replies, 1);
    toy_run(&toy);
    assert_int_equal(world_stats(toy.world)->asks_ended[STATUS_OK], 0);
    assert_int_equal(toy_span_count(&toy, "GET /slow/{id}"), 1);

    /* It has ended: who names its span now is a stranger. */
    struct world_request request = request_of(&asks[0]);
    struct span server = arrive(&toy,
                                &(struct world_request){.service = 1,
                                                        .route = 1,
                                                        .limit_ns = S(10),
                                                        .token = 100,
                                                        .joins = true,
                                                        .trace_hi = request.trace_hi,
                                                        .trace_lo = request.trace_lo,
                                                        .parent = request.parent},
                                "GET /other");
    assert_int_equal(server.stream, STREAM_OUTSIDE);
    toy_end(&toy);
}

static void nobody_to_carry_it_is_no_peer(void **state)
{
    (void)state;
    struct toy toy;
    open_toy(&toy, true);
    toy.world->sink.ask = NULL;
    toy_run(&toy);
    const struct stream_stats *stats = &world_stats(toy.world)->streams[0];
    assert_in_range(stats->started, 50, 1000);
    assert_int_equal(world_stats(toy.world)->asks_ended[STATUS_NO_PEER], stats->started);
    assert_int_equal(toy_span_count(&toy, "GET /slow/{id}"), stats->started);
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_leaves_with_its_span_and_limit),
        cmocka_unit_test(the_trace_is_the_one_by_mailbox),
        cmocka_unit_test(only_the_one_that_was_sent_is_taken_for_it),
        cmocka_unit_test(late_and_second_answers_are_dropped_and_counted),
        cmocka_unit_test(nobody_to_carry_it_is_no_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
