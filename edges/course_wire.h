/*
 * course_wire: the course of a run (core/world.h) as its processes tell each other: the timeline, and the faults that were
 * set by hand, as MessagePack. What is read is checked: numbers within their bounds, texts copied, kinds known.
 *
 *     course  [zero_ns or nil, from_ns, duration_ns, [fault, ...]]
 *     fault   [kind, target, value, route, most, missing_index, after_ns, [[at_ns, low, high], ...]]
 */
#ifndef EDGES_COURSE_WIRE_H
#define EDGES_COURSE_WIRE_H

#include "core/world.h"

enum { COURSE_TEXT_BYTES = 128 };

/* A fault with the texts that it points to. */
struct course_fault {
    struct fault_spec spec;
    char target[COURSE_TEXT_BYTES], route[COURSE_TEXT_BYTES], missing_index[COURSE_TEXT_BYTES];
};

struct course {
    struct world_course world; /* without faults_set */
    struct course_fault faults[FAULTS_MAX]; /* that were set by hand, in the order of their places */
    size_t fault_count;
};

void course_write_fault(struct pack *pack, const struct fault_spec *fault);
/* False: none, or impossible. The spec points into `fault`, which stays put. */
bool course_read_fault(struct cursor *from, struct course_fault *fault);

void course_write(struct pack *pack, const struct world *world);
bool course_read(struct cursor *from, struct course *course);

/* The world plays this course from now on. `before`: what it was told last (zeroed: nothing); it is what it was told now,
   afterwards. */
void course_follow(struct world *world, struct course *before, const struct course *course, int64_t now_ns);

#endif
