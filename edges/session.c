#include "edges/session.h"

#include "edges/exit_code.h"
#include "edges/fork.h"
#include "edges/registry.h"
#include "edges/repeat.h"
#include "edges/scenario_find.h"
#include "edges/scenario_load.h"
#include "edges/telling.h"
#include "edges/version.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

uint64_t session_seed(const struct options *options)
{
    uint64_t seed = 0;
    if (options->seed_given)
        return options->seed;
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
    if (session->key) {
        int64_t at_ns = world_demo_at(session->world);
        answer_key_span(session->key, span, at_ns < session->from_ns ? -1 : at_ns);
    }
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

static void on_far_ask(void *owner, const struct far_ask *ask)
{
    struct session *session = owner;
    session->extra.far_ask(session->extra.owner, ask);
}

static void on_far_cancel(void *owner, uint64_t token)
{
    struct session *session = owner;
    session->extra.far_cancel(session->extra.owner, token);
}

static void on_far_answer(void *owner, uint64_t token, enum status status, const struct body *body)
{
    struct session *session = owner;
    session->extra.far_answer(session->extra.owner, token, status, body);
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
    sink.span = wants(session, OUTPUT_TRACES) || session->key || extra->span ? on_span : NULL;
    sink.log = wants(session, OUTPUT_LOGS) || extra->log ? on_log : NULL;
    sink.metrics = wants(session, OUTPUT_METRICS) || extra->metrics ? on_metrics : NULL;
    sink.ask = extra->ask ? on_ask : NULL;
    sink.far_ask = extra->far_ask ? on_far_ask : NULL;
    sink.far_cancel = extra->far_cancel ? on_far_cancel : NULL;
    sink.far_answer = extra->far_answer ? on_far_answer : NULL;
    return sink;
}

static void open_telemetry(struct session *session)
{
    struct otlp_json_options otlp = {
        .seed = session->seed ^ session->instance, .version = version_number(), .owner = session};
    const int *fd = session->outputs.fd;
    otlp.service_name = service_name;
    otlp.start_unix_ns = session->start_unix_ns;
    otlp.machine = session->machine.count ? &session->machine : NULL;
    otlp.fds[OTLP_TRACES] = fd[OUTPUT_TRACES];
    otlp.fds[OTLP_METRICS] = fd[OUTPUT_METRICS];
    otlp.fds[OTLP_LOGS] = fd[OUTPUT_LOGS];
    session->otlp = otlp_json_open(&otlp);
}

void session_flush(struct session *session)
{
    otlp_json_flush(session->otlp, OTLP_TRACES);
    otlp_json_flush(session->otlp, OTLP_LOGS);
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

/* ---- the run ---- */

static int verdict(const struct session *session, const struct report *report)
{
    if (session->unheard)
        return EXIT_CODE_DEPENDENCY;
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
    struct text end = {0};
    text_duration(&end, session->scenario->duration_ns);
    fprintf(stderr,
            "doorbuster: --from: expected an instant before the end of the scenario, which is at %s\n",
            text_c(&end));
    text_fini(&end);
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

static struct report report_of(const struct session *session, const struct scenario *scenario,
                               const struct world *world)
{
    return (struct report){.scenario = scenario,
                           .registry = &registry,
                           .seed = session->seed,
                           .layout = session->driver->layout,
                           .stats = world_stats(world),
                           .interrupted = session->interrupted,
                           .ended_at_ns = MAX(world_demo_at(world), 0),
                           .rules = session->rules,
                           .pace = session->paced ? &session->pace : NULL,
                           .processes = session->processes};
}

static void tell(struct session *session, struct report *report)
{
    struct telling telling = {session->options, &session->outputs, report, session->key};
    session->failed_to_write |= !telling_write(&telling);
    if (!session->options->quiet)
        telling_speed(report, session->played_ns, session->wall_ns);
}

/* The second run of a fork: nobody hears of it but the report. */
static void play_again_and_tell(struct session *session, struct report *report, struct world_options options)
{
    options.scenario = session->forked;
    options.sink = (struct sink){0};
    struct world *world = world_new(&options);
    repeat_world(world);
    bool whole = session->driver->play_again(session, world);
    repeat_world(NULL);
    struct report changed = report_of(session, session->forked, world);
    struct fork fork = {session->options->fork_ns, session->options->fork, &changed};
    if (whole)
        report->fork = &fork;
    else
        session->interrupted = true;
    tell(session, report);
    report->fork = NULL;
    world_free(world);
}

static void leave(struct session *session)
{
    if (session->driver->leave)
        session->driver->leave(session);
}

static int play_and_tell(struct session *session)
{
    struct world_options world = {
        .scenario = session->scenario, .registry = &registry, .seed = session->seed};
    world.history_ns = session->options->history_ns;
    if (!session->driver->prepare(session, &world)) {
        leave(session);
        return session->exit_code;
    }
    session->exit_code = EXIT_CODE_HELD;
    /* From here on a signal finds the run ready for it. */
    if (session->options->json && !session->options->quiet)
        fprintf(stderr, "seed %llu\n", (unsigned long long)session->seed);
    world.sink = sink_of(session);
    session->from_ns = world.from_ns;
    session->world = world_new(&world);
    play(session);
    if (session->driver->judge && session->exit_code == EXIT_CODE_HELD && !session->interrupted)
        session->driver->judge(session);
    int exit_code = session->exit_code;
    if (exit_code == EXIT_CODE_HELD && session->part) {
        exit_code = session->interrupted       ? EXIT_CODE_INTERRUPTED
                    : session->failed_to_write ? EXIT_CODE_INTERNAL
                                               : EXIT_CODE_HELD;
    } else if (exit_code == EXIT_CODE_HELD) {
        struct report report = report_of(session, session->scenario, session->world);
        if (session->forked && !session->interrupted)
            play_again_and_tell(session, &report, world);
        else
            tell(session, &report);
        exit_code = verdict(session, &report);
        if (exit_code != EXIT_CODE_HELD)
            repeat_print();
    }
    repeat_world(NULL);
    world_free(session->world);
    leave(session);
    return exit_code;
}

bool session_honours(const struct driver *driver, const struct scenario *scenario)
{
    bool all = true;
    for (size_t i = 0; i < scenario->stream_count && driver->no_http; i++) {
        if (!scenario->streams[i].via_http)
            continue;
        fprintf(stderr,
                "%s: streams.%s.via: expected mailbox %s, found http (for `doorbuster run` in one process)\n",
                scenario->file, scenario->streams[i].name, driver->no_http);
        all = false;
    }
    return all;
}

static struct scenario *load(const struct session *session, int *exit_code)
{
    const struct options *options = session->options;
    struct text errors = {0};
    struct scenario *scenario =
        scenario_load(session->file, &registry, options->settings, options->setting_count, &errors);
    *exit_code = EXIT_CODE_SCENARIO;
    if (!scenario) {
        fputs(text_c(&errors), stderr);
        scenario_find_explain(session->file);
    } else if (!session_honours(session->driver, scenario)) {
        scenario_free(scenario);
        scenario = NULL;
    }
    text_fini(&errors);
    return scenario;
}

/* Before anything is played, so that a mistake in the change shows at once. */
static struct scenario *load_fork(const struct session *session, int *exit_code)
{
    const struct options *options = session->options;
    struct text error = {0};
    struct fork_request request = {.registry = &registry,
                                   .file = session->file,
                                   .settings = options->settings,
                                   .setting_count = options->setting_count,
                                   .at_ns = options->fork_ns,
                                   .change = options->fork};
    struct scenario *scenario = fork_scenario(&request, &error);
    *exit_code = EXIT_CODE_USAGE;
    if (!scenario) {
        fprintf(stderr, "doorbuster: --fork: %s", text_c(&error));
    } else if (!session_honours(session->driver, scenario)) {
        scenario_free(scenario);
        scenario = NULL;
    }
    text_fini(&error);
    return scenario;
}

int session_run(const struct options *options, const struct driver *driver)
{
    char path[PATH_MAX];
    struct session session = {.options = options, .driver = driver};
    int exit_code;
    session.file = scenario_find(options->files[0], path);
    session.scenario = load(&session, &exit_code);
    if (!session.scenario)
        return exit_code;
    if (options->fork && !(session.forked = load_fork(&session, &exit_code))) {
        scenario_free(session.scenario);
        return exit_code;
    }
    session.seed = session_seed(options);
    repeat_watch(options, session.file, session.seed);
    exit_code = EXIT_CODE_USAGE;
    if (outputs_open(&session.outputs, options)) {
        session.key = wants(&session, OUTPUT_ANSWER_KEY) ? answer_key_new() : NULL;
        exit_code = play_and_tell(&session);
        free(session.key);
    }
    scenario_free(session.scenario);
    scenario_free(session.forked);
    return exit_code;
}
