/* bind: turns the kinds' constant tables into a world - actors, pools, sites with their attributes, series. */
#include "core/parts.h"

#include <stdlib.h>

#include "core/text.h"

char *world_keep(struct world *world, char *made)
{
    world->strings = base_grow(world->strings, world->string_count, world->string_count + 1, sizeof(char *));
    world->strings[world->string_count++] = made;
    return made;
}

/* A name made at start-up; it lives as long as the world. */
static const char *keep(struct world *world, struct text *text)
{
    char *copy = world_keep(world, base_copy(text_c(text)));
    text_fini(text);
    return copy;
}

static const char *joined(struct world *world, const char *a, const char *b, const char *c)
{
    struct text text = {0};
    text_str(&text, a);
    text_str(&text, b);
    text_str(&text, c);
    return keep(world, &text);
}

static struct span_site *site_new(struct world *world, const struct actor *actor, enum span_kind kind,
                                  const char *name)
{
    struct span_site *site = base_alloc(1, sizeof *site);
    world->sites =
        base_grow(world->sites, world->site_count, world->site_count + 1, sizeof(struct span_site *));
    site->id = (uint32_t)world->site_count;
    site->service = actor->index;
    site->kind = kind;
    site->name = name;
    world->sites[world->site_count++] = site;
    return site;
}

struct actor *bind_actor(struct world *world, const char *service)
{
    for (size_t i = 0; i < world->actor_count; i++)
        if (strcmp(world->actors[i].kind->service, service) == 0)
            return &world->actors[i];
    return NULL;
}

/* "GET /products": method, and the path behind the blank. */
static const char *split_route(struct world *world, const char *name, const char **method)
{
    const char *blank = strchr(name, ' ');
    ASSERT(blank);
    struct text text = {0};
    text_bytes(&text, name, (size_t)(blank - name));
    *method = keep(world, &text);
    return blank + 1;
}

static void http_attrs(struct world *world, struct span_site *site, const char *route, const char *host,
                       uint16_t port, const char *query)
{
    const char *method, *path = split_route(world, route, &method);
    struct attrs *attrs = &site->attrs;
    bool template = strchr(path, '{') != NULL;
    attrs_text(attrs, ATTR_HTTP_METHOD, method);
    attrs_text(attrs, ATTR_SERVER_ADDRESS, host);
    attrs_int(attrs, ATTR_SERVER_PORT, port);
    site->path_template = template ? path : NULL;
    if (site->kind == SPAN_SERVER) {
        attrs_text(attrs, ATTR_HTTP_ROUTE, path);
        attrs_text(attrs, ATTR_URL_SCHEME, "http");
        if (!template)
            attrs_text(attrs, ATTR_URL_PATH, path);
        return;
    }
    attrs_text(attrs, ATTR_URL_TEMPLATE, path);
    if (template)
        return;
    struct text text = {0};
    text_lit(&text, "http://");
    text_str(&text, host);
    text_char(&text, ':');
    text_u64(&text, port);
    text_str(&text, path);
    if (query) {
        text_char(&text, '?');
        text_str(&text, query);
    }
    attrs_text(attrs, ATTR_URL_FULL, keep(world, &text));
}

static void peer_attrs(struct span_site *site, const struct actor_kind *peer)
{
    site->peer = peer->service;
    site->peer_port = peer->port;
    attrs_text(&site->attrs, ATTR_PEER_SERVICE, peer->service);
    attrs_text(&site->attrs, ATTR_SERVICE_PEER_NAME, peer->service);
}

static uint16_t route_index(const struct actor_kind *kind, const char *name)
{
    for (uint16_t i = 0; kind->routes && kind->routes[i].name; i++)
        if (strcmp(kind->routes[i].name, name) == 0)
            return i;
    return UINT16_MAX; /* answered with 404, as over HTTP */
}

static void bind_ask(struct world *world, struct actor *actor, struct bound_step *bound)
{
    const struct step *step = bound->step;
    bound->to = bind_actor(world, step->to);
    struct span_site *site = site_new(world, actor, SPAN_CLIENT, step->route);
    uint16_t port = bound->to ? bound->to->kind->port : 80;
    http_attrs(world, site, step->route, step->to, port, step->query);
    if (bound->to) {
        bound->route = route_index(bound->to->kind, step->route);
        peer_attrs(site, bound->to->kind);
    }
    bound->site = site;
    bound->edge = stats_edge(world, actor->kind->service, step->to);
}

