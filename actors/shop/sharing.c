#include "actors/shop/sharing.h"

#include <stdlib.h>

/* Less than this is left: done. Instants are whole nanoseconds, targets are not. */
static const double done_within_ns = 0.5;

void sharing_fini(struct sharing *sharing)
{
    free(sharing->heap);
    *sharing = (struct sharing){0};
}

static double slowdown(const struct sharing *sharing)
{
    double crowd = (double)sharing->count / sharing->cores;
    return crowd > 1 ? crowd : 1;
}

static void advance(struct sharing *sharing, int64_t now_ns)
{
    if (sharing->count)
        sharing->attained += (double)(now_ns - sharing->at_ns) / slowdown(sharing);
    else
        sharing->attained = 0; /* nobody remembers: keeps the numbers small */
    sharing->at_ns = now_ns;
}

static bool before(const struct sharing_job *a, const struct sharing_job *b)
{
    return a->target < b->target || (a->target <= b->target && a->sequence < b->sequence);
}

static void put(struct sharing *sharing, size_t place, struct sharing_job *job)
{
    sharing->heap[place] = job;
    job->place = (uint32_t)place + 1;
}

static void sift_up(struct sharing *sharing, size_t place)
{
    struct sharing_job *job = sharing->heap[place];
    while (place && before(job, sharing->heap[(place - 1) / 2])) {
        put(sharing, place, sharing->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(sharing, place, job);
}

static void sift_down(struct sharing *sharing, size_t place)
{
    struct sharing_job *job = sharing->heap[place];
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= sharing->count)
            break;
        if (child + 1 < sharing->count && before(sharing->heap[child + 1], sharing->heap[child]))
            child++;
        if (!before(sharing->heap[child], job))
            break;
        put(sharing, place, sharing->heap[child]);
        place = child;
    }
    put(sharing, place, job);
}

void sharing_add(struct sharing *sharing, struct sharing_job *job, double cost_ns, int64_t now_ns)
{
    advance(sharing, now_ns);
    if (sharing->count == sharing->cap) {
        size_t cap = MAX(sharing->cap * 2, 32);
        sharing->heap = base_grow(sharing->heap, sharing->cap, cap, sizeof *sharing->heap);
        sharing->cap = cap;
    }
    job->target = sharing->attained + cost_ns;
    job->sequence = sharing->sequence++;
    put(sharing, sharing->count++, job);
    sift_up(sharing, sharing->count - 1);
}

static void take_out(struct sharing *sharing, struct sharing_job *job)
{
    size_t place = job->place - 1;
    struct sharing_job *last = sharing->heap[--sharing->count];
    job->place = 0;
    if (last == job)
        return;
    put(sharing, place, last);
    sift_up(sharing, place);
    sift_down(sharing, last->place - 1);
}

void sharing_remove(struct sharing *sharing, struct sharing_job *job, int64_t now_ns)
{
    ASSERT(job->place);
    advance(sharing, now_ns);
    take_out(sharing, job);
}

int64_t sharing_next_at(const struct sharing *sharing)
{
    if (!sharing->count)
        return NEVER;
    double left_ns = (sharing->heap[0]->target - sharing->attained) * slowdown(sharing);
    int64_t whole_ns = left_ns > 0 ? (int64_t)left_ns : 0;
    return sharing->at_ns + whole_ns + ((double)whole_ns < left_ns);
}

struct sharing_job *sharing_done(struct sharing *sharing, int64_t now_ns)
{
    advance(sharing, now_ns);
    if (!sharing->count || sharing->heap[0]->target > sharing->attained + done_within_ns)
        return NULL;
    struct sharing_job *job = sharing->heap[0];
    take_out(sharing, job);
    return job;
}
