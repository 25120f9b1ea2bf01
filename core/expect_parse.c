#include "core/expect_parse.h"

#include "core/quantity.h"
#include "core/world.h"

#include <math.h>

#define HALF_MINUTE (30 * NS_PER_S)

struct parse {
    const char *at;
    const struct scenario *scenario;
    const struct registry *registry;
    char *name;
    struct expect_spec *out;
    struct text *error;
    const char *wrong; /* where */
};

/* How a series' values are written. */
enum value_kind { VALUE_SHARE, VALUE_SECONDS, VALUE_COUNT };

/* What may be measured of a series, by what kind of figure it is. */
struct measure {
    const char *name;
    enum expect_measure measure;
    enum value_kind value;
    uint32_t types; /* bit set */
};

#define TYPE_BIT(nature, unit) (1u << ((nature)*3 + (unit)))
#define COUNTER TYPE_BIT(PROBE_COUNTER, PROBE_COUNT)
#define RATIO TYPE_BIT(PROBE_COUNTER, PROBE_RATE)
#define LEVEL TYPE_BIT(PROBE_LEVEL, PROBE_COUNT)
#define SHARE TYPE_BIT(PROBE_LEVEL, PROBE_RATE)
#define DISTRIBUTION TYPE_BIT(PROBE_DISTRIBUTION, PROBE_SECONDS)
#define WHOLE TYPE_BIT(PROBE_WHOLE, PROBE_COUNT)
#define WHOLE_SHARE TYPE_BIT(PROBE_WHOLE, PROBE_RATE)
#define MOST TYPE_BIT(PROBE_MOST, PROBE_COUNT)

static const struct measure measures[] = {
    {"rate", EXPECT_RATE, VALUE_SHARE, RATIO | WHOLE_SHARE},
    {"surge", EXPECT_SURGE, VALUE_SHARE, RATIO},
    {"p(", EXPECT_PERCENTILE, VALUE_SECONDS, DISTRIBUTION},
    {"max", EXPECT_MAX, VALUE_SECONDS, DISTRIBUTION},
    {"min", EXPECT_MIN, VALUE_SECONDS, DISTRIBUTION},
    {"max", EXPECT_MAX, VALUE_COUNT, LEVEL | MOST},
    {"min", EXPECT_MIN, VALUE_COUNT, LEVEL},
    {"max", EXPECT_MAX, VALUE_SHARE, SHARE},
    {"min", EXPECT_MIN, VALUE_SHARE, SHARE},
    {"count", EXPECT_COUNT, VALUE_COUNT, COUNTER | RATIO | DISTRIBUTION | WHOLE},
};

static bool refuse(struct parse *parse, const char *where, const char *expected, const char *why)
{
    size_t len = 0;
    while (where[len] && len < 40 && (len == 0 || (where[len] != ' ' && where[len] != ':')))
        len++;
    parse->wrong = where;
    text_lit(parse->error, "expected ");
    text_str(parse->error, expected);
    text_lit(parse->error, ", found ");
    if (len) {
        text_char(parse->error, '`');
        text_bytes(parse->error, where, len);
        text_char(parse->error, '`');
    } else {
        text_lit(parse->error, "the end");
    }
    if (why) {
        text_lit(parse->error, " (");
        text_str(parse->error, why);
        text_char(parse->error, ')');
    }
    return false;
}

