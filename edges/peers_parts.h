/*
 * peers_parts: the inside of edges/peers*.c; others see peers.h.
 *
 * peers.c has the whole and the sink's side, peers_link.c the connections to others, peers_served.c those of others,
 * peers_wire.c what an ask looks like between processes.
 */
#ifndef EDGES_PEERS_PARTS_H
#define EDGES_PEERS_PARTS_H

#include "core/slab.h"
#include "edges/peers.h"

#include <ev.h>
#include <netdb.h>
#include <sys/socket.h>

enum link_state { LINK_DOWN, LINK_CONNECTING, LINK_GREETING, LINK_READY, LINK_LEAVING };

/* One connection to one copy of a service. */
struct peer_link {
    struct peers *peers;
    struct peer_place *place;
    struct sockaddr_storage at;
    bool used; /* this place in the list is taken */
    bool listed; /* the name still has this address */
    enum link_state state;
    struct rpc_connection *connection; /* NULL while DOWN */
    uint32_t attempts; /* in a row, that did not end in READY */
    ev_timer again;
    bool told; /* that the other one would not have us */
    uint32_t leaving_s; /* since it said so, by the sweeps */
};

/* An address of the placement; a name may have several. */
struct peer_place {
    struct peers *peers;
    const struct peer_address *address;
    uint16_t service;
    struct peer_link links[PEER_COPIES_MAX];
    ev_timer look; /* looks the name up */
    double looked_at;
    unsigned tried; /* addresses, of a name of which one counts */
    struct look_up *look_up; /* under way, else NULL */
};

/* An ask of ours that has left. */
struct peer_asked {
    struct slab_item item;
    struct peer_link *link;
    uint64_t token;
};

/* A connection of somebody who asks. */
struct peer_client {
    struct peers *peers;
    struct peer_client *next, *previous;
    struct rpc_connection *connection;
    bool greeted;
    bool held; /* the answer to its greeting waits for the run */
    uint32_t greeting;
    uint64_t run; /* that it greeted with */
    uint32_t under_way;
    bool left; /* it asks nothing more */
    uint32_t idle_s; /* without a greeting, by the sweeps */
};

/* An ask of somebody else that is being served. */
struct peer_served {
    struct slab_item item;
    struct peer_client *client; /* NULL: it has gone */
    uint32_t id;
    uint16_t from, to;
    bool cancelled;
};

/* What can be asked between processes, by its name there. */
struct peer_method {
    char *name;
    uint16_t to, route;
};

struct peer_listener {
    ev_io io;
    struct peers *peers;
    int fd;
};

struct peers {
    struct peers_options options;
    struct world *world;
    ev_timer sweep; /* each second: who only takes up a place */
    bool leaving, accepting;
    double leaving_since;
    bool asks[SERVICES_MAX]; /* by service: somebody who is hosted here asks it, and it is not */
    struct peer_place *places;
    size_t place_count;
    unsigned turn[SERVICES_MAX]; /* whose it is among copies */
    struct peer_method *methods;
    size_t method_count;
    uint16_t first_method[SERVICES_MAX]; /* of the service's */
    struct peer_listener listeners[SERVICES_MAX];
    size_t listener_count;
    struct peer_client *clients;
    size_t client_count;
    struct slab asked, served;
    struct pack pack;
    struct peers_tally tally;
};

struct pack *peers_pack(struct peers *peers); /* empty */

/* peers_wire.c */
void peers_name_methods(struct peers *peers);
void peers_forget_methods(struct peers *peers);
const struct peer_method *peers_method(const struct peers *peers, struct slice name); /* NULL: none */
void peers_write_ask(const struct peers *peers, struct pack *pack, uint32_t id, const struct far_ask *ask);
/* False: it is none. `method` set `to` and `route`. */
bool peers_read_ask(const struct peers *peers, struct cursor params, struct far_ask *ask);
void peers_write_answer(struct pack *pack, uint32_t id, enum status status, const struct body *body);
/* False: it is none. */
bool peers_read_answer(const struct rpc_frame *frame, struct outbound_answer *answer);
void peers_write_greeting(const struct peers *peers, struct pack *pack, uint32_t id);
/* NULL: we agree but for the run, which is to be compared; else why not. */
const char *peers_differ(const struct peers *peers, struct cursor greeting, uint64_t *run);

/* peers_link.c */
void peers_find_asked(struct peers *peers); /* sets `asks` */
void peers_links_open(struct peers *peers);
void peers_links_close(struct peers *peers);
struct peer_link *peers_link_for(struct peers *peers, uint16_t service); /* NULL: nobody is there */
void peers_asked_end(struct peers *peers, struct peer_asked *asked, const struct outbound_answer *answer);
struct peer_asked *peers_asked_find(struct peers *peers, const struct peer_link *link, uint32_t id);
uint32_t peers_asked_id(const struct peer_asked *asked);

void peers_links_sweep(struct peers *peers);
bool peers_someone_there(const struct peer_place *place);

/* peers_served.c */
bool peers_listen(struct peers *peers, struct text *error);
void peers_take(struct peers *peers, int fd); /* a connection that somebody has made; the descriptor too */
void peers_served_close(struct peers *peers);
void peers_tell_leave(struct peers *peers); /* to all that ask */
void peers_greet_back(struct peers *peers); /* the run is known now */

#endif
