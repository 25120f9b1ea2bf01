/*
 * alert: judges the scenario's alerts on the run's own figures, every WORLD_SAMPLE_NS.
 *
 * A watch keeps the last samples of one condition. A flow's stages are levels: it fires at the first
 * instant t_n for which t_1 <= ... <= t_n exist, each stage true at its instant and within its frame of the
 * one before. The latest such instant of each stage is enough to know, for frames only end. Burn rate:
 * error ratio over both windows above factor x (1 - objective) (Google SRE workbook, chapter 5); windows
 * are clipped at the start of the run.
 */
#include "core/parts.h"

#include <stdlib.h>

/* Cumulative values at the samples of one window, newest at `at`. */
struct ring {
    double *top, *bottom;
    size_t length, filled, at;
};

struct watch {
    const struct condition *condition;
    struct ring ring;
    struct watch *children;
    int64_t true_since_ns; /* NEVER: false now */
};

struct alert_watch {
    struct watch stages[CONDITIONS_MAX];
    int64_t reached_ns[CONDITIONS_MAX]; /* -1: not yet */
    struct ring burn_long, burn_short;
    bool firing;
};

struct alerts {
    struct alert_watch *of;
    size_t count;
};

/* No window reaches further back than the run. */
static void ring_init(struct ring *ring, int64_t over_ns, const struct scenario *scenario)
{
    ring->length = (size_t)(MIN(over_ns, scenario->duration_ns) / WORLD_SAMPLE_NS) + 1;
    ring->top = base_alloc(ring->length, sizeof *ring->top);
    ring->bottom = base_alloc(ring->length, sizeof *ring->bottom);
    ring->filled = 1; /* the run's start, all zero */
}

static void ring_fini(struct ring *ring)
{
    free(ring->top);
    free(ring->bottom);
}

static void ring_put(struct ring *ring, double top, double bottom)
{
    ring->at = (ring->at + 1) % ring->length;
    ring->top[ring->at] = top;
    ring->bottom[ring->at] = bottom;
    ring->filled = MIN(ring->filled + 1, ring->length);
}

/* Growth over the window, as far back as it reaches. */
static void ring_growth(const struct ring *ring, double *top, double *bottom)
{
    size_t oldest = (ring->at + ring->length - (ring->filled - 1)) % ring->length;
    *top = ring->top[ring->at] - ring->top[oldest];
    *bottom = ring->bottom[ring->at] - ring->bottom[oldest];
}

static double ring_max(const struct ring *ring)
{
    double most = ring->top[ring->at];
    for (size_t i = 0; i < ring->filled; i++)
        most = MAX(most, ring->top[i]);
    return most;
}

static void watch_init(struct watch *watch, const struct condition *condition,
                       const struct scenario *scenario)
{
    *watch = (struct watch){.condition = condition, .true_since_ns = NEVER};
    if (condition->kind == CONDITION_SERIES)
        ring_init(&watch->ring, condition->over_ns, scenario);
    watch->children = base_alloc(condition->child_count, sizeof *watch->children);
    for (size_t i = 0; i < condition->child_count; i++)
        watch_init(&watch->children[i], &condition->children[i], scenario);
}

static void watch_fini(struct watch *watch)
{
    ring_fini(&watch->ring);
    for (size_t i = 0; i < watch->condition->child_count; i++)
        watch_fini(&watch->children[i]);
    free(watch->children);
}

struct alerts *alerts_new(struct world *world)
{
    const struct scenario *scenario = world->scenario;
    struct alerts *alerts = base_alloc(1, sizeof *alerts);
    alerts->count = scenario->alert_count;
    alerts->of = base_alloc(alerts->count, sizeof *alerts->of);
    for (size_t i = 0; i < alerts->count; i++) {
        const struct alert_spec *spec = &scenario->alerts[i];
        struct alert_watch *watch = &alerts->of[i];
        if (spec->kind == ALERT_BURN_RATE) {
            ring_init(&watch->burn_long, spec->long_ns, scenario);
            ring_init(&watch->burn_short, spec->short_ns, scenario);
        }
        for (size_t s = 0; s < spec->stage_count; s++) {
            watch->reached_ns[s] = -1;
            watch_init(&watch->stages[s], &spec->stages[s].when, scenario);
        }
    }
    return alerts;
}

void alerts_free(struct alerts *alerts)
{
    for (size_t i = 0; i < alerts->count; i++) {
        ring_fini(&alerts->of[i].burn_long);
        ring_fini(&alerts->of[i].burn_short);
        for (size_t s = 0; s < CONDITIONS_MAX && alerts->of[i].stages[s].condition; s++)
            watch_fini(&alerts->of[i].stages[s]);
    }
    free(alerts->of);
    free(alerts);
}

/* ---- figures ---- */

static double stream_sum(const struct world *world, int stream, bool failed)
{
    double sum = 0;
    for (int i = 0; i < (int)world->scenario->stream_count; i++) {
        const struct stream_stats *stats = &world->stats.streams[i];
        if (stream == PROBE_ALL_STREAMS || stream == i)
            sum += (double)(failed ? stats->ended_failed : stats->ended);
    }
    return sum;
}

static double pool_figure(const struct world *world, const struct probe *probe)
{
    double sum = 0;
    for (size_t a = 0; a < world->actor_count; a++)
        for (size_t i = 0; i < world->actors[a].pool_count; i++) {
            const struct pool *pool = &world->actors[a].pools[i].pool;
            if (strcmp(pool->name, probe->pool) != 0)
                continue;
            if (probe->kind == PROBE_POOL_WAITERS)
                sum += pool->waiters_peak;
            else
                sum += probe->kind == PROBE_POOL_USED ? pool_active(pool) : (double)pool->stats->timeouts;
        }
    return sum;
}

