/*
 * pg_parts: the inside of the PostgreSQL store (pg_store.h), for its own files alone.
 */
#ifndef EDGES_PG_PARTS_H
#define EDGES_PG_PARTS_H

#include "core/message.h"
#include "core/slab.h"
#include "edges/pg_connection.h"
#include "edges/pg_row.h"
#include "edges/pg_store.h"
#include "edges/resolve.h"

#include <ev.h>

enum {
    PG_STATEMENTS_MAX = 64,
    PG_INDEXES_MAX = 16,
    PG_CLIENTS_MAX = SERVICES_MAX + 1, /* and who asks from outside */
    PG_LINKS_MAX = 512, /* connections of one service */
    PG_JOBS_MAX = 8192,
    PG_TASKS_MAX = 256
};

struct pg_client;

/* A statement, from its arrival to its answer. */
struct pg_job {
    struct slab_item item;
    struct pg_job *next; /* behind it, while it waits for a connection */
    uint16_t from, statement;
    uint64_t ask;
    int64_t deadline_ns, begun_ns;
    struct body *params;
    uint8_t plan;
};

enum pg_stage { PG_PREPARING, PG_EXPLAINING, PG_RUNNING };
enum pg_cancelling { PG_NOT_CANCELLED, PG_CANCEL_WANTED, PG_CANCEL_SENT };

/* One connection of a service. While a cancel is under way it takes nothing new, which the cancel could hit. */
struct pg_link {
    struct pg_client *client;
    struct pg_connection *connection;
    struct pg_job *job; /* NULL: none */
    enum pg_stage stage;
    enum pg_cancelling cancel;
    uint64_t prepared; /* bit i: statement i is */
};

struct pg_client {
    struct pg_store *store;
    uint16_t from; /* the service */
    struct pg_link *links[PG_LINKS_MAX];
    int link_count;
    struct pg_job *first, *last; /* waiting */
    uint32_t waiting;
};

/* A statement's plan, as it was last explained. */
struct pg_known_plan {
    uint32_t epoch;
    int64_t at_ns;
    uint8_t plan;
};

/* Something for the connection of administration; one after the other. */
struct pg_task {
    const char *sql;
    int64_t number; /* $1 */
    bool has_number;
    void (*done)(struct pg_store *store, const PGresult *result); /* NULL: nothing but its success matters */
};

/* Rows that a fault made of the table, and the statements that met them. */
struct pg_growth {
    const struct fault_spec *by;
    int64_t rows;
    uint64_t reads;
};

/* What the server says of itself and of what stands in it. */
struct pg_standing {
    int64_t orders, revenue_cents, pieces, stock_taken, hot_left;
    int64_t seq_scans, index_scans[PG_INDEXES_MAX]; /* of the products table, since the server counts */
};

struct pg_store {
    struct pg_store_options options;
    const struct registry *registry;
    struct actor_kind kind;
    struct actor *actor; /* NULL: not started */
    bool in_turn; /* the world's: its clock stands still */
    struct pg_shape *shapes;
    struct text hosts, addresses; /* of the host in conninfo; empty: there is none to look up */
    struct pg_address address; /* them */
    struct pg_known_plan plans[PG_STATEMENTS_MAX];
    uint32_t epoch; /* of the indexes */
    struct slab jobs;
    struct pg_client *clients[PG_CLIENTS_MAX];
    int client_count;
    struct pg_params params; /* scratch */
    struct pg_connection *canceller;
    struct pg_link *cancelling; /* whose cancel is under way; NULL: none, or its link is gone */
    struct pg_connection *admin;
    struct pg_task tasks[PG_TASKS_MAX];
    uint32_t task_first, task_count;
    ev_timer growth_timer;
    int64_t rows; /* of the products table */
    bool growing;
    struct pg_growth growths[FAULTS_MAX];
    int growth_count; /* the last one holds; 0: the curve does */
    uint64_t used[PG_INDEXES_MAX], missed[PG_INDEXES_MAX]; /* statements that used it, or would have */
    uint64_t lost, unknown;
    struct pg_standing before, after;
    bool looked; /* `after` is known */
};

static inline int64_t pg_now(const struct pg_store *store)
{
    return store->options.now(store->options.owner);
}

static inline const struct pg_address *pg_address(const struct pg_store *store)
{
    return store->address.hosts ? &store->address : NULL;
}

/* pg_clients.c */
void pg_clients_ask(struct pg_store *store, const struct message *message);
void pg_clients_cancel(struct pg_store *store, uint16_t from, uint64_t ask);
void pg_clients_close(struct pg_store *store); /* statements under way are forgotten */

/* pg_job.c */
/* It is over: `result` NULL where it never ran. */
void pg_job_answer(struct pg_store *store, struct pg_job *job, enum status status, const PGresult *result);

/* pg_admin.c */
void pg_admin_open(struct pg_store *store);
void pg_admin_add(struct pg_store *store,
                  const struct pg_task *task); /* beyond PG_TASKS_MAX: dropped, told */
void pg_admin_close(struct pg_store *store);
void pg_admin_index(struct pg_store *store, const struct index_def *index, bool there);
void pg_admin_grow(struct pg_store *store, int64_t rows); /* to so many, slice by slice */

/* pg_setup.c: these block */
enum { PG_ROWS_AS_THEY_ARE = -1 };
bool pg_setup(struct pg_store *store, int64_t rows, struct text *error);
bool pg_setup_look(const struct pg_store *store, struct pg_standing *standing);

/* pg_store.c */
int pg_index_place(const struct pg_store *store, const char *name); /* -1: a primary key */

#endif
