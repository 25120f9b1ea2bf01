/* script: delays and failures of a route come by draw, by the root's instant alone, and are proved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/parts.h"
#include "tests/core/toy_world.h"

#define STEPS(...) ((const struct step[]){__VA_ARGS__})

static const struct actor_kind shelf = {
    .service = "shelf",
    .port = 1,
    .work = {MS(100), MS(100)},
    .routes =
        (const struct route[]){
            {.name = "GET /work", .steps = STEPS(WORK(), REPLY(STATUS_OK, NULL))},
            {.name = "GET /other", .steps = STEPS(WORK(), REPLY(STATUS_OK, NULL))},
            {.name = "GET /kind", .takes = "category:text", .steps = STEPS(WORK(), REPLY(STATUS_OK, NULL))},
            {0}},
    .pools = {{"things", 7, 2000}}};

/* A root begun now may reach the shelf much later. */
static const struct actor_kind front = {
    .service = "front",
    .port = 2,
    .work = {S(2), S(2)},
    .routes = (const struct route[]){
        {.name = "GET /late", .steps = STEPS(WORK(), ASK("shelf", "GET /work"), REPLY(STATUS_OK, NULL))},
        {0}}};

static const struct actor_kind *const kinds[] = {&shelf, &front, &toy_database};

static struct fault_spec delay(int64_t at_ns, int64_t min_ns, int64_t max_ns)
{
    return (struct fault_spec){.at_ns = at_ns,
                               .kind = FAULT_ROUTE_DELAY,
                               .target = "shelf",
                               .route = "GET /work",
                               .value = (double)min_ns,
                               .most = (double)max_ns};
}

static struct fault_spec failures(int64_t at_ns, double rate)
{
    return (struct fault_spec){
        .at_ns = at_ns, .kind = FAULT_ROUTE_FAILURES, .target = "shelf", .route = "GET /work", .value = rate};
}

static void open_with(struct toy *toy, const struct fault_spec *faults, size_t count)
{
    for (size_t i = 0; i < count; i++)
        toy->scenario.faults[i] = faults[i];
    toy->scenario.fault_count = count;
    toy->scenario.scripted = true;
    toy->scenario.duration_ns = MIN_(1);
    toy_open(toy, 1);
    toy_run_until(toy, 0);
}

static void begin(struct toy *toy, const struct fault_spec *faults, size_t count)
{
    toy_begin(toy, kinds, ARRAY_LEN(kinds));
    open_with(toy, faults, count);
}

static const struct fault_stats *fault(const struct toy *toy, size_t index)
{
    return &world_stats(toy->world)->faults[index];
}

static void finish(struct toy *toy)
{
    toy_run(toy);
    world_finish(toy->world);
}

static int64_t took(struct toy *toy, const char *route, enum status *status)
{
    int64_t began_ns = world_now(toy->world);
    uint64_t token = toy_ask(toy, "shelf", route, NULL, S(10));
    toy_run_until(toy, began_ns + S(2));
    *status = toy_answer(toy, token)->status;
    return toy_answer(toy, token)->at_ns - began_ns;
}

/* ---- tests ---- */

static void a_delay_lies_between_its_bounds_and_is_told(void **state)
{
    (void)state;
    struct toy toy;
    enum status status;
    int64_t least_ns = NEVER, most_ns = 0;
    begin(&toy, (struct fault_spec[]){delay(0, MS(200), MS(600))}, 1);
    for (int i = 0; i < 20; i++) {
        int64_t delay_ns = took(&toy, "GET /work", &status) - MS(100);
        const struct span *span = toy_span(&toy, "GET /work", (size_t)i);
        assert_int_equal(status, STATUS_OK);
        assert_true(toy_attr_number(&span->attrs, ATTR_DB_SIM_DELAY_MS) == (double)delay_ns / 1e6);
        assert_true(toy_attr_number(&span->attrs, ATTR_DB_SIM_SLOW) == 1);
        least_ns = MIN(least_ns, delay_ns);
        most_ns = MAX(most_ns, delay_ns);
    }
    assert_true(least_ns >= MS(200) && least_ns < MS(300) && most_ns <= MS(600) && most_ns > MS(500));
    assert_int_equal(took(&toy, "GET /other", &status), MS(100));
    assert_null(toy_attr(&toy_span(&toy, "GET /other", 0)->attrs, ATTR_DB_SIM_DELAY_MS));
    finish(&toy);
    assert_true(fault(&toy, 0)->applied && fault(&toy, 0)->landed);
    assert_string_equal(fault(&toy, 0)->evidence, "20 requests of GET /work delayed");
    toy_end(&toy);
}

