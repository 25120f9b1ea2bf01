/* The cache's contract: the same expectations of the model and of a real Redis. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/contract/cache.h"

static struct redis_server server;

/* Opens a cache as the test's state says: NULL is the model. */
static void begin(struct cache *cache, void **state)
{
    if (*state && !server.pid) {
        print_message("redis-server is missing\n");
        skip();
    }
    cache_begin(cache, *state);
}

/* One exchange: what is asked, and what has to come back; or, without a status, time that passes. */
struct exchange {
    size_t command;
    const char *ask;
    enum status status;
    const char *answer;
    int64_t pass_ms;
};

#define OK(command, ask, answer)                                                                             \
    {                                                                                                        \
        command, ask, STATUS_OK, answer, 0                                                                   \
    }
#define BAD(command, ask)                                                                                    \
    {                                                                                                        \
        command, ask, STATUS_BAD_INPUT, NULL, 0                                                              \
    }
#define PASS(ms)                                                                                             \
    {                                                                                                        \
        0, NULL, STATUS_OK, NULL, ms                                                                         \
    }

static void play(struct cache *cache, const struct exchange *exchanges, size_t count)
{
    cache_open(cache, 1);
    for (const struct exchange *e = exchanges; e < exchanges + count; e++)
        if (e->ask)
            cache_expect(cache, e->command, e->ask, e->status, e->answer);
        else
            cache_pass(cache, MS(e->pass_ms));
    cache_end(cache);
}

static void each_command_has_its_answer(void **state)
{
    static const struct exchange exchanges[] = {
        OK(HGETALL, "[\"c\"]", "[]"),
        OK(HSET, "[\"c\",17,2]", "[1,true]"),
        OK(HSET, "[\"c\",5,1]", "[2,false]"),
        OK(HSET, "[\"c\",17,3]", "[2,false]"),
        OK(HSET, "[\"other\",9,100]", "[1,true]"),
        OK(HGETALL, "[\"c\"]", "[[17,5],[5,1]]"),
        OK(HSET, "[\"c\",-3,1]", "[3,false]"),
        OK(HSET, "[\"c\",9223372036854775807,1000000]", "[4,false]"),
        OK(HGETALL, "[\"c\"]", "[[17,5],[5,1],[-3,1],[9223372036854775807,1000000]]"),
        OK(DEL, "[\"c\"]", "[1]"),
        OK(DEL, "[\"c\"]", "[0]"),
        OK(HGETALL, "[\"c\"]", "[]"),
        OK(HGETALL, "[\"other\"]", "[[9,100]]"),
        OK(HSET, "[\"c\",1,1]", "[1,true]"),
        OK(GET, "[\"p\"]", "null"),
        OK(SETEX, "[\"p\",60,[1,\"Lamp\",\"furniture\",19.5,7]]", "[]"),
        OK(GET, "[\"p\"]", "[1,\"Lamp\",\"furniture\",19.5,7]"),
        OK(SETEX, "[\"p\",60,\"\"]", "[]"),
        OK(GET, "[\"p\"]", "\"\""),
        OK(SETEX, "[\"p\",86400,null]", "[]"),
        OK(GET, "[\"p\"]", "null"),
        OK(DEL, "[\"p\"]", "[1]"),
        OK(GET, "[\"p\"]", "null"),
    };
    struct cache cache;
    begin(&cache, state);
    play(&cache, exchanges, ARRAY_LEN(exchanges));
}

