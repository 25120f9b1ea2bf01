/* http_path: templates and queries, also from those who mean no good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "edges/http_path.h"

static struct http_params params;

static struct slice slice_of(const char *text)
{
    return (struct slice){text, (uint32_t)strlen(text)};
}

static enum http_match match(const char *template, const char *path)
{
    params.count = params.used = 0;
    return http_path_match(template, slice_of(path), &params);
}

static const char *value(const char *name)
{
    static char text[HTTP_PARAM_BYTES_MAX + 1];
    struct slice found = http_params_find(&params, slice_of(name));
    if (!found.at)
        return NULL;
    memcpy(text, found.at, found.len);
    text[found.len] = '\0';
    return text;
}

static void templates_match_segment_by_segment(void **state)
{
    (void)state;
    assert_int_equal(match("/cart", "/cart"), HTTP_MATCH);
    assert_int_equal(params.count, 0);
    assert_int_equal(match("/cart/{cart_id}", "/cart/c-1"), HTTP_MATCH);
    assert_string_equal(value("cart_id"), "c-1");
    assert_int_equal(match("/a/{x}/b/{y}", "/a/1/b/2"), HTTP_MATCH);
    assert_string_equal(value("x"), "1");
    assert_string_equal(value("y"), "2");
    assert_null(value("z"));
    static const char *const others[] = {"",       "/",       "/car",   "/carts",  "/cart/1/2", "//cart/1",
                                         "/cart/", "/cart//", "cart/1", "/CART/1", "/cart/1/"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_int_equal(match("/cart/{cart_id}", others[i]), HTTP_NO_MATCH);
    assert_int_equal(params.count, 0);
    assert_int_equal(params.used, 0);
}

static void segments_are_decoded(void **state)
{
    (void)state;
    assert_int_equal(match("/cart/{id}", "/c%61rt/a%20b%2Fc+d%C3%A9"), HTTP_MATCH);
    assert_string_equal(value("id"), "a b/c+d\xc3\xa9");
    assert_int_equal(match("/cart/{id}", "/cart%2F1"), HTTP_NO_MATCH);
    static const char *const bad[] = {"/cart/%",   "/cart/%4",  "/cart/%zz",    "/cart/a%00b",    "/cart/%0a",
                                      "/cart/%7f", "/cart/%ff", "/cart/%c0%af", "/cart/%ed%a0%80"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(match("/cart/{id}", bad[i]), HTTP_MATCH_BAD);
}

static void a_value_has_a_bound(void **state)
{
    (void)state;
    char path[1000] = "/cart/";
    memset(path + 6, 'x', HTTP_PARAM_BYTES_MAX);
    assert_int_equal(match("/cart/{id}", path), HTTP_MATCH);
    path[6 + HTTP_PARAM_BYTES_MAX] = 'x';
    assert_int_equal(match("/cart/{id}", path), HTTP_MATCH_BAD);
}

static bool query(const char *text, struct slice *wrong)
{
    params.count = params.used = 0;
    return http_query_parse(slice_of(text), &params, wrong);
}

static void a_query_is_taken_apart(void **state)
{
    (void)state;
    struct slice wrong;
    assert_true(query("", &wrong));
    assert_int_equal(params.count, 0);
    assert_true(query("a=1&b=two+words&c=%26%3D&a=3&d&e=&&=x", &wrong));
    assert_string_equal(value("a"), "1"); /* the first one counts */
    assert_string_equal(value("b"), "two words");
    assert_string_equal(value("c"), "&=");
    assert_string_equal(value("d"), "");
    assert_string_equal(value("e"), "");
    assert_null(value("f"));
}

static void a_bad_query_names_the_parameter(void **state)
{
    (void)state;
    struct slice wrong;
    char text[2 * HTTP_TARGET_MAX] = "";
    assert_false(query("a=1&b=%", &wrong));
    assert_int_equal(wrong.len, 1);
    assert_memory_equal(wrong.at, "b", 1);
    assert_false(query("a=%ff", &wrong));
    assert_false(query("%ff=1", &wrong));
    for (int i = 0; i < HTTP_PARAMS_MAX; i++)
        strcat(text, "a=1&");
    assert_true(query(text, &wrong));
    strcat(text, "a=1");
    assert_false(query(text, &wrong));
    memset(text, 'x', sizeof text - 1);
    text[1] = '=';
    assert_false(query(text, &wrong));
}

static void headers_become_values(void **state)
{
    (void)state;
    char text[HTTP_PARAM_BYTES_MAX + 2];
    params.count = 0;
    assert_true(http_params_add(&params, "key", slice_of("k-1")));
    assert_string_equal(value("key"), "k-1");
    assert_false(http_params_add(&params, "key", slice_of("\x01")));
    memset(text, 'x', sizeof text);
    assert_true(http_params_add(&params, "long", (struct slice){text, HTTP_PARAM_BYTES_MAX}));
    assert_false(http_params_add(&params, "long", (struct slice){text, HTTP_PARAM_BYTES_MAX + 1}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates_match_segment_by_segment),
        cmocka_unit_test(segments_are_decoded),
        cmocka_unit_test(a_value_has_a_bound),
        cmocka_unit_test(a_query_is_taken_apart),
        cmocka_unit_test(a_bad_query_names_the_parameter),
        cmocka_unit_test(headers_become_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
