/*
 * gather: one world runs, another of the same scenario never does and is told all it knows, in small frames of
 * which some get lost, come twice, or are acknowledged to nobody. Both then judge and report alike.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/gather.h"
#include "core/parts.h"
#include "core/probe.h"
#include "edges/registry.h"
#include "edges/scenario_load.h"

enum { TURN_EVENTS = 100 };

static struct pair {
    struct scenario *scenario;
    struct world *runs, *told;
    struct gather *gather;
    struct gathered *gathered;
    struct pack pack;
    uint64_t chance;
    bool finishing;
    size_t frames, lost, samples;
} pair;

/* ---- the channel ---- */

static uint64_t chance(uint64_t below)
{
    pair.chance = pair.chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (pair.chance >> 33) % below;
}

static void deliver(void)
{
    struct cursor cursor = {.at = pair.pack.bytes, .end = pair.pack.bytes + pair.pack.len};
    assert_true(gathered_read(pair.gathered, &cursor));
    assert_ptr_equal(cursor.at, cursor.end);
}

static bool write_frame(size_t bytes_max)
{
    pair.pack.len = 0;
    if (!gather_write(pair.gather, &pair.pack, bytes_max))
        return false;
    assert_false(pair.pack.overflow);
    assert_in_range(pair.pack.len, 1, bytes_max);
    pair.frames++;
    return true;
}

/* A frame may be lost, or its answer; it may come twice. */
static void tell_badly(void)
{
    static const size_t rooms[] = {GATHER_BYTES_MIN, 300, 1024, BODY_BYTES_MAX};
    if (!write_frame(rooms[chance(4)]))
        return;
    uint64_t fate = chance(4);
    pair.lost += fate == 0;
    if (fate == 0)
        return;
    deliver();
    if (fate == 1)
        return;
    if (fate == 2)
        deliver();
    gather_acknowledge(pair.gather);
}

static void tell_all(void)
{
    while (write_frame(1024)) {
        deliver();
        gather_acknowledge(pair.gather);
    }
    assert_false(gather_more(pair.gather));
}

/* What the process of the load generator has by itself. */
static void copy_streams(void)
{
    for (size_t i = 0; i < pair.scenario->stream_count; i++) {
        const struct stream_stats *from = &pair.runs->stats.streams[i];
        struct stream_stats *to = &pair.told->stats.streams[i], own = *to;
        *to = *from;
        to->minutes = own.minutes;
        to->seen = own.seen;
        to->points = own.points;
        memcpy(to->minutes, from->minutes, from->minute_count * sizeof *from->minutes);
        memcpy(to->seen, from->seen, from->minute_count * sizeof *from->seen);
        if (from->point_count)
            memcpy(to->points, from->points, from->point_count * sizeof *from->points);
    }
}

/* ---- comparing ---- */

#define near(a, b) near_at(a, b, __LINE__)
static void near_at(double a, double b, int line)
{
    double most = 1e-9 * MAX(1.0, MAX(a, -a));
    if (a - b > most || b - a > most)
        fail_msg("line %d: %.17g is not %.17g", line, a, b);
}

static void same_histogram(const struct histogram *a, const struct histogram *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->zeros, b->zeros);
    near(a->sum, b->sum);
    assert_true(a->min == b->min && a->max == b->max);
    assert_memory_equal(a->buckets, b->buckets, sizeof a->buckets);
}

static void same_pools(const struct run_stats *a, const struct run_stats *b)
{
    for (size_t i = 0; i < a->pool_count; i++) {
        const struct pool_stats *p = &a->pools[i], *q = &b->pools[i];
        assert_int_equal(p->max, q->max);
        assert_int_equal(p->peak_used, q->peak_used);
        assert_int_equal(p->acquire_timeout_ns, q->acquire_timeout_ns);
        assert_int_equal(p->acquired, q->acquired);
        assert_int_equal(p->timeouts, q->timeouts);
        assert_int_equal(p->refused, q->refused);
        assert_int_equal(p->given_up, q->given_up);
        assert_int_equal(p->waiters_most, q->waiters_most);
        same_histogram(&p->wait, &q->wait);
        same_histogram(&p->wait_any, &q->wait_any);
        assert_memory_equal(p->minutes, q->minutes, p->minute_count * sizeof *p->minutes);
    }
}

