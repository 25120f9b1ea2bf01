#include "edges/session.h"

#include "edges/exit_code.h"
#include "edges/figures.h"
#include "edges/registry.h"
#include "edges/repeat.h"
#include "edges/report_json.h"
#include "edges/report_text.h"
#include "edges/scenario_find.h"
#include "edges/scenario_load.h"
#include "edges/version.h"

#include <limits.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* 40 bits: short enough to type, plenty to be different each time. */
static uint64_t random_seed(void)
{
    uint64_t seed = 0;
    ASSERT(getrandom(&seed, sizeof seed, 0) == sizeof seed);
    return seed >> 24;
}

/* ---- telemetry ---- */

static const char *service_name(void *owner, uint16_t service)
{
    struct session *session = owner;
    return world_service(session->world, service)->service;
}

static bool wants(const struct session *session, enum output_kind kind)
{
    return session->outputs.fd[kind] >= 0;
}

static void on_span(void *owner, const struct span *span)
{
    struct session *session = owner;
    if (wants(session, OUTPUT_TRACES))
        otlp_json_span(session->otlp, span);
    if (session->extra.span)
        session->extra.span(session->extra.owner, span);
}

static void on_log(void *owner, const struct log_record *record)
{
    struct session *session = owner;
    if (wants(session, OUTPUT_LOGS))
        otlp_json_log(session->otlp, record);
    if (session->extra.log)
        session->extra.log(session->extra.owner, record);
}

static void on_metrics(void *owner, const struct metrics *metrics, int64_t at_ns)
{
    struct session *session = owner;
    if (wants(session, OUTPUT_METRICS))
        otlp_json_metrics(session->otlp, metrics, at_ns);
    if (session->extra.metrics)
        session->extra.metrics(session->extra.owner, metrics, at_ns);
}

static void on_answer(void *owner, uint64_t token, enum status status, const struct body *body)
{
    struct session *session = owner;
    if (session->extra.answer)
        session->extra.answer(session->extra.owner, token, status, body);
}

static void on_ask(void *owner, const struct outbound_ask *ask)
{
    struct session *session = owner;
    session->extra.ask(session->extra.owner, ask);
}

/* Nobody listens: no call is made. */
static struct sink sink_of(struct session *session)
{
    const struct sink *extra = &session->extra;
    struct sink sink = {.owner = session, .answer = on_answer};
    sink.span = wants(session, OUTPUT_TRACES) || extra->span ? on_span : NULL;
    sink.log = wants(session, OUTPUT_LOGS) || extra->log ? on_log : NULL;
    sink.metrics = wants(session, OUTPUT_METRICS) || extra->metrics ? on_metrics : NULL;
    sink.ask = extra->ask ? on_ask : NULL;
    return sink;
}

static void open_telemetry(struct session *session)
{
    struct otlp_json_options otlp = {.seed = session->seed, .version = version_number(), .owner = session};
    const int *fd = session->outputs.fd;
    otlp.service_name = service_name;
    otlp.start_unix_ns = session->start_unix_ns;
    otlp.fds[OTLP_TRACES] = fd[OUTPUT_TRACES];
    otlp.fds[OTLP_METRICS] = fd[OUTPUT_METRICS];
    otlp.fds[OTLP_LOGS] = fd[OUTPUT_LOGS];
    session->otlp = otlp_json_open(&otlp);
}

static void close_telemetry(struct session *session)
{
    static const enum output_kind kinds[] = {
        [OTLP_TRACES] = OUTPUT_TRACES, [OTLP_METRICS] = OUTPUT_METRICS, [OTLP_LOGS] = OUTPUT_LOGS};
    struct otlp_json_tally tally[OTLP_SIGNALS];
    if (otlp_json_close(session->otlp, tally))
        return;
    session->failed_to_write = true;
    for (size_t i = 0; i < OTLP_SIGNALS; i++)
        if (tally[i].lost)
            output_failed(session->options->outputs[kinds[i]], tally[i].error);
}

/* ---- reports ---- */

/* The text goes where no data goes; with --quiet not into the place of progress. */
static void write_reports(struct session *session, const struct report *report)
{
    const struct options *options = session->options;
    struct text json = {0}, telling = {0};
    bool data_on_stdout = options->json;
    for (size_t i = 0; i < OUTPUT_KINDS; i++)
        data_on_stdout |= session->outputs.fd[i] == STDOUT_FILENO;
    if (options->json || options->outputs[OUTPUT_REPORT])
        report_json(&json, report);
    if (options->json)
        session->failed_to_write |= !output_write(STDOUT_FILENO, "standard output", &json);
    if (options->outputs[OUTPUT_REPORT])
        session->failed_to_write |=
            !output_write(session->outputs.fd[OUTPUT_REPORT], options->outputs[OUTPUT_REPORT], &json);
    int fd = data_on_stdout ? STDERR_FILENO : STDOUT_FILENO;
    if (!options->json && !(data_on_stdout && options->quiet)) {
        struct paint paint = paint_for(fd);
        report_text(&telling, report, &paint);
        session->failed_to_write |= !output_write(fd, "the report", &telling);
    }
    session->failed_to_write |= !outputs_close(&session->outputs, options);
    text_fini(&json);
    text_fini(&telling);
}

