/* load: Poisson arrivals on a curve, the same for a seed whatever else there is; what is counted of them. */
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

static const struct actor_kind back = {
    .service = "back",
    .port = 1,
    .work = {MS(100), MS(100)},
    .pools = {{"unused", 1, 1}},
    .routes =
        (const struct route[]){{.name = "GET /quick", .steps = STEPS(REPLY(STATUS_OK, say_done))},
                               {.name = "GET /slow", .steps = STEPS(WORK(), REPLY(STATUS_OK, say_done))},
                               {0}}};

static const struct actor_kind driver = {
    .service = "driver",
    .port = 2,
    .drives_load = true,
    .routes = (const struct route[]){
        {.name = "visit", .steps = STEPS(ASK("back", "GET /quick", .limit_ms = 1000), END())},
        {.name = "stay",
         .steps = STEPS(ASK("back", "GET /slow", .limit_ms = 1000),
                        ASK("back", "GET /quick", .limit_ms = 1000), ASK("ghost", "GET /x"), END())},
        {0}}};

static const struct actor_kind *const kinds[] = {&driver, &back};

static struct curve_point constant_600[] = {{0, 600}};
static const struct demo_start as_told;
static struct curve_point ramp[] = {{0, 0}, {MIN_(10), 1200}};
static struct curve_point from_one[] = {{MIN_(1), 300}};
static struct curve_point nothing[] = {{0, 0}};

#define CURVE(points_)                                                                                       \
    {                                                                                                        \
        .points = (points_), .count = ARRAY_LEN(points_)                                                     \
    }

static struct stream_spec *add_stream(struct toy *toy, const char *name, const char *journey,
                                      struct curve curve)
{
    struct stream_spec *stream = &toy->scenario.streams[toy->scenario.stream_count++];
    *stream = (struct stream_spec){.name = name, .rate_per_min = curve};
    if (journey) {
        stream->mixes[0] = (struct mix){.of = {{journey, 1}}, .count = 1};
        stream->mix_count = 1;
    }
    return stream;
}

static void begin(struct toy *toy, struct curve curve)
{
    toy_begin(toy, kinds, ARRAY_LEN(kinds));
    add_stream(toy, "first", "visit", curve);
}

static const struct stream_stats *stream(const struct toy *toy, size_t index)
{
    return &world_stats(toy->world)->streams[index];
}

static void assert_within(double value, double low, double high)
{
    if (!(value >= low && value <= high))
        fail_msg("%g is not within %g..%g", value, low, high);
}

/* Instants at which requests of the stream began. */
static size_t starts(const struct toy *toy, uint8_t stream_index, int64_t *at_ns, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < toy->span_count && count < max; i++)
        if (toy->spans[i].site->kind == SPAN_CLIENT && toy->spans[i].stream == stream_index)
            at_ns[count++] = toy->spans[i].start_ns;
    return count;
}

/* ---- tests ---- */

static void a_constant_rate_is_a_poisson_process(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, (struct curve)CURVE(constant_600));
    toy.scenario.duration_ns = MIN_(60);
    toy_open(&toy, 1);
    toy.deaf = true;
    toy_run(&toy);
    const struct stream_stats *stats = stream(&toy, 0);
    assert_within((double)stats->started, 36000 - 4 * 190, 36000 + 4 * 190);
    assert_int_equal(stats->answered, stats->started);
    assert_int_equal(stats->whole.requests, stats->started);
    assert_int_equal(stats->late, 0);
    double squares = 0, sum = 0;
    assert_int_equal(stats->minute_count, 60);
    for (size_t m = 0; m < 60; m++) {
        double count = (double)stats->minutes[m].requests;
        assert_within(count, 600 - 4.5 * 24.5, 600 + 4.5 * 24.5);
        squares += (count - 600) * (count - 600);
        sum += count;
    }
    assert_within(sum, (double)stats->started, (double)stats->started);
    assert_within(squares / 60 / 600, 0.4, 1.8); /* variance = mean */
    toy_end(&toy);
}

static void a_rising_rate_gives_what_lies_under_its_curve(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, (struct curve)CURVE(ramp));
    toy_open(&toy, 2);
    toy.deaf = true;
    toy_run(&toy);
    const struct stream_stats *stats = stream(&toy, 0);
    assert_within((double)stats->started, 6000 - 4 * 77.5, 6000 + 4 * 77.5);
    for (size_t m = 0; m < 10; m++) {
        double expected = 120 * ((double)m + 0.5), sigma = expected < 100 ? 10 : 35;
        assert_within((double)stats->minutes[m].requests, expected - 4 * sigma, expected + 4 * sigma);
    }
    toy_end(&toy);
}

