#include "core/probe.h"
#include "edges/scenario_fields.h"
#include "edges/scenario_fill.h"
#include "edges/scenario_names.h"

/* What a fault acts on, and which keys of its map hold that and the value. */
enum target_kind { TARGET_NONE, TARGET_INDEX, TARGET_POOL, TARGET_SERVICE };

struct fault_form {
    enum target_kind target;
    const char *target_key; /* NULL: the value itself is the target */
    const char *value_key; /* NULL: no value, or (TARGET_NONE) the value itself */
};

static const struct fault_form forms[] = {
    [FAULT_DROP_INDEX] = {TARGET_INDEX, NULL, NULL},
    [FAULT_CREATE_INDEX] = {TARGET_INDEX, NULL, NULL},
    [FAULT_POOL_MAX] = {TARGET_POOL, "pool", "max"},
    [FAULT_ACQUIRE_TIMEOUT] = {TARGET_POOL, "pool", "limit"},
    [FAULT_HOLD_CONNECTIONS] = {TARGET_POOL, "pool", "count"},
    [FAULT_READ_REPLICAS] = {TARGET_NONE, NULL, NULL},
    [FAULT_SERVICE_DOWN] = {TARGET_SERVICE, NULL, NULL},
    [FAULT_SERVICE_UP] = {TARGET_SERVICE, NULL, NULL},
    [FAULT_SERVICE_SLOW] = {TARGET_SERVICE, "service", "factor"},
    [FAULT_QUERY_DELAY] = {TARGET_SERVICE, "service", "delay"},
    [FAULT_TABLE_GROWTH] = {TARGET_NONE, NULL, NULL},
    [FAULT_ROUTE_DELAY] = {TARGET_SERVICE, "service", NULL},
    [FAULT_ROUTE_FAILURES] = {TARGET_SERVICE, "service", NULL},
    [FAULT_MESSAGE_LOSS] = {TARGET_SERVICE, "to", NULL},
};

static void check_target(const struct filling *filling, const struct yaml_node *node, enum target_kind kind)
{
    const struct registry *registry = filling->registry;
    if (kind == TARGET_INDEX && !registry_index(registry, node->text))
        name_unknown(filling, node, NAME_INDEX, NULL);
    if (kind == TARGET_POOL && !probe_pool(registry, node->text, node->len))
        name_unknown(filling, node, NAME_POOL, NULL);
    if (kind == TARGET_SERVICE && !registry_kind(registry, node->text))
        name_unknown(filling, node, NAME_SERVICE, NULL);
}

static void check_value(const struct filling *filling, const struct yaml_node *node,
                        const struct fault_spec *fault)
{
    int max = filling->scenario->postgresql.max_connections;
    if (fault->kind == FAULT_POOL_MAX && node->whole > max)
        problem_add(filling->problems, node, "expected at most postgresql.max_connections, %d, found %s", max,
                    node->text);
    if (fault->kind == FAULT_ACQUIRE_TIMEOUT)
        filling_positive(filling, node);
    const struct actor_kind *kind = registry_kind(filling->registry, fault->target);
    if (fault->kind == FAULT_QUERY_DELAY && kind && !kind->pools[0].name)
        problem_add(filling->problems, node, "expected a service that asks the database, found %s",
                    fault->target);
}

