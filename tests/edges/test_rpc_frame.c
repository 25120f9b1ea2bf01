/* rpc_frame: where a message ends, whatever arrives and however it is cut; what is no message; what is too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/draw.h"
#include "edges/rpc_frame.h"

#define BYTES(text) (const unsigned char *)(text), sizeof(text) - 1

static unsigned char big[RPC_FRAME_BYTES_MAX + 16];

static enum rpc_scanned scan_whole(const unsigned char *bytes, size_t len, size_t *end)
{
    struct rpc_scan scan = {0};
    enum rpc_scanned scanned = rpc_scan(&scan, bytes, len);
    *end = scan.at;
    return scanned;
}

/* As if the bytes came one by one; `took` is how many it took to know. */
static enum rpc_scanned scan_by_bytes(const unsigned char *bytes, size_t len, size_t *end, size_t *took)
{
    struct rpc_scan scan = {0};
    enum rpc_scanned scanned = RPC_MORE;
    for (*took = 0; scanned == RPC_MORE && *took <= len; ++*took) {
        /* Of the exact size, so that a sanitizer sees who reads beyond. */
        unsigned char *copy = malloc(*took + 1);
        assert_non_null(copy);
        memcpy(copy, bytes, *took);
        scanned = rpc_scan(&scan, copy, *took);
        free(copy);
    }
    --*took;
    *end = scan.at;
    return scanned;
}

/* ---- tables ---- */

static const struct {
    const char *what;
    const unsigned char *bytes;
    size_t len;
    enum rpc_kind kind;
    uint32_t id;
    const char *method, *error;
} good[] = {
    {"a request", BYTES("\x94\x00\x07\xa5greet\x90"), RPC_REQUEST, 7, "greet", NULL},
    {"an id of 32 bits", BYTES("\x94\x00\xce\xff\xff\xff\xff\xa1m\xc0"), RPC_REQUEST, UINT32_MAX, "m", NULL},
    {"a method of 0 bytes", BYTES("\x94\x00\x01\xa0\xc0"), RPC_REQUEST, 1, "", NULL},
    {"a long form of a short array", BYTES("\xdc\x00\x04\x00\x01\xa1m\xc0"), RPC_REQUEST, 1, "m", NULL},
    {"a longer one", BYTES("\xdd\x00\x00\x00\x04\x00\x01\xd9\x01m\xc0"), RPC_REQUEST, 1, "m", NULL},
    {"a response", BYTES("\x94\x01\x07\xc0\x92\x01\x02"), RPC_RESPONSE, 7, NULL, NULL},
    {"an error", BYTES("\x94\x01\x07\xa2no\xc0"), RPC_RESPONSE, 7, NULL, "no"},
    {"an error that is no text", BYTES("\x94\x01\x07\x91\xa2no\xc0"), RPC_RESPONSE, 7, NULL, ""},
    {"a notice", BYTES("\x93\x02\xa4ping\xc0"), RPC_NOTICE, 0, "ping", NULL},
    {"maps, bytes, reals", BYTES("\x93\x02\xa1m\x83\x01\xc4\x02zz\x02\xca\0\0\0\0\x03\xcb\0\0\0\0\0\0\0\0"),
     RPC_NOTICE, 0, "m", NULL},
    {"ext of all widths",
     BYTES("\x93\x02\xa1m\x98\xd4\x01z\xd5\x01zz\xd6\x01zzzz\xd7\x01zzzzzzzz\xd8\x01zzzzzzzzzzzzzzzz"
           "\xc7\x03\x01zzz\xc8\x00\x03\x01zzz\xc9\x00\x00\x00\x03\x01zzz"),
     RPC_NOTICE, 0, "m", NULL},
    {"all integers",
     BYTES("\x93\x02\xa1m\x99\xcc\x01\xcd\x01\x02\xce\x01\x02\x03\x04\xcf\x01\x02\x03\x04\x05\x06\x07\x08"
           "\xd0\x01\xd1\x01\x02\xd2\x01\x02\x03\x04\xd3\x01\x02\x03\x04\x05\x06\x07\x08\xe0"),
     RPC_NOTICE, 0, "m", NULL},
};

