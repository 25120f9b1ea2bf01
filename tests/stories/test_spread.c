/* The shop spread over several worlds tells the same story as in one: the same spans, the same figures, the same verdicts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "edges/registry.h"
#include "tests/stories/digest.h"
#include "tests/stories/spread_world.h"
#include "tests/stories/story.h"

enum { SEED = 11 };

/* ---- digests that do not depend on the order in which spans are told ---- */

struct facts {
    uint64_t facts, exact; /* sums over all spans: of what is the same in every layout; of all there is */
    uint64_t spans, logs[LOG_BODY_COUNT], failed;
};

static bool measures(enum attr_key key)
{
    return key == ATTR_POOL_WAIT_MS || key == ATTR_POOL_ACTIVE || key == ATTR_POOL_UTILIZATION ||
           key == ATTR_DB_QUERY_MS || key == ATTR_DB_ACTIVE_QUERIES;
}

static void take_span(void *owner, const struct span *span)
{
    struct facts *facts = owner;
    struct digest exact = {.value = 1}, fact = {.value = 1};
    struct span bare = *span;
    bare.attrs.count = 0;
    for (size_t i = 0; i < span->attrs.count; i++)
        if (!measures((enum attr_key)span->attrs.list[i].key))
            bare.attrs.list[bare.attrs.count++] = span->attrs.list[i];
    bare.start_ns = bare.end_ns = 0;
    digest_span(&exact, span);
    digest_span(&fact, &bare);
    facts->exact += exact.value;
    facts->facts += fact.value;
    facts->failed += status_failed(span->status);
    facts->spans++;
}

static void take_log(void *owner, const struct log_record *record)
{
    ((struct facts *)owner)->logs[record->body]++;
}

/* ---- layouts: by service, in the order of the registry ---- */

static unsigned one_each[SERVICES_MAX], halves[SERVICES_MAX], odd[3][SERVICES_MAX];

static void deal(void)
{
    for (unsigned i = 0; i < registry.kind_count; i++) {
        const struct actor_kind *kind = registry.kinds[i];
        one_each[i] = i;
        halves[i] = i % 2;
        odd[0][i] = kind->store ? 1 : 0; /* the stores apart */
        odd[1][i] = kind->drives_load ? 1 : 0; /* the customers apart */
        odd[2][i] = i * i % 5;
    }
}

/* ---- comparing ---- */

static void same_histogram(const struct histogram *a, const struct histogram *b)
{
    assert_int_equal(a->count, b->count);
    assert_true(a->min == b->min && a->max == b->max);
    assert_memory_equal(a->buckets, b->buckets, sizeof a->buckets);
}

static void same_streams(const struct run_stats *a, const struct run_stats *b,
                         const struct scenario *scenario)
{
    for (size_t i = 0; i < scenario->stream_count; i++) {
        const struct stream_stats *s = &a->streams[i], *t = &b->streams[i];
        assert_int_equal(s->started, t->started);
        assert_int_equal(s->whole.requests, t->whole.requests);
        assert_int_equal(s->whole.errors, t->whole.errors);
        same_histogram(&s->whole.latency, &t->whole.latency);
        for (size_t m = 0; m < s->minute_count; m++) {
            assert_int_equal(s->minutes[m].requests, t->minutes[m].requests);
            assert_int_equal(s->minutes[m].errors, t->minutes[m].errors);
        }
    }
}

static void same_services(const struct run_stats *a, const struct run_stats *b)
{
    for (size_t i = 0; i < a->service_count; i++) {
        assert_int_equal(a->services[i].spans, b->services[i].spans);
        assert_int_equal(a->services[i].errors, b->services[i].errors);
        same_histogram(&a->services[i].latency, &b->services[i].latency);
    }
    for (size_t i = 0; i < a->edge_count; i++) {
        assert_int_equal(a->edges[i].calls, b->edges[i].calls);
        assert_int_equal(a->edges[i].errors, b->edges[i].errors);
    }
    for (size_t i = 0; i < a->statement_count; i++) {
        assert_int_equal(a->statements[i].runs, b->statements[i].runs);
        assert_int_equal(a->statements[i].full_scans, b->statements[i].full_scans);
        same_histogram(&a->statements[i].latency, &b->statements[i].latency);
    }
    for (size_t i = 0; i < a->pool_count; i++) {
        assert_int_equal(a->pools[i].acquired, b->pools[i].acquired);
        assert_int_equal(a->pools[i].timeouts, b->pools[i].timeouts);
        assert_int_equal(a->pools[i].refused, b->pools[i].refused);
        assert_int_equal(a->pools[i].peak_used, b->pools[i].peak_used);
        same_histogram(&a->pools[i].wait, &b->pools[i].wait);
    }
}

static void same_verdicts(const struct run_stats *a, const struct run_stats *b,
                          const struct scenario *scenario)
{
    assert_memory_equal(a->alerts, b->alerts, sizeof a->alerts);
    for (size_t i = 0; i < scenario->expect_count; i++) {
        assert_int_equal(a->expects[i].judged, b->expects[i].judged);
        assert_int_equal(a->expects[i].held, b->expects[i].held);
        assert_string_equal(a->expects[i].actual, b->expects[i].actual);
    }
    for (size_t i = 0; i < a->fault_count; i++) {
        const struct fault_stats *f = &a->faults[i], *g = &b->faults[i];
        assert_true(f->applied == g->applied && f->landed == g->landed && f->judged == g->judged);
        assert_string_equal(f->evidence, g->evidence);
    }
}

