/* span: ids are keyed draws, never 0, and a tree can be told from its contexts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/span.h"

static const struct span_site site = {.id = 1, .kind = SPAN_SERVER, .name = "GET /products"};

static void a_root_follows_from_seed_stream_and_number(void **state)
{
    (void)state;
    struct trace_context root = trace_root(42, 1, 7), again = trace_root(42, 1, 7);
    assert_true(root.trace_hi == again.trace_hi && root.trace_lo == again.trace_lo);
    assert_true(root.trace_hi && root.trace_lo);
    assert_int_equal(root.span, 0);
    assert_int_equal(root.flags, 0x03);
    assert_int_equal(root.depth, 0);
    assert_int_equal(root.stream, 1);
    assert_int_equal(root.demo_minute, -1);
    assert_true(trace_root(43, 1, 7).trace_lo != root.trace_lo);
    assert_true(trace_root(42, 0, 7).trace_lo != root.trace_lo);
    assert_true(trace_root(42, 1, 8).trace_lo != root.trace_lo);
}

static void spans_nest(void **state)
{
    (void)state;
    struct trace_context context = trace_root(42, 1, 7);
    context.demo = true;
    context.demo_minute = 12;
    struct span root, child;
    memset(&root, 0xff, sizeof root);
    span_open(&root, &site, 42, &context, 0, 1000);
    assert_int_equal(root.parent, 0);
    assert_true(root.id != 0);
    assert_int_equal(root.depth, 1);
    assert_int_equal(root.status, STATUS_OK);
    assert_int_equal(root.start_ns, 1000);
    assert_int_equal(root.attrs.count, 0);
    assert_int_equal(root.attrs.dropped, 0);
    assert_int_equal(root.path_param.len, 0);
    assert_false(root.late);
    assert_true(root.demo);
    assert_int_equal(root.flags, 0x03);

    struct trace_context below = span_context(&root, &context);
    assert_true(below.span == root.id);
    assert_int_equal(below.depth, 1);
    assert_int_equal(below.demo_minute, 12);
    span_open(&child, &site, 42, &below, 3, 2000);
    assert_true(child.parent == root.id && child.trace_lo == root.trace_lo);
    assert_true(child.id == span_child_id(42, root.id, 3));
    assert_int_equal(child.depth, 2);
}

static void roots_of_two_traces_differ(void **state)
{
    (void)state;
    struct trace_context a = trace_root(42, 1, 7), b = trace_root(42, 1, 8);
    struct span one, two;
    span_open(&one, &site, 42, &a, 0, 0);
    span_open(&two, &site, 42, &b, 0, 0);
    assert_true(one.id != two.id);
}

static void depth_does_not_wrap(void **state)
{
    (void)state;
    struct trace_context deep = trace_root(1, 0, 0);
    deep.depth = UINT8_MAX;
    struct span span;
    span_open(&span, &site, 1, &deep, 0, 0);
    assert_int_equal(span.depth, UINT8_MAX);
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void ids_are_unique(void **state)
{
    (void)state;
    enum { N = 100000 };
    uint64_t *ids = malloc(N * sizeof *ids);
    assert_non_null(ids);
    for (uint32_t i = 0; i < N; i++)
        ids[i] = span_child_id(9, 1 + i / 10, i % 10);
    qsort(ids, N, sizeof *ids, by_id);
    assert_true(ids[0] != 0);
    for (size_t i = 1; i < N; i++)
        assert_true(ids[i] != ids[i - 1]);
    free(ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_root_follows_from_seed_stream_and_number),
        cmocka_unit_test(spans_nest),
        cmocka_unit_test(roots_of_two_traces_differ),
        cmocka_unit_test(depth_does_not_wrap),
        cmocka_unit_test(ids_are_unique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
