/* fork: the difference, as text and as JSON. */
#include "edges/fork.h"

#include "edges/figures.h"
#include "edges/json_put.h"

enum { LABEL_WIDTH = 30, VALUE_WIDTH = 18 };

struct table {
    struct text *out;
    const struct paint *paint;
    const struct report *of[2]; /* as it was, with the change */
    const struct fork *fork;
};

/* ---- text ---- */

static void row(const struct table *table, const char *label, struct text value[2], const enum hue hue[2])
{
    text_lit(table->out, "  ");
    paint_left(table->out, table->paint, HUE_NONE, label, LABEL_WIDTH);
    for (int i = 0; i < 2; i++) {
        paint_right(table->out, table->paint, hue[i], text_c(&value[i]), VALUE_WIDTH);
        text_fini(&value[i]);
        value[i] = (struct text){0};
    }
    text_char(table->out, '\n');
}

static void heading(const struct table *table)
{
    struct text title = {0};
    text_lit(&title, "fork at ");
    text_clock(&title, table->fork->at_ns);
    text_lit(&title, ": ");
    text_str(&title, table->fork->change);
    text_char(table->out, '\n');
    paint_hue(table->out, table->paint, HUE_BOLD, text_c(&title));
    text_lit(table->out, "\n  ");
    paint_spaces(table->out, LABEL_WIDTH);
    paint_right(table->out, table->paint, HUE_DIM, "as it was", VALUE_WIDTH);
    paint_right(table->out, table->paint, HUE_DIM, "with the change", VALUE_WIDTH);
    text_char(table->out, '\n');
    text_fini(&title);
}

static void stream_rows(const struct table *table, size_t stream)
{
    struct text label = {0}, errors[2] = {0}, p95[2] = {0}, last[2] = {0};
    static const enum hue plain[2] = {HUE_NONE, HUE_NONE};
    const char *name = table->of[0]->scenario->streams[stream].name;
    enum hue hue[2];
    for (int i = 0; i < 2; i++) {
        struct fork_stream since = fork_stream(table->of[i], table->fork, stream);
        double ratio = figure_share(since.errors, since.requests);
        hue[i] = paint_error_hue(ratio);
        text_count(&errors[i], since.errors);
        text_lit(&errors[i], " (");
        figure_ratio(&errors[i], ratio);
        text_char(&errors[i], ')');
        figure_answered(&p95[i], since.p95);
        figure_answered(&last[i], since.last_p95);
    }
    text_str(&label, name);
    text_lit(&label, ": errors from ");
    text_clock(&label, table->fork->at_ns);
    text_lit(&label, " on");
    row(table, text_c(&label), errors, hue);
    label.len = 0;
    text_str(&label, name);
    text_lit(&label, ": p95 from ");
    text_clock(&label, table->fork->at_ns);
    text_lit(&label, " on");
    row(table, text_c(&label), p95, plain);
    label.len = 0;
    text_str(&label, name);
    text_lit(&label, ": p95, last ");
    text_u64(&label, FORK_LAST_MINUTES);
    text_lit(&label, " minutes");
    row(table, text_c(&label), last, plain);
    text_fini(&label);
}

/* Of the whole run: what was lost before the change cannot be won back. */
static void business_rows(const struct table *table)
{
    static const enum hue plain[2] = {HUE_NONE, HUE_NONE};
    struct text orders[2] = {0}, lost[2] = {0}, revenue[2] = {0}, revenue_lost[2] = {0};
    bool any = false;
    for (int i = 0; i < 2; i++) {
        struct business_figures figures = report_business(table->of[i]);
        text_count(&orders[i], figures.orders);
        text_count(&lost[i], figures.checkouts_failed);
        figure_usd(&revenue[i], figures.revenue_cents);
        figure_usd(&revenue_lost[i], (int64_t)(figures.revenue_lost * 100 + 0.5));
        any |= figures.orders || figures.checkouts;
    }
    if (any) {
        row(table, "orders", orders, plain);
        row(table, "checkouts lost", lost, plain);
        row(table, "revenue", revenue, plain);
        row(table, "revenue lost, about", revenue_lost, plain);
    }
    for (int i = 0; i < 2; i++) {
        text_fini(&orders[i]);
        text_fini(&lost[i]);
        text_fini(&revenue[i]);
        text_fini(&revenue_lost[i]);
    }
}

static void alert_row(const struct table *table, size_t alert)
{
    struct text label = {0}, fired[2] = {0};
    enum hue hue[2];
    for (int i = 0; i < 2; i++) {
        const struct alert_stats *stats = &table->of[i]->stats->alerts[alert];
        hue[i] = stats->fired ? HUE_RED : HUE_GREEN;
        if (!stats->fired) {
            text_lit(&fired[i], "does not fire");
            continue;
        }
        text_clock(&fired[i], stats->fired_at_ns);
        if (stats->resolved_at_ns == NEVER)
            continue;
        text_lit(&fired[i], " to ");
        text_clock(&fired[i], stats->resolved_at_ns);
    }
    text_str(&label, table->of[0]->scenario->alerts[alert].name);
    row(table, text_c(&label), fired, hue);
    text_fini(&label);
}

