/* spread: the window's percentiles against a histogram filled with nothing but what lies in the window. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/draw.h"
#include "core/spread.h"

static void assert_same(const struct histogram *window, const struct histogram *fresh)
{
    assert_int_equal(window->count, fresh->count);
    assert_int_equal(window->zeros, fresh->zeros);
    assert_true(window->sum > fresh->sum - 1e-6 && window->sum < fresh->sum + 1e-6);
    assert_memory_equal(window->buckets, fresh->buckets, sizeof fresh->buckets);
    /* Percentiles are the same to the bucket: only the ends are not known to the nanosecond. */
    for (double q = 0.05; q < 1; q += 0.05) {
        double found = histogram_quantile(window, q), exact = histogram_quantile(fresh, q);
        assert_true(found >= exact / 1.012 && found <= exact * 1.012);
    }
    assert_true(window->max >= fresh->max && window->max <= fresh->max * 1.012);
    assert_true(window->min <= fresh->min && window->min >= fresh->min / 1.012);
}

static void a_window_holds_what_came_in_it(void **state)
{
    (void)state;
    enum { SAMPLES = 40, WINDOW = 4, EACH = 50 };
    static double values[SAMPLES][EACH];
    struct histogram *now = calloc(1, sizeof *now), *fresh = calloc(1, sizeof *fresh);
    histogram_add(now, 1000); /* long before: in no window */
    struct spread *spread = spread_new(WINDOW, now);
    for (size_t s = 0; s < SAMPLES; s++) {
        size_t count = s % 7 == 3 ? 0 : EACH;
        for (size_t i = 0; i < EACH; i++) {
            struct draw chance = draw(1, s, 1, (uint32_t)i);
            values[s][i] = i < count ? (double)(chance.a % 1000 * (s + 1)) / 1e4 : -1;
            if (i < count)
                histogram_add(now, values[s][i]);
        }
        spread_put(spread, now);
        *fresh = (struct histogram){0};
        for (size_t w = s + 1 > WINDOW ? s + 1 - WINDOW : 0; w <= s; w++)
            for (size_t i = 0; i < EACH; i++)
                if (values[w][i] >= 0)
                    histogram_add(fresh, values[w][i]);
        assert_same(spread_window(spread), fresh);
    }
    spread_free(spread);
    free(now);
    free(fresh);
}

static void nothing_new_empties_it(void **state)
{
    (void)state;
    struct histogram *now = calloc(1, sizeof *now);
    struct spread *spread = spread_new(2, now);
    histogram_add(now, 0.5);
    spread_put(spread, now);
    assert_int_equal(spread_window(spread)->count, 1);
    spread_put(spread, now);
    assert_int_equal(spread_window(spread)->count, 1);
    spread_put(spread, now);
    assert_int_equal(spread_window(spread)->count, 0);
    assert_true(histogram_quantile(spread_window(spread), 0.95) == 0);
    spread_free(spread);
    spread_free(NULL);
    free(now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_holds_what_came_in_it),
        cmocka_unit_test(nothing_new_empties_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
