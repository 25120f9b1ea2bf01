/* rpc_connection: messages cross whole and in order however the socket cuts them; what waits is bounded; ends are told once. */
#include "tests/edges/peer_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { MESSAGES_MAX = 4096 };

/* The owner of a connection, and what it has seen. */
struct witness {
    struct rpc_connection *connection;
    unsigned opened, closed;
    char why[80];
    uint32_t ids[MESSAGES_MAX];
    size_t count;
    struct witness *hand_over; /* at the first message, to whom */
    bool close_at_once;
};

static struct witness seen;
static struct raw *other;

static void on_opened(void *owner)
{
    ((struct witness *)owner)->opened++;
}

static void on_closed(void *owner, const char *why)
{
    struct witness *mine = owner;
    mine->closed++;
    mine->connection = NULL;
    snprintf(mine->why, sizeof mine->why, "%s", why);
}

static struct rpc_owner owner_of(struct witness *mine);

static void on_message(void *owner, const struct rpc_frame *frame)
{
    struct witness *mine = owner;
    assert_in_range(mine->count, 0, MESSAGES_MAX - 1);
    mine->ids[mine->count++] = frame->id;
    if (mine->hand_over) {
        struct rpc_owner next = owner_of(mine->hand_over);
        mine->hand_over->connection = mine->connection;
        mine->connection = NULL;
        rpc_connection_adopt(mine->hand_over->connection, &next);
    } else if (mine->close_at_once) {
        rpc_connection_close(mine->connection);
        mine->connection = NULL;
    }
}

static struct rpc_owner owner_of(struct witness *mine)
{
    return (struct rpc_owner){.opened = on_opened, .message = on_message, .closed = on_closed, .owner = mine};
}

static void begin(void)
{
    int pair[2];
    bench_begin();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    memset(&seen, 0, sizeof seen);
    struct rpc_owner owner = owner_of(&seen);
    seen.connection = rpc_connection_open(bench.loop, pair[0], false, &owner);
    other = raw_take(pair[1]);
}

static void end(void)
{
    if (other)
        raw_close(other);
    rpc_connection_close(seen.connection);
    bench_end();
}

/* A request of so many bytes, about. */
static const struct pack *message(uint32_t id, size_t fill)
{
    static const char much[BODY_BYTES_MAX];
    struct pack *pack = bench_pack();
    rpc_request(pack, id, "m");
    pack_text_len(pack, much, fill);
    return pack;
}

/* ---- reading ---- */

static void messages_arrive_whole_however_they_are_cut(void **state)
{
    (void)state;
    begin();
    const struct pack *pack = message(7, 40);
    for (size_t i = 0; i < pack->len; i++) {
        assert_int_equal(seen.count, 0);
        raw_write(other, pack->bytes + i, 1);
        bench_turn();
    }
    UNTIL(seen.count == 1);
    unsigned char many[4096];
    size_t len = 0;
    for (uint32_t i = 0; i < 50; i++) {
        pack = message(i, i);
        memcpy(many + len, pack->bytes, pack->len);
        len += pack->len;
    }
    raw_write(other, many, len - 1);
    UNTIL(seen.count == 50);
    raw_write(other, many + len - 1, 1);
    UNTIL(seen.count == 51);
    for (uint32_t i = 0; i < 50; i++)
        assert_int_equal(seen.ids[i + 1], i);
    end();
}

static void the_longest_message_passes(void **state)
{
    (void)state;
    begin();
    static const unsigned char head[] = {0x93, 0x02, 0xa1, 'm', 0xda, 0xff, 0xf9};
    static unsigned char whole[RPC_FRAME_BYTES_MAX];
    memcpy(whole, head, sizeof head);
    for (int i = 0; i < 3; i++)
        raw_write(other, whole, sizeof whole);
    raw_send(other, message(5, 1));
    UNTIL(seen.count == 4);
    assert_int_equal(seen.ids[3], 5);
    end();
}

