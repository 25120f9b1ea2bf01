/*
 * http_toy_live: a world in real time behind the HTTP edge, and nothing else; for the tests of that edge.
 *
 *     http_toy_live SCENARIO [--connections N] [--timeout-ms N] [--origin ORIGIN] [--speed X]
 *
 * Listens on any port of 127.0.0.1 and prints {"service":port,...} once it does. Spans of routes go to stderr, one JSON
 * object a line. POST /echo on the load generator's port answers what it was sent, later; GET /pending there tells what
 * is under way; POST /drain drains; GET /large?N answers N bytes.
 */
#include "edges/http_server.h"
#include "edges/live.h"
#include "edges/registry.h"
#include "edges/scenario_load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct toy {
    struct world *world;
    struct live *live;
    struct http_server *server;
    uint64_t echo; /* token of a request that waits for its answer */
    ev_timer later;
};

static int64_t now(void *owner)
{
    return live_now(((struct toy *)owner)->live);
}

static void on_answer(void *owner, uint64_t token, enum status status, const struct body *body)
{
    http_server_answer(((struct toy *)owner)->server, token, status, body);
}

static void on_span(void *owner, const struct span *span)
{
    (void)owner;
    if (span->site->kind != SPAN_SERVER || span->stream != UINT8_MAX)
        return;
    fprintf(stderr, "{\"trace\":\"%016" PRIx64 "%016" PRIx64 "\",\"span\":\"%016" PRIx64 "\",",
            span->trace_hi, span->trace_lo, span->id);
    fprintf(stderr, "\"parent\":\"%016" PRIx64 "\",\"flags\":%d,\"demo\":%d,\"name\":\"%s\"}\n", span->parent,
            span->flags, span->demo, span->site->name);
}

/* ---- Pages of the toy ---- */

static void on_later(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    struct toy *toy = watcher->data;
    struct http_request *request = http_server_request(toy->server, toy->echo);
    if (!request)
        return;
    struct slice body = http_request_body(request);
    http_request_add_header(request, "x-toy", "echo");
    http_request_respond(request, 202, "text/x-echo", body.at, body.len);
}

static void echo(void *owner, struct http_request *request)
{
    struct toy *toy = owner;
    toy->echo = http_request_token(request);
    ev_timer_stop(EV_DEFAULT_UC, &toy->later);
    ev_timer_set(&toy->later, 0.05, 0);
    ev_timer_start(EV_DEFAULT_UC, &toy->later);
}

static void pending(void *owner, struct http_request *request)
{
    struct toy *toy = owner;
    struct text json = {0};
    text_lit(&json, "{\"pending\":");
    text_u64(&json, http_server_pending(toy->server));
    text_lit(&json, ",\"connections\":");
    text_u64(&json, http_server_connections(toy->server));
    text_lit(&json, ",\"loopback\":");
    text_str(&json, http_request_from_loopback(request) ? "true" : "false");
    text_char(&json, '}');
    http_request_respond_json(request, 200, &json);
    text_fini(&json);
}

static void drain(void *owner, struct http_request *request)
{
    http_server_drain(((struct toy *)owner)->server);
    http_request_respond(request, 204, NULL, "", 0);
}

/* As many bytes as /large?N says. */
static void large(void *owner, struct http_request *request)
{
    (void)owner;
    struct slice query = http_request_query(request);
    size_t len = 0;
    for (uint32_t i = 0; i < query.len && len < 100000000; i++)
        len = 10 * len + (size_t)(query.at[i] - '0');
    char *bytes = base_alloc(len + 1, 1);
    memset(bytes, 'x', len);
    http_request_respond(request, 200, "text/plain", bytes, len);
    free(bytes);
}

/* ---- Beginning and end ---- */

static void add_pages(struct toy *toy)
{
    static const char service[] = "load-generator";
    http_server_handle(toy->server, service, "POST", "/echo", echo, toy);
    http_server_handle(toy->server, service, "GET", "/pending", pending, toy);
    http_server_handle(toy->server, service, "POST", "/drain", drain, toy);
    http_server_handle(toy->server, service, "GET", "/large", large, toy);
}

static void print_ports(const struct toy *toy)
{
    const char *separator = "{";
    for (size_t i = 0; i < world_service_count(toy->world); i++) {
        const char *service = world_service(toy->world, i)->service;
        if (!http_server_port(toy->server, service))
            continue;
        printf("%s\"%s\":%u", separator, service, http_server_port(toy->server, service));
        separator = ",";
    }
    puts("}");
    fflush(stdout);
}

static void draining(void *owner)
{
    http_server_drain(((struct toy *)owner)->server);
}

static bool read_options(int argc, char **argv, struct http_options *options, double *speed)
{
    for (int i = 2; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--connections"))
            options->connections_max = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--timeout-ms"))
            options->request_timeout_ms = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--origin"))
            options->cors_origin = argv[i + 1];
        else if (!strcmp(argv[i], "--speed"))
            *speed = strtod(argv[i + 1], NULL);
        else
            return false;
    }
    return argc >= 2 && argc % 2 == 0;
}

static bool open_toy(struct toy *toy, struct scenario *scenario, struct http_options *http, double speed)
{
    struct text error = {0};
    struct sink sink = {.owner = toy, .span = on_span, .answer = on_answer};
    toy->world = world_new(
        &(struct world_options){.scenario = scenario, .registry = &registry, .seed = 1, .sink = sink});
    toy->live = live_open(&(struct live_options){
        .loop = EV_DEFAULT, .world = toy->world, .speed = speed, .draining = draining, .owner = toy});
    http->world = toy->world;
    toy->server = http_server_open(EV_DEFAULT, http, &error);
    if (!toy->server)
        fprintf(stderr, "%s\n", text_c(&error));
    text_fini(&error);
    return toy->server;
}

int main(int argc, char **argv)
{
    struct toy toy = {0};
    struct text errors = {0};
    double speed = 1;
    struct http_options http = {.any_port = true, .now = now, .owner = &toy};
    if (!read_options(argc, argv, &http, &speed))
        return 100;
    struct scenario *scenario = scenario_load(argv[1], &registry, NULL, 0, &errors);
    if (!scenario) {
        fputs(text_c(&errors), stderr);
        return 104;
    }
    if (!open_toy(&toy, scenario, &http, speed))
        return 1;
    ev_timer_init(&toy.later, on_later, 0, 0);
    toy.later.data = &toy;
    add_pages(&toy);
    print_ports(&toy);
    live_run(toy.live);
    http_server_close(toy.server);
    live_close(toy.live);
    world_free(toy.world);
    scenario_free(scenario);
    text_fini(&errors);
    ev_default_destroy();
    return 0;
}
