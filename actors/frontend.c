/* frontend: the shop's front door. It owns no data and orchestrates every journey. */
#include "core/actor.h"

#define AMOUNT_USD 99.99
enum { FIRST_USER = 1000, USERS = 9000, NAMED_PRODUCTS = 72, NAME_BYTES_MAX = 64 };

struct visit {
    struct slice user, cart, order_key; /* of the request; length 0: made up */
    uint64_t number; /* for what is made up */
    int64_t product;
};

static struct slice optional_text(struct cursor *request)
{
    if (request->at == request->end || cursor_nil(request))
        return (struct slice){"", 0};
    return cursor_text(request);
}

static void pack_who(struct pack *body, struct slice given, const char *prefix, uint64_t number)
{
    if (given.len)
        pack_text_len(body, given.at, given.len);
    else
        pack_label(body, prefix, number);
}

static const char needed[] = "user_id, cart_id and idempotency_key must be text of at most 64 bytes";

static void welcome(struct call *call)
{
    struct visit *visit = call_locals(call);
    struct cursor request = call_request(call);
    if (cursor_array(&request)) {
        visit->user = optional_text(&request);
        visit->cart = optional_text(&request);
        visit->order_key = optional_text(&request);
    }
    visit->number = FIRST_USER + draw_below(call_draw(call, 0), USERS);
    uint32_t longest = MAX(MAX(visit->user.len, visit->cart.len), visit->order_key.len);
    if (request.bad || longest > NAME_BYTES_MAX)
        call_refuse(call, STATUS_BAD_INPUT, needed);
}

static void their_cart(struct call *call, struct pack *body)
{
    const struct visit *visit = call_locals(call);
    pack_array(body, 1);
    pack_who(body, visit->cart, "cart-", visit->number);
}

static void a_hundred_dollars(struct call *call, struct pack *body)
{
    (void)call;
    pack_array(body, 3);
    pack_int(body, 100);
    pack_text(body, "USD");
    pack_text(body, "EUR");
}

static void electronics(struct call *call, struct pack *body)
{
    (void)call;
    pack_array(body, 1);
    pack_text(body, "electronics");
}

static void browse_succeeded(struct call *call, struct pack *body)
{
    const struct visit *visit = call_locals(call);
    pack_array(body, 3);
    pack_text(body, "success");
    pack_text(body, "baseline_browse");
    pack_who(body, visit->user, "user-", visit->number);
}

static const struct step browse[] = {
    DO(welcome),
    WORK(),
    ASK("cart-service", "GET /cart/{cart_id}", .limit_ms = 2000, .body = their_cart),
    ASK("currency-service", "GET /convert", .query = "amount=100&from=USD&to=EUR", .limit_ms = 1000,
        .body = a_hundred_dollars, .optional = true),
    ASK("ad-service", "GET /ads", .query = "category=electronics", .limit_ms = 1000, .body = electronics,
        .optional = true),
    ASK("product-catalog", "GET /products", .query = "category=electronics&traffic_type=baseline",
        .limit_ms = 3000, .body = electronics),
    REPLY(STATUS_OK, browse_succeeded),
};

/* ---- checkout ---- */

static bool demo_started(struct call *call)
{
    return call_context(call)->demo_minute >= 1;
}

static void begin_checkout(struct call *call)
{
    call_business(call, BUSINESS_CHECKOUT, 0);
}

/* What is bought is what lies on top in the cart; with an empty cart, a product that was in the window. */
static void read_cart(struct call *call, const struct answer *answer)
{
    struct visit *visit = call_locals(call);
    struct cursor cart = answer->body;
    cursor_array(&cart);
    cursor_skip(&cart);
    visit->product = 1 + (int64_t)draw_below(call_draw(call, 1), NAMED_PRODUCTS);
    if (cursor_array(&cart) && cursor_array(&cart))
        visit->product = cursor_int(&cart);
}

static void one_parcel(struct call *call, struct pack *body)
{
    (void)call;
    pack_array(body, 2);
    pack_array(body, 1);
    pack_array(body, 1);
    pack_int(body, 1);
    pack_text(body, "10001");
}

static void the_amount(struct call *call, struct pack *body)
{
    const struct visit *visit = call_locals(call);
    pack_array(body, 2);
    pack_real(body, AMOUNT_USD);
    pack_who(body, visit->user, "user-", visit->number);
}

