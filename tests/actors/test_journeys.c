/* journeys: what customers ask of the shop, journey by journey, and what becomes of their carts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/actors/shop_world.h"

static struct curve_point ten_a_second[] = {{0, 600}};

/* A minute of one journey in an otherwise healthy shop; pauses are short, so that few are still there at its end. */
static struct stream_spec *begin(struct toy *toy, const char *journey)
{
    shop_begin(toy, NULL);
    toy->scenario.duration_ns = MIN_(1);
    toy->scenario.stream_count = 1;
    toy->scenario.phase_count = 1;
    toy->scenario.phases[0] = (struct phase){0, "calm"};
    struct stream_spec *stream = &toy->scenario.streams[0];
    *stream = (struct stream_spec){.name = "s",
                                   .mixes = MIX_OF(journey),
                                   .mix_count = 1,
                                   .visit = {.think_mean_ns = MS(50),
                                             .think_max_ns = MS(200),
                                             .pages_min = 2,
                                             .pages_max = 5,
                                             .leave_share = 0.667},
                                   .rate_per_min = {.points = ten_a_second, .count = 1}};
    return stream;
}

static void play(struct toy *toy)
{
    toy_open(toy, 1);
    toy_run(toy);
    world_finish(toy->world);
}

static bool from_load(const struct toy *toy, const struct span *span)
{
    return span->depth == 1 &&
           strcmp(world_service(toy->world, span->site->service)->service, "load-generator") == 0;
}

/* Requests of the load generator by that name. */
static size_t asked(const struct toy *toy, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < toy->span_count; i++)
        count += from_load(toy, &toy->spans[i]) && strcmp(toy->spans[i].site->name, name) == 0;
    return count;
}

static uint64_t business(const struct toy *toy, enum business what)
{
    return world_stats(toy->world)->business.count[what];
}

static void assert_near(double value, double wanted, double off)
{
    if (!(value >= wanted - off && value <= wanted + off))
        fail_msg("%g is not within %g of %g", value, off, wanted);
}

/* Nobody is refused: requests have the fields that the routes take. */
static void assert_healthy(const struct toy *toy)
{
    const struct stream_stats *stats = &world_stats(toy->world)->streams[0];
    assert_true(stats->started > 500);
    assert_int_equal(stats->failed, 0);
    assert_int_equal(stats->answered, stats->started);
    for (size_t i = 0; i < toy->span_count; i++)
        if (from_load(toy, &toy->spans[i]))
            assert_false(toy->spans[i].status == STATUS_BAD_INPUT ||
                         toy->spans[i].status == STATUS_NOT_FOUND);
}

/* ---- journeys of one request ---- */

static void single_requests_reach_their_routes(void **state)
{
    (void)state;
    static const struct {
        const char *journey, *route;
    } cases[] = {{"browse", "POST /api/browse"},
                 {"checkout", "POST /api/checkout"},
                 {"products", "GET /products"},
                 {"recommendations", "GET /products/recommendations"},
                 {"order", "POST /orders/create"},
                 {"search", "GET /products/search"},
                 {"popular_products", "GET /orders/popular-products"},
                 {"stock", "GET /inventory/{product_id}"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct toy toy;
        begin(&toy, cases[i].journey);
        play(&toy);
        assert_healthy(&toy);
        assert_int_equal(asked(&toy, cases[i].route), world_stats(toy.world)->streams[0].started);
        for (size_t s = 0; s < toy.span_count; s++)
            assert_null(toy_attr(&toy.spans[s].attrs, ATTR_SESSION_ID));
        toy_end(&toy);
    }
}

static void every_order_has_its_key_and_counts(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, "order");
    play(&toy);
    uint64_t orders = world_stats(toy.world)->streams[0].started;
    assert_int_equal(business(&toy, BUSINESS_CHECKOUT), orders);
    assert_int_equal(business(&toy, BUSINESS_CHECKOUT_DONE), orders);
    assert_int_equal(business(&toy, BUSINESS_ORDER), orders);
    assert_int_equal(world_stats(toy.world)->business.db_orders, orders);
    toy_end(&toy);
}

/* ---- visits ---- */

static void the_classic_journeys_take_their_steps(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, "browse_only");
    play(&toy);
    assert_healthy(&toy);
    assert_near((double)asked(&toy, "GET /products"), (double)world_stats(toy.world)->streams[0].started, 0);
    toy_end(&toy);

    begin(&toy, "browse_and_cart");
    play(&toy);
    assert_healthy(&toy);
    size_t carts = asked(&toy, "POST /cart/add");
    assert_near((double)asked(&toy, "GET /cart"), (double)carts, 10);
    assert_int_equal(business(&toy, BUSINESS_CART_CREATED), carts);
    assert_int_equal(business(&toy, BUSINESS_CART_ABANDONED), asked(&toy, "GET /cart"));
    toy_end(&toy);

    begin(&toy, "full_checkout");
    play(&toy);
    assert_healthy(&toy);
    assert_int_equal(business(&toy, BUSINESS_CHECKOUT), asked(&toy, "POST /checkout"));
    assert_int_equal(business(&toy, BUSINESS_ORDER), asked(&toy, "POST /checkout"));
    assert_int_equal(business(&toy, BUSINESS_CART_ABANDONED), 0);
    toy_end(&toy);
}

