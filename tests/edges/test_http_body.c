/* http_body: JSON becomes the declared array, and the array JSON; what does not fit is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "edges/http_body.h"

static unsigned char packed[BODY_BYTES_MAX];
static struct text error;

static struct slice slice_of(const char *text)
{
    return (struct slice){text, (uint32_t)strlen(text)};
}

static struct body_shape shape_of(const char *declaration)
{
    struct body_shape shape;
    assert_true(body_shape_parse(declaration, &shape, NULL));
    return shape;
}

/* Packs path, body and query (NULL: none) as declared; at NULL: refused. */
static struct cursor pack(const char *takes, const char *path, const char *json, const char *query)
{
    struct body_shape shape = shape_of(takes);
    struct http_params first = {0}, second = {0};
    struct slice wrong;
    struct pack out = {.bytes = packed};
    error.len = 0;
    json_t *body = http_body_parse(slice_of(json ? json : ""), &error);
    assert_true(!path || http_query_parse(slice_of(path), &first, &wrong));
    assert_true(!query || http_query_parse(slice_of(query), &second, &wrong));
    struct http_fields fields = {.first = &first, .body = body, .query = &second};
    bool fits = body && http_body_pack(&shape, &fields, &out, &error);
    json_decref(body);
    struct cursor cursor = {packed, packed + out.len, false}, check = cursor;
    if (!fits)
        return (struct cursor){0};
    assert_true(body_shape_check(&shape, &check));
    return cursor;
}

static void refuses(const char *takes, const char *json, const char *query, const char *why)
{
    if (pack(takes, NULL, json, query).at)
        fail_msg("taken: %s %s", json ? json : "", query ? query : "");
    assert_string_equal(text_c(&error), why);
}

static void fields_come_in_the_declared_order(void **state)
{
    (void)state;
    struct cursor cursor = pack("cart_id:text product_id:any quantity:int price:real gift:bool", "cart_id=c1",
                                "{\"gift\":true,\"quantity\":-2,\"product_id\":\"random\",\"other\":[1]}",
                                "price=1.5e1&unknown=x&gift=no");
    assert_non_null(cursor.at);
    assert_int_equal(cursor_array(&cursor), 5);
    assert_true(slice_is(cursor_text(&cursor), "c1"));
    assert_true(slice_is(cursor_text(&cursor), "random"));
    assert_int_equal(cursor_int(&cursor), -2);
    assert_true(cursor_real(&cursor) == 15.0);
    assert_true(cursor_bool(&cursor));
    assert_false(cursor.bad);
}

static void the_path_goes_before_the_body_and_that_before_the_query(void **state)
{
    (void)state;
    struct cursor cursor =
        pack("a:text b:text c:text", "a=path", "{\"a\":\"body\",\"b\":\"body\"}", "a=query&b=query&c=query");
    cursor_array(&cursor);
    assert_true(slice_is(cursor_text(&cursor), "path"));
    assert_true(slice_is(cursor_text(&cursor), "body"));
    assert_true(slice_is(cursor_text(&cursor), "query"));
}

static void what_is_optional_may_be_away(void **state)
{
    (void)state;
    struct cursor cursor = pack("a?:text b?:int c?:[x:int] d?:any", NULL, "{\"b\":null}", "b=1");
    assert_non_null(cursor.at);
    assert_int_equal(cursor_array(&cursor), 4);
    for (int i = 0; i < 4; i++)
        assert_true(cursor_nil(&cursor));
    cursor = pack("", NULL, NULL, NULL);
    assert_int_equal(cursor_array(&cursor), 0);
    assert_true(cursor.at == cursor.end);
}

static void numbers_of_a_query_are_strict(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        int64_t value;
    } good[] = {{"n=0", 0},
                {"n=-1", -1},
                {"n=9223372036854775807", INT64_MAX},
                {"n=-9223372036854775808", INT64_MIN}};
    static const char *const bad[] = {"n=",   "n=1.0", "n=1e3", "n=+1", "n=01",  "n= 1",
                                      "n=1 ", "n=0x1", "n=-",   "n=1_", "n=one", "n=9223372036854775808"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct cursor cursor = pack("n:int", NULL, NULL, good[i].query);
        assert_non_null(cursor.at);
        cursor_array(&cursor);
        assert_true(cursor_int(&cursor) == good[i].value);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        refuses("n:int", NULL, bad[i], "n must be a whole number");
    static const char *const unreal[] = {"n=",   "n=nan", "n=inf",   "n=1e999",
                                         "n=.5", "n=5.",  "n=0x1p3", "n=1e"};
    for (size_t i = 0; i < ARRAY_LEN(unreal); i++)
        refuses("n:real", NULL, unreal[i], "n must be a number");
}

