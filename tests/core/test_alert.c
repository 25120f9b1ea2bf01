/*
 * alert: judged on figures made by hand, one sample every 15 s. Random flows and burn rates are held against
 * their definitions, worked out the slow way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/parts.h"
#include "tests/core/toy_world.h"

enum { SAMPLES_MAX = 200 };

/* Pools whose figures the tests set; nobody uses them. */
static const struct actor_kind shelf = {.service = "shelf",
                                        .port = 1,
                                        .routes = (const struct route[]){{0}},
                                        .pools = {{"a", 9, 1}, {"b", 9, 1}, {"c", 9, 1}}};
static const struct actor_kind driver = {
    .service = "driver",
    .drives_load = true,
    .routes = (const struct route[]){
        {.name = "visit", .steps = (const struct step[]){ASK("shelf", "GET /x"), END()}}, {0}}};
static const struct actor_kind *const kinds[] = {&shelf, &driver};

static struct alert_spec *begin(struct toy *toy)
{
    toy_begin(toy, kinds, ARRAY_LEN(kinds));
    toy->scenario.streams[0] =
        (struct stream_spec){.name = "baseline", .mixes = MIX_OF("visit"), .mix_count = 1};
    toy->scenario.streams[1] =
        (struct stream_spec){.name = "demo", .mixes = MIX_OF("visit"), .mix_count = 1, .demo = true};
    toy->scenario.stream_count = 2;
    toy->scenario.duration_ns = MIN_(60);
    toy->scenario.alert_count = 1;
    return &toy->scenario.alerts[0];
}

static int64_t sample_at(size_t sample)
{
    return (int64_t)(sample + 1) * WORLD_SAMPLE_NS;
}

static const struct alert_stats *judge(struct toy *toy, size_t sample)
{
    alerts_judge(toy->world, sample_at(sample));
    return &toy->world->stats.alerts[0];
}

static struct pool *pool(struct toy *toy, size_t index)
{
    return &toy->world->actors[0].pools[index].pool;
}

static void set_used(struct toy *toy, size_t index, int used)
{
    pool(toy, index)->used = used;
}

static void end(struct toy *toy)
{
    for (size_t i = 0; i < 3; i++)
        set_used(toy, i, 0);
    toy_end(toy);
}

/* More requests of a stream have ended, some of them failed. */
static void add_requests(struct toy *toy, size_t stream, uint64_t ended, uint64_t failed)
{
    toy->world->stats.streams[stream].ended += ended;
    toy->world->stats.streams[stream].ended_failed += failed;
}

#define SERIES(...)                                                                                          \
    {                                                                                                        \
        .kind = CONDITION_SERIES, __VA_ARGS__                                                                \
    }
#define POOL_USED(name_) .series = {.kind = PROBE_POOL_USED, .pool = (name_), .name = (name_)}
#define ERRORS(stream_) .series = {.kind = PROBE_ERRORS, .index = (stream_), .name = "errors"}

static void threshold(struct alert_spec *alert, struct condition condition)
{
    alert->kind = ALERT_THRESHOLD;
    alert->stages[0].when = condition;
    alert->stage_count = 1;
}

/* ---- one condition ---- */

static void a_threshold_fires_once_and_resolves_each_time(void **state)
{
    (void)state;
    struct toy toy;
    threshold(begin(&toy), (struct condition)SERIES(POOL_USED("a"), .bound = 2));
    toy_open(&toy, 1);
    static const int used[] = {0, 2, 3, 3, 2, 2, 9, 0};
    /* Samples at which it is firing; the bound itself is not above it. */
    const struct alert_stats *stats = NULL;
    for (size_t i = 0; i < ARRAY_LEN(used); i++) {
        set_used(&toy, 0, used[i]);
        stats = judge(&toy, i);
        assert_int_equal(stats->fired, i >= 2);
        assert_true(stats->fired_at_ns == (i >= 2 ? sample_at(2) : NEVER));
        int64_t resolved_ns = i == 4 || i == 5 ? sample_at(4) : i == 7 ? sample_at(7) : NEVER;
        assert_true(stats->resolved_at_ns == resolved_ns);
    }
    end(&toy);
}

