#include "edges/report_text.h"

#include "edges/conductor.h"
#include "edges/figures.h"
#include "edges/pace.h"
#include "edges/report_cause.h"
#include "edges/report_rules.h"
#include "edges/report_stores.h"
#include "edges/report_timeline.h"

enum { HELD_SHOWN_MAX = 12, LABEL_WIDTH = 24, COLUMNS = 80 };

struct telling {
    struct text *out;
    const struct report *report;
    const struct paint *paint;
    struct text scratch;
};

static void section(struct telling *telling, const char *title)
{
    text_char(telling->out, '\n');
    paint_hue(telling->out, telling->paint, HUE_BOLD, title);
    text_char(telling->out, '\n');
}

static void tell_title(struct telling *telling)
{
    const struct report *report = telling->report;
    struct text *out = telling->out;
    const char *dot = telling->paint->utf8 ? " · " : " - ";
    paint_hue(out, telling->paint, HUE_BOLD, report->scenario->name);
    text_str(out, dot);
    text_lit(out, "seed ");
    text_u64(out, report->seed);
    text_str(out, dot);
    text_duration(out, report->scenario->duration_ns);
    text_str(out, strcmp(report->layout, "virtual") == 0  ? " in virtual time"
                  : strcmp(report->layout, "spread") == 0 ? " live, over several processes"
                                                          : " live");
    if (report->interrupted) {
        text_str(out, dot);
        text_lit(out, "interrupted at ");
        text_clock(out, report->ended_at_ns);
    }
    text_char(out, '\n');
    if (report->scenario->story) {
        paint_wrapped(out, telling->paint, report->scenario->story, COLUMNS);
        text_char(out, '\n');
    }
}

static void tell_alerts(struct telling *telling)
{
    const struct scenario *scenario = telling->report->scenario;
    if (scenario->alert_count)
        section(telling, "alerts");
    for (size_t i = 0; i < scenario->alert_count; i++) {
        const struct alert_stats *stats = &telling->report->stats->alerts[i];
        struct text *scratch = &telling->scratch;
        scratch->len = 0;
        text_str(scratch, stats->fired ? "fired " : "did not fire");
        if (stats->fired)
            text_clock(scratch, stats->fired_at_ns);
        if (stats->fired && stats->resolved_at_ns != NEVER) {
            text_lit(scratch, ", resolved ");
            text_clock(scratch, stats->resolved_at_ns);
        }
        text_lit(telling->out, "  ");
        paint_label(telling->out, telling->paint, scenario->alerts[i].name, LABEL_WIDTH);
        paint_left(telling->out, telling->paint, HUE_DIM, report_alert_kind(scenario->alerts[i].kind), 11);
        paint_hue(telling->out, telling->paint, stats->fired ? HUE_RED : HUE_GREEN, text_c(scratch));
        text_char(telling->out, '\n');
    }
}

/* What somebody has set while it ran is no promise of the scenario: it may come to nothing. */
static void tell_landed(struct telling *telling, const struct fault_stats *stats)
{
    struct text *out = telling->out;
    if (stats->by_hand)
        paint_hue(out, telling->paint, HUE_DIM, "set by hand, ");
    if (!stats->judged)
        paint_hue(out, telling->paint, HUE_DIM, "not judged");
    else if (stats->landed)
        paint_hue(out, telling->paint, HUE_NONE, "landed");
    else if (stats->by_hand)
        paint_hue(out, telling->paint, HUE_YELLOW, "not landed");
    else
        paint_hue(out, telling->paint, HUE_RED, "DID NOT LAND");
}

static void tell_faults(struct telling *telling)
{
    if (telling->report->stats->fault_count)
        section(telling, "faults");
    for (size_t i = 0; i < telling->report->stats->fault_count; i++) {
        const struct fault_stats *stats = &telling->report->stats->faults[i];
        const struct fault_spec *spec = &stats->spec;
        struct text *out = telling->out;
        text_lit(out, "  ");
        text_clock(out, spec->at_ns);
        text_lit(out, "  ");
        paint_plain(out, telling->paint, fault_kind_name(spec->kind));
        if (spec->target) {
            text_char(out, ' ');
            paint_plain(out, telling->paint, spec->target);
        }
        text_str(out, report_fault_releases(spec) ? ", its end: " : ": ");
        tell_landed(telling, stats);
        if (stats->evidence[0]) {
            text_lit(out, ", ");
            paint_plain(out, telling->paint, stats->evidence);
        }
        text_char(out, '\n');
    }
}

