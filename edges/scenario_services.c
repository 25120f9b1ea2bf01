#include "edges/scenario_fields.h"
#include "edges/scenario_fill.h"
#include "edges/scenario_names.h"

#include <stdio.h>

static struct duration_dist fill_work(const struct filling *filling, const struct yaml_node *node)
{
    struct duration_dist dist = {0};
    shape_fill(filling->tree, node, &shape_work, &dist);
    filling_positive(filling, yaml_node_key(node, "p50"));
    if (dist.p99_ns < dist.p50_ns)
        problem_add(filling->problems, yaml_node_key(node, "p99"),
                    "expected a p99 of at least the p50 of %s, found %s", yaml_node_key(node, "p50")->text,
                    yaml_node_key(node, "p99")->text);
    return dist;
}

static void fill_pool(const struct filling *filling, const struct yaml_node *node,
                      const struct actor_kind *kind, struct service_spec *service)
{
    struct pool_spec *pool = &service->pools[service->pool_count++];
    const struct yaml_node *max = yaml_node_key(node, "max"),
                           *timeout = yaml_node_key(node, "acquire_timeout");
    pool->name = node->key;
    shape_fill(filling->tree, node, &shape_pool, pool);
    bool known = false;
    for (size_t i = 0; i < SERVICE_POOLS_MAX; i++)
        known |= kind->pools[i].name && !strcmp(kind->pools[i].name, node->key);
    if (!known)
        name_unknown_at(filling, node, node->key_at, node->key, NAME_POOL, kind);
    if (max && pool->max > filling->scenario->postgresql.max_connections)
        problem_add(filling->problems, max, "expected at most postgresql.max_connections, %d, found %s",
                    filling->scenario->postgresql.max_connections, max->text);
    if (timeout)
        filling_positive(filling, timeout);
}

static void fill_variant(const struct filling *filling, const struct yaml_node *node,
                         const struct actor_kind *kind, struct service_spec *service)
{
    for (size_t i = 0; i < SERVICE_VARIANTS_MAX; i++) {
        const struct variant *variant = &kind->variants[i];
        if (!variant->name || strcmp(variant->name, node->key))
            continue;
        char known[100] = "";
        for (int c = 0; c < (int)ARRAY_LEN(variant->choices) && variant->choices[c]; c++) {
            if (!strcmp(variant->choices[c], node->text)) {
                service->variant[i] = c;
                return;
            }
            size_t used = strlen(known);
            snprintf(known + used, sizeof known - used, "%s%s", used ? " or " : "", variant->choices[c]);
        }
        problem_add(filling->problems, node, "expected %s, found `%s`", known, node->text);
        return;
    }
    name_unknown_at(filling, node, node->key_at, node->key, NAME_VARIANT, kind);
}

static void fill_service(struct filling *filling, const struct yaml_node *node)
{
    const struct actor_kind *kind = registry_kind(filling->registry, node->key);
    struct service_spec *service = &filling->scenario->services[filling->scenario->service_count++];
    const struct yaml_node *work = yaml_node_key(node, "work"), *pools = yaml_node_key(node, "pools"),
                           *variants = yaml_node_key(node, "variants");
    service->service = node->key;
    shape_fill(filling->tree, node, &shape_service, service);
    if (work)
        service->work = fill_work(filling, work);
    if (!kind) {
        name_unknown_at(filling, node, node->key_at, node->key, NAME_SERVICE, NULL);
        return;
    }
    if (kind->store || kind->drives_load)
        problem_add_at(filling->problems, node->key_at, node,
                       "expected a service, found %s, which is set %s%s", node->key,
                       kind->store ? "by the key " : "under streams", kind->store ? kind->store : "");
    for (const struct yaml_node *pool = pools ? pools->first : NULL; pool; pool = pool->next)
        fill_pool(filling, pool, kind, service);
    for (const struct yaml_node *variant = variants ? variants->first : NULL; variant;
         variant = variant->next)
        fill_variant(filling, variant, kind, service);
}

void scenario_fill_services(struct filling *filling)
{
    for (const struct yaml_node *node = filling_first(filling, "services"); node; node = node->next)
        fill_service(filling, node);
}

/* The product has to be there from the start: the rows of the table then are what counts. */
static void fill_locks(const struct filling *filling, const struct yaml_node *postgresql)
{
    struct postgresql_spec *spec = &filling->scenario->postgresql;
    const struct yaml_node *limit = yaml_node_key(postgresql, "lock_timeout");
    const struct yaml_node *hot = yaml_node_key(postgresql, "hot_product");
    if (limit)
        filling_positive(filling, limit);
    if (!hot)
        return;
    const struct yaml_node *id = yaml_node_key(hot, "id");
    spec->hot_product = id->whole;
    spec->hot_stock = (int)yaml_node_key(hot, "stock")->whole;
    if ((double)spec->hot_product > curve_at(&spec->products, 0))
        problem_add(filling->problems, id, "expected one of the %.0f products at the start, found %s",
                    curve_at(&spec->products, 0), id->text);
}

void scenario_fill_stores(struct filling *filling)
{
    const struct yaml_node *postgresql = yaml_node_key(filling->root, "postgresql");
    const struct yaml_node *redis = yaml_node_key(filling->root, "redis");
    struct scenario *scenario = filling->scenario;
    shape_fill(filling->tree, postgresql, &shape_postgresql, &scenario->postgresql);
    shape_fill(filling->tree, redis, &shape_redis, &scenario->redis);
    const struct yaml_node *products = postgresql ? yaml_node_key(postgresql, "products") : NULL;
    const struct yaml_node *scan = postgresql ? yaml_node_key(postgresql, "scan") : NULL;
    if (products && products->kind == NODE_LIST)
        filling_rising(filling, products, "points of a curve");
    if (products && products->kind == NODE_LIST && products->first->first->whole != 0)
        problem_add(filling->problems, products->first->first,
                    "expected the rows of the table from 0m on, found %s", products->first->first->text);
    if (scan && scenario->postgresql.scan_ns_per_row <= 0)
        problem_add(filling->problems, scan, "expected a duration above 0s, found %s", scan->text);
    if (postgresql)
        fill_locks(filling, postgresql);
    const struct yaml_node *work = redis ? yaml_node_key(redis, "work") : NULL;
    scenario->redis.work = work ? fill_work(filling, work)
                                : (struct duration_dist){.p50_ns = 300 * NS_PER_US, .p99_ns = NS_PER_MS};
    const struct yaml_node *ttl = redis ? yaml_node_key(redis, "cart_ttl") : NULL;
    if (ttl)
        filling_positive(filling, ttl);
    if (scenario->redis.carts > scenario->redis.keys_max)
        problem_add(filling->problems, redis, "expected carts of at most keys_max, %d, found %d",
                    scenario->redis.keys_max, scenario->redis.carts);
}

int filling_pool_max(const struct filling *filling, const char *pool)
{
    int highest = 0;
    for (size_t i = 0; i < filling->registry->kind_count; i++) {
        const struct actor_kind *kind = filling->registry->kinds[i];
        const struct service_spec *service = scenario_service(filling->scenario, kind->service);
        for (size_t p = 0; p < SERVICE_POOLS_MAX; p++) {
            if (!kind->pools[p].name || strcmp(kind->pools[p].name, pool))
                continue;
            int max = kind->pools[p].max;
            for (size_t s = 0; service && s < service->pool_count; s++)
                if (!strcmp(service->pools[s].name, pool) && service->pools[s].max)
                    max = service->pools[s].max;
            highest = MAX(highest, max);
        }
    }
    return highest;
}
