/*
 * conductor_parts: the inside of edges/conductor*.c; others see conductor.h.
 *
 * conductor.c has who joins, what they tell and what they are told; conductor_gather.c waits for them before the beginning.
 */
#ifndef EDGES_CONDUCTOR_PARTS_H
#define EDGES_CONDUCTOR_PARTS_H

#include "edges/conductor.h"

#include <ev.h>

enum member_state { MEMBER_JOINED, MEMBER_READY, MEMBER_BEGUN, MEMBER_FINISHED, MEMBER_GONE };

/* A process that has joined. */
struct member {
    struct conductor *conductor;
    uint64_t process;
    bool hosts[SERVICES_MAX];
    struct rpc_connection *connection; /* NULL: lost; it may come back */
    enum member_state state;
    uint32_t ready; /* the request that waits for its answer */
    struct gathered *gathered; /* NULL before the beginning */
    uint64_t spans, settled; /* produced, and exported or dropped, as it said last */
    bool counted; /* as gone, with what it had not exported */
};

struct conductor {
    struct conductor_options options;
    struct world *world;
    struct shared_begin begin;
    struct world_course course; /* as told last */
    int64_t (*now)(void *owner);
    void *owner;
    struct member *members[CONDUCTOR_MEMBERS_MAX];
    size_t member_count;
    bool begun, finishing, ended, cut_short;
    struct conductor_tally tally;
    struct pack pack;
    ev_prepare watch; /* of the course */
};

#endif
