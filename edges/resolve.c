#define _GNU_SOURCE /* getaddrinfo_a; NOLINT(cert-dcl51-cpp,bugprone-reserved-identifier) */
#include "edges/resolve.h"

#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum { HOST_MAX = 256 };

/* Apart from the stack: it outlives the call when the look-up cannot be stopped. */
struct lookup {
    struct gaicb request;
    struct addrinfo hints;
    char host[HOST_MAX];
};

static void keep_addresses(struct resolved *resolved, const struct addrinfo *list)
{
    for (; list && resolved->count < RESOLVE_ADDRESSES_MAX; list = list->ai_next) {
        char *address = resolved->addresses[resolved->count];
        resolved->count += getnameinfo(list->ai_addr, list->ai_addrlen, address, RESOLVE_ADDRESS_BYTES, NULL,
                                       0, NI_NUMERICHOST) == 0;
    }
}

/* What getaddrinfo says; EAI_INPROGRESS where the limit came first. */
static int look_up(struct lookup *lookup, int64_t limit_ms)
{
    struct gaicb *list[] = {&lookup->request};
    const struct gaicb *waited[] = {&lookup->request};
    struct timespec limit = {limit_ms / 1000, limit_ms % 1000 * NS_PER_MS};
    if (getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) != 0)
        return EAI_SYSTEM;
    gai_suspend(waited, 1, &limit);
    int outcome = gai_error(&lookup->request);
    if (outcome == EAI_INPROGRESS && gai_cancel(&lookup->request) == EAI_CANCELED)
        outcome = EAI_CANCELED;
    return outcome;
}

bool resolve_host(struct resolved *resolved, const char *host, int64_t limit_ms, struct text *error)
{
    *resolved = (struct resolved){.count = 0};
    if (strlen(host) >= HOST_MAX) {
        text_lit(error, "a name of more than 255 bytes");
        return false;
    }
    struct lookup *lookup = base_alloc(1, sizeof *lookup);
    memcpy(lookup->host, host, strlen(host));
    lookup->hints.ai_socktype = SOCK_STREAM;
    lookup->request.ar_name = lookup->host;
    lookup->request.ar_request = &lookup->hints;
    /* Numbers need no thread. */
    lookup->hints.ai_flags = AI_NUMERICHOST;
    int outcome = getaddrinfo(lookup->host, NULL, &lookup->hints, &lookup->request.ar_result);
    if (outcome == EAI_NONAME) {
        lookup->hints.ai_flags = 0;
        outcome = look_up(lookup, limit_ms);
    }
    if (outcome == EAI_INPROGRESS || outcome == EAI_CANCELED)
        text_lit(error, "the name server gave no answer in time");
    else if (outcome != 0)
        text_str(error, gai_strerror(outcome));
    if (outcome == 0) {
        keep_addresses(resolved, lookup->request.ar_result);
        freeaddrinfo(lookup->request.ar_result);
    }
    if (outcome != EAI_INPROGRESS)
        free(lookup);
    return resolved->count > 0;
}
