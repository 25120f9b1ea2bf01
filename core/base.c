#include "core/base.h"

#include <stdlib.h>

void (*base_on_broken)(const char *condition, const char *file, int line);

_Noreturn void base_broken(const char *condition, const char *file, int line)
{
    if (base_on_broken)
        base_on_broken(condition, file, line);
    abort();
}

void *base_alloc(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size ? size : 1);
    ASSERT(memory);
    return memory;
}

void *base_grow(void *old, size_t old_count, size_t count, size_t size)
{
    ASSERT(count >= old_count && (size == 0 || count <= SIZE_MAX / size));
    char *memory = realloc(old, count * size);
    ASSERT(memory);
    memset(memory + old_count * size, 0, (count - old_count) * size);
    return memory;
}

char *base_copy(const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(base_alloc(bytes, 1), text, bytes);
}
