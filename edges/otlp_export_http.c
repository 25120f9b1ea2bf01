/* Requests by libcurl's multi interface on libev. See edges/otlp_export.h. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "edges/otlp_export_parts.h"
#include "edges/otlp_export_retry.h"

/* One a connection. curl keeps it with the socket; ours to free. */
struct watch {
    ev_io io;
    struct otlp_export *export;
};

static void finish_all(struct otlp_export *export)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(export->multi, &left));) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode result = message->data.result;
        struct sender *sender;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&sender);
        curl_multi_remove_handle(export->multi, sender->easy);
        sender_done(sender, result);
    }
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    struct otlp_export *export = ((struct watch *)io)->export;
    int running, mask = (events & EV_READ ? CURL_CSELECT_IN : 0) | (events & EV_WRITE ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(export->multi, io->fd, mask, &running);
    finish_all(export);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct otlp_export *export = timer->data;
    int running;
    curl_multi_socket_action(export->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_all(export);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *owner, void *socket)
{
    (void)easy;
    struct otlp_export *export = owner;
    struct watch *watch = socket;
    if (watch)
        ev_io_stop(export->loop, &watch->io);
    if (what == CURL_POLL_REMOVE) {
        free(watch);
        curl_multi_assign(export->multi, fd, NULL);
        return 0;
    }
    if (!watch) {
        watch = base_alloc(1, sizeof *watch);
        watch->export = export;
        curl_multi_assign(export->multi, fd, watch);
    }
    ev_io_init(&watch->io, on_io, fd,
               (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
    ev_io_start(export->loop, &watch->io);
    return 0;
}

/* Never calls back into curl from here: a timer of 0 does, in the next iteration. */
static int on_timeout(CURLM *multi, long timeout_ms, void *owner)
{
    (void)multi;
    struct otlp_export *export = owner;
    ev_timer_stop(export->loop, &export->curl_timer);
    if (timeout_ms >= 0) {
        ev_timer_set(&export->curl_timer, (double)timeout_ms / 1000, 0);
        ev_timer_start(export->loop, &export->curl_timer);
    }
    return 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *owner)
{
    struct sender *sender = owner;
    size_t len = size * count;
    if (sender->answer.len + len > OTLP_ANSWER_BYTES_MAX) {
        sender->answer_too_large = true;
        return 0; /* ends the request */
    }
    text_bytes(&sender->answer, bytes, len);
    return len;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *owner)
{
    static const char name[] = "retry-after:";
    struct sender *sender = owner;
    size_t len = size * count, name_len = sizeof name - 1;
    if (len > name_len && !strncasecmp(bytes, name, name_len)) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        sender->retry_after_s = otlp_retry_after_s(bytes + name_len, len - name_len,
                                                   (double)now.tv_sec + (double)now.tv_nsec / 1e9);
    }
    return len;
}

void http_open(struct otlp_export *export)
{
    ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    export->multi = curl_multi_init();
    ASSERT(export->multi);
    ev_timer_init(&export->curl_timer, on_timer, 0, 0);
    export->curl_timer.data = export;
    curl_multi_setopt(export->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(export->multi, CURLMOPT_SOCKETDATA, export);
    curl_multi_setopt(export->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(export->multi, CURLMOPT_TIMERDATA, export);
}

void http_close(struct otlp_export *export)
{
    curl_multi_cleanup(export->multi);
    ev_timer_stop(export->loop, &export->curl_timer);
    curl_global_cleanup();
}

static void add_header(struct sender *sender, const char *header)
{
    struct curl_slist *more = curl_slist_append(sender->headers, header);
    ASSERT(more);
    sender->headers = more;
}

static void set_headers(struct sender *sender)
{
    const struct otlp_signal_env *env = sender->env;
    add_header(sender, env->json ? "Content-Type: application/json" : "Content-Type: application/x-protobuf");
    if (env->gzip)
        add_header(sender, "Content-Encoding: gzip");
    /* Without this curl waits a second for a go-ahead that few servers give. */
    add_header(sender, "Expect:");
    for (size_t i = 0; i < env->header_count; i++)
        add_header(sender, env->headers[i]);
}

static void set_tls(const struct sender *sender)
{
    const struct otlp_signal_env *env = sender->env;
    if (env->certificate)
        curl_easy_setopt(sender->easy, CURLOPT_CAINFO, env->certificate);
    if (env->client_certificate)
        curl_easy_setopt(sender->easy, CURLOPT_SSLCERT, env->client_certificate);
    if (env->client_key)
        curl_easy_setopt(sender->easy, CURLOPT_SSLKEY, env->client_key);
}

bool http_sender_open(struct sender *sender)
{
    const char *version = sender->export->options.source.version;
    char agent[128];
    snprintf(agent, sizeof agent, "doorbuster/%s OTel-OTLP-Exporter-C/%s", version, version);
    CURL *easy = sender->easy = curl_easy_init();
    ASSERT(easy);
    set_headers(sender);
    set_tls(sender);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, sender);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, sender->headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, agent);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* Nobody waits for the resolver's thread. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)sender->env->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, sender->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, sender);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, sender);
    return curl_easy_setopt(easy, CURLOPT_URL, sender->env->url) == CURLE_OK;
}

void http_sender_close(struct sender *sender)
{
    curl_easy_cleanup(sender->easy);
    curl_slist_free_all(sender->headers);
    text_fini(&sender->answer);
}

void http_start(struct sender *sender, const struct otlp_request *request)
{
    sender->answer.len = 0;
    sender->answer_too_large = false;
    sender->retry_after_s = -1;
    sender->error[0] = '\0';
    curl_easy_setopt(sender->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->len);
    curl_easy_setopt(sender->easy, CURLOPT_POSTFIELDS, request->body);
    ASSERT(curl_multi_add_handle(sender->export->multi, sender->easy) == CURLM_OK);
}

void http_abort(struct sender *sender)
{
    curl_multi_remove_handle(sender->export->multi, sender->easy);
}
