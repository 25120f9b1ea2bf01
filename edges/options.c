#include "edges/options.h"

#include "core/quantity.h"
#include "edges/command.h"
#include "edges/exit_code.h"
#include "edges/hint.h"
#include "edges/log_lines.h"
#include "edges/registry.h"
#include "edges/start_time.h"

#include <argp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct argp_option table[] = {
    {"seed", OPTION_SEED, "N", 0, "The same seed is the same run (default: random, and printed)", 0},
    {"set", OPTION_SET, "PATH=VALUE", 0,
     "Change one value of the scenario, as in postgresql.cores=16 (repeatable)", 0},
    {"start", OPTION_START, "TIME", 0,
     "The first instant, RFC 3339 or unix seconds (default: so that the run ends now)", 0},
    {"report", OPTION_REPORT, "FILE", 0, "Write the report as JSON", 0},
    {"traces", OPTION_TRACES, "FILE", 0, "Write all spans as OTLP/JSON lines", 0},
    {"metrics", OPTION_METRICS, "FILE", 0, "Write the metrics as OTLP/JSON lines", 0},
    {"logs", OPTION_LOGS, "FILE", 0, "Write the logs as OTLP/JSON lines", 0},
    {"answer-key", OPTION_ANSWER_KEY, "FILE", 0,
     "Write what a drill asks for: the root cause, the first bad span, who was hit, when", 0},
    {"junit", OPTION_JUNIT, "FILE", 0, "Write the expectations as JUnit test cases", 0},
    {"profile", OPTION_PROFILE, "FILE", 0,
     "Write where the CPU time went: folded stacks, or pprof where FILE ends in .pb.gz", 0},
    {"history", OPTION_HISTORY, "DURATION", 0,
     "Let alerts' windows reach into that much healthy traffic before the run, as in 72h", 0},
    {"fork", OPTION_FORK, "AT CHANGE", 0,
     "Play it twice from the same seed, the second time with this change from there on, and compare", 0},
    {"rules", OPTION_RULES, "FILE", 0, "Try Prometheus rules of your own against the run (needs promtool)",
     0},
    {"promtool", OPTION_PROMTOOL, "DIR", 0,
     "Write the run's series, the alerts as Prometheus rules, and a test of them for promtool", 0},
    {"otlp", OPTION_OTLP, "URL", 0, "Send traces, metrics and logs to this OTLP/HTTP endpoint", 0},
    {"json", OPTION_JSON, NULL, 0, "JSON on standard output, and nothing else there", 0},
    {"quiet", OPTION_QUIET, NULL, 0, "Say no more than what was asked for: no progress, no timings", 0},
    {"from", OPTION_FROM, "DURATION", 0, "Begin the timeline there, after a minute of what comes before it",
     0},
    {"speed", OPTION_SPEED, "X", 0, "Play the timeline X times as fast (default: 1)", 0},
    {"listen", OPTION_LISTEN, "ADDRESS", 0, "Serve on this address (default: 127.0.0.1)", 0},
    {"log-level", OPTION_LOG_LEVEL, "LEVEL", 0, "Logs on stderr as JSON lines: info, warn or error", 0},
    {"postgres", OPTION_POSTGRES, "managed|URL", 0,
     "Ask a real PostgreSQL: one of doorbuster's own, postgresql://..., or env (default: model)", 0},
    {"redis", OPTION_REDIS, "managed|URL", 0,
     "Ask a real Redis: one of doorbuster's own, redis://..., unix://..., or env (default: model)", 0},
    {"yes", OPTION_YES, NULL, 0, "Let the run have the database at the URL, whose orders it takes away", 0},
    {"only", OPTION_ONLY, "SERVICE,...", 0,
     "Host these alone, of the services, postgresql and redis; the others are peers (repeatable)", 0},
    {"peer", OPTION_PEER, "SERVICE=HOST:PORT", 0,
     "Where a service is that --only leaves out (repeatable; several of one are copies)", 0},
    {"processes", OPTION_PROCESSES, "N", 0, "Spread the services over N processes of this machine", 0},
    {"help", OPTION_HELP, NULL, 0, "Show this help", -1},
};

#define HISTORY_MAX_NS (30 * 24 * 60 * NS_PER_MIN)

struct parsing {
    struct options *options;
    const struct command *command;
    int exit_code;
    bool done; /* help was shown, or an error explained */
};

