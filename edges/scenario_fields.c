#include "edges/scenario_fields.h"

#include "core/curve.h"
#include "core/scenario.h"
#include "edges/scenario_formats.h"

/* clang-format off */
#define STRING(format_) {.kind = SHAPE_STRING, .format = &(format_)}
#define WHOLE(low_, high_) {.kind = SHAPE_INTEGER, .low = (low_), .high = (high_)}
#define NUMBER(low_, high_) {.kind = SHAPE_NUMBER, .low = (low_), .high = (high_)}
#define WORDS(...) {.kind = SHAPE_CHOICE, .choices = {__VA_ARGS__}}
#define LIST_OF(item_, low_, high_) {.kind = SHAPE_LIST, .item = &(item_), .low = (low_), .high = (high_)}
#define NAMED(item_, low_, high_) \
    {.kind = SHAPE_NAMED, .item = &(item_), .other = &name, .low = (low_), .high = (high_)}
#define PAIR_OF(item_, other_) {.kind = SHAPE_PAIR, .item = &(item_), .other = &(other_)}
#define EITHER_OF(item_, other_) {.kind = SHAPE_EITHER, .item = &(item_), .other = &(other_)}
#define MAP_OF(fields_, ...) {.kind = SHAPE_MAP, .fields = (fields_), ##__VA_ARGS__}
#define FIELD(key_, shape_, about_, ...) {.key = (key_), .shape = &(shape_), .about = (about_), ##__VA_ARGS__}
#define FIELDS_END {.key = NULL}
/* clang-format on */

/* ---- Values ---- */

static const struct shape version = WHOLE(1, 1);
static const struct shape name = {.kind = SHAPE_STRING, .format = &format_name, .definition = "name"};
static const struct shape label = STRING(format_label);
static const struct shape story = STRING(format_story);
static const struct shape call = STRING(format_call);
static const struct shape route = STRING(format_route);
static const struct shape duration = {
    .kind = SHAPE_STRING, .format = &format_duration, .definition = "duration"};
static const struct shape delay = STRING(format_delay);
static const struct shape fine_duration = STRING(format_fine_duration);
static const struct shape rate = {.kind = SHAPE_STRING, .format = &format_rate, .definition = "rate"};
static const struct shape rate_point = PAIR_OF(duration, rate);
static const struct shape rate_points = LIST_OF(rate_point, 1, CURVE_POINTS_MAX);
static const struct shape rate_curve = EITHER_OF(rate, rate_points);
static const struct shape rows = WHOLE(0, 100000000);
static const struct shape rows_point = PAIR_OF(duration, rows);
static const struct shape rows_points = LIST_OF(rows_point, 1, CURVE_POINTS_MAX);
static const struct shape rows_curve = EITHER_OF(rows, rows_points);
static const struct shape percent = STRING(format_percent);
static const struct shape part = NUMBER(0, 1);
static const struct shape share = EITHER_OF(part, percent);
static const struct shape bound_number = NUMBER(0, 1e12);
static const struct shape bound_text = STRING(format_bound);
static const struct shape bound = {
    .kind = SHAPE_EITHER, .item = &bound_number, .other = &bound_text, .definition = "bound"};
static const struct shape factor = NUMBER(0.001, 1000);
static const struct shape sigma = NUMBER(0, 2);
static const struct shape cores = WHOLE(1, 1024);
static const struct shape product_id = WHOLE(1, 10000000); /* the model keeps no more rows */
static const struct shape stock = WHOLE(0, 1000000000);
static const struct shape replicas = WHOLE(0, 7);
static const struct shape connections = WHOLE(1, 10000), held = WHOLE(0, 10000);
static const struct shape carts = WHOLE(0, 1000000);
static const struct shape keys = WHOLE(1, 10000000);
static const struct shape mailbox = WHOLE(1, 1000000);
static const struct shape traffic = WORDS("baseline", "demo");
static const struct shape via = WORDS("mailbox", "http");
static const struct shape physics = WORDS("emergent", "scripted");
static const struct shape cancel = WORDS("never", "on_deadline");

