/* fault: each kind does what it says when it says so, is logged, and is proved or not at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/parts.h"
#include "tests/core/toy_world.h"

#define STEPS(...) ((const struct step[]){__VA_ARGS__})

static void half_a_second(struct call *call, struct pack *body)
{
    (void)call;
    pack_array(body, 3);
    pack_text(body, "electronics");
    pack_int(body, 500);
    pack_int(body, 0);
}

static const struct actor_kind shelf = {
    .service = "shelf",
    .port = 1,
    .work = {MS(100), MS(100)},
    .routes =
        (const struct route[]){
            {.name = "GET /query",
             .steps = STEPS(QUERY("things", "lookup", .body = half_a_second), REPLY(STATUS_OK, NULL))},
            {.name = "GET /work", .steps = STEPS(WORK(), REPLY(STATUS_OK, NULL)), .checkout = true},
            {0}},
    .pools = {{"things", 1, 2000}}};

static const struct actor_kind front = {
    .service = "front",
    .port = 2,
    .routes = (const struct route[]){
        {.name = "GET /work", .steps = STEPS(ASK("shelf", "GET /work"), REPLY(STATUS_OK, NULL))}, {0}}};

static const struct actor_kind *const kinds[] = {&shelf, &front, &toy_database};

static void begin(struct toy *toy, const struct fault_spec *faults, size_t count)
{
    toy_begin(toy, kinds, ARRAY_LEN(kinds));
    for (size_t i = 0; i < count; i++)
        toy->scenario.faults[i] = faults[i];
    toy->scenario.fault_count = count;
    toy->scenario.duration_ns = MIN_(1);
    toy_open(toy, 1);
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

/* How long a request of the route takes from now, and how it ends. */
static int64_t took(struct toy *toy, const char *service, const char *route, enum status *status)
{
    int64_t began_ns = world_now(toy->world);
    uint64_t token = toy_ask(toy, service, route, NULL, S(10));
    toy_run_until(toy, began_ns + S(10));
    *status = toy_answer(toy, token)->status;
    return toy_answer(toy, token)->at_ns - began_ns;
}

/* ---- tests ---- */

static void a_pool_changes_its_size(void **state)
{
    (void)state;
    struct toy toy;
    begin(
        &toy,
        (const struct fault_spec[]){{.at_ns = S(1), .kind = FAULT_POOL_MAX, .target = "things", .value = 3}},
        1);
    toy_run_until(&toy, MS(700));
    uint64_t tokens[3];
    for (size_t i = 0; i < 3; i++)
        tokens[i] = toy_ask(&toy, "shelf", "GET /query", NULL, S(10));
    finish(&toy);
    assert_int_equal(toy_answer(&toy, tokens[0])->at_ns, MS(1200));
    assert_int_equal(toy_answer(&toy, tokens[1])->at_ns, MS(1500)); /* both at the instant of the fault */
    assert_int_equal(toy_answer(&toy, tokens[2])->at_ns, MS(1500));
    assert_true(fault(&toy, 0)->applied && fault(&toy, 0)->landed);
    assert_string_equal(fault(&toy, 0)->evidence,
                        "pool things: max 1 -> 3, most in use 3, 0 time-outs after 2s");
    toy_end(&toy);
}

static void connections_are_held_and_given_back(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy,
          (const struct fault_spec[]){
              {.at_ns = S(0), .kind = FAULT_HOLD_CONNECTIONS, .target = "things", .value = 1},
              {.at_ns = S(1), .kind = FAULT_HOLD_CONNECTIONS, .target = "things", .value = 0}},
          2);
    toy_run_until(&toy, 0);
    enum status status;
    assert_int_equal(took(&toy, "shelf", "GET /query", &status), MS(1500));
    assert_int_equal(status, STATUS_OK);
    finish(&toy);
    assert_true(fault(&toy, 0)->landed);
    toy_end(&toy);
}

