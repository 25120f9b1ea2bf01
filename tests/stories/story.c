#include "tests/stories/story.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "edges/registry.h"
#include "edges/scenario_load.h"

bool story_long(void)
{
    const char *wish = getenv("DOORBUSTER_LONG");
    return wish && strcmp(wish, "1") == 0;
}

const char *story_path(const char *file)
{
    static char path[PATH_MAX];
    const char *root = getenv("DOORBUSTER_SOURCE");
    snprintf(path, sizeof path, "%s/%s", root ? root : ".", file);
    return path;
}

struct story story_open(const char *file, uint64_t seed, const struct sink *sink, const char *const *settings)
{
    static const char *const none[] = {NULL};
    size_t count = 0;
    struct text errors = {0};
    settings = settings ? settings : none;
    while (settings[count])
        count++;
    struct story story = {.scenario = scenario_load(story_path(file), &registry, settings, count, &errors)};
    if (!story.scenario)
        fail_msg("%s", text_c(&errors));
    text_fini(&errors);
    struct world_options options = {.scenario = story.scenario, .registry = &registry, .seed = seed};
    if (sink)
        options.sink = *sink;
    story.world = world_new(&options);
    story.stats = world_stats(story.world);
    return story;
}

void story_run(struct story *story)
{
    for (int64_t next_ns; (next_ns = world_next_at(story->world)) != NEVER;)
        world_turn(story->world, next_ns, UINT_MAX);
    world_finish(story->world);
}

struct story story_play(const char *file, uint64_t seed, const struct sink *sink, const char *const *settings)
{
    struct story story = story_open(file, seed, sink, settings);
    story_run(&story);
    return story;
}

void story_end(struct story *story)
{
    world_free(story->world);
    scenario_free(story->scenario);
    *story = (struct story){0};
}

static size_t stream_index(const struct story *story, const char *stream)
{
    int index = scenario_stream(story->scenario, stream);
    assert_true(index >= 0);
    return (size_t)index;
}

const struct stream_stats *story_stream(const struct story *story, const char *stream)
{
    return &story->stats->streams[stream_index(story, stream)];
}

const struct window *story_point(const struct story *story, const char *stream, int minute)
{
    size_t index = stream_index(story, stream);
    const struct window *window =
        stream_point(&story->stats->streams[index], &story->scenario->streams[index], minute * NS_PER_MIN);
    assert_non_null(window);
    assert_true(window->requests > 0);
    return window;
}

const struct window *story_minute(const struct story *story, const char *stream, size_t minute)
{
    const struct stream_stats *stats = story_stream(story, stream);
    assert_true(minute < stats->minute_count);
    return &stats->minutes[minute];
}

double window_error_percent(const struct window *window)
{
    return window->requests ? 100.0 * (double)window->errors / (double)window->requests : 0;
}

double window_p95_ms(const struct window *window)
{
    return histogram_quantile(&window->latency, 0.95) * 1000;
}

int story_outside(double value, double low, double high, const char *format, ...)
{
    if (value >= low && value <= high)
        return 0;
    char what[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    print_error("%s: expected %g to %g, found %g\n", what, low, high, value);
    return 1;
}
