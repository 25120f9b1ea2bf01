/*
 * otlp_load: the OTLP exporter under a steady load of made-up records, for tests/live/test_otlp_faults.py.
 *
 * usage: otlp_load URL SPANS_PER_S SECONDS FLUSH_MS QUEUE_BYTES     (URL -: the environment's)
 *
 * Spans at that rate, a log record each fiftieth, metrics each second; OTEL_* variables as always. Every
 * tick checks that nothing is unaccounted for. At the end one line of JSON on standard output: the stats of
 * each signal, and how late the loop's ticks came.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "edges/otlp_export.h"

enum { SERVICES = 5, TICK_MS = 2, LAGS_MAX = 1 << 20 };

struct load {
    struct ev_loop *loop;
    struct otlp_export *export;
    struct otlp_env env;
    struct span_site sites[SERVICES];
    struct metrics metrics;
    struct series *counted, *timed;
    double spans_per_s, seconds;
    ev_tstamp begun_at, expected_at;
    uint64_t spans, seconds_told;
    size_t queued_bytes_max;
    double lags_ms[LAGS_MAX];
    size_t lag_count;
};

static struct load load;

static const char *service_name(void *owner, uint16_t service)
{
    static const char *const names[SERVICES] = {"frontend", "cart-service", "product-catalog", "checkout",
                                                "payment-service"};
    (void)owner;
    return names[service];
}

static void say(void *owner, const char *line)
{
    (void)owner;
    fprintf(stderr, "%s\n", line);
}

static void make_sites(void)
{
    for (uint16_t i = 0; i < SERVICES; i++) {
        struct span_site *site = &load.sites[i];
        *site = (struct span_site){.id = i, .service = i, .kind = SPAN_SERVER, .name = "GET /cart/{cart_id}"};
        site->path_template = "/cart/{cart_id}";
        attrs_text(&site->attrs, ATTR_HTTP_METHOD, "GET");
        attrs_text(&site->attrs, ATTR_HTTP_ROUTE, "/cart/{cart_id}");
        attrs_text(&site->attrs, ATTR_URL_SCHEME, "http");
        attrs_text(&site->attrs, ATTR_SERVER_ADDRESS, service_name(NULL, i));
        attrs_int(&site->attrs, ATTR_SERVER_PORT, 8010 + i);
        attrs_text(&site->attrs, ATTR_ENDPOINT_TYPE, "slow_unindexed");
        attrs_text(&site->attrs, ATTR_DB_STATEMENT,
                   "SELECT id, name, price FROM products WHERE category = $1");
    }
}

static void one_span(int64_t now_ns)
{
    struct span span = {.site = &load.sites[load.spans % SERVICES], .flags = 3, .demo = load.spans % 3 == 0};
    span.trace_hi = 1;
    span.trace_lo = span.id = ++load.spans;
    span.parent = load.spans > 1 ? load.spans - 1 : 0;
    span.start_ns = now_ns - NS_PER_MS;
    span.end_ns = now_ns;
    span.path_param = (struct slice){"a1b2c3d4", 8};
    attrs_int(&span.attrs, ATTR_DEMO_MINUTE, 12);
    attrs_text(&span.attrs, ATTR_DEMO_PHASE, "critical");
    attrs_real(&span.attrs, ATTR_CHECKOUT_TOTAL, 99.5);
    otlp_export_span(load.export, &span);
    series_add(load.counted, 1);
    series_record(load.timed, NS_PER_MS * (int64_t)(load.spans % 100), now_ns, &span);
    if (load.spans % 50)
        return;
    struct log_record record = {.body = LOG_BODY_SLOW_QUERY, .severity = LOG_WARN, .at_ns = now_ns};
    record.trace_hi = 1;
    record.trace_lo = record.span = load.spans;
    record.flags = span.flags;
    attrs_int(&record.attrs, ATTR_LOG_DEMO_MINUTE, 12);
    otlp_export_log(load.export, &record);
}

static uint64_t lost(const struct otlp_export_stats *stats)
{
    uint64_t items = 0;
    for (int reason = 0; reason < OTLP_DROPS; reason++)
        items += stats->dropped[reason];
    return items;
}

static void check_conserved(void)
{
    size_t queued_bytes = 0;
    for (int signal = 0; signal < OTLP_SIGNALS; signal++) {
        struct otlp_export_stats stats = otlp_export_stats(load.export, (enum otlp_signal)signal);
        queued_bytes += stats.queued_bytes;
        ASSERT(stats.produced == stats.accepted + lost(&stats) + stats.queued);
    }
    load.queued_bytes_max = MAX(load.queued_bytes_max, queued_bytes);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    ev_tstamp now = ev_time();
    if (load.lag_count < LAGS_MAX)
        load.lags_ms[load.lag_count++] = (now - load.expected_at) * 1000;
    double passed_s = now - load.begun_at;
    int64_t now_ns = (int64_t)(passed_s * 1e9);
    while ((double)load.spans < MIN(passed_s, load.seconds) * load.spans_per_s)
        one_span(now_ns);
    if ((uint64_t)passed_s > load.seconds_told) {
        load.seconds_told = (uint64_t)passed_s;
        otlp_export_metrics(load.export, &load.metrics, now_ns);
    }
    check_conserved();
    if (passed_s >= load.seconds) {
        ev_break(loop, EVBREAK_ALL);
        return;
    }
    ev_now_update(loop);
    load.expected_at = ev_now(loop) + TICK_MS / 1000.0;
    ev_timer_set(timer, TICK_MS / 1000.0, 0);
    ev_timer_start(loop, timer);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_signal(const char *name, const struct otlp_export_stats *stats)
{
    static const char *const reasons[] = {"queue_full", "refused", "too_large",
                                          "rejected",   "timeout", "shutdown"};
    printf("\"%s\": {\"produced\": %" PRIu64 ", \"accepted\": %" PRIu64 ", \"queued\": %" PRIu64, name,
           stats->produced, stats->accepted, stats->queued);
    for (int i = 0; i < OTLP_DROPS; i++)
        printf(", \"%s\": %" PRIu64, reasons[i], stats->dropped[i]);
    printf(", \"unsampled\": %" PRIu64 ", \"attempts\": %" PRIu64 ", \"retries\": %" PRIu64
           ", \"requests\": %" PRIu64 "}, ",
           stats->unsampled, stats->attempts, stats->retries, stats->requests_accepted);
}

static void print_all(const struct otlp_export_stats stats[OTLP_SIGNALS], double flush_s)
{
    qsort(load.lags_ms, load.lag_count, sizeof *load.lags_ms, by_size);
    printf("{");
    print_signal("traces", &stats[OTLP_TRACES]);
    print_signal("metrics", &stats[OTLP_METRICS]);
    print_signal("logs", &stats[OTLP_LOGS]);
    printf("\"queued_bytes_max\": %zu, \"flush_s\": %.3f, \"lag_p99_ms\": %.3f, \"lag_max_ms\": %.3f}\n",
           load.queued_bytes_max, flush_s, load.lags_ms[load.lag_count * 99 / 100],
           load.lags_ms[load.lag_count - 1]);
}

int main(int argc, char **argv)
{
    struct text warnings = {0};
    ASSERT(argc == 6);
    struct otlp_env_options options = {.endpoint = strcmp(argv[1], "-") ? argv[1] : NULL};
    options.warnings = &warnings;
    ASSERT(otlp_env_read(&load.env, &options));
    fputs(text_c(&warnings), stderr);
    load.spans_per_s = atof(argv[2]);
    load.seconds = atof(argv[3]);
    load.loop = ev_default_loop(0);
    load.export = otlp_export_open(load.loop, &(struct otlp_export_options){
                                                  .source = {.seed = 1,
                                                             .version = "0.1.0",
                                                             .service_name = service_name,
                                                             .start_unix_ns = (int64_t)(ev_time() * 1e9)},
                                                  .env = &load.env,
                                                  .queue_bytes = (size_t)atoll(argv[5]),
                                                  .say = say,
                                              });
    make_sites();
    load.counted = metrics_series(&load.metrics, METRIC_SHOP_ORDERS, 0, NULL, 0);
    load.timed = metrics_series(&load.metrics, METRIC_HTTP_SERVER_DURATION, 0, NULL, 0);
    ev_timer tick;
    ev_timer_init(&tick, on_tick, 0, 0);
    load.begun_at = load.expected_at = ev_time();
    ev_timer_start(load.loop, &tick);
    ev_run(load.loop, 0);

    struct otlp_export_stats stats[OTLP_SIGNALS];
    ev_tstamp ended_at = ev_time();
    otlp_export_last_metrics(load.export, &load.metrics, (int64_t)((ended_at - load.begun_at) * 1e9));
    otlp_export_flush(load.export, atol(argv[4]), NULL);
    double flush_s = ev_time() - ended_at;
    check_conserved();
    otlp_export_close(load.export, stats);
    print_all(stats, flush_s);
    metrics_fini(&load.metrics);
    otlp_env_fini(&load.env);
    text_fini(&warnings);
    ev_loop_destroy(load.loop);
    return 0;
}