static void fill_fault(struct filling *filling, const struct yaml_node *node)
{
    struct fault_spec *fault = &filling->scenario->faults[filling->scenario->fault_count++];
    const struct yaml_node *at = yaml_node_key(node, "at"), *what = NULL;
    fault->at_ns = at->whole;
    fault->line = !strcmp(node->at.source, filling->root->at.source) ? (int)node->at.line : 0;
    filling_inside(filling, at);
    for (int kind = 0; kind < FAULT_KIND_COUNT && !what; kind++) {
        fault->kind = (enum fault_kind)kind;
        what = yaml_node_key(node, fault_kind_name(fault->kind));
    }
    ASSERT(what); /* the shape asks for exactly one */
    const struct fault_form *form = &forms[fault->kind];
    const struct yaml_node *target = form->target_key ? yaml_node_key(what, form->target_key) : what;
    const struct yaml_node *value = form->value_key ? yaml_node_key(what, form->value_key) : NULL;
    if (form->target == TARGET_NONE) {
        fault->value = (double)what->whole;
        return;
    }
    fault->target = target->text;
    check_target(filling, target, form->target);
    if (fault->kind >= FAULT_ROUTE_DELAY)
        scenario_fill_script(filling, node, what, fault);
    if (!value)
        return;
    fault->value = fault->kind == FAULT_SERVICE_SLOW ? value->real : (double)value->whole;
    check_value(filling, value, fault);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static bool same_target(const struct fault_spec *a, const struct fault_spec *b)
{
    return same_text(a->target, b->target) && (!a->route || !b->route || !strcmp(a->route, b->route));
}

/* Two that act on the same thing at the same instant, whichever comes first. */
static void check_clash(const struct filling *filling, const struct yaml_node *node,
                        const struct fault_spec *fault, const struct fault_spec *before)
{
    static const enum fault_kind opposites[][2] = {{FAULT_DROP_INDEX, FAULT_CREATE_INDEX},
                                                   {FAULT_SERVICE_DOWN, FAULT_SERVICE_UP}};
    if (fault->at_ns != before->at_ns || !same_target(fault, before))
        return;
    bool clash = fault->kind == before->kind;
    for (size_t i = 0; i < ARRAY_LEN(opposites); i++)
        clash |= (fault->kind == opposites[i][0] && before->kind == opposites[i][1]) ||
                 (fault->kind == opposites[i][1] && before->kind == opposites[i][0]);
    struct duration_text at;
    if (clash)
        problem_add(filling->problems, node, "expected one fault at a time on %s, found %s and %s at %s",
                    fault->target ? fault->target : "the database", fault_kind_name(before->kind),
                    fault_kind_name(fault->kind), duration_text(&at, fault->at_ns));
}

static bool is_down_before(const struct scenario *scenario, const struct fault_spec *up)
{
    for (size_t i = 0; i < scenario->fault_count; i++) {
        const struct fault_spec *fault = &scenario->faults[i];
        if (fault->kind == FAULT_SERVICE_DOWN && same_target(fault, up) && fault->at_ns < up->at_ns)
            return true;
    }
    return false;
}

/* A pool's size is the largest it ever has. */
static bool can_hold(const struct filling *filling, const struct fault_spec *hold)
{
    double max = filling_pool_max(filling, hold->target);
    for (size_t i = 0; i < filling->scenario->fault_count; i++) {
        const struct fault_spec *fault = &filling->scenario->faults[i];
        if (fault->kind == FAULT_POOL_MAX && same_target(fault, hold))
            max = MAX(max, fault->value);
    }
    return hold->value <= max;
}

/* Whether the index is there just before an instant, as far as the file says. */
static bool index_exists(const struct filling *filling, const char *index, int64_t until_ns)
{
    const struct index_def *known = registry_index(filling->registry, index);
    bool exists = known && known->at_start;
    int64_t since_ns = -1;
    for (size_t i = 0; i < filling->scenario->fault_count; i++) {
        const struct fault_spec *before = &filling->scenario->faults[i];
        if (before->kind > FAULT_CREATE_INDEX || strcmp(before->target, index) || before->at_ns >= until_ns ||
            before->at_ns < since_ns)
            continue;
        exists = before->kind == FAULT_CREATE_INDEX;
        since_ns = before->at_ns;
    }
    return exists;
}

/* A store has no work of its own that could be slowed, and nobody asks the load generator. */
static void check_service(const struct filling *filling, const struct yaml_node *node,
                          const struct fault_spec *fault)
{
    const struct actor_kind *kind = registry_kind(filling->registry, fault->target);
    bool slow = fault->kind == FAULT_SERVICE_SLOW;
    if (kind && (kind->drives_load || (slow && kind->store)))
        problem_add(filling->problems, node, "expected a service that %s, found %s",
                    slow ? "works itself" : "others ask", fault->target);
}

/* What a fault needs to have an effect at all. */
static void check_effect(const struct filling *filling, const struct yaml_node *node,
                         const struct fault_spec *fault)
{
    const struct registry *registry = filling->registry;
    bool index = fault->kind <= FAULT_CREATE_INDEX && registry_index(registry, fault->target);
    if (index && index_exists(filling, fault->target, fault->at_ns) != (fault->kind == FAULT_DROP_INDEX))
        problem_add(filling->problems, node, "expected an index that %s then, found %s, which %s",
                    fault->kind == FAULT_DROP_INDEX ? "is there" : "is missing", fault->target,
                    fault->kind == FAULT_DROP_INDEX ? "is not" : "is there");
    if (fault->kind >= FAULT_SERVICE_DOWN && fault->kind <= FAULT_SERVICE_SLOW)
        check_service(filling, node, fault);
    /* One that is set while the world runs does not know what has been dropped before. */
    if (fault->missing_index && fault->line && index_exists(filling, fault->missing_index, fault->at_ns + 1))
        problem_add(filling->problems, node,
                    "expected an index that is missing then, found %s, which is there", fault->missing_index);
    if (fault->kind == FAULT_SERVICE_UP && !is_down_before(filling->scenario, fault))
        problem_add(filling->problems, node, "expected a service_down before it, found %s that is up anyway",
                    fault->target);
    if (fault->kind == FAULT_HOLD_CONNECTIONS && probe_pool(registry, fault->target, strlen(fault->target)) &&
        !can_hold(filling, fault))
        problem_add(filling->problems, node,
                    "expected to hold at most the connections of pool %s, found %.0f of %d", fault->target,
                    fault->value, filling_pool_max(filling, fault->target));
}

void scenario_fill_faults(struct filling *filling)
{
    const struct scenario *scenario = filling->scenario;
    for (const struct yaml_node *node = filling_first(filling, "faults"); node; node = node->next)
        fill_fault(filling, node);
    const struct yaml_node *node = filling_first(filling, "faults");
    for (size_t i = 0; i < scenario->fault_count; i++, node = node->next) {
        const struct fault_spec *fault = &scenario->faults[i];
        for (size_t before = 0; before < i; before++)
            check_clash(filling, node, fault, &scenario->faults[before]);
        check_effect(filling, node, fault);
    }
}
