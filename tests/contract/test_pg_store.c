/*
 * pg_store: what a real server alone can do to its clients - die, freeze, throw them out, be full - and what is never
 * sent to it.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <libpq-fe.h>
#include <math.h>

#include "tests/contract/store_bench.h"

static struct pg_server server;
static bool there;

enum { ASKED = 30 };

static const char terminate_all[] = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "
                                    "application_name LIKE 'doorbuster-%'";

static void begin(struct store_bench *bench)
{
    if (!there)
        skip();
    bench_begin(bench, &server);
}

static uint32_t ready(const struct store_bench *bench)
{
    return pg_store_figures(bench->store).ready;
}

/* Until all connections that were stand again; how long it took. */
static int64_t wait_until_full(struct store_bench *bench, uint32_t connections)
{
    int64_t since_ns = world_now(bench->toy.world);
    while (ready(bench) < connections && world_now(bench->toy.world) - since_ns < S(10))
        bench_pass(bench, MS(5));
    return world_now(bench->toy.world) - since_ns;
}

static void begin_warm(struct store_bench *bench)
{
    begin(bench);
    bench_open(bench);
    bench_get(bench, SQL_ORDER_INSERT, "[1, \"user\", 7, 1, null]");
    uint64_t tokens[ASKED];
    for (int i = 0; i < ASKED; i++)
        tokens[i] = bench_ask(bench, SQL_STOCK_OF, "[7]");
    for (int i = 0; i < ASKED; i++)
        assert_int_equal(bench_wait(bench, tokens[i])->status, STATUS_OK);
    assert_true(wait_until_full(bench, ASKED) < S(2));
}

/* Row 7 is somebody else's, so that statements are under way. */
static PGconn *hold_row(void)
{
    PGconn *holder = PQconnectdb(server.conninfo);
    PQclear(PQexec(holder, "BEGIN; UPDATE products SET popularity = popularity WHERE id = 7"));
    assert_int_equal(PQtransactionStatus(holder), PQTRANS_INTRANS);
    return holder;
}

static void ask_held(struct store_bench *bench, uint64_t tokens[static ASKED])
{
    for (int i = 0; i < ASKED; i++)
        tokens[i] = bench_ask(bench, SQL_STOCK_RESERVE, "[7, 1, 1]");
    bench_pass(bench, MS(200));
    assert_int_equal(pg_store_figures(bench->store).under_way, ASKED);
}

static void sessions_that_are_ended_answer_and_come_back(void **state)
{
    (void)state;
    struct store_bench bench;
    uint64_t tokens[ASKED];
    begin_warm(&bench);
    PGconn *holder = hold_row();
    ask_held(&bench, tokens);
    uint32_t connections = ready(&bench);
    assert_int_equal(connections, ASKED);
    assert_true(pg_server_do(&server, terminate_all) >= ASKED);
    PQfinish(holder);
    for (int i = 0; i < ASKED; i++)
        assert_int_equal(bench_wait(&bench, tokens[i])->status, STATUS_CONNECTION_LOST);
    assert_int_equal(pg_store_figures(bench.store).unknown, ASKED);
    assert_true(wait_until_full(&bench, connections) < S(2));
    assert_int_equal(bench_get(&bench, SQL_STOCK_OF, "[7]")->status, STATUS_OK);
    bench_end(&bench);
}

static void a_server_that_is_killed_fails_who_asks_until_it_is_back(void **state)
{
    (void)state;
    struct store_bench bench;
    uint64_t tokens[ASKED];
    begin_warm(&bench);
    PGconn *holder = hold_row();
    ask_held(&bench, tokens);
    uint32_t connections = ready(&bench);
    pg_server_kill(&server);
    PQfinish(holder);
    for (int i = 0; i < ASKED; i++)
        assert_int_equal(bench_wait(&bench, tokens[i])->status, STATUS_CONNECTION_LOST);
    for (int i = 0; i < ASKED; i++) {
        int64_t since_ns = world_now(bench.toy.world);
        const struct toy_answer *answer = bench_get(&bench, SQL_STOCK_OF, "[7]");
        assert_int_equal(answer->status, STATUS_CONNECTION_LOST);
        assert_null(answer->body);
        assert_true(answer->at_ns - since_ns < MS(1100)); /* the longest between attempts */
    }
    pg_server_start(&server);
    assert_true(wait_until_full(&bench, connections) < S(2));
    assert_int_equal(bench_get(&bench, SQL_STOCK_OF, "[7]")->status, STATUS_OK);
    bench_end(&bench);
}

