/*
 * otlp_json: spans, logs and metrics as OTLP/JSON lines, one Export...ServiceRequest a line
 * (OpenTelemetry protocol 1.11, "JSON Protobuf Encoding" and the file exporter).
 *
 * The three record functions fit struct sink. Records are grouped by service, which is the OTLP
 * resource; at most OTLP_LINE_ITEMS spans or log records make a line, and metrics one line each time.
 * What is constant at a place of the program is encoded once: per span only ids, times and what that
 * span adds are written. Instants count from start_unix_ns. otlp_json_new gives the encoder alone, whose
 * lines go to `take` (see edges/otlp_source.h), otlp_json_open one that writes them to files.
 *
 * File descriptors stay the caller's. A write that fails (disk full, closed pipe: the caller ignores
 * SIGPIPE) ends that file: what it did not take is counted and otlp_json_close says so, with errno.
 * Memory is bounded by one line a signal.
 */
#ifndef EDGES_OTLP_JSON_H
#define EDGES_OTLP_JSON_H

#include "edges/otlp_source.h"

enum { OTLP_LINE_ITEMS = OTLP_BATCH_ITEMS };

struct otlp_json_options {
    int fds[OTLP_SIGNALS]; /* by signal; -1: not wanted */
    uint64_t seed; /* service.instance.id follows from it and the name */
    int64_t start_unix_ns; /* instant 0 of the timeline */
    const char *version; /* of this program */
    const struct otlp_machine *machine; /* NULL: there is none in virtual time */
    /* Name of a service by its index; asked when its first record comes. Must outlive the exporter. */
    const char *(*service_name)(void *owner, uint16_t service);
    void *owner;
};

struct otlp_json_tally {
    uint64_t items, lost; /* spans, log records or data points: written, not written */
    uint64_t lines, bytes;
    int error; /* errno of the write that failed; 0: none did */
};

struct otlp_json;

struct otlp_json *otlp_json_new(const struct otlp_encoding *encoding);
/* Drops what is gathered. */
void otlp_json_free(struct otlp_json *otlp_json);
/* Bytes gathered, without envelopes. */
size_t otlp_json_held(const struct otlp_json *otlp_json, enum otlp_signal signal);
/* Spans, log records or points that files have taken, or never will. */
uint64_t otlp_json_written(const struct otlp_json *otlp_json, enum otlp_signal signal);
void otlp_json_flush(struct otlp_json *otlp_json, enum otlp_signal signal);

struct otlp_json *otlp_json_open(const struct otlp_json_options *options);

void otlp_json_span(void *otlp_json, const struct span *span);
void otlp_json_log(void *otlp_json, const struct log_record *record);
void otlp_json_metrics(void *otlp_json, const struct metrics *metrics, int64_t at_ns);
/* Metrics of other names, for the request that the next otlp_json_metrics of that instant makes. */
void otlp_json_more_metrics(struct otlp_json *otlp_json, const struct metrics *metrics, int64_t at_ns);

/* Writes what is left and frees. False: something was lost. `tally` may be NULL. */
bool otlp_json_close(struct otlp_json *otlp_json, struct otlp_json_tally tally[OTLP_SIGNALS]);

#endif
