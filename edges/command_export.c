/* export: a scenario's alerts as Prometheus rules, and its run as a promtool test of them. */
#include "edges/command.h"
#include "edges/exit_code.h"
#include "edges/output.h"
#include "edges/paint.h"
#include "edges/progress.h"
#include "edges/promtool_rules.h"
#include "edges/promtool_test.h"
#include "edges/registry.h"
#include "edges/repeat.h"
#include "edges/scenario_find.h"
#include "edges/scenario_load.h"
#include "edges/session.h"
#include "edges/simulate.h"
#include "edges/version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a reader wants to look at, beside what the rules use. */
#define ALSO                                                                                                 \
    "http_server_request_duration_seconds_count db_client_connections db_client_connections_max "            \
    "db_client_connection_pending_requests db_client_connection_timeouts_total"

static struct export
{
    struct scenario *scenario;
    struct world *world;
    struct promtool_series *series;
    struct promtool_states states;
    struct text rules, test;
    size_t asked;
}
export;

static const volatile sig_atomic_t *stop;

static void on_metrics(void *owner, const struct metrics *metrics, int64_t at_ns)
{
    (void)owner;
    promtool_series_take(export.series, export.world, metrics, at_ns);
    promtool_states_take(&export.states, promtool_series_samples(export.series), world_stats(export.world),
                         export.scenario->alert_count);
}

static void put_origin(struct text *yaml, const char *what, const char *file, uint64_t seed)
{
    text_lit(yaml, "# ");
    text_str(yaml, what);
    text_lit(yaml, "\n# Made by doorbuster ");
    text_str(yaml, version_number());
    text_lit(yaml, " from ");
    paint_plain(yaml, &(struct paint){.utf8 = false}, file);
    text_lit(yaml, ", seed ");
    text_u64(yaml, seed);
    text_lit(yaml, ". Try it: promtool test rules test.yaml\n");
}

static bool play(const struct options *options, uint64_t seed)
{
    struct progress progress;
    struct world_options world = {.scenario = export.scenario,
                                  .registry = &registry,
                                  .seed = seed,
                                  .sink = {.metrics = on_metrics},
                                  .history_ns = options->history_ns};
    export.world = world_new(&world);
    repeat_world(export.world);
    progress_open(&progress, export.scenario, options->quiet);
    bool whole = simulate_world(export.world, &progress, NULL, stop);
    progress_close(&progress);
    repeat_world(NULL);
    world_free(export.world);
    return whole;
}

/* ---- files ---- */

static bool write_file(int folder, const char *path, const char *name, const struct text *content)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    if (fd == -1) {
        fprintf(stderr, "doorbuster: %s/%s: %s\n", path, name, strerror(errno));
        return false;
    }
    bool whole = output_write(fd, name, content);
    if (close(fd) && whole) {
        output_failed(name, errno);
        return false;
    }
    return whole;
}

/* Made if it is not there, its last part alone. */
static int open_folder(const char *path)
{
    if (mkdir(path, 0777) && errno != EEXIST) {
        fprintf(stderr, "doorbuster: --promtool %s: %s\n", path, strerror(errno));
        return -1;
    }
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder == -1)
        fprintf(stderr, "doorbuster: --promtool %s: %s\n", path, strerror(errno));
    return folder;
}

static void tell(const struct options *options)
{
    struct text line = {0};
    text_lit(&line, "rules.yaml: ");
    text_count(&line, export.scenario->alert_count);
    text_str(&line, export.scenario->alert_count == 1 ? " alert\ntest.yaml: " : " alerts\ntest.yaml: ");
    text_count(&line, promtool_series_count(export.series));
    text_lit(&line, " series of ");
    text_count(&line, promtool_series_samples(export.series));
    text_lit(&line, " samples, ");
    text_count(&line, export.asked);
    text_lit(&line, " questions\ntry: promtool test rules ");
    repeat_quote(&line, options->promtool);
    text_lit(&line, "/test.yaml\n");
    fputs(text_c(&line), stdout);
    text_fini(&line);
}

