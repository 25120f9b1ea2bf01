/*
 * product-catalog: what there is to buy. Category pages come by an index; recommendations are asked of their
 * own service, or (variant `own`) queried here through a pool of their own, so that they cannot starve the pages.
 */
#include "core/actor.h"

enum { VARIANT_RECOMMENDATIONS, OWN = 1, PAGE_TTL_S = 300 };

static struct slice first_text(struct call *call)
{
    struct cursor request = call_request(call);
    cursor_array(&request);
    return cursor_text(&request);
}

/* [rows] and their number; `extra` more fields follow. */
static void pack_rows(struct call *call, struct pack *body, uint32_t extra)
{
    struct cursor rows = cursor_of(call_kept(call));
    pack_array(body, 2 + extra);
    pack_raw(body, call_kept(call)->bytes, call_kept(call)->len);
    pack_int(body, cursor_array(&rows));
}

static void the_rows(struct call *call, struct pack *body)
{
    pack_rows(call, body, 0);
}

static void category(struct call *call, struct pack *body)
{
    struct slice text = first_text(call);
    pack_array(body, 1);
    pack_text_len(body, text.at, text.len);
}

static const struct step page[] = {
    WORK(),
    QUERY("catalog", "products_by_category", .body = category, .then = call_keep_value),
    REPLY(STATUS_OK, the_rows),
};

static void category_and_words(struct call *call, struct pack *body)
{
    struct cursor request = call_request(call);
    cursor_array(&request);
    struct slice category_name = cursor_text(&request), words = cursor_text(&request);
    pack_array(body, 2);
    pack_text_len(body, category_name.at, category_name.len);
    pack_text_len(body, words.at, words.len);
}

static const struct step search[] = {
    WORK(),
    QUERY("catalog", "search", .body = category_and_words, .then = call_keep_value),
    REPLY(STATUS_OK, the_rows),
};

static const struct step popular[] = {
    WORK(),
    QUERY("catalog", "popular_with_history", .body = category, .then = call_keep_value),
    REPLY(STATUS_OK, the_rows),
};

/* ---- one product, from the cache if it is there ---- */

static int64_t product_id(struct call *call)
{
    struct cursor request = call_request(call);
    cursor_array(&request);
    return cursor_int(&request);
}

static void page_key(struct call *call, struct pack *body)
{
    pack_array(body, 1);
    pack_label(body, "product-", (uint64_t)product_id(call));
}

static void see_cached(struct call *call, const struct answer *answer)
{
    struct cursor value = answer->body;
    if (!cursor_nil(&value))
        call_keep(call, answer->raw);
}

static bool missed(struct call *call)
{
    return !call_kept(call);
}

static void the_id(struct call *call, struct pack *body)
{
    pack_array(body, 1);
    pack_int(body, product_id(call));
}

static const char not_found[] = "No such product";

/* The row becomes a page that the cache keeps; it is marked as fresh until it is there. */
static void see_row(struct call *call, const struct answer *answer)
{
    bool *fresh = call_locals(call);
    struct cursor rows = answer->body;
    if (!cursor_array(&rows)) {
        call_refuse(call, STATUS_NOT_FOUND, not_found);
        return;
    }
    struct slice row = cursor_raw(&rows);
    call_keep_bytes(call, row.at, row.len);
    *fresh = true;
}

static bool fresh_page(struct call *call)
{
    return *(bool *)call_locals(call);
}

static void page_to_cache(struct call *call, struct pack *body)
{
    pack_array(body, 3);
    pack_label(body, "product-", (uint64_t)product_id(call));
    pack_int(body, PAGE_TTL_S);
    pack_raw(body, call_kept(call)->bytes, call_kept(call)->len);
}

static void the_product(struct call *call, struct pack *body)
{
    pack_raw(body, call_kept(call)->bytes, call_kept(call)->len);
}

static const struct step product[] = {
    WORK(),
    CACHE("GET", .limit_ms = 500, .body = page_key, .then = see_cached, .optional = true),
    QUERY("catalog", "product_by_id", .when = missed, .body = the_id, .then = see_row),
    CACHE("SETEX", .limit_ms = 500, .when = fresh_page, .body = page_to_cache, .optional = true),
    REPLY(STATUS_OK, the_product),
};

/* ---- recommendations ---- */

static bool asks_service(struct call *call)
{
    return call_variant(call, VARIANT_RECOMMENDATIONS) != OWN;
}

static bool runs_query(struct call *call)
{
    return call_variant(call, VARIANT_RECOMMENDATIONS) == OWN;
}

static void user_and_category(struct call *call, struct pack *body)
{
    struct slice text = first_text(call);
    pack_array(body, 2);
    pack_label(body, "user-", 1000 + draw_below(call_draw(call, 0), 9000));
    pack_text_len(body, text.at, text.len);
}

static void keep_recommended(struct call *call, const struct answer *answer)
{
    struct cursor recommended = answer->body;
    cursor_array(&recommended);
    cursor_skip(&recommended); /* the user */
    struct slice list = cursor_raw(&recommended);
    call_keep_bytes(call, list.at, list.len);
}

static void any_price(struct call *call, struct pack *body)
{
    struct slice text = first_text(call);
    pack_array(body, 3);
    pack_text_len(body, text.at, text.len);
    pack_int(body, 0);
    pack_int(body, 10000);
}

static void the_recommendations(struct call *call, struct pack *body)
{
    pack_rows(call, body, 1);
    pack_int(body, call_context(call)->demo_minute);
}

static const struct step recommendations[] = {
    WORK(),
    ASK("recommendation-service", "POST /recommend", .limit_ms = 5000, .when = asks_service,
        .body = user_and_category, .then = keep_recommended),
    QUERY("recommendations", "recommendations", .when = runs_query, .body = any_price,
          .then = call_keep_value),
    REPLY(STATUS_OK, the_recommendations),
};

#define PRODUCTS "products:[id:int name:text category:text price:real stock_quantity:int] count:int"

static const struct route routes[] = {
    {.name = "GET /products",
     .steps = page,
     .takes = "category:text",
     .answers = PRODUCTS,
     .endpoint_type = "fast_indexed"},
    {.name = "GET /products/{id}",
     .steps = product,
     .takes = "id:int",
     .answers = "id:int name:text category:text price:real stock_quantity:int"},
    {.name = "GET /products/search", .steps = search, .takes = "category:text q:text", .answers = PRODUCTS},
    {.name = "GET /products/popular-with-history",
     .steps = popular,
     .takes = "category:text",
     .answers = PRODUCTS},
    {.name = "GET /products/recommendations",
     .steps = recommendations,
     .takes = "category:text",
     .answers = "recommendations:[id:int name:text price:real popularity:int] count:int demo_minute:int",
     .endpoint_type = "slow_unindexed"},
    {.name = NULL},
};

const struct actor_kind actor_product_catalog = {
    .service = "product-catalog",
    .port = 8014,
    .work = {.p50_ns = 30 * NS_PER_MS, .p99_ns = 80 * NS_PER_MS},
    .routes = routes,
    .pools = {{"catalog", 20, 2000}, {"recommendations", 20, 2000}},
    .variants = {{"recommendations", {"asked", "own"}}},
};
