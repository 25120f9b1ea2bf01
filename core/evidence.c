/*
 * evidence: proves that a fault landed, by what was met from it on until the next fault on the same matter.
 *
 * Faults on pools, services and their statements are told here; the database and the script tell their own.
 */
#include "core/parts.h"

#include "core/text.h"

static bool of_pool(enum fault_kind kind)
{
    return kind >= FAULT_POOL_MAX && kind <= FAULT_HOLD_CONNECTIONS;
}

struct pool *fault_pool(struct world *world, const char *name, size_t nth)
{
    for (size_t a = 0; a < world->actor_count; a++)
        for (size_t i = 0; i < world->actors[a].pool_count; i++)
            if (strcmp(world->actors[a].pools[i].pool.name, name) == 0 && nth-- == 0)
                return &world->actors[a].pools[i].pool;
    return NULL;
}

/* The one that most ask, of several pools of that name. */
static struct pool *busiest_pool(struct world *world, const char *name)
{
    struct pool *pool, *busiest = fault_pool(world, name, 0);
    for (size_t nth = 1; (pool = fault_pool(world, name, nth)); nth++)
        if (pool->stats->acquired > busiest->stats->acquired)
            busiest = pool;
    return busiest;
}

static struct fault_tally tally_pools(struct world *world, const char *name)
{
    struct fault_tally tally = {0};
    const struct pool *pool;
    for (size_t nth = 0; (pool = fault_pool(world, name, nth)); nth++) {
        const struct pool_stats *stats = pool->stats;
        tally.met += stats->acquired + stats->timeouts + stats->refused + stats->given_up;
        tally.failed += stats->timeouts;
        tally.given_up += stats->given_up;
    }
    return tally;
}

static struct fault_tally tally_calls(const struct world *world, const char *service)
{
    struct fault_tally tally = {0};
    for (size_t i = 0; i < world->stats.edge_count; i++) {
        const struct edge_stats *edge = &world->stats.edges[i];
        if (strcmp(edge->to, service))
            continue;
        tally.met += edge->calls;
        tally.failed += edge->errors;
        tally.answers_s += edge->latency.sum;
    }
    return tally;
}

static struct fault_tally tally_of(struct world *world, const struct fault_spec *fault)
{
    if (of_pool(fault->kind))
        return tally_pools(world, fault->target);
    if (fault->kind == FAULT_QUERY_DELAY) {
        const struct actor *actor = bind_actor(world, fault->target);
        return (struct fault_tally){.met = fault->value > 0 ? actor->queries_delayed : actor->queries};
    }
    if (fault->kind >= FAULT_SERVICE_DOWN && fault->kind <= FAULT_SERVICE_SLOW)
        return tally_calls(world, fault->target);
    return (struct fault_tally){0};
}

static struct fault_tally since(struct world *world, const struct fault_stats *fault)
{
    struct fault_tally now = tally_of(world, &fault->spec);
    return (struct fault_tally){.met = now.met - fault->before.met,
                                .failed = now.failed - fault->before.failed,
                                .given_up = now.given_up - fault->before.given_up,
                                .answers_s = now.answers_s - fault->before.answers_s};
}

/* ---- in words ---- */

/* What it set, where it was the pools' size, and what became of those who asked. */
static void tell_pools(struct world *world, const struct fault_stats *stats, const struct fault_tally *tally,
                       struct text *evidence)
{
    const struct fault_spec *fault = &stats->spec;
    const struct pool *pool = busiest_pool(world, fault->target);
    bool held = fault->kind == FAULT_HOLD_CONNECTIONS;
    size_t place = (size_t)(fault->kind - FAULT_POOL_MAX);
    text_str(evidence, "pool ");
    text_str(evidence, pool->name);
    text_str(evidence, held ? ": " : ": max ");
    if ((held && fault->value < 1) || fault->kind == FAULT_POOL_MAX) {
        text_i64(evidence, (int64_t)stats->was);
        text_str(evidence, held ? " given back" : " -> ");
    }
    if (!held || fault->value >= 1)
        text_i64(evidence, held ? pool->held : pool->max);
    if (held && fault->value >= 1) {
        text_str(evidence, " of ");
        text_i64(evidence, pool->max);
        text_str(evidence, " held");
    }
    text_str(evidence, ", most in use ");
    text_i64(evidence, MAX(pool->fault_peaks[place], pool->away.fault_peaks[place]));
    text_str(evidence, ", ");
    text_count(evidence, tally->failed);
    text_str(evidence, " time-outs after ");
    text_duration(evidence, pool->acquire_timeout_ns);
    if (tally->given_up) {
        text_str(evidence, ", ");
        text_count(evidence, tally->given_up);
        text_str(evidence, " gave up");
    }
}

static void tell_service(const struct fault_spec *fault, const struct fault_tally *tally,
                         struct text *evidence)
{
    text_count(evidence, tally->failed);
    text_str(evidence, " of ");
    text_count(evidence, tally->met);
    text_str(evidence, " calls to ");
    text_str(evidence, fault->target);
    text_str(evidence, " failed");
    if (fault->kind != FAULT_SERVICE_SLOW || !tally->met)
        return;
    text_str(evidence, "; they took ");
    text_fixed(evidence, tally->answers_s / (double)tally->met * 1000, 0);
    text_str(evidence, " ms on average");
}

