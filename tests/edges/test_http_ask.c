/* http_ask: what is said over HTTP of a request that leaves, and what its answer comes to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "edges/http_ask.h"

static unsigned char packed[BODY_BYTES_MAX];
static struct body_pool bodies;
static struct http_ask said;

static struct pack empty(void)
{
    return (struct pack){.bytes = packed};
}

static struct slice slice_of(const char *text)
{
    return (struct slice){text, (uint32_t)strlen(text)};
}

/* Writes a request of that route; false: refused. */
static bool say(const char *name, const char *takes, const struct pack *fields, bool demo)
{
    struct route route = {.name = name, .takes = takes};
    struct body *body = body_new(&bodies, fields->bytes, fields->len);
    struct outbound_ask ask = {.route = &route,
                               .body = body,
                               .context = {.trace_hi = 0x0af7651916cd43dd,
                                           .trace_lo = 0x8448eb211c80319c,
                                           .span = 0xb7ad6b7169203331,
                                           .flags = 3,
                                           .demo = demo}};
    bool can = http_ask_write(&ask, "http://127.0.0.1:8018", &said);
    body_unref(&bodies, body);
    return can;
}

static void a_tracestate_goes_along(void **state)
{
    (void)state;
    static const char list[] = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE";
    struct route route = {.name = "GET /ads"};
    struct body *empty_body = body_new(&bodies, "\x90", 1), *held = body_new(&bodies, list, strlen(list));
    struct outbound_ask ask = {
        .route = &route, .body = empty_body, .context = {.trace_lo = 1, .span = 2, .state = held}};
    assert_true(http_ask_write(&ask, "http://h", &said));
    assert_string_equal(text_c(&said.trace_state), list);
    ask.context.state = NULL;
    assert_true(http_ask_write(&ask, "http://h", &said));
    assert_int_equal(said.trace_state.len, 0);
    body_unref(&bodies, empty_body);
    body_unref(&bodies, held);
}

static void is(const char *method, const char *url, const char *body)
{
    assert_string_equal(text_c(&said.method), method);
    assert_string_equal(text_c(&said.url), url);
    assert_string_equal(text_c(&said.body), body);
}

