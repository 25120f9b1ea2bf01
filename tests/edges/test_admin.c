/* admin, fault_read: who a Host header names, what a token is, and how a fault from outside is read. */
#include "edges/admin.h"

#include "edges/fault_read.h"
#include "edges/registry.h"
#include "edges/scenario_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct slice slice_of(const char *text)
{
    return (struct slice){text, (uint32_t)strlen(text)};
}

static void test_host(void **state)
{
    (void)state;
    static const char *const here[] = {
        "localhost",           "localhost:8010", "LocalHost:8010",       "127.0.0.1",
        "127.0.0.1:8010",      "10.0.0.7:80",    "192.168.178.20",       "[::1]",
        "[::1]:8010",          "[fe80::1]",      "[::FFFF:127.0.0.1]:1", "load-generator",
        "load-generator:8010", "Frontend:8018",
    };
    static const char *const elsewhere[] = {
        "",
        ":",
        ":8010",
        "evil.example",
        "evil.example:8010",
        "localhost.evil.example",
        "localhost.",
        "xlocalhost",
        "127.0.0.1.evil",
        "evil.127.0.0.1",
        "1.2.3.4x:80",
        "0x7f.1",
        "[",
        "[]",
        "[]:80",
        "[::1",
        "[evil]",
        "[::1].evil:80",
        "[::1]x",
        "frontend.evil",
        "load-generator.evil:8010",
        "local host",
        "localhost:",
        "localhost:80x",
        "localhost:8010:8010",
        "user@localhost",
        "a",
    };
    for (size_t i = 0; i < ARRAY_LEN(here); i++)
        if (!admin_host_is_here(slice_of(here[i]), &registry))
            fail_msg("%s is here", here[i]);
    for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++)
        if (admin_host_is_here(slice_of(elsewhere[i]), &registry))
            fail_msg("%s is not here", elsewhere[i]);
    assert_false(admin_host_is_here((struct slice){NULL, 0}, &registry));
    assert_false(admin_host_is_here((struct slice){"localhost\0x", 11}, &registry));
    assert_false(admin_host_is_here((struct slice){"127.0.0.1\0", 10}, &registry));
}

static void test_token(void **state)
{
    (void)state;
    static const char token[] = "a-token";
    static const char *const wrong[] = {
        "",
        "Bearer",
        "Bearer ",
        "a-token",
        "Bearer a-toke",
        "Bearer a-token ",
        "Bearer  a-token",
        "Bearer A-token",
        "bearer a-token",
        "Basic a-token",
        "Bearer b-token",
        "Bearer a-tokens",
    };
    assert_true(admin_token_is(slice_of("Bearer a-token"), token));
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        if (admin_token_is(slice_of(wrong[i]), token))
            fail_msg("`%s` is not the token", wrong[i]);
    assert_false(admin_token_is((struct slice){NULL, 0}, token));
    assert_false(admin_token_is((struct slice){"Bearer a-token\0", 15}, token));
}

/* ---- Faults ---- */

static char file[] = "/tmp/doorbuster_test_admin_XXXXXX";

static int write_scenario(void **state)
{
    (void)state;
    static const char shop[] = "doorbuster: 1\n"
                               "name: small\n"
                               "story: One index is dropped at once.\n"
                               "duration: 10m\n"
                               "streams: {demo: {journey: checkout, rate: 60/min}}\n"
                               "phases: [[0m, calm]]\n"
                               "faults: [{at: 0m, drop_index: idx_products_category}]\n";
    int fd = mkstemp(file);
    bool written = fd >= 0 && write(fd, shop, sizeof shop - 1) == sizeof shop - 1;
    close(fd);
    return written ? 0 : -1;
}

static int remove_scenario(void **state)
{
    (void)state;
    return unlink(file);
}

