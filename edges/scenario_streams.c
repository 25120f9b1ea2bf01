/* scenario_streams: the streams of a scenario - who comes, how often, and how they behave. */
#include "edges/scenario_fill.h"

#include "core/expect_parse.h"
#include "core/shape.h"
#include "edges/scenario_fields.h"
#include "edges/scenario_names.h"

#define HALF_MINUTE (30 * NS_PER_S)
#define RATE_MAX_PER_MIN 10e6

enum { PAGES_MIN = 2, PAGES_MAX = 5 }; /* where nothing else is said */

/* "checkout POST /orders/create": the service, and its route. */
static void fill_call(struct filling *filling, const struct yaml_node *call, struct stream_spec *stream)
{
    const char *space = strchr(call->text, ' ');
    stream->service = yaml_tree_copy(filling->tree, call->text, (size_t)(space - call->text));
    stream->route = space + 1;
    const struct actor_kind *kind = registry_kind(filling->registry, stream->service);
    if (!kind)
        name_unknown_at(filling, call, call->at, stream->service, NAME_SERVICE, NULL);
    else if (!actor_kind_route(kind, stream->route))
        name_unknown_at(filling, call, call->at, stream->route, NAME_ROUTE, kind);
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

/* ---- who comes ---- */

static void check_journey(const struct filling *filling, const struct yaml_node *node, struct yaml_place at,
                          const char *journey)
{
    if (!registry_journey(filling->registry, journey))
        name_unknown_at(filling, node, at, journey, NAME_JOURNEY, NULL);
}

static void fill_mix(const struct filling *filling, const struct yaml_node *weights, int64_t at_ns,
                     struct stream_spec *stream)
{
    struct mix *mix = &stream->mixes[stream->mix_count++];
    double sum = 0;
    mix->at_ns = at_ns;
    for (const struct yaml_node *node = weights->first; node; node = node->next) {
        check_journey(filling, node, node->key_at, node->key);
        mix->of[mix->count].journey = node->key;
        mix->of[mix->count++].weight = node->real;
        sum += node->real;
    }
    if (sum <= 0)
        problem_add(filling->problems, weights,
                    "expected weights above 0 in sum, found 0: nobody would come");
}

static void fill_mixes(const struct filling *filling, const struct yaml_node *journeys,
                       struct stream_spec *stream)
{
    if (journeys->kind == NODE_MAP) {
        fill_mix(filling, journeys, 0, stream);
        return;
    }
    const struct yaml_node *first = journeys->first->first;
    if (first->whole != 0)
        problem_add(filling->problems, first, "expected the first mix at 0m, found %s (a gap before it)",
                    first->text);
    filling_rising(filling, journeys, "mixes");
    for (const struct yaml_node *pair = journeys->first; pair; pair = pair->next) {
        filling_inside(filling, pair->first);
        fill_mix(filling, pair->last, pair->first->whole, stream);
    }
}

static void fill_visit(const struct filling *filling, const struct yaml_node *node, struct visit_spec *visit)
{
    const struct yaml_node *pages = node ? yaml_node_key(node, "pages") : NULL;
    const struct yaml_node *hot = node ? yaml_node_key(node, "hot_product") : NULL;
    struct duration_text longest;
    shape_fill(filling->tree, node, &shape_visit, visit);
    visit->pages_min = pages ? (int)pages->first->whole : PAGES_MIN;
    visit->pages_max = pages ? (int)pages->last->whole : PAGES_MAX;
    visit->hot_product = hot ? hot->whole : 0;
    if (visit->pages_min > visit->pages_max)
        problem_add(filling->problems, pages,
                    "expected the fewest pages and then the most, found %d and then %d", visit->pages_min,
                    visit->pages_max);
    if (visit->think_mean_ns > visit->think_max_ns)
        problem_add(filling->problems, node, "expected a think_mean of at most think_max, %s, found more",
                    duration_text(&longest, visit->think_max_ns));
}

/* ---- how often ---- */

static void fill_bursts(const struct filling *filling, const struct yaml_node *node,
                        struct stream_spec *stream)
{
    struct burst_spec *burst = &stream->burst;
    const struct yaml_node *within = yaml_node_key(node, "within"), *every = yaml_node_key(node, "every");
    shape_fill(filling->tree, node, &shape_bursts, burst);
    if (every && filling_positive(filling, every) && burst->within_ns > burst->every_ns)
        problem_add(filling->problems, within, "expected at most the time until the next burst, %s, found %s",
                    every->text, within->text);
    if (!filling_inside(filling, yaml_node_key(node, "at")))
        return;
    int64_t end_ns = burst->at_ns + (burst->rounds - 1) * burst->every_ns + burst->within_ns;
    struct duration_text end, duration;
    if (end_ns > filling->scenario->duration_ns)
        problem_add(filling->problems, node,
                    "expected bursts that are over by the end, %s, found the last until %s",
                    duration_text(&duration, filling->scenario->duration_ns), duration_text(&end, end_ns));
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
    const struct yaml_node *journeys = yaml_node_key(node, "journeys"), *rate = yaml_node_key(node, "rate");
    if (journey) {
        check_journey(filling, journey, journey->at, journey->text);
        stream->mixes[stream->mix_count++] = (struct mix){.of = {{journey->text, 1}}, .count = 1};
    }
    if (journeys)
        fill_mixes(filling, journeys, stream);
    if (call)
        fill_call(filling, call, stream);
    check_via(filling, yaml_node_key(node, "via"), stream);
    const struct yaml_node *traffic = yaml_node_key(node, "traffic"), *table = yaml_node_key(node, "table");
    stream->demo = traffic ? traffic->whole == 1 : strcmp(node->key, "baseline") != 0;
    fill_visit(filling, yaml_node_key(node, "visit"), &stream->visit);
    if (rate)
        scale_rate(filling, node, stream);
    else
        fill_bursts(filling, yaml_node_key(node, "bursts"), stream);
    if (rate && stream_start(stream) != NEVER && stream_start(stream) >= filling->scenario->duration_ns)
        problem_add(filling->problems, rate,
                    "expected a stream that starts within the duration, found one that starts after the end");
    if (table)
        fill_table(filling, table, stream);
}

void scenario_fill_streams(struct filling *filling)
{
    for (const struct yaml_node *node = filling_first(filling, "streams"); node; node = node->next)
        fill_stream(filling, node);
}
