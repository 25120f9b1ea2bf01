/*
 * alert: judges the scenario's alerts on the run's own figures, every WORLD_SAMPLE_NS.
 *
 * A watch keeps the last samples of one condition. A flow's stages are levels: it fires at the first
 * instant t_n for which t_1 <= ... <= t_n exist, each stage true at its instant and within its frame of the
 * one before. The latest such instant of each stage is enough to know, for frames only end. Burn rate:
 * error ratio over both windows above factor x (1 - objective) (Google SRE workbook, chapter 5).
 *
 * Windows are clipped where the run begins, or reach on into its history (world_options.history_ns): healthy
 * traffic at the rates of the timeline's start. Of that only requests are known, and what stands still while
 * all is well; windows of other series are clipped all the same.
 */
#include "core/parts.h"
#include "core/probe.h"
#include "core/spread.h"

#include <stdlib.h>

/* Cumulative values at the samples of one window, newest at `at`. */
struct ring {
    double *top, *bottom;
    size_t length, filled, at;
};

struct watch {
    const struct condition *condition;
    struct ring ring;
    struct spread *spread; /* instead, of a distribution */
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

/* Values now, and what they grew by a second while all was well. */
struct start {
    double top, bottom, top_per_s, bottom_per_s;
    bool known; /* that the rates are */
};

/* No window reaches further back than the run and its history. */
static size_t samples_of(const struct world *world, int64_t over_ns)
{
    int64_t reach_ns = world->scenario->duration_ns + world->history_ns;
    return (size_t)(MIN(over_ns, reach_ns) / WORLD_SAMPLE_NS);
}

static void ring_init(struct ring *ring, const struct world *world, int64_t over_ns,
                      const struct start *start)
{
    ring->length = samples_of(world, over_ns) + 1;
    ring->top = base_alloc(ring->length, sizeof *ring->top);
    ring->bottom = base_alloc(ring->length, sizeof *ring->bottom);
    size_t back = start->known ? (size_t)(world->history_ns / WORLD_SAMPLE_NS) : 0;
    ring->filled = MIN(back + 1, ring->length);
    for (size_t i = 0; i < ring->filled; i++) {
        double ago_s = (double)i * (double)WORLD_SAMPLE_NS / (double)NS_PER_S;
        size_t at = (ring->length - i) % ring->length;
        ring->top[at] = start->top - ago_s * start->top_per_s;
        ring->bottom[at] = start->bottom - ago_s * start->bottom_per_s;
    }
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

static double requests_per_s(const struct world *world, int stream)
{
    double sum = 0;
    for (int i = 0; i < (int)world->scenario->stream_count; i++)
        if (stream == PROBE_ALL_STREAMS || stream == i)
            sum += stream_rate_per_min(&world->scenario->streams[i], 0) / 60;
    return sum;
}

static double healthy_per_s(const struct world *world, const struct probe *probe)
{
    return probe->kind == PROBE_REQUESTS ? requests_per_s(world, probe->index) : 0;
}

static bool is_ratio(const struct condition *condition)
{
    const struct probe_type *type = probe_type(condition->series.kind);
    return condition->per.name || (type->nature == PROBE_COUNTER && type->unit == PROBE_RATE);
}

static double bottom_now(const struct world *world, const struct condition *condition)
{
    return condition->per.name ? figure_now(world, &condition->per) : figure_base(world, &condition->series);
}

static struct start start_of(const struct world *world, const struct condition *condition)
{
    const struct probe *series = &condition->series, *per = &condition->per;
    bool known = probe_type(series->kind)->healthy && (!per->name || probe_type(per->kind)->healthy);
    double bottom_per_s = per->name ? healthy_per_s(world, per) : 0;
    if (!per->name && series->kind == PROBE_ERRORS)
        bottom_per_s = requests_per_s(world, series->index);
    return (struct start){
        .top = figure_now(world, series),
        .bottom = bottom_now(world, condition),
        .top_per_s = healthy_per_s(world, series),
        .bottom_per_s = bottom_per_s,
        .known = known,
    };
}

static bool is_spread(const struct condition *condition)
{
    return probe_type(condition->series.kind)->nature == PROBE_DISTRIBUTION;
}

static void watch_init(struct watch *watch, const struct world *world, const struct condition *condition)
{
    *watch = (struct watch){.condition = condition, .true_since_ns = NEVER};
    if (condition->kind == CONDITION_SERIES && is_spread(condition)) {
        struct histogram now = {0};
        figure_spread(world, &condition->series, &now);
        watch->spread = spread_new(samples_of(world, condition->over_ns), &now);
    } else if (condition->kind == CONDITION_SERIES) {
        struct start start = start_of(world, condition);
        ring_init(&watch->ring, world, condition->over_ns, &start);
    }
    watch->children = base_alloc(condition->child_count, sizeof *watch->children);
    for (size_t i = 0; i < condition->child_count; i++)
        watch_init(&watch->children[i], world, &condition->children[i]);
}

static void watch_fini(struct watch *watch)
{
    ring_fini(&watch->ring);
    spread_free(watch->spread);
    for (size_t i = 0; i < watch->condition->child_count; i++)
        watch_fini(&watch->children[i]);
    free(watch->children);
}

static struct probe errors_of(int stream)
{
    return (struct probe){.kind = PROBE_ERRORS, .index = stream};
}

static struct start burn_start(const struct world *world, int stream)
{
    struct condition errors = {.series = errors_of(stream)};
    return start_of(world, &errors);
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
            struct start start = burn_start(world, spec->stream);
            ring_init(&watch->burn_long, world, spec->long_ns, &start);
            ring_init(&watch->burn_short, world, spec->short_ns, &start);
        }
        for (size_t s = 0; s < spec->stage_count; s++) {
            watch->reached_ns[s] = -1;
            watch_init(&watch->stages[s], world, &spec->stages[s].when);
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

/* ---- judging ---- */

/* The condition's value over its window; false: there is none, for nothing happened in it. */
static bool watched(const struct world *world, struct watch *watch, double *value)
{
    const struct condition *condition = watch->condition;
    if (watch->spread) {
        struct histogram now = {0};
        figure_spread(world, &condition->series, &now);
        spread_put(watch->spread, &now);
        *value = histogram_quantile(spread_window(watch->spread), condition->quantile);
        return spread_window(watch->spread)->count > 0;
    }
    double top = figure_now(world, &condition->series), bottom = bottom_now(world, condition);
    ring_put(&watch->ring, top, bottom);
    if (probe_type(condition->series.kind)->nature == PROBE_LEVEL) {
        *value = ring_max(&watch->ring);
        return true;
    }
    if (condition->over_ns)
        ring_growth(&watch->ring, &top, &bottom);
    *value = top;
    if (is_ratio(condition))
        *value = bottom > 0 ? top / bottom : 0;
    return true;
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
        double value;
        true_now = watched(world, watch, &value) &&
                   (condition->below ? value < condition->bound : value > condition->bound);
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
    struct probe errors = errors_of(spec->stream);
    double failed = figure_now(world, &errors), ended = figure_base(world, &errors);
    double limit = spec->factor * (1 - spec->objective);
    bool over_long = burns(&watch->burn_long, failed, ended, limit);
    bool over_short = burns(&watch->burn_short, failed, ended, limit);
    return over_long && over_short;
}

/* Where it has just begun or ended to fire. */
static void turn(struct alert_stats *stats, bool firing, int64_t at_ns)
{
    if (firing) {
        if (!stats->fired)
            stats->fired_at_ns = at_ns;
        stats->fired = true;
        stats->resolved_at_ns = NEVER;
        if (stats->firings < ALERT_SPELLS_MAX)
            stats->spells[stats->firings] = (struct alert_spell){at_ns, NEVER};
        stats->firings++;
        return;
    }
    stats->resolved_at_ns = at_ns;
    if (stats->firings <= ALERT_SPELLS_MAX)
        stats->spells[stats->firings - 1].resolved_at_ns = at_ns;
}

/* Peaks are of the time from sample to sample. */
static void forget_peaks(struct world *world)
{
    uint32_t active = 0, delayed = world->delayed + world->delayed_away;
    if (world->gather)
        gather_keep_peaks(world->gather);
    for (size_t a = 0; a < world->actor_count; a++)
        for (size_t i = 0; i < world->actors[a].pool_count; i++) {
            struct pool *pool = &world->actors[a].pools[i].pool;
            pool->waiters_peak = pool->waiters;
            pool->away.waiters_peak = pool->away.waiters;
            active += (uint32_t)(pool->used + pool->away.used);
        }
    /* Who has a connection and is delayed by a fault: the database has not heard of it yet. */
    world->stats.stores.active_recent = active - MIN(delayed, active);
    world->stats.stores.connections_recent = (uint32_t)world->connections.active;
}

void alerts_judge(struct world *world, int64_t now_ns)
{
    /* What warms up is watched, so that windows know it, and told by nobody. */
    bool told = world->zero_ns == NEVER || world_counted(world, now_ns) >= 0;
    for (size_t i = 0; i < world->alerts->count; i++) {
        const struct alert_spec *spec = &world->scenario->alerts[i];
        struct alert_watch *watch = &world->alerts->of[i];
        bool firing = spec->kind == ALERT_BURN_RATE ? judge_burn_rate(world, spec, watch)
                                                    : judge_flow(world, spec, watch, now_ns);
        if (told && firing != watch->firing)
            turn(&world->stats.alerts[i], firing, world_timeline(world, now_ns));
        watch->firing = firing && told;
    }
    forget_peaks(world);
}
