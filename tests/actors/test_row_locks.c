/*
 * row locks of the modelled database: a reservation keeps its product's row until its transaction is through, the
 * others wait in line, give up in time or are stopped, and the figures tell of it. And the product that many want.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/parts.h"
#include "tests/actors/shop_world.h"

#define STEPS(...) ((const struct step[]){__VA_ARGS__})
#define US(n) ((n)*NS_PER_US)

enum { DATABASE = 1, HOT = 7, STOCK = 5, COST_US = 401, HOLD_MS = 100 };

/* ---- buyer: places an order and reserves its piece, with a second's patience ---- */

struct buying {
    int64_t order;
};

static void read_order(struct call *call)
{
    struct buying *buying = call_locals(call);
    struct cursor request = call_request(call);
    cursor_array(&request);
    buying->order = cursor_int(&request);
}

static void the_order(struct call *call, struct pack *body)
{
    const struct buying *buying = call_locals(call);
    pack_array(body, 5);
    pack_int(body, buying->order);
    pack_text(body, "user-1");
    pack_int(body, HOT);
    pack_int(body, 1);
    pack_nil(body);
}

static void the_piece(struct call *call, struct pack *body)
{
    const struct buying *buying = call_locals(call);
    pack_array(body, 3);
    pack_int(body, HOT);
    pack_int(body, 1);
    pack_int(body, buying->order);
}

static const struct actor_kind buyer = {
    .service = "buyer",
    .port = 1,
    .routes =
        (const struct route[]){{.name = "POST /buy",
                                .takes = "order:int",
                                .steps = STEPS(DO(read_order), QUERY("p", "order_insert", .body = the_order),
                                               QUERY("p", "stock_reserve", .limit_ms = 1000,
                                                     .body = the_piece, .then = call_keep_value),
                                               REPLY(STATUS_OK, NULL))},
                               {0}},
    .pools = {{"p", 50, 1000}}};

static void begin(struct toy *toy)
{
    shop_stores(toy, &buyer);
    toy->scenario.postgresql.lock_hold_ns = MS(HOLD_MS);
    toy->scenario.postgresql.hot_product = HOT;
    toy->scenario.postgresql.hot_stock = STOCK;
}

static uint64_t buy(struct toy *toy, int64_t order)
{
    struct pack *body = toy_pack(toy);
    pack_array(body, 1);
    pack_int(body, order);
    return toy_ask(toy, "buyer", "POST /buy", body, S(10));
}

static const struct store_stats *stores(const struct toy *toy)
{
    return &world_stats(toy->world)->stores;
}

static const struct business_stats *shop(const struct toy *toy)
{
    return &world_stats(toy->world)->business;
}

/* The reservations' spans: every second of those of both statements. */
static const struct span *reservation(const struct toy *toy, size_t nth)
{
    return toy_span(toy, "UPDATE ecommerce.products", nth);
}

/* ---- tests ---- */

/* All place their orders at once, on 8 cores: within 401 us. Then the row goes from one to the next. */
static void a_row_is_kept_to_the_end_of_the_transaction(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    uint64_t tokens[3];
    for (int64_t i = 0; i < 3; i++)
        tokens[i] = buy(&toy, i + 1);
    toy_run(&toy);
    for (int64_t i = 0; i < 3; i++) {
        int64_t each_ns = US(COST_US) + MS(HOLD_MS);
        assert_int_equal(toy_answer(&toy, tokens[i])->at_ns, US(COST_US) + (i + 1) * each_ns);
        double waited_ms = i ? (double)i * (double)each_ns / 1e6 : -1;
        assert_true(toy_attr_number(&reservation(&toy, (size_t)i)->attrs, ATTR_DB_LOCK_WAIT_MS) == waited_ms);
    }
    assert_int_equal(stores(&toy)->lock_wait.count, 3);
    assert_int_equal(stores(&toy)->lock_wait.zeros, 1);
    assert_true(stores(&toy)->lock_wait.max > 0.2 && stores(&toy)->lock_wait.max < 0.201);
    assert_int_equal(stores(&toy)->lock_timeouts, 0);
    assert_int_equal(stores(&toy)->active_peak, 3);
    assert_int_equal(stores(&toy)->connections_peak, 3);
    assert_true(shop(&toy)->hot_sold == 3 && shop(&toy)->hot_left == STOCK - 3);
    /* What was computed is told as CPU; what was waited is not. */
    const struct statement_stats *reserve = &world_stats(toy.world)->statements[SQL_STOCK_RESERVE];
    assert_int_equal(reserve->latency.count, 3);
    assert_true(reserve->latency.max > 0.301 && reserve->latency.max < 0.302);
    double cpu_ns = 0;
    for (size_t i = 0; i < world_stats(toy.world)->profile_count; i++) {
        const struct profile_line *line = &world_stats(toy.world)->profile[i];
        assert_string_equal(line->service, "buyer");
        assert_string_equal(line->route, "POST /buy");
        cpu_ns += line->cpu_ns;
    }
    assert_true(cpu_ns == 2.0 * 3 * US(COST_US));
    toy_end(&toy);
}