enum { COMPARED = 400 };

static size_t first_arrivals(uint64_t seed, bool another, int64_t at_ns[static COMPARED])
{
    struct toy toy;
    begin(&toy, (struct curve)CURVE(constant_600));
    toy.scenario.duration_ns = MIN_(1);
    if (another)
        add_stream(&toy, "second", "stay", (struct curve)CURVE(ramp))->demo = true;
    toy_open(&toy, seed);
    toy_run(&toy);
    size_t count = starts(&toy, 0, at_ns, COMPARED);
    toy_end(&toy);
    return count;
}

static void a_seed_decides_and_another_stream_changes_nothing(void **state)
{
    (void)state;
    static int64_t a[COMPARED], b[COMPARED];
    assert_int_equal(first_arrivals(1, false, a), COMPARED);
    assert_int_equal(first_arrivals(1, false, b), COMPARED);
    assert_memory_equal(a, b, sizeof a);
    assert_int_equal(first_arrivals(1, true, b), COMPARED);
    assert_memory_equal(a, b, sizeof a);
    assert_int_equal(first_arrivals(2, false, b), COMPARED);
    assert_memory_not_equal(a, b, sizeof a);
}

static void nothing_comes_before_the_curve_or_after_the_end(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, (struct curve)CURVE(from_one));
    add_stream(&toy, "none", "visit", (struct curve)CURVE(nothing));
    toy.scenario.duration_ns = MIN_(2) + S(30);
    toy_open(&toy, 3);
    toy_run(&toy);
    static int64_t at_ns[1000];
    size_t count = starts(&toy, 0, at_ns, ARRAY_LEN(at_ns));
    assert_within((double)count, 450 - 4 * 21, 450 + 4 * 21);
    for (size_t i = 0; i < count; i++)
        assert_true(at_ns[i] >= MIN_(1) && at_ns[i] < MIN_(2) + S(30));
    assert_int_equal(stream(&toy, 0)->minutes[0].requests, 0);
    assert_int_equal(stream(&toy, 0)->minute_count, 3);
    assert_int_equal(stream(&toy, 0)->minutes[2].to_ns, MIN_(2) + S(30));
    assert_int_equal(stream(&toy, 1)->started, 0);
    toy_end(&toy);
}

static void a_request_runs_for_its_stream(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, (struct curve)CURVE(nothing));
    struct stream_spec *demo = add_stream(&toy, "demo", NULL, (struct curve)CURVE(from_one));
    demo->service = "back"; /* asked directly */
    demo->route = "GET /quick";
    demo->demo = true;
    toy.scenario.phases[0] = (struct phase){0, "calm"};
    toy.scenario.phases[1] = (struct phase){MIN_(2), "storm"};
    toy.scenario.phase_count = 2;
    toy.scenario.duration_ns = MIN_(3);
    toy_open(&toy, 4);
    toy_run(&toy);
    assert_true(stream(&toy, 1)->started > 100);
    assert_int_equal(world_stats(toy.world)->traces, stream(&toy, 1)->started);
    for (size_t i = 0; i < toy.span_count; i += 2) {
        const struct span *server = &toy.spans[i], *client = &toy.spans[i + 1];
        assert_int_equal(client->parent, 0);
        assert_int_equal(client->depth, 1);
        assert_string_equal(world_service(toy.world, client->site->service)->service, "driver");
        assert_true(client->demo && server->demo);
        assert_int_equal(client->stream, 1);
        bool storm = client->start_ns >= MIN_(2);
        assert_int_equal(toy_attr_number(&server->attrs, ATTR_DEMO_MINUTE), storm ? 2 : 1);
        assert_string_equal(toy_attr_text(&server->attrs, ATTR_DEMO_PHASE), storm ? "storm" : "calm");
    }
    toy_end(&toy);
}

static void each_step_of_a_journey_is_a_request_of_its_own(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, (struct curve)CURVE(nothing));
    add_stream(&toy, "stays", "stay", (struct curve)CURVE(from_one));
    toy.scenario.duration_ns = MIN_(2);
    toy_open(&toy, 5);
    toy_run(&toy);
    const struct stream_stats *stats = stream(&toy, 1);
    /* The last step fails, for nobody is there: its request alone. */
    assert_int_equal(stats->started % 3, 0);
    assert_int_equal(stats->failed * 3, stats->started);
    assert_int_equal(stats->answered + stats->failed, stats->started);
    assert_int_equal(stats->in_flight, 0);
    assert_int_equal(world_stats(toy.world)->traces, stats->started);
    static uint64_t traces[2000];
    size_t roots = 0;
    for (size_t i = 0; i < toy.span_count; i++) {
        if (toy.spans[i].parent)
            continue;
        for (size_t before = 0; before < roots; before++)
            assert_true(traces[before] != toy.spans[i].trace_lo);
        traces[roots++] = toy.spans[i].trace_lo;
    }
    assert_int_equal(roots, stats->started);
    toy_end(&toy);
}

