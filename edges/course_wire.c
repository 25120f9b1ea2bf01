#include "edges/course_wire.h"

#include <math.h>
#include <stdio.h>

#define FURTHEST_NS (NEVER / 4) /* sums of such instants do not overflow */
enum { COURSE_FIELDS = 4, FAULT_FIELDS = 8, STEP_FIELDS = 3 };

static void put_text(struct pack *pack, const char *text)
{
    if (text)
        pack_text(pack, text);
    else
        pack_nil(pack);
}

void course_write_fault(struct pack *pack, const struct fault_spec *fault)
{
    pack_array(pack, FAULT_FIELDS);
    pack_int(pack, fault->kind);
    put_text(pack, fault->target);
    pack_real(pack, fault->value);
    put_text(pack, fault->route);
    pack_real(pack, fault->most);
    put_text(pack, fault->missing_index);
    pack_int(pack, fault->after_ns);
    pack_array(pack, (uint32_t)fault->step_count);
    for (size_t i = 0; i < fault->step_count; i++) {
        pack_array(pack, STEP_FIELDS);
        pack_int(pack, fault->steps[i].at_ns);
        pack_real(pack, fault->steps[i].low);
        pack_real(pack, fault->steps[i].high);
    }
}

/* NULL for nil; what is too long is bad. */
static const char *take_text(struct cursor *from, char text[static COURSE_TEXT_BYTES])
{
    if (cursor_nil(from))
        return NULL;
    struct slice slice = cursor_text(from);
    if (slice.len >= COURSE_TEXT_BYTES || memchr(slice.at ? slice.at : "", '\0', slice.len))
        from->bad = true;
    else
        snprintf(text, COURSE_TEXT_BYTES, "%.*s", (int)slice.len, slice.at ? slice.at : "");
    return text;
}

static double take_number(struct cursor *from)
{
    double value = cursor_real(from);
    from->bad |= !isfinite(value) || value < 0;
    return value;
}

static int64_t take_instant(struct cursor *from)
{
    int64_t value = cursor_int(from);
    from->bad |= value < 0 || value > FURTHEST_NS;
    return value;
}

bool course_read_fault(struct cursor *from, struct course_fault *fault)
{
    struct fault_spec *spec = &fault->spec;
    *fault = (struct course_fault){0};
    uint32_t fields = cursor_array(from);
    int64_t kind = cursor_int(from);
    spec->target = take_text(from, fault->target);
    spec->value = take_number(from);
    spec->route = take_text(from, fault->route);
    spec->most = take_number(from);
    spec->missing_index = take_text(from, fault->missing_index);
    spec->after_ns = take_instant(from);
    spec->step_count = cursor_array(from);
    if (from->bad || fields != FAULT_FIELDS || kind < 0 || kind >= FAULT_KIND_COUNT ||
        spec->step_count > SCRIPT_STEPS_MAX ||
        (!spec->target && kind != FAULT_READ_REPLICAS && kind != FAULT_TABLE_GROWTH))
        return false;
    spec->kind = (enum fault_kind)kind;
    bool of_time = kind == FAULT_ACQUIRE_TIMEOUT || kind == FAULT_QUERY_DELAY || kind == FAULT_ROUTE_DELAY;
    if (spec->value > (of_time ? (double)NS_PER_S * 1e6 : 1e9))
        return false;
    for (size_t i = 0; i < spec->step_count; i++) {
        from->bad |= cursor_array(from) != STEP_FIELDS;
        spec->steps[i].at_ns = take_instant(from);
        spec->steps[i].low = take_number(from);
        spec->steps[i].high = take_number(from);
    }
    bool of_route = kind >= FAULT_ROUTE_DELAY;
    return !from->bad && of_route == (spec->route != NULL);
}

void course_write(struct pack *pack, const struct world *world)
{
    struct world_course course = world_course(world);
    const struct run_stats *stats = world_stats(world);
    uint32_t count = 0;
    for (size_t i = 0; i < stats->fault_count; i++)
        count += stats->faults[i].by_hand;
    pack_array(pack, COURSE_FIELDS);
    if (course.zero_ns == NEVER)
        pack_nil(pack);
    else
        pack_int(pack, course.zero_ns);
    pack_int(pack, course.from_ns);
    pack_int(pack, course.duration_ns);
    pack_array(pack, 2 * count);
    for (size_t i = 0; i < stats->fault_count; i++) {
        if (!stats->faults[i].by_hand)
            continue;
        pack_int(pack, (int64_t)stats->faults[i].nth);
        course_write_fault(pack, &stats->faults[i].spec);
    }
}

bool course_read(struct cursor *from, struct course *course)
{
    *course = (struct course){.world.zero_ns = NEVER};
    uint32_t fields = cursor_array(from);
    if (!cursor_nil(from)) {
        int64_t zero_ns = cursor_int(from); /* may lie before the world's first instant */
        from->bad |= zero_ns < -FURTHEST_NS || zero_ns > FURTHEST_NS;
        course->world.zero_ns = zero_ns;
    }
    course->world.from_ns = take_instant(from);
    course->world.duration_ns = take_instant(from);
    uint32_t count = cursor_array(from) / 2;
    if (from->bad || fields != COURSE_FIELDS || count > FAULTS_MAX)
        return false;
    for (course->fault_count = 0; course->fault_count < count; course->fault_count++) {
        struct course_fault *fault = &course->faults[course->fault_count];
        int64_t nth = cursor_int(from);
        if (nth <= 0 || !course_read_fault(from, fault))
            return false;
        fault->nth = (uint64_t)nth;
    }
    return true;
}

/* The first behind the one of that number; NULL: there is none. */
static const struct course_fault *next_fault(const struct course *course, uint64_t nth)
{
    const struct course_fault *next = NULL;
    for (size_t i = 0; i < course->fault_count; i++) {
        const struct course_fault *fault = &course->faults[i];
        if (fault->nth > nth && (!next || fault->nth < next->nth))
            next = fault;
    }
    return next;
}

/* In the order in which they were set, which need not be that of their places. */
void course_follow(struct world *world, uint64_t *faults_followed, const struct course *course,
                   int64_t now_ns)
{
    const struct course_fault *fault;
    world_follow(world, &course->world, now_ns);
    for (; (fault = next_fault(course, *faults_followed)); *faults_followed = fault->nth)
        world_set_fault(world, &fault->spec, now_ns);
}
