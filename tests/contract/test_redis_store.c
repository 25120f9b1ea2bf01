/* redis_store against a real Redis that is slow, dies, comes back, is full, or holds what it should not. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/contract/cache.h"

static struct redis_server server;

static void begin(struct cache *cache)
{
    if (!server.pid) {
        print_message("redis-server is missing\n");
        skip();
    }
    cache_begin(cache, &server);
}

static int64_t since(const struct cache *cache, int64_t from_ns)
{
    return world_now(cache->toy.world) - from_ns;
}

/* ---- what is kept there ---- */

static void keys_can_be_read_and_go_with_the_run(void **state)
{
    (void)state;
    struct cache cache;
    begin(&cache);
    cache.toy.scenario.redis.carts = 5000;
    int64_t before_ns = real_time_now(&cache.real);
    cache_open(&cache, 1);
    assert_true(real_time_now(&cache.real) - before_ns < S(1));
    const char *prefix = redis_store_prefix(cache.store);
    redisContext *redis = redis_server_dial(&server);
    assert_int_equal(redis_server_ask(redis, "DBSIZE"), 5000);
    assert_int_equal(redis_server_ask(redis, "HLEN %s:cart:cart-1000", prefix), 3);
    assert_int_equal(redis_server_ask(redis, "HLEN %s:cart:cart-5999", prefix), 2);
    assert_in_range(redis_server_ask(redis, "TTL %s:cart:cart-5999", prefix), 3500, 3600);
    cache_ask(&cache, HSET, "[\"mine\",17,2]");
    cache_ask(&cache, SETEX, "[\"product-17\",300,7]");
    assert_int_equal(redis_server_ask(redis, "HGET %s:cart:mine 17", prefix), 1);
    assert_in_range(redis_server_ask(redis, "TTL %s:cart:mine", prefix), 3500, 3600);
    assert_in_range(redis_server_ask(redis, "TTL %s:page:product-17", prefix), 290, 300);
    redis_server_ask(redis, "SET somebody-else 1");
    cache_end(&cache);
    assert_int_equal(redis_server_ask(redis, "DBSIZE"), 1);
    redis_server_ask(redis, "FLUSHALL");
    redisFree(redis);
}

static void what_others_wrote_there_is_not_believed(void **state)
{
    (void)state;
    static const struct {
        const char *write; /* %s: the prefix */
        size_t command;
        const char *ask;
    } lies[] = {
        {"LPUSH %s:cart:k 1", HGETALL, "[\"k\"]"},
        {"LPUSH %s:cart:k 1", HSET, "[\"k\",1,1]"},
        {"SET %s:cart:k 1", HGETALL, "[\"k\"]"},
        {"HSET %s:cart:k product seven", HGETALL, "[\"k\"]"},
        {"HSET %s:cart:k 1 1.5", HGETALL, "[\"k\"]"},
        {"HSET %s:cart:k 1 99999999999999999999", HGETALL, "[\"k\"]"},
        {"HSET %s:cart:k 1 9223372036854775807", HSET, "[\"k\",1,1]"},
        {"HSET %s:cart:k 1 seven", HSET, "[\"k\",1,1]"},
        {"HSET %s:page:k 1 1", GET, "[\"k\"]"},
        {"SET %s:page:k \xc1", GET, "[\"k\"]"}, /* no msgpack begins so */
        {"SET %s:page:k 77", GET, "[\"k\"]"}, /* two values */
        {"SET %s:page:k \x92\x01", GET, "[\"k\"]"}, /* half of one */
        {"SETRANGE %s:page:k 70000 x", GET, "[\"k\"]"},
        {"SETRANGE %s:page:k 0 ", GET, "[\"none\"]"},
    };
    struct cache cache;
    char command[128];
    begin(&cache);
    cache_open(&cache, 1);
    redisContext *redis = redis_server_dial(&server);
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        bool is_lie = i + 1 < ARRAY_LEN(lies);
        snprintf(command, sizeof command, lies[i].write, redis_store_prefix(cache.store));
        redis_server_ask(redis, command);
        enum status status = cache_status(&cache, lies[i].command, lies[i].ask);
        if (status != (is_lie ? STATUS_FAILED : STATUS_OK))
            fail_msg("%s: %s", lies[i].write, status_info(status)->text);
        if (is_lie)
            cache_expect(&cache, DEL, "[\"k\"]", STATUS_OK, "[1]");
    }
    assert_int_equal(redis_store_tally(cache.store).losses, 0);
    redisFree(redis);
    cache_end(&cache);
}

