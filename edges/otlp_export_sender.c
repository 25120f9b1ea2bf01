/* One signal's queue and the attempts to deliver its first request. See edges/otlp_export.h. */
#include <stdlib.h>

#include "edges/otlp_export_parts.h"
#include "edges/otlp_export_retry.h"

/* ---- the queue ---- */

void sender_drop(struct sender *sender, enum otlp_drop reason, uint64_t items)
{
    sender->stats.dropped[reason] += items;
}

static void count_code(struct sender *sender, long code, uint64_t items)
{
    struct otlp_code *codes = sender->stats.codes;
    size_t i = 0;
    while (i + 1 < OTLP_CODES_MAX && codes[i].items && codes[i].code != code)
        i++;
    codes[i].code = i + 1 < OTLP_CODES_MAX ? code : 0;
    codes[i].items += items;
}

static void pop(struct sender *sender)
{
    struct otlp_request *request = sender->first;
    sender->first = request->next;
    if (!sender->first)
        sender->last = NULL;
    sender->stats.queued -= request->items;
    sender->stats.queued_bytes -= request->len;
    sender->export->queued_bytes -= request->len;
    free(request->body);
    free(request);
    sender->failures = 0;
    sender->begun_at = 0;
    sender->asked_to_wait = false;
    sender->export->progress_at = ev_now(sender->export->loop);
}

static void resized(struct sender *sender, struct otlp_request *request, size_t len)
{
    sender->stats.queued_bytes += len - request->len;
    sender->export->queued_bytes += len - request->len;
    request->len = len;
}

void sender_take(struct sender *sender, const struct iovec *parts, size_t count, unsigned items)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].iov_len;
    if (len > OTLP_REQUEST_BYTES_MAX) {
        sender->stats.queued -= items;
        sender_drop(sender, OTLP_DROP_TOO_LARGE, items);
        count_code(sender, OTLP_CODE_OURS, items);
        return;
    }
    struct otlp_request *request = base_alloc(1, sizeof *request);
    request->items = items;
    request->body = malloc(MAX(len, 1));
    ASSERT(request->body);
    char *at = request->body;
    for (size_t i = 0; i < count; at += parts[i++].iov_len)
        memcpy(at, parts[i].iov_base, parts[i].iov_len);
    resized(sender, request, len);
    if (sender->last)
        sender->last->next = request;
    else
        sender->first = request;
    sender->last = request;
    sender_go(sender);
}

/* ---- compressing, a slice an iteration of the loop ---- */

enum { SLICE_BYTES = 64 * 1024, GZIP_WINDOW_BITS = 15 + 16, ZIP_MEMORY = 8 };

static void pack_begin(struct sender *sender)
{
    struct otlp_request *request = sender->first;
    memset(&sender->zip, 0, sizeof sender->zip);
    ASSERT(deflateInit2(&sender->zip, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW_BITS, ZIP_MEMORY,
                        Z_DEFAULT_STRATEGY) == Z_OK);
    sender->zip.next_in = (Bytef *)request->body;
    sender->zipped = (struct text){0};
    text_reserve(&sender->zipped, deflateBound(&sender->zip, request->len));
    sender->state = SENDER_PACKING;
    ev_timer_set(&sender->pack_timer, 0, 0);
    ev_timer_start(sender->export->loop, &sender->pack_timer);
}

static void pack_end(struct sender *sender)
{
    struct otlp_request *request = sender->first;
    deflateEnd(&sender->zip);
    free(request->body);
    request->body = realloc(sender->zipped.bytes, sender->zipped.len);
    ASSERT(request->body);
    resized(sender, request, sender->zipped.len);
    request->packed = true;
    sender->zipped = (struct text){0};
    sender->state = SENDER_IDLE;
    sender_go(sender);
}

static void on_pack(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    struct sender *sender = timer->data;
    struct otlp_request *request = sender->first;
    z_stream *zip = &sender->zip;
    size_t left = request->len - zip->total_in, slice = MIN(left, (size_t)SLICE_BYTES);
    zip->avail_in = (uInt)slice;
    zip->next_out = (Bytef *)sender->zipped.bytes + sender->zipped.len;
    zip->avail_out = (uInt)(sender->zipped.cap - sender->zipped.len);
    int result = deflate(zip, slice == left ? Z_FINISH : Z_NO_FLUSH);
    sender->zipped.len = zip->total_out;
    if (result == Z_STREAM_END) {
        pack_end(sender);
        return;
    }
    ASSERT(result == Z_OK && slice < left); /* deflateBound has made room for all */
    ev_timer_set(timer, 0, 0);
    ev_timer_start(loop, timer);
}

/* ---- attempts ---- */

void sender_go(struct sender *sender)
{
    if (sender->state != SENDER_IDLE || !sender->first)
        return;
    if (sender->env->gzip && !sender->first->packed) {
        pack_begin(sender);
        return;
    }
    if (!sender->begun_at)
        sender->begun_at = ev_now(sender->export->loop);
    sender->state = SENDER_FLYING;
    sender->stats.attempts++;
    sender->stats.retries += sender->failures > 0;
    sender->stats.bytes_sent += sender->first->len;
    http_start(sender, sender->first);
}

static double chance(struct otlp_export *export)
{
    /* xorshift64: spreads attempts of many exporters, nothing more */
    export->chance ^= export->chance << 13;
    export->chance ^= export->chance >> 7;
    export->chance ^= export->chance << 17;
    return (double)(export->chance >> 11) * 0x1p-53;
}

static bool gives_up(const struct sender *sender, double wait_s)
{
    double limit_s = (double)sender->env->give_up_ms / 1000;
    return limit_s > 0 && ev_now(sender->export->loop) + wait_s - sender->begun_at > limit_s;
}

