/*
 * shared_run: what the processes of one run owe each other beside asks. One of them conducts: it hosts the load generator, and so
 * has the traffic, the report, the alerts and the admin API. Every other one connects to it, and says and is told:
 *
 *     join     request   who it is and what it hosts            -> the run: seed, where the timeline begins, speed
 *     ready    request   it can begin                           -> when the run begins, or began, and its course
 *     figures  request   what has changed (core/gather.h)       -> nil, and then they count
 *     fault    request   somebody sets a fault there            -> nil; it comes back as part of the course
 *     leave    notice    it ends before the run does
 *     course   notice    from the conductor: course_wire.h
 *     finish   request   from the conductor: the run is over    -> verdicts on faults, behind the last figures
 *
 * on a connection like a peer's (edges/rpc_connection.h), at the load generator's peer port. Both answers are held back until
 * there is something to say, so that all begin at one instant: when every service is hosted by somebody who is ready. A process
 * that dies and is started again joins a run that has begun.
 *
 * shared_run.c has what both sides share, conductor.h and follower.h the sides.
 */
#ifndef EDGES_SHARED_RUN_H
#define EDGES_SHARED_RUN_H

#include "core/pack.h"
#include "core/scenario.h"

enum { SHARED_BEGIN_AHEAD_MS = 250, SHARED_FIGURES_MS = 500 };

/* What `join` is answered with. */
struct shared_run {
    uint64_t run, seed;
    int64_t from_ns, duration_ns;
    double speed;
    bool waits; /* the demo, until it is started */
    bool begun;
};

/* What `ready` is answered with, before the course. */
struct shared_begin {
    int64_t begins_unix_ns; /* the instant of the world's first one */
    int64_t first_ns; /* that one */
    int64_t start_unix_ns; /* of the world's 0, for telemetry */
};

void shared_write_run(struct pack *pack, const struct shared_run *run);
bool shared_read_run(struct cursor *from, struct shared_run *run);
void shared_write_begin(struct pack *pack, const struct shared_begin *begin);
bool shared_read_begin(struct cursor *from, struct shared_begin *begin);

/* A number for the file's bytes, the settings, and what the environment changes of it: two processes that have the same one
   play the same. False: the file cannot be read any more. */
bool shared_scenario(uint64_t *hash, const char *file, const char *const *settings, size_t setting_count);
uint64_t shared_draw(void); /* of the system's; never 0 */
int64_t shared_unix_ns(void);

#endif
