/*
 * uv_in_ev: a libuv loop that runs inside a libev loop, so that a library made for libuv (libh2o) shares the one
 * thread and the one wait of the program.
 *
 * libuv's epoll descriptor is watched like any other, and its next timer arms one of libev's. Before libev waits, a
 * run of the libuv loop hands over what was changed outside of it (new sockets, writes that did not fit); what
 * remains to do then runs in the next turn, so that others get theirs. This happens at the highest priority:
 * what libuv's callbacks set up for libev is seen by prepare watchers of a lower one.
 *
 * Owner: uv_in_ev_close, after the owner's handles are closed; it waits for their close callbacks.
 */
#ifndef EDGES_UV_IN_EV_H
#define EDGES_UV_IN_EV_H

#include "core/base.h" /* before libuv, whose headers bring a MIN of their own */

#include <ev.h>
#include <uv.h>

struct uv_in_ev;

struct uv_in_ev *uv_in_ev_open(struct ev_loop *ev);
uv_loop_t *uv_in_ev_loop(struct uv_in_ev *joint);
void uv_in_ev_close(struct uv_in_ev *joint);

#endif