static int write_all(const struct options *options, const char *file, uint64_t seed, int folder)
{
    if (promtool_series_full(export.series)) {
        fprintf(stderr, "doorbuster: %s: more than %zu MB of series; make the scenario shorter\n", file,
                PROMTOOL_SERIES_TEXT_MAX >> 20);
        return EXIT_CODE_INTERNAL;
    }
    put_origin(&export.test, "A run, and what its alerts did, as a promtool test.", file, seed);
    promtool_test_open(&export.test, "rules.yaml", export.series);
    export.asked = promtool_test_alerts(&export.test, export.scenario, export.series, &export.states);
    if (!write_file(folder, options->promtool, "rules.yaml", &export.rules) ||
        !write_file(folder, options->promtool, "test.yaml", &export.test))
        return EXIT_CODE_INTERNAL;
    if (!options->quiet)
        tell(options);
    return EXIT_CODE_HELD;
}

static int export_scenario(const struct options *options, const char *file, uint64_t seed)
{
    struct prometheus_bounds bounds;
    struct text mentions = {0};
    int folder = open_folder(options->promtool);
    if (folder == -1)
        return EXIT_CODE_USAGE;
    put_origin(&export.rules, "The scenario's alerts as rules for its metrics.", file, seed);
    promtool_rules_write(&export.rules, export.scenario, &registry);
    text_str(&mentions, text_c(&export.rules));
    text_lit(&mentions, ALSO);
    prometheus_bounds_of(&bounds, export.scenario);
    export.series = promtool_series_new(
        &(struct promtool_series_options){.mentions = text_c(&mentions),
                                          .bounds = &bounds,
                                          .end_ns = export.scenario->duration_ns,
                                          .past = (size_t)(options->history_ns / WORLD_SAMPLE_NS),
                                          .scenario = export.scenario});
    int exit_code = EXIT_CODE_INTERRUPTED;
    if (play(options, seed))
        exit_code = write_all(options, file, seed, folder);
    promtool_series_free(export.series);
    promtool_states_free(&export.states);
    text_fini(&export.rules);
    text_fini(&export.test);
    text_fini(&mentions);
    close(folder);
    return exit_code;
}

static int run(const struct options *options)
{
    char path[PATH_MAX];
    const char *file = scenario_find(options->files[0], path);
    struct text errors = {0};
    uint64_t seed = session_seed(options);
    if (!options->promtool) {
        fputs("doorbuster: export wants --promtool DIR\nSee `doorbuster export --help`.\n", stderr);
        return EXIT_CODE_USAGE;
    }
    export.scenario = scenario_load(file, &registry, options->settings, options->setting_count, &errors);
    if (!export.scenario) {
        fputs(text_c(&errors), stderr);
        scenario_find_explain(file);
        text_fini(&errors);
        return EXIT_CODE_SCENARIO;
    }
    stop = simulate_watch_signals();
    repeat_watch(options, file, seed);
    int exit_code = EXIT_CODE_SCENARIO;
    if (session_honours(&(struct driver){.no_http = "in virtual time"}, export.scenario))
        exit_code = export_scenario(options, file, seed);
    scenario_free(export.scenario);
    text_fini(&errors);
    return exit_code;
}

const struct command command_export = {
    .name = "export",
    .arguments = "SCENARIO",
    .summary = "writes a scenario's alerts as Prometheus rules, with a promtool test of them",
    .help = "Play a scenario in virtual time, and write its alerts as Prometheus rules\n"
            "(rules.yaml) and its run as a promtool test of them (test.yaml).\n\n"
            "  doorbuster export --promtool out black-friday-v5\n"
            "  promtool test rules out/test.yaml\n"
            "  doorbuster export --promtool out black-friday-v5 --seed 7 --history 72h\n\n"
            "The rules stand on the metrics that `doorbuster run` shows at /metrics, scraped\n"
            "every 15 s: they serve there too. Files of these names in DIR are overwritten.\n"
            "With --history 72h promtool has three days to go through, and takes a minute.",
    .options = (const int[]){OPTION_PROMTOOL, OPTION_SEED, OPTION_SET, OPTION_HISTORY, OPTION_QUIET, 0},
    .files_min = 1,
    .files_max = 1,
    .run = run,
};
