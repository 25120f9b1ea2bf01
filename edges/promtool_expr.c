#include "edges/promtool_expr.h"

#include "core/probe.h"
#include "core/world.h"
#include "edges/json_out.h"

enum label_text { LABEL_NONE, LABEL_STREAM, LABEL_POOL, LABEL_STATEMENT, LABEL_BODY, LABEL_FIXED };

#define POOL "db_client_connection_pool_name"

/* Where a series' figure is told; a distribution's name is that of its buckets, without the ending. */
static const struct source {
    enum probe_kind kind;
    const char *metric, *label;
    enum label_text text;
    const char *fixed; /* further labels, or the text */
} sources[] = {
    {PROBE_REQUESTS, "load_requests_ended_total", "load_stream", LABEL_STREAM, NULL},
    {PROBE_ERRORS, "load_requests_failed_total", "load_stream", LABEL_STREAM, NULL},
    {PROBE_LATENCY, "load_request_duration_seconds", "load_stream", LABEL_STREAM, NULL},
    {PROBE_POOL_WAITERS, "pool_waiters_peak", POOL, LABEL_POOL, NULL},
    {PROBE_POOL_USED, "db_client_connections", POOL, LABEL_POOL, "db_client_connection_state=\"used\""},
    {PROBE_POOL_TIMEOUTS, "db_client_connection_timeouts_total", POOL, LABEL_POOL, NULL},
    {PROBE_POOL_WAIT, "pool_acquire_duration_seconds", POOL, LABEL_POOL, NULL},
    {PROBE_QUERY_LATENCY, "db_statement_duration_seconds", "db_statement_name", LABEL_STATEMENT, NULL},
    {PROBE_DATABASE_ACTIVE, "db_statements_peak", NULL, LABEL_NONE, NULL},
    {PROBE_DATABASE_CONNECTIONS, "db_connections_peak", NULL, LABEL_NONE, NULL},
    {PROBE_LOCK_WAIT, "db_lock_wait_time_seconds", NULL, LABEL_NONE, NULL},
    {PROBE_LOCK_TIMEOUTS, "db_lock_timeouts_total", NULL, LABEL_NONE, NULL},
    {PROBE_CACHE_HITS, "cache_lookups_total", "cache_outcome", LABEL_FIXED, "hit"},
    {PROBE_SCRIPT_RATE, "demo_failure_rate", NULL, LABEL_NONE, NULL},
    {PROBE_LOGS, "log_records_total", "log_body", LABEL_BODY, NULL},
    {PROBE_ORDERS, "shop_orders_total", "shop_outcome", LABEL_FIXED, "created"},
    {PROBE_REVENUE, "shop_revenue_usd_total", NULL, LABEL_NONE, NULL},
    {PROBE_SOLD_OUT, "shop_orders_total", "shop_outcome", LABEL_FIXED, "sold_out"},
    {PROBE_ABANDONED, "shop_cart_abandoned_total", NULL, LABEL_NONE, NULL},
    {PROBE_HOT_SOLD, "shop_hot_product_sold_total", NULL, LABEL_NONE, NULL},
    {PROBE_HOT_LEFT, "shop_hot_product_left", NULL, LABEL_NONE, NULL},
};

/* ---- words ---- */

void promtool_number(struct text *out, double value)
{
    text_reserve(out, JSON_NUMBER_ROOM);
    out->len = (size_t)(json_double(out->bytes + out->len, value) - out->bytes);
}

void promtool_window(struct text *out, int64_t over_ns, bool range)
{
    text_duration(out, over_ns / WORLD_SAMPLE_NS * WORLD_SAMPLE_NS + (range ? NS_PER_S : 0));
}

static void put_ident(struct text *out, const char *name)
{
    size_t from = out->len;
    text_str(out, name);
    for (size_t i = from; i < out->len; i++)
        if (out->bytes[i] == '-')
            out->bytes[i] = '_';
        else if (out->bytes[i] == '.')
            out->bytes[i] = ':';
}

static bool same_ident(const char *a, const char *b)
{
    while (*a && (*a == *b || (strchr("-_", *a) && *b && strchr("-_", *b)))) {
        a++;
        b++;
    }
    return *a == *b;
}

void promtool_ident(struct text *out, const char *name, size_t place,
                    const char *(*name_at)(const void *, size_t), const void *list)
{
    bool taken = false;
    for (size_t i = 0; i < place && !taken; i++)
        taken = same_ident(name_at(list, i), name);
    put_ident(out, name);
    if (taken) {
        text_lit(out, "__");
        text_u64(out, place);
    }
}

static const char *stream_name(const void *list, size_t place)
{
    return ((const struct stream_spec *)list)[place].name;
}

/* doorbuster:demo:errors */
static void put_name(struct text *out, const struct promtool_rules *rules, const struct probe *probe)
{
    const struct stream_spec *streams = rules->scenario->streams;
    text_lit(out, "doorbuster:");
    if (!probe_of_stream(probe->kind) || probe->index < 0) {
        put_ident(out, probe->name);
        return;
    }
    size_t place = (size_t)probe->index;
    promtool_ident(out, streams[place].name, place, stream_name, streams);
    put_ident(out, strrchr(probe->name, '.'));
}

