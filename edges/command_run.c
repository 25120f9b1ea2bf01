/* run: a scenario in real time, with real sockets. */
#include "edges/command.h"
#include "edges/figures.h"
#include "edges/live.h"
#include "edges/log_lines.h"
#include "edges/progress.h"
#include "edges/session.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static struct running {
    struct session *session;
    struct live *live;
    struct progress progress;
    struct log_lines logs;
} running;

static int64_t unix_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static const char *service_name(void *owner, uint16_t service)
{
    (void)owner;
    return world_service(running.session->world, service)->service;
}

static void on_log(void *owner, const struct log_record *record)
{
    (void)owner;
    log_lines_put(&running.logs, record);
}

static bool prepare(struct session *session, struct world_options *world)
{
    const struct options *options = session->options;
    world->from_ns = options->from_ns;
    session->start_unix_ns = unix_ns() - MAX(world->from_ns - NS_PER_MIN, 0);
    if (options->log_level) {
        running.logs = (struct log_lines){.fd = STDERR_FILENO, .start_unix_ns = session->start_unix_ns};
        running.logs.service_name = service_name;
        log_level_parse(options->log_level, &running.logs.level);
        session->extra.log = on_log;
    }
    return true;
}

static void each_second(void *owner)
{
    struct session *session = owner;
    log_lines_flush(&running.logs);
    if (running.progress.wanted)
        progress_show(&running.progress, session->world);
}

static void say_lag(const struct session *session)
{
    struct text line = {0};
    const struct histogram *lag = live_lag(running.live);
    if (session->options->quiet)
        return;
    text_lit(&line, "loop lag p50 ");
    text_fixed(&line, histogram_quantile(lag, 0.5) * 1e6, 0);
    text_lit(&line, " us, p99 ");
    text_fixed(&line, histogram_quantile(lag, 0.99) * 1e6, 0);
    text_lit(&line, " us\n");
    fputs(text_c(&line), stderr);
    text_fini(&line);
}

static void play(struct session *session)
{
    struct ev_loop *loop = ev_default_loop(0);
    running.session = session;
    running.live = live_open(&(struct live_options){.loop = loop,
                                                    .world = session->world,
                                                    .speed = session->options->speed,
                                                    .each_second = each_second,
                                                    .owner = session});
    progress_open(&running.progress, session->scenario, session->options->quiet);
    session->interrupted = !live_run(running.live);
    if (!session->interrupted)
        world_finish(session->world);
    progress_close(&running.progress);
    say_lag(session);
    live_close(running.live);
    log_lines_flush(&running.logs);
    text_fini(&running.logs.held);
}

static int run_run(const struct options *options)
{
    static const struct driver real_time = {.layout = "live", .prepare = prepare, .play = play};
    return session_run(options, &real_time);
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
        "  curl -X POST http://127.0.0.1:8018/api/checkout in another terminal\n\n"
        "SCENARIO is a file, or a name that `doorbuster scenarios` lists.\n"
        "SIGTERM ends the traffic, lets what is in flight end, and reports.",
    .options = (const int[]){OPTION_SEED, OPTION_SET, OPTION_FROM, OPTION_SPEED, OPTION_LISTEN,
                             OPTION_LOG_LEVEL, OPTION_REPORT, OPTION_TRACES, OPTION_METRICS, OPTION_LOGS,
                             OPTION_JSON, OPTION_QUIET, 0},
    .files_min = 1,
    .files_max = 1,
    .run = run_run,
};
