/* stats: keeps the run's figures - windows of the streams, edges between services, gauges at sample time. */
#include "core/expect_parse.h"
#include "core/parts.h"
#include "core/probe.h"

#include <stdlib.h>

static int64_t point_from(const struct stream_spec *spec, int64_t at_ns)
{
    return at_ns == stream_start(spec) ? at_ns : MAX(at_ns - NS_PER_MIN / 2, 0);
}

static struct window *find_point(const struct stream_stats *stats, int64_t from_ns, int64_t to_ns)
{
    for (size_t i = 0; i < stats->point_count; i++)
        if (stats->points[i].from_ns == from_ns && stats->points[i].to_ns == to_ns)
            return &stats->points[i];
    return NULL;
}

static void point(struct stream_stats *stats, int64_t from_ns, int64_t to_ns)
{
    if (find_point(stats, from_ns, to_ns))
        return;
    stats->points =
        base_grow(stats->points, stats->point_count, stats->point_count + 1, sizeof *stats->points);
    struct window *window = &stats->points[stats->point_count++];
    window->from_ns = from_ns;
    window->to_ns = to_ns;
}

/* The 60 s of a point, and no more than there are. */
static int64_t point_to(const struct scenario *scenario, int64_t from_ns)
{
    return MIN(from_ns + NS_PER_MIN, scenario->duration_ns);
}

/* The earliest start of the streams that the expectation is about. */
static int64_t expect_start(const struct scenario *scenario, const struct expect_spec *expect)
{
    int64_t start_ns = NEVER;
    for (int i = 0; i < (int)scenario->stream_count; i++)
        if (expect->series.index == PROBE_ALL_STREAMS || expect->series.index == i)
            start_ns = MIN(start_ns, stream_start(&scenario->streams[i]));
    return start_ns;
}

static void expect_bounds(const struct scenario *scenario, const struct expect_spec *expect, int64_t *from_ns,
                          int64_t *to_ns)
{
    bool at = expect->when == EXPECT_AT, first = at && expect->at_ns == expect_start(scenario, expect);
    *from_ns = at && !first ? MAX(expect->at_ns - NS_PER_MIN / 2, 0) : expect->at_ns;
    *to_ns = at ? point_to(scenario, *from_ns) : expect->until_ns;
}

const struct window *stats_expected(const struct world *world, const struct expect_spec *expect,
                                    size_t stream)
{
    int64_t from_ns, to_ns;
    expect_bounds(world->scenario, expect, &from_ns, &to_ns);
    return find_point(&world->stats.streams[stream], from_ns, to_ns);
}

/* The windows that the report's table and the expectations ask for. */
static void add_points(const struct scenario *scenario, size_t stream, struct stream_stats *stats)
{
    const struct stream_spec *spec = &scenario->streams[stream];
    for (size_t t = 0; t < spec->table_count; t++) {
        int64_t from_ns = point_from(spec, spec->table_ns[t]);
        point(stats, from_ns, point_to(scenario, from_ns));
    }
    for (size_t e = 0; e < scenario->expect_count; e++) {
        const struct expect_spec *expect = &scenario->expects[e];
        bool own = expect->series.index == PROBE_ALL_STREAMS || expect->series.index == (int)stream;
        bool window = expect->when == EXPECT_AT || expect->when == EXPECT_WINDOW;
        if (!window || !own || expect_of_alert(expect) || !probe_of_stream(expect->series.kind))
            continue;
        int64_t from_ns, to_ns;
        expect_bounds(scenario, expect, &from_ns, &to_ns);
        point(stats, from_ns, to_ns);
    }
}

size_t stats_minutes(const struct scenario *scenario)
{
    return (size_t)((scenario->duration_ns + NS_PER_MIN - 1) / NS_PER_MIN);
}