/* No coordinated omission: a driver that lags makes latencies long, not arrivals few. */
static void latency_runs_from_the_intended_start(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, (struct curve)CURVE(constant_600));
    toy.scenario.duration_ns = S(30);
    toy_open(&toy, 6);
    world_turn(toy.world, S(10), 100000);
    const struct stream_stats *stats = stream(&toy, 0);
    assert_within((double)stats->started, 60, 140);
    assert_int_equal(stats->answered, stats->started);
    assert_within(stats->whole.latency.max, 9, 10);
    assert_int_equal(stats->late, stats->started);
    assert_within(stats->start_error.max, 9, 10);
    assert_within(stats->whole.latency.sum / (double)stats->started, 4, 6);
    toy_run(&toy);
    assert_within((double)stats->started, 300 - 70, 300 + 70);
    toy_end(&toy);
}

static void what_finds_the_table_of_calls_full_is_dropped_and_counted(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, kinds, ARRAY_LEN(kinds));
    add_stream(&toy, "stays", "stay", (struct curve)CURVE(constant_600));
    toy.scenario.duration_ns = MIN_(1);
    toy.options.calls_max = 2; /* one journey and the call it makes */
    toy_open(&toy, 7);
    toy.deaf = true;
    toy_run(&toy);
    const struct stream_stats *stats = stream(&toy, 0);
    assert_true(stats->dropped > 100);
    uint64_t journeys = stats->dropped + stats->started / 3;
    assert_within((double)journeys, 600 - 100, 600 + 100);
    toy_end(&toy);
}

static void the_demo_can_wait_for_its_start_and_be_stopped(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, (struct curve)CURVE(constant_600));
    add_stream(&toy, "demo", "visit", (struct curve)CURVE(from_one))->demo = true;
    toy.options.demo_waits = true;
    toy_open(&toy, 8);
    toy.deaf = true;
    assert_true(world_demo_at(toy.world) < 0);
    assert_false(world_stop_demo(toy.world));
    toy_run_until(&toy, MIN_(20)); /* longer than the timeline: it has not begun */
    assert_within((double)stream(&toy, 0)->started, 12000 - 440, 12000 + 440);
    assert_int_equal(stream(&toy, 1)->started, 0);
    assert_true(world_start_demo(toy.world, &as_told, MIN_(20)));
    assert_false(world_start_demo(toy.world, &as_told, MIN_(20)));
    assert_int_equal(toy.world->actors[1].pools[0].pool.zero_ns, MIN_(20));
    toy_run_until(&toy, MIN_(21));
    assert_int_equal(stream(&toy, 1)->started, 0);
    toy_run_until(&toy, MIN_(23));
    assert_within((double)stream(&toy, 1)->started, 600 - 100, 600 + 100);
    assert_within((double)stream(&toy, 1)->minutes[1].requests, 300 - 70, 300 + 70);
    assert_int_equal(world_demo_at(toy.world), MIN_(3));
    uint64_t started = stream(&toy, 1)->started;
    assert_true(world_stop_demo(toy.world));
    toy_run_until(&toy, MIN_(25));
    assert_int_equal(stream(&toy, 1)->started, started);
    assert_within((double)stream(&toy, 0)->started, 15000 - 490, 15000 + 490);
    world_stop_traffic(toy.world);
    toy_run(&toy);
    assert_true(world_idle(toy.world));
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_constant_rate_is_a_poisson_process),
        cmocka_unit_test(a_rising_rate_gives_what_lies_under_its_curve),
        cmocka_unit_test(a_seed_decides_and_another_stream_changes_nothing),
        cmocka_unit_test(nothing_comes_before_the_curve_or_after_the_end),
        cmocka_unit_test(a_request_runs_for_its_stream),
        cmocka_unit_test(each_step_of_a_journey_is_a_request_of_its_own),
        cmocka_unit_test(latency_runs_from_the_intended_start),
        cmocka_unit_test(what_finds_the_table_of_calls_full_is_dropped_and_counted),
        cmocka_unit_test(the_demo_can_wait_for_its_start_and_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
