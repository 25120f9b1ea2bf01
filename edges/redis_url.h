/*
 * redis_url: where a Redis is, and as whom to talk to it.
 *
 *     redis://[[user]:password@]host[:port][/database]      port 6379, database 0
 *     unix:///path/of/socket[?db=N]                         likewise redis+unix://
 *     unix://[user]:password@/path/of/socket
 *
 * Reserved bytes in user and password are written %XX. An IPv6 address stands in brackets. Errors never show the
 * password, nor does redis_url_text.
 *
 * Source: the forms that redis-py and the "redis" URI scheme registration share.
 */
#ifndef EDGES_REDIS_URL_H
#define EDGES_REDIS_URL_H

#include "core/text.h"

enum { REDIS_HOST_BYTES = 256, REDIS_PATH_BYTES = 108, REDIS_SECRET_BYTES = 256, REDIS_DATABASE_MAX = 65535 };

struct redis_url {
    bool local; /* a socket at `path`; else host and port */
    char host[REDIS_HOST_BYTES];
    uint16_t port;
    char path[REDIS_PATH_BYTES];
    char user[REDIS_SECRET_BYTES], password[REDIS_SECRET_BYTES]; /* "": none */
    int database;
};

/* False: `error` is one line that names what was expected. */
bool redis_url_read(struct redis_url *url, const char *text, struct text *error);
/* For people: without user and password. */
void redis_url_text(const struct redis_url *url, struct text *text);

#endif
