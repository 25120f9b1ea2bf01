/*
 * store: what is expected of a database, of the model in virtual time and of a real PostgreSQL in real time alike.
 * Without PostgreSQL's binaries the model stands alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "tests/contract/store_bench.h"

static struct pg_server server;
static bool there;

/* Runs the test on one store, then on the other. */
static void on_both(void (*test)(struct store_bench *bench), void (*configure)(struct store_bench *bench))
{
    for (int real = 0; real <= there; real++) {
        struct store_bench bench;
        bench_begin(&bench, real ? &server : NULL);
        if (configure)
            configure(&bench);
        bench_open(&bench);
        test(&bench);
        bench_end(&bench);
    }
    if (!there)
        print_message("no PostgreSQL here: the model alone\n");
}

/* ---- results ---- */

/* In this order, as later ones find what earlier ones left. */
static const struct {
    enum shop_statement statement;
    const char *params;
    int values; /* rows of a list, or columns of the one row */
} cases[] = {
    {SQL_PRODUCT_BY_ID, "[1]", 1},
    {SQL_PRODUCT_BY_ID, "[72]", 1},
    {SQL_PRODUCT_BY_ID, "[73]", 1},
    {SQL_PRODUCT_BY_ID, "[5000]", 1},
    {SQL_PRODUCT_BY_ID, "[5001]", 0},
    {SQL_PRODUCT_BY_ID, "[0]", 0},
    {SQL_PRODUCT_BY_ID, "[-7]", 0},
    {SQL_PRODUCT_BY_ID, "[9223372036854775807]", 0},
    {SQL_STOCK_OF, "[7]", 1},
    {SQL_STOCK_OF, "[5001]", 0},
    {SQL_RECOMMENDATIONS, "[\"electronics\", 0, 10000]", 10},
    {SQL_RECOMMENDATIONS, "[\"fashion\", 30.0, 60.5]", 10},
    {SQL_RECOMMENDATIONS, "[\"books\", 0.07, 13.99]", 10},
    {SQL_RECOMMENDATIONS, "[\"nothing\", 0, 10000]", 0},
    {SQL_RECOMMENDATIONS, "[\"toys\", 100, 0]", 0},
    {SQL_RECOMMENDATIONS, "[\"' OR '1'='1\", 0, 10000]", 0},
    {SQL_RECOMMENDATIONS, "[\"electronics'; DROP TABLE orders; --\", 0, 10000]", 0},
    {SQL_RECOMMENDATIONS, "[\"\\\\x00 $1 %s\", 0, 10000]", 0},
    {SQL_SEARCH_UNINDEXED, "[12, null]", 1},
    {SQL_SEARCH_UNINDEXED, "[null, \"aur\"]", 1},
    {SQL_SEARCH_UNINDEXED, "[3, \"s\"]", 50},
    {SQL_SEARCH_UNINDEXED, "[null, \"%\"]", 0},
    {SQL_SEARCH_UNINDEXED, "[null, \"_urora\"]", 0},
    {SQL_SEARCH_UNINDEXED, "[null, null]", 0},
    {SQL_PRODUCTS_BY_CATEGORY, "[\"nothing\", 0, 10000]", 0},
    {SQL_SEARCH, "[\"electronics\", \"NO SUCH THING\", 0, 10000]", 0},
    {SQL_SEARCH, "[\"electronics\", \"headphones\", 0, 10000]", 1},
    {SQL_SEARCH, "[\"electronics\", \"%\", 0, 10000]", 0},
    {SQL_POPULAR_WITH_HISTORY, "[\"sports\", 100000, 200000]", 0},
    /* orders: made pending, then reserved */
    {SQL_ORDER_INSERT, "[101, \"user-1\", 7, 2, null]", 4},
    {SQL_ORDER_INSERT, "[102, \"Robert'); DROP TABLE orders; --\", 8, 1, \"key-a\"]", 4},
    {SQL_ORDER_INSERT, "[103, \"user-3\", 9, 3, \"key-a\"]", 4}, /* that of 102 again */
    {SQL_ORDER_INSERT, "[104, \"user-4\", 5001, 1, null]", 0},
    {SQL_ORDER_INSERT, "[105, \"user-5\", 7, 0, null]", 0},
    {SQL_ORDER_INSERT, "[106, \"user-6\", 7, -1, null]", 0},
    {SQL_ORDER_INSERT,
     "[107, \"user-7\", 7, 1, \"0123456789012345678901234567890123456789012345678901234567890123\"]", 4},
    {SQL_ORDER_INSERT,
     "[108, \"user-8\", 7, 1, \"01234567890123456789012345678901234567890123456789012345678901234\"]", 0},
    {SQL_STOCK_RESERVE, "[7, 2, 101]", 2},
    {SQL_STOCK_RESERVE, "[7, 2, 101]", 2}, /* it stands already: told so, and nothing taken */
    {SQL_STOCK_OF, "[7]", 1},
    {SQL_STOCK_RESERVE, "[8, 100000, 102]", 2},
    {SQL_STOCK_RESERVE, "[8, 3000000000, 102]", 2},
    {SQL_STOCK_RESERVE, "[8, 0, 102]", 2},
    {SQL_STOCK_RESERVE, "[8, -5, 102]", 2},
    {SQL_STOCK_RESERVE, "[8, 1, 999]", 2}, /* no such order */
    {SQL_STOCK_RESERVE, "[5001, 1, 102]", 0},
    {SQL_STOCK_OF, "[8]", 1},
    {SQL_STOCK_RESERVE, "[8, 1, 102]", 2},
    {SQL_STOCK_OF, "[8]", 1},
};

