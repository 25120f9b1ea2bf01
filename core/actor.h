/*
 * actor: what a service says of itself. A service is one file in actors/ that ends with one struct
 * actor_kind: a table of routes, each a table of steps. Steps open and close their spans, honour their
 * limits and count themselves; a service author writes no tracing code.
 *
 * A running route is a `call`. Its functions (when, body, then, run) react to what has happened and
 * return at once: they never wait and never see time move. What they keep between steps goes into
 * call_locals (CALL_LOCAL_BYTES, zeroed).
 *
 * Bodies are msgpack arrays in a fixed order; a route names the order of both ("user_id:text
 * cart_id:text"), path parameters first. Failures answer with the text alone or with
 * (error, reason, demo_minute).
 */
#ifndef CORE_ACTOR_H
#define CORE_ACTOR_H

#include "core/draw.h"
#include "core/log.h"
#include "core/pack.h"
#include "core/scenario.h"
#include "core/statement.h"
#include "core/stats.h"

struct call;
struct actor;
struct message;
struct timer;
struct text;

enum { CALL_LOCAL_BYTES = 96, ROUTE_STEPS_MAX = 24 };

/* What came back from a step. `body` can be read; a body to pass on is kept with call_keep. */
struct answer {
    enum status status;
    struct cursor body;
    struct body *raw; /* NULL when nothing came back */
};

enum step_kind { STEP_END, STEP_WORK, STEP_THINK, STEP_ASK, STEP_QUERY, STEP_CACHE, STEP_DO, STEP_REPLY };

struct step {
    enum step_kind kind;
    const char *to; /* ASK: service. QUERY: pool. CACHE: command (HGETALL) */
    const char *route; /* ASK: "GET /cart/{cart_id}". QUERY: statement */
    const char *query; /* ASK: constant query string, for url.query */
    int limit_ms; /* ASK, QUERY, CACHE: time limit of this step alone; 0: the caller's */
    bool optional; /* a failure stays visible on its span and the route goes on */
    bool outcomes; /* `then` looks at answers like 404 and 409 itself; else they are failures */
    enum status status; /* REPLY; or, on a step that can fail, the status its failure answers with */
    bool (*when)(struct call *); /* NULL: always */
    void (*body)(struct call *, struct pack *); /* what is sent: NULL sends an empty array */
    void (*then)(struct call *, const struct answer *); /* after success */
    void (*on_failure)(struct call *, struct pack *); /* the body of a failure's answer, and attributes */
    void (*run)(struct call *); /* DO */
};

/* WORK: service time, from the scenario's distribution for this service. */
#define WORK(...)                                                                                            \
    {                                                                                                        \
        .kind = STEP_WORK, __VA_ARGS__                                                                       \
    }
/* THINK: the visitor of a journey reads; how long is the stream's (struct visit_spec). */
#define THINK(...)                                                                                           \
    {                                                                                                        \
        .kind = STEP_THINK, __VA_ARGS__                                                                      \
    }
#define ASK(service, route_, ...)                                                                            \
    {                                                                                                        \
        .kind = STEP_ASK, .to = (service), .route = (route_), __VA_ARGS__                                    \
    }
#define QUERY(pool, statement, ...)                                                                          \
    {                                                                                                        \
        .kind = STEP_QUERY, .to = (pool), .route = (statement), __VA_ARGS__                                  \
    }
#define CACHE(command, ...)                                                                                  \
    {                                                                                                        \
        .kind = STEP_CACHE, .to = (command), __VA_ARGS__                                                     \
    }
#define DO(function, ...)                                                                                    \
    {                                                                                                        \
        .kind = STEP_DO, .run = (function), __VA_ARGS__                                                      \
    }
#define REPLY(status_, function, ...)                                                                        \
    {                                                                                                        \
        .kind = STEP_REPLY, .status = (status_), .body = (function), __VA_ARGS__                             \
    }

/* The end of a route without a REPLY: 200 with an empty answer. */
#define END()                                                                                                \
    {                                                                                                        \
        .kind = STEP_END                                                                                     \
    }

struct route {
    const char *name; /* "GET /products": method and template; a journey has no method */
    const struct step *steps; /* ends after a REPLY, or at a step of kind STEP_END */
    const char *takes; /* fields of the request, in order */
    const char *answers; /* fields of a successful answer */
    const char *endpoint_type; /* attribute of its SERVER span, or NULL */
    /* A journey's end, by itself or by a failure; not where traffic ends while its visitor thinks. */
    void (*leave)(struct call *);
    void (*lost)(struct call *); /* attributes of a scripted failure, which comes before any step */
    bool checkout; /* its steps begin one; who is turned away before them has lost one as well */
};

