#include "tests/edges/report_fixture.h"

#include <stdlib.h>

enum { MINUTES = 10, ABSENT = 1000 };

static struct curve_point steady[] = {{0, 100}};
static struct curve_point later[] = {{NS_PER_MIN, 100}};
static const int64_t table[] = {0, NS_PER_MIN, 5 * NS_PER_MIN};

static const struct statement statements[] = {
    {.name = "recommendations", .missing_index = "idx_products_recommendations"},
    {.name = "products_by_category"},
};

/* A hundred requests, so many of them failed; ABSENT: the stream has not begun. */
static void fill(struct window *window, uint64_t errors, double latency_s)
{
    if (errors == ABSENT)
        return;
    window->requests += 100;
    window->errors += errors;
    for (int i = 0; i < 100; i++)
        histogram_add(&window->latency, latency_s);
}

static void fill_stream(struct fixture *fixture, size_t index, const uint64_t errors[MINUTES],
                        double latency_s)
{
    struct stream_spec *spec = &fixture->scenario.streams[index];
    struct stream_stats *stats = &fixture->stats.streams[index];
    spec->table_count = ARRAY_LEN(table);
    memcpy(spec->table_ns, table, sizeof table);
    stats->scale = 1;
    stats->minute_count = MINUTES;
    stats->minutes = base_alloc(MINUTES, sizeof *stats->minutes);
    stats->point_count = ARRAY_LEN(table);
    stats->points = base_alloc(ARRAY_LEN(table), sizeof *stats->points);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct window *point = &stats->points[i];
        bool starts = spec->rate_per_min.points[0].at_ns == table[i];
        point->from_ns = starts ? table[i] : MAX(table[i] - NS_PER_MIN / 2, 0);
        point->to_ns = point->from_ns + NS_PER_MIN;
        fill(point, errors[table[i] / NS_PER_MIN], latency_s);
    }
    for (size_t m = 0; m < MINUTES; m++) {
        stats->minutes[m].from_ns = (int64_t)m * NS_PER_MIN;
        stats->minutes[m].to_ns = (int64_t)(m + 1) * NS_PER_MIN;
        fill(&stats->minutes[m], errors[m], latency_s);
        fill(&stats->whole, errors[m], latency_s);
    }
}

static void fill_scenario(struct scenario *scenario)
{
    scenario->file = "small.yaml";
    scenario->name = "small";
    scenario->story = "A pool runs dry \xe2\x80\x93 and \x1b[31mnobody\x07 knows why.";
    scenario->duration_ns = MINUTES * NS_PER_MIN;
    scenario->stream_count = 2;
    scenario->streams[0] = (struct stream_spec){.name = "baseline", .rate_per_min = {steady, 1}};
    scenario->streams[1] = (struct stream_spec){.name = "demo", .rate_per_min = {later, 1}, .demo = true};
    scenario->phase_count = 2;
    scenario->phases[0] = (struct phase){0, "calm"};
    scenario->phases[1] = (struct phase){5 * NS_PER_MIN, "critical"};
    scenario->fault_count = 1;
    scenario->faults[0] = (struct fault_spec){.kind = FAULT_DROP_INDEX, .target = "idx_products_category"};
    scenario->alert_count = 2;
    scenario->alerts[0] = (struct alert_spec){.name = "collapse", .kind = ALERT_FLOW};
    scenario->alerts[1] = (struct alert_spec){.name = "burn", .kind = ALERT_BURN_RATE};
    scenario->expect_count = 2;
    scenario->expects[0] = (struct expect_spec){.text = "baseline.errors: rate<=0.02"};
    scenario->expects[1] = (struct expect_spec){.text = "demo.errors at 5m: rate<0.1"};
}

