/*
 * follower: the side of a spread run (edges/shared_run.h) that joins a conductor: it learns the run, begins with the others,
 * follows the course, tells its figures every SHARED_FIGURES_MS, and finishes when it is told to.
 *
 * The connection to the conductor is made anew whenever it is lost; what was not acknowledged is told again. A conductor that
 * has been away for FOLLOWER_ALONE_S, or comes back with another run, ends this process: there is nothing to go on with.
 */
#ifndef EDGES_FOLLOWER_H
#define EDGES_FOLLOWER_H

#include "edges/course_wire.h"
#include "edges/peers.h"
#include "edges/shared_run.h"

#define FOLLOWER_ALONE_S 30.0

struct follower;

struct follower_options {
    struct ev_loop *loop;
    const struct registry *registry;
    const struct placement *placement;
    struct peer_run run; /* `run` 0 */
    bool quiet;
    /* Spans produced here, and those that were exported or dropped. */
    void (*exported)(void *owner, uint64_t *produced, uint64_t *settled);
    /* The run is over: what is in flight is to end, then follower_finish is to be called. */
    void (*finish)(void *owner);
    /* There is no run any more; explained. */
    void (*lost)(void *owner);
    void *owner;
};

struct follower *follower_open(const struct follower_options *options);
void follower_close(struct follower *follower);

/* Runs the loop until the conductor has told the run. False: it never will, or a signal came; explained. */
bool follower_join(struct follower *follower, struct shared_run *run);
/* Runs the loop until all begin, and gives where they do and the course as it is then. With `peers`, waits first until they
   are complete; NULL: the run has begun, and they come as they come. */
bool follower_ready(struct follower *follower, const struct peers *peers, struct shared_begin *begin);
/* From now on figures are told and the course is followed. */
void follower_begin(struct follower *follower, struct world *world, int64_t (*now)(void *owner));
/* Another process is asked to set it; the course brings it back here. False: nobody is there to ask. */
bool follower_set_fault(struct follower *follower, const struct fault_spec *fault);
/* Tells the last figures, and the verdicts, or that it leaves while the run goes on. Waits for at most some seconds. */
void follower_finish(struct follower *follower);
bool follower_was_cut_short(const struct follower *follower); /* by a signal, before it could begin */

#endif
