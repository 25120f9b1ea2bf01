/*
 * gather: what two tellers say adds up, what was forgotten untold is told, what goes takes its levels along, and bytes
 * that nobody of ours has written change nothing. test_gather_runs.c holds whole runs against each other.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/gather.h"
#include "core/ledger.h"
#include "core/probe.h"
#include "tests/core/toy_world.h"

#define STEPS(...) ((const struct step[]){__VA_ARGS__})

static const struct actor_kind shelf = {
    .service = "shelf",
    .port = 1,
    .routes =
        (const struct route[]){
            {.name = "GET /query", .steps = STEPS(QUERY("things", "lookup"), REPLY(STATUS_OK, NULL))}, {0}},
    .pools = {{"things", 9, 2000}}};
static const struct actor_kind *const kinds[] = {&shelf, &toy_database};

enum { MUTATIONS = 3000, TELLERS = 2 };

/* One world that is told, and two that tell. */
static struct scene {
    struct toy toys[1 + TELLERS];
    struct world *here, *there[TELLERS];
    struct gather *gather[TELLERS];
    struct gathered *gathered[TELLERS];
    struct pack pack;
} scene;

static int begin(void **state)
{
    (void)state;
    for (size_t i = 0; i <= TELLERS; i++) {
        struct toy *toy = &scene.toys[i];
        toy_begin(toy, kinds, ARRAY_LEN(kinds));
        toy->scenario.duration_ns = MIN_(3);
        toy->scenario.faults[0] = (struct fault_spec)FAULT(S(1), FAULT_READ_REPLICAS, NULL, 1);
        toy->scenario.faults[1] = (struct fault_spec)FAULT(S(1), FAULT_POOL_MAX, "things", 5);
        toy->scenario.fault_count = 2;
        toy_open(toy, 1);
    }
    scene.here = scene.toys[0].world;
    scene.pack.bytes = base_alloc(BODY_BYTES_MAX, 1);
    for (size_t i = 0; i < TELLERS; i++) {
        scene.there[i] = scene.toys[1 + i].world;
        scene.gather[i] = gather_new(scene.there[i]);
        scene.gathered[i] = gathered_new(scene.here);
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (size_t i = 0; i < TELLERS; i++) {
        gather_free(scene.gather[i]);
        gathered_free(scene.gathered[i]);
    }
    for (size_t i = 0; i <= TELLERS; i++)
        toy_end(&scene.toys[i]);
    free(scene.pack.bytes);
    return 0;
}

static struct pool *pool(struct world *world)
{
    return &world->actors[0].pools[0].pool;
}

static bool read_bytes(size_t teller, const unsigned char *bytes, size_t len)
{
    struct cursor cursor = {.at = bytes, .end = bytes + len};
    return gathered_read(scene.gathered[teller], &cursor);
}

static bool write_frame(size_t teller, size_t bytes_max)
{
    scene.pack.len = 0;
    return gather_write(scene.gather[teller], &scene.pack, bytes_max);
}

static void tell(size_t teller)
{
    if (!write_frame(teller, BODY_BYTES_MAX))
        return;
    assert_true(read_bytes(teller, scene.pack.bytes, scene.pack.len));
    gather_acknowledge(scene.gather[teller]);
}

/* All that others can tell of. */
static uint64_t digest(struct world *world)
{
    struct ledger ledger;
    uint64_t sum = UINT64_C(14695981039346656037);
    ledger_init(&ledger, world);
    for (size_t i = 0; i < ledger.entry_count; i++) {
        sum = (sum ^ ledger_word(ledger.entries[i].into, (enum ledger_type)ledger.entries[i].type)) *
              UINT64_C(1099511628211);
    }
    for (size_t i = 0; i < ledger.histogram_count; i++)
        for (size_t b = 0; b < sizeof(struct histogram); b++)
            sum = (sum ^ ((unsigned char *)ledger.histograms[i])[b]) * UINT64_C(1099511628211);
    ledger_fini(&ledger);
    return sum;
}

/* ---- tests ---- */

static void two_tellers_add_up(void **state)
{
    (void)state;
    struct run_stats *here = &scene.here->stats;
    struct histogram *latency = &here->services[0].latency;
    histogram_add(latency, 2);
    for (size_t i = 0; i < TELLERS; i++) {
        struct run_stats *stats = &scene.there[i]->stats;
        stats->services[0].spans = 10 + i;
        stats->services[0].asks_peak = (uint32_t)(5 - i);
        stats->business.revenue_cents = 250;
        stats->profile[0].cpu_ns = 1.5;
        histogram_add(&stats->services[0].latency, 4 - 3.5 * (double)i);
        tell(i);
    }
    here->services[0].spans += 100;
    assert_int_equal(here->services[0].spans, 121);
    assert_int_equal(here->services[0].asks_peak, 5);
    assert_int_equal(here->business.revenue_cents, 500);
    assert_true(here->profile[0].cpu_ns == 3);
    assert_int_equal(latency->count, 3);
    assert_true(latency->sum == 6.5 && latency->min == 0.5 && latency->max == 4);
    assert_true(histogram_quantile(latency, 0) == 0.5 && histogram_quantile(latency, 1) > 3.9);
}

static void an_empty_histogram_has_no_least(void **state)
{
    (void)state;
    histogram_add(&scene.there[0]->stats.services[0].latency, 3);
    tell(0);
    const struct histogram *latency = &scene.here->stats.services[0].latency;
    assert_int_equal(latency->count, 1);
    assert_true(latency->min == 3 && latency->max == 3 && latency->sum == 3);
}

static void whoever_goes_takes_levels_along(void **state)
{
    (void)state;
    for (size_t i = 0; i < TELLERS; i++) {
        pool(scene.there[i])->used = 4;
        pool(scene.there[i])->waiters = 2;
        scene.there[i]->delayed = 1;
        scene.there[i]->stats.asks = 7;
        tell(i);
    }
    struct probe used = {.kind = PROBE_POOL_USED, .pool = "things"};
    assert_true(figure_now(scene.here, &used) == 8);
    assert_int_equal(scene.here->connections.active, 8);
    gathered_gone(scene.gathered[0]);
    assert_true(figure_now(scene.here, &used) == 4);
    assert_int_equal(scene.here->connections.active, 4);
    assert_int_equal(scene.here->stats.stores.connections_peak, 8);
    assert_int_equal(pool(scene.here)->away.waiters, 2);
    assert_int_equal(scene.here->delayed_away, 1);
    assert_int_equal(scene.here->stats.asks, 14);
    assert_int_equal(pool(scene.here)->used, 0); /* nobody else's connections fill this pool */
    scene.there[0]->stats.asks = 9; /* it comes back */
    gather_again(scene.gather[0]);
    tell(0);
    assert_true(figure_now(scene.here, &used) == 8);
    assert_int_equal(scene.here->stats.asks, 16);
    for (size_t i = 0; i < TELLERS; i++)
        pool(scene.there[i])->used = 0, pool(scene.there[i])->waiters = 0;
}

/* One that fell back while nobody knew whether the other side had heard of it. */
static void a_level_in_doubt_is_told_again(void **state)
{
    (void)state;
    pool(scene.there[0])->used = 4;
    assert_true(write_frame(0, 1024));
    assert_true(read_bytes(0, scene.pack.bytes, scene.pack.len));
    pool(scene.there[0])->used = 0;
    tell(0);
    assert_int_equal(pool(scene.here)->away.used, 0);
    assert_false(write_frame(0, 1024));
    pool(scene.there[0])->used = 3;
    tell(0);
    pool(scene.there[0])->used = 0;
    gather_again(scene.gather[0]);
    tell(0);
    assert_int_equal(pool(scene.here)->away.used, 0);
}

static void a_peak_that_is_forgotten_is_told_first(void **state)
{
    (void)state;
    struct pool *there = pool(scene.there[0]), *here = pool(scene.here);
    there->waiters_peak = 30;
    alerts_judge(scene.there[0], 0);
    assert_int_equal(there->waiters_peak, 0);
    tell(0);
    assert_int_equal(here->away.waiters_peak, 30);
    alerts_judge(scene.here, 0);
    tell(0);
    assert_int_equal(here->away.waiters_peak, 0); /* it was of the time before */
    there->waiters_peak = 20;
    tell(0);
    alerts_judge(scene.here, 0);
    alerts_judge(scene.there[0], 0);
    there->waiters_peak = 20; /* as high as before, and not the same */
    tell(0);
    assert_int_equal(here->away.waiters_peak, 20);
}

static void the_frame_is_bounded(void **state)
{
    (void)state;
    struct histogram *latency = &scene.there[0]->stats.services[0].latency;
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
        histogram_add(latency, histogram_bound(i));
    size_t frames = 0, first = 0;
    for (; write_frame(0, 1024); frames++) {
        assert_in_range(scene.pack.len, 1, 1024);
        assert_true(read_bytes(0, scene.pack.bytes, scene.pack.len));
        const struct histogram *told = &scene.here->stats.services[0].latency;
        uint64_t count = 0;
        for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
            count += told->buckets[i];
        assert_int_equal(told->count, count); /* half of it is a whole one */
        gather_acknowledge(scene.gather[0]);
        first = frames ? first : scene.pack.len;
    }
    assert_in_range(frames, 4, 20);
    assert_true(first > 1000);
    assert_memory_equal(&scene.here->stats.services[0].latency, latency, sizeof *latency);
    scene.there[0]->stats.asks = 1;
    scene.pack.len = BODY_BYTES_MAX - 70; /* behind what the caller has written */
    assert_true(gather_write(scene.gather[0], &scene.pack, BODY_BYTES_MAX));
    assert_false(scene.pack.overflow);
}

static void begin_anew(struct world *world, int64_t zero_ns)
{
    world->last_zero_ns = zero_ns;
    stats_restart(world);
}

static void minutes_of_another_demo_are_left_out(void **state)
{
    (void)state;
    struct pool_minute *there = pool(scene.there[0])->stats->minutes,
                       *here = pool(scene.here)->stats->minutes;
    there[0].acquired = 100;
    tell(0);
    assert_int_equal(here[0].acquired, 100);
    begin_anew(scene.here, S(7)); /* it was started, stopped and started while the other was cut off */
    begin_anew(scene.here, S(9));
    there[1].acquired = 5; /* still the demo of before */
    tell(0);
    assert_int_equal(here[0].acquired + here[1].acquired, 0);
    begin_anew(scene.there[0], S(9));
    there[0].acquired = 120; /* more than had been told */
    tell(0);
    assert_int_equal(here[0].acquired, 120);
}

static void what_stands_in_the_database_is_told_by_its_process(void **state)
{
    (void)state;
    struct business_stats *here = &scene.here->stats.business;
    here->hot_left = 100;
    tell(0); /* it is 0 from the start there, and that is told */
    assert_int_equal(here->hot_left, 0);
    scene.there[1]->postgresql->away = true;
    here->hot_left = 50;
    scene.there[1]->stats.business.hot_left = 7;
    tell(1);
    assert_int_equal(here->hot_left, 50);
}

/* ---- hostile bytes ---- */

/* Its own receiver, for what does get through counts. */
static bool read_alone(const unsigned char *bytes, size_t len)
{
    struct gathered *gathered = gathered_new(scene.here);
    struct cursor cursor = {.at = bytes, .end = bytes + len};
    uint64_t before = digest(scene.here);
    bool read = gathered_read(gathered, &cursor);
    if (!read)
        assert_true(digest(scene.here) == before);
    gathered_gone(gathered);
    gathered_free(gathered);
    return read;
}

static void mutated_bytes_count_in_full_or_not_at_all(void **state)
{
    (void)state;
    unsigned char bytes[2048];
    size_t refused = 0;
    pool(scene.there[0])->waiters = 3;
    scene.there[0]->stats.profile[0].cpu_ns = 7.5;
    for (int i = 0; i < 60; i++)
        histogram_add(&scene.there[0]->stats.services[0].latency, 0.1 * i);
    assert_true(write_frame(0, sizeof bytes));
    size_t len = scene.pack.len;
    assert_true(read_alone(scene.pack.bytes, len));
    for (size_t i = 0; i < len; i++)
        assert_false(read_alone(scene.pack.bytes, i));
    for (uint64_t i = 0; i < MUTATIONS; i++) {
        memcpy(bytes, scene.pack.bytes, len);
        for (uint32_t m = 0; m <= i % 3; m++) {
            struct draw drawn = draw(1, i, m, 0);
            bytes[drawn.a % len] = (unsigned char)drawn.b;
        }
        refused += !read_alone(bytes, len);
    }
    assert_in_range(refused, MUTATIONS / 10, MUTATIONS);
    for (uint64_t i = 0; i < MUTATIONS; i++) {
        for (size_t b = 0; b < sizeof bytes; b++)
            bytes[b] = (unsigned char)draw(2, i, (uint32_t)b, 0).a;
        bytes[0] = 0x94;
        assert_false(read_alone(bytes, sizeof bytes));
    }
    pool(scene.there[0])->waiters = 0;
}

/* An array of (sequence, size, zero, [gap, value]). */
static bool read_figure(int64_t gap, int64_t whole, double real)
{
    struct ledger ledger;
    ledger_init(&ledger, scene.here);
    scene.pack.len = 0;
    pack_array(&scene.pack, 4);
    pack_int(&scene.pack, 1);
    pack_int(&scene.pack, (int64_t)ledger.size);
    pack_int(&scene.pack, 0);
    pack_array(&scene.pack, 2);
    pack_int(&scene.pack, gap < 0 ? (int64_t)ledger.size + gap : gap);
    if (real != 0)
        pack_real(&scene.pack, real);
    else
        pack_int(&scene.pack, whole);
    ledger_fini(&ledger);
    return read_alone(scene.pack.bytes, scene.pack.len);
}

static void figures_out_of_range_are_refused(void **state)
{
    (void)state;
    assert_true(read_figure(0, 5, 0));
    assert_false(read_figure(0, -1, 0));
    assert_false(read_figure(0, LEDGER_INT_MAX + 1, 0));
    assert_false(read_figure(0, 0, 0.5));
    assert_true(read_figure(-1, UINT32_MAX, 0)); /* the last bucket of the last histogram */
    assert_false(read_figure(-1, INT64_C(1) << 32, 0));
    int64_t sum = -HISTOGRAM_CELLS + CELL_SUM;
    assert_true(read_figure(sum, 0, 1.5));
    assert_false(read_figure(sum, 0, -1.5));
    assert_false(read_figure(sum, 0, 1e19));
    assert_false(read_figure(sum, 0, (double)NAN));
    assert_false(read_figure(INT64_MAX, 1, 0));
}

static void a_count_does_not_fall(void **state)
{
    (void)state;
    scene.there[0]->stats.asks = 7;
    tell(0);
    scene.there[0]->stats.asks = 6;
    scene.there[0]->stats.spans = 2;
    assert_true(write_frame(0, 1024));
    assert_false(read_bytes(0, scene.pack.bytes, scene.pack.len));
    assert_int_equal(scene.here->stats.asks, 7);
    assert_int_equal(scene.here->stats.spans, 0);
}

/* ---- verdicts ---- */

static bool read_verdict(int64_t index, int64_t kind, const char *evidence)
{
    scene.pack.len = 0;
    pack_array(&scene.pack, 1);
    pack_array(&scene.pack, 5);
    pack_int(&scene.pack, index);
    pack_int(&scene.pack, kind);
    pack_bool(&scene.pack, true);
    pack_bool(&scene.pack, true);
    pack_text(&scene.pack, evidence);
    struct cursor cursor = {.at = scene.pack.bytes, .end = scene.pack.bytes + scene.pack.len};
    return gathered_verdicts(scene.here, &cursor);
}

static void verdicts_are_kept(void **state)
{
    (void)state;
    char lengthy[sizeof scene.here->stats.faults[0].evidence + 1];
    memset(lengthy, 'x', sizeof lengthy);
    lengthy[sizeof lengthy - 1] = '\0';
    assert_false(read_verdict(1, FAULT_POOL_MAX, "not the database's to tell"));
    assert_false(read_verdict(0, FAULT_DROP_INDEX, "another fault"));
    assert_false(read_verdict(2, FAULT_READ_REPLICAS, "none of ours"));
    assert_false(read_verdict(-1, FAULT_READ_REPLICAS, "none of ours"));
    assert_false(read_verdict(0, FAULT_READ_REPLICAS, lengthy));
    assert_false(read_verdict(0, FAULT_READ_REPLICAS, "not\nplain"));
    assert_false(scene.here->stats.faults[0].told || scene.here->stats.faults[0].landed);
    assert_true(read_verdict(0, FAULT_READ_REPLICAS, "seen there"));
    faults_judge(scene.here);
    assert_true(scene.here->stats.faults[0].landed && scene.here->stats.faults[0].judged);
    assert_string_equal(scene.here->stats.faults[0].evidence, "seen there");
    scene.here->postgresql->away = true;
    assert_false(gather_verdicts(scene.here, &scene.pack));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(two_tellers_add_up),
        TEST(an_empty_histogram_has_no_least),
        TEST(whoever_goes_takes_levels_along),
        TEST(a_level_in_doubt_is_told_again),
        TEST(a_peak_that_is_forgotten_is_told_first),
        TEST(the_frame_is_bounded),
        TEST(minutes_of_another_demo_are_left_out),
        TEST(what_stands_in_the_database_is_told_by_its_process),
        TEST(mutated_bytes_count_in_full_or_not_at_all),
        TEST(figures_out_of_range_are_refused),
        TEST(a_count_does_not_fall),
        TEST(verdicts_are_kept),
    };
    return cmocka_run_group_tests_name("gather", tests, NULL, NULL);
}