static struct {
    unsigned char bytes[BODY_BYTES_MAX];
    size_t len;
} kept[ARRAY_LEN(cases)];

static void keep_or_compare(size_t i, struct cursor result, bool model)
{
    size_t len = (size_t)(result.end - result.at);
    if (model) {
        memcpy(kept[i].bytes, result.at, len);
        kept[i].len = len;
    } else if (len != kept[i].len || memcmp(result.at, kept[i].bytes, len) != 0) {
        fail_msg("%s %s: another result than the model's", shop_statements[cases[i].statement].name,
                 cases[i].params);
    }
}

static void play_cases(struct store_bench *bench)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct toy_answer *answer = bench_get(bench, cases[i].statement, cases[i].params);
        if (answer->status != STATUS_OK)
            fail_msg("%s %s: %s", shop_statements[cases[i].statement].name, cases[i].params,
                     status_info(answer->status)->text);
        struct cursor result = bench_figures(answer).result;
        keep_or_compare(i, result, !bench->store);
        int64_t values = cursor_array(&result);
        if (values != cases[i].values)
            fail_msg("%s %s: %d values", shop_statements[cases[i].statement].name, cases[i].params,
                     (int)values);
    }
    bench_finish(bench);
    const struct business_stats *shop = &world_stats(bench->toy.world)->business;
    assert_int_equal(shop->db_orders, 2);
    assert_int_equal(shop->db_pieces, 3);
    assert_int_equal(shop->db_stock_taken, 3);
    static int64_t revenue_cents;
    if (bench->store)
        assert_int_equal(shop->db_revenue_cents, revenue_cents);
    revenue_cents = shop->db_revenue_cents;
    assert_true(revenue_cents > 0);
}

static void every_statement_has_the_same_result(void **state)
{
    (void)state;
    on_both(play_cases, NULL);
}

/* ---- lists whose order is the store's own ---- */

static const struct {
    enum shop_statement statement;
    const char *params, *category;
    double low, high;
} lists[] = {
    {SQL_PRODUCTS_BY_CATEGORY, "[\"electronics\", 0, 10000]", "electronics", 0, 10000},
    {SQL_PRODUCTS_BY_CATEGORY, "[\"furniture\", 100.5, 180]", "furniture", 100.5, 180},
    {SQL_POPULAR_WITH_HISTORY, "[\"sports\", 0, 500]", "sports", 0, 500},
    {SQL_SEARCH, "[\"garden\", \"PLANTER\", 0, 10000]", "garden", 0, 10000},
};

