#include "edges/admin.h"

#include "edges/fault_read.h"
#include "edges/figures.h"
#include "edges/scenario_load.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

enum { PAGES = 6 };

struct admin {
    struct admin_options options;
    struct place { /* what a page's handler gets */
        struct admin *admin;
        const struct page *page;
    } places[PAGES];
};

/* ---- who may ---- */

bool admin_token_is(struct slice given, const char *token)
{
    static const char scheme[] = "Bearer ";
    size_t len = strlen(token), head = sizeof scheme - 1;
    if (given.len != head + len || memcmp(given.at, scheme, head) != 0)
        return false;
    unsigned char difference = 0;
    for (size_t i = 0; i < len; i++)
        difference |= (unsigned char)(given.at[head + i] ^ token[i]);
    return difference == 0;
}

static bool consists_of(struct slice name, const char *characters)
{
    for (uint32_t i = 0; i < name.len; i++)
        if (!name.at[i] || !strchr(characters, name.at[i]))
            return false;
    return name.len > 0;
}

static bool same_name(struct slice name, const char *other)
{
    return name.len == strlen(other) && strncasecmp(name.at, other, name.len) == 0;
}

bool admin_host_is_here(struct slice host, const struct registry *registry)
{
    size_t len = host.len;
    while (len && host.at[len - 1] >= '0' && host.at[len - 1] <= '9')
        len--;
    bool port = len > 1 && len < host.len && host.at[len - 1] == ':';
    struct slice name = {host.at, port ? (uint32_t)len - 1 : host.len};
    if (same_name(name, "localhost"))
        return true;
    for (size_t i = 0; i < registry->kind_count; i++)
        if (same_name(name, registry->kinds[i]->service))
            return true;
    /* An address is no name that somebody else's DNS could point here. */
    if (name.len > 2 && name.at[0] == '[' && name.at[name.len - 1] == ']')
        return consists_of((struct slice){name.at + 1, name.len - 2}, "0123456789abcdefABCDEF:.");
    return consists_of(name, "0123456789.");
}

static bool origin_allowed(const struct admin *admin, struct http_request *request)
{
    struct slice origin = http_request_header(request, "origin", NULL);
    return !origin.at || (admin->options.cors_origin && slice_is(origin, admin->options.cors_origin));
}

/* False: refused, and answered. */
static bool may_look(const struct admin *admin, struct http_request *request)
{
    const struct admin_options *options = &admin->options;
    bool open = !http_server_on_loopback(options->http);
    if (!admin_host_is_here(http_request_header(request, "host", NULL), options->registry)) {
        http_request_respond_error(request, 403, "the Host header does not name this machine");
        return false;
    }
    if (!origin_allowed(admin, request)) {
        http_request_respond_error(request, 403, "pages of this Origin may not ask");
        return false;
    }
    if (open && !options->token) {
        http_request_respond_error(
            request, 403, "this listener is not on loopback: set DOORBUSTER_ADMIN_TOKEN to use admin routes");
        return false;
    }
    if (open && !admin_token_is(http_request_header(request, "authorization", NULL), options->token)) {
        http_request_respond_error(request, 401, "Authorization: Bearer with the admin token is needed");
        return false;
    }
    return true;
}

static bool is_json(struct slice type)
{
    static const char json[] = "application/json";
    size_t len = sizeof json - 1;
    return type.len >= len && strncasecmp(type.at, json, len) == 0 &&
           (type.len == len || strchr("; \t", type.at[len]));
}

static bool may_change(const struct admin *admin, struct http_request *request)
{
    if (!may_look(admin, request))
        return false;
    if (http_server_draining(admin->options.http)) {
        http_request_respond_error(request, 503, "the run ends");
        return false;
    }
    if (!is_json(http_request_header(request, "content-type", NULL))) {
        http_request_respond_error(request, 415, "Content-Type: application/json is needed");
        return false;
    }
    return true;
}

