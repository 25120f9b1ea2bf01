#include "edges/http_client.h"

#include "core/slab.h"
#include "edges/curl_in_ev.h"
#include "edges/http_ask.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    IDLE_S_MAX = 5, /* half of what the services grant: so they never close what is about to be used */
    LIMIT_MS_MAX = 10 * 60 * 1000,
    SPARE_MS = 1000, /* whoever asked gives up first */
    RECEIVE_BYTES = 4096
};

struct transfer {
    struct slab_item item;
    struct http_client *client;
    CURL *easy; /* kept with the slot */
    struct curl_slist *headers;
    uint64_t token;
    const struct route *route;
    struct http_ask ask;
    struct text answer;
};

struct http_client {
    struct http_client_options options;
    struct curl_in_ev *curl;
    struct slab transfers;
    struct text origin; /* "http://127.0.0.1:", and a port */
    size_t origin_len;
    struct pack pack;
};

/* ---- The end ---- */

static void answer(struct http_client *client, uint64_t token, enum status status, int64_t now_ns)
{
    struct outbound_answer out = {
        .token = token, .status = status, .body = client->pack.bytes, .body_len = client->pack.len};
    world_answer(client->options.world, &out, now_ns);
}

static struct pack *empty_pack(struct http_client *client)
{
    client->pack.len = 0;
    client->pack.overflow = false;
    return &client->pack;
}

static void give_back(struct transfer *transfer)
{
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
    slab_give(&transfer->client->transfers, transfer);
}

static enum status without_answer(CURLcode result)
{
    switch (result) {
    case CURLE_COULDNT_CONNECT:
        return STATUS_NO_PEER;
    case CURLE_OPERATION_TIMEDOUT:
        return STATUS_DEADLINE;
    default:
        return STATUS_FAILED;
    }
}

static void on_done(void *owner, CURL *easy, CURLcode result)
{
    struct http_client *client = owner;
    struct transfer *transfer;
    long code = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
    struct pack *pack = empty_pack(client);
    struct slice body = {transfer->answer.bytes, (uint32_t)transfer->answer.len};
    enum status status =
        result == CURLE_OK ? http_ask_read(transfer->route, code, body, pack) : without_answer(result);
    uint64_t token = transfer->token;
    give_back(transfer);
    answer(client, token, status, client->options.now(client->options.owner));
}

static size_t on_body(char *bytes, size_t size, size_t count, void *owner)
{
    struct transfer *transfer = owner;
    size_t len = size * count;
    if (len > HTTP_CLIENT_ANSWER_MAX - transfer->answer.len)
        return 0; /* breaks it off */
    text_bytes(&transfer->answer, bytes, len);
    return len;
}

/* ---- The beginning ---- */

static CURL *new_handle(struct transfer *transfer)
{
    CURL *easy = curl_easy_init();
    ASSERT(easy);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_S_MAX);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "doorbuster-load-generator");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    return easy;
}

static struct transfer *take_transfer(struct http_client *client)
{
    struct transfer *transfer = slab_take(&client->transfers);
    if (!transfer)
        return NULL;
    if (!transfer->easy)
        transfer->easy = new_handle(transfer);
    transfer->client = client;
    transfer->answer.len = 0;
    return transfer;
}

static void add_header(struct transfer *transfer, const char *header)
{
    struct curl_slist *more = curl_slist_append(transfer->headers, header);
    ASSERT(more);
    transfer->headers = more;
}

/* How long curl may take, in the loop's time: the asker's limit and a little. */
static long limit_ms(const struct http_client *client, const struct outbound_ask *ask)
{
    if (ask->limit_ns == NEVER)
        return LIMIT_MS_MAX;
    double ms = (double)ask->limit_ns / (double)NS_PER_MS / client->options.speed + SPARE_MS;
    return (long)MIN(ms, LIMIT_MS_MAX);
}