static void show_speed(const struct session *session, const struct report *report)
{
    struct rusage usage;
    struct text line = {0};
    double wall_s = (double)MAX(session->wall_ns, 1) / 1e9;
    getrusage(RUSAGE_SELF, &usage);
    text_fixed(&line, wall_s, 2);
    text_lit(&line, " s of wall time: ");
    double pace = (double)session->played_ns / 1e9 / wall_s;
    if (pace < 10)
        text_fixed(&line, pace, 1);
    else
        text_count(&line, (uint64_t)pace);
    text_lit(&line, " times real time, ");
    text_count(&line, (uint64_t)((double)report_requests(report) / wall_s));
    text_lit(&line, " requests/s, ");
    text_count(&line, (uint64_t)((double)report->stats->spans / wall_s));
    text_lit(&line, " spans/s, at most ");
    text_count(&line, (uint64_t)usage.ru_maxrss / 1024);
    text_lit(&line, " MB\n");
    fputs(text_c(&line), stderr);
    text_fini(&line);
}

static int verdict(const struct session *session, const struct report *report)
{
    if (session->failed_to_write)
        return EXIT_CODE_INTERNAL;
    if (session->interrupted)
        return EXIT_CODE_INTERRUPTED;
    return report_failed(report) ? EXIT_CODE_FAILED : EXIT_CODE_HELD;
}

bool session_from(struct session *session, struct world_options *world)
{
    world->from_ns = session->options->from_ns;
    if (world->from_ns < session->scenario->duration_ns)
        return true;
    fputs("doorbuster: --from lies behind the end of the scenario\n", stderr);
    session->exit_code = EXIT_CODE_USAGE;
    return false;
}

static void play(struct session *session)
{
    open_telemetry(session);
    repeat_world(session->world);
    struct timespec begun, ended;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    session->played_ns = -world_now(session->world);
    session->driver->play(session);
    session->played_ns += world_now(session->world);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    session->wall_ns = (ended.tv_sec - begun.tv_sec) * NS_PER_S + ended.tv_nsec - begun.tv_nsec;
    close_telemetry(session);
}

static int play_and_tell(struct session *session)
{
    struct world_options world = {
        .scenario = session->scenario, .registry = &registry, .seed = session->seed};
    if (!session->driver->prepare(session, &world))
        return session->exit_code;
    session->exit_code = EXIT_CODE_HELD;
    /* From here on a signal finds the run ready for it. */
    if (session->options->json && !session->options->quiet)
        fprintf(stderr, "seed %llu\n", (unsigned long long)session->seed);
    world.sink = sink_of(session);
    session->world = world_new(&world);
    play(session);
    if (session->exit_code != EXIT_CODE_HELD) {
        repeat_world(NULL);
        world_free(session->world);
        return session->exit_code;
    }
    struct report report = {.scenario = session->scenario, .registry = &registry, .seed = session->seed};
    report.layout = session->driver->layout;
    report.stats = world_stats(session->world);
    report.interrupted = session->interrupted;
    report.ended_at_ns = MAX(world_demo_at(session->world), 0);
    write_reports(session, &report);
    if (!session->options->quiet)
        show_speed(session, &report);
    int exit_code = verdict(session, &report);
    if (exit_code != EXIT_CODE_HELD)
        repeat_print();
    repeat_world(NULL);
    world_free(session->world);
    return exit_code;
}

/* A mode that cannot honour a field refuses the file. */
static bool honours(const struct driver *driver, const struct scenario *scenario)
{
    bool all = true;
    for (size_t i = 0; i < scenario->stream_count && !driver->sockets; i++) {
        if (!scenario->streams[i].via_http)
            continue;
        fprintf(stderr,
                "%s: streams.%s.via: expected mailbox in %s time, found http (for `doorbuster run`)\n",
                scenario->file, scenario->streams[i].name, driver->layout);
        all = false;
    }
    return all;
}

int session_run(const struct options *options, const struct driver *driver)
{
    char path[PATH_MAX];
    struct session session = {.options = options, .driver = driver};
    struct text errors = {0};
    int exit_code = EXIT_CODE_USAGE;
    session.file = scenario_find(options->files[0], path);
    session.scenario =
        scenario_load(session.file, &registry, options->settings, options->setting_count, &errors);
    if (!session.scenario) {
        fputs(text_c(&errors), stderr);
        scenario_find_explain(session.file);
        text_fini(&errors);
        return EXIT_CODE_SCENARIO;
    }
    if (!honours(driver, session.scenario)) {
        scenario_free(session.scenario);
        return EXIT_CODE_SCENARIO;
    }
    session.seed = options->seed_given ? options->seed : random_seed();
    repeat_watch(options, session.file, session.seed);
    if (outputs_open(&session.outputs, options))
        exit_code = play_and_tell(&session);
    scenario_free(session.scenario);
    text_fini(&errors);
    return exit_code;
}
