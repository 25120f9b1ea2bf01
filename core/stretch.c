/* stretch: what an expectation's series did between two instants of the timeline, as seen at the samples. A
   stretch begins and ends with the first sample at or behind its instants. */
#include "core/parts.h"
#include "core/probe.h"

#include <stdlib.h>

struct stretches {
    struct stretch of[EXPECTS_MAX];
};

/* Levels are followed over the whole run too: not all of them have a peak that somebody counts. */
static bool is_followed(const struct expect_spec *expect)
{
    if (expect_of_alert(expect) || probe_of_stream(expect->series.kind))
        return false;
    return expect->when == EXPECT_WINDOW || probe_type(expect->series.kind)->nature == PROBE_LEVEL;
}

static void begin(const struct world *world, const struct probe *series, struct stretch *stretch)
{
    stretch->begun = true;
    if (probe_type(series->kind)->nature == PROBE_DISTRIBUTION) {
        stretch->spread = base_alloc(1, sizeof *stretch->spread);
        figure_spread(world, series, stretch->spread);
        return;
    }
    stretch->top = stretch->low = stretch->high = figure_now(world, series);
    stretch->bottom = figure_base(world, series);
}

static void end(const struct world *world, const struct probe *series, struct stretch *stretch)
{
    stretch->ended = true;
    if (!stretch->spread) {
        stretch->top = figure_now(world, series) - stretch->top;
        stretch->bottom = figure_base(world, series) - stretch->bottom;
        return;
    }
    struct histogram now = {0}, since;
    figure_spread(world, series, &now);
    histogram_since(&since, &now, stretch->spread);
    *stretch->spread = since;
}

void stretches_sample(struct world *world)
{
    int64_t now_ns = world_timeline(world, world->now_ns);
    for (size_t i = 0; i < world->scenario->expect_count; i++) {
        const struct expect_spec *expect = &world->scenario->expects[i];
        struct stretch *stretch = &world->stretches->of[i];
        if (!is_followed(expect) || stretch->ended || now_ns < expect->at_ns)
            continue;
        if (!stretch->begun)
            begin(world, &expect->series, stretch);
        if (!stretch->spread) {
            double value = figure_now(world, &expect->series);
            stretch->low = MIN(stretch->low, value);
            stretch->high = MAX(stretch->high, value);
        }
        if (expect->when == EXPECT_WINDOW && now_ns >= expect->until_ns)
            end(world, &expect->series, stretch);
    }
}

void stretches_free(struct world *world)
{
    for (size_t i = 0; world->stretches && i < EXPECTS_MAX; i++)
        free(world->stretches->of[i].spread);
    free(world->stretches);
}

void stretches_start(struct world *world)
{
    stretches_free(world);
    world->stretches = base_alloc(1, sizeof *world->stretches);
    stretches_sample(world);
}

const struct stretch *stretch_of(const struct world *world, size_t expect)
{
    return &world->stretches->of[expect];
}