/* The first one's figures end where the second begins, and the second's begin with it. */
static void the_evidence_of_a_fault_is_of_its_own_time(void **state)
{
    (void)state;
    struct toy toy;
    enum status status;
    begin(
        &toy,
        (const struct fault_spec[]){{.at_ns = S(1), .kind = FAULT_POOL_MAX, .target = "things", .value = 3},
                                    {.at_ns = S(15), .kind = FAULT_POOL_MAX, .target = "things", .value = 2},
                                    {.at_ns = S(30), .kind = FAULT_SERVICE_DOWN, .target = "shelf"},
                                    {.at_ns = S(40), .kind = FAULT_SERVICE_UP, .target = "shelf"},
                                    {.at_ns = S(45), .kind = FAULT_SERVICE_DOWN, .target = "shelf"}},
        5);
    toy_run_until(&toy, S(1));
    for (size_t i = 0; i < 3; i++)
        toy_ask(&toy, "shelf", "GET /query", NULL, S(10));
    toy_run_until(&toy, S(16));
    assert_int_equal(took(&toy, "shelf", "GET /query", &status), MS(500));
    toy_run_until(&toy, S(31));
    took(&toy, "front", "GET /work", &status);
    assert_int_equal(status, STATUS_UNAVAILABLE);
    toy_run_until(&toy, S(50));
    finish(&toy);
    assert_string_equal(fault(&toy, 0)->evidence,
                        "pool things: max 1 -> 3, most in use 3, 0 time-outs after 2s");
    assert_string_equal(fault(&toy, 1)->evidence,
                        "pool things: max 3 -> 2, most in use 1, 0 time-outs after 2s");
    assert_true(fault(&toy, 0)->landed && fault(&toy, 1)->landed);
    assert_string_equal(fault(&toy, 2)->evidence, "1 of 1 calls to shelf failed");
    assert_true(fault(&toy, 2)->landed);
    assert_string_equal(fault(&toy, 4)->evidence, "0 of 0 calls to shelf failed");
    assert_false(fault(&toy, 4)->landed); /* what happened before it proves nothing */
    toy_end(&toy);
}

/* All are held, and who asks gives up before the pool would have: that is what the fault was for. */
static void who_gives_up_waiting_proves_that_connections_are_held(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy,
          (const struct fault_spec[]){
              {.at_ns = S(0), .kind = FAULT_HOLD_CONNECTIONS, .target = "things", .value = 1},
              {.at_ns = S(20), .kind = FAULT_HOLD_CONNECTIONS, .target = "things", .value = 0}},
          2);
    toy_run_until(&toy, S(1));
    toy_ask(&toy, "shelf", "GET /query", NULL, S(2));
    toy_run_until(&toy, S(21));
    enum status status;
    assert_int_equal(took(&toy, "shelf", "GET /query", &status), MS(500));
    finish(&toy);
    assert_true(fault(&toy, 0)->landed && fault(&toy, 1)->landed);
    assert_string_equal(fault(&toy, 0)->evidence,
                        "pool things: 1 of 1 held, most in use 1, 0 time-outs after 2s, 1 gave up");
    assert_string_equal(fault(&toy, 1)->evidence,
                        "pool things: 1 given back, most in use 1, 0 time-outs after 2s");
    toy_end(&toy);
}

static void an_acquire_timeout_holds_for_who_comes_after(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy,
          (const struct fault_spec[]){
              {.at_ns = S(1), .kind = FAULT_ACQUIRE_TIMEOUT, .target = "things", .value = (double)MS(100)},
              {.at_ns = S(0), .kind = FAULT_HOLD_CONNECTIONS, .target = "things", .value = 1}},
          2);
    toy_run_until(&toy, 0);
    uint64_t before = toy_ask(&toy, "shelf", "GET /query", NULL, S(10));
    toy_run_until(&toy, S(1));
    uint64_t after = toy_ask(&toy, "shelf", "GET /query", NULL, S(10));
    finish(&toy);
    assert_int_equal(toy_answer(&toy, before)->at_ns, S(2));
    assert_int_equal(toy_answer(&toy, after)->at_ns, MS(1100));
    assert_string_equal(toy_text(toy_answer(&toy, after)), "SQLSTATE[08006]: Connection timeout after 100ms");
    assert_string_equal(fault(&toy, 0)->evidence,
                        "pool things: max 1, most in use 1, 2 time-outs after 100ms");
    toy_end(&toy);
}

