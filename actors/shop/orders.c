#include "actors/shop/orders.h"

#include <stdlib.h>

#define uthash_fatal(message) ASSERT(!message)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wconversion"
#include <uthash.h>

struct order {
    struct order_row row;
    char key[ORDERS_KEY_MAX];
    uint32_t key_len;
    UT_hash_handle by_id, by_key;
};

static struct order *find(const struct orders *orders, uint64_t id)
{
    struct order *order;
    HASH_FIND(by_id, orders->by_id, &id, sizeof id, order);
    return order;
}

static void drop_oldest(struct orders *orders)
{
    struct order *oldest = orders->by_id;
    HASH_DELETE(by_id, orders->by_id, oldest);
    if (oldest->key_len)
        HASH_DELETE(by_key, orders->by_key, oldest);
    free(oldest);
    orders->kept--;
}

struct order_row orders_insert(struct orders *orders, const struct order_row *row, struct slice key)
{
    struct order *order = NULL;
    ASSERT(key.len <= ORDERS_KEY_MAX);
    if (key.len)
        HASH_FIND(by_key, orders->by_key, key.at, key.len, order);
    if (!order)
        order = find(orders, row->id);
    if (order)
        return order->row;
    if (orders->kept == ORDERS_KEPT)
        drop_oldest(orders);
    order = base_alloc(1, sizeof *order);
    order->row = *row;
    order->key_len = key.len;
    HASH_ADD(by_id, orders->by_id, row.id, sizeof order->row.id, order);
    if (key.len) {
        memcpy(order->key, key.at, key.len);
        HASH_ADD_KEYPTR(by_key, orders->by_key, order->key, key.len, order);
    }
    orders->kept++;
    return order->row;
}

const struct order_row *orders_find(const struct orders *orders, uint64_t id)
{
    const struct order *order = find(orders, id);
    return order ? &order->row : NULL;
}

bool orders_create(struct orders *orders, uint64_t id, int64_t pieces)
{
    struct order *order = find(orders, id);
    if (!order || order->row.created)
        return false;
    order->row.created = true;
    orders->created++;
    orders->revenue_cents += order->row.total_cents;
    orders->pieces += pieces;
    return true;
}

void orders_count(const struct orders *orders, uint64_t *created, int64_t *revenue_cents)
{
    *created = 0;
    *revenue_cents = 0;
    for (const struct order *order = orders->by_id; order; order = order->by_id.next)
        if (order->row.created) {
            ++*created;
            *revenue_cents += order->row.total_cents;
        }
}

void orders_fini(struct orders *orders)
{
    while (orders->by_id)
        drop_oldest(orders);
}
#pragma GCC diagnostic pop