/* A scan finds where these end; reading them says no. */
static const struct {
    const char *what;
    const unsigned char *bytes;
    size_t len;
} no_message[] = {
    {"nil", BYTES("\xc0")},
    {"a number", BYTES("\x07")},
    {"a text", BYTES("\xa3yes")},
    {"a map", BYTES("\x82\x00\x01\xa1m\xc0")},
    {"nothing", BYTES("\x90")},
    {"a kind alone", BYTES("\x91\x00")},
    {"a request of three", BYTES("\x93\x00\x01\xa1m")},
    {"a request of five", BYTES("\x95\x00\x01\xa1m\xc0\xc0")},
    {"a notice of four", BYTES("\x94\x02\xa1m\xc0\xc0")},
    {"kind 3", BYTES("\x94\x03\x01\xa1m\xc0")},
    {"kind -1", BYTES("\x94\xff\x01\xa1m\xc0")},
    {"kind 2^63", BYTES("\x94\xcf\x80\0\0\0\0\0\0\0\x01\xa1m\xc0")},
    {"a kind that is a text", BYTES("\x94\xa1"
                                    "0\x01\xa1m\xc0")},
    {"a negative id", BYTES("\x94\x00\xff\xa1m\xc0")},
    {"an id of 33 bits", BYTES("\x94\x00\xcf\0\0\0\x01\0\0\0\0\xa1m\xc0")},
    {"an id that is nil", BYTES("\x94\x00\xc0\xa1m\xc0")},
    {"an id that is a text", BYTES("\x94\x00\xa1"
                                   "1\xa1m\xc0")},
    {"a method that is a number", BYTES("\x94\x00\x01\x01\xc0")},
    {"a method that is nil", BYTES("\x94\x00\x01\xc0\xc0")},
};

/* Known to be bad with the last byte given, and not earlier. */
static const struct {
    const char *what;
    const unsigned char *bytes;
    size_t len;
} bad[] = {
    {"the byte that is never used", BYTES("\xc1")},
    {"likewise, inside", BYTES("\x94\x00\x01\xc1")},
    {"an array of 2^32 - 1", BYTES("\xdd\xff\xff\xff\xff")},
    {"an array of 64 Ki", BYTES("\xdd\x00\x01\x00\x00")},
    {"a map of 2^32 - 1", BYTES("\xdf\xff\xff\xff\xff")},
    {"a map of 32 Ki", BYTES("\xde\x80\x00")},
    {"a text of 2^32 - 1", BYTES("\xdb\xff\xff\xff\xff")},
    {"a text of 64 KiB", BYTES("\xdb\x00\x01\x00\x00")},
    {"a text of 64 KiB less its header, inside", BYTES("\x91\xdb\x00\x00\xff\xfb")},
    {"bytes of 2^32 - 1", BYTES("\xc6\xff\xff\xff\xff")},
    {"ext of 2^32 - 1", BYTES("\xc9\xff\xff\xff\xff")},
    {"two arrays that only together claim too much", BYTES("\x92\xdc\x80\x00\xdc\x80\x00")},
    {"an array and a text behind it", BYTES("\xdc\x80\x00\xda\x80\x00")},
};

/* ---- facts ---- */

static void good_messages_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct rpc_frame frame;
        size_t end;
        if (scan_whole(good[i].bytes, good[i].len, &end) != RPC_WHOLE || end != good[i].len ||
            !rpc_read(&frame, good[i].bytes, end))
            fail_msg("%s is refused", good[i].what);
        assert_int_equal(frame.kind, good[i].kind);
        assert_int_equal(frame.id, good[i].id);
        if (good[i].method)
            assert_true(slice_is(frame.method, good[i].method));
        assert_int_equal(frame.error.at != NULL, good[i].error != NULL);
        if (good[i].error)
            assert_true(slice_is(frame.error, good[i].error));
        cursor_skip(&frame.value);
        assert_false(frame.value.bad);
        assert_ptr_equal(frame.value.at, good[i].bytes + end);
        assert_false(rpc_read(&frame, good[i].bytes, end - 1)); /* not a byte less */
    }
}

