/* processes: each actor has one process, and what a child is started with means what was asked for. */
#include "edges/processes_parts.h"

#include "edges/command.h"
#include "edges/placement.h"
#include "edges/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WORDS_MAX = 40 };

static struct spread spread;
static struct options asked, told;
static struct placement placement;

/* Options of the parent, and its children. */
static void ask(const char *const words[WORDS_MAX])
{
    char *argv[WORDS_MAX + 2] = {(char *)"run"};
    int argc = 1, exit_code;
    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)words[argc - 1];
    assert_true(options_parse(&asked, &command_run, argc, argv, &exit_code));
    spread = (struct spread){.options = &asked, .registry = &registry};
    spread_deal(&spread);
}

#define SPREAD(...) ask((const char *const[WORDS_MAX]){__VA_ARGS__, NULL})

/* What the child makes of its arguments. */
static void tell(const struct child *child)
{
    static struct words words; /* options point into them */
    struct text error = {0};
    int exit_code;
    words_fini(&words);
    spread_arguments(&spread, child, &words);
    assert_string_equal(words.list[0], "doorbuster");
    assert_string_equal(words.list[1], "run");
    assert_null(words.list[words.count]);
    char *verb = words.list[1]; /* the parser puts its own there */
    assert_true(options_parse(&told, &command_run, (int)words.count - 1, words.list + 1, &exit_code));
    words.list[1] = verb;
    if (!placement_read(&placement, &told, &registry, &error))
        fail_msg("%s", text_c(&error));
}

static void each_actor_has_one_process(void **state)
{
    (void)state;
    for (size_t count = 2; count <= registry.kind_count; count++) {
        char number[8];
        unsigned hosts[SERVICES_MAX] = {0};
        snprintf(number, sizeof number, "%zu", count);
        SPREAD("a.yaml", "--processes", number);
        assert_int_equal(spread.count, count);
        assert_int_equal(spread.children[0].host_count, 1);
        assert_true(spread.children[0].hosts[0]->drives_load);
        size_t least = registry.kind_count, most = 0;
        for (size_t i = 0; i < count; i++) {
            tell(&spread.children[i]);
            assert_true(placement.spread);
            assert_int_equal(placement.address_count, registry.kind_count - spread.children[i].host_count);
            for (size_t k = 0; k < registry.kind_count; k++)
                hosts[k] += placement.hosts[k];
            for (size_t k = 0; k < placement.address_count; k++)
                assert_string_equal(placement.addresses[k].host, "127.0.0.1");
            if (i) {
                least = MIN(least, spread.children[i].host_count);
                most = MAX(most, spread.children[i].host_count);
            }
        }
        assert_true(most - least <= 1);
        for (size_t k = 0; k < registry.kind_count; k++)
            assert_int_equal(hosts[k], 1);
    }
}

static void stores_are_dealt_last(void **state)
{
    (void)state;
    SPREAD("a.yaml", "--processes", "3");
    for (size_t i = 1; i < 3; i++) {
        const struct child *child = &spread.children[i];
        assert_int_equal(child->host_count, 6);
        assert_null(child->hosts[4]->store);
        assert_non_null(child->hosts[5]->store);
        for (size_t k = 1; k < 5; k++)
            assert_true(strcmp(child->hosts[k - 1]->service, child->hosts[k]->service) < 0);
    }
}

static void what_was_asked_for_arrives(void **state)
{
    (void)state;
    SPREAD("--processes", "13", "--seed", "9223372036854775807", "--set", "a=1", "--set", "b.c=[x, 'y z']",
           "--from", "18m0.000000001s", "--history", "72h", "--speed", "0.3", "--listen", "0.0.0.0",
           "--log-level", "warn", "--otlp", "http://[::1]:4318", "--quiet", "--", "--odd.yaml");
    for (size_t i = 0; i < spread.count; i++) {
        tell(&spread.children[i]);
        assert_true(told.seed_given);
        assert_int_equal(told.seed, INT64_MAX);
        assert_int_equal(told.setting_count, 2);
        assert_string_equal(told.settings[1], "b.c=[x, 'y z']");
        assert_int_equal(told.from_ns, 18 * NS_PER_MIN + 1);
        assert_int_equal(told.history_ns, 72 * NS_PER_HOUR);
        assert_memory_equal(&told.speed, &asked.speed, sizeof told.speed);
        assert_string_equal(told.listen, "0.0.0.0");
        assert_string_equal(told.log_level, "warn");
        assert_string_equal(told.otlp, "http://[::1]:4318");
        assert_true(told.quiet);
        assert_int_equal(told.processes, 0);
        assert_string_equal(told.files[0], "--odd.yaml");
    }
    SPREAD("--processes", "2", "a.yaml");
    tell(&spread.children[0]);
    assert_false(told.seed_given || told.quiet || told.json || told.listen || told.otlp || told.log_level);
    assert_true(!told.from_ns && !told.history_ns && !told.setting_count);
}

