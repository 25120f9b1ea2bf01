#include "tests/core/far_toy.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define STEPS(...) ((const struct step[]){__VA_ARGS__})

/* ---- driver visits front, which asks shelf, which runs a statement ---- */

static void say_id(struct call *call, struct pack *body)
{
    (void)call;
    pack_array(body, 1);
    pack_int(body, 42);
}

static void as_long_as_asked(struct call *call, struct pack *body)
{
    struct cursor request = call_request(call);
    cursor_array(&request);
    int64_t ms = cursor_int(&request);
    pack_array(body, 3);
    pack_text(body, "electronics");
    pack_int(body, ms);
    pack_int(body, 0);
}

static void pass_on(struct call *call, const struct answer *answer)
{
    call_keep(call, answer->raw);
}

static void what_was_kept(struct call *call, struct pack *body)
{
    pack_raw(body, call_kept(call)->bytes, call_kept(call)->len);
}

static const struct actor_kind driver = {
    .service = "driver",
    .port = 1,
    .drives_load = true,
    .routes =
        (const struct route[]){{.name = "visit", .steps = STEPS(ASK("front", "GET /ask"), END())}, {0}}};
static const struct actor_kind front = {
    .service = "front",
    .port = 2,
    .routes = (const struct route[]){
        {.name = "GET /ask",
         .steps = STEPS(ASK("shelf", "GET /item/{id}", .limit_ms = 1000, .body = say_id, .then = pass_on),
                        REPLY(STATUS_OK, what_was_kept))},
        {.name = "GET /patient", .steps = STEPS(ASK("shelf", "GET /item/{id}"), REPLY(STATUS_OK, NULL))},
        {0}}};
static const struct actor_kind shelf = {
    .service = "shelf",
    .port = 3,
    .work = {MS(100), MS(100)},
    .pools = {{"things", 1, 2000}},
    .routes = (const struct route[]){
        {.name = "GET /item/{id}", .takes = "id:int", .steps = STEPS(WORK(), REPLY(STATUS_OK, say_id))},
        {.name = "GET /query",
         .takes = "ms:int",
         .steps = STEPS(QUERY("things", "lookup", .limit_ms = 300, .body = as_long_as_asked),
                        REPLY(STATUS_OK, say_id))},
        {0}}};
const struct actor_kind *const far_kinds[FAR_SERVICES] = {&driver, &front, &shelf, &toy_database};
static struct curve_point constant_60[] = {{0, 60}};

/* ---- an edge of a few lines ---- */

struct far_edge edge;
struct toy toy;

static void on_far_ask(void *owner, const struct far_ask *ask)
{
    (void)owner;
    assert_in_range(edge.ask_count, 0, FAR_ASKS_MAX - 1);
    struct kept_ask *kept = &edge.asks[edge.ask_count++];
    kept->ask = *ask;
    assert_in_range(ask->body_len, 0, sizeof kept->body);
    memcpy(kept->body, ask->body, ask->body_len);
    kept->ask.body = kept->body;
    if (ask->trace_state.len)
        memcpy(kept->state, ask->trace_state.at, ask->trace_state.len);
    kept->ask.trace_state.at = kept->state;
    if (edge.at_once != STATUS_OK)
        world_answer(toy.world, &(struct outbound_answer){.token = ask->token, .status = edge.at_once},
                     world_now(toy.world));
}

static void on_far_cancel(void *owner, uint64_t token)
{
    (void)owner;
    edge.cancelled = token;
    edge.cancel_count++;
}

static void on_far_answer(void *owner, uint64_t token, enum status status, const struct body *body)
{
    (void)owner;
    assert_in_range(edge.answer_count, 0, FAR_ASKS_MAX - 1);
    struct cursor cursor = cursor_of(body);
    cursor_array(&cursor);
    int64_t number = cursor_int(&cursor);
    edge.answers[edge.answer_count].token = token;
    edge.answers[edge.answer_count].status = status;
    edge.answers[edge.answer_count++].number = body ? number : -1;
}

void far_open(const bool hosts[FAR_SERVICES])
{
    memset(&edge, 0, sizeof edge);
    toy_begin(&toy, far_kinds, FAR_SERVICES);
    toy.scenario.duration_ns = MIN_(2);
    toy.scenario.phase_count = 2;
    toy.scenario.phases[0] = (struct phase){.name = "one"};
    toy.scenario.phases[1] = (struct phase){.name = "two", .at_ns = MIN_(1)};
    toy.scenario.stream_count = 1;
    toy.scenario.streams[0] = (struct stream_spec){.name = "guests",
                                                   .mixes = MIX_OF("visit"),
                                                   .mix_count = 1,
                                                   .demo = true,
                                                   .rate_per_min = {.points = constant_60, .count = 1}};
    toy.options.hosts = hosts;
    toy_open(&toy, 7);
    toy.world->sink.far_ask = on_far_ask;
    toy.world->sink.far_cancel = on_far_cancel;
    toy.world->sink.far_answer = on_far_answer;
}

const bool only_front[FAR_SERVICES] = {[FRONT] = true}, only_shelf[FAR_SERVICES] = {[SHELF] = true},
           only_database[FAR_SERVICES] = {[DATABASE] = true},
           shop[FAR_SERVICES] = {[SHELF] = true, [DATABASE] = true};

void far_answer_now(uint64_t token, enum status status, const char *body)
{
    struct outbound_answer answer = {
        .token = token, .status = status, .body = body, .body_len = body ? strlen(body) : 0};
    world_answer(toy.world, &answer, world_now(toy.world));
    toy_run_until(&toy, world_now(toy.world));
}

struct far_ask far_good_ask(uint16_t to, uint16_t route, uint64_t token)
{
    return (struct far_ask){.token = token,
                            .from = FRONT,
                            .to = to,
                            .route = route,
                            .context = {.trace_hi = 1,
                                        .trace_lo = 2,
                                        .span = 3,
                                        .depth = 2,
                                        .ordinal = 1,
                                        .demo = true,
                                        .demo_minute = 1,
                                        .root_ms = 60500,
                                        .phase = 1},
                            .limit_ns = S(1),
                            .body = "\x91\x2a",
                            .body_len = 2};
}

void far_ask_here(const struct far_ask *ask)
{
    assert_true(world_far_ask(toy.world, ask, world_now(toy.world)));
}