static void what_is_no_message_has_an_end_and_is_not_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(no_message); i++) {
        struct rpc_frame frame;
        size_t end;
        if (scan_whole(no_message[i].bytes, no_message[i].len, &end) != RPC_WHOLE ||
            end != no_message[i].len || rpc_read(&frame, no_message[i].bytes, end))
            fail_msg("%s is taken", no_message[i].what);
    }
}

static void bad_bytes_and_claims_are_refused_as_soon_as_they_are_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        size_t end, took;
        if (scan_whole(bad[i].bytes, bad[i].len, &end) != RPC_BAD)
            fail_msg("%s is not refused", bad[i].what);
        assert_int_equal(scan_by_bytes(bad[i].bytes, bad[i].len, &end, &took), RPC_BAD);
        assert_int_equal(took, bad[i].len);
    }
}

static void byte_by_byte_is_as_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        size_t end, took;
        assert_int_equal(scan_by_bytes(good[i].bytes, good[i].len, &end, &took), RPC_WHOLE);
        assert_int_equal(end, good[i].len);
        assert_int_equal(took, good[i].len);
    }
}

/* Cut anywhere, and with another message right behind, a scan ends where it would have. */
static void any_bytes_scan_alike_however_they_are_cut(void **state)
{
    (void)state;
    unsigned wholes = 0, bads = 0;
    for (uint64_t n = 0; n < 20000; n++) {
        unsigned char bytes[48];
        for (size_t i = 0; i < sizeof bytes; i += 8)
            memcpy(bytes + i, &(uint64_t){draw(n, i, 1, 0).a}, 8);
        if (n & 1)
            bytes[0] = 0x94;
        struct rpc_scan scan = {0};
        enum rpc_scanned cut = RPC_MORE;
        for (size_t len = 0; cut == RPC_MORE && len <= sizeof bytes; len += 1 + draw(n, len, 2, 0).a % 5)
            cut = rpc_scan(&scan, bytes, len);
        if (cut == RPC_MORE)
            cut = rpc_scan(&scan, bytes, sizeof bytes);
        size_t end;
        enum rpc_scanned whole = scan_whole(bytes, sizeof bytes, &end);
        assert_int_equal(cut, whole);
        if (whole == RPC_WHOLE)
            assert_int_equal(scan.at, end);
        wholes += whole == RPC_WHOLE;
        bads += whole == RPC_BAD;
    }
    assert_true(wholes > 1000 && bads > 100);
}

/* A notice with a text that fills it up to `len` bytes. */
static void fill_notice(size_t len)
{
    static const unsigned char head[] = {0x93, 0x02, 0xa1, 'm', 0xdb};
    size_t text = len - sizeof head - 4;
    memcpy(big, head, sizeof head);
    for (size_t i = 0; i < 4; i++)
        big[sizeof head + i] = (unsigned char)(text >> (24 - 8 * i));
    memset(big + sizeof head + 4, 'x', text);
}

static void exactly_the_cap_passes_and_a_byte_more_does_not(void **state)
{
    (void)state;
    struct rpc_frame frame;
    size_t end;
    fill_notice(RPC_FRAME_BYTES_MAX);
    assert_int_equal(scan_whole(big, RPC_FRAME_BYTES_MAX - 1, &end), RPC_MORE);
    assert_int_equal(scan_whole(big, RPC_FRAME_BYTES_MAX, &end), RPC_WHOLE);
    assert_int_equal(end, RPC_FRAME_BYTES_MAX);
    assert_true(rpc_read(&frame, big, end));
    fill_notice(RPC_FRAME_BYTES_MAX + 1);
    assert_int_equal(scan_whole(big, 9, &end), RPC_BAD); /* by its claim */
    assert_int_equal(scan_whole(big, RPC_FRAME_BYTES_MAX + 1, &end), RPC_BAD);
}

