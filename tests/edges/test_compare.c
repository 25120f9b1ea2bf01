/* compare: what makes two sets of traces equal, how a difference is told, and what is no such file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "edges/compare.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define ATTRIBUTE(key, value) "{\"key\":\"" key "\",\"value\":" value "}"
#define SPAN(trace, id, parent, name, more)                                                                  \
    "{\"traceId\":\"" trace "\",\"spanId\":\"" id "\",\"parentSpanId\":\"" parent "\",\"name\":\"" name      \
    "\"" more "}"
#define LINE(resource, spans)                                                                                \
    "{\"resourceSpans\":[{\"resource\":{\"attributes\":[" resource "]},\"scopeSpans\":[{\"spans\":[" spans   \
    "]}]}]}\n"
#define FRONT ATTRIBUTE("service.name", "{\"stringValue\":\"frontend\"}")
#define ROOT SPAN(TRACE, "00000000000000a1", "", "POST /api/browse", ",\"kind\":2")
#define CHILD(more) SPAN(TRACE, "00000000000000a2", "00000000000000a1", "GET /ads", ",\"kind\":3" more)

enum { FILES = 3 };

static char names[FILES][32];

static void put(size_t file, const char *text)
{
    FILE *out = fopen(names[file], "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, strlen(text), out), strlen(text));
    fclose(out);
}

static int make_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILES; i++) {
        strcpy(names[i], "/tmp/compareXXXXXX");
        int fd = mkstemp(names[i]);
        if (fd < 0)
            return -1;
        close(fd);
    }
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILES; i++)
        unlink(names[i]);
    return 0;
}

static void assert_compares(const char *a, const char *b, enum compare_result wanted, const char *wanted_text)
{
    struct text told = {0};
    put(0, a);
    put(1, b);
    enum compare_result result = compare_traces(names[0], names[1], &told);
    assert_string_equal(text_c(&told), wanted_text);
    assert_int_equal(result, wanted);
    text_fini(&told);
}

static void assert_equal(const char *a, const char *b)
{
    assert_compares(a, b, COMPARE_EQUAL, "1 trace, 2 spans: equal\n");
}

/* `wanted`: what is said of the one trace. */
static void assert_differ(const char *a, const char *b, const char *wanted)
{
    struct text all = {0};
    text_str(&all, "trace " TRACE "\n");
    text_str(&all, wanted);
    text_str(&all,
             "different: 1 trace on both sides, 0 only in A, 0 only in B (A: 1 trace, 2 spans; B: 1 trace, 2 "
             "spans)\n");
    assert_compares(a, b, COMPARE_DIFFERENT, text_c(&all));
    text_fini(&all);
}

/* ---- what is equal ---- */

static void order_and_lines_mean_nothing(void **state)
{
    (void)state;
    assert_equal(LINE(FRONT, ROOT "," CHILD("")), LINE(FRONT, CHILD("")) "\n" LINE(FRONT, ROOT));
    assert_equal(
        LINE(FRONT, ROOT)
            LINE(FRONT, CHILD(",\"attributes\":[" ATTRIBUTE("a", "{\"intValue\":\"1\"}") "," ATTRIBUTE(
                            "b", "{\"boolValue\":true}") "]")),
        LINE(FRONT, ROOT)
            LINE(FRONT, CHILD(",\"attributes\":[" ATTRIBUTE("b", "{\"boolValue\":true}") "," ATTRIBUTE(
                            "a", "{\"intValue\":1}") "]")));
}

static void time_and_place_mean_nothing(void **state)
{
    (void)state;
    assert_equal(LINE(FRONT, ROOT "," CHILD(",\"startTimeUnixNano\":\"5\",\"flags\":771")),
                 LINE(FRONT "," ATTRIBUTE("host.name", "{\"stringValue\":\"x\"}") "," ATTRIBUTE(
                          "k8s.pod.name", "{\"stringValue\":\"x\"}") "," ATTRIBUTE("service.instance.id",
                                                                                   "{\"stringValue\":\"x\"}"),
                      ROOT "," CHILD(",\"startTimeUnixNano\":\"7\",\"attributes\":[" ATTRIBUTE(
                          "db.query.duration_ms",
                          "{\"doubleValue\":1.5}") "," ATTRIBUTE("db.connection_pool.wait_time_ms",
                                                                 "{\"doubleValue\":1}") "]")));
}

