/* shape: declarations that parse and ones that do not, bodies that fit and ones that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/draw.h"
#include "core/shape.h"

static const char products[] =
    "recommendations:[id:int name:text price:real popularity:int] count:int user_id?:text";

static struct body_shape shape_of(const char *declaration)
{
    struct body_shape shape;
    size_t error_at = 0;
    if (!body_shape_parse(declaration, &shape, &error_at))
        fail_msg("\"%s\" did not parse at %zu", declaration ? declaration : "", error_at);
    return shape;
}

static void a_declaration_becomes_fields(void **state)
{
    (void)state;
    struct body_shape shape = shape_of(products);
    static const struct {
        const char *name;
        enum body_type type;
        uint16_t next;
        bool optional;
    } expected[] = {
        {"recommendations", BODY_LIST, 5, false},
        {"id", BODY_INT, 2, false},
        {"name", BODY_TEXT, 3, false},
        {"price", BODY_REAL, 4, false},
        {"popularity", BODY_INT, 5, false},
        {"count", BODY_INT, 6, false},
        {"user_id", BODY_TEXT, 7, true},
    };
    assert_int_equal(shape.count, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_true(slice_is(shape.fields[i].name, expected[i].name));
        assert_int_equal(shape.fields[i].type, expected[i].type);
        assert_int_equal(shape.fields[i].next, expected[i].next);
        assert_int_equal(shape.fields[i].optional, expected[i].optional);
    }
}

static void spaces_and_reused_names_are_allowed(void **state)
{
    (void)state;
    assert_int_equal(shape_of(NULL).count, 0);
    assert_int_equal(shape_of("").count, 0);
    assert_int_equal(shape_of("  ").count, 0);
    assert_int_equal(shape_of(" a:any   b?:[ c:bool ] ").count, 3);
    assert_int_equal(shape_of("id:int items:[id:int] more:[id:int]").count, 5);
    assert_int_equal(shape_of("a:[a:[a:[a:[a:int]]]]").count, 5);
}

static void what_is_no_declaration_is_refused_where_it_goes_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *declaration;
        size_t error_at;
    } bad[] = {
        {"a", 1},
        {"a:", 2},
        {"a:string", 2},
        {":int", 0},
        {"a :int", 1},
        {"a:int,b:int", 5},
        {"A:int", 0},
        {"a??:int", 2},
        {"a:int?", 5},
        {"a:[b:int", 8},
        {"a:[]", 3},
        {"a:[ ]", 4},
        {"a:int]", 5},
        {"]", 0},
        {"a:int a:text", 6},
        {"a:[b:int b:int]", 9},
        {"a:[int]", 6},
        {"a:[b:int]c:int", 9},
        {"a:integer", 2},
        {"a:\xff", 2},
        {"a:[a:[a:[a:[a:[a:int]]]]]", 15},
        {"a:int\tb:int", 5},
        {"a:[b:int] a:int", 10},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct body_shape shape;
        size_t error_at = 999;
        if (body_shape_parse(bad[i].declaration, &shape, &error_at))
            fail_msg("\"%s\" was taken", bad[i].declaration);
        if (error_at != bad[i].error_at)
            fail_msg("\"%s\" goes wrong at %zu, not at %zu", bad[i].declaration, bad[i].error_at, error_at);
        assert_int_equal(shape.count, 0);
        assert_false(body_shape_parse(bad[i].declaration, &shape, NULL));
    }
}

static void fields_are_bounded(void **state)
{
    (void)state;
    char declaration[(BODY_FIELDS_MAX + 1) * 8 + 1] = "";
    for (size_t i = 0; i <= BODY_FIELDS_MAX; i++) {
        char *at = declaration + i * 8;
        memcpy(at, "f00:any ", 8);
        at[1] = (char)('0' + i / 10);
        at[2] = (char)('0' + i % 10);
    }
    struct body_shape shape;
    size_t error_at = 0;
    assert_false(body_shape_parse(declaration, &shape, &error_at));
    assert_int_equal(error_at, BODY_FIELDS_MAX * 8);
    declaration[error_at] = '\0';
    assert_int_equal(shape_of(declaration).count, BODY_FIELDS_MAX);
}

struct body_case {
    const char *declaration;
    const char *bytes;
    size_t len;
};

#define BODY(declaration, literal)                                                                           \
    {                                                                                                        \
        declaration, "" literal, sizeof(literal) - 1                                                         \
    }

static bool fits(const struct body_case *body)
{
    struct body_shape shape = shape_of(body->declaration);
    const unsigned char *bytes = (const unsigned char *)body->bytes;
    struct cursor cursor = {.at = bytes, .end = bytes + body->len};
    return body_shape_check(&shape, &cursor);
}

static void bodies_of_the_shape_fit(void **state)
{
    (void)state;
    static const struct body_case bodies[] = {
        BODY("", ""),
        BODY(NULL, "\x90"),
        BODY("a:int", "\x91\x05"),
        BODY("a:real b:real", "\x92\x05\xca\x3f\xc0\0\0"),
        BODY("a:bool b:any c:any", "\x93\xc2\x81\x01\x02\xc0"),
        BODY("a?:int b?:text", "\x92\xc0\xc0"),
        BODY("a?:int b?:text", "\x92\x01\xa1x"),
        BODY("l:[a:int]", "\x91\x90"),
        BODY("l?:[a:int]", "\x91\xc0"),
        BODY("l:[a:int b?:text] n:int", "\x92\x92\x92\x01\xa1x\x92\x02\xc0\x07"),
        BODY("l:[m:[a:int]]", "\x91\x92\x91\x91\x91\x01\x91\x90"),
        BODY(products, "\x93\x91\x94\x01\xa1p\xcb\x40\x48\xff\x5c\x28\xf5\xc2\x8f\x09\x01\xc0"),
    };
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        if (!fits(&bodies[i]))
            fail_msg("body %zu was refused", i);
    }
}

static void other_bodies_do_not(void **state)
{
    (void)state;
    static const struct body_case bodies[] = {
        BODY("a:int", ""),
        BODY("a:int", "\x90"),
        BODY("a:int", "\x92\x01\x02"),
        BODY("a:int", "\x91\xa1x"),
        BODY("a:int", "\x91\xc0"),
        BODY("a:int", "\x01"),
        BODY("a:int", "\x91\x01\x01"),
        BODY("a:int", "\x91"),
        BODY("", "\x91\x01"),
        BODY("", "\xc0"),
        BODY("", "\x90\x90"),
        BODY("a:text", "\x91\x01"),
        BODY("a:bool", "\x91\x01"),
        BODY("a:real", "\x91\xa1x"),
        BODY("a?:int", "\x91\xa1x"),
        BODY("a?:int", "\x90"),
        BODY("a:any", "\x91\xc1"),
        BODY("a:int", "\x91\xcb\x3f\xf0\0\0\0\0\0\0"),
        BODY("l:[a:int]", "\x91\x91\x01"),
        BODY("l:[a:int]", "\x91\x91\x90"),
        BODY("l:[a:int]", "\x91\x91\x92\x01\x02"),
        BODY("l:[a:int]", "\x91\xc0"),
        BODY("l:[a:int]", "\x91\xdd\xff\xff\xff\xff\x91\x01"),
        BODY("l:[a:int]", "\x91\x92\x91\x01"),
        BODY("l:[a:int] b:int", "\x92\x91\x91\x01"),
        BODY("l:[a:int] b:int", "\x92\x91\x92\x01\x02"),
        BODY("a:int", "\x81\x01\x01"),
    };
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        if (fits(&bodies[i]))
            fail_msg("body %zu was taken", i);
    }
}

/* A sound body with one byte changed or cut short is judged without harm, and never with bytes left over. */
static void damaged_bodies_do_no_harm(void **state)
{
    (void)state;
    struct body_shape shape = shape_of(products);
    static const unsigned char sound[] =
        "\x93\x91\x94\x01\xa1p\xcb\x40\x48\xff\x5c\x28\xf5\xc2\x8f\x09\x01\xc0";
    unsigned refused = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        struct draw chance = draw(5, 0, 0, i);
        unsigned char bytes[sizeof sound - 1];
        memcpy(bytes, sound, sizeof bytes);
        bytes[chance.a % sizeof bytes] = (unsigned char)chance.b;
        size_t len = chance.b >> 32 & 1 ? sizeof bytes : (chance.a >> 32) % sizeof bytes;
        struct cursor cursor = {.at = bytes, .end = bytes + len};
        bool taken = body_shape_check(&shape, &cursor);
        assert_true(!taken || (len == sizeof bytes && cursor.at == cursor.end && !cursor.bad));
        refused += !taken;
    }
    assert_in_range(refused, 10000, 19999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_declaration_becomes_fields),
        cmocka_unit_test(spaces_and_reused_names_are_allowed),
        cmocka_unit_test(what_is_no_declaration_is_refused_where_it_goes_wrong),
        cmocka_unit_test(fields_are_bounded),
        cmocka_unit_test(bodies_of_the_shape_fit),
        cmocka_unit_test(other_bodies_do_not),
        cmocka_unit_test(damaged_bodies_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
