/* routes: each route of each service once, its answer held against what it declares; and the shop's ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/actors/shop_world.h"

static const struct request {
    const char *service, *route, *body;
    enum status status;
} requests[] = {
    {"frontend", "POST /api/browse", "[null, null]", STATUS_OK},
    {"frontend", "POST /api/checkout", "[\"user-1\", \"cart-1\", \"key-1\"]", STATUS_OK},
    {"cart-service", "POST /cart/add", "[\"cart-1\", \"random\", 2]", STATUS_OK},
    {"cart-service", "GET /cart", "[\"cart-1\"]", STATUS_OK},
    {"cart-service", "GET /cart/{cart_id}", "[\"cart-1\"]", STATUS_OK},
    {"cart-service", "DELETE /cart/{cart_id}", "[\"cart-1\"]", STATUS_OK},
    {"currency-service", "GET /convert", "[100, \"USD\", \"EUR\"]", STATUS_OK},
    {"ad-service", "GET /ads", "[\"sports\"]", STATUS_OK},
    {"shipping-service", "POST /calculate", "[[[1], [2.5]], \"10001\"]", STATUS_OK},
    {"payment-service", "POST /api/payment/process", "[99.99, \"user-1\"]", STATUS_OK},
    {"product-catalog", "GET /products", "[\"electronics\"]", STATUS_OK},
    {"product-catalog", "GET /products/{id}", "[17]", STATUS_OK},
    {"product-catalog", "GET /products/search", "[\"electronics\", \"desk\"]", STATUS_OK},
    {"product-catalog", "GET /products/popular-with-history", "[\"electronics\"]", STATUS_OK},
    {"product-catalog", "GET /products/recommendations", "[\"electronics\"]", STATUS_OK},
    {"recommendation-service", "POST /recommend", "[\"user-1\", \"electronics\"]", STATUS_OK},
    {"checkout", "POST /orders/create", "[\"user-1\", 17, 1, null]", STATUS_CREATED},
    {"checkout", "POST /checkout", "[\"user-1\", 17, 2, \"key-2\"]", STATUS_CREATED},
    {"checkout", "GET /orders/popular-products", "[]", STATUS_OK},
    {"inventory-service", "GET /inventory/{product_id}", "[17]", STATUS_OK},
    {"inventory-service", "POST /inventory/reserve", "[17, 1, 1]", STATUS_SOLD_OUT}, /* no such order */
};

/* A failure's body: (error) or (error, reason, demo_minute). */
static bool fits_failure(const struct body *body)
{
    return shop_fits("error:text", body->bytes, body->len) ||
           shop_fits("error:text reason:text demo_minute:int", body->bytes, body->len);
}

static void assert_answer(const struct route *route, const struct toy_answer *answer, enum status status)
{
    if (answer->status != status)
        fail_msg("%s: status %d, expected %d", route->name, answer->status, status);
    bool good = status == STATUS_OK || status == STATUS_CREATED;
    assert_non_null(answer->body);
    if (!(good ? shop_fits(route->answers, answer->body->bytes, answer->body->len)
               : fits_failure(answer->body)))
        fail_msg("%s: the answer is not what it declares", route->name);
}

static const struct request *request_for(const struct actor_kind *kind, const struct route *route)
{
    for (size_t i = 0; i < ARRAY_LEN(requests); i++)
        if (!strcmp(requests[i].service, kind->service) && !strcmp(requests[i].route, route->name))
            return &requests[i];
    fail_msg("%s %s is in no test", kind->service, route->name);
    return NULL;
}

static void every_route_answers_what_it_declares(void **state)
{
    (void)state;
    struct toy toy;
    shop_begin(&toy, NULL);
    toy_open(&toy, 1);
    size_t asked = 0;
    for (size_t k = 0; k < registry.kind_count; k++) {
        const struct actor_kind *kind = registry.kinds[k];
        if (kind->store || kind->drives_load)
            continue;
        for (const struct route *route = kind->routes; route->name; route++, asked++) {
            const struct request *request = request_for(kind, route);
            const struct toy_answer *answer = shop_ask(&toy, kind->service, route->name, request->body, S(5));
            assert_answer(route, answer, request->status);
        }
    }
    assert_int_equal(asked, ARRAY_LEN(requests));
    toy_end(&toy);
}

