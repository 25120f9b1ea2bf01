/* pg_clients: the services' connections, who waits for one, and what runs on each. */
#include "edges/pg_parts.h"
#include "edges/pg_plan.h"
#include "edges/pg_status.h"

#include <stdio.h>
#include <stdlib.h>

static void begin(struct pg_link *link, struct pg_job *job);

static const struct statement *statement_of(const struct pg_store *store, const struct pg_job *job)
{
    return &store->registry->statements[job->statement];
}

/* ---- the line ---- */

static struct pg_job *take_first(struct pg_client *client)
{
    struct pg_job *job = client->first;
    client->first = job->next;
    if (!client->first)
        client->last = NULL;
    client->waiting--;
    return job;
}

static void put_last(struct pg_client *client, struct pg_job *job)
{
    job->next = NULL;
    if (client->last)
        client->last->next = job;
    else
        client->first = job;
    client->last = job;
    client->waiting++;
}

static bool take_out(struct pg_client *client, struct pg_job *job)
{
    struct pg_job *before = NULL;
    for (struct pg_job *at = client->first; at; before = at, at = at->next) {
        if (at != job)
            continue;
        *(before ? &before->next : &client->first) = job->next;
        if (client->last == job)
            client->last = before;
        client->waiting--;
        return true;
    }
    return false;
}

static bool is_free(const struct pg_link *link)
{
    return !link->job && link->cancel == PG_NOT_CANCELLED && pg_connection_idle(link->connection);
}

/* Gives the link the next statement that somebody still wants. */
static void serve(struct pg_link *link)
{
    struct pg_client *client = link->client;
    struct pg_store *store = client->store;
    while (client->first && is_free(link)) {
        struct pg_job *job = take_first(client);
        if (job->deadline_ns <= pg_now(store))
            pg_job_answer(store, job, STATUS_DEADLINE, NULL);
        else
            begin(link, job);
    }
}

/* ---- a statement on its connection ---- */

static void answer(struct pg_link *link, enum status status, const PGresult *result)
{
    struct pg_job *job = link->job;
    link->job = NULL;
    if (link->cancel == PG_CANCEL_WANTED)
        link->cancel = PG_NOT_CANCELLED;
    pg_job_answer(link->client->store, job, status, result);
}

static bool knows_plan(const struct pg_store *store, uint16_t statement)
{
    const struct pg_known_plan *known = &store->plans[statement];
    return known->epoch == store->epoch && pg_now(store) - known->at_ns < PG_PLAN_AGE_NS;
}

static void explain(struct pg_link *link)
{
    struct pg_store *store = link->client->store;
    const struct pg_shape *shape = &store->shapes[link->job->statement];
    struct text sql = {0};
    text_lit(&sql, "EXPLAIN (FORMAT JSON) ");
    text_str(&sql, statement_of(store, link->job)->sql); /* a constant, as the words before it */
    link->stage = PG_EXPLAINING;
    pg_connection_ask(link->connection, text_c(&sql), store->params.count, shape->param_types,
                      store->params.values);
    text_fini(&sql);
}

/* Each step of a statement is one question; the last is the statement itself. */
static void go_on(struct pg_link *link)
{
    struct pg_store *store = link->client->store;
    struct pg_job *job = link->job;
    const struct statement *statement = statement_of(store, job);
    const struct pg_shape *shape = &store->shapes[job->statement];
    bool read = pg_params_read(&store->params, shape, job->params);
    ASSERT(read); /* it was when the statement came */
    if (!(link->prepared >> job->statement & 1)) {
        link->stage = PG_PREPARING;
        pg_connection_prepare(link->connection, statement->name, statement->sql, shape->param_count,
                              shape->param_types);
    } else if (link->stage == PG_PREPARING && !knows_plan(store, job->statement)) {
        explain(link);
    } else {
        job->plan = store->plans[job->statement].plan;
        job->begun_ns = pg_now(store);
        link->stage = PG_RUNNING;
        pg_connection_run(link->connection, statement->name, store->params.count, store->params.values);
    }
}

static void begin(struct pg_link *link, struct pg_job *job)
{
    link->job = job;
    link->stage = PG_PREPARING;
    go_on(link);
}

