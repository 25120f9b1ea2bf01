/*
 * otlp_export: spans, logs and metrics to an OTLP backend over HTTP, on a libev loop that never waits for it
 * (OpenTelemetry protocol 1.11, OTLP/HTTP; batching as in the SDK specification).
 *
 * The three record functions fit struct sink. Records are encoded as they come and gathered; a batch of 512,
 * or one whose oldest record has waited 5 s (logs 1 s), goes to its signal's queue. Each signal has one
 * request in flight. 429, 502, 503, 504, time-outs and connections that fail are tried again, after what
 * Retry-After says or else 1 s to 5 s with jitter, as long as the queue holds; anything else is final.
 *
 * The bytes of all signals together are bounded (OTLP_QUEUE_BYTES; passed by one record and the envelopes
 * of its batch at most). Beyond, the newest are dropped. At any time, for each signal,
 *
 *     produced == accepted + dropped, all reasons + queued
 *
 * where metrics are counted in data points. The loop, the environment and the names of services are the
 * caller's and outlive the exporter.
 */
#ifndef EDGES_OTLP_EXPORT_H
#define EDGES_OTLP_EXPORT_H

#include <ev.h>
#include <signal.h>

#include "edges/otlp_env.h"

#define OTLP_QUEUE_BYTES ((size_t)128 << 20)

enum otlp_drop {
    OTLP_DROP_QUEUE_FULL,
    OTLP_DROP_REFUSED, /* by the backend, with a status that is not to be tried again */
    OTLP_DROP_TOO_LARGE, /* 413, or more than OTLP_REQUEST_BYTES_MAX */
    OTLP_DROP_REJECTED, /* partial success */
    OTLP_DROP_TIMEOUT, /* the export timeout of a variable has passed */
    OTLP_DROP_SHUTDOWN, /* still there when the exporter was closed */
    OTLP_DROPS
};

#define OTLP_REQUEST_BYTES_MAX ((size_t)64 << 20)

/* Items that a status code has cost. */
enum { OTLP_CODES_MAX = 8, OTLP_CODE_OURS = -1 };
struct otlp_code {
    long code; /* 0: codes beyond the first seven; OTLP_CODE_OURS: it was never sent, being too large */
    uint64_t items;
};

struct otlp_export_stats {
    uint64_t produced, accepted, dropped[OTLP_DROPS];
    uint64_t queued; /* gathered, waiting and in flight */
    uint64_t in_flight; /* of those: of the request that is tried, or waits to be tried again */
    uint64_t unsampled; /* spans; not among those produced */
    size_t queued_bytes;
    uint64_t attempts, retries, requests_accepted; /* HTTP requests */
    uint64_t bytes_sent; /* bodies of all attempts, as sent */
    struct otlp_code codes[OTLP_CODES_MAX]; /* of what was refused */
};

struct otlp_export_options {
    struct otlp_source source; /* its `machine` and `more` are set from the environment */
    const struct otlp_env *env;
    bool virtual; /* the run has no machine in it */
    size_t queue_bytes; /* 0: OTLP_QUEUE_BYTES */
    /* What a person should know, a line each; at most a few a minute. May be NULL. */
    void (*say)(void *owner, const char *line);
    void *owner;
};

struct otlp_export;

struct otlp_export *otlp_export_open(struct ev_loop *loop, const struct otlp_export_options *options);

void otlp_export_span(void *otlp_export, const struct span *span);
void otlp_export_log(void *otlp_export, const struct log_record *record);
/* Exports when the interval since the last export has passed on the timeline. */
void otlp_export_metrics(void *otlp_export, const struct metrics *metrics, int64_t at_ns);

/* The metrics of the end, whatever the interval; once, after the last record. */
void otlp_export_last_metrics(struct otlp_export *otlp_export, const struct metrics *metrics, int64_t at_ns);

/* Sends what is gathered without waiting for more, and cuts waits for another attempt short, unless the
   backend itself asked for them. Does not wait. */
void otlp_export_push(struct otlp_export *otlp_export);
bool otlp_export_idle(const struct otlp_export *otlp_export); /* nothing gathered, queued or in flight */

bool otlp_export_heard(const struct otlp_export *otlp_export); /* a backend has answered, whatever it said */

/* Pushes, and runs the loop until nothing is left, *stop is set (if `stop` is given), or limit_ms are over;
   without a limit (0) until the backend has taken nothing for OTLP_PATIENCE_S, or for OTLP_PATIENCE_UNHEARD_S where
   none has ever answered. False: something is left. */
enum { OTLP_PATIENCE_S = 30, OTLP_PATIENCE_UNHEARD_S = 5 };
bool otlp_export_flush(struct otlp_export *otlp_export, int64_t limit_ms, const volatile sig_atomic_t *stop);

/* For a driver that makes records faster than a backend takes them: to be called between turns. Lets the
   loop run, and when the queue is over half its bound, until it no longer is, with the same exceptions. */
void otlp_export_relieve(struct otlp_export *otlp_export, const volatile sig_atomic_t *stop);

struct otlp_export_stats otlp_export_stats(const struct otlp_export *otlp_export, enum otlp_signal signal);

/*
 * What the exporter tells of itself (conventions 1.44, SDK metrics), up to date until the next call, as series of
 * the source's process_service. Of spans and log records, all outcomes together,
 *
 *     started == processed + queue.size        processed without an error == exported + inflight
 *
 * and of data points, which have no processor, what was lost before is among the exported, with its reason. Where the
 * run has a machine in it, it is exported with the other metrics.
 */
const struct metrics *otlp_export_self(struct otlp_export *otlp_export);

/* Ends requests in flight. What is left counts as dropped; `stats` may be NULL. */
void otlp_export_close(struct otlp_export *otlp_export, struct otlp_export_stats stats[OTLP_SIGNALS]);

#endif