static void say_trouble(struct sender *sender, long code)
{
    if (sender->trouble_said)
        return;
    sender->trouble_said = true;
    if (code)
        export_say(sender->export, "OTLP %s: %s answers %ld; trying again",
                   export_signal_name(sender->signal), sender->env->url, code);
    else
        export_say(sender->export, "OTLP %s: %s: %s; trying again", export_signal_name(sender->signal),
                   sender->env->url, sender->error[0] ? sender->error : "no answer");
}

static void say_loss(struct sender *sender, long code, const struct otlp_answer *answer)
{
    enum { SAID_EVERY_S = 60 };
    ev_tstamp now = ev_now(sender->export->loop);
    if (sender->loss_said_at > 0 && now - sender->loss_said_at < SAID_EVERY_S)
        return;
    sender->loss_said_at = now;
    export_say(sender->export, "OTLP %s: %s answers %ld%s%s; items are lost",
               export_signal_name(sender->signal), sender->env->url, code, answer->message[0] ? ": " : "",
               answer->message);
}

static void try_later(struct sender *sender, long code)
{
    struct otlp_export *export = sender->export;
    sender->failures++;
    sender->asked_to_wait = sender->retry_after_s >= 0;
    double wait_s =
        sender->asked_to_wait ? sender->retry_after_s : otlp_backoff_s(sender->failures, chance(export));
    say_trouble(sender, code);
    if (gives_up(sender, wait_s)) {
        sender_drop(sender, OTLP_DROP_TIMEOUT, sender->first->items);
        self_ended(sender, code, "timeout");
        pop(sender);
        sender_go(sender);
        return;
    }
    sender->state = SENDER_WAITING;
    ev_timer_set(&sender->retry_timer, wait_s, 0);
    ev_timer_start(export->loop, &sender->retry_timer);
}

static void on_retry(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct sender *sender = timer->data;
    sender->state = SENDER_IDLE;
    sender_go(sender);
}

static void accepted(struct sender *sender, long code)
{
    struct otlp_answer answer;
    uint64_t items = sender->first->items;
    otlp_answer_read(&answer, sender->env->json, sender->answer.bytes, sender->answer.len);
    uint64_t rejected = MIN(answer.rejected, items);
    sender->stats.accepted += items - rejected;
    sender->stats.requests_accepted++;
    sender_drop(sender, OTLP_DROP_REJECTED, rejected);
    self_ended(sender, code, rejected ? "rejected" : NULL);
    if (rejected || answer.message[0])
        say_loss(sender, code, &answer);
    if (sender->trouble_said)
        export_say(sender->export, "OTLP %s: %s takes them again", export_signal_name(sender->signal),
                   sender->env->url);
    sender->trouble_said = false;
}

static void refused(struct sender *sender, long code)
{
    enum { CONTENT_TOO_LARGE = 413 };
    struct otlp_answer answer;
    uint64_t items = sender->first->items;
    otlp_answer_error(&answer, sender->env->json, sender->answer.bytes, sender->answer.len);
    sender_drop(sender, code == CONTENT_TOO_LARGE ? OTLP_DROP_TOO_LARGE : OTLP_DROP_REFUSED, items);
    count_code(sender, code, items);
    self_ended(sender, code, self_code(code));
    say_loss(sender, code, &answer);
}

void sender_done(struct sender *sender, CURLcode result)
{
    long code = 0;
    curl_easy_getinfo(sender->easy, CURLINFO_RESPONSE_CODE, &code);
    sender->state = SENDER_IDLE;
    sender->export->heard |= code != 0;
    enum otlp_verdict verdict = result == CURLE_OK ? otlp_verdict(code) : OTLP_RETRY;
    if (sender->answer_too_large)
        verdict = otlp_verdict(code) == OTLP_RETRY ? OTLP_RETRY : OTLP_REFUSED;
    if (verdict == OTLP_RETRY) {
        try_later(sender, result == CURLE_OK ? code : 0);
        return;
    }
    if (verdict == OTLP_ACCEPTED)
        accepted(sender, code);
    else
        refused(sender, code);
    pop(sender);
    sender_go(sender);
}

void sender_push(struct sender *sender)
{
    if (sender->state != SENDER_WAITING || sender->asked_to_wait)
        return;
    ev_timer_stop(sender->export->loop, &sender->retry_timer);
    sender->state = SENDER_IDLE;
    sender_go(sender);
}

/* ---- life ---- */

bool sender_open(struct sender *sender, struct otlp_export *export, enum otlp_signal signal)
{
    *sender = (struct sender){.export = export, .signal = signal, .env = &export->env->signals[signal]};
    sender->wanted = sender->env->wanted && sender->env->url && !export->env->disabled;
    ev_timer_init(&sender->retry_timer, on_retry, 0, 0);
    ev_timer_init(&sender->pack_timer, on_pack, 0, 0);
    sender->retry_timer.data = sender->pack_timer.data = sender;
    return !sender->wanted || http_sender_open(sender);
}

void sender_close(struct sender *sender)
{
    if (!sender->wanted)
        return;
    if (sender->state == SENDER_FLYING)
        http_abort(sender);
    if (sender->state == SENDER_PACKING) {
        deflateEnd(&sender->zip);
        text_fini(&sender->zipped);
    }
    ev_timer_stop(sender->export->loop, &sender->retry_timer);
    ev_timer_stop(sender->export->loop, &sender->pack_timer);
    ev_timer_stop(sender->export->loop, &sender->gather_timer);
    sender->state = SENDER_IDLE;
    while (sender->first) {
        sender_drop(sender, OTLP_DROP_SHUTDOWN, sender->first->items);
        pop(sender);
    }
    http_sender_close(sender);
}
