#include "core/expect_parse.h"
#include "core/world.h"
#include "edges/scenario_fields.h"
#include "edges/scenario_fill.h"

/* Every window is kept in samples: these bound the memory that a file can ask for. */
#define OVER_MAX_NS (24 * 60 * NS_PER_MIN)
#define BURN_MAX_NS (72 * 60 * NS_PER_MIN)
/* Likewise of percentiles, which keep all that came in each sample. */
#define QUANTILE_OVER_MAX_NS (60 * NS_PER_MIN)
enum { QUANTILES_MAX = 32 };

static bool has_nature(const struct probe *probe, enum probe_nature nature)
{
    return probe_type(probe->kind)->nature == nature;
}

/* Whether an alert can watch the series at all. */
static bool check_watchable(const struct filling *filling, const struct yaml_node *node,
                            const struct probe *probe)
{
    bool run = has_nature(probe, PROBE_WHOLE) || has_nature(probe, PROBE_MOST);
    if (run)
        problem_add(
            filling->problems, node,
            "expected a series that alerts can watch while it goes on, found a figure of the whole run");
    return !run;
}

static bool is_duration(const struct yaml_node *bound)
{
    return bound->kind == NODE_TEXT && bound->text[bound->len - 1] != '%';
}

/* What is wrong with watching a latency or a wait in this way; NULL: nothing. */
static const char *check_distribution(const struct condition *condition, const struct yaml_node *bound,
                                      const struct yaml_node *node)
{
    if (condition->per.name)
        return "no `per` with a percentile, found one";
    if (!yaml_node_key(node, "quantile"))
        return "`quantile`, as in `quantile: 95%` of a latency or wait, found none";
    if (!condition->over_ns)
        return "`over`, a window to take the percentile of, found none";
    if (!is_duration(bound))
        return "a duration like 500ms, found a share or a number";
    return condition->below && condition->bound <= 0 ? "a bound that can be met, found below 0" : NULL;
}

/* Likewise, of counters and levels. */
static const char *check_bound(const struct condition *condition, const struct yaml_node *bound, bool over)
{
    const struct probe *series = &condition->series, *per = condition->per.name ? &condition->per : NULL;
    bool level = has_nature(series, PROBE_LEVEL), rate = probe_type(series->kind)->unit == PROBE_RATE;
    if (!level && !over)
        return "`over`, a window to count in, found none";
    if (is_duration(bound))
        return "a share or a number, found a duration";
    if (per && (level || !has_nature(per, PROBE_COUNTER)))
        return "counts on both sides of `per`, found a level or a latency";
    bool share = rate && !per;
    if (share && condition->bound > 1)
        return "a share of 0 to 1, found more than all of them";
    if (share && !condition->below && condition->bound >= 1)
        return "a bound that can be met, found a share above all of them";
    if (condition->below && condition->bound <= 0)
        return "a bound that can be met, found below 0";
    return NULL;
}

static void check_window(const struct filling *filling, const struct yaml_node *node, int64_t max_ns)
{
    struct duration_text low, high;
    if (node->whole < WORLD_SAMPLE_NS || node->whole > max_ns)
        problem_add(filling->problems, node,
                    "expected a window of %s (alerts are judged that often) to %s, found %s",
                    duration_text(&low, WORLD_SAMPLE_NS), duration_text(&high, max_ns), node->text);
}

/* Whether there is in the scenario what the series is about; if not, what would have to be there. */
static const char *check_subject(const struct scenario *scenario, const struct probe *probe)
{
    bool hot = probe->kind == PROBE_HOT_SOLD || probe->kind == PROBE_HOT_LEFT;
    if (hot && !scenario->postgresql.hot_product)
        return "a product whose stock postgresql sets (hot_product), found none";
    if (probe->kind == PROBE_SCRIPT_RATE && !scenario->scripted)
        return "`physics: scripted` for a failure rate that is set, found emergent physics";
    return NULL;
}

static bool fill_probe(const struct filling *filling, const struct yaml_node *node, struct probe *probe)
{
    struct text error = {0};
    bool known = probe_parse(node->text, filling->scenario, filling->registry, probe, &error);
    if (!known)
        problem_add(filling->problems, node, "%s", text_c(&error));
    text_fini(&error);
    const char *missing = known ? check_subject(filling->scenario, probe) : NULL;
    if (missing)
        problem_add(filling->problems, node, "expected %s", missing);
    return known && !missing && check_watchable(filling, node, probe);
}

