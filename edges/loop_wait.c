#include "edges/loop_wait.h"

#include <signal.h>

static void on_tick(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)watcher;
    (void)events;
    ev_break(loop, EVBREAK_ONE);
}

static void on_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)events;
    ((struct loop_wait *)watcher->data)->cut_short = true;
    ev_break(loop, EVBREAK_ONE);
}

void loop_wait_begin(struct loop_wait *wait, struct ev_loop *loop, double tick_s)
{
    wait->loop = loop;
    wait->cut_short = false;
    ev_timer_init(&wait->tick, on_tick, 0, tick_s);
    ev_signal_init(&wait->term, on_signal, SIGTERM);
    ev_signal_init(&wait->interrupt, on_signal, SIGINT);
    wait->term.data = wait->interrupt.data = wait;
    ev_timer_start(loop, &wait->tick);
    ev_signal_start(loop, &wait->term);
    ev_signal_start(loop, &wait->interrupt);
    ev_now_update(loop);
    wait->began = ev_now(loop);
}

double loop_wait_turn(struct loop_wait *wait)
{
    ev_run(wait->loop, EVRUN_ONCE);
    return ev_now(wait->loop) - wait->began;
}

void loop_wait_end(struct loop_wait *wait)
{
    ev_timer_stop(wait->loop, &wait->tick);
    ev_signal_stop(wait->loop, &wait->term);
    ev_signal_stop(wait->loop, &wait->interrupt);
}