/* As if the server were not ours at all: the connection is given up, and made anew. */
static void replies_beyond_all_bounds_end_the_connection(void **state)
{
    (void)state;
    struct cache cache;
    begin(&cache);
    cache_open(&cache, 1);
    const char *prefix = redis_store_prefix(cache.store);
    redisContext *redis = redis_server_dial(&server);
    redis_server_ask(redis, "EVAL %s 1 %s:cart:k", "for i=1,600 do redis.call('HSET',KEYS[1],i,1) end",
                     prefix);
    redis_server_ask(redis, "SETRANGE %s:page:k 3000000 x", prefix);
    assert_int_equal(cache_status(&cache, HGETALL, "[\"k\"]"), STATUS_NO_PEER);
    assert_true(cache_ready(&cache, S(1)));
    assert_int_equal(cache_status(&cache, GET, "[\"k\"]"), STATUS_NO_PEER);
    assert_true(cache_ready(&cache, S(1)));
    cache_expect(&cache, HSET, "[\"c\",1,1]", STATUS_OK, "[1,true]");
    assert_int_equal(redis_store_tally(cache.store).losses, 2);
    redisFree(redis);
    cache_end(&cache);
}

static void a_full_server_refuses(void **state)
{
    (void)state;
    struct cache cache;
    begin(&cache);
    cache_open(&cache, 1);
    redisContext *redis = redis_server_dial(&server);
    cache_expect(&cache, SETEX, "[\"p\",60,1]", STATUS_OK, "[]");
    redis_server_ask(redis, "CONFIG SET maxmemory 1");
    cache_expect(&cache, SETEX, "[\"q\",60,1]", STATUS_OVERLOADED, NULL);
    cache_expect(&cache, HSET, "[\"c\",1,1]", STATUS_OVERLOADED, NULL);
    cache_expect(&cache, GET, "[\"p\"]", STATUS_OK, "1");
    redis_server_ask(redis, "CONFIG SET maxmemory 0");
    cache_expect(&cache, HGETALL, "[\"c\"]", STATUS_OK, "[]");
    redisFree(redis);
    cache_end(&cache);
}

/* ---- time limits ---- */

static void each_command_has_a_limit(void **state)
{
    (void)state;
    enum { ALL = 20, LIMIT_MS = 200 };
    struct cache cache;
    begin(&cache);
    cache.limit_ms = LIMIT_MS;
    cache_open(&cache, 1);
    cache_expect(&cache, HSET, "[\"c\",1,1]", STATUS_OK, "[1,true]");
    redis_server_signal(&server, SIGSTOP);
    int64_t sent_ns[ALL];
    uint64_t token = 0;
    for (int i = 0; i < ALL; i++) {
        token = cache_send(&cache, GET, "[\"p\"]");
        cache_pass(&cache, MS(5));
        sent_ns[i] = world_now(cache.toy.world);
    }
    cache_wait(&cache, token);
    for (uint64_t i = 0; i < ALL; i++) {
        const struct toy_answer *answer = toy_answer(&cache.toy, token + 1 - ALL + i);
        int64_t took_ns = answer->at_ns - sent_ns[i];
        assert_int_equal(answer->status, STATUS_DEADLINE);
        assert_true(took_ns > MS(LIMIT_MS - 100) && took_ns < MS(LIMIT_MS + 100));
    }
    redis_server_signal(&server, SIGCONT);
    int64_t from_ns = world_now(cache.toy.world);
    cache_expect(&cache, HSET, "[\"c\",1,1]", STATUS_OK, "[1,false]"); /* replies of old are nobody's */
    assert_true(since(&cache, from_ns) < S(1));
    assert_int_equal(redis_store_tally(cache.store).answers[STATUS_DEADLINE], ALL);
    assert_int_equal(redis_store_tally(cache.store).losses, 0);
    cache_end(&cache);
}

