/*
 * parts: the inside of a world. For core/ alone; actors and edges see world.h and actor.h.
 *
 * A kind's tables are constant; what a world adds to them - whom a step reaches, which site and which
 * series it counts in - is bound once at start-up (bind.c), so that nothing is looked up by name later.
 */
#ifndef CORE_PARTS_H
#define CORE_PARTS_H

#include "core/due.h"
#include "core/message.h"
#include "core/pool.h"
#include "core/slab.h"
#include "core/world.h"

enum {
    CALLS_MAX = 64 * 1024, /* routes running at once in a world */
    TURN_MESSAGES_MAX = 100, /* of one actor, then the next */
    PATH_DIGITS_MAX = 20, /* of an id, with its sign */
    SESSION_DIGITS = 16, /* of a session.id */
    OUTBOUND_BUCKETS = 1024, /* of a power of two; requests that have left are found by span id */
    OUTSIDE = UINT16_MAX /* as the sender of a message: a request through world_request */
};

/* Above this a query is slow. */
#define SLOW_QUERY_NS (1000 * NS_PER_MS)
/* Marks an ask as a query's: slab handles leave the top bit free. */
#define QUERY_HANDLE (UINT64_C(1) << 63)

/* Series of one instrument at one place, by traffic type and outcome; made when first needed. */
struct bound_series {
    struct series *of[2][STATUS_COUNT];
};

struct bound_step {
    const struct step *step;
    struct actor *to; /* ASK, QUERY, CACHE */
    uint16_t route; /* of the receiver; QUERY: statement */
    const struct statement *statement;
    struct pool *pool;
    const struct span_site *site, *wait_site, *run_site;
    struct edge_stats *edge;
    size_t profile; /* its line, of a WORK or a QUERY */
    struct bound_series *durations;
};

struct bound_route {
    const struct route *route;
    const struct span_site *site; /* NULL: a journey */
    struct bound_step *steps;
    size_t step_count;
    uint64_t script; /* bit i: fault i of the run is a scripted one on this route */
    bool visit; /* a journey of several requests: they share a session.id */
    struct bound_series *durations;
};

struct actor_pool {
    struct pool pool;
    struct actor *actor;
    struct series *idle, *used, *max, *pending, *timeouts, *wait, *use, *acquire, *waiters_peak;
};

struct actor {
    struct world *world;
    const struct actor_kind *kind;
    const struct service_spec *spec;
    struct service_stats *stats;
    uint16_t index;
    bool ready, down, away;
    uint64_t loses; /* bit i: fault i of the run loses some of its asks */
    struct actor *next_ready;
    struct mailbox mailbox;
    double slow; /* factor on service times */
    int64_t query_delay_ns; /* by a fault: before its statements are asked */
    uint64_t queries, queries_delayed;
    struct duration_dist work;
    double work_sigma;
    struct bound_route *routes;
    size_t route_count;
    struct actor_pool *pools;
    size_t pool_count;
    struct series *mailbox_depth, *mailbox_refused;
    void *state;
};

/* A statement on its way: waits for a connection, runs, and gives the connection back - also when the
   call that wanted it has gone (an orphan). */
struct query {
    struct slab_item item;
    struct pool_wait wait;
    struct actor_pool *pool;
    const struct bound_step *bound;
    struct body *params;
    uint64_t call; /* handle; stale for an orphan */
    struct trace_context context; /* below the CLIENT span */
    int64_t granted_at_ns; /* 0: still waiting */
    int64_t deadline_ns;
    int64_t delay_ns; /* by a fault, before the database is asked */
    struct timer timer; /* armed while it is delayed */
};

struct call {
    struct slab_item item;
    struct actor *actor;
    const struct bound_route *route;
    struct timer timer;
    uint16_t step;
    bool root, ended;
    enum status failure;
    const char *why; /* of call_refuse */
    struct fault_stats *script; /* the fault that holds it: its steps have yet to begin; NULL: none */
    int64_t script_since_ns;
    struct trace_context context; /* as it came; of a root: of its trace */
    struct trace_context below; /* for what this call asks */
    int64_t deadline_ns, step_deadline_ns;
    int64_t intended_at_ns; /* root: when the request was meant to start */
    uint64_t number; /* root: of its stream */
    struct body *request, *kept, *sent; /* as it came; of an answer; of the ask under way */
    struct call *next_outbound;
    bool outbound, arrived; /* the ask under way has left the world; and has come back in as a request */
    uint64_t reply_ask;
    uint16_t reply_to;
    struct query *query;
    struct span server, span; /* its own, and the one of the step under way */
    char server_digits[PATH_DIGITS_MAX], span_digits[PATH_DIGITS_MAX]; /* of ids in their paths */
    char session[SESSION_DIGITS]; /* of a visit */
    _Alignas(8) unsigned char locals[CALL_LOCAL_BYTES];
};

