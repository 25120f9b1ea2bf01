/* The bursts of a scenario, triggered from outside, and how they went. */
#include "edges/admin_parts.h"
#include "edges/figures.h"

#define LOOK_EVERY_S 0.02
/* On the world's clock, behind the last arrival: longer than any request may take. */
#define WAIT_NS (2 * NS_PER_MIN)

/* ---- which ---- */

static bool is_burst(const struct stream_spec *spec)
{
    return spec->demo && spec->burst.count;
}

/* False: the scenario has none that wait for the demo. */
static bool find_bursts(const struct scenario *scenario, int64_t *first_ns, int64_t *last_ns)
{
    *first_ns = NEVER;
    *last_ns = 0;
    for (size_t i = 0; i < scenario->stream_count; i++) {
        const struct burst_spec *burst = &scenario->streams[i].burst;
        if (!is_burst(&scenario->streams[i]))
            continue;
        *first_ns = MIN(*first_ns, burst->at_ns);
        *last_ns = MAX(*last_ns, burst->at_ns + burst->every_ns * (burst->rounds - 1) + burst->within_ns);
    }
    return *first_ns != NEVER;
}

/* The service that a stream asks, or that its first journey asks first. */
static const char *service_asked(const struct registry *registry, const struct stream_spec *spec)
{
    if (!spec->mix_count)
        return spec->service;
    const struct route *journey = registry_journey(registry, spec->mixes[0].of[0].journey);
    for (const struct step *step = journey->steps; step->kind != STEP_END; step++)
        if (step->kind == STEP_ASK)
            return step->to;
    return spec->name;
}

/* ---- how they went ---- */

/* Of the streams that ask this service, or of all. */
static json_t *figures(const struct admin *admin, const char *service)
{
    const struct admin_options *options = &admin->options;
    struct window sum = {0};
    for (size_t i = 0; i < options->scenario->stream_count; i++) {
        const struct stream_spec *spec = &options->scenario->streams[i];
        const struct window *whole = &world_stats(options->world)->streams[i].whole;
        if (!is_burst(spec) || (service && strcmp(service, service_asked(options->registry, spec)) != 0))
            continue;
        sum.requests += whole->requests;
        sum.errors += whole->errors;
        histogram_merge(&sum.latency, &whole->latency);
    }
    json_t *told = json_object();
    json_put_count(told, "total", sum.requests);
    json_put_count(told, "succeeded", sum.requests - sum.errors);
    json_put_count(told, "failed", sum.errors);
    json_put_ratio(told, "failure_rate", figure_share(sum.errors, sum.requests));
    json_put_ms(told, "p95_ms", histogram_quantile(&sum.latency, 0.95));
    json_put_ms(told, "p99_ms", histogram_quantile(&sum.latency, 0.99));
    return told;
}

static void tell(struct admin *admin, struct http_request *request)
{
    const struct admin_options *options = &admin->options;
    json_t *told = figures(admin, NULL), *services = json_object();
    for (size_t i = 0; i < options->scenario->stream_count; i++) {
        const struct stream_spec *spec = &options->scenario->streams[i];
        const char *service = is_burst(spec) ? service_asked(options->registry, spec) : NULL;
        if (service && !json_object_get(services, service))
            json_put(services, service, figures(admin, service));
    }
    json_put_text(told, "scenario", options->scenario->name);
    json_put(told, "services", services);
    admin_respond(request, 200, told);
}

/* ---- the wait ---- */

static void end_wait(struct admin *admin)
{
    ev_timer_stop(admin->options.loop, &admin->burst.poll);
}

static void look(struct admin *admin)
{
    struct world *world = admin->options.world;
    struct http_request *request = http_server_request(admin->options.http, admin->burst.token);
    const char *why = NULL;
    int status = 503;
    if (!request) {
        end_wait(admin); /* the client has gone; the bursts go on */
        return;
    }
    if (world_demo_at(world) < 0) {
        why = "the demo was stopped before the bursts had ended";
    } else if (http_server_draining(admin->options.http)) {
        why = "the run ends before the bursts do";
    } else if (world_bursting(world) || world_demo_at(world) <= admin->burst.last_ns) {
        status = 504;
        why = "the bursts take longer than they may";
        if (admin_now(admin) < admin->burst.limit_ns)
            return;
    }
    end_wait(admin);
    if (why)
        http_request_respond_error(request, status, why);
    else
        tell(admin, request);
}

static void on_look(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    look(watcher->data);
}

void admin_burst_open(struct admin *admin)
{
    ev_timer_init(&admin->burst.poll, on_look, LOOK_EVERY_S, LOOK_EVERY_S);
    admin->burst.poll.data = admin;
}

void admin_burst_close(struct admin *admin)
{
    if (ev_is_active(&admin->burst.poll))
        look(admin);
    end_wait(admin);
}

void admin_trigger_bursts(struct admin *admin, struct http_request *request)
{
    struct demo_start start = {0};
    int64_t last_ns, now_ns = admin_now(admin);
    /* Who waits for bursts that were stopped is told so before another takes the place. */
    if (ev_is_active(&admin->burst.poll))
        look(admin);
    if (!find_bursts(admin->options.scenario, &start.at_ns, &last_ns)) {
        http_request_respond_error(request, 400,
                                   "the scenario that is loaded has no bursts to trigger; database-apm has");
        return;
    }
    if (!world_start_demo(admin->options.world, &start, now_ns)) {
        http_request_respond_error(request, 409,
                                   "the demo's clock runs already, and will bring the bursts or has brought "
                                   "them; POST /admin/stop-demo, or run with DEMO_MODE=off");
        return;
    }
    admin->burst.token = http_request_token(request);
    admin->burst.last_ns = last_ns;
    admin->burst.limit_ns = now_ns + last_ns - start.at_ns + WAIT_NS;
    ev_timer_again(admin->options.loop, &admin->burst.poll);
}