static void more_than_a_bound_at_once_are_refused(void **state)
{
    (void)state;
    enum { MORE = 10, ALL = REDIS_COMMANDS_MAX + MORE };
    struct cache cache;
    begin(&cache);
    cache.limit_ms = 300;
    cache_open(&cache, 1);
    cache_ask(&cache, GET, "[\"p\"]");
    redis_server_signal(&server, SIGSTOP);
    for (int i = 0; i < ALL; i++)
        cache_send(&cache, GET, "[\"p\"]");
    cache_pass(&cache, MS(20));
    assert_int_equal(redis_store_tally(cache.store).answers[STATUS_OVERLOADED], MORE);
    cache_pass(&cache, MS(400));
    assert_int_equal(cache_status(&cache, GET, "[\"p\"]"),
                     STATUS_OVERLOADED); /* their replies may come yet */
    assert_int_equal(redis_store_tally(cache.store).answers[STATUS_DEADLINE], REDIS_COMMANDS_MAX);
    redis_server_signal(&server, SIGCONT);
    cache_pass(&cache, MS(200));
    cache_expect(&cache, GET, "[\"p\"]", STATUS_OK, "null");
    cache_end(&cache);
}

static void silence_ends_a_connection(void **state)
{
    (void)state;
    struct cache cache;
    begin(&cache);
    cache.limit_ms = 100;
    cache_open(&cache, 1);
    cache_ask(&cache, GET, "[\"p\"]");
    redis_server_signal(&server, SIGSTOP);
    int64_t from_ns = world_now(cache.toy.world);
    cache_expect(&cache, GET, "[\"p\"]", STATUS_DEADLINE, NULL);
    cache_pass(&cache, MS(REDIS_SILENT_MS) - since(&cache, from_ns) + MS(100));
    assert_int_equal(redis_store_tally(cache.store).losses, 1);
    assert_int_equal(cache.said_count, 1);
    cache_pass(&cache, S(2)); /* connects to a server that says nothing: its greeting has a limit as well */
    assert_false(redis_store_ready(cache.store));
    enum status status = cache_status(&cache, GET, "[\"p\"]");
    assert_true(status == STATUS_NO_PEER || status == STATUS_DEADLINE);
    redis_server_signal(&server, SIGCONT);
    assert_true(cache_ready(&cache, S(2)));
    cache_expect(&cache, GET, "[\"p\"]", STATUS_OK, "null");
    assert_int_equal(cache.said_count, 2);
    assert_non_null(strstr(cache.said[1], "is back"));
    cache_end(&cache);
}

/* ---- it dies ---- */