struct pool_default {
    const char *name;
    int max;
    int acquire_timeout_ms;
};

struct variant {
    const char *name; /* key under `variants:` of the service in a scenario */
    const char *choices[4]; /* the first is the default */
};

struct actor_kind {
    const char *service;
    uint16_t port;
    struct duration_dist work;
    const struct route *routes; /* ends with a route without a name */
    struct pool_default pools[SERVICE_POOLS_MAX];
    struct variant variants[SERVICE_VARIANTS_MAX];
    bool drives_load; /* its routes are journeys: the streams' requests begin here */
    /* Stores: state of their own and messages as they come. `receive` does not keep the message. */
    const char *store; /* "postgresql" answers statements, "redis" commands: its routes; else NULL */
    size_t state_bytes;
    void (*start)(struct actor *);
    void (*stop)(struct actor *);
    void (*receive)(struct actor *, struct message *);
    /* Acts on a fault addressed to this actor; false: it is not this actor's. */
    bool (*fault)(struct actor *, const struct fault_spec *);
    /* After the run: whether it landed, and what proves it. */
    bool (*landed)(struct actor *, const struct fault_spec *, struct text *evidence);
};

/* Everything the program knows of the shop; made from the file names in actors/. */
struct registry {
    const struct actor_kind *const *kinds;
    size_t kind_count;
    const struct statement *statements;
    size_t statement_count;
    const struct index_def *indexes;
    size_t index_count;
};

const struct actor_kind *registry_kind(const struct registry *registry, const char *service);
const struct route *actor_kind_route(const struct actor_kind *kind, const char *name);
/* A route of whoever drives load. */
const struct route *registry_journey(const struct registry *registry, const char *name);
const struct statement *registry_statement(const struct registry *registry, const char *name);
/* Of the indexes that the shop's database can have. */
const struct index_def *registry_index(const struct registry *registry, const char *name);

/* ---- Within a call ---- */

void *call_locals(struct call *call);
struct cursor call_request(const struct call *call);
struct body *call_request_body(const struct call *call);
const struct trace_context *call_context(const struct call *call);
/* 64 bits of chance that belong to this call and index alone. */
uint64_t call_draw(const struct call *call, uint32_t index);
uint64_t call_request_number(const struct call *call); /* of the root, from the stream */
/* Of a journey: how the stream's visitors behave. */
const struct visit_spec *call_visit(const struct call *call);
struct attrs *call_attrs(struct call *call); /* of its SERVER span */
int call_variant(const struct call *call, int variant);
/* Likewise of a release that demo traffic alone has met so far: the baseline is its control and takes the first. */
int call_demo_variant(const struct call *call, int variant);
enum status call_failure(const struct call *call); /* of the step that failed, in on_failure */
/* Holds the body until the call ends; the newest one kept is call_kept. */
void call_keep(struct call *call, struct body *body);
/* A `then` that keeps the next value of the answer: the result of a query. */
void call_keep_value(struct call *call, const struct answer *answer);
void call_keep_bytes(struct call *call, const void *bytes, size_t len);
struct body *call_kept(const struct call *call);
/* Ends the call with this answer; later steps do not run. */
void call_reply(struct call *call, enum status status, void (*body)(struct call *, struct pack *));

/* Likewise, with a text that says why not; it is not copied. */
void call_refuse(struct call *call, enum status status, const char *why);
/* Counts it for the report and the shop's metrics; `cents` of an order. */
void call_business(struct call *call, enum business what, int64_t cents);

/* ---- Within an actor that has `receive` ---- */

void *actor_state(struct actor *actor);
const struct scenario *actor_scenario(const struct actor *actor);
int64_t actor_now(const struct actor *actor);
int64_t actor_timeline(const struct actor *actor); /* now on the scenario's timeline; 0 before it starts */
uint64_t actor_seed(const struct actor *actor);
struct run_stats *actor_stats(struct actor *actor); /* for what the store itself counts */
/* Arms a timer of the actor's own (core/due.h). */
void actor_arm(struct actor *actor, struct timer *timer, int64_t at_ns);
void actor_disarm(struct actor *actor, struct timer *timer);
/* A body of its own, one reference. */
struct body *actor_body(struct actor *actor, const void *bytes, size_t len);
/* Gives back a body that was held with body_ref. */
void actor_release(struct actor *actor, struct body *body);
/* An edge's store has news between two turns: the world's clock moves on to then, before it answers. */
void actor_wake(struct actor *actor, int64_t now_ns);
/* Answers an ask: `body` writes it, NULL sends none. */
struct pack *actor_pack(struct actor *actor); /* empty; for one answer */
void actor_reply(struct actor *actor, uint16_t to, uint64_t ask, enum status status, const struct pack *body);

#endif
