#include "core/slab.h"

#include <stdlib.h>

enum { BLOCK_ITEMS = 256 };

void slab_init(struct slab *slab, size_t item_bytes, uint32_t max)
{
    ASSERT(item_bytes >= sizeof(struct slab_item));
    *slab = (struct slab){.item_bytes = item_bytes, .max = max};
}

void slab_fini(struct slab *slab)
{
    for (size_t i = 0; i < slab->block_count; i++)
        free(slab->blocks[i]);
    free(slab->blocks);
    *slab = (struct slab){0};
}

static struct slab_item *item_at(const struct slab *slab, uint32_t slot)
{
    return (struct slab_item *)(void *)(slab->blocks[slot / BLOCK_ITEMS] +
                                        (size_t)(slot % BLOCK_ITEMS) * slab->item_bytes);
}

void *slab_take(struct slab *slab)
{
    if (slab->live == slab->max)
        return NULL;
    struct slab_item *item = slab->free;
    if (item) {
        slab->free = item->next_free;
    } else {
        if (slab->count % BLOCK_ITEMS == 0) {
            slab->blocks =
                base_grow(slab->blocks, slab->block_count, slab->block_count + 1, sizeof *slab->blocks);
            slab->blocks[slab->block_count++] = base_alloc(BLOCK_ITEMS, slab->item_bytes);
        }
        item = item_at(slab, slab->count);
        item->slot = slab->count++;
    }
    item->generation++;
    slab->live++;
    slab->peak = MAX(slab->peak, slab->live);
    return item;
}

void slab_give(struct slab *slab, void *given)
{
    struct slab_item *item = given;
    ASSERT(item->generation & 1);
    item->generation = (item->generation + 1) & INT32_MAX;
    item->next_free = slab->free;
    slab->free = item;
    slab->live--;
}

void *slab_find(const struct slab *slab, uint64_t handle)
{
    uint32_t slot = (uint32_t)handle;
    if (slot >= slab->count)
        return NULL;
    struct slab_item *item = item_at(slab, slot);
    return item->generation == handle >> 32 && (item->generation & 1) ? item : NULL;
}

void *slab_at(const struct slab *slab, uint32_t slot)
{
    ASSERT(slot < slab->count);
    struct slab_item *item = item_at(slab, slot);
    return item->generation & 1 ? item : NULL;
}
