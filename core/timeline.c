/* timeline: the scenario's clock - its phases and faults in time, samples, and when the demo starts and stops. */
#include "core/parts.h"

/* The last sample is at the timeline's end, also when that is not a whole number of them away: the world
   runs until then, so that all of it has been played. */
void timeline_arm_sample(struct world *world)
{
    int64_t last_ns = world->sample_at_ns;
    /* From the last one's due instant, so that being late once makes nothing else late. */
    if (!timer_armed(&world->sample) && (last_ns < 0 || world->now_ns - last_ns > WORLD_SAMPLE_NS))
        last_ns = world->now_ns;
    world->sample_at_ns = MIN(last_ns + WORLD_SAMPLE_NS, world_end(world));
    if (world->sample_at_ns > last_ns)
        due_arm(&world->due, &world->sample, world->sample_at_ns);
}

static void sample_due(void *owner, int64_t now_ns)
{
    struct world *world = owner;
    stats_sample(world);
    /* By the instant it was due: a clock that is late now and then makes no minute of 59.9 s. */
    if (!world->load || !world->load->away)
        alerts_judge(world, MIN(world->sample_at_ns, now_ns));
    if (world->sink.metrics)
        world->sink.metrics(world->sink.owner, &world->metrics, now_ns);
    timeline_arm_sample(world);
}

/* By the process that all of it is told to. */
static void log_phase(struct world *world, const struct phase *phase)
{
    if (world->load && world->load->away)
        return;
    struct log_record record = {.body = LOG_BODY_PHASE,
                                .severity = LOG_INFO,
                                .at_ns = world->now_ns,
                                .service = world->load ? world->load->index : 0};
    attrs_text(&record.attrs, ATTR_LOG_PHASE, phase->name);
    attrs_int(&record.attrs, ATTR_LOG_DEMO_MINUTE, world_timeline(world, world->now_ns) / NS_PER_MIN);
    world_log(world, &record);
}

static void plan_due(void *owner, int64_t now_ns)
{
    (void)now_ns;
    struct planned *planned = owner;
    const struct scenario *scenario = planned->world->scenario;
    if (planned->index < scenario->phase_count)
        log_phase(planned->world, &scenario->phases[planned->index]);
    else
        fault_apply(planned->world, planned->index - scenario->phase_count);
}

/* Faults of an instant come before its traffic: they are armed first. What lies before `from` is due at once. */
static void arm_plans(struct world *world)
{
    const struct scenario *scenario = world->scenario;
    for (size_t i = 0; i < scenario->phase_count + scenario->fault_count; i++) {
        struct planned *planned = &world->plans[i];
        int64_t at_ns = i < scenario->phase_count ? scenario->phases[i].at_ns
                                                  : scenario->faults[i - scenario->phase_count].at_ns;
        if (at_ns < world->duration_ns)
            due_arm(&world->due, &planned->timer, world->zero_ns + at_ns);
    }
}

void timeline_end_at(struct world *world, int64_t duration_ns)
{
    int64_t own_ns = world->scenario->duration_ns;
    world->duration_ns = duration_ns > 0 ? MIN(duration_ns, own_ns) : own_ns;
}

void timeline_start(struct world *world)
{
    world->sample = (struct timer){.fire = sample_due, .owner = world};
    size_t count = world->scenario->phase_count + world->scenario->fault_count;
    world->plans = base_alloc(count, sizeof *world->plans);
    for (size_t i = 0; i < count; i++) {
        struct planned *planned = &world->plans[i];
        *planned =
            (struct planned){.world = world, .index = i, .timer = {.fire = plan_due, .owner = planned}};
    }
    if (world->zero_ns != NEVER)
        arm_plans(world);
}

void timeline_cancel(struct world *world)
{
    for (size_t i = 0; i < world->scenario->phase_count + world->scenario->fault_count; i++)
        due_cancel(&world->due, &world->plans[i].timer);
}

static void set_pools_zero(struct world *world)
{
    for (size_t a = 0; a < world->actor_count; a++)
        for (size_t i = 0; i < world->actors[a].pool_count; i++)
            world->actors[a].pools[i].pool.zero_ns = world->zero_ns;
}

static void start_at(struct world *world, int64_t zero_ns, int64_t from_ns, int64_t duration_ns, double scale)
{
    world->zero_ns = world->last_zero_ns = zero_ns;
    world->from_ns = from_ns;
    timeline_end_at(world, duration_ns);
    /* The timeline is told anew: nothing of an earlier demo is in its windows or its alerts. */
    stats_restart(world);
    alerts_free(world->alerts);
    world->alerts = alerts_new(world);
    set_pools_zero(world);
    arm_plans(world);
    load_start_demo(world, scale);
    timeline_arm_sample(world);
}

bool world_start_demo(struct world *world, const struct demo_start *start, int64_t now_ns)
{
    if (world->zero_ns != NEVER)
        return false;
    world->now_ns = MAX(world->now_ns, now_ns);
    start_at(world, world->now_ns - start->at_ns, start->at_ns, start->duration_ns,
             start->scale > 0 ? start->scale : 1);
    return true;
}

bool world_stop_demo(struct world *world)
{
    if (world->zero_ns == NEVER)
        return false;
    load_stop(world, true);
    timeline_cancel(world);
    world->zero_ns = NEVER;
    set_pools_zero(world);
    load_go_on(world);
    timeline_arm_sample(world);
    return true;
}

struct world_course world_course(const struct world *world)
{
    return (struct world_course){world->zero_ns, world->from_ns, world->duration_ns, world->faults_set};
}

void world_follow(struct world *world, const struct world_course *course, int64_t now_ns)
{
    world->now_ns = MAX(world->now_ns, now_ns);
    if (course->zero_ns == world->zero_ns)
        return;
    world_stop_demo(world);
    if (course->zero_ns != NEVER)
        start_at(world, course->zero_ns, course->from_ns, course->duration_ns, 1);
}

int64_t world_demo_at(const struct world *world)
{
    return world_timeline(world, world->now_ns);
}

int64_t world_duration(const struct world *world)
{
    return world->duration_ns;
}

void world_date(const struct world *world, struct trace_context *context, int64_t at_ns)
{
    int64_t on_timeline_ns = world_timeline(world, at_ns);
    context->demo_minute = (int16_t)(on_timeline_ns < 0 ? -1 : on_timeline_ns / NS_PER_MIN);
    context->root_ms = (int32_t)(on_timeline_ns < 0 ? -1 : on_timeline_ns / NS_PER_MS);
    context->phase = scenario_phase(world->scenario, MAX(on_timeline_ns, 0));
}
