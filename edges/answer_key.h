/*
 * answer_key: what a drill asks for - the root cause with its evidence, the first bad span, who was hit, which
 * alerts should have fired, what happened when, and what would have healed it - as JSON.
 *
 * Figures come from the report; spans are listened to while the run plays, for where it began and whom it reached.
 * The first bad span is the failed one that ended first, of a trace whose root failed: a failure begins below and
 * is passed on upwards, so nothing below it had failed. Memory: a counter a service, and the traces that had
 * failed spans and were open when the first failed root ended, at most SUSPECTS_MAX of them.
 *
 * Equal runs give equal bytes. The world must outlive the key: names are its sites'.
 */
#ifndef EDGES_ANSWER_KEY_H
#define EDGES_ANSWER_KEY_H

#include "core/span.h"
#include "edges/report.h"

enum { ANSWER_KEY_VERSION = 1, SUSPECTS_MAX = 256 };

/* A failed span; instants are on the timeline. */
struct bad_span {
    uint64_t trace_hi, trace_lo, id;
    const struct span_site *site;
    enum status status;
    uint8_t depth, stream;
    int64_t started_ns, failed_ns;
};

struct blast {
    uint64_t requests, requests_failed; /* that the service answered */
    uint64_t error_spans; /* of any kind */
    int64_t first_error_ns; /* on the timeline; NEVER: none */
};

struct answer_key {
    struct blast services[SERVICES_MAX];
    struct bad_span suspects[SUSPECTS_MAX];
    size_t suspect_count;
    struct bad_span first;
    bool found; /* `first` is it */
};

struct answer_key *answer_key_new(void); /* freed with free() */
/* A span as it ends, at this instant of the timeline; negative: what happens there is not judged. */
void answer_key_span(struct answer_key *key, const struct span *span, int64_t at_ns);

/* Adds the document. */
void answer_key_write(struct text *out, const struct answer_key *key, const struct report *report);

#endif
