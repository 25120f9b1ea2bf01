#include "edges/pg_store.h"

#include "edges/pg_calibration.h"
#include "edges/pg_parts.h"

#include <stdio.h>
#include <stdlib.h>

/* An actor's kind has no owner, and a process one world. */
static struct pg_store *current;

int pg_index_place(const struct pg_store *store, const char *name)
{
    for (size_t i = 0; i < store->registry->index_count; i++)
        if (strcmp(store->registry->indexes[i].name, name) == 0)
            return (int)i;
    return -1;
}

static int64_t scaled(const struct pg_store *store, double rows)
{
    return (int64_t)(rows * (store->options.rows_factor > 0 ? store->options.rows_factor : 1));
}

static int64_t rows_at(const struct pg_store *store, int64_t on_timeline_ns)
{
    if (store->growth_count)
        return store->growths[store->growth_count - 1].rows;
    return scaled(store, curve_at(&store->options.scenario->postgresql.products, on_timeline_ns));
}

static void on_growth_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct pg_store *store = timer->data;
    pg_admin_grow(store, rows_at(store, actor_timeline(store->actor)));
}

/* ---- the actor ---- */

static void start(struct actor *actor)
{
    struct pg_store *store = current;
    ASSERT(store && !store->actor);
    store->actor = actor;
    ev_timer_init(&store->growth_timer, on_growth_timer, 0.25, 0.25);
    store->growth_timer.data = store;
    ev_timer_start(store->options.loop, &store->growth_timer);
    pg_admin_open(store);
}

static void close_connections(struct pg_store *store)
{
    ev_timer_stop(store->options.loop, &store->growth_timer);
    pg_clients_close(store);
    pg_admin_close(store);
}

static void stop(struct actor *actor)
{
    struct pg_store *store = current;
    close_connections(store);
    for (uint32_t slot = 0; slot < store->jobs.count; slot++) {
        struct pg_job *job = slab_at(&store->jobs, slot);
        if (job)
            actor_release(actor, job->params);
    }
    store->actor = NULL;
}

static void receive(struct actor *actor, struct message *message)
{
    struct pg_store *store = current;
    store->in_turn = true;
    if (message->kind == MESSAGE_CANCEL)
        pg_clients_cancel(store, message->from, message->ask);
    else if (message->route >= store->registry->statement_count)
        actor_reply(actor, message->from, message->ask, STATUS_BAD_INPUT, NULL);
    else
        pg_clients_ask(store, message);
    store->in_turn = false;
}

/* One that is set again moves behind the others: the last one holds. */
static void grow(struct pg_store *store, const struct fault_spec *by)
{
    int at = 0;
    while (at < store->growth_count && store->growths[at].by != by)
        at++;
    ASSERT(at < FAULTS_MAX);
    store->growth_count = MAX(store->growth_count, at + 1);
    for (; at + 1 < store->growth_count; at++)
        store->growths[at] = store->growths[at + 1];
    store->growths[at] = (struct pg_growth){.by = by, .rows = scaled(store, by->value)};
    pg_admin_grow(store, rows_at(store, 0));
}

static bool fault(struct actor *actor, const struct fault_spec *spec)
{
    (void)actor;
    struct pg_store *store = current;
    if (spec->kind == FAULT_READ_REPLICAS) {
        fputs("doorbuster: read_replicas: a real PostgreSQL has none here; only the model does\n", stderr);
        return false;
    }
    if (spec->kind == FAULT_TABLE_GROWTH) {
        grow(store, spec);
        return true;
    }
    int place = pg_index_place(store, spec->target);
    if (place < 0)
        return false;
    if (spec->kind == FAULT_CREATE_INDEX)
        store->used[place] = 0;
    pg_admin_index(store, &store->registry->indexes[place], spec->kind == FAULT_CREATE_INDEX);
    return true;
}

/* ---- what it came to ---- */

static bool growth_landed(const struct pg_store *store, const struct fault_spec *spec, struct text *evidence)
{
    uint64_t reads = 0;
    for (int i = 0; i < store->growth_count; i++)
        if (store->growths[i].by == spec)
            reads = store->growths[i].reads;
    text_count(evidence, reads);
    text_str(evidence, " statements scanned the table; it has ");
    text_count(evidence, (uint64_t)store->rows);
    text_str(evidence, " rows");
    return reads > 0 && store->rows >= scaled(store, spec->value);
}