static void assert_row_is_product(struct store_bench *bench, struct slice row)
{
    char json[64];
    struct cursor cursor = {.at = (const unsigned char *)row.at,
                            .end = (const unsigned char *)row.at + row.len};
    cursor_array(&cursor);
    snprintf(json, sizeof json, "[%lld]", (long long)cursor_int(&cursor));
    struct cursor product = bench_figures(bench_get(bench, SQL_PRODUCT_BY_ID, json)).result;
    assert_int_equal(cursor_array(&product), 1);
    assert_int_equal(product.end - product.at, row.len);
    assert_memory_equal(product.at, row.at, row.len);
}

static void assert_in_list(struct slice row, size_t list)
{
    struct cursor cursor = {.at = (const unsigned char *)row.at,
                            .end = (const unsigned char *)row.at + row.len};
    cursor_array(&cursor);
    cursor_skip(&cursor);
    cursor_skip(&cursor);
    assert_true(slice_is(cursor_text(&cursor), lists[list].category));
    double price = cursor_real(&cursor);
    assert_true(price >= lists[list].low && price <= lists[list].high);
    assert_true(cursor_int(&cursor) > 0);
    assert_false(cursor.bad);
}

static void play_lists(struct store_bench *bench)
{
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        const struct toy_answer *answer = bench_get(bench, lists[i].statement, lists[i].params);
        assert_int_equal(answer->status, STATUS_OK);
        struct bench_figures figures = bench_figures(answer);
        struct body *held = answer->body;
        assert_int_equal(cursor_array(&figures.result), 50);
        assert_int_equal(figures.plan, 0);
        for (int row = 0; row < 50; row++) {
            struct slice raw = cursor_raw(&figures.result);
            assert_in_list(raw, i);
            if (row % 7 == 0)
                assert_row_is_product(bench, raw);
        }
        assert_true(held->bytes + held->len == figures.result.at);
    }
    struct cursor popular = bench_figures(bench_get(bench, SQL_POPULAR_PRODUCTS, "[]")).result;
    assert_false((cursor_array(&popular), popular.bad));
}

static void a_category_page_has_products_as_they_are(void **state)
{
    (void)state;
    on_both(play_lists, NULL);
}

/* ---- stock ---- */

enum { HOT = 5, PIECES = 10, BUYERS = 25 };

static void hot_product(struct store_bench *bench)
{
    bench->toy.scenario.postgresql.hot_product = HOT;
    bench->toy.scenario.postgresql.hot_stock = PIECES;
}

static void sell_out(struct store_bench *bench)
{
    uint64_t orders[BUYERS], reservations[BUYERS];
    int sold = 0;
    char json[96];
    for (int i = 0; i < BUYERS; i++) {
        snprintf(json, sizeof json, "[%d, \"user-%d\", %d, 1, \"key-%d\"]", 1000 + i, i, HOT, i);
        orders[i] = bench_ask(bench, SQL_ORDER_INSERT, json);
    }
    for (int i = 0; i < BUYERS; i++)
        assert_int_equal(bench_wait(bench, orders[i])->status, STATUS_OK);
    for (int i = 0; i < BUYERS; i++) {
        snprintf(json, sizeof json, "[%d, 1, %d]", HOT, 1000 + i);
        reservations[i] = bench_ask(bench, SQL_STOCK_RESERVE, json);
    }
    for (int i = 0; i < BUYERS; i++) {
        struct cursor result = bench_figures(bench_wait(bench, reservations[i])).result;
        assert_int_equal(cursor_array(&result), 2);
        sold += cursor_bool(&result);
        assert_true(cursor_int(&result) >= 0);
    }
    assert_int_equal(sold, PIECES);
    struct cursor left = bench_figures(bench_get(bench, SQL_STOCK_OF, "[5]")).result;
    cursor_array(&left);
    cursor_array(&left);
    assert_int_equal(cursor_int(&left), 0);
    bench_finish(bench);
    const struct business_stats *shop = &world_stats(bench->toy.world)->business;
    assert_int_equal(shop->hot_sold, PIECES);
    assert_int_equal(shop->hot_left, 0);
    assert_true(shop->db_orders == PIECES && shop->db_stock_taken == PIECES);
}

