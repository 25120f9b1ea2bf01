/* stats: keeps the run's figures - windows of the streams, edges between services, gauges at sample time. */
#include "core/expect_parse.h"
#include "core/parts.h"

#include <stdlib.h>

static int64_t point_from(const struct stream_spec *spec, int64_t at_ns)
{
    return at_ns == stream_start(spec) ? at_ns : MAX(at_ns - NS_PER_MIN / 2, 0);
}

static void point(struct stream_stats *stats, const struct stream_spec *spec, int64_t at_ns,
                  int64_t duration_ns)
{
    int64_t from_ns = point_from(spec, at_ns);
    for (size_t i = 0; i < stats->point_count; i++)
        if (stats->points[i].from_ns == from_ns)
            return;
    stats->points =
        base_grow(stats->points, stats->point_count, stats->point_count + 1, sizeof *stats->points);
    struct window *window = &stats->points[stats->point_count++];
    window->from_ns = from_ns;
    window->to_ns = MIN(from_ns + NS_PER_MIN, duration_ns);
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
        const struct stream_spec *spec = &scenario->streams[i];
        struct stream_stats *stats = &world->stats.streams[i];
        stats->minute_count = stats_minutes(scenario);
        stats->minutes = base_alloc(stats->minute_count, sizeof *stats->minutes);
        for (size_t m = 0; m < stats->minute_count; m++) {
            stats->minutes[m].from_ns = (int64_t)m * NS_PER_MIN;
            stats->minutes[m].to_ns = MIN((int64_t)(m + 1) * NS_PER_MIN, scenario->duration_ns);
        }
        for (size_t t = 0; t < spec->table_count; t++)
            point(stats, spec, spec->table_ns[t], scenario->duration_ns);
        for (size_t e = 0; e < scenario->expect_count; e++) {
            const struct expect_spec *expect = &scenario->expects[e];
            if (expect->when == EXPECT_AT)
                point(stats, spec, expect->at_ns, scenario->duration_ns);
        }
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
        for (size_t p = 0; p < stats->point_count; p++)
            empty(&stats->points[p]);
    }
    for (size_t i = 0; i < world->stats.pool_count; i++)
        memset(world->stats.pools[i].minutes, 0,
               world->stats.pools[i].minute_count * sizeof *world->stats.pools[i].minutes);
    for (size_t i = 0; i < scenario->alert_count; i++)
        world->stats.alerts[i] = (struct alert_stats){.fired_at_ns = NEVER, .resolved_at_ns = NEVER};
}

void stats_free(struct world *world)
{
    for (size_t i = 0; i < world->scenario->stream_count; i++) {
        free(world->stats.streams[i].minutes);
        free(world->stats.streams[i].points);
    }
    for (size_t i = 0; i < world->stats.pool_count; i++)
        free(world->stats.pools[i].minutes);
    free(world->stats.edges);
    free(world->stats.pools);
    free(world->stats.statements);
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
        if (stats->points[i].from_ns == from_ns)
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