/* ---- Traffic and phases ---- */

static const struct shape table = LIST_OF(duration, 0, TABLE_POINTS_MAX);

static const struct shape number_weight = NUMBER(0, 1e6);
static const struct shape weight = EITHER_OF(number_weight, percent);
static const struct shape mix = NAMED(weight, 1, JOURNEYS_MAX);
static const struct shape mix_from = PAIR_OF(duration, mix);
static const struct shape mixes_from = LIST_OF(mix_from, 1, MIXES_MAX);
static const struct shape mixes = EITHER_OF(mix, mixes_from);
static const struct shape page_count = WHOLE(1, VISIT_PAGES_MAX);
static const struct shape pages = PAIR_OF(page_count, page_count);
static const struct shape product_always_there = WHOLE(1, 1600);
static const struct shape burst_count = WHOLE(1, 10000);
static const struct shape burst_rounds = WHOLE(1, 1000);

static const struct field visit_fields[] = {
    FIELD("think_mean", duration, "Mean pause between two requests of a visit, exponential.",
          .fallback = "2s", INTO(struct visit_spec, think_mean_ns)),
    FIELD("think_max", duration, "The longest pause: longer ones are cut.", .fallback = "10s",
          INTO(struct visit_spec, think_max_ns)),
    FIELD("pages", pages, "Fewest and most pages that a visitor sees who looks around; [2, 5] if not said."),
    FIELD("hot_product", product_always_there, "A product that many come for."),
    FIELD("hot_share", share, "The share of visits that want it, instead of any other.", .fallback = "0",
          INTO(struct visit_spec, hot_share)),
    FIELD("leave", share, "The share of those who fill a cart and leave without buying.", .fallback = "0.667",
          INTO(struct visit_spec, leave_share)),
    FIELDS_END};
const struct shape shape_visit = {.kind = SHAPE_MAP,
                                  .definition = "visit",
                                  .fields = visit_fields,
                                  .rules = {{"hot_product", {"hot_share"}}, {"hot_share", {"hot_product"}}}};

static const struct field burst_fields[] = {
    FIELD("at", duration, "When the first one begins.", .required = true, INTO(struct burst_spec, at_ns)),
    FIELD("count", burst_count, "How many come in each.", .required = true, INTO(struct burst_spec, count)),
    FIELD("within", duration, "They come evenly spread over this.", .required = true,
          INTO(struct burst_spec, within_ns)),
    FIELD("every", duration, "From one burst to the next.", .fallback = "0s",
          INTO(struct burst_spec, every_ns)),
    FIELD("rounds", burst_rounds, "How many bursts.", .fallback = "1", INTO(struct burst_spec, rounds)),
    FIELDS_END};
const struct shape shape_bursts = {.kind = SHAPE_MAP,
                                   .definition = "bursts",
                                   .fields = burst_fields,
                                   .rules = {{"every", {"rounds"}}, {"rounds", {"every"}}}};

static const struct field stream_fields[] = {
    FIELD("journey", name, "A journey of the load generator: browse, checkout."),
    FIELD("journeys", mixes,
          "A mix of journeys with their weights {buy: 15%, look_around: 60%}, or mixes that change [[at, "
          "mix]]."),
    FIELD("call", call, "Instead of a journey, a route to call directly: SERVICE METHOD /path."),
    FIELD("rate", rate_curve,
          "Journeys begun a minute (800/min, 5/s): constant, or a curve of points [at, rate].",
          INTO(struct stream_spec, rate_per_min)),
    FIELD("bursts", shape_bursts, "Instead of a rate: so many at once, again and again."),
    FIELD("scale", factor, "Multiplies the whole rate: 0.5 is half the traffic.", .fallback = "1"),
    FIELD("visit", shape_visit, "How those behave whose journeys take several requests."),
    FIELD("traffic", traffic,
          "The traffic.type of its traces; baseline for a stream of that name, else demo."),
    FIELD("via", via, "How its requests reach the shop; http only where there are sockets: doorbuster run.",
          .fallback = "mailbox", INTO(struct stream_spec, via_http)),
    FIELD("table", table, "The points of time that the report's table shows, each of 60 s around it."),
    FIELDS_END};
