/*
 * due: what is to happen next - an indexed heap of timers ordered by (instant, arming order).
 *
 * Timers are the caller's memory (embedded in what they belong to). Cancelling takes the timer out at
 * once, so cancelled ones never linger: the heap holds what is pending and nothing else, and one heap
 * serves where a queue per constant time-out would otherwise be needed. O(log n), 4 children a node.
 * Equal instants run in arming order, never by address.
 */
#ifndef CORE_DUE_H
#define CORE_DUE_H

#include "core/base.h"

struct timer {
    void (*fire)(void *owner, int64_t now_ns);
    void *owner;
    uint32_t place; /* 0: not armed; else its index in the heap + 1 */
};

struct due_entry {
    int64_t at_ns;
    uint64_t sequence;
    struct timer *timer;
};

struct due {
    struct due_entry *heap;
    size_t count, cap;
    uint64_t sequence;
};

void due_fini(struct due *due);
/* Arms, or re-arms at the new instant (as if armed now). */
void due_arm(struct due *due, struct timer *timer, int64_t at_ns);
void due_cancel(struct due *due, struct timer *timer); /* no effect when not armed */
/* The earliest timer if it is due at or before now; it is out of the heap then. NULL: none. */
struct timer *due_pop(struct due *due, int64_t now_ns);

static inline int64_t due_next_at(const struct due *due)
{
    return due->count ? due->heap[0].at_ns : NEVER;
}

static inline bool timer_armed(const struct timer *timer)
{
    return timer->place != 0;
}

#endif