struct arrivals {
    struct world *world;
    const struct stream_spec *spec;
    struct stream_stats *stats;
    const struct bound_route *journeys[MIXES_MAX][JOURNEYS_MAX]; /* as the spec's mixes */
    struct bound_route *direct; /* a route asked directly has a journey made for it, in place of mixes */
    struct timer timer;
    uint8_t index;
    uint64_t number; /* of the next one, and of all so far */
    uint64_t burst_place; /* of the next one, among those of all bursts */
    uint32_t under_way; /* journeys */
    bool stopped;
    int64_t next_at_ns;
    struct series *started, *late, *dropped;
};

struct planned {
    struct world *world;
    struct timer timer;
    size_t index;
};

struct alerts;
struct gather;
struct stretches;

struct world {
    const struct scenario *scenario;
    const struct registry *registry;
    uint64_t seed;
    struct sink sink;
    int64_t now_ns;
    int64_t from_ns; /* of the timeline: what lies before it only warms up */
    int64_t zero_ns; /* instant of the timeline's 0; NEVER: the demo waits for its start */
    int64_t last_zero_ns; /* likewise, of the latest demo, also when it was stopped; NEVER: there was none */
    int64_t duration_ns; /* of the timeline, as it is played */
    int64_t history_ns; /* before it, as alerts see it */
    struct due due;
    struct message_pool messages;
    struct slab calls, queries;
    struct actor *actors;
    size_t actor_count;
    struct actor *postgresql, *redis, *load; /* found by kind; NULL: not there */
    struct actor *ready_first, *ready_last;
    unsigned turn_taken; /* messages that the first of them has taken */
    struct span_site **sites;
    size_t site_count;
    struct metrics metrics;
    struct run_stats stats;
    struct arrivals arrivals[STREAMS_MAX];
    struct planned *plans; /* phases, then faults */
    struct timer sample;
    int64_t sample_at_ns; /* when it is or was due; negative: not yet */
    struct alerts *alerts;
    struct stretches *stretches; /* that expectations ask for */
    struct gather *gather; /* who tells another process of this one's figures; NULL: nobody */
    uint32_t delayed, delayed_away; /* statements that a fault holds back, here and elsewhere */
    uint64_t outside; /* requests from outside so far */
    uint64_t faults_set; /* by hand, so often */
    struct call *outbound[OUTBOUND_BUCKETS];
    struct pack pack; /* scratch for bodies */
    struct pool_total connections; /* over all pools */
    struct series *shop[METRIC_COUNT], *sold_out, *script_rate;
    struct instrument *instruments;
    size_t instrument_count;
    char **strings; /* made at start-up for names and addresses */
    size_t string_count;
};

/* world.c */
void world_send(struct world *world, struct message *message);
void world_ask(struct world *world, const struct actor *from, struct actor *to, uint16_t route, uint64_t ask,
               int64_t deadline_ns, const struct trace_context *context, struct body *body);
void world_reply(struct world *world, uint16_t from, uint16_t to, uint64_t ask, enum status status,
                 struct body *body);
void world_emit(struct world *world, struct span *span, enum status status, int64_t end_ns);
void world_log(struct world *world, struct log_record *record);
struct pack *world_pack(struct world *world);
struct body *world_body(struct world *world, const struct pack *pack); /* NULL: it did not fit */

/* Place of an instant on the timeline; negative while the demo waits. */
static inline int64_t world_timeline(const struct world *world, int64_t at_ns)
{
    return world->zero_ns == NEVER ? -1 : at_ns - world->zero_ns;
}

