/* load-generator: the shop's customers. Its routes are journeys; streams of the scenario begin them. */
#include "core/actor.h"

enum { FIRST_USER = 1000, USERS = 9000 };

/* Who comes: user-1234 with cart-1234, and the request's number as the key that makes an order unique. */
static void shopper(struct call *call, struct pack *body)
{
    uint64_t number = FIRST_USER + draw_below(call_draw(call, 0), USERS);
    pack_array(body, 3);
    pack_label(body, "user-", number);
    pack_label(body, "cart-", number);
    pack_label(body, "order-", (uint64_t)call_context(call)->stream << 48 | call_request_number(call));
}

static const struct step browse[] = {
    ASK("frontend", "POST /api/browse", .limit_ms = 10000, .body = shopper),
    END(),
};

static const struct step checkout[] = {
    ASK("frontend", "POST /api/checkout", .limit_ms = 10000, .body = shopper),
    END(),
};

static const struct route journeys[] = {
    {.name = "browse", .steps = browse},
    {.name = "checkout", .steps = checkout},
    {.name = NULL},
};

const struct actor_kind actor_load_generator = {
    .service = "load-generator",
    .port = 8010,
    .drives_load = true,
    .routes = journeys,
};
