/*
 * locks: the row locks of the modelled database - one holder a row, and a first-come-first-served line behind.
 *
 * Entries are the caller's memory and stay put while they hold or wait. Rows share LOCK_PLACES places by id: two
 * that meet in one wait for each other, as a real database's would not. Time-outs are the caller's: whoever gives
 * up leaves.
 */
#ifndef ACTORS_SHOP_LOCKS_H
#define ACTORS_SHOP_LOCKS_H

#include "core/base.h"

enum { LOCK_PLACES = 1024 };

struct lock_entry {
    struct lock_entry *next; /* behind it in the line */
    int64_t row;
};

struct lock_place {
    struct lock_entry *holder, *first, *last;
};

struct locks {
    struct lock_place places[LOCK_PLACES];
};

/* True: it holds the row now; false: it waits. */
bool locks_take(struct locks *locks, struct lock_entry *entry, int64_t row);
/* The entry leaves, holder or not. Who holds the row in its stead, or NULL. */
struct lock_entry *locks_leave(struct locks *locks, struct lock_entry *entry);

#endif
