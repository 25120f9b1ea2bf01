#include "tests/contract/real_time.h"

#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

#define TICK_S 0.001

static int64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t real_time_now(void *real)
{
    return monotonic_ns() - ((struct real_time *)real)->began_ns;
}

/* It wakes the loop. */
static void on_tick(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events;
}

void real_time_begin(struct real_time *real, struct toy *toy)
{
    signal(SIGPIPE, SIG_IGN);
    real->loop = ev_loop_new(EVFLAG_AUTO);
    real->toy = toy;
    real->began_ns = monotonic_ns();
    ev_timer_init(&real->tick, on_tick, TICK_S, TICK_S);
    ev_timer_start(real->loop, &real->tick);
}

void real_time_end(struct real_time *real)
{
    ev_timer_stop(real->loop, &real->tick);
    ev_loop_destroy(real->loop);
}

bool real_time_until(struct real_time *real, bool (*done)(void *owner), void *owner, int64_t limit_ns)
{
    int64_t end_ns = real_time_now(real) + limit_ns;
    do {
        world_turn(real->toy->world, real_time_now(real), UINT_MAX);
        if (done && done(owner))
            return true;
        ev_run(real->loop, EVRUN_ONCE);
    } while (real_time_now(real) < end_ns);
    return false;
}

struct wanted {
    const struct toy *toy;
    uint64_t token;
};

static bool is_answered(void *owner)
{
    const struct wanted *wanted = owner;
    return toy_answered(wanted->toy, wanted->token);
}

const struct toy_answer *real_time_answer(struct real_time *real, uint64_t token, int64_t limit_ns)
{
    struct wanted wanted = {real->toy, token};
    if (!real_time_until(real, is_answered, &wanted, limit_ns))
        fail_msg("no answer within %lld ms", (long long)(limit_ns / NS_PER_MS));
    return toy_answer(real->toy, token);
}
