/* version: what this program is made of. */
#include "edges/command.h"
#include "edges/exit_code.h"
#include "edges/version.h"

#include <jansson.h>
#include <stdio.h>

static int show_json(void)
{
    size_t count;
    const struct library *libraries = version_libraries(&count);
    json_t *root = json_object(), *versions = json_object();
    ASSERT(root && versions);
    json_object_set_new(root, "version", json_string(version_number()));
    json_object_set_new(root, "commit", json_string(version_commit()));
    for (size_t i = 0; i < count; i++)
        json_object_set_new(versions, libraries[i].name, json_string(libraries[i].version));
    json_object_set_new(root, "libraries", versions);
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
    return EXIT_CODE_HELD;
}

static int run(const struct options *options)
{
    size_t count;
    const struct library *libraries = version_libraries(&count);
    if (options->json)
        return show_json();
    printf("doorbuster %s (commit %s)\n", version_number(), version_commit());
    for (size_t i = 0; i < count; i++)
        printf("%s %s\n", libraries[i].name, libraries[i].version);
    return EXIT_CODE_HELD;
}

const struct command command_version = {
    .name = "version",
    .summary = "version, commit, and the libraries in use",
    .help = "Say what this program is and which libraries it runs with.\n\n"
            "  doorbuster version\n"
            "  doorbuster version --json",
    .options = (const int[]){OPTION_JSON, 0},
    .run = run,
};