static void a_server_that_freezes_answers_when_it_goes_on(void **state)
{
    (void)state;
    struct store_bench bench;
    uint64_t tokens[ASKED];
    begin_warm(&bench);
    pg_server_freeze(&server, true);
    for (int i = 0; i < ASKED; i++)
        tokens[i] = bench_ask(&bench, SQL_STOCK_OF, "[7]");
    uint64_t gives_up = bench_through(&bench, "POST /reserve", "[7, 1, 1]");
    bench_pass(&bench, S(5));
    assert_int_equal(toy_answer(&bench.toy, gives_up)->status, STATUS_UNAVAILABLE);
    for (int i = 0; i < ASKED; i++)
        assert_false(toy_answered(&bench.toy, tokens[i]));
    pg_server_freeze(&server, false);
    for (int i = 0; i < ASKED; i++)
        assert_int_equal(bench_wait(&bench, tokens[i])->status, STATUS_OK);
    assert_true(wait_until_full(&bench, ASKED) < S(2));
    bench_end(&bench);
}

enum { MORE = 60 };

static size_t count_refused(struct store_bench *bench, const uint64_t tokens[static MORE])
{
    size_t refused = 0;
    for (int i = 0; i < MORE; i++)
        refused += toy_answered(&bench->toy, tokens[i]) &&
                   toy_answer(&bench->toy, tokens[i])->status == STATUS_CONNECTIONS_EXHAUSTED;
    return refused;
}

static void a_server_that_is_full_says_so(void **state)
{
    (void)state;
    struct store_bench bench;
    uint64_t tokens[MORE];
    begin(&bench);
    bench_open(&bench);
    bench_get(&bench, SQL_ORDER_INSERT, "[1, \"user\", 7, 1, null]");
    PGconn *holder = hold_row();
    for (int i = 0; i < MORE; i++)
        tokens[i] = bench_ask(&bench, SQL_STOCK_RESERVE, "[7, 1, 1]");
    int64_t since_ns = world_now(bench.toy.world);
    while (count_refused(&bench, tokens) < MORE - 39 && world_now(bench.toy.world) - since_ns < S(10))
        bench_pass(&bench, MS(5));
    bench_pass(&bench, MS(100));
    assert_in_range(count_refused(&bench, tokens), MORE - 39, MORE - 30); /* one of 40 is the holder's */
    PQfinish(holder);
    for (int i = 0; i < MORE; i++)
        bench_wait(&bench, tokens[i]);
    bench_end(&bench);
}

/* A message cannot say it in JSON. */
static void assert_refused(struct store_bench *bench, enum shop_statement statement,
                           const struct pack *params)
{
    uint64_t token = toy_ask_index(&bench->toy, 1, (size_t)statement, params->bytes, params->len, S(60));
    const struct toy_answer *answer = bench_wait(bench, token);
    assert_int_equal(answer->status, STATUS_BAD_INPUT);
    assert_null(answer->body);
}

static void refuse_text(struct store_bench *bench, const char *text, size_t len)
{
    struct pack *params = toy_pack(&bench->toy);
    pack_array(params, 3);
    pack_text_len(params, text, len);
    pack_int(params, 0);
    pack_int(params, 10000);
    assert_refused(bench, SQL_RECOMMENDATIONS, params);
}

static void refuse_json(struct store_bench *bench, enum shop_statement statement, const char *json)
{
    struct pack *params = toy_pack(&bench->toy);
    shop_pack(params, json);
    assert_refused(bench, statement, params);
}