const struct shape shape_stream = {.kind = SHAPE_MAP,
                                   .definition = "stream",
                                   .fields = stream_fields,
                                   .rules = {{.keys = {"journey", "journeys", "call"}},
                                             {.keys = {"rate", "bursts"}},
                                             {"scale", {"rate"}},
                                             {"visit", {"journey", "journeys"}}}};
static const struct shape streams = NAMED(shape_stream, 1, STREAMS_MAX);

static const struct shape phase = PAIR_OF(duration, label);
static const struct shape phases = LIST_OF(phase, 1, PHASES_MAX);

/* ---- Services and stores ---- */

static const struct field work_fields[] = {
    FIELD("p50", duration, "The median.", .required = true, INTO(struct duration_dist, p50_ns)),
    FIELD("p99", duration, "The 99th percentile; the same as p50 means constant.", .required = true,
          INTO(struct duration_dist, p99_ns)),
    FIELDS_END};
const struct shape shape_work = {.kind = SHAPE_MAP, .definition = "work", .fields = work_fields};

static const struct field pool_fields[] = {
    FIELD("max", connections, "Connections at most.", INTO(struct pool_spec, max)),
    FIELD("acquire_timeout", duration, "How long a request waits for a connection before it fails.",
          INTO(struct pool_spec, acquire_timeout_ns)),
    FIELDS_END};
const struct shape shape_pool = {.kind = SHAPE_MAP, .definition = "pool", .fields = pool_fields};
static const struct shape pools = NAMED(shape_pool, 0, SERVICE_POOLS_MAX);
static const struct shape variants = NAMED(name, 0, SERVICE_VARIANTS_MAX);

static const struct field service_fields[] = {
    FIELD("work", shape_work, "Its own service time, log-normal."),
    FIELD("pools", pools, "Its connection pools, by name."),
    FIELD("variants", variants, "Which variant of a route it takes: recommendations: own."),
    FIELD("mailbox", mailbox, "Messages that may wait for it; beyond it refuses with 503.",
          INTO(struct service_spec, mailbox_max)),
    FIELDS_END};
const struct shape shape_service = {.kind = SHAPE_MAP, .definition = "service", .fields = service_fields};
static const struct shape services = NAMED(shape_service, 0, SERVICES_MAX);

static const struct field hot_product_fields[] = {
    FIELD("id", product_id, "The product.", .required = true),
    FIELD("stock", stock, "Its pieces at the start.", .required = true), FIELDS_END};
static const struct shape hot_product = MAP_OF(hot_product_fields);

static const struct field postgresql_fields[] = {
    FIELD("cores", cores, "Cores that all running statements share.", .fallback = "8",
          INTO(struct postgresql_spec, cores)),
    FIELD("max_connections", connections, "Connections over all pools; beyond it refuses with 53300.",
          .fallback = "100", INTO(struct postgresql_spec, max_connections)),
    FIELD("read_replicas", replicas, "Further servers of the same size, for reads.", .fallback = "0",
          INTO(struct postgresql_spec, read_replicas)),
    FIELD("products", rows_curve, "Rows of the products table: constant, or a curve of points [at, rows].",
          .fallback = "500000", INTO(struct postgresql_spec, products)),
    FIELD("scan", fine_duration, "CPU time to scan one row.", .fallback = "0.16us",
          INTO(struct postgresql_spec, scan_ns_per_row)),
    FIELD("jitter", sigma, "Log-normal spread (sigma) of a statement's CPU time.", .fallback = "0.25",
          INTO(struct postgresql_spec, jitter_sigma)),
    FIELD("cancel", cancel, "Whether a statement stops when its caller has given up.", .fallback = "never",
          INTO(struct postgresql_spec, cancel_on_deadline)),
    FIELD("lock_hold", duration, "How long a reservation keeps its product's row beyond its own CPU time.",
          .fallback = "0s", INTO(struct postgresql_spec, lock_hold_ns)),
    FIELD("lock_timeout", duration,
          "A statement that has waited this long for a row fails with 55P03; it waits on if not said.",
          INTO(struct postgresql_spec, lock_timeout_ns)),
    FIELD("hot_product", hot_product, "A product with a stock of its own."),
    FIELD("database", name, "Its name in telemetry.", .fallback = "ecommerce",
          INTO(struct postgresql_spec, database)),
    FIELD("host", label, "Its host in telemetry.", .fallback = "postgresql-primary-0",
          INTO(struct postgresql_spec, host)),
    FIELDS_END};
