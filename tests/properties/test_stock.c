/*
 * Stock and orders in the database's tables against a plain account of them: random inserts and reservations,
 * ids and keys that come again, products that sell out, quantities that cannot be. 120 seeds, in the long form
 * 1,000; DOORBUSTER_SEED=N runs one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "actors/shop/tables.h"
#include "tests/properties/random_scenario.h"

enum {
    SEEDS_QUICK = 120,
    SEEDS_LONG = 1000,
    STEPS = 3000,
    ROWS = CATALOGUE_CATEGORIES * CATALOGUE_TOP,
    BOUGHT = 4, /* products that are bought at all */
    ORDERS = 200, /* ids in use, 1 and on */
    KEYS = 10
};

/* What should be: orders by id, keys to orders. */
struct account {
    bool there[ORDERS + 1], stands[ORDERS + 1];
    int64_t cents[ORDERS + 1], by_key[KEYS + 1]; /* 0: free */
    int64_t stock[ROWS + 1];
    int64_t product[ORDERS + 1], quantity[ORDERS + 1]; /* as first ordered */
    int64_t taken, revenue_cents, standing;
    int short_of;
};

static uint64_t seed_now;

struct bench {
    struct tables tables;
    struct account account;
    struct chance chance;
    struct pack params, result;
};

static struct cursor run(struct bench *bench, enum shop_statement statement)
{
    struct cursor params = {.at = bench->params.bytes, .end = bench->params.bytes + bench->params.len};
    cursor_array(&params);
    bench->result.len = 0;
    tables_run(&bench->tables, statement, &params, &bench->result);
    return (struct cursor){.at = bench->result.bytes, .end = bench->result.bytes + bench->result.len};
}

/* One that is bought, or, at times, none. */
static int64_t some_product(struct bench *bench)
{
    if (chance_one_in(&bench->chance, 20))
        return chance_between(&bench->chance, -2, 0);
    if (chance_one_in(&bench->chance, 20))
        return chance_between(&bench->chance, ROWS + 1, ROWS + 3);
    return chance_between(&bench->chance, 1, BOUGHT);
}

static int64_t some_quantity(struct bench *bench)
{
    return chance_one_in(&bench->chance, 20) ? chance_between(&bench->chance, -5, 5000)
                                             : chance_between(&bench->chance, 1, 300);
}

static void insert(struct bench *bench)
{
    struct account *account = &bench->account;
    int64_t id = chance_between(&bench->chance, 1, ORDERS), product = some_product(bench);
    int64_t quantity = some_quantity(bench), key = chance_between(&bench->chance, 0, KEYS);
    bench->params.len = 0;
    pack_array(&bench->params, 5);
    pack_int(&bench->params, id);
    pack_text(&bench->params, "user-1");
    pack_int(&bench->params, product);
    pack_int(&bench->params, quantity);
    if (key)
        pack_label(&bench->params, "key-", (uint64_t)key);
    else
        pack_nil(&bench->params);

    struct cursor result = run(bench, SQL_ORDER_INSERT);
    if (product < 1 || product > ROWS || quantity < 1) {
        assert_int_equal(cursor_array(&result), 0);
        return;
    }
    int64_t first = key && account->by_key[key] ? account->by_key[key] : id;
    if (!account->there[first]) {
        account->there[first] = true;
        account->cents[first] = catalogue_price_cents(product) * quantity;
        account->product[first] = product;
        account->quantity[first] = quantity;
        if (key)
            account->by_key[key] = first;
    }
    assert_int_equal(cursor_array(&result), 4);
    assert_int_equal(cursor_int(&result), first);
    assert_int_equal(cursor_int(&result), account->cents[first]);
    assert_int_equal(cursor_int(&result), account->product[first]);
    assert_int_equal(cursor_int(&result), account->quantity[first]);
    assert_false(result.bad);
}

