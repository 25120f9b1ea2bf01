#include "edges/junit.h"

#include "edges/utf8.h"

enum verdict { HELD, FAILED, SKIPPED, VERDICTS };

/* One test case, of an expectation or of a fault. */
struct test_case {
    struct text name, actual;
    const char *type; /* of its failure */
    const char *expected;
    enum verdict verdict;
};

static enum verdict verdict_of(bool judged, bool held)
{
    return !judged ? SKIPPED : held ? HELD : FAILED;
}

static size_t case_count(const struct report *report)
{
    return report->scenario->expect_count + report->stats->fault_count;
}

static enum verdict case_verdict(const struct report *report, size_t index)
{
    if (index < report->scenario->expect_count) {
        const struct expect_stats *expect = &report->stats->expects[index];
        return verdict_of(expect->judged, expect->held);
    }
    const struct fault_stats *fault = &report->stats->faults[index - report->scenario->expect_count];
    /* What somebody has set while it ran was no case of this suite. */
    return verdict_of(fault->judged && (fault->landed || !fault->by_hand), fault->landed);
}

static void name_fault(struct text *name, const struct fault_spec *fault)
{
    text_lit(name, "fault ");
    text_str(name, fault_kind_name(fault->kind));
    if (fault->target) {
        text_char(name, ' ');
        text_str(name, fault->target);
    }
    if (fault->route) {
        text_char(name, ' ');
        text_str(name, fault->route);
    }
    text_lit(name, " at ");
    text_clock(name, fault->at_ns);
    text_lit(name, ": lands");
}

static struct test_case case_at(const struct report *report, size_t index)
{
    size_t expects = report->scenario->expect_count;
    struct test_case test = {.verdict = case_verdict(report, index)};
    if (index < expects) {
        test.type = "expectation";
        test.expected = report->scenario->expects[index].text;
        text_str(&test.name, test.expected);
        text_str(&test.actual, report->stats->expects[index].actual);
    } else {
        const struct fault_stats *fault = &report->stats->faults[index - expects];
        test.type = "fault";
        test.expected = "the fault to land";
        name_fault(&test.name, &fault->spec);
        text_str(&test.actual, fault->evidence);
    }
    return test;
}

/* Bytes of the character there that XML 1.0 can hold; 0: it can hold none of it. */
static size_t character(const char *text, size_t len)
{
    unsigned char first = (unsigned char)*text;
    if (first < 0x80)
        return first >= ' ' && first != 0x7f;
    size_t bytes = utf8_length((const unsigned char *)text, len);
    bool never = bytes == 3 && (!memcmp(text, "\xef\xbf\xbe", 3) || !memcmp(text, "\xef\xbf\xbf", 3));
    return never ? 0 : bytes;
}

/* As an attribute's value or as content, without the quotes. */
static void escaped(struct text *out, const char *text)
{
    static const struct {
        char c;
        const char *as;
    } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}};
    size_t left = strlen(text);
    while (left) {
        size_t bytes = character(text, left);
        const char *as = bytes ? NULL : "?";
        for (size_t i = 0; i < ARRAY_LEN(entities) && !as; i++)
            as = *text == entities[i].c ? entities[i].as : NULL;
        bytes = MAX(bytes, (size_t)1);
        if (as)
            text_str(out, as);
        else
            text_bytes(out, text, bytes);
        text += bytes;
        left -= bytes;
    }
}

static void attribute(struct text *out, const char *name, const char *value)
{
    text_char(out, ' ');
    text_str(out, name);
    text_lit(out, "=\"");
    escaped(out, value);
    text_char(out, '"');
}

static void count(struct text *out, const char *name, size_t value)
{
    text_char(out, ' ');
    text_str(out, name);
    text_lit(out, "=\"");
    text_u64(out, value);
    text_char(out, '"');
}

static void counts(struct text *out, const struct report *report)
{
    size_t tally[VERDICTS] = {0};
    for (size_t i = 0; i < case_count(report); i++)
        tally[case_verdict(report, i)]++;
    attribute(out, "name", report->scenario->name);
    count(out, "tests", case_count(report));
    count(out, "failures", tally[FAILED]);
    count(out, "errors", 0);
}

static void properties(struct text *out, const struct report *report)
{
    struct text seed = {0};
    text_u64(&seed, report->seed);
    text_lit(out, "    <properties>\n      <property name=\"seed\"");
    attribute(out, "value", text_c(&seed));
    text_lit(out, "/>\n      <property name=\"layout\"");
    attribute(out, "value", report->layout);
    text_lit(out, "/>\n    </properties>\n");
    text_fini(&seed);
}

/* "expected demo.errors: rate<0.1, found 0.8": in the attribute for lists, in the body for the detail. */
static void failure(struct text *out, struct test_case *test)
{
    struct text said = {0};
    text_lit(&said, "expected ");
    text_str(&said, test->expected);
    text_lit(&said, ", found ");
    text_str(&said, test->actual.len ? text_c(&test->actual) : "nothing to prove it");
    text_lit(out, "      <failure");
    attribute(out, "type", test->type);
    attribute(out, "message", text_c(&said));
    text_char(out, '>');
    escaped(out, text_c(&said));
    text_lit(out, "</failure>\n");
    text_fini(&said);
}

static void write_case(struct text *out, const struct report *report, struct test_case *test)
{
    text_lit(out, "    <testcase");
    attribute(out, "classname", report->scenario->name);
    attribute(out, "name", text_c(&test->name));
    if (test->verdict == HELD) {
        text_lit(out, "/>\n");
        return;
    }
    text_lit(out, ">\n");
    if (test->verdict == FAILED)
        failure(out, test);
    else
        text_lit(out, "      <skipped message=\"what it is about was not played\"/>\n");
    text_lit(out, "    </testcase>\n");
}

void junit_write(struct text *out, const struct report *report)
{
    size_t skipped = 0;
    for (size_t i = 0; i < case_count(report); i++)
        skipped += case_verdict(report, i) == SKIPPED;
    text_lit(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    counts(out, report);
    text_lit(out, ">\n  <testsuite");
    counts(out, report);
    count(out, "skipped", skipped);
    text_lit(out, ">\n");
    properties(out, report);
    for (size_t i = 0; i < case_count(report); i++) {
        struct test_case test = case_at(report, i);
        write_case(out, report, &test);
        text_fini(&test.name);
        text_fini(&test.actual);
    }
    text_lit(out, "  </testsuite>\n</testsuites>\n");
}
