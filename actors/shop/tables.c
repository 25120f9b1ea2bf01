#include "actors/shop/tables.h"

static void pack_product(struct pack *pack, const struct catalogue *catalogue, int64_t id)
{
    pack_array(pack, 5);
    pack_int(pack, id);
    catalogue_pack_name(pack, id);
    pack_text(pack, catalogue_category_name((int)((id - 1) % CATALOGUE_CATEGORIES)));
    pack_real(pack, (double)catalogue_price_cents(id) / 100);
    pack_int(pack, catalogue->stock[id - 1]);
}

static void category_page(struct tables *tables, struct cursor *params, struct pack *pack)
{
    const struct catalogue *catalogue = &tables->catalogue;
    int category = catalogue_category(cursor_text(params));
    uint32_t count = 0;
    for (int i = 0; category >= 0 && i < CATALOGUE_PAGE; i++)
        count += catalogue->stock[catalogue->page[category][i] - 1] > 0;
    pack_array(pack, count);
    for (int i = 0; count && i < CATALOGUE_PAGE; i++)
        if (catalogue->stock[catalogue->page[category][i] - 1] > 0)
            pack_product(pack, catalogue, catalogue->page[category][i]);
}

static void recommend(struct tables *tables, struct cursor *params, struct pack *pack)
{
    const struct catalogue *catalogue = &tables->catalogue;
    int category = catalogue_category(cursor_text(params));
    double low = cursor_real(params), high = cursor_real(params);
    uint32_t ids[10], count = 0;
    for (int i = 0; category >= 0 && i < CATALOGUE_TOP && count < ARRAY_LEN(ids); i++) {
        uint32_t id = catalogue->top[category][i];
        double price = (double)catalogue_price_cents(id) / 100;
        if (price >= low && price <= high)
            ids[count++] = id;
    }
    pack_array(pack, count);
    for (uint32_t i = 0; i < count; i++) {
        pack_array(pack, 4);
        pack_int(pack, ids[i]);
        catalogue_pack_name(pack, ids[i]);
        pack_real(pack, (double)catalogue_price_cents(ids[i]) / 100);
        pack_int(pack, catalogue_popularity(ids[i]));
    }
}

static void popular_products(struct tables *tables, struct cursor *params, struct pack *pack)
{
    (void)params;
    pack_array(pack, CATALOGUE_CATEGORIES);
    for (int i = 0; i < CATALOGUE_CATEGORIES; i++) {
        int64_t id = tables->catalogue.top[i][0];
        pack_array(pack, 3);
        pack_int(pack, id);
        catalogue_pack_name(pack, id);
        pack_int(pack, catalogue_popularity(id));
    }
}

static void product_by_id(struct tables *tables, struct cursor *params, struct pack *pack)
{
    int64_t id = cursor_int(params);
    bool found = catalogue_has(&tables->catalogue, id);
    pack_array(pack, found);
    if (found)
        pack_product(pack, &tables->catalogue, id);
}

static void stock_of(struct tables *tables, struct cursor *params, struct pack *pack)
{
    int64_t id = cursor_int(params);
    bool found = catalogue_has(&tables->catalogue, id);
    pack_array(pack, found);
    if (!found)
        return;
    pack_array(pack, 1);
    pack_int(pack, tables->catalogue.stock[id - 1]);
}

static void stock_reserve(struct tables *tables, struct cursor *params, struct pack *pack)
{
    int64_t id = cursor_int(params), quantity = cursor_int(params);
    uint64_t order = (uint64_t)cursor_int(params);
    bool reserved = orders_stands(&tables->orders, order);
    if (!reserved && catalogue_take(&tables->catalogue, id, quantity)) {
        reserved = orders_create(&tables->orders, order, quantity);
        if (!reserved) { /* no such order: the transaction rolls back */
            tables->catalogue.stock[id - 1] += (int32_t)quantity;
            tables->catalogue.taken -= quantity;
        }
    }
    pack_array(pack, 2);
    pack_bool(pack, reserved);
    pack_int(pack, catalogue_has(&tables->catalogue, id) ? tables->catalogue.stock[id - 1] : 0);
}

static void order_insert(struct tables *tables, struct cursor *params, struct pack *pack)
{
    uint64_t id = (uint64_t)cursor_int(params);
    cursor_skip(params); /* the user */
    int64_t product = cursor_int(params), quantity = cursor_int(params);
    struct slice key = {"", 0};
    if (!cursor_nil(params))
        key = cursor_text(params);
    bool impossible = params->bad || quantity < 1 || key.len > ORDERS_KEY_MAX;
    if (impossible || !catalogue_has(&tables->catalogue, product)) {
        pack_array(pack, 0);
        return;
    }
    int64_t total_cents = catalogue_price_cents(product) * quantity;
    struct order_row row = orders_insert(&tables->orders, id, total_cents, key);
    pack_array(pack, 2);
    pack_int(pack, (int64_t)row.id);
    pack_int(pack, row.total_cents);
}

typedef void result_fn(struct tables *, struct cursor *, struct pack *);
static result_fn *const results[SQL_COUNT] = {
    [SQL_PRODUCTS_BY_CATEGORY] = category_page,
    [SQL_RECOMMENDATIONS] = recommend,
    [SQL_SEARCH] = category_page,
    [SQL_POPULAR_WITH_HISTORY] = category_page,
    [SQL_POPULAR_PRODUCTS] = popular_products,
    [SQL_PRODUCT_BY_ID] = product_by_id,
    [SQL_STOCK_OF] = stock_of,
    [SQL_STOCK_RESERVE] = stock_reserve,
    [SQL_ORDER_INSERT] = order_insert,
};

void tables_run(struct tables *tables, enum shop_statement statement, struct cursor *params,
                struct pack *result)
{
    ASSERT((unsigned)statement < SQL_COUNT);
    results[statement](tables, params, result);
}

void tables_init(struct tables *tables, int64_t products)
{
    *tables = (struct tables){0};
    catalogue_init(&tables->catalogue, products);
}

void tables_fini(struct tables *tables)
{
    orders_fini(&tables->orders);
    catalogue_fini(&tables->catalogue);
}