static void tell_scans(struct text *evidence, const char *of, int64_t before, int64_t after)
{
    text_str(evidence, "; ");
    text_str(evidence, of);
    text_str(evidence, " +");
    text_count(evidence, (uint64_t)MAX(after - before, 0));
}

static bool landed(struct actor *actor, const struct fault_spec *spec, struct text *evidence)
{
    (void)actor;
    const struct pg_store *store = current;
    if (spec->kind == FAULT_READ_REPLICAS) {
        text_str(evidence, "a real PostgreSQL has no read replicas here");
        return false;
    }
    if (spec->kind == FAULT_TABLE_GROWTH)
        return growth_landed(store, spec, evidence);
    int place = pg_index_place(store, spec->target);
    if (place < 0)
        return false;
    bool creates = spec->kind == FAULT_CREATE_INDEX;
    uint64_t statements = creates ? store->used[place] : store->missed[place];
    text_count(evidence, statements);
    text_str(evidence, creates ? " statements used it" : " statements looked for it in vain");
    if (store->looked && creates)
        tell_scans(evidence, "idx_scan", store->before.index_scans[place], store->after.index_scans[place]);
    else if (store->looked)
        tell_scans(evidence, "seq_scan of products", store->before.seq_scans, store->after.seq_scans);
    /* One that nobody looks for has landed when it is gone, as in the model. */
    return statements > 0 || (!creates && store->looked && !store->used[place]);
}

bool pg_store_finish(struct pg_store *store)
{
    const struct postgresql_spec *spec = &store->options.scenario->postgresql;
    struct business_stats *shop = &actor_stats(store->actor)->business;
    close_connections(store);
    if (store->unknown)
        fprintf(stderr,
                "doorbuster: PostgreSQL: %llu statements that write were lost with their connections; "
                "whether they were "
                "carried out the database alone knows\n",
                (unsigned long long)store->unknown);
    store->looked = pg_setup_look(store, &store->after);
    if (!store->looked) {
        fputs("doorbuster: PostgreSQL: what stands in it at the end could not be read\n", stderr);
        return false;
    }
    shop->db_orders = (uint64_t)(store->after.orders - store->before.orders);
    shop->db_revenue_cents = store->after.revenue_cents - store->before.revenue_cents;
    shop->db_pieces = store->after.pieces - store->before.pieces;
    shop->db_stock_taken = store->after.stock_taken - store->before.stock_taken;
    if (spec->hot_product) {
        shop->hot_left = store->after.hot_left;
        shop->hot_sold = store->before.hot_left - store->after.hot_left;
    }
    return true;
}

/* ---- its life ---- */

/* As the model's, but for what it does. */
static void make_kind(struct pg_store *store)
{
    const struct registry *from = store->options.registry;
    for (size_t i = 0; i < from->kind_count; i++) {
        const struct actor_kind *kind = from->kinds[i];
        if (!kind->store || strcmp(kind->store, "postgresql") != 0)
            continue;
        store->kind = (struct actor_kind){.service = kind->service,
                                          .port = kind->port,
                                          .store = kind->store,
                                          .start = start,
                                          .stop = stop,
                                          .receive = receive,
                                          .fault = fault,
                                          .landed = landed};
    }
    ASSERT(store->kind.store && from->statement_count <= PG_STATEMENTS_MAX &&
           from->index_count <= PG_INDEXES_MAX);
    store->registry = from;
    store->shapes = base_alloc(from->statement_count, sizeof *store->shapes);
    for (size_t i = 0; i < from->statement_count; i++)
        pg_shape_read(&store->shapes[i], &from->statements[i]);
}

