/*
 * report: a run and what follows from its figures, for the JSON and the terminal alike.
 *
 * Holds no wall-clock figure, so that equal runs give equal bytes. Everything is borrowed.
 */
#ifndef EDGES_REPORT_H
#define EDGES_REPORT_H

#include "core/actor.h"
#include "core/stats.h"
#include "core/text.h"

enum { REPORT_VERSION = 1 };

struct conductor_tally;
struct fork;
struct rule_outcomes;
struct pace;

struct report {
    const struct scenario *scenario;
    const struct registry *registry;
    const struct run_stats *stats;
    uint64_t seed;
    const char *layout; /* virtual, live */
    bool interrupted; /* faults and expectations have not been judged */
    int64_t ended_at_ns;
    const struct rule_outcomes *rules; /* the user's own (edges/rule_file.h); NULL: none were tried */
    const struct pace *pace; /* how well a live run kept to its clock (edges/pace.h); NULL: it had none */
    const struct conductor_tally *processes; /* of a spread run (edges/conductor.h); NULL: it is not one */
    const struct fork *fork; /* a second run with one change, to compare with (edges/fork.h); NULL: none */
};

/* USD and ratios; 0 where there is nothing to divide by. */
struct business_figures {
    uint64_t orders, checkouts, checkouts_failed, sold_out; /* as the customers were told */
    uint64_t carts_created, carts_abandoned;
    int64_t revenue_cents;
    double revenue, revenue_per_request; /* per root request of any stream */
    double average_order_value;
    double
        revenue_lost; /* failed checkouts x average order value: what those would have bought, if like the others */
    double checkout_success_rate, cart_abandonment_rate;
};

struct business_figures report_business(const struct report *report);

/* Whether an expectation failed or a fault did not land. */
bool report_failed(const struct report *report);

uint64_t report_requests(const struct report *report); /* of all streams */
uint64_t report_errors(const struct report *report);
size_t report_services(const struct report *report); /* that have spans */

const char *report_alert_kind(enum alert_kind kind);
const char *report_alert_state(const struct alert_stats *alert); /* inactive, fired, resolved */

/* "5m", "90s": a point of a table. */
/* It ends what a fault of its kind does: a delay of nothing, no connection held, a factor of 1. */
bool report_fault_releases(const struct fault_spec *fault);
void report_point(struct text *text, int64_t at_ns);

/* The name a pool goes by: its own, or SERVICE/NAME where another service's pool of that name was
   busier. */
void report_pool_name(struct text *text, const struct report *report, const struct pool_stats *pool);

#endif
