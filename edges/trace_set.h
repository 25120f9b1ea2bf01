/*
 * trace_set: the traces of a side, each as a number that says whether it is the same: the sum of its spans'
 * hashes, so that their order in the files does not matter. 32 bytes a trace, at most TRACES_MAX of them.
 */
#ifndef EDGES_TRACE_SET_H
#define EDGES_TRACE_SET_H

#include "core/base.h"

enum { TRACES_MAX = 16 * 1024 * 1024 };

struct trace_sum {
    uint64_t hi, lo, sum;
    uint64_t spans;
};

struct trace_set {
    struct trace_sum *list; /* in the order in which they were first seen */
    size_t count, cap;
    uint32_t *slots; /* place in the list, + 1; 0: free */
    size_t slot_count;
    uint64_t spans;
};

void trace_set_fini(struct trace_set *set);
/* Of one trace; made when it is not there. NULL: TRACES_MAX. */
struct trace_sum *trace_set_make(struct trace_set *set, uint64_t hi, uint64_t lo);
const struct trace_sum *trace_set_find(const struct trace_set *set, uint64_t hi, uint64_t lo); /* or NULL */

#endif
