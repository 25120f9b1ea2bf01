/* catalogue: products that read like a shop's, pages and tops in order, and a stock that never runs below 0. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "actors/shop/catalogue.h"
#include "core/draw.h"

enum { ROWS = 5000 };

/* Valid until the next call but one. */
static const char *name_of(int64_t id)
{
    static unsigned char bytes[BODY_BYTES_MAX];
    static char names[2][64];
    static unsigned calls;
    char *name = names[calls++ % 2];
    struct pack pack = {.bytes = bytes};
    catalogue_pack_name(&pack, id);
    struct cursor cursor = {.at = bytes, .end = bytes + pack.len};
    struct slice slice = cursor_text(&cursor);
    assert_true(!cursor.bad && cursor.at == cursor.end && slice.len > 0 && slice.len < sizeof names[0]);
    memcpy(name, slice.at, slice.len);
    name[slice.len] = '\0';
    return name;
}

static void every_product_has_a_name_a_price_and_a_stock(void **state)
{
    (void)state;
    struct catalogue catalogue;
    catalogue_init(&catalogue, ROWS);
    for (int64_t id = 1; id <= ROWS; id++) {
        name_of(id);
        assert_in_range(catalogue_price_cents(id), 500, 50000);
        assert_int_equal(catalogue_price_cents(id) % 50, 49);
        assert_in_range(catalogue.stock[id - 1], 1000, 2999);
        assert_in_range(catalogue_popularity(id), id <= CATALOGUE_NAMED ? 100000 : 0,
                        id <= CATALOGUE_NAMED ? 199999 : 99999);
    }
    for (int64_t id = 1; id <= ROWS; id += CATALOGUE_CATEGORIES) {
        assert_in_range(catalogue_price_cents(id), 3950, 11949); /* electronics around 79, furniture 149 */
        assert_in_range(catalogue_price_cents(id + 1), 7450, 22449);
    }
    assert_string_equal(name_of(1), "Aurora Wireless Headphones");
    assert_string_equal(name_of(72), "Silk Scarf");
    assert_string_equal(name_of(73), "Gadget 73");
    assert_int_equal(catalogue.taken, 0);
    catalogue_fini(&catalogue);
}

/* sql/init-db.sql makes the same; tests/live/test_sql.py compares hundreds where there is a PostgreSQL. */
static void figures_are_those_of_the_real_database(void **state)
{
    (void)state;
    static const int64_t expected[][4] = {/* id, cents, popularity, stock */
                                          {1, 5749, 120696, 2660},    {17, 8049, 148115, 1889},
                                          {72, 3049, 148572, 1027},   {73, 8049, 56957, 1402},
                                          {1600, 6949, 83107, 2486},  {1601, 6449, 13800, 1830},
                                          {500000, 3049, 35771, 1372}};
    struct catalogue catalogue;
    catalogue_init(&catalogue, 500000);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        int64_t id = expected[i][0];
        assert_int_equal(catalogue_price_cents(id), expected[i][1]);
        assert_int_equal(catalogue_popularity(id), expected[i][2]);
        assert_int_equal(catalogue.stock[id - 1], expected[i][3]);
    }
    catalogue_fini(&catalogue);
}

static void named_products_have_different_names(void **state)
{
    (void)state;
    for (int64_t a = 1; a <= CATALOGUE_NAMED; a++) {
        for (int64_t b = a + 1; b <= CATALOGUE_NAMED; b++)
            assert_string_not_equal(name_of(a), name_of(b));
    }
}

static void categories_are_known_by_name(void **state)
{
    (void)state;
    for (int i = 0; i < CATALOGUE_CATEGORIES; i++) {
        const char *name = catalogue_category_name(i);
        assert_int_equal(catalogue_category((struct slice){name, (uint32_t)strlen(name)}), i);
        assert_int_equal(catalogue_category((struct slice){name, (uint32_t)strlen(name) - 1}), -1);
    }
    assert_int_equal(catalogue_category((struct slice){"", 0}), -1);
    assert_int_equal(catalogue_category((struct slice){"Electronics", 11}), -1);
    assert_string_equal(catalogue_category_name(0), "electronics");
}

