/* The demo's clock, and what a run is doing right now. */
#include "edges/admin_parts.h"
#include "edges/figures.h"

#include <stdio.h>
#include <time.h>

#define PEAK_RPM_MAX 1e6

/* ---- figures ---- */

/* Sums over the streams of one traffic type, of the whole run and of the minute that is under way. */
struct traffic {
    uint64_t started, requests, errors, minute_requests, minute_errors;
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
        sum.started += stream->started;
        sum.requests += stream->ended;
        sum.errors += stream->ended_failed;
        if (!demo || on_timeline_ns >= 0)
            sum.rate_per_min += stream_rate(stream, &scenario->streams[i], MAX(on_timeline_ns, 0));
        for (size_t m = minute ? minute - 1 : 0; m <= minute && m < stream->minute_count; m++) {
            sum.minute_requests += stream->seen[m].requests;
            sum.minute_errors += stream->seen[m].errors;
        }
    }
    return sum;
}

static double rounded(double value, double scale)
{
    return (double)(int64_t)(value * scale + 0.5) / scale;
}

static json_t *percent(uint64_t part, uint64_t whole)
{
    char text[32];
    snprintf(text, sizeof text, "%.1f%%", 100 * figure_share(part, whole));
    return json_string(text);
}

void admin_traffic_stats(struct admin *admin, struct http_request *request)
{
    struct traffic baseline = traffic_of(admin, false), demo = traffic_of(admin, true);
    int64_t on_timeline_ns = world_demo_at(admin->options.world);
    admin_respond(request, 200,
                  json_pack("{s:{s:f,s:I,s:I,s:o},s:{s:f,s:o,s:I,s:I,s:o}}", "baseline", "rpm",
                            rounded(baseline.rate_per_min, 10), "requests", (json_int_t)baseline.requests,
                            "errors", (json_int_t)baseline.errors, "error_rate",
                            percent(baseline.errors, baseline.requests), "demo", "current_rpm",
                            rounded(demo.rate_per_min, 10), "demo_minute",
                            on_timeline_ns < 0 ? json_null() : json_integer(on_timeline_ns / NS_PER_MIN),
                            "requests", (json_int_t)demo.requests, "errors", (json_int_t)demo.errors,
                            "error_rate", percent(demo.errors, demo.requests)));
}

void admin_demo_status(struct admin *admin, struct http_request *request)
{
    const struct scenario *scenario = admin->options.scenario;
    int64_t on_timeline_ns = world_demo_at(admin->options.world);
    if (on_timeline_ns < 0) {
        admin_respond(request, 200,
                      json_pack("{s:b,s:s}", "running", 0, "message", "No demo currently running"));
        return;
    }
    struct traffic demo = traffic_of(admin, true);
    admin_respond(request, 200,
                  json_pack("{s:b,s:f,s:f,s:f,s:s,s:I,s:I}", "running", 1, "elapsed_minutes",
                            rounded((double)on_timeline_ns / (double)NS_PER_MIN, 100), "current_rpm",
                            rounded(demo.rate_per_min, 10), "current_error_rate",
                            rounded(figure_share(demo.minute_errors, demo.minute_requests), 10000), "phase",
                            scenario->phases[scenario_phase(scenario, on_timeline_ns)].name,
                            "checkouts_attempted", (json_int_t)demo.started, "checkouts_failed",
                            (json_int_t)demo.errors));
}

/* ---- the clock ---- */

/* The highest rate of any demo stream; 0: there is nothing to scale. */
static double own_peak_rpm(const struct scenario *scenario)
{
    double peak = 0;
    for (size_t i = 0; i < scenario->stream_count; i++)
        for (size_t p = 0; scenario->streams[i].demo && p < scenario->streams[i].rate_per_min.count; p++)
            peak = MAX(peak, scenario->streams[i].rate_per_min.points[p].value);
    return peak;
}

/* What was asked for, by field; NULL where it is left to the scenario. */
struct wish {
    json_t *scenario, *duration_minutes, *peak_rpm;
    char why[160]; /* it cannot be had */
};

static bool refuse_duration(struct wish *wish, const struct scenario *scenario)
{
    double most = (double)scenario->duration_ns / (double)NS_PER_MIN;
    double minutes = json_number_value(wish->duration_minutes);
    /* Beyond the last digit that an answer of ours shows it is the same duration. */
    if (json_is_number(wish->duration_minutes) && minutes > 0 && minutes <= most + 1e-6)
        return false;
    snprintf(wish->why, sizeof wish->why,
             "duration_minutes: expected a number above 0 and at most %.10g, the duration of the scenario "
             "that is loaded",
             most);
    return true;
}

