/*
 * http_server: HTTP/1.1 at the front of a world. Every service of it that is no store listens on its own port and
 * answers its routes, by the fields they declare (http_body.h), and
 *
 *     GET /health, /livez, /readyz, /metrics (Prometheus text); the frontend also GET /, an index of all routes.
 *
 * A request becomes a world_request; the driver runs the world and passes what its sink is told as an answer to
 * http_server_answer. Statuses are those of core/status.h; where nobody answered, 504. 503 carries Retry-After.
 * Errors are JSON objects with `error`, also those of the protocol.
 *
 * Bounds: target HTTP_TARGET_MAX (414), headers HTTP_HEADERS_MAX (431), body HTTP_BODY_MAX (413); a request has to
 * arrive within request_timeout_ms, and its answer to be taken within that time. At `connections_max` connections new
 * ones wait in the kernel's queue. HTTP/1.1 without Host is 400; HTTP/2 is off. Of two Content-Lengths the first one
 * counts, Transfer-Encoding goes before Content-Length: do not put this behind a proxy that thinks otherwise.
 * What cannot be parsed as HTTP at all is answered by libh2o itself, straight to the socket: 400 in plain text, and closed.
 *
 * Sets SIGPIPE to be ignored, and raises the soft limit on descriptors to what connections_max needs.
 * One thread: that of the loop. Everything is given back by http_server_close.
 */
#ifndef EDGES_HTTP_SERVER_H
#define EDGES_HTTP_SERVER_H

#include "core/text.h"
#include "core/world.h"

enum {
    HTTP_HEADERS_MAX = 16 * 1024,
    HTTP_BODY_MAX = 64 * 1024,
    HTTP_CONNECTIONS_DEFAULT = 1024,
    HTTP_DESCRIPTORS_BESIDES = 256 /* listeners, files, clients of ours */
};

struct ev_loop;
struct prometheus_bounds;
struct http_server;
struct http_request;

struct http_options {
    struct world *world;
    const char *address; /* numeric; NULL: 127.0.0.1 */
    int port_offset; /* added to each service's port */
    bool any_port; /* the kernel chooses; see http_server_port */
    unsigned connections_max; /* 0: HTTP_CONNECTIONS_DEFAULT */
    unsigned request_timeout_ms; /* 0: 10 s */
    const char *cors_origin; /* the page's origin, "http://localhost:3000"; NULL: none */
    bool no_propagation; /* traceparent and tracestate are not read */
    const struct prometheus_bounds *bounds; /* of /metrics (edges/prometheus.h); NULL: none */
    /* Further metrics for the pages of the services they are of, up to date; NULL: none. */
    const struct metrics *(*more_metrics)(void *owner);
    /* The instant on the world's timeline. */
    int64_t (*now)(void *owner);
    /* A request waits in the world: it wants a turn before the loop waits. May be NULL; prepare watchers of the
       default priority see such requests anyway. */
    void (*requested)(void *owner);
    void *owner; /* for the three */
};

/* NULL: a listener could not be opened, and `error` says which and why. Text of options must outlive it. */
struct http_server *http_server_open(struct ev_loop *ev, const struct http_options *options,
                                     struct text *error);
void http_server_close(struct http_server *server);

/* For sink.answer. False: the token is none of this server's, or its client has gone. The top bit of its tokens is
   never set: others who ask the world set it in theirs. */
bool http_server_answer(struct http_server *server, uint64_t token, enum status status,
                        const struct body *body);

/* From now on /readyz is 503 and answers close their connection. Requests are still served. */
void http_server_drain(struct http_server *server);
bool http_server_draining(const struct http_server *server);
/* Requests under way, connections open. */
size_t http_server_pending(const struct http_server *server);
size_t http_server_connections(const struct http_server *server);
/* 0: the service has no listener. */
uint16_t http_server_port(const struct http_server *server, const char *service);
bool http_server_on_loopback(const struct http_server *server); /* whether it listens there alone */

/* ---- Pages of other modules ---- */

/*
 * `handler` answers that method at `path` and below it (/admin/faults, /admin/faults/x), before the service's routes.
 * GET takes HEAD along; of several pages the newest is asked first. A handler may answer later: it keeps the token, and asks for the request again by it.
 * False: the world has no such service with a listener. Strings must outlive the server.
 */
bool http_server_handle(struct http_server *server, const char *service, const char *method, const char *path,
                        void (*handler)(void *owner, struct http_request *request), void *owner);
/* NULL: answered already, or its client has gone. */
struct http_request *http_server_request(struct http_server *server, uint64_t token);

/* Slices live as long as the request: until it is answered or the token finds nothing. */
uint64_t http_request_token(const struct http_request *request);
struct slice http_request_method(const struct http_request *request);
struct slice http_request_path(const struct http_request *request); /* as it came: percent-encoded */
struct slice http_request_query(const struct http_request *request); /* without the ? */
struct slice http_request_body(const struct http_request *request);
/* `name` in lower case, also "host"; at NULL: there is none. The first one, if `count` (may be NULL) is not 1. */
struct slice http_request_header(const struct http_request *request, const char *name, size_t *count);
bool http_request_from_loopback(const struct http_request *request); /* its client */

void http_request_add_header(struct http_request *request, const char *name, const char *value);
/* Once a request. Bytes are copied. */
void http_request_respond(struct http_request *request, int http_status, const char *content_type,
                          const char *bytes, size_t len);
void http_request_respond_json(struct http_request *request, int http_status, const struct text *json);
void http_request_respond_error(struct http_request *request, int http_status, const char *reason);
#define HTTP_NO_ROUTE "no such route; the frontend's GET / lists them, on port 8018"

#endif
