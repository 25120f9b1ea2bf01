#include "edges/report_stores.h"

#include "edges/figures.h"

enum { STATEMENTS_SHOWN = 5, LABEL_WIDTH = 24 };

/* Full scans first, then by the time spent on it; runs where no time was kept. */
static bool matters_more(const struct statement_stats *a, const struct statement_stats *b)
{
    if (a->full_scans != b->full_scans)
        return a->full_scans > b->full_scans;
    if (a->latency.sum > b->latency.sum || a->latency.sum < b->latency.sum)
        return a->latency.sum > b->latency.sum;
    return a->runs > b->runs;
}

/* The statements that ran, those that matter most first; how many of them are in `shown`. */
static size_t choose(const struct run_stats *stats, const struct statement_stats *shown[STATEMENTS_SHOWN])
{
    size_t count = 0;
    for (size_t i = 0; i < stats->statement_count; i++) {
        const struct statement_stats *statement = &stats->statements[i];
        size_t at = count;
        if (!statement->runs)
            continue;
        while (at > 0 && matters_more(statement, shown[at - 1]))
            at--;
        if (at == STATEMENTS_SHOWN)
            continue;
        count = MIN(count + 1, (size_t)STATEMENTS_SHOWN);
        memmove(&shown[at + 1], &shown[at], (count - at - 1) * sizeof *shown);
        shown[at] = statement;
    }
    return count;
}

static void label(struct text *out, const struct paint *paint, const char *name)
{
    text_lit(out, "  ");
    paint_label(out, paint, name, LABEL_WIDTH);
}

static void tell_statement(struct text *out, const struct paint *paint,
                           const struct statement_stats *statement)
{
    label(out, paint, statement->name);
    text_count(out, statement->runs);
    text_str(out, statement->runs == 1 ? " run" : " runs");
    if (statement->latency.count) {
        text_lit(out, ", p95 ");
        figure_latency(out, histogram_quantile(&statement->latency, 0.95));
    }
    if (statement->full_scans) {
        struct text scans = {0};
        text_count(&scans, statement->full_scans);
        text_lit(&scans, " full scans");
        text_lit(out, ", ");
        paint_hue(out, paint, HUE_RED, text_c(&scans));
        text_lit(out, " of up to ");
        text_count(out, statement->scan_rows_max);
        text_lit(out, " rows");
        text_fini(&scans);
    }
    text_char(out, '\n');
}

static void tell_peaks(struct text *out, const struct report *report, const struct paint *paint)
{
    const struct store_stats *stores = &report->stats->stores;
    if (!stores->active_peak && !stores->connections_peak)
        return;
    label(out, paint, "at the peak");
    text_count(out, stores->active_peak);
    text_lit(out, " statements at once, ");
    text_count(out, stores->connections_peak);
    if (report->scenario->postgresql.max_connections) {
        text_lit(out, " of ");
        text_count(out, (uint64_t)report->scenario->postgresql.max_connections);
    }
    text_lit(out, " connections taken\n");
}

/* Whoever wants a row counts; it is worth a line when somebody had to wait. */
static void tell_locks(struct text *out, const struct store_stats *stores, const struct paint *paint)
{
    double p95 = histogram_quantile(&stores->lock_wait, 0.95);
    if (!stores->lock_timeouts && p95 < 1e-3)
        return;
    struct text gave_up = {0};
    text_count(&gave_up, stores->lock_timeouts);
    text_lit(&gave_up, " gave up");
    label(out, paint, "row locks");
    text_lit(out, "wait p95 ");
    figure_latency(out, p95);
    text_lit(out, " of ");
    text_count(out, stores->lock_wait.count);
    text_lit(out, ", ");
    paint_hue(out, paint, stores->lock_timeouts ? HUE_RED : HUE_NONE, text_c(&gave_up));
    text_char(out, '\n');
    text_fini(&gave_up);
}

static void tell_cache(struct text *out, const struct store_stats *stores, const struct paint *paint)
{
    uint64_t looked = stores->cache_hits + stores->cache_misses;
    if (!looked)
        return;
    label(out, paint, "product cache");
    figure_ratio(out, figure_share(stores->cache_hits, looked));
    text_lit(out, " of ");
    text_count(out, looked);
    text_lit(out, " look-ups hit\n");
}

void report_stores(struct text *out, const struct report *report, const struct paint *paint)
{
    const struct statement_stats *shown[STATEMENTS_SHOWN];
    size_t count = choose(report->stats, shown);
    if (!count)
        return;
    text_char(out, '\n');
    paint_hue(out, paint, HUE_BOLD, "database");
    text_char(out, '\n');
    for (size_t i = 0; i < count; i++)
        tell_statement(out, paint, shown[i]);
    tell_peaks(out, report, paint);
    tell_locks(out, &report->stats->stores, paint);
    tell_cache(out, &report->stats->stores, paint);
}
