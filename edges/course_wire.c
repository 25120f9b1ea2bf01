#include "edges/course_wire.h"

#include <math.h>
#include <stdio.h>

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
    from->bad |= value < 0;
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
    pack_array(pack, count);
    for (size_t i = 0; i < stats->fault_count; i++)
        if (stats->faults[i].by_hand)
            course_write_fault(pack, &stats->faults[i].spec);
}

bool course_read(struct cursor *from, struct course *course)
{
    *course = (struct course){.world.zero_ns = NEVER};
    uint32_t fields = cursor_array(from);
    if (!cursor_nil(from))
        course->world.zero_ns = cursor_int(from); /* may lie before the world's first instant */
    course->world.from_ns = take_instant(from);
    course->world.duration_ns = take_instant(from);
    uint32_t count = cursor_array(from);
    if (from->bad || fields != COURSE_FIELDS || count > FAULTS_MAX)
        return false;
    for (course->fault_count = 0; course->fault_count < count; course->fault_count++)
        if (!course_read_fault(from, &course->faults[course->fault_count]))
            return false;
    return true;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_fault(const struct fault_spec *a, const struct fault_spec *b)
{
    return a->kind == b->kind && a->value == b->value && same_text(a->target, b->target) &&
           same_text(a->route, b->route) && a->most == b->most && a->after_ns == b->after_ns;
}

/* The pointers of a copy point into the copy. */
static void keep_fault(struct course_fault *to, const struct course_fault *from)
{
    *to = *from;
    to->spec.target = from->spec.target ? to->target : NULL;
    to->spec.route = from->spec.route ? to->route : NULL;
    to->spec.missing_index = from->spec.missing_index ? to->missing_index : NULL;
}

void course_follow(struct world *world, struct course *before, const struct course *course, int64_t now_ns)
{
    world_follow(world, &course->world, now_ns);
    before->world = course->world;
    for (size_t i = 0; i < course->fault_count; i++) {
        const struct course_fault *fault = &course->faults[i];
        if (i < before->fault_count && same_fault(&before->faults[i].spec, &fault->spec))
            continue;
        world_set_fault(world, &fault->spec, now_ns);
        keep_fault(&before->faults[i], fault);
    }
    before->fault_count = MAX(before->fault_count, course->fault_count);
}
