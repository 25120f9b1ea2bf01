/*
 * scenario_load: reads and checks a scenario file (scenarios/scenario.schema.json describes it).
 *
 * Settings are --set arguments, `path=value`: a path of keys and list positions joined by points
 * (services.frontend.work.p50, faults.0.at; `faults.+` appends), and a value in YAML. They are applied before anything
 * is checked, and create the map keys they need.
 *
 * Errors: NULL, and a line for each problem in `errors`, `file:line:col: path: expected X, found Y`, at most 20
 * of them; in a setting `--set:N:col`, N counting from 1. The caller's exit code is 104. Any input is refused
 * within 100 ms and 20 MB; the limits are those of yaml_tree.h.
 *
 * Owner: the caller frees with scenario_free. The registry must outlive the scenario; file and settings need not.
 */
#ifndef EDGES_SCENARIO_LOAD_H
#define EDGES_SCENARIO_LOAD_H

#include "core/actor.h"
#include "core/text.h"

struct scenario *scenario_load(const char *file, const struct registry *registry, const char *const *settings,
                               size_t setting_count, struct text *errors);

/* The same from memory; `name` stands for the file in errors. */
struct scenario *scenario_load_text(const char *name, const char *bytes, size_t len,
                                    const struct registry *registry, const char *const *settings,
                                    size_t setting_count, struct text *errors);

void scenario_free(struct scenario *scenario);

#endif
