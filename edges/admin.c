#include "edges/admin_parts.h"

#include <stdlib.h>

/* ---- the pages ---- */

static const struct admin_page {
    const char *service, *method, *path;
    void (*answer)(struct admin *admin, struct http_request *request);
    bool changes; /* something of the run */
    bool below; /* what follows the path is its matter */
} pages[] = {
    {"load-generator", "POST", "/admin/start-demo", admin_start_demo, .changes = true},
    {"load-generator", "POST", "/admin/stop-demo", admin_stop_demo, .changes = true},
    {"load-generator", "GET", "/admin/demo-status", admin_demo_status, .changes = false},
    {"load-generator", "GET", "/admin/traffic-stats", admin_traffic_stats, .changes = false},
    {"load-generator", "GET", "/admin/faults", admin_list_faults, .changes = false},
    {"load-generator", "POST", "/admin/faults", admin_set_fault, .changes = true, .below = true},
    {"load-generator", "POST", "/api/demo/trigger-database-scenario", admin_trigger_bursts, .changes = true},
    {"product-catalog", "POST", "/demo/enable-slow-queries", admin_slow_queries, .changes = true},
    {"product-catalog", "POST", "/demo/enable-pool-exhaustion", admin_pool_exhaustion, .changes = true},
    {"product-catalog", "POST", "/demo/reset", admin_reset_catalog, .changes = true},
};

_Static_assert(ARRAY_LEN(pages) == ADMIN_PAGES, "each page has its place");

void admin_respond(struct http_request *request, int status, json_t *json)
{
    char *bytes = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(10));
    ASSERT(bytes);
    http_request_respond(request, status, "application/json", bytes, strlen(bytes));
    free(bytes);
    json_decref(json);
}

static void on_request(void *owner, struct http_request *request)
{
    const struct admin_place *place = owner;
    const struct admin_page *page = place->page;
    if (!page->below && !slice_is(http_request_path(request), page->path))
        http_request_respond_error(request, 404, HTTP_NO_ROUTE);
    else if (page->changes ? admin_may_change(place->admin, request) : admin_may_look(place->admin, request))
        page->answer(place->admin, request);
}

/* ---- its life ---- */

int64_t admin_now(const struct admin *admin)
{
    return admin->options.now(admin->options.owner);
}

enum status admin_fault(struct admin *admin, const struct fault_spec *fault)
{
    const struct admin_options *options = &admin->options;
    return options->set_fault ? options->set_fault(options->owner, fault)
                              : world_set_fault(options->world, fault, admin_now(admin));
}

struct admin *admin_open(const struct admin_options *options)
{
    struct admin *admin = base_alloc(1, sizeof *admin);
    admin->options = *options;
    admin_burst_open(admin);
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        const struct admin_page *page = &pages[i];
        admin->places[i] = (struct admin_place){admin, page};
        http_server_handle(options->http, page->service, page->method, page->path, on_request,
                           &admin->places[i]);
    }
    return admin;
}

void admin_finish(struct admin *admin)
{
    admin_burst_close(admin);
}

void admin_close(struct admin *admin)
{
    free(admin);
}
