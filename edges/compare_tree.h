/*
 * compare_tree: a trace of two sides, span by span, and what differs between them. For compare.c alone.
 *
 * Told is a tree of the spans that differ and of those above them, each by its service and name. At most KEPT_SPANS_MAX spans a side and
 * DIFFERENCES_MAX spans in the telling of a trace; what is beyond is said to be there.
 */
#ifndef EDGES_COMPARE_TREE_H
#define EDGES_COMPARE_TREE_H

#include "core/text.h"

enum { KEPT_SPANS_MAX = 20000, DIFFERENCES_MAX = 10 };

struct kept_fact {
    char *name, *value; /* "attribute http.route"; name NULL: forgotten */
};

struct kept_span {
    uint64_t id, parent;
    char *name;
    struct kept_fact *facts; /* sorted */
    size_t fact_count;
};

struct kept_trace {
    struct kept_span *spans; /* sorted by id, once read */
    size_t count, left_out;
};

struct trace_pair {
    uint64_t hi, lo;
    struct kept_trace side[2];
};

/* Reads the traces from both sides; false, and why in `error`, when it cannot. */
bool compare_tree_read(struct trace_pair *pairs, size_t count, const char *a, const char *b,
                       struct text *error);
void compare_tree_tell(const struct trace_pair *pair, struct text *told);
void compare_tree_free(struct trace_pair *pair);

#endif
