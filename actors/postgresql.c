/*
 * postgresql: the modelled database. Statements share the cores of their server, read as many rows as the
 * indexes that exist now make them read, and queue at a row's lock, which a reservation keeps until its
 * transaction is through. What they read and write is real: products with a stock, orders with their money.
 *
 * An answer is (rows read, plan, statements under way, CPU us, us waited for the row, result); the result of
 * a statement that failed is nil.
 */
#include <stdlib.h>

#include "actors/shop/locks.h"
#include "actors/shop/sharing.h"
#include "actors/shop/tables.h"
#include "core/actor.h"
#include "core/due.h"
#include "core/message.h"
#include "core/slab.h"
#include "core/text.h"

enum { INDEXES_MAX = 16, SERVERS_MAX = 8, RUNNING_MAX = 8192, PURPOSE_JITTER = 0x300, PURPOSE_HOLD };

/* Where a statement is: behind others at its row's lock, on the cores, or done but for its commit. */
enum stage { WAITING, COMPUTING, HOLDING };

struct server {
    struct actor *actor;
    struct sharing cpu;
    struct timer timer;
};

/* A statement in the database, from its arrival to its answer. */
struct running {
    struct slab_item item;
    struct sharing_job job;
    struct timer timer; /* WAITING: the lock timeout; HOLDING: the commit */
    struct server *server;
    enum stage stage;
    uint16_t from, statement;
    uint8_t plan;
    bool locks;
    struct lock_entry lock;
    uint64_t ask;
    int64_t rows, began_at_ns, waited_ns, hold_ns;
    double cost_ns;
    struct body *params;
};

/* Rows that a fault made of the table, and the statements that met them. */
struct growth {
    const struct fault_spec *by;
    int64_t rows;
    uint64_t reads;
};

struct database {
    struct tables tables;
    struct server servers[SERVERS_MAX]; /* the primary, then replicas */
    int server_count, next_server;
    bool there[INDEXES_MAX];
    uint64_t used[INDEXES_MAX], missed[INDEXES_MAX]; /* statements that used it, or would have */
    uint64_t full_scans;
    struct slab running;
    struct locks locks;
    uint64_t replica_reads;
    struct growth growths[FAULTS_MAX];
    int growth_count; /* the last one holds; 0: the scenario's curve does */
};

static int index_place(const char *name)
{
    for (size_t i = 0; i < shop_index_count; i++)
        if (strcmp(shop_indexes[i].name, name) == 0)
            return (int)i;
    return -1; /* a primary key: always there */
}

static void server_due(void *owner, int64_t now_ns);

/* A server that comes back may still be at work on what it had when it left. */
static void add_server(struct actor *actor, struct database *database)
{
    struct server *server = &database->servers[database->server_count++];
    if (server->actor)
        return;
    server->actor = actor;
    server->cpu.cores = actor_scenario(actor)->postgresql.cores;
    server->timer = (struct timer){.fire = server_due, .owner = server};
}

static int64_t rows_now(struct actor *actor)
{
    const struct database *database = actor_state(actor);
    if (database->growth_count)
        return database->growths[database->growth_count - 1].rows;
    return (int64_t)curve_at(&actor_scenario(actor)->postgresql.products, actor_timeline(actor));
}

/* What stands in the tables, for the report. */
static void tell_shop(struct actor *actor)
{
    const struct database *database = actor_state(actor);
    const struct postgresql_spec *spec = &actor_scenario(actor)->postgresql;
    const struct catalogue *catalogue = &database->tables.catalogue;
    struct business_stats *shop = &actor_stats(actor)->business;
    shop->db_orders = database->tables.orders.created;
    shop->db_revenue_cents = database->tables.orders.revenue_cents;
    shop->db_pieces = database->tables.orders.pieces;
    shop->db_stock_taken = catalogue->taken;
    if (!catalogue_has(catalogue, spec->hot_product))
        return;
    shop->hot_left = catalogue->stock[spec->hot_product - 1];
    shop->hot_sold = spec->hot_stock - shop->hot_left;
}

