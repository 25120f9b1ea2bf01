/* part_file: what the files of a spread run are called, and which ones are taken for them. */
#include "edges/part_file.h"

#include "edges/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/partsXXXXXX";

static void the_service_stands_before_the_extension(void **state)
{
    static const struct {
        const char *path, *service, *name;
        unsigned life;
    } cases[] = {
        {"t.jsonl", "cart-service", "t.cart-service.jsonl", 1},
        {"t.jsonl", "cart-service", "t.cart-service.2.jsonl", 2},
        {"out.d/t", "redis", "out.d/t.redis", 1},
        {"out.d/t", "redis", "out.d/t.redis.10", 10},
        {"./a.b.c", "redis", "./a.b.redis.c", 1},
        {".hidden", "redis", ".hidden.redis", 1},
        {"/t.", "redis", "/t.redis.", 1},
        {"", "redis", ".redis", 1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct text name = {0};
        part_file_name(&name, cases[i].path, cases[i].service, cases[i].life);
        assert_string_equal(text_c(&name), cases[i].name);
        text_fini(&name);
    }
}

static void path_of(char path[static 64], const char *name)
{
    snprintf(path, 64, "%s/%s", folder, name);
}

static void put(const char *name)
{
    char path[64];
    path_of(path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

static void assert_parts(const char *name, size_t count)
{
    char path[64];
    struct text parts = {0};
    path_of(path, name);
    assert_int_equal(part_files_find(path, &registry, &parts), count);
    const char *part = parts.bytes;
    for (size_t i = 0; i < count; i++, part += strlen(part) + 1)
        assert_int_equal(access(part, F_OK), 0);
    assert_true(!count || part == parts.bytes + parts.len);
    text_fini(&parts);
}

static void what_was_written_is_found_and_nothing_else(void **state)
{
    static const char *const files[] = {
        "t.redis.jsonl",
        "t.redis.2.jsonl",
        "t.load-generator.999999999.jsonl", /* three parts of t.jsonl */
        "t.redis.1000000000.jsonl",
        "t.redis.0.jsonl",
        "t.redis..jsonl",
        "t.redis.2jsonl",
        "t.redis.jsonl2",
        "t.redi.jsonl",
        "t..jsonl",
        "t.jsonl.redis",
        "x.t.redis.jsonl",
        "t-redis.jsonl",
        "u.redis",
        "u.redis.3", /* two of u */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        put(files[i]);
    assert_parts("t.jsonl", 3);
    assert_parts("u", 2);
    assert_parts("v.jsonl", 0);
    assert_parts("nowhere/t.jsonl", 0);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char path[64];
        path_of(path, files[i]);
        unlink(path);
    }
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_service_stands_before_the_extension),
        cmocka_unit_test(what_was_written_is_found_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
