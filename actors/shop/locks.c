#include "actors/shop/locks.h"

static struct lock_place *place_of(struct locks *locks, int64_t row)
{
    return &locks->places[(uint64_t)row % LOCK_PLACES];
}

bool locks_take(struct locks *locks, struct lock_entry *entry, int64_t row)
{
    struct lock_place *place = place_of(locks, row);
    *entry = (struct lock_entry){.row = row};
    if (!place->holder) {
        place->holder = entry;
        return true;
    }
    if (place->last)
        place->last->next = entry;
    else
        place->first = entry;
    place->last = entry;
    return false;
}

struct lock_entry *locks_leave(struct locks *locks, struct lock_entry *entry)
{
    struct lock_place *place = place_of(locks, entry->row);
    struct lock_entry *before = NULL;
    if (place->holder == entry) {
        place->holder = place->first;
        if (place->first)
            place->first = place->first->next;
        if (!place->first)
            place->last = NULL;
        return place->holder;
    }
    for (struct lock_entry *at = place->first; at != entry; at = at->next)
        before = at;
    *(before ? &before->next : &place->first) = entry->next;
    if (place->last == entry)
        place->last = before;
    return NULL;
}
