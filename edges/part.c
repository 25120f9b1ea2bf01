#include "edges/part.h"

#include "edges/exit_code.h"
#include "edges/otlp_outlet.h"
#include "edges/version.h"

#include <stdio.h>

enum { GATHER_LIMIT_MS = 120 * 1000 };

static bool conducts(const struct part_options *options)
{
    for (size_t i = 0; i < options->registry->kind_count; i++)
        if (options->registry->kinds[i]->drives_load)
            return options->placement->hosts[i];
    return false;
}

static bool fail(struct part *part, int exit_code)
{
    part->options.session->exit_code = exit_code;
    return false;
}

/* ---- what the others want of this process ---- */

static bool on_join(void *owner, struct rpc_connection *connection, const struct rpc_frame *first)
{
    struct part *part = owner;
    return part->conductor && conductor_joins(part->conductor, connection, first);
}

static void on_far_ask(void *owner, const struct far_ask *ask)
{
    const struct part *part = owner;
    peers_ask(part->peers, ask);
}

static void on_far_cancel(void *owner, uint64_t token)
{
    const struct part *part = owner;
    peers_cancel(part->peers, token);
}

static void on_far_answer(void *owner, uint64_t token, enum status status, const struct body *body)
{
    const struct part *part = owner;
    peers_answer(part->peers, token, status, body);
}

/* Spans are with the exporter, else on their way to a file; where nobody wants them none can be lost. */
static void on_exported(void *owner, uint64_t *produced, uint64_t *settled)
{
    const struct part *part = owner;
    const struct session *session = part->options.session;
    const struct otlp_outlet *outlet = part->options.outlet;
    if (!outlet->export) {
        *produced = session->options->outputs[OUTPUT_TRACES] ? world_stats(session->world)->spans : 0;
        *settled = *produced ? otlp_json_written(session->otlp, OTLP_TRACES) : 0;
        return;
    }
    struct otlp_export_stats stats = otlp_export_stats(outlet->export, OTLP_TRACES);
    *produced = stats.produced;
    *settled = stats.produced - stats.queued;
}

static void on_finish(void *owner)
{
    const struct part *part = owner;
    part->options.end();
}

static void on_lost(void *owner)
{
    struct part *part = owner;
    part->lost = true;
    part->options.end();
}

/* ---- joining ---- */

static bool open_conductor(struct part *part, const struct peer_run *run, const struct world_options *world)
{
    const struct session *session = part->options.session;
    struct conductor_options conductor = {.loop = part->options.loop,
                                          .registry = part->options.registry,
                                          .placement = part->options.placement,
                                          .run = *run,
                                          .told = {.run = run->run,
                                                   .seed = session->seed,
                                                   .from_ns = world->from_ns,
                                                   .duration_ns = world->duration_ns,
                                                   .speed = session->options->speed,
                                                   .waits = world->demo_waits},
                                          .quiet = session->options->quiet};
    if (!conductor.told.duration_ns)
        conductor.told.duration_ns = session->scenario->duration_ns;
    part->conductor = conductor_open(&conductor);
    peers_know(part->peers, run->run);
    return true;
}

static bool same_speed(struct part *part)
{
    const struct session *session = part->options.session;
    if (part->run.speed == session->options->speed)
        return true;
    fprintf(stderr, "doorbuster: --speed: the load generator's process runs at %g, this one at %g\n",
            part->run.speed, session->options->speed);
    return fail(part, EXIT_CODE_USAGE);
}

static bool open_follower(struct part *part, const struct peer_run *run, struct world_options *world)
{
    struct session *session = part->options.session;
    struct follower_options follower = {.loop = part->options.loop,
                                        .registry = part->options.registry,
                                        .placement = part->options.placement,
                                        .run = *run,
                                        .quiet = session->options->quiet,
                                        .exported = on_exported,
                                        .finish = on_finish,
                                        .lost = on_lost,
                                        .owner = part};
    session->part = true;
    part->follower = follower_open(&follower);
    if (!follower_join(part->follower, &part->run))
        return fail(part, follower_was_cut_short(part->follower) ? EXIT_CODE_HELD : EXIT_CODE_INTERNAL);
    if (!same_speed(part))
        return false;
    session->seed = world->seed = part->run.seed;
    world->from_ns = part->run.from_ns;
    world->duration_ns = part->run.duration_ns;
    world->demo_waits = part->run.waits;
    /* Of a run that has begun nobody is to be served before there is a world: see part_begin. */
    if (!part->run.begun)
        peers_know(part->peers, part->run.run);
    return true;
}

