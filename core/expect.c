/* expect: holds the run against the scenario's expectations. */
#include "core/parts.h"

#include "core/text.h"

static bool within(const struct expect_spec *expect, double value)
{
    bool above = expect->low_open ? value > expect->low : value >= expect->low;
    bool below = expect->high_open ? value < expect->high : value <= expect->high;
    return above && below;
}

static double window_measure(const struct expect_spec *expect, const struct window *window)
{
    uint64_t top = expect->series.kind == PROBE_ERRORS ? window->errors : window->requests;
    switch (expect->measure) {
    case EXPECT_RATE:
        return window->requests ? (double)top / (double)window->requests : 0;
    case EXPECT_PERCENTILE:
        return histogram_quantile(&window->latency, expect->percentile);
    case EXPECT_MAX:
        return window->latency.max;
    case EXPECT_MIN:
        return window->latency.min;
    default:
        return (double)top;
    }
}

static void describe(struct text *text, const struct expect_spec *expect, double value)
{
    bool latency = expect->series.kind == PROBE_LATENCY && expect->measure != EXPECT_COUNT;
    if (latency) {
        text_fixed(text, value * 1000, 1);
        text_str(text, "ms");
    } else if (expect->measure == EXPECT_RATE) {
        text_fixed(text, value * 100, 2);
        text_str(text, "%");
    } else {
        text_fixed(text, value, value == (double)(int64_t)value ? 0 : 2);
    }
}

/* The worst minute is told: the first outside, else the last one looked at. */
static bool judge_minutes(const struct world *world, const struct stream_stats *stats,
                          const struct expect_spec *expect, struct text *actual)
{
    double low = 0, high = 0;
    bool any = false;
    for (size_t m = 0; m < stats->minute_count; m++) {
        const struct window *window = &stats->minutes[m];
        if (window->from_ns < expect->at_ns || window->to_ns > expect->until_ns ||
            !world_played(world, window->from_ns, window->to_ns))
            continue;
        if (!window->requests && expect->measure != EXPECT_COUNT)
            continue;
        double value = window_measure(expect, window);
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

static bool judge_stream(const struct world *world, const struct expect_spec *expect, struct text *actual)
{
    const struct stream_stats *stats = &world->stats.streams[expect->series.index];
    const struct stream_spec *spec = &world->scenario->streams[expect->series.index];
    if (expect->when == EXPECT_EACH_MINUTE)
        return judge_minutes(world, stats, expect, actual);
    const struct window *window =
        expect->when == EXPECT_AT ? stream_point(stats, spec, expect->at_ns) : &stats->whole;
    ASSERT(window);
    if (!window->requests && expect->measure != EXPECT_COUNT) {
        text_str(actual, "no request");
        return false;
    }
    double value = window_measure(expect, window);
    describe(actual, expect, value);
    return within(expect, value);
}

static double pool_measure(const struct world *world, const struct expect_spec *expect)
{
    double sum = 0;
    for (size_t i = 0; i < world->stats.pool_count; i++) {
        const struct pool_stats *pool = &world->stats.pools[i];
        if (strcmp(pool->name, expect->series.pool) == 0)
            sum += expect->series.kind == PROBE_POOL_USED ? pool->peak_used : (double)pool->timeouts;
    }
    return sum;
}

static double run_measure(const struct world *world, const struct expect_spec *expect)
{
    const struct run_stats *stats = &world->stats;
    double services = 0;
    switch (expect->series.kind) {
    case PROBE_LOGS:
        return (double)stats->logs[expect->series.index];
    case PROBE_TRACE_DEPTH:
        return stats->max_depth;
    case PROBE_TRACE_SPANS:
        return (double)stats->spans;
    case PROBE_TRACE_SERVICES:
        for (size_t i = 0; i < stats->service_count; i++)
            services += stats->services[i].spans > 0;
        return services;
    case PROBE_ORDERS:
        return (double)stats->business.count[BUSINESS_ORDER];
    case PROBE_REVENUE:
        return (double)stats->business.revenue_cents / 100;
    default:
        return pool_measure(world, expect);
    }
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
    return expect->measure == EXPECT_FIRES && within(expect, (double)alert->fired_at_ns / (double)NS_PER_S);
}

static bool judge(const struct world *world, const struct expect_spec *expect, struct text *actual)
{
    if (expect->measure == EXPECT_FIRES || expect->measure == EXPECT_NEVER_FIRES)
        return judge_alert(world, expect, actual);
    if (expect->series.kind <= PROBE_LATENCY)
        return judge_stream(world, expect, actual);
    double value = run_measure(world, expect);
    describe(actual, expect, value);
    return within(expect, value);
}

/* In a run that is not the whole timeline only what has been played through can fail. */
static bool is_played(const struct world *world, const struct expect_spec *expect)
{
    if (world_played(world, 0, world->scenario->duration_ns))
        return true;
    if (expect->when == EXPECT_AT) {
        int stream = expect->series.index;
        const struct window *window =
            stream_point(&world->stats.streams[stream], &world->scenario->streams[stream], expect->at_ns);
        return world_played(world, window->from_ns, window->to_ns);
    }
    return expect->when == EXPECT_EACH_MINUTE &&
           world_played(world, MAX(expect->at_ns, world->from_ns),
                        MAX(expect->at_ns, world->from_ns) + NS_PER_MIN);
}

void expects_judge(struct world *world)
{
    for (size_t i = 0; i < world->scenario->expect_count; i++) {
        struct expect_stats *stats = &world->stats.expects[i];
        struct text actual = {0};
        stats->held = judge(world, &world->scenario->expects[i], &actual);
        stats->judged = stats->held || is_played(world, &world->scenario->expects[i]);
        size_t len = MIN(actual.len, sizeof stats->actual - 1);
        if (len)
            memcpy(stats->actual, actual.bytes, len);
        stats->actual[len] = '\0';
        text_fini(&actual);
    }
}
