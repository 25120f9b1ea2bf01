/* cart-service: carts, kept in Redis under their id. A cart that does not exist is an empty cart. */
#include "core/actor.h"

enum { NAMED_PRODUCTS = 72 };

static void cart_key(struct call *call, struct pack *body)
{
    struct cursor request = call_request(call);
    cursor_array(&request);
    struct slice cart = cursor_text(&request);
    pack_array(body, 1);
    pack_text_len(body, cart.at, cart.len);
}

static const char needed[] =
    "a cart_id of 1 to 64 bytes, a product_id (a number or \"random\") and a quantity of 1 to 100 are "
    "needed; a cart holds 32 products";

/* The cache knows best what it can hold. */
static bool refused(struct call *call, const struct answer *answer)
{
    if (answer->status != STATUS_OK)
        call_refuse(call, STATUS_BAD_INPUT, needed);
    return answer->status != STATUS_OK;
}

static void keep(struct call *call, const struct answer *answer)
{
    if (!refused(call, answer))
        call_keep(call, answer->raw);
}

static void the_cart(struct call *call, struct pack *body)
{
    struct cursor request = call_request(call);
    cursor_array(&request);
    struct slice cart = cursor_text(&request);
    pack_array(body, 2);
    pack_text_len(body, cart.at, cart.len);
    pack_raw(body, call_kept(call)->bytes, call_kept(call)->len);
}

static const struct step show[] = {
    WORK(),
    CACHE("HGETALL", .limit_ms = 1000, .body = cart_key, .then = keep, .outcomes = true),
    REPLY(STATUS_OK, the_cart),
};

/* ---- adding ---- */

struct adding {
    int64_t product, quantity, items;
};

static void read_item(struct call *call)
{
    struct adding *adding = call_locals(call);
    struct cursor request = call_request(call);
    cursor_array(&request);
    cursor_skip(&request);
    struct cursor as_text = request;
    if (slice_is(cursor_text(&as_text), "random")) {
        adding->product = 1 + (int64_t)draw_below(call_draw(call, 0), NAMED_PRODUCTS);
        cursor_skip(&request);
    } else {
        adding->product = cursor_int(&request);
    }
    adding->quantity = cursor_int(&request);
    if (request.bad || adding->product < 1 || adding->quantity < 1 || adding->quantity > 100)
        call_refuse(call, STATUS_BAD_INPUT, needed);
}

static void the_item(struct call *call, struct pack *body)
{
    const struct adding *adding = call_locals(call);
    struct cursor request = call_request(call);
    cursor_array(&request);
    struct slice cart = cursor_text(&request);
    pack_array(body, 3);
    pack_text_len(body, cart.at, cart.len);
    pack_int(body, adding->product);
    pack_int(body, adding->quantity);
}

static void count_items(struct call *call, const struct answer *answer)
{
    struct adding *adding = call_locals(call);
    struct cursor cursor = answer->body;
    if (refused(call, answer))
        return;
    cursor_array(&cursor);
    adding->items = cursor_int(&cursor);
    if (cursor_bool(&cursor))
        call_business(call, BUSINESS_CART_CREATED, 0);
}

static void items_now(struct call *call, struct pack *body)
{
    const struct adding *adding = call_locals(call);
    struct cursor request = call_request(call);
    cursor_array(&request);
    struct slice cart = cursor_text(&request);
    pack_array(body, 2);
    pack_text_len(body, cart.at, cart.len);
    pack_int(body, adding->items);
}

static const struct step add[] = {
    WORK(),
    DO(read_item),
    CACHE("HSET", .limit_ms = 1000, .body = the_item, .then = count_items, .outcomes = true),
    REPLY(STATUS_OK, items_now),
};

static void see_cleared(struct call *call, const struct answer *answer)
{
    refused(call, answer);
}

static const struct step clear[] = {
    WORK(),
    CACHE("DEL", .limit_ms = 1000, .body = cart_key, .then = see_cleared, .outcomes = true),
    REPLY(STATUS_OK, items_now),
};

static const struct route routes[] = {
    {.name = "POST /cart/add",
     .steps = add,
     .takes = "cart_id:text product_id:any quantity:int",
     .answers = "cart_id:text items:int"},
    {.name = "GET /cart",
     .steps = show,
     .takes = "cart_id:text",
     .answers = "cart_id:text items:[product_id:int quantity:int]"},
    {.name = "GET /cart/{cart_id}",
     .steps = show,
     .takes = "cart_id:text",
     .answers = "cart_id:text items:[product_id:int quantity:int]"},
    {.name = "DELETE /cart/{cart_id}",
     .steps = clear,
     .takes = "cart_id:text",
     .answers = "cart_id:text items:int"},
    {.name = NULL},
};

const struct actor_kind actor_cart_service = {
    .service = "cart-service",
    .port = 8013,
    .work = {.p50_ns = 20 * NS_PER_MS, .p99_ns = 40 * NS_PER_MS},
    .routes = routes,
};
