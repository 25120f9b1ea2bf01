/* figure: series that are sums of several places, and shares that need a whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/parts.h"
#include "tests/core/toy_world.h"

static const struct actor_kind shelf = {.service = "shelf",
                                        .port = 1,
                                        .routes = (const struct route[]){{0}},
                                        .pools = {{"a", 9, 1}, {"b", 9, 1}}};
static const struct actor_kind other = {
    .service = "other", .port = 2, .routes = (const struct route[]){{0}}, .pools = {{"a", 9, 1}}};
static const struct actor_kind *const kinds[] = {&shelf, &other};

static void open_world(struct toy *toy)
{
    toy_begin(toy, kinds, ARRAY_LEN(kinds));
    toy_open(toy, 1);
}

static double now(const struct toy *toy, enum probe_kind kind, int index)
{
    struct probe probe = {.kind = kind, .index = index, .pool = "a"};
    return figure_now(toy->world, &probe);
}

static void pools_of_one_name_count_together(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy);
    struct actor *actors = toy.world->actors;
    const struct probe waiters = {.kind = PROBE_POOL_WAITERS, .pool = "a"},
                       used = {.kind = PROBE_POOL_USED, .pool = "a"};
    struct probe wait = {.kind = PROBE_POOL_WAIT, .pool = "a"};
    for (size_t i = 0; i < 2; i++) {
        struct pool *pool = &actors[i].pools[0].pool;
        pool->used = 3;
        pool->held = (int)i;
        pool->waiters_peak = 5;
        pool->stats->timeouts = 7;
        pool->stats->waiters_most = 11;
        pool->stats->peak_used = 9;
        histogram_add(&pool->stats->wait_any, 0.5 + (double)i);
        histogram_add(&pool->stats->wait, 0.1);
    }
    actors[0].pools[1].pool.used = 100;
    assert_true(now(&toy, PROBE_POOL_USED, 0) == 7);
    assert_true(now(&toy, PROBE_POOL_WAITERS, 0) == 10);
    assert_true(now(&toy, PROBE_POOL_TIMEOUTS, 0) == 14);
    double peak = 0;
    assert_true(figure_peak(toy.world, &waiters, &peak) && peak == 22);
    assert_true(figure_peak(toy.world, &used, &peak) && peak == 18);
    struct histogram waits = {0};
    figure_spread(toy.world, &wait, &waits);
    assert_true(waits.count == 2 && waits.min == 0.5 && waits.max == 1.5);
    for (size_t a = 0; a < 2; a++)
        for (size_t i = 0; i < actors[a].pool_count; i++)
            actors[a].pools[i].pool.used = 0;
    toy_end(&toy);
}

static void cpu_time_is_a_share_of_all(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy);
    struct run_stats *stats = &toy.world->stats;
    struct profile_line lines[] = {
        {.service = "shelf", .route = "GET /a", .function = "scan", .cpu_ns = 60},
        {.service = "shelf", .route = "GET /a", .function = "work", .cpu_ns = 10},
        {.service = "other", .route = "GET /b", .function = "scan", .cpu_ns = 20},
        {.service = "other", .route = "GET /b", .function = "lookup", .cpu_ns = 10}};
    struct profile_line *own = stats->profile;
    size_t own_count = stats->profile_count;
    stats->profile_count = 0;
    assert_true(now(&toy, PROBE_QUERY_CPU, 1) == 0); /* of nothing */
    stats->profile = lines;
    stats->profile_count = ARRAY_LEN(lines);
    assert_true(now(&toy, PROBE_QUERY_CPU, 1) == 0.8);
    assert_true(now(&toy, PROBE_QUERY_CPU, 0) == 0.1);
    stats->profile = own;
    stats->profile_count = own_count;
    toy_end(&toy);
}

static void ratios_have_what_they_are_of(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy);
    toy.world->stats.stores = (struct store_stats){.cache_hits = 3, .cache_misses = 1};
    struct probe hits = {.kind = PROBE_CACHE_HITS}, logs = {.kind = PROBE_LOGS};
    assert_true(figure_now(toy.world, &hits) == 3 && figure_base(toy.world, &hits) == 4);
    assert_true(figure_base(toy.world, &logs) == 0);
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pools_of_one_name_count_together),
        cmocka_unit_test(cpu_time_is_a_share_of_all),
        cmocka_unit_test(ratios_have_what_they_are_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
