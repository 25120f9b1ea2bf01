/* due: order, ties, cancelling, and 100,000 random operations against a plain list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/draw.h"
#include "core/due.h"

enum { TIMERS = 300, OPERATIONS = 100000 };

static void the_earliest_comes_first(void **state)
{
    (void)state;
    struct due due = {0};
    struct timer late = {0}, early = {0}, middle = {0};
    assert_true(due_next_at(&due) == NEVER);
    assert_null(due_pop(&due, NEVER));
    due_arm(&due, &late, 30);
    due_arm(&due, &early, 10);
    due_arm(&due, &middle, 20);
    assert_int_equal(due_next_at(&due), 10);
    assert_null(due_pop(&due, 9));
    assert_ptr_equal(due_pop(&due, 10), &early);
    assert_false(timer_armed(&early));
    assert_null(due_pop(&due, 10));
    assert_ptr_equal(due_pop(&due, 100), &middle);
    assert_ptr_equal(due_pop(&due, 100), &late);
    assert_null(due_pop(&due, 100));
    due_fini(&due);
}

static void equal_instants_run_in_arming_order(void **state)
{
    (void)state;
    struct due due = {0};
    struct timer timers[100] = {0};
    /* Backwards in memory, so that an order by address would show. */
    for (size_t i = ARRAY_LEN(timers); i-- > 0;)
        due_arm(&due, &timers[i], 5);
    due_arm(&due, &timers[99], 5); /* re-armed: as if armed now */
    for (size_t i = ARRAY_LEN(timers) - 1; i-- > 0;)
        assert_ptr_equal(due_pop(&due, 5), &timers[i]);
    assert_ptr_equal(due_pop(&due, 5), &timers[99]);
    due_fini(&due);
}

static void cancelled_timers_do_not_linger(void **state)
{
    (void)state;
    struct due due = {0};
    struct timer timers[10] = {0};
    for (size_t i = 0; i < ARRAY_LEN(timers); i++)
        due_arm(&due, &timers[i], (int64_t)i);
    due_cancel(&due, &timers[0]);
    due_cancel(&due, &timers[0]);
    due_cancel(&due, &timers[5]);
    due_cancel(&due, &timers[9]);
    assert_int_equal(due.count, 7);
    assert_false(timer_armed(&timers[5]));
    assert_int_equal(due_next_at(&due), 1);
    due_fini(&due);
}

static void rearming_moves_a_timer_both_ways(void **state)
{
    (void)state;
    struct due due = {0};
    struct timer a = {0}, b = {0};
    due_arm(&due, &a, 10);
    due_arm(&due, &b, 20);
    due_arm(&due, &a, 30);
    assert_int_equal(due.count, 2);
    assert_int_equal(due_next_at(&due), 20);
    due_arm(&due, &a, -5);
    assert_ptr_equal(due_pop(&due, 0), &a);
    assert_ptr_equal(due_pop(&due, 20), &b);
    due_fini(&due);
}

/* A plain list beside the heap: what is armed for when, and in which order it was armed. */
struct listed {
    bool armed;
    int64_t at_ns;
    uint64_t order;
};

static size_t list_earliest(const struct listed *list)
{
    size_t best = TIMERS;
    for (size_t i = 0; i < TIMERS; i++) {
        if (!list[i].armed)
            continue;
        if (best == TIMERS || list[i].at_ns < list[best].at_ns ||
            (list[i].at_ns == list[best].at_ns && list[i].order < list[best].order))
            best = i;
    }
    return best;
}

static void assert_heap_is_sound(const struct due *due)
{
    for (size_t i = 0; i < due->count; i++) {
        assert_int_equal(due->heap[i].timer->place, i + 1);
        const struct due_entry *parent = &due->heap[i ? (i - 1) / 4 : 0];
        assert_true(parent->at_ns <= due->heap[i].at_ns);
    }
}

static void random_operations_agree_with_a_list(void **state)
{
    (void)state;
    struct due due = {0};
    struct timer timers[TIMERS] = {0};
    struct listed list[TIMERS] = {0};
    size_t armed = 0;
    for (uint32_t i = 0; i < OPERATIONS; i++) {
        struct draw chance = draw(42, 0, 0, i);
        size_t which = draw_below(chance.a, TIMERS);
        /* Few instants, so that ties are common; half-empty and nearly full by turns. */
        int64_t at_ns = (int64_t)(chance.b % 50);
        unsigned choice = (unsigned)(chance.b >> 32) % 10;
        if (choice < (i / 10000 % 2 ? 7U : 4U)) {
            due_arm(&due, &timers[which], at_ns);
            armed += !list[which].armed;
            list[which] = (struct listed){true, at_ns, i};
        } else if (choice < 8) {
            due_cancel(&due, &timers[which]);
            armed -= list[which].armed;
            list[which].armed = false;
        } else {
            size_t earliest = list_earliest(list);
            bool expected = earliest < TIMERS && list[earliest].at_ns <= at_ns;
            assert_ptr_equal(due_pop(&due, at_ns), expected ? &timers[earliest] : NULL);
            if (expected) {
                list[earliest].armed = false;
                armed--;
            }
        }
        assert_int_equal(due.count, armed);
        if (i % 100 == 0)
            assert_heap_is_sound(&due);
    }
    for (size_t earliest; (earliest = list_earliest(list)) < TIMERS; list[earliest].armed = false)
        assert_ptr_equal(due_pop(&due, NEVER), &timers[earliest]);
    assert_int_equal(due.count, 0);
    due_fini(&due);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_earliest_comes_first),
        cmocka_unit_test(equal_instants_run_in_arming_order),
        cmocka_unit_test(cancelled_timers_do_not_linger),
        cmocka_unit_test(rearming_moves_a_timer_both_ways),
        cmocka_unit_test(random_operations_agree_with_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