/* The one host's, where it has a name: found once, so that connecting never waits for it. */
static bool find_address(struct pg_store *store, struct text *error)
{
    PQconninfoOption *parsed = PQconninfoParse(store->options.conninfo, NULL);
    const char *host = NULL, *address = NULL;
    for (PQconninfoOption *at = parsed; at && at->keyword; at++) {
        if (strcmp(at->keyword, "host") == 0)
            host = at->val;
        else if (strcmp(at->keyword, "hostaddr") == 0)
            address = at->val;
    }
    bool named = host && *host && *host != '/' && *host != '@' && !strchr(host, ',') && !address;
    struct resolved found = {.count = 0};
    struct text why = {0};
    bool good = !named || resolve_host(&found, host, PG_OPEN_LIMIT_S * 1000 / 2, &why);
    if (!good) {
        text_lit(error, "PostgreSQL: ");
        text_str(error, host);
        text_lit(error, ": ");
        text_str(error, text_c(&why));
    }
    for (size_t i = 0; i < found.count; i++) {
        text_str(&store->hosts, i ? "," : "");
        text_str(&store->hosts, host);
        text_str(&store->addresses, i ? "," : "");
        text_str(&store->addresses, found.addresses[i]);
    }
    if (found.count)
        store->address = (struct pg_address){text_c(&store->hosts), text_c(&store->addresses)};
    text_fini(&why);
    PQconninfoFree(parsed);
    return good;
}

static bool resize(void *owner, int64_t rows, struct text *error)
{
    const struct pg_store *store = owner;
    if (rows != store->rows && !store->options.quiet)
        fprintf(stderr, "doorbuster: PostgreSQL: making it a table of %lld products\n", (long long)rows);
    return pg_setup(owner, rows, error);
}

/* As many rows as make it as slow as the model. */
static bool calibrate(struct pg_store *store, struct text *error)
{
    const struct pg_store_options *options = &store->options;
    struct pg_fit_options fit = {.conninfo = options->admin_conninfo,
                                 .address = pg_address(store),
                                 .scan = options->scan,
                                 .rows = curve_at(&options->scenario->postgresql.products, options->from_ns),
                                 .resize = resize,
                                 .owner = store,
                                 .quiet = options->quiet};
    if (!options->scan)
        return true;
    store->options.rows_factor = pg_fit(&fit, store->rows, error);
    store->options.scan = NULL;
    return store->options.rows_factor > 0;
}

struct pg_store *pg_store_open(const struct pg_store_options *options, struct text *error)
{
    struct pg_store *store = base_alloc(1, sizeof *store);
    ASSERT(!current);
    store->options = *options;
    if (!options->admin_conninfo)
        store->options.admin_conninfo = options->conninfo;
    store->epoch = 1; /* no plan is known yet */
    slab_init(&store->jobs, sizeof(struct pg_job), PG_JOBS_MAX);
    make_kind(store);
    current = store;
    if (options->scenario->postgresql.read_replicas)
        fputs("doorbuster: read_replicas: a real PostgreSQL has none here; only the model does\n", stderr);
    int64_t rows = options->scan ? PG_ROWS_AS_THEY_ARE : rows_at(store, options->from_ns);
    if (find_address(store, error) && pg_setup(store, rows, error) && calibrate(store, error))
        return store;
    pg_store_close(store);
    return NULL;
}

void pg_store_close(struct pg_store *store)
{
    if (!store)
        return;
    ASSERT(!store->actor);
    slab_fini(&store->jobs);
    text_fini(&store->hosts);
    text_fini(&store->addresses);
    free(store->shapes);
    free(store);
    current = NULL;
}

const struct actor_kind *pg_store_kind(const struct pg_store *store)
{
    return &store->kind;
}

struct pg_store_figures pg_store_figures(const struct pg_store *store)
{
    struct pg_store_figures figures = {.rows = store->rows,
                                       .under_way = store->jobs.live,
                                       .tasks = store->task_count,
                                       .lost = store->lost,
                                       .unknown = store->unknown};
    for (int i = 0; i < store->client_count; i++) {
        const struct pg_client *client = store->clients[i];
        figures.connections += (uint32_t)client->link_count;
        figures.waiting += client->waiting;
        for (int l = 0; l < client->link_count; l++)
            figures.ready += client->links[l]->job || pg_connection_idle(client->links[l]->connection);
    }
    return figures;
}
