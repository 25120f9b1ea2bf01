/* ad-service: decoration. A page without it is a page. */
#include "core/actor.h"

static const char *const texts[] = {"Headphones that hear you", "The desk that stands up",
                                    "Run further, land softer", "Knives for careful cooks"};

static void one_ad(struct call *call, struct pack *body)
{
    struct cursor request = call_request(call);
    cursor_array(&request);
    struct slice category = cursor_text(&request);
    uint64_t id = draw_below(call_draw(call, 0), ARRAY_LEN(texts));
    pack_array(body, 1);
    pack_array(body, 1);
    pack_array(body, 3);
    pack_int(body, (int64_t)id + 1);
    pack_text(body, texts[id]);
    pack_text_len(body, category.at, category.len);
}

static const struct step ads[] = {
    WORK(),
    REPLY(STATUS_OK, one_ad),
};

static const struct route routes[] = {
    {.name = "GET /ads",
     .steps = ads,
     .takes = "category:text",
     .answers = "ads:[id:int text:text category:text]"},
    {.name = NULL},
};

const struct actor_kind actor_ad_service = {
    .service = "ad-service",
    .port = 8012,
    .work = {.p50_ns = 75 * NS_PER_MS, .p99_ns = 145 * NS_PER_MS},
    .routes = routes,
};