const char *output_kind_option(enum output_kind kind)
{
    static const char *const names[] = {"--report",     "--traces", "--metrics", "--logs",
                                        "--answer-key", "--junit",  "--profile"};
    _Static_assert(ARRAY_LEN(names) == OUTPUT_KINDS, "every kind has its option");
    return names[kind];
}

static bool takes(const struct command *command, int key)
{
    for (const int *taken = command->options; taken && *taken; taken++)
        if (*taken == key)
            return true;
    return key == OPTION_HELP;
}

/* The message ends the parse: argp hears EINVAL and says nothing of its own. */
__attribute__((format(printf, 2, 3))) static error_t refuse(struct parsing *parsing, const char *format, ...)
{
    va_list args;
    if (parsing->done)
        return EINVAL;
    parsing->done = true;
    parsing->exit_code = EXIT_CODE_USAGE;
    fputs("doorbuster: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nSee `doorbuster %s --help`.\n", parsing->command->name);
    return EINVAL;
}

static error_t take_seed(struct parsing *parsing, const char *arg)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(arg, &end, 10);
    if (*arg < '0' || *arg > '9' || *end || errno || value > INT64_MAX)
        return refuse(parsing, "--seed %s: expected a whole number from 0 to %lld", arg,
                      (long long)INT64_MAX);
    parsing->options->seed = value;
    parsing->options->seed_given = true;
    return 0;
}

static error_t take_setting(struct parsing *parsing, const char *arg)
{
    struct options *options = parsing->options;
    const char *equals = strchr(arg, '=');
    if (!equals || equals == arg)
        return refuse(parsing, "--set %s: expected PATH=VALUE, as in --set postgresql.cores=16", arg);
    if (options->setting_count == SETTINGS_MAX)
        return refuse(parsing, "more than %d --set", SETTINGS_MAX);
    options->settings[options->setting_count++] = arg;
    return 0;
}

static error_t take_output(struct parsing *parsing, enum output_kind kind, const char *arg)
{
    const char **outputs = parsing->options->outputs;
    if (!*arg)
        return refuse(parsing, "%s: expected a file name, or - for standard output",
                      output_kind_option(kind));
    for (enum output_kind other = 0; other < OUTPUT_KINDS && !strcmp(arg, "-"); other++)
        if (other != kind && outputs[other] && !strcmp(outputs[other], "-"))
            return refuse(parsing, "%s - and %s -: standard output can take one of them",
                          output_kind_option(other), output_kind_option(kind));
    outputs[kind] = arg;
    return 0;
}

static error_t take_argument(struct parsing *parsing, const char *arg)
{
    struct options *options = parsing->options;
    size_t most = MIN(parsing->command->files_max, (size_t)FILES_MAX);
    if (options->file_count == most)
        return refuse(parsing, "%s: one argument too many", arg);
    options->files[options->file_count++] = arg;
    return 0;
}

/* What stands together must make sense. */
static error_t check_whole(struct parsing *parsing)
{
    const struct options *options = parsing->options;
    if (options->file_count < parsing->command->files_min)
        return refuse(parsing, "%s wants %s%s", parsing->command->name, parsing->command->arguments,
                      strstr(parsing->command->arguments, "SCENARIO")
                          ? ": a file, or a name that `doorbuster scenarios` lists"
                          : "");
    bool real = (options->postgres && strcmp(options->postgres, "model")) ||
                (options->redis && strcmp(options->redis, "model"));
    if (real && options->speed != 1)
        return refuse(parsing, "--speed %g and a real store: its queries cannot be made faster or slower",
                      options->speed);
    if (options->processes && (options->only_count || options->peer_count))
        return refuse(parsing, "--processes and %s: it says itself which process hosts what",
                      options->only_count ? "--only" : "--peer");
    for (enum output_kind kind = 0; options->json && kind < OUTPUT_KINDS; kind++)
        if (options->outputs[kind] && !strcmp(options->outputs[kind], "-"))
            return refuse(parsing, "--json and %s -: standard output can take one of them",
                          output_kind_option(kind));
    return 0;
}