static void who_looks_around_sees_some_pages(void **state)
{
    (void)state;
    struct toy toy;
    struct stream_spec *stream = begin(&toy, "look_around");
    play(&toy);
    assert_healthy(&toy);
    double front = (double)asked(&toy, "GET /products"), pages = (double)asked(&toy, "GET /products/{id}");
    assert_near(pages / front, 2.5, 0.15); /* 1 to 4 beside the front page */
    toy_end(&toy);

    stream = begin(&toy, "look_around");
    stream->visit.pages_min = stream->visit.pages_max = 1;
    play(&toy);
    assert_int_equal(asked(&toy, "GET /products/{id}"), 0);
    toy_end(&toy);

    stream = begin(&toy, "look_around");
    stream->visit.pages_min = stream->visit.pages_max = VISIT_PAGES_MAX;
    play(&toy);
    front = (double)asked(&toy, "GET /products");
    assert_near((double)asked(&toy, "GET /products/{id}") / front, VISIT_PAGES_MAX - 1, 0.1);
    toy_end(&toy);
}

static void who_fills_a_cart_may_leave_it(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, "fill_cart");
    play(&toy);
    assert_healthy(&toy);
    double carts = (double)asked(&toy, "POST /cart/add"), bought = (double)asked(&toy, "POST /api/checkout");
    assert_int_equal(business(&toy, BUSINESS_CART_CREATED), (uint64_t)carts);
    assert_near(bought / carts, 0.333, 0.06);
    assert_int_equal(business(&toy, BUSINESS_ORDER), (uint64_t)bought);
    assert_int_equal(business(&toy, BUSINESS_CHECKOUT), (uint64_t)bought); /* the frontend's count alone */
    assert_near((double)business(&toy, BUSINESS_CART_ABANDONED), carts - bought, 10);
    toy_end(&toy);
}

static void who_buys_buys_and_who_turns_back_does_not(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, "buy");
    play(&toy);
    assert_healthy(&toy);
    assert_near((double)business(&toy, BUSINESS_ORDER), (double)asked(&toy, "POST /cart/add"), 10);
    assert_int_equal(business(&toy, BUSINESS_CART_ABANDONED), 0);
    toy_end(&toy);

    begin(&toy, "turn_back");
    play(&toy);
    assert_healthy(&toy);
    assert_int_equal(business(&toy, BUSINESS_ORDER) + business(&toy, BUSINESS_CHECKOUT), 0);
    assert_near((double)business(&toy, BUSINESS_CART_ABANDONED), (double)asked(&toy, "POST /cart/add"), 10);
    assert_near((double)asked(&toy, "GET /cart/{cart_id}"), (double)asked(&toy, "POST /cart/add"), 10);
    toy_end(&toy);
}

static void who_compares_asks_twice(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy, "compare");
    play(&toy);
    assert_healthy(&toy);
    assert_int_equal(asked(&toy, "GET /products"), world_stats(toy.world)->streams[0].started);
    assert_near((double)asked(&toy, "GET /products"), 1200, 150);
    toy_end(&toy);
}

/* Of orders, and of the first product page. */
static void many_want_the_hot_product(void **state)
{
    (void)state;
    struct toy toy;
    struct stream_spec *stream = begin(&toy, "buy");
    stream->visit.hot_product = 9;
    stream->visit.hot_share = 0.45;
    play(&toy);
    size_t pages = 0, hot = 0;
    for (size_t i = 0; i < toy.span_count; i++) {
        const struct span *span = &toy.spans[i];
        if (!from_load(&toy, span) || strcmp(span->site->name, "GET /products/{id}") != 0)
            continue;
        pages++;
        hot += span->path_param.len == 1 && span->path_param.at[0] == '9';
    }
    assert_near((double)hot / (double)pages, 0.45 + 0.55 / 72, 0.06);
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_requests_reach_their_routes),
        cmocka_unit_test(every_order_has_its_key_and_counts),
        cmocka_unit_test(the_classic_journeys_take_their_steps),
        cmocka_unit_test(who_looks_around_sees_some_pages),
        cmocka_unit_test(who_fills_a_cart_may_leave_it),
        cmocka_unit_test(who_buys_buys_and_who_turns_back_does_not),
        cmocka_unit_test(who_compares_asks_twice),
        cmocka_unit_test(many_want_the_hot_product),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
