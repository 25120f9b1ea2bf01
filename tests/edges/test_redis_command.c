/* redis_command: what goes over the wire, and which replies are believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/draw.h"
#include "core/text.h"
#include "edges/redis_command.h"

enum { HGETALL, HSET, DEL, GET, SETEX };

static const struct redis_keys keys = {"doorbuster:1a2b3c4d", 3600000};

/* What is made of a reply in Redis's protocol; -1: it is none, or not a whole one. */
static int read_wire(size_t route, const char *wire, size_t len, struct store_stats *stats,
                     size_t *answer_len)
{
    static unsigned char bytes[BODY_BYTES_MAX];
    struct pack answer = {.bytes = bytes};
    redisReader *reader = redisReaderCreate();
    void *reply = NULL;
    int status = -1;
    if (redisReaderFeed(reader, wire, len) == REDIS_OK && redisReaderGetReply(reader, &reply) == REDIS_OK &&
        reply)
        status = (int)redis_command_read(route, reply, &answer, stats);
    *answer_len = answer.len;
    if (reply)
        freeReplyObject(reply);
    redisReaderFree(reader);
    return status;
}

static void replies_are_believed_if_they_are_answers(void **state)
{
    (void)state;
    static const struct {
        size_t route;
        const char *wire;
        int status;
    } replies[] = {
        {HGETALL, "*0\r\n", STATUS_OK},
        {HGETALL, "*2\r\n$2\r\n17\r\n$1\r\n1\r\n", STATUS_OK},
        {HGETALL, "*1\r\n$2\r\n17\r\n", STATUS_FAILED},
        {HGETALL, "*2\r\n$2\r\n17\r\n$0\r\n\r\n", STATUS_FAILED},
        {HGETALL, "*2\r\n$2\r\n17\r\n$2\r\n 1\r\n", STATUS_FAILED},
        {HGETALL, "*2\r\n$2\r\n17\r\n$2\r\n+1\r\n", STATUS_FAILED},
        {HGETALL, "*2\r\n$2\r\n17\r\n$2\r\n1x\r\n", STATUS_FAILED},
        {HGETALL, "*2\r\n$2\r\n17\r\n$1\r\n-\r\n", STATUS_FAILED},
        {HGETALL, "*2\r\n$2\r\n17\r\n:1\r\n", STATUS_FAILED},
        {HGETALL, "*2\r\n$2\r\n17\r\n$-1\r\n", STATUS_FAILED},
        {HGETALL, "*2\r\n*0\r\n*0\r\n", STATUS_FAILED},
        {HGETALL, "*-1\r\n", STATUS_FAILED},
        {HGETALL, "$-1\r\n", STATUS_FAILED},
        {HGETALL, "+OK\r\n", STATUS_FAILED},
        {HSET, "*2\r\n:1\r\n:1\r\n", STATUS_OK},
        {HSET, "*2\r\n:-1\r\n:0\r\n", STATUS_BAD_INPUT},
        {HSET, "*2\r\n:0\r\n:0\r\n", STATUS_FAILED},
        {HSET, "*2\r\n:33\r\n:0\r\n", STATUS_FAILED},
        {HSET, "*2\r\n:1\r\n$1\r\n1\r\n", STATUS_FAILED},
        {HSET, "*1\r\n:1\r\n", STATUS_FAILED},
        {HSET, ":1\r\n", STATUS_FAILED},
        {DEL, ":2\r\n", STATUS_OK},
        {DEL, "+OK\r\n", STATUS_FAILED},
        {GET, "$-1\r\n", STATUS_OK},
        {GET, "$1\r\n\x07\r\n", STATUS_OK},
        {GET, "$0\r\n\r\n", STATUS_FAILED},
        {GET, "+\x07\r\n", STATUS_FAILED},
        {GET, ":7\r\n", STATUS_FAILED},
        {SETEX, "+OK\r\n", STATUS_OK},
        {SETEX, "+QUEUED\r\n", STATUS_FAILED},
        {SETEX, "$2\r\nOK\r\n", STATUS_FAILED},
        {SETEX, "-OOM command not allowed when used memory > 'maxmemory'.\r\n", STATUS_OVERLOADED},
        {GET, "-LOADING Redis is loading the dataset in memory\r\n", STATUS_UNAVAILABLE},
        {GET, "-BUSY Redis is busy running a script.\r\n", STATUS_UNAVAILABLE},
        {SETEX, "-READONLY You can't write against a read only replica.\r\n", STATUS_UNAVAILABLE},
        {SETEX, "-MISCONF Redis is configured to save RDB snapshots\r\n", STATUS_UNAVAILABLE},
        {HGETALL, "-WRONGTYPE Operation against a key\r\n", STATUS_FAILED},
        {HGETALL, "-NOAUTH Authentication required.\r\n", STATUS_FAILED},
        {HGETALL, "-\r\n", STATUS_FAILED},
    };
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        size_t answer_len;
        int status = read_wire(replies[i].route, replies[i].wire, strlen(replies[i].wire), NULL, &answer_len);
        if (status != replies[i].status)
            fail_msg("%zu %s: %d", replies[i].route, replies[i].wire, status);
    }
}

