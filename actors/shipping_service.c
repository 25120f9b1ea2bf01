/* shipping-service: what a parcel costs and how long it takes, by weight. */
#include "core/actor.h"

enum { ITEMS_MAX = 100, WEIGHT_MAX_KG = 1000 };

struct parcel {
    double weight_kg;
};

static const char needed[] = "items must be 1 to 100, each with a weight above 0 and at most 1000";

static void weigh(struct call *call)
{
    struct parcel *parcel = call_locals(call);
    struct cursor request = call_request(call);
    cursor_array(&request);
    uint32_t items = cursor_array(&request);
    bool heavy = false;
    for (uint32_t i = 0; i < items && i < ITEMS_MAX; i++) {
        cursor_array(&request);
        double weight_kg = cursor_real(&request);
        heavy |= !(weight_kg > 0) || weight_kg > WEIGHT_MAX_KG;
        parcel->weight_kg += weight_kg;
    }
    if (request.bad || !items || items > ITEMS_MAX || heavy)
        call_refuse(call, STATUS_BAD_INPUT, needed);
}

static void quote(struct call *call, struct pack *body)
{
    const struct parcel *parcel = call_locals(call);
    pack_array(body, 3);
    pack_real(body, 6.99 + parcel->weight_kg);
    pack_text(body, "USD");
    pack_int(body, parcel->weight_kg > 20 ? 5 : 3);
}

static const struct step calculate[] = {
    WORK(),
    DO(weigh),
    REPLY(STATUS_OK, quote),
};

static const struct route routes[] = {
    {.name = "POST /calculate",
     .steps = calculate,
     .takes = "items:[weight:real] zip:text",
     .answers = "cost:real currency:text days:int"},
    {.name = NULL},
};

const struct actor_kind actor_shipping_service = {
    .service = "shipping-service",
    .port = 8019,
    .work = {.p50_ns = 15 * NS_PER_MS, .p99_ns = 35 * NS_PER_MS},
    .routes = routes,
};
