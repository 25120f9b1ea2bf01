#include "edges/uv_in_ev.h"

#include <stdlib.h>

enum { CLOSING_RUNS_MAX = 1000 };

struct uv_in_ev {
    struct ev_loop *ev;
    uv_loop_t uv;
    ev_io ready;
    ev_timer due;
    ev_prepare before_wait;
};

static void run(struct uv_in_ev *joint)
{
    uv_run(&joint->uv, UV_RUN_NOWAIT);
}

static void on_ready(struct ev_loop *ev, ev_io *watcher, int events)
{
    (void)ev;
    (void)events;
    run(watcher->data);
}

static void on_due(struct ev_loop *ev, ev_timer *watcher, int events)
{
    (void)ev;
    (void)events;
    run(watcher->data);
}

/* -1: nothing is due. libuv says 0 as well for a loop without anything in it, which is not worth a turn. */
static int timeout_ms(struct uv_in_ev *joint)
{
    uv_update_time(&joint->uv);
    return uv_loop_alive(&joint->uv) ? uv_backend_timeout(&joint->uv) : -1;
}

static void on_before_wait(struct ev_loop *ev, ev_prepare *watcher, int events)
{
    (void)events;
    struct uv_in_ev *joint = watcher->data;
    int due_ms = timeout_ms(joint);
    if (due_ms == 0) {
        run(joint);
        due_ms = timeout_ms(joint);
    }
    ev_timer_stop(ev, &joint->due);
    if (due_ms < 0)
        return;
    ev_timer_set(&joint->due, due_ms / 1e3, 0);
    ev_timer_start(ev, &joint->due);
}

struct uv_in_ev *uv_in_ev_open(struct ev_loop *ev)
{
    struct uv_in_ev *joint = base_alloc(1, sizeof *joint);
    joint->ev = ev;
    if (uv_loop_init(&joint->uv) != 0) {
        free(joint);
        return NULL;
    }
    ev_io_init(&joint->ready, on_ready, uv_backend_fd(&joint->uv), EV_READ);
    ev_timer_init(&joint->due, on_due, 0, 0);
    ev_prepare_init(&joint->before_wait, on_before_wait);
    joint->ready.data = joint->due.data = joint->before_wait.data = joint;
    ev_set_priority(&joint->before_wait, EV_MAXPRI);
    ev_io_start(ev, &joint->ready);
    ev_prepare_start(ev, &joint->before_wait);
    return joint;
}

uv_loop_t *uv_in_ev_loop(struct uv_in_ev *joint)
{
    return &joint->uv;
}

void uv_in_ev_close(struct uv_in_ev *joint)
{
    ev_io_stop(joint->ev, &joint->ready);
    ev_timer_stop(joint->ev, &joint->due);
    ev_prepare_stop(joint->ev, &joint->before_wait);
    for (int i = 0; i < CLOSING_RUNS_MAX && uv_loop_alive(&joint->uv); i++)
        run(joint);
    int closed = uv_loop_close(&joint->uv);
    ASSERT(closed == 0);
    free(joint);
}