static bool refuse_peak(struct wish *wish, const struct scenario *scenario)
{
    double rpm = json_number_value(wish->peak_rpm);
    if (own_peak_rpm(scenario) <= 0) {
        snprintf(wish->why, sizeof wish->why,
                 "peak_rpm: the scenario that is loaded has no demo traffic with a rate");
        return true;
    }
    if (json_is_number(wish->peak_rpm) && rpm >= 1 && rpm <= PEAK_RPM_MAX)
        return false;
    snprintf(wish->why, sizeof wish->why, "peak_rpm: expected a number from 1 to %.0f", PEAK_RPM_MAX);
    return true;
}

static bool refuse_scenario(struct wish *wish, const struct scenario *scenario)
{
    const char *name = json_string_value(wish->scenario);
    if (name && (strcmp(name, "blackfriday") == 0 || strcmp(name, scenario->name) == 0))
        return false;
    snprintf(wish->why, sizeof wish->why,
             "scenario: expected \"blackfriday\" or \"%.64s\", which is the scenario that is loaded",
             scenario->name);
    return true;
}

/* False: `why` says why not. */
static bool read_wish(struct wish *wish, const struct scenario *scenario, json_t *body)
{
    const char *why = NULL;
    *wish = (struct wish){json_object_get(body, "scenario"), json_object_get(body, "duration_minutes"),
                          json_object_get(body, "peak_rpm"), ""};
    size_t known = (wish->scenario != NULL) + (size_t)(wish->duration_minutes != NULL) +
                   (size_t)(wish->peak_rpm != NULL);
    if (!body)
        why = "the body is not JSON";
    else if (!json_is_object(body))
        why = "expected a JSON object: {\"scenario\": \"blackfriday\"}";
    else if (json_object_size(body) != known)
        why = "expected no other fields than scenario, duration_minutes and peak_rpm";
    if (why)
        snprintf(wish->why, sizeof wish->why, "%s", why);
    return !why && !(wish->scenario && refuse_scenario(wish, scenario)) &&
           !(wish->duration_minutes && refuse_duration(wish, scenario)) &&
           !(wish->peak_rpm && refuse_peak(wish, scenario));
}

static struct demo_start start_of(const struct wish *wish, const struct scenario *scenario)
{
    struct demo_start start = {0};
    if (wish->duration_minutes)
        start.duration_ns =
            MAX((int64_t)(json_number_value(wish->duration_minutes) * (double)NS_PER_MIN + 0.5), 1);
    if (wish->peak_rpm)
        start.scale = json_number_value(wish->peak_rpm) / own_peak_rpm(scenario);
    return start;
}

static void tell_started(struct admin *admin, const struct demo_start *start, struct http_request *request)
{
    const struct scenario *scenario = admin->options.scenario;
    double peak = own_peak_rpm(scenario) * (start->scale > 0 ? start->scale : 1);
    time_t now = time(NULL);
    struct tm utc;
    char started[32];
    gmtime_r(&now, &utc);
    strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", &utc);
    admin_respond(request, 200,
                  json_pack("{s:s,s:s,s:f,s:f,s:s}", "status", "demo_started", "scenario", scenario->name,
                            "duration_minutes",
                            (double)world_duration(admin->options.world) / (double)NS_PER_MIN, "peak_rpm",
                            rounded(peak, 1000), "start_time", started));
}

void admin_start_demo(struct admin *admin, struct http_request *request)
{
    const struct scenario *scenario = admin->options.scenario;
    struct slice bytes = http_request_body(request);
    json_error_t error;
    json_t *body =
        bytes.len ? json_loadb(bytes.at, bytes.len, JSON_REJECT_DUPLICATES, &error) : json_object();
    struct wish wish;
    bool good = read_wish(&wish, scenario, body);
    struct demo_start start = good ? start_of(&wish, scenario) : (struct demo_start){0};
    json_decref(body);
    if (!good)
        http_request_respond_error(request, 400, wish.why);
    else if (world_start_demo(admin->options.world, &start, admin_now(admin)))
        tell_started(admin, &start, request);
    else
        http_request_respond_error(request, 409, "the demo runs already; POST /admin/stop-demo ends it");
}

void admin_stop_demo(struct admin *admin, struct http_request *request)
{
    if (world_stop_demo(admin->options.world))
        admin_respond(request, 200, json_pack("{s:s}", "status", "demo_stopped"));
    else
        http_request_respond_error(request, 409, "No demo currently running");
}
