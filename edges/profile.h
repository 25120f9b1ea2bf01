/*
 * profile: where the simulated CPU time went, for the tools that show such things.
 *
 * Folded stacks (a line "service;route;function samples", for flame graphs), or pprof's gzip'd profile.proto with
 * the sample types samples/count and cpu/nanoseconds. A sample is a millisecond. Functions are a service's own work
 * and the statements that it ran. Lines of less than half a sample are left out.
 */
#ifndef EDGES_PROFILE_H
#define EDGES_PROFILE_H

#include "core/stats.h"
#include "core/text.h"

/* Adds the profile: pprof where `path` ends in .pb.gz, folded stacks otherwise. */
void profile_write(struct text *out, const char *path, const struct run_stats *stats, int64_t duration_ns);

#endif
