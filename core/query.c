/*
 * query: a step that runs a statement - waits for one of the pool's connections, then for the database.
 *
 * The CLIENT span covers both; `pool wait` and `query execution` are its parts. A query outlives the
 * call that gave it up: the connection is busy until the database has done with the statement. A fault may
 * delay the asking: then the connection is held for nothing first, which belongs to the execution.
 */
#include "core/parts.h"

enum { ORDINAL_WAIT, ORDINAL_RUN };

/* What the database said of a statement's execution. */
struct execution {
    int64_t rows_scanned, active, duration_ns, delay_ns;
    int64_t cpu_ns; /* 0: it does not know */
    int64_t lock_ns; /* waited for a row */
    const char *index; /* NULL: none */
    bool full_scan;
};

static void part(struct query *query, const struct span_site *site, uint32_t ordinal, int64_t from_ns,
                 enum status status, bool late)
{
    struct world *world = query->pool->actor->world;
    struct span span;
    span_open(&span, site, world->seed, &query->context, ordinal, from_ns);
    span.late = late;
    world_emit(world, &span, status, world->now_ns);
}

static void free_query(struct query *query)
{
    struct world *world = query->pool->actor->world;
    body_unref(&world->messages.bodies, query->params);
    body_unref(&world->messages.bodies, query->context.state);
    slab_give(&world->queries, query);
}

static void describe_pool(struct attrs *attrs, const struct pool *pool, int64_t waited_ns, bool exhausted)
{
    int active = pool_active(pool);
    attrs_int(attrs, ATTR_POOL_SIZE, pool->max);
    attrs_int(attrs, ATTR_POOL_ACTIVE, active);
    attrs_real(attrs, ATTR_POOL_UTILIZATION, pool->max ? 100.0 * active / pool->max : 100.0);
    attrs_real(attrs, ATTR_POOL_WAIT_MS, (double)waited_ns / 1e6);
    attrs_bool(attrs, ATTR_POOL_EXHAUSTED, exhausted);
}

static void describe_execution(struct attrs *attrs, const struct statement *statement,
                               const struct execution *ran)
{
    bool slow = ran->full_scan && statement->missing_index;
    int64_t told_ns = slow ? ran->duration_ns : ran->delay_ns;
    attrs_text(attrs, ATTR_DB_INDEX_USED, ran->index ? ran->index : "NONE");
    attrs_int(attrs, ATTR_DB_ROWS_SCANNED, ran->rows_scanned);
    attrs_real(attrs, ATTR_DB_QUERY_MS, (double)ran->duration_ns / 1e6);
    attrs_int(attrs, ATTR_DB_ACTIVE_QUERIES, ran->active);
    if (slow) {
        attrs_bool(attrs, ATTR_DB_FULL_SCAN, true);
        attrs_text(attrs, ATTR_DB_MISSING_INDEX, statement->missing_index);
    }
    if (!told_ns)
        return;
    attrs_bool(attrs, ATTR_DB_SLOW_QUERY, ran->duration_ns > SLOW_QUERY_NS);
    attrs_bool(attrs, ATTR_DB_SIM_SLOW, true);
    attrs_real(attrs, ATTR_DB_SIM_DELAY_MS, (double)told_ns / 1e6);
}

/* The incident is told on the query's span and on the span of the route that ran it. */
static void describe_place(struct call *call, const struct statement *statement)
{
    if (statement->endpoint_type)
        attrs_text(&call->span.attrs, ATTR_ENDPOINT_TYPE, statement->endpoint_type);
    if (call->context.demo && call->context.demo_minute >= 0) {
        const struct scenario *scenario = call->actor->world->scenario;
        attrs_int(&call->span.attrs, ATTR_DEMO_MINUTE, call->context.demo_minute);
        attrs_text(&call->span.attrs, ATTR_DEMO_PHASE, scenario->phases[call->context.phase].name);
    }
}

static struct log_record record_of(const struct call *call, enum log_body body, enum log_severity severity)
{
    return (struct log_record){.body = body,
                               .severity = severity,
                               .service = call->actor->index,
                               .at_ns = call->actor->world->now_ns,
                               .trace_hi = call->span.trace_hi,
                               .trace_lo = call->span.trace_lo,
                               .span = call->span.id,
                               .flags = call->span.flags};
}