static void what_is_there_is_sold_and_no_more(void **state)
{
    (void)state;
    on_both(sell_out, hot_product);
}

/* ---- indexes ---- */

static void wait_for_plan(struct store_bench *bench, int64_t plan)
{
    for (int tries = 0;; tries++) {
        struct bench_figures figures =
            bench_figures(bench_get(bench, SQL_RECOMMENDATIONS, "[\"electronics\", 0, 10000]"));
        assert_int_equal(cursor_array(&figures.result), 10);
        if (figures.plan == plan)
            return;
        if (!bench->store || tries == 200)
            fail_msg("plan %d, expected %d", (int)figures.plan, (int)plan);
        bench_pass(bench, MS(20)); /* the server is at it */
    }
}

static void play_indexes(struct store_bench *bench)
{
    struct toy *toy = &bench->toy;
    wait_for_plan(bench, 1); /* idx_products_category hides the missing one */
    shop_fault(toy, FAULT_DROP_INDEX, "idx_products_category", 0);
    wait_for_plan(bench, 2);
    uint64_t token = bench_through(bench, "GET /recommendations", "[\"electronics\", 0, 10000]");
    assert_int_equal(bench_wait(bench, token)->status, STATUS_OK);
    const struct attrs *attrs = &toy_span(toy, "SELECT ecommerce.products", 0)->attrs;
    assert_string_equal(toy_attr_text(attrs, ATTR_DB_INDEX_USED), "NONE");
    assert_string_equal(toy_attr_text(attrs, ATTR_DB_MISSING_INDEX), "idx_products_recommendations");
    assert_int_equal((int)toy_attr_number(attrs, ATTR_DB_ROWS_SCANNED), SHOP_ROWS);
    assert_int_equal((int)toy_attr_number(attrs, ATTR_DB_FULL_SCAN), 1);
    assert_true(toy_attr_number(attrs, ATTR_DB_QUERY_MS) > 0);
    shop_fault(toy, FAULT_CREATE_INDEX, "idx_products_recommendations", 0);
    wait_for_plan(bench, 0);
    token = bench_through(bench, "GET /recommendations", "[\"electronics\", 0, 10000]");
    bench_wait(bench, token);
    attrs = &toy_span(toy, "SELECT ecommerce.products", 1)->attrs;
    assert_string_equal(toy_attr_text(attrs, ATTR_DB_INDEX_USED), "idx_products_recommendations");
    bench_finish(bench);
    const struct fault_stats *faults = world_stats(toy->world)->faults;
    assert_true(faults[0].landed && faults[1].landed);
}

static void an_index_that_goes_makes_a_full_scan_and_one_that_comes_ends_it(void **state)
{
    (void)state;
    on_both(play_indexes, NULL);
}

static void play_growth(struct store_bench *bench)
{
    struct toy *toy = &bench->toy;
    shop_fault(toy, FAULT_DROP_INDEX, "idx_products_category", 0);
    shop_fault(toy, FAULT_TABLE_GROWTH, NULL, 9000);
    for (int tries = 0; bench->store && pg_store_figures(bench->store).rows < 9000 && tries < 300; tries++)
        bench_pass(bench, MS(20));
    wait_for_plan(bench, 2);
    struct cursor last = bench_figures(bench_get(bench, SQL_PRODUCT_BY_ID, "[9000]")).result;
    assert_int_equal(cursor_array(&last), 1);
    assert_int_equal(bench_figures(bench_get(bench, SQL_RECOMMENDATIONS, "[\"toys\", 0, 99]")).rows, 9000);
    bench_finish(bench);
    assert_true(world_stats(toy->world)->faults[1].landed);
}