/* A run that begins in the middle: its first minute only warms the world up. */
static void what_fires_while_it_warms_up_is_told_from_the_beginning_on(void **state)
{
    (void)state;
    struct toy toy;
    threshold(begin(&toy),
              (struct condition){.series = {.kind = PROBE_POOL_USED, .pool = "a", .name = "pool.a.used"},
                                 .bound = 5});
    toy.options.from_ns = MIN_(2);
    toy_open(&toy, 1);
    set_used(&toy, 0, 6);
    assert_false(judge(&toy, 5)->fired); /* at 1:30 */
    assert_false(judge(&toy, 6)->fired);
    assert_int_equal(judge(&toy, 7)->fired_at_ns, MIN_(2));
    assert_int_equal(judge(&toy, 8)->firings, 1);
    end(&toy);
}

static void below_looks_the_other_way(void **state)
{
    (void)state;
    struct toy toy;
    threshold(begin(&toy), (struct condition)SERIES(POOL_USED("a"), .below = true, .bound = 2));
    toy_open(&toy, 1);
    set_used(&toy, 0, 2);
    assert_false(judge(&toy, 0)->fired);
    set_used(&toy, 0, 1);
    assert_true(judge(&toy, 1)->fired);
    end(&toy);
}

static void for_means_without_a_break(void **state)
{
    (void)state;
    struct toy toy;
    threshold(begin(&toy), (struct condition)SERIES(POOL_USED("a"), .for_ns = S(45)));
    toy_open(&toy, 1);
    /* True at 1, 2, 3 (30 s by then), false at 4, true from 5 on: 45 s of it at 8. */
    for (size_t i = 0; i < 12; i++) {
        set_used(&toy, 0, i >= 1 && i != 4);
        assert_int_equal(judge(&toy, i)->fired, i >= 8);
    }
    assert_int_equal(judge(&toy, 12)->fired_at_ns, sample_at(8));
    end(&toy);
}

static void a_ratio_over_a_window_forgets_what_lies_before_it(void **state)
{
    (void)state;
    struct toy toy;
    threshold(begin(&toy), (struct condition)SERIES(ERRORS(1), .over_ns = MIN_(1), .bound = 0.5));
    toy_open(&toy, 1);
    /* 10 requests a sample. From sample 4 on all fail: the window of 4 samples is above a half when 3 have. */
    for (size_t i = 0; i < 12; i++) {
        add_requests(&toy, 1, 10, i >= 4 ? 10 : 0);
        add_requests(&toy, 0, 1000, 0); /* not asked about */
        assert_int_equal(judge(&toy, i)->fired, i >= 6);
    }
    /* When none fails any more, it takes two samples to come down to a half. */
    for (size_t i = 12; i < 16; i++) {
        add_requests(&toy, 1, 10, 0);
        assert_true(judge(&toy, i)->resolved_at_ns == (i >= 13 ? sample_at(13) : NEVER));
    }
    end(&toy);
}

static void a_window_is_clipped_at_the_start_and_no_requests_are_no_errors(void **state)
{
    (void)state;
    struct toy toy;
    threshold(begin(&toy), (struct condition)SERIES(ERRORS(1), .over_ns = MIN_(5), .bound = 0.1));
    toy_open(&toy, 1);
    for (size_t i = 0; i < 5; i++)
        assert_false(judge(&toy, i)->fired);
    add_requests(&toy, 1, 4, 1);
    assert_true(judge(&toy, 5)->fired);
    end(&toy);
}

static void all_streams_count_together_and_a_series_per_another(void **state)
{
    (void)state;
    static const struct condition conditions[] = {
        SERIES(ERRORS(PROBE_ALL_STREAMS), .bound = 0.2),
        SERIES(.series = {.kind = PROBE_LOGS, .index = LOG_BODY_POOL_EXHAUSTED, .name = "logs"},
               .per = {.kind = PROBE_REQUESTS, .index = 1, .name = "demo.requests"}, .bound = 0.2),
    };
    for (size_t c = 0; c < ARRAY_LEN(conditions); c++) {
        struct toy toy;
        threshold(begin(&toy), conditions[c]);
        toy_open(&toy, 1);
        assert_false(judge(&toy, 0)->fired); /* nothing per nothing is nothing */
        add_requests(&toy, 0, 50, 10);
        add_requests(&toy, 1, 50, 10);
        toy.world->stats.logs[LOG_BODY_POOL_EXHAUSTED] = 10;
        assert_false(judge(&toy, 1)->fired);
        add_requests(&toy, 1, 1, 1);
        toy.world->stats.logs[LOG_BODY_POOL_EXHAUSTED] = 11;
        assert_true(judge(&toy, 2)->fired);
        end(&toy);
    }
}

