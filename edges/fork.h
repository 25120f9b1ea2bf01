/*
 * fork: the same scenario from the same seed once more, with one change - and what the change was worth.
 *
 * The change is one fault as the scenario file writes it (`create_index: idx_products_category`), which begins at an
 * instant; or PATH=VALUE as for --set, which holds for the whole second run. Both are read by the loader's own
 * rules. Up to the instant the two runs are the same, event by event: a fault that is still to come changes nothing.
 *
 * The second run is not judged. Everything but the scenario is borrowed.
 */
#ifndef EDGES_FORK_H
#define EDGES_FORK_H

#include "edges/paint.h"
#include "edges/report.h"

#include <jansson.h>

enum { FORK_LAST_MINUTES = 5 }; /* whose p95 is told as well: what the change has come to */

struct fork_request {
    const struct registry *registry;
    const char *file; /* the scenario's */
    const char *const *settings; /* that it was loaded with */
    size_t setting_count;
    int64_t at_ns;
    const char *change;
};

/* The scenario with the change, for scenario_free. NULL: `error` says why, one line a problem. */
struct scenario *fork_scenario(const struct fork_request *request, struct text *error);

/* A fork of a report: what the second run came to. */
struct fork {
    int64_t at_ns;
    const char *change;
    const struct report *changed;
};

/* From the instant of the change on, by whole minutes. */
struct fork_stream {
    uint64_t requests, errors;
    double p95, last_p95; /* in seconds; last: of the run's last FORK_LAST_MINUTES minutes */
};
struct fork_stream fork_stream(const struct report *report, const struct fork *fork, size_t stream);

void fork_text(struct text *out, const struct report *report, const struct fork *fork,
               const struct paint *paint);
json_t *fork_json(const struct report *report, const struct fork *fork);

#endif
