/* trace_parent: the case table of W3C Trace Context level 2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "edges/trace_parent.h"

#define TRACE "0123456789abcdef123456789abcdef0"
#define PARENT "fedcba9876543210"
#define IDS TRACE "-" PARENT

static struct slice slice_of(const char *text)
{
    return (struct slice){text, (uint32_t)strlen(text)};
}

static void what_is_valid_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        uint8_t flags;
    } cases[] = {
        {"00-" IDS "-00", 0},  {"00-" IDS "-01", 1},  {"00-" IDS "-03", 3},
        {"00-" IDS "-ff", 3}, /* what is not known is let go */
        {"00-" IDS "-fc", 0},  {" 00-" IDS "-01", 1}, {"\t 00-" IDS "-01 \t", 1},
        {"01-" IDS "-01", 1},  {"cc-" IDS "-01", 1},  {"cc-" IDS "-01-what-the-future-will-be-like", 1},
        {"cc-" IDS "-01-", 1}, {"fe-" IDS "-02", 2},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct trace_parent parent = {0};
        if (!trace_parent_parse(slice_of(cases[i].header), &parent))
            fail_msg("refused: %s", cases[i].header);
        assert_true(parent.trace_hi == 0x0123456789abcdef);
        assert_true(parent.trace_lo == 0x123456789abcdef0);
        assert_true(parent.parent == 0xfedcba9876543210);
        assert_int_equal(parent.flags, cases[i].flags);
    }
}

static void what_is_not_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        " ",
        "-",
        "00",
        "00-" TRACE,
        "00-" IDS,
        "00-" IDS "-",
        /* version */
        "ff-" IDS "-01",
        "ff-" IDS "-01-what",
        ".0-" IDS "-01",
        "0.-" IDS "-01",
        "000-" IDS "-01",
        "0000-" IDS "-01",
        "0-" IDS "-01",
        "0-" IDS "-001",
        "CC-" IDS "-01",
        "00_" IDS "-01",
        /* trace id */
        "00-00000000000000000000000000000000-" PARENT "-01",
        "00-.123456789abcdef0123456789abcdef-" PARENT "-01",
        "00-0123456789abcdef0123456789abcde.-" PARENT "-01",
        "00-0123456789ABCDEF123456789abcdef0-" PARENT "-01",
        "00-0123456789abcdef0123456789abcde-" PARENT "-01",
        "00-0123456789abcdef0123456789abcdef0-" PARENT "-01",
        "00-0123456789abcdef0123456789abcde-" PARENT "0-01",
        /* parent id */
        "00-" TRACE "-0000000000000000-01",
        "00-" TRACE "-.edcba9876543210-01",
        "00-" TRACE "-fedcba987654321.-01",
        "00-" TRACE "-FEDCBA9876543210-01",
        "00-" TRACE "-fedcba987654321-01",
        "00-" TRACE "-fedcba98765432100-01",
        /* flags */
        "00-" IDS "-.0",
        "00-" IDS "-0.",
        "00-" IDS "-0A",
        "00-" IDS "-1",
        "00-" IDS "-001",
        /* behind them */
        "00-" IDS "-01.",
        "00-" IDS "-01-",
        "00-" IDS "-01-what-the-future-will-be-like",
        "cc-" IDS "-01.what-the-future-will-not-be-like",
        "cc-" IDS "-0",
        "00-" IDS "-01,00-" IDS "-01",
        "00- " IDS "-01",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct trace_parent parent = {.parent = 7};
        if (trace_parent_parse(slice_of(cases[i]), &parent))
            fail_msg("taken: %s", cases[i]);
        assert_true(parent.parent == 7);
    }
}

static void a_nul_is_no_digit(void **state)
{
    (void)state;
    char header[] = "00-" IDS "-01";
    struct trace_parent parent;
    for (size_t i = 0; i < sizeof header - 1; i++) {
        char kept = header[i];
        header[i] = '\0';
        assert_false(trace_parent_parse((struct slice){header, sizeof header - 1}, &parent));
        header[i] = kept;
    }
    assert_true(trace_parent_parse((struct slice){header, sizeof header - 1}, &parent));
}

static void what_is_sent_is_version_00(void **state)
{
    (void)state;
    struct trace_parent parent;
    char sent[TRACE_PARENT_LEN + 1] = {0};
    assert_true(trace_parent_parse(slice_of("cc-" IDS "-ff-what"), &parent));
    trace_parent_format(&parent, sent);
    assert_string_equal(sent, "00-" IDS "-03");
    parent = (struct trace_parent){.trace_lo = 1, .parent = 2, .flags = 0xfd};
    trace_parent_format(&parent, sent);
    assert_string_equal(sent, "00-00000000000000000000000000000001-0000000000000002-01");
}

/* ---- tracestate ---- */

static struct trace_state state_of(const char *header)
{
    struct trace_state found = {0};
    trace_state_add(&found, slice_of(header));
    return found;
}

#define X32 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X256 X32 X32 X32 X32 X32 X32 X32 X32