static void what_cannot_be_is_refused(void **state)
{
    static const struct exchange exchanges[] = {
        BAD(HGETALL, "[]"),
        BAD(HGETALL, "[\"\"]"),
        BAD(HGETALL, "[7]"),
        BAD(DEL, "\"c\""),
        BAD(GET, "[null]"),
        BAD(HSET, "[\"c\"]"),
        BAD(HSET, "[\"c\",1]"),
        BAD(HSET, "[\"c\",1,0]"),
        BAD(HSET, "[\"c\",1,-1]"),
        BAD(HSET, "[\"c\",1,1000001]"),
        BAD(HSET, "[\"c\",\"1\",1]"),
        BAD(HSET, "[\"c\",1.5,1]"),
        BAD(SETEX, "[\"p\",60]"),
        BAD(SETEX, "[\"p\",0,1]"),
        BAD(SETEX, "[\"p\",-1,1]"),
        BAD(SETEX, "[\"p\",86401,1]"),
        BAD(SETEX, "[\"p\",\"60\",1]"),
        OK(HGETALL, "[\"c\"]", "[]"),
        OK(GET, "[\"p\"]", "null"),
        {CACHE_COMMANDS, "[\"c\"]", STATUS_OVERLOADED, NULL, 0},
    };
    struct cache cache;
    begin(&cache, state);
    play(&cache, exchanges, ARRAY_LEN(exchanges));
}

static void a_cart_and_a_page_of_one_name_are_two(void **state)
{
    static const struct exchange exchanges[] = {
        OK(HSET, "[\"k\",1,1]", "[1,true]"), OK(GET, "[\"k\"]", "null"), OK(SETEX, "[\"k\",60,8]", "[]"),
        OK(HGETALL, "[\"k\"]", "[[1,1]]"),   OK(GET, "[\"k\"]", "8"),    OK(DEL, "[\"k\"]", "[1]"),
        OK(HGETALL, "[\"k\"]", "[]"),        OK(GET, "[\"k\"]", "null"), OK(SETEX, "[\"k\",60,8]", "[]"),
        OK(HSET, "[\"k\",1,1]", "[1,true]"),
    };
    struct cache cache;
    begin(&cache, state);
    play(&cache, exchanges, ARRAY_LEN(exchanges));
}

static void carts_live_from_their_last_change(void **state)
{
    static const struct exchange exchanges[] = {
        OK(HSET, "[\"c\",1,1]", "[1,true]"),
        PASS(300),
        OK(HSET, "[\"c\",2,1]", "[2,false]"),
        PASS(300),
        OK(HGETALL, "[\"c\"]", "[[1,1],[2,1]]"), /* looking does not prolong it */
        PASS(300),
        OK(HGETALL, "[\"c\"]", "[]"),
        OK(HSET, "[\"c\",3,1]", "[1,true]"),
    };
    struct cache cache;
    begin(&cache, state);
    cache.toy.scenario.redis.cart_ttl_ns = MS(500);
    play(&cache, exchanges, ARRAY_LEN(exchanges));
}

static void pages_live_as_long_as_they_were_given(void **state)
{
    static const struct exchange exchanges[] = {
        OK(SETEX, "[\"p\",1,1]", "[]"), OK(SETEX, "[\"q\",1,1]", "[]"), PASS(600),
        OK(GET, "[\"p\"]", "1"),        OK(SETEX, "[\"q\",2,2]", "[]"), PASS(600),
        OK(GET, "[\"p\"]", "null"),     OK(GET, "[\"q\"]", "2"),
    };
    struct cache cache;
    begin(&cache, state);
    play(&cache, exchanges, ARRAY_LEN(exchanges));
}

static void a_cart_has_room_for_32_products(void **state)
{
    struct cache cache;
    struct text ask = {0};
    begin(&cache, state);
    cache_open(&cache, 1);
    for (int64_t product = 1; product <= 34; product++) {
        ask.len = 0;
        text_lit(&ask, "[\"c\",");
        text_i64(&ask, product);
        text_lit(&ask, ",1]");
        enum status status = cache_status(&cache, HSET, text_c(&ask));
        assert_int_equal(status, product <= 32 ? STATUS_OK : STATUS_BAD_INPUT);
    }
    cache_expect(&cache, HSET, "[\"c\",32,1]", STATUS_OK, "[32,false]"); /* more of one that is in it */
    struct cursor cart = cursor_of(cache_ask(&cache, HGETALL, "[\"c\"]")->body);
    assert_int_equal(cursor_array(&cart), 32);
    for (int64_t product = 1; product <= 32; product++) {
        assert_int_equal(cursor_array(&cart), 2);
        assert_int_equal(cursor_int(&cart), product);
        assert_int_equal(cursor_int(&cart), 1 + (product == 32));
    }
    text_fini(&ask);
    cache_end(&cache);
}