static void what_cannot_be_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct request bad[] = {
        {"cart-service", "POST /cart/add", "[\"\", 5, 1]", STATUS_BAD_INPUT},
        {"cart-service", "POST /cart/add", "[\"c\", \"any\", 1]", STATUS_BAD_INPUT},
        {"cart-service", "POST /cart/add", "[\"c\", 0, 1]", STATUS_BAD_INPUT},
        {"cart-service", "POST /cart/add", "[\"c\", 5, 0]", STATUS_BAD_INPUT},
        {"cart-service", "POST /cart/add", "[\"c\", 5, 101]", STATUS_BAD_INPUT},
        {"cart-service", "GET /cart", "[\"\"]", STATUS_BAD_INPUT},
        {"cart-service", "DELETE /cart/{cart_id}", "[\"\"]", STATUS_BAD_INPUT},
        {"currency-service", "GET /convert", "[100, \"USD\", \"USD\"]", STATUS_BAD_INPUT},
        {"currency-service", "GET /convert", "[10000000000000, \"USD\", \"EUR\"]", STATUS_BAD_INPUT},
        {"shipping-service", "POST /calculate", "[[], \"10001\"]", STATUS_BAD_INPUT},
        {"shipping-service", "POST /calculate", "[[[0]], \"10001\"]", STATUS_BAD_INPUT},
        {"shipping-service", "POST /calculate", "[[[1001]], \"10001\"]", STATUS_BAD_INPUT},
        {"payment-service", "POST /api/payment/process", "[0, \"u\"]", STATUS_BAD_INPUT},
        {"payment-service", "POST /api/payment/process", "[-1, \"u\"]", STATUS_BAD_INPUT},
        {"payment-service", "POST /api/payment/process", "[100000.01, \"u\"]", STATUS_BAD_INPUT},
        {"product-catalog", "GET /products/{id}", "[0]", STATUS_NOT_FOUND},
        {"product-catalog", "GET /products/{id}", "[-5]", STATUS_NOT_FOUND},
        {"product-catalog", "GET /products/{id}", "[5001]", STATUS_NOT_FOUND},
        {"checkout", "POST /orders/create", "[\"u\", 0, 1, null]", STATUS_BAD_INPUT},
        {"checkout", "POST /orders/create", "[\"u\", 5001, 1, null]", STATUS_BAD_INPUT},
        {"checkout", "POST /orders/create", "[\"u\", 5, 0, null]", STATUS_BAD_INPUT},
        {"checkout", "POST /orders/create", "[\"u\", 5, 101, null]", STATUS_BAD_INPUT},
        {"inventory-service", "GET /inventory/{product_id}", "[5001]", STATUS_NOT_FOUND},
        {"frontend", "POST /api/browse", "[5, null]", STATUS_BAD_INPUT},
    };
    struct toy toy;
    shop_begin(&toy, NULL);
    toy_open(&toy, 1);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const struct toy_answer *answer = shop_ask(&toy, bad[i].service, bad[i].route, bad[i].body, S(1));
        assert_answer(actor_kind_route(registry_kind(&registry, bad[i].service), bad[i].route), answer,
                      bad[i].status);
    }
    assert_int_equal(world_stats(toy.world)->business.db_orders, 0);
    toy_end(&toy);
}

/* The bound itself is within it. */
static void what_just_can_be_is_taken(void **state)
{
    (void)state;
#define NAME_64 "\"0123456789012345678901234567890123456789012345678901234567890123\""
    static const struct request good[] = {
        {"cart-service", "POST /cart/add", "[" NAME_64 ", 1, 100]", STATUS_OK},
        {"currency-service", "GET /convert", "[1000000000000, \"USD\", \"EUR\"]", STATUS_OK},
        {"currency-service", "GET /convert", "[-1000000000000, \"USD\", \"EUR\"]", STATUS_OK},
        {"shipping-service", "POST /calculate", "[[[1000]], \"10001\"]", STATUS_OK},
        {"payment-service", "POST /api/payment/process", "[100000, \"u\"]", STATUS_OK},
        {"product-catalog", "GET /products/{id}", "[5000]", STATUS_OK},
        {"checkout", "POST /orders/create", "[\"u\", 5000, 100, " NAME_64 "]", STATUS_CREATED},
        {"frontend", "POST /api/browse", "[" NAME_64 ", " NAME_64 "]", STATUS_OK},
        {"frontend", "POST /api/checkout", "[" NAME_64 ", " NAME_64 ", " NAME_64 "]", STATUS_OK},
    };
    struct toy toy;
    shop_begin(&toy, NULL);
    toy_open(&toy, 1);
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        const struct toy_answer *answer = shop_ask(&toy, good[i].service, good[i].route, good[i].body, S(2));
        assert_answer(actor_kind_route(registry_kind(&registry, good[i].service), good[i].route), answer,
                      good[i].status);
    }
    toy_end(&toy);
}

