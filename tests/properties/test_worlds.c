/*
 * What holds in every world: random short scenarios: 250 of them, 100 under the sanitizers, in the long form 1,000.
 *
 *     each ask ends once; started = answered + failed, nothing in flight; nothing is left when nothing runs
 *     a pool never gives out more than it has; a mailbox never takes more than its bound
 *     every trace is a whole tree; sold = taken from stock; told money = the database's, but for late answers
 *     the same seed tells the same, however its turns are cut
 *
 * A failure prints the seed and the scenario; DOORBUSTER_SEED=N runs that one alone.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/message.h"
#include "edges/scenario_load.h"
#include "tests/properties/random_scenario.h"
#include "tests/properties/shopper.h"
#include "tests/stories/digest.h"
#include "tests/stories/tree.h"

#ifdef __SANITIZE_ADDRESS__
enum { SEEDS_QUICK = 100 };
#else
enum { SEEDS_QUICK = 250 };
#endif
enum { SEEDS_LONG = 1000, TURNS_MAX = 20 * 1000 * 1000 };

/* What a run told, and what was counted of it. */
struct run {
    uint64_t seed;
    struct scenario *scenario;
    struct world *world;
    const struct run_stats *stats;
    struct digest digest;
    struct tree tree;
    uint64_t spans, over_full, exhausted, exhausted_logs, reserves_failed, cached;
};

/* For a broken assertion of the program's own. */
static struct text current;
static uint64_t current_seed;

static void show_current(void)
{
    /* cmocka's own printing stops after 1024 characters. */
    fprintf(stderr, "%s\nrepeat: DOORBUSTER_SEED=%llu build/tests/test_properties_worlds\n", text_c(&current),
            (unsigned long long)current_seed);
}

static void on_broken(const char *condition, const char *file, int line)
{
    print_error("%s:%d: broken: %s\n", file, line, condition);
    show_current();
}

static int expect_that(bool held, const char *what)
{
    if (!held)
        print_error("seed %llu: not so: %s\n", (unsigned long long)current_seed, what);
    return !held;
}

#define EXPECT(condition) expect_that((condition), #condition)

/* ---- a run ---- */

static const struct attr *attr_of(const struct attrs *attrs, enum attr_key key)
{
    for (size_t i = 0; i < attrs->count; i++)
        if (attrs->list[i].key == key)
            return &attrs->list[i];
    return NULL;
}

/* The pool as it was when this query got its connection. */
static bool over_full(const struct span *span)
{
    const struct attr *active = attr_of(&span->attrs, ATTR_POOL_ACTIVE),
                      *size = attr_of(&span->attrs, ATTR_POOL_SIZE);
    return span->status == STATUS_OK && active && size && active->integer > size->integer;
}

static void see_span(void *owner, const struct span *span)
{
    struct run *run = owner;
    run->spans++;
    digest_span(&run->digest, span);
    tree_keep(&run->tree, span);
    run->over_full += over_full(span);
    run->exhausted += span->site->kind == SPAN_CLIENT && span->status == STATUS_POOL_EXHAUSTED;
    run->reserves_failed += span->site->kind == SPAN_CLIENT && span->status != STATUS_OK &&
                            strcmp(span->site->name, "POST /inventory/reserve") == 0;
    run->cached += strcmp(span->site->name, "SETEX") == 0;
}

static void see_log(void *owner, const struct log_record *record)
{
    struct run *run = owner;
    run->exhausted_logs += record->body == LOG_BODY_POOL_EXHAUSTED;
}

/* Turns are cut after `events_max` events. False: it does not come to an end. */
static bool play(struct run *run, uint64_t seed, unsigned events_max)
{
    struct text errors = {0};
    *run = (struct run){.seed = seed};
    run->scenario =
        scenario_load_text("random", current.bytes, current.len, shopper_registry(), NULL, 0, &errors);
    if (!run->scenario) {
        show_current();
        fail_msg("%s", text_c(&errors));
    }
    text_fini(&errors);
    struct world_options options = {.scenario = run->scenario,
                                    .registry = shopper_registry(),
                                    .seed = seed,
                                    .sink = {.owner = run, .span = see_span, .log = see_log}};
    run->world = world_new(&options);
    run->stats = world_stats(run->world);
    for (int turns = 0; turns < TURNS_MAX; turns++) {
        int64_t next_ns = world_next_at(run->world);
        if (next_ns == NEVER) {
            world_finish(run->world);
            return true;
        }
        world_turn(run->world, next_ns, events_max);
    }
    return false;
}