static void a_post_has_a_body_of_what_is_declared(void **state)
{
    (void)state;
    struct pack fields = empty();
    pack_array(&fields, 3); /* one more than is declared */
    pack_text(&fields, "user-1 \"x\"");
    pack_text(&fields, "cart-1");
    pack_text(&fields, "order-1");
    assert_true(say("POST /api/browse", "user_id?:text cart_id?:text", &fields, false));
    is("POST", "http://127.0.0.1:8018/api/browse?traffic_type=baseline",
       "{\"user_id\":\"user-1 \\\"x\\\"\",\"cart_id\":\"cart-1\"}");
    assert_string_equal(said.trace_parent, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03");

    fields = empty();
    pack_array(&fields, 2);
    pack_nil(&fields);
    pack_int(&fields, -3);
    assert_true(say("POST /x", "a?:text b:int c?:real", &fields, true));
    is("POST", "http://127.0.0.1:8018/x?traffic_type=demo", "{\"b\":-3}");

    fields = empty();
    pack_array(&fields, 0);
    assert_true(say("POST /x", "a?:text", &fields, true));
    is("POST", "http://127.0.0.1:8018/x?traffic_type=demo", "{}");
}

static void lists_are_in_the_body(void **state)
{
    (void)state;
    struct pack fields = empty();
    pack_array(&fields, 2);
    pack_array(&fields, 2);
    pack_array(&fields, 1);
    pack_real(&fields, 1.5);
    pack_array(&fields, 1);
    pack_real(&fields, 2);
    pack_text(&fields, "10001");
    assert_true(say("POST /calculate", "items:[weight:real] zip:text", &fields, false));
    assert_string_equal(text_c(&said.body),
                        "{\"items\":[{\"weight\":1.5},{\"weight\":2}],\"zip\":\"10001\"}");
    assert_false(say("GET /calculate", "items:[weight:real] zip:text", &fields, false));
}

static void a_get_has_a_path_and_a_query(void **state)
{
    (void)state;
    struct pack fields = empty();
    pack_array(&fields, 4);
    pack_text(&fields, "a/b c\xc3\xa9~");
    pack_int(&fields, 12);
    pack_bool(&fields, true);
    pack_text(&fields, "R&D=1");
    assert_true(say("GET /cart/{cart_id}/x", "cart_id:text n:int all:bool q:text", &fields, false));
    is("GET", "http://127.0.0.1:8018/cart/a%2Fb%20c%C3%A9~/x?n=12&all=true&q=R%26D%3D1&traffic_type=baseline",
       "");
    fields = empty();
    pack_array(&fields, 1);
    pack_int(&fields, -5);
    assert_true(say("DELETE /things/{id}", "id:int", &fields, true));
    is("DELETE", "http://127.0.0.1:8018/things/-5?traffic_type=demo", "");
}

static void what_cannot_be_said_is_refused(void **state)
{
    (void)state;
    struct pack fields = empty();
    pack_array(&fields, 0);
    assert_false(say("GET /things/{id}", "id:int", &fields, false)); /* nothing to put into the path */
    fields = empty();
    pack_array(&fields, 1);
    pack_text(&fields, "");
    assert_false(say("GET /things/{id}", "id:text", &fields, false));
    assert_false(say("GET /things/{id}", "other:text", &fields, false));
    fields = empty();
    pack_array(&fields, 2);
    pack_text(&fields, "one alone");
    assert_false(say("POST /x", "a:text b:text", &fields, false));
}

/* ---- answers ---- */

static struct cursor hear(const char *answers, long code, const char *json, enum status expected)
{
    struct route route = {.name = "GET /x", .answers = answers};
    struct pack pack = empty();
    enum status status = http_ask_read(&route, code, slice_of(json), &pack);
    if (status != expected)
        fail_msg("%ld %s: status %d, not %d", code, json, status, expected);
    return (struct cursor){packed, packed + pack.len, false};
}

static void an_answer_is_what_was_declared(void **state)
{
    (void)state;
    struct cursor cursor = hear("status:text n:int", 200, "{\"n\":7,\"status\":\"fine\"}", STATUS_OK);
    assert_int_equal(cursor_array(&cursor), 2);
    assert_true(slice_is(cursor_text(&cursor), "fine"));
    assert_int_equal(cursor_int(&cursor), 7);
    cursor = hear("n:int", 201, "{\"n\":1}", STATUS_CREATED);
    assert_int_equal(cursor_array(&cursor), 1);
    cursor = hear("", 200, "{}", STATUS_OK);
    assert_int_equal(cursor_array(&cursor), 0);
    assert_true(!cursor.bad && cursor.at == cursor.end);
    static const char *const wrong[] = {"{\"n\":\"x\"}", "{\"m\":1}", "[1]", "<html>", "{\"n\":1"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        hear("n:int", 200, wrong[i], STATUS_FAILED);
}

static void an_error_keeps_its_words(void **state)
{
    (void)state;
    struct cursor cursor =
        hear("n:int", 503, "{\"error\":\"Checkout failed\",\"reason\":\"why\",\"demo_minute\":4}",
             STATUS_UNAVAILABLE);
    assert_int_equal(cursor_array(&cursor), 3);
    assert_true(slice_is(cursor_text(&cursor), "Checkout failed"));
    assert_true(slice_is(cursor_text(&cursor), "why"));
    assert_int_equal(cursor_int(&cursor), 4);
    cursor = hear("n:int", 409, "{\"error\":\"Sold out\"}", STATUS_SOLD_OUT);
    assert_int_equal(cursor_array(&cursor), 1);
    cursor = hear("n:int", 502, "bad gateway", STATUS_FAILED);
    assert_int_equal(cursor_array(&cursor), 0);
}

static void statuses_come_back(void **state)
{
    (void)state;
    static const struct {
        long code;
        const char *json;
        enum status status;
    } cases[] = {
        {400, "{}", STATUS_BAD_INPUT},
        {404, "", STATUS_NOT_FOUND},
        {405, "", STATUS_BAD_INPUT},
        {500, "", STATUS_FAILED},
        {503, "{\"error\":\"overloaded\"}", STATUS_UNAVAILABLE},
        {504, "{\"error\":\"deadline exceeded\"}", STATUS_DEADLINE},
        {504, "{\"error\":\"no peer\"}", STATUS_NO_PEER},
        {504, "", STATUS_DEADLINE},
        {599, "", STATUS_FAILED},
        {302, "", STATUS_FAILED},
        {0, "", STATUS_FAILED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        hear("", cases[i].code, cases[i].json, cases[i].status);
}

static int clean(void **state)
{
    (void)state;
    http_ask_fini(&said);
    body_pool_fini(&bodies);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tracestate_goes_along),
        cmocka_unit_test(a_post_has_a_body_of_what_is_declared),
        cmocka_unit_test(lists_are_in_the_body),
        cmocka_unit_test(a_get_has_a_path_and_a_query),
        cmocka_unit_test(what_cannot_be_said_is_refused),
        cmocka_unit_test(an_answer_is_what_was_declared),
        cmocka_unit_test(an_error_keeps_its_words),
        cmocka_unit_test(statuses_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