static void the_order(struct call *call, struct pack *body)
{
    const struct visit *visit = call_locals(call);
    pack_array(body, 4);
    pack_who(body, visit->user, "user-", visit->number);
    pack_int(body, visit->product);
    pack_int(body, 1);
    if (visit->order_key.len)
        pack_text_len(body, visit->order_key.at, visit->order_key.len);
    else
        pack_nil(body);
}

static const char *why_lost(struct call *call)
{
    static const char exhausted[] = "SQLSTATE[08006]";
    struct cursor answer = cursor_of(call_kept(call));
    cursor_array(&answer);
    struct slice text = cursor_text(&answer);
    bool pool =
        !answer.bad && text.len >= strlen(exhausted) && !memcmp(text.at, exhausted, strlen(exhausted));
    return pool ? "ConnectionPoolExhausted" : "recommendations-timeout";
}

static void lose_checkout(struct call *call, struct pack *body)
{
    const struct visit *visit = call_locals(call);
    struct attrs *attrs = call_attrs(call);
    attrs_bool(attrs, ATTR_CHECKOUT_FAILED, true);
    attrs_text(attrs, ATTR_CHECKOUT_REASON, why_lost(call));
    if (visit->order_key.len)
        attrs_text_len(attrs, ATTR_ORDER_ID, visit->order_key.at, visit->order_key.len);
    if (visit->user.len)
        attrs_text_len(attrs, ATTR_USER_ID, visit->user.at, visit->user.len);
    attrs_real(attrs, ATTR_CHECKOUT_TOTAL, AMOUNT_USD);
    pack_array(body, 3);
    pack_text(body, "Checkout failed");
    pack_text(body, "Product recommendations unavailable");
    pack_int(body, call_context(call)->demo_minute);
}

static const char sold_out[] = "Sold out";

static void see_order(struct call *call, const struct answer *answer)
{
    if (answer->status == STATUS_SOLD_OUT)
        call_refuse(call, STATUS_SOLD_OUT, sold_out);
    else if (answer->status != STATUS_CREATED)
        call_reply(call, STATUS_FAILED, NULL);
    else
        call_business(call, BUSINESS_CHECKOUT_DONE, 0);
}

static void checkout_succeeded(struct call *call, struct pack *body)
{
    const struct visit *visit = call_locals(call);
    pack_array(body, 4);
    pack_text(body, "success");
    pack_text(body, "demo_checkout");
    pack_who(body, visit->user, "user-", visit->number);
    pack_int(body, call_context(call)->demo_minute);
}

static const struct step checkout[] = {
    DO(welcome),
    DO(begin_checkout),
    WORK(),
    ASK("cart-service", "GET /cart/{cart_id}", .limit_ms = 2000, .body = their_cart, .then = read_cart),
    ASK("shipping-service", "POST /calculate", .limit_ms = 2000, .body = one_parcel),
    ASK("product-catalog", "GET /products/recommendations", .query = "category=electronics&traffic_type=demo",
        .limit_ms = 5000, .body = electronics, .when = demo_started, .on_failure = lose_checkout,
        .status = STATUS_UNAVAILABLE),
    ASK("payment-service", "POST /api/payment/process", .limit_ms = 3000, .body = the_amount),
    ASK("checkout", "POST /orders/create", .limit_ms = 2000, .body = the_order, .then = see_order,
        .outcomes = true),
    REPLY(STATUS_OK, checkout_succeeded),
};

static const struct route routes[] = {
    {.name = "POST /api/browse",
     .steps = browse,
     .takes = "user_id?:text cart_id?:text",
     .answers = "status:text flow:text user_id:text"},
    {.name = "POST /api/checkout",
     .steps = checkout,
     .takes = "user_id?:text cart_id?:text idempotency_key?:text",
     .answers = "status:text flow:text user_id:text demo_minute:int",
     .checkout = true},
    {.name = NULL},
};

const struct actor_kind actor_frontend = {
    .service = "frontend",
    .port = 8018,
    .work = {.p50_ns = 20 * NS_PER_MS, .p99_ns = 45 * NS_PER_MS},
    .routes = routes,
};
