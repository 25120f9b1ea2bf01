/* call: the life of a running route - it begins with a request, takes its steps and ends with one reply. */
#include "core/parts.h"

#include "core/shape.h"
#include "core/text.h"

enum purpose { PURPOSE_WORK = 0x100, PURPOSE_SERVICE };

static void timer_fired(void *owner, int64_t now_ns);
static void end_hold(struct call *call, int64_t now_ns);
static void run(struct call *call);

static struct call *call_new(struct actor *actor, const struct bound_route *route)
{
    struct world *world = actor->world;
    struct call *call = slab_take(&world->calls);
    if (!call)
        return NULL;
    call->actor = actor;
    call->route = route;
    call->timer = (struct timer){.fire = timer_fired, .owner = call};
    call->step = 0;
    call->root = call->ended = call->outbound = false;
    call->failure = STATUS_OK;
    call->script = NULL;
    call->request = call->kept = call->sent = NULL;
    call->query = NULL;
    memset(call->locals, 0, sizeof call->locals);
    return call;
}

/* The first field of a request is the value of its path's parameter: a text, or an id. */
struct slice call_path_param(const struct body *request, char digits[static PATH_DIGITS_MAX])
{
    struct cursor cursor = cursor_of(request);
    cursor_array(&cursor);
    struct cursor as_text = cursor;
    struct slice value = cursor_text(&as_text);
    if (!as_text.bad)
        return value;
    int64_t id = cursor_int(&cursor);
    if (cursor.bad)
        return (struct slice){"", 0};
    uint64_t left = id < 0 ? 0 - (uint64_t)id : (uint64_t)id;
    char *at = digits + PATH_DIGITS_MAX;
    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (id < 0)
        *--at = '-';
    return (struct slice){at, (uint32_t)(digits + PATH_DIGITS_MAX - at)};
}

/* Who asks from outside is not trusted to know what the route takes. */
static bool request_fits(const struct call *call)
{
    struct body_shape shape;
    bool parsed = body_shape_parse(call->route->route->takes, &shape, NULL);
    ASSERT(parsed);
    struct cursor cursor = cursor_of(call->request);
    return body_shape_check(&shape, &cursor);
}

static void explain_shape(struct call *call, struct pack *pack)
{
    const char *takes = call->route->route->takes;
    struct text text = {0};
    text_lit(&text, "expected ");
    text_str(&text, takes && *takes ? takes : "no fields");
    pack_array(pack, 1);
    pack_text_len(pack, text.bytes, text.len);
    text_fini(&text);
}

void route_unmet(struct world *world, const struct bound_route *route)
{
    if (route && route->route->checkout)
        world->stats.business.count[BUSINESS_CHECKOUT]++;
}

void call_begin(struct actor *actor, struct message *message)
{
    struct world *world = actor->world;
    if (message->route >= actor->route_count || actor->kind->drives_load) {
        world_reply(world, actor->index, message->from, message->ask, STATUS_NOT_FOUND, NULL);
        return;
    }
    if (world->now_ns >= message->deadline_ns) {
        world->stats.expired++;
        route_unmet(world, &actor->routes[message->route]);
        world_reply(world, actor->index, message->from, message->ask, STATUS_DEADLINE, NULL);
        return;
    }
    struct call *call = call_new(actor, &actor->routes[message->route]);
    if (!call) {
        route_unmet(world, &actor->routes[message->route]);
        world_reply(world, actor->index, message->from, message->ask, STATUS_OVERLOADED, NULL);
        return;
    }
    call->context = message->context;
    body_ref(call->context.state);
    call->deadline_ns = call->step_deadline_ns = message->deadline_ns;
    call->reply_to = message->from;
    call->reply_ask = message->ask;
    call->request = body_ref(message->body);
    span_open(&call->server, call->route->site, world->seed, &call->context, call->context.ordinal,
              world->now_ns);
    if (call->route->site->path_template)
        call->server.path_param = call_path_param(call->request, call->server_digits);
    if (call->context.demo && call->context.demo_minute >= 0) {
        attrs_int(&call->server.attrs, ATTR_DEMO_MINUTE, call->context.demo_minute);
        attrs_text(&call->server.attrs, ATTR_DEMO_PHASE, world->scenario->phases[call->context.phase].name);
    }
    call->below = span_context(&call->server, &call->context);
    if (message->from == OUTSIDE && !request_fits(call))
        call_reply(call, STATUS_BAD_INPUT, explain_shape);
    if (!call->ended && call->route->script && script_holds(call))
        return;
    run(call);
}

bool call_begin_root(struct actor *actor, const struct bound_route *journey, struct arrivals *arrivals,
                     uint64_t number, int64_t intended_at_ns)
{
    struct call *call = call_new(actor, journey);
    if (!call)
        return false;
    journey_begin(call, arrivals, number, intended_at_ns);
    run(call);
    return true;
}

