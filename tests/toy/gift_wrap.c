/* gift-wrap: wraps a present. All that a service needs: routes made of steps, and one actor_kind. */
#include "core/actor.h"

static void wrapped(struct call *call, struct pack *body)
{
    (void)call;
    pack_array(body, 1);
    pack_text(body, "ribbon");
}

static const struct step wrap[] = {
    WORK(),
    REPLY(STATUS_OK, wrapped),
};

static const struct route routes[] = {
    {.name = "GET /wrap", .steps = wrap, .answers = "paper:text"},
    {0},
};

const struct actor_kind actor_gift_wrap = {
    .service = "gift-wrap",
    .port = 8021,
    .work = {.p50_ns = 20 * NS_PER_MS, .p99_ns = 50 * NS_PER_MS},
    .routes = routes,
};