static void a_service_goes_down_and_comes_back(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy,
          (const struct fault_spec[]){
              {.at_ns = S(1), .kind = FAULT_SERVICE_DOWN, .target = "shelf", .value = 0},
              {.at_ns = S(20), .kind = FAULT_SERVICE_UP, .target = "shelf", .value = 0}},
          2);
    toy_run_until(&toy, MS(950));
    uint64_t under_way = toy_ask(&toy, "shelf", "GET /work", NULL, S(10));
    toy_run_until(&toy, S(2));
    /* What it has begun it ends; what comes finds nobody. */
    assert_int_equal(toy_answer(&toy, under_way)->status, STATUS_OK);
    enum status status;
    assert_int_equal(took(&toy, "front", "GET /work", &status), 0);
    assert_int_equal(status, STATUS_UNAVAILABLE);
    assert_int_equal(toy_span(&toy, "GET /work", 1)->status, STATUS_NO_PEER);
    assert_int_equal(took(&toy, "shelf", "GET /work", &status), 0);
    assert_int_equal(status, STATUS_NO_PEER);
    assert_int_equal(took(&toy, "front", "GET /work", &status), MS(100));
    assert_int_equal(status, STATUS_OK);
    finish(&toy);
    assert_true(fault(&toy, 0)->landed && fault(&toy, 1)->landed);
    assert_string_equal(fault(&toy, 0)->evidence, "1 of 1 calls to shelf failed");
    /* Its steps count none here: these two are who found nobody. */
    assert_int_equal(world_stats(toy.world)->business.count[BUSINESS_CHECKOUT], 2);
    toy_end(&toy);
}

static void a_slow_service_works_longer(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy,
          (const struct fault_spec[]){
              {.at_ns = S(1), .kind = FAULT_SERVICE_SLOW, .target = "shelf", .value = 2.5},
              {.at_ns = S(20), .kind = FAULT_SERVICE_SLOW, .target = "shelf", .value = 1}},
          2);
    enum status status;
    assert_int_equal(took(&toy, "front", "GET /work", &status), MS(100));
    assert_int_equal(took(&toy, "front", "GET /work", &status), MS(250));
    assert_int_equal(took(&toy, "front", "GET /work", &status), MS(100));
    finish(&toy);
    assert_true(fault(&toy, 0)->landed);
    toy_end(&toy);
}

static void the_database_decides_on_its_own(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy,
          (const struct fault_spec[]){
              {.at_ns = S(1), .kind = FAULT_DROP_INDEX, .target = "idx_things", .value = 0},
              {.at_ns = S(2), .kind = FAULT_DROP_INDEX, .target = "idx_other", .value = 0},
              {.at_ns = S(3), .kind = FAULT_CREATE_INDEX, .target = "idx_things", .value = 0}},
          3);
    finish(&toy);
    assert_true(fault(&toy, 0)->applied && fault(&toy, 0)->landed);
    assert_false(fault(&toy, 1)->applied || fault(&toy, 1)->landed);
    assert_true(fault(&toy, 2)->applied && !fault(&toy, 2)->landed);
    assert_true(strncmp(fault(&toy, 1)->evidence, "never applied", 13) == 0);
    toy_end(&toy);
}

static void a_fault_that_nothing_felt_did_not_land(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy,
          (const struct fault_spec[]){
              {.at_ns = S(1), .kind = FAULT_POOL_MAX, .target = "things", .value = 3},
              {.at_ns = S(1), .kind = FAULT_SERVICE_DOWN, .target = "shelf", .value = 0},
              {.at_ns = S(1), .kind = FAULT_SERVICE_SLOW, .target = "shelf", .value = 2},
              {.at_ns = S(70), .kind = FAULT_SERVICE_UP, .target = "shelf", .value = 0}},
          4);
    toy_run_until(&toy, S(60));
    world_finish(toy.world);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(fault(&toy, i)->applied, i < 3);
        assert_int_equal(fault(&toy, i)->judged, i < 3); /* the last was never due */
        assert_false(fault(&toy, i)->landed);
    }
    toy_end(&toy);
}

