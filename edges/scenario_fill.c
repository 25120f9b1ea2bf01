#include "edges/scenario_fill.h"

#include "edges/scenario_fields.h"

#include <stdio.h>

#define DURATION_MAX_NS (24 * 60 * NS_PER_MIN)

const struct yaml_node *filling_first(const struct filling *filling, const char *key)
{
    const struct yaml_node *node = yaml_node_key(filling->root, key);
    return node ? node->first : NULL;
}

const char *duration_text(struct duration_text *into, int64_t duration_ns)
{
    struct text text = {0};
    text_duration(&text, duration_ns);
    snprintf(into->text, sizeof into->text, "%s", text_c(&text));
    text_fini(&text);
    return into->text;
}

bool filling_positive(const struct filling *filling, const struct yaml_node *node)
{
    if (node->whole > 0)
        return true;
    problem_add(filling->problems, node, "expected a duration above 0s, found %s", node->text);
    return false;
}

bool filling_inside(const struct filling *filling, const struct yaml_node *node)
{
    struct duration_text end;
    if (node->whole < filling->scenario->duration_ns)
        return true;
    problem_add(filling->problems, node, "expected an instant within the duration, before %s, found %s",
                duration_text(&end, filling->scenario->duration_ns), node->text);
    return false;
}

void filling_rising(const struct filling *filling, const struct yaml_node *list, const char *what)
{
    const struct yaml_node *before = NULL;
    for (const struct yaml_node *item = list->first; item; item = item->next) {
        const struct yaml_node *at = item->kind == NODE_LIST ? item->first : item;
        if (before && at->whole <= before->whole)
            problem_add(filling->problems, at, "expected %s in rising order, after %s, found %s", what,
                        before->text, at->text);
        before = at;
    }
}

static void fill_phases(struct filling *filling)
{
    const struct yaml_node *phases = yaml_node_key(filling->root, "phases"), *first = phases->first->first;
    if (first->whole != 0)
        problem_add(filling->problems, first, "expected the first phase at 0m, found %s (a gap before it)",
                    first->text);
    filling_rising(filling, phases, "phases");
    for (const struct yaml_node *node = phases->first; node; node = node->next) {
        filling_inside(filling, node->first);
        filling->scenario->phases[filling->scenario->phase_count++] =
            (struct phase){.at_ns = node->first->whole, .name = node->last->text};
    }
}

void scenario_fill(struct filling *filling)
{
    shape_fill(filling->tree, filling->root, &shape_scenario, filling->scenario);
    const struct yaml_node *duration = yaml_node_key(filling->root, "duration");
    if (filling_positive(filling, duration) && duration->whole > DURATION_MAX_NS)
        problem_add(filling->problems, duration, "expected at most 24h, found %s", duration->text);
    if (filling->problems->count)
        filling->scenario->duration_ns = DURATION_MAX_NS; /* so that nothing else is said to be outside */
    scenario_fill_streams(filling);
    fill_phases(filling);
    scenario_fill_stores(filling);
    scenario_fill_services(filling);
    scenario_fill_faults(filling);
    scenario_fill_alerts(filling);
    scenario_fill_expects(filling);
}
