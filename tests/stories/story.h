/*
 * story: a scenario played from start to end in virtual time, inside the test, and what came of it.
 *
 * Files are named from the project's root (DOORBUSTER_SOURCE, or where the test runs). Settings are --set
 * arguments, a list that ends with NULL. A scenario that does not load fails the test with the loader's own
 * words. Owner: the test; story_end gives everything back.
 */
#ifndef TESTS_STORIES_STORY_H
#define TESTS_STORIES_STORY_H

#include "core/world.h"

#define FLAGSHIP "scenarios/black-friday-v5.yaml"
#define SETTINGS(...) ((const char *const[]){__VA_ARGS__, NULL})

struct story {
    struct scenario *scenario;
    struct world *world;
    const struct run_stats *stats;
};

/* Whether the long form of a suite is asked for: DOORBUSTER_LONG=1. */
bool story_long(void);
/* A file of the project, where it is now. The text is valid until the next call. */
const char *story_path(const char *file);

/* `sink` may be NULL; its owner is given as it is. */
struct story story_play(const char *file, uint64_t seed, const struct sink *sink,
                        const char *const *settings);
/* The same in two halves, for a test that has to look at the world before it runs. */
struct story story_open(const char *file, uint64_t seed, const struct sink *sink,
                        const char *const *settings);
void story_run(struct story *story);
void story_end(struct story *story);

/* The 60 s around a minute that the report's table shows, and one minute of the timeline. */
const struct window *story_point(const struct story *story, const char *stream, int minute);
const struct window *story_minute(const struct story *story, const char *stream, size_t minute);
const struct stream_stats *story_stream(const struct story *story, const char *stream);

double window_error_percent(const struct window *window);
double window_p95_ms(const struct window *window);

/* Says what was expected and found, and gives 1, unless low <= value <= high: tests add these up. */
int story_outside(double value, double low, double high, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
