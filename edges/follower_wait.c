/* Waiting, before there is a world, until the run is known and all begin. */
#include "edges/follower_parts.h"
#include "edges/loop_wait.h"

#include <stdio.h>

#define WAITING_TOLD_S 2.0
#define PEERS_LIMIT_S 20.0

static void tell_waiting(struct follower *follower, double waited_s)
{
    if (follower->told_away || follower->options.quiet || waited_s < WAITING_TOLD_S)
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
    struct loop_wait wait;
    double waited_s = 0;
    loop_wait_begin(&wait, follower->options.loop, 0.02);
    while (!follower->refused && !wait.cut_short && !done(follower, peers, waited_s)) {
        waited_s = loop_wait_turn(&wait);
        tell_waiting(follower, waited_s);
    }
    loop_wait_end(&wait);
    follower->cut_short |= wait.cut_short;
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