static void end(struct run *run)
{
    world_free(run->world);
    scenario_free(run->scenario);
    tree_fini(&run->tree);
}

/* ---- what must hold ---- */

static int check_asks(const struct run *run)
{
    const struct run_stats *stats = run->stats;
    uint64_t ended = 0, calls = 0;
    for (int status = 0; status < STATUS_COUNT; status++)
        ended += stats->asks_ended[status];
    for (size_t i = 0; i < stats->edge_count; i++)
        calls += stats->edges[i].calls;
    return EXPECT(stats->asks == ended) + EXPECT(stats->asks == calls) + EXPECT(stats->spans == run->spans) +
           EXPECT(stats->asks_ended[STATUS_POOL_EXHAUSTED] == run->exhausted) +
           EXPECT(run->exhausted_logs == run->exhausted);
}

static int check_streams(const struct run *run)
{
    int off = 0;
    uint64_t traces = 0;
    for (size_t i = 0; i < run->scenario->stream_count; i++) {
        const struct stream_stats *stream = &run->stats->streams[i];
        uint64_t by_minute = 0, errors_by_minute = 0;
        for (size_t m = 0; m < stream->minute_count; m++) {
            by_minute += stream->minutes[m].requests;
            errors_by_minute += stream->minutes[m].errors;
        }
        off += EXPECT(stream->started == stream->answered + stream->failed) + EXPECT(stream->in_flight == 0);
        off += EXPECT(stream->whole.requests == stream->started) +
               EXPECT(stream->whole.errors == stream->failed);
        off += EXPECT(stream->ended == stream->started) + EXPECT(stream->ended_failed == stream->failed);
        /* Later steps of a journey may begin behind the end of the timeline. */
        off += EXPECT(by_minute <= stream->started) + EXPECT(errors_by_minute <= stream->failed);
        traces += stream->started;
    }
    uint64_t wrong_traffic = 0;
    for (size_t i = 0; i < run->tree.count; i++)
        wrong_traffic += run->tree.spans[i].demo != run->scenario->streams[run->tree.spans[i].stream].demo;
    off += EXPECT(wrong_traffic == 0);
    return off + EXPECT(run->stats->traces == traces) + EXPECT(tree_traces(&run->tree) == traces);
}

/* The most that a pool was ever allowed. */
static int64_t pool_limit(const struct scenario *scenario, const struct pool_stats *pool)
{
    const struct actor_kind *kind = registry_kind(shopper_registry(), pool->service);
    const struct service_spec *spec = scenario_service(scenario, pool->service);
    int64_t limit = 0;
    for (size_t i = 0; i < SERVICE_POOLS_MAX && kind->pools[i].name; i++)
        if (strcmp(kind->pools[i].name, pool->name) == 0)
            limit = kind->pools[i].max;
    for (size_t i = 0; spec && i < spec->pool_count; i++)
        if (strcmp(spec->pools[i].name, pool->name) == 0 && spec->pools[i].max)
            limit = spec->pools[i].max;
    for (size_t i = 0; i < scenario->fault_count; i++)
        if (scenario->faults[i].kind == FAULT_POOL_MAX && strcmp(scenario->faults[i].target, pool->name) == 0)
            limit = MAX(limit, (int64_t)scenario->faults[i].value);
    return limit;
}

