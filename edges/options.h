/*
 * options: the command line of one verb, parsed by argp from one table of options.
 *
 * A verb names the options it takes; every other one is unknown to it. Text belongs to argv. At most
 * SETTINGS_MAX --set, ONLY_MAX --only, PEERS_MAX --peer and FILES_MAX arguments; more are refused. Usage errors are
 * explained on stderr, with the option that was probably meant.
 */
#ifndef EDGES_OPTIONS_H
#define EDGES_OPTIONS_H

#include "core/base.h"

struct command;

enum { SETTINGS_MAX = 256, FILES_MAX = 1024, ONLY_MAX = 64, PEERS_MAX = 64 };

/* Files that a run writes, in the order of struct options.outputs. */
enum output_kind {
    OUTPUT_REPORT,
    OUTPUT_TRACES,
    OUTPUT_METRICS,
    OUTPUT_LOGS,
    OUTPUT_ANSWER_KEY,
    OUTPUT_JUNIT,
    OUTPUT_PROFILE,
    OUTPUT_KINDS
};

/* Keys of the table, for struct command. */
enum option_key {
    OPTION_SEED = 256,
    OPTION_SET,
    OPTION_START,
    OPTION_REPORT,
    OPTION_TRACES,
    OPTION_METRICS,
    OPTION_LOGS,
    OPTION_ANSWER_KEY, /* in the order of output_kind */
    OPTION_JUNIT,
    OPTION_PROFILE,
    OPTION_HISTORY,
    OPTION_FORK,
    OPTION_RULES,
    OPTION_PROMTOOL,
    OPTION_OTLP,
    OPTION_JSON,
    OPTION_QUIET,
    OPTION_FROM,
    OPTION_SPEED,
    OPTION_LISTEN,
    OPTION_LOG_LEVEL,
    OPTION_POSTGRES,
    OPTION_REDIS,
    OPTION_YES,
    OPTION_ONLY,
    OPTION_PEER,
    OPTION_PROCESSES,
    OPTION_HELP = 'h' /* also -h */
};

struct options {
    const char *verb;
    const char *files[FILES_MAX]; /* what stands without an option: scenarios */
    size_t file_count;
    const char *settings[SETTINGS_MAX];
    size_t setting_count;
    const char *outputs[OUTPUT_KINDS]; /* NULL: not wanted; "-": standard output */
    uint64_t seed; /* at most INT64_MAX, so that JSON readers take it */
    int64_t start_unix_ns;
    int64_t from_ns; /* on the timeline */
    double speed; /* 1: real time */
    const char *otlp; /* URL; NULL: not wanted */
    const char *listen; /* address; NULL: 127.0.0.1 */
    const char *log_level; /* NULL: none */
    const char *postgres, *redis; /* "managed", "model", or where it is; NULL: the model */
    const char *only[ONLY_MAX]; /* as they were given: each one service, or several with commas between */
    size_t only_count; /* 0: this process hosts everything */
    const char *peers[PEERS_MAX]; /* likewise: SERVICE=HOST:PORT; edges/placement.h reads both */
    size_t peer_count;
    int processes; /* to spread over; 0: this one alone */
    int64_t history_ns; /* healthy traffic that alerts' windows reach into */
    int64_t fork_ns; /* where the second run differs */
    const char *fork; /* how: one fault as in a scenario, or PATH=VALUE; NULL: there is no second run */
    const char *rules; /* Prometheus rules to try against the run; NULL: none */
    const char *promtool; /* directory to write rules and their test to; NULL: none */
    bool seed_given, start_given, json, quiet, yes;
};

const char *output_kind_option(enum output_kind kind); /* "--report" */

/* True: go on with the verb. False: end the program with *exit_code (help was shown, or an error). */
bool options_parse(struct options *options, const struct command *command, int argc, char **argv,
                   int *exit_code);

#endif
