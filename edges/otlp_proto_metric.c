/* Metrics: sums, gauges and histograms. A metric is packed in pieces: its name, then its data, to which
   points are appended one by one. See edges/otlp_proto.h. */
#include "edges/otlp_proto_parts.h"

enum { FIELD_METRIC = 2, FIELD_POINTS = 1 };
enum { FIELD_GAUGE = 5, FIELD_SUM = 7, FIELD_HISTOGRAM = 9, FIELD_EXPONENTIAL = 10 };

struct packed_exemplar {
    Otlp__Exemplar message, *list;
    uint8_t trace[16], span[8];
};

static void exemplar_make(const struct otlp_proto *otlp, struct packed_exemplar *made,
                          const struct exemplar *exemplar)
{
    otlp__exemplar__init(&made->message);
    made->list = &made->message;
    proto_id(made->trace, exemplar->trace_hi);
    proto_id(made->trace + 8, exemplar->trace_lo);
    proto_id(made->span, exemplar->span);
    made->message.time_unix_nano = otlp_unix_ns(&otlp->encoding.source, exemplar->at_ns);
    made->message.value_case = OTLP__EXEMPLAR__VALUE_AS_DOUBLE;
    made->message.as_double = exemplar->value;
    made->message.span_id = proto_bytes(made->span, sizeof made->span);
    made->message.trace_id = proto_bytes(made->trace, sizeof made->trace);
}

/* What the three kinds of points have in common; their fields have the same names. */
#define POINT_COMMON(message)                                                                                \
    do {                                                                                                     \
        (message).start_time_unix_nano = start_unix_ns;                                                      \
        (message).time_unix_nano = otlp_unix_ns(&otlp->encoding.source, point->at_ns);                       \
        (message).n_attributes = otlp->attrs.count;                                                          \
        (message).attributes = otlp->attrs.list;                                                             \
        exemplar_make(otlp, &exemplar, &series->exemplar);                                                   \
        (message).n_exemplars = point->has_exemplar;                                                         \
        (message).exemplars = &exemplar.list;                                                                \
    } while (0)

static void put_exponential(struct otlp_proto *otlp, const struct series *series,
                            const struct otlp_point *point, uint64_t start_unix_ns)
{
    struct packed_exemplar exemplar;
    Otlp__ExponentialPoint message = OTLP__EXPONENTIAL_POINT__INIT;
    Otlp__Buckets positive = OTLP__BUCKETS__INIT;
    POINT_COMMON(message);
    message.count = point->count;
    message.zero_count = point->zeros;
    message.optional_sum_case = OTLP__EXPONENTIAL_POINT__OPTIONAL_SUM_SUM;
    message.sum = point->sum;
    if (point->has_range) {
        message.optional_min_case = OTLP__EXPONENTIAL_POINT__OPTIONAL_MIN_MIN;
        message.min = point->min;
        message.optional_max_case = OTLP__EXPONENTIAL_POINT__OPTIONAL_MAX_MAX;
        message.max = point->max;
    }
    if (point->bucket_count) {
        message.scale = point->scale;
        positive.offset = point->offset;
        positive.n_bucket_counts = point->bucket_count;
        positive.bucket_counts = (uint64_t *)point->buckets;
        message.positive = &positive;
    }
    proto_message(&otlp->data, FIELD_POINTS, &message.base);
}

static void put_explicit(struct otlp_proto *otlp, const struct series *series, const struct otlp_point *point,
                         uint64_t start_unix_ns)
{
    struct packed_exemplar exemplar;
    Otlp__HistogramPoint message = OTLP__HISTOGRAM_POINT__INIT;
    POINT_COMMON(message);
    message.count = point->count;
    message.optional_sum_case = OTLP__HISTOGRAM_POINT__OPTIONAL_SUM_SUM;
    message.sum = point->sum;
    if (point->has_range) {
        message.optional_min_case = OTLP__HISTOGRAM_POINT__OPTIONAL_MIN_MIN;
        message.min = point->min;
        message.optional_max_case = OTLP__HISTOGRAM_POINT__OPTIONAL_MAX_MAX;
        message.max = point->max;
    }
    message.n_bucket_counts = point->bucket_count;
    message.bucket_counts = (uint64_t *)point->buckets;
    message.n_explicit_bounds = point->bucket_count - 1;
    message.explicit_bounds = (double *)point->bounds;
    proto_message(&otlp->data, FIELD_POINTS, &message.base);
}

