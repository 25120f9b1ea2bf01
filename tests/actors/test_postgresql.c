/*
 * postgresql: what a statement reads and how long it takes, by the indexes, rows, cores, locks and connections
 * that there are. Asked from outside, a statement's answer is (rows read, plan, running at its end, CPU us, us waited
 * for a row, result).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/parts.h"
#include "tests/actors/shop_world.h"

#define STEPS(...) ((const struct step[]){__VA_ARGS__})
#define US(n) ((n)*NS_PER_US)

/* ---- asker: gives up on a statement after 2 ms, or waits ---- */

static void first_field(struct call *call, struct pack *body)
{
    struct cursor request = call_request(call);
    cursor_array(&request);
    struct slice raw = cursor_raw(&request);
    pack_raw(body, raw.at, raw.len);
}

static const struct actor_kind asker = {
    .service = "asker",
    .port = 1,
    .routes =
        (const struct route[]){
            {.name = "GET /scan",
             .takes = "params:any",
             .steps = STEPS(QUERY("p", "recommendations", .limit_ms = 2, .body = first_field),
                            REPLY(STATUS_OK, NULL))},
            {.name = "GET /patient",
             .takes = "params:any",
             .steps = STEPS(QUERY("p", "recommendations", .body = first_field), REPLY(STATUS_OK, NULL))},
            {.name = "POST /reserve",
             .takes = "params:any",
             .steps = STEPS(QUERY("p", "stock_reserve", .limit_ms = 2, .body = first_field),
                            REPLY(STATUS_OK, NULL))},
            {0}},
    .pools = {{"p", 50, 1000}}};

enum { DATABASE = 1 }; /* its place among the kinds */

static void open_world(struct toy *toy)
{
    shop_stores(toy, &asker);
    toy_open(toy, 1);
}

static uint64_t ask_statement(struct toy *toy, enum shop_statement statement, const struct pack *params)
{
    return toy_ask_index(toy, DATABASE, statement, params->bytes, params->len, S(100));
}

static struct pack *scan_params(struct toy *toy)
{
    struct pack *params = toy_pack(toy);
    pack_array(params, 3);
    pack_text(params, "electronics");
    pack_int(params, 0);
    pack_int(params, 10000);
    return params;
}

static uint64_t ask_scan(struct toy *toy)
{
    return ask_statement(toy, SQL_RECOMMENDATIONS, scan_params(toy));
}

static struct pack *reserve_params(struct toy *toy, int64_t product)
{
    struct pack *params = toy_pack(toy);
    pack_array(params, 3);
    pack_int(params, product);
    pack_int(params, 1);
    pack_int(params, 1);
    return params;
}

static uint64_t ask_reserve(struct toy *toy, int64_t product)
{
    return ask_statement(toy, SQL_STOCK_RESERVE, reserve_params(toy, product));
}

static uint64_t through(struct toy *toy, const char *route, const struct pack *params)
{
    struct pack copy = {.bytes = base_alloc(BODY_BYTES_MAX, 1)};
    pack_array(&copy, 1);
    pack_raw(&copy, params->bytes, params->len);
    uint64_t token = toy_ask(toy, "asker", route, &copy, S(10));
    free(copy.bytes);
    return token;
}

static void set(struct toy *toy, enum fault_kind kind, const char *target, double value)
{
    struct fault_spec fault = {.kind = kind, .target = target, .value = value};
    assert_int_equal(world_set_fault(toy->world, &fault, world_now(toy->world)), STATUS_OK);
}

static void assert_done(const struct toy *toy, uint64_t token, int64_t at_ns)
{
    const struct toy_answer *answer = toy_answer(toy, token);
    assert_int_equal(answer->status, STATUS_OK);
    if (answer->at_ns != at_ns)
        fail_msg("done at %ld ns, expected %ld", (long)answer->at_ns, (long)at_ns);
}

/* ---- plans ---- */