/* Of values that each have a byte: the array fits, or is refused when it says how long it is. */
static void as_many_values_as_fit(void **state)
{
    (void)state;
    size_t end, count = RPC_FRAME_BYTES_MAX - 3;
    memset(big, 0xc0, sizeof big);
    big[0] = 0xdc;
    big[1] = (unsigned char)(count >> 8);
    big[2] = (unsigned char)count;
    assert_int_equal(scan_whole(big, 3, &end), RPC_MORE);
    assert_int_equal(scan_whole(big, RPC_FRAME_BYTES_MAX, &end), RPC_WHOLE);
    assert_int_equal(end, RPC_FRAME_BYTES_MAX);
    big[2]++;
    assert_int_equal(scan_whole(big, 3, &end), RPC_BAD);
}

/* Arrays in arrays up to the cap are scanned without a stack; what reads them goes 32 deep. */
static void nesting_is_bounded(void **state)
{
    (void)state;
    struct rpc_frame frame;
    size_t end;
    memset(big, 0x91, sizeof big);
    assert_int_equal(scan_whole(big, RPC_FRAME_BYTES_MAX - 1, &end), RPC_MORE);
    assert_int_equal(scan_whole(big, RPC_FRAME_BYTES_MAX, &end), RPC_BAD);
    big[RPC_FRAME_BYTES_MAX - 1] = 0xc0;
    assert_int_equal(scan_whole(big, RPC_FRAME_BYTES_MAX, &end), RPC_WHOLE);
    assert_false(rpc_read(&frame, big, end));
    memcpy(big, "\x93\x02\xa1m", 4);
    big[4 + 20] = 0xc0;
    assert_int_equal(scan_whole(big, RPC_FRAME_BYTES_MAX, &end), RPC_WHOLE);
    assert_true(rpc_read(&frame, big, end));
    big[4 + 20] = 0x91;
    big[4 + 40] = 0xc0;
    assert_int_equal(scan_whole(big, RPC_FRAME_BYTES_MAX, &end), RPC_WHOLE);
    assert_false(rpc_read(&frame, big, end));
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct pack pack = {.bytes = big};
    struct rpc_frame frame;
    size_t end;
    rpc_request(&pack, UINT32_MAX, "cart-service GET /cart/{cart_id}");
    pack_nil(&pack);
    assert_int_equal(scan_whole(big, pack.len, &end), RPC_WHOLE);
    assert_true(rpc_read(&frame, big, end) && frame.kind == RPC_REQUEST && frame.id == UINT32_MAX);
    assert_true(slice_is(frame.method, "cart-service GET /cart/{cart_id}"));
    pack.len = 0;
    rpc_response(&pack, 3, "busy");
    pack_int(&pack, 5);
    assert_true(rpc_read(&frame, big, pack.len) && frame.kind == RPC_RESPONSE && frame.id == 3);
    assert_true(slice_is(frame.error, "busy") && cursor_int(&frame.value) == 5);
    pack.len = 0;
    rpc_response(&pack, 3, NULL);
    pack_int(&pack, 5);
    assert_true(rpc_read(&frame, big, pack.len) && !frame.error.at && cursor_int(&frame.value) == 5);
    pack.len = 0;
    rpc_notice(&pack, "cancel");
    pack_int(&pack, 5);
    assert_true(rpc_read(&frame, big, pack.len) && frame.kind == RPC_NOTICE &&
                slice_is(frame.method, "cancel"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_messages_are_read),
        cmocka_unit_test(what_is_no_message_has_an_end_and_is_not_read),
        cmocka_unit_test(bad_bytes_and_claims_are_refused_as_soon_as_they_are_seen),
        cmocka_unit_test(byte_by_byte_is_as_whole),
        cmocka_unit_test(any_bytes_scan_alike_however_they_are_cut),
        cmocka_unit_test(exactly_the_cap_passes_and_a_byte_more_does_not),
        cmocka_unit_test(as_many_values_as_fit),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(what_is_written_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
