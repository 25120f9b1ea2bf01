/*
 * fuzz_scenario: the loader on any bytes, with any settings.
 *
 * Bytes up to the first NUL are settings, one a line; the rest is the file. Whatever is refused is refused with
 * a line; whatever is taken keeps the promises of core/scenario.h that the world relies on.
 */
#include <stdlib.h>

#include "core/probe.h"
#include "edges/registry.h"
#include "edges/scenario_load.h"

enum { SETTINGS_MAX = 4, SETTING_BYTES_MAX = 400 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void require_rising(const struct curve *curve)
{
    require(curve->count >= 1 && curve->count <= CURVE_POINTS_MAX);
    for (size_t i = 0; i < curve->count; i++)
        require(curve->points[i].value >= 0 &&
                (i == 0 || curve->points[i].at_ns > curve->points[i - 1].at_ns));
}

static void require_known(const struct scenario *scenario, const struct condition *condition)
{
    if (condition->kind == CONDITION_SERIES) {
        require(condition->series.name && condition->bound >= 0);
        enum probe_kind kind = condition->series.kind;
        enum probe_nature nature = probe_type(kind)->nature;
        require(condition->series.index < (int)scenario->stream_count || !probe_of_stream(kind));
        require(nature == PROBE_COUNTER || nature == PROBE_LEVEL || nature == PROBE_DISTRIBUTION);
        require(nature != PROBE_DISTRIBUTION ||
                (condition->quantile > 0 && condition->quantile < 1 && condition->over_ns > 0));
    }
    for (size_t i = 0; i < condition->child_count; i++)
        require_known(scenario, &condition->children[i]);
}

static void require_sound(const struct scenario *scenario)
{
    require(scenario->name && scenario->story && scenario->duration_ns > 0);
    require(scenario->stream_count >= 1 && scenario->phase_count >= 1 && scenario->phases[0].at_ns == 0);
    for (size_t i = 0; i < scenario->stream_count; i++) {
        const struct stream_spec *stream = &scenario->streams[i];
        const struct burst_spec *burst = &stream->burst;
        require((stream->mix_count > 0) != (stream->service != NULL));
        if (!burst->count)
            require_rising(&stream->rate_per_min);
        else
            require(burst->count > 0 && burst->rounds > 0 && burst->within_ns <= burst->every_ns &&
                    burst->at_ns < scenario->duration_ns);
    }
    for (size_t i = 0; i < scenario->service_count; i++)
        require(registry_kind(&registry, scenario->services[i].service) != NULL);
    require_rising(&scenario->postgresql.products);
    require(scenario->postgresql.cores > 0 && scenario->postgresql.scan_ns_per_row > 0);
    for (size_t i = 0; i < scenario->fault_count; i++)
        require(scenario->faults[i].at_ns < scenario->duration_ns);
    for (size_t i = 0; i < scenario->alert_count; i++)
        for (size_t stage = 0; stage < scenario->alerts[i].stage_count; stage++)
            require_known(scenario, &scenario->alerts[i].stages[stage].when);
    for (size_t i = 0; i < scenario->expect_count; i++)
        require(scenario->expects[i].alert < (int)scenario->alert_count &&
                scenario->expects[i].low <= scenario->expects[i].high &&
                (scenario->expects[i].when != EXPECT_WINDOW ||
                 scenario->expects[i].at_ns < scenario->expects[i].until_ns));
}

/* The lines before the first NUL; how many bytes they take. */
static size_t take_settings(const uint8_t *data, size_t size, char (*settings)[SETTING_BYTES_MAX],
                            size_t *count)
{
    const uint8_t *end = memchr(data, '\0', MIN(size, (size_t)SETTINGS_MAX * SETTING_BYTES_MAX));
    if (!end)
        return 0;
    size_t used = 0;
    for (const uint8_t *at = data; at < end; at++) {
        if (*at == '\n' || used == SETTING_BYTES_MAX - 1) {
            *count += *count < SETTINGS_MAX - 1;
            used = 0;
        } else {
            settings[*count][used++] = (char)*at;
        }
        settings[*count][used] = '\0';
    }
    ++*count;
    return (size_t)(end - data) + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char lines[SETTINGS_MAX][SETTING_BYTES_MAX] = {{0}};
    const char *settings[SETTINGS_MAX] = {lines[0], lines[1], lines[2], lines[3]};
    size_t setting_count = 0, taken = take_settings(data, size, lines, &setting_count);
    struct text errors = {0};
    struct scenario *scenario = scenario_load_text("fuzz.yaml", (const char *)data + taken, size - taken,
                                                   &registry, settings, setting_count, &errors);
    require(scenario ? errors.len == 0 : errors.len > 0 && errors.bytes[errors.len - 1] == '\n');
    if (scenario)
        require_sound(scenario);
    scenario_free(scenario);
    text_fini(&errors);
    return 0;
}
