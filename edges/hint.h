/*
 * hint: the name that somebody probably meant, for messages about a name that does not exist.
 *
 * Bounded: words longer than HINT_WORD_MAX get no hint.
 */
#ifndef EDGES_HINT_H
#define EDGES_HINT_H

#include <stddef.h>

enum { HINT_WORD_MAX = 63 };

/* Letters to add, drop, change or swap with a neighbour to make `a` into `b`. */
size_t hint_distance(const char *a, const char *b);

/* The nearest of the names (a third of the letters may differ), else the shortest that begins with the word; or NULL. */
const char *hint_nearest(const char *word, const char *const *names, size_t count);

#endif
