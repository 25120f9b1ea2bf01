/*
 * world: everything that runs, and the seam to whoever drives it.
 *
 * Time is an argument. A driver asks when the world next wants to run and runs it; whether the instants
 * it passes come from a clock or from world_next_at itself, the world cannot tell.
 *
 *     while ((next = world_next_at(world)) != NEVER)
 *         world_turn(world, next, UINT_MAX);
 *
 * One thread. Events run in the order of (due instant, arming); messages of an instant run before the
 * next timer. Spans, logs and metrics leave through the sink, to be read during the call.
 */
#ifndef CORE_WORLD_H
#define CORE_WORLD_H

#include "core/actor.h"
#include "core/metrics.h"
#include "core/stats.h"

struct world;

struct sink {
    void *owner;
    void (*span)(void *owner, const struct span *span);
    void (*log)(void *owner, const struct log_record *record);
    /* Every METRICS_EVERY_NS of the timeline and once at the end. */
    void (*metrics)(void *owner, const struct metrics *metrics, int64_t at_ns);
};

#define WORLD_SAMPLE_NS (15 * NS_PER_S) /* alerts are judged, metrics exported */

struct world_options {
    const struct scenario *scenario;
    const struct registry *registry;
    uint64_t seed;
    struct sink sink; /* any function may be NULL */
};

struct world *world_new(const struct world_options *options);
void world_free(struct world *world);

int64_t world_next_at(const struct world *world);
unsigned world_turn(struct world *world, int64_t now_ns, unsigned max_events);

/* Ends traffic accounting: judges faults and expectations. Once, when nothing is left to run. */
void world_finish(struct world *world);

int64_t world_now(const struct world *world);
uint64_t world_seed(const struct world *world);
const struct run_stats *world_stats(const struct world *world);
const struct metrics *world_metrics(const struct world *world);

/* Services of this world, in the order of their indexes (span_site.service, series.service). */
size_t world_service_count(const struct world *world);
const struct actor_kind *world_service(const struct world *world, size_t index);
/* Sites, by id. */
size_t world_site_count(const struct world *world);
const struct span_site *world_site(const struct world *world, size_t id);

#endif
