/*
 * otlp_env: the OTEL_* variables (OpenTelemetry specification, "Environment variables" and "OTLP exporter
 * configuration"), read once at start.
 *
 * Empty is unset; of a general variable and a signal's own the signal's wins. What cannot be read is
 * warned about, a line each, and the default holds. Values of headers are secrets and never shown. A signal
 * without an endpoint is not exported. Everything here is owned by the struct; otlp_env_fini frees.
 */
#ifndef EDGES_OTLP_ENV_H
#define EDGES_OTLP_ENV_H

#include "core/text.h"
#include "edges/otlp_source.h"

enum { OTLP_HEADERS_MAX = 32 };

struct otlp_signal_env {
    bool wanted;
    char *url; /* complete; NULL: no endpoint was named */
    bool json, gzip;
    int64_t timeout_ms; /* of one attempt */
    char *headers[OTLP_HEADERS_MAX]; /* "Name: value" */
    size_t header_count;
    char *certificate, *client_key, *client_certificate; /* files; NULL: the system's, none */
    int64_t delay_ms; /* the longest a record waits for its batch to fill */
    int64_t give_up_ms; /* after the first attempt; 0: while it fits the queue */
    unsigned batch_items;
    unsigned queue_items; /* 0: the queue is bounded in bytes alone */
};

enum otlp_sampler { OTLP_SAMPLE_ALL, OTLP_SAMPLE_NONE, OTLP_SAMPLE_RATIO };

struct otlp_env {
    bool disabled; /* OTEL_SDK_DISABLED */
    struct otlp_signal_env signals[OTLP_SIGNALS];
    int64_t metric_interval_ms;
    struct otlp_point_options points;
    enum otlp_sampler sampler;
    bool parent_based;
    double ratio;
    struct otlp_limits limits[OTLP_SIGNALS]; /* of attributes */
    bool no_links;
    bool no_propagation; /* OTEL_PROPAGATORS=none: the exporter and OTEL_SDK_DISABLED are no part of it */
    struct otlp_machine machine;
    struct otlp_pair more[OTLP_MORE_PAIRS_MAX]; /* OTEL_RESOURCE_ATTRIBUTES */
    size_t more_count;
};

struct otlp_env_options {
    const char *(*get)(void *owner, const char *name); /* NULL: getenv */
    void *owner;
    const char *endpoint; /* of the command line: stands for all endpoints of the environment; or NULL */
    struct text *warnings;
};

/* False: the command line's endpoint is not a http or https URL; explained among the warnings. */
bool otlp_env_read(struct otlp_env *env, const struct otlp_env_options *options);
void otlp_env_fini(struct otlp_env *env);

/* Whether anything is to be exported. */
bool otlp_env_wanted(const struct otlp_env *env);

#endif
