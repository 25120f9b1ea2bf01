#include "edges/otlp_points.h"

#include <stdlib.h>

enum { TEMPORALITY_DELTA = 1, TEMPORALITY_CUMULATIVE = 2 };

struct otlp_before {
    double value;
    struct histogram *histogram;
};

static const double http_bounds[] = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
                                     0.5,   0.75, 1,     2.5,  5,     7.5, 10};
static const double db_bounds[] = {0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10};
static const double default_bounds[] = {0,   5,   10,   25,   50,   75,   100,  250,
                                        500, 750, 1000, 2500, 5000, 7500, 10000};

struct bounds {
    const double *list;
    size_t count;
};

/* As the conventions advise; they advise nothing for waits of a pool and values in dollars: those of
   durations, and those that SDKs have by default. */
static struct bounds bounds_of(enum metric_id metric)
{
    if (metric == METRIC_HTTP_SERVER_DURATION || metric == METRIC_HTTP_CLIENT_DURATION)
        return (struct bounds){http_bounds, ARRAY_LEN(http_bounds)};
    if (!strcmp(metric_info(metric)->unit, "s"))
        return (struct bounds){db_bounds, ARRAY_LEN(db_bounds)};
    return (struct bounds){default_bounds, ARRAY_LEN(default_bounds)};
}

static bool is_delta(const struct otlp_points *points, enum metric_kind kind)
{
    return points->options.delta && (kind == METRIC_COUNTER || kind == METRIC_HISTOGRAM);
}

int otlp_points_temporality(const struct otlp_points *points, enum metric_kind kind)
{
    return is_delta(points, kind) ? TEMPORALITY_DELTA : TEMPORALITY_CUMULATIVE;
}

/* Buckets from the first to the last that is not empty, neighbours merged until they are few enough:
   a scale less joins buckets 2i and 2i + 1 exactly. */
static void exponential(struct otlp_point *point, const uint32_t *counts)
{
    int first = 0, last = HISTOGRAM_BUCKETS - 1, merge = 0;
    point->bucket_count = 0;
    if (point->count == point->zeros)
        return;
    while (first < last && !counts[first])
        first++;
    while (last > first && !counts[last])
        last--;
    /* OTLP's index of bucket 0 is negative; counting from a multiple of every merge keeps it whole. */
    const int zero = HISTOGRAM_LOWEST * HISTOGRAM_PER_OCTAVE;
    while ((last >> merge) - (first >> merge) >= OTLP_BUCKETS_MAX)
        merge++;
    _Static_assert(HISTOGRAM_LOWEST * HISTOGRAM_PER_OCTAVE % 16 == 0 &&
                       HISTOGRAM_BUCKETS >> 4 <= OTLP_BUCKETS_MAX,
                   "merging sixteen is always enough");
    point->scale = HISTOGRAM_SCALE - merge;
    point->offset = (first >> merge) + zero / (1 << merge);
    for (int bucket = first >> merge; bucket <= last >> merge; bucket++) {
        uint64_t count = 0;
        for (int i = bucket << merge; i < (bucket + 1) << merge; i++)
            count += counts[i];
        point->buckets[point->bucket_count++] = count;
    }
}

static void explicit(struct otlp_point *point, enum metric_id metric, const uint32_t *counts)
{
    static const double half_bucket = 1.0054299011128028; /* 2^(1/128) */
    struct bounds bounds = bounds_of(metric);
    size_t at = 0;
    point->bounds = bounds.list;
    point->bucket_count = bounds.count + 1;
    memset(point->buckets, 0, point->bucket_count * sizeof *point->buckets);
    point->buckets[0] = point->zeros;
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (!counts[i])
            continue;
        while (at < bounds.count && histogram_bound(i) / half_bucket > point->bounds[at])
            at++;
        point->buckets[at] += counts[i];
    }
}

static struct otlp_before *before_of(struct otlp_points *points, const struct series *series, size_t index)
{
    size_t *count = &points->before_count[series->metric];
    struct otlp_before **list = &points->before[series->metric];
    if (index >= *count) {
        size_t more = MAX(index + 1, *count * 2);
        *list = base_grow(*list, *count, more, sizeof **list);
        *count = more;
    }
    struct otlp_before *before = &(*list)[index];
    if (series->histogram && !before->histogram)
        before->histogram = base_alloc(1, sizeof *before->histogram);
    return before;
}

static void buckets_make(const struct otlp_points *points, enum metric_id metric, struct otlp_point *point,
                         const uint32_t *counts)
{
    if (points->options.explicit_bounds)
        explicit(point, metric, counts);
    else
        exponential(point, counts);
}

static bool histogram_delta(struct otlp_points *points, const struct series *series, size_t index,
                            struct otlp_point *point)
{
    const struct histogram *now = series->histogram;
    struct histogram *before = before_of(points, series, index)->histogram;
    if (now->count == before->count)
        return false;
    point->count = now->count - before->count;
    point->zeros = now->zeros - before->zeros;
    point->sum = now->sum - before->sum;
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
        before->buckets[i] = now->buckets[i] - before->buckets[i]; /* the difference, for the moment */
    buckets_make(points, series->metric, point, before->buckets);
    *before = *now;
    return true;
}

static bool histogram_make(struct otlp_points *points, const struct series *series, size_t index,
                           struct otlp_point *point)
{
    const struct histogram *histogram = series->histogram;
    if (!histogram->count)
        return false;
    if (is_delta(points, METRIC_HISTOGRAM))
        return histogram_delta(points, series, index, point);
    point->count = histogram->count;
    point->zeros = histogram->zeros;
    point->sum = histogram->sum;
    point->min = histogram->min;
    point->max = histogram->max;
    point->has_range = true;
    buckets_make(points, series->metric, point, histogram->buckets);
    return true;
}

bool otlp_points_make(struct otlp_points *points, const struct series *series, size_t index, int64_t at_ns,
                      struct otlp_point *point)
{
    enum metric_kind kind = metric_info(series->metric)->kind;
    point->at_ns = at_ns;
    point->start_ns = is_delta(points, kind) ? points->since_ns : 0;
    point->bounds = NULL;
    point->has_range = false;
    point->has_exemplar = !points->options.no_exemplars &&
                          (series->exemplar.trace_hi | series->exemplar.trace_lo) &&
                          series->exemplar.at_ns >= point->start_ns;
    if (kind == METRIC_HISTOGRAM)
        return histogram_make(points, series, index, point);
    point->value = series->value;
    if (!is_delta(points, kind))
        return true;
    struct otlp_before *before = before_of(points, series, index);
    point->value -= before->value;
    before->value = series->value;
    return point->value != 0;
}

void otlp_points_done(struct otlp_points *points, int64_t at_ns)
{
    points->since_ns = at_ns;
}

void otlp_points_fini(struct otlp_points *points)
{
    for (size_t metric = 0; metric < METRIC_COUNT; metric++) {
        for (size_t i = 0; i < points->before_count[metric]; i++)
            free(points->before[metric][i].histogram);
        free(points->before[metric]);
    }
}

uint16_t otlp_points_services(const struct metrics *metrics)
{
    uint16_t services = 0;
    for (size_t m = 0; m < METRIC_COUNT; m++)
        for (const struct series *series = metrics->first[m]; series; series = series->next)
            services = (uint16_t)MAX(services, series->service + 1);
    return services;
}
