/*
 * load: open-loop arrivals. A stream's journeys begin as a Poisson process on its curve, or in bursts, whether
 * or not earlier ones have ended; each is meant for an instant, and is of a kind, that the seed alone decides.
 */
#include "core/parts.h"

enum { PURPOSE_ARRIVAL = 0x200, PURPOSE_JOURNEY };

/* The demo's curves run on the timeline; the baseline's from the start, demo or not. */
static int64_t zero_of(const struct arrivals *arrivals)
{
    return arrivals->spec->demo ? arrivals->world->zero_ns : 0;
}

static uint64_t key_of(const struct arrivals *arrivals)
{
    return (uint64_t)arrivals->index << 48 | arrivals->number;
}

static int64_t next_on_curve(const struct arrivals *arrivals)
{
    double area = draw_exponential(draw(arrivals->world->seed, key_of(arrivals), PURPOSE_ARRIVAL, 0).a);
    return curve_advance(&arrivals->spec->rate_per_min, arrivals->next_at_ns - zero_of(arrivals),
                         area / arrivals->stats->scale);
}

static int64_t next_of_bursts(const struct arrivals *arrivals)
{
    const struct burst_spec *burst = &arrivals->spec->burst;
    int64_t round = (int64_t)(arrivals->burst_place / (uint64_t)burst->count);
    int64_t place = (int64_t)(arrivals->burst_place % (uint64_t)burst->count);
    return round < burst->rounds
               ? burst->at_ns + round * burst->every_ns + burst->within_ns * place / burst->count
               : NEVER;
}

static void arm_next(struct arrivals *arrivals)
{
    struct world *world = arrivals->world;
    int64_t next_ns = arrivals->spec->burst.count ? next_of_bursts(arrivals) : next_on_curve(arrivals);
    arrivals->next_at_ns = next_ns == NEVER ? NEVER : next_ns + zero_of(arrivals);
    if (arrivals->next_at_ns < world_end(world))
        due_arm(&world->due, &arrivals->timer, arrivals->next_at_ns);
}

/* From now on: bursts that would have been before are passed over. */
static void arm_first(struct arrivals *arrivals)
{
    arrivals->next_at_ns = arrivals->world->now_ns;
    arrivals->burst_place = 0;
    while (arrivals->spec->burst.count && next_of_bursts(arrivals) < arrivals->next_at_ns - zero_of(arrivals))
        arrivals->burst_place++;
    arm_next(arrivals);
}

/* Who comes at this instant of the timeline: by the mix that holds then, and the arrival's own draw. */
static const struct bound_route *journey_of(const struct arrivals *arrivals, int64_t at_ns)
{
    const struct stream_spec *spec = arrivals->spec;
    size_t of = 0, choice = 0;
    double sum = 0;
    if (arrivals->direct)
        return arrivals->direct;
    while (of + 1 < spec->mix_count && spec->mixes[of + 1].at_ns <= at_ns)
        of++;
    const struct mix *mix = &spec->mixes[of];
    for (size_t i = 0; i < mix->count; i++)
        sum += mix->of[i].weight;
    double left = sum * draw_uniform(draw(arrivals->world->seed, key_of(arrivals), PURPOSE_JOURNEY, 0).a);
    while (choice + 1 < mix->count && left >= mix->of[choice].weight)
        left -= mix->of[choice++].weight;
    return arrivals->journeys[of][choice];
}

static void arrive(void *owner, int64_t now_ns)
{
    struct arrivals *arrivals = owner;
    struct world *world = arrivals->world;
    if (arrivals->next_at_ns >= world_end(world))
        return; /* the demo was started after this one had been planned, and is over */
    histogram_add_ns(&arrivals->stats->start_error, now_ns - arrivals->next_at_ns);
    if (now_ns - arrivals->next_at_ns > LATE_START_NS) {
        arrivals->stats->late++;
        series_add(arrivals->late, 1);
    }
    const struct bound_route *journey = journey_of(arrivals, arrivals->next_at_ns - zero_of(arrivals));
    if (call_begin_root(world->load, journey, arrivals, arrivals->number, arrivals->next_at_ns)) {
        series_add(arrivals->started, 1);
    } else {
        arrivals->stats->dropped++;
        series_add(arrivals->dropped, 1);
    }
    arrivals->number++;
    arrivals->burst_place++;
    arm_next(arrivals);
}