static int check_bounds(const struct run *run)
{
    int off = EXPECT(run->over_full == 0);
    uint64_t timeouts = 0;
    for (size_t i = 0; i < run->stats->pool_count; i++) {
        const struct pool_stats *pool = &run->stats->pools[i];
        off += EXPECT(pool->peak_used <= pool_limit(run->scenario, pool));
        off += EXPECT(pool->refused <= pool->timeouts);
        timeouts += pool->timeouts;
    }
    for (size_t i = 0; i < run->stats->service_count; i++) {
        const struct service_stats *service = &run->stats->services[i];
        const struct service_spec *spec = scenario_service(run->scenario, service->service);
        uint32_t bound = spec && spec->mailbox_max ? (uint32_t)spec->mailbox_max : MAILBOX_ASKS_DEFAULT;
        off += EXPECT(service->asks_peak <= bound);
    }
    return off + EXPECT(timeouts == run->exhausted) +
           EXPECT(run->stats->mailbox_refused <= run->stats->asks_ended[STATUS_OVERLOADED]);
}

static bool has_journey(const struct scenario *scenario, const char *journey)
{
    for (size_t i = 0; i < scenario->stream_count; i++)
        for (size_t j = 0; scenario->streams[i].mix_count && j < scenario->streams[i].mixes[0].count; j++)
            if (strcmp(scenario->streams[i].mixes[0].of[j].journey, journey) == 0)
                return true;
    return false;
}

/* An order stands although its customer was never told when the answer came too late. */
static int check_money(const struct run *run)
{
    const struct business_stats *shop = &run->stats->business;
    int off = EXPECT(shop->db_pieces == shop->db_stock_taken) +
              EXPECT(shop->db_pieces >= (int64_t)shop->db_orders) + EXPECT(shop->db_revenue_cents >= 0) +
              EXPECT((shop->db_orders == 0) == (shop->db_revenue_cents == 0));
    if (has_journey(run->scenario, "again")) /* who tries again is told again */
        return off;
    uint64_t told = shop->count[BUSINESS_ORDER];
    off += EXPECT(told <= shop->db_orders) + EXPECT(shop->db_orders - told <= run->reserves_failed);
    off += EXPECT(shop->revenue_cents <= shop->db_revenue_cents);
    off += EXPECT((told == shop->db_orders) == (shop->revenue_cents == shop->db_revenue_cents));
    return off;
}

static int check_leftovers(const struct run *run)
{
    struct world_leftovers left = world_leftovers(run->world);
    return EXPECT(left.messages == 0) + EXPECT(left.bodies <= run->cached) + EXPECT(left.calls == 0) +
           EXPECT(left.queries == 0) + EXPECT(left.connections == 0) + EXPECT(left.waiters == 0);
}

static int check_same(const struct run *run, const struct run *other)
{
    return EXPECT(run->digest.spans == other->digest.spans) +
           EXPECT(run->digest.value == other->digest.value) + EXPECT(run->stats->asks == other->stats->asks) +
           EXPECT(run->stats->late_replies == other->stats->late_replies) +
           EXPECT(run->stats->business.db_revenue_cents == other->stats->business.db_revenue_cents);
}

/* ---- seeds ---- */

struct total {
    uint64_t spans, requests, failed, late, sold_out, untold, ended[STATUS_COUNT];
};

static void add_up(struct total *total, const struct run *run)
{
    for (size_t i = 0; i < run->scenario->stream_count; i++) {
        total->requests += run->stats->streams[i].started;
        total->failed += run->stats->streams[i].failed;
    }
    total->spans += run->spans;
    for (int status = 0; status < STATUS_COUNT; status++)
        total->ended[status] += run->stats->asks_ended[status];
    total->late += run->stats->late_replies;
    total->sold_out += run->stats->business.count[BUSINESS_SOLD_OUT];
    if (run->stats->business.db_orders > run->stats->business.count[BUSINESS_ORDER])
        total->untold += run->stats->business.db_orders - run->stats->business.count[BUSINESS_ORDER];
}

static int judge_seed(uint64_t seed, struct total *total)
{
    struct run whole, cut;
    current_seed = seed;
    current.len = 0;
    random_scenario(seed, &current);
    int off = EXPECT(play(&whole, seed, UINT_MAX));
    tree_sort(&whole.tree);
    off += tree_problems(&whole.tree) + check_asks(&whole) + check_streams(&whole) + check_bounds(&whole) +
           check_money(&whole) + check_leftovers(&whole);
    off += EXPECT(play(&cut, seed, 1 + (unsigned)(seed % 5)));
    off += check_same(&whole, &cut);
    add_up(total, &whole);
    end(&cut);
    end(&whole);
    if (off)
        show_current();
    return off;
}

