/*
 * promtool_test: a run as a promtool test of rules - its series, and what the alerts did.
 *
 * promtool_states hears of every sample what the world's alerts say; a test asks at the samples around each
 * change, and at some between them: it passes where promtool says the same. A sample's instant on promtool's
 * clock is promtool_series_test_at.
 */
#ifndef EDGES_PROMTOOL_TEST_H
#define EDGES_PROMTOOL_TEST_H

#include "edges/promtool_series.h"

struct promtool_states {
    uint32_t *firing; /* bit i: alert i, by sample */
    size_t count, room;
};
_Static_assert(ALERTS_MAX <= 32, "an alert has its bit");

/* To be called behind promtool_series_take, which says how many samples there are. */
void promtool_states_take(struct promtool_states *states, size_t samples, const struct run_stats *stats,
                          size_t alert_count);
void promtool_states_free(struct promtool_states *states);

/* Everything before the tests themselves: rule file, intervals, series. */
void promtool_test_open(struct text *yaml, const char *rule_file, struct promtool_series *series);

/* How many questions it asks. */
size_t promtool_test_alerts(struct text *yaml, const struct scenario *scenario,
                            const struct promtool_series *series, const struct promtool_states *states);

#endif
