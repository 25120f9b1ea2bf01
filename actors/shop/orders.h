/*
 * orders: the order table of the modelled database.
 *
 * An order is inserted as pending and stands ("created") once its pieces have left the stock, in one
 * transaction. Idempotency keys are unique: a second insert under one gives the first order. Rows are
 * kept for the newest ORDERS_KEPT orders; totals cover all.
 */
#ifndef ACTORS_SHOP_ORDERS_H
#define ACTORS_SHOP_ORDERS_H

#include "core/pack.h"

enum { ORDERS_KEPT = 4096, ORDERS_KEY_MAX = 64 };

struct order;

struct orders {
    struct order *by_id, *by_key; /* hash tables; by_id is also the order of arrival */
    uint64_t kept, created;
    int64_t revenue_cents, pieces;
};

struct order_row {
    uint64_t id;
    int64_t total_cents, product, quantity;
    bool created;
};

/* `key` of length 0: none; at most ORDERS_KEY_MAX bytes. Gives the row: the new one, or the one that has the
   key already, with what was ordered then. */
struct order_row orders_insert(struct orders *orders, const struct order_row *row, struct slice key);
/* NULL: no such order among those kept. */
const struct order_row *orders_find(const struct orders *orders, uint64_t id);
/* Marks it as standing, once, with the pieces that left the stock for it. False: no such order, or it stood
   already. */
bool orders_create(struct orders *orders, uint64_t id, int64_t pieces);
void orders_fini(struct orders *orders);
/* Adds up the rows kept, for checks: equals the totals while nothing has been dropped. */
void orders_count(const struct orders *orders, uint64_t *created, int64_t *revenue_cents);

#endif
