/* tables: what each statement reads and writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "actors/shop/tables.h"
#include "core/shape.h"

enum { ROWS = 5000 };

static unsigned char params_bytes[BODY_BYTES_MAX], result_bytes[BODY_BYTES_MAX];
static struct pack params = {.bytes = params_bytes}, result = {.bytes = result_bytes};

static int setup(void **state)
{
    static struct tables tables;
    tables_init(&tables, ROWS);
    *state = &tables;
    return 0;
}

static int teardown(void **state)
{
    tables_fini(*state);
    return 0;
}

/* Runs it with what lies in `params`, which is empty then. */
static struct cursor run(struct tables *tables, enum shop_statement statement)
{
    struct cursor cursor = {.at = params_bytes, .end = params_bytes + params.len};
    result.len = 0;
    tables_run(tables, statement, &cursor, &result);
    params.len = 0;
    struct cursor all = {.at = result_bytes, .end = result_bytes + result.len}, whole = all;
    cursor_skip(&whole); /* one value, and nothing behind it */
    assert_true(!whole.bad && whole.at == whole.end);
    return all;
}

static void assert_rows(struct cursor rows, const char *fields, uint32_t count)
{
    struct body_shape shape;
    assert_true(body_shape_parse(fields, &shape, NULL));
    assert_int_equal(cursor_array(&rows), count);
    for (uint32_t i = 0; i < count; i++) {
        struct slice row = cursor_raw(&rows);
        struct cursor one = {.at = (const unsigned char *)row.at,
                             .end = (const unsigned char *)row.at + row.len};
        assert_true(body_shape_check(&shape, &one));
    }
    assert_false(rows.bad);
}

#define PRODUCT "id:int name:text category:text price:real stock_quantity:int"

/* (category, [words,] price_min, price_max) */
static void listing(enum shop_statement statement, const char *category, double low, double high)
{
    pack_text(&params, category);
    if (statement == SQL_SEARCH)
        pack_text(&params, "");
    pack_real(&params, low);
    pack_real(&params, high);
}

static void a_category_page_has_fifty_products_with_stock(void **state)
{
    struct tables *tables = *state;
    static const enum shop_statement pages[] = {SQL_PRODUCTS_BY_CATEGORY, SQL_SEARCH,
                                                SQL_POPULAR_WITH_HISTORY};
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        listing(pages[i], "sports", 0, 10000);
        assert_rows(run(tables, pages[i]), PRODUCT, 50);
        listing(pages[i], "no such category", 0, 10000);
        assert_rows(run(tables, pages[i]), PRODUCT, 0);
        assert_rows(run(tables, pages[i]), PRODUCT, 0); /* no parameter at all */
    }
    /* What is sold out is not shown; the next one is. */
    uint32_t first = tables->catalogue.page[2][0];
    assert_true(catalogue_take(&tables->catalogue, first, tables->catalogue.stock[first - 1]));
    listing(SQL_PRODUCTS_BY_CATEGORY, "sports", 0, 10000);
    struct cursor rows = run(tables, SQL_PRODUCTS_BY_CATEGORY);
    assert_rows(rows, PRODUCT, 50);
    cursor_array(&rows);
    cursor_array(&rows);
    assert_int_equal(cursor_int(&rows), tables->catalogue.page[2][1]);
}

/* Every product of the category is asked for by its price: as many as there are, but no more than a page. */
static void a_page_keeps_to_the_price(void **state)
{
    struct tables *tables = *state;
    static const double ranges[][2] = {{60, 80}, {40.99, 40.99}, {0, 1}, {80, 60}};
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        int64_t expected = 0;
        for (int64_t id = 1; id <= ROWS; id += CATALOGUE_CATEGORIES) {
            double price = (double)catalogue_price_cents(id) / 100;
            expected += price >= ranges[i][0] && price <= ranges[i][1];
        }
        listing(SQL_PRODUCTS_BY_CATEGORY, "electronics", ranges[i][0], ranges[i][1]);
        struct cursor rows = run(tables, SQL_PRODUCTS_BY_CATEGORY);
        uint32_t count = cursor_array(&rows);
        assert_int_equal(count, MIN(expected, CATALOGUE_PAGE));
        while (count--) {
            cursor_array(&rows);
            for (int column = 0; column < 3; column++)
                cursor_skip(&rows);
            double price = cursor_real(&rows);
            assert_true(price >= ranges[i][0] && price <= ranges[i][1]);
            cursor_skip(&rows);
        }
    }
}

static void words_are_found_anywhere_in_a_name(void **state)
{
    struct tables *tables = *state;
    static const struct {
        const char *words;
        uint32_t found;
    } cases[] = {{"WATCH", 1}, {"gadget 1", 50}, {"no such thing", 0}, {"%", 0}, {"27\"", 1}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        pack_text(&params, "electronics");
        pack_text(&params, cases[i].words);
        pack_int(&params, 0);
        pack_int(&params, 10000);
        assert_rows(run(tables, SQL_SEARCH), PRODUCT, cases[i].found);
    }
}

