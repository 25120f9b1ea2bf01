/* run: a scenario in real time, with real sockets. */
#include "edges/admin.h"
#include "edges/command.h"
#include "edges/demo_env.h"
#include "edges/exit_code.h"
#include "edges/http_client.h"
#include "edges/live.h"
#include "edges/live_say.h"
#include "edges/log_lines.h"
#include "edges/otlp_machine.h"
#include "edges/otlp_outlet.h"
#include "edges/part.h"
#include "edges/processes.h"
#include "edges/progress.h"
#include "edges/prometheus.h"
#include "edges/registry.h"
#include "edges/session.h"
#include "edges/stores.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { FLUSH_LIMIT_MS = 5000, LOG_FLUSH_LIMIT_MS = 1000 };

static struct running {
    struct session *session;
    struct live *live;
    struct http_server *http;
    struct http_client *client;
    struct admin *admin;
    struct otlp_outlet outlet;
    struct progress progress;
    struct log_lines logs;
    struct demo_env env;
    struct demo_flags flags;
    struct prometheus_bounds bounds;
    struct stores stores;
    struct placement placement;
    struct part part;
    int64_t demo_starts_ns; /* on the world's clock; NEVER: at once, or when the admin API says so */
} running;

static int64_t unix_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* ---- what the world says ---- */

static const char *service_name(void *owner, uint16_t service)
{
    (void)owner;
    return world_service(running.session->world, service)->service;
}

static void on_span(void *owner, const struct span *span)
{
    (void)owner;
    otlp_export_span(running.outlet.export, span);
}

static void on_metrics(void *owner, const struct metrics *metrics, int64_t at_ns)
{
    (void)owner;
    otlp_export_metrics(running.outlet.export, metrics, at_ns);
}

static void on_log(void *owner, const struct log_record *record)
{
    (void)owner;
    if (running.outlet.export)
        otlp_export_log(running.outlet.export, record);
    if (running.logs.service_name)
        log_lines_put(&running.logs, record);
}

static void on_answer(void *owner, uint64_t token, enum status status, const struct body *body)
{
    (void)owner;
    if (running.http) /* else whoever asked has been told that we end */
        http_server_answer(running.http, token, status, body);
}

static void on_ask(void *owner, const struct outbound_ask *ask)
{
    (void)owner;
    http_client_ask(running.client, ask);
}

/* ---- before ---- */

/* Where on the timeline the run begins and ends, and whether the demo waits: the flag, else the environment. */
static void set_clock(struct session *session, struct world_options *world)
{
    const struct demo_env *env = &running.env;
    world->duration_ns = demo_env_duration(env, session->scenario, &running.flags);
    int64_t now_ns = unix_ns();
    int64_t ahead_ns = env->start_unix_s < 0 ? 0 : env->start_unix_s * NS_PER_S - now_ns;
    running.demo_starts_ns = NEVER;
    if (!world->from_ns && ahead_ns < 0)
        world->from_ns = MIN(-ahead_ns, world->duration_ns);
    world->demo_waits = env->waits || ahead_ns > 0;
    if (ahead_ns > 0 && !env->waits)
        running.demo_starts_ns = (int64_t)MIN((double)ahead_ns * session->options->speed, 0x1p62);
    /* Faster than the clock, the timeline's end and the run's fall together: no timestamp lies ahead of its time. */
    session->now_unix_ns = now_ns;
    int64_t first_ns = MAX(world->from_ns - NS_PER_MIN, 0), left_ns = world->duration_ns - first_ns;
    session->start_unix_ns =
        now_ns - first_ns - left_ns + (int64_t)((double)left_ns / session->options->speed);
}

static bool open_outlet(struct session *session)
{
    struct otlp_outlet_options otlp = {.loop = ev_default_loop(0), .endpoint = session->options->otlp};
    session->exit_code = EXIT_CODE_USAGE;
    return otlp_outlet_open(&running.outlet, session, &otlp);
}