static void tell_pool(struct telling *telling, const struct pool_stats *pool)
{
    struct text *out = telling->out, *scratch = &telling->scratch;
    scratch->len = 0;
    report_pool_name(scratch, telling->report, pool);
    text_lit(out, "  ");
    paint_label(out, telling->paint, text_c(scratch), LABEL_WIDTH);
    text_i64(out, pool->peak_used);
    if (pool->peak_used <= pool->max) {
        text_lit(out, " of ");
        text_i64(out, pool->max);
        text_lit(out, " used at the peak, ");
    } else { /* a fault has made it smaller since */
        text_lit(out, " used at the peak, ");
        text_i64(out, pool->max);
        text_lit(out, " allowed at the end, ");
    }
    scratch->len = 0;
    text_count(scratch, pool->timeouts);
    text_lit(scratch, " timed out");
    if (pool->given_up) {
        text_lit(scratch, ", ");
        text_count(scratch, pool->given_up);
        text_lit(scratch, " gave up");
    }
    paint_hue(out, telling->paint, pool->timeouts || pool->given_up ? HUE_RED : HUE_NONE, text_c(scratch));
    text_lit(out, ", wait p95 ");
    figure_latency(out, histogram_quantile(&pool->wait_any, 0.95));
    text_char(out, '\n');
}

/* Those that somebody waited for in vain come first; those that nobody used are left out. */
static void tell_pools(struct telling *telling)
{
    const struct run_stats *stats = telling->report->stats;
    bool titled = false;
    for (int calm = 0; calm <= 1; calm++) {
        for (size_t i = 0; i < stats->pool_count; i++) {
            const struct pool_stats *pool = &stats->pools[i];
            bool in_vain = pool->timeouts || pool->refused || pool->given_up;
            if (in_vain == calm || !(in_vain || pool->acquired))
                continue;
            if (!titled)
                section(telling, "pools");
            titled = true;
            tell_pool(telling, pool);
        }
    }
}

static void tell_orders(struct text *out, const struct business_figures *figures)
{
    text_lit(out, "  ");
    text_count(out, figures->orders);
    text_str(out, figures->orders == 1 ? " order, " : " orders, ");
    figure_usd(out, figures->revenue_cents);
    if (figures->checkouts_failed) {
        text_lit(out, "; ");
        text_count(out, figures->checkouts_failed);
        text_lit(out, " of ");
        text_count(out, figures->checkouts);
        text_lit(out, " checkouts lost");
        if (figures->orders) { /* what they would have been worth is known from those that were not lost */
            text_lit(out, ", about ");
            figure_usd(out, (int64_t)(figures->revenue_lost * 100 + 0.5));
        }
    } else if (figures->checkouts) {
        text_lit(out, "; no checkout of ");
        text_count(out, figures->checkouts);
        text_lit(out, " lost");
    }
    if (figures->sold_out) {
        text_lit(out, "; ");
        text_count(out, figures->sold_out);
        text_lit(out, " sold out");
    }
    text_char(out, '\n');
}

static void tell_carts(struct text *out, const struct business_figures *figures)
{
    text_lit(out, "  ");
    text_count(out, figures->carts_created);
    text_str(out, figures->carts_created == 1 ? " cart, " : " carts, ");
    text_count(out, figures->carts_abandoned);
    text_lit(out, " abandoned (");
    figure_ratio(out, figures->cart_abandonment_rate);
    text_lit(out, ")\n");
}

/* Only what the scenario's customers do. */
static void tell_business(struct telling *telling)
{
    struct business_figures figures = report_business(telling->report);
    if (!figures.orders && !figures.checkouts && !figures.carts_created && !figures.sold_out)
        return;
    section(telling, "business");
    if (figures.orders || figures.checkouts || figures.sold_out)
        tell_orders(telling->out, &figures);
    if (figures.carts_created)
        tell_carts(telling->out, &figures);
}