const struct shape shape_postgresql = MAP_OF(postgresql_fields);

static const struct field redis_fields[] = {
    FIELD("work", shape_work, "Time of one command, log-normal."),
    FIELD("carts", carts, "Carts there at the start.", .fallback = "1000", INTO(struct redis_spec, carts)),
    FIELD("keys_max", keys, "Keys at most; the least recently used is dropped beyond it.",
          .fallback = "100000", INTO(struct redis_spec, keys_max)),
    FIELD("cart_ttl", duration, "How long an untouched cart lives.", .fallback = "30m",
          INTO(struct redis_spec, cart_ttl_ns)),
    FIELDS_END};
const struct shape shape_redis = MAP_OF(redis_fields);

/* ---- Faults ---- */

static const struct shape delay_step = PAIR_OF(duration, delay), share_step = PAIR_OF(duration, share);
static const struct shape delay_steps = LIST_OF(delay_step, 1, SCRIPT_STEPS_MAX);
static const struct shape share_steps = LIST_OF(share_step, 1, SCRIPT_STEPS_MAX);

static const struct field fault_pool_max_fields[] = {
    FIELD("pool", name, "The pool.", .required = true),
    FIELD("max", connections, "Its connections from now on.", .required = true), FIELDS_END};
static const struct field fault_timeout_fields[] = {
    FIELD("pool", name, "The pool.", .required = true),
    FIELD("limit", duration, "How long a request waits from now on.", .required = true), FIELDS_END};
static const struct field fault_hold_fields[] = {
    FIELD("pool", name, "The pool.", .required = true),
    FIELD("count", held, "Connections taken and kept idle; 0 gives them back.", .required = true),
    FIELDS_END};
static const struct field fault_slow_fields[] = {
    FIELD("service", name, "The service.", .required = true),
    FIELD("factor", factor, "Multiplies its service time; 1 mends it.", .required = true), FIELDS_END};
static const struct field fault_query_fields[] = {
    FIELD("service", name, "The service.", .required = true),
    FIELD("delay", duration, "How much longer its statements hold their connection; 0s mends it.",
          .required = true),
    FIELDS_END};
static const struct field fault_delay_fields[] = {
    FIELD("service", name, "The service.", .required = true),
    FIELD("route", route, "Its route: METHOD /path, as in the traces.", .required = true),
    FIELD("min", duration, "The shortest delay."),
    FIELD("max", duration, "The longest; 0s mends it."),
    FIELD("steps", delay_steps,
          "Instead of min and max, points [at, delay]: each holds until the next; nothing before the first."),
    FIELD("missing_index", name, "The index whose absence the delay plays: slow ones are told as such."),
    FIELDS_END};
static const struct field fault_failures_fields[] = {
    FIELD("service", name, "The service.", .required = true),
    FIELD("route", route, "Its route: METHOD /path, as in the traces.", .required = true),
    FIELD("rate", share, "The share of its requests that fail; 0% mends it."),
    FIELD("steps", share_steps,
          "Instead of rate, points [at, share]: each holds until the next; nothing before the first."),
    FIELD("after", duration, "How long a request waits before it fails.", .fallback = "0s"),
    FIELDS_END};
