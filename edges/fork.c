#include "edges/fork.h"

#include "edges/fault_read.h"
#include "edges/scenario_load.h"
#include "edges/yaml_tree.h"

#include <stdlib.h>

/* "postgresql.cores=16", and not "pool_max: {pool: x, max: 4}" or "create_index: x=y". */
static bool is_setting(const char *change)
{
    return change[strcspn(change, ":={[ ")] == '=';
}

static void refuse_late_setting(struct text *error)
{
    text_lit(
        error,
        "a setting holds for the whole run, so its instant is 0m; what changes at an instant is one of ");
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++) {
        text_str(error, kind ? ", " : "");
        text_str(error, fault_kind_name((enum fault_kind)kind));
    }
    text_char(error, '\n');
}

/* Of "--set:2:31: faults.3.create_index: expected ..., found ..." what its place means nothing to the asker. */
static const char *without_place(const char *line, const char *end)
{
    static const char mine[] = "--set:", fault[] = "faults.";
    const char *space = memchr(line, ' ', (size_t)(end - line));
    if (strncmp(line, mine, sizeof mine - 1) || !space)
        return line;
    line = space + 1;
    if (strncmp(line, fault, sizeof fault - 1))
        return line;
    line += sizeof fault - 1;
    line += strspn(line, "0123456789");
    return line + strspn(line, ".: ");
}

static void tell(struct text *error, struct text *problems)
{
    const char *line = text_c(problems);
    while (*line) {
        const char *end = line + strcspn(line, "\n");
        line = without_place(line, end);
        text_bytes(error, line, (size_t)(end - line));
        text_char(error, '\n');
        line = end + (*end != '\0');
    }
}

/* The change as one more --set. */
static void write_setting(struct text *setting, const struct fork_request *request)
{
    if (is_setting(request->change)) {
        text_str(setting, request->change);
        return;
    }
    text_lit(setting, "faults.+={at: ");
    if (request->at_ns)
        text_duration(setting, request->at_ns);
    else
        text_lit(setting, "0m");
    text_lit(setting, ", ");
    text_str(setting, request->change);
    text_char(setting, '}');
}

static struct scenario *with_setting(const struct fork_request *request, const char *setting,
                                     struct text *problems)
{
    size_t count = request->setting_count;
    const char **settings = base_alloc(count + 1, sizeof *settings);
    for (size_t i = 0; i < count; i++)
        settings[i] = request->settings[i];
    settings[count] = setting;
    struct scenario *scenario =
        scenario_load(request->file, request->registry, settings, count + (setting != NULL), problems);
    free(settings);
    return scenario;
}

static const char *kept(struct scenario *scenario, const char *text)
{
    return text ? yaml_tree_copy(scenario->memory, text, strlen(text)) : NULL;
}

static void append(struct scenario *scenario, const struct fault_spec *change, int64_t at_ns)
{
    struct fault_spec *fault = &scenario->faults[scenario->fault_count++];
    *fault = *change;
    fault->at_ns = at_ns;
    fault->line = 0;
    fault->target = kept(scenario, change->target);
    fault->route = kept(scenario, change->route);
    fault->missing_index = kept(scenario, change->missing_index);
}

/* One fault, and not the end of it and the beginning of another. */
static bool is_one(const char *change)
{
    int depth = 0;
    for (; *change && depth >= 0; change++)
        depth += (*change == '{') - (*change == '}');
    return depth == 0;
}

/* Made or gone, up or down: whether that is so already when the change comes, which is after what the file does then. */
static bool changes_nothing(const struct scenario *scenario, const struct registry *registry,
                            const struct fault_spec *change, int64_t at_ns)
{
    bool index = change->kind == FAULT_DROP_INDEX || change->kind == FAULT_CREATE_INDEX;
    enum fault_kind on = index ? FAULT_CREATE_INDEX : FAULT_SERVICE_UP;
    enum fault_kind off = index ? FAULT_DROP_INDEX : FAULT_SERVICE_DOWN;
    if (change->kind != on && change->kind != off)
        return false;
    const struct index_def *known = index ? registry_index(registry, change->target) : NULL;
    bool is_on = index ? known && known->at_start : true;
    int64_t since_ns = -1;
    for (size_t i = 0; i < scenario->fault_count; i++) {
        const struct fault_spec *before = &scenario->faults[i];
        if ((before->kind != on && before->kind != off) || strcmp(before->target, change->target) ||
            before->at_ns > at_ns || before->at_ns < since_ns)
            continue;
        is_on = before->kind == on;
        since_ns = before->at_ns;
    }
    return is_on == (change->kind == on);
}