static void a_table_that_grows_is_scanned_as_it_is(void **state)
{
    (void)state;
    on_both(play_growth, NULL);
}

/* ---- locks, pools, limits ---- */

static void slow_locks(struct store_bench *bench)
{
    bench->toy.scenario.postgresql.lock_hold_ns = MS(1500);
    bench->toy.scenario.postgresql.lock_timeout_ns = MS(700);
}

static void locks_without_limit(struct store_bench *bench)
{
    bench->toy.scenario.postgresql.lock_hold_ns = MS(1500);
}

static void locks_and_cancels(struct store_bench *bench)
{
    locks_without_limit(bench);
    bench->toy.scenario.postgresql.cancel_on_deadline = true;
}

/* Somebody has product 7 for 1500 ms; orders 1 and 2 wait to be reserved. */
static PGconn *hold_row(struct store_bench *bench)
{
    bench_get(bench, SQL_ORDER_INSERT, "[1, \"user\", 7, 1, null]");
    bench_get(bench, SQL_ORDER_INSERT, "[2, \"user\", 7, 1, null]");
    bench_get(bench, SQL_STOCK_RESERVE, "[8, 1, 99]"); /* its connection is warm */
    if (!bench->store) {
        bench_ask(bench, SQL_STOCK_RESERVE, "[7, 1, 1]");
        bench_pass(bench, MS(1));
        return NULL;
    }
    PGconn *holder = PQconnectdb(server.conninfo);
    PQclear(PQexec(holder, "BEGIN; UPDATE products SET popularity = popularity WHERE id = 7"));
    assert_int_equal(PQtransactionStatus(holder), PQTRANS_INTRANS);
    return holder;
}

static void let_row_go(struct store_bench *bench, PGconn *holder)
{
    if (holder)
        PQfinish(holder);
    else
        bench_pass(bench, MS(1600));
}

/* A clock may be late, as far as the machine has other things to do. */
static void assert_took(const struct store_bench *bench, const struct toy_answer *answer, int64_t since_ns,
                        int64_t ms)
{
    int64_t took_ns = answer->at_ns - since_ns, late_ns = bench->store ? MS(1000) : MS(5);
    if (took_ns < MS(ms) || took_ns > MS(ms) + late_ns)
        fail_msg("took %d ms, expected %d", (int)(took_ns / NS_PER_MS), (int)ms);
}

static void wait_for_lock(struct store_bench *bench)
{
    PGconn *holder = hold_row(bench);
    int64_t since_ns = world_now(bench->toy.world);
    uint64_t token = bench_through(bench, "POST /patient", "[7, 1, 2]");
    const struct toy_answer *answer = bench_wait(bench, token);
    assert_int_equal(answer->status, STATUS_UNAVAILABLE);
    assert_took(bench, answer, since_ns, 700);
    const struct span *span = toy_span(&bench->toy, "UPDATE ecommerce.products", 0);
    assert_int_equal(span->status, STATUS_LOCK_TIMEOUT);
    assert_true(toy_attr_number(&span->attrs, ATTR_DB_LOCK_WAIT_MS) >= 690);
    assert_int_equal(world_stats(bench->toy.world)->stores.lock_timeouts, 1);
    let_row_go(bench, holder);
    struct cursor result = bench_figures(bench_get(bench, SQL_STOCK_RESERVE, "[7, 1, 2]")).result;
    cursor_array(&result);
    assert_true(cursor_bool(&result));
}

static void a_lock_is_waited_for_until_its_time_out(void **state)
{
    (void)state;
    on_both(wait_for_lock, slow_locks);
}