static void faults_are_told_as_they_come(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy,
          (const struct fault_spec[]){
              {.at_ns = S(2), .kind = FAULT_SERVICE_SLOW, .target = "shelf", .value = 2},
              {.at_ns = S(1), .kind = FAULT_POOL_MAX, .target = "things", .value = 2},
              {.at_ns = S(2), .kind = FAULT_READ_REPLICAS, .target = NULL, .value = 1}},
          3);
    finish(&toy);
    static const char *const names[] = {"pool_max", "service_slow", "read_replicas"};
    static const char *const targets[] = {"things", "shelf", ""};
    assert_int_equal(toy.log_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(toy.logs[i].body, LOG_BODY_FAULT);
        assert_int_equal(toy.logs[i].severity, LOG_INFO);
        assert_int_equal(toy.logs[i].at_ns, i ? S(2) : S(1));
        assert_string_equal(toy_attr_text(&toy.logs[i].attrs, ATTR_LOG_FAULT), names[i]);
        assert_string_equal(toy_attr_text(&toy.logs[i].attrs, ATTR_LOG_ACTION), targets[i]);
    }
    toy_end(&toy);
}

static void a_fault_can_be_set_while_the_world_runs(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, NULL, 0);
    char name[] = "shelf";
    const struct fault_spec slow = {.at_ns = 0, .kind = FAULT_SERVICE_SLOW, .target = name, .value = 3};
    assert_int_equal(world_set_fault(toy.world, &slow, S(5)), STATUS_OK);
    name[0] = 'x'; /* the world keeps its own */
    assert_int_equal(fault(&toy, 0)->spec.at_ns, S(5));
    assert_string_equal(fault(&toy, 0)->spec.target, "shelf");
    enum status status;
    assert_int_equal(took(&toy, "front", "GET /work", &status), MS(300));

    const struct fault_spec unknown[] = {
        {.at_ns = 0, .kind = FAULT_SERVICE_DOWN, .target = "nobody", .value = 0},
        {.at_ns = 0, .kind = FAULT_POOL_MAX, .target = "nothing", .value = 1},
        {.at_ns = 0, .kind = FAULT_DROP_INDEX, .target = "idx_nothing", .value = 0}};
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
        assert_int_equal(world_set_fault(toy.world, &unknown[i], S(20)), STATUS_NOT_FOUND);
    const struct fault_spec mend = {.at_ns = 0, .kind = FAULT_SERVICE_SLOW, .target = "shelf", .value = 1};
    for (size_t i = 1; i < FAULTS_MAX; i++)
        assert_int_equal(world_set_fault(toy.world, &mend, S(20)), STATUS_OK);
    /* No place is left but that of the same fault, the first of which takes it: here and now. */
    name[0] = 's';
    assert_int_equal(world_set_fault(toy.world, &slow, S(30)), STATUS_OK);
    assert_int_equal(fault(&toy, 0)->spec.at_ns, S(30));
    assert_int_equal(took(&toy, "front", "GET /work", &status), MS(300));
    assert_int_equal(world_set_fault(toy.world, &mend, S(40)), STATUS_OK);
    assert_int_equal(fault(&toy, 1)->spec.at_ns, S(40));
    assert_int_equal(took(&toy, "front", "GET /work", &status), MS(100));
    finish(&toy);
    assert_true(fault(&toy, 0)->landed);
    assert_int_equal(world_stats(toy.world)->fault_count, FAULTS_MAX);
    toy_end(&toy);
}

