#include "edges/start_time.h"

#include "core/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void instants_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t unix_ns;
    } good[] = {
        {"0", 0},
        {"1700000000", 1700000000 * NS_PER_S},
        {"1970-01-01T00:00:00Z", 0},
        {"2023-11-14T22:13:20Z", 1700000000 * NS_PER_S},
        {"2023-11-14t22:13:20z", 1700000000 * NS_PER_S},
        {"2023-11-14T23:13:20+01:00", 1700000000 * NS_PER_S},
        {"2023-11-14T21:43:20-00:30", 1700000000 * NS_PER_S},
        {"2023-11-14T22:13:20.5Z", 1700000000 * NS_PER_S + NS_PER_S / 2},
        {"2023-11-14T22:13:20.1234567891Z", 1700000000 * NS_PER_S + 123456789},
        {"2024-02-29T00:00:00Z", 1709164800 * NS_PER_S},
        {"2261-12-31T23:59:59Z", INT64_C(9214646399) * NS_PER_S},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        int64_t unix_ns = -1;
        assert_true(start_time_parse(good[i].text, &unix_ns));
        assert_int_equal(unix_ns, good[i].unix_ns);
    }
}

static void what_is_no_instant_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "now",
        "-1",
        "1e9",
        "1700000000.5",
        "9214646400",
        "99999999999999999999",
        "2023-11-14",
        "2023-11-14T22:13:20",
        "2023-11-14T22:13Z",
        "2023-13-01T00:00:00Z",
        "2023-00-01T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2023-11-14T24:00:00Z",
        "2023-11-14T22:60:00Z",
        "2023-11-14T22:13:60Z",
        "2023-11-14T22:13:20.Z",
        "2023-11-14T22:13:20+1:00",
        "2023-11-14T22:13:20+24:00",
        "2023-11-14T22:13:20Zx",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+01:00",
        "2262-01-01T00:00:00Z",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int64_t unix_ns;
        if (start_time_parse(bad[i], &unix_ns))
            fail_msg("taken: %s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instants_are_read),
        cmocka_unit_test(what_is_no_instant_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