static void what_makes_no_sense_is_not_sent(void **state)
{
    (void)state;
    struct store_bench bench;
    begin(&bench);
    bench_open(&bench);
    refuse_text(&bench, "a\0b", 3);
    refuse_text(&bench, "\xff\xfe", 2);
    refuse_text(&bench, "\xc3", 1);
    refuse_text(&bench, "\xed\xa0\x80", 3);
    refuse_json(&bench, SQL_RECOMMENDATIONS, "[\"toys\", 0]");
    refuse_json(&bench, SQL_RECOMMENDATIONS, "[\"toys\", 0, 1, 2]");
    refuse_json(&bench, SQL_RECOMMENDATIONS, "[\"toys\", \"0\", 1]");
    refuse_json(&bench, SQL_RECOMMENDATIONS, "[null, 0, 1]");
    refuse_json(&bench, SQL_STOCK_OF, "[1.5]");
    refuse_json(&bench, SQL_STOCK_OF, "[]");
    refuse_json(&bench, SQL_COUNT, "[]");
    struct pack *params = toy_pack(&bench.toy);
    pack_array(params, 3);
    pack_text(params, "toys");
    pack_real(params, 0);
    pack_real(params, INFINITY);
    assert_refused(&bench, SQL_RECOMMENDATIONS, params);
    assert_int_equal(pg_store_figures(bench.store).connections, 0);
    bench_end(&bench);
}

static void a_text_may_be_as_long_as_a_body(void **state)
{
    (void)state;
    enum { LONG = 60 * 1024 };
    struct store_bench bench;
    char *text = base_alloc(LONG, 1);
    begin(&bench);
    bench_open(&bench);
    memset(text, '\'', LONG);
    struct pack *params = toy_pack(&bench.toy);
    pack_array(params, 5);
    pack_int(params, 55);
    pack_text_len(params, text, LONG);
    pack_int(params, 7);
    pack_int(params, 1);
    pack_nil(params);
    uint64_t token = toy_ask_index(&bench.toy, 1, SQL_ORDER_INSERT, params->bytes, params->len, S(60));
    assert_int_equal(bench_wait(&bench, token)->status, STATUS_OK);
    assert_int_equal(pg_server_do(&server, "SELECT length(user_id) FROM orders WHERE id = 55"), LONG);
    free(text);
    bench_end(&bench);
}

/* What the server itself finds impossible has its code on the span, and is the asker's mistake where it is one. */
static void a_code_of_the_server_reaches_the_answer(void **state)
{
    (void)state;
    struct store_bench bench;
    begin(&bench);
    bench_open(&bench);
    bench_get(&bench, SQL_ORDER_INSERT, "[77, \"user\", 7, 1, null]");
    const struct toy_answer *twice = bench_get(&bench, SQL_ORDER_INSERT, "[77, \"user\", 7, 1, null]");
    assert_int_equal(twice->status, STATUS_FAILED);
    struct cursor code = bench_figures(twice).result;
    assert_true(slice_is(cursor_text(&code), "23505"));
    const struct toy_answer *range =
        bench_get(&bench, SQL_ORDER_INSERT, "[78, \"user\", 7, 3000000000, null]");
    assert_int_equal(range->status, STATUS_BAD_INPUT);
    bench_end(&bench);
}

static void whoever_has_given_up_is_not_served(void **state)
{
    (void)state;
    struct store_bench bench;
    begin_warm(&bench);
    pg_server_kill(&server);
    uint64_t tokens[3];
    for (int i = 0; i < 3; i++)
        tokens[i] = bench_through(&bench, "POST /reserve", "[7, 1, 1]");
    for (int i = 0; i < 3; i++)
        assert_int_equal(bench_wait(&bench, tokens[i])->status, STATUS_UNAVAILABLE);
    pg_server_start(&server);
    bench_pass(&bench, S(1));
    assert_int_equal(pg_store_figures(bench.store).waiting, 0);
    assert_int_equal(world_leftovers(bench.toy.world).queries, 0);
    bench_end(&bench);
}