/* ---- where a figure is told ---- */

static const struct source *source_of(enum probe_kind kind)
{
    for (size_t i = 0; i < ARRAY_LEN(sources); i++)
        if (sources[i].kind == kind)
            return &sources[i];
    ASSERT(!"the loader refuses alerts on it");
    return NULL;
}

static const char *label_text(const struct promtool_rules *rules, const struct source *source,
                              const struct probe *probe)
{
    switch (source->text) {
    case LABEL_STREAM:
        return probe->index < 0 ? NULL : rules->scenario->streams[probe->index].name;
    case LABEL_POOL:
        return probe->pool;
    case LABEL_STATEMENT:
        return rules->registry->statements[probe->index].name;
    case LABEL_BODY:
        return strrchr(probe->name, '.') + 1;
    case LABEL_FIXED:
        return source->fixed;
    case LABEL_NONE:
        break;
    }
    return NULL;
}

/* sum(metric{labels}); `ending` and `le` for a distribution's buckets. */
static void put_sum(struct text *out, const struct promtool_rules *rules, const struct probe *probe,
                    const char *ending, double le)
{
    const struct source *source = source_of(probe->kind);
    const char *text = label_text(rules, source, probe), *comma = "";
    text_lit(out, "sum(");
    text_str(out, source->metric);
    text_str(out, ending);
    text_char(out, '{');
    if (text) {
        text_str(out, source->label);
        text_lit(out, "=\"");
        text_str(out, text);
        text_char(out, '"');
        comma = ",";
    }
    if (source->fixed && source->text != LABEL_FIXED) {
        text_str(out, comma);
        text_str(out, source->fixed);
        comma = ",";
    }
    if (le > 0) {
        text_str(out, comma);
        text_lit(out, "le=\"");
        promtool_number(out, le);
        text_char(out, '"');
    }
    if (out->bytes[out->len - 1] == '{')
        out->len--;
    else
        text_char(out, '}');
    text_char(out, ')');
}

bool promtool_record(struct promtool_rules *rules, const char *name, const char *expr)
{
    struct text line = {0};
    if (!rules->written.len)
        text_char(&rules->written, '\n');
    text_char(&line, '\n');
    text_str(&line, name);
    text_char(&line, '\n');
    bool there = strstr(text_c(&rules->written), text_c(&line)) != NULL;
    if (!there) {
        text_str(&rules->written, text_c(&line) + 1);
        text_lit(rules->yaml, "      - record: ");
        text_str(rules->yaml, name);
        text_lit(rules->yaml, "\n        expr: ");
        text_str(rules->yaml, expr);
        text_char(rules->yaml, '\n');
    }
    text_fini(&line);
    return !there;
}

/* NAME:5m, what NAME grew by. */
static void record_growth(struct promtool_rules *rules, const char *name, int64_t over_ns, struct text *out)
{
    struct text expr = {0}, window = {0};
    promtool_window(&window, over_ns, false);
    text_str(out, name);
    text_char(out, ':');
    text_str(out, text_c(&window));
    text_str(&expr, name);
    text_lit(&expr, " - (");
    text_str(&expr, name);
    text_lit(&expr, " offset ");
    text_str(&expr, text_c(&window));
    text_lit(&expr, " or ");
    text_str(&expr, name);
    text_lit(&expr, " * 0)");
    promtool_record(rules, text_c(out), text_c(&expr));
    text_fini(&expr);
    text_fini(&window);
}

static void record_sum_as(struct promtool_rules *rules, const struct probe *probe, const char *name,
                          const char *ending, double le)
{
    struct text expr = {0};
    put_sum(&expr, rules, probe, ending, le);
    promtool_record(rules, name, text_c(&expr));
    text_fini(&expr);
}

/* The growth of a counter over the window; into `out` its name. */
static void record_counter(struct promtool_rules *rules, const struct probe *probe, int64_t over_ns,
                           struct text *out)
{
    struct text name = {0};
    put_name(&name, rules, probe);
    record_sum_as(rules, probe, text_c(&name), "", 0);
    record_growth(rules, text_c(&name), over_ns, out);
    text_fini(&name);
}

/* ---- kinds of figures ---- */

/* Nothing to divide by is a ratio of 0, as it is in the run. */
static void record_ratio(struct promtool_rules *rules, const char *top, const char *bottom, struct text *out)
{
    struct text expr = {0};
    text_str(&expr, top);
    text_lit(&expr, " / (");
    text_str(&expr, bottom);
    text_lit(&expr, " > 0) or ");
    text_str(&expr, top);
    text_lit(&expr, " * 0");
    promtool_record(rules, text_c(out), text_c(&expr));
    text_fini(&expr);
}

static void record_per(struct promtool_rules *rules, const struct probe *series, const struct probe *per,
                       int64_t over_ns, struct text *out)
{
    struct text top = {0}, bottom = {0};
    record_counter(rules, series, over_ns, &top);
    record_counter(rules, per, over_ns, &bottom);
    put_name(out, rules, series);
    text_lit(out, ":per:");
    text_str(out, strchr(text_c(&bottom), ':') + 1);
    record_ratio(rules, text_c(&top), text_c(&bottom), out);
    text_fini(&top);
    text_fini(&bottom);
}

