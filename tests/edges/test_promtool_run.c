/* promtool_run: some other program of that name on PATH - what it says, and how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "edges/promtool_run.h"

static char folder[] = "/tmp/promtool_run_XXXXXX";
static struct text said;
static volatile sig_atomic_t stop;

static enum promtool_end run(const char *script, const char *argument)
{
    char path[64];
    snprintf(path, sizeof path, "%s/promtool", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", script);
    fclose(file);
    assert_int_equal(chmod(path, 0700), 0);
    said.len = 0;
    return promtool_run((const char *const[]){"first", argument, NULL}, &said, &stop);
}

static void both_outputs_and_the_code_are_told(void **state)
{
    (void)state;
    assert_int_equal(run("echo $#:$1:$2; echo error >&2", "two words; echo no"), PROMTOOL_PASSED);
    assert_string_equal(text_c(&said), "2:first:two words; echo no\nerror\n");
    assert_int_equal(run("exit 3", "x"), PROMTOOL_FAILED);
    assert_string_equal(text_c(&said), "");
}

static void nothing_comes_in(void **state)
{
    (void)state;
    assert_int_equal(run("/bin/cat; echo end", "x"), PROMTOOL_PASSED);
    assert_string_equal(text_c(&said), "end\n");
}

static void a_signal_is_no_answer(void **state)
{
    (void)state;
    assert_int_equal(run("kill -9 $$", "x"), PROMTOOL_BROKEN);
    assert_string_equal(text_c(&said), "promtool: was ended by a signal\n");
}

static void what_cannot_be_run_is_said(void **state)
{
    (void)state;
    char path[64];
    run("exit 0", "x");
    snprintf(path, sizeof path, "%s/promtool", folder);
    chmod(path, 0600);
    said.len = 0;
    assert_int_equal(promtool_run((const char *const[]){"first", NULL}, &said, &stop), PROMTOOL_BROKEN);
    assert_string_equal(text_c(&said), "promtool: cannot be run: Permission denied\n");
    unlink(path);
    assert_int_equal(promtool_run((const char *const[]){"first", NULL}, &said, &stop), PROMTOOL_ABSENT);
}

static void on_alarm(int signal)
{
    (void)signal;
    stop = 1;
}

static void whoever_is_interrupted_does_not_wait(void **state)
{
    (void)state;
    signal(SIGALRM, on_alarm);
    alarm(1);
    assert_int_equal(run("echo begun; exec /bin/sleep 60", "x"), PROMTOOL_BROKEN);
    assert_string_equal(text_c(&said), "begun\npromtool: was interrupted\n");
    assert_true(stop);
    stop = 0;
}

/* A last line would be taken for the end of all. */
static void behind_a_gap_nothing_is_kept(void **state)
{
    (void)state;
    assert_int_equal(
        run("/usr/bin/head -c 33554400 /dev/zero; /usr/bin/head -c 100 /dev/zero; echo end", "x"),
        PROMTOOL_PASSED);
    assert_in_range(said.len, 1 << 20, PROMTOOL_SAID_MAX);
    assert_int_equal(said.bytes[said.len - 1], 0);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) ? setenv("PATH", folder, 1) : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char path[64];
    text_fini(&said);
    snprintf(path, sizeof path, "%s/promtool", folder);
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_outputs_and_the_code_are_told),
        cmocka_unit_test(nothing_comes_in),
        cmocka_unit_test(a_signal_is_no_answer),
        cmocka_unit_test(what_cannot_be_run_is_said),
        cmocka_unit_test(whoever_is_interrupted_does_not_wait),
        cmocka_unit_test(behind_a_gap_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
