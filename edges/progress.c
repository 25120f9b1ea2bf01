#include "edges/progress.h"

#include "edges/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

void progress_open(struct progress *progress, const struct scenario *scenario, bool quiet)
{
    const char *term = getenv("TERM");
    *progress = (struct progress){.scenario = scenario, .paint = paint_for(STDERR_FILENO)};
    progress->wanted = !quiet && isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
    progress->next_ns = wall_ns() + PROGRESS_AFTER_MS * NS_PER_MS;
}

void progress_close(struct progress *progress)
{
    if (progress->shown)
        fputs("\r\x1b[K", stderr);
    text_fini(&progress->line);
}

static void stream_part(struct text *line, const struct paint *paint, const char *name, uint64_t requests,
                        uint64_t failed, const char *unit)
{
    double errors = figure_share(failed, requests);
    struct text share = {0};
    text_lit(line, "   ");
    paint_plain(line, paint, name);
    text_char(line, ' ');
    text_count(line, requests);
    text_str(line, unit);
    text_lit(line, ", ");
    figure_ratio(&share, errors);
    text_lit(&share, " errors");
    paint_hue(line, paint, requests ? paint_error_hue(errors) : HUE_NONE, text_c(&share));
    text_fini(&share);
}

/* The newest minute that is over, as most of its requests have ended; the one under way where nothing was before. */
static size_t minute_shown(const struct progress *progress, const struct run_stats *stats)
{
    size_t now = (size_t)(progress->on_timeline_ns / NS_PER_MIN), before = now ? now - 1 : 0;
    for (size_t i = 0; i < progress->scenario->stream_count; i++)
        if (before < stats->streams[i].minute_count && stats->streams[i].seen[before].requests)
            return before;
    return now;
}

static void minute_part(struct text *line, const struct paint *paint, const struct stream_spec *spec,
                        const struct stream_stats *stats, size_t minute)
{
    if (minute < stats->minute_count)
        stream_part(line, paint, spec->name, stats->seen[minute].requests, stats->seen[minute].errors,
                    "/min");
}

static void waiting_line(struct text *line, const struct paint *paint, const struct scenario *scenario,
                         const struct run_stats *stats)
{
    text_lit(line, "the demo waits for its start");
    for (size_t i = 0; i < scenario->stream_count; i++)
        if (!scenario->streams[i].demo)
            stream_part(line, paint, scenario->streams[i].name, stats->streams[i].ended,
                        stats->streams[i].ended_failed, " requests");
}

void progress_line(struct text *line, const struct progress *progress, const struct run_stats *stats)
{
    const struct scenario *scenario = progress->scenario;
    int64_t now_ns = progress->on_timeline_ns;
    if (now_ns < 0) {
        waiting_line(line, &progress->paint, scenario, stats);
        return;
    }
    text_clock(line, MIN(now_ns, progress->duration_ns));
    text_lit(line, " of ");
    text_clock(line, progress->duration_ns);
    if (scenario->phase_count) {
        text_lit(line, ", ");
        paint_plain(line, &progress->paint, scenario->phases[scenario_phase(scenario, now_ns)].name);
    }
    for (size_t i = 0; i < scenario->stream_count; i++)
        minute_part(line, &progress->paint, &scenario->streams[i], &stats->streams[i],
                    minute_shown(progress, stats));
}

void progress_show(struct progress *progress, const struct world *world)
{
    int64_t now_ns = wall_ns();
    if (now_ns < progress->next_ns)
        return;
    progress->next_ns = now_ns + PROGRESS_EVERY_MS * NS_PER_MS;
    progress->shown = true;
    progress->line.len = 0;
    progress->on_timeline_ns = world_demo_at(world);
    progress->duration_ns = world_duration(world);
    progress_line(&progress->line, progress, world_stats(world));
    /* Without wrapping, so that a narrow terminal cuts the line. */
    fputs("\r\x1b[?7l", stderr);
    fwrite(progress->line.bytes, 1, progress->line.len, stderr);
    fputs("\x1b[K\x1b[?7h", stderr);
}