static void ids_are_equal_in_either_case(void **state)
{
    (void)state;
    assert_equal(LINE(FRONT, ROOT "," CHILD("")),
                 LINE(FRONT, SPAN("0AF7651916CD43DD8448EB211C80319C", "00000000000000A1", "",
                                  "POST /api/browse", ",\"kind\":2") "," CHILD("")));
}

static void several_files_are_one_side(void **state)
{
    (void)state;
    struct text told = {0};
    char list[80];
    put(0, LINE(FRONT, ROOT "," CHILD("")));
    put(1, LINE(FRONT, CHILD("")));
    put(2, LINE(FRONT, ROOT));
    snprintf(list, sizeof list, "%s,%s", names[1], names[2]);
    assert_int_equal(compare_traces(names[0], list, &told), COMPARE_EQUAL);
    text_fini(&told);
}

/* A name without a file means the files that the processes of a spread run have written. */
static void the_parts_of_a_spread_run_are_one_side(void **state)
{
    (void)state;
    struct text told = {0};
    char whole[80], list[120], first[80], second[80];
    snprintf(whole, sizeof whole, "%s-spread.jsonl", names[1]);
    snprintf(first, sizeof first, "%s-spread.frontend.jsonl", names[1]);
    snprintf(second, sizeof second, "%s-spread.ad-service.2.jsonl", names[1]);
    put(0, LINE(FRONT, ROOT "," CHILD("")));
    put(1, LINE(FRONT, CHILD("")));
    put(2, LINE(FRONT, ROOT));
    assert_int_equal(rename(names[1], first), 0);
    assert_int_equal(compare_traces(names[0], whole, &told), COMPARE_DIFFERENT);
    told.len = 0;
    snprintf(list, sizeof list, "%s,%s", names[2], whole);
    assert_int_equal(compare_traces(names[0], list, &told), COMPARE_EQUAL);
    told.len = 0;
    assert_int_equal(rename(names[2], second), 0);
    assert_int_equal(compare_traces(whole, names[0], &told), COMPARE_EQUAL);
    assert_string_equal(text_c(&told), "1 trace, 2 spans: equal\n");
    told.len = 0;
    snprintf(list, sizeof list, "%s-none.jsonl", names[1]);
    assert_int_equal(compare_traces(list, names[0], &told), COMPARE_UNREADABLE);
    assert_non_null(strstr(text_c(&told), "-none.jsonl: No such file or directory\n"));
    text_fini(&told);
    unlink(first);
    unlink(second);
}

/* ---- what differs ---- */

static void an_attribute_is_told_with_both_values(void **state)
{
    (void)state;
    assert_differ(
        LINE(FRONT, ROOT "," CHILD(",\"attributes\":[" ATTRIBUTE("n", "{\"intValue\":\"200\"}") "]")),
        LINE(FRONT, ROOT "," CHILD(",\"attributes\":[" ATTRIBUTE("n", "{\"doubleValue\":200}") "," ATTRIBUTE(
                        "error.type", "{\"stringValue\":\"5\\u001b03\"}") "]")),
        "  frontend POST /api/browse\n    frontend GET /ads\n"
        "      attribute error.type: none -> \"5?03\"\n      attribute n: 200 -> 200.0\n");
}

static void name_kind_status_resource_and_link_count(void **state)
{
    (void)state;
    assert_differ(LINE(FRONT, ROOT "," CHILD("")),
                  LINE(FRONT, ROOT)
                      LINE(ATTRIBUTE("service.name", "{\"stringValue\":\"ads\"}"),
                           SPAN(TRACE, "00000000000000a2", "00000000000000a1", "GET /adz",
                                ",\"kind\":2,\"status\":{\"code\":2},\"links\":[{\"traceId\":\"" TRACE
                                "\",\"spanId\":\"00000000000000A1\"}]")),
                  "  frontend POST /api/browse\n"
                  "    frontend GET /ads\n"
                  "      kind: 3 -> 2\n"
                  "      link: none -> " TRACE " 00000000000000a1\n"
                  "      name: GET /ads -> GET /adz\n"
                  "      resource service.name: \"frontend\" -> \"ads\"\n"
                  "      status: unset -> 2\n");
}

static void a_wrong_parent_is_told(void **state)
{
    (void)state;
    assert_differ(
        LINE(FRONT, ROOT "," CHILD("")),
        LINE(FRONT, ROOT "," SPAN(TRACE, "00000000000000a2", "00000000000000a3", "GET /ads", ",\"kind\":3")),
        "  frontend POST /api/browse\n    frontend GET /ads\n"
        "      parent: 00000000000000a1 (frontend POST /api/browse) -> 00000000000000a3 (not in this "
        "trace)\n");
}