static void an_address_where_nobody_answers_is_told_at_once(void **state)
{
    (void)state;
    struct store_bench bench;
    struct text error = {0};
    bench_begin(&bench, NULL);
    struct pg_store *store = pg_store_open(&(struct pg_store_options){.loop = ev_default_loop(0),
                                                                      .conninfo = "host=127.0.0.1 port=1",
                                                                      .registry = &bench.toy.registry,
                                                                      .scenario = &bench.toy.scenario},
                                           &error);
    assert_null(store);
    assert_non_null(strstr(text_c(&error), "127.0.0.1"));
    assert_null(strchr(text_c(&error), '\n'));
    text_fini(&error);
    free(bench.toy.pack.bytes);
}

static const char *open_other(const char *database, bool yes)
{
    static char told[256];
    struct store_bench bench;
    struct text error = {0}, conninfo = {0};
    bench_begin(&bench, &server);
    text_str(&conninfo, server.conninfo);
    text_str(&conninfo, " dbname=");
    text_str(&conninfo, database);
    struct pg_store *store = pg_store_open(&(struct pg_store_options){.loop = ev_default_loop(0),
                                                                      .conninfo = text_c(&conninfo),
                                                                      .registry = &bench.toy.registry,
                                                                      .scenario = &bench.toy.scenario,
                                                                      .yes = yes},
                                           &error);
    snprintf(told, sizeof told, "%s", store ? "" : text_c(&error));
    pg_store_close(store);
    text_fini(&error);
    text_fini(&conninfo);
    free(bench.toy.pack.bytes);
    return told;
}

static void a_database_of_others_is_touched_if_they_say_so(void **state)
{
    (void)state;
    if (!there)
        skip();
    pg_server_do(&server, "CREATE DATABASE others");
    assert_string_equal(open_other("others", false),
                        "PostgreSQL: database others has no shop in it; --yes makes one");
    assert_string_equal(open_other("others", true), "");
    assert_string_equal(open_other("others", false), "");
    struct text another = {0};
    text_str(&another, server.conninfo);
    text_str(&another, " dbname=others application_name=doorbuster-frontend");
    PGconn *session = PQconnectdb(text_c(&another));
    assert_string_equal(open_other("others", true),
                        "PostgreSQL: database others is what another doorbuster is at work with");
    PQfinish(session);
    text_fini(&another);
    pg_server_do(&server, "CREATE DATABASE theirs");
    snprintf(server.conninfo, sizeof server.conninfo, "host=%s user=postgres dbname=theirs", server.folder);
    pg_server_do(&server, "CREATE TABLE orders (id integer)");
    assert_string_equal(open_other("theirs", true),
                        "PostgreSQL: database theirs has tables of those names that "
                        "are not doorbuster's; give it one of its own");
    snprintf(server.conninfo, sizeof server.conninfo, "host=%s user=postgres dbname=postgres", server.folder);
    assert_string_equal(open_other("postgres", false),
                        "PostgreSQL: database postgres is not one that doorbuster "
                        "made; --yes lets it have it, orders and all");
}

static int make_server(void **state)
{
    (void)state;
    there = pg_server_make(&server, SHOP_ROWS);
    if (!there)
        print_message("skipped: no PostgreSQL here\n");
    return 0;
}

static int remove_server(void **state)
{
    (void)state;
    if (there)
        pg_server_remove(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_that_are_ended_answer_and_come_back),
        cmocka_unit_test(a_server_that_is_killed_fails_who_asks_until_it_is_back),
        cmocka_unit_test(a_server_that_freezes_answers_when_it_goes_on),
        cmocka_unit_test(a_server_that_is_full_says_so),
        cmocka_unit_test(what_makes_no_sense_is_not_sent),
        cmocka_unit_test(a_text_may_be_as_long_as_a_body),
        cmocka_unit_test(a_code_of_the_server_reaches_the_answer),
        cmocka_unit_test(whoever_has_given_up_is_not_served),
        cmocka_unit_test(an_address_where_nobody_answers_is_told_at_once),
        cmocka_unit_test(a_database_of_others_is_touched_if_they_say_so),
    };
    return cmocka_run_group_tests(tests, make_server, remove_server);
}
