/* placement: who hosts what, where the others are, and which values are refused with which words. */
#include "edges/placement.h"

#include "edges/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct options options;
static struct placement placement;
static struct text error;

static void begin(void)
{
    memset(&options, 0, sizeof options);
    for (size_t i = 0; i < PLACEMENT_VARIABLES; i++)
        unsetenv(placement_variables[i].name);
}

static void only(const char *list)
{
    options.only[options.only_count++] = list;
}

static void peer(const char *address)
{
    options.peers[options.peer_count++] = address;
}

static bool reads(void)
{
    error.len = 0;
    return placement_read(&placement, &options, &registry, &error);
}

/* Refused, in words that hold both. */
static void assert_refused(const char *names, const char *says)
{
    assert_false(reads());
    const char *said = text_c(&error);
    if (!strstr(said, names) || !strstr(said, says) || strchr(said, '\n') || error.len > 400)
        fail_msg("%s", said);
}

static size_t hosted(void)
{
    size_t count = 0;
    for (size_t i = 0; i < registry.kind_count; i++)
        count += placement.hosts[i];
    return count;
}

static bool hosts(const char *service)
{
    for (size_t i = 0; i < registry.kind_count; i++)
        if (!strcmp(registry.kinds[i]->service, service))
            return placement.hosts[i];
    fail_msg("no service %s", service);
    return false;
}

/* The nth address of a service; NULL: it has fewer. */
static const struct peer_address *address_of(const char *service, size_t nth)
{
    for (size_t i = 0; i < placement.address_count; i++)
        if (!strcmp(placement.addresses[i].service, service) && nth-- == 0)
            return &placement.addresses[i];
    return NULL;
}

static void assert_address(const char *service, size_t nth, const char *host, uint16_t port, bool resolves)
{
    const struct peer_address *address = address_of(service, nth);
    assert_non_null(address);
    assert_string_equal(address->host, host);
    assert_int_equal(address->port, port);
    assert_int_equal(address->resolves, resolves);
}

static void without_only_everything_is_here(void **state)
{
    (void)state;
    begin();
    setenv("CART_URL", "nonsense", 1); /* it has nothing to say here */
    assert_true(reads());
    assert_false(placement.spread);
    assert_int_equal(hosted(), 13);
    assert_int_equal(placement.address_count, 0);
}

static void the_others_are_found_by_their_names(void **state)
{
    (void)state;
    begin();
    only("cart-service,redis");
    only("checkout");
    only("redis");
    assert_true(reads());
    assert_true(placement.spread);
    assert_int_equal(hosted(), 3);
    assert_true(hosts("cart-service") && hosts("redis") && hosts("checkout"));
    assert_int_equal(placement.address_count, 10);
    assert_null(address_of("redis", 0));
    assert_address("frontend", 0, "frontend", 9018, true);
    assert_null(address_of("frontend", 1));
    assert_address("postgresql", 0, "postgresql", 6432, true);
    assert_address("load-generator", 0, "load-generator", 9010, true);
    for (size_t i = 0; i < registry.kind_count; i++)
        assert_int_equal(placement_port(registry.kinds[i]), registry.kinds[i]->port + 1000);
}

static void peers_win_and_are_copies(void **state)
{
    (void)state;
    begin();
    setenv("FRONTEND_URL", "http://elsewhere:1", 1);
    only("load-generator");
    peer("frontend=10.0.0.7:9018");
    peer("redis=[::1]:7379");
    peer("frontend=web-2.shop_a.example:65535");
    assert_true(reads());
    assert_int_equal(placement.address_count, 13);
    assert_address("frontend", 0, "10.0.0.7", 9018, false);
    assert_address("frontend", 1, "web-2.shop_a.example", 65535, false);
    assert_address("redis", 0, "::1", 7379, false);
}

