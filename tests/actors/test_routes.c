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
    {"product-catalog", "GET /products", "[\"electronics\", null, null, null]", STATUS_OK},
    {"product-catalog", "GET /products/{id}", "[17]", STATUS_OK},
    {"product-catalog", "GET /products/search", "[\"electronics\", \"watch\", 0, 99.5, \"user-1\"]",
     STATUS_OK},
    {"product-catalog", "GET /products/popular-with-history", "[\"electronics\", null, 1000, null]",
     STATUS_OK},
    {"product-catalog", "GET /products/recommendations", "[\"electronics\", 50, 100, \"user-1\"]", STATUS_OK},
    {"recommendation-service", "POST /recommend", "[\"user-1\", \"electronics\", null, null]", STATUS_OK},
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

#define NAME_64 "\"0123456789012345678901234567890123456789012345678901234567890123\""
#define NAME_65 "\"01234567890123456789012345678901234567890123456789012345678901234\""

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
        {"product-catalog", "GET /products", "[\"sports\", 50, 49.99, null]", STATUS_BAD_INPUT},
        {"product-catalog", "GET /products", "[\"sports\", -1, null, null]", STATUS_BAD_INPUT},
        {"product-catalog", "GET /products", "[\"sports\", 10001, null, null]", STATUS_BAD_INPUT},
        {"product-catalog", "GET /products", "[\"sports\", null, 1000000001, null]", STATUS_BAD_INPUT},
        {"product-catalog", "GET /products", "[\"sports\", \"cheap\", null, null]", STATUS_BAD_INPUT},
        {"product-catalog", "GET /products", "[\"sports\", null, null, " NAME_65 "]", STATUS_BAD_INPUT},
        {"product-catalog", "GET /products/recommendations", "[\"sports\", 2, 1, null]", STATUS_BAD_INPUT},
        {"product-catalog", "GET /products/search", "[\"sports\", \"a\", 2, 1, null]", STATUS_BAD_INPUT},
        {"product-catalog", "GET /products/{id}", "[0]", STATUS_NOT_FOUND},
        {"product-catalog", "GET /products/{id}", "[-5]", STATUS_NOT_FOUND},
        {"product-catalog", "GET /products/{id}", "[5001]", STATUS_NOT_FOUND},
        {"checkout", "POST /orders/create", "[\"u\", 0, 1, null]", STATUS_BAD_INPUT},
        {"checkout", "POST /orders/create", "[\"u\", 5001, 1, null]", STATUS_BAD_INPUT},
        {"checkout", "POST /orders/create", "[\"u\", 5, 0, null]", STATUS_BAD_INPUT},
        {"checkout", "POST /orders/create", "[\"u\", 5, 101, null]", STATUS_BAD_INPUT},
        {"inventory-service", "GET /inventory/{product_id}", "[5001]", STATUS_NOT_FOUND},
        {"inventory-service", "POST /inventory/reserve", "[5001, 1, 1]", STATUS_NOT_FOUND},
        {"inventory-service", "POST /inventory/reserve", "[17, 0, 1]", STATUS_BAD_INPUT},
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
    static const struct request good[] = {
        {"cart-service", "POST /cart/add", "[" NAME_64 ", 1, 100]", STATUS_OK},
        {"currency-service", "GET /convert", "[1000000000000, \"USD\", \"EUR\"]", STATUS_OK},
        {"currency-service", "GET /convert", "[-1000000000000, \"USD\", \"EUR\"]", STATUS_OK},
        {"shipping-service", "POST /calculate", "[[[1000]], \"10001\"]", STATUS_OK},
        {"payment-service", "POST /api/payment/process", "[100000, \"u\"]", STATUS_OK},
        {"product-catalog", "GET /products/{id}", "[5000]", STATUS_OK},
        {"product-catalog", "GET /products", "[\"sports\", 50, 50, " NAME_64 "]", STATUS_OK},
        {"product-catalog", "GET /products", "[\"sports\", 0, 1000000000, null]", STATUS_OK},
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
    assert_true(near(shop_real(answer, 0), 6.99 + 3.5) && near(shop_real(answer, 2), 3));
    answer = shop_ask(&toy, "shipping-service", "POST /calculate", "[[[20], [0.5]], \"10001\"]", S(1));
    assert_true(near(shop_real(answer, 0), 6.99 + 20.5) && near(shop_real(answer, 2), 5));
    answer = shop_ask(&toy, "currency-service", "GET /convert", "[100, \"GBP\", \"USD\"]", S(1));
    assert_true(near(shop_real(answer, 0), 100) && near(shop_real(answer, 3), 1.266) &&
                near(shop_real(answer, 4), 126.6));
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
    assert_int_equal(shop_real(answer, 1), 2);
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
    assert_int_equal(world_stats(toy.world)->stores.cache_misses, 1);
    assert_int_equal(world_stats(toy.world)->stores.cache_hits, 1);
    toy_run_until(&toy, world_now(toy.world) + MIN_(5)); /* its time to live */
    shop_ask(&toy, "product-catalog", "GET /products/{id}", "[17]", S(1));
    assert_int_equal(world_stats(toy.world)->statements[SQL_PRODUCT_BY_ID].runs, 2);
    free(first);
    toy_end(&toy);
}