/* ---- answers ---- */

static void respond(struct http_request *request, int status, json_t *json)
{
    char *bytes = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(10));
    ASSERT(bytes);
    http_request_respond(request, status, "application/json", bytes, strlen(bytes));
    free(bytes);
    json_decref(json);
}

static double rounded(double value, double scale)
{
    return (double)(int64_t)(value * scale + 0.5) / scale;
}

/* Sums over the streams of one traffic type, of the whole run and of the minute that is under way. */
struct traffic {
    uint64_t requests, errors, minute_requests, minute_errors;
    double rate_per_min;
};

static struct traffic traffic_of(const struct admin *admin, bool demo)
{
    const struct scenario *scenario = admin->options.scenario;
    const struct run_stats *stats = world_stats(admin->options.world);
    int64_t on_timeline_ns = world_demo_at(admin->options.world);
    size_t minute = (size_t)(MAX(on_timeline_ns, 0) / NS_PER_MIN);
    struct traffic sum = {0};
    for (size_t i = 0; i < scenario->stream_count; i++) {
        const struct stream_stats *stream = &stats->streams[i];
        if (scenario->streams[i].demo != demo)
            continue;
        sum.requests += stream->ended;
        sum.errors += stream->ended_failed;
        if (!demo || on_timeline_ns >= 0)
            sum.rate_per_min += curve_at(&scenario->streams[i].rate_per_min, MAX(on_timeline_ns, 0));
        for (size_t m = minute ? minute - 1 : 0; m <= minute && m < stream->minute_count; m++) {
            sum.minute_requests += stream->minutes[m].requests;
            sum.minute_errors += stream->minutes[m].errors;
        }
    }
    return sum;
}

static json_t *percent(uint64_t part, uint64_t whole)
{
    char text[32];
    snprintf(text, sizeof text, "%.1f%%", 100 * figure_share(part, whole));
    return json_string(text);
}

static void traffic_stats(struct admin *admin, struct http_request *request)
{
    struct traffic baseline = traffic_of(admin, false), demo = traffic_of(admin, true);
    int64_t on_timeline_ns = world_demo_at(admin->options.world);
    respond(request, 200,
            json_pack("{s:{s:f,s:I,s:I,s:o},s:{s:f,s:o,s:I,s:I,s:o}}", "baseline", "rpm",
                      baseline.rate_per_min, "requests", (json_int_t)baseline.requests, "errors",
                      (json_int_t)baseline.errors, "error_rate", percent(baseline.errors, baseline.requests),
                      "demo", "current_rpm", rounded(demo.rate_per_min, 10), "demo_minute",
                      on_timeline_ns < 0 ? json_null() : json_integer(on_timeline_ns / NS_PER_MIN),
                      "requests", (json_int_t)demo.requests, "errors", (json_int_t)demo.errors, "error_rate",
                      percent(demo.errors, demo.requests)));
}

static void demo_status(struct admin *admin, struct http_request *request)
{
    const struct scenario *scenario = admin->options.scenario;
    const uint64_t *count = world_stats(admin->options.world)->business.count;
    int64_t on_timeline_ns = world_demo_at(admin->options.world);
    if (on_timeline_ns < 0) {
        respond(request, 200, json_pack("{s:b,s:s}", "running", 0, "message", "No demo currently running"));
        return;
    }
    struct traffic demo = traffic_of(admin, true);
    respond(request, 200,
            json_pack("{s:b,s:f,s:f,s:f,s:s,s:I,s:I}", "running", 1, "elapsed_minutes",
                      rounded((double)on_timeline_ns / (double)NS_PER_MIN, 100), "current_rpm",
                      rounded(demo.rate_per_min, 10), "current_error_rate",
                      rounded(figure_share(demo.minute_errors, demo.minute_requests), 10000), "phase",
                      scenario->phases[scenario_phase(scenario, on_timeline_ns)].name, "checkouts_attempted",
                      (json_int_t)count[BUSINESS_CHECKOUT], "checkouts_failed", (json_int_t)demo.errors));
}