static void any_takes_a_scalar(void **state)
{
    (void)state;
    struct cursor cursor =
        pack("a:any b:any c:any d:any e:any", NULL, "{\"a\":7,\"b\":\"7\",\"c\":1.5,\"d\":false}", "e=12");
    cursor_array(&cursor);
    assert_int_equal(cursor_int(&cursor), 7);
    assert_true(slice_is(cursor_text(&cursor), "7"));
    assert_true(cursor_real(&cursor) == 1.5);
    assert_false(cursor_bool(&cursor));
    assert_int_equal(cursor_int(&cursor), 12);
    assert_false(cursor.bad);
    refuses("a:any", "{\"a\":[]}", NULL, "a must be a number, text, true or false");
}

static void lists_hold_objects(void **state)
{
    (void)state;
    struct cursor cursor = pack(
        "items:[weight:real tags?:[t:text]] zip:text", NULL,
        "{\"zip\":\"10001\",\"items\":[{\"weight\":1},{\"tags\":[{\"t\":\"x\"}],\"weight\":2.5}]}", NULL);
    assert_non_null(cursor.at);
    cursor_array(&cursor);
    assert_int_equal(cursor_array(&cursor), 2);
    cursor_array(&cursor);
    assert_true(cursor_real(&cursor) == 1.0);
    assert_true(cursor_nil(&cursor));
    refuses("items:[weight:real]", "{\"items\":[{\"weight\":1},{}]}", NULL,
            "items[1].weight is missing: a number");
    refuses("items:[weight:real]", "{\"items\":[{\"weight\":\"1\"}]}", NULL,
            "items[0].weight must be a number");
    refuses("items:[weight:real]", "{\"items\":[1]}", NULL, "items must be a list of objects");
    refuses("items:[weight:real]", "{\"items\":{}}", NULL, "items must be a list of objects");
    refuses("items:[weight:real]", NULL, "items=1", "items must be a list of objects");
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    refuses("user_id:text", NULL, NULL, "user_id is missing: text");
    refuses("user_id:text", "{\"user_id\":null}", NULL, "user_id is missing: text");
    refuses("user_id:text", "{\"user_id\":7}", NULL, "user_id must be text");
    refuses("n:int", "{\"n\":1.0}", NULL, "n must be a whole number");
    refuses("n:int", "{\"n\":\"1\"}", NULL, "n must be a whole number");
    refuses("n:real", "{\"n\":\"1\"}", NULL, "n must be a number");
    refuses("b:bool", "{\"b\":1}", NULL, "b must be true or false");
    refuses("b:bool", NULL, "b=yes", "b must be true or false");
}

static void a_body_is_one_json_object(void **state)
{
    (void)state;
    static const char *const bad[] = {"[]",
                                      "1",
                                      "null",
                                      "{",
                                      "{}x",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":\"\\u0000\"}",
                                      "\xff",
                                      "{\"a\":\"\xff\"}",
                                      "{\"a\":NaN}",
                                      "{\"a\":1e999}",
                                      "{\"a\":99999999999999999999}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        error.len = 0;
        assert_null(http_body_parse(slice_of(bad[i]), &error));
        assert_memory_equal(text_c(&error), "the body is not a JSON object", 29);
    }
    static char deep[30000];
    memset(deep, '[', sizeof deep - 1);
    assert_null(http_body_parse(slice_of(deep), &error));
}

static void what_grows_too_large_is_refused(void **state)
{
    (void)state;
    static char json[BODY_BYTES_MAX] = "{\"l\":[";
    size_t len = strlen(json);
    while (len + 8 < sizeof json) {
        memcpy(json + len, "{},", 3);
        len += 3;
    }
    strcpy(json + len - 1, "]}");
    refuses("l:[a?:any b?:any c?:any d?:any]", json, NULL, "the request is too large");
}

/* ---- Answers ---- */

static struct body_pool pool;

static struct body *body_of(void (*write)(struct pack *))
{
    struct pack out = {.bytes = packed};
    write(&out);
    return body_new(&pool, out.bytes, out.len);
}