static const struct field fault_loss_fields[] = {
    FIELD("from", name, "The service that asks.", .required = true),
    FIELD("to", name, "The service asked, or redis.", .required = true),
    FIELD("rate", share, "The share of the asks that get lost; 0% mends it."),
    FIELD("steps", share_steps, "Instead of rate, points [at, share]: each holds until the next."),
    FIELDS_END};
static const struct shape fault_pool_max = MAP_OF(fault_pool_max_fields);
static const struct shape fault_timeout = MAP_OF(fault_timeout_fields);
static const struct shape fault_hold = MAP_OF(fault_hold_fields);
static const struct shape fault_slow = MAP_OF(fault_slow_fields);
static const struct shape fault_query = MAP_OF(fault_query_fields);
static const struct shape fault_delay =
    MAP_OF(fault_delay_fields, .rules = {{NULL, {"min", "steps"}}, {"min", {"max"}}, {"max", {"min"}}});
static const struct shape fault_failures =
    MAP_OF(fault_failures_fields, .rules = {{NULL, {"rate", "steps"}}});
static const struct shape fault_loss = MAP_OF(fault_loss_fields, .rules = {{NULL, {"rate", "steps"}}});

static const struct field fault_fields[] = {
    FIELD("at", duration, "When, on the timeline.", .required = true),
    FIELD("drop_index", name, "Drops this index: plans change at once."),
    FIELD("create_index", name, "Creates this index: plans change at once."),
    FIELD("pool_max", fault_pool_max, "Resizes a connection pool."),
    FIELD("acquire_timeout", fault_timeout, "Changes how long requests wait for a connection."),
    FIELD("hold_connections", fault_hold, "Takes connections out of a pool and keeps them."),
    FIELD("read_replicas", replicas, "Switches PostgreSQL's read replicas."),
    FIELD("service_down", name, "Stops a service: calls to it find no peer."),
    FIELD("service_up", name, "Starts a stopped service again."),
    FIELD("service_slow", fault_slow, "Makes a service slower."),
    FIELD("query_delay", fault_query, "Makes a service's statements hold their connection for longer."),
    FIELD("table_growth", rows, "Rows of the products table from now on, instead of the curve."),
    FIELD("route_delay", fault_delay, "Physics scripted: delays a route's requests, holding no connection."),
    FIELD("route_failures", fault_failures, "Physics scripted: fails some of a route's requests with 503."),
    FIELD("message_loss", fault_loss, "Physics scripted: loses some of what one service asks of another."),
    FIELDS_END};
static const struct shape fault = {
    .kind = SHAPE_MAP,
    .definition = "fault",
    .fields = fault_fields,
    .rules = {{.keys = {"drop_index", "create_index", "pool_max", "acquire_timeout", "hold_connections",
                        "read_replicas", "service_down", "service_up", "service_slow", "query_delay",
                        "table_growth", "route_delay", "route_failures", "message_loss"}}}};
static const struct shape faults = LIST_OF(fault, 0, FAULTS_MAX);

/* ---- Alerts and expectations ---- */

static const struct shape conditions = LIST_OF(shape_condition, 1, CONDITIONS_MAX);

/* clang-format off */
#define CONDITION_FIELDS \
    FIELD("series", label, "What is watched: demo.errors, pool.recommendations.waiters, logs.pool_exhausted."), \
    FIELD("per", label, "Divided by this series: demo.requests."), \
    FIELD("quantile", share, "Of a latency or wait: 95%.", INTO(struct condition, quantile)), \
    FIELD("over", duration, "Counted over this window; a level is taken now.", INTO(struct condition, over_ns)), \
    FIELD("above", bound, "True above this: 70%, 0.7, a count, or 500ms of a latency.", INTO(struct condition, bound)), \
    FIELD("below", bound, "True below this.", INTO(struct condition, bound)), \
    FIELD("for", duration, "And so without a break for this long.", INTO(struct condition, for_ns)), \
    FIELD("all", conditions, "True when all of these are."), \
    FIELD("any", conditions, "True when any of these is."), \
    FIELD("not", shape_condition, "True when this is not.")

