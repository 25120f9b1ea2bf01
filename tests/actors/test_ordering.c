/* ordering: an order and its pieces, its key, what is sold out, and why a checkout is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/actors/shop_world.h"

static bool near(double a, double b)
{
    return a - b < 1e-9 && b - a < 1e-9;
}

static double stock_of(struct toy *toy, const char *product)
{
    return shop_real(shop_ask(toy, "inventory-service", "GET /inventory/{product_id}", product, S(1)), 1);
}

static void an_order_takes_its_pieces_once(void **state)
{
    (void)state;
    struct toy toy;
    shop_begin(&toy, NULL);
    toy_open(&toy, 1);
    double before =
        shop_real(shop_ask(&toy, "inventory-service", "GET /inventory/{product_id}", "[17]", S(1)), 1);
    const char *order = "[\"u\", 17, 3, \"the-key\"]";
    const struct toy_answer *answer = shop_ask(&toy, "checkout", "POST /orders/create", order, S(1));
    int64_t first = toy_number(answer);
    double total = shop_real(answer, 2);
    assert_int_equal(answer->status, STATUS_CREATED);
    answer = shop_ask(&toy, "checkout", "POST /orders/create", order, S(1));
    assert_int_equal(answer->status, STATUS_CREATED);
    assert_int_equal(toy_number(answer), first); /* the same key: the same order */
    double after =
        shop_real(shop_ask(&toy, "inventory-service", "GET /inventory/{product_id}", "[17]", S(1)), 1);
    assert_true(after == before - 3);
    const struct business_stats *shop = &world_stats(toy.world)->business;
    assert_int_equal(shop->db_orders, 1);
    assert_int_equal(shop->db_pieces, 3);
    assert_int_equal(shop->db_stock_taken, 3);
    assert_true(total == (double)shop->db_revenue_cents / 100);
    /* Reserving again for an order that stands is told so. */
    char again[64];
    snprintf(again, sizeof again, "[17, 3, %lld]", (long long)first);
    answer = shop_ask(&toy, "inventory-service", "POST /inventory/reserve", again, S(1));
    assert_int_equal(answer->status, STATUS_OK);
    assert_int_equal(answer->body->bytes[1], 0xc3); /* true */
    assert_true(shop_real(answer, 1) == after);
    double price = shop_real(shop_ask(&toy, "product-catalog", "GET /products/{id}", "[17]", S(1)), 3);
    assert_true(total - 3 * price < 0.005 && 3 * price - total < 0.005);
    toy_end(&toy);
}

/* Whoever comes again under a key is told of the first order, whatever it asks for now: also where the first
   try did not get to its pieces. */
static void under_one_key_the_first_order_counts(void **state)
{
    (void)state;
    struct toy toy;
    shop_begin(&toy, NULL);
    toy_open(&toy, 1);
    shop_fault(&toy, FAULT_SERVICE_DOWN, "inventory-service", 0);
    const struct toy_answer *answer =
        shop_ask(&toy, "checkout", "POST /orders/create", "[\"u\", 17, 3, \"the-key\"]", S(1));
    assert_int_equal(answer->status, STATUS_UNAVAILABLE);
    shop_fault(&toy, FAULT_SERVICE_UP, "inventory-service", 0);
    double mine = stock_of(&toy, "[17]"), other = stock_of(&toy, "[18]");
    for (int again = 0; again < 2; again++) {
        answer = shop_ask(&toy, "checkout", "POST /orders/create", "[\"u\", 18, 1, \"the-key\"]", S(1));
        assert_int_equal(answer->status, STATUS_CREATED);
        assert_true(stock_of(&toy, "[17]") == mine - 3 && stock_of(&toy, "[18]") == other);
    }
    double price = shop_real(shop_ask(&toy, "product-catalog", "GET /products/{id}", "[17]", S(1)), 3);
    assert_true(near(shop_real(answer, 2), 3 * price));
    assert_int_equal(world_stats(toy.world)->business.db_pieces, 3);
    toy_end(&toy);
}