/* ---- the shop's ways ---- */

static double real_at(const struct toy_answer *answer, int skipped)
{
    struct cursor cursor = cursor_of(answer->body);
    cursor_array(&cursor);
    while (skipped--)
        cursor_skip(&cursor);
    double value = cursor_real(&cursor);
    assert_false(cursor.bad);
    return value;
}

static bool near(double a, double b)
{
    return a - b < 1e-9 && b - a < 1e-9;
}

static void parcels_and_money_are_worked_out(void **state)
{
    (void)state;
    struct toy toy;
    shop_begin(&toy, NULL);
    toy_open(&toy, 1);
    const struct toy_answer *answer =
        shop_ask(&toy, "shipping-service", "POST /calculate", "[[[1], [2.5]], \"10001\"]", S(1));
    assert_true(near(real_at(answer, 0), 6.99 + 3.5) && near(real_at(answer, 2), 3));
    answer = shop_ask(&toy, "shipping-service", "POST /calculate", "[[[20], [0.5]], \"10001\"]", S(1));
    assert_true(near(real_at(answer, 0), 6.99 + 20.5) && near(real_at(answer, 2), 5));
    answer = shop_ask(&toy, "currency-service", "GET /convert", "[100, \"GBP\", \"USD\"]", S(1));
    assert_true(near(real_at(answer, 0), 100) && near(real_at(answer, 3), 1.266) &&
                near(real_at(answer, 4), 126.6));
    toy_end(&toy);
}

static void who_gives_no_name_is_given_one(void **state)
{
    (void)state;
    struct toy toy;
    shop_begin(&toy, NULL);
    toy_open(&toy, 1);
    for (int i = 0; i < 20; i++) {
        const struct toy_answer *answer =
            shop_ask(&toy, "frontend", "POST /api/browse", "[null, null]", S(2));
        struct cursor cursor = cursor_of(answer->body);
        cursor_array(&cursor);
        cursor_skip(&cursor);
        cursor_skip(&cursor);
        struct slice user = cursor_text(&cursor);
        assert_true(user.len == 9 && memcmp(user.at, "user-", 5) == 0 && user.at[5] >= '1' &&
                    user.at[5] <= '9');
    }
    toy_end(&toy);
}

static void a_cart_is_filled_read_and_emptied(void **state)
{
    (void)state;
    struct toy toy;
    shop_begin(&toy, NULL);
    toy_open(&toy, 1);
    shop_ask(&toy, "cart-service", "POST /cart/add", "[\"mine\", 17, 2]", S(1));
    const struct toy_answer *answer =
        shop_ask(&toy, "cart-service", "POST /cart/add", "[\"mine\", 9, 1]", S(1));
    assert_int_equal(real_at(answer, 1), 2);
    answer = shop_ask(&toy, "cart-service", "GET /cart/{cart_id}", "[\"mine\"]", S(1));
    unsigned char bytes[64];
    struct pack expected = {.bytes = base_alloc(BODY_BYTES_MAX, 1)};
    shop_pack(&expected, "[\"mine\", [[17, 2], [9, 1]]]");
    assert_int_equal(answer->body->len, expected.len);
    memcpy(bytes, expected.bytes, expected.len);
    free(expected.bytes);
    assert_memory_equal(answer->body->bytes, bytes, answer->body->len);
    shop_ask(&toy, "cart-service", "DELETE /cart/{cart_id}", "[\"mine\"]", S(1));
    answer = shop_ask(&toy, "cart-service", "GET /cart", "[\"mine\"]", S(1));
    assert_true(shop_fits("cart_id:text items:[none:int]", answer->body->bytes, answer->body->len));
    assert_int_equal(world_stats(toy.world)->business.count[BUSINESS_CART_CREATED], 1);
    toy_end(&toy);
}

