/* The flagship's traces, all 1.8 million spans of a run: each a whole tree, deep and wide as the shop is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/stories/story.h"
#include "tests/stories/tree.h"

struct run {
    struct tree tree;
    struct story story;
};

static int play(void **state)
{
    struct run *run = base_alloc(1, sizeof *run);
    struct sink sink = tree_sink(&run->tree);
    run->story = story_play(FLAGSHIP, 11, &sink, NULL);
    tree_sort(&run->tree);
    *state = run;
    return 0;
}

static int end(void **state)
{
    struct run *run = *state;
    story_end(&run->story);
    tree_fini(&run->tree);
    free(run);
    return 0;
}

static void test_every_trace_is_a_whole_tree(void **state)
{
    const struct run *run = *state;
    assert_int_equal(tree_problems(&run->tree), 0);
    assert_int_equal(run->tree.count, run->story.stats->spans);
    assert_int_equal(tree_traces(&run->tree), run->story.stats->traces);
    assert_true(run->tree.count > 1500000);
}

static void test_one_trace_a_request(void **state)
{
    const struct run *run = *state;
    uint64_t requests = 0;
    for (size_t i = 0; i < run->story.scenario->stream_count; i++) {
        const struct stream_stats *stream = &run->story.stats->streams[i];
        assert_int_equal(stream->started, stream->answered + stream->failed);
        assert_int_equal(stream->in_flight + stream->dropped, 0);
        requests += stream->started;
    }
    assert_int_equal(run->story.stats->traces, requests);
}

static bool of(const struct run *run, const struct tree_span *span, const char *service, const char *name)
{
    return strcmp(world_service(run->story.world, span->site->service)->service, service) == 0 &&
           strcmp(span->site->name, name) == 0;
}

/* Load generator, frontend, its ask, catalogue, its ask, recommendations, query, and the query's parts. */
static void test_checkouts_are_eight_deep(void **state)
{
    const struct run *run = *state;
    size_t reached = 0, shallow = 0;
    for (size_t i = 0, count; i < run->tree.count; i += count) {
        count = tree_trace(&run->tree, i);
        uint8_t depth = 0;
        bool recommended = false;
        for (size_t s = i; s < i + count; s++) {
            depth = MAX(depth, run->tree.spans[s].depth);
            recommended |= of(run, &run->tree.spans[s], "recommendation-service", "POST /recommend");
        }
        reached += recommended;
        shallow += recommended && depth < 8;
    }
    assert_int_equal(reached, story_stream(&run->story, "demo")->started);
    assert_int_equal(shallow, 0);
    assert_int_equal(run->story.stats->max_depth, 8);
}

static void test_ten_services_and_more(void **state)
{
    const struct run *run = *state;
    bool seen[SERVICES_MAX] = {false};
    int services = 0;
    for (size_t i = 0; i < run->tree.count; i++) {
        services += !seen[run->tree.spans[i].site->service];
        seen[run->tree.spans[i].site->service] = true;
    }
    assert_true(services >= 10);
}

/* A wait that timed out has no execution; an execution has had its wait; a lost checkout never pays. */
static void test_waits_executions_and_what_never_follows(void **state)
{
    const struct run *run = *state;
    size_t lost = 0;
    for (size_t i = 0, count; i < run->tree.count; i += count) {
        size_t queries = 0, waits = 0, executions = 0, exhausted = 0, paid = 0;
        count = tree_trace(&run->tree, i);
        for (size_t s = i; s < i + count; s++) {
            const struct tree_span *span = &run->tree.spans[s];
            bool wait = strcmp(span->site->name, "pool wait") == 0;
            queries += span->site->kind == SPAN_CLIENT && strstr(span->site->name, " ecommerce.") != NULL;
            waits += wait;
            exhausted += wait && span->status == STATUS_POOL_EXHAUSTED;
            executions += strcmp(span->site->name, "query execution") == 0;
            paid += of(run, span, "payment-service", "POST /api/payment/process");
        }
        lost += exhausted;
        assert_int_equal(waits, queries);
        assert_int_equal(executions, queries - exhausted);
        assert_true(!exhausted || !paid);
    }
    assert_true(lost > 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_trace_is_a_whole_tree),
        cmocka_unit_test(test_one_trace_a_request),
        cmocka_unit_test(test_checkouts_are_eight_deep),
        cmocka_unit_test(test_ten_services_and_more),
        cmocka_unit_test(test_waits_executions_and_what_never_follows),
    };
    return cmocka_run_group_tests_name("traces", tests, play, end);
}
