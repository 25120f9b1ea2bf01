/* Waiting, before there is a world, until the run is known and all begin. */
#include "edges/follower_parts.h"

#include <stdio.h>

#define WAITING_TOLD_S 2.0
#define PEERS_LIMIT_S 20.0

static void on_tick(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)watcher;
    (void)events;
    ev_break(loop, EVBREAK_ONE);
}

static void on_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)events;
    ((struct follower *)watcher->data)->cut_short = true;
    ev_break(loop, EVBREAK_ONE);
}

static void tell_waiting(struct follower *follower, double since)
{
    if (follower->told_away || follower->options.quiet ||
        ev_now(follower->options.loop) - since < WAITING_TOLD_S)
        return;
    follower->told_away = true;
    fprintf(stderr, "doorbuster: waiting for the load generator at %s:%u to begin the run\n",
            follower->address->host, follower->address->port);
}

/* Runs the loop until `done` says so; false: it never will. */
static bool wait_until(struct follower *follower,
                       bool (*done)(const struct follower *, const struct peers *, double),
                       const struct peers *peers)
{
    struct ev_loop *loop = follower->options.loop;
    ev_timer tick;
    ev_signal term, interrupt;
    ev_timer_init(&tick, on_tick, 0, 0.02);
    ev_signal_init(&term, on_signal, SIGTERM);
    ev_signal_init(&interrupt, on_signal, SIGINT);
    term.data = interrupt.data = follower;
    ev_timer_start(loop, &tick);
    ev_signal_start(loop, &term);
    ev_signal_start(loop, &interrupt);
    ev_now_update(loop);
    double since = ev_now(loop);
    while (!follower->refused && !follower->cut_short && !done(follower, peers, ev_now(loop) - since)) {
        ev_run(loop, EVRUN_ONCE);
        tell_waiting(follower, since);
    }
    ev_timer_stop(loop, &tick);
    ev_signal_stop(loop, &term);
    ev_signal_stop(loop, &interrupt);
    return !follower->refused && !follower->cut_short;
}

static bool has_joined(const struct follower *follower, const struct peers *peers, double waited_s)
{
    (void)peers;
    (void)waited_s;
    return follower->joined;
}

/* Somebody who is missing may die again and again: that is no reason to wait for ever. */
static bool has_peers(const struct follower *follower, const struct peers *peers, double waited_s)
{
    (void)follower;
    return peers_complete(peers, NULL) || waited_s > PEERS_LIMIT_S;
}

static bool has_begun(const struct follower *follower, const struct peers *peers, double waited_s)
{
    (void)peers;
    (void)waited_s;
    return follower->begun || !follower->joined;
}

bool follower_join(struct follower *follower, struct shared_run *run)
{
    follower->again.repeat = 0;
    ev_timer_set(&follower->again, 0, 0);
    ev_timer_start(follower->options.loop, &follower->again);
    if (!wait_until(follower, has_joined, NULL))
        return false;
    *run = follower->run;
    return true;
}

bool follower_ready(struct follower *follower, const struct peers *peers, struct shared_begin *begin)
{
    if (peers && !wait_until(follower, has_peers, peers))
        return false;
    while (!follower->begun) {
        if (!wait_until(follower, has_joined, NULL)) /* it may have been cut off meanwhile */
            return false;
        follower_say_ready(follower);
        if (!wait_until(follower, has_begun, NULL))
            return false;
    }
    *begin = follower->begin;
    return true;
}

bool follower_was_cut_short(const struct follower *follower)
{
    return follower->cut_short;
}
