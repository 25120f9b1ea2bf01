/*
 * span: what happened, in OpenTelemetry's terms, before anyone encodes it.
 *
 * A `site` is a place in the program where spans come from (a route, a step of a route, a statement):
 * its name, kind and constant attributes are known at start-up, so an encoder can prepare their bytes
 * once per site. A `span` adds what one occurrence adds. Spans are handed to the sink when they end and
 * are the sink's to read only during that call: nothing here is allocated per span.
 *
 * Ids are keyed draws: a child's id is drawn from its parent's and its ordinal below it, so that ids
 * depend neither on scheduling nor on placement (telemetry identity of a seed).
 */
#ifndef CORE_SPAN_H
#define CORE_SPAN_H

#include "core/attr.h"
#include "core/status.h"

enum span_kind { SPAN_INTERNAL = 1, SPAN_SERVER = 2, SPAN_CLIENT = 3 }; /* OTLP's numbers */

struct body;

/*
 * What travels with a request: in the envelope between actors, as traceparent and tracestate at HTTP edges.
 * Copies of it share the tracestate: who keeps one beyond a call (a message, a call, a query) holds a reference.
 */
struct trace_context {
    uint64_t trace_hi, trace_lo;
    struct body *state; /* W3C tracestate; NULL: none */
    uint64_t span; /* the sender's span: parent of what the receiver opens */
    int16_t demo_minute; /* of the root's intended start; -1: the demo clock does not run */
    uint8_t phase; /* index into the scenario's phases, likewise */
    uint8_t stream; /* index of the stream the root belongs to */
    uint8_t depth; /* levels above the receiver */
    uint8_t flags; /* W3C trace flags */
    bool demo; /* traffic.type: demo, else baseline */
    bool joined; /* the trace is that of who asked from outside */
    uint32_t ordinal; /* of the receiver's span below its parent: 0, but for requests from outside */
    int32_t root_ms; /* the root's intended start on the timeline; -1: likewise */
};

/* As a stream's index: requests from outside, of no stream. */
enum { STREAM_OUTSIDE = UINT8_MAX };

struct span_site {
    uint32_t id; /* dense from 0: index for an encoder's cache */
    uint16_t service; /* index of the service, i.e. of the resource */
    enum span_kind kind;
    const char *name;
    /* HTTP sites whose path has a parameter: "/cart/{cart_id}"; the value is the span's path_param
       (NULL: the path is constant and among attrs). url.path, or url.full of a CLIENT, is made of both. */
    const char *path_template;
    const char *peer; /* CLIENT: the service asked, else NULL */
    uint16_t peer_port;
    struct attrs attrs;
};

struct span {
    const struct span_site *site;
    uint64_t trace_hi, trace_lo, id, parent; /* parent 0: root */
    int64_t start_ns, end_ns;
    enum status status;
    uint8_t depth; /* 1: root */
    uint8_t stream;
    uint8_t flags;
    bool demo;
    bool joined; /* as its context's */
    bool late; /* outlived its parent, which gave up: carries a link to it */
    const struct body *state; /* W3C tracestate; NULL: none */
    struct slice path_param; /* value for the site's path_template */
    struct attrs attrs;
};

/* Opens `span` (attributes empty) as child `ordinal` of the context. */
void span_open(struct span *span, const struct span_site *site, uint64_t seed,
               const struct trace_context *parent, uint32_t ordinal, int64_t start_ns);
/* The context for what is asked or done below this span. */
struct trace_context span_context(const struct span *span, const struct trace_context *parent);

uint64_t span_child_id(uint64_t seed, uint64_t parent, uint32_t ordinal);
/* Root context of request `number` of a stream; trace id and all below it follow from it. */
struct trace_context trace_root(uint64_t seed, uint8_t stream, uint64_t number);

#endif
