#define _GNU_SOURCE /* nftw; NOLINT(cert-dcl51-cpp,bugprone-reserved-identifier) */
#include "edges/rules_trial.h"

#include "edges/exit_code.h"
#include "edges/promtool_run.h"
#include "edges/promtool_test.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct rules_trial {
    const char *file;
    const volatile sig_atomic_t *stop;
    struct text rules;
    struct prometheus_bounds bounds;
    struct promtool_series *series;
    struct rule_outcomes outcomes;
};

/* Labels of what promtool got; the last question, whose answer is always one, shows that it came so far. */
#define AT_LABEL "at"
#define AT_THE_END "the-end"

#define RULES "rules.yaml"
#define TEST "test.yaml"

enum { SAID_SHOWN_MAX = 4000, FOLDERS_OPEN_MAX = 8 };

/* ---- before the run ---- */

static void explain_absent(void)
{
    fputs("doorbuster: --rules needs promtool, which is not on PATH; it comes with Prometheus:\n"
          "  apt-get install prometheus    (Debian, Ubuntu), or https://prometheus.io/download/\n",
          stderr);
}

static int exit_code_of(enum promtool_end end, const volatile sig_atomic_t *stop)
{
    if (*stop)
        return EXIT_CODE_INTERRUPTED;
    return end == PROMTOOL_ABSENT || end == PROMTOOL_BROKEN ? EXIT_CODE_DEPENDENCY : EXIT_CODE_SCENARIO;
}

static bool check(const struct rules_trial *trial, int *exit_code)
{
    struct text said = {0};
    /* What is behind -- is a file, whatever it is called. */
    enum promtool_end end =
        promtool_run((const char *const[]){"check", "rules", "--", trial->file, NULL}, &said, trial->stop);
    *exit_code = exit_code_of(end, trial->stop);
    if (end == PROMTOOL_ABSENT)
        explain_absent();
    else if (end != PROMTOOL_PASSED)
        fprintf(stderr, "%sdoorbuster: --rules %s: promtool %s it\n", text_c(&said), trial->file,
                end == PROMTOOL_FAILED ? "refuses" : "could not check");
    text_fini(&said);
    return end == PROMTOOL_PASSED;
}

struct rules_trial *rules_trial_open(const char *file, const struct scenario *scenario, int64_t history_ns,
                                     const volatile sig_atomic_t *stop, int *exit_code)
{
    struct rules_trial *trial = base_alloc(1, sizeof *trial);
    trial->file = file;
    trial->stop = stop;
    *exit_code = EXIT_CODE_USAGE;
    if (!rule_file_read(file, &trial->rules)) {
        fprintf(stderr, "doorbuster: --rules %s: %s\n", file, strerror(errno));
        rules_trial_close(trial);
        return NULL;
    }
    if (!check(trial, exit_code)) {
        rules_trial_close(trial);
        return NULL;
    }
    rule_file_alerts(&trial->rules, &trial->outcomes);
    if (trial->outcomes.cut) {
        fprintf(stderr,
                "doorbuster: --rules %s: expected at most %d alerts, with names of at most %d bytes\n", file,
                RULE_ALERTS_MAX, RULE_NAME_MAX);
        *exit_code = EXIT_CODE_SCENARIO;
        rules_trial_close(trial);
        return NULL;
    }
    prometheus_bounds_of(&trial->bounds, scenario);
    bool by_name = strstr(text_c(&trial->rules), "__name__") != NULL;
    trial->series = promtool_series_new(
        &(struct promtool_series_options){.mentions = by_name ? NULL : text_c(&trial->rules),
                                          .bounds = &trial->bounds,
                                          .end_ns = scenario->duration_ns,
                                          .past = (size_t)(history_ns / WORLD_SAMPLE_NS),
                                          .scenario = scenario});
    return trial;
}

void rules_trial_close(struct rules_trial *trial)
{
    if (!trial)
        return;
    promtool_series_free(trial->series);
    rule_outcomes_fini(&trial->outcomes);
    text_fini(&trial->rules);
    free(trial);
}

void rules_trial_take(struct rules_trial *trial, const struct world *world, const struct metrics *metrics,
                      int64_t at_ns)
{
    promtool_series_take(trial->series, world, metrics, at_ns);
}

/* ---- the questions ---- */