static void fill_series(const struct filling *filling, const struct yaml_node *node,
                        struct condition *condition)
{
    const struct yaml_node *per = yaml_node_key(node, "per"), *above = yaml_node_key(node, "above"),
                           *lasts = yaml_node_key(node, "for"), *over = yaml_node_key(node, "over"),
                           *bound = above ? above : yaml_node_key(node, "below"),
                           *quantile = yaml_node_key(node, "quantile");
    struct duration_text end;
    condition->below = !above;
    bool known = fill_probe(filling, yaml_node_key(node, "series"), &condition->series);
    known = (!per || fill_probe(filling, per, &condition->per)) && known;
    bool spread = known && has_nature(&condition->series, PROBE_DISTRIBUTION);
    if (over)
        check_window(filling, over, spread ? QUANTILE_OVER_MAX_NS : OVER_MAX_NS);
    if (known && !spread && quantile)
        problem_add(filling->problems, quantile,
                    "expected no quantile of what is no latency or wait, found %s", quantile->text);
    else if (quantile && (condition->quantile <= 0 || condition->quantile >= 1))
        problem_add(filling->problems, quantile, "expected a quantile above 0%% and below 100%%, found %s",
                    quantile->text);
    if (lasts && lasts->whole >= filling->scenario->duration_ns)
        problem_add(filling->problems, lasts,
                    "expected less than the duration, %s, found %s, which never passes",
                    duration_text(&end, filling->scenario->duration_ns), lasts->text);
    const char *wrong = !known   ? NULL
                        : spread ? check_distribution(condition, bound, node)
                                 : check_bound(condition, bound, over != NULL);
    if (wrong)
        problem_add(filling->problems, bound, "expected %s", wrong);
}

static void fill_condition(const struct filling *filling, const struct yaml_node *node, unsigned depth,
                           struct condition *condition)
{
    static const struct {
        const char *key;
        enum condition_kind kind;
    } parents[] = {{"all", CONDITION_ALL}, {"any", CONDITION_ANY}, {"not", CONDITION_NOT}};
    if (depth > CONDITION_DEPTH_MAX) {
        problem_add(filling->problems, node, "expected conditions nested at most %d deep, found more",
                    CONDITION_DEPTH_MAX);
        return;
    }
    shape_fill(filling->tree, node, &shape_condition, condition);
    if (yaml_node_key(node, "series"))
        fill_series(filling, node, condition);
    for (size_t i = 0; i < ARRAY_LEN(parents); i++) {
        const struct yaml_node *below = yaml_node_key(node, parents[i].key);
        if (!below)
            continue;
        bool list = below->kind == NODE_LIST;
        condition->kind = parents[i].kind;
        condition->child_count = list ? below->count : 1;
        condition->children =
            yaml_tree_alloc(filling->tree, condition->child_count, sizeof *condition->children);
        const struct yaml_node *child = list ? below->first : below;
        for (size_t c = 0; c < condition->child_count; c++, child = child->next)
            fill_condition(filling, child, depth + 1, &condition->children[c]);
    }
}

static void fill_flow(const struct filling *filling, const struct yaml_node *flow, struct alert_spec *alert)
{
    int64_t frames_ns = 0;
    alert->kind = ALERT_FLOW;
    for (const struct yaml_node *node = flow->first; node; node = node->next) {
        const struct yaml_node *within = yaml_node_key(node, "within");
        bool first = alert->stage_count == 0;
        struct alert_stage *stage = &alert->stages[alert->stage_count++];
        fill_condition(filling, node, 1, &stage->when);
        stage->within_ns = within ? within->whole : 0;
        frames_ns += stage->within_ns;
        if (first && within)
            problem_add(filling->problems, within,
                        "expected no `within` on the first stage, found %s with nothing before it",
                        within->text);
        else if (!first && !within)
            problem_add(filling->problems, node,
                        "expected `within`, the time after the stage before it, found none");
    }
    struct duration_text sum, end;
    if (frames_ns > filling->scenario->duration_ns)
        problem_add(filling->problems, flow, "expected frames that fit in the duration, %s, found %s in all",
                    duration_text(&end, filling->scenario->duration_ns), duration_text(&sum, frames_ns));
}

static void fill_burn_rate(const struct filling *filling, const struct yaml_node *node,
                           struct alert_spec *alert)
{
    const struct yaml_node *stream = yaml_node_key(node, "stream"),
                           *objective = yaml_node_key(node, "objective"),
                           *brief = yaml_node_key(node, "short");
    alert->kind = ALERT_BURN_RATE;
    alert->stream = PROBE_ALL_STREAMS;
    shape_fill(filling->tree, node, &shape_burn_rate, alert);
    if (stream && strcmp(stream->text, "all") &&
        (alert->stream = scenario_stream(filling->scenario, stream->text)) < 0)
        problem_add(filling->problems, stream, "expected a stream of this scenario, or all, found `%s`",
                    stream->text);
    check_window(filling, yaml_node_key(node, "long"), BURN_MAX_NS);
    check_window(filling, brief, BURN_MAX_NS);
    if (alert->short_ns >= alert->long_ns)
        problem_add(filling->problems, brief, "expected a short window below the long one of %s, found %s",
                    yaml_node_key(node, "long")->text, brief->text);
    if (alert->objective <= 0 || alert->objective >= 1)
        problem_add(filling->problems, objective, "expected an objective above 0%% and below 100%%, found %s",
                    objective->text);
    else if (alert->factor * (1 - alert->objective) >= 1)
        problem_add(filling->problems, yaml_node_key(node, "factor"),
                    "expected a burn rate that errors can reach, below %.4g at %s, found %s",
                    1 / (1 - alert->objective), objective->text, yaml_node_key(node, "factor")->text);
}

