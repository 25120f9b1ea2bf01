#include "edges/demo_env.h"

#include "edges/placement.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define UNIX_S_MAX (INT64_C(1) << 32) /* in 2106; its nanoseconds have room in 63 bits */

typedef bool read_fn(struct demo_env *env, const char *value, int64_t now_unix_s);

static bool whole_number(const char *value, int64_t low, int64_t high, int64_t *number)
{
    char *end;
    if (*value < '0' || *value > '9')
        return false;
    *number = strtoll(value, &end, 10);
    return !*end && *number >= low && *number <= high;
}

static bool read_mode(struct demo_env *env, const char *value, int64_t now)
{
    (void)now;
    env->waits = strcmp(value, "off") == 0;
    return env->waits || strcmp(value, "blackfriday") == 0;
}

static bool read_timestamp(struct demo_env *env, const char *value, int64_t now)
{
    (void)now;
    return whole_number(value, 0, UNIX_S_MAX, &env->start_unix_s);
}

/* 9:05 or 09:05. */
static bool time_of_day(const char *value, int *hours, int *minutes)
{
    static const char digits[] = "0123456789";
    size_t len = strspn(value, digits);
    if (len < 1 || len > 2 || value[len] != ':' || strspn(value + len + 1, digits) != 2 || value[len + 3])
        return false;
    *hours = (int)strtol(value, NULL, 10);
    *minutes = (int)strtol(value + len + 1, NULL, 10);
    return *hours <= 23 && *minutes <= 59;
}

/* On that day, counted from today. Summer time is what it was then. */
static int64_t local_instant(int64_t now, int hours, int minutes, int day)
{
    time_t clock = now;
    struct tm local;
    localtime_r(&clock, &local);
    local.tm_mday += day;
    local.tm_hour = hours;
    local.tm_min = minutes;
    local.tm_sec = 0;
    local.tm_isdst = -1;
    return mktime(&local);
}

static bool read_time(struct demo_env *env, const char *value, int64_t now)
{
    int hours, minutes;
    if (!time_of_day(value, &hours, &minutes))
        return false;
    if (env->start_unix_s >= 0)
        return true; /* the timestamp says it exactly */
    env->start_unix_s = local_instant(now, hours, minutes, 0);
    if (env->start_unix_s > now)
        env->start_unix_s = local_instant(now, hours, minutes, -1);
    return true;
}

static bool read_duration(struct demo_env *env, const char *value, int64_t now)
{
    int64_t minutes;
    (void)now;
    if (!whole_number(value, 1, 24 * 60, &minutes))
        return false;
    env->duration_ns = minutes * NS_PER_MIN;
    return true;
}

static bool read_baseline_enabled(struct demo_env *env, const char *value, int64_t now)
{
    (void)now;
    env->no_baseline = strcmp(value, "false") == 0;
    return env->no_baseline || strcmp(value, "true") == 0;
}

static bool read_baseline_rpm(struct demo_env *env, const char *value, int64_t now)
{
    (void)now;
    return whole_number(value, 0, 1000000, &env->baseline_rpm);
}

/* What an ancestor's load generator asked, as the journey that asks the same. */
static const struct endpoint {
    const char *path, *journey;
} endpoints[] = {
    {"/api/browse", "browse"},   {"/api/checkout", "checkout"},
    {"/products", "products"},   {"/products/recommendations", "recommendations"},
    {"/orders/create", "order"},
};
#define ENDPOINTS "/api/browse, /api/checkout, /products, /products/recommendations or /orders/create"

static bool read_endpoint(const char *value, const char **journey)
{
    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++)
        if (strcmp(value, endpoints[i].path) == 0)
            *journey = endpoints[i].journey;
    return *journey != NULL;
}

static bool read_baseline_endpoint(struct demo_env *env, const char *value, int64_t now)
{
    (void)now;
    return read_endpoint(value, &env->baseline_journey);
}

static bool read_demo_endpoint(struct demo_env *env, const char *value, int64_t now)
{
    (void)now;
    return read_endpoint(value, &env->demo_journey);
}

static bool read_rpm(const char *value, double *rpm)
{
    int64_t number = 0;
    bool good = whole_number(value, 0, 1000000, &number);
    *rpm = (double)number;
    return good;
}

static bool read_base(struct demo_env *env, const char *value, int64_t now)
{
    (void)now;
    return read_rpm(value, &env->base_rpm);
}

static bool read_peak(struct demo_env *env, const char *value, int64_t now)
{
    (void)now;
    return read_rpm(value, &env->peak_rpm);
}

static bool read_connections(struct demo_env *env, const char *value, int64_t now)
{
    (void)now;
    return whole_number(value, 1, 10000, &env->connections);
}