static void fill_stats(struct run_stats *stats)
{
    stats->service_count = 1;
    stats->services[0] = (struct service_stats){.service = "frontend", .spans = 1900, .errors = 550};
    stats->edge_count = 1;
    stats->edges = base_alloc(1, sizeof *stats->edges);
    stats->edges[0] =
        (struct edge_stats){.from = "load-generator", .to = "frontend", .calls = 1900, .errors = 550};
    stats->pool_count = 2;
    stats->pools = base_alloc(2, sizeof *stats->pools);
    stats->pools[0] = (struct pool_stats){.name = "recommendations", .service = "product-catalog", .max = 20};
    stats->pools[1] = (struct pool_stats){.name = "recommendations",
                                          .service = "recommendation-service",
                                          .max = 20,
                                          .peak_used = 20,
                                          .acquired = 350,
                                          .timeouts = 550,
                                          .acquire_timeout_ns = 2 * NS_PER_S,
                                          .minute_count = MINUTES};
    stats->pools[1].minutes = base_alloc(MINUTES, sizeof *stats->pools[1].minutes);
    stats->pools[1].minutes[7] = (struct pool_minute){.acquired = 942, .timeouts = 3264};
    stats->statement_count = 1;
    stats->statements = base_alloc(1, sizeof *stats->statements);
    stats->statements[0] = (struct statement_stats){
        .name = "recommendations", .runs = 350, .full_scans = 350, .scan_rows_max = 487342};
    static const struct profile_line searched = {.service = "recommendation-service",
                                                 .route = "GET /recommendations",
                                                 .function = "recommendations",
                                                 .pool = "recommendations",
                                                 .cpu_ns = 350e9,
                                                 .spent_ns = {550 * 2e9, 0, 350e9},
                                                 .scanned_ns = 350e9,
                                                 .lost = {550, 0, 0}};
    stats->profile_count = 1;
    stats->profile = base_alloc(1, sizeof *stats->profile);
    stats->profile[0] = searched;
    stats->alerts[0] = (struct alert_stats){.fired = true,
                                            .fired_at_ns = 330 * NS_PER_S,
                                            .resolved_at_ns = NEVER,
                                            .firings = 1,
                                            .spells = {{330 * NS_PER_S, NEVER}}};
    stats->alerts[1] = (struct alert_stats){.fired_at_ns = NEVER, .resolved_at_ns = NEVER};
    stats->expects[0] = (struct expect_stats){true, true, "0"};
    stats->expects[1] = (struct expect_stats){true, false, "0.8"};
    stats->fault_count = 1;
    stats->faults[0] =
        (struct fault_stats){.spec = {.kind = FAULT_DROP_INDEX, .target = "idx_products_category"},
                             .judged = true,
                             .applied = true,
                             .landed = true,
                             .evidence = "1,204 sequential scans"};
    stats->business.count[BUSINESS_CHECKOUT] = 900;
    stats->business.count[BUSINESS_CHECKOUT_DONE] = 350;
    stats->business.count[BUSINESS_ORDER] = 350;
    stats->business.revenue_cents = 350 * 9999;
    stats->traces = 1900;
    stats->spans = 25000;
    stats->max_depth = 8;
}

struct fixture *fixture_new(void)
{
    static const uint64_t none[MINUTES] = {0};
    static const uint64_t rising[MINUTES] = {ABSENT, 0, 0, 20, 50, 80, 100, 100, 100, 100};
    struct fixture *fixture = base_alloc(1, sizeof *fixture);
    fill_scenario(&fixture->scenario);
    fill_stats(&fixture->stats);
    fill_stream(fixture, 0, none, 0.3);
    fill_stream(fixture, 1, rising, 3.0);
    fixture->registry.statements = statements;
    fixture->registry.statement_count = ARRAY_LEN(statements);
    fixture->report = (struct report){.scenario = &fixture->scenario,
                                      .registry = &fixture->registry,
                                      .stats = &fixture->stats,
                                      .layout = "virtual",
                                      .seed = 7};
    fixture->report.ended_at_ns = fixture->scenario.duration_ns;
    return fixture;
}

void fixture_free(struct fixture *fixture)
{
    for (size_t i = 0; i < fixture->scenario.stream_count; i++) {
        free(fixture->stats.streams[i].minutes);
        free(fixture->stats.streams[i].points);
    }
    free(fixture->stats.edges);
    free(fixture->stats.pools[1].minutes);
    free(fixture->stats.pools);
    free(fixture->stats.statements);
    free(fixture->stats.profile);
    free(fixture);
}
