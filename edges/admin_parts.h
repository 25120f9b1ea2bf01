/*
 * admin_parts: the inside of the admin routes, for edges/admin*.c alone; others see admin.h.
 *
 * admin.c has the table of pages, admin_guard.c says who may, admin_demo.c has the demo's clock and figures,
 * admin_faults.c any fault of a scenario, admin_burst.c the bursts that are triggered, admin_catalog.c the
 * faults that product-catalog offers by name.
 */
#ifndef EDGES_ADMIN_PARTS_H
#define EDGES_ADMIN_PARTS_H

#include "edges/admin.h"
#include "edges/json_put.h"

#include <ev.h>

enum { ADMIN_PAGES = 10 };

/* Who triggered the bursts and waits for what comes of them. */
struct admin_burst {
    ev_timer poll; /* active: somebody waits */
    uint64_t token; /* of the request */
    int64_t last_ns; /* of the timeline: the last arrival */
    int64_t limit_ns; /* on the world's clock: the wait is over then */
};

struct admin {
    struct admin_options options;
    struct admin_place { /* what a page's handler gets */
        struct admin *admin;
        const struct admin_page *page;
    } places[ADMIN_PAGES];
    struct admin_burst burst;
};

/* admin_guard.c; false: refused, and answered */
bool admin_may_look(const struct admin *admin, struct http_request *request);
bool admin_may_change(const struct admin *admin, struct http_request *request);

/* admin.c */
void admin_respond(struct http_request *request, int status, json_t *json);
int64_t admin_now(const struct admin *admin); /* on the world's clock */
enum status admin_fault(struct admin *admin, const struct fault_spec *fault);

/* The pages. */
void admin_traffic_stats(struct admin *admin, struct http_request *request);
void admin_demo_status(struct admin *admin, struct http_request *request);
void admin_start_demo(struct admin *admin, struct http_request *request);
void admin_stop_demo(struct admin *admin, struct http_request *request);
void admin_list_faults(struct admin *admin, struct http_request *request);
void admin_set_fault(struct admin *admin, struct http_request *request);
void admin_trigger_bursts(struct admin *admin, struct http_request *request);
void admin_slow_queries(struct admin *admin, struct http_request *request);
void admin_pool_exhaustion(struct admin *admin, struct http_request *request);
void admin_reset_catalog(struct admin *admin, struct http_request *request);

void admin_burst_open(struct admin *admin);
void admin_burst_close(struct admin *admin);

#endif
