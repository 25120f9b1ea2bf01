/*
 * otlp_export_parts: the inside of the OTLP exporter. For edges/otlp_export*.c alone.
 *
 * A signal has a sender: its queue of whole requests, of which the first is being compressed, in flight,
 * or waiting for another attempt.
 */
#ifndef EDGES_OTLP_EXPORT_PARTS_H
#define EDGES_OTLP_EXPORT_PARTS_H

#include <zlib.h>

#include "edges/curl_in_ev.h"
#include "edges/otlp_export.h"
#include "edges/otlp_export_answer.h"
#include "edges/otlp_json.h"
#include "edges/otlp_proto.h"

struct otlp_request {
    struct otlp_request *next;
    unsigned items;
    bool packed; /* compressed already */
    size_t len;
    char *body;
};

enum sender_state { SENDER_IDLE, SENDER_PACKING, SENDER_FLYING, SENDER_WAITING };

struct sender {
    struct otlp_export *export;
    enum otlp_signal signal;
    const struct otlp_signal_env *env;
    bool wanted;
    enum sender_state state;
    struct otlp_request *first, *last;
    unsigned gathered; /* items in the encoder */
    size_t held; /* bytes in the encoder */
    struct otlp_export_stats stats;
    ev_timer gather_timer, retry_timer, pack_timer;

    /* the first request's attempts */
    unsigned failures;
    ev_tstamp begun_at; /* the first attempt; 0: none yet */
    bool asked_to_wait; /* by Retry-After */

    /* one attempt */
    CURL *easy;
    struct curl_slist *headers;
    char error[CURL_ERROR_SIZE];
    struct text answer;
    bool answer_too_large;
    double retry_after_s; /* below 0: not asked for */

    /* compressing */
    z_stream zip;
    struct text zipped;

    bool trouble_said;
    ev_tstamp loss_said_at;
};

struct otlp_export {
    struct ev_loop *loop;
    struct otlp_export_options options;
    const struct otlp_env *env;
    struct otlp_json *json; /* NULL: no signal is sent in it */
    struct otlp_proto *proto;
    struct sender senders[OTLP_SIGNALS];
    size_t queue_bytes, queued_bytes; /* the bound; of requests in queues */
    uint64_t chance; /* state of the jitter's generator */
    bool ending; /* being flushed: no record waits for more */
    unsigned turns;
    bool heard; /* of a backend, whatever it said */
    ev_tstamp progress_at; /* when a backend last took or refused something */

    struct curl_in_ev *curl;
    ev_timer wake_timer;

    struct metrics self;
    int64_t metrics_at_ns; /* the last export's instant */
    bool metrics_begun;
};

/* otlp_export_sender.c */
bool sender_open(struct sender *sender, struct otlp_export *export, enum otlp_signal signal);
void sender_close(struct sender *sender);
/* Takes the parts as one request. */
void sender_take(struct sender *sender, const struct iovec *parts, size_t count, unsigned items);
/* Goes on with the first request, if nothing is under way. */
void sender_go(struct sender *sender);
void sender_push(struct sender *sender);
/* An attempt has ended. */
void sender_done(struct sender *sender, CURLcode result);
void sender_drop(struct sender *sender, enum otlp_drop reason, uint64_t items);

/* otlp_export_self.c */
/* The first request's last attempt has ended. `code` 0: it had none; `error` NULL: it was accepted. */
void self_ended(const struct sender *sender, long code, const char *error);
const char *self_code(long code); /* as text that lasts */

/* otlp_export_http.c */
void http_open(struct otlp_export *export);
void http_close(struct otlp_export *export);
bool http_sender_open(struct sender *sender);
void http_sender_close(struct sender *sender);
void http_start(struct sender *sender, const struct otlp_request *request);
void http_abort(struct sender *sender);

/* otlp_export.c */
void export_say(struct otlp_export *export, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *export_signal_name(enum otlp_signal signal);

#endif