static void reserve(struct bench *bench)
{
    struct account *account = &bench->account;
    int64_t id = chance_between(&bench->chance, 1, ORDERS + 2), product = some_product(bench);
    int64_t quantity = some_quantity(bench);
    bench->params.len = 0;
    pack_array(&bench->params, 3);
    pack_int(&bench->params, product);
    pack_int(&bench->params, quantity);
    pack_int(&bench->params, id);

    bool on_sale = product >= 1 && product <= ROWS;
    bool known = id <= ORDERS && account->there[id], stood = known && account->stands[id];
    bool taken = known && !stood && on_sale && quantity >= 1 && quantity <= account->stock[product];
    account->short_of += known && !stood && on_sale && quantity > account->stock[product];
    if (taken) {
        account->stands[id] = true;
        account->stock[product] -= quantity;
        account->taken += quantity;
        account->revenue_cents += account->cents[id];
        account->standing++;
    }
    struct cursor result = run(bench, SQL_STOCK_RESERVE);
    assert_int_equal(cursor_array(&result), on_sale ? 2 : 0);
    if (!on_sale)
        return;
    assert_int_equal(cursor_bool(&result), stood || taken);
    assert_int_equal(cursor_int(&result), account->stock[product]);
    assert_false(result.bad);
}

/* Added up anew from the rows, beside the totals that the database keeps. */
static void check(const struct bench *bench)
{
    const struct account *account = &bench->account;
    const struct tables *tables = &bench->tables;
    uint64_t created;
    int64_t cents;
    for (int64_t product = 1; product <= ROWS; product++) {
        assert_true(tables->catalogue.stock[product - 1] >= 0);
        assert_int_equal(tables->catalogue.stock[product - 1], account->stock[product]);
    }
    orders_count(&tables->orders, &created, &cents);
    assert_int_equal(created, account->standing);
    assert_int_equal(cents, account->revenue_cents);
    assert_int_equal(tables->orders.created, account->standing);
    assert_int_equal(tables->orders.revenue_cents, account->revenue_cents);
    assert_int_equal(tables->catalogue.taken, account->taken);
    assert_int_equal(tables->orders.pieces, account->taken);
}

/* How often there was too little left. */
static int play(uint64_t seed)
{
    struct bench *bench = base_alloc(1, sizeof *bench);
    bench->chance.seed = seed;
    bench->params.bytes = base_alloc(BODY_BYTES_MAX, 1);
    bench->result.bytes = base_alloc(BODY_BYTES_MAX, 1);
    tables_init(&bench->tables, ROWS);
    for (int64_t product = 1; product <= ROWS; product++)
        bench->account.stock[product] = bench->tables.catalogue.stock[product - 1];
    for (int step = 0; step < STEPS; step++) {
        if (chance_one_in(&bench->chance, 2))
            insert(bench);
        else
            reserve(bench);
    }
    check(bench);
    int short_of = bench->account.short_of;
    tables_fini(&bench->tables);
    free(bench->params.bytes);
    free(bench->result.bytes);
    free(bench);
    return short_of;
}

static void test_stock_and_orders(void **state)
{
    (void)state;
    const char *one = getenv("DOORBUSTER_SEED"), *wish = getenv("DOORBUSTER_LONG");
    uint64_t first = one ? strtoull(one, NULL, 10) : 1;
    uint64_t last = one ? first : wish && strcmp(wish, "1") == 0 ? SEEDS_LONG : SEEDS_QUICK;
    for (uint64_t seed = first; seed <= last; seed++) {
        seed_now = seed;
        assert_true(play(seed) > 10);
    }
    seed_now = 0;
}

/* A failed assertion leaves the test at once; the seed is said here. */
static int say_seed(void **state)
{
    (void)state;
    if (seed_now)
        print_error("repeat: DOORBUSTER_SEED=%llu build/tests/test_properties_stock\n",
                    (unsigned long long)seed_now);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(test_stock_and_orders, say_seed)};
    return cmocka_run_group_tests_name("stock", tests, NULL, NULL);
}