static void keys_and_values_may_hold_any_bytes(void **state)
{
    struct cache cache;
    unsigned char key[65];
    begin(&cache, state);
    cache_open(&cache, 1);
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (unsigned char)(i * 7); /* 0, a line's end, a blank, a star, 0xff */
    for (size_t len = 63; len <= sizeof key; len++) {
        bool fits = len <= 64;
        struct pack *body = toy_pack(&cache.toy);
        pack_array(body, 3);
        pack_text_len(body, (char *)key, len);
        pack_int(body, 60);
        pack_text_len(body, (char *)key, sizeof key);
        uint64_t token = cache_send_bytes(&cache, SETEX, body->bytes, body->len);
        assert_int_equal(cache_wait(&cache, token)->status, fits ? STATUS_OK : STATUS_BAD_INPUT);
        body = toy_pack(&cache.toy);
        pack_array(body, 1);
        pack_text_len(body, (char *)key, len);
        token = cache_send_bytes(&cache, GET, body->bytes, body->len);
        const struct toy_answer *answer = cache_wait(&cache, token);
        assert_int_equal(answer->status, fits ? STATUS_OK : STATUS_BAD_INPUT);
        struct cursor cursor = cursor_of(answer->body);
        struct slice value = cursor_text(&cursor);
        assert_int_equal(value.len, fits ? sizeof key : 0);
        assert_true(!fits || memcmp(value.at, key, sizeof key) == 0);
    }
    cache_end(&cache);
}

static void looks_are_counted(void **state)
{
    struct cache cache;
    begin(&cache, state);
    cache_open(&cache, 1);
    cache_ask(&cache, GET, "[\"p\"]");
    cache_ask(&cache, SETEX, "[\"p\",60,1]");
    for (int i = 0; i < 3; i++)
        cache_ask(&cache, GET, "[\"p\"]");
    cache_ask(&cache, HGETALL, "[\"p\"]");
    cache_ask(&cache, GET, "[\"\"]");
    const struct store_stats *stats = &world_stats(cache.toy.world)->stores;
    assert_int_equal(stats->cache_hits, 3);
    assert_int_equal(stats->cache_misses, 1);
    cache_end(&cache);
}

static void answers_come_in_the_order_of_asking(void **state)
{
    enum { ALL = 1000 };
    static const char *const asks[] = {"[\"c\",1,1]", "[\"c\"]"};
    struct cache cache;
    begin(&cache, state);
    cache_open(&cache, 1);
    uint64_t token = 0;
    for (int i = 0; i < ALL; i++)
        token = cache_send(&cache, i % 2 ? HGETALL : HSET, asks[i % 2]);
    cache_wait(&cache, token);
    assert_int_equal(cache.toy.answer_count, ALL);
    for (uint64_t i = 0; i < ALL; i++) {
        const struct toy_answer *answer = &cache.toy.answers[i];
        assert_int_equal(answer->token, token + 1 - ALL + i);
        struct cursor cursor = cursor_of(answer->body);
        cursor_array(&cursor);
        if (i % 2)
            cursor_array(&cursor); /* the only item of the cart */
        assert_int_equal(cursor_int(&cursor), 1);
        if (i % 2)
            assert_int_equal(cursor_int(&cursor), (i + 1) / 2); /* what was added before it, and no more */
    }
    cache_end(&cache);
}

/* ---- both at once ---- */

/* A command that may mean something: few names, few products, and now and then bytes that mean nothing. */
static size_t write_any(struct pack *body, uint64_t number)
{
    struct draw first = draw(1, number, 1, 0), second = draw(1, number, 1, 1);
    size_t command = first.a % CACHE_COMMANDS;
    if (first.b % 16 == 0) {
        uint64_t bytes[] = {first.a, second.a, second.b};
        memcpy(body->bytes, bytes, sizeof bytes);
        body->len = second.b % sizeof bytes;
        return command;
    }
    pack_array(body, command == HSET || command == SETEX ? 3 : 1);
    pack_label(body, "k", second.a % 5);
    if (command == HSET) {
        pack_int(body, (int64_t)(second.b % 40));
        pack_int(body, (int64_t)(first.b % 7));
    } else if (command == SETEX) {
        pack_int(body, 600);
        pack_label(body, "value-", second.b);
    }
    return command;
}

