/* otlp_proto: envelopes measure what they hold, spans are what protobuf-c reads back. (That JSON and
   protobuf say the same is judged on whole runs: tests/live/test_otlp_equal.py.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/text.h"
#include "edges/otlp_proto.h"
#include "edges/proto/otlp.pb-c.h"
#include "edges/utf8.h"

static struct text body;
static unsigned requests, items;

static void take(void *owner, enum otlp_signal signal, const struct iovec *parts, size_t count,
                 unsigned taken)
{
    (void)owner;
    (void)signal;
    body.len = 0;
    for (size_t i = 0; i < count; i++)
        text_bytes(&body, parts[i].iov_base, parts[i].iov_len);
    requests++;
    items += taken;
}

static const char *service_name(void *owner, uint16_t service)
{
    static const char *const names[] = {"frontend", "cart-service"};
    (void)owner;
    assert_true(service < ARRAY_LEN(names));
    return names[service];
}

static struct otlp_proto *open_proto(void)
{
    struct otlp_encoding encoding = {.source = {.seed = 42,
                                                .start_unix_ns = 1764000000000000000,
                                                .version = "0.1.0",
                                                .service_name = service_name},
                                     .take = take};
    requests = items = 0;
    return otlp_proto_new(&encoding);
}

/* ---- reading ---- */

struct bytes {
    const uint8_t *at;
    size_t len;
};

static uint64_t varint(struct bytes *from)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        assert_true(from->len && shift < 64);
        uint8_t byte = *from->at++;
        from->len--;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
}

/* The next field that has a length; its number, or 0 at the end. */
static unsigned field(struct bytes *from, struct bytes *content)
{
    if (!from->len)
        return 0;
    uint64_t tag = varint(from);
    assert_int_equal(tag & 7, 2);
    content->len = varint(from);
    assert_true(content->len <= from->len);
    content->at = from->at;
    from->at += content->len;
    from->len -= content->len;
    return (unsigned)(tag >> 3);
}

static unsigned count_of(struct bytes from, unsigned number)
{
    unsigned count = 0, found;
    for (struct bytes content; (found = field(&from, &content));)
        count += found == number;
    return count;
}

static struct bytes nth(struct bytes from, unsigned number, unsigned n)
{
    struct bytes content = {0};
    for (unsigned found; (found = field(&from, &content));)
        if (found == number && n-- == 0)
            return content;
    fail_msg("field %u is missing", number);
    return content;
}

static struct bytes whole(void)
{
    return (struct bytes){(const uint8_t *)body.bytes, body.len};
}

/* Resource n's item i: resources 1, scopes 2, items 2. */
static struct bytes item(unsigned resource, unsigned i)
{
    return nth(nth(nth(whole(), 1, resource), 2, 0), 2, i);
}

static const Otlp__KeyValue *attribute(const Otlp__Span *span, const char *key)
{
    const Otlp__KeyValue *found = NULL;
    for (size_t i = 0; i < span->n_attributes; i++) {
        if (strcmp(span->attributes[i]->key, key))
            continue;
        assert_null(found); /* a key stands once */
        found = span->attributes[i];
    }
    return found;
}

static bool is_text(const Otlp__KeyValue *pair, const char *text)
{
    return pair && pair->value->value_case == OTLP__ANY_VALUE__VALUE_STRING_VALUE &&
           pair->value->string_value.len == strlen(text) &&
           !memcmp(pair->value->string_value.data, text, strlen(text));
}

/* ---- tests ---- */

static struct span_site site_of(uint16_t service)
{
    struct span_site site = {
        .id = service, .service = service, .kind = SPAN_CLIENT, .name = "GET /cart/{id}"};
    attrs_text(&site.attrs, ATTR_HTTP_METHOD, "GET");
    attrs_text(&site.attrs, ATTR_DB_INDEX_USED, "idx");
    return site;
}

static struct span span_of(const struct span_site *site)
{
    return (struct span){.site = site,
                         .trace_hi = 0x0123456789abcdef,
                         .trace_lo = 0xfedcba9876543210,
                         .id = 0xaa,
                         .parent = 0xbb,
                         .start_ns = 1,
                         .end_ns = 2,
                         .flags = 3};
}