static void say_total(const struct total *total)
{
    print_message(
        "%llu requests, %llu failed, %llu spans, %llu late answers, %llu sold out, %llu orders untold\n",
        (unsigned long long)total->requests, (unsigned long long)total->failed,
        (unsigned long long)total->spans, (unsigned long long)total->late,
        (unsigned long long)total->sold_out, (unsigned long long)total->untold);
    for (int status = 0; status < STATUS_COUNT; status++)
        print_message("%12llu asks ended: %s\n", (unsigned long long)total->ended[status],
                      status_info((enum status)status)->text);
}

/* Whether the worlds went wrong in enough ways to say something. */
static bool is_rough(const struct total *total)
{
    static const enum status seen[] = {STATUS_BAD_INPUT,      STATUS_NOT_FOUND, STATUS_SOLD_OUT,
                                       STATUS_FAILED,         STATUS_DEADLINE,  STATUS_UNAVAILABLE,
                                       STATUS_POOL_EXHAUSTED, STATUS_NO_PEER,   STATUS_CONNECTIONS_EXHAUSTED};
    for (size_t i = 0; i < ARRAY_LEN(seen); i++)
        if (!total->ended[seen[i]])
            return false;
    return total->late && total->sold_out && total->untold;
}

static void test_random_worlds(void **state)
{
    (void)state;
    const char *one = getenv("DOORBUSTER_SEED"), *wish = getenv("DOORBUSTER_LONG");
    uint64_t first = one ? strtoull(one, NULL, 10) : 1;
    uint64_t last = one ? first : wish && strcmp(wish, "1") == 0 ? SEEDS_LONG : SEEDS_QUICK;
    struct total total = {0};
    int broken = 0;
    base_on_broken = on_broken;
    for (uint64_t seed = first; seed <= last && broken < 3; seed++)
        broken += judge_seed(seed, &total) > 0;
    base_on_broken = NULL;
    text_fini(&current);
    say_total(&total);
    assert_int_equal(broken, 0);
    /* The worlds are rough enough to say something. */
    if (!one)
        assert_true(is_rough(&total));
}

/* ---- more at once than a mailbox holds ---- */

/* 1,500 wait for one connection; then there is one for each, and all of them ask the database at one instant. */
static const char rush[] =
    "doorbuster: 1\n"
    "name: rush\n"
    "story: More at one instant than a mailbox takes.\n"
    "duration: 3s\n"
    "phases: [[0s, all]]\n"
    "streams: {demo: {call: product-catalog GET /products/recommendations, rate: [[0s, 600/s]]}}\n"
    "services:\n"
    "  product-catalog:\n"
    "    variants: {recommendations: own}\n"
    "    pools: {recommendations: {max: 1, acquire_timeout: 9s}}\n"
    "postgresql: {max_connections: 5000, cores: 8, scan: 10us}\n"
    "faults: [{at: 2900ms, pool_max: {pool: recommendations, max: 5000}}]\n";

static void test_mailbox_never_above_its_bound(void **state)
{
    (void)state;
    struct run run;
    current_seed = 1;
    current.len = 0;
    text_str(&current, rush);
    assert_true(play(&run, 1, UINT_MAX));
    tree_sort(&run.tree);
    uint32_t peak = 0;
    for (size_t i = 0; i < run.stats->service_count; i++)
        peak = MAX(peak, run.stats->services[i].asks_peak);
    assert_int_equal(peak, MAILBOX_ASKS_DEFAULT);
    assert_true(run.stats->mailbox_refused > 0);
    assert_int_equal(run.stats->mailbox_refused, run.stats->asks_ended[STATUS_OVERLOADED]);
    assert_int_equal(tree_problems(&run.tree) + check_asks(&run) + check_streams(&run) + check_bounds(&run) +
                         check_leftovers(&run),
                     0);
    end(&run);
    text_fini(&current);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_worlds),
                                       cmocka_unit_test(test_mailbox_never_above_its_bound)};
    return cmocka_run_group_tests_name("worlds", tests, NULL, NULL);
}
