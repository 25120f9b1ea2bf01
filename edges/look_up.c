#define _GNU_SOURCE /* getaddrinfo_a; NOLINT(cert-dcl51-cpp,bugprone-reserved-identifier) */
#include "edges/look_up.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

struct look_up {
    struct gaicb query;
    struct addrinfo hints;
    char port[8];
    char host[256];
};

struct look_up *look_up_begin(const char *host, uint16_t port)
{
    struct look_up *look = base_alloc(1, sizeof *look);
    struct gaicb *list[] = {&look->query};
    look->hints = (struct addrinfo){.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    look->query = (struct gaicb){.ar_name = look->host, .ar_service = look->port, .ar_request = &look->hints};
    snprintf(look->host, sizeof look->host, "%s", host);
    snprintf(look->port, sizeof look->port, "%u", port);
    if (getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) == 0)
        return look;
    free(look);
    return NULL;
}

bool look_up_done(struct look_up *look, struct addrinfo **found)
{
    int result = gai_error(&look->query);
    if (result == EAI_INPROGRESS)
        return false;
    *found = result == 0 ? look->query.ar_result : NULL;
    free(look);
    return true;
}

const struct addrinfo *look_up_nth(const struct addrinfo *found, unsigned n)
{
    unsigned count = 0;
    for (const struct addrinfo *at = found; at; at = at->ai_next)
        count++;
    for (n = count ? n % count : 0; n; n--)
        found = found->ai_next;
    return found;
}

void look_up_drop(struct look_up *look)
{
    if (!look)
        return;
    int result = gai_cancel(&look->query);
    if (result == EAI_NOTCANCELED)
        return; /* it will be written to once more */
    if (result == EAI_ALLDONE && gai_error(&look->query) == 0)
        freeaddrinfo(look->query.ar_result);
    free(look);
}
