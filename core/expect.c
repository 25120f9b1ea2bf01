/* expect: holds the run against the scenario's expectations. */
#include "core/parts.h"
#include "core/probe.h"
#include "core/text.h"

static bool within(const struct expect_spec *expect, double value)
{
    bool above = expect->low_open ? value > expect->low : value >= expect->low;
    bool below = expect->high_open ? value < expect->high : value <= expect->high;
    return above && below;
}

static bool is_all(const struct expect_spec *expect)
{
    return expect->series.index == PROBE_ALL_STREAMS;
}

static void describe(struct text *text, const struct expect_spec *expect, double value)
{
    const struct probe_type *type = probe_type(expect->series.kind);
    bool share = expect->measure == EXPECT_RATE || expect->measure == EXPECT_SURGE ||
                 (type->unit == PROBE_RATE && expect->measure != EXPECT_COUNT);
    if (type->nature == PROBE_DISTRIBUTION && expect->measure != EXPECT_COUNT) {
        text_fixed(text, value * 1000, 1);
        text_str(text, "ms");
    } else if (share) {
        text_fixed(text, value * 100, 2);
        text_str(text, "%");
    } else {
        text_fixed(text, value, value == (double)(int64_t)value ? 0 : 2);
    }
}

/* Whether the value is within the bounds; it is told either way. */
static bool hold(const struct expect_spec *expect, double value, struct text *actual)
{
    describe(actual, expect, value);
    return within(expect, value);
}

static double of_histogram(const struct expect_spec *expect, const struct histogram *histogram)
{
    switch (expect->measure) {
    case EXPECT_PERCENTILE:
        return histogram_quantile(histogram, expect->percentile);
    case EXPECT_MAX:
        return histogram->max;
    case EXPECT_MIN:
        return histogram->min;
    default:
        return (double)histogram->count;
    }
}

/* ---- streams ---- */

/* What the expectation's streams did in a minute, or in the window that it is about. */
static void look(const struct world *world, const struct expect_spec *expect, size_t minute,
                 struct window *out)
{
    *out = (struct window){0};
    for (size_t i = 0; i < world->scenario->stream_count; i++) {
        const struct stream_stats *stats = &world->stats.streams[i];
        const struct window *window = &stats->whole;
        if (!is_all(expect) && expect->series.index != (int)i)
            continue;
        if (expect->when == EXPECT_EACH_MINUTE)
            window = &stats->minutes[minute];
        else if (expect->when != EXPECT_WHOLE)
            window = stats_expected(world, expect, i);
        ASSERT(window);
        out->from_ns = window->from_ns;
        out->to_ns = window->to_ns;
        out->requests += window->requests;
        out->errors += window->errors;
        histogram_merge(&out->latency, &window->latency);
    }
}

static double window_rate(const struct window *window)
{
    return window->requests ? (double)window->errors / (double)window->requests : 0;
}

static double window_measure(const struct expect_spec *expect, const struct window *window)
{
    if (expect->series.kind == PROBE_LATENCY)
        return of_histogram(expect, &window->latency);
    if (expect->measure == EXPECT_RATE)
        return window_rate(window);
    return (double)(expect->series.kind == PROBE_ERRORS ? window->errors : window->requests);
}

/* False: the minute says nothing, for no request was in it. */
static bool minute_value(const struct world *world, const struct expect_spec *expect, size_t minute,
                         double *value)
{
    struct window window, before;
    look(world, expect, minute, &window);
    if (window.from_ns < expect->at_ns || window.to_ns > expect->until_ns ||
        !world_played(world, window.from_ns, window.to_ns))
        return false;
    if (!window.requests && expect->measure != EXPECT_COUNT)
        return false;
    *value = window_measure(expect, &window);
    if (expect->measure != EXPECT_SURGE)
        return true;
    if (minute == 0)
        return false;
    look(world, expect, minute - 1, &before);
    *value = window_rate(&window) - 2 * window_rate(&before);
    return before.requests && world_played(world, before.from_ns, before.to_ns);
}

/* The first minute outside is told, else the lowest and the highest. */
static bool judge_minutes(const struct world *world, const struct expect_spec *expect, struct text *actual)
{
    double low = 0, high = 0;
    bool any = false;
    for (size_t m = 0; m < stats_minutes(world->scenario); m++) {
        double value;
        if (!minute_value(world, expect, m, &value))
            continue;
        if (!within(expect, value)) {
            describe(actual, expect, value);
            text_str(actual, " in minute ");
            text_u64(actual, m);
            return false;
        }
        low = any ? MIN(low, value) : value;
        high = any ? MAX(high, value) : value;
        any = true;
    }
    if (!any) {
        text_str(actual, "no request in these minutes");
        return false;
    }
    describe(actual, expect, low);
    text_str(actual, "..");
    describe(actual, expect, high);
    return true;
}

static bool judge_streams(const struct world *world, const struct expect_spec *expect, struct text *actual)
{
    struct window window;
    if (expect->when == EXPECT_EACH_MINUTE)
        return judge_minutes(world, expect, actual);
    look(world, expect, 0, &window);
    if (!window.requests && expect->measure != EXPECT_COUNT) {
        text_str(actual, "no request");
        return false;
    }
    return hold(expect, window_measure(expect, &window), actual);
}

/* ---- other series ---- */

