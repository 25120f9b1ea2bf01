/*
 * slab: equal-sized things reused through a free list, named by handles that go stale.
 *
 * A handle is (generation << 32 | slot): after an item is given back its old handles find nothing, so a
 * late answer cannot reach a newer owner. Generations have 31 bits: the top bit of a handle is the owner's
 * to use. Items start with struct slab_item. Memory grows in blocks up to `max` items and is reused for good.
 */
#ifndef CORE_SLAB_H
#define CORE_SLAB_H

#include "core/base.h"

struct slab_item {
    uint32_t slot, generation; /* generation is odd while in use */
    struct slab_item *next_free;
};

struct slab {
    size_t item_bytes;
    uint32_t count, live, peak, max;
    char **blocks;
    size_t block_count;
    struct slab_item *free;
};

void slab_init(struct slab *slab, size_t item_bytes, uint32_t max);
void slab_fini(struct slab *slab);
/* NULL when `max` are in use. Only the item's own fields behind slab_item are to be set by the caller. */
void *slab_take(struct slab *slab);
void slab_give(struct slab *slab, void *given);
void *slab_find(const struct slab *slab, uint64_t handle); /* NULL: stale */

/* Makes all handles given out so far stale, the item stays in use. */
static inline void slab_renew(struct slab_item *item)
{
    item->generation = (item->generation + 2) & INT32_MAX;
}

/* The item of a slot below `count`; NULL: not in use. */
void *slab_at(const struct slab *slab, uint32_t slot);

static inline uint64_t slab_handle(const struct slab_item *item)
{
    return (uint64_t)item->generation << 32 | item->slot;
}

#endif
