/* message: envelopes are reused, a mailbox refuses asks beyond its bound and never an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/message.h"

static struct message *made(struct message_pool *pool, enum message_kind kind, uint64_t ask)
{
    struct message *message = message_new(pool);
    message->kind = kind;
    message->ask = ask;
    return message;
}

static void envelopes_are_reused_without_their_body(void **state)
{
    (void)state;
    struct message_pool pool = {0};
    struct message *message = made(&pool, MESSAGE_ASK, 1);
    message->body = body_new(&pool.bodies, "\x90", 1);
    struct body *held = body_ref(message->body);
    assert_int_equal(pool.live, 1);
    message_free(&pool, message);
    assert_int_equal(pool.live, 0);
    assert_int_equal(pool.bodies.live, 1); /* somebody else holds it still */
    assert_int_equal(held->bytes[0], 0x90);
    body_unref(&pool.bodies, held);
    assert_int_equal(pool.bodies.live, 0);
    struct message *again = message_new(&pool);
    assert_ptr_equal(again, message);
    assert_null(again->body);
    message_free(&pool, again);
    message_pool_fini(&pool);
}

static void a_mailbox_gives_in_the_order_put(void **state)
{
    (void)state;
    struct message_pool pool = {0};
    struct mailbox mailbox = {.asks_max = 10};
    assert_null(mailbox_take(&mailbox));
    for (uint64_t round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < 5; i++)
            assert_true(mailbox_put(&mailbox, made(&pool, (enum message_kind)(i % 3), i)));
        for (uint64_t i = 0; i < 5; i++) {
            struct message *message = mailbox_take(&mailbox);
            assert_int_equal(message->ask, i);
            message_free(&pool, message);
        }
        assert_null(mailbox_take(&mailbox));
    }
    assert_int_equal(mailbox.peak, 5);
    message_pool_fini(&pool);
}

static void asks_beyond_the_bound_are_refused_and_counted(void **state)
{
    (void)state;
    struct message_pool pool = {0};
    struct mailbox mailbox = {.asks_max = 2};
    assert_true(mailbox_put(&mailbox, made(&pool, MESSAGE_ASK, 1)));
    assert_true(mailbox_put(&mailbox, made(&pool, MESSAGE_ASK, 2)));
    struct message *third = made(&pool, MESSAGE_ASK, 3);
    assert_false(mailbox_put(&mailbox, third));
    assert_int_equal(mailbox.refused, 1);
    assert_int_equal(mailbox.count, 2);
    message_free(&pool, mailbox_take(&mailbox));
    assert_true(mailbox_put(&mailbox, third)); /* it was still ours */
    assert_int_equal(mailbox.refused, 1);
    while (mailbox.first)
        message_free(&pool, mailbox_take(&mailbox));
    assert_int_equal(mailbox.asks, 0);
    assert_int_equal(pool.live, 0);
    message_pool_fini(&pool);
}

static void answers_and_cancels_always_fit(void **state)
{
    (void)state;
    struct message_pool pool = {0};
    struct mailbox mailbox = {.asks_max = 1};
    assert_true(mailbox_put(&mailbox, made(&pool, MESSAGE_ASK, 0)));
    for (uint64_t i = 0; i < 1000; i++)
        assert_true(mailbox_put(&mailbox, made(&pool, i % 2 ? MESSAGE_REPLY : MESSAGE_CANCEL, i)));
    struct message *ask = made(&pool, MESSAGE_ASK, 0);
    assert_false(mailbox_put(&mailbox, ask));
    message_free(&pool, ask);
    /* Taking an answer makes no room for an ask. */
    message_free(&pool, mailbox_take(&mailbox));
    message_free(&pool, mailbox_take(&mailbox));
    assert_int_equal(mailbox.asks, 0);
    assert_int_equal(mailbox.count, 999);
    assert_int_equal(mailbox.peak, 1001);
    while (mailbox.first)
        message_free(&pool, mailbox_take(&mailbox));
    message_pool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envelopes_are_reused_without_their_body),
        cmocka_unit_test(a_mailbox_gives_in_the_order_put),
        cmocka_unit_test(asks_beyond_the_bound_are_refused_and_counted),
        cmocka_unit_test(answers_and_cancels_always_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
