#include "edges/report.h"

#include "edges/figures.h"

struct business_figures report_business(const struct report *report)
{
    const struct business_stats *stats = &report->stats->business;
    uint64_t begun = stats->count[BUSINESS_CHECKOUT], done = stats->count[BUSINESS_CHECKOUT_DONE];
    uint64_t requests = report_requests(report), orders = stats->count[BUSINESS_ORDER];
    struct business_figures figures = {
        .orders = orders, .checkouts = begun, .revenue_cents = stats->revenue_cents};
    figures.sold_out = stats->count[BUSINESS_SOLD_OUT];
    figures.checkouts_failed = begun - MIN(done + figures.sold_out, begun);
    figures.revenue = (double)stats->revenue_cents / 100;
    figures.revenue_per_request = requests ? figures.revenue / (double)requests : 0;
    figures.average_order_value = orders ? figures.revenue / (double)orders : 0;
    figures.revenue_lost = (double)figures.checkouts_failed * figures.average_order_value;
    figures.checkout_success_rate = figure_share(begun - figures.checkouts_failed, begun);
    figures.carts_created = stats->count[BUSINESS_CART_CREATED];
    figures.carts_abandoned = stats->count[BUSINESS_CART_ABANDONED];
    figures.cart_abandonment_rate = figure_share(figures.carts_abandoned, figures.carts_created);
    return figures;
}

bool report_failed(const struct report *report)
{
    for (size_t i = 0; i < report->scenario->expect_count; i++)
        if (report->stats->expects[i].judged && !report->stats->expects[i].held)
            return true;
    for (size_t i = 0; i < report->stats->fault_count; i++)
        if (report->stats->faults[i].judged && !report->stats->faults[i].landed &&
            !report->stats->faults[i].by_hand)
            return true;
    return false;
}

uint64_t report_requests(const struct report *report)
{
    uint64_t requests = 0;
    for (size_t i = 0; i < report->scenario->stream_count; i++)
        requests += report->stats->streams[i].whole.requests;
    return requests;
}

uint64_t report_errors(const struct report *report)
{
    uint64_t errors = 0;
    for (size_t i = 0; i < report->scenario->stream_count; i++)
        errors += report->stats->streams[i].whole.errors;
    return errors;
}

size_t report_services(const struct report *report)
{
    size_t services = 0;
    for (size_t i = 0; i < report->stats->service_count; i++)
        services += report->stats->services[i].spans > 0;
    return services;
}

const char *report_alert_kind(enum alert_kind kind)
{
    static const char *const names[] = {
        [ALERT_FLOW] = "flow", [ALERT_BURN_RATE] = "burn_rate", [ALERT_THRESHOLD] = "threshold"};
    return names[kind];
}

const char *report_alert_state(const struct alert_stats *alert)
{
    if (!alert->fired)
        return "inactive";
    return alert->resolved_at_ns == NEVER ? "fired" : "resolved";
}

bool report_fault_releases(const struct fault_spec *fault)
{
    if (fault->kind == FAULT_SERVICE_SLOW)
        return fault->value <= 1;
    return (fault->kind == FAULT_HOLD_CONNECTIONS || fault->kind == FAULT_QUERY_DELAY) && fault->value <= 0;
}

void report_point(struct text *text, int64_t at_ns)
{
    if (at_ns)
        text_duration(text, at_ns);
    else
        text_lit(text, "0m");
}

static uint64_t pool_use(const struct pool_stats *pool)
{
    return pool->acquired + pool->timeouts + pool->refused;
}

void report_pool_name(struct text *text, const struct report *report, const struct pool_stats *pool)
{
    const struct pool_stats *owner = pool;
    for (size_t i = 0; i < report->stats->pool_count; i++) {
        const struct pool_stats *other = &report->stats->pools[i];
        bool before = other < owner;
        if (!strcmp(other->name, pool->name) &&
            (pool_use(other) > pool_use(owner) || (pool_use(other) == pool_use(owner) && before)))
            owner = other;
    }
    if (owner != pool) {
        text_str(text, pool->service);
        text_char(text, '/');
    }
    text_str(text, pool->name);
}
