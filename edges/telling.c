#include "edges/telling.h"

#include "edges/fork.h"
#include "edges/junit.h"
#include "edges/profile.h"
#include "edges/report_json.h"
#include "edges/report_text.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static bool write_to(const struct telling *telling, enum output_kind kind, const struct text *text)
{
    return output_write(telling->outputs->fd[kind], telling->options->outputs[kind], text);
}

static bool write_json(const struct telling *telling)
{
    const struct options *options = telling->options;
    struct text json = {0};
    bool whole = true;
    if (options->json || options->outputs[OUTPUT_REPORT])
        report_json(&json, telling->report);
    if (options->json)
        whole &= output_write(STDOUT_FILENO, "standard output", &json);
    if (options->outputs[OUTPUT_REPORT])
        whole &= write_to(telling, OUTPUT_REPORT, &json);
    text_fini(&json);
    return whole;
}

static bool write_extras(const struct telling *telling)
{
    const struct options *options = telling->options;
    struct text text = {0};
    bool whole = true;
    if (options->outputs[OUTPUT_ANSWER_KEY]) {
        answer_key_write(&text, telling->key, telling->report);
        whole &= write_to(telling, OUTPUT_ANSWER_KEY, &text);
    }
    text.len = 0;
    if (options->outputs[OUTPUT_JUNIT]) {
        junit_write(&text, telling->report);
        whole &= write_to(telling, OUTPUT_JUNIT, &text);
    }
    text.len = 0;
    if (options->outputs[OUTPUT_PROFILE]) {
        profile_write(&text, options->outputs[OUTPUT_PROFILE], telling->report->stats,
                      telling->report->ended_at_ns);
        whole &= write_to(telling, OUTPUT_PROFILE, &text);
    }
    text_fini(&text);
    return whole;
}

static bool write_text(const struct telling *telling)
{
    const struct options *options = telling->options;
    bool data_on_stdout = options->json;
    for (size_t i = 0; i < OUTPUT_KINDS; i++)
        data_on_stdout |= telling->outputs->fd[i] == STDOUT_FILENO;
    if (options->json || (data_on_stdout && options->quiet))
        return true;
    int fd = data_on_stdout ? STDERR_FILENO : STDOUT_FILENO;
    struct paint paint = paint_for(fd);
    struct text text = {0};
    report_text(&text, telling->report, &paint);
    if (telling->report->fork)
        fork_text(&text, telling->report, telling->report->fork, &paint);
    bool whole = output_write(fd, "the report", &text);
    text_fini(&text);
    return whole;
}

bool telling_write(const struct telling *telling)
{
    bool whole = write_json(telling);
    whole &= write_extras(telling);
    whole &= write_text(telling);
    return outputs_close(telling->outputs, telling->options) && whole;
}

/* Requests of the whole run: with spans, also of what comes before its part of the timeline. */
static uint64_t ended(const struct report *report)
{
    uint64_t count = 0;
    for (size_t i = 0; i < report->scenario->stream_count; i++)
        count += report->stats->streams[i].ended;
    return count;
}

void telling_speed(const struct report *report, int64_t played_ns, int64_t wall_ns)
{
    struct rusage usage;
    struct text line = {0};
    double wall_s = (double)MAX(wall_ns, 1) / 1e9;
    getrusage(RUSAGE_SELF, &usage);
    text_fixed(&line, wall_s, 2);
    text_lit(&line, " s of wall time: ");
    double pace = (double)played_ns / 1e9 / wall_s;
    if (pace < 10)
        text_fixed(&line, pace, 1);
    else
        text_count(&line, (uint64_t)pace);
    text_lit(&line, " times real time, ");
    text_count(&line, (uint64_t)((double)ended(report) / wall_s));
    text_lit(&line, " requests/s, ");
    text_count(&line, (uint64_t)((double)report->stats->spans / wall_s));
    text_lit(&line, " spans/s, at most ");
    text_count(&line, (uint64_t)usage.ru_maxrss / 1024);
    text_lit(&line, " MB\n");
    fputs(text_c(&line), stderr);
    text_fini(&line);
}
