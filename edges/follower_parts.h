/*
 * follower_parts: the inside of edges/follower*.c; others see follower.h.
 *
 * follower.c has the connection, what it says and is told; follower_wait.c waits, before there is a world, until all begin.
 */
#ifndef EDGES_FOLLOWER_PARTS_H
#define EDGES_FOLLOWER_PARTS_H

#include "edges/follower.h"

#include <ev.h>

struct follower {
    struct follower_options options;
    const struct peer_address *address; /* of the conductor */
    uint64_t process;
    struct rpc_connection *connection; /* NULL: away */
    struct look_up *look_up; /* under way */
    unsigned tried; /* of its addresses: those that were in vain */
    struct shared_run run;
    struct shared_begin begin;
    uint64_t faults_followed;
    struct course first; /* before there was a world to follow it */
    bool has_first;
    struct world *world;
    int64_t (*now)(void *owner);
    struct gather *gather;
    bool joined, begun; /* it has been told so */
    bool telling; /* figures are under way */
    bool told_all; /* the last figures said that there are no more */
    bool finishing, refused, cut_short;
    uint32_t finish; /* the conductor's request */
    double away_since;
    bool told_away;
    ev_timer again, tell;
    struct pack pack;
};

void follower_say_ready(struct follower *follower);

#endif