static enum status status_of(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    bool good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
    return good ? STATUS_OK : pg_status(PQresultErrorField(result, PG_DIAG_SQLSTATE));
}

/* A plan that could not be had, as a lock stood before it, is asked for by the next. */
static void explained(struct pg_link *link, const PGresult *result)
{
    struct pg_store *store = link->client->store;
    struct pg_known_plan *known = &store->plans[link->job->statement];
    if (status_of(result) != STATUS_OK || PQntuples(result) != 1)
        return;
    int plan = pg_plan_read(statement_of(store, link->job), PQgetvalue(result, 0, 0), known->plan);
    *known = (struct pg_known_plan){store->epoch, pg_now(store), (uint8_t)plan};
}

static void on_done(void *owner, const PGresult *result)
{
    struct pg_link *link = owner;
    enum status status = status_of(result);
    if (link->stage == PG_PREPARING && status == STATUS_OK)
        link->prepared |= UINT64_C(1) << link->job->statement;
    if (link->stage == PG_EXPLAINING)
        explained(link, result);
    if (link->stage == PG_RUNNING || (link->stage == PG_PREPARING && status != STATUS_OK)) {
        answer(link, status, result);
        serve(link);
    } else {
        go_on(link);
    }
}

static void on_ready(void *owner)
{
    serve(owner);
}

static bool any_stands(const struct pg_client *client)
{
    for (int i = 0; i < client->link_count; i++)
        if (client->links[i]->job || pg_connection_idle(client->links[i]->connection))
            return true;
    return false;
}

/* An attempt that failed fails one who waits for it; where nothing stands any more, all of them. */
static void on_lost(void *owner, enum status status, const char *why)
{
    (void)why;
    struct pg_link *link = owner;
    struct pg_client *client = link->client;
    struct pg_store *store = client->store;
    store->lost++;
    link->prepared = 0;
    if (store->cancelling == link)
        store->cancelling = NULL;
    link->cancel = PG_NOT_CANCELLED;
    if (link->job) {
        store->unknown += link->stage == PG_RUNNING && statement_of(store, link->job)->writes;
        answer(link, STATUS_CONNECTION_LOST, NULL);
        return;
    }
    bool alone = !any_stands(client);
    for (uint32_t left = alone ? client->waiting : MIN(client->waiting, 1u); left; left--)
        pg_job_answer(store, take_first(client), status, NULL);
}

/* ---- connections ---- */

static void open_link(struct pg_client *client)
{
    struct pg_store *store = client->store;
    const struct run_stats *stats = actor_stats(store->actor);
    size_t from = client->from & ~(unsigned)MESSAGE_FAR;
    bool inside = from < stats->service_count;
    struct pg_link *link = base_alloc(1, sizeof *link);
    char name[64];
    snprintf(name, sizeof name, "doorbuster-%s", inside ? stats->services[from].service : "outside");
    client->links[client->link_count++] = link;
    link->client = client;
    link->connection = pg_connection_open(&(struct pg_connection_options){
        .loop = store->options.loop,
        .conninfo = store->options.conninfo,
        .address = pg_address(store),
        .application = name,
        .lock_timeout_ns = store->options.scenario->postgresql.lock_timeout_ns,
        .owner = link,
        .ready = on_ready,
        .done = on_done,
        .lost = on_lost});
}

/* A connection is opened for each statement that waits and for which none is under way. */
static void open_enough(struct pg_client *client)
{
    uint32_t coming = 0;
    for (int i = 0; i < client->link_count; i++)
        coming += !client->links[i]->job && !pg_connection_idle(client->links[i]->connection);
    if (coming < client->waiting && client->link_count < PG_LINKS_MAX)
        open_link(client);
}

static struct pg_client *client_of(struct pg_store *store, uint16_t from)
{
    for (int i = 0; i < store->client_count; i++)
        if (store->clients[i]->from == from)
            return store->clients[i];
    ASSERT(store->client_count < PG_CLIENTS_MAX);
    struct pg_client *client = base_alloc(1, sizeof *client);
    client->store = store;
    client->from = from;
    store->clients[store->client_count++] = client;
    return client;
}

