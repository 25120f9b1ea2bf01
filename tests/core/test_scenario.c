/* scenario: the look-ups that a running world makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/scenario.h"

static const struct scenario scenario = {
    .streams = {{.name = "baseline"}, {.name = "demo"}},
    .stream_count = 2,
    .phases = {{0, "calm"}, {NS_PER_MIN, "ramp"}, {10 * NS_PER_MIN, "peak"}},
    .phase_count = 3,
    .services = {{.service = "frontend"}, {.service = "checkout"}},
    .service_count = 2,
};

static void a_phase_lasts_until_the_next(void **state)
{
    (void)state;
    assert_int_equal(scenario_phase(&scenario, 0), 0);
    assert_int_equal(scenario_phase(&scenario, NS_PER_MIN - 1), 0);
    assert_int_equal(scenario_phase(&scenario, NS_PER_MIN), 1);
    assert_int_equal(scenario_phase(&scenario, 10 * NS_PER_MIN - 1), 1);
    assert_int_equal(scenario_phase(&scenario, 10 * NS_PER_MIN), 2);
    assert_int_equal(scenario_phase(&scenario, NEVER), 2);
    assert_int_equal(scenario_phase(&scenario, -1), 0);
    const struct scenario none = {.phase_count = 0};
    assert_int_equal(scenario_phase(&none, 0), 0);
}

static void names_are_found(void **state)
{
    (void)state;
    assert_int_equal(scenario_stream(&scenario, "baseline"), 0);
    assert_int_equal(scenario_stream(&scenario, "demo"), 1);
    assert_int_equal(scenario_stream(&scenario, "dem"), -1);
    assert_ptr_equal(scenario_service(&scenario, "checkout"), &scenario.services[1]);
    assert_null(scenario_service(&scenario, "redis"));
}

static void every_fault_has_a_name(void **state)
{
    (void)state;
    for (int a = 0; a < FAULT_KIND_COUNT; a++)
        for (int b = 0; b < a; b++)
            assert_string_not_equal(fault_kind_name((enum fault_kind)a), fault_kind_name((enum fault_kind)b));
    assert_string_equal(fault_kind_name(FAULT_HOLD_CONNECTIONS), "hold_connections");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phase_lasts_until_the_next),
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(every_fault_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