static void tell_expectation(struct telling *telling, size_t i, const char *word, enum hue hue)
{
    struct text *out = telling->out;
    text_lit(out, "  ");
    paint_left(out, telling->paint, hue, word, 8);
    paint_plain(out, telling->paint, telling->report->scenario->expects[i].text);
    if (telling->report->stats->expects[i].actual[0]) {
        text_lit(out, "  (");
        paint_plain(out, telling->paint, telling->report->stats->expects[i].actual);
        text_char(out, ')');
    }
    text_char(out, '\n');
}

static void tell_expectations(struct telling *telling)
{
    const struct scenario *scenario = telling->report->scenario;
    const struct expect_stats *stats = telling->report->stats->expects;
    size_t held = 0, unjudged = 0;
    if (!scenario->expect_count)
        return;
    section(telling, "expectations");
    for (size_t i = 0; i < scenario->expect_count; i++) {
        if (!stats[i].judged)
            unjudged++;
        else if (stats[i].held)
            held++;
        else
            tell_expectation(telling, i, "FAILED", HUE_RED);
    }
    for (size_t i = 0; i < scenario->expect_count && held <= HELD_SHOWN_MAX; i++)
        if (stats[i].judged && stats[i].held)
            tell_expectation(telling, i, "ok", HUE_GREEN);
    if (held > HELD_SHOWN_MAX) {
        text_lit(telling->out, "  ");
        paint_left(telling->out, telling->paint, HUE_GREEN, "ok", 8);
        text_u64(telling->out, held);
        text_lit(telling->out, " held\n");
    }
    if (unjudged) {
        text_lit(telling->out, "  ");
        paint_left(telling->out, telling->paint, HUE_DIM, "-", 8);
        text_u64(telling->out, unjudged);
        text_lit(telling->out, " not judged: what they are about was not played\n");
    }
}

static void tell_traces(struct telling *telling)
{
    const struct run_stats *stats = telling->report->stats;
    struct text *out = telling->out;
    section(telling, "telemetry");
    text_lit(out, "  ");
    text_count(out, stats->traces);
    text_lit(out, " traces of ");
    text_count(out, stats->spans);
    text_lit(out, " spans, up to ");
    text_u64(out, stats->max_depth);
    text_lit(out, " levels deep, over ");
    text_u64(out, report_services(telling->report));
    text_lit(out, " services\n");
}

/* Who judges what failed is to know whose doing it may be. */
static void tell_pace(struct telling *telling)
{
    const struct pace *pace = telling->report->pace;
    if (!pace || pace_kept_up(pace))
        return;
    section(telling, "clock");
    text_lit(telling->out, "  ");
    paint_hue(telling->out, telling->paint, HUE_YELLOW, "this machine did not keep up");
    text_lit(telling->out, ": latencies are too long, and what fails by them may be its doing\n  ");
    pace_text(telling->out, pace);
    text_char(telling->out, '\n');
}

static void tell_processes(struct telling *telling)
{
    const struct conductor_tally *tally = telling->report->processes;
    if (!tally || !tally->gone)
        return;
    section(telling, "processes");
    text_lit(telling->out, "  ");
    text_count(telling->out, tally->gone);
    text_str(telling->out, tally->gone == 1 ? " was" : " were");
    text_lit(telling->out, " lost while it ran; ");
    text_count(telling->out, tally->spans_lost);
    text_lit(telling->out, " spans that they had told of were not exported\n");
}

static void tell_cause(struct telling *telling)
{
    telling->scratch.len = 0;
    report_cause(&telling->scratch, telling->report);
    text_char(telling->out, '\n');
    paint_hue(telling->out, telling->paint, HUE_BOLD, text_c(&telling->scratch));
    text_char(telling->out, '\n');
}

void report_text(struct text *out, const struct report *report, const struct paint *paint)
{
    struct telling telling = {.out = out, .report = report, .paint = paint};
    tell_title(&telling);
    report_timeline(out, report, paint);
    tell_alerts(&telling);
    if (report->rules) {
        section(&telling, "your rules");
        report_rules_text(out, report->rules, paint, LABEL_WIDTH);
    }
    tell_faults(&telling);
    tell_pools(&telling);
    report_stores(out, report, paint);
    tell_business(&telling);
    tell_expectations(&telling);
    tell_traces(&telling);
    tell_pace(&telling);
    tell_processes(&telling);
    tell_cause(&telling);
    text_fini(&telling.scratch);
}
