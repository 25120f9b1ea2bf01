/* world: whose turn it is, the order of equal instants, what a driver may do, and that a seed decides. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/parts.h"
#include "tests/core/toy_world.h"

#define STEPS(...) ((const struct step[]){__VA_ARGS__})

static void some_query(struct call *call, struct pack *body)
{
    pack_array(body, 3);
    pack_text(body, "any");
    pack_int(body, (int64_t)draw_below(call_draw(call, 0), 300));
    pack_int(body, 0);
}

static const struct route quick_routes[] = {
    {.name = "GET /quick", .steps = STEPS(REPLY(STATUS_OK, NULL))},
    {.name = "GET /work", .steps = STEPS(WORK(), REPLY(STATUS_OK, NULL))},
    {.name = "GET /query",
     .steps = STEPS(WORK(), QUERY("things", "lookup", .limit_ms = 400, .body = some_query),
                    REPLY(STATUS_OK, NULL))},
    {0},
};

static const struct actor_kind red = {.service = "red",
                                      .port = 1,
                                      .work = {MS(20), MS(90)},
                                      .routes = quick_routes,
                                      .pools = {{"things", 2, 300}}};
static const struct actor_kind blue = {.service = "blue",
                                       .port = 2,
                                       .work = {MS(50), MS(50)},
                                       .routes = quick_routes,
                                       .pools = {{"things", 1, 300}}};
static const struct actor_kind front = {
    .service = "front",
    .port = 3,
    .work = {MS(5), MS(30)},
    .routes = (const struct route[]){
        {.name = "GET /all",
         .steps = STEPS(WORK(), ASK("red", "GET /work", .limit_ms = 60, .optional = true),
                        ASK("blue", "GET /query", .limit_ms = 500), ASK("red", "GET /query"),
                        REPLY(STATUS_OK, NULL))},
        {0}}};
static const struct actor_kind driver = {
    .service = "driver",
    .drives_load = true,
    .routes = (const struct route[]){
        {.name = "visit", .steps = STEPS(ASK("front", "GET /all", .limit_ms = 900), END())}, {0}}};
static const struct actor_kind idle = {
    .service = "idle", .port = 4, .routes = quick_routes, .pools = {{"things", 1, 300}}};

static const struct actor_kind *const kinds[] = {&red, &blue, &front, &driver, &toy_database, &idle};
enum { ALL_KINDS = 6, BUT_IDLE = 5 };

static struct curve_point rate[] = {{0, 600}};

/* A minute of ten journeys a second through everything. */
static void begin_busy(struct toy *toy, size_t kind_count)
{
    toy_begin(toy, kinds, kind_count);
    toy->scenario.duration_ns = MIN_(1);
    toy->scenario.streams[0] = (struct stream_spec){.name = "s",
                                                    .mixes = MIX_OF("visit"),
                                                    .mix_count = 1,
                                                    .demo = true,
                                                    .rate_per_min = {.points = rate, .count = 1}};
    toy->scenario.stream_count = 1;
}

static uint64_t mixed(uint64_t value, uint64_t next)
{
    return draw(next, value, 1, 0).a;
}

/* What was told, as a number: ids, times and ends of all spans in their order. */
static uint64_t digest(const struct toy *toy)
{
    uint64_t value = toy->span_count;
    for (size_t i = 0; i < toy->span_count; i++) {
        const struct span *span = &toy->spans[i];
        value = mixed(value, span->id);
        value = mixed(value, span->parent);
        value = mixed(value, (uint64_t)span->start_ns);
        value = mixed(value, (uint64_t)span->end_ns);
        value = mixed(value, span->status);
    }
    return value;
}

/* ---- turns ---- */

