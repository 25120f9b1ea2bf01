/*
 * The incident's own attributes, by name, on the spans and logs that the dashboards look at. A slice of the
 * critical phase: two minutes of full traffic on the grown table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "edges/registry.h"
#include "tests/stories/story.h"

#define GROWN_ROWS 487342
#define SLICE                                                                                                \
    "duration=3m", "alerts=[]", "expect=[]", "phases=[[0m, calm], [1m, critical]]", "streams.demo.table=[]", \
        "streams.baseline.table=[]", "streams.demo.rate=4200/min", "postgresql.products=487342",             \
        "services.checkout.variants.recommendations=asked"

enum which { EVERY, SUCCEEDED, EXHAUSTED, FAILED };

/* An attribute a span or log must have; `text` NULL: of any value. */
struct want {
    const char *name;
    enum attr_type type;
    const char *text;
};

#define TEXT(name_, value_)                                                                                  \
    {                                                                                                        \
        .name = (name_), .type = ATTR_TEXT, .text = (value_)                                                 \
    }
#define ANY(name_, type_)                                                                                    \
    {                                                                                                        \
        .name = (name_), .type = (type_)                                                                     \
    }
#define POOL_ATTRS                                                                                           \
    ANY("db.connection_pool.size", ATTR_INT), ANY("db.connection_pool.active", ATTR_INT),                    \
        ANY("db.connection_pool.utilization_percent", ATTR_REAL),                                            \
        ANY("db.connection_pool.wait_time_ms", ATTR_REAL), ANY("db.connection_pool.exhausted", ATTR_BOOL)
#define DEMO_ATTRS ANY("demo.minute", ATTR_INT), TEXT("demo.phase", "critical")
#define SLOW_ATTRS                                                                                           \
    TEXT("db.index_used", "NONE"), ANY("db.simulation.slow_query_enabled", ATTR_BOOL),                       \
        ANY("db.simulation.delay_ms", ATTR_REAL), ANY("db.full_table_scan", ATTR_BOOL),                      \
        TEXT("db.missing_index", "idx_products_recommendations"), ANY("db.rows_scanned", ATTR_INT),          \
        ANY("db.slow_query", ATTR_BOOL), ANY("db.query.duration_ms", ATTR_REAL),                             \
        ANY("db.active_queries", ATTR_INT)
#define DATABASE_ATTRS                                                                                       \
    TEXT("db.system.name", "postgresql"), TEXT("db.system", "postgresql"), TEXT("db.name", "ecommerce"),     \
        TEXT("db.operation.name", "SELECT"), TEXT("db.operation", "SELECT"),                                 \
        TEXT("db.collection.name", "products"), TEXT("db.sql.table", "products"),                            \
        ANY("db.query.text", ATTR_TEXT), ANY("db.statement", ATTR_TEXT),                                     \
        TEXT("server.address", "postgresql-primary-0"), TEXT("net.peer.name", "postgresql-primary-0"),       \
        ANY("server.port", ATTR_INT), ANY("net.peer.port", ATTR_INT), ANY("db.namespace", ATTR_TEXT)
#define LOST_ATTRS(reason_)                                                                                  \
    ANY("checkout.failed", ATTR_BOOL), TEXT("checkout.failure_reason", reason_), ANY("user.id", ATTR_TEXT),  \
        ANY("checkout.total", ATTR_REAL)

static const struct rule {
    const char *service, *name;
    enum span_kind kind;
    enum which which;
    struct want wants[32];
} rules[] = {
    {"product-catalog",
     "GET /products",
     SPAN_SERVER,
     SUCCEEDED,
     {TEXT("endpoint.type", "fast_indexed"), TEXT("db.index_used", "idx_products_category_active")}},
    {"product-catalog",
     "SELECT ecommerce.products",
     SPAN_CLIENT,
     SUCCEEDED,
     {TEXT("endpoint.type", "fast_indexed"), TEXT("db.index_used", "idx_products_category_active"),
      POOL_ATTRS, DATABASE_ATTRS}},
    {"product-catalog",
     "GET /products/recommendations",
     SPAN_SERVER,
     EVERY,
     {TEXT("endpoint.type", "slow_unindexed"), DEMO_ATTRS}},
    {"recommendation-service",
     "POST /recommend",
     SPAN_SERVER,
     EVERY,
     {TEXT("endpoint.type", "slow_unindexed"), DEMO_ATTRS}},
    {"recommendation-service", "POST /recommend", SPAN_SERVER, SUCCEEDED, {SLOW_ATTRS}},
    {"recommendation-service", "POST /recommend", SPAN_SERVER, EXHAUSTED, {POOL_ATTRS}},
    {"recommendation-service",
     "SELECT ecommerce.products",
     SPAN_CLIENT,
     SUCCEEDED,
     {TEXT("endpoint.type", "slow_unindexed"), DEMO_ATTRS, SLOW_ATTRS, POOL_ATTRS}},
    {"recommendation-service",
     "SELECT ecommerce.products",
     SPAN_CLIENT,
     EXHAUSTED,
     {TEXT("endpoint.type", "slow_unindexed"), DEMO_ATTRS, POOL_ATTRS, DATABASE_ATTRS}},
    {"frontend", "POST /api/checkout", SPAN_SERVER, FAILED, {ANY("order.id", ATTR_TEXT), DEMO_ATTRS}},
    {"frontend", "POST /api/checkout", SPAN_SERVER, EXHAUSTED, {LOST_ATTRS("ConnectionPoolExhausted")}},
    {"checkout",
     "POST /orders/create",
     SPAN_SERVER,
     FAILED,
     {LOST_ATTRS("product-recommendations-timeout"), ANY("order.id", ATTR_TEXT), DEMO_ATTRS}},
};

