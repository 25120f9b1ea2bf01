#include "edges/promtool_test.h"

#include "edges/promtool_rules.h"

#include <stdlib.h>

/* An alert that does not change is asked about that often. */
#define ASKED_EVERY_NS (5 * NS_PER_MIN)

void promtool_states_take(struct promtool_states *states, size_t samples, const struct run_stats *stats,
                          size_t alert_count)
{
    if (states->count == samples)
        return; /* not one of the grid */
    if (states->count == states->room) {
        size_t room = states->room ? 2 * states->room : 256;
        states->firing = base_grow(states->firing, states->room, room, sizeof *states->firing);
        states->room = room;
    }
    uint32_t firing = 0;
    for (size_t i = 0; i < alert_count; i++)
        if (stats->alerts[i].fired && stats->alerts[i].resolved_at_ns == NEVER)
            firing |= UINT32_C(1) << i;
    states->firing[states->count++] = firing;
}

void promtool_states_free(struct promtool_states *states)
{
    free(states->firing);
    *states = (struct promtool_states){0};
}

void promtool_test_open(struct text *yaml, const char *rule_file, struct promtool_series *series)
{
    text_lit(yaml, "rule_files: [");
    text_str(yaml, rule_file);
    text_lit(yaml, "]\nevaluation_interval: ");
    text_duration(yaml, WORLD_SAMPLE_NS);
    text_lit(yaml, "\ntests:\n  - interval: ");
    text_duration(yaml, WORLD_SAMPLE_NS);
    text_lit(yaml, "\n    input_series:\n");
    promtool_series_write(series, yaml);
}

static bool is_firing(const struct promtool_states *states, size_t sample, size_t alert)
{
    return states->firing[sample] >> alert & 1;
}

static bool is_asked(const struct promtool_states *states, const struct promtool_series *series,
                     size_t sample, size_t alert)
{
    bool firing = is_firing(states, sample, alert);
    bool begins = firing != (sample && is_firing(states, sample - 1, alert));
    bool last = sample + 1 == states->count, ends = !last && firing != is_firing(states, sample + 1, alert);
    return begins || ends || last || promtool_series_test_at(series, sample) % ASKED_EVERY_NS == 0;
}

static void ask(struct text *yaml, const struct scenario *scenario, size_t alert, int64_t at_ns, bool firing)
{
    text_lit(yaml, "      - eval_time: ");
    text_duration(yaml, at_ns);
    text_lit(yaml, "\n        alertname: '");
    text_str(yaml, scenario->alerts[alert].name);
    if (!firing) {
        text_lit(yaml, "'\n        exp_alerts: []\n");
        return;
    }
    text_lit(yaml, "'\n        exp_alerts:\n          - exp_annotations:\n              summary: ");
    promtool_rules_summary(yaml, scenario, &scenario->alerts[alert]);
    text_char(yaml, '\n');
}

size_t promtool_test_alerts(struct text *yaml, const struct scenario *scenario,
                            const struct promtool_series *series, const struct promtool_states *states)
{
    size_t asked = 0;
    text_str(yaml, scenario->alert_count ? "    alert_rule_test:\n" : "    alert_rule_test: []\n");
    for (size_t alert = 0; alert < scenario->alert_count; alert++)
        for (size_t i = 0; i < states->count; i++)
            if (is_asked(states, series, i, alert)) {
                ask(yaml, scenario, alert, promtool_series_test_at(series, i), is_firing(states, i, alert));
                asked++;
            }
    return asked;
}
