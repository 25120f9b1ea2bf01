/*
 * conductor: the side of a spread run (edges/shared_run.h) that hosts the load generator. It gathers the others, lets all
 * begin together, adds up their figures, tells them the course, and hears their verdicts at the end.
 *
 * Who joins is one of the same version and scenario, or is answered with why not. At most CONDUCTOR_MEMBERS_MAX processes, the dead
 * ones among them. What a dead one had counted up to its last report stays, what it had in use is taken back
 * when another takes its place, and the spans that it had not exported are counted as lost.
 */
#ifndef EDGES_CONDUCTOR_H
#define EDGES_CONDUCTOR_H

#include "edges/peers.h"
#include "edges/shared_run.h"

enum { CONDUCTOR_MEMBERS_MAX = 256, CONDUCTOR_FINISH_LIMIT_MS = 10000 };

struct conductor;

struct conductor_options {
    struct ev_loop *loop;
    const struct registry *registry;
    const struct placement *placement;
    struct peer_run run; /* `run` drawn */
    struct shared_run told; /* to who joins */
    bool quiet;
};

struct conductor_tally {
    uint32_t joined, gone; /* processes, in all; of them, those that went before the run did */
    uint64_t spans_lost; /* that those had not exported, by their last reports */
};

struct conductor *conductor_open(const struct conductor_options *options);
void conductor_close(struct conductor *conductor);
/* For peers_options.joins. */
bool conductor_joins(struct conductor *conductor, struct rpc_connection *connection,
                     const struct rpc_frame *first);

/* Runs the loop until every service has somebody who is ready, `peers` among themselves too. False: `limit_ms` has passed, or
   a signal came; who is missing is told on stderr. */
bool conductor_gather(struct conductor *conductor, struct peers *peers, int64_t limit_ms);
bool conductor_was_cut_short(const struct conductor *conductor); /* by a signal, while it gathered */
/* Lets them begin, and takes their figures into the world. The course is told whenever it changes. */
void conductor_begin(struct conductor *conductor, struct world *world, const struct shared_begin *begin,
                     int64_t (*now)(void *owner), void *owner);
/* Before world_finish: all others finish first, within CONDUCTOR_FINISH_LIMIT_MS. */
void conductor_finish(struct conductor *conductor);
const struct conductor_tally *conductor_tally(const struct conductor *conductor);

#endif
