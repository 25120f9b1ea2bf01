/* orders: an order stands once, keys are unique, totals are of what stands, and the oldest make room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "actors/shop/orders.h"
#include "core/draw.h"

static struct slice key(const char *text)
{
    return (struct slice){text, (uint32_t)strlen(text)};
}

static const struct slice none = {"", 0};

static struct order_row insert(struct orders *orders, uint64_t id, int64_t total_cents, struct slice of_key)
{
    struct order_row row = {.id = id, .total_cents = total_cents, .product = (int64_t)id + 1, .quantity = 2};
    return orders_insert(orders, &row, of_key);
}

static bool stands(const struct orders *orders, uint64_t id)
{
    const struct order_row *row = orders_find(orders, id);
    return row && row->created;
}

static void check_totals(const struct orders *orders)
{
    uint64_t created;
    int64_t revenue_cents;
    orders_count(orders, &created, &revenue_cents);
    assert_int_equal(orders->created, created);
    assert_int_equal(orders->revenue_cents, revenue_cents);
}

static void an_order_stands_once(void **state)
{
    (void)state;
    struct orders orders = {0};
    struct order_row row = insert(&orders, 42, 999, none);
    assert_true(row.id == 42 && row.total_cents == 999 && !row.created);
    assert_false(stands(&orders, 42));
    assert_int_equal(orders.created, 0);
    assert_true(orders_create(&orders, 42, 3));
    assert_true(stands(&orders, 42));
    assert_false(orders_create(&orders, 42, 3));
    assert_false(orders_create(&orders, 43, 3));
    assert_false(stands(&orders, 43));
    assert_int_equal(orders.created, 1);
    assert_int_equal(orders.revenue_cents, 999);
    assert_int_equal(orders.pieces, 3);
    check_totals(&orders);
    orders_fini(&orders);
}

static void a_key_gives_the_first_order_again(void **state)
{
    (void)state;
    struct orders orders = {0};
    insert(&orders, 1, 100, key("order-1"));
    struct order_row row = insert(&orders, 2, 200, key("order-1"));
    assert_true(row.id == 1 && row.total_cents == 100 && row.product == 2 && row.quantity == 2);
    assert_int_equal(orders.kept, 1);
    assert_true(orders_create(&orders, 1, 3));
    row = insert(&orders, 3, 300, key("order-1"));
    assert_true(row.id == 1 && row.created);
    assert_false(orders_create(&orders, 2, 3)); /* there is no such order */
    row = insert(&orders, 4, 400, key("order-10"));
    assert_int_equal(row.id, 4);
    assert_int_equal(orders.kept, 2);
    check_totals(&orders);
    orders_fini(&orders);
}

static void without_a_key_each_is_its_own_unless_the_id_is_there(void **state)
{
    (void)state;
    struct orders orders = {0};
    assert_int_equal(insert(&orders, 1, 100, none).id, 1);
    assert_int_equal(insert(&orders, 2, 100, none).id, 2);
    assert_int_equal(insert(&orders, 1, 900, none).total_cents, 100);
    assert_int_equal(orders.kept, 2);
    orders_fini(&orders);
}

/* Two keys that differ in their last byte alone are two keys. */
static void long_keys_are_not_cut(void **state)
{
    (void)state;
    struct orders orders = {0};
    char a[ORDERS_KEY_MAX], b[ORDERS_KEY_MAX];
    memset(a, 'k', sizeof a);
    memcpy(b, a, sizeof b);
    b[sizeof b - 1] = 'l';
    insert(&orders, 1, 100, (struct slice){a, sizeof a});
    assert_int_equal(insert(&orders, 2, 200, (struct slice){b, sizeof b}).id, 2);
    assert_int_equal(insert(&orders, 3, 200, (struct slice){a, sizeof a}).id, 1);
    orders_fini(&orders);
}

static void the_oldest_make_room_and_the_totals_stay(void **state)
{
    (void)state;
    enum { OVER = 1000 };
    struct orders orders = {0};
    for (uint64_t id = 1; id <= ORDERS_KEPT + OVER; id++) {
        char text[32];
        snprintf(text, sizeof text, "order-%llu", (unsigned long long)id);
        insert(&orders, id, 10, key(text));
        orders_create(&orders, id, 3);
    }
    assert_int_equal(orders.kept, ORDERS_KEPT);
    assert_int_equal(orders.created, ORDERS_KEPT + OVER);
    assert_int_equal(orders.revenue_cents, 10 * (ORDERS_KEPT + OVER));
    assert_false(stands(&orders, OVER));
    assert_true(stands(&orders, OVER + 1));
    assert_int_equal(insert(&orders, 999999, 10, key("order-5")).id, 999999); /* its key is free */
    orders_fini(&orders);
    assert_int_equal(orders.kept, 0);
}

static void random_inserts_and_creates_add_up(void **state)
{
    (void)state;
    struct orders orders = {0};
    for (uint64_t i = 0; i < 30000; i++) {
        struct draw chance = draw(1, i, 1, 0);
        uint64_t id = draw_below(chance.a, 3000);
        char text[32];
        snprintf(text, sizeof text, "k%d", (int)draw_below(chance.b, 2000));
        if (i % 3)
            insert(&orders, id, (int64_t)draw_below(chance.b, 10000), i % 2 ? key(text) : none);
        else
            orders_create(&orders, id, 3);
    }
    check_totals(&orders);
    assert_true(orders.created > 100);
    assert_int_equal(orders.pieces, 3 * orders.created);
    orders_fini(&orders);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_stands_once),
        cmocka_unit_test(a_key_gives_the_first_order_again),
        cmocka_unit_test(without_a_key_each_is_its_own_unless_the_id_is_there),
        cmocka_unit_test(long_keys_are_not_cut),
        cmocka_unit_test(the_oldest_make_room_and_the_totals_stay),
        cmocka_unit_test(random_inserts_and_creates_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