static void looks_count_where_they_had_an_answer(void **state)
{
    (void)state;
    struct store_stats stats = {0};
    size_t len;
    read_wire(GET, "$1\r\n\x07\r\n", 8, &stats, &len);
    read_wire(GET, "$-1\r\n", 5, &stats, &len);
    read_wire(GET, "-ERR\r\n", 6, &stats, &len);
    assert_int_equal(stats.cache_hits, 1);
    assert_int_equal(stats.cache_misses, 1);
}

/* Almost a reply, more often than not. */
static void whatever_the_wire_says_there_is_one_status(void **state)
{
    (void)state;
    enum { ALL = 200000 };
    static const char *const scraps[] = {"*2\r\n",   "$1\r\n",  "1\r\n",   ":1\r\n",  "+OK\r\n",
                                         "-ERR\r\n", "$-1\r\n", "*0\r\n",  "*-1\r\n", "$0\r\n",
                                         "\r\n",     "\x07",    ":-1\r\n", "*4\r\n"};
    size_t understood = 0;
    for (uint64_t i = 0; i < ALL; i++) {
        struct text wire = {0};
        struct draw first = draw(1, i, 1, 0);
        for (uint32_t n = 0; n < 1 + first.a % 6; n++)
            text_str(&wire, scraps[draw(1, i, 2, n).a % ARRAY_LEN(scraps)]);
        size_t answer_len;
        int status = read_wire(first.b % redis_command_count(), wire.bytes, wire.len, NULL, &answer_len);
        assert_true(status == -1 || status == STATUS_OK || status == STATUS_BAD_INPUT ||
                    status == STATUS_FAILED);
        assert_true(status != STATUS_OK || answer_len > 0);
        understood += status != -1;
        text_fini(&wire);
    }
    assert_true(understood > ALL / 4);
}

static void keys_are_readable(void **state)
{
    (void)state;
    static unsigned char bytes[BODY_BYTES_MAX];
    struct body_pool pool = {0};
    struct pack pack = {.bytes = bytes};
    struct redis_command command;
    pack_array(&pack, 1);
    pack_text(&pack, "cart-17");
    struct body *body = body_new(&pool, pack.bytes, pack.len);
    assert_int_equal(redis_command_write(&command, &keys, DEL, body), STATUS_OK);
    assert_int_equal(command.count, 3);
    assert_int_equal(command.lengths[1], strlen("doorbuster:1a2b3c4d:cart:cart-17"));
    assert_memory_equal(command.arguments[1], "doorbuster:1a2b3c4d:cart:cart-17", command.lengths[1]);
    assert_memory_equal(command.arguments[2], "doorbuster:1a2b3c4d:page:cart-17", command.lengths[2]);
    body_unref(&pool, body);
    body_pool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_believed_if_they_are_answers),
        cmocka_unit_test(looks_count_where_they_had_an_answer),
        cmocka_unit_test(whatever_the_wire_says_there_is_one_status),
        cmocka_unit_test(keys_are_readable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
