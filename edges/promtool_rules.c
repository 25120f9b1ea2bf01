#include "edges/promtool_rules.h"

#include "core/world.h"
#include "edges/promtool_expr.h"
#include "edges/report.h"

static const char *alert_name(const void *list, size_t place)
{
    return ((const struct alert_spec *)list)[place].name;
}

/* ---- levels ---- */

static void put_level(struct promtool_rules *rules, const struct condition *condition, const char *path,
                      struct text *out);

/* `for`: as many samples in a row as it takes. */
static void hold(struct promtool_rules *rules, int64_t for_ns, const char *path, struct text *level)
{
    int64_t steps = (for_ns + WORLD_SAMPLE_NS - 1) / WORLD_SAMPLE_NS;
    struct text now = {0};
    text_str(&now, path);
    text_lit(&now, ":now");
    promtool_record(rules, text_c(&now), text_c(level));
    level->len = 0;
    text_lit(level, "sum_over_time(");
    text_str(level, text_c(&now));
    text_char(level, '[');
    promtool_window(level, steps * WORLD_SAMPLE_NS, true);
    text_lit(level, "]) >= bool ");
    text_i64(level, steps + 1);
    text_fini(&now);
}

/* Children by their places: stage3_2 is the second condition of stage 3. */
static void put_children(struct promtool_rules *rules, const struct condition *condition, const char *path,
                         struct text *out)
{
    struct text below = {0};
    const char *between = condition->kind == CONDITION_ANY ? " + " : " * ";
    if (condition->kind == CONDITION_NOT)
        text_lit(out, "1 - ");
    else if (condition->kind == CONDITION_ANY)
        text_lit(out, "clamp_max(");
    for (size_t i = 0; i < condition->child_count; i++) {
        below.len = 0;
        text_str(&below, path);
        text_char(&below, '_');
        text_u64(&below, i + 1);
        text_str(out, i ? between : "");
        text_char(out, '(');
        put_level(rules, &condition->children[i], text_c(&below), out);
        text_char(out, ')');
    }
    if (condition->kind == CONDITION_ANY)
        text_lit(out, ", 1)");
    text_fini(&below);
}

/* An expression that is 0 or 1. */
static void put_level(struct promtool_rules *rules, const struct condition *condition, const char *path,
                      struct text *out)
{
    struct text level = {0};
    if (condition->kind == CONDITION_SERIES)
        promtool_compare(rules, condition, true, &level);
    else
        put_children(rules, condition, path, &level);
    if (condition->for_ns)
        hold(rules, condition->for_ns, path, &level);
    text_str(out, text_c(&level));
    text_fini(&level);
}

/* ---- kinds of alerts: what fires, into `expr` ---- */

static void put_flow(struct promtool_rules *rules, const struct alert_spec *alert, const char *path,
                     struct text *expr)
{
    struct text name = {0}, before = {0}, level = {0};
    for (size_t s = 0; s < alert->stage_count; s++) {
        name.len = level.len = 0;
        text_str(&name, path);
        text_lit(&name, ":stage");
        text_u64(&name, s + 1);
        put_level(rules, &alert->stages[s].when, text_c(&name), &level);
        if (s) {
            struct text reached = {0};
            text_char(&reached, '(');
            text_str(&reached, text_c(&level));
            text_lit(&reached, ") * max_over_time(");
            text_str(&reached, text_c(&before));
            text_char(&reached, '[');
            promtool_window(&reached, alert->stages[s].within_ns, true);
            text_lit(&reached, "])");
            promtool_record(rules, text_c(&name), text_c(&reached));
            text_fini(&reached);
        } else {
            promtool_record(rules, text_c(&name), text_c(&level));
        }
        before.len = 0;
        text_str(&before, text_c(&name));
    }
    text_str(expr, text_c(&name));
    text_lit(expr, " == 1");
    text_fini(&name);
    text_fini(&before);
    text_fini(&level);
}

static void put_burn_rate(struct promtool_rules *rules, const struct alert_spec *alert, struct text *expr)
{
    const int64_t windows_ns[] = {alert->long_ns, alert->short_ns};
    for (size_t i = 0; i < ARRAY_LEN(windows_ns); i++) {
        struct text ratio = {0};
        promtool_error_ratio(rules, alert->stream, windows_ns[i], &ratio);
        text_str(expr, i ? " and " : "");
        text_str(expr, text_c(&ratio));
        text_lit(expr, " > ");
        promtool_number(expr, alert->factor);
        text_lit(expr, " * (1 - ");
        promtool_number(expr, alert->objective);
        text_char(expr, ')');
        text_fini(&ratio);
    }
}

/* As somebody would write it by hand, where it is one comparison. */
static void put_threshold(struct promtool_rules *rules, const struct condition *when, const char *path,
                          struct text *expr)
{
    if (when->kind == CONDITION_SERIES) {
        promtool_compare(rules, when, false, expr);
        return;
    }
    struct condition level = *when;
    level.for_ns = 0;
    text_char(expr, '(');
    put_level(rules, &level, path, expr);
    text_lit(expr, ") == 1");
}

/* ---- the file ---- */

void promtool_rules_summary(struct text *out, const struct scenario *scenario, const struct alert_spec *alert)
{
    text_str(out, report_alert_kind(alert->kind));
    text_lit(out, " alert of the scenario ");
    text_str(out, scenario->name);
}

static void write_alert(struct promtool_rules *rules, const struct alert_spec *alert)
{
    const struct scenario *scenario = rules->scenario;
    struct text path = {0}, expr = {0};
    const struct condition *when = alert->kind == ALERT_THRESHOLD ? &alert->stages[0].when : NULL;
    text_lit(rules->yaml, "\n      # ");
    text_str(rules->yaml, alert->name);
    text_char(rules->yaml, '\n');
    text_lit(&path, "doorbuster:alert:");
    promtool_ident(&path, alert->name, (size_t)(alert - scenario->alerts), alert_name, scenario->alerts);
    if (alert->kind == ALERT_FLOW)
        put_flow(rules, alert, text_c(&path), &expr);
    else if (alert->kind == ALERT_BURN_RATE)
        put_burn_rate(rules, alert, &expr);
    else
        put_threshold(rules, when, text_c(&path), &expr);
    text_lit(rules->yaml, "      - alert: '");
    text_str(rules->yaml, alert->name);
    text_lit(rules->yaml, "'\n        expr: ");
    text_str(rules->yaml, text_c(&expr));
    if (when && when->for_ns) {
        text_lit(rules->yaml, "\n        for: ");
        text_duration(rules->yaml, when->for_ns);
    }
    text_lit(rules->yaml, "\n        annotations:\n          summary: ");
    promtool_rules_summary(rules->yaml, scenario, alert);
    text_char(rules->yaml, '\n');
    text_fini(&path);
    text_fini(&expr);
}

void promtool_rules_write(struct text *yaml, const struct scenario *scenario, const struct registry *registry)
{
    struct promtool_rules rules = {.yaml = yaml, .scenario = scenario, .registry = registry};
    text_lit(yaml, "groups:\n  - name: '");
    text_str(yaml, scenario->name);
    text_lit(yaml, "'\n    interval: ");
    text_duration(yaml, WORLD_SAMPLE_NS);
    text_str(yaml, scenario->alert_count ? "\n    rules:\n" : "\n    rules: []\n");
    for (size_t i = 0; i < scenario->alert_count; i++)
        write_alert(&rules, &scenario->alerts[i]);
    text_fini(&rules.written);
}
