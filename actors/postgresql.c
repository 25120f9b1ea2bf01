/*
 * postgresql: the modelled database. Statements share the cores of their server, read as many rows as the
 * indexes that exist now make them read, and queue at a row's lock. What they read and write is real:
 * products with a stock, orders with their money.
 */
#include <stdlib.h>

#include "actors/shop/sharing.h"
#include "actors/shop/tables.h"
#include "core/actor.h"
#include "core/due.h"
#include "core/message.h"
#include "core/slab.h"
#include "core/text.h"

enum { INDEXES_MAX = 16, SERVERS_MAX = 8, RUNNING_MAX = 8192, PURPOSE_JITTER = 0x300, LOCK_SLOTS = 1024 };

struct server {
    struct actor *actor;
    struct sharing cpu;
    struct timer timer;
};

/* A statement in the database, from its arrival to its answer. */
struct running {
    struct slab_item item;
    struct sharing_job job;
    struct server *server;
    uint16_t from, statement;
    uint8_t plan;
    uint64_t ask;
    int64_t rows;
    double cost_ns;
    struct body *params;
    int64_t lock; /* product id; 0: none */
    struct running *next_waiting; /* behind whoever holds the lock of that row */
};

struct lock {
    struct running *holder, *first, *last; /* those that wait */
};

