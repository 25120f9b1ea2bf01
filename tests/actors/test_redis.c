/* redis: carts, strings with their time to live, the least recently used dropped, and hostile commands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/actors/shop_world.h"

enum { HGETALL, HSET, DEL, GET, SETEX, COMMANDS };

static void begin(struct toy *toy)
{
    toy_begin(toy, (const struct actor_kind *const[]){&actor_redis}, 1);
    toy->scenario.duration_ns = MIN_(120);
}

/* Runs it to its answer. */
static const struct toy_answer *send(struct toy *toy, size_t command, const struct pack *body)
{
    uint64_t token = toy_ask_index(toy, 0, command, body->bytes, body->len, S(1));
    toy_run_until(toy, world_now(toy->world) + MS(1));
    return toy_answer(toy, token);
}

static const struct toy_answer *with_key(struct toy *toy, size_t command, const char *key)
{
    struct pack *body = toy_pack(toy);
    pack_array(body, 1);
    pack_text(body, key);
    return send(toy, command, body);
}

/* Items in the cart now; *is_new (may be NULL) whether it was not there. */
static int64_t add(struct toy *toy, const char *cart, int64_t product, int64_t quantity, bool *is_new)
{
    struct pack *body = toy_pack(toy);
    pack_array(body, 3);
    pack_text(body, cart);
    pack_int(body, product);
    pack_int(body, quantity);
    const struct toy_answer *answer = send(toy, HSET, body);
    if (answer->status != STATUS_OK)
        return -1;
    struct cursor cursor = cursor_of(answer->body);
    assert_int_equal(cursor_array(&cursor), 2);
    int64_t items = cursor_int(&cursor);
    bool created = cursor_bool(&cursor);
    assert_false(cursor.bad);
    if (is_new)
        *is_new = created;
    return items;
}

/* Number of items; those of the cart into the list. */
static uint32_t read_cart(struct toy *toy, const char *cart, int64_t items[][2], uint32_t max)
{
    const struct toy_answer *answer = with_key(toy, HGETALL, cart);
    assert_int_equal(answer->status, STATUS_OK);
    struct cursor cursor = cursor_of(answer->body);
    uint32_t count = cursor_array(&cursor);
    for (uint32_t i = 0; i < count && i < max; i++) {
        assert_int_equal(cursor_array(&cursor), 2);
        items[i][0] = cursor_int(&cursor);
        items[i][1] = cursor_int(&cursor);
    }
    assert_false(cursor.bad);
    return count;
}

static enum status set_string(struct toy *toy, const char *key, int64_t ttl_s, const char *value)
{
    struct pack *body = toy_pack(toy);
    pack_array(body, 3);
    pack_text(body, key);
    pack_int(body, ttl_s);
    pack_text(body, value);
    return send(toy, SETEX, body)->status;
}

/* NULL: none. */
static const char *get_string(struct toy *toy, const char *key)
{
    static char text[64];
    const struct toy_answer *answer = with_key(toy, GET, key);
    assert_int_equal(answer->status, STATUS_OK);
    struct cursor cursor = cursor_of(answer->body);
    if (cursor_nil(&cursor))
        return NULL;
    struct slice value = cursor_text(&cursor);
    assert_true(!cursor.bad && value.len < sizeof text);
    memcpy(text, value.at, value.len);
    text[value.len] = '\0';
    return text;
}

static void a_cart_holds_what_was_added(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    int64_t items[4][2] = {{0}};
    bool is_new = false;
    assert_int_equal(read_cart(&toy, "cart-1", items, 4), 0); /* one that does not exist is an empty one */
    assert_int_equal(add(&toy, "cart-1", 17, 2, &is_new), 1);
    assert_true(is_new);
    assert_int_equal(add(&toy, "cart-1", 5, 1, &is_new), 2);
    assert_false(is_new);
    assert_int_equal(add(&toy, "cart-1", 17, 3, &is_new), 2); /* more of the same */
    assert_int_equal(add(&toy, "cart-2", 9, 1, &is_new), 1);
    assert_true(is_new);
    assert_int_equal(read_cart(&toy, "cart-1", items, 4), 2);
    assert_true(items[0][0] == 17 && items[0][1] == 5 && items[1][0] == 5 && items[1][1] == 1);
    assert_int_equal(toy_number(with_key(&toy, DEL, "cart-1")), 1);
    assert_int_equal(toy_number(with_key(&toy, DEL, "cart-1")), 0);
    assert_int_equal(read_cart(&toy, "cart-1", items, 4), 0);
    assert_int_equal(read_cart(&toy, "cart-2", items, 4), 1);
    toy_end(&toy);
}

