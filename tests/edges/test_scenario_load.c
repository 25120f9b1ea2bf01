/* scenario_load: the flagship as data, defaults, and the order and number of errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "edges/scenario_load.h"
#include "tests/edges/toy_registry.h"

#define FLAGSHIP "scenarios/black-friday-v5.yaml"
#define HEAD                                                                                                 \
    "doorbuster: 1\nname: a-name\nstory: Something.\nduration: 30m\n"                                        \
    "streams: {baseline: {journey: browse, rate: 100/min}}\nphases: [[0m, calm]]\n"

static struct scenario *load(const char *text)
{
    struct text errors = {0};
    struct scenario *scenario =
        scenario_load_text("test.yaml", text, strlen(text), &toy_registry, NULL, 0, &errors);
    if (!scenario)
        fail_msg("%s", text_c(&errors));
    return scenario;
}

static void assert_errors(const char *text, const char *expected)
{
    struct text errors = {0};
    assert_null(scenario_load_text("test.yaml", text, strlen(text), &toy_registry, NULL, 0, &errors));
    assert_string_equal(text_c(&errors), expected);
    text_fini(&errors);
}

static struct scenario *flagship(void)
{
    struct text errors = {0};
    struct scenario *scenario = scenario_load(FLAGSHIP, &toy_registry, NULL, 0, &errors);
    if (!scenario)
        fail_msg("%s", text_c(&errors));
    return scenario;
}

static void flagship_traffic(void **state)
{
    (void)state;
    struct scenario *scenario = flagship();
    assert_string_equal(scenario->file, FLAGSHIP);
    assert_string_equal(scenario->name, "black-friday-v5");
    assert_int_equal(scenario->duration_ns, 30 * NS_PER_MIN);
    assert_int_equal(scenario->stream_count, 2);
    const struct stream_spec *baseline = &scenario->streams[0], *demo = &scenario->streams[1];
    assert_string_equal(baseline->name, "baseline");
    assert_int_equal(baseline->mix_count, 1);
    assert_int_equal(baseline->mixes[0].count, 1);
    assert_string_equal(baseline->mixes[0].of[0].journey, "browse");
    assert_null(baseline->service);
    assert_false(baseline->demo);
    assert_true(demo->demo);
    assert_int_equal(baseline->rate_per_min.count, 1);
    assert_int_equal(baseline->rate_per_min.points[0].at_ns, 0);
    assert_true(baseline->rate_per_min.points[0].value == 100);
    assert_int_equal(demo->rate_per_min.count, 4);
    assert_int_equal(demo->rate_per_min.points[3].at_ns, 15 * NS_PER_MIN);
    assert_true(demo->rate_per_min.points[3].value == 4200);
    assert_int_equal(demo->table_count, 6);
    assert_int_equal(demo->table_ns[5], 25 * NS_PER_MIN);
    assert_int_equal(scenario->phase_count, 5);
    assert_string_equal(scenario->phases[scenario_phase(scenario, 12 * NS_PER_MIN)].name, "peak");
    scenario_free(scenario);
}

static void flagship_cause(void **state)
{
    (void)state;
    struct scenario *scenario = flagship();
    const struct service_spec *service = scenario_service(scenario, "recommendation-service");
    assert_int_equal(service->pool_count, 1);
    assert_string_equal(service->pools[0].name, "recommendations");
    assert_int_equal(service->pools[0].max, 20);
    assert_int_equal(service->pools[0].acquire_timeout_ns, 2 * NS_PER_S);
    assert_int_equal(scenario_service(scenario, "frontend")->work.p99_ns, 45 * NS_PER_MS);
    assert_int_equal(scenario->postgresql.cores, 8);
    assert_true(scenario->postgresql.scan_ns_per_row == 1046.5);
    assert_int_equal(scenario->postgresql.products.count, 4);
    assert_true(scenario->postgresql.products.points[3].value == 487342);
    assert_int_equal(scenario->fault_count, 2);
    assert_int_equal(scenario->faults[0].kind, FAULT_DROP_INDEX);
    assert_string_equal(scenario->faults[1].target, "idx_products_stock_quantity");
    assert_true(scenario->faults[1].line == scenario->faults[0].line + 1);
    scenario_free(scenario);
}

static void flagship_alerts(void **state)
{
    (void)state;
    struct scenario *scenario = flagship();
    assert_int_equal(scenario->alert_count, 3);
    const struct alert_spec *flow = &scenario->alerts[0], *burn = &scenario->alerts[2];
    assert_int_equal(flow->kind, ALERT_FLOW);
    assert_int_equal(flow->stage_count, 3);
    assert_int_equal(flow->stages[0].when.series.kind, PROBE_POOL_WAITERS);
    assert_int_equal(flow->stages[0].when.for_ns, 10 * NS_PER_MIN);
    assert_int_equal(flow->stages[0].within_ns, 0);
    assert_int_equal(flow->stages[1].when.per.kind, PROBE_REQUESTS);
    assert_true(flow->stages[1].when.bound == 0.7 && !flow->stages[1].when.below);
    const struct condition *all = &flow->stages[2].when;
    assert_int_equal(all->kind, CONDITION_ALL);
    assert_int_equal(all->child_count, 2);
    assert_null(all->children[0].per.name);
    assert_int_equal(all->children[1].kind, CONDITION_NOT);
    assert_true(all->children[1].children[0].bound == 0.02);
    assert_int_equal(burn->kind, ALERT_BURN_RATE);
    assert_int_equal(burn->stream, PROBE_ALL_STREAMS);
    assert_true(burn->objective == 0.99 && burn->factor == 14.4);
    assert_int_equal(burn->long_ns, 60 * NS_PER_MIN);
    assert_int_equal(burn->short_ns, 5 * NS_PER_MIN);
    assert_true(scenario->expect_count >= 14);
    scenario_free(scenario);
}

static void what_is_not_said_has_defaults(void **state)
{
    (void)state;
    struct scenario *scenario = load(HEAD);
    const struct postgresql_spec *postgresql = &scenario->postgresql;
    assert_int_equal(postgresql->cores, 8);
    assert_int_equal(postgresql->max_connections, 100);
    assert_int_equal(postgresql->read_replicas, 0);
    assert_true(postgresql->products.count == 1 && postgresql->products.points[0].value == 500000);
    assert_true(postgresql->scan_ns_per_row == 160 && postgresql->jitter_sigma == 0.25);
    assert_false(postgresql->cancel_on_deadline);
    assert_string_equal(postgresql->database, "ecommerce");
    assert_string_equal(postgresql->host, "postgresql-primary-0");
    assert_int_equal(scenario->redis.carts, 1000);
    assert_int_equal(scenario->redis.keys_max, 100000);
    assert_int_equal(scenario->redis.cart_ttl_ns, 30 * NS_PER_MIN);
    assert_true(scenario->redis.work.p50_ns > 0 &&
                scenario->redis.work.p99_ns >= scenario->redis.work.p50_ns);
    assert_null(scenario_service(scenario, "frontend"));
    assert_int_equal(scenario->fault_count + scenario->alert_count + scenario->expect_count, 0);
    scenario_free(scenario);
}

static void streams_can_call_directly(void **state)
{
    (void)state;
    struct scenario *scenario =
        load("doorbuster: 1\nname: a\nstory: b\nduration: 30m\nphases: [[0m, calm]]\nstreams:\n"
             "  demo: {call: product-catalog GET /products, rate: 2/s, scale: 0.5, traffic: baseline}\n");
    const struct stream_spec *stream = &scenario->streams[0];
    assert_int_equal(stream->mix_count, 0);
    assert_string_equal(stream->service, "product-catalog");
    assert_string_equal(stream->route, "GET /products");
    assert_true(stream->rate_per_min.points[0].value == 60);
    assert_false(stream->demo);
    scenario_free(scenario);
}

static void streams_can_be_mixed(void **state)
{
    (void)state;
    struct scenario *scenario =
        load("doorbuster: 1\nname: a\nstory: b\nduration: 30m\nphases: [[0m, calm]]\nstreams:\n"
             "  a: {journey: browse, rate: 1/s}\n"
             "  b: {journeys: {checkout: 60%, browse: 3}, rate: 1/s, visit: {think_max: 5s, leave: 25%}}\n"
             "  c: {journeys: [[0m, {browse: 1}], [15m, {checkout: 2}]], rate: 1/s,\n"
             "      visit: {pages: [3, 4], hot_product: 9, hot_share: 0.45}}\n");
    const struct stream_spec *a = &scenario->streams[0], *b = &scenario->streams[1],
                             *c = &scenario->streams[2];
    assert_true(a->visit.think_mean_ns == 2 * NS_PER_S && a->visit.think_max_ns == 10 * NS_PER_S);
    assert_true(a->visit.pages_min == 2 && a->visit.pages_max == 5 && a->visit.leave_share == 0.667);
    assert_true(a->visit.hot_product == 0 && a->visit.hot_share == 0);
    assert_int_equal(b->mix_count, 1);
    assert_int_equal(b->mixes[0].count, 2);
    assert_string_equal(b->mixes[0].of[0].journey, "checkout");
    assert_true(b->mixes[0].of[0].weight == 0.6 && b->mixes[0].of[1].weight == 3);
    assert_true(b->visit.think_max_ns == 5 * NS_PER_S && b->visit.leave_share == 0.25);
    assert_int_equal(c->mix_count, 2);
    assert_int_equal(c->mixes[1].at_ns, 15 * NS_PER_MIN);
    assert_string_equal(c->mixes[1].of[0].journey, "checkout");
    assert_true(c->visit.pages_min == 3 && c->visit.pages_max == 4);
    assert_true(c->visit.hot_product == 9 && c->visit.hot_share == 0.45);
    scenario_free(scenario);
}

static void streams_can_come_in_bursts(void **state)
{
    (void)state;
    struct scenario *scenario =
        load("doorbuster: 1\nname: a\nstory: b\nduration: 30m\nphases: [[0m, calm]]\nstreams:\n"
             "  once: {journey: browse, bursts: {at: 2m, count: 3, within: 1s}}\n"
             "  often: {journey: browse, table: [1m],\n"
             "          bursts: {at: 1m, count: 17, within: 50ms, every: 6s, rounds: 10}}\n");
    const struct burst_spec *once = &scenario->streams[0].burst, *often = &scenario->streams[1].burst;
    assert_int_equal(scenario->streams[0].rate_per_min.count, 0);
    assert_true(once->at_ns == 2 * NS_PER_MIN && once->count == 3 && once->rounds == 1 &&
                once->every_ns == 0);
    assert_true(often->within_ns == 50 * NS_PER_MS && often->every_ns == 6 * NS_PER_S && often->rounds == 10);
    assert_true(stream_rate_per_min(&scenario->streams[0], 2 * NS_PER_MIN) == 3);
    assert_true(stream_rate_per_min(&scenario->streams[1], 2 * NS_PER_MIN - 1) == 170);
    scenario_free(scenario);
}

static void settings_of_services(void **state)
{
    (void)state;
    struct scenario *scenario =
        load(HEAD "services:\n"
                  "  product-catalog: {variants: {recommendations: own}, mailbox: 7}\n"
                  "  checkout: {pools: {orders: {acquire_timeout: 1500ms}}}\n");
    assert_int_equal(scenario->services[0].variant[0], 1);
    assert_int_equal(scenario->services[0].mailbox_max, 7);
    assert_int_equal(scenario->services[1].pools[0].max, 0);
    assert_int_equal(scenario->services[1].pools[0].acquire_timeout_ns, 1500 * NS_PER_MS);
    assert_int_equal(scenario->services[1].variant[0], 0);
    scenario_free(scenario);
}

static void scripted_faults_carry_their_steps(void **state)
{
    (void)state;
    struct scenario *scenario = load(
        HEAD "physics: scripted\nfaults:\n"
             "  - {at: 0m, drop_index: idx_products_category}\n"
             "  - {at: 1m, route_delay: {service: product-catalog, route: GET /products, missing_index: "
             "idx_products_category, steps: [[1m, 500ms], [2m, 100ms..300ms]]}}\n"
             "  - {at: 0m, route_failures: {service: checkout, route: POST /orders/create, after: 5s, steps: "
             "[[3m, 0%], [4m, 5%]]}}\n"
             "  - {at: 2m, message_loss: {from: frontend, to: product-catalog, rate: 2.5%}}\n");
    const struct fault_spec *delay = &scenario->faults[1], *failures = &scenario->faults[2];
    assert_string_equal(delay->missing_index, "idx_products_category");
    assert_int_equal(delay->step_count, 2);
    assert_true(delay->steps[0].at_ns == 60e9 && delay->steps[0].low == 5e8 && delay->steps[0].high == 5e8);
    assert_true(delay->steps[1].at_ns == 120e9 && delay->steps[1].low == 1e8 && delay->steps[1].high == 3e8);
    assert_int_equal(failures->after_ns, 5 * NS_PER_S);
    assert_int_equal(failures->step_count, 2);
    assert_true(failures->steps[1].low == 0.05 && failures->steps[1].high == 0.05);
    assert_string_equal(scenario->faults[3].target, "product-catalog");
    assert_string_equal(scenario->faults[3].route, "frontend");
    assert_true(scenario->faults[3].value == 0.025);
    scenario_free(scenario);
}

static void faults_carry_their_values(void **state)
{
    (void)state;
    struct scenario *scenario = load(HEAD "faults:\n"
                                          "- {at: 1m, pool_max: {pool: orders, max: 5}}\n"
                                          "- {at: 2m, acquire_timeout: {pool: orders, limit: 2s}}\n"
                                          "- {at: 3m, read_replicas: 2}\n"
                                          "- {at: 4m, service_slow: {service: checkout, factor: 2.5}}\n");
    static const struct {
        enum fault_kind kind;
        const char *target;
        double value;
        int line;
    } wanted[] = {{FAULT_POOL_MAX, "orders", 5, 8},
                  {FAULT_ACQUIRE_TIMEOUT, "orders", 2e9, 9},
                  {FAULT_READ_REPLICAS, NULL, 2, 10},
                  {FAULT_SERVICE_SLOW, "checkout", 2.5, 11}};
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        const struct fault_spec *fault = &scenario->faults[i];
        assert_int_equal(fault->kind, wanted[i].kind);
        assert_true(fault->value == wanted[i].value);
        assert_int_equal(fault->line, wanted[i].line);
        assert_int_equal(fault->target != NULL, wanted[i].target != NULL);
        if (fault->target)
            assert_string_equal(fault->target, wanted[i].target);
    }
    scenario_free(scenario);
}

static void errors_come_in_the_order_of_the_file(void **state)
{
    (void)state;
    assert_errors(
        "name: a\nstory: b\nduration: 5\nstreams: {}\nphases: [[0m, calm]]\nstroy: c\n",
        "test.yaml:1:1: scenario: expected the key doorbuster, found none\n"
        "test.yaml:3:11: duration: expected a duration with its unit, like 90s or 5m, found 5 (missing "
        "unit)\n"
        "test.yaml:4:10: streams: expected 1 to 8 of them, found 0\n"
        "test.yaml:6:1: stroy: expected one of the keys doorbuster, name, story, duration, physics, streams, "
        "phases, "
        "services, postgresql, redis, faults, alerts, expect, found an unknown key (did you mean story?)\n");
}

/* A column of a slip within an expectation is that in the file. */
static void expectations_are_pointed_into(void **state)
{
    (void)state;
    assert_errors(
        HEAD "expect:\n  - \"baseline.errors: rate<=2\"\n",
        "test.yaml:8:29: expect.0: expected a share of 0 to 1, found `2` (more than all of them)\n");
    assert_errors(
        HEAD "expect: ['baseline.errors: rate<=2']\n",
        "test.yaml:7:34: expect.0: expected a share of 0 to 1, found `2` (more than all of them)\n");
    assert_errors(HEAD "expect:\n  - >-\n    baseline.errors: rate<=2\n",
                  "test.yaml:8:5: expect.0: expected a share of 0 to 1, found `2` (more than all of them)\n");
}