static void same_totals(const struct run_stats *a, const struct run_stats *b)
{
    assert_memory_equal(&a->business, &b->business, sizeof a->business);
    assert_int_equal(a->traces, b->traces);
    assert_int_equal(a->spans, b->spans);
    assert_int_equal(a->asks, b->asks);
    assert_memory_equal(a->asks_ended, b->asks_ended, sizeof a->asks_ended);
    assert_int_equal(a->late_replies, b->late_replies);
    assert_int_equal(a->max_depth, b->max_depth);
    for (size_t i = 0; i < LOG_BODY_COUNT; i++)
        assert_int_equal(a->logs[i], b->logs[i]);
}

/* ---- playing ---- */

struct cut {
    const char *file;
    int64_t from_ns, duration_ns;
};

static void tell_same_in(const struct cut *cut, const struct story *story, const struct facts *one,
                         const unsigned *part_of)
{
    struct facts facts = {0};
    struct spread_run run;
    struct world_options options = {.scenario = story->scenario,
                                    .registry = &registry,
                                    .seed = SEED,
                                    .from_ns = cut->from_ns,
                                    .duration_ns = cut->duration_ns,
                                    .sink = {.owner = &facts, .span = take_span, .log = take_log}};
    spread_open(&run, &options, part_of);
    spread_play(&run);
    const struct run_stats *stats = world_stats(run.whole->world);
    assert_true(run.crossed > 0);
    assert_int_equal(facts.spans, one->spans);
    assert_int_equal(facts.failed, one->failed);
    assert_true(facts.facts == one->facts);
    assert_memory_equal(facts.logs, one->logs, sizeof one->logs);
    same_streams(story->stats, stats, story->scenario);
    same_services(story->stats, stats);
    same_totals(story->stats, stats);
    same_verdicts(story->stats, stats, story->scenario);
    assert_true(facts.exact == one->exact); /* nothing takes time between them */
    spread_end(&run);
}

static struct story play_one(const struct cut *cut, struct facts *facts)
{
    struct story story = story_open(cut->file, SEED, NULL, NULL);
    struct world_options options = {.scenario = story.scenario,
                                    .registry = &registry,
                                    .seed = SEED,
                                    .from_ns = cut->from_ns,
                                    .duration_ns = cut->duration_ns,
                                    .sink = {.owner = facts, .span = take_span, .log = take_log}};
    world_free(story.world);
    story.world = world_new(&options);
    story.stats = world_stats(story.world);
    story_run(&story);
    return story;
}

static void compare_layouts(const struct cut *cut, uint64_t spans_at_least)
{
    struct facts one = {0};
    deal();
    struct story story = play_one(cut, &one);
    assert_true(one.spans > spans_at_least);
    tell_same_in(cut, &story, &one, one_each);
    tell_same_in(cut, &story, &one, halves);
    for (size_t i = 0; i < ARRAY_LEN(odd); i++)
        tell_same_in(cut, &story, &one, odd[i]);
    story_end(&story);
}

/* ---- stories ---- */

static void an_ordinary_afternoon(void **state)
{
    (void)state;
    compare_layouts(&(struct cut){"scenarios/normal-operations.yaml", 0, 0}, 5000);
}

static void a_scripted_incident(void **state)
{
    (void)state;
    compare_layouts(&(struct cut){"scenarios/black-friday-v4-scripted.yaml", 8 * NS_PER_MIN, 12 * NS_PER_MIN},
                    50000);
}

/* Where contention decides, who comes first at one instant may be another; the story is the same. */
static void an_incident_that_emerges(void **state)
{
    (void)state;
    const struct cut cut = {FLAGSHIP, 9 * NS_PER_MIN, 14 * NS_PER_MIN};
    struct facts one = {0};
    deal();
    struct story story = play_one(&cut, &one);
    struct spread_run run;
    struct world_options options = {.scenario = story.scenario,
                                    .registry = &registry,
                                    .seed = SEED,
                                    .from_ns = cut.from_ns,
                                    .duration_ns = cut.duration_ns};
    spread_open(&run, &options, one_each);
    spread_play(&run);
    int demo = scenario_stream(story.scenario, "demo"),
        baseline = scenario_stream(story.scenario, "baseline");
    const struct run_stats *stats = world_stats(run.whole->world);
    int off = 0;
    for (size_t minute = 10; minute < 14; minute++) {
        double percent = window_error_percent(&story.stats->streams[demo].minutes[minute]);
        double spread = window_error_percent(&stats->streams[demo].minutes[minute]);
        off += story_outside(percent, 5, 100, "demo errors in percent of minute %zu", minute);
        off += story_outside(spread, percent - 1, percent + 1, "likewise, spread over %zu worlds",
                             run.part_count);
        off +=
            story_outside((double)stats->streams[baseline].minutes[minute].errors, 0, 0, "baseline errors");
    }
    assert_int_equal(off, 0);
    spread_end(&run);
    story_end(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_afternoon),
        cmocka_unit_test(a_scripted_incident),
        cmocka_unit_test(an_incident_that_emerges),
    };
    return cmocka_run_group_tests_name("spread", tests, NULL, NULL);
}
