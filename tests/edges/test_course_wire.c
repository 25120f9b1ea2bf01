/* course_wire: what processes tell each other of a run's course arrives as it was, or not at all. */
#include "edges/course_wire.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/draw.h"
#include "core/parts.h"
#include "edges/registry.h"
#include "edges/scenario_load.h"

static unsigned char bytes[BODY_BYTES_MAX];
static struct pack pack = {.bytes = bytes};
static struct scenario *scenario;
static struct world *conductor, *follower;
static uint64_t followed;
static struct course course;

static const struct fault_spec every_kind[] = {
    {.kind = FAULT_DROP_INDEX, .target = "idx_products_category"},
    {.kind = FAULT_CREATE_INDEX, .target = "idx_products_category"},
    {.kind = FAULT_POOL_MAX, .target = "catalog", .value = 7},
    {.kind = FAULT_ACQUIRE_TIMEOUT, .target = "catalog", .value = 250e6},
    {.kind = FAULT_HOLD_CONNECTIONS, .target = "catalog", .value = 3},
    {.kind = FAULT_READ_REPLICAS, .value = 2},
    {.kind = FAULT_SERVICE_DOWN, .target = "cart-service"},
    {.kind = FAULT_SERVICE_UP, .target = "cart-service"},
    {.kind = FAULT_SERVICE_SLOW, .target = "cart-service", .value = 2.5},
    {.kind = FAULT_QUERY_DELAY, .target = "product-catalog", .value = 300e6},
    {.kind = FAULT_TABLE_GROWTH, .value = 40000},
    {.kind = FAULT_ROUTE_DELAY,
     .target = "checkout",
     .route = "POST /orders/create",
     .value = 1e9,
     .most = 2e9,
     .missing_index = "idx_products_category"},
    {.kind = FAULT_ROUTE_FAILURES,
     .target = "checkout",
     .route = "POST /orders/create",
     .after_ns = 5 * NS_PER_S,
     .steps = {{0, 0.1, 0.1}, {NS_PER_MIN, 0.5, 0.5}},
     .step_count = 2},
    {.kind = FAULT_MESSAGE_LOSS, .target = "ad-service", .route = "frontend", .value = 0.25},
};

static struct pack *fresh(void)
{
    pack.len = 0;
    pack.overflow = false;
    return &pack;
}

static struct cursor written(void)
{
    assert_false(pack.overflow);
    return (struct cursor){.at = bytes, .end = bytes + pack.len};
}

static void same_text(const char *a, const char *b)
{
    assert_int_equal(a == NULL, b == NULL);
    if (a)
        assert_string_equal(a, b);
}

static void same_fault(const struct fault_spec *a, const struct fault_spec *b)
{
    assert_int_equal(a->kind, b->kind);
    same_text(a->target, b->target);
    same_text(a->route, b->route);
    same_text(a->missing_index, b->missing_index);
    assert_true(a->value == b->value && a->most == b->most && a->after_ns == b->after_ns);
    assert_int_equal(a->step_count, b->step_count);
    for (size_t i = 0; i < a->step_count; i++)
        assert_true(a->steps[i].at_ns == b->steps[i].at_ns && a->steps[i].low == b->steps[i].low &&
                    a->steps[i].high == b->steps[i].high);
}

static void open_worlds(void)
{
    static bool hosts[SERVICES_MAX];
    struct text errors = {0};
    const char *root = getenv("DOORBUSTER_SOURCE");
    struct text path = {0};
    text_str(&path, root ? root : ".");
    text_lit(&path, "/scenarios/normal-operations.yaml");
    scenario = scenario_load(text_c(&path), &registry, NULL, 0, &errors);
    assert_non_null(scenario);
    scenario->scripted = true;
    text_fini(&path);
    for (size_t i = 0; i < registry.kind_count; i++)
        hosts[i] = !registry.kinds[i]->drives_load;
    struct world_options options = {.scenario = scenario, .registry = &registry, .seed = 1};
    conductor = world_new(&options);
    options.hosts = hosts;
    follower = world_new(&options);
    followed = 0;
}

static void close_worlds(void)
{
    world_free(conductor);
    world_free(follower);
    scenario_free(scenario);
}

static void set(const struct fault_spec *fault)
{
    assert_int_equal(world_set_fault(conductor, fault, world_now(conductor)), STATUS_OK);
}

static void tell(void)
{
    course_write(fresh(), conductor);
    struct cursor cursor = written();
    assert_true(course_read(&cursor, &course));
    assert_ptr_equal(cursor.at, cursor.end);
    course_follow(follower, &followed, &course, world_now(conductor));
    memset(&course, 'x', sizeof course); /* it points to nothing of it afterwards */
}

