#include "core/spread.h"

#include <stdlib.h>

struct cell {
    uint32_t bucket, count;
};

/* What one sample added. */
struct part {
    struct cell *cells;
    size_t count, cap;
    uint64_t zeros;
    double sum;
};

struct spread {
    struct histogram last, window;
    struct part *parts;
    size_t samples, filled, next;
};

struct spread *spread_new(size_t samples, const struct histogram *now)
{
    struct spread *spread = base_alloc(1, sizeof *spread);
    spread->samples = MAX(samples, 1);
    spread->parts = base_alloc(spread->samples, sizeof *spread->parts);
    spread->last = *now;
    return spread;
}

void spread_free(struct spread *spread)
{
    for (size_t i = 0; spread && i < spread->samples; i++)
        free(spread->parts[i].cells);
    if (spread)
        free(spread->parts);
    free(spread);
}

static void leave(struct histogram *window, const struct part *part)
{
    window->zeros -= part->zeros;
    window->count -= part->zeros;
    window->sum -= part->sum;
    for (size_t i = 0; i < part->count; i++) {
        window->buckets[part->cells[i].bucket] -= part->cells[i].count;
        window->count -= part->cells[i].count;
    }
}

static void enter(struct histogram *window, const struct part *part)
{
    window->zeros += part->zeros;
    window->count += part->zeros;
    window->sum += part->sum;
    for (size_t i = 0; i < part->count; i++) {
        window->buckets[part->cells[i].bucket] += part->cells[i].count;
        window->count += part->cells[i].count;
    }
}

static void part_add(struct part *part, uint32_t bucket, uint32_t count)
{
    if (part->count == part->cap) {
        size_t cap = part->cap ? part->cap * 2 : 16;
        part->cells = base_grow(part->cells, part->cap, cap, sizeof *part->cells);
        part->cap = cap;
    }
    part->cells[part->count++] = (struct cell){bucket, count};
}

void spread_put(struct spread *spread, const struct histogram *now)
{
    struct part *part = &spread->parts[spread->next];
    if (spread->filled == spread->samples)
        leave(&spread->window, part);
    part->count = 0;
    part->zeros = now->zeros - spread->last.zeros;
    part->sum = now->sum - spread->last.sum;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        if (now->buckets[i] != spread->last.buckets[i])
            part_add(part, i, now->buckets[i] - spread->last.buckets[i]);
    enter(&spread->window, part);
    histogram_settle(&spread->window, now);
    spread->last = *now;
    spread->next = (spread->next + 1) % spread->samples;
    spread->filled = MIN(spread->filled + 1, spread->samples);
}

const struct histogram *spread_window(const struct spread *spread)
{
    return &spread->window;
}
