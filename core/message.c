#include "core/message.h"

#include <stdlib.h>

struct message *message_new(struct message_pool *pool)
{
    struct message *message = pool->free;
    if (message)
        pool->free = message->next;
    else
        message = base_alloc(1, sizeof *message);
    pool->live++;
    message->next = NULL;
    message->body = NULL;
    message->context.state = NULL;
    return message;
}

void message_free(struct message_pool *pool, struct message *message)
{
    body_unref(&pool->bodies, message->body);
    body_unref(&pool->bodies, message->context.state);
    message->next = pool->free;
    pool->free = message;
    pool->live--;
}

void message_pool_fini(struct message_pool *pool)
{
    while (pool->free) {
        struct message *next = pool->free->next;
        free(pool->free);
        pool->free = next;
    }
    body_pool_fini(&pool->bodies);
}

bool mailbox_put(struct mailbox *mailbox, struct message *message)
{
    if (message->kind == MESSAGE_ASK && mailbox->asks == mailbox->asks_max) {
        mailbox->refused++;
        return false;
    }
    mailbox->asks += message->kind == MESSAGE_ASK;
    message->next = NULL;
    if (mailbox->last)
        mailbox->last->next = message;
    else
        mailbox->first = message;
    mailbox->last = message;
    mailbox->count++;
    mailbox->peak = MAX(mailbox->peak, mailbox->count);
    return true;
}

struct message *mailbox_take(struct mailbox *mailbox)
{
    struct message *message = mailbox->first;
    if (!message)
        return NULL;
    mailbox->first = message->next;
    if (!mailbox->first)
        mailbox->last = NULL;
    mailbox->count--;
    mailbox->asks -= message->kind == MESSAGE_ASK;
    return message;
}
