/*
 * instrument: metrics of what alerts watch and nobody counts in a series of its own - root requests by stream, logs by body,
 * statements, the stores. Read at each sample, before alerts are judged, so that a monitoring system that
 * judges the same rule on them comes to the same answer. They belong to the load generator's service, for it is
 * the one that sees all of the world.
 */
#include "core/parts.h"
#include "core/probe.h"

#include <stdlib.h>

struct instrument {
    struct probe probe;
    bool rest; /* not the figure, but what is left of what it is one of: look-ups that missed */
    struct series *series;
};

enum { INSTRUMENTS_MAX = 3 * STREAMS_MAX + LOG_BODY_COUNT + 16 };

/* `key` ATTR_COUNT: nothing tells this one apart. */
static struct instrument *add(struct world *world, enum metric_id metric, enum probe_kind kind, int index,
                              enum attr_key key, const char *text)
{
    struct attrs attrs = {0};
    if (key != ATTR_COUNT)
        attrs_text(&attrs, key, text);
    struct instrument *instrument = &world->instruments[world->instrument_count++];
    instrument->probe = (struct probe){.kind = kind, .index = index};
    instrument->series = metrics_series(&world->metrics, metric, world->load->index, attrs.list, attrs.count);
    return instrument;
}

static void add_logs(struct world *world)
{
    static const struct {
        enum log_body body;
        const char *name; /* as in logs.NAME */
    } logs[] = {{LOG_BODY_SLOW_QUERY, "slow_query"}, {LOG_BODY_POOL_EXHAUSTED, "pool_exhausted"}};
    for (size_t i = 0; i < ARRAY_LEN(logs); i++)
        add(world, METRIC_LOG_RECORDS, PROBE_LOGS, (int)logs[i].body, ATTR_LOG_BODY, logs[i].name);
}

void instruments_bind(struct world *world)
{
    static const struct {
        enum metric_id metric;
        enum probe_kind kind;
    } single[] = {
        {METRIC_STATEMENTS_PEAK, PROBE_DATABASE_ACTIVE},
        {METRIC_CONNECTIONS_PEAK, PROBE_DATABASE_CONNECTIONS},
        {METRIC_LOCK_WAIT, PROBE_LOCK_WAIT},
        {METRIC_LOCK_TIMEOUTS, PROBE_LOCK_TIMEOUTS},
        {METRIC_HOT_SOLD, PROBE_HOT_SOLD},
        {METRIC_HOT_LEFT, PROBE_HOT_LEFT},
    };
    const struct run_stats *stats = &world->stats;
    if (!world->load)
        return;
    world->instruments = base_alloc(INSTRUMENTS_MAX + stats->statement_count, sizeof *world->instruments);
    for (int i = 0; i < (int)world->scenario->stream_count; i++) {
        const char *name = world->scenario->streams[i].name;
        add(world, METRIC_LOAD_ENDED, PROBE_REQUESTS, i, ATTR_LOAD_STREAM, name);
        add(world, METRIC_LOAD_FAILED, PROBE_ERRORS, i, ATTR_LOAD_STREAM, name);
        add(world, METRIC_LOAD_DURATION, PROBE_LATENCY, i, ATTR_LOAD_STREAM, name);
    }
    add_logs(world);
    for (size_t i = 0; i < stats->statement_count; i++)
        add(world, METRIC_STATEMENT_DURATION, PROBE_QUERY_LATENCY, (int)i, ATTR_STATEMENT_NAME,
            stats->statements[i].name);
    for (size_t i = 0; i < ARRAY_LEN(single); i++)
        add(world, single[i].metric, single[i].kind, 0, ATTR_COUNT, NULL);
    add(world, METRIC_CACHE_LOOKUPS, PROBE_CACHE_HITS, 0, ATTR_CACHE_OUTCOME, "hit");
    add(world, METRIC_CACHE_LOOKUPS, PROBE_CACHE_HITS, 0, ATTR_CACHE_OUTCOME, "miss")->rest = true;
}

static void sample_pools(const struct actor *actor)
{
    for (size_t i = 0; i < actor->pool_count; i++) {
        const struct actor_pool *pool = &actor->pools[i];
        pool->waiters_peak->value = pool->pool.waiters_peak;
        *pool->acquire->histogram = pool->pool.stats->wait_any;
    }
}

void instruments_sample(struct world *world)
{
    for (size_t i = 0; i < world->instrument_count; i++) {
        struct instrument *instrument = &world->instruments[i];
        struct series *series = instrument->series;
        if (series->histogram) {
            *series->histogram = (struct histogram){0};
            figure_spread(world, &instrument->probe, series->histogram);
            continue;
        }
        series->value = figure_now(world, &instrument->probe);
        if (instrument->rest)
            series->value = figure_base(world, &instrument->probe) - series->value;
    }
    for (size_t i = 0; i < world->actor_count; i++)
        sample_pools(&world->actors[i]);
}

void instruments_free(struct world *world)
{
    free(world->instruments);
}
