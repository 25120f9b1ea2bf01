/*
 * otlp_source: who the telemetry comes from, and what its encodings have in common.
 *
 * A service is an OTLP resource: name, instance, version, machine. Virtual runs have no machine in them
 * (host.name `virtual`, no pid), and instance ids are drawn from seed and service, so that equal seeds
 * give equal bytes. Text is the caller's and outlives the encoder. Which attributes follow from a status
 * is said here once, for JSON and protobuf alike (OpenTelemetry conventions 1.44, HTTP and database
 * spans).
 *
 * An encoder gathers the records of a signal by service; when there are items_max of them, or when it is
 * told to, it hands over one Export...ServiceRequest in parts, which are its own and last for the call.
 */
#ifndef EDGES_OTLP_SOURCE_H
#define EDGES_OTLP_SOURCE_H

#include <sys/uio.h>

#include "core/log.h"
#include "core/metrics.h"
#include "core/pack.h"
#include "core/span.h"
#include "core/text.h"
#include "edges/otlp_points.h"

#define OTLP_SCHEMA_URL "https://opentelemetry.io/schemas/1.44.0"
#define OTLP_SCOPE_NAME "doorbuster"

enum otlp_signal { OTLP_TRACES, OTLP_METRICS, OTLP_LOGS, OTLP_SIGNALS };

/* Span.flags beyond the W3C ones: whether the parent is in another service is known, and it is. */
enum { OTLP_HAS_IS_REMOTE = 0x100, OTLP_IS_REMOTE = 0x200 };

struct otlp_pair {
    const char *key;
    const char *value; /* NULL: the number */
    int64_t number;
};

enum { OTLP_MACHINE_PAIRS_MAX = 5, OTLP_MORE_PAIRS_MAX = 64, OTLP_OWN_PAIRS = 10 };

struct otlp_machine {
    struct otlp_pair pairs[OTLP_MACHINE_PAIRS_MAX];
    size_t count;
};

struct otlp_source {
    uint64_t seed;
    int64_t start_unix_ns; /* instant 0 of the timeline */
    const char *version; /* of this program */
    /* Name of a service by its index; asked when its first record comes. */
    const char *(*service_name)(void *owner, uint16_t service);
    /* Whose resource is told of the process as a whole; likewise. NULL: the first one's. */
    uint16_t (*process_service)(void *owner);
    void *owner;
    const struct otlp_machine *machine; /* see edges/otlp_machine.h; NULL: there is none in virtual time */
    const struct otlp_pair *more; /* of OTEL_RESOURCE_ATTRIBUTES; our own keys win over them */
    size_t more_count;
};

struct otlp_resource {
    struct otlp_pair pairs[OTLP_OWN_PAIRS + OTLP_MACHINE_PAIRS_MAX + OTLP_MORE_PAIRS_MAX];
    size_t count;
    char instance[37];
};

/* Of attributes: see edges/otlp_limit.h. */
struct otlp_limits {
    bool given; /* else the two do not count */
    size_t count, characters;
};

struct otlp_encoding {
    struct otlp_source source;
    struct otlp_point_options points;
    struct otlp_limits limits[OTLP_SIGNALS]; /* of spans and log records; metrics have none */
    bool no_links; /* OTEL_SPAN_LINK_COUNT_LIMIT=0: spans have one at most */
    unsigned items_max[OTLP_SIGNALS]; /* 0: OTLP_BATCH_ITEMS; metrics: each collection is one request */
    void (*take)(void *owner, enum otlp_signal signal, const struct iovec *parts, size_t count,
                 unsigned items);
    void *owner;
};

enum { OTLP_BATCH_ITEMS = 512 };

void otlp_resource_make(struct otlp_resource *resource, const struct otlp_source *source, uint16_t service);

uint64_t otlp_unix_ns(const struct otlp_source *source, int64_t at_ns);

/* A client's 4xx is an error, a server's is not; what failed is one on both. */
bool otlp_is_error(bool http, enum span_kind kind, enum status status);

/* What a status adds to a span; a type of 0 length: nothing. `code` is the text of an HTTP code. */
struct otlp_status {
    struct attr http, error, sqlstate;
    bool has_http, has_sqlstate;
    char code[8];
};
void otlp_status_make(struct otlp_status *made, enum status status);

uint32_t otlp_span_flags(const struct span *span);

/* The attribute that holds the path of a site with a path_template, and its text before and behind the parameter. */
enum attr_key otlp_url_key(const struct span_site *site);
void otlp_url_parts(const struct span_site *site, struct text *before, struct text *after);

/* A set of attribute keys. */
struct attr_keys {
    uint64_t bits[2];
};
_Static_assert(ATTR_COUNT <= 128, "a key has its bit");

static inline void attr_keys_add(struct attr_keys *keys, unsigned key)
{
    keys->bits[key / 64] |= UINT64_C(1) << key % 64;
}

static inline bool attr_keys_have(const struct attr_keys *keys, unsigned key)
{
    return keys->bits[key / 64] >> key % 64 & 1;
}

#endif
