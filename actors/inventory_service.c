/* inventory-service: how much there is, and taking it - never more than there is. */
#include "core/actor.h"

enum { VARIANT_STOCK, UNINDEXED = 1 };

struct shelf {
    int64_t product, left;
};

static const char not_found[] = "No such product";

static const char sold_out[] = "Sold out";

static void the_request(struct call *call, struct pack *body)
{
    struct body *request = call_request_body(call);
    pack_raw(body, request->bytes, request->len);
}

static void read_product(struct call *call)
{
    struct shelf *shelf = call_locals(call);
    struct cursor request = call_request(call);
    cursor_array(&request);
    shelf->product = cursor_int(&request);
    if (request.bad)
        call_refuse(call, STATUS_NOT_FOUND, not_found);
}

static void see_stock(struct call *call, const struct answer *answer)
{
    struct shelf *shelf = call_locals(call);
    struct cursor rows = answer->body;
    if (!cursor_array(&rows) || !cursor_array(&rows)) {
        call_refuse(call, STATUS_NOT_FOUND, not_found);
        return;
    }
    shelf->left = cursor_int(&rows);
}

static bool unindexed(struct call *call)
{
    return call_demo_variant(call, VARIANT_STOCK) == UNINDEXED;
}

static bool indexed(struct call *call)
{
    return !unindexed(call);
}

static void id_and_no_letters(struct call *call, struct pack *body)
{
    const struct shelf *shelf = call_locals(call);
    pack_array(body, 2);
    pack_int(body, shelf->product);
    pack_nil(body);
}

/* Of the whole row the stock is the fifth column. */
static void see_product(struct call *call, const struct answer *answer)
{
    struct shelf *shelf = call_locals(call);
    struct cursor rows = answer->body;
    if (!cursor_array(&rows) || !cursor_array(&rows)) {
        call_refuse(call, STATUS_NOT_FOUND, not_found);
        return;
    }
    for (int column = 0; column < 4; column++)
        cursor_skip(&rows);
    shelf->left = cursor_int(&rows);
}

static void the_stock(struct call *call, struct pack *body)
{
    const struct shelf *shelf = call_locals(call);
    pack_array(body, 2);
    pack_int(body, shelf->product);
    pack_int(body, shelf->left);
}

static const struct step show[] = {
    DO(read_product),
    WORK(),
    QUERY("inventory", "stock_of", .when = indexed, .body = the_request, .then = see_stock),
    QUERY("inventory", "search_products_unindexed", .when = unindexed, .body = id_and_no_letters,
          .then = see_product),
    REPLY(STATUS_OK, the_stock),
};

static const char impossible[] = "a quantity of at least 1 is needed";

static void read_reservation(struct call *call, const struct answer *answer)
{
    (void)answer;
    struct cursor request = call_request(call);
    cursor_array(&request);
    cursor_skip(&request);
    if (cursor_int(&request) < 1)
        call_refuse(call, STATUS_BAD_INPUT, impossible);
}

static void see_reserved(struct call *call, const struct answer *answer)
{
    struct shelf *shelf = call_locals(call);
    struct cursor row = answer->body;
    if (!cursor_array(&row)) {
        call_refuse(call, STATUS_NOT_FOUND, not_found);
        return;
    }
    bool reserved = cursor_bool(&row);
    shelf->left = cursor_int(&row);
    if (!reserved)
        call_refuse(call, STATUS_SOLD_OUT, sold_out);
}

static void reserved(struct call *call, struct pack *body)
{
    const struct shelf *shelf = call_locals(call);
    pack_array(body, 2);
    pack_bool(body, true);
    pack_int(body, shelf->left);
}

static const struct step reserve[] = {
    WORK(.then = read_reservation),
    QUERY("inventory", "stock_reserve", .body = the_request, .then = see_reserved),
    REPLY(STATUS_OK, reserved),
};

static const struct route routes[] = {
    {.name = "GET /inventory/{product_id}",
     .steps = show,
     .takes = "product_id:int",
     .answers = "product_id:int stock_quantity:int"},
    {.name = "POST /inventory/reserve",
     .steps = reserve,
     .takes = "product_id:int quantity:int order_id:int",
     .answers = "reserved:bool left:int"},
    {.name = NULL},
};

const struct actor_kind actor_inventory_service = {
    .service = "inventory-service",
    .port = 8020,
    .work = {.p50_ns = 8 * NS_PER_MS, .p99_ns = 20 * NS_PER_MS},
    .routes = routes,
    .pools = {{"inventory", 20, 2000}},
    .variants = {{"stock", {"indexed", "unindexed"}}},
};
