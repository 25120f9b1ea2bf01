/*
 * command: the verbs of the program, one line each in a table; main picks one.
 *
 * A verb's function gets parsed options and returns an exit code (exit_code.h). Data goes to standard
 * output, everything else to standard error.
 */
#ifndef EDGES_COMMAND_H
#define EDGES_COMMAND_H

#include "edges/options.h"

struct command {
    const char *name;
    const char *arguments; /* for the usage line: "SCENARIO..." */
    const char *summary; /* one line, for the overview */
    const char *help; /* above the options: what it does, then examples */
    const int *options; /* keys it takes; ends with 0. NULL: none */
    size_t files_min, files_max;
    int (*run)(const struct options *options);
};

extern const struct command command_simulate, command_run, command_check, command_doctor, command_scenarios,
    command_compare, command_export, command_clean, command_version;

/* The whole program: finds the verb, parses its options, runs it. */
int command_main(int argc, char **argv);

#endif
