/* options, hint, repeat: what the command line means, and what is said when it means nothing. */
#include "edges/options.h"

#include "edges/command.h"
#include "edges/exit_code.h"
#include "edges/hint.h"
#include "edges/repeat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static const struct command command = {
    .name = "play",
    .arguments = "SCENARIO",
    .help = "Play.",
    .options = (const int[]){OPTION_SEED, OPTION_SET, OPTION_START, OPTION_REPORT, OPTION_TRACES, OPTION_JSON,
                             OPTION_FORK, OPTION_RULES, OPTION_LISTEN, OPTION_POSTGRES, OPTION_REDIS,
                             OPTION_YES, OPTION_ONLY, OPTION_PEER, OPTION_PROCESSES, 0},
    .files_min = 1,
    .files_max = 1,
};

enum { WORDS_MAX = 8 };

static struct options options;

/* -1: taken; else the exit code. */
static int parse(const char *const words[WORDS_MAX])
{
    char *argv[WORDS_MAX + 2] = {(char *)"play"};
    int argc = 1, exit_code = -1;
    for (; argc <= WORDS_MAX && words[argc - 1]; argc++)
        argv[argc] = (char *)words[argc - 1];
    return options_parse(&options, &command, argc, argv, &exit_code) ? -1 : exit_code;
}

#define PARSE(...) parse((const char *const[WORDS_MAX]){__VA_ARGS__})

static void options_are_taken_in_any_order(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--seed", "7", "a.yaml", "--set=x.y=1", "--set", "z=2", "--report", "-"), -1);
    assert_true(options.seed_given);
    assert_int_equal(options.seed, 7);
    assert_int_equal(options.file_count, 1);
    assert_string_equal(options.files[0], "a.yaml");
    assert_int_equal(options.setting_count, 2);
    assert_string_equal(options.settings[0], "x.y=1");
    assert_string_equal(options.settings[1], "z=2");
    assert_string_equal(options.outputs[OUTPUT_REPORT], "-");
    assert_null(options.outputs[OUTPUT_TRACES]);
    assert_int_equal(PARSE("a.yaml", "--seed", "9223372036854775807", "--start", "60", "--json"), -1);
    assert_int_equal(options.seed, INT64_MAX);
    assert_int_equal(options.start_unix_ns, 60 * NS_PER_S);
    assert_true(options.json);
    assert_int_equal(PARSE("--", "--json"), -1);
    assert_string_equal(options.files[0], "--json");
}

static void stores_are_said_where_they_are(void **state)
{
    (void)state;
    assert_int_equal(PARSE("a", "--postgres", "managed", "--redis=redis://x", "--yes"), -1);
    assert_string_equal(options.postgres, "managed");
    assert_string_equal(options.redis, "redis://x");
    assert_true(options.yes);
    assert_int_equal(PARSE("a"), -1);
    assert_true(!options.postgres && !options.redis && !options.yes);
    assert_int_equal(PARSE("a", "--postgres="), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a", "--redis", ""), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a", "--yes=no"), EXIT_CODE_USAGE);
}

static void services_are_spread(void **state)
{
    (void)state;
    assert_int_equal(PARSE("a", "--only", "redis,frontend", "--only=checkout", "--peer", "ad-service=x:1"),
                     -1);
    assert_int_equal(options.only_count, 2);
    assert_string_equal(options.only[0], "redis,frontend");
    assert_string_equal(options.only[1], "checkout");
    assert_int_equal(options.peer_count, 1);
    assert_string_equal(options.peers[0], "ad-service=x:1");
    assert_int_equal(options.processes, 0);
    assert_int_equal(PARSE("a", "--processes", "13"), -1);
    assert_int_equal(options.processes, 13);
    assert_int_equal(PARSE("a", "--processes", "2"), -1);
    static const char *const bad[] = {"", "0", "1", "14", "-2", " 2", "2x", "99999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(PARSE("a", "--processes", bad[i]), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a", "--processes", "2", "--only", "redis"), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a", "--peer", "redis=x:1", "--processes", "2"), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a", "--only", ""), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a", "--peer="), EXIT_CODE_USAGE);
}

