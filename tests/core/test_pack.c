/* pack: bodies and their pools, what the writer writes, and what the cursor makes of anything at all. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/draw.h"
#include "core/pack.h"

static unsigned char scratch[BODY_BYTES_MAX];

static struct pack fresh(void)
{
    return (struct pack){.bytes = scratch};
}

static struct cursor over(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    return (struct cursor){.at = at, .end = at + len};
}

static struct cursor written(const struct pack *pack)
{
    return over(pack->bytes, pack->len);
}

/* A cursor over a string literal. */
#define OVER(literal) over("" literal, sizeof(literal) - 1)

/* ---- Bodies ---- */

static void a_body_holds_the_bytes_until_its_last_reference(void **state)
{
    (void)state;
    struct body_pool pool = {0};
    struct body *body = body_new(&pool, "abc", 3);
    assert_int_equal(body->len, 3);
    assert_memory_equal(body->bytes, "abc", 3);
    assert_ptr_equal(body_ref(body), body);
    body_unref(&pool, body);
    assert_int_equal(pool.live, 1);
    assert_memory_equal(body->bytes, "abc", 3);
    body_unref(&pool, body);
    assert_int_equal(pool.live, 0);
    assert_null(body_ref(NULL));
    body_unref(&pool, NULL);
    body_pool_fini(&pool);
}

static void bodies_are_used_again(void **state)
{
    (void)state;
    struct body_pool pool = {0};
    struct body *first = body_new(&pool, "abc", 3);
    body_unref(&pool, first);
    struct body *second = body_new(&pool, NULL, 0);
    assert_ptr_equal(second, first);
    assert_int_equal(second->len, 0);
    body_unref(&pool, second);
    body_pool_fini(&pool);
}

static void every_size_has_a_class(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,    1,    127,  128,   129,   512,   513,  2048,
                                   2049, 8192, 8193, 32768, 32769, 65535, 65536};
    struct body_pool pool = {0};
    struct body *bodies[ARRAY_LEN(sizes)];
    memset(scratch, 'x', sizeof scratch);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        bodies[i] = body_new(&pool, scratch, sizes[i]);
    assert_int_equal(pool.live, ARRAY_LEN(sizes));
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        assert_int_equal(bodies[i]->len, sizes[i]);
        assert_memory_equal(bodies[i]->bytes, scratch, sizes[i]);
        body_unref(&pool, bodies[i]);
    }
    assert_int_equal(pool.live, 0);
    body_pool_fini(&pool);
}

/* ---- Writing, then reading ---- */

static void integers_come_back(void **state)
{
    (void)state;
    static const int64_t values[] = {
        0,
        1,
        127,
        128,
        255,
        256,
        65535,
        65536,
        UINT32_MAX,
        INT64_MAX,
        -1,
        -32,
        -33,
        -128,
        -129,
        -32768,
        -32769,
        INT32_MIN,
        INT64_MIN,
        INT32_MAX,
        32767,
        32768,
        (int64_t)UINT32_MAX + 1,
        (int64_t)INT32_MIN - 1,
    };
    struct pack pack = fresh();
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        pack_int(&pack, values[i]);
    struct cursor ints = written(&pack), reals = ints;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        assert_int_equal(cursor_int(&ints), values[i]);
        assert_true(cursor_real(&reals) == (double)values[i]);
    }
    assert_false(ints.bad || reals.bad);
    assert_ptr_equal(ints.at, ints.end);
}

static void every_type_comes_back(void **state)
{
    (void)state;
    struct pack pack = fresh();
    pack_array(&pack, 8);
    pack_real(&pack, 49.99);
    pack_bool(&pack, true);
    pack_bool(&pack, false);
    pack_nil(&pack);
    pack_text(&pack, "Ünïcode");
    pack_text_len(&pack, "a\0b", 3);
    pack_label(&pack, "cart-", 1234);
    pack_label(&pack, "", UINT64_MAX);
    struct cursor cursor = written(&pack);
    assert_int_equal(cursor_array(&cursor), 8);
    assert_true(cursor_real(&cursor) == 49.99);
    assert_true(cursor_bool(&cursor));
    assert_false(cursor_bool(&cursor));
    assert_true(cursor_nil(&cursor));
    assert_true(slice_is(cursor_text(&cursor), "Ünïcode"));
    struct slice with_zero = cursor_text(&cursor);
    assert_int_equal(with_zero.len, 3);
    assert_memory_equal(with_zero.at, "a\0b", 3);
    assert_true(slice_is(cursor_text(&cursor), "cart-1234"));
    assert_true(slice_is(cursor_text(&cursor), "18446744073709551615"));
    assert_false(cursor.bad);
    assert_ptr_equal(cursor.at, cursor.end);
}

