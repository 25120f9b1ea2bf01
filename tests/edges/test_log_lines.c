#define _GNU_SOURCE /* pipe2 */
/* log_lines: what a line holds, which ones are left out, and what happens when nobody reads. */
#include "edges/log_lines.h"

#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* 2026-11-27T06:00:00Z */
#define START_NS (INT64_C(1795759200) * NS_PER_S)

static int ends[2]; /* of a pipe: lines go into the second one */

static const char *service_name(void *owner, uint16_t service)
{
    assert_ptr_equal(owner, ends);
    return service == 3 ? "frontend" : "a \"quoted\"\nname";
}

static struct log_lines open_lines(enum log_severity level)
{
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    return (struct log_lines){.fd = ends[1],
                              .level = level,
                              .start_unix_ns = START_NS,
                              .service_name = service_name,
                              .owner = ends};
}

static void close_lines(struct log_lines *lines)
{
    close(ends[0]);
    close(ends[1]);
    text_fini(&lines->held);
}

/* Everything the pipe holds; the caller frees. */
static size_t take(struct text *into)
{
    char bytes[4096];
    ssize_t len;
    size_t all = 0;
    while ((len = read(ends[0], bytes, sizeof bytes)) > 0) {
        text_bytes(into, bytes, (size_t)len);
        all += (size_t)len;
    }
    return all;
}

static struct log_record record_of(enum log_severity severity)
{
    return (struct log_record){.body = LOG_BODY_SLOW_QUERY,
                               .severity = severity,
                               .service = 3,
                               .at_ns = 61 * NS_PER_S + 7 * NS_PER_MS};
}

static json_t *one_line(struct log_lines *lines, const struct log_record *record)
{
    struct text got = {0};
    json_error_t error;
    log_lines_put(lines, record);
    log_lines_flush(lines, 0);
    assert_true(take(&got));
    assert_int_equal(strcspn(text_c(&got), "\n"), got.len - 1); /* one, and whole */
    json_t *line = json_loads(text_c(&got), JSON_REJECT_DUPLICATES, &error);
    assert_non_null(line);
    text_fini(&got);
    return line;
}

static void assert_field(json_t *line, const char *name, const char *expected)
{
    assert_non_null(json_object_get(line, name));
    assert_string_equal(json_string_value(json_object_get(line, name)), expected);
}

static void test_a_line(void **state)
{
    (void)state;
    struct log_lines lines = open_lines(LOG_INFO);
    struct log_record record = record_of(LOG_WARN);
    json_t *line = one_line(&lines, &record);
    assert_field(line, "time", "2026-11-27T06:01:01.007Z");
    assert_field(line, "severity", log_severity_text(LOG_WARN));
    assert_field(line, "service", "frontend");
    assert_field(line, "body", log_body_text(LOG_BODY_SLOW_QUERY));
    assert_int_equal(json_object_size(line), 4); /* no span: no ids */
    json_decref(line);
    close_lines(&lines);
}

static void test_ids_and_attributes(void **state)
{
    (void)state;
    struct log_lines lines = open_lines(LOG_INFO);
    struct log_record record = record_of(LOG_ERROR);
    record.service = 4;
    record.trace_lo = 0xab; /* the high half may be 0 */
    record.span = 0x0123456789abcdef;
    attrs_text(&record.attrs, ATTR_LOG_CATEGORY, "a\"b\n");
    attrs_real(&record.attrs, ATTR_LOG_QUERY_MS, 1011.5);
    attrs_int(&record.attrs, ATTR_LOG_DEMO_MINUTE, -17);
    json_t *line = one_line(&lines, &record);
    assert_field(line, "trace_id", "000000000000000000000000000000ab");
    assert_field(line, "span_id", "0123456789abcdef");
    assert_field(line, "service", "a \"quoted\"\nname");
    assert_field(line, attr_name(ATTR_LOG_CATEGORY), "a\"b\n");
    assert_true(json_real_value(json_object_get(line, attr_name(ATTR_LOG_QUERY_MS))) == 1011.5);
    assert_int_equal(json_integer_value(json_object_get(line, attr_name(ATTR_LOG_DEMO_MINUTE))), -17);
    assert_int_equal(json_object_size(line), 9);
    json_decref(line);
    close_lines(&lines);
}

static void test_level(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        int lines; /* of one of each severity */
    } cases[] = {{"info", 3}, {"warn", 2}, {"error", 1}};
    enum log_severity level;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct text got = {0};
        int count = 0;
        assert_true(log_level_parse(cases[i].word, &level));
        struct log_lines lines = open_lines(level);
        for (int severity = LOG_INFO; severity <= LOG_ERROR; severity += LOG_WARN - LOG_INFO) {
            struct log_record record = record_of((enum log_severity)severity);
            log_lines_put(&lines, &record);
        }
        log_lines_flush(&lines, 0);
        take(&got);
        for (size_t at = 0; at < got.len; at++)
            count += got.bytes[at] == '\n';
        assert_int_equal(count, cases[i].lines);
        text_fini(&got);
        close_lines(&lines);
    }
    assert_false(log_level_parse("debug", &level));
    assert_false(log_level_parse("WARN", &level));
    assert_false(log_level_parse("", &level));
}

/* The pipe fills up: flushing does not wait, what is held is bounded, and in the end all is accounted for. */
static void test_nobody_reads(void **state)
{
    (void)state;
    enum { RECORDS = 40000 };
    struct log_lines lines = open_lines(LOG_INFO);
    struct log_record record = record_of(LOG_WARN);
    struct text got = {0};
    uint64_t count = 0, said = 0;
    for (int i = 0; i < RECORDS; i++) {
        log_lines_put(&lines, &record);
        if (i % 1000 == 0)
            log_lines_flush(&lines, 0);
        assert_true(lines.held.len < LOG_LINES_BYTES_MAX + 4096);
    }
    assert_true(lines.dropped > 0);
    while (lines.held.len || lines.dropped) {
        log_lines_flush(&lines, 0);
        assert_true(take(&got));
    }
    json_error_t error;
    for (char *line = (char *)text_c(&got), *end; (end = strchr(line, '\n')); line = end + 1) {
        json_t *read = json_loadb(line, (size_t)(end - line), 0, &error);
        assert_non_null(read);
        json_t *dropped = json_object_get(read, "dropped");
        said += dropped ? (uint64_t)json_integer_value(dropped) : 0;
        count += !dropped;
        json_decref(read);
    }
    assert_true(said > 0);
    assert_int_equal(count + said, RECORDS);
    text_fini(&got);
    close_lines(&lines);
}

static void test_the_reader_has_gone(void **state)
{
    (void)state;
    struct log_lines lines = open_lines(LOG_INFO);
    struct log_record record = record_of(LOG_WARN);
    signal(SIGPIPE, SIG_IGN);
    close(ends[0]);
    log_lines_put(&lines, &record);
    log_lines_flush(&lines, 1000);
    assert_true(lines.held.len > 0);
    close_lines(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line),
        cmocka_unit_test(test_ids_and_attributes),
        cmocka_unit_test(test_level),
        cmocka_unit_test(test_nobody_reads),
        cmocka_unit_test(test_the_reader_has_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
