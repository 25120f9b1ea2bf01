/*
 * load-generator: the shop's customers. Its routes are journeys; streams of the scenario begin them.
 *
 * A journey of several requests is a visit: its visitor has a cart of its own, pauses between requests, and goes
 * away when one of them fails. What it looks at and wants are draws of its own, so that no visit changes another.
 */
#include "core/actor.h"

enum { FIRST_USER = 1000, USERS = 9000, NAMED_PRODUCTS = 72, FIRST_CART = 100000, LIMIT_MS = 10000 };
enum { PAGE_LIMIT_MS = 3000, CART_LIMIT_MS = 2000 };

/* Draws of one journey; those of the pages seen come last. */
enum { DRAW_USER, DRAW_CATEGORY, DRAW_IS_HOT, DRAW_PRODUCT, DRAW_LEAVES, DRAW_PAGES, DRAW_PAGE };

struct visit {
    int64_t product; /* that it wants */
    int pages; /* that it will see, if it looks around */
    int seen; /* products */
    bool carted, leaves, ordered;
};

/* ---- who, and what they want ---- */

static void arrive(struct call *call)
{
    struct visit *visit = call_locals(call);
    const struct visit_spec *spec = call_visit(call);
    bool hot = spec->hot_product && draw_uniform(call_draw(call, DRAW_IS_HOT)) < spec->hot_share;
    int64_t random = 1 + (int64_t)draw_below(call_draw(call, DRAW_PRODUCT), NAMED_PRODUCTS);
    uint64_t more = (uint64_t)MAX(spec->pages_max - spec->pages_min, 0) + 1;
    visit->product = hot ? spec->hot_product : random;
    visit->pages = spec->pages_min + (int)draw_below(call_draw(call, DRAW_PAGES), more);
    visit->leaves = draw_uniform(call_draw(call, DRAW_LEAVES)) < spec->leave_share;
}

static uint64_t user_number(struct call *call)
{
    return FIRST_USER + draw_below(call_draw(call, DRAW_USER), USERS);
}

/* Unique in a run, so that a cart is made by its visit alone. */
static void pack_own_cart(struct call *call, struct pack *body)
{
    pack_label(body, "cart-",
               FIRST_CART + call_request_number(call) * STREAMS_MAX + call_context(call)->stream);
}

/* The request's number makes an order unique. */
static void pack_order_key(struct call *call, struct pack *body)
{
    pack_label(body, "order-", (uint64_t)call_context(call)->stream << 48 | call_request_number(call));
}

/* A returning customer: user-1234 with cart-1234. */
static void shopper(struct call *call, struct pack *body)
{
    uint64_t number = user_number(call);
    pack_array(body, 3);
    pack_label(body, "user-", number);
    pack_label(body, "cart-", number);
    pack_order_key(call, body);
}

/* A visitor, with what this visit has put into the cart. */
static void visitor(struct call *call, struct pack *body)
{
    pack_array(body, 3);
    pack_label(body, "user-", user_number(call));
    pack_own_cart(call, body);
    pack_order_key(call, body);
}

static void own_cart(struct call *call, struct pack *body)
{
    pack_array(body, 1);
    pack_own_cart(call, body);
}

static void into_cart(struct call *call, struct pack *body, int quantity)
{
    const struct visit *visit = call_locals(call);
    pack_array(body, 3);
    pack_own_cart(call, body);
    pack_int(body, visit->product);
    pack_int(body, quantity);
}

static void one_into_cart(struct call *call, struct pack *body)
{
    into_cart(call, body, 1);
}

static void two_into_cart(struct call *call, struct pack *body)
{
    into_cart(call, body, 2);
}

static void an_order(struct call *call, struct pack *body)
{
    const struct visit *visit = call_locals(call);
    pack_array(body, 4);
    pack_label(body, "user-", user_number(call));
    pack_int(body, visit->product);
    pack_int(body, 1);
    pack_order_key(call, body);
}

static void wanted_product(struct call *call, struct pack *body)
{
    const struct visit *visit = call_locals(call);
    pack_array(body, 1);
    pack_int(body, visit->product);
}

/* The first page is of what it came for, the others of what else is in the window. */
static void next_product(struct call *call, struct pack *body)
{
    struct visit *visit = call_locals(call);
    uint32_t page = DRAW_PAGE + (uint32_t)visit->seen;
    int64_t other = 1 + (int64_t)draw_below(call_draw(call, page), NAMED_PRODUCTS);
    pack_array(body, 1);
    pack_int(body, visit->seen++ ? other : visit->product);
}

static void pack_category(struct pack *body, const char *name)
{
    pack_array(body, 1);
    pack_text(body, name);
}

static void pack_priced(struct pack *body, const char *category, int64_t price_max)
{
    pack_array(body, 3);
    pack_text(body, category);
    pack_int(body, 0);
    pack_int(body, price_max);
}

static void electronics(struct call *call, struct pack *body)
{
    (void)call;
    pack_category(body, "electronics");
}