static void another_span_is_missing_and_extra(void **state)
{
    (void)state;
    assert_differ(
        LINE(FRONT, ROOT "," CHILD("")),
        LINE(FRONT, ROOT "," SPAN(TRACE, "00000000000000a0", "00000000000000a1", "GET /ads", ",\"kind\":3")),
        "  frontend POST /api/browse\n"
        "    frontend GET /ads\n      extra span 00000000000000a0: only in B\n"
        "    frontend GET /ads\n      missing span 00000000000000a2: only in A\n");
}

/* What is below the same span is told below it once; a span that lost its parent is where the other side has it. */
static void differences_are_a_tree(void **state)
{
    (void)state;
#define BELOW(id, parent, name, more) SPAN(TRACE, "00000000000000" id, "00000000000000" parent, name, more)
    assert_compares(
        LINE(FRONT, ROOT "," BELOW("a2", "a1", "GET /ads", "") "," BELOW("b0", "a1", "GET /cart", ""))
            LINE("", BELOW("b3", "b0", "same", "") "," BELOW("b2", "b0", "HGETALL", "") "," BELOW(
                         "b1", "b2", "below", ",\"kind\":1")),
        LINE(FRONT,
             ROOT "," BELOW("a2", "a1", "GET /ads", ",\"kind\":1") "," BELOW("b0", "a2", "GET /cart", ""))
            LINE("", BELOW("b3", "b0", "same", "") "," BELOW("b1", "b2", "below", ",\"kind\":2")),
        COMPARE_DIFFERENT,
        "trace " TRACE "\n"
        "  frontend POST /api/browse\n"
        "    frontend GET /ads\n"
        "      kind: unset -> 1\n"
        "    frontend GET /cart\n"
        "      parent: 00000000000000a1 (frontend POST /api/browse) -> 00000000000000a2 (frontend GET /ads)\n"
        "      HGETALL\n"
        "        missing span 00000000000000b2: only in A\n"
        "        below\n"
        "          kind: 1 -> 2\n"
        "different: 1 trace on both sides, 0 only in A, 0 only in B (A: 1 trace, 6 spans; B: 1 trace, 5 "
        "spans)\n");
}

static void a_trace_of_one_side_is_told_by_its_root(void **state)
{
    (void)state;
    assert_compares(
        "", LINE(FRONT, CHILD("") "," ROOT), COMPARE_DIFFERENT,
        "trace " TRACE ": only in B\n  frontend POST /api/browse (2 spans)\n"
        "different: 0 traces on both sides, 0 only in A, 1 only in B (A: 0 traces, 0 spans; B: 1 trace, "
        "2 spans)\n");
}

static void a_span_told_twice_is_a_difference(void **state)
{
    (void)state;
    assert_compares(
        LINE(FRONT, ROOT), LINE(FRONT, ROOT "," ROOT), COMPARE_DIFFERENT,
        "trace " TRACE "\n  frontend POST /api/browse\n    extra span 00000000000000a1: only in B\n"
        "different: 1 trace on both sides, 0 only in A, 0 only in B (A: 1 trace, 1 span; B: 1 trace, 2 "
        "spans)\n");
}

static void a_few_of_many_are_told(void **state)
{
    (void)state;
    struct text a = {0}, told = {0};
    for (int i = 0; i < 3000; i++) {
        char line[300];
        snprintf(line, sizeof line,
                 LINE("", SPAN("0af7651916cd43dd8448eb211c8%05x", "00000000000000a1", "", "x", "")), i);
        text_str(&a, line);
    }
    put(0, text_c(&a));
    put(1, "");
    assert_int_equal(compare_traces(names[0], names[1], &told), COMPARE_DIFFERENT);
    size_t lines = 0;
    for (size_t i = 0; i < told.len; i++)
        lines += told.bytes[i] == '\n';
    assert_int_equal(lines, COMPARE_TOLD_MAX * 2 + 1);
    assert_non_null(
        strstr(text_c(&told), "trace 0af7651916cd43dd8448eb211c800000: only in A\n  x (1 span)\n"));
    assert_non_null(
        strstr(text_c(&told), "\ndifferent: 0 traces on both sides, 3,000 only in A, 0 only in B "));
    text_fini(&a);
    text_fini(&told);
}