/* Both generations of the names: vendors need both. */
static void database_attrs(struct span_site *site, const char *system, const char *namespace,
                           const char *name, const char *operation, const char *host, uint16_t port)
{
    struct attrs *attrs = &site->attrs;
    attrs_text(attrs, ATTR_DB_SYSTEM_NAME, system);
    attrs_text(attrs, ATTR_DB_SYSTEM, system);
    attrs_text(attrs, ATTR_DB_NAMESPACE, namespace);
    attrs_text(attrs, ATTR_DB_NAME, name);
    attrs_text(attrs, ATTR_DB_OPERATION_NAME, operation);
    attrs_text(attrs, ATTR_DB_OPERATION, operation);
    attrs_text(attrs, ATTR_SERVER_ADDRESS, host);
    attrs_int(attrs, ATTR_SERVER_PORT, port);
    attrs_text(attrs, ATTR_NET_PEER_NAME, host);
    attrs_int(attrs, ATTR_NET_PEER_PORT, port);
}

static void bind_cache(struct world *world, struct actor *actor, struct bound_step *bound)
{
    const char *command = bound->step->to;
    bound->to = world->redis;
    struct span_site *site = site_new(world, actor, SPAN_CLIENT, command);
    bound->route = UINT16_MAX;
    if (bound->to) {
        const struct actor_kind *kind = bound->to->kind;
        bound->route = route_index(kind, command);
        ASSERT(bound->route != UINT16_MAX);
        database_attrs(site, "redis", "0", "0", command, kind->service, kind->port);
        peer_attrs(site, kind);
    }
    bound->site = site;
    bound->edge = stats_edge(world, actor->kind->service, "redis");
}

static struct pool *pool_named(struct actor *actor, const char *name)
{
    for (size_t i = 0; i < actor->pool_count; i++)
        if (strcmp(actor->pools[i].pool.name, name) == 0)
            return &actor->pools[i].pool;
    ASSERT(!"a QUERY names a pool of its own kind");
    return NULL;
}

static void bind_query(struct world *world, struct actor *actor, struct bound_step *bound)
{
    const struct postgresql_spec *spec = &world->scenario->postgresql;
    const struct statement *statement = registry_statement(world->registry, bound->step->route);
    ASSERT(statement);
    bound->to = world->postgresql;
    bound->statement = statement;
    bound->route = (uint16_t)(statement - world->registry->statements);
    bound->pool = pool_named(actor, bound->step->to);

    struct text name = {0};
    text_str(&name, statement->operation);
    text_char(&name, ' ');
    text_str(&name, joined(world, spec->database, ".", statement->collection));
    struct span_site *site = site_new(world, actor, SPAN_CLIENT, keep(world, &name));
    uint16_t port = bound->to ? bound->to->kind->port : 5432;
    database_attrs(site, "postgresql", joined(world, spec->database, "|public", ""), spec->database,
                   statement->operation, spec->host, port);
    attrs_text(&site->attrs, ATTR_DB_COLLECTION_NAME, statement->collection);
    attrs_text(&site->attrs, ATTR_DB_SQL_TABLE, statement->collection);
    attrs_text(&site->attrs, ATTR_DB_QUERY_TEXT, statement->sql);
    attrs_text(&site->attrs, ATTR_DB_STATEMENT, statement->sql);
    if (bound->to)
        peer_attrs(site, bound->to->kind);
    bound->site = site;

    struct span_site *wait = site_new(world, actor, SPAN_INTERNAL, "pool wait");
    struct span_site *run = site_new(world, actor, SPAN_INTERNAL, "query execution");
    attrs_text(&wait->attrs, ATTR_DB_POOL_NAME, bound->pool->name);
    attrs_text(&run->attrs, ATTR_DB_POOL_NAME, bound->pool->name);
    bound->wait_site = wait;
    bound->run_site = run;
    bound->edge = stats_edge(world, actor->kind->service, "postgresql");
}