/* The child of an actor; it hosts nothing else. */
static const struct child *child_of(const char *service)
{
    for (size_t i = 0; i < spread.count; i++)
        if (!strcmp(spread.children[i].hosts[0]->service, service))
            return &spread.children[i];
    fail_msg("no process of %s", service);
    return NULL;
}

static void stores_are_told_who_asks_them(void **state)
{
    (void)state;
    SPREAD("a.yaml", "--processes", "13", "--postgres", "postgresql://x/y", "--redis", "managed", "--yes");
    for (size_t i = 0; i < spread.count; i++) {
        const char *service = spread.children[i].hosts[0]->service;
        bool postgres = !strcmp(service, "postgresql"), redis = !strcmp(service, "redis");
        tell(&spread.children[i]);
        assert_int_equal(told.postgres != NULL, postgres);
        assert_int_equal(told.yes, postgres);
        assert_int_equal(told.redis != NULL, redis);
    }
    tell(child_of("postgresql"));
    assert_string_equal(told.postgres, "postgresql://x/y");
    tell(child_of("redis"));
    assert_string_equal(told.redis, "managed");
}

static void outputs_are_of_one_or_of_each(void **state)
{
    (void)state;
    SPREAD("a.yaml", "--processes", "13", "--report", "-", "--junit", "j.xml", "--answer-key", "k",
           "--profile", "p", "--traces", "o/t.jsonl", "--metrics", "m", "--logs", "l.jsonl");
    for (size_t i = 0; i < spread.count; i++) {
        bool leads = i == 0;
        tell(&spread.children[i]);
        assert_int_equal(told.outputs[OUTPUT_REPORT] != NULL, leads);
        assert_int_equal(told.outputs[OUTPUT_JUNIT] != NULL, leads);
        assert_int_equal(told.outputs[OUTPUT_ANSWER_KEY] != NULL, leads);
        assert_int_equal(told.outputs[OUTPUT_PROFILE] != NULL, leads);
        assert_int_equal(told.quiet, !leads);
    }
    struct child cart = *child_of("cart-service");
    tell(&cart);
    assert_string_equal(told.outputs[OUTPUT_TRACES], "o/t.cart-service.jsonl");
    assert_string_equal(told.outputs[OUTPUT_METRICS], "m.cart-service");
    assert_string_equal(told.outputs[OUTPUT_LOGS], "l.cart-service.jsonl");
    cart.lives = 2;
    tell(&cart);
    assert_string_equal(told.outputs[OUTPUT_TRACES], "o/t.cart-service.3.jsonl");
    SPREAD("a.yaml", "--processes", "2", "--json");
    tell(&spread.children[0]);
    assert_true(told.json);
    tell(&spread.children[1]);
    assert_false(told.json);
}

static void peers_are_where_they_listen(void **state)
{
    static const struct {
        const char *listen, *host;
    } cases[] = {{"127.0.0.1", "127.0.0.1"},
                 {"0.0.0.0", "127.0.0.1"},
                 {"192.0.2.7", "192.0.2.7"},
                 {"::", "::1"},
                 {"0::0", "::1"},
                 {"::1", "::1"},
                 {"2001:db8::7", "2001:db8::7"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SPREAD("a.yaml", "--processes", "13", "--listen", cases[i].listen);
        tell(&spread.children[1]);
        assert_int_equal(placement.address_count, 12);
        for (size_t k = 0; k < placement.address_count; k++) {
            const struct peer_address *address = &placement.addresses[k];
            assert_string_equal(address->host, cases[i].host);
            assert_int_equal(address->port, placement_port(registry_kind(&registry, address->service)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_actor_has_one_process),    cmocka_unit_test(stores_are_dealt_last),
        cmocka_unit_test(what_was_asked_for_arrives),    cmocka_unit_test(stores_are_told_who_asks_them),
        cmocka_unit_test(outputs_are_of_one_or_of_each), cmocka_unit_test(peers_are_where_they_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
