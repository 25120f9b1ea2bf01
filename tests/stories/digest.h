/*
 * digest: everything a run tells - spans with their attributes, logs - as one number, in the order told.
 *
 * Two runs with equal digests told the same. Give digest_sink as the run's sink; spans and logs from
 * `until_ns` on are left out, so that two runs can be compared up to an instant.
 */
#ifndef TESTS_STORIES_DIGEST_H
#define TESTS_STORIES_DIGEST_H

#include "core/world.h"

struct digest {
    int64_t until_ns; /* 0: to the end */
    uint64_t value, spans, logs;
};

struct sink digest_sink(struct digest *digest);
void digest_span(struct digest *digest, const struct span *span);

#endif