static void the_bytes_are_those_of_the_msgpack_specification(void **state)
{
    (void)state;
    struct pack pack = fresh();
    pack_array(&pack, 4);
    pack_int(&pack, -1);
    pack_text(&pack, "ab");
    pack_real(&pack, 1.5);
    pack_label(&pack, "p", 0);
    static const char expected[] = "\x94\xff\xa2"
                                   "ab"
                                   "\xcb\x3f\xf8\0\0\0\0\0\0\xa2p0";
    assert_int_equal(pack.len, sizeof expected - 1);
    assert_memory_equal(pack.bytes, expected, pack.len);
}

static void texts_of_every_length_come_back(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {0, 1, 31, 32, 255, 256, 65533};
    static char text[BODY_BYTES_MAX];
    memset(text, 't', sizeof text);
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct pack pack = fresh();
        pack_text_len(&pack, text, lengths[i]);
        assert_false(pack.overflow);
        struct cursor cursor = written(&pack);
        assert_int_equal(cursor_text(&cursor).len, lengths[i]);
        assert_true(!cursor.bad && cursor.at == cursor.end);
    }
}

static void writing_too_much_makes_the_body_empty(void **state)
{
    (void)state;
    static const char text[BODY_BYTES_MAX];
    struct pack pack = fresh();
    pack_array(&pack, 2);
    pack_text_len(&pack, text, BODY_BYTES_MAX - 4);
    assert_true(!pack.overflow && pack.len == BODY_BYTES_MAX);
    pack_nil(&pack);
    assert_true(pack.overflow && pack.len == 0);
    pack_int(&pack, 5);
    pack_raw(&pack, "\x90", 1);
    assert_true(pack.overflow && pack.len == 0);
    struct pack huge = fresh();
    pack_text_len(&huge, "short", SIZE_MAX);
    assert_true(huge.overflow && huge.len == 0);
}

static void raw_bytes_pass_through(void **state)
{
    (void)state;
    struct cursor cursor = OVER("\x93\x01\x92\xa1x\xc0\xc3");
    assert_int_equal(cursor_array(&cursor), 3);
    cursor_skip(&cursor);
    struct slice raw = cursor_raw(&cursor);
    assert_int_equal(raw.len, 4);
    struct pack pack = fresh();
    pack_raw(&pack, raw.at, raw.len);
    assert_memory_equal(pack.bytes, "\x92\xa1x\xc0", 4);
    assert_true(cursor_bool(&cursor));
    assert_false(cursor.bad);
}

/* ---- Reading what others wrote ---- */

static void foreign_forms_are_read(void **state)
{
    (void)state;
    struct cursor cursor = OVER("\xca\x3f\xc0\0\0"
                                "\xcf\0\0\0\0\0\0\0\x05"
                                "\xd3\xff\xff\xff\xff\xff\xff\xff\xfe"
                                "\xd9\x01z"
                                "\xdb\0\0\0\x01y"
                                "\xdc\0\x01\x07"
                                "\xdd\0\0\0\0");
    assert_true(cursor_real(&cursor) == 1.5);
    assert_int_equal(cursor_int(&cursor), 5);
    assert_int_equal(cursor_int(&cursor), -2);
    assert_true(slice_is(cursor_text(&cursor), "z"));
    assert_true(slice_is(cursor_text(&cursor), "y"));
    assert_int_equal(cursor_array(&cursor), 1);
    assert_int_equal(cursor_int(&cursor), 7);
    assert_int_equal(cursor_array(&cursor), 0);
    assert_false(cursor.bad);
    assert_ptr_equal(cursor.at, cursor.end);
}

static void a_mismatch_is_bad_for_good(void **state)
{
    (void)state;
    struct cursor cursor = OVER("\x01\x02\xa1x\xc3\x91\x01");
    assert_int_equal(cursor_text(&cursor).len, 0);
    assert_true(cursor.bad);
    assert_int_equal(cursor_int(&cursor), 0);
    assert_int_equal(cursor_array(&cursor), 0);
    assert_int_equal(cursor_text(&cursor).len, 0);
    assert_false(cursor_bool(&cursor));
    assert_false(cursor_nil(&cursor));
    assert_true(cursor_real(&cursor) == 0);
    cursor_skip(&cursor);
    assert_int_equal(cursor_raw(&cursor).len, 0);
    assert_true(cursor.bad);
}