static bool fits(struct session *session, struct world_options *world)
{
    const struct demo_env *env = &running.env;
    struct text error = {0};
    bool good = demo_env_apply(env, session->scenario, &registry, &running.flags, &error);
    if (!good)
        fprintf(stderr, "doorbuster: %s\n", text_c(&error));
    text_fini(&error);
    if (!good || !session_from(session, world))
        return false;
    if (world->from_ns >= demo_env_duration(env, session->scenario, &running.flags))
        fprintf(stderr, "doorbuster: --from lies behind the end that DEMO_DURATION_MINUTES sets\n");
    else if (session->options->from_ns && env->waits)
        fprintf(stderr, "doorbuster: --from and DEMO_MODE=off: the demo begins either in its middle or when "
                        "it is told to\n");
    else
        return true;
    return false;
}

static int64_t now_on_clock(void *owner)
{
    (void)owner;
    return live_now(running.live);
}

static bool open_stores(struct session *session, struct world_options *world)
{
    const struct options *options = session->options;
    struct stores_options wanted = {.loop = ev_default_loop(0),
                                    .postgresql = options->postgres,
                                    .redis = options->redis,
                                    .yes = options->yes,
                                    .quiet = options->quiet,
                                    .scenario = session->scenario,
                                    .registry = &registry,
                                    .seed = session->seed,
                                    .from_ns = world->from_ns,
                                    .now = now_on_clock};
    if (!stores_real(&wanted))
        return true;
    session->exit_code = EXIT_CODE_DEPENDENCY;
    if (!stores_open(&running.stores, &wanted))
        return false;
    session->exit_code = EXIT_CODE_USAGE;
    world->registry = &running.stores.registry;
    if (!running.placement.spread)
        set_clock(session, world); /* that took a while */
    return true;
}

static void end_run(void)
{
    live_end(running.live);
}

/* Joins the others, if there are any, and waits until all can begin. */
static bool open_part(struct session *session, struct world_options *world)
{
    const struct part_options part = {.loop = ev_default_loop(0),
                                      .session = session,
                                      .registry = &registry,
                                      .placement = &running.placement,
                                      .now = now_on_clock,
                                      .outlet = &running.outlet,
                                      .end = end_run};
    return part_open(&running.part, &part, world) && open_stores(session, world) &&
           part_wait(&running.part, world);
}

static void leave(struct session *session)
{
    part_close(&running.part);
    stores_close(&running.stores);
    otlp_machine_fini(&session->machine);
}

/* What was reckoned from the instant of prepare, when the others had yet to come. */
static void move_demo_start(const struct session *session)
{
    int64_t waited_ns = running.part.begin.begins_unix_ns - session->now_unix_ns;
    if (running.part.conductor && running.demo_starts_ns != NEVER)
        running.demo_starts_ns =
            MAX(running.demo_starts_ns - (int64_t)((double)waited_ns * session->options->speed), 0);
}

static bool prepare(struct session *session, struct world_options *world)
{
    const struct options *options = session->options;
    running.session = session;
    session->exit_code = EXIT_CODE_USAGE;
    if (!fits(session, world))
        return false;
    set_clock(session, world);
    if (!open_part(session, world))
        return false;
    move_demo_start(session);
    if (!open_outlet(session))
        return false;
    otlp_machine_read(&session->machine, NULL, NULL);
    if (options->log_level) {
        running.logs = (struct log_lines){.fd = STDERR_FILENO, .start_unix_ns = session->start_unix_ns};
        running.logs.service_name = service_name;
        log_level_parse(options->log_level, &running.logs.level);
    }
    session->extra.answer = on_answer;
    session->extra.ask = on_ask;
    if (running.outlet.export || options->log_level)
        session->extra.log = on_log;
    if (running.outlet.export) {
        session->extra.span = on_span;
        session->extra.metrics = on_metrics;
    }
    return true;
}

/* ---- while it runs ---- */

static uint16_t port_of(void *owner, const char *service)
{
    (void)owner;
    return http_server_port(running.http, service);
}

static const struct metrics *more_metrics(void *owner)
{
    (void)owner;
    return otlp_export_self(running.outlet.export);
}

