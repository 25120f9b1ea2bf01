/* Limits of attributes and a tracestate, in both encodings: what JSON says of a span, protobuf says too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <jansson.h>

#include "edges/otlp_json.h"
#include "edges/otlp_limit.h"
#include "edges/otlp_proto.h"
#include "edges/proto/otlp.pb-c.h"
#include "edges/utf8.h"

static struct text taken;

static void take(void *owner, enum otlp_signal signal, const struct iovec *parts, size_t count,
                 unsigned items)
{
    (void)owner;
    (void)signal;
    (void)items;
    taken.len = 0;
    for (size_t i = 0; i < count; i++)
        text_bytes(&taken, parts[i].iov_base, parts[i].iov_len);
}

static const char *service_name(void *owner, uint16_t service)
{
    (void)owner;
    (void)service;
    return "frontend";
}

static struct otlp_encoding encoding_of(struct otlp_limits limits, bool no_links)
{
    struct otlp_encoding encoding = {
        .source = {.version = "0.1.0", .service_name = service_name}, .no_links = no_links, .take = take};
    encoding.limits[OTLP_TRACES] = encoding.limits[OTLP_LOGS] = limits;
    return encoding;
}

static struct otlp_limits limits_of(size_t count, size_t characters)
{
    return (struct otlp_limits){.given = true, .count = count, .characters = characters};
}

/* ---- a span of each encoding ---- */

/* The one item of a request; `root` is the caller's to give back. */
static json_t *json_item(json_t **root, const char *resources, const char *scopes, const char *items)
{
    *root = json_loadb(taken.bytes, taken.len, 0, NULL);
    assert_non_null(*root);
    json_t *scope =
        json_array_get(json_object_get(json_array_get(json_object_get(*root, resources), 0), scopes), 0);
    return json_array_get(json_object_get(scope, items), 0);
}

static json_t *json_span(json_t **root, const struct otlp_encoding *encoding, const struct span *span)
{
    struct otlp_json *otlp = otlp_json_new(encoding);
    otlp_json_span(otlp, span);
    otlp_json_flush(otlp, OTLP_TRACES);
    otlp_json_free(otlp);
    return json_item(root, "resourceSpans", "scopeSpans", "spans");
}

/* The content of the first field of that number, which has a length. */
static void into(struct slice *bytes, unsigned number)
{
    const unsigned char *at = (const unsigned char *)bytes->at, *end = at + bytes->len;
    while (at < end) {
        unsigned tag = *at++;
        uint32_t len = 0;
        for (unsigned shift = 0;; shift += 7) {
            len |= (uint32_t)(*at & 0x7f) << shift;
            if (!(*at++ & 0x80))
                break;
        }
        assert_int_equal(tag & 7, 2);
        if (tag >> 3 == number) {
            *bytes = (struct slice){(const char *)at, len};
            return;
        }
        at += len;
    }
    fail_msg("field %u is missing", number);
}

static Otlp__Span *proto_span(const struct otlp_encoding *encoding, const struct span *span)
{
    struct otlp_proto *otlp = otlp_proto_new(encoding);
    otlp_proto_span(otlp, span);
    otlp_proto_flush(otlp, OTLP_TRACES);
    otlp_proto_free(otlp);
    struct slice bytes = {taken.bytes, (uint32_t)taken.len};
    into(&bytes, 1);
    into(&bytes, 2);
    into(&bytes, 2);
    Otlp__Span *read = otlp__span__unpack(NULL, bytes.len, (const uint8_t *)bytes.at);
    assert_non_null(read);
    return read;
}

static void same_attribute(const json_t *json, const Otlp__KeyValue *proto)
{
    const json_t *value = json_object_get(json, "value"), *text = json_object_get(value, "stringValue");
    assert_string_equal(json_string_value(json_object_get(json, "key")), proto->key);
    if (proto->value->value_case != OTLP__ANY_VALUE__VALUE_STRING_VALUE) {
        assert_null(text);
        return;
    }
    assert_int_equal(json_string_length(text), proto->value->string_value.len);
    assert_memory_equal(json_string_value(text), proto->value->string_value.data, json_string_length(text));
}