static void skip_spaces(struct parse *parse)
{
    while (*parse->at == ' ')
        parse->at++;
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* Takes `word` if it stands here and ends here; signs like <= end anywhere. */
static bool take(struct parse *parse, const char *word)
{
    skip_spaces(parse);
    size_t len = strlen(word);
    if (strncmp(parse->at, word, len) || (is_word_char(word[len - 1]) && is_word_char(parse->at[len])))
        return false;
    parse->at += len;
    return true;
}

static bool need(struct parse *parse, const char *word)
{
    if (take(parse, word))
        return true;
    skip_spaces(parse);
    return refuse(parse, parse->at, word, NULL);
}

/* A quantity ends at a space, a sign, the end, or at the .. of a range. */
static struct slice take_quantity(struct parse *parse)
{
    skip_spaces(parse);
    const char *from = parse->at;
    while (is_word_char(*parse->at) || *parse->at == '%' || (*parse->at == '.' && parse->at[1] != '.'))
        parse->at++;
    return (struct slice){from, (uint32_t)(parse->at - from)};
}

/* An instant on the timeline. */
static bool take_instant(struct parse *parse, int64_t *at_ns)
{
    struct slice text = take_quantity(parse);
    enum quantity_result result = quantity_duration(text, at_ns);
    if (result != QUANTITY_OK)
        return refuse(parse, text.at, "an instant with its unit, like 20m",
                      text.len ? quantity_problem(result) : NULL);
    return *at_ns <= parse->scenario->duration_ns
               ? true
               : refuse(parse, text.at, "an instant within the duration", "after the end");
}

static bool take_value(struct parse *parse, enum value_kind kind, double *value)
{
    struct slice text = take_quantity(parse);
    int64_t duration_ns = 0;
    if (kind == VALUE_SECONDS) {
        enum quantity_result result = quantity_duration(text, &duration_ns);
        *value = (double)duration_ns / (double)NS_PER_S;
        return result == QUANTITY_OK ? true
                                     : refuse(parse, text.at, "a duration like 700ms",
                                              text.len ? quantity_problem(result) : NULL);
    }
    bool percent = kind == VALUE_SHARE && quantity_percent(text, value) == QUANTITY_OK;
    if (!percent && !(quantity_number(text, value) && *value < 1e15))
        return refuse(parse, text.at, kind == VALUE_SHARE ? "a share like 0.83 or 83%" : "a number", NULL);
    if (*value < 0)
        return refuse(parse, text.at, "0 or more", "negative");
    if (kind == VALUE_SHARE && *value > 1)
        return refuse(parse, text.at, "a share of 0 to 1", "more than all of them");
    return true;
}

static bool take_range(struct parse *parse, enum value_kind kind)
{
    struct expect_spec *out = parse->out;
    skip_spaces(parse);
    const char *from = parse->at;
    if (!take_value(parse, kind, &out->low) || !need(parse, "..") || !take_value(parse, kind, &out->high))
        return false;
    return out->low <= out->high ? true
                                 : refuse(parse, from, "the low bound first", "low bound above the high one");
}

static bool take_bound(struct parse *parse, enum value_kind kind)
{
    struct expect_spec *out = parse->out;
    out->low = -INFINITY;
    out->high = INFINITY;
    if (take(parse, "within"))
        return take_range(parse, kind);
    if (take(parse, "<="))
        return take_value(parse, kind, &out->high);
    if (take(parse, ">="))
        return take_value(parse, kind, &out->low);
    if (take(parse, "==")) {
        bool taken = take_value(parse, kind, &out->low);
        out->high = out->low;
        return taken;
    }
    skip_spaces(parse);
    const char *from = parse->at;
    if (take(parse, "<")) {
        out->high_open = true;
        if (!take_value(parse, kind, &out->high))
            return false;
        return out->high > 0 ? true : refuse(parse, from, "a bound that can be met", "nothing is below 0");
    }
    if (take(parse, ">")) {
        out->low_open = true;
        if (!take_value(parse, kind, &out->low))
            return false;
        return kind != VALUE_SHARE || out->low < 1
                   ? true
                   : refuse(parse, from, "a bound that can be met", "no share is above 1");
    }
    return refuse(parse, parse->at, "<=, <, >=, >, == or within", NULL);
}

/* p(95): the number after the bracket. */
static bool take_percentile(struct parse *parse)
{
    struct slice text = take_quantity(parse);
    double percent = 0;
    if (!quantity_number(text, &percent) || percent <= 0 || percent >= 100)
        return refuse(parse, text.at, "a percentile above 0 and below 100", NULL);
    parse->out->percentile = percent / 100;
    return need(parse, ")");
}

/* A surge is from minute to minute. */
static bool check_surge(struct parse *parse, const char *from)
{
    const struct expect_spec *out = parse->out;
    if (out->series.kind != PROBE_ERRORS)
        return refuse(parse, from, "a measure of this series, like rate",
                      "a surge is one of a stream's errors");
    return out->when == EXPECT_EACH_MINUTE
               ? true
               : refuse(parse, from, "a surge of each minute", "it is told from the minute before");
}

static bool take_measure(struct parse *parse)
{
    const struct probe_type *type = probe_type(parse->out->series.kind);
    const char *known = NULL;
    skip_spaces(parse);
    const char *from = parse->at;
    for (size_t i = 0; i < ARRAY_LEN(measures); i++) {
        const struct measure *measure = &measures[i];
        if (!(measure->types & TYPE_BIT(type->nature, type->unit)))
            continue;
        known = measure->measure == EXPECT_PERCENTILE ? "p(95)" : known ? known : measure->name;
        if (!take(parse, measure->name))
            continue;
        parse->out->measure = measure->measure;
        if (measure->measure == EXPECT_PERCENTILE && !take_percentile(parse))
            return false;
        if (measure->measure == EXPECT_SURGE && !check_surge(parse, from))
            return false;
        return take_bound(parse, measure->value);
    }
    char expected[48] = "a measure of this series, like ";
    memcpy(expected + strlen(expected), known, strlen(known) + 1);
    return refuse(parse, parse->at, expected, NULL);
}

int64_t stream_start(const struct stream_spec *stream)
{
    const struct curve *curve = &stream->rate_per_min;
    if (stream->burst.count)
        return stream->burst.at_ns;
    for (size_t i = 0; i < curve->count; i++)
        if (curve->points[i].value > 0 || (i + 1 < curve->count && curve->points[i + 1].value > 0))
            return curve->points[i].at_ns;
    return NEVER;
}

/* The earliest start of the streams it is about. */
static int64_t series_start(const struct parse *parse)
{
    int64_t start = NEVER;
    for (int i = 0; i < (int)parse->scenario->stream_count; i++)
        if (parse->out->series.index == PROBE_ALL_STREAMS || parse->out->series.index == i)
            start = MIN(start, stream_start(&parse->scenario->streams[i]));
    return start;
}

static bool take_at(struct parse *parse)
{
    struct expect_spec *out = parse->out;
    skip_spaces(parse);
    const char *from = parse->at;
    out->when = EXPECT_AT;
    if (!take_instant(parse, &out->at_ns))
        return false;
    int64_t start = series_start(parse);
    int64_t window = out->at_ns == start ? start : out->at_ns - HALF_MINUTE;
    if (window < start)
        return refuse(parse, from, "a minute in which the stream runs", "before it starts");
    if (window + NS_PER_MIN > parse->scenario->duration_ns)
        return refuse(parse, from, "60 s around the instant within the duration", "after the end");
    return true;
}

/* [ "from" DURATION ] [ "until" DURATION ]; `given`: whether either is there. */
static bool take_window(struct parse *parse, bool *given)
{
    struct expect_spec *out = parse->out;
    *given = take(parse, "from");
    if (*given && !take_instant(parse, &out->at_ns))
        return false;
    if (!take(parse, "until"))
        return true;
    *given = true;
    return take_instant(parse, &out->until_ns);
}

static bool take_each_minute(struct parse *parse)
{
    struct expect_spec *out = parse->out;
    int64_t duration = parse->scenario->duration_ns, start = series_start(parse);
    int64_t first = start == NEVER ? 0 : start - start % NS_PER_MIN;
    bool given;
    skip_spaces(parse);
    const char *from = parse->at;
    out->when = EXPECT_EACH_MINUTE;
    out->at_ns = first;
    if (!take_window(parse, &given))
        return false;
    if (out->at_ns < first)
        return refuse(parse, from, "minutes in which the stream runs", "before it starts");
    if (out->at_ns % NS_PER_MIN || (out->until_ns % NS_PER_MIN && out->until_ns != duration))
        return refuse(parse, from, "whole minutes", NULL);
    return out->at_ns < out->until_ns ? true
                                      : refuse(parse, from, "at least one minute", "none between them");
}

/* Only streams are kept from instant to instant; other series are seen at the samples. */
static bool check_window(struct parse *parse, const char *from)
{
    const struct expect_spec *out = parse->out;
    bool stream = probe_of_stream(out->series.kind);
    if (out->at_ns >= out->until_ns)
        return refuse(parse, from, "the earlier instant first", "nothing lies between them");
    if (stream)
        return out->until_ns > series_start(parse)
                   ? true
                   : refuse(parse, from, "a window in which the stream runs", "before it starts");
    enum probe_nature nature = probe_type(out->series.kind)->nature;
    if (nature == PROBE_WHOLE || nature == PROBE_MOST)
        return refuse(parse, from, "no window here", "a figure of the whole run");
    if (out->at_ns % WORLD_SAMPLE_NS ||
        (out->until_ns % WORLD_SAMPLE_NS && out->until_ns != parse->scenario->duration_ns))
        return refuse(parse, from, "instants at multiples of 15s", "such series are seen every 15 s");
    return true;
}

static bool take_when(struct parse *parse)
{
    skip_spaces(parse);
    const char *from = parse->at;
    bool stream = probe_of_stream(parse->out->series.kind), at = take(parse, "at");
    bool each = !at && take(parse, "each"), given;
    parse->out->until_ns = parse->scenario->duration_ns;
    if ((at || each) && !stream)
        return refuse(parse, from, "no minute here: only streams are kept by the minute", NULL);
    if (at)
        return take_at(parse);
    if (each)
        return need(parse, "minute") && take_each_minute(parse);
    if (!take_window(parse, &given))
        return false;
    if (!given)
        return true;
    parse->out->when = EXPECT_WINDOW;
    return check_window(parse, from);
}

static size_t take_name(struct parse *parse)
{
    skip_spaces(parse);
    size_t len = 0;
    for (; is_word_char(*parse->at) || *parse->at == '.'; parse->at++)
        parse->name[len++] = *parse->at;
    parse->name[len] = '\0';
    return len;
}

/* How long a condition has been true at the least when it counts. */
static int64_t earliest(const struct condition *condition)
{
    int64_t least = condition->child_count ? earliest(&condition->children[0]) : condition->for_ns;
    for (size_t i = 1; i < condition->child_count; i++) {
        int64_t child = earliest(&condition->children[i]);
        least = condition->kind == CONDITION_ANY ? MIN(least, child) : MAX(least, child);
    }
    return condition->kind == CONDITION_NOT ? 0 : least;
}

/* Before this instant the alert cannot fire, for it has not been judged often enough. */
static int64_t alert_earliest(const struct alert_spec *alert)
{
    int64_t least = 0;
    for (size_t i = 0; i < alert->stage_count; i++)
        least = MAX(least, earliest(&alert->stages[i].when));
    return least + WORLD_SAMPLE_NS;
}

static bool take_alert_window(struct parse *parse)
{
    struct expect_spec *out = parse->out;
    out->until_ns = parse->scenario->duration_ns;
    skip_spaces(parse);
    const char *from = parse->at;
    if (take(parse, "in")) {
        if (!take_instant(parse, &out->at_ns) || !need(parse, "..") || !take_instant(parse, &out->until_ns))
            return false;
        if (out->at_ns > out->until_ns)
            return refuse(parse, from, "the earlier instant first", "low bound above the high one");
    }
    int64_t least = alert_earliest(&parse->scenario->alerts[out->alert]);
    if (out->measure == EXPECT_FIRES && out->until_ns < least)
        return refuse(parse, from, "a window in which it can fire", "its conditions last longer");
    if (out->measure == EXPECT_RESOLVES && out->until_ns <= least)
        return refuse(parse, from, "a window in which it can resolve", "it cannot have fired by then");
    out->low = (double)out->at_ns / (double)NS_PER_S;
    out->high = (double)out->until_ns / (double)NS_PER_S;
    return true;
}

static bool take_alert(struct parse *parse)
{
    struct expect_spec *out = parse->out;
    skip_spaces(parse);
    const char *from = parse->at;
    size_t len = take_name(parse);
    out->alert = -1;
    for (size_t i = 0; i < parse->scenario->alert_count; i++)
        if (len && !strcmp(parse->scenario->alerts[i].name, parse->name))
            out->alert = (int)i;
    if (out->alert < 0)
        return refuse(parse, from, "an alert of this scenario", NULL);
    if (!need(parse, ":"))
        return false;
    skip_spaces(parse);
    if (take(parse, "never")) {
        out->measure = EXPECT_NEVER_FIRES;
        return need(parse, "fires");
    }
    bool fires = take(parse, "fires");
    if (!fires && !take(parse, "resolves"))
        return refuse(parse, parse->at, "fires, never fires or resolves", NULL);
    out->measure = fires ? EXPECT_FIRES : EXPECT_RESOLVES;
    return take_alert_window(parse);
}

static bool take_series(struct parse *parse)
{
    const char *from = parse->at;
    if (!take_name(parse))
        return refuse(parse, from, "a series or `alert`", NULL);
    if (!probe_parse(parse->name, parse->scenario, parse->registry, &parse->out->series, parse->error)) {
        parse->wrong = from;
        return false;
    }
    return take_when(parse) && need(parse, ":") && take_measure(parse);
}

bool expect_parse(const char *text, const struct scenario *scenario, const struct registry *registry,
                  char *name, struct expect_spec *out, struct text *error, size_t *column)
{
    *out = (struct expect_spec){.text = text, .alert = -1};
    struct parse parse = {
        .at = text, .scenario = scenario, .registry = registry, .name = name, .out = out, .error = error};
    skip_spaces(&parse);
    bool right = take(&parse, "alert") ? take_alert(&parse) : take_series(&parse);
    skip_spaces(&parse);
    if (right && *parse.at)
        right = refuse(&parse, parse.at, "the end of the expectation", NULL);
    *column = right ? 0 : (size_t)(parse.wrong - text);
    return right;
}