static void fill_pool(struct store_bench *bench)
{
    uint64_t holders[3];
    PGconn *holder = hold_row(bench);
    for (int i = 0; i < 3; i++)
        holders[i] = bench_through(bench, "POST /patient", "[7, 1, 2]");
    int64_t since_ns = world_now(bench->toy.world);
    uint64_t token = bench_through(bench, "GET /stock", "[9]");
    const struct toy_answer *answer = bench_wait(bench, token);
    assert_int_equal(answer->status, STATUS_UNAVAILABLE);
    assert_string_equal(toy_text(answer), "SQLSTATE[08006]: Connection timeout after 400ms");
    assert_took(bench, answer, since_ns, 400);
    if (bench->store)
        assert_true(pg_store_figures(bench->store).connections <=
                    2 + 3); /* those asked directly, and the pool's */
    let_row_go(bench, holder);
    for (int i = 0; i < 3; i++)
        assert_int_equal(bench_wait(bench, holders[i])->status, STATUS_OK);
    since_ns = world_now(bench->toy.world);
    answer = bench_wait(bench, bench_through(bench, "GET /stock", "[9]"));
    assert_int_equal(answer->status, STATUS_OK);
    assert_took(bench, answer, since_ns, 0);
}

static void a_full_pool_lets_nobody_through(void **state)
{
    (void)state;
    on_both(fill_pool, locks_without_limit);
}

/* The asker gives up; its statement keeps the connection until it is done, or is cancelled. */
static void give_up(struct store_bench *bench)
{
    bool cancels = bench->toy.scenario.postgresql.cancel_on_deadline;
    PGconn *holder = hold_row(bench);
    int64_t since_ns = world_now(bench->toy.world);
    uint64_t token = bench_through(bench, "POST /reserve", "[7, 1, 2]");
    const struct toy_answer *answer = bench_wait(bench, token);
    assert_int_equal(answer->status, STATUS_UNAVAILABLE);
    assert_took(bench, answer, since_ns, 200);
    assert_int_equal(toy_span(&bench->toy, "UPDATE ecommerce.products", 0)->status, STATUS_DEADLINE);
    bench_pass(bench, MS(300));
    assert_int_equal(world_leftovers(bench->toy.world).queries, !cancels);
    let_row_go(bench, holder);
    bench_pass(bench, bench->store ? MS(300) : MS(1600)); /* the model's own transaction holds on as long */
    assert_int_equal(world_leftovers(bench->toy.world).queries, 0);
    /* The orphan was carried out, the cancelled one was not. */
    struct cursor result = bench_figures(bench_get(bench, SQL_STOCK_RESERVE, "[7, 0, 2]")).result;
    cursor_array(&result);
    assert_int_equal(cursor_bool(&result), !cancels);
}

static void a_statement_outlives_its_asker(void **state)
{
    (void)state;
    on_both(give_up, locks_without_limit);
}

static void a_statement_is_cancelled_with_its_asker_if_the_scenario_says_so(void **state)
{
    (void)state;
    on_both(give_up, locks_and_cancels);
}

static int make_server(void **state)
{
    (void)state;
    there = pg_server_make(&server, SHOP_ROWS);
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
        cmocka_unit_test(every_statement_has_the_same_result),
        cmocka_unit_test(a_category_page_has_products_as_they_are),
        cmocka_unit_test(what_is_there_is_sold_and_no_more),
        cmocka_unit_test(an_index_that_goes_makes_a_full_scan_and_one_that_comes_ends_it),
        cmocka_unit_test(a_table_that_grows_is_scanned_as_it_is),
        cmocka_unit_test(a_lock_is_waited_for_until_its_time_out),
        cmocka_unit_test(a_full_pool_lets_nobody_through),
        cmocka_unit_test(a_statement_outlives_its_asker),
        cmocka_unit_test(a_statement_is_cancelled_with_its_asker_if_the_scenario_says_so),
    };
    return cmocka_run_group_tests(tests, make_server, remove_server);
}