static void same_services(const struct run_stats *a, const struct run_stats *b)
{
    for (size_t i = 0; i < a->service_count; i++) {
        const struct service_stats *s = &a->services[i], *t = &b->services[i];
        assert_int_equal(s->spans, t->spans);
        assert_int_equal(s->errors, t->errors);
        assert_int_equal(s->asks_peak, t->asks_peak);
        same_histogram(&s->latency, &t->latency);
    }
    for (size_t i = 0; i < a->edge_count; i++) {
        assert_int_equal(a->edges[i].calls, b->edges[i].calls);
        assert_int_equal(a->edges[i].errors, b->edges[i].errors);
        same_histogram(&a->edges[i].latency, &b->edges[i].latency);
    }
    for (size_t i = 0; i < a->statement_count; i++) {
        const struct statement_stats *s = &a->statements[i], *t = &b->statements[i];
        assert_int_equal(s->runs, t->runs);
        assert_int_equal(s->full_scans, t->full_scans);
        assert_int_equal(s->scan_rows_max, t->scan_rows_max);
        same_histogram(&s->latency, &t->latency);
    }
}

static void same_profile(const struct run_stats *a, const struct run_stats *b)
{
    for (size_t i = 0; i < a->profile_count; i++) {
        const struct profile_line *l = &a->profile[i], *m = &b->profile[i];
        near(l->cpu_ns, m->cpu_ns);
        near(l->scanned_ns, m->scanned_ns);
        near(l->locked_ns, m->locked_ns);
        for (size_t s = 0; s < SPENT_COUNT; s++) {
            near(l->spent_ns[s], m->spent_ns[s]);
            assert_int_equal(l->lost[s], m->lost[s]);
        }
    }
}

static void same_run(const struct run_stats *a, const struct run_stats *b)
{
    same_services(a, b);
    same_pools(a, b);
    same_profile(a, b);
    assert_memory_equal(&a->business, &b->business, sizeof a->business);
    same_histogram(&a->stores.lock_wait, &b->stores.lock_wait);
    assert_int_equal(a->stores.active_peak, b->stores.active_peak);
    assert_int_equal(a->stores.connections_peak, b->stores.connections_peak);
    assert_int_equal(a->stores.lock_timeouts, b->stores.lock_timeouts);
    assert_int_equal(a->stores.cache_hits, b->stores.cache_hits);
    assert_int_equal(a->stores.cache_misses, b->stores.cache_misses);
    assert_int_equal(a->traces, b->traces);
    assert_int_equal(a->spans, b->spans);
    assert_int_equal(a->logs[LOG_BODY_SLOW_QUERY], b->logs[LOG_BODY_SLOW_QUERY]);
    assert_int_equal(a->logs[LOG_BODY_POOL_EXHAUSTED], b->logs[LOG_BODY_POOL_EXHAUSTED]);
    assert_int_equal(a->logs[LOG_BODY_FAULT], b->logs[LOG_BODY_FAULT]); /* applied here and there */
    assert_int_equal(a->max_depth, b->max_depth);
    assert_int_equal(a->asks, b->asks);
    assert_memory_equal(a->asks_ended, b->asks_ended, sizeof a->asks_ended);
    assert_int_equal(a->late_replies, b->late_replies);
    assert_int_equal(a->mailbox_refused, b->mailbox_refused);
    assert_int_equal(a->expired, b->expired);
}

/* What alerts watch, as it was sampled: with the peaks since the last sample. */
static void same_samples(void)
{
    static const enum metric_id watched[] = {METRIC_LOAD_ENDED,
                                             METRIC_LOAD_FAILED,
                                             METRIC_LOAD_DURATION,
                                             METRIC_LOG_RECORDS,
                                             METRIC_STATEMENT_DURATION,
                                             METRIC_STATEMENTS_PEAK,
                                             METRIC_CONNECTIONS_PEAK,
                                             METRIC_LOCK_WAIT,
                                             METRIC_LOCK_TIMEOUTS,
                                             METRIC_CACHE_LOOKUPS,
                                             METRIC_HOT_SOLD,
                                             METRIC_HOT_LEFT,
                                             METRIC_SHOP_ORDERS,
                                             METRIC_SHOP_REVENUE,
                                             METRIC_SHOP_CART_CREATED,
                                             METRIC_SHOP_CART_ABANDONED,
                                             METRIC_SHOP_CHECKOUT_SUCCESS};
    for (size_t i = 0; i < ARRAY_LEN(watched); i++) {
        const struct series *a = pair.runs->metrics.first[watched[i]];
        const struct series *b = pair.told->metrics.first[watched[i]];
        for (; a && b; a = a->next, b = b->next) {
            near(a->value, b->value);
            if (a->histogram)
                same_histogram(a->histogram, b->histogram);
        }
        assert_true(!a && !b);
    }
}