static void a_killed_server_fails_each_command_once(void **state)
{
    (void)state;
    enum { ALL = 100, ROUNDS = 3 };
    struct cache cache;
    begin(&cache);
    cache_open(&cache, 1);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t token = 0;
        cache_expect(&cache, HSET, "[\"c\",1,1]", STATUS_OK, "[1,true]");
        redis_server_signal(&server, SIGSTOP); /* so that they are under way when it dies */
        for (int i = 0; i < ALL; i++)
            token = cache_send(&cache, GET, "[\"p\"]");
        cache_pass(&cache, MS(20));
        redis_server_kill(&server);
        int64_t from_ns = world_now(cache.toy.world);
        cache_wait(&cache, token);
        assert_true(since(&cache, from_ns) < MS(200));
        for (uint64_t i = 0; i < ALL; i++)
            assert_int_equal(toy_answer(&cache.toy, token - i)->status, STATUS_NO_PEER);
        cache_pass(&cache, MS(1000));
        from_ns = world_now(cache.toy.world);
        cache_expect(&cache, GET, "[\"p\"]", STATUS_NO_PEER, NULL);
        assert_true(since(&cache, from_ns) < MS(200));
        redis_server_start(&server);
        from_ns = world_now(cache.toy.world);
        assert_true(cache_ready(&cache, S(2)));
        print_message("back %lld ms after its return\n", (long long)(since(&cache, from_ns) / NS_PER_MS));
    }
    struct redis_store_tally tally = redis_store_tally(cache.store);
    assert_int_equal(tally.losses, ROUNDS);
    assert_int_equal(tally.answers[STATUS_NO_PEER], ROUNDS * (ALL + 1));
    assert_int_equal(tally.answers[STATUS_OK], ROUNDS);
    assert_int_equal(cache.toy.answer_count, cache.toy.asked);
    assert_int_equal(cache.said_count, 2 * ROUNDS);
    cache_end(&cache);
}

/* Traffic that goes on: nothing hangs, and what fails fails while it is away. */
static void traffic_goes_on_across_a_restart(void **state)
{
    (void)state;
    enum { BEFORE = 200, AWAY = 300, AFTER = 400 };
    struct cache cache;
    begin(&cache);
    cache_open(&cache, 1);
    cache_ask(&cache, GET, "[\"p\"]");
    for (int i = 0; i < BEFORE + AWAY + AFTER; i++) {
        if (i == BEFORE)
            redis_server_kill(&server);
        if (i == BEFORE + AWAY) {
            redis_server_start(&server);
            assert_true(cache_ready(&cache, S(2)));
        }
        cache_send(&cache, i % 2 ? HSET : GET, i % 2 ? "[\"c\",1,1]" : "[\"p\"]");
        cache_pass(&cache, MS(1));
    }
    cache_pass(&cache, MS(100));
    assert_int_equal(cache.toy.answer_count, cache.toy.asked);
    for (uint64_t token = 1; token < cache.toy.asked; token++) {
        enum status status = toy_answer(&cache.toy, token)->status;
        bool is_away = token > BEFORE && token <= BEFORE + AWAY;
        assert_int_equal(status, is_away ? STATUS_NO_PEER : STATUS_OK);
    }
    cache_end(&cache);
}

static void a_world_may_end_with_commands_under_way(void **state)
{
    (void)state;
    struct cache cache;
    begin(&cache);
    cache_open(&cache, 1);
    for (int i = 0; i < 5; i++)
        cache_send(&cache, GET, "[\"p\"]"); /* wait for a connection that has not begun */
    world_turn(cache.toy.world, real_time_now(&cache.real), 100);
    cache_end(&cache);
    begin(&cache);
    cache_open(&cache, 1);
    cache_ask(&cache, GET, "[\"p\"]");
    redis_server_signal(&server, SIGSTOP);
    for (int i = 0; i < 5; i++)
        cache_send(&cache, GET, "[\"p\"]");
    cache_pass(&cache, MS(10));
    redis_server_signal(&server, SIGCONT);
    cache_end(&cache);
}

/* ---- before a run ---- */