/* Figures of the run that need no window. */
static void each_figure_can_be_watched(void **state)
{
    (void)state;
    static const struct probe probes[] = {
        {.kind = PROBE_REQUESTS, .index = 1, .name = "r"},
        {.kind = PROBE_POOL_TIMEOUTS, .pool = "b", .name = "t"},
        {.kind = PROBE_TRACE_DEPTH, .name = "d"},
        {.kind = PROBE_TRACE_SPANS, .name = "s"},
        {.kind = PROBE_ORDERS, .name = "o"},
        {.kind = PROBE_REVENUE, .name = "$"},
    };
    for (size_t p = 0; p < ARRAY_LEN(probes); p++) {
        struct toy toy;
        threshold(begin(&toy), (struct condition){.kind = CONDITION_SERIES, .series = probes[p], .bound = 4});
        toy_open(&toy, 1);
        for (size_t i = 0; i < 2; i++) {
            uint64_t figure = 4 + i;
            struct run_stats *stats = &toy.world->stats;
            stats->streams[1].ended = figure;
            pool(&toy, 1)->stats->timeouts = figure;
            stats->max_depth = (uint8_t)figure;
            stats->spans = figure;
            stats->business.count[BUSINESS_ORDER] = figure;
            stats->business.revenue_cents = 400 + (int64_t)i;
            assert_int_equal(judge(&toy, i)->fired, i);
        }
        end(&toy);
    }
}

static void waiters_are_the_most_since_the_sample_before(void **state)
{
    (void)state;
    struct toy toy;
    threshold(begin(&toy),
              (struct condition)SERIES(.series = {.kind = PROBE_POOL_WAITERS, .pool = "a", .name = "w"},
                                       .over_ns = S(30), .bound = 4));
    toy_open(&toy, 1);
    pool(&toy, 0)->waiters_peak = 5; /* a peak, gone when the sample is taken */
    assert_true(judge(&toy, 0)->fired);
    assert_int_equal(pool(&toy, 0)->waiters_peak, 0);
    judge(&toy, 1);
    assert_true(judge(&toy, 2)->resolved_at_ns == NEVER); /* in the window still */
    assert_int_equal(judge(&toy, 3)->resolved_at_ns, sample_at(3));
    end(&toy);
}

static void any_all_and_not(void **state)
{
    (void)state;
    struct condition leaves[] = {SERIES(POOL_USED("a")), SERIES(POOL_USED("b"))};
    struct condition inner[] = {{.kind = CONDITION_ANY, .children = leaves, .child_count = 2}};
    struct condition all[] = {SERIES(POOL_USED("c")),
                              {.kind = CONDITION_NOT, .children = inner, .child_count = 1}};
    const struct {
        struct condition condition;
        const char *truth; /* for each of the 8 settings of a, b, c */
    } cases[] = {
        {{.kind = CONDITION_ANY, .children = leaves, .child_count = 2}, "01110111"},
        {{.kind = CONDITION_ALL, .children = leaves, .child_count = 2}, "00010001"},
        {{.kind = CONDITION_NOT, .children = leaves, .child_count = 1}, "10101010"},
        {{.kind = CONDITION_NOT, .children = leaves, .child_count = 2}, "10001000"},
        {{.kind = CONDITION_ALL, .children = all, .child_count = 2}, "00001000"},
    };
    for (size_t c = 0; c < ARRAY_LEN(cases); c++)
        for (int setting = 0; setting < 8; setting++) {
            struct toy toy;
            threshold(begin(&toy), cases[c].condition);
            toy_open(&toy, 1);
            for (size_t i = 0; i < 3; i++)
                set_used(&toy, i, setting >> i & 1);
            assert_int_equal(judge(&toy, 0)->fired, cases[c].truth[setting] == '1');
            end(&toy);
        }
}

/* ---- flows ---- */

/* Whether stage `stage` of the flow is reached at the sample, by the words of its definition. */
static bool reached(const bool level[3][SAMPLES_MAX], const int64_t *within_ns, size_t stage, size_t sample)
{
    if (!level[stage][sample])
        return false;
    if (stage == 0)
        return true;
    for (size_t before = 0; before <= sample; before++)
        if (sample_at(sample) - sample_at(before) <= within_ns[stage] &&
            reached(level, within_ns, stage - 1, before))
            return true;
    return false;
}

