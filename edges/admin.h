/*
 * admin: the routes that watch and change a running world.
 *
 *     load-generator   POST /admin/start-demo, /admin/stop-demo, /admin/faults/KIND
 *                      GET /admin/demo-status, /admin/traffic-stats, /admin/faults
 *                      POST /api/demo/trigger-database-scenario
 *     product-catalog  POST /demo/enable-slow-queries, /demo/enable-pool-exhaustion, /demo/reset
 *
 * start-demo takes {scenario, duration_minutes, peak_rpm}. What is absent is as the loaded scenario says; peak_rpm is
 * the highest rate of any demo stream, and all of them are scaled alike. A shorter duration ends the timeline, and
 * with it the run, there. What status and statistics count includes what warms up a run with --from, and earlier
 * demos of the run.
 *
 * trigger-database-scenario starts a demo that waits at the instant of its first burst and answers when the last
 * request of the streams with bursts has ended: how many there were, how many failed, and percentiles of their
 * latency, from the intended start to the answer, failures included; in all and for each service they asked.
 *
 * Changing takes Content-Type: application/json. Host must name this machine (an address, localhost or a service's
 * name), and Origin, if there is one, the page's: a web page elsewhere cannot reach in through a browser. A listener that
 * others can reach needs `token` too, as Authorization: Bearer; without one it refuses these routes with 403.
 * A fault's body is what a scenario file writes for it: "idx_products_category", {"pool": "orders", "max": 5}.
 */
#ifndef EDGES_ADMIN_H
#define EDGES_ADMIN_H

#include "edges/http_server.h"

struct admin;

struct admin_options {
    struct ev_loop *loop;
    struct world *world;
    struct http_server *http;
    const struct scenario *scenario;
    const struct registry *registry;
    const char *file; /* the scenario's; faults are read in its context, with its settings */
    const char *const *settings;
    size_t setting_count;
    const char *token; /* NULL: none */
    const char *cors_origin; /* NULL: no page may ask */
    int64_t (*now)(void *owner);
    /* Sets a fault where the run is conducted; NULL: here. */
    enum status (*set_fault)(void *owner, const struct fault_spec *fault);
    void *owner;
};

struct admin *admin_open(const struct admin_options *options);
/* The run is over: who still waits is answered. Before http_server_close, admin_close behind it. */
void admin_finish(struct admin *admin);
void admin_close(struct admin *admin);

/* Equal without telling by the time it takes where they differ. */
bool admin_token_is(struct slice given, const char *token);
/* Whether a Host header names this machine. */
bool admin_host_is_here(struct slice host, const struct registry *registry);

#endif