static const struct actor *cart(const struct world *world)
{
    size_t i = 0;
    while (strcmp(world->actors[i].kind->service, "cart-service") != 0)
        i++;
    return &world->actors[i];
}

/* ---- facts ---- */

static void every_kind_of_fault_arrives_as_it_was(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_LEN(every_kind), FAULT_KIND_COUNT);
    for (size_t i = 0; i < FAULT_KIND_COUNT; i++) {
        static struct course_fault read;
        assert_int_equal(every_kind[i].kind, i);
        course_write_fault(fresh(), &every_kind[i]);
        struct cursor cursor = written();
        if (!course_read_fault(&cursor, &read))
            fail_msg("%s is refused", fault_kind_name((enum fault_kind)i));
        assert_ptr_equal(cursor.at, cursor.end);
        same_fault(&every_kind[i], &read.spec);
    }
}

static void the_impossible_is_refused(void **state)
{
    static char long_name[COURSE_TEXT_BYTES + 1];
    memset(long_name, 'x', COURSE_TEXT_BYTES);
    const struct fault_spec impossible[] = {
        {.kind = FAULT_KIND_COUNT, .target = "x"},
        {.kind = (enum fault_kind) - 1, .target = "x"},
        {.kind = FAULT_SERVICE_DOWN}, /* of nobody */
        {.kind = FAULT_SERVICE_DOWN, .target = long_name},
        {.kind = FAULT_SERVICE_DOWN, .target = "x", .route = "y"},
        {.kind = FAULT_ROUTE_FAILURES, .target = "x"},
        {.kind = FAULT_ROUTE_FAILURES, .target = "x", .route = long_name},
        {.kind = FAULT_ROUTE_FAILURES, .target = "x", .route = "y", .after_ns = -1},
        {.kind = FAULT_ROUTE_FAILURES, .target = "x", .route = "y", .most = -1},
        {.kind = FAULT_ROUTE_FAILURES, .target = "x", .route = "y", .steps = {{-1, 0, 0}}, .step_count = 1},
        {.kind = FAULT_ROUTE_FAILURES, .target = "x", .route = "y", .steps = {{0, NAN, 0}}, .step_count = 1},
        {.kind = FAULT_POOL_MAX, .target = "x", .value = -1},
        {.kind = FAULT_POOL_MAX, .target = "x", .value = NAN},
        {.kind = FAULT_POOL_MAX, .target = "x", .value = INFINITY},
        {.kind = FAULT_POOL_MAX, .target = "x", .value = 1e10},
        {.kind = FAULT_QUERY_DELAY, .target = "x", .value = 1e16},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(impossible); i++) {
        static struct course_fault read;
        course_write_fault(fresh(), &impossible[i]);
        struct cursor cursor = written();
        if (course_read_fault(&cursor, &read))
            fail_msg("fault %zu is taken", i);
    }
}

static void a_name_with_a_nul_is_refused(void **state)
{
    static struct course_fault read;
    (void)state;
    course_write_fault(fresh(), &(struct fault_spec){.kind = FAULT_SERVICE_DOWN, .target = "cart-service"});
    *(unsigned char *)memchr(bytes, '-', pack.len) = '\0';
    struct cursor cursor = written();
    assert_false(course_read_fault(&cursor, &read));
}

/* Instants so far away that sums of them overflow. */
static void a_timeline_out_of_this_world_is_refused(void **state)
{
    static const int64_t strange[][3] = {{INT64_MIN, 0, NS_PER_MIN},
                                         {INT64_MIN / 2, 0, NS_PER_MIN},
                                         {INT64_MAX - 1, 0, NS_PER_MIN},
                                         {0, INT64_MAX, NS_PER_MIN},
                                         {0, -1, NS_PER_MIN},
                                         {0, 0, INT64_MAX},
                                         {0, 0, -1}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(strange); i++) {
        fresh();
        pack_array(&pack, 4);
        for (size_t n = 0; n < 3; n++)
            pack_int(&pack, strange[i][n]);
        pack_array(&pack, 0);
        struct cursor cursor = written();
        if (course_read(&cursor, &course))
            fail_msg("timeline %zu is taken", i);
    }
}