struct watch {
    struct world *world;
    size_t seen[ARRAY_LEN(rules)], missing[ARRAY_LEN(rules)];
    const char *last_missing[ARRAY_LEN(rules)];
    size_t untrue, slow_queries, exhausted;
    size_t logs[LOG_BODY_COUNT], logs_wrong;
};

static const struct attr *find(const struct attrs *attrs, const char *name)
{
    for (size_t i = 0; i < attrs->count; i++)
        if (strcmp(attr_name((enum attr_key)attrs->list[i].key), name) == 0)
            return &attrs->list[i];
    return NULL;
}

static const struct attr *find_on(const struct span *span, const char *name)
{
    const struct attr *attr = find(&span->attrs, name);
    return attr ? attr : find(&span->site->attrs, name);
}

static bool meets(const struct attr *attr, const struct want *want)
{
    if (!attr || attr->type != want->type)
        return false;
    return !want->text || (attr->len == strlen(want->text) && !memcmp(attr->text, want->text, attr->len));
}

/* A lost checkout answers 503 whatever the cause; which one it was, its failure_reason says. */
static bool exhausted(const struct span *span)
{
    static const struct want reason = TEXT("checkout.failure_reason", "ConnectionPoolExhausted");
    return span->status == STATUS_POOL_EXHAUSTED || meets(find_on(span, reason.name), &reason);
}

/* A lost one: of those that the recommendations cost. */
static bool lost(const struct span *span)
{
    return status_failed(span->status) && find_on(span, "checkout.failed");
}

static bool chosen(const struct span *span, enum which which)
{
    switch (which) {
    case SUCCEEDED:
        return !status_failed(span->status);
    case EXHAUSTED:
        return exhausted(span);
    case FAILED:
        return lost(span);
    default:
        return true;
    }
}

static void check_rule(struct watch *watch, size_t index, const struct span *span)
{
    const struct rule *rule = &rules[index];
    if (span->site->kind != rule->kind || strcmp(span->site->name, rule->name) != 0 ||
        strcmp(world_service(watch->world, span->site->service)->service, rule->service) != 0 ||
        !chosen(span, rule->which))
        return;
    watch->seen[index]++;
    for (const struct want *want = rule->wants; want->name; want++)
        if (!meets(find_on(span, want->name), want)) {
            watch->missing[index]++;
            watch->last_missing[index] = want->name;
        }
}

static double number(const struct span *span, const char *name)
{
    const struct attr *attr = find_on(span, name);
    if (!attr)
        return -1;
    return attr->type == ATTR_REAL   ? attr->real
           : attr->type == ATTR_BOOL ? attr->truth
                                     : (double)attr->integer;
}

static bool near(double a, double b)
{
    return a - b < 1e-6 && b - a < 1e-6;
}

/* What a query's attributes say is what happened to it. */
static void check_truth(struct watch *watch, const struct span *span)
{
    double took_ms = (double)(span->end_ns - span->start_ns) * 1e-6;
    double wait_ms = number(span, "db.connection_pool.wait_time_ms");
    double active = number(span, "db.connection_pool.active"), size = number(span, "db.connection_pool.size");
    bool no_connection = span->status == STATUS_POOL_EXHAUSTED;
    bool truth = active >= 1 && active <= size &&
                 near(number(span, "db.connection_pool.utilization_percent"), 100 * active / size) &&
                 near(number(span, "db.connection_pool.exhausted"), no_connection);
    if (no_connection) {
        truth &= near(wait_ms, 2000) && near(took_ms, 2000) && !find(&span->attrs, "db.query.duration_ms");
        watch->exhausted++;
    } else if (!status_failed(span->status)) {
        double query_ms = number(span, "db.query.duration_ms");
        truth &=
            near(took_ms, wait_ms + query_ms) && near(query_ms, number(span, "db.simulation.delay_ms")) &&
            near(number(span, "db.rows_scanned"), GROWN_ROWS) &&
            near(number(span, "db.slow_query"), query_ms > 1000) && number(span, "db.active_queries") >= 1;
        watch->slow_queries++;
    }
    watch->untrue += !truth;
}