static void what_is_sold_out_is_an_outcome(void **state)
{
    (void)state;
    struct toy toy;
    shop_begin(&toy, NULL);
    toy_open(&toy, 1);
    const struct toy_answer *answer;
    int sold = 0;
    while ((answer = shop_ask(&toy, "checkout", "POST /orders/create", "[\"u\", 17, 100, null]", MS(200)))
               ->status == STATUS_CREATED)
        sold += 100;
    assert_int_equal(answer->status, STATUS_SOLD_OUT);
    assert_string_equal(toy_text(answer), "Sold out");
    assert_in_range(sold, 900, 3000);
    const struct business_stats *shop = &world_stats(toy.world)->business;
    assert_int_equal(shop->db_stock_taken, sold);
    assert_int_equal(shop->count[BUSINESS_SOLD_OUT], 1);
    assert_int_equal(shop->revenue_cents, shop->db_revenue_cents);
    /* One that is in somebody's cart, at the front door. */
    shop_ask(&toy, "cart-service", "POST /cart/add", "[\"cart\", 17, 1]", S(1));
    do
        answer = shop_ask(&toy, "frontend", "POST /api/checkout", "[\"u\", \"cart\", null]", S(1));
    while (answer->status == STATUS_OK && ++sold);
    assert_int_equal(answer->status, STATUS_SOLD_OUT);
    assert_int_equal(shop->db_stock_taken, sold);
    assert_int_equal(world_stats(toy.world)->asks_ended[STATUS_FAILED], 0);
    toy_end(&toy);
}

/* The reason is the pool's, told by whoever waited for it. */
static void an_exhausted_pool_is_the_reason_at_the_front_door(void **state)
{
    (void)state;
    struct toy toy;
    shop_begin(&toy, NULL);
    toy_open(&toy, 1);
    shop_fault(&toy, FAULT_HOLD_CONNECTIONS, "recommendations", 20);
    toy_run_until(&toy, MIN_(1));
    const struct toy_answer *answer =
        shop_ask(&toy, "frontend", "POST /api/checkout", "[null, null, null]", S(5));
    assert_int_equal(answer->status, STATUS_UNAVAILABLE);
    assert_string_equal(toy_text(answer), "Checkout failed");
    const struct attrs *attrs = &toy_span(&toy, "POST /api/checkout", 0)->attrs;
    assert_string_equal(toy_attr_text(attrs, ATTR_CHECKOUT_REASON), "ConnectionPoolExhausted");
    assert_int_equal(toy_span_count(&toy, "POST /api/payment/process"), 0); /* not reached */
    shop_fault(&toy, FAULT_HOLD_CONNECTIONS, "orders", 20);
    answer = shop_ask(&toy, "checkout", "POST /orders/create", "[\"u\", 17, 1, null]", S(5));
    assert_int_equal(answer->status, STATUS_UNAVAILABLE);
    attrs = &toy_span(&toy, "POST /orders/create", 0)->attrs;
    assert_int_equal(toy_attr_number(attrs, ATTR_CHECKOUT_FAILED), 1);
    assert_string_equal(toy_attr_text(attrs, ATTR_CHECKOUT_REASON), "ConnectionPoolExhausted");
    toy_end(&toy);
}

static void without_recommendations_the_checkout_is_lost(void **state)
{
    (void)state;
    struct toy toy;
    shop_begin(&toy, NULL);
    toy_open(&toy, 1);
    shop_fault(&toy, FAULT_SERVICE_DOWN, "recommendation-service", 0);
    /* In demo minute 0 nobody asks for them yet. */
    const char *who = "[\"user-1\", \"cart-1\", \"key\"]";
    assert_int_equal(shop_ask(&toy, "frontend", "POST /api/checkout", who, S(2))->status, STATUS_OK);
    toy_run_until(&toy, MIN_(3));
    const struct toy_answer *answer = shop_ask(&toy, "frontend", "POST /api/checkout", who, S(2));
    assert_int_equal(answer->status, STATUS_UNAVAILABLE);
    struct pack expected = {.bytes = base_alloc(BODY_BYTES_MAX, 1)};
    shop_pack(&expected, "[\"Checkout failed\", \"Product recommendations unavailable\", 3]");
    assert_int_equal(answer->body->len, expected.len);
    assert_memory_equal(answer->body->bytes, expected.bytes, expected.len);
    free(expected.bytes);
    const struct attrs *attrs = &toy_span(&toy, "POST /api/checkout", 1)->attrs;
    assert_int_equal(toy_attr_number(attrs, ATTR_CHECKOUT_FAILED), 1);
    assert_string_equal(toy_attr_text(attrs, ATTR_CHECKOUT_REASON), "recommendations-timeout");
    assert_string_equal(toy_attr_text(attrs, ATTR_ORDER_ID), "key");
    assert_string_equal(toy_attr_text(attrs, ATTR_USER_ID), "user-1");
    assert_int_equal(world_stats(toy.world)->business.db_orders, 1); /* the first */
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_takes_its_pieces_once),
        cmocka_unit_test(under_one_key_the_first_order_counts),
        cmocka_unit_test(what_is_sold_out_is_an_outcome),
        cmocka_unit_test(an_exhausted_pool_is_the_reason_at_the_front_door),
        cmocka_unit_test(without_recommendations_the_checkout_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
