/* rule_file: which alerts are in a file of rules, and what cannot be read. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "edges/rule_file.h"

static struct rule_outcomes outcomes;

static size_t alerts_of(const char *yaml)
{
    struct text content = {0};
    rule_outcomes_fini(&outcomes);
    text_str(&content, yaml);
    rule_file_alerts(&content, &outcomes);
    text_fini(&content);
    return outcomes.count;
}

static void names_are_found_wherever_they_stand(void **state)
{
    (void)state;
    assert_int_equal(alerts_of("groups:\n- name: alerting\n  rules:\n  - alert: One\n    expr: up\n"
                               "  - {expr: up, alert: 'It''s two'}\n  - record: alert:three\n    expr: up\n"
                               "  - alert: >-\n      folded\n    expr: alert\n"),
                     3);
    assert_string_equal(outcomes.of[0].alert, "One");
    assert_string_equal(outcomes.of[1].alert, "It's two");
    assert_string_equal(outcomes.of[2].alert, "folded");
    assert_int_equal(outcomes.of[0].firings, 0);
    assert_int_equal(outcomes.of[0].fired_at_ns, NEVER);
}

static void a_name_stands_once(void **state)
{
    (void)state;
    assert_int_equal(alerts_of("- alert: A\n- alert: A\n- alert: B\n"), 2);
    struct rule_outcome *b = rule_outcome_of(&outcomes, "Bridge", 1);
    assert_ptr_equal(b, &outcomes.of[1]);
    assert_ptr_equal(rule_outcome_of(&outcomes, "C", 1), &outcomes.of[2]);
}

static void anchors_and_broken_files_do_no_harm(void **state)
{
    (void)state;
    assert_int_equal(alerts_of("- &a {alert: A}\n- *a\n- alert: *a\n- alert: B\n"), 2);
    assert_int_equal(alerts_of("- alert: A\n- [\n- }\n"), 1);
    assert_int_equal(alerts_of("alert"), 0);
    assert_int_equal(alerts_of(""), 0);
}

static void there_are_bounds(void **state)
{
    (void)state;
    struct text many = {0};
    char *name = base_alloc(RULE_NAME_MAX + 2, 1);
    for (int i = 0; i < RULE_ALERTS_MAX + 10; i++) {
        text_lit(&many, "- alert: a");
        text_i64(&many, i);
        text_char(&many, '\n');
    }
    assert_int_equal(alerts_of(text_c(&many)), RULE_ALERTS_MAX);
    assert_true(outcomes.cut);
    assert_null(rule_outcome_of(&outcomes, "b", 1));
    rule_outcomes_fini(&outcomes);
    memset(name, 'x', RULE_NAME_MAX + 1);
    assert_non_null(rule_outcome_of(&outcomes, name, RULE_NAME_MAX));
    assert_false(outcomes.cut);
    assert_null(rule_outcome_of(&outcomes, name, RULE_NAME_MAX + 1));
    assert_true(outcomes.cut);
    free(name);
    text_fini(&many);
}

static void files_are_read_up_to_a_size(void **state)
{
    (void)state;
    char path[] = "/tmp/rule_file_XXXXXX";
    struct text content = {0};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "groups: []\n", 11), 11);
    assert_true(rule_file_read(path, &content));
    assert_string_equal(text_c(&content), "groups: []\n");
    content.len = 0;
    assert_int_equal(ftruncate(fd, RULE_FILE_BYTES_MAX + 1), 0);
    assert_false(rule_file_read(path, &content));
    assert_int_equal(errno, EFBIG);
    close(fd);
    unlink(path);
    assert_false(rule_file_read(path, &content));
    assert_int_equal(errno, ENOENT);
    assert_false(rule_file_read("/", &content));
    assert_int_equal(errno, EISDIR);
    text_fini(&content);
}

static int tear_down(void **state)
{
    (void)state;
    rule_outcomes_fini(&outcomes);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_wherever_they_stand), cmocka_unit_test(a_name_stands_once),
        cmocka_unit_test(anchors_and_broken_files_do_no_harm), cmocka_unit_test(there_are_bounds),
        cmocka_unit_test(files_are_read_up_to_a_size),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