static double waiters_sampled(const char *name)
{
    double sum = 0;
    for (size_t a = 0; a < pair.runs->actor_count; a++)
        for (size_t i = 0; i < pair.runs->actors[a].pool_count; i++)
            if (!strcmp(pair.runs->actors[a].pools[i].pool.name, name))
                sum += pair.runs->actors[a].pools[i].waiters_peak->value;
    return sum;
}

/* All that probes can ask for of the world as it is. */
static void same_figures(void)
{
    for (int kind = 0; kind < PROBE_KIND_COUNT; kind++)
        for (size_t i = 0; i < pair.runs->stats.statement_count; i++)
            for (size_t p = 0; p < pair.runs->stats.pool_count; p++) {
                struct probe probe = {.kind = (enum probe_kind)kind, .pool = pair.runs->stats.pools[p].name};
                bool statement = kind == PROBE_QUERY_CPU || kind == PROBE_QUERY_LATENCY;
                probe.index = statement ? (int)i : 0;
                if (!statement && i)
                    continue;
                near(figure_now(pair.runs, &probe), figure_now(pair.told, &probe));
                near(figure_base(pair.runs, &probe), figure_base(pair.told, &probe));
            }
}

/* ---- in step ---- */

/* The faults that the timeline applies in every process. */
static void on_log(void *owner, const struct log_record *record)
{
    (void)owner;
    if (record->body != LOG_BODY_FAULT)
        return;
    tell_all();
    pair.told->now_ns = record->at_ns;
    for (size_t i = 0; i < pair.runs->stats.fault_count; i++)
        if (pair.runs->stats.faults[i].applied && !pair.told->stats.faults[i].applied) {
            fault_apply(pair.told, i);
            return;
        }
    fail_msg("a fault that was not applied is logged");
}

static void on_metrics(void *owner, const struct metrics *metrics, int64_t at_ns)
{
    (void)owner;
    (void)metrics;
    tell_all();
    copy_streams();
    if (pair.finishing)
        return;
    pair.samples++;
    pair.told->now_ns = at_ns;
    stats_sample(pair.told);
    same_samples();
    for (size_t i = 0; i < pair.runs->stats.pool_count; i++) {
        struct probe probe = {.kind = PROBE_POOL_WAITERS, .pool = pair.runs->stats.pools[i].name};
        assert_true(figure_now(pair.told, &probe) == waiters_sampled(probe.pool));
    }
    alerts_judge(pair.told, at_ns);
    same_figures();
}

static void open_pair(const char *file, int64_t duration_ns, const char *const *settings, size_t count)
{
    char path[PATH_MAX];
    const char *root = getenv("DOORBUSTER_SOURCE");
    struct text errors = {0};
    snprintf(path, sizeof path, "%s/%s", root ? root : ".", file);
    pair = (struct pair){.scenario = scenario_load(path, &registry, settings, count, &errors), .chance = 1};
    if (!pair.scenario)
        fail_msg("%s", text_c(&errors));
    text_fini(&errors);
    struct world_options options = {
        .scenario = pair.scenario, .registry = &registry, .seed = 1, .duration_ns = duration_ns};
    pair.told = world_new(&options);
    options.sink = (struct sink){.log = on_log, .metrics = on_metrics};
    pair.runs = world_new(&options);
    pair.pack.bytes = base_alloc(BODY_BYTES_MAX, 1);
    pair.gather = gather_new(pair.runs);
    pair.gathered = gathered_new(pair.told);
}

static void close_pair(void)
{
    gather_free(pair.gather);
    gathered_free(pair.gathered);
    world_free(pair.runs);
    world_free(pair.told);
    scenario_free(pair.scenario);
    free(pair.pack.bytes);
}