static const struct bound_route *journey_named(const struct actor *load, const char *name)
{
    for (size_t i = 0; i < load->route_count; i++)
        if (strcmp(load->kind->routes[i].name, name) == 0)
            return &load->routes[i];
    ASSERT(!"the loader knows the journeys");
    return NULL;
}

/* A journey of one request, to a route named in the file. */
static struct bound_route *make_direct(struct world *world, const struct stream_spec *spec)
{
    struct direct {
        struct route route;
        struct step steps[2];
        struct bound_route bound;
    } *direct = base_alloc(1, sizeof *direct);
    world_keep(world, (char *)direct);
    direct->steps[0] = (struct step)ASK(spec->service, spec->route, .limit_ms = 10000);
    direct->route = (struct route){.name = spec->name, .steps = direct->steps};
    bind_route(world->load, &direct->bound, &direct->route);
    return &direct->bound;
}

static void bind_journeys(struct arrivals *arrivals)
{
    const struct stream_spec *spec = arrivals->spec;
    for (size_t m = 0; m < spec->mix_count; m++)
        for (size_t i = 0; i < spec->mixes[m].count; i++)
            arrivals->journeys[m][i] = journey_named(arrivals->world->load, spec->mixes[m].of[i].journey);
    if (!spec->mix_count)
        arrivals->direct = make_direct(arrivals->world, spec);
}

void load_start(struct world *world)
{
    const struct scenario *scenario = world->scenario;
    for (size_t i = 0; i < scenario->stream_count; i++) {
        struct arrivals *arrivals = &world->arrivals[i];
        const struct stream_spec *spec = &scenario->streams[i];
        struct attr traffic = {.key = ATTR_TRAFFIC_TYPE, .type = ATTR_TEXT};
        traffic.text = spec->demo ? "demo" : "baseline";
        traffic.len = (uint32_t)strlen(traffic.text);
        *arrivals = (struct arrivals){.world = world,
                                      .spec = spec,
                                      .stats = &world->stats.streams[i],
                                      .timer = {.fire = arrive, .owner = arrivals},
                                      .index = (uint8_t)i};
        bind_journeys(arrivals);
        uint16_t service = world->load->index;
        arrivals->started = metrics_series(&world->metrics, METRIC_LOAD_STARTED, service, &traffic, 1);
        arrivals->late = metrics_series(&world->metrics, METRIC_LOAD_LATE, service, &traffic, 1);
        arrivals->dropped = metrics_series(&world->metrics, METRIC_LOAD_DROPPED, service, &traffic, 1);
        if (!world->load->away && (!spec->demo || world->zero_ns != NEVER))
            arm_first(arrivals);
    }
}

void load_start_demo(struct world *world, double scale)
{
    for (size_t i = 0; i < world->scenario->stream_count && !world->load->away; i++)
        if (world->arrivals[i].spec->demo) {
            world->arrivals[i].stopped = false;
            world->stats.streams[i].scale = scale;
            arm_first(&world->arrivals[i]);
        }
}

void load_stop(struct world *world, bool demo_only)
{
    for (size_t i = 0; i < world->scenario->stream_count; i++)
        if (world->arrivals[i].spec->demo || !demo_only) {
            due_cancel(&world->due, &world->arrivals[i].timer);
            world->arrivals[i].stopped = true;
        }
    journeys_stop(world);
}

/* The end that they would not pass is gone. */
void load_go_on(struct world *world)
{
    for (size_t i = 0; i < world->scenario->stream_count && !world->load->away; i++) {
        struct arrivals *arrivals = &world->arrivals[i];
        if (!arrivals->spec->demo && !arrivals->stopped && !timer_armed(&arrivals->timer) &&
            arrivals->next_at_ns != NEVER)
            due_arm(&world->due, &arrivals->timer, arrivals->next_at_ns);
    }
}

bool world_bursting(const struct world *world)
{
    for (size_t i = 0; i < world->scenario->stream_count; i++) {
        const struct arrivals *arrivals = &world->arrivals[i];
        const struct burst_spec *burst = &arrivals->spec->burst;
        bool more = timer_armed(&arrivals->timer) && world->now_ns - zero_of(arrivals) >= burst->at_ns;
        if (burst->count && (arrivals->under_way || more))
            return true;
    }
    return false;
}
