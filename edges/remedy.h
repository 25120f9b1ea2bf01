/*
 * remedy: what a cause is about, and what would end it - as a fault that `--fork` and the admin API take, and as SQL
 * where SQL would do it.
 */
#ifndef EDGES_REMEDY_H
#define EDGES_REMEDY_H

#include "edges/cause.h"

enum { REMEDIES_MAX = 8 };

struct remedy {
    struct text fault; /* "create_index: idx_products_category"; empty: none mends it. The caller's */
    const char *sql; /* NULL: none */
    const char *why;
};

/* "idx_products_category", "recommendations", "product 17", "GET /products of product-catalog"; nothing where the
   cause is about nothing in particular. */
void remedy_target(struct text *out, const struct report *report, const struct cause *cause);

/* The first REMEDIES_MAX, the most effective first; gives their number. */
size_t remedies_of(struct remedy remedies[REMEDIES_MAX], const struct report *report,
                   const struct cause *cause);

#endif