/* Both encodings within those limits: keys in order, values of text, and how many were dropped. */
static void check(const struct span *span, struct otlp_limits limits, size_t count, unsigned dropped)
{
    struct otlp_encoding encoding = encoding_of(limits, false);
    json_t *root, *json = json_span(&root, &encoding, span);
    json_t *attributes = json_object_get(json, "attributes");
    Otlp__Span *proto = proto_span(&encoding, span);
    assert_int_equal(json_array_size(attributes), count);
    assert_int_equal(proto->n_attributes, count);
    for (size_t i = 0; i < count; i++)
        same_attribute(json_array_get(attributes, i), proto->attributes[i]);
    assert_int_equal(json_integer_value(json_object_get(json, "droppedAttributesCount")), dropped);
    assert_int_equal(proto->dropped_attributes_count, dropped);
    assert_string_equal(json_string_value(json_object_get(json, "name")), span->site->name);
    assert_string_equal(proto->name, span->site->name);
    assert_int_equal(proto->kind, span->site->kind);
    json_decref(root);
    otlp__span__free_unpacked(proto, NULL);
}

static struct span_site site_of(void)
{
    struct span_site site = {
        .kind = SPAN_CLIENT, .name = "GET /cart/{id}", .path_template = "/cart/{id}/items"};
    site.peer = "cart-service";
    site.peer_port = 8003;
    attrs_text(&site.attrs, ATTR_HTTP_METHOD, "GET");
    attrs_text(&site.attrs, ATTR_DB_INDEX_USED, "idx");
    attrs_text(&site.attrs, ATTR_URL_QUERY, "a=b");
    return site;
}

static struct span span_of(const struct span_site *site)
{
    struct span span = {.site = site, .trace_lo = 1, .id = 2, .parent = 3, .end_ns = 1, .flags = 3};
    span.status = STATUS_POOL_EXHAUSTED;
    span.path_param = (struct slice){"a/b", 3};
    attrs_text(&span.attrs, ATTR_USER_ID, "caf\xc3\xa9\xe2\x82\xac!");
    attrs_text(&span.attrs, ATTR_DB_INDEX_USED, "NONE");
    attrs_int(&span.attrs, ATTR_DEMO_MINUTE, 12);
    return span;
}

/* ---- facts ---- */

enum { ALL = 9 }; /* method, query, traffic.type, user.id, index, minute, url.full, status code, error.type */

static void the_first_ones_stay(void **state)
{
    (void)state;
    struct span_site site = site_of();
    struct span span = span_of(&site);
    check(&span, limits_of(128, SIZE_MAX), ALL, 0);
    check(&span, limits_of(ALL, SIZE_MAX), ALL, 0);
    for (size_t count = 0; count < ALL; count++)
        check(&span, limits_of(count, SIZE_MAX), count, ALL - (unsigned)count);
    span.attrs.dropped = 3; /* before */
    check(&span, limits_of(4, SIZE_MAX), 4, ALL - 4 + 3);
}

/* Limits that cut nothing say what there is without limits. */
static void wide_limits_change_nothing(void **state)
{
    (void)state;
    struct span_site site = site_of();
    struct span span = span_of(&site);
    json_t *roots[2];
    for (int limited = 0; limited < 2; limited++) {
        struct otlp_encoding encoding =
            encoding_of((struct otlp_limits){.given = limited, .count = 128, .characters = SIZE_MAX}, false);
        json_span(&roots[limited], &encoding, &span);
        check(&span, encoding.limits[OTLP_TRACES], ALL, 0);
    }
    assert_true(json_equal(roots[0], roots[1]));
    json_decref(roots[0]);
    json_decref(roots[1]);
}

static const char *text_of(const json_t *span, const char *key)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(span, "attributes"), i, one)
    {
        if (!strcmp(json_string_value(json_object_get(one, "key")), key))
            return json_string_value(json_object_get(json_object_get(one, "value"), "stringValue"));
    }
    return NULL;
}

static void text_is_cut_between_characters(void **state)
{
    (void)state;
    struct span_site site = site_of();
    struct span span = span_of(&site);
    static const struct {
        size_t characters;
        const char *user, *url;
    } table[] = {
        {0, "", ""},
        {4, "caf\xc3\xa9", "http"},
        {5, "caf\xc3\xa9\xe2\x82\xac", "http:"},
        {100, "caf\xc3\xa9\xe2\x82\xac!", "http://cart-service:8003/cart/a%2Fb/items?a=b"},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct otlp_limits limits = limits_of(128, table[i].characters);
        struct otlp_encoding encoding = encoding_of(limits, false);
        check(&span, limits, ALL, 0);
        json_t *root, *json = json_span(&root, &encoding, &span);
        assert_string_equal(text_of(json, "user.id"), table[i].user);
        assert_string_equal(text_of(json, "url.full"), table[i].url);
        json_decref(root);
    }
    assert_int_equal(utf8_prefix("a\xff\xff"
                                 "b",
                                 4, 3),
                     3); /* what is no character counts by the byte */
}