/* However often something was broken: there is a place for what mends it, and for something else. */
static void what_was_broken_all_day_can_be_mended(void **state)
{
    (void)state;
    struct toy toy;
    enum status status;
    const struct fault_spec first = {
        .at_ns = S(1), .kind = FAULT_SERVICE_SLOW, .target = "shelf", .value = 2};
    const struct fault_spec slow = {.kind = FAULT_SERVICE_SLOW, .target = "shelf", .value = 3};
    const struct fault_spec mend = {.kind = FAULT_SERVICE_SLOW, .target = "shelf", .value = 1};
    const struct fault_spec down = {.kind = FAULT_SERVICE_DOWN, .target = "shelf"};
    const struct fault_spec up = {.kind = FAULT_SERVICE_UP, .target = "shelf"};
    begin(&toy, &first, 1);
    for (size_t i = 0; i < 2 * FAULTS_MAX; i++)
        assert_int_equal(world_set_fault(toy.world, &slow, S(5) + (int64_t)i), STATUS_OK);
    assert_int_equal(took(&toy, "front", "GET /work", &status), MS(300));
    assert_int_equal(world_set_fault(toy.world, &mend, S(10)), STATUS_OK);
    assert_int_equal(took(&toy, "front", "GET /work", &status), MS(100));
    for (size_t i = 0; i < FAULTS_MAX; i++) {
        assert_int_equal(world_set_fault(toy.world, &down, S(20)), STATUS_OK);
        assert_int_equal(world_set_fault(toy.world, &up, S(20)), STATUS_OK);
    }
    assert_int_equal(took(&toy, "front", "GET /work", &status), MS(100));
    finish(&toy);
    assert_int_equal(fault(&toy, 0)->spec.value, 2); /* the scenario's own stays */
    assert_int_equal(fault(&toy, 0)->spec.at_ns, S(1));
    assert_int_equal(world_stats(toy.world)->fault_count, FAULTS_MAX);
    toy_end(&toy);
}

static void a_fault_set_by_hand_says_so(void **state)
{
    (void)state;
    struct toy toy;
    const struct fault_spec slow = {.at_ns = S(1), .kind = FAULT_SERVICE_SLOW, .target = "shelf", .value = 3};
    begin(&toy, &slow, 1);
    assert_int_equal(world_set_fault(toy.world, &slow, S(5)), STATUS_OK);
    finish(&toy);
    assert_false(fault(&toy, 0)->by_hand);
    assert_true(fault(&toy, 1)->by_hand);
    toy_end(&toy);
}

/* The clock that the last demo had goes on for who tells when something was done. */
static void a_fault_after_the_demo_is_dated_by_its_clock(void **state)
{
    (void)state;
    struct toy toy;
    const struct fault_spec slow = {.kind = FAULT_SERVICE_SLOW, .target = "shelf", .value = 3};
    begin(&toy, NULL, 0);
    assert_int_equal(world_set_fault(toy.world, &slow, S(5)), STATUS_OK);
    assert_true(world_stop_demo(toy.world));
    assert_int_equal(world_set_fault(toy.world, &slow, S(9)), STATUS_OK);
    assert_int_equal(fault(&toy, 0)->spec.at_ns, S(5));
    assert_int_equal(fault(&toy, 1)->spec.at_ns, S(9));
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_changes_its_size),
        cmocka_unit_test(connections_are_held_and_given_back),
        cmocka_unit_test(the_evidence_of_a_fault_is_of_its_own_time),
        cmocka_unit_test(who_gives_up_waiting_proves_that_connections_are_held),
        cmocka_unit_test(an_acquire_timeout_holds_for_who_comes_after),
        cmocka_unit_test(a_service_goes_down_and_comes_back),
        cmocka_unit_test(a_slow_service_works_longer),
        cmocka_unit_test(the_database_decides_on_its_own),
        cmocka_unit_test(a_fault_that_nothing_felt_did_not_land),
        cmocka_unit_test(faults_are_told_as_they_come),
        cmocka_unit_test(a_fault_can_be_set_while_the_world_runs),
        cmocka_unit_test(what_was_broken_all_day_can_be_mended),
        cmocka_unit_test(a_fault_set_by_hand_says_so),
        cmocka_unit_test(a_fault_after_the_demo_is_dated_by_its_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
