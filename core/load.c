/*
 * load: open-loop arrivals. A stream's requests come as a Poisson process on its curve, whether or not
 * earlier ones have ended; each is meant for an instant that the seed alone decides.
 */
#include "core/parts.h"

enum { PURPOSE_ARRIVAL = 0x200 };

/* The demo's curves run on the timeline; the baseline's from the start, demo or not. */
static void arm_next(struct arrivals *arrivals)
{
    struct world *world = arrivals->world;
    uint64_t key = (uint64_t)arrivals->index << 48 | arrivals->number;
    double area = draw_exponential(draw(world->seed, key, PURPOSE_ARRIVAL, 0).a);
    int64_t zero_ns = arrivals->spec->demo ? world->zero_ns : 0;
    int64_t next_ns = curve_advance(&arrivals->spec->rate_per_min, arrivals->next_at_ns - zero_ns, area);
    arrivals->next_at_ns = next_ns == NEVER ? NEVER : next_ns + zero_ns;
    if (arrivals->next_at_ns < world_end(world))
        due_arm(&world->due, &arrivals->timer, arrivals->next_at_ns);
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
    if (call_begin_root(world->load, arrivals->journey, arrivals, arrivals->number, arrivals->next_at_ns)) {
        series_add(arrivals->started, 1);
    } else {
        arrivals->stats->dropped++;
        series_add(arrivals->dropped, 1);
    }
    arrivals->number++;
    arm_next(arrivals);
}

/* The stream's journey: one of the load generator's, or a single request to a route named in the file. */
static const struct bound_route *journey_of(struct world *world, const struct stream_spec *spec)
{
    struct actor *load = world->load;
    if (spec->journey) {
        for (size_t i = 0; i < load->route_count; i++)
            if (strcmp(load->routes[i].route->name, spec->journey) == 0)
                return &load->routes[i];
        ASSERT(!"the loader knows the journeys");
    }
    struct direct {
        struct route route;
        struct step steps[2];
        struct bound_route bound;
    } *direct = base_alloc(1, sizeof *direct);
    world_keep(world, (char *)direct);
    direct->steps[0] = (struct step)ASK(spec->service, spec->route, .limit_ms = 10000);
    direct->route = (struct route){.name = spec->name, .steps = direct->steps};
    bind_route(load, &direct->bound, &direct->route);
    return &direct->bound;
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
                                      .journey = journey_of(world, spec),
                                      .timer = {.fire = arrive, .owner = arrivals},
                                      .index = (uint8_t)i};
        uint16_t service = world->load->index;
        arrivals->started = metrics_series(&world->metrics, METRIC_LOAD_STARTED, service, &traffic, 1);
        arrivals->late = metrics_series(&world->metrics, METRIC_LOAD_LATE, service, &traffic, 1);
        arrivals->dropped = metrics_series(&world->metrics, METRIC_LOAD_DROPPED, service, &traffic, 1);
        arrivals->next_at_ns = world->now_ns;
        if (!spec->demo || world->zero_ns != NEVER)
            arm_next(arrivals);
    }
}

void load_start_demo(struct world *world)
{
    for (size_t i = 0; i < world->scenario->stream_count; i++)
        if (world->arrivals[i].spec->demo) {
            world->arrivals[i].next_at_ns = world->now_ns;
            arm_next(&world->arrivals[i]);
        }
}

void load_stop(struct world *world, bool demo_only)
{
    for (size_t i = 0; i < world->scenario->stream_count; i++)
        if (world->arrivals[i].spec->demo || !demo_only)
            due_cancel(&world->due, &world->arrivals[i].timer);
}
