/*
 * rules_trial: Prometheus rules of the user's own, tried against a run by promtool.
 *
 * The run's metrics become the series of a promtool test (promtool_series.h) - those whose names occur in the
 * rules, or all of them where the rules choose by __name__. The test asks at every sample which alerts fire,
 * and expects none: what promtool got instead is the answer. Everything is in a folder of its own under
 * TMPDIR, which is gone afterwards.
 */
#ifndef EDGES_RULES_TRIAL_H
#define EDGES_RULES_TRIAL_H

#include "edges/promtool_series.h"
#include "edges/rule_file.h"

#include <signal.h>

struct rules_trial;

/* Reads the rules and lets promtool check them, before anything is played. NULL: explained on stderr, and
   *exit_code set. `file` must outlive the trial, and so must `stop`, which ends promtool. */
struct rules_trial *rules_trial_open(const char *file, const struct scenario *scenario, int64_t history_ns,
                                     const volatile sig_atomic_t *stop, int *exit_code);
void rules_trial_close(struct rules_trial *trial);

/* For sink.metrics. */
void rules_trial_take(struct rules_trial *trial, const struct world *world, const struct metrics *metrics,
                      int64_t at_ns);

/* When the run is over. NULL: explained on stderr, and *exit_code set. What it gives is the trial's. */
const struct rule_outcomes *rules_trial_judge(struct rules_trial *trial, int *exit_code);

#endif