static void a_cart_has_room_for_32_products(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    for (int64_t product = 1; product <= 32; product++)
        assert_int_equal(add(&toy, "cart-1", product, 1, NULL), product);
    assert_int_equal(add(&toy, "cart-1", 33, 1, NULL), -1);
    assert_int_equal(add(&toy, "cart-1", 32, 1, NULL), 32);
    toy_end(&toy);
}

static void carts_live_from_their_last_change(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy.scenario.redis.cart_ttl_ns = MIN_(10);
    toy_open(&toy, 1);
    int64_t items[1][2];
    add(&toy, "cart-1", 1, 1, NULL);
    toy_run_until(&toy, MIN_(8));
    add(&toy, "cart-1", 2, 1, NULL); /* until 18:00.002 */
    assert_int_equal(read_cart(&toy, "cart-1", items, 1), 2);
    toy_run_until(&toy, MIN_(18) - MS(2));
    assert_int_equal(read_cart(&toy, "cart-1", items, 1), 2); /* looking does not prolong it */
    toy_run_until(&toy, MIN_(18) + MS(1));
    assert_int_equal(read_cart(&toy, "cart-1", items, 1), 0);
    toy_end(&toy);
}

static void a_string_lives_as_long_as_it_was_given(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    assert_null(get_string(&toy, "k"));
    assert_int_equal(set_string(&toy, "k", 60, "one"), STATUS_OK);
    assert_string_equal(get_string(&toy, "k"), "one");
    assert_int_equal(set_string(&toy, "k", 120, "two"), STATUS_OK);
    toy_run_until(&toy, S(119));
    assert_string_equal(get_string(&toy, "k"), "two");
    toy_run_until(&toy, S(121));
    assert_null(get_string(&toy, "k"));
    toy_run(&toy);
    assert_int_equal(world_leftovers(toy.world).bodies, 0); /* values of old are given back */
    toy_end(&toy);
}