static void fill_alert(struct filling *filling, const struct yaml_node *node)
{
    struct scenario *scenario = filling->scenario;
    struct alert_spec *alert = &scenario->alerts[scenario->alert_count++];
    const struct yaml_node *name = yaml_node_key(node, "name"), *when = yaml_node_key(node, "when"),
                           *flow = yaml_node_key(node, "flow"), *burn_rate = yaml_node_key(node, "burn_rate");
    shape_fill(filling->tree, node, &shape_alert, alert);
    for (size_t i = 0; i + 1 < scenario->alert_count; i++)
        if (!strcmp(scenario->alerts[i].name, alert->name))
            problem_add(filling->problems, name,
                        "expected a name of its own, found %s, the name of another alert", name->text);
    if (when) {
        alert->kind = ALERT_THRESHOLD;
        alert->stage_count = 1;
        fill_condition(filling, when, 1, &alert->stages[0].when);
    }
    if (flow)
        fill_flow(filling, flow, alert);
    if (burn_rate)
        fill_burn_rate(filling, burn_rate, alert);
}

static size_t count_quantiles(const struct condition *condition)
{
    size_t count = condition->quantile > 0;
    for (size_t i = 0; i < condition->child_count; i++)
        count += count_quantiles(&condition->children[i]);
    return count;
}

void scenario_fill_alerts(struct filling *filling)
{
    size_t quantiles = 0;
    for (const struct yaml_node *node = filling_first(filling, "alerts"); node; node = node->next) {
        fill_alert(filling, node);
        const struct alert_spec *alert = &filling->scenario->alerts[filling->scenario->alert_count - 1];
        for (size_t i = 0; i < alert->stage_count; i++)
            quantiles += count_quantiles(&alert->stages[i].when);
        if (quantiles > QUANTILES_MAX) {
            problem_add(filling->problems, node, "expected at most %d percentiles in all alerts, found more",
                        QUANTILES_MAX);
            return;
        }
    }
}

/* ---- Expectations ---- */

/* The place of a byte of the node's text, as far as the text stands in the file as it is. */
static struct yaml_place place_in(const struct yaml_node *node, size_t byte)
{
    struct yaml_place at = node->at;
    if (node->text_shift < 0)
        return at;
    at.col += (uint32_t)node->text_shift;
    for (size_t i = 0; i < byte; i++)
        at.col += ((unsigned char)node->text[i] & 0xc0) != 0x80;
    return at;
}

/* It never fires, and does; or it is over for good before it begins. */
static bool contradicts(const struct expect_spec *a, const struct expect_spec *b)
{
    if (!expect_of_alert(a) || !expect_of_alert(b) || a->alert != b->alert || a->measure == b->measure)
        return false;
    if (a->measure == EXPECT_NEVER_FIRES || b->measure == EXPECT_NEVER_FIRES)
        return true;
    const struct expect_spec *fires = a->measure == EXPECT_FIRES ? a : b;
    const struct expect_spec *resolves = fires == a ? b : a;
    return resolves->high <= fires->low;
}

static void fill_expect(struct filling *filling, const struct yaml_node *node)
{
    struct scenario *scenario = filling->scenario;
    struct expect_spec *expect = &scenario->expects[scenario->expect_count];
    char *name = yaml_tree_alloc(filling->tree, node->len + 1, 1);
    struct text error = {0};
    size_t column = 0;
    if (!expect_parse(node->text, scenario, filling->registry, name, expect, &error, &column)) {
        problem_add_at(filling->problems, place_in(node, column), node, "%s", text_c(&error));
        text_fini(&error);
        return;
    }
    const char *missing = expect_of_alert(expect) ? NULL : check_subject(scenario, &expect->series);
    if (missing)
        problem_add(filling->problems, node, "expected %s", missing);
    for (size_t i = 0; i < scenario->expect_count; i++)
        if (contradicts(&scenario->expects[i], expect))
            problem_add(filling->problems, node, "expected no contradiction, found both `%.80s` and `%.80s`",
                        scenario->expects[i].text, expect->text);
    scenario->expect_count++;
    text_fini(&error);
}

void scenario_fill_expects(struct filling *filling)
{
    for (const struct yaml_node *node = filling_first(filling, "expect"); node; node = node->next)
        fill_expect(filling, node);
}