static void pings_are_nobodys_business(void **state)
{
    (void)state;
    begin();
    static const unsigned char ping[] = {0x93, 0x02, 0xa4, 'p', 'i', 'n', 'g', 0xc0};
    raw_write(other, ping, sizeof ping);
    raw_send(other, message(1, 1));
    UNTIL(seen.count == 1);
    end();
}

static void what_is_no_message_closes(void **state)
{
    static const struct {
        const unsigned char *bytes;
        size_t len;
        const char *why;
    } cases[] = {
        {(const unsigned char *)"\xc1", 1, "what came is too long, or no MessagePack"},
        {(const unsigned char *)"\xdb\x7f\xff\xff\xff", 5, "what came is too long, or no MessagePack"},
        {(const unsigned char *)"\xc0", 1, "what came is no MessagePack-RPC"},
        {(const unsigned char *)"\x93\x03\xa1m\xc0", 5, "what came is no MessagePack-RPC"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        begin();
        raw_send(other, message(1, 1)); /* what came before it is told */
        raw_write(other, cases[i].bytes, cases[i].len);
        raw_send(other, message(2, 1));
        UNTIL(seen.closed);
        assert_int_equal(seen.count, 1);
        assert_string_equal(seen.why, cases[i].why);
        bench_settle();
        assert_int_equal(seen.closed, 1);
        assert_true(raw_is_closed(other));
        end();
    }
}

/* ---- ends ---- */

static void the_other_sides_end_is_told_once(void **state)
{
    (void)state;
    begin();
    raw_send(other, message(1, 1));
    raw_write(other, "\x94", 1); /* and half a message */
    raw_close(other);
    other = NULL;
    UNTIL(seen.closed);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.why, "closed by the other side");
    bench_settle();
    assert_int_equal(seen.closed, 1);
    end();
}

static void sending_to_who_has_gone_fails_and_is_told_by_the_loop(void **state)
{
    (void)state;
    begin();
    raw_close(other);
    other = NULL;
    assert_false(rpc_connection_send(seen.connection, message(1, 1)));
    assert_false(rpc_connection_send(seen.connection, message(2, 1)));
    assert_int_equal(seen.closed, 0); /* not from within */
    UNTIL(seen.closed);
    end();
}

static void its_owner_may_close_it_within_a_message(void **state)
{
    (void)state;
    begin();
    seen.close_at_once = true;
    raw_send(other, message(1, 1));
    raw_send(other, message(2, 1));
    UNTIL(seen.count == 1);
    bench_settle();
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.closed, 0);
    assert_true(raw_is_closed(other));
    end();
}

static void the_next_message_is_the_next_owners(void **state)
{
    static struct witness next;
    (void)state;
    begin();
    memset(&next, 0, sizeof next);
    seen.hand_over = &next;
    unsigned char two[64];
    size_t len = 0;
    for (uint32_t i = 1; i <= 2; i++) {
        const struct pack *pack = message(i, 1);
        memcpy(two + len, pack->bytes, pack->len);
        len += pack->len;
    }
    raw_write(other, two, len); /* both with one read */
    UNTIL(next.count == 1);
    assert_int_equal(seen.count, 1);
    assert_int_equal(next.ids[0], 2);
    raw_close(other);
    other = NULL;
    UNTIL(next.closed);
    assert_int_equal(seen.closed, 0);
    end();
}

static void closing_writes_what_waits(void **state)
{
    (void)state;
    begin();
    for (uint32_t i = 0; i < 10; i++)
        assert_true(rpc_connection_send(seen.connection, message(i, 100)));
    rpc_connection_close(seen.connection);
    seen.connection = NULL;
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(raw_read(other).id, i);
    UNTIL(raw_is_closed(other));
    end();
}

/* ---- writing ---- */

