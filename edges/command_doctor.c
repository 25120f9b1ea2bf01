/* doctor: whether a run can begin on this machine, and what is in its way. */
#include "edges/command.h"
#include "edges/doctor.h"
#include "edges/exit_code.h"
#include "edges/paint.h"
#include "edges/registry.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

enum { STATE_WIDTH = 9, CHECK_WIDTH = 12 };

static json_t *finding_json(const struct doctor_finding *finding)
{
    json_t *json =
        json_pack("{s:s,s:s,s:s%}", "check", finding->check, "state", doctor_state_name(finding->state),
                  "tried", finding->tried.bytes, finding->tried.len);
    ASSERT(json);
    if (finding->mend.len)
        json_object_set_new(json, "mend", json_stringn(finding->mend.bytes, finding->mend.len));
    return json;
}

static void show_json(const struct doctor *doctor)
{
    json_t *list = json_array();
    for (size_t i = 0; i < doctor->count; i++)
        json_array_append_new(list, finding_json(&doctor->findings[i]));
    json_t *root = json_pack("{s:o,s:i}", "checks", list, "exit_code", doctor_exit_code(doctor));
    ASSERT(root);
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}

static void show_finding(struct doctor_finding *finding, const struct paint *paint, struct text *text)
{
    static const enum hue hues[] = {[DOCTOR_OK] = HUE_GREEN,
                                    [DOCTOR_SKIPPED] = HUE_DIM,
                                    [DOCTOR_WARNING] = HUE_YELLOW,
                                    [DOCTOR_FAILED] = HUE_RED};
    paint_left(text, paint, hues[finding->state], doctor_state_name(finding->state), STATE_WIDTH);
    paint_left(text, paint, HUE_NONE, finding->check, CHECK_WIDTH);
    paint_plain(text, paint, text_c(&finding->tried));
    text_char(text, '\n');
    if (!finding->mend.len)
        return;
    paint_spaces(text, STATE_WIDTH + CHECK_WIDTH);
    paint_plain(text, paint, text_c(&finding->mend));
    text_char(text, '\n');
}

static int run(const struct options *options)
{
    static struct doctor doctor;
    struct text text = {0};
    struct paint paint = paint_for(STDOUT_FILENO);
    doctor_look(&doctor, &(struct doctor_options){.registry = &registry,
                                                  .listen = options->listen,
                                                  .otlp = options->otlp,
                                                  .scenario = options->file_count ? options->files[0] : NULL,
                                                  .settings = options->settings,
                                                  .setting_count = options->setting_count});
    int exit_code = doctor_exit_code(&doctor);
    if (options->json)
        show_json(&doctor);
    for (size_t i = 0; !options->json && i < doctor.count; i++)
        if (!options->quiet || doctor.findings[i].state >= DOCTOR_WARNING)
            show_finding(&doctor.findings[i], &paint, &text);
    fputs(text_c(&text), stdout);
    text_fini(&text);
    doctor_fini(&doctor);
    return exit_code;
}

const struct command command_doctor = {
    .name = "doctor",
    .arguments = "[SCENARIO]",
    .summary = "says whether a run can begin here, and what is in its way",
    .help = "Look at what a run needs before it begins: one line a check, ok, skipped,\n"
            "warning or failed, what was tried, and how to mend it.\n\n"
            "  doorbuster doctor\n"
            "  doorbuster doctor black-friday-v5 --listen 0.0.0.0\n"
            "  doorbuster doctor --otlp http://127.0.0.1:4318 --json\n\n"
            "Exits with what the run would end with: 106 when a port is taken, 69 when\n"
            "the OTLP endpoint is not there, 104 when the scenario is bad.",
    .options = (const int[]){OPTION_SET, OPTION_LISTEN, OPTION_OTLP, OPTION_JSON, OPTION_QUIET, 0},
    .files_max = 1,
    .run = run,
};