static bool judge_distribution(const struct world *world, const struct expect_spec *expect,
                               const struct stretch *stretch, struct text *actual)
{
    struct histogram whole = {0};
    if (!stretch)
        figure_spread(world, &expect->series, &whole);
    const struct histogram *histogram = stretch ? stretch->spread : &whole;
    if (!histogram->count && expect->measure != EXPECT_COUNT) {
        text_str(actual, "none");
        return false;
    }
    return hold(expect, of_histogram(expect, histogram), actual);
}

static bool judge_counter(const struct world *world, const struct expect_spec *expect,
                          const struct stretch *stretch, struct text *actual)
{
    double top = stretch ? stretch->top : figure_now(world, &expect->series);
    double bottom = stretch ? stretch->bottom : figure_base(world, &expect->series);
    if (expect->measure == EXPECT_COUNT || probe_type(expect->series.kind)->nature != PROBE_COUNTER)
        return hold(expect, top, actual);
    if (bottom <= 0) {
        text_str(actual, "none");
        return false;
    }
    return hold(expect, top / bottom, actual);
}

static bool judge_series(const struct world *world, size_t index, struct text *actual)
{
    const struct expect_spec *expect = &world->scenario->expects[index];
    const struct stretch *stretch = stretch_of(world, index);
    bool window = expect->when == EXPECT_WINDOW;
    double peak;
    if (window && !stretch->ended) {
        text_str(actual, "not played to its end");
        return false;
    }
    switch (probe_type(expect->series.kind)->nature) {
    case PROBE_DISTRIBUTION:
        return judge_distribution(world, expect, window ? stretch : NULL, actual);
    case PROBE_LEVEL:
        if (!window && expect->measure == EXPECT_MAX && figure_peak(world, &expect->series, &peak))
            return hold(expect, peak, actual);
        return hold(expect, expect->measure == EXPECT_MAX ? stretch->high : stretch->low, actual);
    default:
        return judge_counter(world, expect, window ? stretch : NULL, actual);
    }
}

/* ---- alerts ---- */

static bool judge_resolved(const struct expect_spec *expect, const struct alert_stats *alert,
                           struct text *actual)
{
    if (alert->resolved_at_ns == NEVER) {
        text_str(actual, ", not resolved");
        return false;
    }
    text_str(actual, ", resolved at ");
    text_clock(actual, alert->resolved_at_ns);
    return within(expect, (double)alert->resolved_at_ns / (double)NS_PER_S);
}

static bool judge_alert(const struct world *world, const struct expect_spec *expect, struct text *actual)
{
    const struct alert_stats *alert = &world->stats.alerts[expect->alert];
    if (!alert->fired) {
        text_str(actual, "never fired");
        return expect->measure == EXPECT_NEVER_FIRES;
    }
    text_str(actual, "fired at ");
    text_clock(actual, alert->fired_at_ns);
    if (expect->measure == EXPECT_RESOLVES)
        return judge_resolved(expect, alert, actual);
    return expect->measure == EXPECT_FIRES && within(expect, (double)alert->fired_at_ns / (double)NS_PER_S);
}

static bool judge(const struct world *world, size_t index, struct text *actual)
{
    const struct expect_spec *expect = &world->scenario->expects[index];
    if (expect_of_alert(expect))
        return judge_alert(world, expect, actual);
    if (probe_of_stream(expect->series.kind))
        return judge_streams(world, expect, actual);
    return judge_series(world, index, actual);
}

/* Somebody has set its rate to nothing: what it was expected to do is not asked for. */
static bool is_off(const struct stream_spec *stream)
{
    const struct curve *rate = &stream->rate_per_min;
    bool off = rate->count && !stream->burst.count;
    for (size_t i = 0; i < rate->count; i++)
        off = off && rate->points[i].value <= 0;
    return off;
}

/* All the streams that it is about. */
static bool is_of_streams_off(const struct scenario *scenario, const struct expect_spec *expect)
{
    bool off = !expect_of_alert(expect) && probe_of_stream(expect->series.kind);
    for (size_t i = 0; i < scenario->stream_count; i++)
        if (is_all(expect) || expect->series.index == (int)i)
            off = off && is_off(&scenario->streams[i]);
    return off;
}

/* In a run that is not the whole timeline only what has been played through can fail. */
static bool is_played(const struct world *world, const struct expect_spec *expect)
{
    struct window window;
    if (world_played(world, 0, world->scenario->duration_ns))
        return true;
    if (expect_of_alert(expect) || expect->when == EXPECT_WHOLE)
        return false;
    if (expect->when == EXPECT_EACH_MINUTE) {
        int64_t first_ns = MAX(expect->at_ns, world->from_ns);
        return first_ns < expect->until_ns && world_played(world, first_ns, first_ns + NS_PER_MIN);
    }
    if (!probe_of_stream(expect->series.kind))
        return world_played(world, expect->at_ns, expect->until_ns);
    look(world, expect, 0, &window);
    return world_played(world, window.from_ns, window.to_ns);
}

void expects_judge(struct world *world)
{
    for (size_t i = 0; i < world->scenario->expect_count; i++) {
        struct expect_stats *stats = &world->stats.expects[i];
        struct text actual = {0};
        stats->held = judge(world, i, &actual);
        const struct expect_spec *expect = &world->scenario->expects[i];
        stats->judged =
            stats->held || (is_played(world, expect) && !is_of_streams_off(world->scenario, expect));
        size_t len = MIN(actual.len, sizeof stats->actual - 1);
        if (len)
            memcpy(stats->actual, actual.bytes, len);
        stats->actual[len] = '\0';
        text_fini(&actual);
    }
}
