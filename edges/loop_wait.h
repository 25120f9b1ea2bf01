/*
 * loop_wait: waiting in a loop for something that callbacks bring about, while nothing else of the program runs yet: the loop
 * turns at least every tick, and SIGTERM or SIGINT end the wait. Between _begin and _end, the caller's; it stays put.
 */
#ifndef EDGES_LOOP_WAIT_H
#define EDGES_LOOP_WAIT_H

#include "core/base.h"

#include <ev.h>

struct loop_wait {
    struct ev_loop *loop;
    ev_timer tick;
    ev_signal term, interrupt;
    double began; /* ev_now */
    bool cut_short; /* by a signal */
};

void loop_wait_begin(struct loop_wait *wait, struct ev_loop *loop, double tick_s);
/* One turn; how long the wait has taken by now, in seconds. */
double loop_wait_turn(struct loop_wait *wait);
void loop_wait_end(struct loop_wait *wait);

#endif