static void cursor_nil_leaves_what_is_not_nil(void **state)
{
    (void)state;
    struct cursor cursor = OVER("\x05\xc0");
    assert_false(cursor_nil(&cursor));
    assert_int_equal(cursor_int(&cursor), 5);
    assert_true(cursor_nil(&cursor));
    assert_false(cursor_nil(&cursor));
    assert_false(cursor.bad);
}

enum want { WANT_INT, WANT_REAL, WANT_BOOL, WANT_TEXT, WANT_ARRAY, WANT_SKIP };

static void read_as(struct cursor *cursor, enum want want)
{
    switch (want) {
    case WANT_INT:
        assert_int_equal(cursor_int(cursor), 0);
        break;
    case WANT_REAL:
        assert_true(cursor_real(cursor) == 0);
        break;
    case WANT_BOOL:
        assert_false(cursor_bool(cursor));
        break;
    case WANT_TEXT:
        assert_int_equal(cursor_text(cursor).len, 0);
        break;
    case WANT_ARRAY:
        assert_int_equal(cursor_array(cursor), 0);
        break;
    case WANT_SKIP:
        cursor_skip(cursor);
        break;
    }
}

#define BAD(want, literal)                                                                                   \
    {                                                                                                        \
        want, "" literal, sizeof(literal) - 1                                                                \
    }

static const struct bad_input {
    enum want want;
    const char *bytes;
    size_t len;
} bad_inputs[] = {
    /* nothing there, and cut short */
    BAD(WANT_INT, ""),
    BAD(WANT_SKIP, ""),
    BAD(WANT_INT, "\xcc"),
    BAD(WANT_INT, "\xcd\x01"),
    BAD(WANT_INT, "\xd3\0\0\0\0\0\0\0"),
    BAD(WANT_REAL, "\xcb\0\0\0\0\0\0\0"),
    BAD(WANT_REAL, "\xca\0\0\0"),
    BAD(WANT_TEXT, "\xa2x"),
    BAD(WANT_TEXT, "\xd9"),
    BAD(WANT_TEXT, "\xda\0"),
    BAD(WANT_TEXT, "\xdb\0\0\0"),
    BAD(WANT_ARRAY, "\xdc\0"),
    BAD(WANT_ARRAY, "\xdd\0\0\0"),
    BAD(WANT_SKIP, "\xde\0"),
    BAD(WANT_SKIP, "\xc4"),
    BAD(WANT_SKIP, "\xc7\x01"),
    BAD(WANT_SKIP, "\xd8\x01xxxxxxxxxxxxxxx"),
    BAD(WANT_SKIP, "\x92\x01"),
    BAD(WANT_SKIP, "\x81\x01"),
    /* claims of more than there is */
    BAD(WANT_TEXT, "\xdb\xff\xff\xff\xffx"),
    BAD(WANT_ARRAY, "\xdd\xff\xff\xff\xff\x01"),
    BAD(WANT_ARRAY, "\xdc\xff\xff\x01"),
    BAD(WANT_ARRAY, "\x92\x01"),
    BAD(WANT_SKIP, "\xdf\xff\xff\xff\xff\x01\x01"),
    BAD(WANT_SKIP, "\xc6\xff\xff\xff\xffx"),
    BAD(WANT_SKIP, "\xc9\xff\xff\xff\xff\x01x"),
    BAD(WANT_SKIP, "\xdd\xff\xff\xff\xff\x01"),
    /* wrong types */
    BAD(WANT_INT, "\xc0"),
    BAD(WANT_INT, "\xc3"),
    BAD(WANT_INT, "\xa1x"),
    BAD(WANT_INT, "\x91\x01"),
    BAD(WANT_INT, "\xcb\x3f\xf8\0\0\0\0\0\0"),
    BAD(WANT_REAL, "\xc0"),
    BAD(WANT_REAL, "\xa1x"),
    BAD(WANT_BOOL, "\x01"),
    BAD(WANT_BOOL, "\xc0"),
    BAD(WANT_TEXT, "\x01"),
    BAD(WANT_TEXT, "\xc4\x01x"),
    BAD(WANT_TEXT, "\xc0"),
    BAD(WANT_ARRAY, "\x81\x01\x01"),
    BAD(WANT_ARRAY, "\xa1x"),
    BAD(WANT_ARRAY, "\xc0"),
    /* what no number here can hold, and the byte that means nothing */
    BAD(WANT_INT, "\xcf\x80\0\0\0\0\0\0\0"),
    BAD(WANT_REAL, "\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
    BAD(WANT_REAL, "\xcb\x7f\xf0\0\0\0\0\0\0"),
    BAD(WANT_REAL, "\xcb\x7f\xf8\0\0\0\0\0\0"),
    BAD(WANT_REAL, "\xca\xff\x80\0\0"),
    BAD(WANT_INT, "\xc1"),
    BAD(WANT_SKIP, "\xc1"),
    BAD(WANT_SKIP, "\x92\x01\xc1"),
};

static void bad_input_is_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad_inputs); i++) {
        struct cursor cursor = over(bad_inputs[i].bytes, bad_inputs[i].len);
        read_as(&cursor, bad_inputs[i].want);
        if (!cursor.bad || cursor.at != cursor.end)
            fail_msg("bad input %zu was taken", i);
    }
}

