/* slab: items come and go, handles of what has gone find nothing, and 100,000 random operations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/draw.h"
#include "core/slab.h"

enum { ITEMS = 700, OPERATIONS = 100000 }; /* more than two blocks */

struct thing {
    struct slab_item item;
    uint64_t mark;
};

static void a_handle_goes_stale_with_its_item(void **state)
{
    (void)state;
    struct slab slab;
    slab_init(&slab, sizeof(struct thing), 10);
    struct thing *first = slab_take(&slab);
    uint64_t handle = slab_handle(&first->item);
    assert_ptr_equal(slab_find(&slab, handle), first);
    slab_give(&slab, first);
    assert_null(slab_find(&slab, handle));
    assert_null(slab_at(&slab, first->item.slot));
    struct thing *second = slab_take(&slab);
    assert_ptr_equal(second, first); /* reused at once */
    assert_null(slab_find(&slab, handle));
    assert_ptr_equal(slab_find(&slab, slab_handle(&second->item)), second);
    slab_fini(&slab);
}

static void renewing_makes_old_handles_stale_and_keeps_the_item(void **state)
{
    (void)state;
    struct slab slab;
    slab_init(&slab, sizeof(struct thing), 10);
    struct thing *thing = slab_take(&slab);
    thing->mark = 7;
    uint64_t old = slab_handle(&thing->item);
    slab_renew(&thing->item);
    assert_null(slab_find(&slab, old));
    assert_ptr_equal(slab_find(&slab, slab_handle(&thing->item)), thing);
    assert_int_equal(thing->mark, 7);
    assert_int_equal(slab.live, 1);
    slab_fini(&slab);
}

static void a_full_slab_gives_nothing(void **state)
{
    (void)state;
    struct slab slab;
    slab_init(&slab, sizeof(struct thing), 3);
    struct thing *things[3];
    for (size_t i = 0; i < 3; i++)
        assert_non_null(things[i] = slab_take(&slab));
    assert_null(slab_take(&slab));
    assert_int_equal(slab.live, 3);
    slab_give(&slab, things[1]);
    assert_ptr_equal(slab_take(&slab), things[1]);
    assert_null(slab_take(&slab));
    assert_int_equal(slab.peak, 3);
    slab_fini(&slab);
}

static void handles_from_nowhere_find_nothing(void **state)
{
    (void)state;
    struct slab slab;
    slab_init(&slab, sizeof(struct thing), 10);
    assert_null(slab_find(&slab, 0));
    struct thing *thing = slab_take(&slab);
    assert_null(slab_find(&slab, slab_handle(&thing->item) + 1)); /* a slot that never was */
    assert_null(slab_find(&slab, UINT64_MAX));
    slab_give(&slab, thing);
    assert_null(slab_find(&slab, slab_handle(&thing->item))); /* the handle of something given back */
    slab_fini(&slab);
}

/* The top bit of a handle tells a statement's answer from a call's: it must never be set. */
static void generations_wrap_below_the_top_bit(void **state)
{
    (void)state;
    struct slab slab;
    slab_init(&slab, sizeof(struct thing), 10);
    struct thing *thing = slab_take(&slab);
    thing->item.generation = INT32_MAX;
    uint64_t last = slab_handle(&thing->item);
    assert_int_equal(last >> 63, 0);
    slab_renew(&thing->item);
    assert_int_equal(thing->item.generation, 1);
    assert_ptr_equal(slab_find(&slab, slab_handle(&thing->item)), thing);
    assert_null(slab_find(&slab, last));
    thing->item.generation = INT32_MAX;
    slab_give(&slab, thing);
    assert_null(slab_find(&slab, last));
    thing = slab_take(&slab);
    assert_int_equal(thing->item.generation, 1);
    slab_fini(&slab);
}

static void random_operations_agree_with_a_plain_table(void **state)
{
    (void)state;
    struct slab slab;
    slab_init(&slab, sizeof(struct thing), ITEMS);
    struct thing *things[ITEMS] = {NULL};
    uint64_t handles[ITEMS], stale[ITEMS] = {0};
    uint32_t live = 0;
    for (uint32_t i = 0; i < OPERATIONS; i++) {
        struct draw chance = draw(1, i, 1, 0);
        size_t at = draw_below(chance.a, ITEMS);
        if (things[at]) {
            assert_ptr_equal(slab_find(&slab, handles[at]), things[at]);
            assert_int_equal(things[at]->mark, handles[at]);
            stale[at] = handles[at];
            slab_give(&slab, things[at]);
            things[at] = NULL;
            live--;
        } else {
            things[at] = slab_take(&slab);
            handles[at] = things[at]->mark = slab_handle(&things[at]->item);
            live++;
        }
        assert_null(slab_find(&slab, stale[at]));
        assert_int_equal(slab.live, live);
    }
    assert_in_range(slab.count, slab.peak, ITEMS);
    slab_fini(&slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handle_goes_stale_with_its_item),
        cmocka_unit_test(renewing_makes_old_handles_stale_and_keeps_the_item),
        cmocka_unit_test(a_full_slab_gives_nothing),
        cmocka_unit_test(handles_from_nowhere_find_nothing),
        cmocka_unit_test(generations_wrap_below_the_top_bit),
        cmocka_unit_test(random_operations_agree_with_a_plain_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
