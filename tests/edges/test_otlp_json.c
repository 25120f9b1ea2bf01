/* otlp_json: exact lines for hand-made spans and logs; nothing is lost in silence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/edges/otlp_capture.h"

static struct span_site http_site(enum span_kind kind)
{
    struct span_site site = {.id = 5, .service = 1, .kind = kind, .name = "GET /cart/{cart_id}"};
    attrs_text(&site.attrs, ATTR_HTTP_METHOD, "GET");
    return site;
}

static struct span span_at(const struct span_site *site, enum status status)
{
    return (struct span){.site = site,
                         .trace_hi = 0x0123456789abcdef,
                         .trace_lo = 0xfedcba9876543210,
                         .id = 0xaa,
                         .parent = 0xbb,
                         .start_ns = 1,
                         .end_ns = 2000000000,
                         .status = status,
                         .flags = 0x03};
}

/* The line that one span makes. */
static const char *line_of(struct capture *capture, const struct span *span)
{
    capture_open(capture, OTLP_TRACES);
    otlp_json_span(capture->otlp, span);
    return capture_close(capture);
}

#define RESOURCE(name, id)                                                                                   \
    "{\"resource\":{\"attributes\":["                                                                        \
    "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"" name "\"}},"                                   \
    "{\"key\":\"service.namespace\",\"value\":{\"stringValue\":\"ecommerce\"}},"                             \
    "{\"key\":\"service.instance.id\",\"value\":{\"stringValue\":\"" id "\"}},"                              \
    "{\"key\":\"service.version\",\"value\":{\"stringValue\":\"0.1.0\"}},"                                   \
    "{\"key\":\"deployment.environment.name\",\"value\":{\"stringValue\":\"demo\"}},"                        \
    "{\"key\":\"telemetry.sdk.name\",\"value\":{\"stringValue\":\"doorbuster\"}},"                           \
    "{\"key\":\"telemetry.sdk.language\",\"value\":{\"stringValue\":\"c\"}},"                                \
    "{\"key\":\"telemetry.sdk.version\",\"value\":{\"stringValue\":\"0.1.0\"}},"                             \
    "{\"key\":\"host.name\",\"value\":{\"stringValue\":\"virtual\"}},"                                       \
    "{\"key\":\"cx.application.name\",\"value\":{\"stringValue\":\"ecommerce\"}},"                           \
    "{\"key\":\"cx.subsystem.name\",\"value\":{\"stringValue\":\"" name "\"}}]},"
#define CART_ID "d00ef982-274e-48f9-929b-190541472a53" /* of seed 42, on every machine */

static void a_span_is_one_line(void **state)
{
    (void)state;
    struct span_site site = http_site(SPAN_SERVER);
    attrs_text(&site.attrs, ATTR_URL_PATH, "/cart/1");
    struct span span = span_at(&site, STATUS_OK);
    span.demo = true;
    attrs_int(&span.attrs, ATTR_DEMO_MINUTE, 12);
    attrs_real(&span.attrs, ATTR_CHECKOUT_TOTAL, 99.5);
    attrs_bool(&span.attrs, ATTR_CHECKOUT_FAILED, false);
    struct capture capture;
    assert_string_equal(
        line_of(&capture, &span),
        "{\"resourceSpans\":[" RESOURCE(
            "cart-service",
            CART_ID) "\"scopeSpans\":[" CAPTURE_SCOPE "\"spans\":["
                     "{\"traceId\":\"0123456789abcdeffedcba9876543210\",\"spanId\":\"00000000000000aa\","
                     "\"parentSpanId\":\"00000000000000bb\",\"startTimeUnixNano\":\"1764000000000000001\","
                     "\"endTimeUnixNano\":\"1764000002000000000\",\"flags\":771,"
                     "\"name\":\"GET /cart/{cart_id}\",\"kind\":2,\"attributes\":["
                     "{\"key\":\"http.request.method\",\"value\":{\"stringValue\":\"GET\"}},"
                     "{\"key\":\"url.path\",\"value\":{\"stringValue\":\"/cart/1\"}},"
                     "{\"key\":\"traffic.type\",\"value\":{\"stringValue\":\"demo\"}},"
                     "{\"key\":\"demo.minute\",\"value\":{\"intValue\":\"12\"}},"
                     "{\"key\":\"checkout.total\",\"value\":{\"doubleValue\":99.5}},"
                     "{\"key\":\"checkout.failed\",\"value\":{\"boolValue\":false}},"
                     "{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":\"200\"}}]}"
                     "]," CAPTURE_SCHEMA "}]," CAPTURE_SCHEMA "}]}\n");
    assert_int_equal(capture.tally[OTLP_TRACES].items, 1);
    assert_int_equal(capture.tally[OTLP_TRACES].bytes, strlen(capture.text));
    free(capture.text);
}

