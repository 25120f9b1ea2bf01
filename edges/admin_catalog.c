/* What product-catalog offers to break by name: the two halves of the database scenario, one by one. */
#include "edges/admin_parts.h"

#define SLOW_BY_NS (2800 * NS_PER_MS)

/* The pools in front of the shop's database that are not the recommendations' own. */
static const char *const pools[] = {"catalog", "orders", "inventory"};

enum { HELD_PERCENT = 95 };

/* False: refused, and answered. */
static bool set(struct admin *admin, struct http_request *request, enum fault_kind kind, const char *target,
                double value)
{
    const struct fault_spec fault = {.kind = kind, .target = target, .value = value};
    if (admin_fault(admin, &fault) == STATUS_OK)
        return true;
    http_request_respond_error(request, 503, "too many faults in one run");
    return false;
}

/* ---- slow queries ---- */

static bool slow_by(struct admin *admin, struct http_request *request, int64_t delay_ns)
{
    return set(admin, request, FAULT_QUERY_DELAY, "product-catalog", (double)delay_ns);
}

void admin_slow_queries(struct admin *admin, struct http_request *request)
{
    if (slow_by(admin, request, SLOW_BY_NS))
        admin_respond(request, 200,
                      json_pack("{s:s,s:s,s:I}", "status", "slow_queries_enabled", "service",
                                "product-catalog", "delay_ms", (json_int_t)(SLOW_BY_NS / NS_PER_MS)));
}

/* ---- held connections ---- */

static int max_of(const struct admin *admin, const char *pool)
{
    const struct run_stats *stats = world_stats(admin->options.world);
    for (size_t i = 0; i < stats->pool_count; i++)
        if (strcmp(stats->pools[i].name, pool) == 0)
            return stats->pools[i].max;
    return 0;
}

/* The share of each pool, rounded down; what is then missing of the whole goes to who lost most by that. */
static void share_out(const int max[], int held[])
{
    int all = 0, given = 0, left[ARRAY_LEN(pools)];
    for (size_t i = 0; i < ARRAY_LEN(pools); i++) {
        held[i] = max[i] * HELD_PERCENT / 100;
        left[i] = max[i] * HELD_PERCENT % 100;
        all += max[i];
        given += held[i];
    }
    for (; given < all * HELD_PERCENT / 100; given++) {
        size_t most = 0;
        for (size_t i = 1; i < ARRAY_LEN(pools); i++)
            most = left[i] > left[most] ? i : most;
        held[most]++;
        left[most] = 0;
    }
}

static bool hold(struct admin *admin, struct http_request *request, const int held[])
{
    for (size_t i = 0; i < ARRAY_LEN(pools); i++)
        if (!set(admin, request, FAULT_HOLD_CONNECTIONS, pools[i], held[i]))
            return false;
    return true;
}

void admin_pool_exhaustion(struct admin *admin, struct http_request *request)
{
    int max[ARRAY_LEN(pools)], held[ARRAY_LEN(pools)], all_held = 0, all = 0;
    json_t *each = json_object();
    for (size_t i = 0; i < ARRAY_LEN(pools); i++)
        max[i] = max_of(admin, pools[i]);
    share_out(max, held);
    for (size_t i = 0; i < ARRAY_LEN(pools); i++) {
        all_held += held[i];
        all += max[i];
        json_put(each, pools[i], json_pack("{s:i,s:i}", "held", held[i], "max", max[i]));
    }
    if (hold(admin, request, held))
        admin_respond(request, 200,
                      json_pack("{s:s,s:i,s:i,s:O}", "status", "pool_exhaustion_enabled", "held", all_held,
                                "max", all, "pools", each));
    json_decref(each);
}

/* ---- both gone ---- */

void admin_reset_catalog(struct admin *admin, struct http_request *request)
{
    static const int none[ARRAY_LEN(pools)];
    if (slow_by(admin, request, 0) && hold(admin, request, none))
        admin_respond(request, 200, json_pack("{s:s,s:i,s:i}", "status", "reset", "delay_ms", 0, "held", 0));
}