static void assert_plan(struct toy *toy, int64_t rows, int64_t plan, int64_t took_ns)
{
    int64_t began_ns = world_now(toy->world);
    uint64_t token = ask_scan(toy);
    toy_run_until(toy, began_ns + S(1));
    assert_done(toy, token, began_ns + took_ns);
    struct cursor answer = cursor_of(toy_answer(toy, token)->body);
    assert_int_equal(cursor_array(&answer), 6);
    assert_int_equal(cursor_int(&answer), rows);
    assert_int_equal(cursor_int(&answer), plan);
    assert_int_equal(cursor_int(&answer), 1);
    assert_int_equal(cursor_int(&answer), took_ns / NS_PER_US);
    assert_int_equal(cursor_int(&answer), 0);
    assert_int_equal(cursor_array(&answer), 10);
}

static void plans_change_as_indexes_come_and_go(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy);
    assert_plan(&toy, 625, 1,
                US(100 + 450)); /* an eighth of the table by idx_products_category, 0.72 us a row */
    set(&toy, FAULT_DROP_INDEX, "idx_products_category", 0);
    assert_plan(&toy, 5000, 2, US(100 + 5000));
    set(&toy, FAULT_CREATE_INDEX, "idx_products_recommendations", 0);
    assert_plan(&toy, 12, 0, US(100 + 12));
    set(&toy, FAULT_CREATE_INDEX, "idx_products_category", 0); /* is there, and no better */
    assert_plan(&toy, 12, 0, US(100 + 12));
    set(&toy, FAULT_DROP_INDEX, "idx_products_recommendations", 0);
    assert_plan(&toy, 625, 1, US(100 + 450));
    toy_run(&toy);
    world_finish(toy.world);
    const struct fault_stats *faults = world_stats(toy.world)->faults;
    assert_true(faults[0].landed);
    assert_string_equal(faults[0].evidence, "1 statements looked for it in vain; 1 sequential scans");
    assert_true(faults[1].landed); /* it was used before it was dropped again */
    assert_true(faults[2].landed && faults[3].landed);
    toy_end(&toy);
}

static void rows_grow_with_the_table(void **state)
{
    (void)state;
    static struct curve_point growth[] = {{0, 5000}, {MIN_(5), 5000}, {MIN_(10), 10000}};
    struct toy toy;
    shop_stores(&toy, &asker);
    toy.scenario.postgresql.products = (struct curve){.points = growth, .count = 3};
    toy_open(&toy, 1);
    set(&toy, FAULT_DROP_INDEX, "idx_products_category", 0);
    assert_plan(&toy, 5000, 2, US(5100));
    toy_run_until(&toy, MIN_(8));
    assert_plan(&toy, 8000, 2, US(8100));
    toy_end(&toy);
}

static void a_fault_makes_the_table_grow_at_once(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy);
    set(&toy, FAULT_DROP_INDEX, "idx_products_category", 0);
    set(&toy, FAULT_TABLE_GROWTH, NULL, 20000);
    assert_plan(&toy, 20000, 2, US(20100));
    struct pack *id = toy_pack(&toy);
    pack_array(id, 1);
    pack_int(id, 20000);
    uint64_t last = ask_statement(&toy, SQL_PRODUCT_BY_ID, id);
    set(&toy, FAULT_TABLE_GROWTH, NULL, 1000); /* fewer to scan */
    assert_plan(&toy, 1000, 2, US(1100));
    set(&toy, FAULT_TABLE_GROWTH, NULL, 1e9); /* more than the model keeps */
    toy_run(&toy);
    struct cursor answer = cursor_of(toy_answer(&toy, last)->body);
    assert_int_equal(cursor_array(&answer), 6);
    for (int figure = 0; figure < 5; figure++)
        cursor_skip(&answer);
    assert_int_equal(cursor_array(&answer), 1);
    world_finish(toy.world);
    const struct fault_stats *faults = world_stats(toy.world)->faults;
    assert_true(faults[1].landed && faults[2].landed && !faults[3].landed);
    assert_string_equal(faults[1].evidence, "1 statements read the table of 20,000 rows");
    toy_end(&toy);
}