static void an_actor_takes_a_hundred_messages_then_the_next_has_its_turn(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, kinds, BUT_IDLE);
    toy_open(&toy, 1);
    for (int i = 0; i < 250; i++)
        toy_ask(&toy, "red", "GET /quick", NULL, S(1));
    for (int i = 0; i < 130; i++)
        toy_ask(&toy, "blue", "GET /quick", NULL, S(1));
    toy_run_until(&toy, 0);
    static const struct {
        const char *service;
        size_t count;
    } turns[] = {{"red", 100}, {"blue", 100}, {"red", 100}, {"blue", 30}, {"red", 50}};
    size_t at = 0;
    for (size_t t = 0; t < ARRAY_LEN(turns); t++)
        for (size_t i = 0; i < turns[t].count; i++, at++)
            assert_string_equal(world_service(toy.world, toy.spans[at].site->service)->service,
                                turns[t].service);
    assert_int_equal(at, toy.span_count);
    assert_int_equal(world_stats(toy.world)->services[0].asks_peak, 250);
    toy_end(&toy);
}

static void a_turn_ends_at_its_number_of_events(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, kinds, BUT_IDLE);
    toy_open(&toy, 1);
    for (int i = 0; i < 25; i++)
        toy_ask(&toy, "red", "GET /quick", NULL, S(1));
    for (size_t answered = 10; answered <= 20; answered += 10) {
        assert_int_equal(world_turn(toy.world, 0, 10), 10);
        assert_int_equal(toy.answer_count, answered);
        assert_int_equal(world_next_at(toy.world), 0); /* there is more to do now */
    }
    assert_int_equal(world_turn(toy.world, 0, 10), 5);
    assert_int_equal(world_turn(toy.world, 0, 10), 0);
    assert_int_equal(world_next_at(toy.world), WORLD_SAMPLE_NS);
    toy_end(&toy);
}

static void where_turns_are_cut_does_not_matter(void **state)
{
    (void)state;
    static const unsigned cuts[] = {UINT_MAX, 1, 3, 100};
    uint64_t digests[ARRAY_LEN(cuts)];
    for (size_t c = 0; c < ARRAY_LEN(cuts); c++) {
        struct toy toy;
        begin_busy(&toy, BUT_IDLE);
        toy_open(&toy, 1);
        for (int64_t next_ns; (next_ns = world_next_at(toy.world)) != NEVER;)
            assert_true(world_turn(toy.world, next_ns, cuts[c]) <= cuts[c]);
        digests[c] = digest(&toy);
        assert_true(toy.span_count > 5000);
        toy_end(&toy);
    }
    for (size_t c = 1; c < ARRAY_LEN(cuts); c++)
        assert_true(digests[c] == digests[0]);
}

static void equal_instants_come_in_the_order_they_were_armed(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, kinds, BUT_IDLE);
    toy_open(&toy, 1);
    uint64_t first = 0;
    for (int i = 0; i < 50; i++)
        first = toy_ask(&toy, "blue", "GET /work", NULL, S(1)) - (uint64_t)i;
    toy_run(&toy);
    assert_int_equal(toy.answer_count, 50);
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(toy.answers[i].token, first + i);
        assert_int_equal(toy.answers[i].at_ns, MS(50));
    }
    toy_end(&toy);
}

static void time_does_not_run_backwards(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, kinds, BUT_IDLE);
    toy_open(&toy, 1);
    world_turn(toy.world, S(1), UINT_MAX);
    world_turn(toy.world, MS(1), UINT_MAX);
    assert_int_equal(world_now(toy.world), S(1));
    uint64_t token = toy_ask(&toy, "blue", "GET /work", NULL, S(1));
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, token)->at_ns, MS(1050));
    toy_end(&toy);
}

/* ---- seeds ---- */

static uint64_t busy_digest(uint64_t seed, size_t kind_count)
{
    struct toy toy;
    begin_busy(&toy, kind_count);
    toy_open(&toy, seed);
    toy_run(&toy);
    uint64_t value = digest(&toy);
    toy_end(&toy);
    return value;
}

static void a_seed_decides_everything(void **state)
{
    (void)state;
    uint64_t first = busy_digest(7, BUT_IDLE);
    assert_true(busy_digest(7, BUT_IDLE) == first);
    assert_true(busy_digest(8, BUT_IDLE) != first);
}

static void another_service_shifts_nobodys_chance(void **state)
{
    (void)state;
    assert_true(busy_digest(7, ALL_KINDS) == busy_digest(7, BUT_IDLE));
}

/* ---- what is told ---- */

struct heard {
    size_t samples, phases;
    int64_t sampled_at_ns[16];
};

