#include "edges/report_timeline.h"

#include "edges/figures.h"

enum {
    ROWS_MAX = TABLE_POINTS_MAX * 2,
    ROWS_CHOSEN = 12, /* at most, where the scenario asks for no table */
    SIDE_BY_SIDE = 2,
    MINUTE_WIDTH = 6,
    PHASE_WIDTH = 11,
    PHASE_WIDTH_ALONE = 24, /* at most, beside one stream */
    RATE_WIDTH = 7,
    ERRORS_WIDTH = 8,
    BAR_WIDTH = 6,
    LATENCY_WIDTH = 8,
    NAME_WIDTH = 12,
    SPARKS_MAX = 60
};

struct rows {
    int64_t at_ns[ROWS_MAX];
    size_t count;
    bool minutes; /* whole minutes, not the points of the scenario */
};

/* Padding at the end of a line serves nobody. */
static void end_line(struct text *out)
{
    while (out->len && out->bytes[out->len - 1] == ' ')
        out->len--;
    text_char(out, '\n');
}

static void rows_add(struct rows *rows, int64_t at_ns)
{
    size_t at = rows->count;
    while (at > 0 && rows->at_ns[at - 1] > at_ns)
        at--;
    if ((at > 0 && rows->at_ns[at - 1] == at_ns) || rows->count == ROWS_MAX)
        return;
    memmove(&rows->at_ns[at + 1], &rows->at_ns[at], (rows->count - at) * sizeof rows->at_ns[0]);
    rows->at_ns[at] = at_ns;
    rows->count++;
}

static const struct window *row_window(const struct report *report, size_t stream, const struct rows *rows,
                                       size_t row)
{
    const struct stream_stats *stats = &report->stats->streams[stream];
    size_t minute = (size_t)(rows->at_ns[row] / NS_PER_MIN);
    if (rows->minutes || !report->scenario->streams[stream].table_count)
        return minute < stats->minute_count ? &stats->minutes[minute] : NULL;
    return stream_point(stats, &report->scenario->streams[stream], rows->at_ns[row]);
}

static bool was_played(const struct report *report, const struct rows *rows, size_t row)
{
    for (size_t s = 0; s < report->scenario->stream_count; s++) {
        const struct window *window = row_window(report, s, rows, row);
        if (window && window->requests)
            return true;
    }
    return false;
}

/* A run may begin late or be stopped early: rows before and after what was played say nothing. */
static void rows_trim(struct rows *rows, const struct report *report)
{
    size_t first = 0;
    while (rows->count && !was_played(report, rows, rows->count - 1))
        rows->count--;
    while (first < rows->count && !was_played(report, rows, first))
        first++;
    rows->count -= first;
    memmove(rows->at_ns, &rows->at_ns[first], rows->count * sizeof rows->at_ns[0]);
}

static void rows_of_minutes(struct rows *rows, const struct report *report)
{
    const struct stream_stats *streams = report->stats->streams;
    size_t first = streams[0].minute_count, end = 0;
    for (size_t s = 0; s < report->scenario->stream_count; s++)
        for (size_t m = 0; m < streams[s].minute_count; m++)
            if (streams[s].minutes[m].requests) {
                first = MIN(first, m);
                end = MAX(end, m + 1);
            }
    size_t every = (MAX(end, first) - first + ROWS_CHOSEN - 1) / ROWS_CHOSEN;
    *rows = (struct rows){.minutes = true};
    for (size_t m = first; m < end; m += every)
        rows_add(rows, (int64_t)m * NS_PER_MIN);
}

/* The points that these streams' tables have; where none of them was played, a dozen minutes of those that were. */
static void rows_of(struct rows *rows, const struct report *report, size_t first, size_t count)
{
    for (size_t s = first; s < first + count; s++)
        for (size_t i = 0; i < report->scenario->streams[s].table_count; i++)
            rows_add(rows, report->scenario->streams[s].table_ns[i]);
    rows_trim(rows, report);
    if (!rows->count)
        rows_of_minutes(rows, report);
}

/* Requests, share of errors with its bar, p95; the share's colour is the block's. */
static void block(struct text *out, const struct paint *paint, const struct window *window,
                  struct text *scratch)
{
    if (!window || !window->requests) {
        paint_right(out, paint, HUE_DIM, "-", RATE_WIDTH);
        paint_spaces(out, ERRORS_WIDTH + 1 + BAR_WIDTH + LATENCY_WIDTH);
        return;
    }
    double errors = figure_share(window->errors, window->requests);
    double minutes = (double)(window->to_ns - window->from_ns) / (double)NS_PER_MIN;
    enum hue hue = paint_error_hue(errors);
    scratch->len = 0;
    text_count(scratch, (uint64_t)((double)window->requests / minutes + 0.5));
    paint_right(out, paint, HUE_NONE, text_c(scratch), RATE_WIDTH);
    scratch->len = 0;
    figure_ratio(scratch, errors);
    paint_right(out, paint, hue, text_c(scratch), ERRORS_WIDTH);
    text_char(out, ' ');
    paint_bar(out, paint, hue, errors, BAR_WIDTH);
    scratch->len = 0;
    figure_answered(scratch, histogram_quantile(&window->latency, 0.95));
    paint_right(out, paint, HUE_NONE, text_c(scratch), LATENCY_WIDTH);
}

