/* otlp_json_metric: cumulative points, exact lines, and histograms that keep every count when merged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/edges/otlp_capture.h"

static void nothing_makes_no_line(void **state)
{
    (void)state;
    struct metrics metrics = {0};
    metrics_series(&metrics, METRIC_DB_DURATION, 0, NULL, 0); /* nothing counted in it yet */
    struct capture capture;
    capture_open(&capture, OTLP_METRICS);
    otlp_json_metrics(capture.otlp, &metrics, NS_PER_S);
    assert_string_equal(capture_close(&capture), "");
    free(capture.text);
    metrics_fini(&metrics);
}

static void metrics_are_cumulative(void **state)
{
    (void)state;
    struct metrics metrics = {0};
    struct attr pool = {.key = ATTR_DB_POOL_NAME, .type = ATTR_TEXT, .len = 4, .text = "main"};
    series_add(metrics_series(&metrics, METRIC_POOL_TIMEOUTS, 2, &pool, 1), 3);
    series_add(metrics_series(&metrics, METRIC_POOL_PENDING, 2, &pool, 1), -1.5);
    metrics_series(&metrics, METRIC_SHOP_CHECKOUT_SUCCESS, 0, NULL, 0)->value = 0.25;
    struct capture capture;
    capture_open(&capture, OTLP_METRICS);
    otlp_json_metrics(capture.otlp, &metrics, 15 * NS_PER_S);
    otlp_json_metrics(capture.otlp, &metrics, 30 * NS_PER_S);
    const char *text = capture_close(&capture);
    assert_int_equal(count_of(text, "\n"), 2);
    assert_int_equal(capture.tally[OTLP_METRICS].items, 6);
    assert_non_null(strstr(text, "{\"name\":\"db.client.connection.timeouts\",\"description\":"));
    assert_non_null(strstr(text, "\"unit\":\"{timeout}\",\"sum\":{\"aggregationTemporality\":2,"
                                 "\"isMonotonic\":true,\"dataPoints\":[{\"attributes\":["
                                 "{\"key\":\"db.client.connection.pool.name\",\"value\":"
                                 "{\"stringValue\":\"main\"}}],"
                                 "\"startTimeUnixNano\":\"1764000000000000000\","
                                 "\"timeUnixNano\":\"1764000015000000000\",\"asDouble\":3}]}}"));
    assert_non_null(strstr(text, "\"isMonotonic\":false,\"dataPoints\":[{\"attributes\":[{"));
    assert_non_null(strstr(text, "\"asDouble\":-1.5}"));
    assert_non_null(strstr(text, "\"unit\":\"1\",\"gauge\":{\"dataPoints\":[{\"attributes\":[],"
                                 "\"timeUnixNano\":\"1764000030000000000\",\"asDouble\":0.25}]}}"));
    free(capture.text);
    metrics_fini(&metrics);
}

static void a_histogram_of_few_values_keeps_its_scale(void **state)
{
    (void)state;
    struct metrics metrics = {0};
    struct series *series = metrics_series(&metrics, METRIC_DB_DURATION, 2, NULL, 0);
    struct span span = {.trace_hi = 1, .trace_lo = 2, .id = 3, .flags = 3};
    series_record(series, NS_PER_S, 7, &span); /* 2^0: the upper bound of bucket -1 */
    series_record(series, 0, 8, NULL);
    struct capture capture;
    capture_open(&capture, OTLP_METRICS);
    otlp_json_metrics(capture.otlp, &metrics, NS_PER_S);
    assert_non_null(
        strstr(capture_close(&capture),
               "\"count\":\"2\",\"sum\":1,\"min\":0,\"max\":1,\"zeroCount\":\"1\",\"scale\":6,"
               "\"positive\":{\"offset\":-1,\"bucketCounts\":[\"1\"]},"
               "\"exemplars\":[{\"timeUnixNano\":\"1764000000000000007\",\"asDouble\":1,"
               "\"spanId\":\"0000000000000003\",\"traceId\":\"00000000000000010000000000000002\"}]}"));
    free(capture.text);
    metrics_fini(&metrics);
}

/* A value an octave over all octaves there are: neighbours are merged, each power of two stays the upper
   bound of its bucket (index * 2^-scale = exponent - 1 step), and no count is lost. */
static void a_wide_histogram_is_merged(void **state)
{
    (void)state;
    struct metrics metrics = {0};
    struct series *series = metrics_series(&metrics, METRIC_DB_DURATION, 2, NULL, 0);
    double value = 0x1p-19;
    for (int octave = -19; octave <= 12; octave++) {
        histogram_add(series->histogram, value);
        value *= 2;
    }
    struct capture capture;
    capture_open(&capture, OTLP_METRICS);
    otlp_json_metrics(capture.otlp, &metrics, NS_PER_S);
    const char *at = strstr(capture_close(&capture), "\"scale\":");
    assert_non_null(at);
    char *rest;
    assert_int_equal(strtol(at + strlen("\"scale\":"), &rest, 10), 2);
    assert_memory_equal(rest, ",\"positive\":{\"offset\":", 22);
    long index = strtol(rest + 22, &rest, 10);
    assert_int_equal(index, -19 * 4 - 1);
    int buckets = 0, values = 0;
    for (rest = strchr(rest, '[') + 1; *rest == '"'; index++, buckets++) {
        long count = strtol(rest + 1, &rest, 10);
        assert_int_equal(count, (index + 1) % 4 == 0);
        values += (int)count;
        rest++;
        rest += *rest == ',';
    }
    assert_int_equal(values, 32);
    assert_true(buckets <= 160);
    free(capture.text);
    metrics_fini(&metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_makes_no_line),
        cmocka_unit_test(metrics_are_cumulative),
        cmocka_unit_test(a_histogram_of_few_values_keeps_its_scale),
        cmocka_unit_test(a_wide_histogram_is_merged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
