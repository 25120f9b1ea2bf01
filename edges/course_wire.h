/*
 * course_wire: the course of a run (core/world.h) as its processes tell each other: the timeline, and the faults that were
 * set by hand, as MessagePack. What is read is checked: numbers within their bounds, texts copied, kinds known.
 *
 *     course  [zero_ns or nil, from_ns, duration_ns, [nth, fault, nth, fault, ...]]
 *     fault   [kind, target, value, route, most, missing_index, after_ns, [[at_ns, low, high], ...]]
 *
 * `nth` counts the faults that were set by hand: one that is set again, in the place of an equal one, has a new number.
 */
#ifndef EDGES_COURSE_WIRE_H
#define EDGES_COURSE_WIRE_H

#include "core/world.h"

enum { COURSE_TEXT_BYTES = 128 };

/* A fault with the texts that it points to. */
struct course_fault {
    struct fault_spec spec;
    uint64_t nth; /* in a course; else 0 */
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

/* The world plays this course from now on. `faults_followed`: the number of the newest fault that it has set already, and
   of the newest that it has set now; 0: none. */
void course_follow(struct world *world, uint64_t *faults_followed, const struct course *course,
                   int64_t now_ns);

#endif