static void look_up(int64_t id, const char *letters)
{
    if (id)
        pack_int(&params, id);
    else
        pack_nil(&params);
    if (letters)
        pack_text(&params, letters);
    else
        pack_nil(&params);
}

static void whatever_is_looked_up_is_found_by_number_or_first_letters(void **state)
{
    struct tables *tables = *state;
#define FOUND PRODUCT " popularity:int"
    look_up(4321, NULL);
    struct cursor rows = run(tables, SQL_SEARCH_UNINDEXED);
    assert_rows(rows, FOUND, 1);
    cursor_array(&rows);
    cursor_array(&rows);
    assert_int_equal(cursor_int(&rows), 4321);
    look_up(0, "PULSE sm");
    assert_rows(run(tables, SQL_SEARCH_UNINDEXED), FOUND, 1);
    look_up(17, "gadget"); /* the one of that number first */
    rows = run(tables, SQL_SEARCH_UNINDEXED);
    assert_rows(rows, FOUND, 50);
    cursor_array(&rows);
    cursor_array(&rows);
    assert_int_equal(cursor_int(&rows), 17);
    look_up(ROWS + 1, "mart"); /* not where a name begins */
    assert_rows(run(tables, SQL_SEARCH_UNINDEXED), FOUND, 0);
    look_up(0, NULL);
    assert_rows(run(tables, SQL_SEARCH_UNINDEXED), FOUND, 0);
}

static void recommendations_are_the_most_popular_within_the_price(void **state)
{
    struct tables *tables = *state;
    pack_text(&params, "electronics");
    pack_int(&params, 50);
    pack_int(&params, 100);
    struct cursor rows = run(tables, SQL_RECOMMENDATIONS);
    assert_rows(rows, "id:int name:text price:real popularity:int", 10);
    cursor_array(&rows);
    int64_t before = INT64_MAX;
    for (int i = 0; i < 10; i++) {
        cursor_array(&rows);
        assert_int_equal((cursor_int(&rows) - 1) % CATALOGUE_CATEGORIES, 0);
        cursor_skip(&rows);
        double price = cursor_real(&rows);
        assert_true(price >= 50 && price <= 100);
        int64_t popularity = cursor_int(&rows);
        assert_true(i || catalogue_popularity(tables->catalogue.top[0][0]) >= popularity);
        assert_true(popularity <= before);
        before = popularity;
    }
    pack_text(&params, "electronics");
    pack_int(&params, 0);
    pack_int(&params, 10000);
    rows = run(tables, SQL_RECOMMENDATIONS);
    cursor_array(&rows);
    cursor_array(&rows);
    assert_int_equal(cursor_int(&rows), tables->catalogue.top[0][0]);
    pack_text(&params, "electronics");
    pack_int(&params, 100);
    pack_int(&params, 50);
    assert_rows(run(tables, SQL_RECOMMENDATIONS), "id:int", 0);
    assert_rows(run(tables, SQL_RECOMMENDATIONS), "id:int", 0); /* no parameters: no category */
    assert_rows(run(tables, SQL_POPULAR_PRODUCTS), "id:int name:text orders:int", CATALOGUE_CATEGORIES);
}

static void one_product_is_there_or_not(void **state)
{
    struct tables *tables = *state;
    static const struct {
        int64_t id;
        uint32_t found;
    } cases[] = {{1, 1}, {ROWS, 1}, {0, 0}, {-1, 0}, {ROWS + 1, 0}, {INT64_MAX, 0}, {INT64_MIN, 0}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        pack_int(&params, cases[i].id);
        assert_rows(run(tables, SQL_PRODUCT_BY_ID), PRODUCT, cases[i].found);
        pack_int(&params, cases[i].id);
        assert_rows(run(tables, SQL_STOCK_OF), "stock_quantity:int", cases[i].found);
    }
    pack_int(&params, 17);
    struct cursor row = run(tables, SQL_PRODUCT_BY_ID);
    cursor_array(&row);
    cursor_array(&row);
    assert_int_equal(cursor_int(&row), 17);
    cursor_skip(&row);
    assert_true(slice_is(cursor_text(&row), "electronics"));
    assert_true(cursor_real(&row) == (double)catalogue_price_cents(17) / 100);
    assert_int_equal(cursor_int(&row), tables->catalogue.stock[16]);
}

static int64_t insert(struct tables *tables, int64_t id, int64_t product, int64_t quantity, const char *key)
{
    pack_int(&params, id);
    pack_text(&params, "user-1");
    pack_int(&params, product);
    pack_int(&params, quantity);
    if (key)
        pack_text(&params, key);
    else
        pack_nil(&params);
    struct cursor row = run(tables, SQL_ORDER_INSERT);
    return cursor_array(&row) ? cursor_int(&row) : -1;
}

