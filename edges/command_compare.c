/* compare: whether two runs told the same traces, and where they first differ. */
#include "edges/command.h"
#include "edges/compare.h"
#include "edges/exit_code.h"

#include <stdio.h>

static int run(const struct options *options)
{
    struct text told = {0};
    enum compare_result result = compare_traces(options->files[0], options->files[1], &told);
    if (result == COMPARE_UNREADABLE)
        fprintf(stderr, "doorbuster: %s", text_c(&told));
    else if (!options->quiet)
        fputs(text_c(&told), stdout);
    text_fini(&told);
    return result == COMPARE_EQUAL       ? EXIT_CODE_HELD
           : result == COMPARE_DIFFERENT ? EXIT_CODE_FAILED
                                         : EXIT_CODE_USAGE;
}

const struct command command_compare = {
    .name = "compare",
    .arguments = "A B",
    .summary = "says whether two runs told the same traces",
    .help = "Compare two sets of traces, as --traces writes them: each A and B is a file, or several\n"
            "with commas between. Ids, parents, names, kinds, status, attributes and links count;\n"
            "times do not, nor where a service ran, nor what measures time or load.\n\n"
            "  doorbuster simulate my-incident --seed 7 --traces a.json\n"
            "  doorbuster run my-incident --seed 7 --traces b.json\n"
            "  doorbuster compare a.json b.json\n\n"
            "Exits with 99, and the first differences, when they differ. Runs of a scenario of\n"
            "physics: scripted tell the same traces whatever the clock; where failures have\n"
            "causes, those of two clocks differ.",
    .options = (const int[]){OPTION_QUIET, 0},
    .files_min = 2,
    .files_max = 2,
    .run = run,
};