struct database {
    struct tables tables;
    struct server servers[SERVERS_MAX]; /* the primary, then replicas */
    int server_count, next_server;
    bool there[INDEXES_MAX];
    uint64_t used[INDEXES_MAX], missed[INDEXES_MAX]; /* statements that used it, or would have */
    uint64_t full_scans;
    struct slab running;
    struct lock locks[LOCK_SLOTS];
    uint64_t replica_reads;
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

static int64_t rows_now(const struct actor *actor)
{
    return (int64_t)curve_at(&actor_scenario(actor)->postgresql.products, actor_timeline(actor));
}

static void start(struct actor *actor)
{
    struct database *database = actor_state(actor);
    const struct postgresql_spec *spec = &actor_scenario(actor)->postgresql;
    double most = CATALOGUE_CATEGORIES * CATALOGUE_TOP;
    for (size_t i = 0; i < spec->products.count; i++)
        most = MAX(most, spec->products.points[i].value);
    tables_init(&database->tables, (int64_t)most);
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

/* ---- locks ---- */

/* Rows share slots by id: two products in one slot wait for each other, as on one page. */
static struct lock *lock_of(struct database *database, int64_t product)
{
    return &database->locks[(uint64_t)product % LOCK_SLOTS];
}

static void rearm(struct server *server)
{
    int64_t next_at_ns = sharing_next_at(&server->cpu);
    if (next_at_ns == NEVER)
        actor_disarm(server->actor, &server->timer);
    else
        actor_arm(server->actor, &server->timer, next_at_ns);
}

static void run_on_cpu(struct running *running)
{
    struct server *server = running->server;
    sharing_add(&server->cpu, &running->job, running->cost_ns, actor_now(server->actor));
    rearm(server);
}

/* True: the row is this statement's; false: it waits behind the holder. */
static bool take_lock(struct database *database, struct running *running)
{
    struct lock *lock = lock_of(database, running->lock);
    running->next_waiting = NULL;
    if (!lock->holder) {
        lock->holder = running;
        return true;
    }
    if (lock->last)
        lock->last->next_waiting = running;
    else
        lock->first = running;
    lock->last = running;
    return false;
}

static void drop_lock(struct database *database, struct running *running)
{
    struct lock *lock = lock_of(database, running->lock);
    if (lock->holder == running) {
        lock->holder = lock->first;
        if (lock->first) {
            lock->first = lock->first->next_waiting;
            if (!lock->first)
                lock->last = NULL;
            run_on_cpu(lock->holder);
        }
        return;
    }
    struct running *before = NULL;
    for (struct running *at = lock->first; at != running; at = at->next_waiting)
        before = at;
    *(before ? &before->next_waiting : &lock->first) = running->next_waiting;
    if (lock->last == running)
        lock->last = before;
}

/* ---- statements ---- */

static void finish(struct actor *actor, struct running *running, enum status status)
{
    struct database *database = actor_state(actor);
    struct pack *pack = NULL;
    if (!status_failed(status)) {
        struct cursor params = cursor_of(running->params);
        cursor_array(&params);
        pack = actor_pack(actor);
        pack_array(pack, 4);
        pack_int(pack, running->rows);
        pack_int(pack, running->plan);
        pack_int(pack, database->running.live);
        tables_run(&database->tables, running->statement, &params, pack);
        struct business_stats *shop = actor_business(actor);
        shop->db_orders = database->tables.orders.created;
        shop->db_revenue_cents = database->tables.orders.revenue_cents;
        shop->db_pieces = database->tables.orders.pieces;
        shop->db_stock_taken = database->tables.catalogue.taken;
    }
    if (running->lock)
        drop_lock(database, running);
    actor_reply(actor, running->from, running->ask, status, pack);
    actor_release(actor, running->params);
    slab_give(&database->running, running);
}

static void server_due(void *owner, int64_t now_ns)
{
    struct server *server = owner;
    struct sharing_job *job;
    while ((job = sharing_done(&server->cpu, now_ns)))
        finish(server->actor, CONTAINER(job, struct running, job), STATUS_OK);
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

static void begin(struct actor *actor, struct message *message)
{
    struct database *database = actor_state(actor);
    const struct postgresql_spec *spec = &actor_scenario(actor)->postgresql;
    const struct statement *statement = &shop_statements[message->route];
    bool room = (int)database->running.live < spec->max_connections * database->server_count;
    struct running *running = room ? slab_take(&database->running) : NULL;
    if (!running) {
        actor_reply(actor, message->from, message->ask, STATUS_CONNECTIONS_EXHAUSTED, NULL);
        return;
    }
    const struct plan *plan = &statement->plans[running->plan = choose_plan(database, statement)];
    double rows = plan->rows + plan->share * (double)rows_now(actor);
    uint64_t chance = draw(actor_seed(actor), message->context.span, PURPOSE_JITTER, 0).a;
    double cost_ns = statement->fixed_us * 1e3 + rows * spec->scan_ns_per_row * plan->row_cost;
    running->server = choose_server(database, statement);
    running->from = message->from;
    running->statement = message->route;
    running->ask = message->ask;
    running->rows = (int64_t)rows;
    running->cost_ns = cost_ns * draw_lognormal_mean1(chance, spec->jitter_sigma);
    running->params = body_ref(message->body);
    database->full_scans += plan->share >= 1;
    running->lock = 0;
    if (statement->locks_row) {
        struct cursor params = cursor_of(running->params);
        cursor_array(&params);
        running->lock = cursor_int(&params);
        if (running->lock && !take_lock(database, running))
            return;
    }
    run_on_cpu(running);
}

static void cancel(struct actor *actor, uint64_t ask)
{
    struct database *database = actor_state(actor);
    if (!actor_scenario(actor)->postgresql.cancel_on_deadline)
        return;
    for (uint32_t slot = 0; slot < database->running.count; slot++) {
        struct running *running = slab_at(&database->running, slot);
        if (!running || running->ask != ask)
            continue;
        if (running->job.place) {
            sharing_remove(&running->server->cpu, &running->job, actor_now(actor));
            rearm(running->server);
        }
        finish(actor, running, STATUS_DEADLINE);
        return;
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

static bool fault(struct actor *actor, const struct fault_spec *spec)
{
    struct database *database = actor_state(actor);
    if (spec->kind == FAULT_READ_REPLICAS) {
        while (database->server_count <= MIN((int)spec->value, SERVERS_MAX - 1))
            add_server(actor, database);
        database->server_count = MIN((int)spec->value, SERVERS_MAX - 1) + 1;
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

static bool landed(struct actor *actor, const struct fault_spec *spec, struct text *evidence)
{
    struct database *database = actor_state(actor);
    if (spec->kind == FAULT_READ_REPLICAS) {
        text_count(evidence, database->replica_reads);
        text_str(evidence, " statements ran on a replica");
        return spec->value < 1 || database->replica_reads > 0;
    }
    int place = index_place(spec->target);
    if (place < 0)
        return false;
    if (spec->kind == FAULT_CREATE_INDEX) {
        text_count(evidence, database->used[place]);
        text_str(evidence, " statements used it");
        return database->used[place] > 0;
    }
    if (database->missed[place]) {
        text_count(evidence, database->missed[place]);
        text_str(evidence, " statements looked for it in vain");
    } else {
        text_str(evidence, "it is gone; no statement of this run looks for it");
    }
    if (database->full_scans) {
        text_str(evidence, "; ");
        text_count(evidence, database->full_scans);
        text_str(evidence, " sequential scans");
    }
    return database->missed[place] > 0 || !database->there[place];
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
