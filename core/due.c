#include "core/due.h"

#include <stdlib.h>

enum { CHILDREN = 4, FIRST_CAP = 64 };

void due_fini(struct due *due)
{
    free(due->heap);
    *due = (struct due){0};
}

static bool before(const struct due_entry *a, const struct due_entry *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->sequence < b->sequence;
}

static void put(struct due *due, size_t index, struct due_entry entry)
{
    due->heap[index] = entry;
    entry.timer->place = (uint32_t)index + 1;
}

/* The earliest of the children that start at `first`. */
static size_t earliest_child(const struct due *due, size_t first)
{
    size_t end = MIN(first + CHILDREN, due->count);
    size_t best = first;
    for (size_t i = first + 1; i < end; i++) {
        if (before(&due->heap[i], &due->heap[best]))
            best = i;
    }
    return best;
}

/* Puts the entry where it belongs between the hole at `hole` and the root. */
static void lift(struct due *due, size_t hole, struct due_entry entry)
{
    while (hole > 0 && before(&entry, &due->heap[(hole - 1) / CHILDREN])) {
        put(due, hole, due->heap[(hole - 1) / CHILDREN]);
        hole = (hole - 1) / CHILDREN;
    }
    put(due, hole, entry);
}

/* Puts the entry where it belongs between the hole at `hole` and the leaves. */
static void sink(struct due *due, size_t hole, struct due_entry entry)
{
    for (size_t first; (first = hole * CHILDREN + 1) < due->count;) {
        size_t child = earliest_child(due, first);
        if (!before(&due->heap[child], &entry))
            break;
        put(due, hole, due->heap[child]);
        hole = child;
    }
    put(due, hole, entry);
}

static void settle(struct due *due, size_t hole, struct due_entry entry)
{
    if (hole > 0 && before(&entry, &due->heap[(hole - 1) / CHILDREN]))
        lift(due, hole, entry);
    else
        sink(due, hole, entry);
}

/* Takes out the entry at `index`; the last one fills its place. */
static struct timer *take(struct due *due, size_t index)
{
    struct timer *timer = due->heap[index].timer;
    struct due_entry last = due->heap[--due->count];
    if (index < due->count)
        settle(due, index, last);
    timer->place = 0;
    return timer;
}

void due_arm(struct due *due, struct timer *timer, int64_t at_ns)
{
    struct due_entry entry = {.at_ns = at_ns, .sequence = due->sequence++, .timer = timer};
    if (timer->place) {
        ASSERT(timer->place <= due->count && due->heap[timer->place - 1].timer == timer);
        settle(due, timer->place - 1, entry);
        return;
    }
    if (due->count == due->cap) {
        size_t cap = due->cap ? due->cap * 2 : FIRST_CAP;
        ASSERT(cap < UINT32_MAX);
        due->heap = base_grow(due->heap, due->cap, cap, sizeof *due->heap);
        due->cap = cap;
    }
    lift(due, due->count++, entry);
}

void due_cancel(struct due *due, struct timer *timer)
{
    if (!timer->place)
        return;
    ASSERT(timer->place <= due->count && due->heap[timer->place - 1].timer == timer);
    take(due, timer->place - 1);
}

struct timer *due_pop(struct due *due, int64_t now_ns)
{
    if (!due->count || due->heap[0].at_ns > now_ns)
        return NULL;
    return take(due, 0);
}
