#include "edges/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct live {
    struct live_options options;
    int64_t base_ns; /* monotonic instant of the world's first one */
    int64_t first_ns; /* the world's first instant */
    int64_t caught_up_ns; /* nothing was due any more then: what is due before has been armed since */
    int64_t armed_ns; /* monotonic; 0: not armed */
    int timer_fd;
    int signals;
    volatile sig_atomic_t hurry; /* a second signal has come */
    bool done;
    struct histogram lag;
    ev_io timer;
    ev_idle poll; /* running: the loop does not block */
    ev_prepare prepare;
    ev_check check;
    ev_signal term, interrupt, hang_up;
    ev_timer second;
};

static int64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t unix_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t live_now(const struct live *live)
{
    return live->first_ns + (int64_t)((double)(monotonic_ns() - live->base_ns) * live->options.speed);
}

const volatile sig_atomic_t *live_hurry(const struct live *live)
{
    return &live->hurry;
}

const struct histogram *live_lag(const struct live *live)
{
    return &live->lag;
}

static int64_t due_monotonic_ns(const struct live *live, int64_t next_ns)
{
    return live->base_ns + (int64_t)((double)(next_ns - live->first_ns) / live->options.speed);
}

static void arm(struct live *live, int64_t at_ns)
{
    struct itimerspec when = {.it_value = {at_ns / NS_PER_S, at_ns % NS_PER_S}};
    if (at_ns == live->armed_ns)
        return;
    live->armed_ns = at_ns;
    timerfd_settime(live->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

/* Before the loop may block: for how long? */
static void on_prepare(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    (void)events;
    struct live *live = watcher->data;
    int64_t next_ns = world_next_at(live->options.world);
    bool near = false;
    if (next_ns != NEVER) {
        int64_t due_ns = due_monotonic_ns(live, next_ns);
        near = due_ns - monotonic_ns() <= LIVE_EARLY_NS;
        if (!near)
            arm(live, due_ns - LIVE_EARLY_NS);
    }
    if (near)
        ev_idle_start(loop, &live->poll);
    else
        ev_idle_stop(loop, &live->poll);
}

/* After the loop has gathered what came in: one turn. */
static void on_check(struct ev_loop *loop, ev_check *watcher, int events)
{
    (void)events;
    struct live *live = watcher->data;
    struct world *world = live->options.world;
    int64_t now_ns = live_now(live), next_ns = world_next_at(world);
    if (next_ns <= now_ns) {
        int64_t due_ns = MAX(next_ns, live->caught_up_ns);
        histogram_add(&live->lag, (double)(now_ns - due_ns) / 1e9 / live->options.speed);
        if (world_turn(world, now_ns, LIVE_TURN_EVENTS_MAX) < LIVE_TURN_EVENTS_MAX)
            live->caught_up_ns = now_ns;
        next_ns = world_next_at(world);
    }
    if (next_ns == NEVER && world_idle(world) && !live->options.until_told) {
        live->done = true;
        ev_break(loop, EVBREAK_ALL);
    }
}

static void on_timer(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    uint64_t expirations;
    (void)!read(watcher->fd, &expirations, sizeof expirations);
}

/* Its running is what matters. */
static void on_poll(struct ev_loop *loop, ev_idle *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events;
}

void live_end(struct live *live)
{
    live->options.until_told = false;
    world_stop_traffic(live->options.world);
}

static void on_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)events;
    struct live *live = watcher->data;
    if (live->signals++) {
        live->hurry = 1;
        ev_break(loop, EVBREAK_ALL);
        return;
    }
    live_end(live);
    if (live->options.draining)
        live->options.draining(live->options.owner);
}

static void on_hang_up(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events;
    fputs("doorbuster: SIGHUP: there is nothing to reload; end this run and start another\n", stderr);
}

static void on_second(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    const struct live *live = watcher->data;
    if (live->options.each_second)
        live->options.each_second(live->options.owner);
}

struct live *live_open(const struct live_options *options)
{
    struct live *live = base_alloc(1, sizeof *live);
    struct ev_loop *loop = options->loop;
    live->options = *options;
    live->first_ns = live->caught_up_ns = world_now(options->world);
    live->base_ns = monotonic_ns();
    if (options->first_unix_ns) {
        live->first_ns = options->first_ns;
        live->base_ns += options->first_unix_ns - unix_ns();
    }
    live->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    ASSERT(live->timer_fd >= 0);
    ev_io_init(&live->timer, on_timer, live->timer_fd, EV_READ);
    ev_io_start(loop, &live->timer);
    ev_idle_init(&live->poll, on_poll);
    ev_prepare_init(&live->prepare, on_prepare);
    ev_check_init(&live->check, on_check);
    live->prepare.data = live->check.data = live;
    ev_prepare_start(loop, &live->prepare);
    ev_check_start(loop, &live->check);
    ev_signal_init(&live->term, on_signal, SIGTERM);
    ev_signal_init(&live->interrupt, on_signal, SIGINT);
    ev_signal_init(&live->hang_up, on_hang_up, SIGHUP);
    live->term.data = live->interrupt.data = live;
    ev_signal_start(loop, &live->term);
    ev_signal_start(loop, &live->interrupt);
    ev_signal_start(loop, &live->hang_up);
    ev_timer_init(&live->second, on_second, 1, 1);
    live->second.data = live;
    ev_timer_start(loop, &live->second);
    return live;
}

bool live_run(struct live *live)
{
    while (!live->done && live->signals < 2)
        ev_run(live->options.loop, 0);
    return live->done;
}

void live_close(struct live *live)
{
    struct ev_loop *loop = live->options.loop;
    ev_io_stop(loop, &live->timer);
    ev_idle_stop(loop, &live->poll);
    ev_prepare_stop(loop, &live->prepare);
    ev_check_stop(loop, &live->check);
    ev_signal_stop(loop, &live->term);
    ev_signal_stop(loop, &live->interrupt);
    ev_signal_stop(loop, &live->hang_up);
    ev_timer_stop(loop, &live->second);
    close(live->timer_fd);
    free(live);
}
