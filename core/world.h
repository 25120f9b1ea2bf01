/*
 * world: everything that runs, and the seam to whoever drives it.
 *
 * Time is an argument. A driver asks when the world next wants to run and runs it; whether the instants
 * it passes come from a clock or from world_next_at itself, the world cannot tell.
 *
 *     while ((next = world_next_at(world)) != NEVER)
 *         world_turn(world, next, UINT_MAX);
 *
 * One thread. Events run in the order of (due instant, arming); messages of an instant run before the
 * next timer. Spans, logs and metrics leave through the sink, to be read during the call.
 */
#ifndef CORE_WORLD_H
#define CORE_WORLD_H

#include "core/actor.h"
#include "core/metrics.h"
#include "core/stats.h"

struct world;

/* A request that leaves: one of a stream that says `via: http`. Lives during the call of sink.ask. */
struct outbound_ask {
    uint64_t token; /* given back with the answer */
    const struct actor_kind *service;
    const struct route *route; /* of that service */
    const struct body *body; /* msgpack, in the order of route->takes; may hold more than that, or less */
    struct trace_context context; /* its `span` is the CLIENT span, parent of what the service opens */
    int64_t limit_ns; /* the asker gives up after it; NEVER: it does not */
};

/* An ask for a service that another process hosts. What it points to lives during the call. */
struct far_ask {
    uint64_t token; /* given back with the answer, and to cancel it */
    uint16_t from, to; /* services, by index: the same in every process of a run */
    uint16_t route; /* of the receiver; of a database: statement */
    struct trace_context context; /* its `state` is not read: trace_state is */
    struct slice trace_state; /* W3C tracestate, checked; of 0 bytes: none */
    int64_t limit_ns; /* what is left of it; NEVER: none */
    const void *body; /* msgpack */
    size_t body_len; /* at most BODY_BYTES_MAX */
};

struct sink {
    void *owner;
    void (*span)(void *owner, const struct span *span);
    void (*log)(void *owner, const struct log_record *record);
    /* Every WORLD_SAMPLE_NS of the timeline and once at the end. */
    void (*metrics)(void *owner, const struct metrics *metrics, int64_t at_ns);
    /* The answer to a request that came through world_request, exactly one each. A failure's body is
       (error) or (error, reason, demo_minute); NULL or empty when nobody answered. */
    void (*answer)(void *owner, uint64_t token, enum status status, const struct body *body);
    /* A request for the edge to carry; it ends with one world_answer, which may come from within this call.
       NULL: nobody is there to carry it (STATUS_NO_PEER). */
    void (*ask)(void *owner, const struct outbound_ask *ask);
    /* An ask for a service that is not hosted here; it ends with one world_answer, which may come from within this
       call. NULL: nobody is there to carry it (STATUS_NO_PEER). */
    void (*far_ask)(void *owner, const struct far_ask *ask);
    /* Nobody wants that one's answer any more; it is still to come. */
    void (*far_cancel)(void *owner, uint64_t token);
    /* The answer to an ask that came through world_far_ask, exactly one each. */
    void (*far_answer)(void *owner, uint64_t token, enum status status, const struct body *body);
};

/* What came back for a request that left. */
struct outbound_answer {
    uint64_t token;
    enum status status;
    const void *body; /* msgpack, copied; at most BODY_BYTES_MAX */
    size_t body_len;
};

/* A request from outside, for a service of this world. */
struct world_request {
    size_t service; /* index */
    size_t route; /* index among its kind's routes */
    const void *body; /* msgpack, in the order of route.takes; copied; at most BODY_BYTES_MAX */
    size_t body_len;
    int64_t limit_ns; /* answered as STATUS_DEADLINE after it */
    uint64_t token; /* given back with the answer */
    bool demo; /* traffic.type */
    bool joins; /* the trace of whoever asks: what is below comes from its traceparent */
    uint64_t trace_hi, trace_lo, parent;
    uint8_t flags;
    struct slice trace_state; /* likewise its tracestate, checked; copied. Of 0 bytes: none */
};

#define WORLD_SAMPLE_NS (15 * NS_PER_S) /* alerts are judged, metrics exported */

