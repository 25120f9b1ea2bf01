#include "tests/properties/shopper.h"

#include "edges/registry.h"

enum { PRODUCTS = 20, HOARDED = 3, KEYS = 5, NOISE_BYTES_MAX = 48 };

static void pack_user(struct call *call, struct pack *body)
{
    pack_label(body, "user-", 1000 + draw_below(call_draw(call, 0), 50));
}

static void pack_cart(struct call *call, struct pack *body)
{
    pack_label(body, "cart-", 1000 + draw_below(call_draw(call, 1), 50));
}

static int64_t some_product(struct call *call)
{
    return 1 + (int64_t)draw_below(call_draw(call, 2), PRODUCTS);
}

static void an_order(struct call *call, struct pack *body)
{
    pack_array(body, 4);
    pack_user(call, body);
    pack_int(body, 1 + (int64_t)draw_below(call_draw(call, 2), HOARDED));
    pack_int(body, 1 + (int64_t)draw_below(call_draw(call, 3), 100));
    if (call_draw(call, 4) & 1)
        pack_nil(body);
    else
        pack_label(body, "hoard-", (uint64_t)call_context(call)->stream << 40 | call_request_number(call));
}

/* What is ordered belongs to the key: a customer who tries again. */
static void the_same_order(struct call *call, struct pack *body)
{
    uint64_t key = draw_below(call_draw(call, 2), KEYS);
    pack_array(body, 4);
    pack_user(call, body);
    pack_int(body, 1 + (int64_t)key);
    pack_int(body, 1 + (int64_t)key * 7);
    pack_label(body, "again-", key);
}

static void a_product(struct call *call, struct pack *body)
{
    pack_array(body, 1);
    pack_int(body, some_product(call));
}

static void no_product(struct call *call, struct pack *body)
{
    pack_array(body, 1);
    pack_int(body, -(int64_t)draw_below(call_draw(call, 2), 1000));
}

static void into_cart(struct call *call, struct pack *body)
{
    pack_array(body, 3);
    pack_cart(call, body);
    if (call_draw(call, 5) & 1)
        pack_text(body, "random");
    else
        pack_int(body, some_product(call));
    pack_int(body, 1 + (int64_t)draw_below(call_draw(call, 3), 100));
}

static void the_cart(struct call *call, struct pack *body)
{
    pack_array(body, 1);
    pack_cart(call, body);
}

static void who(struct call *call, struct pack *body)
{
    pack_array(body, 3);
    pack_user(call, body);
    pack_cart(call, body);
    pack_nil(body);
}

static void category(struct call *call, struct pack *body)
{
    static const char *const names[] = {"electronics", "furniture", "sports", "no such thing", ""};
    pack_array(body, 2);
    pack_text(body, names[draw_below(call_draw(call, 6), ARRAY_LEN(names))]);
    pack_text(body, "lamp");
}

static void nothing(struct call *call, struct pack *body)
{
    (void)call;
    pack_array(body, 0);
}

static void noise(struct call *call, struct pack *body)
{
    static const char much[BODY_BYTES_MAX + 1];
    uint64_t choice = call_draw(call, 7);
    unsigned char bytes[NOISE_BYTES_MAX];
    if (choice % 50 == 0) {
        pack_text_len(body, much, sizeof much);
        return;
    }
    if (choice % 3)
        pack_array(body, (uint32_t)(choice % 7));
    for (uint32_t i = 0; i < NOISE_BYTES_MAX; i++)
        bytes[i] = (unsigned char)(call_draw(call, 100 + i) >> 13);
    pack_raw(body, bytes, choice / 7 % NOISE_BYTES_MAX);
}

/* ---- journeys ---- */

/* Some are in such a hurry that the order stands before they know. */
static bool in_a_hurry(struct call *call)
{
    return call_draw(call, 9) & 1;
}

static bool patient(struct call *call)
{
    return !in_a_hurry(call);
}

static const struct step hoard[] = {
    ASK("checkout", "POST /orders/create", .limit_ms = 70, .when = in_a_hurry, .body = an_order,
        .outcomes = true),
    ASK("checkout", "POST /orders/create", .limit_ms = 1500, .when = patient, .body = an_order,
        .outcomes = true),
    END(),
};

static const struct step again[] = {
    ASK("checkout", "POST /checkout", .limit_ms = 800, .body = the_same_order, .outcomes = true,
        .optional = true),
    ASK("checkout", "POST /checkout", .limit_ms = 800, .body = the_same_order, .outcomes = true),
    END(),
};