/* Beside two streams there is room for few letters. */
static size_t phase_width(const struct report *report, size_t streams)
{
    size_t width = PHASE_WIDTH;
    for (size_t i = 0; i < report->scenario->phase_count && streams == 1; i++)
        width = MAX(width, strlen(report->scenario->phases[i].name));
    return MIN(width, (size_t)PHASE_WIDTH_ALONE);
}

static void heading(struct text *out, const struct report *report, const struct paint *paint, size_t first,
                    size_t count)
{
    paint_spaces(out, MINUTE_WIDTH + 1 + phase_width(report, count));
    for (size_t s = first; s < first + count; s++) {
        paint_spaces(out, 3);
        paint_left(out, paint, HUE_BOLD, report->scenario->streams[s].name,
                   RATE_WIDTH + ERRORS_WIDTH + 1 + BAR_WIDTH + LATENCY_WIDTH - 3);
    }
    end_line(out);
    paint_right(out, paint, HUE_DIM, "minute", MINUTE_WIDTH);
    text_char(out, ' ');
    paint_left(out, paint, HUE_DIM, "phase", phase_width(report, count));
    for (size_t s = first; s < first + count; s++) {
        paint_right(out, paint, HUE_DIM, "/min", RATE_WIDTH);
        paint_right(out, paint, HUE_DIM, "errors", ERRORS_WIDTH);
        paint_spaces(out, 1 + BAR_WIDTH);
        paint_right(out, paint, HUE_DIM, "p95", LATENCY_WIDTH);
    }
    text_char(out, '\n');
}

static void row_label(struct text *out, const struct report *report, const struct paint *paint,
                      size_t streams, int64_t at_ns, struct text *scratch)
{
    const struct scenario *scenario = report->scenario;
    scratch->len = 0;
    if (at_ns % NS_PER_MIN)
        text_clock(scratch, at_ns);
    else
        text_i64(scratch, at_ns / NS_PER_MIN);
    paint_right(out, paint, HUE_NONE, text_c(scratch), MINUTE_WIDTH);
    text_char(out, ' ');
    const char *phase = scenario->phase_count ? scenario->phases[scenario_phase(scenario, at_ns)].name : "";
    paint_left(out, paint, HUE_NONE, phase, phase_width(report, streams));
}

static void table(struct text *out, const struct report *report, const struct paint *paint, size_t first,
                  size_t count)
{
    struct rows rows = {0};
    struct text scratch = {0};
    rows_of(&rows, report, first, count);
    heading(out, report, paint, first, count);
    for (size_t row = 0; row < rows.count; row++) {
        row_label(out, report, paint, count, rows.at_ns[row], &scratch);
        for (size_t s = first; s < first + count; s++)
            block(out, paint, row_window(report, s, &rows, row), &scratch);
        end_line(out);
    }
    text_fini(&scratch);
}

/* One bar for so many minutes that all fit. */
static void sparks(struct text *out, const struct report *report, const struct paint *paint, size_t stream,
                   size_t per_spark)
{
    const struct stream_stats *stats = &report->stats->streams[stream];
    paint_spaces(out, 2);
    paint_left(out, paint, HUE_NONE, report->scenario->streams[stream].name, NAME_WIDTH);
    text_char(out, ' ');
    for (size_t m = 0; m < stats->minute_count; m += per_spark) {
        uint64_t requests = 0, errors = 0;
        for (size_t i = m; i < MIN(m + per_spark, stats->minute_count); i++) {
            requests += stats->minutes[i].requests;
            errors += stats->minutes[i].errors;
        }
        double ratio = figure_share(errors, requests);
        if (requests)
            paint_spark(out, paint, paint_error_hue(ratio), ratio);
        else
            text_char(out, ' ');
    }
    end_line(out);
}

static void spark_lines(struct text *out, const struct report *report, const struct paint *paint)
{
    size_t minutes = report->stats->streams[0].minute_count;
    size_t per_spark = MAX((minutes + SPARKS_MAX - 1) / SPARKS_MAX, 1u);
    if (minutes < 3)
        return;
    struct text title = {0};
    text_lit(&title, "errors, one mark ");
    if (per_spark == 1) {
        text_lit(&title, "a minute");
    } else {
        text_lit(&title, "for ");
        text_u64(&title, per_spark);
        text_lit(&title, " minutes");
    }
    text_char(out, '\n');
    paint_hue(out, paint, HUE_DIM, text_c(&title));
    text_char(out, '\n');
    text_fini(&title);
    for (size_t s = 0; s < report->scenario->stream_count; s++)
        sparks(out, report, paint, s, per_spark);
}

void report_timeline(struct text *out, const struct report *report, const struct paint *paint)
{
    size_t streams = report->scenario->stream_count;
    for (size_t s = 0; s < streams; s += SIDE_BY_SIDE) {
        text_char(out, '\n');
        table(out, report, paint, s, MIN(streams - s, (size_t)SIDE_BY_SIDE));
    }
    if (streams)
        spark_lines(out, report, paint);
}