static void hear_metrics(void *owner, const struct metrics *metrics, int64_t at_ns)
{
    struct heard *heard = owner;
    assert_non_null(metrics->first[METRIC_POOL_MAX]);
    if (heard->samples < ARRAY_LEN(heard->sampled_at_ns))
        heard->sampled_at_ns[heard->samples] = at_ns;
    heard->samples++;
}

static void metrics_are_told_every_15_s_and_at_the_end(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct toy toy;
    toy_begin(&toy, kinds, BUT_IDLE);
    toy.scenario.duration_ns = S(50);
    toy_open(&toy, 1);
    toy.world->sink.owner = &heard;
    toy.world->sink.metrics = hear_metrics;
    toy_run(&toy);
    world_finish(toy.world);
    static const int64_t expected[] = {S(15), S(30), S(45), S(50), S(50)};
    assert_int_equal(heard.samples, ARRAY_LEN(expected));
    assert_memory_equal(heard.sampled_at_ns, expected, sizeof expected);
    toy_end(&toy);
}

static void phases_are_logged_and_come_before_the_faults_of_their_instant(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, kinds, BUT_IDLE);
    toy.scenario.phases[0] = (struct phase){0, "calm"};
    toy.scenario.phases[1] = (struct phase){MIN_(2), "storm"};
    toy.scenario.phase_count = 2;
    toy.scenario.faults[0] =
        (struct fault_spec){.at_ns = MIN_(2), .kind = FAULT_POOL_MAX, .target = "things", .value = 1};
    toy.scenario.fault_count = 1;
    toy_open(&toy, 1);
    toy_run(&toy);
    assert_int_equal(toy.log_count, 3);
    assert_string_equal(toy_attr_text(&toy.logs[0].attrs, ATTR_LOG_PHASE), "calm");
    assert_string_equal(toy_attr_text(&toy.logs[1].attrs, ATTR_LOG_PHASE), "storm");
    assert_int_equal(toy.logs[1].at_ns, MIN_(2));
    assert_int_equal(toy_attr_number(&toy.logs[1].attrs, ATTR_LOG_DEMO_MINUTE), 2);
    assert_int_equal(toy.logs[2].body, LOG_BODY_FAULT);
    toy_end(&toy);
}

static void nobody_needs_to_listen(void **state)
{
    (void)state;
    struct toy toy;
    begin_busy(&toy, BUT_IDLE);
    toy_open(&toy, 1);
    toy.world->sink = (struct sink){0};
    toy_ask(&toy, "red", "GET /query", NULL, S(1));
    toy_run(&toy);
    world_finish(toy.world);
    assert_true(world_stats(toy.world)->spans > 5000);
    toy_end(&toy);
}

/* ---- requests from outside ---- */

static void a_request_joins_the_trace_it_comes_with(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, kinds, BUT_IDLE);
    toy_open(&toy, 1);
    struct world_request request = {.body = "\x90",
                                    .body_len = 1,
                                    .limit_ns = S(1),
                                    .demo = true,
                                    .joins = true,
                                    .trace_hi = 0x1111,
                                    .trace_lo = 0x2222,
                                    .parent = 0x3333,
                                    .flags = 0};
    for (int i = 0; i < 2; i++) /* twice from one span of theirs: two spans of ours */
        world_request(toy.world, &request, 0);
    request.joins = false;
    for (int i = 0; i < 2; i++)
        world_request(toy.world, &request, 0);
    toy_run(&toy);
    assert_int_equal(toy.span_count, 4);
    for (size_t i = 0; i < 2; i++) {
        const struct span *joined = &toy.spans[i], *own = &toy.spans[2 + i];
        assert_true(joined->trace_hi == 0x1111 && joined->trace_lo == 0x2222 && joined->parent == 0x3333);
        assert_int_equal(joined->depth, 2);
        assert_int_equal(joined->flags, 0);
        assert_true(own->parent == 0 && own->depth == 1 && own->flags == 3);
        assert_true(joined->demo && joined->stream == STREAM_OUTSIDE);
        assert_int_equal(toy_attr_number(&joined->attrs, ATTR_DEMO_MINUTE), 0);
    }
    assert_true(toy.spans[0].id != toy.spans[1].id);
    assert_true(toy.spans[2].id != toy.spans[3].id && toy.spans[2].trace_lo != toy.spans[3].trace_lo);
    toy_end(&toy);
}