static void times_to_live_have_bounds(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    static const int64_t bad[] = {0, -1, 86401, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(set_string(&toy, "k", bad[i], "v"), STATUS_BAD_INPUT);
    assert_null(get_string(&toy, "k"));
    assert_int_equal(set_string(&toy, "k", 86400, "v"), STATUS_OK);
    toy_end(&toy);
}

static void beyond_the_bound_the_least_recently_used_goes(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy.scenario.redis.keys_max = 3;
    toy_open(&toy, 1);
    set_string(&toy, "a", 60, "1");
    set_string(&toy, "b", 60, "2");
    add(&toy, "c", 1, 1, NULL);
    assert_string_equal(get_string(&toy, "a"), "1"); /* b is the oldest now */
    set_string(&toy, "d", 60, "4");
    assert_null(get_string(&toy, "b"));
    assert_string_equal(get_string(&toy, "a"), "1");
    set_string(&toy, "a", 60, "5"); /* changing one pushes nobody out */
    int64_t items[1][2];
    assert_int_equal(read_cart(&toy, "c", items, 1), 1);
    set_string(&toy, "e", 60, "6"); /* d has not been looked at since */
    assert_null(get_string(&toy, "d"));
    assert_string_equal(get_string(&toy, "a"), "5");
    toy_end(&toy);
}

static void some_carts_are_there_at_the_start(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy.scenario.redis.carts = 50;
    toy.scenario.redis.keys_max = 40; /* no more than there is room for */
    toy_open(&toy, 1);
    for (int i = 0; i < 50; i++) {
        struct pack *body = toy_pack(&toy);
        pack_array(body, 1);
        pack_label(body, "cart-", 1000 + (uint64_t)i);
        struct cursor cursor = cursor_of(send(&toy, HGETALL, body)->body);
        uint32_t count = cursor_array(&cursor);
        assert_int_equal(count, i >= 40 ? 0 : i % 3 ? 2 : 3);
        for (uint32_t n = 0; n < count; n++) {
            cursor_array(&cursor);
            assert_in_range(cursor_int(&cursor), 1, 5000);
            assert_int_equal(cursor_int(&cursor), 1);
        }
    }
    toy_end(&toy);
}

static void commands_take_their_time_and_come_back_in_order(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy.scenario.redis.work = (struct duration_dist){MS(3), MS(3)};
    toy_open(&toy, 1);
    struct pack *body = toy_pack(&toy);
    pack_array(body, 1);
    pack_text(body, "k");
    uint64_t tokens[20];
    for (size_t i = 0; i < 20; i++)
        tokens[i] = toy_ask_index(&toy, 0, GET, body->bytes, body->len, S(1));
    toy_run_until(&toy, MS(3) - 1);
    assert_int_equal(toy.answer_count, 0);
    toy_run_until(&toy, MS(3));
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(toy.answers[i].token, tokens[i]);
    toy_end(&toy);
}

/* ---- hostile commands ---- */

static void keys_have_bounds(void **state)
{
    (void)state;
    static const char longest[] = "0123456789012345678901234567890123456789012345678901234567890123";
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    assert_int_equal(set_string(&toy, longest, 60, "v"), STATUS_OK);
    assert_string_equal(get_string(&toy, longest), "v");
    assert_null(get_string(&toy, longest + 1));
    char too_long[66] = "x";
    memcpy(too_long + 1, longest, sizeof longest);
    for (size_t command = 0; command < COMMANDS; command++) {
        assert_int_equal(with_key(&toy, command, too_long)->status, STATUS_BAD_INPUT);
        assert_int_equal(with_key(&toy, command, "")->status, STATUS_BAD_INPUT);
    }
    toy_end(&toy);
}

static void a_key_is_a_cart_or_a_string(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    int64_t items[1][2];
    add(&toy, "cart", 1, 1, NULL);
    assert_null(get_string(&toy, "cart"));
    set_string(&toy, "text", 60, "v");
    assert_int_equal(read_cart(&toy, "text", items, 1), 0);
    toy_end(&toy);
}

static void whatever_the_bytes_each_command_is_answered(void **state)
{
    (void)state;
    enum { EACH = 2000 };
    struct toy toy;
    begin(&toy);
    toy.scenario.redis.keys_max = 20;
    toy_open(&toy, 1);
    uint64_t asked = 0;
    for (size_t command = 0; command <= COMMANDS; command++)
        for (uint64_t i = 0; i < EACH; i++) {
            unsigned char bytes[24];
            size_t len = draw(command, i, 1, 0).a % sizeof bytes;
            for (uint32_t b = 0; b < len; b++)
                bytes[b] = (unsigned char)draw(command, i, 2, b).a;
            if (i % 4 && len > 3) { /* a key at least, of one letter */
                bytes[0] = 0x93;
                bytes[1] = 0xa1;
                bytes[2] = (unsigned char)('a' + bytes[2] % 26);
            }
            toy_ask_index(&toy, 0, command, bytes, len, S(1));
            asked++;
            if (i % 8 == 0)
                toy_run_until(&toy, world_now(toy.world) + MS(2));
        }
    toy_run(&toy);
    assert_int_equal(toy.answer_count, asked);
    size_t refused = 0;
    for (size_t i = 0; i < asked; i++) {
        enum status status = toy.answers[i].status;
        assert_true(status == STATUS_OK || status == STATUS_BAD_INPUT || status == STATUS_OVERLOADED);
        refused += status == STATUS_BAD_INPUT;
    }
    assert_true(refused > asked / 10);
    assert_string_equal(get_string(&toy, "nothing") ? "" : "none", "none"); /* serves still */
    toy_end(&toy);
}

static void too_many_at_once_are_refused(void **state)
{
    (void)state;
    enum { ALL = 4096 + 4 };
    struct toy toy;
    begin(&toy);
    toy.scenario.services[0] = (struct service_spec){.service = "redis", .mailbox_max = ALL};
    toy.scenario.service_count = 1;
    toy_open(&toy, 1);
    struct pack *body = toy_pack(&toy);
    pack_array(body, 1);
    pack_text(body, "k");
    for (int i = 0; i < ALL; i++)
        toy_ask_index(&toy, 0, GET, body->bytes, body->len, S(1));
    toy_run_until(&toy, 0);
    assert_int_equal(toy.answer_count, 4);
    assert_int_equal(toy.answers[0].status, STATUS_OVERLOADED);
    toy_run(&toy);
    assert_int_equal(toy.answer_count, ALL);
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cart_holds_what_was_added),
        cmocka_unit_test(a_cart_has_room_for_32_products),
        cmocka_unit_test(carts_live_from_their_last_change),
        cmocka_unit_test(a_string_lives_as_long_as_it_was_given),
        cmocka_unit_test(times_to_live_have_bounds),
        cmocka_unit_test(beyond_the_bound_the_least_recently_used_goes),
        cmocka_unit_test(some_carts_are_there_at_the_start),
        cmocka_unit_test(commands_take_their_time_and_come_back_in_order),
        cmocka_unit_test(keys_have_bounds),
        cmocka_unit_test(a_key_is_a_cart_or_a_string),
        cmocka_unit_test(whatever_the_bytes_each_command_is_answered),
        cmocka_unit_test(too_many_at_once_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