/* A category up to a price, as in the classic journeys. */
#define UP_TO(category, price_max)                                                                           \
    static void category##_to_##price_max(struct call *call, struct pack *body)                              \
    {                                                                                                        \
        (void)call;                                                                                          \
        pack_priced(body, #category, price_max);                                                             \
    }
UP_TO(electronics, 1000)
UP_TO(electronics, 2000)
UP_TO(furniture, 5000)
UP_TO(sports, 500)

static void for_a_user(struct call *call, struct pack *body)
{
    pack_array(body, 4);
    pack_text(body, "electronics");
    pack_nil(body);
    pack_nil(body);
    pack_label(body, "user-", user_number(call));
}

static void some_category(struct call *call, struct pack *body)
{
    static const char *const names[] = {"electronics", "furniture", "sports"};
    pack_category(body, names[draw_below(call_draw(call, DRAW_CATEGORY), ARRAY_LEN(names))]);
}

static void the_next_category(struct call *call, struct pack *body)
{
    static const char *const names[] = {"furniture", "sports", "electronics"};
    pack_category(body, names[draw_below(call_draw(call, DRAW_CATEGORY), ARRAY_LEN(names))]);
}

static void some_words(struct call *call, struct pack *body)
{
    (void)call;
    pack_array(body, 2);
    pack_text(body, "electronics");
    pack_text(body, "camera");
}

/* ---- what becomes of them ---- */

static void see_cart(struct call *call, const struct answer *answer)
{
    (void)answer;
    struct visit *visit = call_locals(call);
    visit->carted = true;
}

/* Where checkout is asked for the order itself; the frontend counts those that come through it. */
static void begin_order(struct call *call)
{
    call_business(call, BUSINESS_CHECKOUT, 0);
}

static void see_order(struct call *call, const struct answer *answer)
{
    struct visit *visit = call_locals(call);
    if (answer->status != STATUS_CREATED)
        return;
    visit->ordered = true;
    call_business(call, BUSINESS_CHECKOUT_DONE, 0);
}

static void see_checkout(struct call *call, const struct answer *answer)
{
    struct visit *visit = call_locals(call);
    visit->ordered = answer->status == STATUS_OK;
}

/* A cart that nobody has paid for is abandoned, whosever fault it was: its visitor changed its mind, or a request
   failed, or what lay in it was sold out. */
static void leave(struct call *call)
{
    const struct visit *visit = call_locals(call);
    if (visit->carted && !visit->ordered)
        call_business(call, BUSINESS_CART_ABANDONED, 0);
}

static bool stays(struct call *call)
{
    const struct visit *visit = call_locals(call);
    return !visit->leaves;
}

/* ---- journeys of one request ---- */

static const struct step browse[] = {
    ASK("frontend", "POST /api/browse", .limit_ms = LIMIT_MS, .body = shopper),
    END(),
};

static const struct step checkout[] = {
    ASK("frontend", "POST /api/checkout", .limit_ms = LIMIT_MS, .body = shopper),
    END(),
};

static const struct step products[] = {
    ASK("product-catalog", "GET /products", .query = "category=electronics", .limit_ms = 2000,
        .body = electronics),
    END(),
};

static const struct step recommendations[] = {
    ASK("product-catalog", "GET /products/recommendations", .query = "category=electronics", .limit_ms = 6000,
        .body = for_a_user),
    END(),
};

static const struct step order[] = {
    DO(arrive),
    DO(begin_order),
    ASK("checkout", "POST /orders/create", .limit_ms = LIMIT_MS, .body = an_order, .then = see_order,
        .outcomes = true),
    END(),
};

static const struct step search[] = {
    ASK("product-catalog", "GET /products/search", .query = "category=electronics&q=camera",
        .limit_ms = LIMIT_MS, .body = some_words),
    END(),
};

static const struct step bestsellers[] = {
    ASK("product-catalog", "GET /products/popular-with-history", .query = "category=electronics",
        .limit_ms = LIMIT_MS, .body = electronics),
    END(),
};

static const struct step popular_products[] = {
    ASK("checkout", "GET /orders/popular-products", .limit_ms = LIMIT_MS),
    END(),
};

static const struct step stock[] = {
    DO(arrive),
    ASK("inventory-service", "GET /inventory/{product_id}", .limit_ms = LIMIT_MS, .body = wanted_product),
    END(),
};

/* ---- the classic journeys ---- */

#define CATEGORY_PAGE(name, price_max)                                                                       \
    ASK("product-catalog", "GET /products", .query = "category=" #name "&price_min=0&price_max=" #price_max, \
        .limit_ms = LIMIT_MS, .body = name##_to_##price_max)

static const struct step browse_only[] = {
    CATEGORY_PAGE(electronics, 1000),
    THINK(),
    CATEGORY_PAGE(furniture, 5000),
    END(),
};

static const struct step browse_and_cart[] = {
    DO(arrive),
    CATEGORY_PAGE(sports, 500),
    THINK(),
    ASK("cart-service", "POST /cart/add", .limit_ms = LIMIT_MS, .body = one_into_cart, .then = see_cart),
    THINK(),
    ASK("cart-service", "GET /cart", .limit_ms = LIMIT_MS, .body = own_cart),
    END(),
};

static const struct step full_checkout[] = {
    DO(arrive),
    CATEGORY_PAGE(electronics, 2000),
    THINK(),
    ASK("cart-service", "POST /cart/add", .limit_ms = LIMIT_MS, .body = two_into_cart, .then = see_cart),
    THINK(),
    ASK("cart-service", "GET /cart", .limit_ms = LIMIT_MS, .body = own_cart),
    THINK(),
    DO(begin_order),
    ASK("checkout", "POST /checkout", .limit_ms = LIMIT_MS, .body = an_order, .then = see_order,
        .outcomes = true),
    END(),
};

/* ---- visits to the shop ---- */

#define FRONT_PAGE(body_, ...)                                                                               \
    ASK("product-catalog", "GET /products", .limit_ms = PAGE_LIMIT_MS, .body = (body_), ##__VA_ARGS__)
#define PRODUCT_PAGE(...)                                                                                    \
    ASK("product-catalog", "GET /products/{id}", .limit_ms = PAGE_LIMIT_MS, .body = next_product,            \
        ##__VA_ARGS__)
#define ADD_TO_CART()                                                                                        \
    ASK("cart-service", "POST /cart/add", .limit_ms = CART_LIMIT_MS, .body = one_into_cart, .then = see_cart)
#define CHECK_OUT(...)                                                                                       \
    ASK("frontend", "POST /api/checkout", .limit_ms = LIMIT_MS, .body = visitor, .then = see_checkout,       \
        .outcomes = true, ##__VA_ARGS__)

static bool sees_more(struct call *call)
{
    const struct visit *visit = call_locals(call);
    return visit->seen + 1 < visit->pages; /* the front page is one of them */
}

#define ONE_MORE_PAGE() THINK(.when = sees_more), PRODUCT_PAGE(.when = sees_more)

static const struct step look_around[] = {
    DO(arrive),      FRONT_PAGE(some_category), ONE_MORE_PAGE(), ONE_MORE_PAGE(), ONE_MORE_PAGE(),
    ONE_MORE_PAGE(), ONE_MORE_PAGE(),           ONE_MORE_PAGE(), ONE_MORE_PAGE(), END(),
};
_Static_assert(ARRAY_LEN(look_around) == 3 + 2 * (VISIT_PAGES_MAX - 1), "steps for every page");

/* Who compares wants both pages: that one fails does not keep anybody from the other. */
static const struct step compare[] = {
    DO(arrive), FRONT_PAGE(some_category, .optional = true), THINK(), FRONT_PAGE(the_next_category), END(),
};

static const struct step fill_cart[] = {
    DO(arrive), FRONT_PAGE(some_category), THINK(), PRODUCT_PAGE(), THINK(), ADD_TO_CART(),
    THINK(),    CHECK_OUT(.when = stays),  END(),
};

static const struct step buy[] = {
    DO(arrive), FRONT_PAGE(some_category),
    THINK(),    PRODUCT_PAGE(),
    THINK(),    ADD_TO_CART(),
    THINK(),    CHECK_OUT(),
    END(),
};

/* Of a sale: the product page, and the button under it that buys at once. */
static const struct step snap_up[] = {
    DO(arrive),
    PRODUCT_PAGE(),
    THINK(),
    DO(begin_order),
    ASK("checkout", "POST /checkout", .limit_ms = LIMIT_MS, .body = an_order, .then = see_order,
        .outcomes = true),
    END(),
};

/* Looks at the cart as if to pay, and thinks better of it. */
static const struct step turn_back[] = {
    DO(arrive), FRONT_PAGE(some_category),
    THINK(),    PRODUCT_PAGE(),
    THINK(),    ADD_TO_CART(),
    THINK(),    ASK("cart-service", "GET /cart/{cart_id}", .limit_ms = CART_LIMIT_MS, .body = own_cart),
    THINK(),    END(),
};

static const struct route journeys[] = {
    {.name = "browse", .steps = browse},
    {.name = "checkout", .steps = checkout},
    {.name = "products", .steps = products},
    {.name = "recommendations", .steps = recommendations},
    {.name = "order", .steps = order},
    {.name = "search", .steps = search},
    {.name = "bestsellers", .steps = bestsellers},
    {.name = "popular_products", .steps = popular_products},
    {.name = "stock", .steps = stock},
    {.name = "browse_only", .steps = browse_only},
    {.name = "browse_and_cart", .steps = browse_and_cart, .leave = leave},
    {.name = "full_checkout", .steps = full_checkout, .leave = leave},
    {.name = "look_around", .steps = look_around},
    {.name = "compare", .steps = compare},
    {.name = "fill_cart", .steps = fill_cart, .leave = leave},
    {.name = "buy", .steps = buy, .leave = leave},
    {.name = "snap_up", .steps = snap_up},
    {.name = "turn_back", .steps = turn_back, .leave = leave},
    {.name = NULL},
};

const struct actor_kind actor_load_generator = {
    .service = "load-generator",
    .port = 8010,
    .drives_load = true,
    .routes = journeys,
};