static void an_order_takes_its_pieces_once(void **state)
{
    (void)state;
    struct toy toy;
    shop_begin(&toy, NULL);
    toy_open(&toy, 1);
    double before =
        real_at(shop_ask(&toy, "inventory-service", "GET /inventory/{product_id}", "[17]", S(1)), 1);
    const char *order = "[\"u\", 17, 3, \"the-key\"]";
    const struct toy_answer *answer = shop_ask(&toy, "checkout", "POST /orders/create", order, S(1));
    int64_t first = toy_number(answer);
    double total = real_at(answer, 2);
    assert_int_equal(answer->status, STATUS_CREATED);
    answer = shop_ask(&toy, "checkout", "POST /orders/create", order, S(1));
    assert_int_equal(answer->status, STATUS_CREATED);
    assert_int_equal(toy_number(answer), first); /* the same key: the same order */
    double after =
        real_at(shop_ask(&toy, "inventory-service", "GET /inventory/{product_id}", "[17]", S(1)), 1);
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
    assert_true(real_at(answer, 1) == after);
    double price = real_at(shop_ask(&toy, "product-catalog", "GET /products/{id}", "[17]", S(1)), 3);
    assert_true(total - 3 * price < 0.005 && 3 * price - total < 0.005);
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

static void a_product_comes_from_the_cache_the_second_time(void **state)
{
    (void)state;
    struct toy toy;
    shop_begin(&toy, NULL);
    toy_open(&toy, 1);
    const struct toy_answer *answer = shop_ask(&toy, "product-catalog", "GET /products/{id}", "[17]", S(1));
    struct body *first = base_alloc(1, sizeof *first + answer->body->len);
    first->len = answer->body->len;
    memcpy(first->bytes, answer->body->bytes, first->len);
    answer = shop_ask(&toy, "product-catalog", "GET /products/{id}", "[17]", S(1));
    assert_int_equal(answer->body->len, first->len);
    assert_memory_equal(answer->body->bytes, first->bytes, first->len);
    assert_int_equal(world_stats(toy.world)->statements[SQL_PRODUCT_BY_ID].runs, 1);
    toy_run_until(&toy, world_now(toy.world) + MIN_(5)); /* its time to live */
    shop_ask(&toy, "product-catalog", "GET /products/{id}", "[17]", S(1));
    assert_int_equal(world_stats(toy.world)->statements[SQL_PRODUCT_BY_ID].runs, 2);
    free(first);
    toy_end(&toy);
}

static void set(struct toy *toy, enum fault_kind kind, const char *target, double value)
{
    struct fault_spec fault = FAULT(0, kind, target, value);
    assert_int_equal(world_set_fault(toy->world, &fault, world_now(toy->world)), STATUS_OK);
}

static void a_page_is_served_without_its_decoration(void **state)
{
    (void)state;
    struct toy toy;
    shop_begin(&toy, NULL);
    toy_open(&toy, 1);
    set(&toy, FAULT_SERVICE_DOWN, "ad-service", 0);
    set(&toy, FAULT_SERVICE_DOWN, "currency-service", 0);
    assert_int_equal(shop_ask(&toy, "frontend", "POST /api/browse", "[null, null]", S(2))->status, STATUS_OK);
    assert_int_equal(toy_span(&toy, "GET /ads", 0)->status, STATUS_NO_PEER);
    set(&toy, FAULT_SERVICE_DOWN, "product-catalog", 0);
    const struct toy_answer *answer = shop_ask(&toy, "frontend", "POST /api/browse", "[null, null]", S(2));
    assert_int_equal(answer->status, STATUS_UNAVAILABLE);
    toy_end(&toy);
}

static void without_the_cache_products_are_shown_all_the_same(void **state)
{
    (void)state;
    struct toy toy;
    shop_begin(&toy, NULL);
    toy_open(&toy, 1);
    set(&toy, FAULT_SERVICE_DOWN, "redis", 0);
    assert_int_equal(shop_ask(&toy, "product-catalog", "GET /products/{id}", "[17]", S(1))->status,
                     STATUS_OK);
    assert_int_equal(shop_ask(&toy, "cart-service", "GET /cart", "[\"c\"]", S(1))->status,
                     STATUS_UNAVAILABLE);
    toy_end(&toy);
}

/* The reason is the pool's, told by whoever waited for it. */
static void an_exhausted_pool_is_the_reason_at_the_front_door(void **state)
{
    (void)state;
    struct toy toy;
    shop_begin(&toy, NULL);
    toy_open(&toy, 1);
    set(&toy, FAULT_HOLD_CONNECTIONS, "recommendations", 20);
    toy_run_until(&toy, MIN_(1));
    const struct toy_answer *answer =
        shop_ask(&toy, "frontend", "POST /api/checkout", "[null, null, null]", S(5));
    assert_int_equal(answer->status, STATUS_UNAVAILABLE);
    assert_string_equal(toy_text(answer), "Checkout failed");
    const struct attrs *attrs = &toy_span(&toy, "POST /api/checkout", 0)->attrs;
    assert_string_equal(toy_attr_text(attrs, ATTR_CHECKOUT_REASON), "ConnectionPoolExhausted");
    assert_int_equal(toy_span_count(&toy, "POST /api/payment/process"), 0); /* not reached */
    set(&toy, FAULT_HOLD_CONNECTIONS, "orders", 20);
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
    set(&toy, FAULT_SERVICE_DOWN, "recommendation-service", 0);
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

static void variants_take_another_way_to_the_same_answer(void **state)
{
    (void)state;
    struct toy toy;
    shop_begin(&toy, NULL);
    toy.scenario.services[0] = (struct service_spec){.service = "product-catalog", .variant = {1}}; /* own */
    toy.scenario.services[1] = (struct service_spec){.service = "checkout", .variant = {1}}; /* asked */
    toy.scenario.service_count = 2;
    toy_open(&toy, 1);
    toy_run_until(&toy, MIN_(1));
    const struct toy_answer *answer =
        shop_ask(&toy, "product-catalog", "GET /products/recommendations", "[\"electronics\"]", S(1));
    assert_answer(
        actor_kind_route(registry_kind(&registry, "product-catalog"), "GET /products/recommendations"),
        answer, STATUS_OK);
    assert_int_equal(toy_span_count(&toy, "POST /recommend"), 0);
    answer = shop_ask(&toy, "checkout", "POST /orders/create", "[\"u\", 17, 1, null]", S(1));
    assert_int_equal(answer->status, STATUS_CREATED);
    assert_int_equal(world_stats(toy.world)->statements[SQL_RECOMMENDATIONS].runs, 2);
    set(&toy, FAULT_SERVICE_DOWN, "product-catalog", 0);
    answer = shop_ask(&toy, "checkout", "POST /orders/create", "[\"u\", 17, 1, null]", S(1));
    assert_int_equal(answer->status, STATUS_UNAVAILABLE);
    assert_string_equal(toy_text(answer), "Checkout failed");
    assert_string_equal(toy_attr_text(&toy_span(&toy, "POST /orders/create", 1)->attrs, ATTR_CHECKOUT_REASON),
                        "product-recommendations-timeout");
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_answers_what_it_declares),
        cmocka_unit_test(what_cannot_be_is_refused_with_a_reason),
        cmocka_unit_test(what_just_can_be_is_taken),
        cmocka_unit_test(parcels_and_money_are_worked_out),
        cmocka_unit_test(who_gives_no_name_is_given_one),
        cmocka_unit_test(a_cart_is_filled_read_and_emptied),
        cmocka_unit_test(an_order_takes_its_pieces_once),
        cmocka_unit_test(what_is_sold_out_is_an_outcome),
        cmocka_unit_test(a_product_comes_from_the_cache_the_second_time),
        cmocka_unit_test(a_page_is_served_without_its_decoration),
        cmocka_unit_test(without_the_cache_products_are_shown_all_the_same),
        cmocka_unit_test(an_exhausted_pool_is_the_reason_at_the_front_door),
        cmocka_unit_test(without_recommendations_the_checkout_is_lost),
        cmocka_unit_test(variants_take_another_way_to_the_same_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
