/*
 * message: the envelope between actors, and the mailbox it waits in.
 *
 * Envelopes are reused through a free list. The one who takes a message out of a mailbox owns it and
 * gives it back with message_free, which drops its body and its context's tracestate. A mailbox refuses asks beyond its bound (the
 * sender is answered at once); answers always fit, for there is at most one per ask under way.
 */
#ifndef CORE_MESSAGE_H
#define CORE_MESSAGE_H

#include "core/pack.h"
#include "core/span.h"

enum message_kind {
    MESSAGE_ASK,
    MESSAGE_REPLY,
    MESSAGE_CANCEL /* to a store: whoever asked has given up */
};

/* Added to a sender's index: it asks from another process. */
enum { MESSAGE_FAR = 0x4000 };

struct message {
    struct message *next;
    enum message_kind kind;
    uint16_t from, to; /* actors by index */
    uint16_t route; /* ASK: route of the receiver, or statement of a database */
    enum status status; /* REPLY */
    uint64_t ask; /* the asker's handle, given back in the reply */
    int64_t deadline_ns; /* ASK: nobody reads an answer from this instant on */
    struct trace_context context;
    struct body *body;
};

struct message_pool {
    struct message *free;
    struct body_pool bodies;
    size_t live;
};

struct message *message_new(struct message_pool *pool);
void message_free(struct message_pool *pool, struct message *message);
void message_pool_fini(struct message_pool *pool);

enum { MAILBOX_ASKS_DEFAULT = 1024 };

struct mailbox {
    struct message *first, *last;
    uint32_t count, asks, asks_max, peak;
    uint64_t refused;
};

/* False: full, and counted; the message is still the caller's. */
bool mailbox_put(struct mailbox *mailbox, struct message *message);
struct message *mailbox_take(struct mailbox *mailbox); /* NULL: empty */

#endif