static void test_faults(void **state)
{
    (void)state;
    static const struct {
        enum fault_kind kind;
        const char *value, *target;
        double number;
    } cases[] = {
        /* Whatever the scenario has done to them before. */
        {FAULT_DROP_INDEX, "\"idx_products_category\"", "idx_products_category", 0},
        {FAULT_CREATE_INDEX, "\"idx_products_category\"", "idx_products_category", 0},
        {FAULT_CREATE_INDEX, "\"idx_products_recommendations\"", "idx_products_recommendations", 0},
        {FAULT_DROP_INDEX, "\"idx_products_recommendations\"", "idx_products_recommendations", 0},
        {FAULT_SERVICE_DOWN, "\"ad-service\"", "ad-service", 0},
        {FAULT_SERVICE_UP, "\"ad-service\"", "ad-service", 0},
        {FAULT_POOL_MAX, "{\"pool\": \"orders\", \"max\": 7}", "orders", 7},
    };
    const struct fault_context context = {.registry = &registry, .file = file};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct text error = {0};
        struct scenario *read = fault_read(&context, cases[i].kind, cases[i].value, &error);
        assert_string_equal(text_c(&error), "");
        assert_non_null(read);
        const struct fault_spec *fault = &read->faults[read->fault_count - 1];
        assert_int_equal(fault->kind, cases[i].kind);
        assert_string_equal(fault->target, cases[i].target);
        assert_true(fault->value == cases[i].number);
        scenario_free(read);
        text_fini(&error);
    }
}

/* Set while the world runs, they do not know what has been dropped before. */
static void test_scripted_faults(void **state)
{
    (void)state;
    static const struct {
        enum fault_kind kind;
        const char *value, *target, *route;
    } cases[] = {
        {FAULT_ROUTE_DELAY,
         "{\"service\": \"product-catalog\", \"route\": \"GET /products\", \"steps\": [[\"0m\", "
         "\"1s..2s\"]], "
         "\"missing_index\": \"idx_products_stock_quantity\"}",
         "product-catalog", "GET /products"},
        {FAULT_ROUTE_FAILURES,
         "{\"service\": \"checkout\", \"route\": \"POST /checkout\", \"rate\": 0.5, \"after\": \"5s\"}",
         "checkout", "POST /checkout"},
        {FAULT_MESSAGE_LOSS, "{\"from\": \"frontend\", \"to\": \"ad-service\", \"rate\": \"5%\"}",
         "ad-service", "frontend"},
    };
    static const char *const scripted[] = {"physics=scripted"};
    struct fault_context context = {.registry = &registry, .file = file};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct text error = {0};
        context.settings = NULL;
        context.setting_count = 0;
        assert_null(fault_read(&context, cases[i].kind, cases[i].value, &error));
        assert_non_null(strstr(text_c(&error), "expected physics: scripted"));
        error.len = 0;
        context.settings = scripted;
        context.setting_count = 1;
        struct scenario *read = fault_read(&context, cases[i].kind, cases[i].value, &error);
        assert_non_null(read);
        const struct fault_spec *fault = &read->faults[read->fault_count - 1];
        assert_int_equal(fault->kind, cases[i].kind);
        assert_string_equal(fault->target, cases[i].target);
        assert_string_equal(fault->route, cases[i].route);
        scenario_free(read);
        text_fini(&error);
    }
}

static void test_bad_faults(void **state)
{
    (void)state;
    static const struct {
        enum fault_kind kind;
        const char *value, *error;
    } cases[] = {
        {FAULT_DROP_INDEX, "\"idx\"", "drop_index: expected "},
        {FAULT_CREATE_INDEX, "\"idx\"", "create_index: expected "},
        {FAULT_SERVICE_UP, "\"nobody\"", "service_up: expected "},
        {FAULT_SERVICE_DOWN, "{\"a\": [1]}", "service_down: expected "},
        {FAULT_POOL_MAX, "{\"pool\": \"orders\", \"max\": 0}", "pool_max.max: expected "},
        {FAULT_POOL_MAX, "{\"pool\": \"orders\"}", "pool_max: expected "},
        {FAULT_DROP_INDEX, "\"x}, {at: 1s\"", "drop_index: expected "},
    };
    const struct fault_context context = {.registry = &registry, .file = file};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct text error = {0};
        assert_null(fault_read(&context, cases[i].kind, cases[i].value, &error));
        if (strstr(text_c(&error), cases[i].error) != text_c(&error))
            fail_msg("%s: %s", cases[i].value, text_c(&error));
        assert_null(strchr(text_c(&error), '\n'));
        text_fini(&error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host),       cmocka_unit_test(test_token),
        cmocka_unit_test(test_faults),     cmocka_unit_test(test_scripted_faults),
        cmocka_unit_test(test_bad_faults),
    };
    return cmocka_run_group_tests(tests, write_scenario, remove_scenario);
}
