/* timeline: when the demo starts, where it is entered and where it ends; what its figures then count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/parts.h"
#include "tests/core/toy_world.h"

static const struct actor_kind back = {
    .service = "back",
    .port = 1,
    .work = {MS(100), MS(100)},
    .pools = {{"things", 10, 1000}},
    .routes = (const struct route[]){{.name = "GET /quick", .steps = (const struct step[]){END()}}, {0}}};

static const struct actor_kind driver = {
    .service = "driver",
    .port = 2,
    .drives_load = true,
    .routes = (const struct route[]){
        {.name = "visit", .steps = (const struct step[]){ASK("back", "GET /quick", .limit_ms = 1000), END()}},
        {0}}};

static const struct actor_kind *const kinds[] = {&driver, &back};

static struct curve_point steady[] = {{0, 600}};
static struct curve_point rising[] = {{0, 0}, {MIN_(5), 600}};

static void add_stream(struct toy *toy, const char *name, struct curve_point *points, size_t count)
{
    struct stream_spec *stream = &toy->scenario.streams[toy->scenario.stream_count++];
    *stream = (struct stream_spec){.name = name, .rate_per_min = {points, count}, .mix_count = 1};
    stream->mixes[0] = (struct mix){.of = {{"visit", 1}}, .count = 1};
    stream->demo = strcmp(name, "demo") == 0;
}

/* A baseline that is steady, a demo that rises, and a pool that shrinks at minutes 2 and 8 of ten. */
static void open_toy(struct toy *toy, const struct world_options *options)
{
    toy_begin(toy, kinds, ARRAY_LEN(kinds));
    add_stream(toy, "baseline", steady, ARRAY_LEN(steady));
    add_stream(toy, "demo", rising, ARRAY_LEN(rising));
    toy->scenario.phases[0] = (struct phase){0, "first"};
    toy->scenario.phases[1] = (struct phase){MIN_(3), "second"};
    toy->scenario.phase_count = 2;
    toy->scenario.faults[0] =
        (struct fault_spec){.at_ns = MIN_(2), .kind = FAULT_POOL_MAX, .target = "things", .value = 5};
    toy->scenario.faults[1] =
        (struct fault_spec){.at_ns = MIN_(8), .kind = FAULT_POOL_MAX, .target = "things", .value = 2};
    toy->scenario.fault_count = 2;
    toy->options = *options;
    toy_open(toy, 7);
    toy->deaf = true;
}

static const struct stream_stats *stream(const struct toy *toy, size_t index)
{
    return &world_stats(toy->world)->streams[index];
}

static int pool_max(const struct toy *toy)
{
    return toy->world->actors[1].pools[0].pool.max;
}

static void assert_near(double value, double expected, double by)
{
    if (!(value >= expected - by && value <= expected + by))
        fail_msg("%g is not within %g of %g", value, by, expected);
}

static void it_ends_where_it_is_told_to(void **state)
{
    (void)state;
    struct toy toy;
    open_toy(&toy, &(struct world_options){.duration_ns = MIN_(4)});
    toy_run(&toy);
    assert_int_equal(world_duration(toy.world), MIN_(4));
    assert_in_range(world_now(toy.world), MIN_(4), MIN_(4) + S(2));
    assert_near((double)stream(&toy, 0)->started, 2400, 200);
    assert_int_equal(stream(&toy, 0)->minutes[4].requests, 0);
    assert_int_equal(pool_max(&toy), 5); /* the second fault never came */
    world_finish(toy.world);
    assert_true(world_stats(toy.world)->faults[0].applied);
    assert_false(world_stats(toy.world)->faults[1].applied || world_stats(toy.world)->faults[1].judged);
    toy_end(&toy);
}

static void no_longer_than_the_scenario(void **state)
{
    (void)state;
    struct toy toy;
    open_toy(&toy, &(struct world_options){.duration_ns = MIN_(20), .demo_waits = true});
    assert_int_equal(world_duration(toy.world), MIN_(10));
    assert_true(world_start_demo(toy.world, &(struct demo_start){.duration_ns = MIN_(11)}, MIN_(1)));
    assert_int_equal(world_duration(toy.world), MIN_(10));
    toy_run(&toy);
    assert_in_range(world_now(toy.world), MIN_(11), MIN_(11) + S(2));
    toy_end(&toy);
}