/* One line a route and function, however many steps it takes. */
static size_t profile_line(struct world *world, const struct actor *actor, const struct route *route,
                           const char *function, const char *pool)
{
    struct run_stats *stats = &world->stats;
    for (size_t i = 0; i < stats->profile_count; i++) {
        const struct profile_line *line = &stats->profile[i];
        if (line->service == actor->kind->service && line->route == route->name &&
            strcmp(line->function, function) == 0)
            return i;
    }
    stats->profile =
        base_grow(stats->profile, stats->profile_count, stats->profile_count + 1, sizeof *stats->profile);
    stats->profile[stats->profile_count] = (struct profile_line){
        .service = actor->kind->service, .route = route->name, .function = function, .pool = pool};
    return stats->profile_count++;
}

void bind_route(struct actor *actor, struct bound_route *bound, const struct route *route)
{
    struct world *world = actor->world;
    bound->route = route;
    bound->durations = base_alloc(1, sizeof *bound->durations);
    if (!actor->kind->drives_load) {
        struct span_site *site = site_new(world, actor, SPAN_SERVER, route->name);
        http_attrs(world, site, route->name, actor->kind->service, actor->kind->port, NULL);
        if (route->endpoint_type)
            attrs_text(&site->attrs, ATTR_ENDPOINT_TYPE, route->endpoint_type);
        bound->site = site;
    }
    while (route->steps && route->steps[bound->step_count].kind != STEP_END) {
        ASSERT(bound->step_count < ROUTE_STEPS_MAX);
        /* A REPLY without a condition is the last step. */
        const struct step *step = &route->steps[bound->step_count++];
        if (step->kind == STEP_REPLY && !step->when)
            break;
    }
    size_t requests = 0;
    bound->steps = base_alloc(bound->step_count, sizeof *bound->steps);
    for (size_t i = 0; i < bound->step_count; i++) {
        struct bound_step *step = &bound->steps[i];
        step->step = &route->steps[i];
        step->durations = base_alloc(1, sizeof *step->durations);
        if (step->step->kind == STEP_ASK)
            bind_ask(world, actor, step);
        else if (step->step->kind == STEP_CACHE)
            bind_cache(world, actor, step);
        else if (step->step->kind == STEP_QUERY)
            bind_query(world, actor, step);
        if (step->step->kind == STEP_QUERY)
            step->profile = profile_line(world, actor, route, step->statement->name, step->pool->name);
        else if (step->step->kind == STEP_WORK)
            step->profile = profile_line(world, actor, route, "work", NULL);
        ASSERT(step->step->kind != STEP_THINK || actor->kind->drives_load);
        requests += step->step->kind == STEP_ASK;
    }
    bound->visit = actor->kind->drives_load && requests > 1;
}

static struct series *pool_series(struct actor_pool *pool, enum metric_id metric, const char *state)
{
    struct attrs attrs = {0};
    attrs_text(&attrs, ATTR_DB_POOL_NAME, pool->pool.name);
    if (state)
        attrs_text(&attrs, ATTR_DB_CONNECTION_STATE, state);
    return metrics_series(&pool->actor->world->metrics, metric, pool->actor->index, attrs.list, attrs.count);
}

static void bind_pool(struct actor *actor, struct actor_pool *bound, const struct pool_default *usual)
{
    struct run_stats *stats = &actor->world->stats;
    struct pool *pool = &bound->pool;
    bound->actor = actor;
    pool->name = usual->name;
    pool->max = usual->max;
    pool->acquire_timeout_ns = usual->acquire_timeout_ms * NS_PER_MS;
    for (size_t i = 0; actor->spec && i < actor->spec->pool_count; i++) {
        const struct pool_spec *spec = &actor->spec->pools[i];
        if (strcmp(spec->name, usual->name) != 0)
            continue;
        pool->max = spec->max ? spec->max : pool->max;
        pool->acquire_timeout_ns =
            spec->acquire_timeout_ns ? spec->acquire_timeout_ns : pool->acquire_timeout_ns;
    }
    pool->granted = query_granted;
    pool->zero_ns = actor->world->zero_ns;
    pool->total = &actor->world->connections;
    if (!stats->pools)
        stats->pools = base_alloc(SERVICES_MAX * SERVICE_POOLS_MAX, sizeof *stats->pools);
    pool->stats = &stats->pools[stats->pool_count++];
    pool->stats->name = usual->name;
    pool->stats->service = actor->kind->service;
    pool->stats->max = pool->max;
    pool->stats->minute_count = stats_minutes(actor->world->scenario);
    pool->stats->minutes = base_alloc(pool->stats->minute_count, sizeof *pool->stats->minutes);
    bound->idle = pool_series(bound, METRIC_POOL_COUNT, "idle");
    bound->used = pool_series(bound, METRIC_POOL_COUNT, "used");
    bound->max = pool_series(bound, METRIC_POOL_MAX, NULL);
    bound->pending = pool_series(bound, METRIC_POOL_PENDING, NULL);
    bound->timeouts = pool_series(bound, METRIC_POOL_TIMEOUTS, NULL);
    bound->wait = pool_series(bound, METRIC_POOL_WAIT, NULL);
    bound->use = pool_series(bound, METRIC_POOL_USE, NULL);
    bound->acquire = pool_series(bound, METRIC_POOL_ACQUIRE, NULL);
    bound->waiters_peak = pool_series(bound, METRIC_POOL_WAITERS_PEAK, NULL);
}

