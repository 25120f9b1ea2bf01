/* Metrics: sums, gauges and histograms. See edges/otlp_json.h. */
#include "edges/otlp_json_parts.h"

static void put_double(struct text *text, double value)
{
    text_reserve(text, JSON_NUMBER_ROOM);
    text->len = (size_t)(json_double(text->bytes + text->len, value) - text->bytes);
}

static void put_instant(const struct otlp_json *otlp, struct text *text, int64_t at_ns)
{
    text_char(text, '"');
    text_u64(text, otlp_json_unix_ns(otlp, at_ns));
    text_char(text, '"');
}

static void put_hex(struct text *text, uint64_t value)
{
    text_reserve(text, 16);
    text->len = (size_t)(json_hex64(text->bytes + text->len, value) - text->bytes);
}

static void put_exemplar(const struct otlp_json *otlp, struct text *text, const struct exemplar *exemplar)
{
    text_lit(text, ",\"exemplars\":[{\"timeUnixNano\":");
    put_instant(otlp, text, exemplar->at_ns);
    text_lit(text, ",\"asDouble\":");
    put_double(text, exemplar->value);
    text_lit(text, ",\"spanId\":\"");
    put_hex(text, exemplar->span);
    text_lit(text, "\",\"traceId\":\"");
    put_hex(text, exemplar->trace_hi);
    put_hex(text, exemplar->trace_lo);
    text_lit(text, "\"}]");
}

static void put_counts(struct text *text, const struct otlp_point *point)
{
    text_lit(text, "\"bucketCounts\":[");
    for (size_t i = 0; i < point->bucket_count; i++) {
        text_str(text, i ? ",\"" : "\"");
        text_u64(text, point->buckets[i]);
        text_char(text, '"');
    }
    text_char(text, ']');
}

static void put_exponential(struct text *text, const struct otlp_point *point)
{
    text_lit(text, ",\"zeroCount\":\"");
    text_u64(text, point->zeros);
    text_char(text, '"');
    if (!point->bucket_count)
        return;
    text_lit(text, ",\"scale\":");
    text_i64(text, point->scale);
    text_lit(text, ",\"positive\":{\"offset\":");
    text_i64(text, point->offset);
    text_char(text, ',');
    put_counts(text, point);
    text_char(text, '}');
}

static void put_explicit(struct text *text, const struct otlp_point *point)
{
    text_char(text, ',');
    put_counts(text, point);
    text_lit(text, ",\"explicitBounds\":[");
    for (size_t i = 0; i + 1 < point->bucket_count; i++) {
        if (i)
            text_char(text, ',');
        put_double(text, point->bounds[i]);
    }
    text_char(text, ']');
}

static void put_histogram(struct text *text, const struct otlp_point *point)
{
    text_lit(text, ",\"count\":\"");
    text_u64(text, point->count);
    text_lit(text, "\",\"sum\":");
    put_double(text, point->sum);
    if (point->has_range) {
        text_lit(text, ",\"min\":");
        put_double(text, point->min);
        text_lit(text, ",\"max\":");
        put_double(text, point->max);
    }
    if (point->bounds)
        put_explicit(text, point);
    else
        put_exponential(text, point);
}

static void put_point(const struct otlp_json *otlp, struct text *text, const struct series *series,
                      enum metric_kind kind, const struct otlp_point *point)
{
    text_lit(text, "{\"attributes\":");
    attrs_put(otlp, text, series->attrs, series->attr_count);
    if (kind != METRIC_GAUGE) {
        text_lit(text, ",\"startTimeUnixNano\":");
        put_instant(otlp, text, point->start_ns);
    }
    text_lit(text, ",\"timeUnixNano\":");
    put_instant(otlp, text, point->at_ns);
    if (kind == METRIC_HISTOGRAM) {
        put_histogram(text, point);
    } else {
        text_lit(text, ",\"asDouble\":");
        put_double(text, point->value);
    }
    if (point->has_exemplar)
        put_exemplar(otlp, text, &series->exemplar);
    text_char(text, '}');
}

/* Opens the metric: name, unit, and the kind of data with its list of points. */
static void put_metric(const struct otlp_json *otlp, struct text *text, const struct metric_info *info,
                       const struct otlp_point *point)
{
    text_lit(text, ",{\"name\":\"");
    text_str(text, info->name);
    text_lit(text, "\",\"description\":\"");
    text_str(text, info->description);
    text_lit(text, "\",\"unit\":\"");
    text_str(text, info->unit);
    text_lit(text, "\",");
    if (info->kind == METRIC_GAUGE) {
        text_lit(text, "\"gauge\":{\"dataPoints\":[");
        return;
    }
    text_str(text, info->kind != METRIC_HISTOGRAM ? "\"sum\":{"
                   : point->bounds                ? "\"histogram\":{"
                                                  : "\"exponentialHistogram\":{");
    text_lit(text, "\"aggregationTemporality\":");
    text_i64(text, otlp_points_temporality(&otlp->points, info->kind));
    if (info->kind != METRIC_HISTOGRAM)
        text_str(text, info->kind == METRIC_COUNTER ? ",\"isMonotonic\":true" : ",\"isMonotonic\":false");
    text_lit(text, ",\"dataPoints\":[");
}

/* The points of one metric of one service; a metric without any is left out. */
static unsigned put_series(struct otlp_json *otlp, const struct series *series, uint16_t service,
                           int64_t at_ns)
{
    const struct metric_info *info = metric_info(series->metric);
    struct text *text = NULL;
    struct otlp_point point;
    unsigned points = 0;
    for (size_t i = 0; series; series = series->next, i++) {
        if (series->service != service || !otlp_points_make(&otlp->points, series, i, at_ns, &point))
            continue;
        if (!text) {
            text = otlp_json_items(otlp, OTLP_METRICS, service);
            put_metric(otlp, text, info, &point);
        }
        if (points++)
            text_char(text, ',');
        put_point(otlp, text, series, info->kind, &point);
    }
    if (text)
        text_lit(text, "]}}");
    return points;
}

void otlp_json_more_metrics(struct otlp_json *otlp, const struct metrics *metrics, int64_t at_ns)
{
    uint16_t services = otlp_points_services(metrics);
    for (uint16_t service = 0; service < services; service++)
        for (size_t m = 0; m < METRIC_COUNT; m++)
            if (metrics->first[m] && metrics_tell(metrics, service))
                otlp->batches[OTLP_METRICS].items += put_series(otlp, metrics->first[m], service, at_ns);
}

void otlp_json_metrics(void *otlp_json, const struct metrics *metrics, int64_t at_ns)
{
    struct otlp_json *otlp = otlp_json;
    if (!otlp->wanted[OTLP_METRICS])
        return;
    otlp_json_more_metrics(otlp, metrics, at_ns);
    otlp_points_done(&otlp->points, at_ns);
    otlp_json_flush(otlp, OTLP_METRICS);
}