static void put_number(struct otlp_proto *otlp, const struct series *series, const struct otlp_point *point,
                       uint64_t start_unix_ns)
{
    struct packed_exemplar exemplar;
    Otlp__NumberPoint message = OTLP__NUMBER_POINT__INIT;
    POINT_COMMON(message);
    message.value_case = OTLP__NUMBER_POINT__VALUE_AS_DOUBLE;
    message.as_double = point->value;
    proto_message(&otlp->data, FIELD_POINTS, &message.base);
}

static void put_point(struct otlp_proto *otlp, const struct series *series, enum metric_kind kind,
                      const struct otlp_point *point)
{
    uint64_t start_unix_ns = kind == METRIC_GAUGE ? 0 : otlp_unix_ns(&otlp->encoding.source, point->start_ns);
    otlp->attrs.count = 0;
    for (size_t i = 0; i < series->attr_count; i++)
        proto_attrs_add(&otlp->attrs, &series->attrs[i]);
    if (kind != METRIC_HISTOGRAM)
        put_number(otlp, series, point, start_unix_ns);
    else if (point->bounds)
        put_explicit(otlp, series, point, start_unix_ns);
    else
        put_exponential(otlp, series, point, start_unix_ns);
}

static unsigned data_field(enum metric_kind kind, const struct otlp_point *point)
{
    if (kind == METRIC_HISTOGRAM)
        return point->bounds ? FIELD_HISTOGRAM : FIELD_EXPONENTIAL;
    return kind == METRIC_GAUGE ? FIELD_GAUGE : FIELD_SUM;
}

/* The metric around its data. */
static void put_metric(struct otlp_proto *otlp, struct text *items, const struct metric_info *info,
                       unsigned field)
{
    Otlp__Metric metric = OTLP__METRIC__INIT;
    Otlp__Data data = OTLP__DATA__INIT;
    metric.name = (char *)info->name;
    metric.description = (char *)info->description;
    metric.unit = (char *)info->unit;
    if (info->kind != METRIC_GAUGE)
        data.aggregation_temporality = otlp_points_temporality(&otlp->points, info->kind);
    data.is_monotonic = info->kind == METRIC_COUNTER;
    size_t about = protobuf_c_message_get_packed_size(&data.base);
    text_reserve(&otlp->data, about);
    otlp->data.len += protobuf_c_message_pack(&data.base, (uint8_t *)otlp->data.bytes + otlp->data.len);

    struct text open = {0};
    text_char(&open, PROTO_TAG(field));
    proto_length(&open, otlp->data.len);
    size_t name = protobuf_c_message_get_packed_size(&metric.base);
    text_char(items, PROTO_TAG(FIELD_METRIC));
    proto_length(items, name + open.len + otlp->data.len);
    text_reserve(items, name);
    items->len += protobuf_c_message_pack(&metric.base, (uint8_t *)items->bytes + items->len);
    text_bytes(items, open.bytes, open.len);
    text_bytes(items, otlp->data.bytes, otlp->data.len);
    text_fini(&open);
}

/* The points of one metric of one service; a metric without any is left out. */
static unsigned put_series(struct otlp_proto *otlp, const struct series *series, uint16_t service,
                           int64_t at_ns)
{
    const struct metric_info *info = metric_info(series->metric);
    struct otlp_point point;
    unsigned points = 0, field = 0;
    otlp->data.len = 0;
    for (size_t i = 0; series; series = series->next, i++) {
        if (series->service != service || !otlp_points_make(&otlp->points, series, i, at_ns, &point))
            continue;
        field = data_field(info->kind, &point);
        put_point(otlp, series, info->kind, &point);
        points++;
    }
    if (points)
        put_metric(otlp, otlp_proto_items(otlp, OTLP_METRICS, service), info, field);
    return points;
}

void otlp_proto_more_metrics(struct otlp_proto *otlp, const struct metrics *metrics, int64_t at_ns)
{
    uint16_t services = otlp_points_services(metrics);
    for (uint16_t service = 0; service < services; service++)
        for (size_t m = 0; m < METRIC_COUNT; m++)
            if (metrics->first[m] && metrics_tell(metrics, service))
                otlp->batches[OTLP_METRICS].items += put_series(otlp, metrics->first[m], service, at_ns);
}

void otlp_proto_metrics(void *otlp_proto, const struct metrics *metrics, int64_t at_ns)
{
    struct otlp_proto *otlp = otlp_proto;
    otlp_proto_more_metrics(otlp, metrics, at_ns);
    otlp_points_done(&otlp->points, at_ns);
    otlp_proto_flush(otlp, OTLP_METRICS);
}
