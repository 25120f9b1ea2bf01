/* pg_job: a statement's end - its figures, its result, its answer. */
#include "edges/pg_parts.h"
#include "edges/pg_status.h"

static void count_plan(struct pg_store *store, const struct statement *statement, int plan)
{
    for (int i = 0; i <= plan; i++) {
        int place = statement->plans[i].index ? pg_index_place(store, statement->plans[i].index) : -1;
        if (place >= 0)
            (i == plan ? store->used : store->missed)[place]++;
    }
    if (store->growth_count && statement->plans[plan].share > 0)
        store->growths[store->growth_count - 1].reads++;
}

/* As actors/postgresql.c: what ran comes before the result. */
static void pack_figures(struct pg_store *store, struct pack *pack, const struct pg_job *job,
                         enum status status)
{
    const struct plan *plan = &store->registry->statements[job->statement].plans[job->plan];
    struct store_stats *stats = &actor_stats(store->actor)->stores;
    int64_t waited_ns = 0;
    if (status == STATUS_LOCK_TIMEOUT) {
        waited_ns = pg_now(store) - job->begun_ns;
        histogram_add_ns(&stats->lock_wait, waited_ns);
        stats->lock_timeouts++;
    }
    pack_array(pack, 6);
    pack_int(pack, waited_ns ? 0 : (int64_t)(plan->rows + plan->share * (double)store->rows));
    pack_int(pack, job->plan);
    pack_int(pack, store->jobs.live);
    pack_int(pack, 0);
    pack_int(pack, waited_ns / NS_PER_US);
}

static void pack_code(struct pack *pack, const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (sqlstate)
        pack_text(pack, sqlstate);
    else
        pack_nil(pack);
}

void pg_job_answer(struct pg_store *store, struct pg_job *job, enum status status, const PGresult *result)
{
    const struct statement *statement = &store->registry->statements[job->statement];
    struct actor *actor = store->actor;
    struct pack *pack = NULL;
    if (!store->in_turn)
        actor_wake(actor, pg_now(store));
    if (result) {
        pack = actor_pack(actor);
        pack_figures(store, pack, job, status);
        if (status != STATUS_OK) {
            pack_code(pack, result);
        } else if (pg_result_pack(result, &store->shapes[job->statement], pack)) {
            count_plan(store, statement, job->plan);
        } else {
            status = STATUS_FAILED;
            pack = NULL;
        }
    }
    actor_reply(actor, job->from, job->ask, status, pack);
    actor_release(actor, job->params);
    slab_give(&store->jobs, job);
}
