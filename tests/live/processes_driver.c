/*
 * `doorbuster run` with --processes and another program in the place of the children:
 *
 *     processes_driver PROGRAM SCENARIO --processes N [OPTION...]
 */
#include "edges/command.h"
#include "edges/exit_code.h"
#include "edges/processes.h"
#include "edges/registry.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    static struct options options;
    int exit_code;
    if (argc < 2)
        return EXIT_CODE_USAGE;
    const char *program = argv[1];
    if (!options_parse(&options, &command_run, argc - 1, argv + 1, &exit_code))
        return exit_code;
    if (options.processes)
        return processes_run(&options, &registry, program);
    fputs("processes_driver: expected --processes\n", stderr);
    return EXIT_CODE_USAGE;
}