static void log_slow(const struct call *call, const struct query *query, const struct execution *ran)
{
    struct log_record record = record_of(call, LOG_BODY_SLOW_QUERY, LOG_WARN);
    struct cursor params = cursor_of(query->params);
    cursor_array(&params);
    struct slice category = cursor_text(&params);
    if (!params.bad)
        attrs_text_len(&record.attrs, ATTR_LOG_CATEGORY, category.at, category.len);
    attrs_real(&record.attrs, ATTR_LOG_QUERY_MS, (double)ran->duration_ns / 1e6);
    attrs_int(&record.attrs, ATTR_LOG_DEMO_MINUTE, call->context.demo_minute);
    attrs_text(&record.attrs, ATTR_LOG_RECOMMENDED_INDEX, query->bound->statement->healing_sql);
    world_log(call->actor->world, &record);
}

static void log_exhausted(const struct call *call, const struct query *query)
{
    struct log_record record = record_of(call, LOG_BODY_POOL_EXHAUSTED, LOG_ERROR);
    struct attrs *attrs = &record.attrs;
    const struct pool *pool = &query->pool->pool;
    const struct statement_stats *stats = &call->actor->world->stats.statements[query->bound->route];
    /* Who has never got through may well be scanning. */
    bool scans = query->bound->statement->missing_index && (stats->scans || !stats->runs);
    int64_t waited_ns = record.at_ns - query->wait.since_ns;
    attrs_int(attrs, ATTR_LOG_MAX_CONNECTIONS, pool->max);
    attrs_int(attrs, ATTR_LOG_ACTIVE_CONNECTIONS, pool_active(pool));
    attrs_real(attrs, ATTR_LOG_WAIT_MS, (double)waited_ns / 1e6);
    attrs_int(attrs, ATTR_LOG_REJECTED, (int64_t)(pool->stats->timeouts + pool->stats->refused));
    attrs_int(attrs, ATTR_LOG_DEMO_MINUTE, call->context.demo_minute);
    attrs_text(attrs, ATTR_LOG_RECOMMENDATION,
               scans ? query->bound->statement->healing_sql
                     : "Enable read replicas or increase max_connections");
    world_log(call->actor->world, &record);
}

/* The step is over for its call, whatever becomes of the statement. */
static void end_step(struct call *call, enum status status, struct body *body, struct cursor at)
{
    call->query = NULL;
    ask_ended(call, &call->route->steps[call->step], status);
    call_resume(call, status, body, at);
}

static struct profile_line *line_of(const struct query *query)
{
    return &query->pool->actor->world->stats.profile[query->bound->profile];
}

/* The asker's limit has come: what had taken most of its time? */
static void count_lost(const struct query *query, int64_t now_ns)
{
    int64_t held_ns = now_ns - query->granted_at_ns;
    int64_t spent_ns[SPENT_COUNT] = {[SPENT_WAITING] = query->granted_at_ns - query->wait.since_ns,
                                     [SPENT_DELAYED] = MIN(held_ns, query->delay_ns),
                                     [SPENT_RUNNING] = MAX(held_ns - query->delay_ns, 0)};
    size_t most = SPENT_RUNNING;
    for (size_t i = 0; i < SPENT_COUNT; i++)
        if (spent_ns[i] > spent_ns[most])
            most = i;
    line_of(query)->lost[most]++;
}

/* No connection for it: the query has never reached the database. */
static void end_waiting(struct call *call, struct query *query, enum status status)
{
    struct world *world = call->actor->world;
    int64_t waited_ns = world->now_ns - query->wait.since_ns;
    bool exhausted = status == STATUS_POOL_EXHAUSTED;
    line_of(query)->spent_ns[SPENT_WAITING] += (double)waited_ns;
    line_of(query)->lost[SPENT_WAITING]++;
    part(query, query->bound->wait_site, ORDINAL_WAIT, query->wait.since_ns, status, false);
    series_record(query->pool->wait, waited_ns, world->now_ns, &call->span);
    describe_pool(&call->span.attrs, &query->pool->pool, waited_ns, exhausted);
    if (exhausted) {
        describe_pool(&call->server.attrs, &query->pool->pool, waited_ns, true);
        log_exhausted(call, query);
    }
    free_query(query);
    end_step(call, status, NULL, cursor_of(NULL));
}

