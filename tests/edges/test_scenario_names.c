/* scenario_names: a name that the shop does not have is answered with the one that was probably meant. */
#include "edges/registry.h"
#include "edges/scenario_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const scenario =
    "doorbuster: 1\nname: small\nstory: Names.\nduration: 2m\n"
    "streams: {demo: {journey: checkout, rate: 60/min}}\nphases: [[0m, calm]]\n";

static void assert_said(const char *setting, const char *said)
{
    struct text errors = {0};
    struct scenario *loaded =
        scenario_load_text("names.yaml", scenario, strlen(scenario), &registry, &setting, 1, &errors);
    if (loaded || !strstr(text_c(&errors), said))
        fail_msg("%s: not said: %s\nin: %s", setting, said, text_c(&errors));
    text_fini(&errors);
}

static void what_was_probably_meant_is_said(void **state)
{
    (void)state;
    assert_said("services.fronted.work={p50: 1ms, p99: 1ms}",
                "services.fronted: expected a known service, found `fronted` (did you mean frontend?)");
    assert_said(
        "services.recommendation-service.pools.recomendations.max=4",
        "expected a pool of recommendation-service, found `recomendations` (did you mean recommendations?)");
    assert_said(
        "services.product-catalog.variants.recomendations=own",
        "expected a variant of product-catalog, found `recomendations` (did you mean recommendations?)");
    assert_said("streams.demo.journey=chekout", "found `chekout` (did you mean checkout?)");
    assert_said("streams.demo={call: frontend POST /api/chekout, rate: 60/min}",
                "expected a route of frontend, found `POST /api/chekout` (did you mean POST /api/checkout?)");
    assert_said("faults=[{at: 0m, drop_index: idx_product_category}]",
                "expected a known index, found `idx_product_category` (did you mean idx_products_category?)");
    assert_said("faults=[{at: 0m, pool_max: {pool: catalogue, max: 3}}]",
                "expected a known pool, found `catalogue` (did you mean catalog?)");
    assert_said("faults=[{at: 0m, service_down: check-out}]", "(did you mean checkout?)");
}

static void what_is_nowhere_near_is_left_alone(void **state)
{
    (void)state;
    assert_said("services.warehouse.work={p50: 1ms, p99: 1ms}",
                "expected a known service, found `warehouse`\n");
    assert_said("faults=[{at: 0m, drop_index: primary}]", "expected a known index, found `primary`\n");
    assert_said("streams.demo.journey=steal", "expected a known journey (browse, checkout");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_probably_meant_is_said),
        cmocka_unit_test(what_is_nowhere_near_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
