/* pace: a late start or two are no matter, and a share of late ones is the machine's doing. */
#include "edges/pace.h"

#include "core/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct run_stats *stats;
static struct histogram lag;

static int begin(void **state)
{
    (void)state;
    stats = base_alloc(1, sizeof *stats);
    lag = (struct histogram){0};
    histogram_add_ns(&lag, NS_PER_MS);
    return 0;
}

static int end(void **state)
{
    (void)state;
    free(stats);
    return 0;
}

static void start(size_t stream, unsigned count, int64_t late_ns)
{
    for (unsigned i = 0; i < count; i++)
        histogram_add_ns(&stats->streams[stream].start_error, late_ns);
}

static struct pace read(void)
{
    struct pace pace;
    pace_read(&pace, stats, 2, &lag);
    return pace;
}

static void a_few_that_are_late_are_no_matter(void **state)
{
    (void)state;
    start(0, 10, 0);
    start(1, 1, 1700 * NS_PER_US);
    struct pace pace = read();
    assert_int_equal(pace.started, 11);
    assert_int_equal(pace.late, 0);
    assert_true(pace_kept_up(&pace));
    start(1, 4, NS_PER_S);
    pace = read();
    assert_int_equal(pace.late, 4);
    assert_true(pace_kept_up(&pace));
}

static void one_in_twenty_is_the_machine(void **state)
{
    (void)state;
    start(0, 95, NS_PER_US);
    start(1, 5, 30 * NS_PER_MS);
    struct pace pace = read();
    assert_true(pace_kept_up(&pace));
    start(1, 1, 40 * NS_PER_MS);
    pace = read();
    assert_false(pace_kept_up(&pace));
    struct text said = {0};
    pace_text(&said, &pace);
    assert_string_equal(text_c(&said), "6 of 101 requests started over 10 ms late, at most 40 ms; "
                                       "the loop came late by up to 1.0 ms");
    text_fini(&said);
    json_t *json = pace_json(&pace);
    assert_true(json_is_false(json_object_get(json, "kept_up")));
    assert_int_equal(json_integer_value(json_object_get(json, "late")), 6);
    json_decref(json);
}

static void nothing_started_keeps_up(void **state)
{
    (void)state;
    struct pace pace = read();
    assert_true(pace_kept_up(&pace));
    assert_true(pace.start_max_s >= 0 && pace.start_max_s <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_few_that_are_late_are_no_matter, begin, end),
        cmocka_unit_test_setup_teardown(one_in_twenty_is_the_machine, begin, end),
        cmocka_unit_test_setup_teardown(nothing_started_keeps_up, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
