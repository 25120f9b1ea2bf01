/*
 * tree: all spans of a run, kept, and whether each trace is a whole tree.
 *
 * Give tree_sink as the run's sink. After the run tree_sort brings each trace's spans together;
 * tree_problems then looks at every trace: one root; every parent there, one level above; no id twice in
 * the run; children within their parents unless a parent gave up on its deadline (then `late`); one
 * traffic.type and one stream a trace; a request that failed has a cause below it. It says the first few
 * of what it finds and gives their number. Owner: the test; tree_fini frees.
 */
#ifndef TESTS_STORIES_TREE_H
#define TESTS_STORIES_TREE_H

#include "core/world.h"

struct tree_span {
    uint64_t trace_hi, trace_lo, id, parent;
    int64_t start_ns, end_ns;
    const struct span_site *site;
    enum status status;
    uint8_t depth, stream;
    bool demo, late;
};

struct tree {
    struct tree_span *spans;
    size_t count, cap;
};

struct sink tree_sink(struct tree *tree);
void tree_keep(struct tree *tree, const struct span *span);
void tree_sort(struct tree *tree);
void tree_fini(struct tree *tree);

/* The number of spans of the trace that begins at `first`, in a sorted tree. */
size_t tree_trace(const struct tree *tree, size_t first);
int tree_problems(const struct tree *tree);
/* How many traces there are. */
size_t tree_traces(const struct tree *tree);

#endif