static void a_span_reads_back(void **state)
{
    (void)state;
    static const uint8_t trace[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                    0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10};
    struct otlp_proto *otlp = open_proto();
    struct span_site site = site_of(0);
    site.path_template = "/cart/{id}";
    site.peer = "cart-service";
    site.peer_port = 8003;
    struct span span = span_of(&site);
    span.status = STATUS_POOL_EXHAUSTED;
    span.late = true;
    span.path_param = (struct slice){"a/b", 3};
    attrs_text_len(&span.attrs, ATTR_USER_ID, "\xff\0x", 3);
    attrs_int(&span.attrs, ATTR_DEMO_MINUTE, 0);
    attrs_text(&span.attrs, ATTR_DB_INDEX_USED, "NONE");
    otlp_proto_span(otlp, &span);
    assert_true(otlp_proto_held(otlp, OTLP_TRACES) > 0);
    otlp_proto_flush(otlp, OTLP_TRACES);
    assert_int_equal(otlp_proto_held(otlp, OTLP_TRACES), 0);
    struct bytes bytes = item(0, 0);
    Otlp__Span *read = otlp__span__unpack(NULL, bytes.len, bytes.at);
    assert_non_null(read);
    assert_int_equal(read->trace_id.len, 16);
    assert_memory_equal(read->trace_id.data, trace, 16);
    assert_int_equal(read->span_id.data[7], 0xaa);
    assert_int_equal(read->parent_span_id.data[7], 0xbb);
    assert_string_equal(read->name, site.name);
    assert_int_equal(read->kind, SPAN_CLIENT);
    assert_int_equal(read->start_time_unix_nano, 1764000000000000001);
    assert_int_equal(read->status->code, 2);
    assert_int_equal(read->n_links, 1);
    assert_memory_equal(read->links[0]->span_id.data, read->parent_span_id.data, 8);
    assert_true(is_text(attribute(read, "error.type"), "ConnectionPoolExhausted"));
    assert_int_equal(attribute(read, "http.response.status_code")->value->int_value, 503);
    assert_true(is_text(attribute(read, "url.full"), "http://cart-service:8003/cart/a%2Fb"));
    assert_true(is_text(attribute(read, "traffic.type"), "baseline"));
    assert_true(is_text(attribute(read, "db.index_used"), "NONE")); /* the span wins over its site */
    /* A zero is told, and what is not UTF-8 is repaired. */
    assert_int_equal(attribute(read, "demo.minute")->value->value_case, OTLP__ANY_VALUE__VALUE_INT_VALUE);
    assert_int_equal(attribute(read, "user.id")->value->string_value.len, 5);
    assert_memory_equal(attribute(read, "user.id")->value->string_value.data, "\xef\xbf\xbd\0x", 5);
    otlp__span__free_unpacked(read, NULL);
    otlp_proto_free(otlp);
}

static void requests_are_bounded_and_grouped(void **state)
{
    (void)state;
    struct otlp_proto *otlp = open_proto();
    struct span_site sites[] = {site_of(0), site_of(1)};
    for (unsigned i = 0; i < OTLP_BATCH_ITEMS + 1; i++) {
        struct span span = span_of(&sites[i % 2]);
        otlp_proto_span(otlp, &span);
    }
    assert_int_equal(requests, 1);
    assert_int_equal(items, OTLP_BATCH_ITEMS);
    assert_int_equal(count_of(whole(), 1), 2);
    for (unsigned i = 0; i < 2; i++) {
        struct bytes resource = nth(whole(), 1, i), scope = nth(resource, 2, 0);
        assert_int_equal(count_of(resource, 1), 1);
        assert_int_equal(count_of(resource, 3), 1);
        assert_int_equal(count_of(scope, 1), 1);
        assert_int_equal(count_of(scope, 2), OTLP_BATCH_ITEMS / 2);
        assert_int_equal(count_of(scope, 3), 1);
        assert_int_equal(count_of(nth(resource, 1, 0), 1), 11);
    }
    otlp_proto_flush(otlp, OTLP_TRACES);
    assert_int_equal(count_of(whole(), 1), 1); /* no envelope around nothing */
    otlp_proto_flush(otlp, OTLP_TRACES);
    assert_int_equal(requests, 2);
    otlp_proto_free(otlp);
}

static void a_log_reads_back(void **state)
{
    (void)state;
    struct otlp_proto *otlp = open_proto();
    struct log_record record = {.body = LOG_BODY_PHASE, .severity = LOG_INFO, .service = 1, .at_ns = 5};
    otlp_proto_log(otlp, &record);
    record.trace_lo = 9;
    record.flags = 2;
    otlp_proto_log(otlp, &record);
    otlp_proto_flush(otlp, OTLP_LOGS);
    for (unsigned i = 0; i < 2; i++) {
        struct bytes bytes = item(0, i);
        Otlp__LogRecord *read = otlp__log_record__unpack(NULL, bytes.len, bytes.at);
        assert_non_null(read);
        assert_int_equal(read->time_unix_nano, 1764000000000000005);
        assert_int_equal(read->observed_time_unix_nano, read->time_unix_nano);
        assert_string_equal(read->severity_text, "INFO");
        assert_int_equal(read->trace_id.len, i ? 16 : 0);
        assert_int_equal(read->span_id.len, 0);
        assert_int_equal(read->flags, i ? 2 : 0);
        otlp__log_record__free_unpacked(read, NULL);
    }
    otlp_proto_free(otlp);
}

static void text_is_repaired(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *repaired;
    } table[] = {
        {"plain", "plain"},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"}, /* overlong */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
        {"12345678\xff"
         "9",
         "12345678\xef\xbf\xbd"
         "9"},
        {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"}, /* cut off */
    };
    struct text repaired = {0};
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        size_t len = strlen(table[i].bytes);
        repaired.len = 0;
        utf8_repair(&repaired, table[i].bytes, len);
        assert_string_equal(text_c(&repaired), table[i].repaired);
        assert_int_equal(utf8_valid(table[i].bytes, len), !strcmp(table[i].bytes, table[i].repaired));
        assert_true(utf8_valid(repaired.bytes, repaired.len));
    }
    text_fini(&repaired);
}

static int forget(void **state)
{
    (void)state;
    text_fini(&body);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_reads_back),
        cmocka_unit_test(requests_are_bounded_and_grouped),
        cmocka_unit_test(a_log_reads_back),
        cmocka_unit_test(text_is_repaired),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
