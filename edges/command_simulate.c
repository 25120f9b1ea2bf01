/* simulate: a scenario in virtual time. */
#include "edges/command.h"
#include "edges/exit_code.h"
#include "edges/otlp_outlet.h"
#include "edges/rules_trial.h"
#include "edges/session.h"
#include "edges/simulate.h"
#include "edges/start_time.h"

enum { OTLP_QUEUE_BYTES_VIRTUAL = 16 << 20 }; /* the run waits for its backend, so that little suffices */

static const volatile sig_atomic_t *stop;
static struct otlp_outlet outlet;
static struct {
    struct rules_trial *of; /* NULL: no rules of the user's own are tried */
    struct session *session;
} trial;

/* Metrics also go into the series that the user's rules are tried on. */
static void on_metrics(void *exporter, const struct metrics *metrics, int64_t at_ns)
{
    rules_trial_take(trial.of, trial.session->world, metrics, at_ns);
    if (exporter)
        otlp_export_metrics(exporter, metrics, at_ns);
}

static bool open_outlet(struct session *session)
{
    struct otlp_outlet_options otlp = {.loop = ev_default_loop(0),
                                       .endpoint = session->options->otlp,
                                       .virtual = true,
                                       .queue_bytes = OTLP_QUEUE_BYTES_VIRTUAL};
    session->exit_code = EXIT_CODE_USAGE;
    if (!otlp_outlet_open(&outlet, session, &otlp))
        return false;
    otlp_outlet_sink(&outlet, &session->extra);
    return true;
}

static bool open_trial(struct session *session)
{
    const struct options *options = session->options;
    trial.of =
        rules_trial_open(options->rules, session->scenario, options->history_ns, stop, &session->exit_code);
    trial.session = session;
    return trial.of != NULL;
}

static bool prepare(struct session *session, struct world_options *world)
{
    const struct options *options = session->options;
    if (!session_from(session, world))
        return false;
    stop = simulate_watch_signals();
    session->start_unix_ns =
        options->start_given ? options->start_unix_ns : start_time_ending_now(session->scenario->duration_ns);
    if (options->rules && !open_trial(session))
        return false;
    if (options->otlp && !open_outlet(session))
        return false;
    if (trial.of)
        session->extra.metrics = on_metrics;
    return true;
}

static void play(struct session *session)
{
    struct progress progress;
    progress_open(&progress, session->scenario, session->options->quiet);
    session->interrupted = !simulate_world(session->world, &progress, outlet.export, stop);
    progress_close(&progress);
    session->failed_to_write |= !otlp_outlet_close(&outlet, 0, stop);
}

static bool play_again(struct session *session, struct world *world)
{
    struct progress progress;
    progress_open(&progress, session->forked, session->options->quiet);
    bool whole = simulate_world(world, &progress, NULL, stop);
    progress_close(&progress);
    return whole;
}

/* promtool's time is not the run's. */
static void judge(struct session *session)
{
    if (!trial.of)
        return;
    int exit_code;
    session->rules = rules_trial_judge(trial.of, &exit_code);
    if (!session->rules)
        session->exit_code = exit_code;
}

static int run_simulate(const struct options *options)
{
    static const struct driver virtual_time = {.layout = "virtual",
                                               .no_http = "in virtual time",
                                               .prepare = prepare,
                                               .play = play,
                                               .judge = judge,
                                               .play_again = play_again};
    int exit_code = session_run(options, &virtual_time);
    rules_trial_close(trial.of);
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
            "  doorbuster simulate black-friday-v5 --otlp http://localhost:4318\n"
            "  doorbuster simulate black-friday-v5 --set postgresql.cores=16\n"
            "  doorbuster simulate black-friday-v5 --fork 18m \\\n"
            "      'create_index: idx_products_recommendations'\n"
            "  doorbuster simulate black-friday-v5 --answer-key key.json\n"
            "  doorbuster simulate black-friday-v5 --rules my-alerts.yaml\n\n"
            "SCENARIO is a file, or a name that `doorbuster scenarios` lists.\n"
            "FILE may be - for standard output. Exits with 99 when an expectation\n"
            "failed or a fault did not land.",
    .options =
        (const int[]){OPTION_SEED, OPTION_SET, OPTION_FROM, OPTION_START, OPTION_REPORT, OPTION_TRACES,
                      OPTION_METRICS, OPTION_LOGS, OPTION_OTLP, OPTION_HISTORY, OPTION_JSON, OPTION_QUIET,
                      OPTION_ANSWER_KEY, OPTION_JUNIT, OPTION_PROFILE, OPTION_FORK, OPTION_RULES, 0},
    .files_min = 1,
    .files_max = 1,
    .run = run_simulate,
};
