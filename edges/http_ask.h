/*
 * http_ask: a request that leaves the world as HTTP, and what comes back as its answer. Bytes alone, no sockets.
 *
 * Fields of route->takes go into the path by their names, then, of GET and DELETE, into the query, else into a
 * JSON body. What the body has beyond the declaration is left out, and so is nil. `traffic_type` in the query says
 * which traffic it is; `traceparent` makes the request a child of its CLIENT span, and `tracestate` goes with it.
 *
 * Answers may be hostile: what is not as declared is STATUS_FAILED. Statuses that HTTP does not tell apart come back
 * as the first of them: 503 is STATUS_UNAVAILABLE, 504 STATUS_NO_PEER if its error says so, else STATUS_DEADLINE.
 */
#ifndef EDGES_HTTP_ASK_H
#define EDGES_HTTP_ASK_H

#include "core/text.h"
#include "core/world.h"
#include "edges/trace_parent.h"

struct http_ask {
    struct text method, url, body; /* a body without bytes is not sent */
    char trace_parent[TRACE_PARENT_LEN + 1];
    struct text trace_state; /* empty: none */
};

/* `origin`: "http://127.0.0.1:8018". Reuses what `out` holds. False: it cannot be said in HTTP. */
bool http_ask_write(const struct outbound_ask *ask, const char *origin, struct http_ask *out);
void http_ask_fini(struct http_ask *ask);

/* The answer's body goes into `pack`, empty before. */
enum status http_ask_read(const struct route *route, long code, struct slice body, struct pack *pack);

#endif
