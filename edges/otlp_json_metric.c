/* Metrics: cumulative sums, gauges and exponential histograms. See edges/otlp_json.h. */
#include "edges/otlp_json_parts.h"

enum { BUCKETS_MAX = 160 }; /* as SDKs have it by default */

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

/* Buckets from the first to the last that is not empty, neighbours merged until they are few enough:
   a scale less joins buckets 2i and 2i + 1 exactly. */
static void put_buckets(struct text *text, const struct histogram *histogram)
{
    int first = 0, last = HISTOGRAM_BUCKETS - 1, merge = 0;
    while (first < last && !histogram->buckets[first])
        first++;
    while (last > first && !histogram->buckets[last])
        last--;
    /* OTLP's index of bucket 0 is negative; counting from a multiple of every merge keeps it whole. */
    const int zero = HISTOGRAM_LOWEST * HISTOGRAM_PER_OCTAVE;
    while ((last >> merge) - (first >> merge) >= BUCKETS_MAX)
        merge++;
    _Static_assert(HISTOGRAM_LOWEST * HISTOGRAM_PER_OCTAVE % 16 == 0 && HISTOGRAM_BUCKETS >> 4 <= BUCKETS_MAX,
                   "merging sixteen is always enough");

    text_lit(text, ",\"scale\":");
    text_i64(text, HISTOGRAM_SCALE - merge);
    text_lit(text, ",\"positive\":{\"offset\":");
    text_i64(text, (first >> merge) + zero / (1 << merge));
    text_lit(text, ",\"bucketCounts\":[");
    for (int bucket = first >> merge; bucket <= last >> merge; bucket++) {
        uint64_t count = 0;
        for (int i = bucket << merge; i < (bucket + 1) << merge; i++)
            count += histogram->buckets[i];
        if (bucket > first >> merge)
            text_char(text, ',');
        text_char(text, '"');
        text_u64(text, count);
        text_char(text, '"');
    }
    text_lit(text, "]}");
}

static void put_histogram(struct text *text, const struct histogram *histogram)
{
    text_lit(text, ",\"count\":\"");
    text_u64(text, histogram->count);
    text_lit(text, "\",\"sum\":");
    put_double(text, histogram->sum);
    text_lit(text, ",\"min\":");
    put_double(text, histogram->min);
    text_lit(text, ",\"max\":");
    put_double(text, histogram->max);
    text_lit(text, ",\"zeroCount\":\"");
    text_u64(text, histogram->zeros);
    text_char(text, '"');
    if (histogram->count > histogram->zeros)
        put_buckets(text, histogram);
}

static void put_point(const struct otlp_json *otlp, struct text *text, const struct series *series,
                      enum metric_kind kind, int64_t at_ns)
{
    text_lit(text, "{\"attributes\":");
    attrs_put(otlp, text, series->attrs, series->attr_count);
    if (kind != METRIC_GAUGE) {
        text_lit(text, ",\"startTimeUnixNano\":");
        put_instant(otlp, text, 0);
    }
    text_lit(text, ",\"timeUnixNano\":");
    put_instant(otlp, text, at_ns);
    if (kind == METRIC_HISTOGRAM) {
        put_histogram(text, series->histogram);
    } else {
        text_lit(text, ",\"asDouble\":");
        put_double(text, series->value);
    }
    if (series->exemplar.trace_hi | series->exemplar.trace_lo)
        put_exemplar(otlp, text, &series->exemplar);
    text_char(text, '}');
}

/* Opens the metric: name, unit, and the kind of data with its list of points. */
static void put_metric(struct text *text, const struct metric_info *info)
{
    static const char *const data[] = {
        [METRIC_COUNTER] = "\"sum\":{\"aggregationTemporality\":2,\"isMonotonic\":true,\"dataPoints\":[",
        [METRIC_UPDOWN] = "\"sum\":{\"aggregationTemporality\":2,\"isMonotonic\":false,\"dataPoints\":[",
        [METRIC_GAUGE] = "\"gauge\":{\"dataPoints\":[",
        [METRIC_HISTOGRAM] = "\"exponentialHistogram\":{\"aggregationTemporality\":2,\"dataPoints\":[",
    };
    text_lit(text, ",{\"name\":\"");
    text_str(text, info->name);
    text_lit(text, "\",\"description\":\"");
    text_str(text, info->description);
    text_lit(text, "\",\"unit\":\"");
    text_str(text, info->unit);
    text_lit(text, "\",");
    text_str(text, data[info->kind]);
}

/* A histogram in which nothing was counted has no point yet. */
static bool has_point(const struct series *series)
{
    return !series->histogram || series->histogram->count;
}

/* The points of one metric of one service; a metric without any is left out. */
static unsigned put_series(struct otlp_json *otlp, const struct series *series, uint16_t service,
                           int64_t at_ns)
{
    const struct metric_info *info = metric_info(series->metric);
    struct text *text = NULL;
    unsigned points = 0;
    for (; series; series = series->next) {
        if (series->service != service || !has_point(series))
            continue;
        if (!text) {
            text = otlp_json_items(otlp, OTLP_METRICS, service);
            put_metric(text, info);
        }
        if (points++)
            text_char(text, ',');
        put_point(otlp, text, series, info->kind, at_ns);
    }
    if (text)
        text_lit(text, "]}}");
    return points;
}

void otlp_json_metrics(void *otlp_json, const struct metrics *metrics, int64_t at_ns)
{
    struct otlp_json *otlp = otlp_json;
    if (otlp->options.fds[OTLP_METRICS] < 0)
        return;
    uint16_t services = 0;
    for (size_t m = 0; m < METRIC_COUNT; m++)
        for (const struct series *series = metrics->first[m]; series; series = series->next)
            services = (uint16_t)MAX(services, series->service + 1);
    for (uint16_t service = 0; service < services; service++)
        for (size_t m = 0; m < METRIC_COUNT; m++)
            if (metrics->first[m])
                otlp->batches[OTLP_METRICS].items += put_series(otlp, metrics->first[m], service, at_ns);
    otlp_json_flush(otlp, OTLP_METRICS);
}