/* ---- The variables ---- */

static const struct variable {
    const char *name, *expected;
    read_fn *read;
} variables[] = {
    {"DEMO_MODE", "off or blackfriday", read_mode},
    {"DEMO_START_TIMESTAMP", "unix seconds", read_timestamp},
    {"DEMO_START_TIME", "HH:MM", read_time},
    {"DEMO_DURATION_MINUTES", "1 to 1440", read_duration},
    {"BASELINE_ENABLED", "true or false", read_baseline_enabled},
    {"BASELINE_RPM", "a whole number", read_baseline_rpm},
    {"BASELINE_ENDPOINT", ENDPOINTS, read_baseline_endpoint},
    {"DEMO_ENDPOINT", ENDPOINTS, read_demo_endpoint},
    {"DEMO_BASE_RPM", "a whole number", read_base},
    {"DEMO_PEAK_RPM", "a whole number", read_peak},
    {"DB_MAX_CONNECTIONS", "1 to 10000", read_connections},
};

bool demo_env_read(struct demo_env *env, const char *(*get)(const char *name), int64_t now_unix_s,
                   struct text *error)
{
    *env = (struct demo_env){.base_rpm = -1,
                             .peak_rpm = -1,
                             .start_unix_s = -1,
                             .duration_ns = -1,
                             .baseline_rpm = -1,
                             .connections = -1};
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        const char *value = get(variables[i].name);
        if (!value || !*value || variables[i].read(env, value, now_unix_s))
            continue;
        text_str(error, variables[i].name);
        text_lit(error, "=");
        text_str(error, value);
        text_lit(error, ": expected ");
        text_str(error, variables[i].expected);
        return false;
    }
    return true;
}

void demo_env_idle(const char *(*get)(const char *name), struct text *names)
{
    for (size_t i = 0; i < PLACEMENT_VARIABLES; i++) {
        const char *name = placement_variables[i].name, *value = get(name);
        if (!value || !*value)
            continue;
        if (names->len)
            text_lit(names, ", ");
        text_str(names, name);
    }
}

/* ---- What they do to a scenario ---- */

/* One of the two paths is the other, or lies within it. */
static bool flags_set(const struct demo_flags *flags, const char *path)
{
    for (size_t i = 0; i < flags->count; i++) {
        const char *flag = flags->settings[i];
        size_t len = strcspn(flag, "="), own = strlen(path), both = MIN(len, own);
        const char *longer = len > own ? flag : path;
        if (memcmp(flag, path, both) == 0 && (len == own || longer[both] == '.'))
            return true;
    }
    return false;
}

static bool flags_set_in(const struct demo_flags *flags, const char *of, const char *name, const char *key)
{
    char path[256];
    snprintf(path, sizeof path, "%s.%s.%s", of, name, key);
    return flags_set(flags, path);
}

static bool refuse(struct text *error, const char *variable, const char *why, const char *name)
{
    text_str(error, variable);
    text_str(error, why);
    text_str(error, name);
    return false;
}

/* ---- Rates ---- */

/* Moves a curve so that its lowest point is `base` and its highest `peak`. False: base is above peak. */
static bool stretch(struct curve *curve, double base, double peak)
{
    double low = curve->points[0].value, high = low;
    for (size_t i = 0; i < curve->count; i++) {
        low = MIN(low, curve->points[i].value);
        high = MAX(high, curve->points[i].value);
    }
    base = base < 0 ? low : base;
    peak = peak < 0 ? high : peak;
    for (size_t i = 0; i < curve->count; i++) {
        double share = high > low ? (curve->points[i].value - low) / (high - low) : 1;
        curve->points[i].value = base + share * (peak - base);
    }
    return base <= peak;
}

/* The rate of that stream, which the variable is about; NULL: it has none. */
static struct curve *rate_of(struct scenario *scenario, const char *stream, const char *variable,
                             struct text *error)
{
    int index = scenario_stream(scenario, stream);
    if (index < 0)
        refuse(error, variable, ": this scenario has no stream named ", stream);
    else if (!scenario->streams[index].rate_per_min.count)
        refuse(error, variable, ": bursts and no rate has this scenario's stream ", stream);
    else
        return &scenario->streams[index].rate_per_min;
    return NULL;
}

static bool has_rate_of_flags(const struct demo_flags *flags, const char *stream)
{
    return flags_set_in(flags, "streams", stream, "rate") || flags_set_in(flags, "streams", stream, "scale");
}