/* Likewise, for figures: negative also while the world only warms up. */
static inline int64_t world_counted(const struct world *world, int64_t at_ns)
{
    int64_t on_timeline_ns = world_timeline(world, at_ns);
    return on_timeline_ns < world->from_ns ? -1 : on_timeline_ns;
}

/* The timeline's end, as an instant; NEVER while the demo waits. */
static inline int64_t world_end(const struct world *world)
{
    return world->zero_ns == NEVER ? NEVER : world->zero_ns + world->duration_ns;
}

/* Whether this part of the timeline was played. */
static inline bool world_played(const struct world *world, int64_t from_ns, int64_t to_ns)
{
    return from_ns >= world->from_ns && to_ns <= world_timeline(world, world->now_ns);
}

/* Minute and phase of what begins at an instant. */
void world_date(const struct world *world, struct trace_context *context, int64_t at_ns);

/* far.c */
/* Hands an ask for an actor of another process to the sink. */
void far_ask(struct world *world, const struct actor *from, const struct actor *to, uint16_t route,
             uint64_t ask, int64_t deadline_ns, const struct trace_context *context, const struct body *body);
/* Tells a store that nobody waits for a statement, or a command, any more. */
void far_cancel(struct world *world, const struct actor *from, const struct actor *to, uint64_t ask);

/* bind.c */
char *world_keep(struct world *world, char *made); /* freed with the world */
void bind_world(struct world *world);
void unbind_world(struct world *world);
void bind_route(struct actor *actor, struct bound_route *bound, const struct route *route);
struct actor *bind_actor(struct world *world, const char *service); /* NULL: none of that name */
struct series *bound_series_of(struct world *world, struct bound_series *bound, enum metric_id metric,
                               const struct span *span);

/* call.c */
void call_begin(struct actor *actor, struct message *message);
bool call_begin_root(struct actor *actor, const struct bound_route *journey, struct arrivals *arrivals,
                     uint64_t number, int64_t intended_at_ns);
/* It ends here and now, unanswered: a journey whose visitor thinks while traffic ends. */
void call_quit(struct call *call);
/* What the step under way came to; the call goes on. */
void call_resume(struct call *call, enum status status, struct body *body, struct cursor at);
/* Arms the call's timer for the earlier of the two; which one it was shows when it fires. */
void call_arm(struct call *call, int64_t at_ns);

struct slice call_path_param(const struct body *request, char digits[static PATH_DIGITS_MAX]);

/* ask.c, query.c: begin a step; it ends through call_resume */
/* Opens a step that asks: its deadline, its span, and what it sends (NULL: that does not fit). */
struct body *ask_open(struct call *call, const struct bound_step *bound);
void ask_begin(struct call *call, const struct bound_step *bound);
void ask_answered(struct call *call, struct message *message);
void ask_ended(struct call *call, const struct bound_step *bound, enum status status);
void query_begin(struct call *call, const struct bound_step *bound);
void query_answered(struct query *query, struct message *message);
void query_timed_out(struct call *call);
void query_granted(struct pool_wait *wait, int64_t now_ns);

/* journey.c: what a root has that no route has */
void journey_begin(struct call *call, struct arrivals *arrivals, uint64_t number, int64_t intended_at_ns);
void journey_end(struct call *call);
/* Each request of a journey is a trace of its own: before its span opens, behind its opening, behind its end. */
void journey_request(struct call *call);
void journey_requested(struct call *call);
void journey_answered(struct call *call, enum status status);
/* The visitor thinks, and the call's timer ends it; false: there is nothing to think about any more. */
bool journey_thinks(struct call *call);
/* Traffic has ended for whoever was thinking. */
bool journey_over(const struct call *call);
/* Ends the journeys of stopped streams whose visitors think. */
void journeys_stop(struct world *world);

/* outbound.c */
bool outbound_leaves(const struct call *call, const struct bound_step *bound); /* the ask of this step */
/* Hands the ask under way to the sink; `body` stays the caller's. */
void outbound_begin(struct call *call, const struct bound_step *bound, const struct trace_context *context,
                    const struct body *body);
void outbound_end(struct call *call);
/* The call whose ask this request is, which has now arrived; NULL: a stranger's. */
struct call *outbound_arrives(struct world *world, const struct world_request *request);
/* timeline.c */
/* Takes over where the timeline ends: what was asked for, within the scenario's own. */
void timeline_end_at(struct world *world, int64_t duration_ns);
void timeline_start(struct world *world);
void timeline_arm_sample(struct world *world);
void timeline_cancel(struct world *world); /* phases and faults that are still to come */

