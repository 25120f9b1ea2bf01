#include "edges/command.h"

#include "edges/exit_code.h"
#include "edges/hint.h"

#include <stdio.h>

static const struct command *const commands[] = {
    &command_simulate, &command_run,    &command_check, &command_doctor,  &command_scenarios,
    &command_compare,  &command_export, &command_clean, &command_version,
};

static void show_overview(FILE *out)
{
    fputs("Usage: doorbuster VERB [OPTION...]\n"
          "A Black Friday incident you can hold in your hand.\n"
          "\n"
          "  doorbuster simulate black-friday-v5     thirty minutes of it in seconds, and why it broke\n"
          "  doorbuster scenarios                    what else there is to play\n"
          "\n"
          "Verbs (`doorbuster VERB --help` says more):\n",
          out);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(out, "  %-12s%s\n", commands[i]->name, commands[i]->summary);
    fputs("\nExit codes:\n", out);
#define SHOW(id, code, meaning) fprintf(out, "  %-12d%s\n", code, meaning);
    EXIT_CODE_LIST(SHOW)
#undef SHOW
}

static int refuse_verb(const char *word)
{
    const char *names[ARRAY_LEN(commands)];
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        names[i] = commands[i]->name;
    const char *nearest = hint_nearest(word, names, ARRAY_LEN(commands));
    fprintf(stderr, "doorbuster: unknown %s %s", word[0] == '-' ? "option" : "verb", word);
    if (nearest)
        fprintf(stderr, "; did you mean %s?", nearest);
    fputs("\nSee `doorbuster --help`.\n", stderr);
    return EXIT_CODE_USAGE;
}

int command_main(int argc, char **argv)
{
    if (argc < 2) {
        show_overview(stderr);
        return EXIT_CODE_USAGE;
    }
    const char *verb = argv[1];
    if (!strcmp(verb, "--help") || !strcmp(verb, "-h") || !strcmp(verb, "help")) {
        show_overview(stdout);
        return EXIT_CODE_HELD;
    }
    if (!strcmp(verb, "--version"))
        verb = command_version.name;
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        static struct options options; /* too large for a stack frame */
        int exit_code;
        if (strcmp(verb, commands[i]->name))
            continue;
        if (!options_parse(&options, commands[i], argc - 1, argv + 1, &exit_code))
            return exit_code;
        return commands[i]->run(&options);
    }
    return refuse_verb(verb);
}