bool part_open(struct part *part, const struct part_options *options, struct world_options *world)
{
    const struct session *session = options->session;
    struct peer_run run = {.version = version_number()};
    struct text error = {0};
    part->options = *options;
    if (!options->placement->spread)
        return true;
    world->hosts = options->placement->hosts;
    options->session->instance = shared_draw();
    options->session->extra.owner = part; /* the driver's other callbacks do not look at theirs */
    options->session->extra.far_ask = on_far_ask;
    options->session->extra.far_cancel = on_far_cancel;
    options->session->extra.far_answer = on_far_answer;
    if (!shared_scenario(&run.scenario, session->file, session->options->settings,
                         session->options->setting_count)) {
        fprintf(stderr, "doorbuster: %s cannot be read again\n", session->file);
        return fail(part, EXIT_CODE_INTERNAL);
    }
    struct peers_options peers = {.loop = options->loop,
                                  .placement = options->placement,
                                  .registry = options->registry,
                                  .address = session->options->listen,
                                  .run = run,
                                  .now = options->now,
                                  .joins = on_join,
                                  .owner = part};
    part->peers = peers_open(&peers, &error);
    if (!part->peers) {
        fprintf(stderr, "doorbuster: %s\n", text_c(&error));
        text_fini(&error);
        return fail(part, EXIT_CODE_PORT);
    }
    if (!conducts(options))
        return open_follower(part, &run, world);
    run.run = shared_draw();
    return open_conductor(part, &run, world);
}

/* ---- beginning together ---- */

static int64_t first_instant(const struct world_options *world)
{
    return MAX(world->from_ns - NS_PER_MIN, 0);
}

static bool wait_as_conductor(struct part *part, const struct world_options *world)
{
    struct session *session = part->options.session;
    if (!conductor_gather(part->conductor, part->peers, GATHER_LIMIT_MS))
        return fail(part,
                    conductor_was_cut_short(part->conductor) ? EXIT_CODE_INTERRUPTED : EXIT_CODE_DEPENDENCY);
    int64_t begins_unix_ns = shared_unix_ns() + SHARED_BEGIN_AHEAD_MS * NS_PER_MS;
    /* What was reckoned for the instant of an earlier `now` moves on to this one. */
    session->start_unix_ns += begins_unix_ns - session->now_unix_ns;
    part->begin = (struct shared_begin){begins_unix_ns, first_instant(world), session->start_unix_ns};
    return true;
}

static bool wait_as_follower(struct part *part, struct world_options *world)
{
    struct session *session = part->options.session;
    if (!follower_ready(part->follower, part->run.begun ? NULL : part->peers, &part->begin))
        return fail(part, follower_was_cut_short(part->follower) ? EXIT_CODE_HELD : EXIT_CODE_INTERNAL);
    session->start_unix_ns = part->begin.start_unix_ns;
    double since_ns = (double)(shared_unix_ns() - part->begin.begins_unix_ns) * session->options->speed;
    /* Who comes late begins late; clocks that differ by centuries are the same as no run. */
    world->begin_ns = part->begin.first_ns + (int64_t)MIN(MAX(since_ns, 0), 0x1p61);
    return true;
}

bool part_wait(struct part *part, struct world_options *world)
{
    if (!part->peers)
        return true;
    return part->conductor ? wait_as_conductor(part, world) : wait_as_follower(part, world);
}

void part_begin(struct part *part, struct world *world)
{
    if (!part->peers)
        return;
    peers_serve(part->peers, world);
    if (part->conductor) {
        conductor_begin(part->conductor, world, &part->begin, part->options.now, NULL);
        return;
    }
    follower_begin(part->follower, world, part->options.now);
    if (part->run.begun)
        peers_know(part->peers, part->run.run);
}

static void on_limit(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)watcher;
    (void)events;
    ev_break(loop, EVBREAK_ONE);
}

/* One of several copies costs nobody anything when it goes: what is on its way to it is waited for. */
static void part_from_peers(struct part *part)
{
    struct ev_loop *loop = part->options.loop;
    ev_timer limit;
    ev_timer_init(&limit, on_limit, PEER_LEAVING_MS / 1e3, 0);
    ev_timer_start(loop, &limit);
    while (!peers_left(part->peers) && ev_is_active(&limit))
        ev_run(loop, EVRUN_ONCE);
    ev_timer_stop(loop, &limit);
}

void part_finish(struct part *part)
{
    if (part->follower && part->leaving)
        part_from_peers(part);
    if (part->conductor)
        conductor_finish(part->conductor);
    if (part->follower)
        follower_finish(part->follower);
}

void part_close(struct part *part)
{
    if (part->conductor) {
        part->tally = *conductor_tally(part->conductor);
        part->options.session->processes = &part->tally;
    }
    conductor_close(part->conductor);
    follower_close(part->follower);
    peers_close(part->peers);
    part->conductor = NULL;
    part->follower = NULL;
    part->peers = NULL;
}

void part_leave(struct part *part)
{
    if (!part->follower)
        return;
    part->leaving = true;
    peers_leave(part->peers);
}

bool part_follows(const struct part *part)
{
    return part->follower;
}

enum status part_set_fault(struct part *part, const struct fault_spec *fault)
{
    return follower_set_fault(part->follower, fault) ? STATUS_OK : STATUS_NO_PEER;
}