static void start(struct actor *actor)
{
    struct database *database = actor_state(actor);
    const struct postgresql_spec *spec = &actor_scenario(actor)->postgresql;
    double most = CATALOGUE_CATEGORIES * CATALOGUE_TOP;
    for (size_t i = 0; i < spec->products.count; i++)
        most = MAX(most, spec->products.points[i].value);
    tables_init(&database->tables, MIN((int64_t)most, CATALOGUE_ROWS_MAX));
    if (catalogue_has(&database->tables.catalogue, spec->hot_product))
        database->tables.catalogue.stock[spec->hot_product - 1] = spec->hot_stock;
    tell_shop(actor);
    slab_init(&database->running, sizeof(struct running), RUNNING_MAX);
    ASSERT(shop_index_count <= INDEXES_MAX);
    for (size_t i = 0; i < shop_index_count; i++)
        database->there[i] = shop_indexes[i].at_start;
    for (int i = 0; i <= MIN(spec->read_replicas, SERVERS_MAX - 1); i++)
        add_server(actor, database);
}

static void stop(struct actor *actor)
{
    struct database *database = actor_state(actor);
    for (int i = 0; i < SERVERS_MAX; i++)
        sharing_fini(&database->servers[i].cpu);
    for (uint32_t slot = 0; slot < database->running.count; slot++) {
        struct running *running = slab_at(&database->running, slot);
        if (running)
            actor_release(actor, running->params);
    }
    slab_fini(&database->running);
    tables_fini(&database->tables);
}

/* The first plan whose index exists. */
static uint8_t choose_plan(struct database *database, const struct statement *statement)
{
    for (int i = 0; i < STATEMENT_PLANS_MAX; i++) {
        const char *index = statement->plans[i].index;
        int place = index ? index_place(index) : -1;
        if (place < 0)
            return (uint8_t)i;
        if (database->there[place]) {
            database->used[place]++;
            return (uint8_t)i;
        }
        database->missed[place]++;
    }
    ASSERT(!"a statement's last plan needs no index");
    return 0;
}

/* ---- cores and locks ---- */

static void rearm(struct server *server)
{
    int64_t next_at_ns = sharing_next_at(&server->cpu);
    if (next_at_ns == NEVER)
        actor_disarm(server->actor, &server->timer);
    else
        actor_arm(server->actor, &server->timer, next_at_ns);
}

static void compute(struct running *running)
{
    struct server *server = running->server;
    running->stage = COMPUTING;
    sharing_add(&server->cpu, &running->job, running->cost_ns, actor_now(server->actor));
    rearm(server);
}

/* It has its row, or waits for it no longer. */
static void end_waiting(struct running *running)
{
    struct actor *actor = running->server->actor;
    running->waited_ns = actor_now(actor) - running->began_at_ns;
    histogram_add_ns(&actor_stats(actor)->stores.lock_wait, running->waited_ns);
    actor_disarm(actor, &running->timer);
}

static void leave_lock(struct database *database, struct running *running)
{
    struct lock_entry *next = locks_leave(&database->locks, &running->lock);
    if (!next)
        return;
    struct running *holder = CONTAINER(next, struct running, lock);
    end_waiting(holder);
    compute(holder);
}

/* ---- statements ---- */

static void finish(struct actor *actor, struct running *running, enum status status)
{
    struct database *database = actor_state(actor);
    struct pack *pack = actor_pack(actor);
    pack_array(pack, 6);
    pack_int(pack, running->rows);
    pack_int(pack, running->plan);
    pack_int(pack, database->running.live);
    pack_int(pack, (int64_t)(running->cost_ns / (double)NS_PER_US));
    pack_int(pack, running->waited_ns / NS_PER_US);
    if (status_failed(status)) {
        pack_nil(pack);
    } else {
        struct cursor params = cursor_of(running->params);
        cursor_array(&params);
        tables_run(&database->tables, running->statement, &params, pack);
        tell_shop(actor);
    }
    if (running->locks)
        leave_lock(database, running);
    actor_reply(actor, running->from, running->ask, status, pack);
    actor_release(actor, running->params);
    slab_give(&database->running, running);
}

static void running_due(void *owner, int64_t now_ns)
{
    (void)now_ns;
    struct running *running = owner;
    struct actor *actor = running->server->actor;
    if (running->stage == HOLDING) {
        finish(actor, running, STATUS_OK);
        return;
    }
    end_waiting(running);
    actor_stats(actor)->stores.lock_timeouts++;
    running->rows = 0;
    running->cost_ns = 0;
    finish(actor, running, STATUS_LOCK_TIMEOUT);
}

