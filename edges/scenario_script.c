/* Faults that nothing causes: what they act on, their steps, and whether they can be met at all. */
#include "edges/scenario_fill.h"
#include "edges/scenario_names.h"

static bool same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static void check_share(const struct filling *filling, const struct yaml_node *node)
{
    if (node->real > 1)
        problem_add(filling->problems, node, "expected a share of at most 100%%, found %s", node->text);
}

/* [[0m, 500ms], [10m, 100ms..300ms]] or [[0m, 0%], [16m, 5%]]: an instant, and what holds from there on. */
static void fill_steps(const struct filling *filling, const struct yaml_node *steps, struct fault_spec *fault)
{
    struct duration_text least;
    filling_rising(filling, steps, "steps");
    for (const struct yaml_node *node = steps->first; node; node = node->next) {
        const struct yaml_node *at = node->first, *value = node->last;
        bool delay = fault->kind == FAULT_ROUTE_DELAY;
        struct script_step step = {at->whole, value->real, value->real};
        if (filling_inside(filling, at) && at->whole < fault->at_ns)
            problem_add(filling->problems, at,
                        "expected a step from the fault's own instant on, %s, found %s",
                        duration_text(&least, fault->at_ns), at->text);
        if (delay)
            step.low = (double)value->whole;
        else
            check_share(filling, value);
        if (step.high < step.low)
            problem_add(filling->problems, value, "expected at least %s behind .., found %s",
                        duration_text(&least, (int64_t)step.low), value->text);
        fault->steps[fault->step_count++] = step;
    }
}

static void fill_route(const struct filling *filling, const struct yaml_node *what, struct fault_spec *fault)
{
    const struct yaml_node *route = yaml_node_key(what, "route");
    const struct actor_kind *kind = registry_kind(filling->registry, fault->target);
    fault->route = route->text;
    if (kind && (kind->store || kind->drives_load || !actor_kind_route(kind, fault->route)))
        name_unknown(filling, route, NAME_ROUTE, kind);
}

static void fill_delay(const struct filling *filling, const struct yaml_node *what, struct fault_spec *fault)
{
    const struct yaml_node *least = yaml_node_key(what, "min"), *most = yaml_node_key(what, "max");
    const struct yaml_node *index = yaml_node_key(what, "missing_index");
    struct duration_text text;
    fault->value = least ? (double)least->whole : 0;
    fault->most = most ? (double)most->whole : 0;
    if (most && fault->most < fault->value)
        problem_add(filling->problems, most, "expected at least min, %s, found %s",
                    duration_text(&text, (int64_t)fault->value), most->text);
    if (!index)
        return;
    fault->missing_index = index->text;
    if (!registry_index(filling->registry, index->text))
        name_unknown(filling, index, NAME_INDEX, NULL);
}

static void fill_share(const struct filling *filling, const struct yaml_node *what, struct fault_spec *fault)
{
    const struct yaml_node *rate = yaml_node_key(what, "rate"), *after = yaml_node_key(what, "after");
    if (rate) {
        fault->value = rate->real;
        check_share(filling, rate);
    }
    fault->after_ns = after ? after->whole : 0;
}

/* Whether a message of one service to the other could be lost: by the steps of its routes, or a stream. */
static bool asks(const struct filling *filling, const struct actor_kind *from, const struct actor_kind *to)
{
    for (const struct route *route = from->routes; route && route->name; route++)
        for (const struct step *step = route->steps; step && step->kind != STEP_END; step++) {
            bool cache = step->kind == STEP_CACHE && to->store && same(to->store, "redis");
            if (cache || (step->kind == STEP_ASK && same(step->to, to->service)))
                return true;
            if (step->kind == STEP_REPLY)
                break;
        }
    for (size_t i = 0; from->drives_load && i < filling->scenario->stream_count; i++) {
        const char *service = filling->scenario->streams[i].service;
        if (service && same(service, to->service))
            return true;
    }
    return false;
}

static void fill_loss(const struct filling *filling, const struct yaml_node *what, struct fault_spec *fault)
{
    const struct yaml_node *from = yaml_node_key(what, "from"), *to = yaml_node_key(what, "to");
    const struct actor_kind *asker = registry_kind(filling->registry, from->text);
    const struct actor_kind *asked = registry_kind(filling->registry, to->text);
    fault->route = from->text;
    if (!asker)
        name_unknown(filling, from, NAME_SERVICE, NULL);
    else if (asked && !asks(filling, asker, asked))
        problem_add(filling->problems, to, "expected a service that %s asks, found %s", from->text, to->text);
}

void scenario_fill_script(const struct filling *filling, const struct yaml_node *node,
                          const struct yaml_node *what, struct fault_spec *fault)
{
    const struct yaml_node *steps = yaml_node_key(what, "steps");
    if (fault->kind == FAULT_MESSAGE_LOSS)
        fill_loss(filling, what, fault);
    else
        fill_route(filling, what, fault);
    if (fault->kind == FAULT_ROUTE_DELAY)
        fill_delay(filling, what, fault);
    else
        fill_share(filling, what, fault);
    if (steps)
        fill_steps(filling, steps, fault);
    if (!filling->scenario->scripted)
        problem_add(filling->problems, node, "expected physics: scripted for %s, found physics: emergent",
                    fault_kind_name(fault->kind));
}
