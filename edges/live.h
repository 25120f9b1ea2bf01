/*
 * live: the driver of real time, on libev. Each iteration of the loop lets the world run what is due by now.
 *
 * The world's clock is the monotonic clock, times `speed`, from the instant of live_open. Wake-ups come from a
 * timerfd set LIVE_EARLY_NS ahead of the next due instant; the rest of the way the loop polls, so that the schedule
 * neither drifts nor waits for the millisecond of epoll. Instants are absolute: being late once makes nothing
 * else late.
 *
 * SIGTERM or SIGINT drains: `draining` is called, traffic stops, what is in flight ends within its own limits.
 * A second signal ends the loop at once. SIGHUP changes nothing and says so.
 */
#ifndef EDGES_LIVE_H
#define EDGES_LIVE_H

#include "core/world.h"

#include <ev.h>
#include <signal.h>

enum { LIVE_EARLY_NS = 250 * 1000, LIVE_TURN_EVENTS_MAX = 10000 };

struct live_options {
    struct ev_loop *loop;
    struct world *world;
    double speed;
    /* The world's instant `first_ns` is at first_unix_ns of the system's clock, may it come or have gone. 0: the world begins
       where it is, now. */
    int64_t first_unix_ns, first_ns;
    bool until_told; /* runs on when the world has nothing to do, until live_end or a signal */
    void (*draining)(void *owner); /* once, at the first signal; may be NULL */
    void (*each_second)(void *owner); /* may be NULL */
    void *owner;
};

struct live;

struct live *live_open(const struct live_options *options);
void live_close(struct live *live);

/* Runs until the world has nothing left to do. False: a second signal ended it. */
bool live_run(struct live *live);

/* No more traffic; ends when what is in flight has. */
void live_end(struct live *live);

/* Set by the second signal, also after live_run while the loop still runs: whoever waits is to stop. */
const volatile sig_atomic_t *live_hurry(const struct live *live);

int64_t live_now(const struct live *live); /* on the world's clock */
/* How late turns came for what was due, in seconds of real time. */
const struct histogram *live_lag(const struct live *live);

#endif