static void twenty_errors_are_told(void **state)
{
    (void)state;
    struct text text = {0}, errors = {0};
    text_str(&text, HEAD "services:\n");
    for (int i = 0; i < 30; i++) {
        text_str(&text, "  s");
        text_i64(&text, i);
        text_str(&text, ": {mailbox: 0}\n");
    }
    assert_null(scenario_load_text("test.yaml", text.bytes, text.len, &toy_registry, NULL, 0, &errors));
    size_t lines = 0;
    for (size_t i = 0; i < errors.len; i++)
        lines += errors.bytes[i] == '\n';
    assert_int_equal(lines, 21);
    assert_non_null(strstr(text_c(&errors), "\nand 10 more\n"));
    text_fini(&text);
    text_fini(&errors);
}

static void long_and_odd_values_are_told_in_one_clean_line(void **state)
{
    (void)state;
    assert_errors("doorbuster: \"a\\nb\\e[31mc\"\nname: a\nstory: b\nduration: 5m\nphases: [[0m, calm]]\n"
                  "streams: {baseline: {journey: browse, rate: 1/s}}\n",
                  "test.yaml:1:13: doorbuster: expected 1, found `a?b?[31mc`\n");
    assert_errors(
        "doorbuster: 1\nname: a\nstory: b\nduration: äöüäöüäöüäöüäöüäöüäöüäöü\nphases: [[0m, calm]]\n"
        "streams: {baseline: {journey: browse, rate: 1/s}}\n",
        "test.yaml:4:11: duration: expected a duration with its unit, like 90s or 5m, found "
        "`äöüäöüäöüäöüäöüäöüäö...` (not understood)\n");
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *file, *error;
    } cases[] = {
        {"scenarios", "scenarios:1:1: scenario: expected a regular file, found a directory\n"},
        {"/dev/null", "/dev/null:1:1: scenario: expected a regular file, found something else\n"},
        {"no/such.yaml",
         "no/such.yaml:1:1: scenario: expected a file that can be read, found No such file or directory\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct text errors = {0};
        assert_null(scenario_load(cases[i].file, &toy_registry, NULL, 0, &errors));
        assert_string_equal(text_c(&errors), cases[i].error);
        text_fini(&errors);
    }
    scenario_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flagship_traffic),
        cmocka_unit_test(flagship_cause),
        cmocka_unit_test(flagship_alerts),
        cmocka_unit_test(what_is_not_said_has_defaults),
        cmocka_unit_test(streams_can_call_directly),
        cmocka_unit_test(streams_can_be_mixed),
        cmocka_unit_test(streams_can_come_in_bursts),
        cmocka_unit_test(settings_of_services),
        cmocka_unit_test(faults_carry_their_values),
        cmocka_unit_test(scripted_faults_carry_their_steps),
        cmocka_unit_test(errors_come_in_the_order_of_the_file),
        cmocka_unit_test(expectations_are_pointed_into),
        cmocka_unit_test(twenty_errors_are_told),
        cmocka_unit_test(long_and_odd_values_are_told_in_one_clean_line),
        cmocka_unit_test(what_is_no_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
