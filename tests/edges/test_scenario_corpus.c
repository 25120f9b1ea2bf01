/* The corpus: every good file loads; every bad one is refused at a place, for the reason that its first line names, soon. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "edges/scenario_load.h"
#include "tests/edges/toy_registry.h"

enum { GOOD_MIN = 25, BAD_MIN = 85, MEANING_MIN = 25 };

#define CPU_MAX_S 0.1

static int is_yaml(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 5 && !strcmp(entry->d_name + len - 5, ".yaml");
}

/* Calls `each` with every file of a folder of the corpus; how many. */
static int each_file(const char *folder, void (*each)(const char *path))
{
    char path[512];
    struct dirent **entries;
    snprintf(path, sizeof path, "tests/corpus/%s", folder);
    int count = scandir(path, &entries, is_yaml, alphasort);
    assert_true(count >= 0);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "tests/corpus/%s/%s", folder, entries[i]->d_name);
        each(path);
        free(entries[i]);
    }
    free(entries);
    return count;
}

static void load_good(const char *path)
{
    struct text errors = {0};
    struct scenario *scenario = scenario_load(path, &toy_registry, NULL, 0, &errors);
    if (!scenario)
        fail_msg("%s", text_c(&errors));
    scenario_free(scenario);
}

/* What stands behind "# expect: " in the first line; empty where the file cannot say. */
static void read_reason(const char *path, char *reason, size_t size)
{
    static const char mark[] = "# expect: ";
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    if (!fgets(reason, (int)size, file) || strncmp(reason, mark, sizeof mark - 1) != 0)
        reason[0] = '\0';
    else
        memmove(reason, reason + sizeof mark - 1, strlen(reason + sizeof mark - 1) + 1);
    reason[strcspn(reason, "\n")] = '\0';
    fclose(file);
}

/* Each line is path:line:col: ...: expected ..., found ... */
static void check_lines(const char *path, char *errors)
{
    for (char *line = strtok(errors, "\n"); line; line = strtok(NULL, "\n")) {
        unsigned row = 0, col = 0;
        if (strncmp(line, path, strlen(path)) || sscanf(line + strlen(path), ":%u:%u: ", &row, &col) != 2 ||
            !row || !col || !strstr(line, ": expected ") || !strstr(line, ", found "))
            fail_msg("not file:line:col: path: expected, found: %s", line);
    }
}

static void refuse_bad(const char *path)
{
    char reason[400], lines[8192];
    struct text errors = {0};
    read_reason(path, reason, sizeof reason);
    clock_t from = clock();
    assert_null(scenario_load(path, &toy_registry, NULL, 0, &errors));
    assert_true((double)(clock() - from) / CLOCKS_PER_SEC < CPU_MAX_S);
    if (!strstr(text_c(&errors), reason))
        fail_msg("%s: `%s` is not in:\n%s", path, reason, text_c(&errors));
    assert_true(errors.len > 0);
    snprintf(lines, sizeof lines, "%s", text_c(&errors));
    check_lines(path, lines);
    text_fini(&errors);
}

static void good_files_load(void **state)
{
    (void)state;
    assert_true(each_file("good", load_good) >= GOOD_MIN);
}

static void bad_files_are_refused(void **state)
{
    (void)state;
    int meaning = each_file("bad/meaning", refuse_bad);
    assert_true(meaning >= MEANING_MIN);
    assert_true(meaning + each_file("bad/shape", refuse_bad) + each_file("bad/syntax", refuse_bad) >=
                BAD_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_files_load),
        cmocka_unit_test(bad_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