static void a_failure_comes_after_the_delay_and_looks_like_a_pool(void **state)
{
    (void)state;
    struct toy toy;
    enum status status;
    begin(&toy, (struct fault_spec[]){delay(0, MS(300), MS(300)), failures(0, 1)}, 2);
    uint64_t token = toy_ask(&toy, "shelf", "GET /work", NULL, S(10));
    finish(&toy);
    assert_int_equal(toy_answer(&toy, token)->at_ns, MS(300));
    assert_int_equal(toy_answer(&toy, token)->status, STATUS_UNAVAILABLE);
    assert_string_equal(toy_text(toy_answer(&toy, token)),
                        "SQLSTATE[08006]: Connection timeout after 2000ms");
    const struct span *span = toy_span(&toy, "GET /work", 0);
    assert_true(toy_attr_number(&span->attrs, ATTR_POOL_WAIT_MS) == 0);
    assert_int_equal(span->status, STATUS_POOL_EXHAUSTED);
    assert_true(toy_attr_number(&span->attrs, ATTR_DEMO_FAILURE_RATE) == 1);
    assert_true(toy_attr_number(&span->attrs, ATTR_POOL_SIZE) == 7);
    assert_true(toy_attr_number(&span->attrs, ATTR_POOL_EXHAUSTED) == 1);
    assert_string_equal(fault(&toy, 1)->evidence, "1 of 1 requests of GET /work failed");
    const struct log_record *log = &toy.logs[toy.log_count - 1];
    assert_int_equal(log->body, LOG_BODY_POOL_EXHAUSTED);
    assert_int_equal(log->span, span->id);
    assert_string_equal(toy_attr_text(&log->attrs, ATTR_LOG_FAILURE_RATE), "100.0%");
    assert_int_equal(took(&toy, "GET /other", &status), MS(100));
    toy_end(&toy);
}

static void the_share_that_fails_is_the_rate(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, (struct fault_spec[]){failures(0, 0.3)}, 1);
    int failed = 0;
    toy.deaf = true;
    for (int i = 0; i < 1000; i++) {
        toy_ask(&toy, "shelf", "GET /work", NULL, S(10));
        toy_run_until(&toy, world_now(toy.world) + MS(1));
    }
    finish(&toy);
    for (size_t i = 0; i < toy.answer_count; i++)
        failed += toy.answers[i].status != STATUS_OK;
    assert_in_range(failed, 255, 345); /* three deviations */
    assert_int_equal(fault(&toy, 0)->failed, failed);
    assert_int_equal(fault(&toy, 0)->requests, 1000);
    toy_end(&toy);
}

/* Given in any order, the newest up to the root's instant acts, however late the root gets there. */
static void the_roots_instant_decides(void **state)
{
    (void)state;
    struct toy toy;
    begin(
        &toy,
        (struct fault_spec[]){failures(S(1), 0), failures(0, 1), delay(S(1), 0, 0), delay(0, MS(50), MS(50))},
        4);
    toy_run_until(&toy, S(1) - 1);
    uint64_t before = toy_ask(&toy, "front", "GET /late", NULL, S(10));
    toy_run_until(&toy, S(1));
    uint64_t after = toy_ask(&toy, "front", "GET /late", NULL, S(10));
    finish(&toy);
    assert_int_equal(toy_answer(&toy, before)->status, STATUS_UNAVAILABLE);
    assert_int_equal(toy_answer(&toy, before)->at_ns, S(3) + MS(50) - 1);
    assert_int_equal(toy_answer(&toy, after)->status, STATUS_OK);
    assert_int_equal(toy_answer(&toy, after)->at_ns, S(3) + MS(100));
    for (size_t i = 0; i < 4; i++)
        assert_true(fault(&toy, i)->landed); /* those that mend, too */
    assert_string_equal(fault(&toy, 0)->evidence, "0 of 1 requests of GET /work failed");
    toy_end(&toy);
}

