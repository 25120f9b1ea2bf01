/* scenarios: what there is to play. */
#include "edges/command.h"
#include "edges/exit_code.h"
#include "edges/paint.h"
#include "edges/registry.h"
#include "edges/scenario_find.h"
#include "edges/scenario_load.h"

#include <stdio.h>
#include <unistd.h>

enum { NAME_WIDTH_MAX = 32, DURATION_WIDTH = 6 };

/* One line: on a terminal a long story is cut. */
static void show_story(struct text *out, const struct paint *paint, const char *story, size_t used)
{
    size_t columns = paint_columns(STDOUT_FILENO);
    if (columns > used)
        paint_cut(out, paint, HUE_NONE, story, columns - used);
    else
        paint_plain(out, paint, story);
}

static void show_one(struct text *out, const struct paint *paint, const struct scenario_file *file,
                     size_t width)
{
    struct text errors = {0}, duration = {0};
    struct scenario *scenario = scenario_load(file->path, &registry, NULL, 0, &errors);
    paint_left(out, paint, HUE_BOLD, file->name, width);
    text_lit(out, "  ");
    if (scenario) {
        text_duration(&duration, scenario->duration_ns);
        paint_right(out, paint, HUE_NONE, text_c(&duration), DURATION_WIDTH);
        text_lit(out, "  ");
        show_story(out, paint, scenario->story ? scenario->story : "", width + DURATION_WIDTH + 4);
    } else {
        paint_hue(out, paint, HUE_RED, "bad: see `doorbuster check ");
        paint_plain(out, paint, file->path);
        text_char(out, '`');
    }
    text_char(out, '\n');
    scenario_free(scenario);
    text_fini(&duration);
    text_fini(&errors);
}

static int run(const struct options *options)
{
    (void)options;
    struct scenario_list list;
    struct text out = {0};
    struct paint paint = paint_for(STDOUT_FILENO);
    size_t width = 0;
    scenario_list_init(&list);
    for (size_t i = 0; i < list.count; i++)
        width = MAX(width, MIN(strlen(list.files[i].name), (size_t)NAME_WIDTH_MAX));
    for (size_t i = 0; i < list.count; i++)
        show_one(&out, &paint, &list.files[i], width);
    if (list.count)
        fwrite(out.bytes, 1, out.len, stdout);
    else
        fputs(
            "doorbuster: no scenarios in ./scenarios, nor beside the program, nor in DOORBUSTER_SCENARIOS\n",
            stderr);
    text_fini(&out);
    scenario_list_fini(&list);
    return EXIT_CODE_HELD;
}

const struct command command_scenarios = {
    .name = "scenarios",
    .summary = "lists the scenarios found, one line each",
    .help = "List the scenarios found: name, duration, story.\n\n"
            "  doorbuster scenarios\n"
            "  DOORBUSTER_SCENARIOS=~/incidents doorbuster scenarios\n\n"
            "Looked for in the folders of DOORBUSTER_SCENARIOS, in ./scenarios, and\n"
            "beside the program. A name can stand for its file.",
    .run = run,
};
