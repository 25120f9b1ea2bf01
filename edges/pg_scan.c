#include "edges/pg_scan.h"

#include <stdlib.h>

enum { OTHERS = 3 /* connections that are not the pool's */ };

static bool dropped(const struct scenario *scenario, const char *index)
{
    for (size_t i = 0; i < scenario->fault_count; i++)
        if (scenario->faults[i].kind == FAULT_DROP_INDEX && strcmp(scenario->faults[i].target, index) == 0)
            return true;
    return false;
}

static bool there(const struct registry *registry, const struct scenario *scenario, const char *index)
{
    const struct index_def *def = registry_index(registry, index);
    return !def || (def->at_start && !dropped(scenario, index)); /* a primary key always is */
}

/* The plan it has when all that the scenario drops is dropped, if that scans the table. */
static const struct plan *full_scan(const struct registry *registry, const struct scenario *scenario,
                                    const struct statement *statement)
{
    for (int i = 0; i < STATEMENT_PLANS_MAX; i++) {
        const struct plan *plan = &statement->plans[i];
        if (!plan->index)
            return plan->share > 0 && !statement->writes ? plan : NULL;
        if (there(registry, scenario, plan->index))
            return NULL;
    }
    return NULL;
}

static bool lost_an_index(const struct scenario *scenario, const struct statement *statement)
{
    for (int i = 0; i < STATEMENT_PLANS_MAX; i++)
        if (statement->plans[i].index && dropped(scenario, statement->plans[i].index))
            return true;
    return false;
}

static bool of_statement(const struct probe *probe, size_t statement)
{
    return probe->name && (probe->kind == PROBE_QUERY_LATENCY || probe->kind == PROBE_QUERY_CPU) &&
           (size_t)probe->index == statement;
}

static bool is_named(const struct scenario *scenario, size_t statement)
{
    for (size_t i = 0; i < scenario->expect_count; i++)
        if (scenario->expects[i].alert < 0 && of_statement(&scenario->expects[i].series, statement))
            return true;
    return false;
}

static const struct statement *statement_of(const struct registry *registry, const struct scenario *scenario)
{
    const struct statement *named = NULL, *never_there = NULL;
    for (size_t i = 0; i < registry->statement_count; i++) {
        const struct statement *statement = &registry->statements[i];
        if (!statement->missing_index)
            continue;
        bool scans = full_scan(registry, scenario, statement);
        if (scans && lost_an_index(scenario, statement))
            return statement;
        if (scans && !named && is_named(scenario, i))
            named = statement;
        const struct index_def *def = registry_index(registry, statement->missing_index);
        if (!never_there && def && !def->at_start)
            never_there = statement;
    }
    return named ? named : never_there;
}

/* ---- how many at once ---- */

static int pool_max(const struct actor_kind *kind, const struct scenario *scenario, const char *pool)
{
    const struct service_spec *spec = scenario_service(scenario, kind->service);
    for (size_t i = 0; spec && i < spec->pool_count; i++)
        if (strcmp(spec->pools[i].name, pool) == 0 && spec->pools[i].max > 0)
            return spec->pools[i].max;
    for (size_t i = 0; i < SERVICE_POOLS_MAX && kind->pools[i].name; i++)
        if (strcmp(kind->pools[i].name, pool) == 0)
            return kind->pools[i].max;
    return 0;
}

static const char *pool_of(const struct actor_kind *kind, const char *statement)
{
    for (const struct route *route = kind->routes; route && route->name; route++)
        for (const struct step *step = route->steps; step; step++) {
            if (step->kind == STEP_QUERY && strcmp(step->route, statement) == 0)
                return step->to;
            if (step->kind == STEP_REPLY || step->kind == STEP_END)
                break;
        }
    return NULL;
}

/* The largest of the pools that it may come through. */
static int at_once(const struct registry *registry, const struct scenario *scenario, const char *statement)
{
    int most = 0;
    for (size_t i = 0; i < registry->kind_count; i++) {
        const struct actor_kind *kind = registry->kinds[i];
        const char *pool = kind->store ? NULL : pool_of(kind, statement);
        if (pool)
            most = MAX(most, pool_max(kind, scenario, pool));
    }
    most = most ? most : PG_SCANNERS_DEFAULT;
    return MAX(MIN(MIN(most, PG_SCANNERS_MAX), scenario->postgresql.max_connections - OTHERS), 1);
}

bool pg_scan_choose(struct pg_scan *scan, const struct registry *registry, const struct scenario *scenario)
{
    const struct postgresql_spec *spec = &scenario->postgresql;
    const struct statement *statement = statement_of(registry, scenario);
    *scan = (struct pg_scan){.statement = statement, .rows_first = curve_at(&spec->products, 0)};
    if (!statement)
        return false;
    const struct plan *last = statement->plans;
    while (last->index && last < statement->plans + STATEMENT_PLANS_MAX - 1)
        last++;
    for (size_t i = 0; i < spec->products.count; i++)
        scan->rows_most = MAX(scan->rows_most, spec->products.points[i].value);
    double scan_ns = spec->scan_ns_per_row * last->share * last->row_cost;
    scan->model_ns = scan_ns / spec->cores;
    scan->at_once = at_once(registry, scenario, statement->name);
    return scan_ns * scan->rows_most >= (double)PG_SCAN_LEAST_NS;
}

/* ---- how many rows ---- */

/* To the nearest of a row of steps of 2.5 to 5 %. */
static double rounded(double factor)
{
    double unit = 1e-4;
    while (factor / unit >= 1000)
        unit *= 10;
    double whole = factor / unit, step = whole < 200 ? 5 : whole < 400 ? 10 : 20;
    return (double)(int64_t)(whole / step + 0.5) * step * unit;
}

double pg_scan_factor(const struct pg_scan *scan, double real_ns)
{
    double most = MIN(PG_FACTOR_MOST, PG_ROWS_MOST / MAX(scan->rows_most, 1));
    if (!(real_ns > 0))
        return 1;
    return MAX(MIN(rounded(scan->model_ns / real_ns), most), PG_FACTOR_LEAST);
}

static void tell_ns(struct text *line, double ns)
{
    text_fixed(line, ns, ns < 10 ? 1 : 0);
    text_lit(line, " ns");
}

void pg_scan_tell(const struct pg_scan *scan, double real_ns, struct text *line)
{
    double factor = pg_scan_factor(scan, real_ns), wanted = scan->model_ns / real_ns;
    text_lit(line, "calibrated: ");
    tell_ns(line, real_ns);
    text_lit(line, " a row of ");
    text_str(line, scan->statement->name);
    text_lit(line, " at ");
    text_count(line, (uint64_t)scan->at_once);
    text_lit(line, " at once; ");
    text_count(line, (uint64_t)scan->rows_first);
    text_lit(line, " rows of the scenario are ");
    text_count(line, (uint64_t)(scan->rows_first * factor));
    text_lit(line, " here");
    if (wanted > factor * 1.1 || wanted < factor / 1.1) {
        text_lit(line, ", where ");
        text_count(line, (uint64_t)(scan->rows_first * wanted));
        text_lit(line, " would be as heavy: expect another table of errors");
    }
}