static void the_callers_deadline_cuts_a_delay(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, (struct fault_spec[]){delay(0, S(1), S(1)), failures(0, 1)}, 2);
    uint64_t token = toy_ask(&toy, "shelf", "GET /work", NULL, MS(400));
    finish(&toy);
    assert_int_equal(toy_answer(&toy, token)->at_ns, MS(400));
    assert_int_equal(toy_span(&toy, "GET /work", 0)->end_ns, MS(400));
    assert_int_equal(fault(&toy, 1)->requests, 0);
    assert_false(fault(&toy, 1)->landed);
    toy_end(&toy);
}

/* A failure with `after` waits as long as it says, and says what it has waited. */
static void a_failure_really_waits(void **state)
{
    (void)state;
    struct toy toy;
    struct fault_spec fails = failures(0, 1);
    fails.after_ns = S(5);
    begin(&toy, (struct fault_spec[]){delay(0, MS(300), MS(300)), fails}, 2);
    uint64_t patient = toy_ask(&toy, "shelf", "GET /work", NULL, S(10));
    uint64_t hasty = toy_ask(&toy, "shelf", "GET /work", NULL, S(2));
    finish(&toy);
    assert_int_equal(toy_answer(&toy, patient)->at_ns, MS(5300));
    assert_string_equal(toy_text(toy_answer(&toy, patient)),
                        "SQLSTATE[08006]: Connection timeout after 5000ms");
    const struct span *cut = toy_span(&toy, "GET /work", 0), *span = toy_span(&toy, "GET /work", 1);
    assert_int_equal(span->status, STATUS_POOL_EXHAUSTED);
    assert_true(toy_attr_number(&span->attrs, ATTR_POOL_WAIT_MS) == 5000);
    assert_true(toy_attr_number(&span->attrs, ATTR_POOL_EXHAUSTED) == 1);
    assert_int_equal(toy_answer(&toy, hasty)->at_ns, S(2));
    assert_int_equal(cut->end_ns, S(2));
    assert_true(toy_attr_number(&cut->attrs, ATTR_POOL_WAIT_MS) == 1700);
    assert_true(toy_attr_number(&cut->attrs, ATTR_POOL_EXHAUSTED) == 0);
    assert_int_equal(toy.log_count, 3); /* two faults and the one that ran into its limit */
    assert_true(toy_attr_number(&toy.logs[2].attrs, ATTR_LOG_WAIT_MS) == 5000);
    assert_string_equal(fault(&toy, 1)->evidence, "2 of 2 requests of GET /work failed");
    toy_end(&toy);
}

/* ---- steps along the timeline ---- */

static struct fault_spec stepped(enum fault_kind kind, const struct script_step *steps, size_t count)
{
    struct fault_spec spec = {
        .kind = kind, .target = "shelf", .route = kind == FAULT_MESSAGE_LOSS ? "front" : "GET /work"};
    for (size_t i = 0; i < count; i++)
        spec.steps[i] = steps[i];
    spec.step_count = count;
    return spec;
}

