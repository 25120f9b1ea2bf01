#include "tests/properties/random_scenario.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/draw.h"

enum {
    DEFAULT_POOL = 20,
    SERVICES = 11,
    STORES = 1,
    POOLS = 4,
    INDEXES = 5,
    FAULTS = 8,
    STREAMS = 4,
    PAIRS = 6
};

int64_t chance_between(struct chance *chance, int64_t low, int64_t high)
{
    uint64_t bits = draw(chance->seed, 0, 0, chance->count++).a;
    return low + (int64_t)draw_below(bits, (uint64_t)(high - low + 1));
}

bool chance_one_in(struct chance *chance, int64_t n)
{
    return chance_between(chance, 1, n) == 1;
}

/* A scenario in the making: what later parts must know of earlier ones. */
struct making {
    struct chance chance;
    struct text *yaml;
    int64_t start_s, end_s;
    int64_t connections; /* of the database */
    int64_t pool_max[POOLS]; /* the most that a pool of this name has at first */
    bool down[SERVICES], there[INDEXES];
};

static const char *const services[SERVICES] = {
    "frontend",        "cart-service",           "currency-service", "ad-service",
    "product-catalog", "recommendation-service", "shipping-service", "payment-service",
    "checkout",        "inventory-service",      "postgresql" /* a store: goes down, no more */};

static const struct {
    const char *service, *name;
    int place; /* among names */
} pools[] = {{"product-catalog", "catalog", 0},
             {"product-catalog", "recommendations", 1},
             {"recommendation-service", "recommendations", 1},
             {"checkout", "orders", 2},
             {"inventory-service", "inventory", 3}};
static const char *const pool_names[POOLS] = {"catalog", "recommendations", "orders", "inventory"};

static const char *const indexes[INDEXES] = {"idx_products_category", "idx_products_category_active",
                                             "idx_products_stock_quantity", "idx_products_recommendations",
                                             "idx_products_name_prefix"};

/* Who asks whom. */
static const char *const pairs[PAIRS][2] = {
    {"load-generator", "frontend"}, {"frontend", "cart-service"},      {"cart-service", "redis"},
    {"frontend", "checkout"},       {"checkout", "inventory-service"}, {"frontend", "product-catalog"}};

__attribute__((format(printf, 2, 3))) static void line(struct making *making, const char *format, ...)
{
    char text[300];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ASSERT(len > 0 && (size_t)len < sizeof text);
    text_bytes(making->yaml, text, (size_t)len);
    text_char(making->yaml, '\n');
}

static long long between(struct making *making, int64_t low, int64_t high)
{
    return chance_between(&making->chance, low, high);
}

static bool one_in(struct making *making, int64_t n)
{
    return chance_one_in(&making->chance, n);
}

/* A rush at times: pools fill and mailboxes too. */
static long long some_rate(struct making *making)
{
    return one_in(making, 4) ? between(making, 600, 1800) : between(making, 20, 400);
}

/* Two journeys, and later perhaps the first alone. */
static void make_mix(struct making *making, const char *journey)
{
    const char *other = strcmp(journey, "look") == 0 ? "wander" : "look";
    long long weight = between(making, 0, 3);
    if (one_in(making, 2))
        line(making, "    journeys: {%s: 1, %s: %lld}", journey, other, weight);
    else
        line(making, "    journeys: [[0s, {%s: 1, %s: %lld}], [10s, {%s: 50%%}]]", journey, other, weight,
             journey);
}

static void make_streams(struct making *making)
{
    static const char *const journeys[] = {"browse", "checkout", "checkout", "hoard",
                                           "again",  "wander",   "look",     "nonsense"};
    long long count = between(making, 1, STREAMS), start = making->start_s;
    line(making, "streams:");
    for (long long i = 0; i < count; i++) {
        const char *journey = journeys[between(making, 0, ARRAY_LEN(journeys) - 1)];
        line(making, "  stream-%lld:", i);
        if (one_in(making, 8))
            line(making, "    call: product-catalog GET /products/recommendations");
        else if (one_in(making, 4))
            make_mix(making, journey);
        else
            line(making, "    journey: %s", journey);
        line(making, "    traffic: %s", one_in(making, 3) ? "baseline" : "demo");
        if (one_in(making, 6))
            line(making, "    bursts: {at: %llds, count: %lld, within: %lldms, every: 3s, rounds: %lld}",
                 start, between(making, 1, 60), between(making, 0, 3000), between(making, 1, 5));
        else if (one_in(making, 2))
            line(making, "    rate: [[%llds, %lld/min]]", start, some_rate(making));
        else
            line(making, "    rate: [[%llds, %lld/min], [%llds, %lld/min], [%llds, %lld/min]]", start,
                 some_rate(making), start + 5, some_rate(making), start + 15, some_rate(making));
    }
}

static void make_pools(struct making *making, const char *service)
{
    bool any = false;
    for (size_t i = 0; i < ARRAY_LEN(pools); i++) {
        int64_t *most = &making->pool_max[pools[i].place];
        if (strcmp(pools[i].service, service) != 0)
            continue;
        if (one_in(making, 3)) {
            *most = MAX(*most, DEFAULT_POOL);
            continue;
        }
        long long max = between(making, 1, MIN(making->connections, 25));
        *most = MAX(*most, max);
        if (!any)
            line(making, "    pools:");
        line(making, "      %s: {max: %lld, acquire_timeout: %lldms}", pools[i].name, max,
             between(making, 5, 2500));
        any = true;
    }
}

