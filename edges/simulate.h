/*
 * simulate: the driver of virtual time. It jumps to the instant at which the world next wants to run.
 *
 * A run ends when nothing is left to run: streams stop at the scenario's duration, what is in flight then
 * ends within its own limits. The world is finished (judged) unless the run was interrupted.
 */
#ifndef EDGES_SIMULATE_H
#define EDGES_SIMULATE_H

#include "edges/otlp_export.h"
#include "edges/progress.h"

#include <signal.h>

/* The first SIGINT or SIGTERM sets what this gives, for `stop`; the second one ends the program. */
const volatile sig_atomic_t *simulate_watch_signals(void);

/* False: *stop was set, and the run ended early. `export`, if any, holds the run back while its queue is half
   full. */
bool simulate_world(struct world *world, struct progress *progress, struct otlp_export *export,
                    const volatile sig_atomic_t *stop);

#endif
