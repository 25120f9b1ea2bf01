/*
 * otlp_outlet: the OTLP exporter of a run: from the environment and the session to its sink, and at the end
 * what became of it, on stderr.
 *
 * Open it when the run is prepared and close it after the world is finished and before it is freed. Not
 * wanted (no endpoint, OTEL_SDK_DISABLED): `export` stays NULL and every function does nothing.
 */
#ifndef EDGES_OTLP_OUTLET_H
#define EDGES_OTLP_OUTLET_H

#include "edges/otlp_export.h"
#include "edges/session.h"

struct otlp_outlet {
    struct session *session;
    struct otlp_env env;
    struct otlp_export *export;
    bool virtual;
};

struct otlp_outlet_options {
    struct ev_loop *loop;
    const char *endpoint; /* of the command line, or NULL */
    bool virtual;
    size_t queue_bytes; /* 0: OTLP_QUEUE_BYTES */
};

/* False: the endpoint cannot be read; explained. The session's start must be known. */
bool otlp_outlet_open(struct otlp_outlet *outlet, struct session *session,
                      const struct otlp_outlet_options *options);

/* The three record functions, for a sink whose owner is the exporter. */
void otlp_outlet_sink(const struct otlp_outlet *outlet, struct sink *sink);

/* Flushes (see otlp_export_flush for limit_ms and stop). Says what was delivered unless quiet, and what was
   lost in any case. False: something was; of a virtual run whose backend never answered also session->unheard. */
bool otlp_outlet_close(struct otlp_outlet *outlet, int64_t limit_ms, const volatile sig_atomic_t *stop);

#endif