/* ---- the demo clock ---- */

static double peak_rpm(const struct scenario *scenario)
{
    double peak = 0;
    for (size_t i = 0; i < scenario->stream_count; i++)
        for (size_t p = 0; scenario->streams[i].demo && p < scenario->streams[i].rate_per_min.count; p++)
            peak = MAX(peak, scenario->streams[i].rate_per_min.points[p].value);
    return peak;
}

/* What may be asked for is what the loaded scenario plays; NULL: fine. */
static const char *refusal(const struct scenario *scenario, json_t *wish)
{
    const char *name = json_string_value(json_object_get(wish, "scenario"));
    json_t *minutes = json_object_get(wish, "duration_minutes"), *rate = json_object_get(wish, "peak_rpm");
    if (!json_is_object(wish))
        return "expected a JSON object: {\"scenario\": \"blackfriday\"}";
    if (json_object_size(wish) !=
        (json_object_get(wish, "scenario") != NULL) + (size_t)(minutes != NULL) + (rate != NULL))
        return "expected no other fields than scenario, duration_minutes and peak_rpm";
    if (json_object_get(wish, "scenario") &&
        (!name || (strcmp(name, "blackfriday") != 0 && strcmp(name, scenario->name) != 0)))
        return "scenario: expected \"blackfriday\", which is the scenario that is loaded";
    if (minutes && json_number_value(minutes) * 60 * 1e9 != (double)scenario->duration_ns)
        return "duration_minutes: the scenario that is loaded has a duration of its own; run it with "
               "--speed, or --set "
               "duration";
    if (rate && json_number_value(rate) != peak_rpm(scenario))
        return "peak_rpm: the scenario that is loaded has rates of its own; run it with --set "
               "streams.demo.scale";
    return NULL;
}

static void start_demo(struct admin *admin, struct http_request *request)
{
    const struct scenario *scenario = admin->options.scenario;
    struct slice body = http_request_body(request);
    json_error_t error;
    json_t *wish = body.len ? json_loadb(body.at, body.len, JSON_REJECT_DUPLICATES, &error) : json_object();
    const char *why = wish ? refusal(scenario, wish) : "the body is not JSON";
    json_decref(wish);
    if (why) {
        http_request_respond_error(request, 400, why);
        return;
    }
    if (!world_start_demo(admin->options.world, admin->options.now(admin->options.owner))) {
        http_request_respond_error(request, 409, "the demo runs already");
        return;
    }
    time_t now = time(NULL);
    struct tm utc;
    char started[32];
    gmtime_r(&now, &utc);
    strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", &utc);
    respond(request, 200,
            json_pack("{s:s,s:s,s:f,s:f,s:s}", "status", "demo_started", "scenario", scenario->name,
                      "duration_minutes", (double)scenario->duration_ns / (double)NS_PER_MIN, "peak_rpm",
                      peak_rpm(scenario), "start_time", started));
}

static void stop_demo(struct admin *admin, struct http_request *request)
{
    if (world_stop_demo(admin->options.world))
        respond(request, 200, json_pack("{s:s}", "status", "demo_stopped"));
    else
        http_request_respond_error(request, 409, "No demo currently running");
}

/* ---- faults ---- */

static void list_faults(struct admin *admin, struct http_request *request)
{
    const struct run_stats *stats = world_stats(admin->options.world);
    json_t *kinds = json_array(), *set = json_array();
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++)
        json_array_append_new(kinds, json_string(fault_kind_name((enum fault_kind)kind)));
    for (size_t i = 0; i < stats->fault_count; i++) {
        const struct fault_spec *spec = &stats->faults[i].spec;
        json_array_append_new(set, json_pack("{s:s,s:s?,s:f,s:f,s:b}", "name", fault_kind_name(spec->kind),
                                             "target", spec->target, "value", spec->value, "at_s",
                                             (double)spec->at_ns / 1e9, "applied", stats->faults[i].applied));
    }
    respond(request, 200, json_pack("{s:o,s:o}", "kinds", kinds, "faults", set));
}