/* load.c */
void load_start(struct world *world);
void load_start_demo(struct world *world, double scale);
void load_stop(struct world *world, bool demo_only);
void load_go_on(struct world *world); /* the baseline, behind a demo that is stopped before its end */
/* stats.c */
void stats_start(struct world *world);
void stats_restart(struct world *world); /* empties what belongs to the timeline: windows, minutes, alerts */
void stats_free(struct world *world);
size_t stats_minutes(const struct scenario *scenario); /* that the duration touches */
void stats_sample(struct world *world); /* figures that are read, not counted: gauges, the shop's */
struct edge_stats *stats_edge(struct world *world, const char *from, const char *to);
/* The stream's window that an expectation at an instant, or of a window, is about. */
const struct window *stats_expected(const struct world *world, const struct expect_spec *expect,
                                    size_t stream);
/* For who watches: also what only warms up. */
void stats_seen(struct stream_stats *stats, int64_t on_timeline_ns, bool failed);
/* `on_timeline_ns` negative: in no window. */
void stats_root(struct stream_stats *stats, int64_t on_timeline_ns, int64_t latency_ns, bool failed);
/* figure.c: the values of series (core/probe.h) */
double figure_now(const struct world *world, const struct probe *probe);
/* What a counter of PROBE_RATE is one of: requests, look-ups. */
double figure_base(const struct world *world, const struct probe *probe);
/* Adds all durations of a distribution so far. */
void figure_spread(const struct world *world, const struct probe *probe, struct histogram *into);
/* The most that a level has been, where it is counted without a gap; false: it is only sampled. */
bool figure_peak(const struct world *world, const struct probe *probe, double *peak);
/* stretch.c: what series did between two instants, as seen at the samples */
struct stretch {
    bool begun, ended;
    double top, bottom; /* a counter's growth, and that of what it is one of */
    double low, high; /* a level's */
    struct histogram *spread; /* a distribution's, else NULL */
};
void stretches_start(struct world *world); /* anew, if there are any */
void stretches_free(struct world *world);
void stretches_sample(struct world *world);
const struct stretch *stretch_of(const struct world *world, size_t expect);
/* instrument.c: metrics of what alerts watch, so that rules elsewhere can watch it too */
void instruments_bind(struct world *world);
void instruments_sample(struct world *world);
void instruments_free(struct world *world);
/* alert.c */
struct alerts *alerts_new(struct world *world);
void alerts_free(struct alerts *alerts);
void alerts_judge(struct world *world, int64_t now_ns);
/* A request that never got as far as the route's first step; NULL: nobody has such a route. */
void route_unmet(struct world *world, const struct bound_route *route);
/* script.c */
/* Fault `index` of the run: false where there is no such route, or service. */
bool script_bind(struct world *world, const struct fault_spec *fault, size_t index);
/* A call of a route with scripted faults has come: true when it has to wait; its timer then wakes it. Where
   it is false the call may have ended. */
bool script_holds(struct call *call);
/* The wait is over, or (`cut`) as much of it as the caller waits for. True: there is another. */
bool script_woken(struct call *call, bool cut);
bool script_loses(struct call *call, const struct bound_step *bound); /* the ask of this step */
void script_sample(struct world *world); /* the share that fails now, for figures */
bool script_landed(const struct fault_stats *stats, struct text *evidence);
/* fault.c */
void faults_bind(struct world *world);
void fault_apply(struct world *world, size_t index);
/* evidence.c */
void evidence_begin(struct world *world, size_t index); /* the fault is about to be applied */
void faults_judge(struct world *world);
struct pool *fault_pool(struct world *world, const char *name, size_t nth); /* NULL: no more of that name */
bool evidence_is_stores(const struct fault_spec *fault); /* the store alone can tell, of what only it knows */
void evidence_judge(struct world *world, struct fault_stats *stats);
/* gather.c: peaks since the last sample, or since a fault on a pool, are about to begin anew */
void gather_keep_peaks(struct gather *gather);
/* expect.c */
void expects_judge(struct world *world);

#endif