static void steps_hold_until_the_next(void **state)
{
    (void)state;
    static const struct {
        int64_t at_ns, delay_ns;
    } asked[] = {{0, 0},           {S(5) - NS_PER_MS, 0},
                 {S(5), MS(10)},   {S(10) - NS_PER_MS, MS(10)},
                 {S(10), MS(800)}, {S(15), 0},
                 {S(40), 0}};
    struct toy toy;
    begin(&toy,
          (struct fault_spec[]){stepped(FAULT_ROUTE_DELAY,
                                        (struct script_step[]){{S(5), (double)MS(10), (double)MS(10)},
                                                               {S(10), (double)MS(800), (double)MS(800)},
                                                               {S(15), 0, 0}},
                                        3)},
          1);
    uint64_t tokens[ARRAY_LEN(asked)];
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        toy_run_until(&toy, asked[i].at_ns);
        tokens[i] = toy_ask(&toy, "shelf", "GET /work", NULL, S(10));
    }
    finish(&toy);
    for (size_t i = 0; i < ARRAY_LEN(asked); i++)
        assert_int_equal(toy_answer(&toy, tokens[i])->at_ns - asked[i].at_ns, asked[i].delay_ns + MS(100));
    assert_true(fault(&toy, 0)->landed);
    assert_string_equal(fault(&toy, 0)->evidence, "3 requests of GET /work delayed");
    toy_end(&toy);
}

/* Whoever gets there late is told the rate of its own root, and the gauge the rate of now. */
static void the_rate_that_acts_is_told(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy,
          (struct fault_spec[]){
              stepped(FAULT_ROUTE_FAILURES, (struct script_step[]){{S(10), 1, 1}, {S(20), 0.25, 0.25}}, 2)},
          1);
    const struct run_stats *stats = world_stats(toy.world);
    const struct series *gauge = world_metrics(toy.world)->first[METRIC_DEMO_FAILURE_RATE];
    toy_run_until(&toy, S(20) - NS_PER_MS);
    uint64_t late = toy_ask(&toy, "front", "GET /late", NULL, S(10));
    finish(&toy);
    assert_int_equal(toy_answer(&toy, late)->status, STATUS_UNAVAILABLE);
    const struct span *span = toy_span(&toy, "GET /work", 0);
    assert_true(toy_attr_number(&span->attrs, ATTR_DEMO_FAILURE_RATE) == 1);
    assert_true(span->start_ns > S(20));
    assert_true(stats->script_rate == 0.25 && gauge->value == 0.25);
    toy_end(&toy);
}

/* ---- what a delay tells ---- */

static void a_delay_that_plays_a_query_is_told_as_a_slow_one(void **state)
{
    (void)state;
    static const struct index_def index = {
        .name = "idx_things", .sql = "CREATE INDEX idx_things ON things(kind)", .at_start = true};
    struct toy toy;
    struct fault_spec spec = stepped(
        FAULT_ROUTE_DELAY,
        (struct script_step[]){{0, (double)S(1), (double)S(1)}, {S(5), (double)MS(1500), (double)MS(1500)}},
        2);
    spec.route = "GET /kind";
    spec.missing_index = "idx_things";
    toy_begin(&toy, kinds, ARRAY_LEN(kinds));
    toy.registry.indexes = &index;
    toy.registry.index_count = 1;
    open_with(&toy, &spec, 1);
    struct pack *body = toy_pack(&toy);
    pack_array(body, 1);
    pack_text(body, "toys");
    toy_ask(&toy, "shelf", "GET /kind", body, S(10));
    toy_run_until(&toy, S(5));
    toy_ask(&toy, "shelf", "GET /kind", body, S(10));
    finish(&toy);
    for (size_t i = 0; i < 2; i++) {
        const struct attrs *attrs = &toy_span(&toy, "GET /kind", i)->attrs;
        assert_string_equal(toy_attr_text(attrs, ATTR_DB_MISSING_INDEX), "idx_things");
        assert_true(toy_attr_number(attrs, ATTR_DB_SLOW_QUERY) == (double)i);
    }
    assert_int_equal(toy.log_count, 2); /* the fault, and one slow query: a second is not slow yet */
    const struct log_record *log = &toy.logs[1];
    assert_int_equal(log->body, LOG_BODY_SLOW_QUERY);
    assert_int_equal(log->severity, LOG_WARN);
    assert_int_equal(log->span, toy_span(&toy, "GET /kind", 1)->id);
    assert_string_equal(toy_attr_text(&log->attrs, ATTR_LOG_CATEGORY), "toys");
    assert_true(toy_attr_number(&log->attrs, ATTR_LOG_QUERY_MS) == 1500);
    assert_string_equal(toy_attr_text(&log->attrs, ATTR_LOG_RECOMMENDED_INDEX), index.sql);
    toy_end(&toy);
}