static bool apply_demo_rate(const struct demo_env *env, struct scenario *scenario,
                            const struct demo_flags *flags, struct text *error)
{
    static const char both[] = "DEMO_BASE_RPM, DEMO_PEAK_RPM";
    if ((env->base_rpm < 0 && env->peak_rpm < 0) || has_rate_of_flags(flags, "demo"))
        return true;
    struct curve *curve = rate_of(scenario, "demo", both, error);
    if (!curve)
        return false;
    return stretch(curve, env->base_rpm, env->peak_rpm) ||
           refuse(error, both, ": the lowest rate is above the highest", "");
}

static bool apply_baseline_rate(const struct demo_env *env, struct scenario *scenario,
                                const struct demo_flags *flags, struct text *error)
{
    for (size_t i = 0; env->no_baseline && i < scenario->stream_count; i++)
        for (size_t p = 0; !scenario->streams[i].demo && p < scenario->streams[i].rate_per_min.count; p++)
            scenario->streams[i].rate_per_min.points[p].value = 0;
    if (env->baseline_rpm < 0 || env->no_baseline || has_rate_of_flags(flags, "baseline"))
        return true;
    struct curve *curve = rate_of(scenario, "baseline", "BASELINE_RPM", error);
    if (!curve)
        return false;
    curve->points[0] = (struct curve_point){0, (double)env->baseline_rpm};
    curve->count = 1;
    return true;
}

/* ---- Journeys ---- */

static bool apply_journey(struct scenario *scenario, const struct registry *registry,
                          const struct demo_flags *flags, const char *stream, const char *variable,
                          const char *journey, struct text *error)
{
    int index = scenario_stream(scenario, stream);
    if (!journey || flags_set_in(flags, "streams", stream, "journey") ||
        flags_set_in(flags, "streams", stream, "journeys") || flags_set_in(flags, "streams", stream, "call"))
        return true;
    if (index < 0)
        return refuse(error, variable, ": this scenario has no stream named ", stream);
    if (!registry_journey(registry, journey))
        return refuse(error, variable, ": there is no journey ", journey);
    struct stream_spec *spec = &scenario->streams[index];
    spec->service = spec->route = NULL;
    spec->mixes[0] = (struct mix){.of = {{journey, 1}}, .count = 1};
    spec->mix_count = 1;
    return true;
}

/* ---- Pools ---- */

static bool sets_recommendations(const struct scenario *scenario)
{
    for (size_t i = 0; i < scenario->service_count; i++)
        for (size_t p = 0; p < scenario->services[i].pool_count; p++)
            if (scenario->services[i].pools[p].max &&
                strcmp(scenario->services[i].pools[p].name, "recommendations") == 0)
                return true;
    return false;
}

/* The incident is about the pools that the scenario sets: about the unindexed feature's own if it is there. */
static bool apply_pools(const struct demo_env *env, struct scenario *scenario, const struct demo_flags *flags,
                        struct text *error)
{
    bool one = sets_recommendations(scenario), any = env->connections < 0;
    for (size_t i = 0; env->connections > 0 && i < scenario->service_count; i++) {
        struct service_spec *service = &scenario->services[i];
        for (size_t p = 0; p < service->pool_count; p++) {
            struct pool_spec *pool = &service->pools[p];
            if (!pool->max || (one && strcmp(pool->name, "recommendations") != 0))
                continue;
            char key[64];
            snprintf(key, sizeof key, "pools.%.40s.max", pool->name);
            any = true;
            if (!flags_set_in(flags, "services", service->service, key))
                pool->max = (int)env->connections;
        }
    }
    return any || refuse(error, "DB_MAX_CONNECTIONS", ": this scenario sets no pool's max", "");
}

bool demo_env_apply(const struct demo_env *env, struct scenario *scenario, const struct registry *registry,
                    const struct demo_flags *flags, struct text *error)
{
    if (env->duration_ns > scenario->duration_ns && !flags_set(flags, "duration"))
        scenario->duration_ns = env->duration_ns;
    return apply_baseline_rate(env, scenario, flags, error) && apply_demo_rate(env, scenario, flags, error) &&
           apply_journey(scenario, registry, flags, "baseline", "BASELINE_ENDPOINT", env->baseline_journey,
                         error) &&
           apply_journey(scenario, registry, flags, "demo", "DEMO_ENDPOINT", env->demo_journey, error) &&
           apply_pools(env, scenario, flags, error);
}

int64_t demo_env_duration(const struct demo_env *env, const struct scenario *scenario,
                          const struct demo_flags *flags)
{
    bool shorter = env->duration_ns > 0 && !flags_set(flags, "duration");
    return shorter ? MIN(env->duration_ns, scenario->duration_ns) : scenario->duration_ns;
}