static const char *base_name(const struct probe *probe)
{
    return probe->kind == PROBE_CACHE_HITS ? "cache.lookups" : "all.requests";
}

/* Errors of requests, hits of look-ups. */
static void record_own_ratio(struct promtool_rules *rules, const struct probe *series, int64_t over_ns,
                             struct text *out)
{
    struct text top = {0}, total = {0}, bottom = {0}, expr = {0};
    record_counter(rules, series, over_ns, &top);
    if (series->kind == PROBE_CACHE_HITS || series->index < 0) {
        text_lit(&total, "doorbuster:");
        put_ident(&total, base_name(series));
        text_str(&expr, series->kind == PROBE_CACHE_HITS ? "sum(cache_lookups_total)"
                                                         : "sum(load_requests_ended_total)");
        promtool_record(rules, text_c(&total), text_c(&expr));
        record_growth(rules, text_c(&total), over_ns, &bottom);
    } else {
        struct probe requests = *series;
        requests.kind = PROBE_REQUESTS;
        requests.name = ".requests";
        record_counter(rules, &requests, over_ns, &bottom);
    }
    put_name(out, rules, series);
    text_lit(out, ":ratio_");
    promtool_window(out, over_ns, false);
    record_ratio(rules, text_c(&top), text_c(&bottom), out);
    text_fini(&top);
    text_fini(&total);
    text_fini(&bottom);
    text_fini(&expr);
}

void promtool_error_ratio(struct promtool_rules *rules, int stream, int64_t over_ns, struct text *out)
{
    struct probe errors = {.kind = PROBE_ERRORS, .index = stream, .name = "all.errors"};
    record_own_ratio(rules, &errors, over_ns, out);
}

static void record_level(struct promtool_rules *rules, const struct condition *condition, struct text *out)
{
    struct text expr = {0};
    put_name(out, rules, &condition->series);
    record_sum_as(rules, &condition->series, text_c(out), "", 0);
    if (condition->over_ns) {
        text_lit(&expr, "max_over_time(");
        text_str(&expr, text_c(out));
        text_char(&expr, '[');
        promtool_window(&expr, condition->over_ns, true);
        text_lit(&expr, "])");
        text_lit(out, ":max_");
        promtool_window(out, condition->over_ns, false);
        promtool_record(rules, text_c(out), text_c(&expr));
    }
    text_fini(&expr);
}

/* p95 above 500 ms: fewer than 95 % of the durations lie within 500 ms. No quantile is interpolated. */
static void compare_quantile(struct promtool_rules *rules, const struct condition *condition, bool truth,
                             struct text *out)
{
    struct text name = {0}, within = {0}, all = {0};
    size_t len;
    put_name(&name, rules, &condition->series);
    len = name.len;
    text_lit(&name, ":within_");
    text_duration(&name, (int64_t)(condition->bound * (double)NS_PER_S + 0.5));
    for (size_t i = len; i < name.len; i++)
        if (name.bytes[i] == '.')
            name.bytes[i] = '_';
    record_sum_as(rules, &condition->series, text_c(&name), "_bucket", condition->bound);
    record_growth(rules, text_c(&name), condition->over_ns, &within);
    name.len = len;
    text_lit(&name, ":count");
    record_sum_as(rules, &condition->series, text_c(&name), "_count", 0);
    record_growth(rules, text_c(&name), condition->over_ns, &all);
    text_str(out, text_c(&within));
    text_str(out, condition->below ? " >= " : " < ");
    text_str(out, truth ? "bool " : "");
    promtool_number(out, condition->quantile);
    text_lit(out, " * ");
    text_str(out, text_c(&all));
    if (condition->below) { /* of nothing there is no quantile */
        text_str(out, truth ? " * (" : " and ");
        text_str(out, text_c(&all));
        text_str(out, truth ? " > bool 0)" : " > 0");
    }
    text_fini(&name);
    text_fini(&within);
    text_fini(&all);
}

void promtool_compare(struct promtool_rules *rules, const struct condition *condition, bool truth,
                      struct text *out)
{
    const struct probe_type *type = probe_type(condition->series.kind);
    struct text name = {0};
    if (type->nature == PROBE_DISTRIBUTION) {
        compare_quantile(rules, condition, truth, out);
        return;
    }
    if (type->nature == PROBE_LEVEL)
        record_level(rules, condition, &name);
    else if (condition->per.name)
        record_per(rules, &condition->series, &condition->per, condition->over_ns, &name);
    else if (type->unit == PROBE_RATE)
        record_own_ratio(rules, &condition->series, condition->over_ns, &name);
    else
        record_counter(rules, &condition->series, condition->over_ns, &name);
    text_str(out, text_c(&name));
    text_str(out, condition->below ? " < " : " > ");
    text_str(out, truth ? "bool " : "");
    promtool_number(out, condition->bound);
    text_fini(&name);
}