static void tell_verdicts(void)
{
    pair.pack.len = 0;
    assert_true(gather_verdicts(pair.runs, &pair.pack));
    struct cursor cursor = {.at = pair.pack.bytes, .end = pair.pack.bytes + pair.pack.len};
    assert_true(gathered_verdicts(pair.told, &cursor));
}

static void same_verdicts(const struct run_stats *a, const struct run_stats *b)
{
    assert_memory_equal(a->alerts, b->alerts, sizeof a->alerts);
    for (size_t i = 0; i < pair.scenario->expect_count; i++) {
        assert_int_equal(a->expects[i].judged, b->expects[i].judged);
        assert_int_equal(a->expects[i].held, b->expects[i].held);
        assert_string_equal(a->expects[i].actual, b->expects[i].actual);
    }
    for (size_t i = 0; i < a->fault_count; i++) {
        const struct fault_stats *f = &a->faults[i], *g = &b->faults[i];
        assert_true(f->applied == g->applied && f->landed == g->landed && f->judged == g->judged);
        assert_string_equal(f->evidence, g->evidence);
        assert_int_equal(f->requests, g->requests);
        assert_int_equal(f->failed, g->failed);
    }
}

static void compare_runs(const char *file, int64_t duration_ns, const char *const *settings, size_t count)
{
    open_pair(file, duration_ns, settings, count);
    for (int64_t next_ns; (next_ns = world_next_at(pair.runs)) != NEVER;) {
        world_turn(pair.runs, next_ns, TURN_EVENTS);
        if (chance(25) == 0)
            tell_badly();
    }
    pair.finishing = true;
    tell_all();
    tell_verdicts();
    world_finish(pair.runs);
    world_finish(pair.told);
    assert_true(pair.frames > 100 && pair.lost > 20 && pair.samples > 7);
    assert_int_equal(pair.runs->delayed, 0);
    same_run(&pair.runs->stats, &pair.told->stats);
    same_figures();
    same_verdicts(&pair.runs->stats, &pair.told->stats);
    close_pair();
}

/* ---- tests ---- */

static void the_incident(void **state)
{
    (void)state;
    compare_runs("scenarios/black-friday-v5.yaml", 14 * NS_PER_MIN, NULL, 0);
}

static void a_flash_sale(void **state)
{
    (void)state;
    compare_runs("scenarios/flash-sale.yaml", 0, NULL, 0);
}

static void every_fault(void **state)
{
    (void)state;
    static const char *const settings[] = {
        "faults=[{at: 5s, drop_index: idx_products_category}, {at: 8s, table_growth: 40000},"
        "{at: 10s, query_delay: {service: product-catalog, delay: 300ms}},"
        "{at: 20s, hold_connections: {pool: catalog, count: 19}}, {at: 25s, read_replicas: 1},"
        "{at: 30s, pool_max: {pool: orders, max: 1}}, {at: 35s, acquire_timeout: {pool: catalog, limit: "
        "100ms}},"
        "{at: 40s, query_delay: {service: product-catalog, delay: 0s}},"
        "{at: 45s, hold_connections: {pool: catalog, count: 12}}, {at: 50s, service_down: cart-service},"
        "{at: 60s, service_up: cart-service}, {at: 65s, service_slow: {service: cart-service, factor: 9}},"
        "{at: 70s, create_index: idx_products_category},"
        "{at: 75s, route_failures: {service: checkout, route: POST /orders/create, rate: 50%}},"
        "{at: 80s, message_loss: {from: frontend, to: ad-service, rate: 50%}}]",
        "alerts=[{name: waiting, when: {series: pool.catalog.waiters, above: 2}},"
        "{name: many, when: {series: database.connections, above: 15}},"
        "{name: busy, when: {series: database.active, above: 2}}]",
        "expect=['pool.catalog.waiters: max>0', 'database.connections from 30s until 1m: max>3',"
        "'pool.catalog.wait from 30s until 1m: p(95)<1s', 'query.products_by_category.cpu: rate<0.9']",
    };
    compare_runs("tests/stories/faults.yaml", 0, settings, ARRAY_LEN(settings));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_incident),
        cmocka_unit_test(a_flash_sale),
        cmocka_unit_test(every_fault),
    };
    return cmocka_run_group_tests_name("gather_runs", tests, NULL, NULL);
}
