/*
 * catalogue: the shop's products - a named window of them, then generated ones, and the stock of each.
 *
 * Product ids run from 1. Everything but the stock follows from the id, so a table of half a million
 * rows costs one integer a row. Prices in cents.
 */
#ifndef ACTORS_SHOP_CATALOGUE_H
#define ACTORS_SHOP_CATALOGUE_H

#include "core/pack.h"

enum {
    CATALOGUE_CATEGORIES = 8,
    CATALOGUE_NAMED = 72,
    CATALOGUE_PAGE = 50, /* rows of a category page */
    CATALOGUE_NAME_MAX = 48, /* bytes */
    CATALOGUE_TOP = 200, /* most popular of a category that are kept in order */
    CATALOGUE_ROWS_MAX = 10 * 1000 * 1000
};

struct catalogue {
    int32_t *stock; /* by id - 1 */
    int64_t rows;
    uint32_t page[CATALOGUE_CATEGORIES][CATALOGUE_PAGE]; /* ids in order of name */
    uint32_t top[CATALOGUE_CATEGORIES][CATALOGUE_TOP]; /* ids, the most popular first */
    int64_t taken; /* pieces gone from stock */
};

void catalogue_init(struct catalogue *catalogue, int64_t rows);
/* More rows from now on; never fewer. At most CATALOGUE_ROWS_MAX. */
void catalogue_grow(struct catalogue *catalogue, int64_t rows);
void catalogue_fini(struct catalogue *catalogue);

/* -1: no such category. */
int catalogue_category(struct slice name);
const char *catalogue_category_name(int category);
int64_t catalogue_price_cents(int64_t id);
int64_t catalogue_popularity(int64_t id);
/* For qsort of ids (uint32_t): the most popular first. */
int catalogue_by_popularity(const void *left, const void *right);
void catalogue_pack_name(struct pack *pack, int64_t id);
/* Whether the name begins with these letters, or has them anywhere; ASCII letters of either case are alike. */
bool catalogue_name_begins(int64_t id, struct slice letters);
bool catalogue_name_has(int64_t id, struct slice letters);
bool catalogue_has(const struct catalogue *catalogue, int64_t id);

/* Takes `quantity` pieces, or none and false. */
bool catalogue_take(struct catalogue *catalogue, int64_t id, int64_t quantity);

#endif