/* What the scenario itself mends later may be mended now: then its own fault finds nothing left to do, which a file
   must not say, and a fork may. NULL: the change is wrong by itself. */
static struct scenario *ahead_of_the_file(const struct fork_request *request)
{
    const struct fault_context context = {request->registry, request->file, request->settings,
                                          request->setting_count};
    size_t word = strcspn(request->change, ": ");
    struct scenario *change = NULL, *scenario = NULL;
    struct text problems = {0};
    for (int kind = 0; kind < FAULT_KIND_COUNT && request->change[word] == ':'; kind++) {
        const char *name = fault_kind_name((enum fault_kind)kind);
        if (strlen(name) == word && !memcmp(name, request->change, word))
            change = fault_read(&context, (enum fault_kind)kind, request->change + word + 1, &problems);
    }
    if (change)
        scenario = with_setting(request, NULL, &problems);
    if (scenario && scenario->fault_count < FAULTS_MAX && request->at_ns < scenario->duration_ns &&
        !changes_nothing(scenario, request->registry, &change->faults[change->fault_count - 1],
                         request->at_ns)) {
        append(scenario, &change->faults[change->fault_count - 1], request->at_ns);
    } else {
        scenario_free(scenario);
        scenario = NULL;
    }
    scenario_free(change);
    text_fini(&problems);
    return scenario;
}

/* "create_index idx_products_category": the reader of YAML would not know what it is. */
static bool lacks_colon(const char *change, struct text *error)
{
    size_t word = strcspn(change, ": ");
    const char *value = change + word + strspn(change + word, " ");
    bool kind = false;
    for (int i = 0; i < FAULT_KIND_COUNT && change[word] == ' ' && *value != ':'; i++) {
        const char *name = fault_kind_name((enum fault_kind)i);
        kind |= strlen(name) == word && !memcmp(name, change, word);
    }
    if (!kind)
        return false;
    text_str(error, change);
    text_lit(error, ": expected a colon, as in `");
    text_bytes(error, change, word);
    text_lit(error, ": ");
    text_str(error, value);
    text_lit(error, "`\n");
    return true;
}

/* As a scenario's list has it, or without the braces around it. */
static char *bare(const char *change)
{
    const char *begin = change + strspn(change, " "), *end = begin + strlen(begin);
    while (end > begin && end[-1] == ' ')
        end--;
    if (end > begin + 1 && *begin == '{' && end[-1] == '}') {
        begin++;
        end--;
    }
    char *copy = base_alloc((size_t)(end - begin) + 1, 1);
    memcpy(copy, begin, (size_t)(end - begin));
    return copy;
}

static struct scenario *bare_scenario(const struct fork_request *request, struct text *error)
{
    struct text setting = {0}, problems = {0};
    if (is_setting(request->change) && request->at_ns) {
        refuse_late_setting(error);
        return NULL;
    }
    if (lacks_colon(request->change, error))
        return NULL;
    write_setting(&setting, request);
    struct scenario *scenario = with_setting(request, text_c(&setting), &problems);
    if (!scenario && !is_setting(request->change) && is_one(request->change))
        scenario = ahead_of_the_file(request);
    if (!scenario)
        tell(error, &problems);
    text_fini(&setting);
    text_fini(&problems);
    return scenario;
}

struct scenario *fork_scenario(const struct fork_request *request, struct text *error)
{
    struct fork_request of_bare = *request;
    char *change = bare(request->change);
    of_bare.change = change;
    struct scenario *scenario = bare_scenario(&of_bare, error);
    free(change);
    return scenario;
}

struct fork_stream fork_stream(const struct report *report, const struct fork *fork, size_t stream)
{
    const struct stream_stats *stats = &report->stats->streams[stream];
    struct fork_stream since = {0};
    struct histogram *all = base_alloc(1, sizeof *all), *last = base_alloc(1, sizeof *last);
    for (size_t m = 0; m < stats->minute_count; m++) {
        const struct window *minute = &stats->minutes[m];
        if (minute->to_ns > fork->at_ns) {
            since.requests += minute->requests;
            since.errors += minute->errors;
            histogram_merge(all, &minute->latency);
        }
        if (m + FORK_LAST_MINUTES >= stats->minute_count)
            histogram_merge(last, &minute->latency);
    }
    since.p95 = histogram_quantile(all, 0.95);
    since.last_p95 = histogram_quantile(last, 0.95);
    free(all);
    free(last);
    return since;
}
