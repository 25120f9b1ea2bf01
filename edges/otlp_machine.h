/*
 * otlp_machine: where this process runs, as the resources of its telemetry tell it (OpenTelemetry semantic conventions):
 * host.name, process.pid, and in a pod k8s.* as the downward API gave them to the environment.
 */
#ifndef EDGES_OTLP_MACHINE_H
#define EDGES_OTLP_MACHINE_H

#include "edges/otlp_source.h"

/* `get` reads the environment; NULL: getenv. */
void otlp_machine_read(struct otlp_machine *machine, const char *(*get)(void *owner, const char *name),
                       void *owner);
void otlp_machine_fini(struct otlp_machine *machine); /* twice does nothing more */

#endif