/* A circle of parents ends. */
static void parents_in_a_circle_are_survived(void **state)
{
    (void)state;
    struct text told = {0};
    put(0, LINE("", SPAN(TRACE, "00000000000000a1", "00000000000000a1", "x", "")));
    put(1, LINE("", SPAN(TRACE, "00000000000000a1", "00000000000000a1", "y", "")));
    assert_int_equal(compare_traces(names[0], names[1], &told), COMPARE_DIFFERENT);
    text_fini(&told);
}

/* ---- what is no such file ---- */

static void assert_unreadable(const char *text, const char *why)
{
    struct text told = {0};
    char wanted[200];
    put(0, LINE(FRONT, ROOT));
    put(1, text);
    assert_int_equal(compare_traces(names[0], names[1], &told), COMPARE_UNREADABLE);
    snprintf(wanted, sizeof wanted, "%s:%s", names[1], why);
    assert_int_equal(strncmp(text_c(&told), wanted, strlen(wanted)), 0);
    text_fini(&told);
}

static void what_is_malformed_is_told_by_line(void **state)
{
    (void)state;
    assert_unreadable(LINE(FRONT, ROOT) "{\"resourceSpans\":[\n", "2: not JSON: ");
    assert_unreadable("\n[1]\n", "2: expected a list resourceSpans\n");
    assert_unreadable("{\"resourceMetrics\":[]}", "1: expected a list resourceSpans\n");
    assert_unreadable("{\"resourceSpans\":[1]}", "1: expected a list scopeSpans\n");
    assert_unreadable("{\"resourceSpans\":[{\"scopeSpans\":[{}]}]}", "1: expected a list spans\n");
    assert_unreadable(LINE("", "{}"), "1: expected a traceId of 32 hexadecimal digits\n");
    assert_unreadable(LINE("", SPAN("0af7651916cd43dd8448eb211c80319x", "00000000000000a1", "", "x", "")),
                      "1: expected a traceId of 32 hexadecimal digits\n");
    assert_unreadable(LINE("", SPAN(TRACE, "a1", "", "x", "")),
                      "1: expected a spanId of 16 hexadecimal digits\n");
    assert_unreadable(LINE("", SPAN(TRACE, "00000000000000a1", "z", "x", "")),
                      "1: expected a parentSpanId of 16 hexadecimal digits\n");
    assert_unreadable(LINE("", "{\"traceId\":\"" TRACE "\",\"spanId\":\"00000000000000a1\",\"name\":5}"),
                      "1: expected a name of the span\n");
}

/* Whatever stands where an attribute should be. */
static void odd_attributes_are_survived(void **state)
{
    (void)state;
    static const char odd[] =
        LINE("1,{},[]",
             SPAN(TRACE, "00000000000000a1", "", "x",
                  ",\"status\":[],\"kind\":{},\"links\":[1,{}],\"attributes\":[1,{\"key\":1},{\"key\":\"a\"},"
                  "{\"key\":\"b\",\"value\":{}},{\"key\":\"c\",\"value\":{\"intValue\":[]}},{\"key\":\"d\","
                  "\"value\":{\"stringValue\":1}},{\"key\":\"e\",\"value\":{\"doubleValue\":\"NaN\"}},"
                  "{\"key\":\"f\",\"value\":{\"arrayValue\":{\"values\":[]}}}]"));
    assert_compares(odd, odd, COMPARE_EQUAL, "1 trace, 1 span: equal\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_and_lines_mean_nothing),
        cmocka_unit_test(time_and_place_mean_nothing),
        cmocka_unit_test(ids_are_equal_in_either_case),
        cmocka_unit_test(several_files_are_one_side),
        cmocka_unit_test(the_parts_of_a_spread_run_are_one_side),
        cmocka_unit_test(an_attribute_is_told_with_both_values),
        cmocka_unit_test(name_kind_status_resource_and_link_count),
        cmocka_unit_test(a_wrong_parent_is_told),
        cmocka_unit_test(another_span_is_missing_and_extra),
        cmocka_unit_test(differences_are_a_tree),
        cmocka_unit_test(a_trace_of_one_side_is_told_by_its_root),
        cmocka_unit_test(a_span_told_twice_is_a_difference),
        cmocka_unit_test(a_few_of_many_are_told),
        cmocka_unit_test(parents_in_a_circle_are_survived),
        cmocka_unit_test(what_is_malformed_is_told_by_line),
        cmocka_unit_test(odd_attributes_are_survived),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