static void release(struct call *call)
{
    struct world *world = call->actor->world;
    if (call->root)
        journey_end(call);
    due_cancel(&world->due, &call->timer);
    body_unref(&world->messages.bodies, call->context.state);
    body_unref(&world->messages.bodies, call->request);
    body_unref(&world->messages.bodies, call->kept);
    body_unref(&world->messages.bodies, call->sent);
    slab_give(&world->calls, call);
}

static void begin_work(struct call *call)
{
    struct actor *actor = call->actor;
    struct draw chance = draw(actor->world->seed, call->server.id, PURPOSE_WORK, call->step);
    int64_t work_ns = draw_duration(chance.a, &actor->work, actor->work_sigma);
    work_ns = (int64_t)((double)work_ns * actor->slow);
    actor->world->stats.profile[call->route->steps[call->step].profile].cpu_ns += (double)work_ns;
    call_arm(call, actor->world->now_ns + work_ns);
}

/* Runs steps until one has to wait or the call has ended. */
static void run(struct call *call)
{
    while (!call->ended) {
        if (call->step == call->route->step_count) {
            call_reply(call, STATUS_OK, NULL);
            break;
        }
        const struct bound_step *bound = &call->route->steps[call->step];
        if (bound->step->when && !bound->step->when(call)) {
            call->step++;
            continue;
        }
        switch (bound->step->kind) {
        case STEP_WORK:
            begin_work(call);
            return;
        case STEP_ASK:
        case STEP_CACHE:
            ask_begin(call, bound);
            return;
        case STEP_QUERY:
            query_begin(call, bound);
            return;
        case STEP_DO:
            bound->step->run(call);
            call->step++;
            break;
        case STEP_REPLY:
            call_reply(call, bound->step->status, bound->step->body);
            break;
        case STEP_THINK:
            if (journey_thinks(call))
                return;
            call->ended = true;
            break;
        case STEP_END:
            ASSERT(!"a bound step is never the end");
        }
    }
    release(call);
}

void call_quit(struct call *call)
{
    call->ended = true;
    release(call);
}

void call_arm(struct call *call, int64_t at_ns)
{
    int64_t due_ns = MIN(at_ns, call->deadline_ns);
    if (due_ns != NEVER)
        due_arm(&call->actor->world->due, &call->timer, due_ns);
}

static void timer_fired(void *owner, int64_t now_ns)
{
    struct call *call = owner;
    if (call->script) {
        end_hold(call, now_ns);
        return;
    }
    const struct bound_step *bound = &call->route->steps[call->step];
    switch (bound->step->kind) {
    case STEP_WORK:
        call_resume(call, now_ns < call->deadline_ns ? STATUS_OK : STATUS_DEADLINE, NULL, cursor_of(NULL));
        return;
    case STEP_QUERY:
        query_timed_out(call);
        return;
    case STEP_THINK:
        if (journey_over(call))
            call_quit(call);
        else
            call_resume(call, STATUS_OK, NULL, cursor_of(NULL));
        return;
    default:
        ask_ended(call, bound, STATUS_DEADLINE);
        call_resume(call, STATUS_DEADLINE, NULL, cursor_of(NULL));
    }
}

/* What a failure answers when the step does not say: its own text, or what the one asked said. */
static void explain(struct call *call, struct pack *pack)
{
    const struct bound_step *bound = &call->route->steps[call->step];
    if (call->kept && bound->step->kind == STEP_ASK) {
        pack_raw(pack, call->kept->bytes, call->kept->len);
        return;
    }
    pack_array(pack, 1);
    if (call->failure != STATUS_POOL_EXHAUSTED) {
        pack_text(pack, status_info(call->failure)->text);
        return;
    }
    struct text text = {0};
    text_lit(&text, "SQLSTATE[08006]: Connection timeout after ");
    text_i64(&text, bound->pool->acquire_timeout_ns / NS_PER_MS);
    text_lit(&text, "ms");
    pack_text_len(pack, text.bytes, text.len);
    text_fini(&text);
}

static enum status failure_answer(const struct call *call, const struct step *step)
{
    if (step->status != STATUS_OK)
        return step->status;
    bool own = step->kind == STEP_QUERY && status_info(call->failure)->http;
    return own || call->failure == STATUS_FAILED ? call->failure : STATUS_UNAVAILABLE;
}