/* As often as fits, and once more. */
static void assert_bounded(const char *option, const char *value, int most)
{
    char *argv[2 * PEERS_MAX + 5] = {(char *)"play", (char *)"a"};
    int argc = 2, exit_code = -1;
    for (int i = 0; i < most + 1; i++) {
        argv[argc++] = (char *)option;
        argv[argc++] = (char *)value;
    }
    assert_false(options_parse(&options, &command, argc, argv, &exit_code));
    assert_int_equal(exit_code, EXIT_CODE_USAGE);
    argv[0] = (char *)"play";
    assert_true(options_parse(&options, &command, argc - 2, argv, &exit_code));
}

static void more_peers_than_fit_are_refused(void **state)
{
    (void)state;
    assert_bounded("--only", "redis", ONLY_MAX);
    assert_bounded("--peer", "redis=x:1", PEERS_MAX);
}

static void what_makes_no_sense_is_a_usage_error(void **state)
{
    (void)state;
    assert_int_equal(PARSE(NULL), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a", "b"), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a", "--logs", "f"), EXIT_CODE_USAGE); /* not of this verb */
    assert_int_equal(PARSE("a", "--speed", "10"), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a", "-x"), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a", "--seed"), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a", "--json=1"), EXIT_CODE_USAGE);
    static const char *const seeds[] = {"", "-1", "+1", " 1", "1x", "0x10", "9223372036854775808", "1e3"};
    for (size_t i = 0; i < ARRAY_LEN(seeds); i++)
        assert_int_equal(PARSE("a", "--seed", seeds[i]), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a", "--set", "x"), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a", "--set", "=x"), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a", "--start", "soon"), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a", "--report", ""), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a", "--report", "-", "--traces", "-"), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a", "--report", "-", "--json"), EXIT_CODE_USAGE);
}

static void help_ends_the_program_well(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--help"), EXIT_CODE_HELD);
    assert_int_equal(PARSE("-h"), EXIT_CODE_HELD);
}

static void more_settings_than_fit_are_refused(void **state)
{
    (void)state;
    char *argv[2 * SETTINGS_MAX + 5] = {(char *)"play", (char *)"a"};
    int argc = 2, exit_code = -1;
    for (int i = 0; i < SETTINGS_MAX + 1; i++) {
        argv[argc++] = (char *)"--set";
        argv[argc++] = (char *)"x=1";
    }
    assert_false(options_parse(&options, &command, argc, argv, &exit_code));
    assert_int_equal(exit_code, EXIT_CODE_USAGE);
    exit_code = -1;
    argv[0] = (char *)"play";
    assert_true(options_parse(&options, &command, argc - 2, argv, &exit_code));
}

static void the_nearest_name_is_hinted(void **state)
{
    static const char *const names[] = {"simulate", "check", "scenarios", "version"};
    (void)state;
    assert_string_equal(hint_nearest("simulat", names, ARRAY_LEN(names)), "simulate");
    assert_string_equal(hint_nearest("siumlate", names, ARRAY_LEN(names)), "simulate");
    assert_string_equal(hint_nearest("chekc", names, ARRAY_LEN(names)), "check");
    assert_null(hint_nearest("export", names, ARRAY_LEN(names)));
    assert_null(hint_nearest("", names, ARRAY_LEN(names)));
    /* Of equally near ones the one whose first other letter is nearest; else one of which it is the beginning. */
    static const char *const more[] = {"day-v1", "day-v4", "day-v5", "payment-service",
                                       "payment-api-service"};
    assert_string_equal(hint_nearest("day-v6", more, ARRAY_LEN(more)), "day-v5");
    assert_string_equal(hint_nearest("day-v3", more, ARRAY_LEN(more)), "day-v4");
    assert_string_equal(hint_nearest("payment", more, ARRAY_LEN(more)), "payment-service");
    assert_null(hint_nearest("pa", more, ARRAY_LEN(more)));
    assert_int_equal(hint_distance("kitten", "sitting"), 3);
    assert_int_equal(hint_distance("", "abc"), 3);
    assert_int_equal(hint_distance("ab", "ba"), 1);
}

