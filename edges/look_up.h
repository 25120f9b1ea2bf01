/*
 * look_up: a host's name to its addresses, while a loop runs: begun, then asked now and then whether it is done.
 *
 * One that is dropped while it is under way ends behind the scenes and is lost. (edges/resolve.h waits instead, for start-up.)
 *
 * Source: glibc, getaddrinfo_a(3).
 */
#ifndef EDGES_LOOK_UP_H
#define EDGES_LOOK_UP_H

#include "core/base.h"

struct addrinfo;
struct look_up;

/* Text is copied. NULL: it cannot even begin. */
struct look_up *look_up_begin(const char *host, uint16_t port);
/* True: it is done, and `look` is given back; *found is to be given to freeaddrinfo, or NULL: there are none. */
bool look_up_done(struct look_up *look, struct addrinfo **found);
/* The n-th of them, counted round and round: who has tried one that does not answer goes on to the next. NULL for none. */
const struct addrinfo *look_up_nth(const struct addrinfo *found, unsigned n);
void look_up_drop(struct look_up *look); /* NULL passes */

#endif
