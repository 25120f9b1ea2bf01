/*
 * pg_store: a real PostgreSQL where the modelled one stands - an actor kind that answers the same statements with the
 * same bodies (actors/postgresql.c), by libpq on the loop.
 *
 * The pools are the services' own and stand before it, as before the model. Each service has connections of its own,
 * opened when its pool first lets so many statements through, and kept. A statement is answered exactly once: with
 * its result, with the status of its SQLSTATE (pg_status.h), with STATUS_CONNECTION_LOST where the connection was
 * lost before the answer - whether it was carried out is then not known, nor is it sent again -, or with
 * STATUS_DEADLINE where nobody wants it any more: unsent, or cancelled if the scenario says so (by pg_cancel_backend
 * on a connection of its own, section 9.27.2, since libpq 15 can only cancel by waiting).
 *
 * What it says of an execution: the plan is the one EXPLAIN gives for a statement's own parameters, asked anew after
 * each change of an index and every PG_PLAN_AGE_NS. Rows read are those the statement table says of that plan, of the
 * table as it has been counted at the start and grown since. What a statement cost is not known: 0.
 *
 * Faults: indexes come and go CONCURRENTLY, on a connection for administration; the table grows by inserts in slices,
 * along the scenario's curve or a fault. There are no read replicas here: that fault is refused, and so does not land.
 *
 * One store at a time, in a process and at a database: another doorbuster's sessions there are a reason to refuse. Opening and finishing block, within PG_OPEN_LIMIT_S to connect and PG_LOOK_LIMIT_MS to look.
 */
#ifndef EDGES_PG_STORE_H
#define EDGES_PG_STORE_H

#include "core/actor.h"
#include "core/text.h"

#define PG_PLAN_AGE_NS (5 * NS_PER_S)

enum { PG_OPEN_LIMIT_S = 3, PG_LOOK_LIMIT_MS = 2000 };

struct ev_loop;
struct pg_scan;
struct pg_store;

struct pg_store_options {
    struct ev_loop *loop;
    const char *conninfo; /* or a URL, postgresql://... */
    const char *admin_conninfo; /* likewise, as who may do anything there; NULL: conninfo */
    const struct registry *registry; /* with the modelled store in it */
    const struct scenario *scenario;
    int64_t from_ns; /* of the timeline: how many rows the table has to begin with */
    double rows_factor; /* rows there against rows of the scenario; 0: as many */
    const struct pg_scan
        *scan; /* the factor is found by measuring this (pg_calibration.h); NULL: it is not */
    bool quiet; /* of that */
    bool keep; /* orders and stock stay as they are */
    bool own; /* the database is this program's own, and nobody else's */
    bool
        yes; /* it is somebody's who said so: it becomes a shop for good, and loses its orders with every run */
    /* The instant on the world's clock. */
    int64_t (*now)(void *owner);
    void *owner;
};

/* Connects and brings the database to where a run begins: no orders, the whole stock, the indexes of the start, the
   rows of the start. A database that is neither `own` nor was given with `yes` before is left as it is. NULL:
   explained in one line, without its end. */
struct pg_store *pg_store_open(const struct pg_store_options *options, struct text *error);
/* For the registry, in place of the kind with the same `service`. */
const struct actor_kind *pg_store_kind(const struct pg_store *store);
/* Before world_finish, when the world has nothing left to do: what stands in the database, and what proves the faults.
   False: it could not be read. Its connections are closed. */
bool pg_store_finish(struct pg_store *store);
/* After world_free. NULL passes. */
void pg_store_close(struct pg_store *store);

/* Now, for tests and for who watches. */
struct pg_store_figures {
    int64_t rows; /* of the products table */
    uint32_t connections, ready; /* of the services; of them those that stand */
    uint32_t under_way, waiting; /* statements; of them those without a connection yet */
    uint32_t tasks; /* for administration, not done yet */
    uint64_t lost; /* connections, or attempts to connect */
    uint64_t unknown; /* statements that write and whose answer was lost */
};
struct pg_store_figures pg_store_figures(const struct pg_store *store);

#endif