static void a_shell_reads_back_what_is_quoted(void **state)
{
    static const struct {
        const char *word, *quoted;
    } cases[] = {
        {"a.yaml", "a.yaml"},   {"", "''"},         {"demo.rate=[[1m, 8/min]]", "'demo.rate=[[1m, 8/min]]'"},
        {"it's", "'it'\\''s'"}, {"$(x)", "'$(x)'"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct text text = {0};
        repeat_quote(&text, cases[i].word);
        assert_string_equal(text_c(&text), cases[i].quoted);
        text_fini(&text);
    }
}

/* What the hook of a broken assertion writes on stderr. */
static void a_broken_assertion_says_how_to_repeat_the_run(void **state)
{
    (void)state;
    char said[512] = "";
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(PARSE("a.yaml", "--set", "x=a b"), -1);
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    repeat_watch(&options, "a.yaml", 42);
    base_on_broken("one == two", "core/some.c", 17);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    said[fread(said, 1, sizeof said - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(said, "doorbuster: broken: one == two, at core/some.c:17 (seed 42)\n"
                              "repeat: doorbuster play a.yaml --seed 42 --set 'x=a b'\n");
    assert_null(base_on_broken);
}

static void a_fork_takes_two_words(void **state)
{
    (void)state;
    assert_int_equal(PARSE("a.yaml", "--fork", "18m", "create_index: x", "--json"), -1);
    assert_int_equal(options.fork_ns, 18 * NS_PER_MIN);
    assert_string_equal(options.fork, "create_index: x");
    assert_int_equal(options.file_count, 1);
    assert_true(options.json);
    assert_int_equal(PARSE("--fork=0m", "duration=5m", "a.yaml"), -1);
    assert_int_equal(options.fork_ns, 0);
    assert_string_equal(options.fork, "duration=5m");
    assert_string_equal(options.files[0], "a.yaml");
    assert_int_equal(PARSE("a.yaml", "--fork", "18m"), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a.yaml", "--fork", "soon", "create_index: x"), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a.yaml", "--fork"), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a.yaml", "--fork", "18", "create_index: x"), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("a.yaml", "--fork", "1m", "x: y", "--fork", "2m", "x: y"), EXIT_CODE_USAGE);
}

static void rules_are_of_one_file(void **state)
{
    (void)state;
    assert_int_equal(PARSE("a.yaml", "--rules", "r"), -1);
    assert_int_equal(PARSE("a.yaml", "--rules", "r", "--rules", "s"), EXIT_CODE_USAGE);
}

static void listeners_have_addresses(void **state)
{
    (void)state;
    static const char *const good[] = {"127.0.0.1", "0.0.0.0", "::1", "::", "203.0.113.1"};
    static const char *const bad[] = {"", "banana", "localhost", "127.0.0.1:80", "[::1]", "1.2.3.4.5"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(PARSE("a.yaml", "--listen", good[i]), -1);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(PARSE("a.yaml", "--listen", bad[i]), EXIT_CODE_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_taken_in_any_order),
        cmocka_unit_test(a_fork_takes_two_words),
        cmocka_unit_test(rules_are_of_one_file),
        cmocka_unit_test(listeners_have_addresses),
        cmocka_unit_test(stores_are_said_where_they_are),
        cmocka_unit_test(services_are_spread),
        cmocka_unit_test(more_peers_than_fit_are_refused),
        cmocka_unit_test(what_makes_no_sense_is_a_usage_error),
        cmocka_unit_test(help_ends_the_program_well),
        cmocka_unit_test(more_settings_than_fit_are_refused),
        cmocka_unit_test(the_nearest_name_is_hinted),
        cmocka_unit_test(a_shell_reads_back_what_is_quoted),
        cmocka_unit_test(a_broken_assertion_says_how_to_repeat_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