static void a_page_is_served_without_its_decoration(void **state)
{
    (void)state;
    struct toy toy;
    shop_begin(&toy, NULL);
    toy_open(&toy, 1);
    shop_fault(&toy, FAULT_SERVICE_DOWN, "ad-service", 0);
    shop_fault(&toy, FAULT_SERVICE_DOWN, "currency-service", 0);
    assert_int_equal(shop_ask(&toy, "frontend", "POST /api/browse", "[null, null]", S(2))->status, STATUS_OK);
    assert_int_equal(toy_span(&toy, "GET /ads", 0)->status, STATUS_NO_PEER);
    shop_fault(&toy, FAULT_SERVICE_DOWN, "product-catalog", 0);
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
    shop_fault(&toy, FAULT_SERVICE_DOWN, "redis", 0);
    assert_int_equal(shop_ask(&toy, "product-catalog", "GET /products/{id}", "[17]", S(1))->status,
                     STATUS_OK);
    assert_int_equal(shop_ask(&toy, "cart-service", "GET /cart", "[\"c\"]", S(1))->status,
                     STATUS_UNAVAILABLE);
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
    const struct toy_answer *answer = shop_ask(&toy, "product-catalog", "GET /products/recommendations",
                                               "[\"electronics\", 50, 100, \"user-1\"]", S(1));
    assert_answer(
        actor_kind_route(registry_kind(&registry, "product-catalog"), "GET /products/recommendations"),
        answer, STATUS_OK);
    assert_int_equal(toy_span_count(&toy, "POST /recommend"), 0);
    answer = shop_ask(&toy, "checkout", "POST /orders/create", "[\"u\", 17, 1, null]", S(1));
    assert_int_equal(answer->status, STATUS_CREATED);
    assert_int_equal(world_stats(toy.world)->statements[SQL_RECOMMENDATIONS].runs, 2);
    shop_fault(&toy, FAULT_SERVICE_DOWN, "product-catalog", 0);
    answer = shop_ask(&toy, "checkout", "POST /orders/create", "[\"u\", 17, 1, null]", S(1));
    assert_int_equal(answer->status, STATUS_UNAVAILABLE);
    assert_string_equal(toy_text(answer), "Checkout failed");
    assert_string_equal(toy_attr_text(&toy_span(&toy, "POST /orders/create", 1)->attrs, ATTR_CHECKOUT_REASON),
                        "product-recommendations-timeout");
    toy_end(&toy);
}

/* The same look-up in three services, and each answers as it does with its own statement. */
static void unindexed_variants_scan_for_the_same_answers(void **state)
{
    (void)state;
    struct toy toy;
    shop_begin(&toy, NULL);
    toy.scenario.services[0] = (struct service_spec){.service = "product-catalog", .variant = {0, 1}};
    toy.scenario.services[1] = (struct service_spec){.service = "checkout", .variant = {0, 1}};
    toy.scenario.services[2] = (struct service_spec){.service = "inventory-service", .variant = {1}};
    toy.scenario.service_count = 3;
    toy.demo = true;
    toy_open(&toy, 1);
    static const struct request asked[] = {
        {"product-catalog", "GET /products/search", "[\"any\", \"pulse\", null, null, null]", STATUS_OK},
        {"checkout", "GET /orders/popular-products", "[]", STATUS_OK},
        {"inventory-service", "GET /inventory/{product_id}", "[4999]", STATUS_OK},
        {"inventory-service", "GET /inventory/{product_id}", "[5001]", STATUS_NOT_FOUND},
    };
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        const struct toy_answer *answer =
            shop_ask(&toy, asked[i].service, asked[i].route, asked[i].body, S(1));
        assert_answer(actor_kind_route(registry_kind(&registry, asked[i].service), asked[i].route), answer,
                      asked[i].status);
    }
    const struct statement_stats *stats = &world_stats(toy.world)->statements[SQL_SEARCH_UNINDEXED];
    assert_true(stats->runs == 4 && stats->full_scans == 4 && stats->scan_rows_max == SHOP_ROWS);
    const struct attrs *attrs = &toy_span(&toy, "SELECT ecommerce.products", 0)->attrs;
    assert_string_equal(toy_attr_text(attrs, ATTR_ENDPOINT_TYPE), "slow_unindexed");
    assert_string_equal(toy_attr_text(attrs, ATTR_DB_MISSING_INDEX), "idx_products_name_prefix");
    toy.demo = false; /* the baseline has the statements of before */
    shop_ask(&toy, asked[0].service, asked[0].route, asked[0].body, S(1));
    assert_true(stats->runs == 4 && world_stats(toy.world)->statements[SQL_SEARCH].runs == 1);
    toy.demo = true;
    shop_fault(&toy, FAULT_CREATE_INDEX, "idx_products_name_prefix", 0);
    shop_ask(&toy, asked[0].service, asked[0].route, asked[0].body, S(1));
    assert_int_equal(stats->full_scans, 4);
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
        cmocka_unit_test(a_product_comes_from_the_cache_the_second_time),
        cmocka_unit_test(a_page_is_served_without_its_decoration),
        cmocka_unit_test(without_the_cache_products_are_shown_all_the_same),
        cmocka_unit_test(variants_take_another_way_to_the_same_answer),
        cmocka_unit_test(unindexed_variants_scan_for_the_same_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