static void a_password_and_a_database_are_used(void **state)
{
    (void)state;
    struct redis_server guarded = {.password = "s3cret"};
    struct cache cache;
    char url[160];
    struct text error = {0};
    begin(&cache); /* skips */
    redis_server_start(&guarded);
    snprintf(url, sizeof url, "unix://:s3cret@%s?db=3", guarded.socket);
    cache.url = url;
    cache.toy.scenario.redis.carts = 10;
    cache_open(&cache, 1);
    cache_expect(&cache, HSET, "[\"cart-1000\",9000,1]", STATUS_OK, "[4,false]");
    redisContext *redis = redis_server_dial(&guarded);
    assert_int_equal(redis_server_ask(redis, "DBSIZE"), 0);
    redis_server_ask(redis, "SELECT 3");
    assert_int_equal(redis_server_ask(redis, "DBSIZE"), 10);
    snprintf(url, sizeof url, "unix://:wr0ng@%s", guarded.socket);
    assert_false(redis_store_check(url, 1000, &error));
    assert_non_null(strstr(text_c(&error), "WRONGPASS"));
    assert_null(strstr(text_c(&error), "wr0ng"));
    error.len = 0;
    snprintf(url, sizeof url, "unix://%s", guarded.socket);
    assert_false(redis_store_check(url, 1000, &error));
    assert_non_null(strstr(text_c(&error), "NOAUTH"));
    error.len = 0;
    snprintf(url, sizeof url, "unix://:s3cret@%s?db=99", guarded.socket);
    assert_false(redis_store_check(url, 1000, &error));
    assert_non_null(strstr(text_c(&error), "out of range"));
    redis_server_ask(redis, "CONFIG SET requirepass other"); /* and who is connected already stays so */
    redis_server_ask(redis, "CLIENT KILL TYPE normal");
    cache_pass(&cache, MS(300));
    cache_expect(&cache, GET, "[\"p\"]", STATUS_NO_PEER, NULL);
    for (size_t i = 0; i < cache.said_count; i++)
        assert_null(strstr(cache.said[i], "s3cret"));
    redisFree(redis);
    text_fini(&error);
    cache_end(&cache);
    redis_server_end(&guarded);
}

static void a_check_says_what_was_tried_and_soon(void **state)
{
    (void)state;
    struct cache cache;
    begin(&cache);
    cache_open(&cache, 1);
    static const char *const absent[] = {"unix:///nowhere/socket", "redis://127.0.0.1:1", "redis://[::1]:1/3",
                                         "redis://192.0.2.1:6379", "redis://no-such-host.invalid"};
    for (size_t i = 0; i <= ARRAY_LEN(absent); i++) {
        struct text error = {0};
        bool stopped = i == ARRAY_LEN(absent);
        const char *url = stopped ? server.url : absent[i];
        if (stopped)
            redis_server_signal(&server, SIGSTOP);
        int64_t from_ns = real_time_now(&cache.real);
        assert_false(redis_store_check(url, 1000, &error));
        int64_t took_ns = real_time_now(&cache.real) - from_ns;
        print_message("%s (%lld ms)\n", text_c(&error), (long long)(took_ns / NS_PER_MS));
        assert_true(took_ns < S(2));
        assert_non_null(strstr(text_c(&error), stopped ? "no answer in time" : url));
        if (stopped)
            redis_server_signal(&server, SIGCONT);
        text_fini(&error);
    }
    cache_end(&cache);
}

static int start_server(void **state)
{
    (void)state;
    if (redis_server_there())
        redis_server_start(&server);
    return 0;
}

static int end_server(void **state)
{
    (void)state;
    if (server.pid)
        redis_server_end(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_can_be_read_and_go_with_the_run),
        cmocka_unit_test(what_others_wrote_there_is_not_believed),
        cmocka_unit_test(replies_beyond_all_bounds_end_the_connection),
        cmocka_unit_test(a_full_server_refuses),
        cmocka_unit_test(each_command_has_a_limit),
        cmocka_unit_test(more_than_a_bound_at_once_are_refused),
        cmocka_unit_test(silence_ends_a_connection),
        cmocka_unit_test(a_killed_server_fails_each_command_once),
        cmocka_unit_test(traffic_goes_on_across_a_restart),
        cmocka_unit_test(a_world_may_end_with_commands_under_way),
        cmocka_unit_test(a_password_and_a_database_are_used),
        cmocka_unit_test(a_check_says_what_was_tried_and_soon),
    };
    return cmocka_run_group_tests(tests, start_server, end_server);
}