static void a_fault_that_is_set_all_day_holds_each_time(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy);
    set(&toy, FAULT_DROP_INDEX, "idx_products_category", 0);
    for (int i = 0; i < 4 * FAULTS_MAX; i++) { /* beyond FAULTS_MAX the same two take turns */
        set(&toy, FAULT_TABLE_GROWTH, NULL, 20000);
        set(&toy, FAULT_TABLE_GROWTH, NULL, 1000);
    }
    assert_plan(&toy, 1000, 2, US(1100));
    set(&toy, FAULT_TABLE_GROWTH, NULL, 20000);
    assert_plan(&toy, 20000, 2, US(20100));
    toy_end(&toy);
}

static void jitter_has_a_mean_of_one(void **state)
{
    (void)state;
    enum { RUNS = 2000 };
    struct toy toy;
    shop_stores(&toy, &asker);
    toy.scenario.postgresql.jitter_sigma = 0.25;
    toy_open(&toy, 1);
    double sum_ns = 0;
    for (int i = 0; i < RUNS; i++) {
        int64_t began_ns = world_now(toy.world);
        uint64_t token = through(&toy, "GET /patient", scan_params(&toy));
        toy_run_until(&toy, began_ns + MS(10));
        sum_ns += (double)(toy.answers[token].at_ns - began_ns);
    }
    assert_in_range(sum_ns / RUNS, 550000 * 0.98, 550000 * 1.02); /* 4 sigma are 2.2 % */
    toy_end(&toy);
}

/* ---- cores, connections, replicas ---- */

static void statements_share_the_cores(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy);
    set(&toy, FAULT_DROP_INDEX, "idx_products_category", 0);
    uint64_t tokens[16];
    for (size_t i = 0; i < 16; i++)
        tokens[i] = ask_scan(&toy);
    toy_run_until(&toy, S(1));
    for (size_t i = 0; i < 16; i++)
        assert_done(&toy, tokens[i], 2 * US(5100)); /* 16 on 8 cores */
    struct cursor first = cursor_of(toy_answer(&toy, tokens[0])->body);
    cursor_array(&first);
    cursor_skip(&first);
    cursor_skip(&first);
    assert_int_equal(cursor_int(&first), 16);
    toy_end(&toy);
}

static void connections_have_a_bound(void **state)
{
    (void)state;
    struct toy toy;
    shop_stores(&toy, &asker);
    toy.scenario.postgresql.max_connections = 3;
    toy_open(&toy, 1);
    uint64_t tokens[5];
    for (size_t i = 0; i < 5; i++)
        tokens[i] = ask_scan(&toy);
    toy_run_until(&toy, 0);
    for (size_t i = 3; i < 5; i++) {
        assert_int_equal(toy_answer(&toy, tokens[i])->status, STATUS_CONNECTIONS_EXHAUSTED);
        assert_null(toy_answer(&toy, tokens[i])->body);
    }
    toy_run_until(&toy, S(1));
    assert_done(&toy, tokens[2], US(550));
    uint64_t next = ask_scan(&toy);
    toy_run_until(&toy, S(2));
    assert_done(&toy, next, S(1) + US(550));
    toy_end(&toy);
}

static void replicas_read_and_do_not_write(void **state)
{
    (void)state;
    struct toy toy;
    shop_stores(&toy, &asker);
    toy.scenario.postgresql.cores = 1;
    toy.scenario.postgresql.read_replicas = 1;
    toy_open(&toy, 1);
    uint64_t reads[2] = {ask_scan(&toy), ask_scan(&toy)};
    toy_run_until(&toy, S(1));
    for (size_t i = 0; i < 2; i++)
        assert_done(&toy, reads[i], US(550)); /* one each */
    uint64_t writes[2] = {ask_reserve(&toy, 1), ask_reserve(&toy, 2)};
    toy_run_until(&toy, S(2));
    for (size_t i = 0; i < 2; i++)
        assert_done(&toy, writes[i], S(1) + 2 * US(401)); /* both on the primary */
    set(&toy, FAULT_READ_REPLICAS, NULL, 2);
    uint64_t more[3] = {ask_scan(&toy), ask_scan(&toy), ask_scan(&toy)};
    toy_run_until(&toy, S(3));
    for (size_t i = 0; i < 3; i++)
        assert_done(&toy, more[i], S(2) + US(550));
    toy_end(&toy);
}