static void tell_delay(const struct fault_spec *fault, uint64_t statements, struct text *evidence)
{
    text_count(evidence, statements);
    text_str(evidence, " statements of ");
    text_str(evidence, fault->target);
    if (fault->value > 0) {
        text_str(evidence, " held their connection for ");
        text_duration(evidence, (int64_t)fault->value);
        text_str(evidence, " more");
    } else {
        text_str(evidence, " were asked without delay");
    }
}

/* Who stands in line has met the pool as well. */
static uint64_t waiting(struct world *world, const char *name)
{
    uint64_t count = 0;
    const struct pool *pool;
    for (size_t nth = 0; (pool = fault_pool(world, name, nth)); nth++)
        count += pool->waiters + pool->away.waiters;
    return count;
}

static bool tell(struct world *world, const struct fault_stats *stats, struct text *evidence)
{
    const struct fault_spec *fault = &stats->spec;
    struct fault_tally tally = since(world, stats);
    if (of_pool(fault->kind))
        tell_pools(world, stats, &tally, evidence);
    else if (fault->kind == FAULT_QUERY_DELAY)
        tell_delay(fault, tally.met, evidence);
    else
        tell_service(fault, &tally, evidence);
    if (of_pool(fault->kind))
        tally.met += waiting(world, fault->target);
    return fault->kind == FAULT_SERVICE_DOWN ? tally.failed > 0 : tally.met > 0;
}

/* ---- when ---- */

static bool is_told_here(const struct fault_spec *fault)
{
    return of_pool(fault->kind) || (fault->kind >= FAULT_SERVICE_DOWN && fault->kind <= FAULT_QUERY_DELAY);
}

static bool is_scripted(const struct fault_spec *fault)
{
    return fault->kind >= FAULT_ROUTE_DELAY && fault->kind <= FAULT_MESSAGE_LOSS;
}

bool evidence_is_stores(const struct fault_spec *fault)
{
    return !is_told_here(fault) && !is_scripted(fault);
}

void evidence_judge(struct world *world, struct fault_stats *stats)
{
    const struct fault_spec *fault = &stats->spec;
    struct text evidence = {0};
    if (stats->told)
        return;
    if (!stats->applied) {
        text_str(&evidence, "never applied: the run ended before it, or nothing answers to it");
    } else if (is_told_here(fault)) {
        stats->landed = tell(world, stats, &evidence);
    } else if (is_scripted(fault)) {
        stats->landed = script_landed(stats, &evidence);
    } else {
        struct actor *store = world->postgresql;
        stats->landed = store && !store->away && store->kind->landed(store, fault, &evidence);
    }
    size_t len = MIN(evidence.len, sizeof stats->evidence - 1);
    if (len)
        memcpy(stats->evidence, evidence.bytes, len);
    stats->evidence[len] = '\0';
    text_fini(&evidence);
}

/* A service is up or down: the one ends the other. */
static bool same_matter(const struct fault_spec *a, const struct fault_spec *b)
{
    bool up_or_down = a->kind + b->kind == FAULT_SERVICE_DOWN + FAULT_SERVICE_UP &&
                      MAX(a->kind, b->kind) == MAX(FAULT_SERVICE_DOWN, FAULT_SERVICE_UP);
    return (a->kind == b->kind || up_or_down) && !strcmp(a->target, b->target);
}

static void start_peaks(struct pool *pool, enum fault_kind kind)
{
    size_t place = (size_t)(kind - FAULT_POOL_MAX);
    pool->fault_peaks[place] = pool_active(pool);
    pool->away.fault_peaks[place] = pool->held + pool->away.used;
}

void evidence_begin(struct world *world, size_t index)
{
    struct fault_stats *stats = &world->stats.faults[index];
    const struct fault_spec *fault = &stats->spec;
    struct pool *pool;
    stats->over = stats->landed = stats->told = false;
    if (!is_told_here(fault))
        return;
    for (size_t i = 0; i < world->stats.fault_count; i++) {
        struct fault_stats *other = &world->stats.faults[i];
        if (i == index || !other->applied || other->over || !is_told_here(&other->spec) ||
            !same_matter(&other->spec, fault))
            continue;
        evidence_judge(world, other);
        other->over = true;
    }
    stats->before = tally_of(world, fault);
    if (!of_pool(fault->kind))
        return;
    if (world->gather)
        gather_keep_peaks(world->gather);
    pool = busiest_pool(world, fault->target);
    stats->was = fault->kind == FAULT_HOLD_CONNECTIONS ? pool->held : pool->max;
    for (size_t nth = 0; (pool = fault_pool(world, fault->target, nth)); nth++)
        start_peaks(pool, fault->kind);
}

void faults_judge(struct world *world)
{
    for (size_t i = 0; i < world->stats.fault_count; i++) {
        struct fault_stats *stats = &world->stats.faults[i];
        stats->judged = stats->applied || stats->spec.at_ns <= world_timeline(world, world->now_ns);
        if (!stats->over)
            evidence_judge(world, stats);
    }
}
