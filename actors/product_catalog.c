/*
 * product-catalog: what there is to buy. Category pages come by an index; recommendations are asked of their
 * own service, or (variant `own`) queried here through a pool of their own, so that they cannot starve the pages.
 */
#include "core/actor.h"

enum { VARIANT_RECOMMENDATIONS, VARIANT_SEARCH, OWN = 1, UNINDEXED = 1, PAGE_TTL_S = 300, USER_MAX = 64 };

static const double price_most = 10000, price_limit = 1e9;

/* ---- lists ---- */

/* What a list was asked for. */
struct listing {
    struct slice category, words, user;
    double price_min, price_max;
};

static const char senseless[] =
    "expected 0 <= price_min <= price_max <= 1000000000, and a user_id of at most 64 "
    "bytes";

static double price(struct cursor *request, bool given, double otherwise)
{
    return given && !cursor_nil(request) ? cursor_real(request) : otherwise;
}

/* (category, [words,] price_min, price_max, user_id); a service that asks leaves out what it does not care for. */
static void read_fields(struct call *call, bool with_words)
{
    struct listing *listing = call_locals(call);
    struct cursor request = call_request(call);
    uint32_t fields = cursor_array(&request), before = 1 + with_words;
    if (fields)
        listing->category = cursor_text(&request);
    if (with_words && fields > 1)
        listing->words = cursor_text(&request);
    listing->price_min = price(&request, fields > before, 0);
    listing->price_max = price(&request, fields > before + 1, price_most);
    if (fields > before + 2 && !cursor_nil(&request))
        listing->user = cursor_text(&request);
    bool range = listing->price_min >= 0 && listing->price_min <= listing->price_max &&
                 listing->price_max <= price_limit;
    if (request.bad || !range || listing->user.len > USER_MAX)
        call_refuse(call, STATUS_BAD_INPUT, senseless);
}

static void read_listing(struct call *call, const struct answer *answer)
{
    (void)answer;
    read_fields(call, false);
}

static void read_search(struct call *call, const struct answer *answer)
{
    (void)answer;
    read_fields(call, true);
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

static void pack_text_of(struct pack *body, struct slice text)
{
    pack_text_len(body, text.len ? text.at : "", text.len);
}

static void category_and_price(struct call *call, struct pack *body)
{
    const struct listing *listing = call_locals(call);
    pack_array(body, 3);
    pack_text_of(body, listing->category);
    pack_real(body, listing->price_min);
    pack_real(body, listing->price_max);
}

static const struct step page[] = {
    WORK(.then = read_listing),
    QUERY("catalog", "products_by_category", .body = category_and_price, .then = call_keep_value),
    REPLY(STATUS_OK, the_rows),
};

static const struct step popular[] = {
    WORK(.then = read_listing),
    QUERY("catalog", "popular_with_history", .body = category_and_price, .then = call_keep_value),
    REPLY(STATUS_OK, the_rows),
};

/* ---- search: within the category, or (variant `unindexed`) in all of them by the first letters ---- */

static bool unindexed(struct call *call)
{
    return call_demo_variant(call, VARIANT_SEARCH) == UNINDEXED;
}

static bool indexed(struct call *call)
{
    return !unindexed(call);
}

static void category_words_price(struct call *call, struct pack *body)
{
    const struct listing *listing = call_locals(call);
    pack_array(body, 4);
    pack_text_of(body, listing->category);
    pack_text_of(body, listing->words);
    pack_real(body, listing->price_min);
    pack_real(body, listing->price_max);
}

static void any_id_and_letters(struct call *call, struct pack *body)
{
    const struct listing *listing = call_locals(call);
    pack_array(body, 2);
    pack_nil(body);
    pack_text_of(body, listing->words);
}

/* The rows have a column more than a list shows. */
static void the_found(struct call *call, struct pack *body)
{
    struct cursor rows = cursor_of(call_kept(call));
    uint32_t count = cursor_array(&rows);
    pack_array(body, 2);
    pack_array(body, count);
    for (uint32_t i = 0; i < count; i++) {
        cursor_array(&rows);
        pack_array(body, 5);
        for (int column = 0; column < 5; column++) {
            struct slice value = cursor_raw(&rows);
            pack_raw(body, value.at, value.len);
        }
        cursor_skip(&rows); /* its popularity */
    }
    pack_int(body, count);
}

static const struct step search[] = {
    WORK(.then = read_search),
    QUERY("catalog", "search", .when = indexed, .body = category_words_price, .then = call_keep_value),
    QUERY("catalog", "search_products_unindexed", .when = unindexed, .body = any_id_and_letters,
          .then = call_keep_value),
    REPLY(STATUS_OK, the_rows, .when = indexed),
    REPLY(STATUS_OK, the_found),
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

static void user_and_wish(struct call *call, struct pack *body)
{
    const struct listing *listing = call_locals(call);
    pack_array(body, 4);
    if (listing->user.len)
        pack_text_of(body, listing->user);
    else
        pack_label(body, "user-", 1000 + draw_below(call_draw(call, 0), 9000));
    pack_text_of(body, listing->category);
    pack_real(body, listing->price_min);
    pack_real(body, listing->price_max);
}

static void keep_recommended(struct call *call, const struct answer *answer)
{
    struct cursor recommended = answer->body;
    cursor_array(&recommended);
    cursor_skip(&recommended); /* the user */
    struct slice list = cursor_raw(&recommended);
    call_keep_bytes(call, list.at, list.len);
}

static void the_recommendations(struct call *call, struct pack *body)
{
    pack_rows(call, body, 1);
    pack_int(body, call_context(call)->demo_minute);
}

static const struct step recommendations[] = {
    WORK(.then = read_listing),
    ASK("recommendation-service", "POST /recommend", .limit_ms = 5000, .when = asks_service,
        .body = user_and_wish, .then = keep_recommended),
    QUERY("recommendations", "recommendations", .when = runs_query, .body = category_and_price,
          .then = call_keep_value),
    REPLY(STATUS_OK, the_recommendations),
};

#define LISTING " price_min?:real price_max?:real user_id?:text"
#define PRODUCTS "products:[id:int name:text category:text price:real stock_quantity:int] count:int"

static const struct route routes[] = {
    {.name = "GET /products",
     .steps = page,
     .takes = "category:text" LISTING,
     .answers = PRODUCTS,
     .endpoint_type = "fast_indexed"},
    {.name = "GET /products/{id}",
     .steps = product,
     .takes = "id:int",
     .answers = "id:int name:text category:text price:real stock_quantity:int"},
    {.name = "GET /products/search",
     .steps = search,
     .takes = "category:text q:text" LISTING,
     .answers = PRODUCTS},
    {.name = "GET /products/popular-with-history",
     .steps = popular,
     .takes = "category:text" LISTING,
     .answers = PRODUCTS},
    {.name = "GET /products/recommendations",
     .steps = recommendations,
     .takes = "category:text" LISTING,
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
    .variants = {{"recommendations", {"asked", "own"}}, {"search", {"indexed", "unindexed"}}},
};