/* Who follows is told by the course. */
static void start_demo_in_time(struct session *session)
{
    int64_t now_ns = live_now(running.live);
    if (now_ns < running.demo_starts_ns || part_follows(&running.part))
        return;
    running.demo_starts_ns = NEVER;
    world_start_demo(session->world, &(struct demo_start){0}, now_ns);
}

static void each_second(void *owner)
{
    struct session *session = owner;
    start_demo_in_time(session);
    stores_watch(&running.stores);
    session_flush(session);
    if (running.logs.service_name)
        log_lines_flush(&running.logs, 0);
    if (running.progress.wanted)
        progress_show(&running.progress, session->world);
}

static void draining(void *owner)
{
    (void)owner;
    http_server_drain(running.http);
    part_leave(&running.part);
}

static enum status set_fault_afar(void *owner, const struct fault_spec *fault)
{
    (void)owner;
    return part_set_fault(&running.part, fault);
}

static bool open_edges(struct session *session)
{
    struct text error = {0};
    const char *token = getenv("DOORBUSTER_ADMIN_TOKEN");
    struct http_options http = {.world = session->world,
                                .address = session->options->listen,
                                .now = now_on_clock,
                                .no_propagation = running.outlet.env.no_propagation,
                                .more_metrics = running.outlet.export ? more_metrics : NULL,
                                .bounds = &running.bounds};
    prometheus_bounds_of(&running.bounds, session->scenario);
    running.http = http_server_open(ev_default_loop(0), &http, &error);
    if (!running.http) {
        fprintf(stderr, "doorbuster: %s\n", text_c(&error));
        text_fini(&error);
        return false;
    }
    running.client = http_client_open(
        ev_default_loop(0), &(struct http_client_options){.world = session->world,
                                                          .address = session->options->listen,
                                                          .speed = session->options->speed,
                                                          .no_propagation = running.outlet.env.no_propagation,
                                                          .port = port_of,
                                                          .now = now_on_clock});
    running.admin =
        admin_open(&(struct admin_options){.loop = ev_default_loop(0),
                                           .world = session->world,
                                           .http = running.http,
                                           .scenario = session->scenario,
                                           .registry = &registry,
                                           .file = session->file,
                                           .settings = session->options->settings,
                                           .setting_count = session->options->setting_count,
                                           .token = token && *token ? token : NULL,
                                           .now = now_on_clock,
                                           .set_fault = part_follows(&running.part) ? set_fault_afar : NULL});
    return true;
}

static void close_edges(struct session *session)
{
    http_client_close(running.client);
    admin_finish(running.admin);
    http_server_close(running.http);
    running.http = NULL;
    admin_close(running.admin);
    bool delivered = otlp_outlet_close(&running.outlet, FLUSH_LIMIT_MS, live_hurry(running.live));
    session->failed_to_write |= !delivered && !session->interrupted;
    if (running.logs.service_name)
        log_lines_flush(&running.logs, session->interrupted ? 0 : LOG_FLUSH_LIMIT_MS);
    text_fini(&running.logs.held);
}

/* Each side hears the other's last word before it judges: the conductor the figures, the others that it is over. */
static void finish(struct session *session)
{
    if (!part_follows(&running.part))
        part_finish(&running.part);
    stores_finish(&running.stores);
    world_finish(session->world);
    if (part_follows(&running.part))
        part_finish(&running.part);
    if (running.part.lost)
        session->exit_code = EXIT_CODE_INTERNAL;
}

static void play(struct session *session)
{
    const struct shared_begin *begin = &running.part.begin;
    running.live = live_open(&(struct live_options){.loop = ev_default_loop(0),
                                                    .world = session->world,
                                                    .speed = session->options->speed,
                                                    .first_unix_ns = begin->begins_unix_ns,
                                                    .first_ns = begin->first_ns,
                                                    .until_told = part_follows(&running.part),
                                                    .draining = draining,
                                                    .each_second = each_second,
                                                    .owner = session});
    if (!open_edges(session)) {
        session->exit_code = EXIT_CODE_PORT;
        live_close(running.live);
        return;
    }
    part_begin(&running.part, session->world);
    live_say_listening(session, &running.placement);
    progress_open(&running.progress, session->scenario,
                  session->options->quiet || part_follows(&running.part));
    session->interrupted = !live_run(running.live);
    if (!session->interrupted)
        finish(session);
    progress_close(&running.progress);
    pace_read(&session->pace, world_stats(session->world), session->scenario->stream_count,
              live_lag(running.live));
    session->paced = true;
    if (!part_follows(&running.part))
        live_say_lag(session, live_lag(running.live));
    close_edges(session);
    part_close(&running.part); /* it looks into the world, which goes next */
    live_close(running.live);
}

