/* clean: removes what managed servers keep in the user's cache. */
#include "edges/command.h"
#include "edges/exit_code.h"
#include "edges/managed.h"

#include <stdio.h>

static int run(const struct options *options)
{
    struct text told = {0};
    bool whole = managed_clean(NULL, &told);
    if (!whole || !options->quiet)
        fputs(text_c(&told), whole ? stdout : stderr);
    text_fini(&told);
    return whole ? EXIT_CODE_HELD : EXIT_CODE_INTERNAL;
}

const struct command command_clean = {
    .name = "clean",
    .arguments = "",
    .summary = "removes what managed PostgreSQL and Redis servers keep on the disk",
    .help = "Remove the data of the servers that `--postgres managed` and `--redis managed`\n"
            "start: the next run makes it again. A server that a killed run left behind is\n"
            "ended first; one that a run is using stays, and so does its data (exit code 1).\n\n"
            "  doorbuster clean\n\n"
            "It is kept in $XDG_CACHE_HOME/doorbuster, else ~/.cache/doorbuster, and in\n"
            "/var/cache/doorbuster for root. Nothing that doorbuster has not made is touched.",
    .options = (const int[]){OPTION_QUIET, 0},
    .run = run,
};
