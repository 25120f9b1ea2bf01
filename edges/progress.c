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

/* The newest minute that is over: in it most requests have ended. */
static void stream_part(struct text *line, const struct paint *paint, const struct stream_spec *spec,
                        const struct stream_stats *stats, int64_t now_ns)
{
    size_t minute = (size_t)(MAX(now_ns - NS_PER_MIN, 0) / NS_PER_MIN);
    if (minute >= stats->minute_count)
        return;
    const struct window *window = &stats->minutes[minute];
    double errors = figure_share(window->errors, window->requests);
    struct text share = {0};
    text_lit(line, "   ");
    paint_plain(line, paint, spec->name);
    text_char(line, ' ');
    text_count(line, window->requests);
    text_lit(line, "/min, ");
    figure_ratio(&share, errors);
    text_lit(&share, " errors");
    paint_hue(line, paint, window->requests ? paint_error_hue(errors) : HUE_NONE, text_c(&share));
    text_fini(&share);
}

void progress_line(struct text *line, const struct paint *paint, const struct scenario *scenario,
                   const struct run_stats *stats, int64_t now_ns)
{
    text_clock(line, MIN(now_ns, scenario->duration_ns));
    text_lit(line, " of ");
    text_clock(line, scenario->duration_ns);
    if (scenario->phase_count) {
        text_lit(line, ", ");
        paint_plain(line, paint, scenario->phases[scenario_phase(scenario, now_ns)].name);
    }
    for (size_t i = 0; i < scenario->stream_count; i++)
        stream_part(line, paint, &scenario->streams[i], &stats->streams[i], now_ns);
}

void progress_show(struct progress *progress, const struct world *world)
{
    int64_t now_ns = wall_ns();
    if (now_ns < progress->next_ns)
        return;
    progress->next_ns = now_ns + PROGRESS_EVERY_MS * NS_PER_MS;
    progress->shown = true;
    progress->line.len = 0;
    progress_line(&progress->line, &progress->paint, progress->scenario, world_stats(world),
                  world_now(world));
    /* Without wrapping, so that a narrow terminal cuts the line. */
    fputs("\r\x1b[?7l", stderr);
    fwrite(progress->line.bytes, 1, progress->line.len, stderr);
    fputs("\x1b[K\x1b[?7h", stderr);
}