/* argp has met an option it does not know, or one without its value; the culprit was read last. */
static error_t explain(struct parsing *parsing, const struct argp_state *state)
{
    const char *names[ARRAY_LEN(table)];
    size_t count = 0;
    const char *word = state->next > 0 && state->next <= state->argc ? state->argv[state->next - 1] : "";
    if (strncmp(word, "--", 2))
        return refuse(parsing, "unknown option %s", word);
    char name[HINT_WORD_MAX + 1];
    size_t len = strcspn(word + 2, "=");
    snprintf(name, sizeof name, "%.*s", (int)MIN(len, sizeof name - 1), word + 2);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (!takes(parsing->command, table[i].key))
            continue;
        names[count++] = table[i].name;
        if (!strcmp(table[i].name, name))
            return refuse(parsing, table[i].arg ? "--%s wants a value" : "--%s takes no value", name);
    }
    const char *nearest = hint_nearest(name, names, count);
    return nearest ? refuse(parsing, "unknown option --%s; did you mean --%s?", name, nearest)
                   : refuse(parsing, "unknown option --%s", name);
}

static error_t parse_start(struct parsing *parsing, const char *arg)
{
    parsing->options->start_given = true;
    if (start_time_parse(arg, &parsing->options->start_unix_ns))
        return 0;
    return refuse(parsing, "--start %s: expected 2026-11-27T22:47:00Z or seconds since 1970", arg);
}

static bool read_duration(const char *arg, int64_t *duration_ns)
{
    struct slice text = {arg, (uint32_t)strlen(arg)};
    return quantity_duration(text, duration_ns) == QUANTITY_OK && *duration_ns >= 0;
}

static error_t parse_from(struct parsing *parsing, const char *arg)
{
    if (read_duration(arg, &parsing->options->from_ns))
        return 0;
    return refuse(parsing, "--from %s: expected a duration with its unit, as in 18m", arg);
}

static error_t parse_history(struct parsing *parsing, const char *arg)
{
    if (read_duration(arg, &parsing->options->history_ns) && parsing->options->history_ns <= HISTORY_MAX_NS)
        return 0;
    return refuse(parsing, "--history %s: expected a duration of up to 30 days with its unit, as in 72h",
                  arg);
}

/* The one option of two words: when, and what. */
static error_t parse_fork(struct parsing *parsing, const char *arg, struct argp_state *state)
{
    struct options *options = parsing->options;
    if (options->fork)
        return refuse(parsing, "more than one --fork: a fork is one change");
    if (*arg && !arg[strspn(arg, "0123456789.")])
        return refuse(parsing, "--fork %s: the instant wants its unit, as in --fork %.16sm", arg, arg);
    if (!read_duration(arg, &options->fork_ns) || state->next >= state->argc)
        return refuse(parsing,
                      "--fork %s: expected an instant and a change, as in --fork 18m 'create_index: "
                      "idx_products_recommendations'",
                      arg);
    options->fork = state->argv[state->next++];
    return 0;
}

static error_t parse_speed(struct parsing *parsing, const char *arg)
{
    char *end;
    parsing->options->speed = strtod(arg, &end);
    if (end != arg && !*end && parsing->options->speed >= 0.1 && parsing->options->speed <= 1000)
        return 0;
    return refuse(parsing, "--speed %s: expected a number from 0.1 to 1000", arg);
}

/* As numbers: that it is an address of this machine is known when it is listened on. */
static error_t parse_listen(struct parsing *parsing, const char *arg)
{
    struct in_addr v4;
    struct in6_addr v6;
    parsing->options->listen = arg;
    if (inet_pton(AF_INET, arg, &v4) == 1 || inet_pton(AF_INET6, arg, &v6) == 1)
        return 0;
    return refuse(parsing, "--listen %s: expected an address as numbers, as in 0.0.0.0 or ::1", arg);
}

static error_t parse_rules(struct parsing *parsing, const char *arg)
{
    if (parsing->options->rules)
        return refuse(parsing, "more than one --rules: put the groups of both into one file");
    parsing->options->rules = arg;
    return 0;
}

static error_t parse_log_level(struct parsing *parsing, const char *arg)
{
    enum log_severity level;
    parsing->options->log_level = arg;
    if (log_level_parse(arg, &level))
        return 0;
    return refuse(parsing, "--log-level %s: expected info, warn or error", arg);
}

static error_t take_store(struct parsing *parsing, const char *option, const char **where, const char *arg)
{
    if (!*arg)
        return refuse(parsing, "%s: expected managed, model, env or a URL", option);
    *where = arg;
    return 0;
}

static error_t take_only(struct parsing *parsing, const char *arg)
{
    struct options *options = parsing->options;
    if (!*arg)
        return refuse(parsing, "--only: expected services, as in --only cart-service,redis");
    if (options->only_count == ONLY_MAX)
        return refuse(parsing, "more than %d --only: one takes several services, with commas between",
                      ONLY_MAX);
    options->only[options->only_count++] = arg;
    return 0;
}

