/*
 * Every kind of fault, twice: in a shop where somebody meets it, where it lands with its evidence, and in one
 * where nobody does, where the run is invalid and its report says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "edges/registry.h"
#include "edges/report_text.h"
#include "tests/stories/story.h"

#define FAULTS "tests/stories/faults.yaml"
/* Customers who ask for one thing alone, which needs no other service and no store. */
#define IDLE "streams={quiet: {call: currency-service GET /convert, rate: 60/min}}"

/* Faults as the file writes them; the one that is looked at is the last. */
static const struct one {
    enum fault_kind kind;
    const char *list;
    const char *evidence; /* of those who met it, in part */
    const char *idle; /* NULL: the same list */
} ones[] = {
    /* That an index is gone is seen in any shop: it has to come back before anyone looks for it. */
    {FAULT_DROP_INDEX, "{at: 10s, drop_index: idx_products_category}", "statements looked for it in vain",
     "{at: 20s, create_index: idx_products_category}, {at: 10s, drop_index: idx_products_category}"},
    {FAULT_CREATE_INDEX, "{at: 10s, create_index: idx_products_recommendations}", "statements used it", NULL},
    {FAULT_POOL_MAX, "{at: 10s, pool_max: {pool: orders, max: 3}}", "pool orders: max 20 -> 3", NULL},
    {FAULT_ACQUIRE_TIMEOUT, "{at: 10s, acquire_timeout: {pool: orders, limit: 700ms}}", "after 700ms", NULL},
    {FAULT_HOLD_CONNECTIONS, "{at: 10s, hold_connections: {pool: orders, count: 19}}",
     "pool orders: 19 of 20 held", NULL},
    {FAULT_READ_REPLICAS, "{at: 10s, read_replicas: 2}", "statements ran on a replica", NULL},
    {FAULT_SERVICE_DOWN, "{at: 10s, service_down: cart-service}", "calls to cart-service failed", NULL},
    {FAULT_SERVICE_UP, "{at: 10s, service_down: cart-service}, {at: 20s, service_up: cart-service}",
     "calls to cart-service failed", NULL},
    {FAULT_SERVICE_SLOW, "{at: 10s, service_slow: {service: cart-service, factor: 9}}",
     "calls to cart-service", NULL},
    {FAULT_QUERY_DELAY, "{at: 10s, query_delay: {service: product-catalog, delay: 300ms}}", "300ms", NULL},
    {FAULT_TABLE_GROWTH, "{at: 10s, drop_index: idx_products_category}, {at: 10s, table_growth: 40000}",
     "statements read the table of 40,000 rows", NULL},
    {FAULT_ROUTE_DELAY,
     "{at: 10s, route_delay: {service: product-catalog, route: GET /products, steps: [[1m, 100ms..300ms]]}}",
     "requests of GET /products delayed", NULL},
    {FAULT_ROUTE_FAILURES,
     "{at: 10s, route_failures: {service: checkout, route: POST /orders/create, rate: 50%}}",
     "requests of POST /orders/create failed", NULL},
    {FAULT_MESSAGE_LOSS, "{at: 10s, message_loss: {from: frontend, to: ad-service, rate: 50%}}",
     "asks from frontend to ad-service lost", NULL},
};

static struct report report_of(const struct story *story)
{
    return (struct report){.scenario = story->scenario,
                           .registry = &registry,
                           .stats = story->stats,
                           .seed = 1,
                           .layout = "virtual",
                           .ended_at_ns = story->scenario->duration_ns};
}

/* Whether the report on a terminal has this in one of its lines on faults. */
static bool told(const struct story *story, const char *words)
{
    struct report report = report_of(story);
    struct text text = {0};
    report_text(&text, &report, &(struct paint){0});
    bool found = strstr(text_c(&text), words) != NULL;
    text_fini(&text);
    return found;
}

static void judge(const struct one *one, bool idle)
{
    char faults[400];
    snprintf(faults, sizeof faults, "faults=[%s]", idle && one->idle ? one->idle : one->list);
    struct story story = story_play(FAULTS, 1, NULL, idle ? SETTINGS(faults, IDLE) : SETTINGS(faults));
    const struct fault_stats *fault = &story.stats->faults[story.stats->fault_count - 1];
    const struct report report = report_of(&story);
    const char *name = fault_kind_name(one->kind);
    int off = story_outside(fault->spec.kind, one->kind, one->kind, "%s: its kind", name);
    off += story_outside(fault->applied && fault->judged, 1, 1, "%s: applied and judged", name);
    off += story_outside(fault->landed, !idle, !idle, "%s: landed (%s)", name, fault->evidence);
    off += story_outside(report_failed(&report), idle, idle, "%s: the run failed", name);
    off += story_outside(told(&story, "DID NOT LAND"), idle, idle, "%s: told that it did not land", name);
    if (!idle)
        off += story_outside(strstr(fault->evidence, one->evidence) != NULL, 1, 1, "%s: evidence `%s`", name,
                             fault->evidence);
    story_end(&story);
    assert_int_equal(off, 0);
}

static void those_that_are_met_land(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ones); i++)
        judge(&ones[i], false);
}

static void those_that_nobody_meets_do_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ones); i++)
        judge(&ones[i], true);
}

static void every_kind_is_looked_at(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_LEN(ones), FAULT_KIND_COUNT);
    for (size_t i = 0; i < ARRAY_LEN(ones); i++)
        assert_int_equal(ones[i].kind, i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_looked_at),
        cmocka_unit_test(those_that_are_met_land),
        cmocka_unit_test(those_that_nobody_meets_do_not),
    };
    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