static void variables_say_where_http_is(void **state)
{
    static const struct {
        const char *value, *host;
        uint16_t port;
        bool resolves;
    } cases[] = {
        {"http://cart-service:8013", "cart-service", 9013,
         true}, /* its own HTTP port: the peer's is beside it */
        {"http://carts.example/", "carts.example", 9013, true},
        {"http://carts?x", "carts", 9013, true},
        {"http://carts:9013/cart?x=y#z", "carts", 9013, true},
        {"http://carts:80", "carts", 80, true},
        {"http://192.0.2.7:8013/", "192.0.2.7", 9013, false},
        {"http://[2001:db8::7]/", "2001:db8::7", 9013, false},
        {"http://[2001:db8::7]:8013", "2001:db8::7", 9013, false},
        {"", "cart-service", 9013, true}, /* set and empty is not set */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        begin();
        only("frontend");
        setenv("CART_URL", cases[i].value, 1);
        assert_true(reads());
        assert_address("cart-service", 0, cases[i].host, cases[i].port, cases[i].resolves);
        assert_null(address_of("cart-service", 1));
    }
    for (size_t i = 0; i < PLACEMENT_VARIABLES; i++) {
        begin();
        only("inventory-service");
        setenv(placement_variables[i].name, "http://there:77", 1);
        assert_true(reads());
        assert_address(placement_variables[i].service, 0, "there", 77, true);
        only(placement_variables[i].service); /* one's own is not looked at, so that all may have the same */
        setenv(placement_variables[i].name, "nonsense", 1);
        assert_true(reads());
        assert_null(address_of(placement_variables[i].service, 0));
    }
}