void stats_start(struct world *world)
{
    const struct scenario *scenario = world->scenario;
    const struct registry *registry = world->registry;
    world->stats.fault_count = scenario->fault_count;
    for (size_t i = 0; i < scenario->fault_count; i++)
        world->stats.faults[i].spec = scenario->faults[i];
    world->stats.statement_count = registry->statement_count;
    world->stats.statements = base_alloc(registry->statement_count, sizeof *world->stats.statements);
    for (size_t i = 0; i < registry->statement_count; i++)
        world->stats.statements[i].name = registry->statements[i].name;
    for (size_t i = 0; i < scenario->stream_count; i++) {
        struct stream_stats *stats = &world->stats.streams[i];
        stats->minute_count = stats_minutes(scenario);
        stats->minutes = base_alloc(stats->minute_count, sizeof *stats->minutes);
        stats->seen = base_alloc(stats->minute_count, sizeof *stats->seen);
        stats->scale = 1;
        for (size_t m = 0; m < stats->minute_count; m++) {
            stats->minutes[m].from_ns = (int64_t)m * NS_PER_MIN;
            stats->minutes[m].to_ns = MIN((int64_t)(m + 1) * NS_PER_MIN, scenario->duration_ns);
        }
        add_points(scenario, i, stats);
    }
    for (size_t i = 0; i < scenario->alert_count; i++)
        world->stats.alerts[i] = (struct alert_stats){.fired_at_ns = NEVER, .resolved_at_ns = NEVER};
}

static void empty(struct window *window)
{
    *window = (struct window){.from_ns = window->from_ns, .to_ns = window->to_ns};
}

void stats_restart(struct world *world)
{
    const struct scenario *scenario = world->scenario;
    for (size_t i = 0; i < scenario->stream_count; i++) {
        struct stream_stats *stats = &world->stats.streams[i];
        empty(&stats->whole);
        for (size_t m = 0; m < stats->minute_count; m++)
            empty(&stats->minutes[m]);
        memset(stats->seen, 0, stats->minute_count * sizeof *stats->seen);
        for (size_t p = 0; p < stats->point_count; p++)
            empty(&stats->points[p]);
    }
    for (size_t i = 0; i < world->stats.pool_count; i++)
        memset(world->stats.pools[i].minutes, 0,
               world->stats.pools[i].minute_count * sizeof *world->stats.pools[i].minutes);
    for (size_t i = 0; i < scenario->alert_count; i++)
        world->stats.alerts[i] = (struct alert_stats){.fired_at_ns = NEVER, .resolved_at_ns = NEVER};
    stretches_start(world);
}

void stats_free(struct world *world)
{
    stretches_free(world);
    for (size_t i = 0; i < world->scenario->stream_count; i++) {
        free(world->stats.streams[i].minutes);
        free(world->stats.streams[i].seen);
        free(world->stats.streams[i].points);
    }
    for (size_t i = 0; i < world->stats.pool_count; i++)
        free(world->stats.pools[i].minutes);
    free(world->stats.edges);
    free(world->stats.pools);
    free(world->stats.statements);
    free(world->stats.profile);
}

double stream_rate(const struct stream_stats *stats, const struct stream_spec *spec, int64_t at_ns)
{
    return stats->scale * stream_rate_per_min(spec, at_ns);
}

void stats_seen(struct stream_stats *stats, int64_t on_timeline_ns, bool failed)
{
    size_t minute = (size_t)(MAX(on_timeline_ns, 0) / NS_PER_MIN);
    if (on_timeline_ns < 0 || minute >= stats->minute_count)
        return;
    stats->seen[minute].requests++;
    stats->seen[minute].errors += failed;
}

static void window_add(struct window *window, int64_t latency_ns, bool failed)
{
    window->requests++;
    window->errors += failed;
    histogram_add_ns(&window->latency, latency_ns);
}

void stats_root(struct stream_stats *stats, int64_t on_timeline_ns, int64_t latency_ns, bool failed)
{
    stats->answered += !failed;
    stats->failed += failed;
    stats->ended++;
    stats->ended_failed += failed;
    histogram_add_ns(&stats->ended_latency, latency_ns);
    if (on_timeline_ns < 0)
        return;
    window_add(&stats->whole, latency_ns, failed);
    size_t minute = (size_t)(on_timeline_ns / NS_PER_MIN);
    if (minute < stats->minute_count)
        window_add(&stats->minutes[minute], latency_ns, failed);
    for (size_t i = 0; i < stats->point_count; i++) {
        struct window *window = &stats->points[i];
        if (on_timeline_ns >= window->from_ns && on_timeline_ns < window->to_ns)
            window_add(window, latency_ns, failed);
    }
}