/* The rest of its transaction, in which nobody else gets the row; one that takes nothing rolls back at once. */
static void computed(struct actor *actor, struct running *running)
{
    struct database *database = actor_state(actor);
    struct cursor params = cursor_of(running->params);
    cursor_array(&params);
    if (running->locks && running->hold_ns > 0 &&
        tables_takes(&database->tables, running->statement, &params)) {
        running->stage = HOLDING;
        actor_arm(actor, &running->timer, actor_now(actor) + running->hold_ns);
        return;
    }
    finish(actor, running, STATUS_OK);
}

static void server_due(void *owner, int64_t now_ns)
{
    struct server *server = owner;
    struct sharing_job *job;
    while ((job = sharing_done(&server->cpu, now_ns)))
        computed(server->actor, CONTAINER(job, struct running, job));
    rearm(server);
}

/* Reads go round all servers, writes to the primary. */
static struct server *choose_server(struct database *database, const struct statement *statement)
{
    if (statement->writes)
        return &database->servers[0];
    int chosen = database->next_server++ % database->server_count;
    database->replica_reads += chosen > 0;
    return &database->servers[chosen];
}

static void choose_way(struct actor *actor, struct running *running, const struct statement *statement,
                       uint64_t span)
{
    struct database *database = actor_state(actor);
    const struct postgresql_spec *spec = &actor_scenario(actor)->postgresql;
    const struct plan *plan = &statement->plans[running->plan = choose_plan(database, statement)];
    double rows = plan->rows + plan->share * (double)rows_now(actor);
    uint64_t chance = draw(actor_seed(actor), span, PURPOSE_JITTER, 0).a;
    double cost_ns = statement->fixed_us * 1e3 + rows * spec->scan_ns_per_row * plan->row_cost;
    running->server = choose_server(database, statement);
    running->rows = (int64_t)rows;
    running->cost_ns = cost_ns * draw_lognormal_mean1(chance, spec->jitter_sigma);
    database->full_scans += plan->share >= 1;
    if (database->growth_count && plan->share > 0)
        database->growths[database->growth_count - 1].reads++;
    running->hold_ns = 0;
    if (statement->locks_row && spec->lock_hold_ns) {
        chance = draw(actor_seed(actor), span, PURPOSE_HOLD, 0).a;
        running->hold_ns =
            (int64_t)((double)spec->lock_hold_ns * draw_lognormal_mean1(chance, spec->jitter_sigma));
    }
}

/* False: others are before it at its row. */
static bool take_lock(struct actor *actor, struct running *running)
{
    struct database *database = actor_state(actor);
    struct cursor params = cursor_of(running->params);
    cursor_array(&params);
    int64_t product = cursor_int(&params);
    running->locks = !params.bad;
    if (!running->locks)
        return true;
    if (locks_take(&database->locks, &running->lock, product)) {
        end_waiting(running);
        return true;
    }
    int64_t limit_ns = actor_scenario(actor)->postgresql.lock_timeout_ns;
    if (limit_ns)
        actor_arm(actor, &running->timer, actor_now(actor) + limit_ns);
    return false;
}

static void begin(struct actor *actor, struct message *message)
{
    struct database *database = actor_state(actor);
    struct store_stats *stores = &actor_stats(actor)->stores;
    const struct statement *statement = &shop_statements[message->route];
    int most = actor_scenario(actor)->postgresql.max_connections * database->server_count;
    struct running *running = (int)database->running.live < most ? slab_take(&database->running) : NULL;
    if (!running) {
        actor_reply(actor, message->from, message->ask, STATUS_CONNECTIONS_EXHAUSTED, NULL);
        return;
    }
    stores->active_peak = MAX(stores->active_peak, database->running.live);
    stores->active_recent = MAX(stores->active_recent, database->running.live);
    running->timer = (struct timer){.fire = running_due, .owner = running};
    running->stage = WAITING;
    running->from = message->from;
    running->statement = message->route;
    running->ask = message->ask;
    running->began_at_ns = actor_now(actor);
    running->waited_ns = 0;
    running->params = body_ref(message->body);
    choose_way(actor, running, statement, message->context.span);
    running->locks = false;
    if (!statement->locks_row || take_lock(actor, running))
        compute(running);
}

/* Stops it wherever it is; what it has not yet computed costs nothing. */
static void stop_running(struct actor *actor, struct running *running)
{
    struct sharing *cpu = &running->server->cpu;
    if (running->stage == COMPUTING) {
        sharing_remove(cpu, &running->job, actor_now(actor));
        rearm(running->server);
        running->cost_ns -= MAX(running->job.target - cpu->attained, 0);
    } else if (running->stage == WAITING) {
        end_waiting(running);
        running->rows = 0;
        running->cost_ns = 0;
    }
    actor_disarm(actor, &running->timer);
    finish(actor, running, STATUS_DEADLINE);
}

