/* pg_admin: what is done to the database beside its statements - indexes that come and go, rows that are added. */
#include "edges/pg_parts.h"

#include <stdio.h>
#include <stdlib.h>

enum { GROW_SLICE = 20000, TASK_LIMIT_S = 600 };

/* What a build that was interrupted leaves behind is there and of no use. */
static const char drop_broken[] =
    "DO $$ DECLARE broken regclass; BEGIN FOR broken IN SELECT indexrelid::regclass FROM pg_index WHERE "
    "indrelid = "
    "'products'::regclass AND NOT indisvalid LOOP EXECUTE 'DROP INDEX ' || broken; END LOOP; END $$";

static void send_next(struct pg_store *store)
{
    static const Oid bigint = 20;
    const struct pg_task *task = &store->tasks[store->task_first];
    char number[24];
    if (!store->task_count || !pg_connection_idle(store->admin))
        return;
    snprintf(number, sizeof number, "%lld", (long long)task->number);
    pg_connection_ask(store->admin, task->sql, task->has_number, &bigint, (const char *const[]){number});
}

static void on_ready(void *owner)
{
    send_next(owner);
}

static void on_done(void *owner, const PGresult *result)
{
    struct pg_store *store = owner;
    struct pg_task task = store->tasks[store->task_first];
    ExecStatusType status = PQresultStatus(result);
    store->task_first = (store->task_first + 1) % PG_TASKS_MAX;
    store->task_count--;
    bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!good)
        fprintf(stderr, "doorbuster: PostgreSQL: %s: %s\n", task.sql,
                PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    if (task.done)
        task.done(store, good ? result : NULL);
    send_next(store);
}

/* The task under way is sent again when the connection is back: each can be repeated. */
static void on_lost(void *owner, enum status status, const char *why)
{
    (void)owner;
    (void)status;
    (void)why;
}

void pg_admin_open(struct pg_store *store)
{
    store->admin =
        pg_connection_open(&(struct pg_connection_options){.loop = store->options.loop,
                                                           .conninfo = store->options.admin_conninfo,
                                                           .address = pg_address(store),
                                                           .application = "doorbuster-admin",
                                                           .answer_limit_s = TASK_LIMIT_S,
                                                           .owner = store,
                                                           .ready = on_ready,
                                                           .done = on_done,
                                                           .lost = on_lost});
}

void pg_admin_close(struct pg_store *store)
{
    pg_connection_close(store->admin);
    store->admin = NULL;
    store->task_count = 0;
}

void pg_admin_add(struct pg_store *store, const struct pg_task *task)
{
    if (store->task_count == PG_TASKS_MAX) {
        fprintf(stderr, "doorbuster: PostgreSQL: too much to do; left undone: %s\n", task->sql);
        return;
    }
    store->tasks[(store->task_first + store->task_count++) % PG_TASKS_MAX] = *task;
    if (store->task_count == 1)
        send_next(store);
}

/* ---- indexes ---- */

static void index_changed(struct pg_store *store, const PGresult *result)
{
    (void)result;
    store->epoch++;
}

void pg_admin_index(struct pg_store *store, const struct index_def *index, bool there)
{
    pg_admin_add(store, &(struct pg_task){.sql = drop_broken});
    pg_admin_add(store,
                 &(struct pg_task){.sql = there ? index->live_sql : index->drop_sql, .done = index_changed});
    /* An index of expressions brings statistics that are yet to be gathered. */
    if (there)
        pg_admin_add(store, &(struct pg_task){.sql = "ANALYZE products", .done = index_changed});
}

/* ---- growth ---- */

static void grown(struct pg_store *store, const PGresult *result)
{
    store->growing = false;
    if (result && PQntuples(result) == 1)
        store->rows += strtoll(PQgetvalue(result, 0, 0), NULL, 10);
}

void pg_admin_grow(struct pg_store *store, int64_t rows)
{
    if (store->growing || rows <= store->rows)
        return;
    store->growing = true;
    pg_admin_add(store, &(struct pg_task){.sql = "SELECT shop_grow($1)",
                                          .has_number = true,
                                          .number = MIN(rows, store->rows + GROW_SLICE),
                                          .done = grown});
}