static bool known_kind(struct slice name, enum fault_kind *found)
{
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++)
        if (slice_is(name, fault_kind_name((enum fault_kind)kind))) {
            *found = (enum fault_kind)kind;
            return true;
        }
    return false;
}

/* What the scenario file would have behind the kind; NULL: no JSON. To be freed. */
static char *fault_value(struct slice body)
{
    json_error_t error;
    json_t *value = json_loadb(body.at, body.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    char *words = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
    json_decref(value);
    return words;
}

static void apply_fault(struct admin *admin, struct http_request *request, struct fault_spec *fault)
{
    struct world *world = admin->options.world;
    fault->at_ns = MAX(world_demo_at(world), 0);
    if (world_set_fault(world, fault, admin->options.now(admin->options.owner)) == STATUS_OK)
        respond(request, 200,
                json_pack("{s:s,s:s,s:s?}", "status", "fault_set", "name", fault_kind_name(fault->kind),
                          "target", fault->target));
    else
        http_request_respond_error(request, 503, "too many faults in one run");
}

static void set_fault(struct admin *admin, struct http_request *request)
{
    static const char prefix[] = "/admin/faults/";
    const struct admin_options *options = &admin->options;
    struct slice path = http_request_path(request);
    struct text error = {0};
    enum fault_kind kind;
    size_t head = MIN(path.len, sizeof prefix - 1);
    if (!known_kind((struct slice){path.at + head, path.len - (uint32_t)head}, &kind)) {
        http_request_respond_error(request, 404, "no such kind of fault; GET /admin/faults lists them");
        return;
    }
    char *value = fault_value(http_request_body(request));
    if (!value) {
        http_request_respond_error(request, 400, "the body is not JSON");
        return;
    }
    const struct fault_context context = {options->registry, options->file, options->settings,
                                          options->setting_count};
    struct scenario *read = fault_read(&context, kind, value, &error);
    if (read)
        apply_fault(admin, request, &read->faults[read->fault_count - 1]);
    else
        http_request_respond_error(request, 400, text_c(&error));
    scenario_free(read);
    free(value);
    text_fini(&error);
}

/* ---- the pages ---- */

static const struct page {
    const char *method, *path;
    void (*answer)(struct admin *admin, struct http_request *request);
    bool changes; /* something of the run */
    bool below; /* what follows the path is its matter */
} pages[] = {
    {"POST", "/admin/start-demo", start_demo, .changes = true},
    {"POST", "/admin/stop-demo", stop_demo, .changes = true},
    {"GET", "/admin/demo-status", demo_status, .changes = false},
    {"GET", "/admin/traffic-stats", traffic_stats, .changes = false},
    {"GET", "/admin/faults", list_faults, .changes = false},
    {"POST", "/admin/faults", set_fault, .changes = true, .below = true},
};

_Static_assert(ARRAY_LEN(pages) == PAGES, "each page has its place");

static void on_request(void *owner, struct http_request *request)
{
    const struct place *place = owner;
    const struct page *page = place->page;
    if (!page->below && !slice_is(http_request_path(request), page->path))
        http_request_respond_error(request, 404, "no such route");
    else if (page->changes ? may_change(place->admin, request) : may_look(place->admin, request))
        page->answer(place->admin, request);
}

struct admin *admin_open(const struct admin_options *options)
{
    struct admin *admin = base_alloc(1, sizeof *admin);
    admin->options = *options;
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        admin->places[i] = (struct place){admin, &pages[i]};
        http_server_handle(options->http, "load-generator", pages[i].method, pages[i].path, on_request,
                           &admin->places[i]);
    }
    return admin;
}

void admin_close(struct admin *admin)
{
    free(admin);
}
