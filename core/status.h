/*
 * status: the one list of outcomes a request can have, with what each means at an HTTP edge and on a span.
 *
 * Every ask ends with exactly one of these. `error_type` is the span attribute error.type (NULL: not an
 * error); `http` is 0 where no answer ever came back; `sqlstate` is PostgreSQL's code for it, or NULL.
 */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H

#include <stdbool.h>

enum status {
    STATUS_OK,
    STATUS_CREATED,
    STATUS_BAD_INPUT, /* the request says something impossible */
    STATUS_NOT_FOUND,
    STATUS_SOLD_OUT, /* an outcome, not an error */
    STATUS_FAILED, /* a step of the request failed */
    STATUS_UNAVAILABLE, /* a step of the request was refused or timed out */
    STATUS_POOL_EXHAUSTED, /* no connection within the acquire timeout */
    STATUS_CONNECTIONS_EXHAUSTED, /* the database refused one more connection (53300) */
    STATUS_LOCK_TIMEOUT, /* a row lock was not granted in time (55P03) */
    STATUS_OVERLOADED, /* the mailbox or the table of calls was full */
    STATUS_DEADLINE, /* no answer within the limit */
    STATUS_NO_PEER, /* nobody answers at that address */
    STATUS_CONNECTION_LOST, /* to the database: refused, broken or closed by it (08006) */
    STATUS_COUNT
};

struct status_info {
    const char *text;
    const char *error_type;
    const char *sqlstate;
    int http;
    bool failed; /* counts as an error for its caller and for the root request */
};

const struct status_info *status_info(enum status status);

static inline bool status_failed(enum status status)
{
    return status_info(status)->failed;
}

#endif
