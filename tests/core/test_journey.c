/* journey: mixes, bursts, pauses, sessions and ends of what customers do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/parts.h"
#include "tests/core/toy_world.h"

#define STEPS(...) ((const struct step[]){__VA_ARGS__})

static void count_leaving(struct call *call)
{
    call_business(call, BUSINESS_CART_ABANDONED, 0);
}

static void see_outcome(struct call *call, const struct answer *answer)
{
    call_business(call, answer->status == STATUS_SOLD_OUT ? BUSINESS_SOLD_OUT : BUSINESS_CHECKOUT, 0);
}

static void say_done(struct call *call, struct pack *body)
{
    (void)call;
    pack_array(body, 1);
    pack_text(body, "done");
}

static const struct actor_kind back = {
    .service = "back",
    .port = 1,
    .work = {MS(100), MS(100)},
    .routes =
        (const struct route[]){{.name = "GET /a", .steps = STEPS(REPLY(STATUS_OK, say_done))},
                               {.name = "GET /b", .steps = STEPS(REPLY(STATUS_OK, say_done))},
                               {.name = "GET /slow", .steps = STEPS(WORK(), REPLY(STATUS_OK, say_done))},
                               {.name = "GET /gone", .steps = STEPS(REPLY(STATUS_SOLD_OUT, say_done))},
                               {.name = "GET /bad", .steps = STEPS(REPLY(STATUS_FAILED, say_done))},
                               {0}}};

static const struct actor_kind driver = {
    .service = "driver",
    .port = 2,
    .drives_load = true,
    .routes = (const struct route[]){
        {.name = "a", .steps = STEPS(ASK("back", "GET /a"), END())},
        {.name = "b", .steps = STEPS(ASK("back", "GET /b"), END())},
        {.name = "slow", .steps = STEPS(ASK("back", "GET /slow"), END()), .leave = count_leaving},
        {.name = "visit",
         .steps = STEPS(ASK("back", "GET /a"), THINK(), ASK("back", "GET /b"), END()),
         .leave = count_leaving},
        {.name = "sold_out",
         .steps = STEPS(ASK("back", "GET /gone", .outcomes = true, .then = see_outcome), THINK(),
                        ASK("back", "GET /a"), END())},
        {.name = "unlucky",
         .steps = STEPS(ASK("back", "GET /bad"), THINK(), ASK("back", "GET /a"), END()),
         .leave = count_leaving},
        {0}}};

static const struct actor_kind *const kinds[] = {&driver, &back};

static struct curve_point constant_600[] = {{0, 600}};
static const struct demo_start as_told;

static struct stream_spec *add_stream(struct toy *toy, const char *journey)
{
    struct stream_spec *stream = &toy->scenario.streams[toy->scenario.stream_count++];
    *stream = (struct stream_spec){.name = "s",
                                   .demo = true,
                                   .mix_count = 1,
                                   .visit = {.think_mean_ns = S(2), .think_max_ns = S(10)},
                                   .rate_per_min = {.points = constant_600, .count = 1}};
    stream->mixes[0] = (struct mix){.of = {{journey, 1}}, .count = 1};
    return stream;
}

static struct stream_spec *begin(struct toy *toy, const char *journey)
{
    toy_begin(toy, kinds, ARRAY_LEN(kinds));
    return add_stream(toy, journey);
}

static void assert_within(double value, double low, double high)
{
    if (!(value >= low && value <= high))
        fail_msg("%g is not within %g..%g", value, low, high);
}

static const struct stream_stats *stream(const struct toy *toy)
{
    return &world_stats(toy->world)->streams[0];
}

static uint64_t business(const struct toy *toy, enum business what)
{
    return world_stats(toy->world)->business.count[what];
}

/* CLIENT spans of that name that began within. */
static size_t asked(const struct toy *toy, const char *name, int64_t from_ns, int64_t to_ns)
{
    size_t count = 0;
    for (size_t i = 0; i < toy->span_count; i++) {
        const struct span *span = &toy->spans[i];
        count += span->site->kind == SPAN_CLIENT && strcmp(span->site->name, name) == 0 &&
                 span->start_ns >= from_ns && span->start_ns < to_ns;
    }
    return count;
}

/* ---- mixes ---- */

static void a_mix_gives_each_its_share(void **state)
{
    (void)state;
    struct toy toy;
    struct stream_spec *spec = begin(&toy, "a");
    spec->mixes[0] = (struct mix){.of = {{"a", 3}, {"b", 1}}, .count = 2};
    spec->mixes[1] = (struct mix){.at_ns = MIN_(10), .of = {{"a", 0}, {"b", 0.5}}, .count = 2};
    spec->mix_count = 2;
    toy.scenario.duration_ns = MIN_(20);
    toy_open(&toy, 1);
    toy_run(&toy);
    double a = (double)asked(&toy, "GET /a", 0, MIN_(10)), b = (double)asked(&toy, "GET /b", 0, MIN_(10));
    assert_within(a / (a + b), 0.73, 0.77); /* 6,000 draws: sigma 0.0056 */
    assert_int_equal(asked(&toy, "GET /a", MIN_(10), MIN_(20)), 0);
    assert_within((double)asked(&toy, "GET /b", MIN_(10), MIN_(20)), 5600, 6400);
    toy_end(&toy);
}