static void valid_lists_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        uint32_t members;
    } cases[] = {
        {"", 0},
        {" ", 0},
        {",", 0},
        {"foo=1", 1},
        {"foo=1,", 1},
        {"foo=1,,bar=2", 2},
        {"foo=1 \t , \t bar=2, \t baz=3", 3},
        {"foo=1\t,bar=2\t", 2},
        {"foo= bar", 1}, /* a leading blank belongs to the value */
        {"fo_o-*/@0=1", 1},
        {"0foo=1", 1},
        {"foo@=1,foo@@bar=1,foo@bar@baz=1", 3},
        {"foo=1,foo=1", 2},
        {X256 "=1", 1},
        {"a=" X256, 1},
        {"a=!\"#$%&'()*+-./0:;<>?@A[\\]^_`a{|}~", 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct trace_state found = state_of(cases[i].header);
        if (found.bad || found.members != cases[i].members)
            fail_msg("%s: %u members, bad %d", cases[i].header, found.members, found.bad);
    }
}

static void one_bad_member_spoils_the_list(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "foo",    "foo=",        "=1",       "foo =1",   "FOO=1",        "foo.bar=1",   "@foo=1",
        "_foo=1", "foo=bar=baz", "foo=,b=",  "foo=\x7f", "foo=\xc3\xa9", "foo=1;bar=2", "foo=a\tb",
        "fOo=1",  "-a=1",        X256 "x=1", "a=x" X256, "a=1,b",        "foo=1, =2",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (!state_of(cases[i]).bad)
            fail_msg("taken: %s", cases[i]);
}

static void thirty_two_members_are_the_most(void **state)
{
    (void)state;
    struct trace_state found = {0};
    for (int i = 0; i < 16; i++)
        trace_state_add(&found, slice_of("a=1,b=2"));
    assert_false(found.bad);
    assert_int_equal(found.members, 32);
    trace_state_add(&found, slice_of(""));
    assert_false(found.bad);
    trace_state_add(&found, slice_of("c=3"));
    assert_true(found.bad);
    trace_state_add(&found, slice_of("c=3"));
    assert_true(found.bad);
}

static void is_written(const char *header, const char *list)
{
    char at[TRACE_STATE_BYTES_MAX];
    struct trace_state found = state_of(header);
    uint32_t len = trace_state_write(&found, at);
    assert_int_equal(len, strlen(list));
    assert_memory_equal(at, list, len);
}

static void a_list_goes_on_without_gaps(void **state)
{
    (void)state;
    is_written("", "");
    is_written(" , ,", "");
    is_written("foo=1", "foo=1");
    is_written(" foo=1 ,, \tbar= 2\t,", "foo=1,bar= 2");
    is_written("foo=1,BAR=2", ""); /* bad */
    struct trace_state several = {0};
    char at[TRACE_STATE_BYTES_MAX];
    trace_state_add(&several, slice_of("foo=1,bar=2"));
    trace_state_add(&several, slice_of(""));
    trace_state_add(&several, slice_of("rojo=3 ,"));
    assert_int_equal(trace_state_write(&several, at), 18);
    assert_memory_equal(at, "foo=1,bar=2,rojo=3", 18);
}

#define X96 X32 X32 X32
#define X120 X96 "xxxxxxxxxxxxxxxxxxxxxxxx"
#define X126 X120 "xxxxxx"

/* 512 bytes pass; beyond, members over 128 bytes go first, then the last ones. */
static void a_long_list_loses_whole_members(void **state)
{
    (void)state;
    static const char fits[] = "a=" X126 ",b=" X126 ",c=" X126 ",d=" X120 "xxx";
    assert_int_equal(strlen(fits), TRACE_STATE_BYTES_MAX);
    is_written(fits, fits);
    is_written("a=" X126 ",b=" X126 ",c=" X126 ",d=" X126, "a=" X126 ",b=" X126 ",c=" X126);
    is_written("a=" X126 ",b=" X126 ",c=" X126 ",d=" X126 ",e=1", "a=" X126 ",b=" X126 ",c=" X126);
    is_written("a=" X126 "x,b=" X126 ",c=" X126 ",d=" X126 ",e=1", "b=" X126 ",c=" X126 ",d=" X126 ",e=1");
    is_written("a=" X126 "x,b=" X126 "x,c=" X126 ",d=" X126, "a=" X126 "x,c=" X126 ",d=" X126);
    is_written(X256 "=" X256, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_valid_is_taken),
        cmocka_unit_test(what_is_not_is_refused),
        cmocka_unit_test(a_nul_is_no_digit),
        cmocka_unit_test(what_is_sent_is_version_00),
        cmocka_unit_test(valid_lists_are_counted),
        cmocka_unit_test(one_bad_member_spoils_the_list),
        cmocka_unit_test(thirty_two_members_are_the_most),
        cmocka_unit_test(a_list_goes_on_without_gaps),
        cmocka_unit_test(a_long_list_loses_whole_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