void query_begin(struct call *call, const struct bound_step *bound)
{
    struct world *world = call->actor->world;
    struct body *params = ask_open(call, bound);
    describe_place(call, bound->statement);
    struct query *query = params ? slab_take(&world->queries) : NULL;
    if (!query) {
        body_unref(&world->messages.bodies, params);
        end_step(call, params ? STATUS_OVERLOADED : STATUS_FAILED, NULL, cursor_of(NULL));
        return;
    }
    query->pool = CONTAINER(bound->pool, struct actor_pool, pool);
    query->bound = bound;
    query->params = params;
    query->call = slab_handle(&call->item);
    query->context = span_context(&call->span, &call->below);
    body_ref(query->context.state);
    query->granted_at_ns = query->delay_ns = 0;
    query->timer = (struct timer){0};
    query->deadline_ns = call->step_deadline_ns;
    call->query = query;
    switch (pool_acquire(bound->pool, &query->wait, world->now_ns)) {
    case POOL_GRANTED:
        query_granted(&query->wait, world->now_ns);
        break;
    case POOL_QUEUED:
        call_arm(call, MIN(world->now_ns + bound->pool->acquire_timeout_ns, call->step_deadline_ns));
        break;
    case POOL_REFUSED:
        end_waiting(call, query, STATUS_POOL_EXHAUSTED);
        break;
    }
}

static void ask_database(struct query *query)
{
    struct actor *actor = query->pool->actor;
    world_ask(actor->world, actor, query->bound->to, query->bound->route,
              slab_handle(&query->item) | QUERY_HANDLE, query->deadline_ns, &query->context,
              body_ref(query->params));
}

/* Nobody wants it any more, and the database has never heard of it. */
static void give_up(struct query *query)
{
    struct actor_pool *from = query->pool;
    struct world *world = from->actor->world;
    world->delayed -= timer_armed(&query->timer);
    due_cancel(&world->due, &query->timer);
    part(query, query->bound->run_site, ORDINAL_RUN, query->granted_at_ns, STATUS_DEADLINE, true);
    series_record(from->use, world->now_ns - query->granted_at_ns, world->now_ns, NULL);
    free_query(query);
    pool_release(&from->pool, world->now_ns);
}

static void delay_over(void *owner, int64_t now_ns)
{
    (void)now_ns;
    struct query *query = owner;
    query->pool->actor->world->delayed--;
    if (query->call)
        ask_database(query);
    else
        give_up(query);
}

void query_granted(struct pool_wait *wait, int64_t now_ns)
{
    struct query *query = CONTAINER(wait, struct query, wait);
    struct actor *actor = query->pool->actor;
    struct world *world = actor->world;
    struct call *call = slab_find(&world->calls, query->call);
    ASSERT(call); /* a call that gives up waiting leaves the line */
    int64_t waited_ns = now_ns - wait->since_ns;
    query->granted_at_ns = now_ns;
    line_of(query)->spent_ns[SPENT_WAITING] += (double)waited_ns;
    part(query, query->bound->wait_site, ORDINAL_WAIT, wait->since_ns, STATUS_OK, false);
    series_record(query->pool->wait, waited_ns, now_ns, &call->span);
    describe_pool(&call->span.attrs, &query->pool->pool, waited_ns, false);
    due_cancel(&world->due, &call->timer);
    call_arm(call, query->deadline_ns);
    actor->queries++;
    query->delay_ns = actor->query_delay_ns;
    if (!query->delay_ns) {
        ask_database(query);
        return;
    }
    actor->queries_delayed++;
    line_of(query)->spent_ns[SPENT_DELAYED] += (double)query->delay_ns;
    query->timer = (struct timer){.fire = delay_over, .owner = query};
    due_arm(&world->due, &query->timer, now_ns + query->delay_ns);
    world->delayed++;
}

/* The database may be of another process, and what it says anything. */
static bool is_figure(int64_t value)
{
    return value >= 0 && value <= UINT32_MAX;
}

/* The figures come before the result, so that every database reports alike. */
static bool read_execution(struct execution *ran, const struct statement *statement, struct cursor *cursor)
{
    cursor_array(cursor);
    ran->rows_scanned = cursor_int(cursor);
    int64_t plan = cursor_int(cursor);
    ran->active = cursor_int(cursor);
    int64_t cpu_us = cursor_int(cursor), lock_us = cursor_int(cursor);
    if (cursor->bad || plan < 0 || plan >= STATEMENT_PLANS_MAX || !is_figure(ran->rows_scanned) ||
        !is_figure(cpu_us) || !is_figure(lock_us))
        return false;
    ran->cpu_ns = cpu_us * NS_PER_US;
    ran->lock_ns = lock_us * NS_PER_US;
    ran->index = statement->plans[plan].index;
    ran->full_scan = !ran->index && statement->plans[plan].share > 0;
    return true;
}