#define CONDITION_RULES \
    {{.keys = {"series", "all", "any", "not"}}, \
     {"series", {"above", "below"}}, {"above", {"series"}}, {"below", {"series"}}, \
     {"per", {"series"}}, {"quantile", {"series"}}, {"over", {"series"}}, {"for", {"series"}}}
/* clang-format on */

static const struct field condition_fields[] = {CONDITION_FIELDS, FIELDS_END};
const struct shape shape_condition = {
    .kind = SHAPE_MAP, .definition = "condition", .fields = condition_fields, .rules = CONDITION_RULES};

static const struct field stage_fields[] = {
    CONDITION_FIELDS, FIELD("within", duration, "At most this long after the stage before it."), FIELDS_END};
const struct shape shape_stage = {
    .kind = SHAPE_MAP, .definition = "stage", .fields = stage_fields, .rules = CONDITION_RULES};
static const struct shape flow = LIST_OF(shape_stage, 2, CONDITIONS_MAX);

static const struct field burn_rate_fields[] = {
    FIELD("stream", name, "The stream it judges, or all.", .fallback = "all"),
    FIELD("objective", share, "The share of requests that must succeed: 99%.", .required = true,
          INTO(struct alert_spec, objective)),
    FIELD("factor", factor, "Fires when the error budget burns this many times too fast.", .required = true,
          INTO(struct alert_spec, factor)),
    FIELD("long", duration, "The window that makes it sure.", .required = true,
          INTO(struct alert_spec, long_ns)),
    FIELD("short", duration, "The window that makes it stop soon.", .required = true,
          INTO(struct alert_spec, short_ns)),
    FIELDS_END};
const struct shape shape_burn_rate = MAP_OF(burn_rate_fields);

static const struct field alert_fields[] = {
    FIELD("name", name, "Unique.", .required = true, INTO(struct alert_spec, name)),
    FIELD("when", shape_condition, "Fires while this is true."),
    FIELD("flow", flow, "Fires when stages come true one after another, each within its frame."),
    FIELD("burn_rate", shape_burn_rate, "Fires when the error budget burns too fast over both windows."),
    FIELDS_END};
const struct shape shape_alert = {.kind = SHAPE_MAP,
                                  .definition = "alert",
                                  .fields = alert_fields,
                                  .rules = {{.keys = {"when", "flow", "burn_rate"}}}};
static const struct shape alerts = LIST_OF(shape_alert, 0, ALERTS_MAX);

static const struct shape expectation = STRING(format_expectation);
static const struct shape expectations = LIST_OF(expectation, 0, EXPECTS_MAX);

/* ---- The file ---- */

static const struct field scenario_fields[] = {
    FIELD("doorbuster", version, "The version of this format.", .required = true),
    FIELD("name", name, "The scenario's name, as in its file name.", .required = true,
          INTO(struct scenario, name)),
    FIELD("story", story, "What happens and why, in a sentence.", .required = true,
          INTO(struct scenario, story)),
    FIELD("duration", duration, "Length of the timeline.", .required = true,
          INTO(struct scenario, duration_ns)),
    FIELD("physics", physics, "Whether every failure has a cause, or routes may also fail by script.",
          .fallback = "emergent", INTO(struct scenario, scripted)),
    FIELD("streams", streams, "Open-loop traffic, by name.", .required = true),
    FIELD("phases", phases, "Chapters of the timeline, [at, name]; the first begins at 0m.",
          .required = true),
    FIELD("services", services, "Settings of services, by their service.name."),
    FIELD("postgresql", shape_postgresql, "The modelled database."),
    FIELD("redis", shape_redis, "The modelled cache."),
    FIELD("faults", faults, "What goes wrong, and what mends it."),
    FIELD("alerts", alerts, "Alert rules, judged every 15 s."),
    FIELD("expect", expectations,
          "What must come true, like \"demo.errors at 20m: rate within 0.73..0.83\"."),
    FIELDS_END};
const struct shape shape_scenario = MAP_OF(scenario_fields);
