#include "edges/otlp_export.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "edges/otlp_export_parts.h"

/* A request is closed before it holds 512 when its records are huge. */
enum { GATHERED_BYTES_MAX = 4 << 20, RELIEVE_TURNS = 64 };
#define WAKE_S 0.05

const char *export_signal_name(enum otlp_signal signal)
{
    static const char *const names[] = {
        [OTLP_TRACES] = "traces", [OTLP_METRICS] = "metrics", [OTLP_LOGS] = "logs"};
    return names[signal];
}

void export_say(struct otlp_export *export, const char *format, ...)
{
    char line[512];
    va_list args;
    if (!export->options.say)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    export->options.say(export->options.owner, line);
}

/* ---- gathering ---- */

static size_t encoder_held(const struct sender *sender)
{
    const struct otlp_export *export = sender->export;
    return sender->env->json ? otlp_json_held(export->json, sender->signal)
                             : otlp_proto_held(export->proto, sender->signal);
}

static void encoder_flush(struct sender *sender)
{
    ev_timer_stop(sender->export->loop, &sender->gather_timer);
    if (sender->env->json)
        otlp_json_flush(sender->export->json, sender->signal);
    else
        otlp_proto_flush(sender->export->proto, sender->signal);
    sender->held = 0;
}

static size_t total_bytes(const struct otlp_export *export)
{
    size_t total = export->queued_bytes;
    for (int signal = 0; signal < OTLP_SIGNALS; signal++)
        total += export->senders[signal].held;
    return total;
}

static bool has_room(const struct sender *sender)
{
    if (sender->env->queue_items && sender->stats.queued >= sender->env->queue_items)
        return false;
    return total_bytes(sender->export) < sender->export->queue_bytes;
}

static void on_take(void *owner, enum otlp_signal signal, const struct iovec *parts, size_t count,
                    unsigned items)
{
    struct otlp_export *export = owner;
    struct sender *sender = &export->senders[signal];
    sender->held = 0;
    if (signal == OTLP_METRICS) {
        /* Only now is it known how many points there are. */
        sender->stats.produced += items;
        if (!has_room(sender)) {
            sender_drop(sender, OTLP_DROP_QUEUE_FULL, items);
            return;
        }
        sender->stats.queued += items;
    } else {
        sender->gathered -= items;
        ev_timer_stop(export->loop, &sender->gather_timer);
    }
    sender_take(sender, parts, count, items);
}

static void on_gathered(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    encoder_flush(timer->data);
}

/* Whether a record is to be encoded; counts it. */
static bool admit(struct sender *sender)
{
    sender->stats.produced++;
    if (!has_room(sender)) {
        sender_drop(sender, OTLP_DROP_QUEUE_FULL, 1);
        return false;
    }
    sender->stats.queued++;
    sender->gathered++;
    return true;
}

static void admitted(struct sender *sender)
{
    if (!sender->gathered)
        return;
    sender->held = encoder_held(sender);
    if (sender->held >= GATHERED_BYTES_MAX || sender->export->ending) {
        encoder_flush(sender);
    } else if (!ev_is_active(&sender->gather_timer)) {
        ev_timer_set(&sender->gather_timer, (double)sender->env->delay_ms / 1000, 0);
        ev_timer_start(sender->export->loop, &sender->gather_timer);
    }
}

/* Deterministic in the trace id, and a larger ratio takes what a smaller one takes (specification,
   TraceIdRatioBased). A trace that was joined has its parent outside, whose flag decides. */
static bool is_sampled(const struct otlp_env *env, const struct span *span)
{
    enum { FLAG_SAMPLED = 0x01 };
    if (env->parent_based && span->joined)
        return span->flags & FLAG_SAMPLED;
    if (env->sampler != OTLP_SAMPLE_RATIO)
        return env->sampler == OTLP_SAMPLE_ALL;
    return (double)(span->trace_lo >> 1) < env->ratio * 0x1p63;
}

void otlp_export_span(void *otlp_export, const struct span *span)
{
    struct otlp_export *export = otlp_export;
    struct sender *sender = &export->senders[OTLP_TRACES];
    if (!sender->wanted)
        return;
    if (!is_sampled(export->env, span)) {
        sender->stats.unsampled++;
        return;
    }
    if (!admit(sender))
        return;
    if (sender->env->json)
        otlp_json_span(export->json, span);
    else
        otlp_proto_span(export->proto, span);
    admitted(sender);
}

void otlp_export_log(void *otlp_export, const struct log_record *record)
{
    struct otlp_export *export = otlp_export;
    struct sender *sender = &export->senders[OTLP_LOGS];
    if (!sender->wanted || !admit(sender))
        return;
    if (sender->env->json)
        otlp_json_log(export->json, record);
    else
        otlp_proto_log(export->proto, record);
    admitted(sender);
}

void otlp_export_last_metrics(struct otlp_export *export, const struct metrics *metrics, int64_t at_ns)
{
    struct sender *sender = &export->senders[OTLP_METRICS];
    if (!sender->wanted || (export->metrics_begun && at_ns <= export->metrics_at_ns))
        return;
    export->metrics_begun = true;
    export->metrics_at_ns = at_ns;
    /* Nothing of a virtual run depends on the machine. */
    const struct metrics *self = export->options.virtual ? NULL : otlp_export_self(export);
    if (sender->env->json) {
        if (self)
            otlp_json_more_metrics(export->json, self, at_ns);
        otlp_json_metrics(export->json, metrics, at_ns);
    } else {
        if (self)
            otlp_proto_more_metrics(export->proto, self, at_ns);
        otlp_proto_metrics(export->proto, metrics, at_ns);
    }
}