static bool reserve(struct tables *tables, int64_t product, int64_t quantity, int64_t order, int64_t *left)
{
    pack_int(&params, product);
    pack_int(&params, quantity);
    pack_int(&params, order);
    struct cursor row = run(tables, SQL_STOCK_RESERVE);
    *left = -1;
    if (!cursor_array(&row))
        return false;
    bool reserved = cursor_bool(&row);
    *left = cursor_int(&row);
    assert_false(row.bad);
    return reserved;
}

static void an_order_costs_its_products_price_times_its_pieces(void **state)
{
    struct tables *tables = *state;
    pack_int(&params, 77);
    pack_text(&params, "user-1");
    pack_int(&params, 5);
    pack_int(&params, 3);
    pack_text(&params, "key");
    struct cursor row = run(tables, SQL_ORDER_INSERT);
    assert_int_equal(cursor_array(&row), 4);
    assert_int_equal(cursor_int(&row), 77);
    assert_int_equal(cursor_int(&row), 3 * catalogue_price_cents(5));
    assert_int_equal(cursor_int(&row), 5);
    assert_int_equal(cursor_int(&row), 3);
    assert_int_equal(insert(tables, 78, 6, 1, "key"), 77); /* the same key again */
}

static void impossible_orders_are_not_written(void **state)
{
    struct tables *tables = *state;
    static const char long_key[] = "0123456789012345678901234567890123456789012345678901234567890123+";
    assert_int_equal(insert(tables, 1, 0, 1, NULL), -1);
    assert_int_equal(insert(tables, 1, ROWS + 1, 1, NULL), -1);
    assert_int_equal(insert(tables, 1, 5, 0, NULL), -1);
    assert_int_equal(insert(tables, 1, 5, -1, NULL), -1);
    assert_int_equal(insert(tables, 1, 5, INT64_MAX, NULL), -1);
    assert_int_equal(insert(tables, 1, 5, 1, long_key), -1); /* refused, not cut */
    assert_int_equal(insert(tables, 1, 5, 1, long_key + 1), 1);
    struct cursor row = run(tables, SQL_ORDER_INSERT); /* no parameters */
    assert_int_equal(cursor_array(&row), 0);
    assert_int_equal(tables->orders.kept, 1);
}

static void pieces_and_order_stand_together_or_not_at_all(void **state)
{
    struct tables *tables = *state;
    int64_t had = tables->catalogue.stock[4], left;
    assert_false(reserve(tables, 5, 1, 123, &left)); /* no such order: nothing is taken */
    assert_int_equal(left, had);
    assert_int_equal(insert(tables, 123, 5, 2, NULL), 123);
    assert_false(reserve(tables, 5, had + 1, 123, &left));
    assert_int_equal(tables->orders.created, 0);
    assert_true(reserve(tables, 5, 2, 123, &left));
    assert_int_equal(left, had - 2);
    assert_int_equal(tables->orders.created, 1);
    assert_int_equal(tables->orders.revenue_cents, 2 * catalogue_price_cents(5));
    assert_true(reserve(tables, 5, 2, 123, &left)); /* told again that it stands; nothing more is taken */
    assert_int_equal(left, had - 2);
    assert_int_equal(tables->catalogue.taken, 2);
    assert_int_equal(tables->orders.pieces, 2);
    assert_false(reserve(tables, ROWS + 1, 1, 5, &left));
    assert_int_equal(left, -1); /* no such product: no row */
    assert_false(reserve(tables, 5, -1, 123456, &left));
    struct cursor row = run(tables, SQL_STOCK_RESERVE); /* no parameters */
    assert_int_equal(cursor_array(&row), 0);
}

static void a_product_is_sold_to_its_last_piece(void **state)
{
    struct tables *tables = *state;
    int64_t left = tables->catalogue.stock[0], sold = 0, had = left;
    for (int64_t order = 1; order < 2000; order++) {
        insert(tables, order, 1, 2, NULL);
        sold += reserve(tables, 1, 2, order, &left) ? 2 : 0;
        assert_true(left >= 0);
    }
    assert_int_equal(sold, had / 2 * 2);
    assert_int_equal(left, had % 2);
    assert_int_equal(tables->orders.pieces, sold);
    assert_int_equal(tables->catalogue.taken, sold);
}

int main(void)
{
#define WITH_TABLES(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_TABLES(a_category_page_has_fifty_products_with_stock),
        WITH_TABLES(a_page_keeps_to_the_price),
        WITH_TABLES(words_are_found_anywhere_in_a_name),
        WITH_TABLES(whatever_is_looked_up_is_found_by_number_or_first_letters),
        WITH_TABLES(recommendations_are_the_most_popular_within_the_price),
        WITH_TABLES(one_product_is_there_or_not),
        WITH_TABLES(an_order_costs_its_products_price_times_its_pieces),
        WITH_TABLES(impossible_orders_are_not_written),
        WITH_TABLES(pieces_and_order_stand_together_or_not_at_all),
        WITH_TABLES(a_product_is_sold_to_its_last_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
