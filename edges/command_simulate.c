/* simulate: a scenario in virtual time, from the file to the report. */
#include "edges/command.h"
#include "edges/exit_code.h"
#include "edges/figures.h"
#include "edges/otlp_json.h"
#include "edges/output.h"
#include "edges/registry.h"
#include "edges/repeat.h"
#include "edges/report_json.h"
#include "edges/report_text.h"
#include "edges/scenario_find.h"
#include "edges/scenario_load.h"
#include "edges/simulate.h"
#include "edges/start_time.h"
#include "edges/version.h"

#include <stdio.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

struct run {
    const struct options *options;
    struct scenario *scenario;
    uint64_t seed;
    struct outputs outputs;
    struct otlp_json *otlp; /* NULL: no telemetry is written */
    struct world *world;
    bool interrupted, failed_to_write;
    int64_t wall_ns;
};

static void on_signal(int signal)
{
    (void)signal;
    stop = 1;
}

/* The first one stops the run at its next turn; the second one ends the program. */
static void watch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* 40 bits: short enough to type, plenty to be different each time. */
static uint64_t random_seed(void)
{
    uint64_t seed = 0;
    ASSERT(getrandom(&seed, sizeof seed, 0) == sizeof seed);
    return seed >> 24;
}

static const char *service_name(void *owner, uint16_t service)
{
    struct run *run = owner;
    return world_service(run->world, service)->service;
}

static void open_telemetry(struct run *run, struct sink *sink)
{
    const struct options *options = run->options;
    const int *fd = run->outputs.fd;
    struct otlp_json_options otlp = {.seed = run->seed, .version = version_number(), .owner = run};
    otlp.service_name = service_name;
    otlp.fds[OTLP_TRACES] = fd[OUTPUT_TRACES];
    otlp.fds[OTLP_METRICS] = fd[OUTPUT_METRICS];
    otlp.fds[OTLP_LOGS] = fd[OUTPUT_LOGS];
    otlp.start_unix_ns =
        options->start_given ? options->start_unix_ns : start_time_ending_now(run->scenario->duration_ns);
    *sink = (struct sink){0};
    if (fd[OUTPUT_TRACES] < 0 && fd[OUTPUT_METRICS] < 0 && fd[OUTPUT_LOGS] < 0)
        return;
    run->otlp = otlp_json_open(&otlp);
    sink->owner = run->otlp;
    sink->span = fd[OUTPUT_TRACES] < 0 ? NULL : otlp_json_span;
    sink->metrics = fd[OUTPUT_METRICS] < 0 ? NULL : otlp_json_metrics;
    sink->log = fd[OUTPUT_LOGS] < 0 ? NULL : otlp_json_log;
}

static void close_telemetry(struct run *run)
{
    static const enum output_kind kinds[] = {
        [OTLP_TRACES] = OUTPUT_TRACES, [OTLP_METRICS] = OUTPUT_METRICS, [OTLP_LOGS] = OUTPUT_LOGS};
    struct otlp_json_tally tally[OTLP_SIGNALS];
    if (!run->otlp || otlp_json_close(run->otlp, tally))
        return;
    run->failed_to_write = true;
    for (size_t i = 0; i < OTLP_SIGNALS; i++)
        if (tally[i].lost)
            output_failed(run->options->outputs[kinds[i]], tally[i].error);
}

static int64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void play(struct run *run)
{
    struct sink sink;
    struct progress progress;
    open_telemetry(run, &sink);
    run->world = world_new(&(struct world_options){
        .scenario = run->scenario, .registry = &registry, .seed = run->seed, .sink = sink});
    repeat_world(run->world);
    progress_open(&progress, run->scenario, run->options->quiet);
    int64_t begun_ns = wall_ns();
    run->interrupted = !simulate_world(run->world, &progress, &stop);
    run->wall_ns = wall_ns() - begun_ns;
    progress_close(&progress);
    close_telemetry(run);
}

/* The text goes where no data goes; with --quiet not into the place of progress. */
static void write_reports(struct run *run, const struct report *report)
{
    const struct options *options = run->options;
    struct text json = {0}, telling = {0};
    bool data_on_stdout = options->json;
    for (size_t i = 0; i < OUTPUT_KINDS; i++)
        data_on_stdout |= run->outputs.fd[i] == STDOUT_FILENO;
    if (options->json || options->outputs[OUTPUT_REPORT])
        report_json(&json, report);
    if (options->json)
        run->failed_to_write |= !output_write(STDOUT_FILENO, "standard output", &json);
    if (options->outputs[OUTPUT_REPORT])
        run->failed_to_write |=
            !output_write(run->outputs.fd[OUTPUT_REPORT], options->outputs[OUTPUT_REPORT], &json);
    int fd = data_on_stdout ? STDERR_FILENO : STDOUT_FILENO;
    if (!options->json && !(data_on_stdout && options->quiet)) {
        struct paint paint = paint_for(fd);
        report_text(&telling, report, &paint);
        run->failed_to_write |= !output_write(fd, "the report", &telling);
    }
    run->failed_to_write |= !outputs_close(&run->outputs, options);
    text_fini(&json);
    text_fini(&telling);
}

