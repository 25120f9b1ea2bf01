#include "edges/simulate.h"

#include <limits.h>

static volatile sig_atomic_t stopped;

static void on_signal(int signal)
{
    (void)signal;
    stopped = 1;
}

const volatile sig_atomic_t *simulate_watch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return &stopped;
}

bool simulate_world(struct world *world, struct progress *progress, struct otlp_export *export,
                    const volatile sig_atomic_t *stop)
{
    for (int64_t next_ns; (next_ns = world_next_at(world)) != NEVER;) {
        if (*stop)
            return false;
        world_turn(world, next_ns, UINT_MAX);
        if (export)
            otlp_export_relieve(export, stop);
        if (progress_due(progress))
            progress_show(progress, world);
    }
    world_finish(world);
    return true;
}