const struct window *stream_point(const struct stream_stats *stats, const struct stream_spec *spec,
                                  int64_t at_ns)
{
    int64_t from_ns = point_from(spec, at_ns);
    for (size_t i = 0; i < stats->point_count; i++)
        if (stats->points[i].from_ns == from_ns && stats->points[i].to_ns - from_ns <= NS_PER_MIN)
            return &stats->points[i];
    return NULL;
}

/* Edges are bound one service after the other: places do not move while steps are bound, for there is
   room for every pair a kind's steps can name. */
struct edge_stats *stats_edge(struct world *world, const char *from, const char *to)
{
    struct run_stats *stats = &world->stats;
    for (size_t i = 0; i < stats->edge_count; i++)
        if (strcmp(stats->edges[i].from, from) == 0 && strcmp(stats->edges[i].to, to) == 0)
            return &stats->edges[i];
    if (!stats->edges)
        stats->edges = base_alloc(EDGES_MAX, sizeof *stats->edges);
    ASSERT(stats->edge_count < EDGES_MAX);
    struct edge_stats *edge = &stats->edges[stats->edge_count++];
    edge->from = from;
    edge->to = to;
    return edge;
}

static void sample_actor(struct actor *actor)
{
    actor->mailbox_depth->value = actor->mailbox.peak;
    actor->mailbox.peak = actor->mailbox.count;
    actor->mailbox_refused->value = (double)actor->mailbox.refused;
    for (size_t i = 0; i < actor->pool_count; i++) {
        struct actor_pool *pool = &actor->pools[i];
        int used = pool_active(&pool->pool);
        pool->used->value = used;
        pool->idle->value = MAX(pool->pool.max - used, 0);
        pool->max->value = pool->pool.max;
        pool->pending->value = pool->pool.waiters;
        pool->timeouts->value = (double)pool->pool.stats->timeouts;
        pool->pool.stats->acquire_timeout_ns = pool->pool.acquire_timeout_ns;
    }
}

void stats_sample(struct world *world)
{
    const struct business_stats *shop = &world->stats.business;
    uint64_t begun = shop->count[BUSINESS_CHECKOUT];
    for (size_t i = 0; i < world->actor_count; i++)
        sample_actor(&world->actors[i]);
    script_sample(world);
    instruments_sample(world);
    stretches_sample(world);
    world->shop[METRIC_SHOP_ORDERS]->value = (double)shop->count[BUSINESS_ORDER];
    world->sold_out->value = (double)shop->count[BUSINESS_SOLD_OUT];
    world->shop[METRIC_SHOP_REVENUE]->value = (double)shop->revenue_cents / 100;
    world->shop[METRIC_SHOP_CART_CREATED]->value = (double)shop->count[BUSINESS_CART_CREATED];
    world->shop[METRIC_SHOP_CART_ABANDONED]->value = (double)shop->count[BUSINESS_CART_ABANDONED];
    world->shop[METRIC_SHOP_CHECKOUT_SUCCESS]->value =
        begun ? (double)shop->count[BUSINESS_CHECKOUT_DONE] / (double)begun : 1;
}

struct world_leftovers world_leftovers(const struct world *world)
{
    struct world_leftovers left = {.messages = world->messages.live,
                                   .bodies = world->messages.bodies.live,
                                   .calls = world->calls.live,
                                   .queries = world->queries.live};
    for (size_t a = 0; a < world->actor_count; a++)
        for (size_t i = 0; i < world->actors[a].pool_count; i++) {
            left.connections += (size_t)world->actors[a].pools[i].pool.used;
            left.waiters += world->actors[a].pools[i].pool.waiters;
        }
    return left;
}