void pg_clients_ask(struct pg_store *store, const struct message *message)
{
    struct store_stats *stats = &actor_stats(store->actor)->stores;
    bool possible = pg_params_read(&store->params, &store->shapes[message->route], message->body);
    struct pg_job *job = possible ? slab_take(&store->jobs) : NULL;
    if (!job) {
        enum status status = possible ? STATUS_OVERLOADED : STATUS_BAD_INPUT;
        actor_reply(store->actor, message->from, message->ask, status, NULL);
        return;
    }
    stats->active_peak = MAX(stats->active_peak, store->jobs.live);
    stats->active_recent = MAX(stats->active_recent, store->jobs.live);
    job->from = message->from;
    job->statement = message->route;
    job->ask = message->ask;
    job->deadline_ns = message->deadline_ns;
    job->params = body_ref(message->body);
    job->plan = store->plans[message->route].plan;
    struct pg_client *client = client_of(store, message->from);
    put_last(client, job);
    for (int i = 0; i < client->link_count && client->first; i++)
        serve(client->links[i]);
    open_enough(client);
}

/* ---- cancelling ---- */

static void cancel_next(struct pg_store *store)
{
    static const Oid integer = 23;
    if (!pg_connection_idle(store->canceller))
        return;
    for (int i = 0; i < store->client_count; i++)
        for (int l = 0; l < store->clients[i]->link_count; l++) {
            struct pg_link *link = store->clients[i]->links[l];
            if (link->cancel != PG_CANCEL_WANTED)
                continue;
            char pid[16];
            snprintf(pid, sizeof pid, "%d", pg_connection_pid(link->connection));
            link->cancel = PG_CANCEL_SENT;
            store->cancelling = link;
            pg_connection_ask(store->canceller, "SELECT pg_cancel_backend($1)", 1, &integer,
                              (const char *const[]){pid});
            return;
        }
}

static void end_cancel(struct pg_store *store)
{
    struct pg_link *link = store->cancelling;
    store->cancelling = NULL;
    if (!link)
        return;
    link->cancel = PG_NOT_CANCELLED;
    serve(link);
}

static void on_cancelled(void *owner, const PGresult *result)
{
    (void)result;
    end_cancel(owner);
    cancel_next(owner);
}

static void on_canceller_ready(void *owner)
{
    cancel_next(owner);
}

static void on_canceller_lost(void *owner, enum status status, const char *why)
{
    (void)status;
    (void)why;
    end_cancel(owner);
}

static void want_cancel(struct pg_store *store, struct pg_link *link)
{
    if (link->cancel != PG_NOT_CANCELLED)
        return;
    link->cancel = PG_CANCEL_WANTED;
    if (!store->canceller)
        store->canceller =
            pg_connection_open(&(struct pg_connection_options){.loop = store->options.loop,
                                                               .conninfo = store->options.admin_conninfo,
                                                               .address = pg_address(store),
                                                               .application = "doorbuster-cancel",
                                                               .owner = store,
                                                               .ready = on_canceller_ready,
                                                               .done = on_cancelled,
                                                               .lost = on_canceller_lost});
    cancel_next(store);
}

void pg_clients_cancel(struct pg_store *store, uint16_t from, uint64_t ask)
{
    struct pg_client *client = client_of(store, from);
    for (struct pg_job *job = client->first; job; job = job->next)
        if (job->ask == ask) {
            take_out(client, job);
            pg_job_answer(store, job, STATUS_DEADLINE, NULL);
            return;
        }
    for (int i = 0; i < client->link_count && store->options.scenario->postgresql.cancel_on_deadline; i++)
        if (client->links[i]->job && client->links[i]->job->ask == ask)
            want_cancel(store, client->links[i]);
}

void pg_clients_close(struct pg_store *store)
{
    pg_connection_close(store->canceller);
    store->canceller = NULL;
    store->cancelling = NULL;
    for (int i = 0; i < store->client_count; i++) {
        for (int l = 0; l < store->clients[i]->link_count; l++) {
            pg_connection_close(store->clients[i]->links[l]->connection);
            free(store->clients[i]->links[l]);
        }
        free(store->clients[i]);
    }
    store->client_count = 0;
}