static void a_fault_is_proved_by_what_it_changed(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy);
    set(&toy, FAULT_DROP_INDEX, "idx_products_stock_quantity", 0);
    set(&toy, FAULT_READ_REPLICAS, NULL, 2);
    for (int i = 0; i < 3; i++)
        ask_scan(&toy);
    toy_run(&toy);
    set(&toy, FAULT_CREATE_INDEX, "idx_products_recommendations", 0); /* nobody asks after it any more */
    toy_run(&toy);
    world_finish(toy.world);
    const struct fault_stats *faults = world_stats(toy.world)->faults;
    assert_true(faults[0].landed && faults[1].landed && !faults[2].landed);
    assert_string_equal(faults[0].evidence, "it is gone; no statement of this run looks for it");
    assert_string_equal(faults[1].evidence, "2 statements ran on a replica");
    assert_string_equal(faults[2].evidence, "0 statements used it");
    toy_end(&toy);
}

/* A replica that leaves ends what it has, also when it comes back meanwhile. */
static void replicas_come_and_go_while_they_work(void **state)
{
    (void)state;
    struct toy toy;
    shop_stores(&toy, &asker);
    toy.scenario.postgresql.cores = 1;
    toy.scenario.postgresql.read_replicas = 2;
    toy_open(&toy, 1);
    uint64_t first[3] = {ask_scan(&toy), ask_scan(&toy), ask_scan(&toy)};
    toy_run_until(&toy, US(100));
    set(&toy, FAULT_READ_REPLICAS, NULL, 0);
    uint64_t alone = ask_scan(&toy);
    toy_run_until(&toy, US(200));
    set(&toy, FAULT_READ_REPLICAS, NULL, 2);
    uint64_t more[3] = {ask_scan(&toy), ask_scan(&toy), ask_scan(&toy)};
    set(&toy, FAULT_READ_REPLICAS, NULL, 100); /* as many as there is room for */
    toy_run(&toy);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(toy_answer(&toy, first[i])->status, STATUS_OK);
        assert_int_equal(toy_answer(&toy, more[i])->status, STATUS_OK);
    }
    /* The replicas' first two ran alone until 200 us, then two on one core each: 350 left, at half speed. */
    assert_true(toy_answer(&toy, first[1])->at_ns >= US(550) && toy_answer(&toy, first[1])->at_ns <= US(900));
    assert_int_equal(toy_answer(&toy, alone)->status, STATUS_OK);
    toy_end(&toy);
}

/* ---- locks ---- */

static void a_rows_lock_is_waited_for_in_order(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy);
    uint64_t same[4], other, page;
    for (size_t i = 0; i < 4; i++)
        same[i] = ask_reserve(&toy, 7);
    other = ask_reserve(&toy, 8);
    struct pack *id = toy_pack(&toy);
    pack_array(id, 1);
    pack_int(id, 7);
    page = ask_statement(&toy, SQL_PRODUCT_BY_ID, id);
    toy_run_until(&toy, S(1));
    for (size_t i = 0; i < 4; i++)
        assert_done(&toy, same[i], US(401) * (int64_t)(i + 1));
    assert_done(&toy, other, US(401));
    assert_done(&toy, page, US(301)); /* readers do not wait for writers */
    for (size_t i = 0; i < 3; i++) /* and once more, when the line has been empty */
        same[i] = ask_reserve(&toy, 7);
    toy_run_until(&toy, S(2));
    for (size_t i = 0; i < 3; i++)
        assert_done(&toy, same[i], S(1) + US(401) * (int64_t)(i + 1));
    toy_end(&toy);
}

static void cancelling_gives_back_the_core(void **state)
{
    (void)state;
    for (int cancels = 0; cancels < 2; cancels++) {
        struct toy toy;
        shop_stores(&toy, &asker);
        toy.scenario.postgresql.cores = 1;
        toy.scenario.postgresql.cancel_on_deadline = cancels;
        toy_open(&toy, 1);
        set(&toy, FAULT_DROP_INDEX, "idx_products_category", 0);
        uint64_t gives_up = through(&toy, "GET /scan", scan_params(&toy));
        toy_run_until(&toy, 0);
        uint64_t stays = ask_scan(&toy);
        toy_run_until(&toy, S(1));
        assert_int_equal(toy_answer(&toy, gives_up)->status, STATUS_UNAVAILABLE);
        assert_int_equal(toy_answer(&toy, gives_up)->at_ns, MS(2));
        assert_done(&toy, stays, cancels ? US(5100 + 1000) : 2 * US(5100)); /* 1 ms each until 2 ms */
        toy_end(&toy);
    }
}

