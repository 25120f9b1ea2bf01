#include "tests/stories/spread_world.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CROSSING_MAX = 64 * 1024 };

/* An ask that is under way between two parts. */
struct crossing {
    struct slab_item item;
    struct spread_part *from, *to;
    uint64_t token;
    uint16_t asker, asked;
};

/* ---- the sinks of a part ---- */

static void on_far_ask(void *owner, const struct far_ask *ask)
{
    struct spread_part *from = owner;
    struct spread_run *run = from->run;
    struct spread_part *to = &run->parts[run->part_of[ask->to]];
    assert_ptr_not_equal(from, to);
    struct crossing *crossing = slab_take(&run->crossing);
    assert_non_null(crossing);
    crossing->from = from;
    crossing->to = to;
    crossing->token = ask->token;
    crossing->asker = ask->from;
    crossing->asked = ask->to;
    struct far_ask arrives = *ask;
    arrives.token = slab_handle(&crossing->item);
    run->crossed++;
    assert_true(world_far_ask(to->world, &arrives, world_now(from->world)));
}

static void on_far_cancel(void *owner, uint64_t token)
{
    struct spread_part *from = owner;
    struct slab *crossings = &from->run->crossing;
    for (uint32_t slot = 0; slot < crossings->count; slot++) {
        const struct crossing *crossing = slab_at(crossings, slot);
        if (!crossing || crossing->from != from || crossing->token != token)
            continue;
        from->run->cancelled++;
        world_far_cancel(crossing->to->world, crossing->asker, crossing->asked, slab_handle(&crossing->item),
                         world_now(from->world));
        return;
    }
    fail_msg("what is cancelled was never asked");
}

static void on_far_answer(void *owner, uint64_t token, enum status status, const struct body *body)
{
    struct spread_part *to = owner;
    struct crossing *crossing = slab_find(&to->run->crossing, token);
    assert_non_null(crossing); /* each is answered once */
    assert_ptr_equal(crossing->to, to);
    struct outbound_answer answer = {.token = crossing->token, .status = status};
    if (body) {
        answer.body = body->bytes;
        answer.body_len = body->len;
    }
    struct world *asker = crossing->from->world;
    slab_give(&to->run->crossing, crossing);
    world_answer(asker, &answer, world_now(to->world));
}

static void on_span(void *owner, const struct span *span)
{
    const struct sink *sink = &((struct spread_part *)owner)->run->sink;
    if (sink->span)
        sink->span(sink->owner, span);
}

static void on_log(void *owner, const struct log_record *record)
{
    const struct sink *sink = &((struct spread_part *)owner)->run->sink;
    if (sink->log)
        sink->log(sink->owner, record);
}

/* ---- figures ---- */

static void tell_all(struct spread_run *run)
{
    for (size_t i = 0; i < run->part_count; i++) {
        struct spread_part *part = &run->parts[i];
        run->pack.len = 0;
        while (part->gather && gather_write(part->gather, &run->pack, BODY_BYTES_MAX)) {
            struct cursor cursor = {.at = run->pack.bytes, .end = run->pack.bytes + run->pack.len};
            assert_false(run->pack.overflow);
            assert_true(gathered_read(part->gathered, &cursor));
            gather_acknowledge(part->gather);
            run->pack.len = 0;
        }
    }
}

static void tell_verdicts(struct spread_run *run)
{
    for (size_t i = 0; i < run->part_count; i++) {
        run->pack.len = 0;
        if (!run->parts[i].gather || !gather_verdicts(run->parts[i].world, &run->pack))
            continue;
        struct cursor cursor = {.at = run->pack.bytes, .end = run->pack.bytes + run->pack.len};
        assert_true(gathered_verdicts(run->whole->world, &cursor));
    }
}

/* ---- its life ---- */

void spread_open(struct spread_run *run, const struct world_options *options, const unsigned *part_of)
{
    size_t services = options->registry->kind_count;
    *run = (struct spread_run){.part_of = part_of, .sink = options->sink};
    run->pack.bytes = base_alloc(BODY_BYTES_MAX, 1);
    slab_init(&run->crossing, sizeof(struct crossing), CROSSING_MAX);
    for (size_t i = 0; i < services; i++) {
        assert_in_range(part_of[i], 0, PARTS_MAX - 1);
        run->part_count = MAX(run->part_count, part_of[i] + 1u);
        run->parts[part_of[i]].hosts[i] = true;
        if (options->registry->kinds[i]->drives_load)
            run->whole = &run->parts[part_of[i]];
    }
    for (size_t i = 0; i < run->part_count; i++) {
        struct spread_part *part = &run->parts[i];
        struct world_options own = *options;
        part->run = run;
        own.hosts = part->hosts;
        own.sink = (struct sink){.owner = part,
                                 .span = on_span,
                                 .log = on_log,
                                 .far_ask = on_far_ask,
                                 .far_cancel = on_far_cancel,
                                 .far_answer = on_far_answer};
        part->world = world_new(&own);
    }
    for (size_t i = 0; i < run->part_count; i++) {
        if (&run->parts[i] == run->whole)
            continue;
        run->parts[i].gather = gather_new(run->parts[i].world);
        run->parts[i].gathered = gathered_new(run->whole->world);
    }
    run->tell_at_ns = world_now(run->whole->world) + WORLD_SAMPLE_NS;
}

static int64_t next_at(const struct spread_run *run)
{
    int64_t next_ns = NEVER;
    for (size_t i = 0; i < run->part_count; i++)
        next_ns = MIN(next_ns, world_next_at(run->parts[i].world));
    return next_ns;
}

/* All there is to do at an instant, also what parts make each other do. The one that gathers comes last. */
static void turn_all(struct spread_run *run, int64_t now_ns)
{
    do {
        for (size_t i = 0; i < run->part_count; i++)
            if (&run->parts[i] != run->whole)
                world_turn(run->parts[i].world, now_ns, UINT_MAX);
        if (now_ns >= run->tell_at_ns) {
            run->tell_at_ns += WORLD_SAMPLE_NS;
            tell_all(run);
        }
        world_turn(run->whole->world, now_ns, UINT_MAX);
    } while (next_at(run) <= now_ns);
}

void spread_play(struct spread_run *run)
{
    for (int64_t next_ns; (next_ns = next_at(run)) != NEVER;)
        turn_all(run, next_ns);
    assert_int_equal(run->crossing.live, 0);
    tell_all(run);
    tell_verdicts(run);
    for (size_t i = 0; i < run->part_count; i++)
        world_finish(run->parts[i].world);
}

void spread_end(struct spread_run *run)
{
    for (size_t i = 0; i < run->part_count; i++) {
        gather_free(run->parts[i].gather);
        gathered_free(run->parts[i].gathered);
    }
    for (size_t i = 0; i < run->part_count; i++)
        world_free(run->parts[i].world);
    slab_fini(&run->crossing);
    free(run->pack.bytes);
}
