#include "edges/remedy.h"

struct prescription {
    struct remedy *remedies;
    size_t count;
};

void remedy_target(struct text *out, const struct report *report, const struct cause *cause)
{
    switch (cause->kind) {
    case CAUSE_SCRIPT:
        text_str(out, cause->script->route);
        text_lit(out, " of ");
        text_str(out, cause->script->target);
        return;
    case CAUSE_ROW_LOCK:
        if (!report->scenario->postgresql.hot_product)
            return;
        text_lit(out, "product ");
        text_i64(out, report->scenario->postgresql.hot_product);
        return;
    case CAUSE_MISSING_INDEX:
        text_str(out, cause->index);
        return;
    case CAUSE_QUERY_DELAY:
        text_str(out, cause->delay->target);
        return;
    case CAUSE_TABLE_GROWTH:
        text_lit(out, "products");
        return;
    case CAUSE_POOL_CUT:
    case CAUSE_CONNECTIONS_HELD:
    case CAUSE_POOL:
        text_str(out, cause->pool->name);
        return;
    case CAUSE_SERVICE_DOWN:
    case CAUSE_SERVICE_SLOW:
    case CAUSE_MESSAGE_LOSS:
    case CAUSE_CALLS:
        text_str(out, cause->edge_fault ? cause->edge_fault->target : cause->edge ? cause->edge->to : "");
        return;
    case CAUSE_NONE:
    case CAUSE_KINDS:
        return;
    }
}

static struct remedy *prescribe(struct prescription *prescription, const char *why)
{
    ASSERT(prescription->count < REMEDIES_MAX);
    struct remedy *remedy = &prescription->remedies[prescription->count++];
    *remedy = (struct remedy){.why = why};
    return remedy;
}

/* "KIND: {KEY: TARGET, VALUE: " and so on. */
static void write_fault(struct text *out, enum fault_kind kind, const char *key, const char *target,
                        const char *value_key, const char *value)
{
    text_str(out, fault_kind_name(kind));
    text_lit(out, ": {");
    text_str(out, key);
    text_lit(out, ": ");
    text_str(out, target);
    text_lit(out, ", ");
    text_str(out, value_key);
    text_lit(out, ": ");
    text_str(out, value);
    text_char(out, '}');
}

static void create_index(struct prescription *prescription, const struct report *report,
                         const struct cause *cause)
{
    struct remedy *remedy = prescribe(prescription, "the query finds its rows instead of reading them all");
    text_str(&remedy->fault, fault_kind_name(FAULT_CREATE_INDEX));
    text_lit(&remedy->fault, ": ");
    text_str(&remedy->fault, cause->index);
    const struct index_def *index = registry_index(report->registry, cause->index);
    remedy->sql = index ? index->sql : NULL;
}

static void restore_pool(struct prescription *prescription, const struct report *report,
                         const struct cause *cause)
{
    struct text max = {0};
    text_i64(&max, cause_pool_first_max(report, cause->pool));
    write_fault(&prescribe(prescription, "the pool was enough before it was cut")->fault, FAULT_POOL_MAX,
                "pool", cause->pool->name, "max", text_c(&max));
    text_fini(&max);
}

static void shrink_table(struct prescription *prescription, const struct report *report)
{
    struct remedy *remedy = prescribe(prescription, "the table is larger than its statements can bear");
    text_str(&remedy->fault, fault_kind_name(FAULT_TABLE_GROWTH));
    text_lit(&remedy->fault, ": ");
    text_i64(&remedy->fault, (int64_t)curve_at(&report->scenario->postgresql.products, 0));
}

static void mend_service(struct prescription *prescription, const struct cause *cause)
{
    const char *service = cause->edge_fault->target;
    if (cause->kind == CAUSE_SERVICE_DOWN) {
        struct remedy *remedy = prescribe(prescription, "nobody answers until it is back");
        text_str(&remedy->fault, fault_kind_name(FAULT_SERVICE_UP));
        text_lit(&remedy->fault, ": ");
        text_str(&remedy->fault, service);
    } else if (cause->kind == CAUSE_SERVICE_SLOW) {
        write_fault(&prescribe(prescription, "at its own pace it keeps its callers' limits")->fault,
                    FAULT_SERVICE_SLOW, "service", service, "factor", "1");
    } else {
        prescribe(prescription, "messages on the way to it are lost: mend the network between the two");
    }
}

static void end_delay(struct prescription *prescription, const struct cause *cause)
{
    write_fault(
        &prescribe(prescription, "statements are delayed from outside: find what slows them, and end it")
             ->fault,
        FAULT_QUERY_DELAY, "service", cause->delay->target, "delay", "0s");
}

/* What made the pool run dry, if anything but the load did. */
static void mend_pool(struct prescription *prescription, const struct report *report,
                      const struct cause *cause)
{
    if (cause->cut)
        restore_pool(prescription, report, cause);
    for (size_t i = 0; i < report->stats->fault_count && cause->held; i++)
        if (cause_holds(report, &report->stats->faults[i]) && prescription->count < REMEDIES_MAX)
            write_fault(&prescribe(prescription,
                                   "connections that nobody uses are held: find who keeps them, and let go")
                             ->fault,
                        FAULT_HOLD_CONNECTIONS, "pool", report->stats->faults[i].spec.target, "count", "0");
    if (cause->delay && prescription->count < REMEDIES_MAX)
        end_delay(prescription, cause);
    if (cause->kind == CAUSE_POOL && prescription->count < REMEDIES_MAX)
        prescribe(prescription,
                  "more is asked than the pool carries: fewer or faster statements, or a larger "
                  "pool while the database has cores to spare");
}

size_t remedies_of(struct remedy remedies[REMEDIES_MAX], const struct report *report,
                   const struct cause *cause)
{
    struct prescription prescription = {.remedies = remedies};
    if (cause->kind == CAUSE_NONE)
        return 0;
    if (cause->kind == CAUSE_SCRIPT)
        prescribe(&prescription,
                  "nothing to mend: it is so because the scenario says so; take out the fault");
    else if (cause->kind == CAUSE_ROW_LOCK)
        prescribe(&prescription, "hold the row for a shorter time, or spread the stock over several rows");
    else if (cause->kind == CAUSE_CALLS)
        prescribe(&prescription, "no fault of the scenario explains it: look at the service that is called");
    else if (cause->kind >= CAUSE_SERVICE_DOWN)
        mend_service(&prescription, cause);
    if (cause->kind >= CAUSE_MISSING_INDEX && cause->kind <= CAUSE_POOL) {
        if (cause->kind == CAUSE_QUERY_DELAY && !cause->pool)
            end_delay(&prescription, cause);
        else if (cause->kind == CAUSE_TABLE_GROWTH)
            shrink_table(&prescription, report);
        else if (cause->scan)
            create_index(&prescription, report, cause);
        if (cause->pool)
            mend_pool(&prescription, report, cause);
    }
    return prescription.count;
}