static void who_finds_nothing_left_does_not_keep_the_row(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy_open(&toy, 1);
    uint64_t last = 0;
    for (int64_t i = 0; i < STOCK + 3; i++)
        last = buy(&toy, i + 1);
    toy_run(&toy);
    assert_true(shop(&toy)->hot_sold == STOCK && shop(&toy)->hot_left == 0);
    assert_int_equal(shop(&toy)->db_pieces, STOCK);
    assert_int_equal(toy_answer(&toy, last)->at_ns,
                     US(COST_US) + (STOCK + 3) * US(COST_US) + STOCK * MS(HOLD_MS));
    toy_end(&toy);
}

static void who_waits_too_long_for_a_row_is_told_so(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy.scenario.postgresql.lock_timeout_ns = MS(150);
    toy_open(&toy, 1);
    uint64_t tokens[4];
    for (int64_t i = 0; i < 4; i++)
        tokens[i] = buy(&toy, i + 1);
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, tokens[0])->status, STATUS_OK);
    assert_int_equal(toy_answer(&toy, tokens[1])->status, STATUS_OK); /* 100 ms in the line */
    for (size_t i = 2; i < 4; i++) {
        assert_int_equal(toy_answer(&toy, tokens[i])->status, STATUS_UNAVAILABLE);
        assert_int_equal(toy_answer(&toy, tokens[i])->at_ns, US(COST_US) + MS(150));
    }
    assert_int_equal(stores(&toy)->lock_timeouts, 2);
    assert_int_equal(stores(&toy)->lock_wait.count, 4); /* also theirs */
    /* The time-outs come before the second one's end. */
    const struct span *failed = reservation(&toy, 1);
    assert_int_equal(failed->status, STATUS_LOCK_TIMEOUT);
    assert_string_equal(status_info(failed->status)->sqlstate, "55P03");
    assert_int_equal(toy_attr_number(&failed->attrs, ATTR_DB_LOCK_WAIT_MS), 150);
    assert_int_equal(world_stats(toy.world)->statements[SQL_STOCK_RESERVE].runs, 2);
    uint64_t later = buy(&toy, 9); /* the line is empty again */
    int64_t began_ns = world_now(toy.world);
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, later)->at_ns, began_ns + 2 * US(COST_US) + MS(HOLD_MS));
    toy_end(&toy);
}

/* One of three gives up after a second: on the cores, holding, or in the line. The row goes on to who is next. */
static void a_deadline_stops_a_statement_in_any_state(void **state)
{
    (void)state;
    static const struct {
        int64_t hold_ms, cost_us; /* of the statement that is stopped and those behind it */
        int64_t ends_ms[3];
        int sold;
    } cases[] = {
        {2000, 0, {1000, 1000, 1000}, 0}, /* holding; then those that wait */
        {600, 0, {600, 1000, 1000}, 1}, /* holding since 600; and waiting */
        {0, 3000000, {1000, 1000, 1000}, 0}, /* on the cores, and waiting */
    };
    for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
        struct toy toy;
        begin(&toy);
        toy.scenario.postgresql.cancel_on_deadline = true;
        toy.scenario.postgresql.lock_hold_ns = MS(cases[c].hold_ms);
        toy_open(&toy, 1);
        for (int64_t order = 1; order <= 3; order++) /* the orders are there before */
            buy(&toy, order);
        toy_run_until(&toy, US(COST_US) - 1);
        /* From here on rows are dear: a statement of one row takes so long. */
        toy.scenario.postgresql.scan_ns_per_row = MAX((double)cases[c].cost_us * 1e3, 1);
        toy_run(&toy);
        for (size_t i = 0; i < 3; i++) {
            int64_t late_ns = toy.answers[i].at_ns - US(COST_US) - MS(cases[c].ends_ms[i]);
            assert_true(late_ns >= 0 && late_ns <= 2 * US(COST_US));
        }
        assert_int_equal(shop(&toy)->db_pieces, cases[c].sold);
        assert_int_equal(stores(&toy)->lock_wait.count, 3);
        uint64_t after = buy(&toy, 9);
        toy.scenario.postgresql.scan_ns_per_row = 1000;
        toy.scenario.postgresql.lock_hold_ns = MS(HOLD_MS);
        int64_t began_ns = world_now(toy.world);
        toy_run(&toy);
        assert_int_equal(toy_answer(&toy, after)->at_ns, began_ns + 2 * US(COST_US) + MS(HOLD_MS));
        toy_end(&toy);
    }
}

/* Without cancelling, those who gave up still take their turn and their piece. */
static void who_gave_up_still_takes_its_turn(void **state)
{
    (void)state;
    struct toy toy;
    begin(&toy);
    toy.scenario.postgresql.lock_hold_ns = MS(600);
    toy_open(&toy, 1);
    for (int64_t order = 1; order <= 3; order++)
        buy(&toy, order);
    toy_run(&toy);
    assert_int_equal(toy_answer(&toy, 1)->status, STATUS_UNAVAILABLE);
    assert_int_equal(shop(&toy)->hot_sold, 3);
    assert_int_equal(world_stats(toy.world)->late_replies, 2);
    toy_end(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_kept_to_the_end_of_the_transaction),
        cmocka_unit_test(who_finds_nothing_left_does_not_keep_the_row),
        cmocka_unit_test(who_waits_too_long_for_a_row_is_told_so),
        cmocka_unit_test(a_deadline_stops_a_statement_in_any_state),
        cmocka_unit_test(who_gave_up_still_takes_its_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