static void hostile_bytes_are_refused_or_followed_without_harm(void **state)
{
    unsigned taken = 0;
    (void)state;
    open_worlds();
    for (size_t i = 0; i < FAULT_KIND_COUNT; i++)
        set(&every_kind[i]);
    course_write(fresh(), conductor);
    static unsigned char whole[BODY_BYTES_MAX];
    size_t len = pack.len;
    memcpy(whole, bytes, len);
    for (size_t cut = 0; cut < len; cut++) {
        unsigned char *copy = malloc(cut + 1);
        assert_non_null(copy);
        memcpy(copy, whole, cut);
        struct cursor cursor = {.at = copy, .end = copy + cut};
        assert_false(course_read(&cursor, &course));
        free(copy);
    }
    for (uint64_t n = 0; n < 20000; n++) {
        memcpy(bytes, whole, len);
        for (uint64_t i = 0; i <= draw(n, 0, 1, 0).a % 3; i++)
            bytes[draw(n, i, 2, 0).a % len] = (unsigned char)draw(n, i, 3, 0).a;
        struct cursor cursor = {.at = bytes, .end = bytes + len};
        if (!course_read(&cursor, &course))
            continue;
        taken++;
        if (taken % 64 == 0) { /* a world takes only so many faults */
            followed = 0;
            course_follow(follower, &followed, &course, world_now(conductor));
            world_turn(follower, world_now(follower), 1000);
        }
    }
    assert_in_range(taken, 1000, 19000);
    close_worlds();
}

static void only_what_is_new_is_applied(void **state)
{
    (void)state;
    open_worlds();
    set(&every_kind[FAULT_SERVICE_SLOW]);
    tell();
    assert_true(cart(follower)->slow == 2.5);
    assert_int_equal(world_stats(follower)->fault_count, scenario->fault_count + 1);
    tell();
    set(&every_kind[FAULT_QUERY_DELAY]);
    tell();
    tell();
    assert_int_equal(world_stats(follower)->fault_count, scenario->fault_count + 2);
    set(&every_kind[FAULT_QUERY_DELAY]); /* likewise, but set again */
    tell();
    assert_int_equal(world_stats(follower)->fault_count, scenario->fault_count + 3);
    assert_int_equal(world_course(follower).faults_set, 3);
    close_worlds();
}

/* Beyond FAULTS_MAX a fault takes the place of an equal one: what is told looks the same as before. */
static void switching_on_and_off_goes_on_when_all_places_are_taken(void **state)
{
    (void)state;
    open_worlds();
    for (int i = 0; i < 3 * FAULTS_MAX; i++) {
        set(&every_kind[i % 2 ? FAULT_SERVICE_UP : FAULT_SERVICE_DOWN]);
        tell();
        assert_int_equal(cart(follower)->down, cart(conductor)->down);
    }
    close_worlds();
}

/* In their order, which is not that of their places any more. */
static void who_comes_late_finds_all_as_it_was_left(void **state)
{
    (void)state;
    for (int last = 0; last < 2; last++) {
        open_worlds();
        for (int i = 0; i < 2 * FAULTS_MAX + 1 + last; i++)
            set(&every_kind[i % 2 ? FAULT_SERVICE_UP : FAULT_SERVICE_DOWN]);
        tell();
        assert_int_equal(cart(conductor)->down, last == 0);
        assert_int_equal(cart(follower)->down, last == 0);
        close_worlds();
    }
}

static void the_timeline_is_followed(void **state)
{
    (void)state;
    open_worlds();
    assert_true(world_stop_demo(conductor));
    tell();
    assert_true(world_course(follower).zero_ns == NEVER);
    world_start_demo(conductor, &(struct demo_start){.at_ns = NS_PER_MIN, .duration_ns = 5 * NS_PER_MIN},
                     NS_PER_S);
    tell();
    struct world_course there = world_course(follower);
    assert_true(there.zero_ns == NS_PER_S - NS_PER_MIN); /* before the world's first instant */
    assert_true(there.from_ns == NS_PER_MIN && there.duration_ns == 5 * NS_PER_MIN);
    close_worlds();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_fault_arrives_as_it_was),
        cmocka_unit_test(the_impossible_is_refused),
        cmocka_unit_test(a_name_with_a_nul_is_refused),
        cmocka_unit_test(a_timeline_out_of_this_world_is_refused),
        cmocka_unit_test(hostile_bytes_are_refused_or_followed_without_harm),
        cmocka_unit_test(only_what_is_new_is_applied),
        cmocka_unit_test(switching_on_and_off_goes_on_when_all_places_are_taken),
        cmocka_unit_test(who_comes_late_finds_all_as_it_was_left),
        cmocka_unit_test(the_timeline_is_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
