/* recommendation-service: the new feature. Its one query has no index of its own. */
#include "core/actor.h"

static void category_and_price(struct call *call, struct pack *body)
{
    struct cursor request = call_request(call);
    uint32_t fields = cursor_array(&request);
    cursor_skip(&request);
    struct slice category = cursor_text(&request);
    double low = fields > 2 && !cursor_nil(&request) ? cursor_real(&request) : 0;
    double high = fields > 3 && !cursor_nil(&request) ? cursor_real(&request) : 10000;
    pack_array(body, 3);
    pack_text_len(body, category.at, category.len);
    pack_real(body, low);
    pack_real(body, high);
}

static void recommended(struct call *call, struct pack *body)
{
    struct cursor request = call_request(call);
    cursor_array(&request);
    struct slice user = cursor_text(&request);
    pack_array(body, 2);
    pack_text_len(body, user.at, user.len);
    pack_raw(body, call_kept(call)->bytes, call_kept(call)->len);
}

static const struct step recommend[] = {
    WORK(),
    QUERY("recommendations", "recommendations", .body = category_and_price, .then = call_keep_value),
    REPLY(STATUS_OK, recommended),
};

static const struct route routes[] = {
    {.name = "POST /recommend",
     .steps = recommend,
     .takes = "user_id:text category:text price_min?:real price_max?:real",
     .answers = "user_id:text recommendations:[id:int name:text price:real popularity:int]",
     .endpoint_type = "slow_unindexed"},
    {.name = NULL},
};

const struct actor_kind actor_recommendation_service = {
    .service = "recommendation-service",
    .port = 8011,
    .work = {.p50_ns = 8 * NS_PER_MS, .p99_ns = 20 * NS_PER_MS},
    .routes = routes,
    .pools = {{"recommendations", 20, 2000}},
};