static void names_that_do_not_exist_are_refused_with_a_hint(void **state)
{
    static const struct {
        const char *list, *names, *says;
    } cases[] = {
        {"cart", "--only cart:", "did you mean cart-service?"},
        {"frontend,postgre", "--only postgre:", "did you mean postgresql?"},
        {"frontend,", "--only:", "there are ad-service, "},
        {",", "--only:", "redis"},
        {"zzzzzzzz", "--only zzzzzzzz:", "there are ad-service, "},
        {"\x1b[31m", "--only ?[31m:", "no such service"},
        {" frontend", "--only  frontend:", "did you mean frontend?"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        begin();
        only(cases[i].list);
        assert_refused(cases[i].names, cases[i].says);
    }
    char longest[5000];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    begin();
    only(longest);
    assert_refused("--only aaaa", "...: there is no such service");
    begin();
    only("frontend");
    peer("reddis=1.2.3.4:1");
    assert_refused("--peer reddis:", "did you mean redis?");
}

static void bad_addresses_are_refused(void **state)
{
    static const struct {
        const char *place, *says;
    } cases[] = {
        {"", "a host's name"},
        {":9013", "a host's name"},
        {"carts", "expected HOST:PORT"},
        {"carts:", "a port from 1 to 65535"},
        {"carts:0", "a port from 1 to 65535"},
        {"carts:65536", "a port from 1 to 65535"},
        {"carts:99999999999999999999999", "a port from 1 to 65535"},
        {"carts:-1", "a port from 1 to 65535"},
        {"carts:90 13", "a port from 1 to 65535"},
        {"carts:9013/", "a port from 1 to 65535"},
        {"my carts:9013", "a host's name"},
        {"-carts:9013", "a host's name"},
        {".:9013", "a host's name"},
        {"c\xc3\xa4rts:9013", "a host's name"},
        {"1.2.3:9013", "a host's name"},
        {"1.2.3.400:9013", "a host's name"},
        {"::1:9013", "as in [::1]:9010"},
        {"[::1:9013", "a host's name"},
        {"[carts]:9013", "a host's name"},
        {"[fe80::1%eth0]:9013", "a host's name"},
        {"[]:9013", "a host's name"},
        {"[::1]9013", "a host's name"},
        {"[::1]", "expected HOST:PORT"},
        {"http://carts:9013", "a port from 1 to 65535"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char given[128];
        snprintf(given, sizeof given, "cart-service=%s", cases[i].place);
        begin();
        only("frontend");
        peer(given);
        assert_refused("--peer cart-service=", cases[i].says);
    }
    begin();
    only("frontend");
    peer("cart-service");
    assert_refused("--peer cart-service:", "expected SERVICE=HOST:PORT");
    char longest[400] = "cart-service=", name[PLACEMENT_HOST_BYTES];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(longest, sizeof longest, "cart-service=%s:1", name);
    options.peers[0] = longest;
    assert_true(reads());
    snprintf(longest, sizeof longest, "cart-service=a%s:1", name);
    assert_refused("--peer cart-service=aaaa", "a host's name");
}

static void secrets_are_not_shown(void **state)
{
    (void)state;
    begin();
    only("frontend");
    setenv("CART_URL", "http://me:hunter2@carts:8013", 1);
    assert_refused("CART_URL:", "no user and no password");
    assert_null(strstr(text_c(&error), "hunter2"));
    setenv("CART_URL", "https://me:hunter2@carts:8013", 1);
    assert_refused("CART_URL:", "expected http://HOST:PORT");
    assert_null(strstr(text_c(&error), "hunter2"));
    peer("cart-service=me:hunter2@carts:9013");
    assert_refused("--peer:", "no user and no password");
    assert_null(strstr(text_c(&error), "hunter2"));
}

static void bad_variables_are_named(void **state)
{
    static const struct {
        const char *value, *says;
    } cases[] = {
        {"https://carts:8013", "expected http://HOST:PORT"},
        {"carts:8013", "expected http://HOST:PORT"},
        {"http://", "a host's name"},
        {"http:///cart", "a host's name"},
        {"http://carts:x/", "a port from 1 to 65535"},
        {"http://carts:8013:8013", "a port from 1 to 65535"},
        {"http://ca rts/", "a host's name"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        begin();
        only("frontend");
        setenv("CART_URL", cases[i].value, 1);
        assert_refused("CART_URL=", cases[i].says);
    }
}

static void what_makes_no_sense_together_is_refused(void **state)
{
    (void)state;
    begin();
    peer("frontend=1.2.3.4:1");
    assert_refused("--peer frontend=1.2.3.4:1:", "hosts every service");
    begin();
    only("frontend");
    peer("redis=1.2.3.4:1");
    peer("frontend=1.2.3.4:1");
    assert_refused("--peer frontend=1.2.3.4:1:", "hosts the service itself");
    begin();
    for (size_t i = 0; i < registry.kind_count; i++)
        only(registry.kinds[i]->service);
    assert_true(reads());
    peer("redis=1.2.3.4:1");
    assert_refused("--peer redis=1.2.3.4:1:", "hosts the service itself");
    begin();
    only("frontend,redis");
    options.postgres = "managed";
    assert_refused("--postgres:", "does not host the store");
    options.postgres = "model";
    options.redis = "managed";
    assert_true(reads());
}

static void addresses_are_bounded(void **state)
{
    (void)state;
    begin();
    only("frontend");
    for (size_t i = 0; i < PLACEMENT_ADDRESSES_MAX - 11; i++)
        peer("redis=127.0.0.1:7379");
    assert_true(reads());
    assert_int_equal(placement.address_count, PLACEMENT_ADDRESSES_MAX);
    peer("redis=127.0.0.1:7379");
    assert_refused("--peer:", "more than 64 addresses");
}

static int end(void **state)
{
    (void)state;
    begin();
    text_fini(&error);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_only_everything_is_here),
        cmocka_unit_test(the_others_are_found_by_their_names),
        cmocka_unit_test(peers_win_and_are_copies),
        cmocka_unit_test(variables_say_where_http_is),
        cmocka_unit_test(names_that_do_not_exist_are_refused_with_a_hint),
        cmocka_unit_test(bad_addresses_are_refused),
        cmocka_unit_test(secrets_are_not_shown),
        cmocka_unit_test(bad_variables_are_named),
        cmocka_unit_test(what_makes_no_sense_together_is_refused),
        cmocka_unit_test(addresses_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