static void partial_writes_keep_order_and_bytes(void **state)
{
    enum { COUNT = 60, FILL = 30000 };
    (void)state;
    begin();
    setsockopt(other->fd, SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int));
    for (uint32_t i = 0; i < COUNT; i++)
        assert_true(rpc_connection_send(seen.connection, message(i, FILL + i)));
    assert_true(rpc_connection_waiting(seen.connection) > 0);
    for (uint32_t i = 0; i < COUNT; i++) {
        struct rpc_frame frame = raw_read(other);
        assert_int_equal(frame.id, i);
        assert_int_equal(cursor_text(&frame.value).len, FILL + i);
    }
    assert_int_equal(rpc_connection_waiting(seen.connection), 0);
    end();
}

static void who_never_reads_is_refused_at_a_bound_and_served_again(void **state)
{
    (void)state;
    begin();
    uint32_t sent = 0;
    while (rpc_connection_send(seen.connection, message(sent, 50000))) {
        sent++;
        assert_in_range(rpc_connection_waiting(seen.connection), 0, RPC_WAITING_BYTES_MAX);
        assert_in_range(sent, 1, 1000);
    }
    assert_in_range(rpc_connection_waiting(seen.connection), RPC_WAITING_BYTES_MAX - 50100,
                    RPC_WAITING_BYTES_MAX);
    bench_settle();
    assert_int_equal(seen.closed, 0);
    for (uint32_t i = 0; i < sent; i++)
        assert_int_equal(raw_read(other).id, i);
    assert_true(rpc_connection_send(seen.connection, message(sent, 50000)));
    assert_int_equal(raw_read(other).id, sent);
    end();
}

static void what_overflowed_is_not_sent(void **state)
{
    (void)state;
    begin();
    const struct pack *pack = message(1, BODY_BYTES_MAX - 4);
    assert_true(pack->overflow);
    assert_false(rpc_connection_send(seen.connection, pack));
    assert_true(rpc_connection_send(seen.connection, message(2, 1)));
    assert_int_equal(raw_read(other).id, 2);
    end();
}

/* ---- connecting ---- */

static void what_is_sent_while_it_connects_is_sent_then(void **state)
{
    (void)state;
    bench_begin();
    int listener = raw_listen(1, SHELF);
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    memset(&seen, 0, sizeof seen);
    struct rpc_owner owner = owner_of(&seen);
    seen.connection = rpc_connection_open(bench.loop, peers_connect(&at), true, &owner);
    assert_true(rpc_connection_send(seen.connection, message(1, 1)));
    UNTIL(seen.opened);
    other = raw_accept(listener);
    assert_int_equal(raw_read(other).id, 1);
    assert_int_equal(seen.opened, 1);
    close(listener);
    end();
}

static void nobody_there_is_told(void **state)
{
    (void)state;
    bench_begin();
    int listener = raw_listen(1, SHELF);
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    close(listener);
    memset(&seen, 0, sizeof seen);
    other = NULL;
    struct rpc_owner owner = owner_of(&seen);
    seen.connection = rpc_connection_open(bench.loop, peers_connect(&at), true, &owner);
    UNTIL(seen.closed);
    assert_string_equal(seen.why, "Connection refused");
    assert_int_equal(seen.opened, 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_arrive_whole_however_they_are_cut),
        cmocka_unit_test(the_longest_message_passes),
        cmocka_unit_test(pings_are_nobodys_business),
        cmocka_unit_test(what_is_no_message_closes),
        cmocka_unit_test(the_other_sides_end_is_told_once),
        cmocka_unit_test(sending_to_who_has_gone_fails_and_is_told_by_the_loop),
        cmocka_unit_test(its_owner_may_close_it_within_a_message),
        cmocka_unit_test(the_next_message_is_the_next_owners),
        cmocka_unit_test(closing_writes_what_waits),
        cmocka_unit_test(partial_writes_keep_order_and_bytes),
        cmocka_unit_test(who_never_reads_is_refused_at_a_bound_and_served_again),
        cmocka_unit_test(what_overflowed_is_not_sent),
        cmocka_unit_test(what_is_sent_while_it_connects_is_sent_then),
        cmocka_unit_test(nobody_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