static error_t take_peer(struct parsing *parsing, const char *arg)
{
    struct options *options = parsing->options;
    if (!*arg)
        return refuse(parsing, "--peer: expected SERVICE=HOST:PORT, as in --peer redis=127.0.0.1:7379");
    if (options->peer_count == PEERS_MAX)
        return refuse(parsing, "more than %d --peer", PEERS_MAX);
    options->peers[options->peer_count++] = arg;
    return 0;
}

static error_t parse_processes(struct parsing *parsing, const char *arg)
{
    char *end;
    int most = (int)registry.kind_count;
    long count = strtol(arg, &end, 10);
    if (*arg < '0' || *arg > '9' || *end || count < 2 || count > most)
        return refuse(parsing,
                      "--processes %s: expected a whole number from 2 to %d, of which each has a service",
                      arg, most);
    parsing->options->processes = (int)count;
    return 0;
}

static error_t show_help(struct parsing *parsing, const struct argp_state *state)
{
    argp_help(state->root_argp, stdout, ARGP_HELP_SHORT_USAGE | ARGP_HELP_DOC | ARGP_HELP_LONG, state->name);
    parsing->done = true;
    return EINVAL;
}

static error_t parse_one(int key, char *arg, struct argp_state *state)
{
    struct parsing *parsing = state->input;
    switch (key) {
    case OPTION_SEED:
        return take_seed(parsing, arg);
    case OPTION_SET:
        return take_setting(parsing, arg);
    case OPTION_START:
        return parse_start(parsing, arg);
    case OPTION_REPORT:
    case OPTION_TRACES:
    case OPTION_METRICS:
    case OPTION_LOGS:
    case OPTION_ANSWER_KEY:
    case OPTION_JUNIT:
    case OPTION_PROFILE:
        return take_output(parsing, (enum output_kind)(key - OPTION_REPORT), arg);
    case OPTION_HISTORY:
        return parse_history(parsing, arg);
    case OPTION_FORK:
        return parse_fork(parsing, arg, state);
    case OPTION_RULES:
        return parse_rules(parsing, arg);
    case OPTION_PROMTOOL:
        parsing->options->promtool = arg;
        return 0;
    case OPTION_OTLP:
        parsing->options->otlp = arg;
        return 0;
    case OPTION_JSON:
        parsing->options->json = true;
        return 0;
    case OPTION_QUIET:
        parsing->options->quiet = true;
        return 0;
    case OPTION_FROM:
        return parse_from(parsing, arg);
    case OPTION_SPEED:
        return parse_speed(parsing, arg);
    case OPTION_LISTEN:
        return parse_listen(parsing, arg);
    case OPTION_LOG_LEVEL:
        return parse_log_level(parsing, arg);
    case OPTION_POSTGRES:
        return take_store(parsing, "--postgres", &parsing->options->postgres, arg);
    case OPTION_REDIS:
        return take_store(parsing, "--redis", &parsing->options->redis, arg);
    case OPTION_YES:
        parsing->options->yes = true;
        return 0;
    case OPTION_ONLY:
        return take_only(parsing, arg);
    case OPTION_PEER:
        return take_peer(parsing, arg);
    case OPTION_PROCESSES:
        return parse_processes(parsing, arg);
    case OPTION_HELP:
        return show_help(parsing, state);
    case ARGP_KEY_ARG:
        return take_argument(parsing, arg);
    case ARGP_KEY_END:
        return check_whole(parsing);
    case ARGP_KEY_ERROR:
        return explain(parsing, state);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

bool options_parse(struct options *options, const struct command *command, int argc, char **argv,
                   int *exit_code)
{
    struct argp_option taken[ARRAY_LEN(table) + 1] = {0};
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (takes(command, table[i].key))
            taken[count++] = table[i];
    char name[64];
    snprintf(name, sizeof name, "doorbuster %s", command->name);
    argv[0] = name;
    const struct argp argp = {taken, parse_one, command->arguments, command->help, NULL, NULL, NULL};
    struct parsing parsing = {.options = options, .command = command};
    *options = (struct options){.verb = command->name, .speed = 1};
    error_t error = argp_parse(&argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP | ARGP_NO_EXIT, NULL, &parsing);
    *exit_code = parsing.exit_code;
    return !error && !parsing.done;
}