void call_resume(struct call *call, enum status status, struct body *body, struct cursor at)
{
    struct world *world = call->actor->world;
    const struct step *step = call->route->steps[call->step].step;
    bool taken =
        status == STATUS_OK || status == STATUS_CREATED || (step->outcomes && !status_failed(status));
    due_cancel(&world->due, &call->timer);
    slab_renew(&call->item);
    call->step_deadline_ns = call->deadline_ns;
    if (taken) {
        struct answer answer = {.status = status, .body = at, .raw = body};
        if (step->then)
            step->then(call, &answer);
    } else if (!step->optional) {
        /* What a database cannot make sense of came from whoever asked. */
        bool impossible = step->kind == STEP_QUERY && status == STATUS_BAD_INPUT;
        call->failure = status_failed(status) || impossible ? status : STATUS_FAILED;
        body_unref(&world->messages.bodies, call->kept);
        call->kept = body_ref(body);
        call_reply(call, failure_answer(call, step), step->on_failure ? step->on_failure : explain);
    }
    call->step++;
    run(call);
}

/* A scripted wait is over, or as much of it as the caller waits for. */
static void end_hold(struct call *call, int64_t now_ns)
{
    bool cut = now_ns >= call->deadline_ns;
    if (script_woken(call, cut))
        return;
    if (cut) {
        call->failure = STATUS_DEADLINE;
        call_reply(call, STATUS_UNAVAILABLE, explain);
    }
    run(call);
}

/* What the asker is told: HTTP's view, which knows no pools and no locks. */
static enum status outward(enum status status)
{
    const struct status_info *info = status_info(status);
    return info->http == 503 || !info->http ? STATUS_UNAVAILABLE : status;
}

void call_reply(struct call *call, enum status status, void (*body)(struct call *, struct pack *))
{
    struct world *world = call->actor->world;
    ASSERT(!call->ended);
    call->ended = true;
    if (call->root) {
        if (call->route->route->leave)
            call->route->route->leave(call);
        return;
    }
    struct pack *pack = world_pack(world);
    if (body)
        body(call, pack);
    else
        pack_array(pack, 0);
    struct body *answer = world_body(world, pack);
    if (!answer)
        status = STATUS_FAILED;
    struct span *span = &call->server;
    span->status = status;
    struct series *series = bound_series_of(world, call->route->durations, METRIC_HTTP_SERVER_DURATION, span);
    series_record(series, world->now_ns - span->start_ns, world->now_ns, span);
    world_emit(world, span, status, world->now_ns);
    world_reply(world, call->actor->index, call->reply_to, call->reply_ask, outward(status), answer);
}

/* ---- what actors see ---- */

void *call_locals(struct call *call)
{
    return call->locals;
}

struct cursor call_request(const struct call *call)
{
    return cursor_of(call->request);
}

struct body *call_request_body(const struct call *call)
{
    return call->request;
}

const struct trace_context *call_context(const struct call *call)
{
    return &call->context;
}

uint64_t call_draw(const struct call *call, uint32_t index)
{
    return draw(call->actor->world->seed, call->server.id, PURPOSE_SERVICE, index).a;
}

uint64_t call_request_number(const struct call *call)
{
    return call->number;
}

const struct visit_spec *call_visit(const struct call *call)
{
    ASSERT(call->root);
    return &call->actor->world->scenario->streams[call->context.stream].visit;
}

struct attrs *call_attrs(struct call *call)
{
    return &call->server.attrs;
}

int call_variant(const struct call *call, int variant)
{
    ASSERT(variant >= 0 && variant < SERVICE_VARIANTS_MAX);
    return call->actor->spec ? call->actor->spec->variant[variant] : 0;
}

int call_demo_variant(const struct call *call, int variant)
{
    return call->context.demo ? call_variant(call, variant) : 0;
}

enum status call_failure(const struct call *call)
{
    return call->failure;
}

void call_keep(struct call *call, struct body *body)
{
    struct body *older = call->kept;
    call->kept = body_ref(body);
    body_unref(&call->actor->world->messages.bodies, older);
}

void call_keep_bytes(struct call *call, const void *bytes, size_t len)
{
    struct body *body = body_new(&call->actor->world->messages.bodies, bytes, len);
    call_keep(call, body);
    body_unref(&call->actor->world->messages.bodies, body);
}

void call_keep_value(struct call *call, const struct answer *answer)
{
    struct cursor value = answer->body;
    struct slice bytes = cursor_raw(&value);
    call_keep_bytes(call, bytes.at, bytes.len);
}

static void pack_why(struct call *call, struct pack *pack)
{
    pack_array(pack, 1);
    pack_text(pack, call->why);
}

void call_refuse(struct call *call, enum status status, const char *why)
{
    call->why = why;
    call_reply(call, status, pack_why);
}

struct body *call_kept(const struct call *call)
{
    return call->kept;
}

void call_business(struct call *call, enum business what, int64_t cents)
{
    struct business_stats *shop = &call->actor->world->stats.business;
    shop->count[what]++;
    if (what != BUSINESS_ORDER)
        return;
    shop->revenue_cents += cents;
    struct series *value = call->actor->world->shop[METRIC_SHOP_ORDER_VALUE];
    histogram_add(value->histogram, (double)cents / 100);
}