static void cancelling_leaves_the_line_at_a_lock(void **state)
{
    (void)state;
    for (int cancels = 0; cancels < 2; cancels++) {
        struct toy toy;
        shop_stores(&toy, &asker);
        toy.scenario.postgresql.cancel_on_deadline = cancels;
        toy_open(&toy, 1);
        uint64_t patient[6], gives_up = 0, after;
        for (size_t i = 0; i < 6; i++) /* the holder and five before it: 2.4 ms */
            patient[i] = ask_reserve(&toy, 7);
        toy_run_until(&toy, 0);
        gives_up = through(&toy, "POST /reserve", reserve_params(&toy, 7));
        toy_run_until(&toy, 1);
        after = ask_reserve(&toy, 7);
        toy_run_until(&toy, S(1));
        assert_done(&toy, patient[5], 6 * US(401));
        assert_int_equal(toy_answer(&toy, gives_up)->at_ns, MS(2));
        assert_done(&toy, after, (cancels ? 7 : 8) * US(401));
        toy_end(&toy);
    }
}

/* ---- hostile statements ---- */

static void whatever_the_parameters_each_statement_is_answered(void **state)
{
    (void)state;
    enum { EACH = 300 };
    struct toy toy;
    open_world(&toy);
    uint64_t asked = 0;
    for (size_t statement = 0; statement <= SQL_COUNT; statement++)
        for (uint64_t i = 0; i < EACH; i++) {
            unsigned char bytes[40];
            size_t len = draw(statement, i, 1, 0).a % sizeof bytes;
            for (uint32_t b = 0; b < len; b++)
                bytes[b] = (unsigned char)draw(statement, i, 2, b).a;
            if (i % 3 && len) /* now and then what begins like parameters */
                bytes[0] = 0x93;
            toy_ask_index(&toy, DATABASE, statement, bytes, len, S(1));
            asked++;
            toy_run_until(&toy, world_now(toy.world) + MS(20));
        }
    toy_run(&toy);
    assert_int_equal(toy.answer_count, asked);
    for (size_t i = 0; i < asked; i++)
        assert_int_equal(toy.answers[i].status, i < asked - EACH ? STATUS_OK : STATUS_BAD_INPUT);
    const struct business_stats *shop = &world_stats(toy.world)->business;
    assert_int_equal(shop->db_pieces, shop->db_stock_taken);
    toy_end(&toy);
}

static void a_database_can_be_left_at_work(void **state)
{
    (void)state;
    struct toy toy;
    open_world(&toy);
    for (int64_t i = 0; i < 20; i++) {
        ask_scan(&toy);
        ask_reserve(&toy, 1 + i % 3);
    }
    toy_run_until(&toy, MS(2));
    assert_in_range(toy.answer_count, 1, 39);
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_change_as_indexes_come_and_go),
        cmocka_unit_test(rows_grow_with_the_table),
        cmocka_unit_test(a_fault_makes_the_table_grow_at_once),
        cmocka_unit_test(a_fault_that_is_set_all_day_holds_each_time),
        cmocka_unit_test(jitter_has_a_mean_of_one),
        cmocka_unit_test(statements_share_the_cores),
        cmocka_unit_test(connections_have_a_bound),
        cmocka_unit_test(replicas_read_and_do_not_write),
        cmocka_unit_test(a_fault_is_proved_by_what_it_changed),
        cmocka_unit_test(replicas_come_and_go_while_they_work),
        cmocka_unit_test(a_rows_lock_is_waited_for_in_order),
        cmocka_unit_test(cancelling_gives_back_the_core),
        cmocka_unit_test(cancelling_leaves_the_line_at_a_lock),
        cmocka_unit_test(whatever_the_parameters_each_statement_is_answered),
        cmocka_unit_test(a_database_can_be_left_at_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
