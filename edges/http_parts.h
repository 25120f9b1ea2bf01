/*
 * http_parts: the inside of an HTTP server, for edges/http_*.c alone; others see http_server.h.
 *
 * http_server.c owns it all and decides who answers, http_listen.c has the sockets, http_request.c the life of one
 * request, http_route.c the services' routes, http_page.c the pages every service has.
 */
#ifndef EDGES_HTTP_PARTS_H
#define EDGES_HTTP_PARTS_H

#include "core/shape.h"
#include "core/slab.h"
#include "edges/http_path.h"
#include "edges/http_server.h"
#include "edges/uv_in_ev.h"

#include <h2o.h>

_Static_assert(H2O_USE_LIBUV, "the libuv flavour of libh2o");

/* Of each 503, in seconds. What fills up here empties by itself, or not until somebody acts: a longer wait would be
   a guess. */
#define HTTP_RETRY_AFTER_S "1"

struct http_route {
    const struct route *route;
    size_t index; /* among its kind's */
    struct slice method;
    const char *template;
    bool demo; /* traffic.type, unless the query says */
    struct body_shape takes, answers;
};

struct http_page {
    struct http_page *next;
    const char *method, *path;
    bool below; /* also what is below the path */
    void (*handler)(void *owner, struct http_request *request);
    void *owner;
};

struct http_service {
    struct http_server *server;
    const struct actor_kind *kind;
    size_t index; /* in the world */
    h2o_hostconf_t *hosts[2]; /* its own; NULL */
    h2o_accept_ctx_t accept;
    ev_io listener;
    int fd; /* -1: none */
    uint16_t port;
    struct http_route *routes;
    size_t route_count;
    struct http_page *pages; /* in the order of asking */
};

struct http_connection {
    struct http_connection *next, *previous;
    struct http_server *server;
    h2o_socket_t *socket;
    size_t written; /* when last looked at */
    int64_t stalled_ms; /* that long ago */
};

/* Lives from the moment it is whole until libh2o is done with it. */
struct http_request {
    struct slab_item item;
    struct http_service *service;
    h2o_req_t *req;
    const struct http_route *route;
    bool answered;
};

struct http_server {
    struct ev_loop *ev;
    struct http_options options;
    struct uv_in_ev *joint;
    h2o_globalconf_t config;
    h2o_context_t context;
    struct http_service *services;
    size_t service_count;
    struct slab requests;
    struct http_connection *connections;
    size_t connection_count;
    ev_timer sweep;
    bool accepting, on_loopback, draining;
    struct text json; /* scratch for one answer */
    struct pack pack; /* scratch for one request */
};

/* Methods that a path would take, for Allow. */
struct http_allowed {
    struct slice methods[8];
    size_t count;
};
void http_allow(struct http_allowed *allowed, struct slice method);
bool http_method_is(const struct http_request *request, struct slice method); /* GET takes HEAD */

/* http_listen.c */
bool http_listen(struct http_service *service, struct text *error);
void http_listen_start(struct http_server *server);
void http_listen_close(struct http_server *server); /* listeners, then connections */

/* http_request.c */
/* Each header of this name, in their order. */
void http_request_each_header(const struct http_request *request, const char *name,
                              void (*take)(void *owner, struct slice value), void *owner);
struct http_request *http_request_new(struct http_service *service, h2o_req_t *req);
/* False: it is refused and answered. */
bool http_request_within_caps(struct http_request *request);
void http_errors_are_json(h2o_pathconf_t *path);

/* http_route.c, http_page.c: whether it was theirs; else what the path would take is added */
void http_routes_prepare(struct http_service *service);
bool http_route_begin(struct http_request *request, struct http_allowed *allowed);
void http_route_answer(struct http_request *request, enum status status, const struct body *body);
void http_pages_prepare(struct http_service *service);
void http_page_add(struct http_service *service, const struct http_page *page, bool first);
bool http_page_answer(struct http_request *request, struct http_allowed *allowed);
void http_pages_free(struct http_service *service);

#endif