/* ---- the environment ---- */

static const char *from_environment(const char *name)
{
    return getenv(name);
}

static void warn_of_idle(const struct options *options)
{
    struct text names = {0};
    demo_env_idle(from_environment, &names);
    if (names.len && !options->quiet)
        fprintf(stderr, "doorbuster: %s: no effect, as all services run here\n", text_c(&names));
    text_fini(&names);
}

static int run_run(const struct options *options)
{
    static const struct driver alone = {.layout = "live", .prepare = prepare, .play = play, .leave = leave};
    static const struct driver spread = {.layout = "spread",
                                         .no_http = "where services are spread over processes",
                                         .prepare = prepare,
                                         .play = play,
                                         .leave = leave};
    struct text error = {0};
    running.flags = (struct demo_flags){options->settings, options->setting_count};
    if (!placement_read(&running.placement, options, &registry, &error) ||
        !demo_env_read(&running.env, from_environment, unix_ns() / NS_PER_S, &error)) {
        fprintf(stderr, "doorbuster: %s\n", text_c(&error));
        text_fini(&error);
        return EXIT_CODE_USAGE;
    }
    if (!options->only_count)
        warn_of_idle(options);
    if (options->processes)
        return processes_run(options, &registry, "/proc/self/exe");
    return session_run(options, running.placement.spread ? &spread : &alone);
}

const struct command command_run = {
    .name = "run",
    .arguments = "SCENARIO",
    .summary = "plays a scenario in real time, with every service on its port",
    .help =
        "Play a scenario in real time, with every service on its port.\n\n"
        "  doorbuster run black-friday-v5                  thirty minutes, services on ports 8010 to 8020\n"
        "  doorbuster run black-friday-v5 --speed 10       the same in three\n"
        "  doorbuster run black-friday-v5 --from 18m       just before it gets worst\n"
        "  doorbuster run black-friday-v5 --postgres managed   ask a PostgreSQL instead of its model\n"
        "  doorbuster run black-friday-v5 --processes 13   each service in its own process\n"
        "  doorbuster run black-friday-v5 --only cart-service --peer redis=db:7379\n"
        "  curl -X POST http://127.0.0.1:8018/api/checkout in another terminal\n\n"
        "SCENARIO is a file, or a name that `doorbuster scenarios` lists.\n"
        "SIGTERM ends the traffic, lets what is in flight end, and reports.\n"
        "With --processes, --traces, --metrics and --logs write a file a process:\n"
        "t.jsonl becomes t.cart-service.jsonl and so on. With --only, services without\n"
        "--peer are where CART_URL and its like say, else at their name in DNS, as in\n"
        "cart-service:9013: a peer's port is 1000 above its HTTP.",
    .options = (const int[]){OPTION_SEED,   OPTION_SET,        OPTION_FROM,      OPTION_SPEED,
                             OPTION_LISTEN, OPTION_LOG_LEVEL,  OPTION_OTLP,      OPTION_HISTORY,
                             OPTION_REPORT, OPTION_TRACES,     OPTION_METRICS,   OPTION_LOGS,
                             OPTION_JSON,   OPTION_QUIET,      OPTION_POSTGRES,  OPTION_REDIS,
                             OPTION_YES,    OPTION_ANSWER_KEY, OPTION_JUNIT,     OPTION_PROFILE,
                             OPTION_ONLY,   OPTION_PEER,       OPTION_PROCESSES, 0},
    .files_min = 1,
    .files_max = 1,
    .run = run_run,
};
