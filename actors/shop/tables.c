#include "actors/shop/tables.h"

#include <stdlib.h>

static void pack_columns(struct pack *pack, const struct catalogue *catalogue, int64_t id)
{
    pack_int(pack, id);
    catalogue_pack_name(pack, id);
    pack_text(pack, catalogue_category_name((int)((id - 1) % CATALOGUE_CATEGORIES)));
    pack_real(pack, (double)catalogue_price_cents(id) / 100);
    pack_int(pack, catalogue->stock[id - 1]);
}

static void pack_product(struct pack *pack, const struct catalogue *catalogue, int64_t id)
{
    pack_array(pack, 5);
    pack_columns(pack, catalogue, id);
}

static void pack_found(struct pack *pack, const struct catalogue *catalogue, int64_t id)
{
    pack_array(pack, 6);
    pack_columns(pack, catalogue, id);
    pack_int(pack, catalogue_popularity(id));
}

/* What a list of products asks for. */
struct wanted {
    int category;
    double low, high; /* price */
    struct slice words; /* in the name; empty: any */
};

static bool is_wanted(const struct catalogue *catalogue, int64_t id, const struct wanted *wanted)
{
    double price = (double)catalogue_price_cents(id) / 100;
    return catalogue->stock[id - 1] > 0 && price >= wanted->low && price <= wanted->high &&
           (!wanted->words.len || catalogue_name_has(id, wanted->words));
}

/* The first CATALOGUE_PAGE of a category by name: those of its page, then the generated ones behind them. */
static void page(const struct catalogue *catalogue, const struct wanted *wanted, struct pack *pack)
{
    int64_t ids[CATALOGUE_PAGE], place = 0, last = 0;
    uint32_t count = 0;
    if (wanted->category >= 0)
        last = (catalogue->rows - wanted->category - 1) / CATALOGUE_CATEGORIES + 1;
    for (; place < last && count < CATALOGUE_PAGE; place++) {
        int64_t id = place < CATALOGUE_PAGE ? catalogue->page[wanted->category][place]
                                            : place * CATALOGUE_CATEGORIES + wanted->category + 1;
        if (is_wanted(catalogue, id, wanted))
            ids[count++] = id;
    }
    pack_array(pack, count);
    for (uint32_t i = 0; i < count; i++)
        pack_product(pack, catalogue, ids[i]);
}

static void category_page(struct tables *tables, struct cursor *params, struct pack *pack)
{
    struct wanted wanted = {.category = catalogue_category(cursor_text(params))};
    wanted.low = cursor_real(params);
    wanted.high = cursor_real(params);
    page(&tables->catalogue, &wanted, pack);
}

static void search(struct tables *tables, struct cursor *params, struct pack *pack)
{
    struct wanted wanted = {.category = catalogue_category(cursor_text(params))};
    wanted.words = cursor_text(params);
    wanted.low = cursor_real(params);
    wanted.high = cursor_real(params);
    page(&tables->catalogue, &wanted, pack);
}

/* The product of that id first, then those whose name begins so, the most popular first: of the window that is
   kept in order, for beyond it names say nothing new. */
static void search_unindexed(struct tables *tables, struct cursor *params, struct pack *pack)
{
    const struct catalogue *catalogue = &tables->catalogue;
    int64_t id = cursor_nil(params) ? 0 : cursor_int(params);
    uint32_t ids[CATALOGUE_CATEGORIES * CATALOGUE_TOP];
    size_t count = 0;
    struct slice letters = {"", 0};
    bool named = !cursor_nil(params);
    if (named)
        letters = cursor_text(params);
    for (uint32_t i = 1; named && !params->bad && i <= ARRAY_LEN(ids); i++)
        if (i != id && catalogue_name_begins(i, letters))
            ids[count++] = i;
    qsort(ids, count, sizeof *ids, catalogue_by_popularity);
    bool found = catalogue_has(catalogue, id);
    size_t others = MIN(count, (size_t)(CATALOGUE_PAGE - found));
    pack_array(pack, (uint32_t)(found + others));
    if (found)
        pack_found(pack, catalogue, id);
    for (size_t i = 0; i < others; i++)
        pack_found(pack, catalogue, ids[i]);
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

struct reservation {
    int64_t product, quantity;
    uint64_t order;
};

static struct reservation reservation_of(struct cursor *params)
{
    struct reservation of = {.product = cursor_int(params)};
    of.quantity = cursor_int(params);
    of.order = (uint64_t)cursor_int(params);
    return of;
}

bool tables_takes(const struct tables *tables, enum shop_statement statement, struct cursor *params)
{
    if (statement != SQL_STOCK_RESERVE)
        return false;
    struct reservation of = reservation_of(params);
    const struct order_row *row = orders_find(&tables->orders, of.order);
    return row && !row->created && of.quantity > 0 && catalogue_has(&tables->catalogue, of.product) &&
           tables->catalogue.stock[of.product - 1] >= of.quantity;
}

/* One transaction: the pieces leave the stock and the order stands, or neither. */
static void stock_reserve(struct tables *tables, struct cursor *params, struct pack *pack)
{
    struct cursor again = *params;
    bool takes = tables_takes(tables, SQL_STOCK_RESERVE, &again);
    struct reservation of = reservation_of(params);
    if (params->bad || !catalogue_has(&tables->catalogue, of.product)) {
        pack_array(pack, 0);
        return;
    }
    if (takes) {
        catalogue_take(&tables->catalogue, of.product, of.quantity);
        orders_create(&tables->orders, of.order, of.quantity);
    }
    const struct order_row *row = orders_find(&tables->orders, of.order);
    pack_array(pack, 2);
    pack_bool(pack, row && row->created);
    pack_int(pack, tables->catalogue.stock[of.product - 1]);
}

static void order_insert(struct tables *tables, struct cursor *params, struct pack *pack)
{
    struct order_row row = {.id = (uint64_t)cursor_int(params)};
    cursor_skip(params); /* the user */
    row.product = cursor_int(params);
    row.quantity = cursor_int(params);
    struct slice key = {"", 0};
    if (!cursor_nil(params))
        key = cursor_text(params);
    bool impossible = params->bad || row.quantity < 1 || row.quantity > INT32_MAX || key.len > ORDERS_KEY_MAX;
    if (impossible || !catalogue_has(&tables->catalogue, row.product)) {
        pack_array(pack, 0);
        return;
    }
    row.total_cents = catalogue_price_cents(row.product) * row.quantity;
    row = orders_insert(&tables->orders, &row, key);
    pack_array(pack, 4);
    pack_int(pack, (int64_t)row.id);
    pack_int(pack, row.total_cents);
    pack_int(pack, row.product);
    pack_int(pack, row.quantity);
}

typedef void result_fn(struct tables *, struct cursor *, struct pack *);
static result_fn *const results[SQL_COUNT] = {
    [SQL_PRODUCTS_BY_CATEGORY] = category_page,
    [SQL_RECOMMENDATIONS] = recommend,
    [SQL_SEARCH] = search,
    [SQL_SEARCH_UNINDEXED] = search_unindexed,
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
