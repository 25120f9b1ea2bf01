#include "tests/stories/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TOLD_MAX = 10 };

void tree_keep(struct tree *tree, const struct span *span)
{
    if (tree->count == tree->cap) {
        size_t cap = MAX(tree->cap * 2, 4096);
        tree->spans = base_grow(tree->spans, tree->cap, cap, sizeof *tree->spans);
        tree->cap = cap;
    }
    tree->spans[tree->count++] = (struct tree_span){.trace_hi = span->trace_hi,
                                                    .trace_lo = span->trace_lo,
                                                    .id = span->id,
                                                    .parent = span->parent,
                                                    .start_ns = span->start_ns,
                                                    .end_ns = span->end_ns,
                                                    .site = span->site,
                                                    .status = span->status,
                                                    .depth = span->depth,
                                                    .stream = span->stream,
                                                    .demo = span->demo,
                                                    .late = span->late};
}

static void take_span(void *owner, const struct span *span)
{
    tree_keep(owner, span);
}

struct sink tree_sink(struct tree *tree)
{
    return (struct sink){.owner = tree, .span = take_span};
}

void tree_fini(struct tree *tree)
{
    free(tree->spans);
    *tree = (struct tree){0};
}

static int compare(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* By trace, and within it from the root down. */
static int by_trace(const void *left, const void *right)
{
    const struct tree_span *a = left, *b = right;
    int order = compare(a->trace_hi, b->trace_hi);
    order = order ? order : compare(a->trace_lo, b->trace_lo);
    order = order ? order : a->depth - b->depth;
    return order ? order : compare(a->id, b->id);
}

void tree_sort(struct tree *tree)
{
    if (tree->count)
        qsort(tree->spans, tree->count, sizeof *tree->spans, by_trace);
}

size_t tree_trace(const struct tree *tree, size_t first)
{
    const struct tree_span *root = &tree->spans[first];
    size_t last = first;
    while (last < tree->count && tree->spans[last].trace_hi == root->trace_hi &&
           tree->spans[last].trace_lo == root->trace_lo)
        last++;
    return last - first;
}

size_t tree_traces(const struct tree *tree)
{
    size_t traces = 0;
    for (size_t i = 0; i < tree->count; i += tree_trace(tree, i))
        traces++;
    return traces;
}

static int told;

static int problem(const struct tree_span *span, const char *what)
{
    if (told++ < TOLD_MAX)
        print_error("trace %016llx%016llx span %016llx (%s, %d, %lld..%lld ns): %s\n",
                    (unsigned long long)span->trace_hi, (unsigned long long)span->trace_lo,
                    (unsigned long long)span->id, span->site->name, (int)span->status,
                    (long long)span->start_ns, (long long)span->end_ns, what);
    return 1;
}

static int check_below(const struct tree_span *span, const struct tree_span *parent)
{
    int found = 0;
    if (span->depth != parent->depth + 1)
        found += problem(span, "not one level below its parent");
    if (span->start_ns < parent->start_ns)
        found += problem(span, "starts before its parent");
    if (span->start_ns > parent->end_ns)
        found += problem(span, "starts after its parent's end");
    if (span->end_ns > parent->end_ns && !span->late)
        found += problem(span, "ends after its parent and is not marked as late");
    if (span->late && parent->status != STATUS_DEADLINE)
        found += problem(span, "late, but its parent did not give up");
    return found;
}

/* A failure is passed on from below, or it begins here: at a limit, at a refusal. */
static bool passed_on(enum status status)
{
    return status == STATUS_UNAVAILABLE || status == STATUS_FAILED;
}

static int check_span(const struct tree_span *spans, size_t count, const struct tree_span *span)
{
    int found = 0;
    bool cause = span->site->kind == SPAN_CLIENT && span->end_ns == span->start_ns; /* it could not be sent */
    if (span->end_ns < span->start_ns)
        found += problem(span, "ends before it starts");
    if (span->demo != spans[0].demo || span->stream != spans[0].stream)
        found += problem(span, "of another traffic type or stream than its root");
    const struct tree_span *parent = NULL;
    for (size_t i = 0; i < count; i++) {
        cause |= spans[i].parent == span->id && status_info(spans[i].status)->error_type;
        parent = spans[i].id == span->parent ? &spans[i] : parent;
    }
    cause |= parent && parent->status == STATUS_DEADLINE; /* its time was up while it worked */
    if (passed_on(span->status) && !cause)
        found += problem(span, "failed without a cause below it");
    if (!span->parent)
        return found;
    return found + (parent ? check_below(span, parent) : problem(span, "without its parent"));
}

static int check_trace(const struct tree_span *spans, size_t count)
{
    int found = 0;
    if (spans[0].parent || spans[0].depth != 1)
        found += problem(&spans[0], "a trace without a root");
    for (size_t i = 0; i < count; i++) {
        if (i && !spans[i].parent)
            found += problem(&spans[i], "a second root");
        found += check_span(spans, count, &spans[i]);
    }
    return found;
}

static int by_id(const void *left, const void *right)
{
    return compare(*(const uint64_t *)left, *(const uint64_t *)right);
}

static int check_ids(const struct tree *tree)
{
    int found = 0;
    uint64_t *ids = base_alloc(tree->count + 1, sizeof *ids);
    for (size_t i = 0; i < tree->count; i++)
        ids[i] = tree->spans[i].id;
    qsort(ids, tree->count, sizeof *ids, by_id);
    for (size_t i = 0; i < tree->count; i++)
        if (!ids[i] || (i && ids[i] == ids[i - 1]))
            found++;
    if (found)
        print_error("%d span ids are 0 or stand twice\n", found);
    free(ids);
    return found;
}

int tree_problems(const struct tree *tree)
{
    told = 0;
    int found = check_ids(tree);
    for (size_t i = 0; i < tree->count; i += tree_trace(tree, i))
        found += check_trace(&tree->spans[i], tree_trace(tree, i));
    return found;
}
