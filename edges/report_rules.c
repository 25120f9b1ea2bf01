#include "edges/report_rules.h"

#include "edges/json_put.h"

static void tell_one(struct text *out, const struct rule_outcome *rule, const struct paint *paint,
                     size_t name_width)
{
    struct text words = {0};
    text_str(&words, rule->firings ? "fired " : "did not fire");
    if (rule->firings)
        text_clock(&words, rule->fired_at_ns);
    if (rule->resolved_at_ns != NEVER) {
        text_lit(&words, ", resolved ");
        text_clock(&words, rule->resolved_at_ns);
    }
    if (rule->firings > 1) {
        text_lit(&words, " (");
        text_u64(&words, rule->firings);
        text_lit(&words, " times)");
    }
    text_lit(out, "  ");
    paint_left(out, paint, HUE_NONE, rule->alert, name_width);
    paint_hue(out, paint, rule->firings ? HUE_RED : HUE_GREEN, text_c(&words));
    text_char(out, '\n');
    text_fini(&words);
}

void report_rules_text(struct text *out, const struct rule_outcomes *rules, const struct paint *paint,
                       size_t name_width)
{
    for (size_t i = 0; i < rules->count; i++)
        tell_one(out, &rules->of[i], paint, name_width);
    if (!rules->count)
        text_lit(out, "  no alerts in them\n");
}

static const char *state_of(const struct rule_outcome *rule)
{
    if (!rule->firings)
        return "inactive";
    return rule->resolved_at_ns == NEVER ? "fired" : "resolved";
}

json_t *report_rules_json(const struct rule_outcomes *rules)
{
    json_t *all = json_array();
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule_outcome *rule = &rules->of[i];
        json_t *one = json_object();
        json_put_text(one, "name", rule->alert);
        json_put_text(one, "state", state_of(rule));
        json_put_count(one, "firings", rule->firings);
        json_put_seconds(one, "fired_at_s", rule->fired_at_ns);
        json_put_seconds(one, "resolved_at_s", rule->resolved_at_ns);
        json_add(all, one);
    }
    return all;
}