static void no_body_is_an_empty_cursor(void **state)
{
    (void)state;
    struct cursor cursor = cursor_of(NULL);
    assert_false(cursor.bad);
    assert_false(cursor_nil(&cursor));
    assert_true(slice_is(cursor_text(&cursor), ""));
    assert_true(cursor.bad);
    assert_true(slice_is(cursor_raw(&cursor), ""));
}

static void every_form_can_be_skipped(void **state)
{
    (void)state;
    struct cursor cursor = OVER("\xc7\x02\x01xy"
                                "\xc8\0\x01\x01x"
                                "\xc9\0\0\0\x01\x01x"
                                "\xd4\x01x"
                                "\xd5\x01xx"
                                "\xd6\x01xxxx"
                                "\xd7\x01xxxxxxxx"
                                "\xd8\x01xxxxxxxxxxxxxxxx"
                                "\xc4\x01x"
                                "\xc5\0\x01x"
                                "\xc6\0\0\0\x01x"
                                "\x81\xa1k\x92\x01\x80"
                                "\xde\0\x01\x01\x02"
                                "\xdf\0\0\0\x01\x01\x02"
                                "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"
                                "\xcb\x7f\xf8\0\0\0\0\0\0"
                                "\x2a");
    for (int i = 0; i < 16; i++)
        cursor_skip(&cursor);
    assert_int_equal(cursor_int(&cursor), 42);
    assert_false(cursor.bad);
}

static void nesting_ends_at_32(void **state)
{
    (void)state;
    unsigned char nested[40];
    memset(nested, 0x91, sizeof nested);
    nested[31] = 0x90;
    struct cursor deepest = over(nested, 32);
    cursor_skip(&deepest);
    assert_false(deepest.bad);
    nested[31] = 0x91;
    nested[32] = 0x90;
    struct cursor too_deep = over(nested, 33);
    cursor_skip(&too_deep);
    assert_true(too_deep.bad);
}

/* Random bytes, most of them made of heads, read at random; the sanitizers watch. */
static void anything_can_be_read(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 20000; i++) {
        unsigned char bytes[64];
        for (uint32_t b = 0; b < ARRAY_LEN(bytes); b++) {
            struct draw chance = draw(3, i, 0, b);
            bytes[b] = (unsigned char)(chance.a % 3 ? 0x80 + chance.b % 0x80 : chance.b % 8);
        }
        size_t len = draw(3, i, 1, 0).a % (ARRAY_LEN(bytes) + 1);
        struct cursor cursor = over(bytes, len);
        for (uint32_t reads = 0; !cursor.bad && cursor.at < cursor.end; reads++) {
            const unsigned char *before = cursor.at;
            struct slice raw = cursor_raw(&cursor);
            assert_true(cursor.at > before && cursor.at <= bytes + len);
            assert_true(cursor.bad ? raw.len == 0 : raw.at + raw.len == (const char *)cursor.at);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_holds_the_bytes_until_its_last_reference),
        cmocka_unit_test(bodies_are_used_again),
        cmocka_unit_test(every_size_has_a_class),
        cmocka_unit_test(integers_come_back),
        cmocka_unit_test(every_type_comes_back),
        cmocka_unit_test(the_bytes_are_those_of_the_msgpack_specification),
        cmocka_unit_test(texts_of_every_length_come_back),
        cmocka_unit_test(writing_too_much_makes_the_body_empty),
        cmocka_unit_test(raw_bytes_pass_through),
        cmocka_unit_test(foreign_forms_are_read),
        cmocka_unit_test(a_mismatch_is_bad_for_good),
        cmocka_unit_test(cursor_nil_leaves_what_is_not_nil),
        cmocka_unit_test(bad_input_is_bad),
        cmocka_unit_test(no_body_is_an_empty_cursor),
        cmocka_unit_test(every_form_can_be_skipped),
        cmocka_unit_test(nesting_ends_at_32),
        cmocka_unit_test(anything_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