struct world_options {
    const struct scenario *scenario;
    const struct registry *registry;
    uint64_t seed;
    struct sink sink; /* any function may be NULL */
    int64_t
        from_ns; /* begins there on the timeline, warmed by the minute before; earlier faults come at once */
    int64_t duration_ns; /* the timeline ends there; 0, or beyond the scenario's own: at the scenario's */
    bool demo_waits; /* only baseline streams flow until world_start_demo */
    int64_t history_ns; /* alerts' windows reach into that much healthy traffic at the rates of the start */
    const bool
        *hosts; /* by service: whether it is of this process; NULL: all are. Those that are not are there by
                          name and index alone: nothing of them runs */
    int64_t begin_ns; /* the world's first instant, where that is later than the minute before from_ns */
    uint32_t calls_max; /* routes running at once, and likewise statements; 0: CALLS_MAX (core/parts.h) */
};

struct world *world_new(const struct world_options *options);
void world_free(struct world *world);

int64_t world_next_at(const struct world *world);
unsigned world_turn(struct world *world, int64_t now_ns, unsigned max_events);

/* How a demo that has waited is played. All 0: as the scenario says. */
struct demo_start {
    int64_t at_ns; /* enters the timeline there; earlier faults come at once */
    int64_t duration_ns; /* as world_options.duration_ns */
    double scale; /* of the rates of the demo's streams; bursts are as many as they are */
};

/* The demo clock: false when it runs already, or does not run. Stopping it leaves faults as they are. */
bool world_start_demo(struct world *world, const struct demo_start *start, int64_t now_ns);
bool world_stop_demo(struct world *world);
/* Breaks or mends something now. STATUS_NOT_FOUND: nothing of that name; STATUS_OVERLOADED: FAULTS_MAX set,
   and none of those set here that it could replace, or that another has replaced. */
enum status world_set_fault(struct world *world, const struct fault_spec *fault, int64_t now_ns);
/* What the processes of a run have to agree on beside its scenario: where the timeline lies, and what was set by hand. */
struct world_course {
    int64_t zero_ns; /* the instant of the timeline's 0; NEVER: the demo waits */
    int64_t from_ns, duration_ns;
    uint64_t faults_set; /* so often has a fault been set by hand */
};
struct world_course world_course(const struct world *world);
/* Takes over another process's timeline; faults are set with world_set_fault. */
void world_follow(struct world *world, const struct world_course *course, int64_t now_ns);
int64_t world_demo_at(const struct world *world); /* now on the timeline; negative: the clock waits */
int64_t world_duration(const struct world *world); /* where the timeline ends */
/* No arrivals from now on; what is in flight ends within its limits, then the world is idle. */
void world_stop_traffic(struct world *world);
bool world_idle(const struct world *world);
/* From the first arrival of the first burst until the last journey of streams with bursts has ended. */
bool world_bursting(const struct world *world);

/* Ends traffic accounting: judges faults and expectations. Once, when nothing is left to run. */
void world_finish(struct world *world);

/* Puts the request into the service's mailbox; it runs in the next turn. `now_ns` as for world_turn.
   One that joins the span of a request that left this very world, for the service and route it was meant for,
   is that request: stream, minute and deadline are those it left with. Once; a second one is a stranger's. */
void world_request(struct world *world, const struct world_request *request, int64_t now_ns);
/* An ask from a process that does not host the asker. False: it says what cannot be, and nothing comes of it. */
bool world_far_ask(struct world *world, const struct far_ask *ask, int64_t now_ns);
/* Who asked for it has given up; for stores, which may stop. */
void world_far_cancel(struct world *world, uint16_t from, uint16_t to, uint64_t token, int64_t now_ns);
/* Ends an ask that left, in the next turn. Too late, or answered already: dropped and counted. */
void world_answer(struct world *world, const struct outbound_answer *answer, int64_t now_ns);

int64_t world_now(const struct world *world);
uint64_t world_seed(const struct world *world);
const struct run_stats *world_stats(const struct world *world);
const struct metrics *world_metrics(const struct world *world);

/* What is still held. All 0 when nothing is left to run, but for the bodies that a cache keeps. */
struct world_leftovers {
    size_t messages, bodies, calls, queries, connections, waiters;
};
struct world_leftovers world_leftovers(const struct world *world);

/* Services of this world, in the order of their indexes (span_site.service, series.service). */
size_t world_service_count(const struct world *world);
const struct actor_kind *world_service(const struct world *world, size_t index);
bool world_hosts(const struct world *world, size_t index);
/* Sites, by id. */
size_t world_site_count(const struct world *world);
const struct span_site *world_site(const struct world *world, size_t id);

#endif
