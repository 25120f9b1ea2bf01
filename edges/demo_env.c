#include "edges/demo_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef bool read_fn(struct demo_env *env, const char *value, int64_t now_unix_s);

static bool whole_number(const char *value, int64_t low, int64_t high, int64_t *number)
{
    char *end;
    if (*value < '0' || *value > '9')
        return false;
    *number = strtoll(value, &end, 10);
    return !*end && *number >= low && *number <= high;
}

static bool setting(struct demo_env *env, const char *path, int64_t number, const char *unit)
{
    ASSERT(env->setting_count < DEMO_SETTINGS_MAX);
    snprintf(env->settings[env->setting_count++], sizeof env->settings[0], "%s=%lld%s", path,
             (long long)number, unit);
    return true;
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
    return whole_number(value, 0, INT64_C(1) << 40, &env->start_unix_s);
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
    return whole_number(value, 1, 24 * 60, &minutes) && setting(env, "duration", minutes, "m");
}

static bool read_baseline_enabled(struct demo_env *env, const char *value, int64_t now)
{
    (void)now;
    env->no_baseline = strcmp(value, "false") == 0;
    return env->no_baseline || strcmp(value, "true") == 0;
}

static bool read_baseline_rpm(struct demo_env *env, const char *value, int64_t now)
{
    int64_t rpm;
    (void)now;
    return whole_number(value, 0, 1000000, &rpm) && setting(env, "streams.baseline.rate", rpm, "/min");
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
    int64_t max;
    (void)now;
    return whole_number(value, 1, 10000, &max) &&
           setting(env, "services.recommendation-service.pools.recommendations.max", max, "");
}

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
    {"DEMO_BASE_RPM", "a whole number", read_base},
    {"DEMO_PEAK_RPM", "a whole number", read_peak},
    {"DB_MAX_CONNECTIONS", "1 to 10000", read_connections},
};

bool demo_env_read(struct demo_env *env, const char *(*get)(const char *name), int64_t now_unix_s,
                   struct text *error)
{
    *env = (struct demo_env){.base_rpm = -1, .peak_rpm = -1, .start_unix_s = -1};
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

bool demo_env_apply(const struct demo_env *env, struct scenario *scenario, struct text *error)
{
    int demo = scenario_stream(scenario, "demo");
    bool rates = env->base_rpm >= 0 || env->peak_rpm >= 0;
    if (rates && demo < 0) {
        text_lit(error, "DEMO_BASE_RPM, DEMO_PEAK_RPM: this scenario has no stream named demo");
        return false;
    }
    if (rates && !stretch(&scenario->streams[demo].rate_per_min, env->base_rpm, env->peak_rpm)) {
        text_lit(error, "DEMO_BASE_RPM, DEMO_PEAK_RPM: the lowest rate is above the highest");
        return false;
    }
    for (size_t i = 0; env->no_baseline && i < scenario->stream_count; i++)
        if (!scenario->streams[i].demo)
            for (size_t p = 0; p < scenario->streams[i].rate_per_min.count; p++)
                scenario->streams[i].rate_per_min.points[p].value = 0;
    return true;
}
