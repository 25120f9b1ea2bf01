/*
 * placement: which actors a process hosts, and where it finds the others.
 *
 * Without --only it hosts them all. With --only it hosts those, and each other actor has the addresses of its --peer options
 * (several are copies), else the one of its variable (CART_URL and so on), else a name in DNS that is the service's own.
 * A peer's port is the service's HTTP port + 1000. Of a variable, which says where the service's HTTP is, that port, or
 * none, means the peer's; any other is taken for the peer's as it stands. Variables of hosted services are not read, so that
 * all processes may have the same environment.
 *
 * Whatever comes from outside is checked: a host is a name of letters, digits, '-', '_' and '.', or an address as
 * numbers, IPv6 in brackets; no user, no password. Nothing is looked up here. At most PLACEMENT_ADDRESSES_MAX addresses;
 * more are an error. `service` belongs to the registry.
 */
#ifndef EDGES_PLACEMENT_H
#define EDGES_PLACEMENT_H

#include "core/actor.h"
#include "core/scenario.h"
#include "core/text.h"
#include "edges/options.h"

enum { PLACEMENT_ADDRESSES_MAX = 64, PLACEMENT_HOST_BYTES = 254, PLACEMENT_VARIABLES = 9 };

struct peer_address {
    const char *service;
    char host[PLACEMENT_HOST_BYTES]; /* an IPv6 address without its brackets */
    uint16_t port;
    bool resolves; /* a name that no --peer gave: all addresses it has are copies */
};

struct placement {
    bool spread;
    bool hosts[SERVICES_MAX]; /* by index in the registry */
    struct peer_address
        addresses[PLACEMENT_ADDRESSES_MAX]; /* of what is not hosted, in the registry's order */
    size_t address_count;
};

/* The environment's variables that say where a service is. */
extern const struct placement_variable {
    const char *name, *service;
} placement_variables[PLACEMENT_VARIABLES];

/* False: a usage error, explained in `error` by one line without an end, which names the option or the variable. */
bool placement_read(struct placement *placement, const struct options *options,
                    const struct registry *registry, struct text *error);

uint16_t placement_port(const struct actor_kind *kind);

#endif