static void see_span(void *owner, const struct span *span)
{
    struct watch *watch = owner;
    if (span->start_ns < NS_PER_MIN)
        return;
    assert_int_equal(span->attrs.dropped, 0);
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        check_rule(watch, i, span);
    const struct statement *statement = registry_statement(&registry, "recommendations");
    const struct attr *sql = find_on(span, "db.query.text");
    if (sql && sql->len == strlen(statement->sql) && memcmp(sql->text, statement->sql, sql->len) == 0)
        check_truth(watch, span);
}

/* ---- logs ---- */

static const struct want slow_log[] = {
    TEXT("category", "electronics"), ANY("query_duration_ms", ATTR_REAL), ANY("demo_minute", ATTR_INT),
    TEXT("recommended_index",
         "CREATE INDEX idx_products_recommendations ON products(category, active, popularity DESC)")};
static const struct want exhausted_log[] = {
    ANY("max_connections", ATTR_INT), ANY("active_connections", ATTR_INT), ANY("wait_time_ms", ATTR_REAL),
    ANY("rejected_count", ATTR_INT),  ANY("demo_minute", ATTR_INT),        ANY("recommendation", ATTR_TEXT)};

static void see_log(void *owner, const struct log_record *record)
{
    struct watch *watch = owner;
    bool slow = record->body == LOG_BODY_SLOW_QUERY;
    watch->logs[record->body]++;
    if (!slow && record->body != LOG_BODY_POOL_EXHAUSTED)
        return;
    const struct want *wants = slow ? slow_log : exhausted_log;
    size_t count = slow ? ARRAY_LEN(slow_log) : ARRAY_LEN(exhausted_log);
    bool good = record->severity == (slow ? LOG_WARN : LOG_ERROR) && record->span && record->trace_hi;
    for (size_t i = 0; i < count; i++)
        good &= meets(find(&record->attrs, wants[i].name), &wants[i]);
    watch->logs_wrong += !good;
}

static void test_attributes_stand_where_they_should(void **state)
{
    (void)state;
    struct watch watch = {0};
    struct sink sink = {.owner = &watch, .span = see_span, .log = see_log};
    struct story story = story_open(FLAGSHIP, 3, &sink, SETTINGS(SLICE));
    watch.world = story.world;
    story_run(&story);
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (watch.seen[i] < 10 || watch.missing[i])
            print_error(
                "rule %zu, %s %s: %zu spans seen, %zu attributes missing or wrong, the last of them %s\n", i,
                rules[i].service, rules[i].name, watch.seen[i], watch.missing[i],
                watch.last_missing[i] ? watch.last_missing[i] : "-");
        assert_true(watch.seen[i] >= 10);
        assert_int_equal(watch.missing[i], 0);
    }
    assert_int_equal(watch.untrue, 0);
    assert_true(watch.slow_queries > 1000 && watch.exhausted > 4000);
    assert_string_equal(log_body_text(LOG_BODY_SLOW_QUERY), "Slow query detected: missing index");
    assert_string_equal(log_body_text(LOG_BODY_POOL_EXHAUSTED), "Connection pool exhausted");
    assert_true(watch.logs[LOG_BODY_SLOW_QUERY] > 1000);
    assert_int_equal(watch.logs[LOG_BODY_POOL_EXHAUSTED], story.stats->logs[LOG_BODY_POOL_EXHAUSTED]);
    assert_int_equal(watch.logs_wrong, 0);
    story_end(&story);
}

static void test_status_has_its_error_type(void **state)
{
    (void)state;
    assert_string_equal(status_info(STATUS_POOL_EXHAUSTED)->error_type, "ConnectionPoolExhausted");
    assert_string_equal(status_info(STATUS_POOL_EXHAUSTED)->sqlstate, "08006");
    for (int status = 0; status < STATUS_COUNT; status++)
        assert_true(!status_info((enum status)status)->failed ||
                    status_info((enum status)status)->error_type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attributes_stand_where_they_should),
        cmocka_unit_test(test_status_has_its_error_type),
    };
    return cmocka_run_group_tests_name("attributes", tests, NULL, NULL);
}
