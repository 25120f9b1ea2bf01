/* Requests by libcurl's multi interface on libev. See edges/otlp_export.h. */
#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "edges/otlp_export_parts.h"
#include "edges/otlp_export_retry.h"

static void on_done(void *owner, CURL *easy, CURLcode result)
{
    (void)owner;
    struct sender *sender;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&sender);
    sender_done(sender, result);
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
    export->curl = curl_in_ev_open(export->loop, on_done, export);
}

void http_close(struct otlp_export *export)
{
    curl_in_ev_close(export->curl);
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
    curl_in_ev_add(sender->export->curl, sender->easy);
}

void http_abort(struct sender *sender)
{
    curl_in_ev_remove(sender->export->curl, sender->easy);
}