/* NULL: not as declared. */
static const char *json_of(const char *answers, void (*write)(struct pack *))
{
    static struct text json;
    struct body_shape shape = shape_of(answers);
    struct body *body = body_of(write);
    json.len = 0;
    bool written = http_body_write(&shape, body, &json);
    body_unref(&pool, body);
    body_pool_fini(&pool);
    static char copy[2000];
    snprintf(copy, sizeof copy, "%s", text_c(&json));
    text_fini(&json);
    return written ? copy : NULL;
}

static void write_product(struct pack *out)
{
    pack_array(out, 4);
    pack_array(out, 2);
    pack_array(out, 2);
    pack_int(out, 1);
    pack_text(out, "a \"b\"\n");
    pack_array(out, 2);
    pack_int(out, -2);
    pack_text(out, "");
    pack_real(out, 0.92);
    pack_nil(out);
    pack_bool(out, true);
}

static void write_nothing(struct pack *out)
{
    (void)out;
}

static void write_empty(struct pack *out)
{
    pack_array(out, 0);
}

static void write_scalars(struct pack *out)
{
    pack_array(out, 5);
    pack_int(out, 5);
    pack_text(out, "five");
    pack_real(out, 5.5);
    pack_bool(out, false);
    pack_nil(out);
}

static void answers_become_objects(void **state)
{
    (void)state;
    assert_string_equal(json_of("l:[id:int name:text] r:real n?:text b:bool", write_product),
                        "{\"l\":[{\"id\":1,\"name\":\"a \\\"b\\\"\\u000a\"},{\"id\":-2,\"name\":\"\"}],"
                        "\"r\":0.92,\"n\":null,\"b\":true}");
    assert_string_equal(json_of("a:int", write_nothing), "{}");
    assert_string_equal(json_of("a:int", write_empty), "{}");
    assert_string_equal(json_of("", write_empty), "{}");
    assert_string_equal(json_of("a:any b:any c:any d:any e?:any", write_scalars),
                        "{\"a\":5,\"b\":\"five\",\"c\":5.5,\"d\":false,\"e\":null}");
    assert_null(json_of("l:[id:int name:text] r:real n:text b:bool", write_product));
    assert_null(json_of("a:any", write_scalars));
}

static const char *error_of(enum status status, void (*write)(struct pack *))
{
    static char copy[500];
    struct text json = {0};
    struct body *body = write ? body_of(write) : NULL;
    http_body_write_error(status, body, &json);
    body_unref(&pool, body);
    body_pool_fini(&pool);
    snprintf(copy, sizeof copy, "%s", text_c(&json));
    text_fini(&json);
    return copy;
}

static void write_failure(struct pack *out)
{
    pack_array(out, 3);
    pack_text(out, "Checkout failed");
    pack_text(out, "Product recommendations unavailable");
    pack_int(out, 12);
}

static void write_reason(struct pack *out)
{
    pack_array(out, 1);
    pack_text(out, "Sold out");
}

static void write_rubbish(struct pack *out)
{
    pack_array(out, 2);
    pack_int(out, 1);
}

static void failures_say_why(void **state)
{
    (void)state;
    assert_string_equal(error_of(STATUS_UNAVAILABLE, write_failure),
                        "{\"error\":\"Checkout failed\",\"reason\":\"Product recommendations unavailable\","
                        "\"demo_minute\":12}");
    assert_string_equal(error_of(STATUS_SOLD_OUT, write_reason), "{\"error\":\"Sold out\"}");
    assert_string_equal(error_of(STATUS_DEADLINE, NULL), "{\"error\":\"deadline exceeded\"}");
    assert_string_equal(error_of(STATUS_FAILED, write_empty), "{\"error\":\"failed\"}");
    assert_string_equal(error_of(STATUS_FAILED, write_rubbish), "{\"error\":\"failed\"}");
}

static int tear_down(void **state)
{
    (void)state;
    text_fini(&error);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_in_the_declared_order),
        cmocka_unit_test(the_path_goes_before_the_body_and_that_before_the_query),
        cmocka_unit_test(what_is_optional_may_be_away),
        cmocka_unit_test(numbers_of_a_query_are_strict),
        cmocka_unit_test(any_takes_a_scalar),
        cmocka_unit_test(lists_hold_objects),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(a_body_is_one_json_object),
        cmocka_unit_test(what_grows_too_large_is_refused),
        cmocka_unit_test(answers_become_objects),
        cmocka_unit_test(failures_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
