/*
 * http_client: carries requests of streams that say `via: http` to the services' own ports, on a libev loop that
 * never waits for them. What is said is http_ask's; each request ends with one world_answer.
 *
 * Connections are kept and shared, at most HTTP_CLIENT_CONNECTIONS_MAX; further requests wait for one, within their
 * limits. Beyond HTTP_CLIENT_REQUESTS_MAX under way: STATUS_OVERLOADED at once. A connection that is refused is
 * STATUS_NO_PEER, one that breaks STATUS_FAILED. Answers beyond HTTP_CLIENT_ANSWER_MAX bytes are broken off.
 * No proxy, no redirects.
 */
#ifndef EDGES_HTTP_CLIENT_H
#define EDGES_HTTP_CLIENT_H

#include "core/world.h"

enum {
    HTTP_CLIENT_CONNECTIONS_MAX = 256,
    HTTP_CLIENT_REQUESTS_MAX = 4096,
    HTTP_CLIENT_ANSWER_MAX = 1024 * 1024
};

struct ev_loop;
struct http_client;

struct http_client_options {
    struct world *world;
    const char *address; /* numeric, as the services listen on it; NULL: 127.0.0.1 */
    double speed; /* of the world's clock */
    bool no_propagation; /* neither traceparent nor tracestate is sent */
    /* Where a service listens; 0: nowhere. The instant on the world's clock. */
    uint16_t (*port)(void *owner, const char *service);
    int64_t (*now)(void *owner);
    void *owner;
};

struct http_client *http_client_open(struct ev_loop *loop, const struct http_client_options *options);
/* What is under way is broken off, and not answered. */
void http_client_close(struct http_client *client);

/* For sink.ask. */
void http_client_ask(struct http_client *client, const struct outbound_ask *ask);
size_t http_client_pending(const struct http_client *client);

#endif
