/* locks: one holder a row and a line in order, against a plain list of who came when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "actors/shop/locks.h"
#include "core/draw.h"

enum { ENTRIES = 40, ROWS = 3, OPERATIONS = 20000 };

static void who_comes_first_holds_and_the_others_follow_in_order(void **state)
{
    (void)state;
    static struct locks locks;
    struct lock_entry entries[4], other;
    assert_true(locks_take(&locks, &entries[0], 7));
    for (size_t i = 1; i < 4; i++)
        assert_false(locks_take(&locks, &entries[i], 7));
    assert_true(locks_take(&locks, &other, 8));
    assert_null(locks_leave(&locks, &entries[2])); /* gives up in the middle */
    assert_ptr_equal(locks_leave(&locks, &entries[0]), &entries[1]);
    assert_ptr_equal(locks_leave(&locks, &entries[1]), &entries[3]);
    assert_false(locks_take(&locks, &entries[2], 7 + LOCK_PLACES)); /* the same place */
    assert_null(locks_leave(&locks, &entries[2])); /* the last of the line */
    assert_null(locks_leave(&locks, &entries[3]));
    assert_null(locks_leave(&locks, &other));
    assert_true(locks_take(&locks, &entries[0], 7));
}

static void random_coming_and_going_agrees_with_a_list(void **state)
{
    (void)state;
    static struct locks locks;
    static struct lock_entry entries[ENTRIES];
    int row_of[ENTRIES];
    uint64_t came[ENTRIES] = {0}; /* 0: not there */
    for (uint64_t i = 1; i <= OPERATIONS; i++) {
        struct draw chance = draw(3, i, 1, 0);
        size_t at = draw_below(chance.a, ENTRIES);
        int row = (int)draw_below(chance.b, ROWS);
        size_t first = ENTRIES, second = ENTRIES; /* of its row, by when they came */
        for (size_t e = 0; e < ENTRIES; e++) {
            if (!came[e] || row_of[e] != (came[at] ? row_of[at] : row))
                continue;
            if (first == ENTRIES || came[e] < came[first]) {
                second = first;
                first = e;
            } else if (second == ENTRIES || came[e] < came[second]) {
                second = e;
            }
        }
        if (came[at]) {
            struct lock_entry *next = locks_leave(&locks, &entries[at]);
            assert_ptr_equal(next, first == at && second < ENTRIES ? &entries[second] : NULL);
            came[at] = 0;
        } else {
            assert_int_equal(locks_take(&locks, &entries[at], row), first == ENTRIES);
            row_of[at] = row;
            came[at] = i;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_comes_first_holds_and_the_others_follow_in_order),
        cmocka_unit_test(random_coming_and_going_agrees_with_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