static void begin_flow(struct toy *toy, const int64_t *within_ns)
{
    static const char *const names[] = {"a", "b", "c"};
    struct alert_spec *alert = begin(toy);
    alert->kind = ALERT_FLOW;
    for (size_t s = 0; s < 3; s++)
        alert->stages[s] =
            (struct alert_stage){.when = SERIES(POOL_USED(names[s])), .within_ns = within_ns[s]};
    alert->stage_count = 3;
    toy_open(toy, 1);
}

static void a_flow_passes_its_stages_in_order(void **state)
{
    (void)state;
    static const int64_t within_ns[] = {0, S(60), S(30)};
    static const struct {
        size_t from[3], to[3]; /* samples at which each stage is true */
        int fires; /* -1: never */
    } cases[] = {
        {{0, 2, 4}, {2, 4, 6}, 4}, /* one after the other */
        {{0, 0, 0}, {9, 9, 9}, 0}, /* all at once */
        {{5, 0, 0}, {9, 9, 9}, 5}, /* levels: what began before its time counts when it is still true */
        {{5, 0, 0}, {9, 4, 9}, -1}, /* the second was over before the first began */
        {{0, 4, 6}, {1, 5, 7}, 6}, /* at the very ends of both frames: 60 s and 30 s */
        {{0, 5, 6}, {1, 6, 7}, -1}, /* 75 s after the first */
        {{0, 4, 7}, {1, 5, 8}, -1}, /* 45 s after the second */
        {{0, 2, 9}, {9, 8, 10}, 9}, /* frames run from the latest instant of the stage before */
        {{0, 2, 10}, {4, 20, 11}, -1}, /* ... at which it was reached: until 3 + 4 = sample 7 */
    };
    for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
        struct toy toy;
        begin_flow(&toy, within_ns);
        const struct alert_stats *stats = NULL;
        for (size_t i = 0; i < 30; i++) {
            for (size_t s = 0; s < 3; s++)
                set_used(&toy, s, i >= cases[c].from[s] && i < cases[c].to[s]);
            stats = judge(&toy, i);
        }
        assert_int_equal(stats->fired, cases[c].fires >= 0);
        if (stats->fired)
            assert_int_equal(stats->fired_at_ns, sample_at((size_t)cases[c].fires));
        end(&toy);
    }
}

static void random_flows_fire_by_their_definition(void **state)
{
    (void)state;
    enum { FLOWS = 400, SAMPLES = 40 };
    static bool level[3][SAMPLES_MAX];
    int fired = 0;
    for (uint64_t f = 0; f < FLOWS; f++) {
        const struct draw frames = draw(1, f, 1, 0);
        const int64_t within_ns[] = {0, S((int64_t)(frames.a % 8) * 10), S((int64_t)(frames.b % 8) * 10)};
        struct toy toy;
        begin_flow(&toy, within_ns);
        bool firing = false;
        for (size_t i = 0; i < SAMPLES; i++) {
            for (size_t s = 0; s < 3; s++) {
                /* Levels last for a while; the rarest comes last. */
                struct draw chance = draw(1, f, 2, (uint32_t)(i * 3 + s));
                bool change = draw_below(chance.a, 4) == 0;
                level[s][i] = i && !change ? level[s][i - 1] : draw_below(chance.b, 3 + 2 * s) == 0;
                set_used(&toy, s, level[s][i]);
            }
            const struct alert_stats *stats = judge(&toy, i);
            bool expected = reached(level, within_ns, 2, i);
            if (expected && !stats->fired)
                fail_msg("flow %d should have fired at sample %zu", (int)f, i);
            if (expected && !firing)
                assert_true(stats->resolved_at_ns == NEVER);
            if (!expected && firing)
                assert_int_equal(stats->resolved_at_ns, sample_at(i));
            if (!expected && stats->fired)
                assert_true(stats->resolved_at_ns <= sample_at(i));
            firing = expected;
        }
        fired += toy.world->stats.alerts[0].fired;
        end(&toy);
    }
    assert_in_range(fired, FLOWS / 5, FLOWS * 9 / 10);
}

/* ---- burn rates ---- */

static void begin_burn(struct toy *toy, int stream)
{
    struct alert_spec *alert = begin(toy);
    alert->kind = ALERT_BURN_RATE;
    alert->stream = stream;
    alert->objective = 0.99;
    alert->factor = 5; /* above 5 % */
    alert->long_ns = MIN_(5);
    alert->short_ns = MIN_(1);
    toy_open(toy, 1);
}

