/*
 * probe: the names under which alerts and expectations speak of the running world, and what kind of
 * figure each one is.
 *
 *     STREAM.requests  STREAM.errors  STREAM.latency         STREAM may be `all`
 *     pool.NAME.waiters  pool.NAME.used  pool.NAME.timeouts  pool.NAME.wait
 *     query.STATEMENT.latency  query.STATEMENT.cpu
 *     database.active  database.connections  database.lock_wait  database.lock_timeouts
 *     cache.hits  script.failure_rate
 *     logs.slow_query  logs.pool_exhausted
 *     trace.depth  trace.services  trace.spans
 *     business.orders  business.revenue  business.sold_out  business.abandoned
 *     business.hot_sold  business.hot_left
 *
 * One line of the table in probe.c is one series; its value comes from figure.c. A probe points to the name
 * it was read from and to the registry's name of the pool: both must outlive it.
 */
#ifndef CORE_PROBE_H
#define CORE_PROBE_H

#include "core/actor.h"
#include "core/text.h"

enum probe_nature {
    PROBE_COUNTER, /* only grows: a window holds what it grew by */
    PROBE_LEVEL, /* what it is now: a window holds its highest and its lowest */
    PROBE_DISTRIBUTION, /* of durations: a window holds those that ended in it */
    PROBE_WHOLE, /* a figure of the whole run, known at its end: nothing for alerts */
    PROBE_MOST /* likewise, the most of something */
};

/* What is said of a series by itself, without a denominator of its own. */
enum probe_unit {
    PROBE_COUNT,
    PROBE_RATE, /* of a COUNTER: per what it is one of - requests, look-ups; else a share of 0 to 1 */
    PROBE_SECONDS
};

struct probe_type {
    enum probe_nature nature;
    enum probe_unit unit;
    bool healthy; /* a COUNTER that stands still while all is well: known of a past that was healthy */
};

const struct probe_type *probe_type(enum probe_kind kind);

/* Whether it is a stream's own, or that of all. */
static inline bool probe_of_stream(enum probe_kind kind)
{
    return kind == PROBE_REQUESTS || kind == PROBE_ERRORS || kind == PROBE_LATENCY;
}

/* False: `error` says what was expected and found. */
bool probe_parse(const char *text, const struct scenario *scenario, const struct registry *registry,
                 struct probe *out, struct text *error);

/* Whether a stream of that name would be taken for something else. */
bool probe_name_reserved(const char *stream);

/* The pool's name as the registry has it, NULL when no service has such a pool. */
const char *probe_pool(const struct registry *registry, const char *name, size_t len);

#endif