static void any_commands_have_the_same_answers(void **state)
{
    enum { ALL = 4000, AT_ONCE = 50 };
    struct cache model, real;
    begin(&real, state);
    cache_begin(&model, NULL);
    cache_open(&real, 1);
    cache_open(&model, 1);
    for (uint64_t i = 0; i < ALL; i++) {
        struct pack *body = toy_pack(&model.toy);
        size_t command = write_any(body, i);
        uint64_t token = cache_send_bytes(&real, command, body->bytes, body->len);
        cache_wait(&model, cache_send_bytes(&model, command, body->bytes, body->len));
        if (i % AT_ONCE == AT_ONCE - 1)
            cache_wait(&real, token);
    }
    for (uint64_t token = 0; token < ALL; token++) {
        const struct toy_answer *a = toy_answer(&model.toy, token), *b = toy_answer(&real.toy, token);
        size_t a_len = a->body ? a->body->len : 0, b_len = b->body ? b->body->len : 0;
        if (a->status != b->status || a_len != b_len ||
            (a_len && memcmp(a->body->bytes, b->body->bytes, a_len)))
            fail_msg("command %llu: model %s, real %s", (unsigned long long)token,
                     status_info(a->status)->text, status_info(b->status)->text);
    }
    const struct store_stats *a = &world_stats(model.toy.world)->stores,
                             *b = &world_stats(real.toy.world)->stores;
    assert_int_equal(a->cache_hits, b->cache_hits);
    assert_int_equal(a->cache_misses, b->cache_misses);
    assert_true(a->cache_hits > ALL / 20);
    cache_end(&model);
    cache_end(&real);
}

static void the_carts_of_the_start_are_the_same(void **state)
{
    struct cache model, real;
    begin(&real, state);
    cache_begin(&model, NULL);
    real.toy.scenario.redis.carts = model.toy.scenario.redis.carts = 50;
    real.toy.scenario.redis.keys_max = model.toy.scenario.redis.keys_max = 40;
    cache_open(&real, 7);
    cache_open(&model, 7);
    for (uint64_t i = 0; i < 50; i++) {
        struct pack *body = toy_pack(&model.toy);
        pack_array(body, 1);
        pack_label(body, "cart-", 1000 + i);
        const struct toy_answer *a =
            cache_wait(&model, cache_send_bytes(&model, HGETALL, body->bytes, body->len));
        const struct toy_answer *b =
            cache_wait(&real, cache_send_bytes(&real, HGETALL, body->bytes, body->len));
        assert_int_equal(a->body->len, b->body->len);
        assert_memory_equal(a->body->bytes, b->body->bytes, a->body->len);
        assert_true(i < 40 ? a->body->len > 6 : a->body->len == 1);
    }
    cache_end(&model);
    cache_end(&real);
}

/* ---- */

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

#define BOTH(function)                                                                                       \
    {"model: " #function, function, NULL, NULL, NULL},                                                       \
    {                                                                                                        \
        "Redis: " #function, function, NULL, NULL, &server                                                   \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(each_command_has_its_answer),
        BOTH(what_cannot_be_is_refused),
        BOTH(a_cart_and_a_page_of_one_name_are_two),
        BOTH(carts_live_from_their_last_change),
        BOTH(pages_live_as_long_as_they_were_given),
        BOTH(a_cart_has_room_for_32_products),
        BOTH(keys_and_values_may_hold_any_bytes),
        BOTH(looks_are_counted),
        BOTH(answers_come_in_the_order_of_asking),
        cmocka_unit_test_prestate(any_commands_have_the_same_answers, &server),
        cmocka_unit_test_prestate(the_carts_of_the_start_are_the_same, &server),
    };
    return cmocka_run_group_tests(tests, start_server, end_server);
}