static void cancel(struct actor *actor, uint64_t ask)
{
    struct database *database = actor_state(actor);
    if (!actor_scenario(actor)->postgresql.cancel_on_deadline)
        return;
    for (uint32_t slot = 0; slot < database->running.count; slot++) {
        struct running *running = slab_at(&database->running, slot);
        if (running && running->ask == ask) {
            stop_running(actor, running);
            return;
        }
    }
}

static void receive(struct actor *actor, struct message *message)
{
    if (message->kind == MESSAGE_CANCEL)
        cancel(actor, message->ask);
    else if (message->route >= SQL_COUNT)
        actor_reply(actor, message->from, message->ask, STATUS_BAD_INPUT, NULL);
    else
        begin(actor, message);
}

/* ---- faults ---- */

/* One that is set again moves behind the others: the last one holds. */
static void grow(struct database *database, const struct fault_spec *by)
{
    int at = 0;
    while (at < database->growth_count && database->growths[at].by != by)
        at++;
    ASSERT(at < FAULTS_MAX);
    database->growth_count = MAX(database->growth_count, at + 1);
    for (; at + 1 < database->growth_count; at++)
        database->growths[at] = database->growths[at + 1];
    database->growths[at] = (struct growth){.by = by, .rows = (int64_t)by->value};
    catalogue_grow(&database->tables.catalogue, MIN((int64_t)by->value, CATALOGUE_ROWS_MAX));
}

static bool fault(struct actor *actor, const struct fault_spec *spec)
{
    struct database *database = actor_state(actor);
    if (spec->kind == FAULT_READ_REPLICAS) {
        while (database->server_count <= MIN((int)spec->value, SERVERS_MAX - 1))
            add_server(actor, database);
        database->server_count = MIN((int)spec->value, SERVERS_MAX - 1) + 1;
        return true;
    }
    if (spec->kind == FAULT_TABLE_GROWTH) {
        grow(database, spec);
        return true;
    }
    int place = index_place(spec->target);
    if (place < 0)
        return false;
    database->there[place] = spec->kind == FAULT_CREATE_INDEX;
    if (database->there[place])
        database->used[place] = 0;
    return true;
}

static bool growth_landed(const struct database *database, const struct fault_spec *spec,
                          struct text *evidence)
{
    uint64_t reads = 0;
    for (int i = 0; i < database->growth_count; i++)
        if (database->growths[i].by == spec)
            reads = database->growths[i].reads;
    text_count(evidence, reads);
    text_str(evidence, " statements read the table of ");
    text_count(evidence, (uint64_t)spec->value);
    text_str(evidence, " rows");
    return reads > 0;
}

static bool landed(struct actor *actor, const struct fault_spec *spec, struct text *evidence)
{
    struct database *database = actor_state(actor);
    if (spec->kind == FAULT_READ_REPLICAS) {
        text_count(evidence, database->replica_reads);
        text_str(evidence, " statements ran on a replica");
        return spec->value < 1 || database->replica_reads > 0;
    }
    if (spec->kind == FAULT_TABLE_GROWTH)
        return growth_landed(database, spec, evidence);
    int place = index_place(spec->target);
    if (place < 0)
        return false;
    if (spec->kind == FAULT_CREATE_INDEX) {
        text_count(evidence, database->used[place]);
        text_str(evidence, " statements used it");
        return database->used[place] > 0;
    }
    if (!database->missed[place]) {
        text_str(evidence, database->there[place] ? "it was back before any statement looked for it"
                                                  : "it is gone; no statement of this run looks for it");
        return !database->there[place];
    }
    text_count(evidence, database->missed[place]);
    text_str(evidence, " statements looked for it in vain");
    if (database->full_scans) {
        text_str(evidence, "; ");
        text_count(evidence, database->full_scans);
        text_str(evidence, " sequential scans");
    }
    return true;
}

const struct actor_kind actor_postgresql = {
    .service = "postgresql",
    .port = 5432,
    .store = "postgresql",
    .state_bytes = sizeof(struct database),
    .start = start,
    .stop = stop,
    .receive = receive,
    .fault = fault,
    .landed = landed,
};