void otlp_export_metrics(void *otlp_export, const struct metrics *metrics, int64_t at_ns)
{
    struct otlp_export *export = otlp_export;
    if (at_ns - export->metrics_at_ns >= export->env->metric_interval_ms * NS_PER_MS)
        otlp_export_last_metrics(export, metrics, at_ns);
}

/* ---- life ---- */

/* Only so that who waits in the loop looks at his watch. */
static void on_wake(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)timer;
    (void)events;
}

static void open_encoders(struct otlp_export *export)
{
    const struct otlp_env *env = export->env;
    struct otlp_encoding encoding = {
        .source = export->options.source, .points = env->points, .take = on_take, .owner = export};
    encoding.source.machine = export->options.virtual ? NULL : &env->machine;
    encoding.source.more = env->more;
    encoding.source.more_count = env->more_count;
    encoding.no_links = env->no_links;
    for (int signal = 0; signal < OTLP_SIGNALS; signal++) {
        encoding.items_max[signal] = env->signals[signal].batch_items;
        encoding.limits[signal] = env->limits[signal];
    }
    export->json = otlp_json_new(&encoding);
    export->proto = otlp_proto_new(&encoding);
}

struct otlp_export *otlp_export_open(struct ev_loop *loop, const struct otlp_export_options *options)
{
    struct otlp_export *export = base_alloc(1, sizeof *export);
    export->loop = loop;
    export->options = *options;
    export->env = options->env;
    export->queue_bytes = options->queue_bytes ? options->queue_bytes : OTLP_QUEUE_BYTES;
    ASSERT(getrandom(&export->chance, sizeof export->chance, 0) == sizeof export->chance);
    export->chance |= 1;
    export->progress_at = ev_now(loop);
    open_encoders(export);
    http_open(export);
    ev_timer_init(&export->wake_timer, on_wake, 0, WAKE_S);
    for (int signal = 0; signal < OTLP_SIGNALS; signal++) {
        struct sender *sender = &export->senders[signal];
        ASSERT(sender_open(sender, export, (enum otlp_signal)signal)); /* its URL has been read before */
        ev_timer_init(&sender->gather_timer, on_gathered, 0, 0);
        sender->gather_timer.data = sender;
    }
    return export;
}

void otlp_export_push(struct otlp_export *export)
{
    for (int signal = 0; signal < OTLP_SIGNALS; signal++) {
        struct sender *sender = &export->senders[signal];
        if (sender->wanted) {
            encoder_flush(sender);
            sender_push(sender);
        }
    }
}

bool otlp_export_idle(const struct otlp_export *export)
{
    for (int signal = 0; signal < OTLP_SIGNALS; signal++)
        if (export->senders[signal].stats.queued)
            return false;
    return true;
}

static bool is_worth_waiting(const struct otlp_export *export)
{
    int patience_s = export->heard ? OTLP_PATIENCE_S : OTLP_PATIENCE_UNHEARD_S;
    return ev_now(export->loop) - export->progress_at < patience_s;
}

bool otlp_export_heard(const struct otlp_export *export)
{
    return export->heard;
}

bool otlp_export_flush(struct otlp_export *export, int64_t limit_ms, const volatile sig_atomic_t *stop)
{
    ev_now_update(export->loop);
    ev_tstamp over_at = ev_now(export->loop) + (double)limit_ms / 1000;
    export->ending = true;
    otlp_export_push(export);
    ev_timer_again(export->loop, &export->wake_timer);
    while (!otlp_export_idle(export) && !(stop && *stop) &&
           (limit_ms ? ev_now(export->loop) < over_at : is_worth_waiting(export)))
        ev_run(export->loop, EVRUN_ONCE);
    ev_timer_stop(export->loop, &export->wake_timer);
    export->ending = false;
    return otlp_export_idle(export);
}

void otlp_export_relieve(struct otlp_export *export, const volatile sig_atomic_t *stop)
{
    bool full = total_bytes(export) > export->queue_bytes / 2;
    if (++export->turns % RELIEVE_TURNS && !full)
        return;
    ev_now_update(export->loop);
    ev_run(export->loop, EVRUN_NOWAIT);
    ev_timer_again(export->loop, &export->wake_timer);
    while (!*stop && total_bytes(export) > export->queue_bytes / 2 && is_worth_waiting(export))
        ev_run(export->loop, EVRUN_ONCE);
    ev_timer_stop(export->loop, &export->wake_timer);
}

struct otlp_export_stats otlp_export_stats(const struct otlp_export *export, enum otlp_signal signal)
{
    const struct sender *sender = &export->senders[signal];
    struct otlp_export_stats stats = sender->stats;
    stats.queued_bytes += sender->held;
    stats.in_flight = sender->begun_at > 0 ? sender->first->items : 0;
    return stats;
}

void otlp_export_close(struct otlp_export *export, struct otlp_export_stats stats[OTLP_SIGNALS])
{
    for (int signal = 0; signal < OTLP_SIGNALS; signal++) {
        struct sender *sender = &export->senders[signal];
        sender_drop(sender, OTLP_DROP_SHUTDOWN, sender->gathered);
        sender->stats.queued -= sender->gathered;
        sender->gathered = 0;
        sender->held = 0;
        sender_close(sender);
        if (stats)
            stats[signal] = otlp_export_stats(export, (enum otlp_signal)signal);
    }
    http_close(export);
    metrics_fini(&export->self);
    otlp_json_free(export->json);
    otlp_proto_free(export->proto);
    free(export);
}