static void bind_kind(struct world *world, struct actor *actor, const struct actor_kind *kind)
{
    const struct service_spec *spec = scenario_service(world->scenario, kind->service);
    actor->world = world;
    actor->kind = kind;
    actor->spec = spec;
    actor->index = (uint16_t)(actor - world->actors);
    actor->slow = 1;
    actor->work = spec && spec->work.p50_ns ? spec->work : kind->work;
    actor->work_sigma = duration_dist_sigma(&actor->work);
    actor->mailbox.asks_max = spec && spec->mailbox_max ? (uint32_t)spec->mailbox_max : MAILBOX_ASKS_DEFAULT;
    actor->state = base_alloc(1, kind->state_bytes);
    actor->stats = &world->stats.services[actor->index];
    actor->stats->service = kind->service;
    struct attrs name = {0};
    attrs_text(&name, ATTR_MAILBOX_ACTOR, kind->service);
    actor->mailbox_depth = metrics_series(&world->metrics, METRIC_MAILBOX_DEPTH, actor->index, name.list, 1);
    actor->mailbox_refused =
        metrics_series(&world->metrics, METRIC_MAILBOX_REFUSED, actor->index, name.list, 1);
    while (actor->pool_count < SERVICE_POOLS_MAX && kind->pools[actor->pool_count].name)
        actor->pool_count++;
    actor->pools = base_alloc(actor->pool_count, sizeof *actor->pools);
    for (size_t i = 0; i < actor->pool_count; i++)
        bind_pool(actor, &actor->pools[i], &kind->pools[i]);
}

/* Figures of the whole shop belong to checkout; in several processes, to the one that sees all of them. */
static void bind_shop(struct world *world)
{
    uint16_t service = 0;
    struct actor *checkout = bind_actor(world, "checkout");
    if (checkout)
        service = checkout->index;
    uint16_t whole = world->metrics.away && world->load ? world->load->index : service;
    for (int metric = METRIC_SHOP_REVENUE; metric < METRIC_COUNT; metric++)
        world->shop[metric] = metrics_series(&world->metrics, (enum metric_id)metric,
                                             metric == METRIC_SHOP_ORDER_VALUE ? service : whole, NULL, 0);
    struct attrs outcome = {0};
    attrs_text(&outcome, ATTR_SHOP_OUTCOME, "created");
    world->shop[METRIC_SHOP_ORDERS] =
        metrics_series(&world->metrics, METRIC_SHOP_ORDERS, whole, outcome.list, 1);
    outcome.count = 0;
    attrs_text(&outcome, ATTR_SHOP_OUTCOME, "sold_out");
    world->sold_out = metrics_series(&world->metrics, METRIC_SHOP_ORDERS, whole, outcome.list, 1);
}

/* Nothing is told of journeys that nobody takes. */
static bool journey_played(const struct scenario *scenario, const char *journey)
{
    for (size_t i = 0; i < scenario->stream_count; i++)
        for (size_t m = 0; m < scenario->streams[i].mix_count; m++)
            for (size_t j = 0; j < scenario->streams[i].mixes[m].count; j++)
                if (strcmp(scenario->streams[i].mixes[m].of[j].journey, journey) == 0)
                    return true;
    return false;
}

