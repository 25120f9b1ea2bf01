#include "edges/redis_bound.h"

#include <stddef.h>

static redisReplyObjectFunctions usual; /* of every reader the same */

static bool asked_for(const redisReadTask *task)
{
    const redisAsyncContext *asker = task->privdata;
    return task->parent || !asker || asker->replies.head;
}

static void *create_string(const redisReadTask *task, char *bytes, size_t len)
{
    return asked_for(task) ? usual.createString(task, bytes, len) : NULL;
}

static void *create_array(const redisReadTask *task, int items)
{
    return asked_for(task) && items <= REDIS_REPLY_ITEMS_MAX ? usual.createArray(task, items) : NULL;
}

static void *create_integer(const redisReadTask *task, long long value)
{
    return asked_for(task) ? usual.createInteger(task, value) : NULL;
}

static void *create_nil(const redisReadTask *task)
{
    return asked_for(task) ? usual.createNil(task) : NULL;
}

void redis_bound(redisReader *reader, const redisAsyncContext *asker)
{
    static redisReplyObjectFunctions bounded = {.createString = create_string,
                                                .createArray = create_array,
                                                .createInteger = create_integer,
                                                .createNil = create_nil};
    if (!bounded.freeObject) {
        usual = *reader->fn;
        bounded.freeObject = usual.freeObject;
    }
    reader->fn = &bounded;
    reader->privdata = (void *)asker;
}

bool redis_bound_passed(const redisReader *reader)
{
    return reader->len - reader->pos > REDIS_REPLY_BYTES_MAX;
}