static const struct step wander[] = {
    ASK("product-catalog", "GET /products/{id}", .limit_ms = 700, .body = a_product, .optional = true),
    WORK(),
    ASK("cart-service", "POST /cart/add", .limit_ms = 300, .body = into_cart),
    WORK(),
    ASK("cart-service", "GET /cart", .limit_ms = 300, .body = the_cart, .optional = true),
    ASK("frontend", "POST /api/checkout", .limit_ms = 4000, .body = who, .outcomes = true),
    THINK(),
    ASK("cart-service", "DELETE /cart/{cart_id}", .limit_ms = 300, .body = the_cart),
    END(),
};

/* One step of many, by the call's draw. */
#define CHOICES 10
#define CHOICE(n)                                                                                            \
    static bool choice_##n(struct call *call)                                                                \
    {                                                                                                        \
        return draw_below(call_draw(call, 8), CHOICES) == n;                                                 \
    }
CHOICE(0)
CHOICE(1)
CHOICE(2)
CHOICE(3)
CHOICE(4)
CHOICE(5)
CHOICE(6)
CHOICE(7)
CHOICE(8)
CHOICE(9)

static const struct step look[] = {
    ASK("product-catalog", "GET /products", .limit_ms = 900, .when = choice_0, .body = category),
    ASK("product-catalog", "GET /products/recommendations", .limit_ms = 900, .when = choice_1,
        .body = category),
    ASK("product-catalog", "GET /products/search", .limit_ms = 900, .when = choice_2, .body = category),
    ASK("product-catalog", "GET /products/popular-with-history", .when = choice_3, .body = category),
    ASK("product-catalog", "GET /products/{id}", .limit_ms = 20, .when = choice_4, .body = a_product),
    ASK("product-catalog", "GET /products/{id}", .when = choice_5, .body = no_product),
    ASK("inventory-service", "GET /inventory/{product_id}", .limit_ms = 100, .when = choice_6,
        .body = a_product),
    ASK("inventory-service", "GET /inventory/{product_id}", .when = choice_7, .body = no_product),
    ASK("checkout", "GET /orders/popular-products", .limit_ms = 300, .when = choice_8, .body = nothing),
    ASK("checkout", "GET /no/such/route", .when = choice_9, .body = nothing),
    END(),
};

static const struct step nonsense[] = {
    ASK("frontend", "POST /api/browse", .limit_ms = 3000, .when = choice_0, .body = noise),
    ASK("frontend", "POST /api/checkout", .limit_ms = 9000, .when = choice_1, .body = noise),
    ASK("cart-service", "POST /cart/add", .when = choice_2, .body = noise),
    ASK("cart-service", "GET /cart/{cart_id}", .when = choice_3, .body = noise),
    ASK("currency-service", "GET /convert", .when = choice_4, .body = noise),
    ASK("shipping-service", "POST /calculate", .when = choice_5, .body = noise),
    ASK("payment-service", "POST /api/payment/process", .when = choice_6, .body = noise),
    ASK("checkout", "POST /orders/create", .when = choice_7, .body = noise),
    ASK("inventory-service", "POST /inventory/reserve", .when = choice_8, .body = noise),
    ASK("product-catalog", "GET /products/{id}", .when = choice_9, .body = noise, .optional = true),
    ASK("product-catalog", "GET /products/search", .when = choice_9, .body = noise, .optional = true),
    ASK("ad-service", "GET /ads", .when = choice_9, .body = noise, .optional = true),
    ASK("recommendation-service", "POST /recommend", .when = choice_9, .body = noise),
    END(),
};

static struct route journeys[] = {
    {.name = "browse"},
    {.name = "checkout"},
    {.name = "hoard", .steps = hoard},
    {.name = "again", .steps = again},
    {.name = "wander", .steps = wander},
    {.name = "look", .steps = look},
    {.name = "nonsense", .steps = nonsense},
    {.name = NULL},
};

static const struct actor_kind shoppers = {
    .service = "load-generator",
    .port = 8010,
    .drives_load = true,
    .work = {.p50_ns = 300 * NS_PER_MS, .p99_ns = 2 * NS_PER_S},
    .routes = journeys,
};

const struct registry *shopper_registry(void)
{
    static const struct actor_kind *kinds[SERVICES_MAX];
    static struct registry with_shoppers;
    if (with_shoppers.kinds)
        return &with_shoppers;
    with_shoppers = registry;
    with_shoppers.kinds = kinds;
    for (size_t i = 0; i < registry.kind_count; i++) {
        kinds[i] = registry.kinds[i]->drives_load ? &shoppers : registry.kinds[i];
        for (size_t j = 0; registry.kinds[i]->drives_load && j < 2; j++)
            journeys[j].steps = actor_kind_route(registry.kinds[i], journeys[j].name)->steps;
    }
    return &with_shoppers;
}