static void requests_from_outside_count_for_no_stream(void **state)
{
    (void)state;
    struct toy toy;
    begin_busy(&toy, BUT_IDLE);
    toy.scenario.streams[0].rate_per_min.count = 0;
    toy_open(&toy, 1);
    toy_ask(&toy, "front", "GET /all", NULL, S(1));
    toy_run(&toy);
    assert_int_equal(world_stats(toy.world)->streams[0].started, 0);
    assert_int_equal(world_stats(toy.world)->streams[0].in_flight, 0);
    assert_true(world_stats(toy.world)->spans > 5);
    toy_end(&toy);
}

/* ---- its end ---- */

/* At any instant: what waits in mailboxes, pools and the database is given back. The sanitizers watch. */
static void a_world_can_be_left_at_any_instant(void **state)
{
    (void)state;
    for (int64_t at_ms = 0; at_ms < 1000; at_ms += 37) {
        struct toy toy;
        begin_busy(&toy, BUT_IDLE);
        rate[0].value = 6000;
        toy_open(&toy, (uint64_t)at_ms);
        toy_run_until(&toy, MS(at_ms));
        toy_ask(&toy, "red", "GET /query", NULL, S(1)); /* not even read */
        assert_false(world_idle(toy.world) && at_ms > 100);
        toy_end(&toy);
        rate[0].value = 600;
    }
}

static void stopping_the_traffic_lets_what_is_in_flight_end(void **state)
{
    (void)state;
    struct toy toy;
    begin_busy(&toy, BUT_IDLE);
    toy_open(&toy, 1);
    toy_run_until(&toy, S(20));
    world_stop_traffic(toy.world);
    toy_run(&toy);
    assert_true(world_idle(toy.world));
    assert_in_range(world_now(toy.world), S(20), S(22));
    const struct stream_stats *stats = &world_stats(toy.world)->streams[0];
    assert_int_equal(stats->started, stats->answered + stats->failed);
    assert_int_equal(stats->in_flight, 0);
    struct world_leftovers left = world_leftovers(toy.world);
    assert_int_equal(
        left.messages + left.bodies + left.calls + left.queries + left.connections + left.waiters, 0);
    toy_end(&toy);
}

static void sites_and_services_have_their_indexes(void **state)
{
    (void)state;
    struct toy toy;
    toy_begin(&toy, kinds, ALL_KINDS);
    toy_open(&toy, 1);
    assert_int_equal(world_service_count(toy.world), ALL_KINDS);
    for (size_t i = 0; i < ALL_KINDS; i++)
        assert_ptr_equal(world_service(toy.world, i), kinds[i]);
    assert_true(world_site_count(toy.world) > 10);
    for (size_t i = 0; i < world_site_count(toy.world); i++) {
        assert_int_equal(world_site(toy.world, i)->id, i);
        assert_true(world_site(toy.world, i)->service < ALL_KINDS);
    }
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_actor_takes_a_hundred_messages_then_the_next_has_its_turn),
        cmocka_unit_test(a_turn_ends_at_its_number_of_events),
        cmocka_unit_test(where_turns_are_cut_does_not_matter),
        cmocka_unit_test(equal_instants_come_in_the_order_they_were_armed),
        cmocka_unit_test(time_does_not_run_backwards),
        cmocka_unit_test(a_seed_decides_everything),
        cmocka_unit_test(another_service_shifts_nobodys_chance),
        cmocka_unit_test(metrics_are_told_every_15_s_and_at_the_end),
        cmocka_unit_test(phases_are_logged_and_come_before_the_faults_of_their_instant),
        cmocka_unit_test(nobody_needs_to_listen),
        cmocka_unit_test(a_request_joins_the_trace_it_comes_with),
        cmocka_unit_test(requests_from_outside_count_for_no_stream),
        cmocka_unit_test(a_world_can_be_left_at_any_instant),
        cmocka_unit_test(stopping_the_traffic_lets_what_is_in_flight_end),
        cmocka_unit_test(sites_and_services_have_their_indexes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