static void a_burn_rate_wants_both_windows(void **state)
{
    (void)state;
    struct toy toy;
    begin_burn(&toy, 1);
    /* Ten minutes without an error, then every tenth fails: 40 samples + n. Over 5 min it is above 5 % when
       more than 10 of 20 samples have errors, long after the short window. */
    const struct alert_stats *stats = NULL;
    for (size_t i = 0; i < 60; i++) {
        add_requests(&toy, 1, 100, i >= 40 ? 10 : 0);
        add_requests(&toy, 0, 1000, 1000); /* another stream's */
        stats = judge(&toy, i);
    }
    assert_int_equal(stats->fired_at_ns, sample_at(50));
    /* Mended: the short window is below 5 % when 2 of its 4 samples are clean; the long one holds it no longer. */
    for (size_t i = 60; i < 70; i++) {
        add_requests(&toy, 1, 100, 0);
        stats = judge(&toy, i);
    }
    assert_int_equal(stats->resolved_at_ns, sample_at(61));
    end(&toy);
}

static void a_cold_start_clips_both_windows(void **state)
{
    (void)state;
    struct toy toy;
    begin_burn(&toy, PROBE_ALL_STREAMS);
    assert_false(judge(&toy, 0)->fired);
    add_requests(&toy, 0, 94, 0);
    add_requests(&toy, 1, 6, 6);
    assert_int_equal(judge(&toy, 1)->fired_at_ns, sample_at(1));
    end(&toy);
}

static double burn(const uint64_t *ended, const uint64_t *failed, size_t sample, size_t window)
{
    uint64_t top = 0, bottom = 0;
    for (size_t i = sample + 1 > window ? sample + 1 - window : 0; i <= sample; i++) {
        top += failed[i];
        bottom += ended[i];
    }
    return bottom ? (double)top / (double)bottom : 0;
}

static void random_burns_fire_by_their_definition(void **state)
{
    (void)state;
    enum { BURNS = 100 };
    for (uint64_t b = 0; b < BURNS; b++) {
        static uint64_t ended[SAMPLES_MAX], failed[SAMPLES_MAX];
        struct toy toy;
        begin_burn(&toy, 1);
        bool firing = false;
        for (size_t i = 0; i < 120; i++) {
            struct draw chance = draw(2, b, 1, (uint32_t)i);
            bool bad = draw(2, b, 2, (uint32_t)i / 16).a % 3 == 0;
            ended[i] = draw_below(chance.a, 100);
            failed[i] = draw_below(chance.b, bad ? ended[i] / 4 + 1 : 2);
            failed[i] = MIN(failed[i], ended[i]);
            add_requests(&toy, 1, ended[i], failed[i]);
            const struct alert_stats *stats = judge(&toy, i);
            double over_long = burn(ended, failed, i, 20), over_short = burn(ended, failed, i, 4);
            bool expected = over_long > 5 * (1 - 0.99) && over_short > 5 * (1 - 0.99);
            assert_int_equal(stats->fired && stats->resolved_at_ns == NEVER, expected);
            if (expected && !firing && stats->fired_at_ns != sample_at(i))
                assert_true(stats->fired_at_ns < sample_at(i)); /* again */
            firing = expected;
        }
        end(&toy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_threshold_fires_once_and_resolves_each_time),
        cmocka_unit_test(what_fires_while_it_warms_up_is_told_from_the_beginning_on),
        cmocka_unit_test(below_looks_the_other_way),
        cmocka_unit_test(for_means_without_a_break),
        cmocka_unit_test(a_ratio_over_a_window_forgets_what_lies_before_it),
        cmocka_unit_test(a_window_is_clipped_at_the_start_and_no_requests_are_no_errors),
        cmocka_unit_test(all_streams_count_together_and_a_series_per_another),
        cmocka_unit_test(each_figure_can_be_watched),
        cmocka_unit_test(waiters_are_the_most_since_the_sample_before),
        cmocka_unit_test(any_all_and_not),
        cmocka_unit_test(a_flow_passes_its_stages_in_order),
        cmocka_unit_test(random_flows_fire_by_their_definition),
        cmocka_unit_test(a_burn_rate_wants_both_windows),
        cmocka_unit_test(a_cold_start_clips_both_windows),
        cmocka_unit_test(random_burns_fire_by_their_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
