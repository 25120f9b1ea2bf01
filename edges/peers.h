/*
 * peers: asks between the processes of one run, as MessagePack-RPC over TCP.
 *
 * A process listens at the peer port of every service that it hosts, and keeps one connection to every address of those that
 * these ask and that it does not host: whoever asks connects. A connection begins with `greet`: both sides are of one version, scenario, settings and run,
 * or the greeting is answered with why not. An ask is a request named after what it asks ("cart-service GET /cart/{cart_id}",
 * "postgresql recommendations"); its params carry the time that is left and the trace context, its result the status and
 * the body. `cancel` is a notice.
 *
 * Several addresses of a service are copies of it: asks go round those that are there. One that is lost, or says nothing for
 * two seconds, is left out and tried again, after PEER_AGAIN_FIRST_MS at first and PEER_AGAIN_MOST_MS at most; what it owed an
 * answer ends as STATUS_NO_PEER at once, and so does what finds nobody there. One that is about to end says `leave`, is asked
 * nothing more from then on, and hears `left` from each that has understood. Names in DNS are looked up again as long as
 * somebody is missing, and now and then.
 *
 * Bounds: PEER_COPIES_MAX copies of an address's name, PEER_CONNECTIONS_MAX connections from others, that together
 * may have PEER_SERVED_MAX asks under way; beyond them STATUS_OVERLOADED, or the connection is not taken. One thread: the loop's.
 */
#ifndef EDGES_PEERS_H
#define EDGES_PEERS_H

#include "core/world.h"
#include "edges/placement.h"
#include "edges/rpc_connection.h"

enum {
    PEER_PROTOCOL = 1,
    PEER_COPIES_MAX = 16,
    PEER_CONNECTIONS_MAX = 256,
    PEER_ASKED_MAX = 32 * 1024,
    PEER_SERVED_MAX = 16 * 1024,
    PEER_GREETING_S = 5, /* within which a connection has to greet */
    PEER_AGAIN_FIRST_MS = 50,
    PEER_AGAIN_MOST_MS = 500,
    PEER_LEAVING_MS = 1000
};

/* What both sides of a greeting have to agree on. */
struct peer_run {
    const char *version; /* of the program */
    uint64_t scenario; /* a hash of file and settings */
    uint64_t run; /* drawn by the conductor, so it stands for seed and start; 0: not known yet */
};

struct peers_options {
    struct ev_loop *loop;
    const struct placement *placement;
    const struct registry *registry;
    const char *address; /* to listen on, numeric; NULL: 127.0.0.1 */
    struct peer_run run;
    int64_t (*now)(void *owner); /* on the world's clock */
    /* A connection that does not begin with a greeting: true, it is taken over (rpc_connection_adopt). NULL: nobody does. */
    bool (*joins)(void *owner, struct rpc_connection *connection, const struct rpc_frame *first);
    void *owner;
};

struct peers_tally {
    uint64_t asked, lost; /* ended because their connection did, or nobody was there */
    uint64_t served, unheard; /* answers whose asker had gone */
    uint64_t refused; /* of others: beyond a bound, or impossible */
};

struct peers;

/* NULL: a port is taken; `error` says which. */
struct peers *peers_open(const struct peers_options *options, struct text *error);
void peers_close(struct peers *peers);
/* The run is known: greetings are made and answered from now on. */
void peers_know(struct peers *peers, uint64_t run);
/* The world is there: asks are served from now on; until then whoever asks finds nobody. */
void peers_serve(struct peers *peers, struct world *world);
/* Whoever asks is told to ask elsewhere; what is on its way is still served, for PEER_LEAVING_MS at most, and then nobody is
   there. What is under way is served in any case. */
void peers_leave(struct peers *peers);
/* After peers_leave: whether all have heard it, and nothing is being served any more. */
bool peers_left(const struct peers *peers);
/* Whether somebody is there for each service that is asked from here; `missing`, if not NULL, gets the names of the others. */
bool peers_complete(const struct peers *peers, struct text *missing);

/* For the sink of the world. */
void peers_ask(struct peers *peers, const struct far_ask *ask);
void peers_cancel(struct peers *peers, uint64_t token);
void peers_answer(struct peers *peers, uint64_t token, enum status status, const struct body *body);

const struct peers_tally *peers_tally(const struct peers *peers);

/* A socket that begins to connect there; -1: errno. */
struct sockaddr_storage;
int peers_connect(const struct sockaddr_storage *at);

#endif