void fork_text(struct text *out, const struct report *report, const struct fork *fork,
               const struct paint *paint)
{
    struct table table = {out, paint, {report, fork->changed}, fork};
    heading(&table);
    for (size_t i = 0; i < report->scenario->stream_count; i++)
        stream_rows(&table, i);
    business_rows(&table);
    for (size_t i = 0; i < report->scenario->alert_count; i++)
        alert_row(&table, i);
}

/* ---- JSON: every figure as {"without": ..., "with": ...} the change ---- */

typedef void put_figure(json_t *object, const char *key, double value);

static void put_whole(json_t *object, const char *key, double value)
{
    json_put_count(object, key, (uint64_t)value);
}

static void put_pair(json_t *object, const char *key, put_figure *put, double without, double with)
{
    json_t *pair = json_object();
    put(pair, "without", without);
    put(pair, "with", with);
    json_put(object, key, pair);
}

static void put_instants(json_t *object, const char *key, int64_t without_ns, int64_t with_ns)
{
    json_t *pair = json_object();
    json_put_seconds(pair, "without", without_ns);
    json_put_seconds(pair, "with", with_ns);
    json_put(object, key, pair);
}

static json_t *minutes_of(const struct report *without, const struct report *with, const struct fork *fork,
                          size_t stream)
{
    const struct stream_stats *a = &without->stats->streams[stream], *b = &with->stats->streams[stream];
    json_t *all = json_array();
    for (size_t m = 0; m < MIN(a->minute_count, b->minute_count); m++) {
        if (a->minutes[m].to_ns <= fork->at_ns)
            continue;
        json_t *minute = json_object();
        json_put_count(minute, "minute", m);
        put_pair(minute, "error_rate", json_put_ratio,
                 figure_share(a->minutes[m].errors, a->minutes[m].requests),
                 figure_share(b->minutes[m].errors, b->minutes[m].requests));
        put_pair(minute, "p95_ms", json_put_ms, histogram_quantile(&a->minutes[m].latency, 0.95),
                 histogram_quantile(&b->minutes[m].latency, 0.95));
        json_add(all, minute);
    }
    return all;
}

static json_t *streams(const struct report *without, const struct report *with, const struct fork *fork)
{
    json_t *all = json_object();
    for (size_t i = 0; i < without->scenario->stream_count; i++) {
        struct fork_stream a = fork_stream(without, fork, i), b = fork_stream(with, fork, i);
        json_t *stream = json_object();
        put_pair(stream, "requests", put_whole, (double)a.requests, (double)b.requests);
        put_pair(stream, "errors", put_whole, (double)a.errors, (double)b.errors);
        put_pair(stream, "error_rate", json_put_ratio, figure_share(a.errors, a.requests),
                 figure_share(b.errors, b.requests));
        put_pair(stream, "p95_ms", json_put_ms, a.last_p95, b.last_p95);
        put_pair(stream, "p95_since_ms", json_put_ms, a.p95, b.p95);
        json_put(stream, "minutes", minutes_of(without, with, fork, i));
        json_put(all, without->scenario->streams[i].name, stream);
    }
    return all;
}

static json_t *business(const struct report *without, const struct report *with)
{
    struct business_figures a = report_business(without), b = report_business(with);
    json_t *all = json_object();
    put_pair(all, "orders", put_whole, (double)a.orders, (double)b.orders);
    put_pair(all, "checkouts_failed", put_whole, (double)a.checkouts_failed, (double)b.checkouts_failed);
    put_pair(all, "sold_out", put_whole, (double)a.sold_out, (double)b.sold_out);
    put_pair(all, "revenue", json_put_usd, a.revenue, b.revenue);
    put_pair(all, "revenue_lost", json_put_usd, a.revenue_lost, b.revenue_lost);
    return all;
}

static json_t *alerts(const struct report *without, const struct report *with)
{
    json_t *all = json_array();
    for (size_t i = 0; i < without->scenario->alert_count; i++) {
        const struct alert_stats *a = &without->stats->alerts[i], *b = &with->stats->alerts[i];
        json_t *alert = json_object();
        json_put_text(alert, "name", without->scenario->alerts[i].name);
        put_instants(alert, "fired_at_s", a->fired ? a->fired_at_ns : NEVER,
                     b->fired ? b->fired_at_ns : NEVER);
        put_instants(alert, "resolved_at_s", a->fired ? a->resolved_at_ns : NEVER,
                     b->fired ? b->resolved_at_ns : NEVER);
        json_add(all, alert);
    }
    return all;
}

json_t *fork_json(const struct report *report, const struct fork *fork)
{
    json_t *root = json_object();
    json_put_seconds(root, "at_s", fork->at_ns);
    json_put_text(root, "change", fork->change);
    json_put_count(root, "p95_minutes", FORK_LAST_MINUTES);
    json_put(root, "streams", streams(report, fork->changed, fork));
    json_put(root, "business", business(report, fork->changed));
    json_put(root, "alerts", alerts(report, fork->changed));
    return root;
}
