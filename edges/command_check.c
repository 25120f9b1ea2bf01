/* check: says what is wrong with scenario files, and where. */
#include "edges/command.h"
#include "edges/exit_code.h"
#include "edges/registry.h"
#include "edges/scenario_find.h"
#include "edges/scenario_load.h"

#include <stdio.h>

static bool check_one(const char *argument, const struct options *options)
{
    char path[PATH_MAX];
    const char *file = scenario_find(argument, path);
    struct text errors = {0};
    struct scenario *scenario =
        scenario_load(file, &registry, options->settings, options->setting_count, &errors);
    if (!scenario) {
        fputs(text_c(&errors), stderr);
        scenario_find_explain(file);
    } else if (!options->quiet) {
        printf("%s: ok\n", file);
    }
    scenario_free(scenario);
    text_fini(&errors);
    return scenario != NULL;
}

static int run(const struct options *options)
{
    bool good = true;
    for (size_t i = 0; i < options->file_count; i++)
        good = check_one(options->files[i], options) && good;
    return good ? EXIT_CODE_HELD : EXIT_CODE_SCENARIO;
}

const struct command command_check = {
    .name = "check",
    .arguments = "SCENARIO...",
    .summary = "says what is wrong with scenario files, and where",
    .help = "Check scenario files: each one is ok, or its errors are told as\n"
            "FILE:LINE:COLUMN: PATH: what was expected, what was found.\n\n"
            "  doorbuster check my-incident.yaml\n"
            "  doorbuster check scenarios/*.yaml\n"
            "  doorbuster check black-friday-v5 --set duration=45m\n\n"
            "What must fit together is looked at once the form is right: more may follow\n"
            "when the first errors are mended. Exits with 104 when one is bad.",
    .options = (const int[]){OPTION_SET, OPTION_QUIET, 0},
    .files_min = 1,
    .files_max = FILES_MAX,
    .run = run,
};
