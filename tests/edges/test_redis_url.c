/* redis_url: where a Redis is, from the forms that people write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "edges/redis_url.h"

static void the_forms_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *path, *user, *password, *shown;
        uint16_t port;
        int database;
    } good[] = {
        {"redis://127.0.0.1", "127.0.0.1", "", "", "", "redis://127.0.0.1:6379/0", 6379, 0},
        {"redis://h:1/", "h", "", "", "", "redis://h:1/0", 1, 0},
        {"redis://cache.example:6380/15", "cache.example", "", "", "", "redis://cache.example:6380/15", 6380,
         15},
        {"redis://[::1]:7000/2", "::1", "", "", "", "redis://[::1]:7000/2", 7000, 2},
        {"redis://[::1]", "::1", "", "", "", "redis://[::1]:6379/0", 6379, 0},
        {"redis://:secret@h", "h", "", "", "secret", "redis://h:6379/0", 6379, 0},
        {"redis://me:secret@h:9/1", "h", "", "me", "secret", "redis://h:9/1", 9, 1},
        {"redis://:a%40b%2fc%3A@h", "h", "", "", "a@b/c:", "redis://h:6379/0", 6379, 0},
        {"unix:///run/redis.sock", "", "/run/redis.sock", "", "", "unix:///run/redis.sock", 6379, 0},
        {"redis+unix:///s?db=4", "", "/s", "", "", "unix:///s?db=4", 6379, 4},
        {"unix://:pw@/s", "", "/s", "", "pw", "unix:///s", 6379, 0},
        {"unix:///a%20b", "", "/a b", "", "", "unix:///a b", 6379, 0},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct redis_url url;
        struct text text = {0};
        if (!redis_url_read(&url, good[i].text, &text))
            fail_msg("%s: %s", good[i].text, text_c(&text));
        assert_string_equal(url.host, good[i].host);
        assert_string_equal(url.path, good[i].path);
        assert_string_equal(url.user, good[i].user);
        assert_string_equal(url.password, good[i].password);
        assert_int_equal(url.port, good[i].port);
        assert_int_equal(url.database, good[i].database);
        assert_int_equal(url.local, good[i].path[0] == '/');
        redis_url_text(&url, &text);
        assert_string_equal(text_c(&text), good[i].shown);
        text_fini(&text);
    }
}

static void anything_else_is_explained_without_its_secret(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "redis",
                                      "redis://",
                                      "redis:///0",
                                      "http://h",
                                      "redis://h:0",
                                      "redis://h:65536",
                                      "redis://h:",
                                      "redis://h:x",
                                      "redis://h/x",
                                      "redis://h/65536",
                                      "redis://h/-1",
                                      "redis://h/99999999999999999999",
                                      "redis://[::1",
                                      "redis://[::1]x",
                                      "redis://hunter2@h",
                                      "redis://:hunter2%@h",
                                      "redis://:hunter2%4@h",
                                      "redis://:hunter2%00@h",
                                      "redis://:hunter2%zz@h",
                                      "unix://",
                                      "unix:///",
                                      "unix://relative",
                                      "unix:///s?db=",
                                      "unix:///s?db=x",
                                      "unix:///s?other=1",
                                      "unix://hunter2/s"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct redis_url url;
        struct text error = {0};
        if (redis_url_read(&url, bad[i], &error))
            fail_msg("%s", bad[i]);
        assert_non_null(strstr(text_c(&error), "redis://"));
        assert_null(strstr(text_c(&error), "hunter2"));
        text_fini(&error);
    }
}

static void tls_is_refused_by_its_name(void **state)
{
    (void)state;
    struct redis_url url;
    struct text error = {0};
    assert_false(redis_url_read(&url, "rediss://:hunter2@h:6380/0", &error));
    assert_non_null(strstr(text_c(&error), "TLS"));
    assert_non_null(strstr(text_c(&error), "expected redis://"));
    assert_null(strstr(text_c(&error), "hunter2"));
    text_fini(&error);
}

static void each_part_has_its_bound(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;
        size_t most;
    } parts[] = {{"redis://", "", REDIS_HOST_BYTES - 1},
                 {"unix:///", "", REDIS_PATH_BYTES - 2},
                 {"redis://:", "@h", REDIS_SECRET_BYTES - 1},
                 {"redis://", ":p@h", REDIS_SECRET_BYTES - 1}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (size_t more = 0; more < 2; more++) {
            struct redis_url url;
            struct text text = {0}, error = {0};
            text_str(&text, parts[i].before);
            for (size_t n = 0; n < parts[i].most + more; n++)
                text_char(&text, 'x');
            text_str(&text, parts[i].after);
            assert_int_equal(redis_url_read(&url, text_c(&text), &error), !more);
            text_fini(&text);
            text_fini(&error);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_forms_are_read),
        cmocka_unit_test(anything_else_is_explained_without_its_secret),
        cmocka_unit_test(tls_is_refused_by_its_name),
        cmocka_unit_test(each_part_has_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
