/*
 * demo_env: the environment variables of the demo's ancestors, as changes to the scenario and its clock.
 *
 * What belongs into the scenario becomes a setting, as of --set, put before the user's own: flags win over the
 * environment, the environment over the file. A variable that is set and empty is not set. One that cannot be
 * read, or has nothing to act on in this scenario, is an error: nothing is ignored in silence.
 *
 *     DEMO_MODE               off: only the baseline flows until POST /admin/start-demo; blackfriday: at once
 *     DEMO_START_TIMESTAMP    unix seconds: the past enters the timeline there, the future waits for it
 *     DEMO_START_TIME         HH:MM of today, or of yesterday when that is to come
 *     DEMO_DURATION_MINUTES   duration
 *     BASELINE_ENABLED        false: no baseline streams
 *     BASELINE_RPM            rate of the stream `baseline`
 *     DEMO_BASE_RPM, DEMO_PEAK_RPM    lowest and highest rate of the stream `demo`: its curve between them
 *     DB_MAX_CONNECTIONS      max of the pool `recommendations`
 */
#ifndef EDGES_DEMO_ENV_H
#define EDGES_DEMO_ENV_H

#include "core/scenario.h"
#include "core/text.h"

enum { DEMO_SETTINGS_MAX = 8 };

struct demo_env {
    char settings[DEMO_SETTINGS_MAX][96];
    size_t setting_count;
    bool waits; /* DEMO_MODE=off */
    bool no_baseline;
    double base_rpm, peak_rpm; /* negative: not set */
    int64_t start_unix_s; /* -1: now */
};

/* Reads them with `get` (getenv). False: explained in `error`. */
bool demo_env_read(struct demo_env *env, const char *(*get)(const char *name), int64_t now_unix_s,
                   struct text *error);

/* Fits the streams of a scenario that was loaded with the settings. False: explained. */
bool demo_env_apply(const struct demo_env *env, struct scenario *scenario, struct text *error);

#endif