static void add_trace(struct transfer *transfer)
{
    struct http_ask *said = &transfer->ask;
    char header[sizeof "traceparent: " + TRACE_STATE_BYTES_MAX];
    snprintf(header, sizeof header, "traceparent: %s", said->trace_parent);
    add_header(transfer, header);
    if (!said->trace_state.len)
        return;
    snprintf(header, sizeof header, "tracestate: %s", text_c(&said->trace_state));
    add_header(transfer, header);
}

static void start(struct transfer *transfer, const struct outbound_ask *ask)
{
    struct http_client *client = transfer->client;
    struct http_ask *said = &transfer->ask;
    CURL *easy = transfer->easy;
    if (!client->options.no_propagation)
        add_trace(transfer);
    add_header(transfer, "Expect:");
    if (said->body.len) {
        add_header(transfer, "Content-Type: application/json");
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)said->body.len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, said->body.bytes);
    } else {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, text_c(&said->method));
    curl_easy_setopt(easy, CURLOPT_URL, text_c(&said->url));
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, limit_ms(client, ask));
    curl_in_ev_add(client->curl, easy);
}

static const char *origin_of(struct http_client *client, const struct actor_kind *service)
{
    uint16_t port = client->options.port(client->options.owner, service->service);
    client->origin.len = client->origin_len;
    text_u64(&client->origin, port);
    return port ? text_c(&client->origin) : NULL;
}

void http_client_ask(struct http_client *client, const struct outbound_ask *ask)
{
    const char *origin = origin_of(client, ask->service);
    struct transfer *transfer = origin ? take_transfer(client) : NULL;
    int64_t now_ns = world_now(client->options.world); /* within its turn */
    empty_pack(client);
    if (!transfer) {
        answer(client, ask->token, origin ? STATUS_OVERLOADED : STATUS_NO_PEER, now_ns);
        return;
    }
    transfer->token = ask->token;
    transfer->route = ask->route;
    if (!http_ask_write(ask, origin, &transfer->ask)) {
        give_back(transfer);
        answer(client, ask->token, STATUS_BAD_INPUT, now_ns);
        return;
    }
    start(transfer, ask);
}

/* ---- Life ---- */

struct http_client *http_client_open(struct ev_loop *loop, const struct http_client_options *options)
{
    struct http_client *client = base_alloc(1, sizeof *client);
    const char *address = options->address ? options->address : "127.0.0.1";
    bool brackets = strchr(address, ':') != NULL;
    client->options = *options;
    client->curl = curl_in_ev_open(loop, on_done, client);
    CURLM *multi = curl_in_ev_multi(client->curl);
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)HTTP_CLIENT_CONNECTIONS_MAX);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)HTTP_CLIENT_CONNECTIONS_MAX);
    slab_init(&client->transfers, sizeof(struct transfer), HTTP_CLIENT_REQUESTS_MAX);
    client->pack.bytes = base_alloc(BODY_BYTES_MAX, 1);
    text_lit(&client->origin, "http://");
    text_str(&client->origin, brackets ? "[" : "");
    text_str(&client->origin, address);
    text_str(&client->origin, brackets ? "]:" : ":");
    client->origin_len = client->origin.len;
    return client;
}

static void break_off(struct http_client *client)
{
    for (uint32_t slot = 0; slot < client->transfers.count; slot++) {
        struct transfer *transfer = slab_at(&client->transfers, slot);
        if (!transfer)
            continue;
        curl_in_ev_remove(client->curl, transfer->easy);
        give_back(transfer);
    }
}

void http_client_close(struct http_client *client)
{
    break_off(client);
    /* All are free now: each is taken once. */
    for (uint32_t left = client->transfers.count; left; left--) {
        struct transfer *transfer = slab_take(&client->transfers);
        curl_easy_cleanup(transfer->easy);
        http_ask_fini(&transfer->ask);
        text_fini(&transfer->answer);
    }
    curl_in_ev_close(client->curl);
    slab_fini(&client->transfers);
    text_fini(&client->origin);
    free(client->pack.bytes);
    free(client);
}

size_t http_client_pending(const struct http_client *client)
{
    return client->transfers.live;
}
