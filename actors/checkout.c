/* checkout: makes orders. An order stands once its pieces are reserved; its key makes it unique. */
#include "core/actor.h"

enum {
    VARIANT_RECOMMENDATIONS,
    VARIANT_POPULAR,
    ASKED = 1,
    UNINDEXED = 1,
    QUANTITY_MAX = 100,
    ORDER_ID_BITS = 52
};

struct ordering {
    struct slice user, key;
    int64_t product, quantity, order, total_cents;
    char name[20]; /* the order's number in digits, for where its key is not given */
    bool repeated; /* the key has made an order already: this is its answer, told again */
};

static const char needed[] = "user_id, the product_id of a product and a quantity of 1 to 100 are needed; an "
                             "idempotency_key has at most 64 bytes";

/* False: a field is not what it should be. */
static bool parse_order(struct call *call)
{
    struct ordering *ordering = call_locals(call);
    struct cursor request = call_request(call);
    uint32_t fields = cursor_array(&request);
    ordering->user = cursor_text(&request);
    ordering->product = cursor_int(&request);
    ordering->quantity = cursor_int(&request);
    if (fields > 3 && !cursor_nil(&request))
        ordering->key = cursor_text(&request);
    ordering->order = (int64_t)(call_draw(call, 0) >> (64 - ORDER_ID_BITS)) + 1;
    return !request.bad && ordering->product > 0 && ordering->quantity > 0 &&
           ordering->quantity <= QUANTITY_MAX;
}

static void read_order(struct call *call)
{
    if (!parse_order(call))
        call_refuse(call, STATUS_BAD_INPUT, needed);
}

static bool asks_recommendations(struct call *call)
{
    return call_variant(call, VARIANT_RECOMMENDATIONS) == ASKED && call_context(call)->demo_minute >= 1;
}

static void electronics(struct call *call, struct pack *body)
{
    (void)call;
    pack_array(body, 1);
    pack_text(body, "electronics");
}

/* What the front door calls the order by: its key, else its number. */
static struct slice name_of(struct ordering *ordering)
{
    size_t at = sizeof ordering->name;
    if (ordering->key.len)
        return ordering->key;
    for (int64_t left = ordering->order; at == sizeof ordering->name || left; left /= 10)
        ordering->name[--at] = (char)('0' + left % 10);
    return (struct slice){ordering->name + at, (uint32_t)(sizeof ordering->name - at)};
}

static void describe_failed(struct call *call, const char *reason)
{
    struct ordering *ordering = call_locals(call);
    struct attrs *attrs = call_attrs(call);
    attrs_bool(attrs, ATTR_CHECKOUT_FAILED, true);
    attrs_text(attrs, ATTR_CHECKOUT_REASON, reason);
    struct slice name = name_of(ordering);
    attrs_text_len(attrs, ATTR_ORDER_ID, name.at, name.len);
    attrs_text_len(attrs, ATTR_USER_ID, ordering->user.at, ordering->user.len);
    attrs_real(attrs, ATTR_CHECKOUT_TOTAL, (double)ordering->total_cents / 100);
}

static const char no_connection[] = "ConnectionPoolExhausted";

static void lost_to_pool(struct call *call)
{
    parse_order(call);
    describe_failed(call, no_connection);
}

static void fail_order(struct call *call, struct pack *body, const char *reason)
{
    describe_failed(call, reason);
    pack_array(body, 3);
    pack_text(body, "Checkout failed");
    pack_text(body, reason);
    pack_int(body, call_context(call)->demo_minute);
}

static void lose_recommendations(struct call *call, struct pack *body)
{
    fail_order(call, body, "product-recommendations-timeout");
}

static void lose_order(struct call *call, struct pack *body)
{
    bool pool = call_failure(call) == STATUS_POOL_EXHAUSTED;
    fail_order(call, body, pool ? no_connection : "order-not-written");
}

static void lose_stock(struct call *call, struct pack *body)
{
    fail_order(call, body, "stock-not-reserved");
}

static void the_row(struct call *call, struct pack *body)
{
    const struct ordering *ordering = call_locals(call);
    pack_array(body, 5);
    pack_int(body, ordering->order);
    pack_text_len(body, ordering->user.at, ordering->user.len);
    pack_int(body, ordering->product);
    pack_int(body, ordering->quantity);
    if (ordering->key.len)
        pack_text_len(body, ordering->key.at, ordering->key.len);
    else
        pack_nil(body);
}

static void see_row(struct call *call, const struct answer *answer)
{
    struct ordering *ordering = call_locals(call);
    struct cursor row = answer->body;
    if (!cursor_array(&row)) {
        call_refuse(call, STATUS_BAD_INPUT, needed);
        return;
    }
    int64_t order = cursor_int(&row);
    ordering->repeated = order != ordering->order;
    ordering->order = order;
    ordering->total_cents = cursor_int(&row);
    ordering->product = cursor_int(&row); /* as first ordered under this key */
    ordering->quantity = cursor_int(&row);
}