static double figure(const struct world *world, const struct probe *probe)
{
    switch (probe->kind) {
    case PROBE_REQUESTS:
        return stream_sum(world, probe->index, false);
    case PROBE_ERRORS:
        return stream_sum(world, probe->index, true);
    case PROBE_POOL_WAITERS:
    case PROBE_POOL_USED:
    case PROBE_POOL_TIMEOUTS:
        return pool_figure(world, probe);
    case PROBE_LOGS:
        return (double)world->stats.logs[probe->index];
    case PROBE_TRACE_DEPTH:
        return world->stats.max_depth;
    case PROBE_TRACE_SPANS:
        return (double)world->stats.spans;
    case PROBE_ORDERS:
        return (double)world->stats.business.count[BUSINESS_ORDER];
    case PROBE_REVENUE:
        return (double)world->stats.business.revenue_cents / 100;
    default:
        ASSERT(!"the loader refuses alerts on it");
        return 0;
    }
}

static bool is_gauge(enum probe_kind kind)
{
    return kind == PROBE_POOL_WAITERS || kind == PROBE_POOL_USED || kind == PROBE_TRACE_DEPTH;
}

static double watched(const struct world *world, struct watch *watch)
{
    const struct condition *condition = watch->condition;
    bool of_requests = !condition->per.name && condition->series.kind == PROBE_ERRORS;
    bool ratio = condition->per.name || of_requests;
    double top = figure(world, &condition->series), bottom = 0;
    if (of_requests)
        bottom = stream_sum(world, condition->series.index, false);
    else if (ratio)
        bottom = figure(world, &condition->per);
    ring_put(&watch->ring, top, bottom);
    if (is_gauge(condition->series.kind))
        return ring_max(&watch->ring);
    if (condition->over_ns)
        ring_growth(&watch->ring, &top, &bottom);
    if (!ratio)
        return top;
    return bottom > 0 ? top / bottom : 0;
}

/* Every child is judged, so that each keeps its samples. */
static bool judge_condition(const struct world *world, struct watch *watch, int64_t now_ns)
{
    const struct condition *condition = watch->condition;
    size_t held = 0;
    bool true_now;
    for (size_t i = 0; i < condition->child_count; i++)
        held += judge_condition(world, &watch->children[i], now_ns);
    switch (condition->kind) {
    case CONDITION_ALL:
        true_now = held == condition->child_count;
        break;
    case CONDITION_ANY:
        true_now = held > 0;
        break;
    case CONDITION_NOT:
        true_now = held == 0;
        break;
    default: {
        double value = watched(world, watch);
        true_now = condition->below ? value < condition->bound : value > condition->bound;
    }
    }
    if (!true_now)
        watch->true_since_ns = NEVER;
    else if (watch->true_since_ns == NEVER)
        watch->true_since_ns = now_ns;
    return true_now && now_ns - watch->true_since_ns >= condition->for_ns;
}

static bool judge_flow(const struct world *world, const struct alert_spec *spec, struct alert_watch *watch,
                       int64_t now_ns)
{
    bool fires = false;
    for (size_t s = 0; s < spec->stage_count; s++) {
        bool level = judge_condition(world, &watch->stages[s], now_ns);
        bool in_frame = s == 0 || (watch->reached_ns[s - 1] >= 0 &&
                                   now_ns - watch->reached_ns[s - 1] <= spec->stages[s].within_ns);
        fires = level && in_frame;
        if (fires)
            watch->reached_ns[s] = now_ns;
    }
    return fires;
}

static bool burns(struct ring *ring, double failed, double ended, double limit)
{
    double top, bottom;
    ring_put(ring, failed, ended);
    ring_growth(ring, &top, &bottom);
    return bottom > 0 && top / bottom > limit;
}

static bool judge_burn_rate(const struct world *world, const struct alert_spec *spec,
                            struct alert_watch *watch)
{
    double failed = stream_sum(world, spec->stream, true), ended = stream_sum(world, spec->stream, false);
    double limit = spec->factor * (1 - spec->objective);
    bool over_long = burns(&watch->burn_long, failed, ended, limit);
    bool over_short = burns(&watch->burn_short, failed, ended, limit);
    return over_long && over_short;
}

void alerts_judge(struct world *world, int64_t now_ns)
{
    for (size_t i = 0; i < world->alerts->count; i++) {
        const struct alert_spec *spec = &world->scenario->alerts[i];
        struct alert_watch *watch = &world->alerts->of[i];
        struct alert_stats *stats = &world->stats.alerts[i];
        bool firing = spec->kind == ALERT_BURN_RATE ? judge_burn_rate(world, spec, watch)
                                                    : judge_flow(world, spec, watch, now_ns);
        if (firing && !stats->fired) {
            stats->fired = true;
            stats->fired_at_ns = world_timeline(world, now_ns);
        }
        if (watch->firing && !firing)
            stats->resolved_at_ns = world_timeline(world, now_ns);
        if (firing)
            stats->resolved_at_ns = NEVER;
        watch->firing = firing;
    }
    for (size_t a = 0; a < world->actor_count; a++)
        for (size_t i = 0; i < world->actors[a].pool_count; i++) {
            struct pool *pool = &world->actors[a].pools[i].pool;
            pool->waiters_peak = pool->waiters;
        }
}