static void a_page_is_by_name_and_the_top_by_popularity(void **state)
{
    (void)state;
    struct catalogue catalogue;
    catalogue_init(&catalogue, ROWS);
    for (int c = 0; c < CATALOGUE_CATEGORIES; c++) {
        for (int i = 0; i < CATALOGUE_PAGE; i++)
            assert_int_equal((catalogue.page[c][i] - 1) % CATALOGUE_CATEGORIES, c);
        for (int i = 1; i < CATALOGUE_NAMED / CATALOGUE_CATEGORIES; i++) {
            assert_true(strcmp(name_of(catalogue.page[c][i - 1]), name_of(catalogue.page[c][i])) < 0);
        }
        for (int i = 1; i < CATALOGUE_TOP; i++) {
            int64_t before = catalogue.top[c][i - 1], after = catalogue.top[c][i];
            assert_int_equal((after - 1) % CATALOGUE_CATEGORIES, c);
            assert_true(catalogue_popularity(before) > catalogue_popularity(after) ||
                        (catalogue_popularity(before) == catalogue_popularity(after) && before < after));
        }
    }
    catalogue_fini(&catalogue);
}

static void pieces_are_taken_or_not_at_all(void **state)
{
    (void)state;
    struct catalogue catalogue;
    catalogue_init(&catalogue, ROWS);
    int32_t had = catalogue.stock[6];
    assert_true(catalogue_take(&catalogue, 7, had - 1));
    assert_false(catalogue_take(&catalogue, 7, 2));
    assert_int_equal(catalogue.stock[6], 1);
    assert_true(catalogue_take(&catalogue, 7, 1));
    assert_false(catalogue_take(&catalogue, 7, 1));
    static const int64_t hostile[][2] = {
        {0, 1},  {-1, 1},        {ROWS + 1, 1},  {INT64_MAX, 1}, {INT64_MIN, 1},     {1, 0},
        {1, -1}, {1, INT64_MAX}, {1, INT64_MIN}, {1, INT32_MIN}, {1, 4294967296 + 1}};
    for (size_t i = 0; i < ARRAY_LEN(hostile); i++)
        assert_false(catalogue_take(&catalogue, hostile[i][0], hostile[i][1]));
    assert_int_equal(catalogue.taken, had);
    catalogue_fini(&catalogue);
}

static void what_was_taken_is_what_is_gone(void **state)
{
    (void)state;
    struct catalogue catalogue;
    catalogue_init(&catalogue, ROWS);
    int64_t before = 0, after = 0;
    for (int i = 0; i < ROWS; i++)
        before += catalogue.stock[i];
    for (uint64_t i = 0; i < 20000; i++) {
        struct draw chance = draw(1, i, 1, 0);
        catalogue_take(&catalogue, (int64_t)draw_below(chance.a, 30), (int64_t)draw_below(chance.b, 40) - 5);
    }
    for (int i = 0; i < ROWS; i++) {
        assert_true(catalogue.stock[i] >= 0);
        after += catalogue.stock[i];
    }
    assert_int_equal(catalogue.taken, before - after);
    assert_int_equal(catalogue.stock[0], 0); /* long sold out */
    catalogue_fini(&catalogue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_product_has_a_name_a_price_and_a_stock),
        cmocka_unit_test(figures_are_those_of_the_real_database),
        cmocka_unit_test(named_products_have_different_names),
        cmocka_unit_test(categories_are_known_by_name),
        cmocka_unit_test(a_page_is_by_name_and_the_top_by_popularity),
        cmocka_unit_test(pieces_are_taken_or_not_at_all),
        cmocka_unit_test(what_was_taken_is_what_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