static void ask(struct text *yaml, const char *expr, const char *at, int64_t test_at_ns)
{
    text_lit(yaml, "      - expr: label_replace(");
    text_str(yaml, expr);
    text_lit(yaml, ", \"" AT_LABEL "\", \"");
    text_str(yaml, at);
    text_lit(yaml, "\", \"\", \"\")\n        eval_time: ");
    text_duration(yaml, test_at_ns);
    text_char(yaml, '\n');
}

static void write_test(struct text *yaml, struct promtool_series *series)
{
    size_t samples = promtool_series_samples(series);
    promtool_test_open(yaml, RULES, series);
    text_lit(yaml, "    promql_expr_test:\n");
    for (size_t i = 0; i < samples; i++) {
        char at[24];
        snprintf(at, sizeof at, "%zu", i);
        ask(yaml, "count by (alertname) (ALERTS{alertstate=\"firing\"})", at,
            promtool_series_test_at(series, i));
    }
    ask(yaml, "vector(1)", AT_THE_END, samples ? promtool_series_test_at(series, samples - 1) : 0);
}

/* ---- the answers: {alertname="name", at="17"} 1E+00 ---- */

static void put_character(struct text *out, unsigned code)
{
    static const struct {
        unsigned below, first, bits;
    } forms[] = {{0x80, 0, 0}, {0x800, 0xc0, 6}, {0x10000, 0xe0, 12}, {0x110000, 0xf0, 18}};
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (code >= forms[i].below)
            continue;
        text_char(out, (char)(forms[i].first | code >> forms[i].bits));
        for (unsigned left = forms[i].bits; left; left -= 6)
            text_char(out, (char)(0x80 | (code >> (left - 6) & 0x3f)));
        return;
    }
}

/* Behind a backslash: \n, or \u00a0 for what Go would not print, or the character itself. */
static void read_escape(const char **at, struct text *out)
{
    static const char letters[] = "abfnrtv", meant[] = "\a\b\f\n\r\t\v", hex[] = "xuU";
    const char *letter = strchr(letters, **at), *form = strchr(hex, **at);
    size_t digits = form && **at ? (size_t)2 << (form - hex) : 0;
    if (!**at)
        return;
    char number[9] = "";
    for (size_t i = 0; i < digits && (*at)[i + 1]; i++)
        number[i] = (*at)[i + 1];
    if (digits && strspn(number, "0123456789abcdef") == digits) {
        put_character(out, (unsigned)strtoul(number, NULL, 16));
        *at += digits + 1;
        return;
    }
    text_bytes(out, letter ? &meant[letter - letters] : *at, 1);
    ++*at;
}

/* The text of a label in Go's quotes; `at` stands behind the first quote, and is moved behind the last. */
static void read_quoted(const char **at, struct text *out)
{
    out->len = 0;
    while (**at && **at != '"' && **at != '\n') {
        if (**at != '\\') {
            text_char(out, *(*at)++);
            continue;
        }
        ++*at;
        read_escape(at, out);
    }
    *at += **at == '"';
}

/* At this sample it fires: it has begun to, unless it did so at the one before. */
static void note(struct rules_trial *trial, struct rule_outcome *outcome, size_t sample)
{
    int64_t at_ns = promtool_series_at(trial->series, sample);
    bool goes_on = outcome->firings && outcome->resolved_at_ns == at_ns;
    if (!outcome->firings)
        outcome->fired_at_ns = at_ns;
    outcome->firings += !goes_on;
    bool last = sample + 1 == promtool_series_samples(trial->series);
    outcome->resolved_at_ns = last ? NEVER : at_ns + WORLD_SAMPLE_NS;
}

static void read_line(struct rules_trial *trial, const char *at, struct text *name, struct text *when)
{
    static const char alert[] = "{alertname=\"", then[] = ", " AT_LABEL "=\"";
    for (; (at = strstr(at, alert));) {
        at += sizeof alert - 1;
        read_quoted(&at, name);
        if (strncmp(at, then, sizeof then - 1))
            continue;
        at += sizeof then - 1;
        read_quoted(&at, when);
        char *end;
        size_t sample = strtoul(text_c(when), &end, 10);
        struct rule_outcome *outcome = rule_outcome_of(&trial->outcomes, name->bytes, name->len);
        if (!*end && outcome && sample < promtool_series_samples(trial->series))
            note(trial, outcome, sample);
    }
}

