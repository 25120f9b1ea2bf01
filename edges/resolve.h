/*
 * resolve: a host's name to numeric addresses, within a time limit, so that no loop ever waits for a name server.
 *
 * For start-up: the call blocks, for at most `limit_ms`. Numbers (192.0.2.1, ::1) are answered without asking
 * anybody. A look-up that is given up goes on behind the scenes until the resolver's own time-out, and is lost.
 *
 * Source: glibc, getaddrinfo_a(3).
 */
#ifndef EDGES_RESOLVE_H
#define EDGES_RESOLVE_H

#include "core/text.h"

enum { RESOLVE_ADDRESS_BYTES = 64, RESOLVE_ADDRESSES_MAX = 8 };

struct resolved {
    char addresses[RESOLVE_ADDRESSES_MAX][RESOLVE_ADDRESS_BYTES]; /* in the system's order of preference */
    size_t count;
};

/* False: none; `error` is one line without the name. */
bool resolve_host(struct resolved *resolved, const char *host, int64_t limit_ms, struct text *error);

#endif