static void what_to_reserve(struct call *call, struct pack *body)
{
    const struct ordering *ordering = call_locals(call);
    pack_array(body, 3);
    pack_int(body, ordering->product);
    pack_int(body, ordering->quantity);
    pack_int(body, ordering->order);
}

static const char sold_out[] = "Sold out";

static void see_stock(struct call *call, const struct answer *answer)
{
    const struct ordering *ordering = call_locals(call);
    if (answer->status == STATUS_SOLD_OUT) {
        call_business(call, BUSINESS_SOLD_OUT, 0);
        call_refuse(call, STATUS_SOLD_OUT, sold_out);
    } else if (answer->status != STATUS_OK) {
        call_reply(call, STATUS_FAILED, lose_stock);
    } else if (!ordering->repeated) {
        call_business(call, BUSINESS_ORDER, ordering->total_cents);
    }
}

static void order_created(struct call *call, struct pack *body)
{
    const struct ordering *ordering = call_locals(call);
    pack_array(body, 3);
    pack_int(body, ordering->order);
    pack_text(body, "created");
    pack_real(body, (double)ordering->total_cents / 100);
}

static const struct step create[] = {
    DO(read_order),
    WORK(),
    ASK("product-catalog", "GET /products/recommendations", .query = "category=electronics&traffic_type=demo",
        .limit_ms = 5000, .when = asks_recommendations, .body = electronics,
        .on_failure = lose_recommendations, .status = STATUS_UNAVAILABLE),
    QUERY("orders", "order_insert", .body = the_row, .then = see_row, .on_failure = lose_order),
    ASK("inventory-service", "POST /inventory/reserve", .limit_ms = 2000, .body = what_to_reserve,
        .then = see_stock, .outcomes = true, .on_failure = lose_stock),
    REPLY(STATUS_CREATED, order_created),
};

/* ---- what sells ---- */

static void the_rows(struct call *call, struct pack *body)
{
    pack_array(body, 1);
    pack_raw(body, call_kept(call)->bytes, call_kept(call)->len);
}

static bool unindexed(struct call *call)
{
    return call_demo_variant(call, VARIANT_POPULAR) == UNINDEXED;
}

static bool indexed(struct call *call)
{
    return !unindexed(call);
}

/* The variant looks up by name what is featured, and shows how popular that is. */
static void featured(struct call *call, struct pack *body)
{
    (void)call;
    pack_array(body, 2);
    pack_nil(body);
    pack_text(body, "a");
}

static void the_found(struct call *call, struct pack *body)
{
    struct cursor rows = cursor_of(call_kept(call));
    uint32_t count = cursor_array(&rows);
    pack_array(body, 1);
    pack_array(body, count);
    for (uint32_t i = 0; i < count; i++) {
        cursor_array(&rows);
        struct slice id = cursor_raw(&rows), name = cursor_raw(&rows);
        for (int skipped = 0; skipped < 3; skipped++) /* category, price, stock */
            cursor_skip(&rows);
        struct slice popularity = cursor_raw(&rows);
        pack_array(body, 3);
        pack_raw(body, id.at, id.len);
        pack_raw(body, name.at, name.len);
        pack_raw(body, popularity.at, popularity.len);
    }
}

static const struct step popular[] = {
    WORK(),
    QUERY("orders", "popular_products", .when = indexed, .then = call_keep_value),
    QUERY("orders", "search_products_unindexed", .when = unindexed, .body = featured,
          .then = call_keep_value),
    REPLY(STATUS_OK, the_rows, .when = indexed),
    REPLY(STATUS_OK, the_found),
};

#define ORDER_TAKES "user_id:text product_id:int quantity:int idempotency_key?:text"
#define ORDER_ANSWERS "order_id:int status:text total:real"

static const struct route routes[] = {
    {.name = "POST /orders/create",
     .steps = create,
     .takes = ORDER_TAKES,
     .answers = ORDER_ANSWERS,
     .lost = lost_to_pool},
    {.name = "POST /checkout",
     .steps = create,
     .takes = ORDER_TAKES,
     .answers = ORDER_ANSWERS,
     .lost = lost_to_pool},
    {.name = "GET /orders/popular-products",
     .steps = popular,
     .takes = "",
     .answers = "products:[id:int name:text orders:int]"},
    {.name = NULL},
};

const struct actor_kind actor_checkout = {
    .service = "checkout",
    .port = 8016,
    .work = {.p50_ns = 12 * NS_PER_MS, .p99_ns = 30 * NS_PER_MS},
    .routes = routes,
    .pools = {{"orders", 20, 2000}},
    .variants = {{"recommendations", {"none", "asked"}}, {"popular", {"indexed", "unindexed"}}},
};