static void a_root_has_no_parent(void **state)
{
    (void)state;
    struct span_site site = {.kind = SPAN_INTERNAL, .name = "pool wait"};
    struct span span = span_at(&site, STATUS_OK);
    span.parent = 0;
    struct capture capture;
    const char *line = line_of(&capture, &span);
    assert_null(strstr(line, "parentSpanId"));
    assert_null(strstr(line, "http.response.status_code"));
    assert_non_null(strstr(
        line, "\"attributes\":[{\"key\":\"traffic.type\",\"value\":{\"stringValue\":\"baseline\"}}]}"));
    free(capture.text);
}

struct expected {
    enum span_kind kind;
    enum status status;
    bool error;
    const char *type, *code; /* attribute values; NULL: absent */
};

static void expect_attribute(const char *line, const char *key, const char *kind, const char *value)
{
    char want[160];
    snprintf(want, sizeof want, "{\"key\":\"%s\",\"value\":{\"%s\":\"%s\"}}", key, kind, value ? value : "");
    if (value)
        assert_non_null(strstr(line, want));
    else
        assert_null(strstr(line, key));
}

static void status_follows_the_conventions(void **state)
{
    (void)state;
    static const struct expected table[] = {
        {SPAN_SERVER, STATUS_CREATED, false, NULL, "201"},
        {SPAN_SERVER, STATUS_NOT_FOUND, false, NULL, "404"},
        {SPAN_CLIENT, STATUS_NOT_FOUND, true, "404", "404"},
        {SPAN_SERVER, STATUS_SOLD_OUT, false, NULL, "409"},
        {SPAN_CLIENT, STATUS_SOLD_OUT, true, "409", "409"},
        {SPAN_SERVER, STATUS_UNAVAILABLE, true, "503", "503"},
        {SPAN_CLIENT, STATUS_POOL_EXHAUSTED, true, "ConnectionPoolExhausted", "503"},
        {SPAN_CLIENT, STATUS_DEADLINE, true, "timeout", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct span_site site = http_site(table[i].kind);
        struct span span = span_at(&site, table[i].status);
        struct capture capture;
        const char *line = line_of(&capture, &span);
        assert_int_equal(count_of(line, "\"status\":{\"code\":2}"), table[i].error);
        expect_attribute(line, "error.type", "stringValue", table[i].type);
        expect_attribute(line, "http.response.status_code", "intValue", table[i].code);
        assert_null(strstr(line, "db.response.status_code"));
        free(capture.text);
    }
}

static void a_query_tells_its_sqlstate(void **state)
{
    (void)state;
    struct span_site site = {.kind = SPAN_CLIENT, .name = "SELECT ecommerce.products"};
    attrs_text(&site.attrs, ATTR_DB_SYSTEM_NAME, "postgresql");
    struct span span = span_at(&site, STATUS_CONNECTIONS_EXHAUSTED);
    struct capture capture;
    const char *line = line_of(&capture, &span);
    expect_attribute(line, "db.response.status_code", "stringValue", "53300");
    expect_attribute(line, "error.type", "stringValue", "53300");
    expect_attribute(line, "http.response.status_code", "intValue", NULL);
    free(capture.text);

    /* What the span has said itself is not said twice. */
    attrs_text(&span.attrs, ATTR_ERROR_TYPE, "ConnectionPoolExhausted");
    line = line_of(&capture, &span);
    assert_int_equal(count_of(line, "error.type"), 1);
    expect_attribute(line, "error.type", "stringValue", "ConnectionPoolExhausted");
    free(capture.text);
}

static void a_span_wins_over_its_site(void **state)
{
    (void)state;
    struct span_site site = http_site(SPAN_SERVER);
    attrs_text(&site.attrs, ATTR_DB_INDEX_USED, "idx_products_category");
    attrs_text(&site.attrs, ATTR_URL_SCHEME, "http");
    struct span own = span_at(&site, STATUS_OK), plain = own;
    attrs_text(&own.attrs, ATTR_DB_INDEX_USED, "NONE");
    attrs_text(&own.attrs, ATTR_TRAFFIC_TYPE, "other");
    struct capture capture;
    capture_open(&capture, OTLP_TRACES);
    otlp_json_span(capture.otlp, &plain);
    otlp_json_span(capture.otlp, &own);
    otlp_json_span(capture.otlp, &plain);
    const char *line = capture_close(&capture);
    assert_int_equal(count_of(line, "db.index_used"), 3);
    assert_int_equal(count_of(line, "\"idx_products_category\""), 2);
    assert_int_equal(count_of(line, "\"NONE\""), 1);
    assert_int_equal(count_of(line, "url.scheme"), 3);
    assert_int_equal(count_of(line, "traffic.type"), 3);
    assert_null(strstr(line, "other"));
    free(capture.text);
}

static void paths_are_made_of_template_and_parameter(void **state)
{
    (void)state;
    struct span_site server = http_site(SPAN_SERVER), client = http_site(SPAN_CLIENT);
    server.path_template = client.path_template = "/cart/{cart_id}/items";
    client.peer = "cart-service";
    client.peer_port = 8003;
    attrs_text(&client.attrs, ATTR_URL_QUERY, "full=1");
    struct span span = span_at(&server, STATUS_OK);
    span.path_param = (struct slice){"a/\"\xff", 4};
    struct capture capture;
    const char *line = line_of(&capture, &span);
    expect_attribute(line, "url.path", "stringValue", "/cart/a%2F%22%FF/items");
    free(capture.text);

    span.site = &client;
    line = line_of(&capture, &span);
    expect_attribute(line, "url.full", "stringValue",
                     "http://cart-service:8003/cart/a%2F%22%FF/items?full=1");
    expect_attribute(line, "url.path", "stringValue", NULL);
    free(capture.text);
}

static void a_late_span_links_to_its_parent(void **state)
{
    (void)state;
    struct span_site site = http_site(SPAN_SERVER);
    struct span span = span_at(&site, STATUS_OK);
    span.late = true;
    span.attrs.dropped = 3;
    struct capture capture;
    const char *line = line_of(&capture, &span);
    assert_non_null(strstr(line, "\"links\":[{\"traceId\":\"0123456789abcdeffedcba9876543210\","
                                 "\"spanId\":\"00000000000000bb\",\"flags\":771}],"));
    assert_non_null(strstr(line, "\"droppedAttributesCount\":3,"));
    free(capture.text);
}

static void text_may_hold_any_bytes(void **state)
{
    (void)state;
    struct span_site site = http_site(SPAN_SERVER);
    struct span span = span_at(&site, STATUS_OK);
    attrs_text_len(&span.attrs, ATTR_USER_ID, "u\"\\\n\0\xff\xc3\xa9", 8);
    struct capture capture;
    expect_attribute(line_of(&capture, &span), "user.id", "stringValue",
                     "u\\\"\\\\\\u000a\\u0000\xef\xbf\xbd\xc3\xa9");
    free(capture.text);

    size_t len = 100000;
    char *big = malloc(len);
    assert_non_null(big);
    memset(big, 1, len);
    attrs_text_len(&span.attrs, ATTR_USER_ID, big, len);
    assert_int_equal(count_of(line_of(&capture, &span), "\\u0001"), len);
    free(capture.text);
    free(big);
}

static void lines_are_bounded_and_grouped(void **state)
{
    (void)state;
    static struct span_site sites[3];
    struct capture capture;
    capture_open(&capture, OTLP_TRACES);
    for (uint32_t i = 0; i < 3; i++)
        sites[i] =
            (struct span_site){.id = 100 * i, .service = (uint16_t)i, .kind = SPAN_SERVER, .name = "GET /"};
    for (unsigned i = 0; i < 2 * OTLP_LINE_ITEMS + 1; i++) {
        struct span span = span_at(&sites[i % 2 ? 2 : 0], STATUS_OK);
        span.id = i + 1;
        otlp_json_span(capture.otlp, &span);
    }
    const char *text = capture_close(&capture);
    assert_int_equal(count_of(text, "\n"), 3);
    assert_int_equal(capture.tally[OTLP_TRACES].lines, 3);
    assert_int_equal(count_of(text, "\"spanId\""), 2 * OTLP_LINE_ITEMS + 1);
    char *second = strchr(text, '\n') + 1, *third = strchr(second, '\n') + 1;
    second[-1] = third[-1] = '\0';
    assert_int_equal(count_of(text, "\"spanId\""), OTLP_LINE_ITEMS);
    assert_int_equal(count_of(second, "\"spanId\""), OTLP_LINE_ITEMS);
    assert_int_equal(count_of(text, "\"resource\""), 2);
    assert_int_equal(count_of(third, "\"resource\""), 1); /* no envelope around nothing */
    assert_null(strstr(text, "cart-service"));
    assert_int_equal(capture.asked, 2); /* each name once */
    free(capture.text);
}

static void signals_not_wanted_are_not_written(void **state)
{
    (void)state;
    struct span_site site = http_site(SPAN_SERVER);
    struct span span = span_at(&site, STATUS_OK);
    struct capture capture;
    capture_open(&capture, OTLP_LOGS);
    otlp_json_span(capture.otlp, &span);
    assert_string_equal(capture_close(&capture), "");
    assert_int_equal(capture.tally[OTLP_TRACES].items + capture.tally[OTLP_TRACES].lost, 0);
    free(capture.text);
}

static void a_log_is_one_record(void **state)
{
    (void)state;
    struct log_record record = {.body = LOG_BODY_SLOW_QUERY,
                                .severity = LOG_WARN,
                                .service = 2,
                                .at_ns = 5,
                                .trace_hi = 1,
                                .trace_lo = 2,
                                .span = 3,
                                .flags = 3};
    attrs_text(&record.attrs, ATTR_LOG_CATEGORY, "electronics");
    attrs_int(&record.attrs, ATTR_LOG_DEMO_MINUTE, 7);
    struct capture capture;
    capture_open(&capture, OTLP_LOGS);
    otlp_json_log(capture.otlp, &record);
    record = (struct log_record){.body = LOG_BODY_PHASE, .severity = LOG_INFO, .service = 2};
    otlp_json_log(capture.otlp, &record);
    const char *text = capture_close(&capture);
    assert_memory_equal(text, "{\"resourceLogs\":[", 17);
    assert_non_null(
        strstr(text, CAPTURE_SCOPE
               "\"logRecords\":["
               "{\"timeUnixNano\":\"1764000000000000005\",\"observedTimeUnixNano\":"
               "\"1764000000000000005\",\"severityNumber\":13,\"severityText\":\"WARN\","
               "\"body\":{\"stringValue\":\"Slow query detected: missing index\"},\"attributes\":["
               "{\"key\":\"category\",\"value\":{\"stringValue\":\"electronics\"}},"
               "{\"key\":\"demo_minute\",\"value\":{\"intValue\":\"7\"}}],"
               "\"traceId\":\"00000000000000010000000000000002\",\"spanId\":\"0000000000000003\","
               "\"flags\":3},{\"timeUnixNano\""));
    assert_non_null(strstr(text, "\"severityText\":\"INFO\""));
    assert_non_null(strstr(text, "\"attributes\":[]}]," CAPTURE_SCHEMA));
    free(capture.text);
}

static void identity_follows_from_the_seed(void **state)
{
    (void)state;
    struct span_site site = http_site(SPAN_SERVER);
    struct span span = span_at(&site, STATUS_OK);
    struct capture one, same, other;
    line_of(&one, &span);
    line_of(&same, &span);
    assert_string_equal(one.text, same.text);
    capture_open(&other, OTLP_TRACES);
    assert_true(otlp_json_close(other.otlp, NULL));
    struct otlp_json_options made = capture_options(&other, OTLP_TRACES, other.fd);
    made.seed = 43;
    other.otlp = otlp_json_open(&made);
    otlp_json_span(other.otlp, &span);
    capture_close(&other);
    assert_string_not_equal(one.text, other.text);
    free(one.text);
    free(same.text);
    free(other.text);
}

/* Times before 1970 do not exist in OTLP. */
static void instants_before_the_epoch_are_its_start(void **state)
{
    (void)state;
    struct span_site site = http_site(SPAN_SERVER);
    struct span span = span_at(&site, STATUS_OK);
    struct capture capture;
    capture_open(&capture, OTLP_TRACES);
    assert_true(otlp_json_close(capture.otlp, NULL));
    struct otlp_json_options made = capture_options(&capture, OTLP_TRACES, capture.fd);
    made.start_unix_ns = -5;
    capture.otlp = otlp_json_open(&made);
    otlp_json_span(capture.otlp, &span);
    assert_non_null(
        strstr(capture_close(&capture), "\"startTimeUnixNano\":\"0\",\"endTimeUnixNano\":\"1999999995\""));
    free(capture.text);
}

static void fill(struct otlp_json *otlp, unsigned spans)
{
    struct span_site site = http_site(SPAN_SERVER);
    struct span span = span_at(&site, STATUS_OK);
    for (unsigned i = 0; i < spans; i++)
        otlp_json_span(otlp, &span);
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    struct capture capture = {.fd = open("/dev/full", O_WRONLY)};
    assert_true(capture.fd >= 0);
    struct otlp_json_options made = capture_options(&capture, OTLP_TRACES, capture.fd);
    struct otlp_json *otlp = otlp_json_open(&made);
    fill(otlp, OTLP_LINE_ITEMS + 8);
    assert_false(otlp_json_close(otlp, capture.tally));
    assert_int_equal(capture.tally[OTLP_TRACES].error, ENOSPC);
    assert_int_equal(capture.tally[OTLP_TRACES].lost, OTLP_LINE_ITEMS + 8);
    assert_int_equal(capture.tally[OTLP_TRACES].items, 0);
    close(capture.fd);
}

static void a_closed_pipe_is_told(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    signal(SIGPIPE, SIG_IGN);
    close(ends[0]);
    struct capture capture = {0};
    struct otlp_json_options made = capture_options(&capture, OTLP_TRACES, ends[1]);
    struct otlp_json *otlp = otlp_json_open(&made);
    fill(otlp, 2);
    assert_false(otlp_json_close(otlp, capture.tally));
    assert_int_equal(capture.tally[OTLP_TRACES].error, EPIPE);
    assert_int_equal(capture.tally[OTLP_TRACES].lost, 2);
    close(ends[1]);
}

/* A pipe that does not block takes a line in many pieces, and all of it. */
static void a_slow_reader_is_waited_for(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    pid_t reader = fork();
    assert_true(reader >= 0);
    if (reader == 0) {
        close(ends[1]);
        char piece[5000];
        uint64_t bytes = 0, lines = 0;
        for (ssize_t got; (got = read(ends[0], piece, sizeof piece)) > 0; bytes += (uint64_t)got)
            for (ssize_t i = 0; i < got; i++)
                lines += piece[i] == '\n';
        _exit(bytes > 2 * 65536 && lines == 3 ? 0 : 1);
    }
    close(ends[0]);
    struct capture capture = {0};
    struct otlp_json_options made = capture_options(&capture, OTLP_TRACES, ends[1]);
    struct otlp_json *otlp = otlp_json_open(&made);
    fill(otlp, 2 * OTLP_LINE_ITEMS + 1);
    assert_true(otlp_json_close(otlp, capture.tally));
    assert_int_equal(capture.tally[OTLP_TRACES].lines, 3);
    close(ends[1]);
    int status;
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_is_one_line),
        cmocka_unit_test(a_root_has_no_parent),
        cmocka_unit_test(status_follows_the_conventions),
        cmocka_unit_test(a_query_tells_its_sqlstate),
        cmocka_unit_test(a_span_wins_over_its_site),
        cmocka_unit_test(paths_are_made_of_template_and_parameter),
        cmocka_unit_test(a_late_span_links_to_its_parent),
        cmocka_unit_test(text_may_hold_any_bytes),
        cmocka_unit_test(lines_are_bounded_and_grouped),
        cmocka_unit_test(signals_not_wanted_are_not_written),
        cmocka_unit_test(a_log_is_one_record),
        cmocka_unit_test(identity_follows_from_the_seed),
        cmocka_unit_test(instants_before_the_epoch_are_its_start),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(a_closed_pipe_is_told),
        cmocka_unit_test(a_slow_reader_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
