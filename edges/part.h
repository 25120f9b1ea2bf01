/*
 * part: what a process of a spread run has beside its world - peers, and a conductor or a follower (edges/shared_run.h) - in the
 * order in which `run` needs it. Of a run in one process every call does nothing.
 *
 *     part_open      listens, and joins the run: the seed and the timeline come from the conductor
 *     part_wait      until all can begin together
 *     part_begin     with the world
 *     part_finish    when nothing is in flight any more, before the world is finished on the conductor, behind it elsewhere
 *     part_close
 */
#ifndef EDGES_PART_H
#define EDGES_PART_H

#include "edges/conductor.h"
#include "edges/follower.h"
#include "edges/session.h"

struct otlp_outlet;

struct part_options {
    struct ev_loop *loop;
    struct session *session;
    const struct registry *registry;
    const struct placement *placement;
    int64_t (*now)(void *owner); /* on the world's clock */
    const struct otlp_outlet *outlet; /* asked when spans are told of */
    void (*end)(void); /* nothing more is to begin: the run is over */
};

struct part {
    struct part_options options;
    struct peers *peers;
    struct conductor *conductor; /* this process is it, or NULL */
    struct follower *follower; /* likewise */
    struct shared_run run;
    struct shared_begin begin;
    struct conductor_tally tally; /* of a conductor that is closed */
    bool leaving; /* nobody is to ask this process any more */
    bool lost; /* there is no run any more */
};

/* False: explained, and session->exit_code set. */
bool part_open(struct part *part, const struct part_options *options, struct world_options *world);
bool part_wait(struct part *part, struct world_options *world);
void part_begin(struct part *part, struct world *world);
void part_leave(struct part *part); /* a signal came: one that follows is asked nothing more */
void part_finish(struct part *part);
void part_close(struct part *part); /* twice does nothing more */

bool part_follows(const struct part *part);
enum status part_set_fault(struct part *part, const struct fault_spec *fault); /* of one that follows */

#endif
