/*
 * base: what every module needs - units of time, the assertion that stays on, small macros.
 *
 * Instants and durations are int64_t nanoseconds; instants count from the start of the scenario's
 * timeline. A broken assertion is a bug of ours: it calls the hook (which prints the seed, the instant
 * and the event, the way to repeat the failure) and aborts. Running out of memory is one too.
 */
#ifndef CORE_BASE_H
#define CORE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MIN (60 * NS_PER_S)
#define NS_PER_HOUR (60 * NS_PER_MIN)
#define NEVER INT64_MAX

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* Text that belongs to somebody else and has no NUL at its end. */
struct slice {
    const char *at;
    uint32_t len;
};

/* The struct that holds `member` at `pointer`. */
#define CONTAINER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define ASSERT(condition) ((condition) ? (void)0 : base_broken(#condition, __FILE__, __LINE__))

/* Called by a broken assertion before it aborts; NULL means abort in silence. */
extern void (*base_on_broken)(const char *condition, const char *file, int line);

_Noreturn void base_broken(const char *condition, const char *file, int line);

/* Memory from start-up on; zeroed. Never NULL: out of memory aborts. Free with free(). */
void *base_alloc(size_t count, size_t size);
void *base_grow(void *old, size_t old_count, size_t count, size_t size);
char *base_copy(const char *text);

#endif