/* `    expr: "...", time: 15s, err: ...`: names of alerts are in lines that begin otherwise. */
static bool is_refused(const char *said)
{
    static const char question[] = "expr: \"label_replace(count by ";
    for (const char *line = said, *end; *line; line = *end ? end + 1 : end) {
        line += strspn(line, " ");
        end = line + strcspn(line, "\n");
        const char *error = strstr(line, ", err: ");
        if (!strncmp(line, question, sizeof question - 1) && error && error < end)
            return true;
    }
    return false;
}

/* False: promtool has not come to the last question, or could not answer one: then nobody knows what fires. */
static bool read_answers(struct rules_trial *trial, struct text *said)
{
    struct text name = {0}, when = {0};
    bool whole = strstr(text_c(said), "{" AT_LABEL "=\"" AT_THE_END "\"}") && !is_refused(text_c(said));
    for (char *line = said->bytes, *next; whole && line && *line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        line += strspn(line, " ");
        if (!strncmp(line, "got: ", 5))
            read_line(trial, line, &name, &when);
    }
    text_fini(&name);
    text_fini(&when);
    return whole;
}

/* ---- the folder ---- */

static const char *path_of(struct text *path, const char *folder, const char *name)
{
    path->len = 0;
    text_str(path, folder);
    text_char(path, '/');
    text_str(path, name);
    return text_c(path);
}

static bool write_into(const char *folder, const char *name, const struct text *content)
{
    struct text path = {0};
    FILE *file = fopen(path_of(&path, folder, name), "wx");
    bool whole = file && fwrite(content->bytes, 1, content->len, file) == content->len;
    if (file && fclose(file))
        whole = false;
    if (!whole)
        fprintf(stderr, "doorbuster: %s: %s\n", text_c(&path), strerror(errno));
    text_fini(&path);
    return whole;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    remove(path);
    return 0;
}

/* Also what a promtool that was ended has left there. */
static void remove_folder(const char *folder)
{
    nftw(folder, remove_one, FOLDERS_OPEN_MAX, FTW_DEPTH | FTW_PHYS);
}

/* promtool's own storage belongs into the folder too. */
static enum promtool_end run_below(const struct rules_trial *trial, const char *folder, const char *test,
                                   struct text *said)
{
    const char *above = getenv("TMPDIR");
    char *kept = above ? base_copy(above) : NULL;
    setenv("TMPDIR", folder, 1);
    enum promtool_end end =
        promtool_run((const char *const[]){"test", "rules", "--", test, NULL}, said, trial->stop);
    if (kept)
        setenv("TMPDIR", kept, 1);
    else
        unsetenv("TMPDIR");
    free(kept);
    return end;
}

static bool run_in(struct rules_trial *trial, const char *folder, const struct text *test)
{
    struct text path = {0}, said = {0};
    path_of(&path, folder, TEST);
    bool answered = write_into(folder, RULES, &trial->rules) && write_into(folder, TEST, test);
    if (answered) {
        enum promtool_end end = run_below(trial, folder, text_c(&path), &said);
        answered = end == PROMTOOL_FAILED && read_answers(trial, &said);
        if (end == PROMTOOL_ABSENT)
            explain_absent();
        else if (!answered)
            fprintf(stderr, "%.*sdoorbuster: --rules %s: promtool could not try it\n", SAID_SHOWN_MAX,
                    text_c(&said), trial->file);
    }
    text_fini(&path);
    text_fini(&said);
    return answered;
}

const struct rule_outcomes *rules_trial_judge(struct rules_trial *trial, int *exit_code)
{
    const char *above = getenv("TMPDIR");
    struct text test = {0}, folder = {0};
    *exit_code = EXIT_CODE_INTERNAL;
    if (promtool_series_full(trial->series)) {
        fprintf(stderr, "doorbuster: --rules %s: more than %zu MB of series; name fewer metrics\n",
                trial->file, PROMTOOL_SERIES_TEXT_MAX >> 20);
        return NULL;
    }
    path_of(&folder, above && *above ? above : "/tmp", "doorbuster-XXXXXX");
    bool answered = false, made = mkdtemp(folder.bytes) != NULL;
    if (made) {
        write_test(&test, trial->series);
        answered = run_in(trial, folder.bytes, &test);
        remove_folder(folder.bytes);
        *exit_code = *trial->stop ? EXIT_CODE_INTERRUPTED : EXIT_CODE_SCENARIO;
    } else {
        fprintf(stderr, "doorbuster: %s: %s\n", folder.bytes, strerror(errno));
    }
    text_fini(&folder);
    text_fini(&test);
    return answered ? &trial->outcomes : NULL;
}