static void log_records_have_limits_of_their_own(void **state)
{
    (void)state;
    struct otlp_encoding encoding = encoding_of(limits_of(2, 3), false);
    struct log_record record = {.body = LOG_BODY_SLOW_QUERY, .severity = LOG_WARN};
    attrs_text(&record.attrs, ATTR_LOG_CATEGORY, "electronics");
    attrs_int(&record.attrs, ATTR_LOG_DEMO_MINUTE, 12);
    attrs_text(&record.attrs, ATTR_LOG_RECOMMENDED_INDEX, "CREATE");
    struct otlp_json *otlp = otlp_json_new(&encoding);
    otlp_json_log(otlp, &record);
    otlp_json_flush(otlp, OTLP_LOGS);
    otlp_json_free(otlp);
    json_t *root, *json = json_item(&root, "resourceLogs", "scopeLogs", "logRecords");
    assert_int_equal(json_array_size(json_object_get(json, "attributes")), 2);
    assert_string_equal(text_of(json, "category"), "ele");
    assert_int_equal(json_integer_value(json_object_get(json, "droppedAttributesCount")), 1);
    json_decref(root);
    struct otlp_proto *proto = otlp_proto_new(&encoding);
    otlp_proto_log(proto, &record);
    otlp_proto_flush(proto, OTLP_LOGS);
    otlp_proto_free(proto);
    struct slice bytes = {taken.bytes, (uint32_t)taken.len};
    into(&bytes, 1);
    into(&bytes, 2);
    into(&bytes, 2);
    Otlp__LogRecord *read = otlp__log_record__unpack(NULL, bytes.len, (const uint8_t *)bytes.at);
    assert_true(read->n_attributes == 2 && read->dropped_attributes_count == 1);
    otlp__log_record__free_unpacked(read, NULL);
}

static void a_link_can_be_left_out(void **state)
{
    (void)state;
    struct span_site site = site_of();
    struct span span = span_of(&site);
    span.late = true;
    for (int without = 0; without < 2; without++) {
        struct otlp_encoding encoding = encoding_of((struct otlp_limits){0}, without);
        json_t *root, *json = json_span(&root, &encoding, &span);
        Otlp__Span *proto = proto_span(&encoding, &span);
        assert_int_equal(json_array_size(json_object_get(json, "links")), !without);
        assert_int_equal(json_integer_value(json_object_get(json, "droppedLinksCount")), without);
        assert_int_equal(proto->n_links, !without);
        assert_int_equal(proto->dropped_links_count, without);
        json_decref(root);
        otlp__span__free_unpacked(proto, NULL);
    }
}

/* ---- tracestate ---- */

static void a_tracestate_is_on_the_span_and_its_link(void **state)
{
    (void)state;
    static const char list[] = "a=\"\\,b=2";
    struct span_site site = site_of();
    struct span span = span_of(&site);
    struct body_pool bodies = {0};
    struct body *held = body_new(&bodies, list, strlen(list));
    span.late = true;
    for (int given = 0; given < 4; given++) { /* with and without it, with and without limits */
        struct otlp_encoding encoding = encoding_of((struct otlp_limits){given & 2, 128, SIZE_MAX}, false);
        span.state = given & 1 ? held : NULL;
        json_t *root, *json = json_span(&root, &encoding, &span);
        const json_t *link = json_array_get(json_object_get(json, "links"), 0);
        Otlp__Span *proto = proto_span(&encoding, &span);
        const char *said = json_string_value(json_object_get(json, "traceState"));
        assert_int_equal(proto->trace_state.len, span.state ? strlen(list) : 0);
        assert_int_equal(proto->links[0]->trace_state.len, proto->trace_state.len);
        assert_int_equal(said != NULL, span.state != NULL);
        if (said) {
            assert_string_equal(said, list);
            assert_string_equal(json_string_value(json_object_get(link, "traceState")), list);
            assert_memory_equal(proto->trace_state.data, list, strlen(list));
        }
        json_decref(root);
        otlp__span__free_unpacked(proto, NULL);
    }
    body_unref(&bodies, held);
    body_pool_fini(&bodies);
}

static int forget(void **state)
{
    (void)state;
    text_fini(&taken);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_ones_stay),
        cmocka_unit_test(wide_limits_change_nothing),
        cmocka_unit_test(text_is_cut_between_characters),
        cmocka_unit_test(log_records_have_limits_of_their_own),
        cmocka_unit_test(a_link_can_be_left_out),
        cmocka_unit_test(a_tracestate_is_on_the_span_and_its_link),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