/* ---- messages that get lost ---- */

static void an_ask_that_is_lost_ends_at_its_limit(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy,
          (struct fault_spec[]){
              stepped(FAULT_MESSAGE_LOSS, (struct script_step[]){{0, 1, 1}, {S(1), 0, 0}}, 2)},
          1);
    uint64_t lost = toy_ask(&toy, "front", "GET /late", NULL, S(4));
    uint64_t direct = toy_ask(&toy, "shelf", "GET /work", NULL, S(4));
    toy_run_until(&toy, S(1));
    uint64_t heard = toy_ask(&toy, "front", "GET /late", NULL, S(4));
    finish(&toy);
    assert_int_equal(toy_answer(&toy, lost)->at_ns, S(4));
    assert_int_equal(toy_answer(&toy, lost)->status, STATUS_UNAVAILABLE);
    assert_int_equal(toy_answer(&toy, direct)->status, STATUS_OK);
    assert_int_equal(toy_answer(&toy, heard)->status, STATUS_OK);
    assert_string_equal(fault(&toy, 0)->evidence, "1 of 2 asks from front to shelf lost");
    assert_true(fault(&toy, 0)->landed);
    assert_int_equal(toy_span_count(&toy, "GET /work"), 2 + 2); /* CLIENT of both, SERVER of the two heard */
    toy_end(&toy);
}

static void the_share_that_is_lost_is_the_rate(void **state)
{
    (void)state;
    struct toy toy;
    struct fault_spec spec = {.kind = FAULT_MESSAGE_LOSS, .target = "shelf", .route = "front", .value = 0.3};
    begin(&toy, &spec, 1);
    toy.deaf = true;
    for (int i = 0; i < 1000; i++) {
        toy_ask(&toy, "front", "GET /late", NULL, S(4));
        toy_run_until(&toy, world_now(toy.world) + MS(1));
    }
    finish(&toy);
    assert_int_equal(fault(&toy, 0)->requests, 1000);
    assert_in_range(fault(&toy, 0)->failed, 255, 345);
    toy_end(&toy);
}

static void they_can_be_set_while_it_runs(void **state)
{
    (void)state;
    struct toy toy;
    enum status status;
    begin(&toy, NULL, 0);
    assert_int_equal(took(&toy, "GET /work", &status), MS(100));
    char route[] = "GET /work";
    struct fault_spec set = failures(0, 1);
    set.route = route;
    assert_int_equal(world_set_fault(toy.world, &set, world_now(toy.world)), STATUS_OK);
    route[5] = 'x'; /* it keeps a copy */
    took(&toy, "GET /work", &status);
    assert_int_equal(status, STATUS_UNAVAILABLE);
    assert_int_equal(world_set_fault(toy.world, &set, world_now(toy.world)), STATUS_NOT_FOUND);
    finish(&toy);
    assert_true(fault(&toy, 0)->landed);
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delay_lies_between_its_bounds_and_is_told),
        cmocka_unit_test(a_failure_comes_after_the_delay_and_looks_like_a_pool),
        cmocka_unit_test(the_share_that_fails_is_the_rate),
        cmocka_unit_test(the_roots_instant_decides),
        cmocka_unit_test(the_callers_deadline_cuts_a_delay),
        cmocka_unit_test(a_failure_really_waits),
        cmocka_unit_test(steps_hold_until_the_next),
        cmocka_unit_test(the_rate_that_acts_is_told),
        cmocka_unit_test(a_delay_that_plays_a_query_is_told_as_a_slow_one),
        cmocka_unit_test(an_ask_that_is_lost_ends_at_its_limit),
        cmocka_unit_test(the_share_that_is_lost_is_the_rate),
        cmocka_unit_test(they_can_be_set_while_it_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
