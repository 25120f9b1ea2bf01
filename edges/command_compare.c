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
    .help = "Compare the traces of two runs, as --traces writes them.\n\n"
            "  doorbuster compare a.jsonl b.jsonl\n"
            "  doorbuster compare a.jsonl first.jsonl,rest.jsonl\n\n"
            "A and B are files, or several each, with commas between. A name without a file\n"
            "means what `run --processes` wrote in its place: b.cart-service.jsonl and the\n"
            "like for b.jsonl.\n"
            "Ids, parents, names, kinds, status, attributes and links count. Times do not,\n"
            "nor where a service ran, nor attributes that measure time or load. A scenario\n"
            "of physics: scripted tells the same traces with simulate and with run.\n"
            "Exits with 99, and the first differences, when they differ.",
    .options = (const int[]){OPTION_QUIET, 0},
    .files_min = 2,
    .files_max = 2,
    .run = run,
};
