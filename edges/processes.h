/*
 * processes: a run spread over several processes of this machine, under one parent that does nothing else.
 *
 * The load generator has the first process alone; the other actors are dealt to the rest one by one in the registry's
 * order, stores last. Each is the same program with --only and --peer. The load generator's speaks for the run: it has the
 * terminal, the report and the other files of the whole, and its exit code is the run's. Traces, metrics and logs become a
 * file a process (edges/part_file.h).
 *
 * Another process that dies begins again, after 100 ms and at most 2 s; each time is told and counted. One that cannot even
 * begin (a bad option, a port that is taken) ends the run with its exit code. From one that ends with 1 some telemetry has not
 * come to its file or backend: a run that would end with 0 ends with 1 as well. The first SIGTERM or SIGINT goes to the load
 * generator's process, which ends the others; a second one to all of them. When that process is over the others have 5 s,
 * then 2 s after SIGTERM. All are sessions of their own, so signals of a terminal reach the parent alone, and all end with it.
 *
 * Instants are milliseconds of a clock that never goes back. Errors are explained on stderr.
 */
#ifndef EDGES_PROCESSES_H
#define EDGES_PROCESSES_H

#include "core/actor.h"
#include "edges/options.h"

/* `program`: what is run with arguments of `doorbuster run`, each time anew. `options->processes` of them, from 2 to the
   number of actors. The exit code. */
int processes_run(const struct options *options, const struct registry *registry, const char *program);

#endif