static void a_mix_moves_no_arrival(void **state)
{
    (void)state;
    enum { COMPARED = 500 };
    static int64_t at_ns[2][COMPARED];
    for (int mixed = 0; mixed < 2; mixed++) {
        struct toy toy;
        struct stream_spec *spec = begin(&toy, "a");
        if (mixed)
            spec->mixes[0] = (struct mix){.of = {{"a", 1}, {"b", 1}}, .count = 2};
        toy.scenario.duration_ns = MIN_(1);
        toy_open(&toy, 2);
        toy_run(&toy);
        size_t count = 0;
        for (size_t i = 0; i < toy.span_count && count < COMPARED; i++)
            if (toy.spans[i].site->kind == SPAN_CLIENT)
                at_ns[mixed][count++] = toy.spans[i].start_ns;
        assert_int_equal(count, COMPARED);
        toy_end(&toy);
    }
    assert_memory_equal(at_ns[0], at_ns[1], sizeof at_ns[0]);
}

/* ---- bursts ---- */

static void begin_bursts(struct toy *toy)
{
    struct stream_spec *spec = begin(toy, "slow");
    spec->rate_per_min.count = 0;
    spec->burst = (struct burst_spec){
        .at_ns = MIN_(1), .within_ns = MS(50), .every_ns = S(6), .count = 17, .rounds = 10};
    toy->scenario.duration_ns = MIN_(3);
}

static void bursts_come_exactly(void **state)
{
    (void)state;
    struct toy toy;
    begin_bursts(&toy);
    toy_open(&toy, 3);
    toy_run(&toy);
    assert_int_equal(stream(&toy)->started, 170);
    for (int round = 0; round < 10; round++)
        assert_int_equal(asked(&toy, "GET /slow", MIN_(1) + S(6) * round, MIN_(1) + S(6) * round + MS(50)),
                         17);
    assert_int_equal(asked(&toy, "GET /slow", MIN_(1), MIN_(1) + MS(50) / 17 + 1), 2);
    const struct stream_spec *spec = &toy.scenario.streams[0];
    assert_true(stream_rate_per_min(spec, MIN_(1) - 1) == 0);
    assert_true(stream_rate_per_min(spec, MIN_(1)) == 170);
    assert_true(stream_rate_per_min(spec, MIN_(2)) == 0);
    toy_end(&toy);
}

static void the_world_knows_while_bursts_last(void **state)
{
    (void)state;
    struct toy toy;
    begin_bursts(&toy);
    add_stream(&toy, "a")->demo = false;
    toy.options.demo_waits = true;
    toy_open(&toy, 3);
    toy_run_until(&toy, MIN_(2));
    assert_false(world_bursting(toy.world)); /* the demo waits */
    assert_true(world_start_demo(toy.world, &as_told, MIN_(2)));
    toy_run_until(&toy, MIN_(3) - 1);
    assert_false(world_bursting(toy.world));
    toy_run_until(&toy, MIN_(3));
    assert_true(world_bursting(toy.world));
    toy_run_until(&toy, MIN_(3) + S(51));
    assert_true(world_bursting(toy.world)); /* one round is over, the next to come */
    toy_run_until(&toy, MIN_(4) - S(6) + MS(147));
    assert_true(world_bursting(toy.world)); /* the last of 170 takes 100 ms */
    toy_run_until(&toy, MIN_(4) - S(6) + MS(150));
    assert_false(world_bursting(toy.world));
    assert_true(world_stop_demo(toy.world));
    assert_true(world_start_demo(toy.world, &as_told, MIN_(5)));
    toy_run_until(&toy, MIN_(6));
    assert_true(world_bursting(toy.world)); /* they come anew */
    assert_true(world_stop_demo(toy.world));
    toy_run_until(&toy, MIN_(6) + S(1));
    assert_false(world_bursting(toy.world)); /* those that were to come will not */
    toy_end(&toy);
}

static void bursts_before_the_start_are_passed_over(void **state)
{
    (void)state;
    struct toy toy;
    begin_bursts(&toy);
    toy.options.from_ns = MIN_(2) + S(31);
    toy_open(&toy, 3);
    toy_run(&toy);
    assert_int_equal(stream(&toy)->started,
                     17 * 4); /* at 1:36, 1:42, 1:48 and 1:54, in the minute of warming up */
    toy_end(&toy);
}

/* ---- pauses ---- */