static void show_speed(const struct run *run, const struct report *report)
{
    struct rusage usage;
    struct text line = {0};
    double wall_s = (double)MAX(run->wall_ns, 1) / 1e9;
    getrusage(RUSAGE_SELF, &usage);
    text_fixed(&line, wall_s, 2);
    text_lit(&line, " s of wall time: ");
    figure_count(&line, (uint64_t)((double)report->ended_at_ns / 1e9 / wall_s));
    text_lit(&line, " times real time, ");
    figure_count(&line, (uint64_t)((double)report_requests(report) / wall_s));
    text_lit(&line, " requests/s, ");
    figure_count(&line, (uint64_t)((double)report->stats->spans / wall_s));
    text_lit(&line, " spans/s, at most ");
    figure_count(&line, (uint64_t)usage.ru_maxrss / 1024);
    text_lit(&line, " MB\n");
    fputs(text_c(&line), stderr);
    text_fini(&line);
}

static int verdict(const struct run *run, const struct report *report)
{
    if (run->failed_to_write)
        return EXIT_CODE_INTERNAL;
    if (run->interrupted)
        return EXIT_CODE_INTERRUPTED;
    return report_failed(report) ? EXIT_CODE_FAILED : EXIT_CODE_HELD;
}

static int play_and_tell(struct run *run)
{
    watch_signals();
    if (run->options->json && !run->options->quiet)
        fprintf(stderr, "seed %llu\n", (unsigned long long)run->seed);
    play(run);
    struct report report = {.scenario = run->scenario, .registry = &registry, .seed = run->seed};
    report.stats = world_stats(run->world);
    report.interrupted = run->interrupted;
    report.ended_at_ns = world_now(run->world);
    write_reports(run, &report);
    if (!run->options->quiet)
        show_speed(run, &report);
    int exit_code = verdict(run, &report);
    if (exit_code != EXIT_CODE_HELD)
        repeat_print();
    repeat_world(NULL);
    world_free(run->world);
    return exit_code;
}

static int run_simulate(const struct options *options)
{
    char path[PATH_MAX];
    const char *file = scenario_find(options->files[0], path);
    struct run run = {.options = options};
    struct text errors = {0};
    int exit_code = EXIT_CODE_USAGE;
    run.scenario = scenario_load(file, &registry, options->settings, options->setting_count, &errors);
    if (!run.scenario) {
        fputs(text_c(&errors), stderr);
        scenario_find_explain(file);
        text_fini(&errors);
        return EXIT_CODE_SCENARIO;
    }
    run.seed = options->seed_given ? options->seed : random_seed();
    repeat_watch(options, file, run.seed);
    if (outputs_open(&run.outputs, options))
        exit_code = play_and_tell(&run);
    scenario_free(run.scenario);
    text_fini(&errors);
    return exit_code;
}

const struct command command_simulate = {
    .name = "simulate",
    .arguments = "SCENARIO",
    .summary = "plays a scenario in virtual time and reports what happened, and why",
    .help = "Play a scenario in virtual time and report what happened, and why.\n\n"
            "  doorbuster simulate black-friday-v5             thirty minutes in seconds\n"
            "  doorbuster simulate black-friday-v5 --seed 7    the same run each time\n"
            "  doorbuster simulate incident.yaml --json        the report for a program\n"
            "  doorbuster simulate incident.yaml --traces t.jsonl --logs l.jsonl\n"
            "  doorbuster simulate black-friday-v5 --set postgresql.cores=16\n\n"
            "SCENARIO is a file, or a name that `doorbuster scenarios` lists.\n"
            "FILE may be - for standard output. Exits with 99 when an expectation\n"
            "failed or a fault did not land.",
    .options = (const int[]){OPTION_SEED, OPTION_SET, OPTION_START, OPTION_REPORT, OPTION_TRACES,
                             OPTION_METRICS, OPTION_LOGS, OPTION_JSON, OPTION_QUIET, 0},
    .files_min = 1,
    .files_max = 1,
    .run = run_simulate,
};
