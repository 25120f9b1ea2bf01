#include "edges/trace_set.h"

#include "edges/trace_facts.h"

#include <stdlib.h>

void trace_set_fini(struct trace_set *set)
{
    free(set->list);
    free(set->slots);
    *set = (struct trace_set){0};
}

/* The slot that holds the trace, or the free one where it would go. */
static uint32_t *slot_of(const struct trace_set *set, uint64_t hi, uint64_t lo)
{
    size_t mask = set->slot_count - 1;
    for (size_t at = trace_hash_mix(hi ^ trace_hash_mix(lo)) & mask;; at = (at + 1) & mask) {
        const struct trace_sum *there = set->slots[at] ? &set->list[set->slots[at] - 1] : NULL;
        if (!there || (there->hi == hi && there->lo == lo))
            return &set->slots[at];
    }
}

const struct trace_sum *trace_set_find(const struct trace_set *set, uint64_t hi, uint64_t lo)
{
    uint32_t place = set->slot_count ? *slot_of(set, hi, lo) : 0;
    return place ? &set->list[place - 1] : NULL;
}

/* Never more than half full. */
static void grow(struct trace_set *set)
{
    size_t cap = MAX(set->cap * 2, 1024);
    set->list = base_grow(set->list, set->cap, cap, sizeof *set->list);
    set->cap = cap;
    free(set->slots);
    set->slot_count = cap * 2;
    set->slots = base_alloc(set->slot_count, sizeof *set->slots);
    for (size_t i = 0; i < set->count; i++)
        *slot_of(set, set->list[i].hi, set->list[i].lo) = (uint32_t)i + 1;
}

struct trace_sum *trace_set_make(struct trace_set *set, uint64_t hi, uint64_t lo)
{
    if (set->count == set->cap && set->count < TRACES_MAX)
        grow(set);
    uint32_t *slot = slot_of(set, hi, lo);
    if (*slot)
        return &set->list[*slot - 1];
    if (set->count == TRACES_MAX)
        return NULL;
    set->list[set->count] = (struct trace_sum){.hi = hi, .lo = lo};
    *slot = (uint32_t)++set->count;
    return &set->list[set->count - 1];
}
