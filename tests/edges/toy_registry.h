/*
 * toy_registry: names enough to check scenarios against without the shop. Few routes have steps.
 */
#ifndef TESTS_EDGES_TOY_REGISTRY_H
#define TESTS_EDGES_TOY_REGISTRY_H

#include "core/actor.h"

#define TOY_STEPS(...) ((const struct step[]){__VA_ARGS__, END()})

static const struct actor_kind toy_kinds[] = {
    {.service = "load-generator",
     .drives_load = true,
     .routes =
         (const struct route[]){{.name = "browse", .steps = TOY_STEPS(ASK("frontend", "POST /api/browse"))},
                                {.name = "checkout"},
                                {0}}},
    {.service = "frontend",
     .routes = (const struct route[]){{.name = "POST /api/browse",
                                       .steps = TOY_STEPS(ASK("product-catalog", "GET /products"))},
                                      {.name = "POST /api/checkout"},
                                      {0}}},
    {.service = "product-catalog",
     .routes =
         (const struct route[]){{.name = "GET /products"}, {.name = "GET /products/recommendations"}, {0}},
     .pools = {{"catalog", 20, 2000}, {"recommendations", 20, 2000}},
     .variants = {{"recommendations", {"asked", "own"}}}},
    {.service = "recommendation-service",
     .routes = (const struct route[]){{.name = "POST /recommend"}, {0}},
     .pools = {{"recommendations", 20, 2000}}},
    {.service = "checkout",
     .routes = (const struct route[]){{.name = "POST /orders/create"}, {0}},
     .pools = {{"orders", 20, 2000}},
     .variants = {{"recommendations", {"none", "asked"}}}},
    {.service = "inventory-service",
     .routes = (const struct route[]){{.name = "POST /inventory/reserve"}, {0}},
     .pools = {{"inventory", 20, 2000}}},
    {.service = "cart-service",
     .routes =
         (const struct route[]){
             {.name = "GET /cart/{cart_id}", .takes = "cart_id:text", .steps = TOY_STEPS(CACHE("HGETALL"))},
             {0}}},
    {.service = "currency-service", .routes = (const struct route[]){{.name = "GET /convert"}, {0}}},
    {.service = "ad-service", .routes = (const struct route[]){{.name = "GET /ads"}, {0}}},
    {.service = "shipping-service", .routes = (const struct route[]){{.name = "POST /calculate"}, {0}}},
    {.service = "payment-service",
     .routes = (const struct route[]){{.name = "POST /api/payment/process"}, {0}}},
    {.service = "postgresql", .store = "postgresql"},
    {.service = "redis", .store = "redis"},
};

static const struct actor_kind *const toy_kind_list[] = {
    &toy_kinds[0],  &toy_kinds[1],  &toy_kinds[2],  &toy_kinds[3], &toy_kinds[4],
    &toy_kinds[5],  &toy_kinds[6],  &toy_kinds[7],  &toy_kinds[8], &toy_kinds[9],
    &toy_kinds[10], &toy_kinds[11], &toy_kinds[12],
};

static const struct index_def toy_indexes[] = {
    {.name = "idx_products_category", .at_start = true},
    {.name = "idx_products_stock_quantity", .at_start = true},
    {.name = "idx_products_category_active", .at_start = true},
    {.name = "idx_products_recommendations"},
};

static const struct statement toy_statements_of_shop[] = {{.name = "products_by_category"},
                                                          {.name = "recommendations"}};

static const struct registry toy_registry = {.kinds = toy_kind_list,
                                             .kind_count = ARRAY_LEN(toy_kind_list),
                                             .statements = toy_statements_of_shop,
                                             .statement_count = ARRAY_LEN(toy_statements_of_shop),
                                             .indexes = toy_indexes,
                                             .index_count = ARRAY_LEN(toy_indexes)};

#endif