static void a_pause_is_exponential_and_cut(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, "visit");
    toy_open(&toy, 4);
    toy_run(&toy);
    double sum = 0, longest = 0;
    size_t pauses = 0, cut = 0;
    for (size_t i = 0; i < toy.span_count; i++) {
        const struct span *first = &toy.spans[i], *second = NULL;
        if (first->site->kind != SPAN_CLIENT || strcmp(first->site->name, "GET /a") != 0 ||
            first->start_ns > MIN_(4))
            continue;
        const char *session = toy_attr_text(&first->attrs, ATTR_SESSION_ID);
        for (size_t j = i + 1; j < toy.span_count && !second; j++)
            if (toy.spans[j].site->kind == SPAN_CLIENT &&
                memcmp(toy_attr_text(&toy.spans[j].attrs, ATTR_SESSION_ID), session, SESSION_DIGITS) == 0)
                second = &toy.spans[j];
        assert_non_null(second);
        assert_string_equal(second->site->name, "GET /b");
        double pause = (double)(second->start_ns - first->end_ns) / 1e9;
        sum += pause;
        longest = MAX(longest, pause);
        cut += pause >= 10;
        pauses++;
    }
    assert_true(pauses > 2000);
    assert_within(sum / (double)pauses, 1.85, 2.12); /* 2 s but for what is cut */
    assert_true(longest == 10 && cut > 3 && cut < 40); /* e^-5 of them */
    toy_end(&toy);
}

static void only_visits_have_a_session_and_each_has_its_own(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, "visit");
    add_stream(&toy, "a");
    toy.scenario.duration_ns = MIN_(1);
    toy_open(&toy, 5);
    toy_run(&toy);
    for (size_t i = 0; i < toy.span_count; i++) {
        const struct span *span = &toy.spans[i];
        const struct attr *session = toy_attr(&span->attrs, ATTR_SESSION_ID);
        assert_true((session != NULL) == (span->site->kind == SPAN_CLIENT && span->stream == 0));
        size_t same = 0;
        for (size_t j = 0; session && j < toy.span_count; j++) {
            const struct attr *other = toy_attr(&toy.spans[j].attrs, ATTR_SESSION_ID);
            same += other && memcmp(other->text, session->text, SESSION_DIGITS) == 0;
        }
        assert_true(!session || (session->len == SESSION_DIGITS && same <= 2));
    }
    toy_end(&toy);
}

static void no_step_begins_after_the_end(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, "visit");
    toy.scenario.duration_ns = MIN_(1);
    toy_open(&toy, 6);
    toy_run(&toy);
    assert_int_equal(world_now(toy.world), MIN_(1));
    size_t first = asked(&toy, "GET /a", 0, MIN_(1)), second = asked(&toy, "GET /b", 0, MIN_(1));
    assert_true(second < first && second + 60 > first); /* 10 a second think for 2 s */
    assert_int_equal(asked(&toy, "GET /b", MIN_(1), NEVER), 0);
    assert_int_equal(stream(&toy)->failed, 0);
    assert_int_equal(business(&toy, BUSINESS_CART_ABANDONED), second); /* whoever was thinking has not left */
    toy_end(&toy);
}

static void whoever_thinks_goes_when_traffic_stops(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, "visit");
    toy_open(&toy, 7);
    toy_run_until(&toy, S(30));
    assert_false(world_idle(toy.world));
    uint64_t started = stream(&toy)->started;
    world_stop_traffic(toy.world);
    assert_true(world_idle(toy.world));
    toy_run(&toy);
    assert_int_equal(stream(&toy)->started, started);
    assert_int_equal(stream(&toy)->failed + stream(&toy)->in_flight, 0);
    toy_end(&toy);
}

/* ---- ends ---- */

static void a_failure_ends_a_visit_and_sold_out_does_not(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, "sold_out");
    add_stream(&toy, "unlucky");
    toy.scenario.duration_ns = MIN_(1);
    toy_open(&toy, 8);
    toy_run(&toy);
    const struct stream_stats *unlucky = &world_stats(toy.world)->streams[1];
    assert_true(stream(&toy)->started > 900); /* the second step as well */
    assert_int_equal(stream(&toy)->failed, 0);
    assert_true(business(&toy, BUSINESS_SOLD_OUT) > 450);
    assert_int_equal(business(&toy, BUSINESS_CHECKOUT), 0);
    assert_int_equal(unlucky->failed, unlucky->started);
    assert_within((double)unlucky->started, 500, 700);
    assert_int_equal(business(&toy, BUSINESS_CART_ABANDONED), unlucky->started);
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mix_gives_each_its_share),
        cmocka_unit_test(a_mix_moves_no_arrival),
        cmocka_unit_test(bursts_come_exactly),
        cmocka_unit_test(the_world_knows_while_bursts_last),
        cmocka_unit_test(bursts_before_the_start_are_passed_over),
        cmocka_unit_test(a_pause_is_exponential_and_cut),
        cmocka_unit_test(only_visits_have_a_session_and_each_has_its_own),
        cmocka_unit_test(no_step_begins_after_the_end),
        cmocka_unit_test(whoever_thinks_goes_when_traffic_stops),
        cmocka_unit_test(a_failure_ends_a_visit_and_sold_out_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
