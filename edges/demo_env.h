/*
 * demo_env: the environment variables of the demo's ancestors, as changes to the scenario and its clock.
 *
 * What belongs into the scenario changes it after it has been loaded: the environment wins over the file, and flags
 * (what --set has set) over the environment. A variable that is set and empty is not set. One that cannot be
 * read, or has nothing to act on in this scenario, is an error: nothing is ignored in silence.
 *
 *     DEMO_MODE               off: only the baseline flows until POST /admin/start-demo; blackfriday: at once
 *     DEMO_START_TIMESTAMP    unix seconds: the past enters the timeline there, the future waits for it
 *     DEMO_START_TIME         HH:MM of today, or of yesterday when that is to come
 *     DEMO_DURATION_MINUTES   shorter than the scenario: the run ends there; longer: its duration
 *     BASELINE_ENABLED        false: no baseline streams
 *     BASELINE_RPM            rate of the stream `baseline`
 *     BASELINE_ENDPOINT, DEMO_ENDPOINT    what the streams `baseline` and `demo` ask: a path such as /api/browse
 *     DEMO_BASE_RPM, DEMO_PEAK_RPM    lowest and highest rate of the stream `demo`: its curve between them
 *     DB_MAX_CONNECTIONS      max of the pool `recommendations` where the scenario sets it, else of all pools it sets
 *     FRONTEND_URL, CART_URL, PRODUCT_CATALOG_URL, PAYMENT_SERVICE_URL, CHECKOUT_URL, CURRENCY_URL, SHIPPING_URL,
 *     AD_URL, RECOMMENDATION_URL    where a service is (edges/placement.h): nothing where all are; see demo_env_idle
 */
#ifndef EDGES_DEMO_ENV_H
#define EDGES_DEMO_ENV_H

#include "core/actor.h"
#include "core/text.h"

struct demo_env {
    bool waits; /* DEMO_MODE=off */
    bool no_baseline;
    double base_rpm, peak_rpm; /* of the demo; negative: not set */
    int64_t start_unix_s; /* -1: now */
    int64_t duration_ns, baseline_rpm, connections; /* -1: not set */
    const char *baseline_journey, *demo_journey; /* of the load generator; NULL: not set */
};

/* Settings that the user gave, which the environment does not override. */
struct demo_flags {
    const char *const *settings;
    size_t count;
};

/* Reads them with `get` (getenv). False: explained in `error`. */
bool demo_env_read(struct demo_env *env, const char *(*get)(const char *name), int64_t now_unix_s,
                   struct text *error);

/* Fits a scenario, which was loaded with the flags. False: explained. */
bool demo_env_apply(const struct demo_env *env, struct scenario *scenario, const struct registry *registry,
                    const struct demo_flags *flags, struct text *error);

/* Where the run's timeline ends. */
int64_t demo_env_duration(const struct demo_env *env, const struct scenario *scenario,
                          const struct demo_flags *flags);

/* The variables of edges/placement.h that are set, and mean nothing where all services are, as "FRONTEND_URL, CART_URL"; empty: none. */
void demo_env_idle(const char *(*get)(const char *name), struct text *names);

#endif