void bind_world(struct world *world)
{
    const struct registry *registry = world->registry;
    ASSERT(registry->kind_count <= SERVICES_MAX);
    world->connections.peak = &world->stats.stores.connections_peak;
    world->connections.recent = &world->stats.stores.connections_recent;
    world->actor_count = world->stats.service_count = registry->kind_count;
    world->actors = base_alloc(world->actor_count, sizeof *world->actors);
    for (size_t i = 0; i < world->actor_count; i++) {
        struct actor *actor = &world->actors[i];
        const struct actor_kind *kind = registry->kinds[i];
        bind_kind(world, actor, kind);
        actor->away = world->metrics.away >> i & 1;
        if (kind->drives_load)
            world->load = actor;
        else if (kind->store)
            *(strcmp(kind->store, "redis") == 0 ? &world->redis : &world->postgresql) = actor;
    }
    for (size_t i = 0; i < world->actor_count; i++) {
        struct actor *actor = &world->actors[i];
        if (actor->kind->store)
            continue;
        while (actor->kind->routes && actor->kind->routes[actor->route_count].name)
            actor->route_count++;
        actor->routes = base_alloc(actor->route_count, sizeof *actor->routes);
        for (size_t r = 0; r < actor->route_count; r++)
            if (!actor->kind->drives_load || journey_played(world->scenario, actor->kind->routes[r].name))
                bind_route(actor, &actor->routes[r], &actor->kind->routes[r]);
    }
    bind_shop(world);
    instruments_bind(world);
}

static void unbind_route(struct bound_route *bound)
{
    for (size_t s = 0; s < bound->step_count; s++)
        free(bound->steps[s].durations);
    free(bound->steps);
    free(bound->durations);
}

void unbind_world(struct world *world)
{
    for (size_t i = 0; i < world->actor_count; i++) {
        struct actor *actor = &world->actors[i];
        for (size_t r = 0; r < actor->route_count; r++)
            unbind_route(&actor->routes[r]);
        free(actor->routes);
        free(actor->pools);
        free(actor->state);
    }
    for (size_t i = 0; i < ARRAY_LEN(world->arrivals); i++)
        if (world->arrivals[i].direct)
            unbind_route(world->arrivals[i].direct);
    for (size_t i = 0; i < world->site_count; i++)
        free(world->sites[i]);
    for (size_t i = 0; i < world->string_count; i++)
        free(world->strings[i]);
    instruments_free(world);
    free(world->sites);
    free(world->strings);
    free(world->actors);
}

/* ---- series of a place ---- */

/* Attributes of the site that tell a metric's series apart; values of the span come on top. */
static const enum attr_key server_keys[] = {ATTR_HTTP_METHOD, ATTR_HTTP_ROUTE, ATTR_URL_SCHEME};
static const enum attr_key client_keys[] = {ATTR_HTTP_METHOD, ATTR_URL_TEMPLATE, ATTR_SERVER_ADDRESS,
                                            ATTR_SERVER_PORT};
static const enum attr_key database_keys[] = {ATTR_DB_SYSTEM_NAME, ATTR_DB_NAMESPACE, ATTR_DB_OPERATION_NAME,
                                              ATTR_DB_COLLECTION_NAME, ATTR_SERVER_ADDRESS};

static void copy_keys(struct attrs *to, const struct attrs *from, const enum attr_key *keys, size_t count)
{
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < from->count; i++)
            if (from->list[i].key == keys[k])
                *attrs_slot(to, keys[k]) = from->list[i];
}

struct series *bound_series_of(struct world *world, struct bound_series *bound, enum metric_id metric,
                               const struct span *span)
{
    struct series **slot = &bound->of[span->demo][span->status];
    if (*slot)
        return *slot;
    const struct status_info *info = status_info(span->status);
    struct attrs attrs = {0};
    const struct attrs *site = &span->site->attrs;
    if (metric == METRIC_HTTP_SERVER_DURATION)
        copy_keys(&attrs, site, server_keys, ARRAY_LEN(server_keys));
    else if (metric == METRIC_HTTP_CLIENT_DURATION)
        copy_keys(&attrs, site, client_keys, ARRAY_LEN(client_keys));
    else
        copy_keys(&attrs, site, database_keys, ARRAY_LEN(database_keys));
    if (metric != METRIC_DB_DURATION && info->http)
        attrs_int(&attrs, ATTR_HTTP_STATUS, info->http);
    if (info->failed)
        attrs_text(&attrs, ATTR_ERROR_TYPE, info->error_type);
    attrs_text(&attrs, ATTR_TRAFFIC_TYPE, span->demo ? "demo" : "baseline");
    *slot = metrics_series(&world->metrics, metric, span->site->service, attrs.list, attrs.count);
    return *slot;
}