/* Of whatever the database worked on, told in time or not. */
static void count_execution(struct world *world, const struct query *query, const struct execution *ran,
                            bool succeeded)
{
    struct statement_stats *stats = &world->stats.statements[query->bound->route];
    struct profile_line *line = line_of(query);
    bool whole = succeeded && !ran->cpu_ns; /* a database that does not know what it cost */
    double running_ns = (double)(ran->duration_ns - ran->delay_ns);
    histogram_add_ns(&stats->latency, ran->duration_ns);
    line->cpu_ns += whole ? running_ns - (double)ran->lock_ns : (double)ran->cpu_ns;
    line->spent_ns[SPENT_RUNNING] += running_ns;
    line->locked_ns += (double)ran->lock_ns;
    if (!succeeded)
        return;
    stats->runs++;
    stats->scans = ran->full_scan && query->bound->statement->missing_index;
    if (!stats->scans)
        return;
    line->scanned_ns += running_ns;
    stats->full_scans++;
    stats->scan_rows_max = MAX(stats->scan_rows_max, (uint64_t)ran->rows_scanned);
}

static void tell_execution(struct call *call, const struct query *query, const struct execution *ran)
{
    const struct statement *statement = query->bound->statement;
    describe_execution(&call->span.attrs, statement, ran);
    if (statement->endpoint_type)
        describe_execution(&call->server.attrs, statement, ran);
    if (ran->full_scan && statement->missing_index && ran->duration_ns > SLOW_QUERY_NS)
        log_slow(call, query, ran);
}

/* A failure's result is the database's own code for it, where that says more than the status; else nil. */
static void tell_code(struct call *call, struct cursor result)
{
    struct slice code = cursor_text(&result);
    if (!result.bad)
        attrs_text_len(&call->span.attrs, ATTR_DB_STATUS, code.at, code.len);
}

void query_answered(struct query *query, struct message *message)
{
    struct actor_pool *from = query->pool;
    struct world *world = from->actor->world;
    struct call *call = query->call ? slab_find(&world->calls, query->call) : NULL;
    struct cursor cursor = cursor_of(message->body);
    struct execution ran = {.duration_ns = world->now_ns - query->granted_at_ns, .delay_ns = query->delay_ns};
    enum status status = message->status;
    bool succeeded = !status_failed(status);
    bool reported = read_execution(&ran, query->bound->statement, &cursor);
    if (succeeded && !reported) {
        succeeded = false;
        status = STATUS_FAILED;
    }
    if (reported)
        count_execution(world, query, &ran, succeeded);
    /* An answer at the very instant of the deadline loses; the timer of this instant ends the step. */
    bool wanted = call && world->now_ns < query->deadline_ns;
    if (wanted && reported && !succeeded)
        tell_code(call, cursor);
    part(query, query->bound->run_site, ORDINAL_RUN, query->granted_at_ns, status, !call);
    series_record(from->use, ran.duration_ns, world->now_ns, NULL);
    if (wanted && succeeded)
        tell_execution(call, query, &ran);
    if (wanted && reported && ran.lock_ns)
        attrs_real(&call->span.attrs, ATTR_DB_LOCK_WAIT_MS, (double)ran.lock_ns / 1e6);
    if (call)
        call->query = NULL;
    free_query(query);
    pool_release(&from->pool, world->now_ns);
    if (wanted)
        end_step(call, status, succeeded ? message->body : NULL, cursor);
    else
        world->stats.late_replies++;
}

void query_timed_out(struct call *call)
{
    struct world *world = call->actor->world;
    struct query *query = call->query;
    bool deadline = world->now_ns >= call->step_deadline_ns;
    if (query && query->wait.waiting) {
        if (deadline)
            pool_give_up(&query->pool->pool, &query->wait, world->now_ns);
        else
            pool_time_out(&query->pool->pool, &query->wait, world->now_ns);
        end_waiting(call, query, deadline ? STATUS_DEADLINE : STATUS_POOL_EXHAUSTED);
        return;
    }
    if (query) {
        query->call = 0;
        count_lost(query, world->now_ns);
    }
    if (query && timer_armed(&query->timer)) {
        if (world->scenario->postgresql.cancel_on_deadline)
            give_up(query);
    } else if (query) {
        far_cancel(world, call->actor, query->bound->to, slab_handle(&query->item) | QUERY_HANDLE);
    }
    end_step(call, STATUS_DEADLINE, NULL, cursor_of(NULL));
}