static void make_services(struct making *making)
{
    line(making, "services:");
    for (size_t i = 0; i < SERVICES - STORES; i++) {
        long long p50 = between(making, 1, 60);
        line(making, "  %s:", services[i]);
        line(making, "    work: {p50: %lldms, p99: %lldms}", p50, p50 * between(making, 1, 5));
        if (one_in(making, 3))
            line(making, "    mailbox: %lld", between(making, 1, 8));
        if (strcmp(services[i], "product-catalog") == 0)
            line(making, "    variants: {recommendations: %s, search: %s}",
                 one_in(making, 2) ? "own" : "asked", one_in(making, 2) ? "unindexed" : "indexed");
        if (strcmp(services[i], "checkout") == 0)
            line(making, "    variants: {recommendations: %s}", one_in(making, 3) ? "asked" : "none");
        make_pools(making, services[i]);
    }
}

static void make_stores(struct making *making)
{
    long long rows = between(making, 1600, 4000), scan_ms = between(making, 1, 500);
    line(making, "postgresql:");
    line(making, "  cores: %lld", between(making, 1, 8));
    line(making, "  max_connections: %lld", (long long)making->connections);
    line(making, "  read_replicas: %lld", one_in(making, 3) ? between(making, 1, 7) : 0);
    line(making, "  products: [[0s, %lld], [%llds, %lld]]", rows, (long long)making->end_s,
         between(making, 1600, 8000));
    line(making, "  scan: %lldns", 1 + scan_ms * 1000000 / rows);
    line(making, "  jitter: 0.%lld", between(making, 0, 9));
    line(making, "  cancel: %s", one_in(making, 2) ? "on_deadline" : "never");
    if (one_in(making, 2))
        line(making, "  lock_hold: %lldms", between(making, 1, 400));
    if (one_in(making, 3))
        line(making, "  lock_timeout: %lldms", between(making, 1, 1500));
    if (one_in(making, 3))
        line(making, "  hot_product: {id: %lld, stock: %lld}", between(making, 1, 20),
             between(making, 0, 200));
    long long keys = one_in(making, 3) ? between(making, 1, 20) : 100000;
    line(making, "redis: {carts: %lld, keys_max: %lld, cart_ttl: %llds}", between(making, 0, MIN(keys, 60)),
         keys, one_in(making, 2) ? between(making, 1, 5) : 1800);
}

static void make_fault(struct making *making, long long at_ms)
{
    long long pool = between(making, 0, POOLS - 1), service = between(making, 0, SERVICES - 1);
    long long index = between(making, 0, INDEXES - 1), pair;
    line(making, "  - at: %lldms", at_ms);
    switch (between(making, 0, 11)) {
    case 0:
    case 1:
        line(making, "    %s: %s", making->there[index] ? "drop_index" : "create_index", indexes[index]);
        making->there[index] = !making->there[index];
        return;
    case 2:
        line(making, "    pool_max: {pool: %s, max: %lld}", pool_names[pool],
             between(making, 1, MIN(making->connections, 40)));
        return;
    case 3:
        line(making, "    acquire_timeout: {pool: %s, limit: %lldms}", pool_names[pool],
             between(making, 1, 3000));
        return;
    case 4:
        line(making, "    hold_connections: {pool: %s, count: %lld}", pool_names[pool],
             between(making, 0, making->pool_max[pool]));
        return;
    case 5:
        line(making, "    read_replicas: %lld", between(making, 0, 7));
        return;
    case 6:
        line(making, "    service_slow: {service: %s, factor: %lld}",
             services[MIN(service, SERVICES - STORES - 1)], between(making, 1, 40));
        return;
    case 7:
        pair = between(making, 0, PAIRS - 1);
        line(making, "    message_loss: {from: %s, to: %s, rate: %lld%%}", pairs[pair][0], pairs[pair][1],
             between(making, 1, 100));
        return;
    case 8:
        line(making,
             "    route_delay: {service: product-catalog, route: GET /products, min: 0s, max: %lldms}",
             between(making, 1, 4000));
        return;
    case 9:
        line(making, "    query_delay: {service: %s, delay: %lldms}", pools[pool].service,
             between(making, 0, 1500));
        return;
    case 10:
        line(making, "    table_growth: %lld", between(making, 0, 20000));
        return;
    default:
        line(making, "    %s: %s", making->down[service] ? "service_up" : "service_down", services[service]);
        making->down[service] = !making->down[service];
    }
}

/* One after the other, never two at the same instant. */
static void make_faults(struct making *making)
{
    long long count = between(making, 0, FAULTS), step_ms = making->end_s * 1000 / (FAULTS + 2);
    for (size_t i = 0; i < INDEXES - 2; i++) /* the last ones are those that nobody made */
        making->there[i] = true;
    line(making, count ? "faults:" : "faults: []");
    if (count && !one_in(making, 4)) {
        line(making, "  - {at: 0s, drop_index: %s}", indexes[0]);
        making->there[0] = false;
    }
    for (long long i = 0; i < count; i++)
        make_fault(making, 1 + i * step_ms + between(making, 0, step_ms - 1));
}

void random_scenario(uint64_t seed, struct text *yaml)
{
    struct making making = {.chance = {.seed = seed}, .yaml = yaml};
    /* From the first minute on checkouts ask for recommendations. */
    making.start_s = one_in(&making, 2) ? 60 : 0;
    making.end_s = making.start_s + between(&making, 20, 60);
    making.connections = one_in(&making, 3) ? between(&making, 2, 30) : 100;
    line(&making, "doorbuster: 1");
    line(&making, "name: random-%llu", (unsigned long long)seed);
    line(&making, "story: Made up from seed %llu.", (unsigned long long)seed);
    line(&making, "duration: %llds", (long long)making.end_s);
    line(&making, "physics: scripted");
    line(&making, "phases: [[0s, first], [%llds, second]]", (long long)making.end_s / 2);
    make_streams(&making);
    make_services(&making);
    make_stores(&making);
    make_faults(&making);
}
