#include "edges/scenario_fill.h"

#include "core/expect_parse.h"
#include "core/shape.h"
#include "edges/scenario_fields.h"

#include <stdio.h>

#define HALF_MINUTE (30 * NS_PER_S)
#define RATE_MAX_PER_MIN 10e6
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

/* ---- Streams and phases ---- */

/* "checkout POST /orders/create": the service, and its route. */
static void fill_call(struct filling *filling, const struct yaml_node *call, struct stream_spec *stream)
{
    const char *space = strchr(call->text, ' ');
    stream->service = yaml_tree_copy(filling->tree, call->text, (size_t)(space - call->text));
    stream->route = space + 1;
    const struct actor_kind *kind = registry_kind(filling->registry, stream->service);
    if (!kind)
        problem_add(filling->problems, call, "expected a known service, found `%s`", stream->service);
    else if (!actor_kind_route(kind, stream->route))
        problem_add(filling->problems, call, "expected a route of %s, found `%.80s`", stream->service,
                    stream->route);
}

/* A stream's own call sends no fields: over HTTP a route that needs some would refuse it. */
static void check_via(const struct filling *filling, const struct yaml_node *via,
                      const struct stream_spec *stream)
{
    struct body_shape takes;
    const struct actor_kind *kind =
        stream->service ? registry_kind(filling->registry, stream->service) : NULL;
    const struct route *route = kind ? actor_kind_route(kind, stream->route) : NULL;
    if (!stream->via_http || !route || !body_shape_parse(route->takes, &takes, NULL))
        return;
    for (uint16_t i = 0; i < takes.count; i = takes.fields[i].next) {
        if (takes.fields[i].optional)
            continue;
        problem_add(filling->problems, via, "expected mailbox for %s, which needs %.*s, found http",
                    stream->route, (int)takes.fields[i].name.len, takes.fields[i].name.at);
        return;
    }
}

static void check_journey(const struct filling *filling, const struct yaml_node *journey)
{
    const struct actor_kind *kind = NULL;
    for (size_t i = 0; i < filling->registry->kind_count && !kind; i++)
        kind = filling->registry->kinds[i]->drives_load ? filling->registry->kinds[i] : NULL;
    if (kind && actor_kind_route(kind, journey->text))
        return;
    char known[120] = "";
    for (const struct route *route = kind ? kind->routes : NULL; route && route->name; route++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", route->name);
    }
    problem_add(filling->problems, journey, "expected a known journey (%s), found `%s`", known,
                journey->text);
}

static void scale_rate(const struct filling *filling, const struct yaml_node *node,
                       struct stream_spec *stream)
{
    const struct yaml_node *scale = yaml_node_key(node, "scale"), *rate = yaml_node_key(node, "rate");
    struct curve *curve = &stream->rate_per_min;
    if (rate->kind == NODE_LIST)
        filling_rising(filling, rate, "points of a curve");
    double highest = 0;
    for (size_t i = 0; i < curve->count; i++) {
        curve->points[i].value *= scale ? scale->real : 1;
        highest = MAX(highest, curve->points[i].value);
    }
    if (highest > RATE_MAX_PER_MIN)
        problem_add(filling->problems, rate, "expected a rate of at most 10000000/min, found more");
    if (highest <= 0)
        problem_add(filling->problems, rate,
                    "expected a rate above 0/min somewhere, found a stream that never runs");
}

/* A point stands for 60 s around it, or for the stream's first minute where the stream starts. */
static void fill_table(const struct filling *filling, const struct yaml_node *table,
                       struct stream_spec *stream)
{
    int64_t start = stream_start(stream);
    filling_rising(filling, table, "points of the table");
    for (const struct yaml_node *point = table->first; point; point = point->next) {
        stream->table_ns[stream->table_count++] = point->whole;
        int64_t from = point->whole == start ? start : point->whole - HALF_MINUTE;
        if (!filling_inside(filling, point) || start == NEVER)
            continue;
        if (from < start)
            problem_add(filling->problems, point,
                        "expected a minute in which the stream runs, found %s (before it starts)",
                        point->text);
        else if (from + NS_PER_MIN > filling->scenario->duration_ns)
            problem_add(filling->problems, point,
                        "expected 60 s around the instant within the duration, found %s (after the end)",
                        point->text);
    }
}

static void fill_stream(struct filling *filling, const struct yaml_node *node)
{
    struct stream_spec *stream = &filling->scenario->streams[filling->scenario->stream_count++];
    stream->name = node->key;
    shape_fill(filling->tree, node, &shape_stream, stream);
    if (probe_name_reserved(node->key))
        problem_add_at(filling->problems, node->key_at, node,
                       "expected another name, found %s, which means something else in series", node->key);
    const struct yaml_node *journey = yaml_node_key(node, "journey"), *call = yaml_node_key(node, "call");
    if (journey)
        check_journey(filling, journey);
    if (call)
        fill_call(filling, call, stream);
    check_via(filling, yaml_node_key(node, "via"), stream);
    const struct yaml_node *traffic = yaml_node_key(node, "traffic"), *table = yaml_node_key(node, "table");
    stream->demo = traffic ? traffic->whole == 1 : strcmp(node->key, "baseline") != 0;
    scale_rate(filling, node, stream);
    if (stream_start(stream) != NEVER && stream_start(stream) >= filling->scenario->duration_ns)
        problem_add(filling->problems, yaml_node_key(node, "rate"),
                    "expected a stream that starts within the duration, found one that starts after the end");
    if (table)
        fill_table(filling, table, stream);
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
    for (const struct yaml_node *node = filling_first(filling, "streams"); node; node = node->next)
        fill_stream(filling, node);
    fill_phases(filling);
    scenario_fill_stores(filling);
    scenario_fill_services(filling);
    scenario_fill_faults(filling);
    scenario_fill_alerts(filling);
    scenario_fill_expects(filling);
}