static void it_can_be_entered_in_its_middle(void **state)
{
    (void)state;
    struct toy toy;
    open_toy(&toy, &(struct world_options){.demo_waits = true});
    toy_run_until(&toy, MIN_(1));
    assert_int_equal(pool_max(&toy), 10);
    assert_true(world_start_demo(toy.world, &(struct demo_start){.at_ns = MIN_(5)}, MIN_(1)));
    assert_int_equal(world_demo_at(toy.world), MIN_(5));
    toy_run_until(&toy, MIN_(1) + 1);
    assert_int_equal(pool_max(&toy), 5); /* the earlier fault has come at once */
    toy_run_until(&toy, MIN_(3));
    /* Its rate is that of minutes 5 to 7. */
    assert_near((double)stream(&toy, 1)->started, 1200, 140);
    assert_int_equal(stream(&toy, 1)->minutes[4].requests, 0);
    assert_near((double)stream(&toy, 1)->minutes[5].requests, 600, 100);
    assert_near((double)stream(&toy, 0)->minutes[5].requests, 600, 100);
    toy_run_until(&toy, MIN_(4) + 1);
    assert_int_equal(pool_max(&toy), 2);
    toy_run(&toy);
    assert_in_range(world_now(toy.world), MIN_(6), MIN_(6) + S(2));
    world_finish(toy.world);
    assert_true(world_stats(toy.world)->faults[1].applied);
    toy_end(&toy);
}

static void its_rates_can_be_scaled_and_the_baseline_stays(void **state)
{
    (void)state;
    struct toy toy;
    open_toy(&toy, &(struct world_options){.demo_waits = true});
    assert_true(world_start_demo(toy.world, &(struct demo_start){.scale = 2.5}, 0));
    toy_run_until(&toy, MIN_(7));
    assert_near((double)stream(&toy, 1)->minutes[6].requests, 1500, 160);
    assert_near((double)stream(&toy, 0)->minutes[6].requests, 600, 100);
    const struct stream_spec *specs = toy.scenario.streams;
    assert_true(stream_rate(stream(&toy, 1), &specs[1], MIN_(6)) == 1500);
    assert_true(stream_rate(stream(&toy, 0), &specs[0], MIN_(6)) == 600);
    assert_true(world_stop_demo(toy.world));
    /* What one demo was told is no matter of the next. */
    assert_true(world_start_demo(toy.world, &(struct demo_start){0}, MIN_(7)));
    assert_true(stream_rate(stream(&toy, 1), &specs[1], MIN_(6)) == 600);
    toy_run_until(&toy, MIN_(14));
    assert_near((double)stream(&toy, 1)->minutes[6].requests, 600, 100);
    toy_end(&toy);
}

/* Arrivals beyond the end are not planned; those of the baseline are, once there is no end. */
static void the_baseline_outlives_a_demo_stopped_at_its_very_end(void **state)
{
    (void)state;
    struct toy toy;
    open_toy(&toy, &(struct world_options){.demo_waits = true});
    assert_true(world_start_demo(toy.world, &(struct demo_start){.duration_ns = MIN_(2)}, 0));
    toy_run_until(&toy, MIN_(2) - 1);
    assert_true(world_stop_demo(toy.world));
    uint64_t started = stream(&toy, 0)->started;
    toy_run_until(&toy, MIN_(3));
    assert_near((double)(stream(&toy, 0)->started - started), 600, 100);
    toy_end(&toy);
}

static void a_demo_of_its_own_is_not_left_out_for_a_warm_up(void **state)
{
    (void)state;
    struct toy toy;
    open_toy(&toy, &(struct world_options){.from_ns = MIN_(5)});
    toy_run_until(&toy, MIN_(6));
    assert_true(world_stop_demo(toy.world));
    assert_true(world_start_demo(toy.world, &(struct demo_start){0}, MIN_(6)));
    toy_run_until(&toy, MIN_(8));
    assert_near((double)stream(&toy, 0)->minutes[0].requests, 600, 100);
    toy_end(&toy);
}

/* Who watches sees the minute that warms up; the report's windows leave it out. */
static void a_warm_up_is_seen_and_not_counted(void **state)
{
    (void)state;
    struct toy toy;
    open_toy(&toy, &(struct world_options){.from_ns = MIN_(6) + S(30)});
    toy_run_until(&toy, MIN_(8));
    assert_int_equal(stream(&toy, 0)->seen[4].requests, 0);
    assert_near(stream(&toy, 0)->seen[5].requests, 300, 70);
    assert_near(stream(&toy, 0)->seen[6].requests, 600, 100);
    assert_near((double)stream(&toy, 0)->minutes[6].requests, 300, 70);
    assert_int_equal(stream(&toy, 0)->minutes[5].requests, 0);
    assert_int_equal(stream(&toy, 0)->seen[7].requests, stream(&toy, 0)->minutes[7].requests);
    assert_int_equal(stream(&toy, 0)->seen[6].errors, 0);
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_ends_where_it_is_told_to),
        cmocka_unit_test(no_longer_than_the_scenario),
        cmocka_unit_test(it_can_be_entered_in_its_middle),
        cmocka_unit_test(its_rates_can_be_scaled_and_the_baseline_stays),
        cmocka_unit_test(the_baseline_outlives_a_demo_stopped_at_its_very_end),
        cmocka_unit_test(a_demo_of_its_own_is_not_left_out_for_a_warm_up),
        cmocka_unit_test(a_warm_up_is_seen_and_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
