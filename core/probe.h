/*
 * probe: the names under which alerts and expectations speak of the running world.
 *
 *     STREAM.requests  STREAM.errors  STREAM.latency         STREAM may be `all`
 *     pool.NAME.waiters  pool.NAME.used  pool.NAME.timeouts
 *     logs.slow_query  logs.pool_exhausted
 *     trace.depth  trace.services  trace.spans
 *     business.orders  business.revenue
 *
 * A probe points to the name it was read from and to the registry's name of the pool: both must outlive it.
 */
#ifndef CORE_PROBE_H
#define CORE_PROBE_H

#include "core/actor.h"
#include "core/text.h"

/* False: `error` says what was expected and found. */
bool probe_parse(const char *text, const struct scenario *scenario, const struct registry *registry,
                 struct probe *out, struct text *error);

/* Whether a stream of that name would be taken for something else. */
bool probe_name_reserved(const char *stream);

/* The pool's name as the registry has it, NULL when no service has such a pool. */
const char *probe_pool(const struct registry *registry, const char *name, size_t len);

#endif
