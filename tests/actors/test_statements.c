/* statements: the table that the model and a real server share makes sense by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/actor.h"
#include "tests/actors/shop_world.h"

static bool is_primary_key(const char *index)
{
    size_t len = strlen(index);
    return len > 5 && strcmp(index + len - 5, "_pkey") == 0;
}

static void every_statement_has_a_plan_that_is_always_possible(void **state)
{
    (void)state;
    assert_int_equal(shop_statement_count, SQL_COUNT);
    for (size_t i = 0; i < SQL_COUNT; i++) {
        const struct statement *statement = &shop_statements[i];
        bool always = false;
        for (size_t p = 0; p < STATEMENT_PLANS_MAX && !always; p++) {
            const struct plan *plan = &statement->plans[p];
            always = !plan->index || is_primary_key(plan->index);
            assert_true(always || registry_index(&registry, plan->index));
            assert_true(plan->rows > 0 || plan->share > 0);
            assert_true(plan->row_cost > 0);
        }
        assert_true(always);
    }
}

static void better_plans_read_fewer_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < SQL_COUNT; i++)
        for (size_t p = 1; p < STATEMENT_PLANS_MAX; p++) {
            const struct plan *plan = &shop_statements[i].plans[p], *better = plan - 1;
            if (plan->rows + plan->share > 0)
                assert_true(better->rows + better->share * 250000 < plan->rows + plan->share * 250000);
        }
}

static void names_are_found_and_differ(void **state)
{
    (void)state;
    for (size_t i = 0; i < SQL_COUNT; i++)
        assert_ptr_equal(registry_statement(&registry, shop_statements[i].name), &shop_statements[i]);
    assert_null(registry_statement(&registry, "no_such_statement"));
    for (size_t i = 0; i < shop_index_count; i++)
        for (size_t j = i + 1; j < shop_index_count; j++)
            assert_string_not_equal(shop_indexes[i].name, shop_indexes[j].name);
}

static void the_sql_says_what_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < SQL_COUNT; i++) {
        const struct statement *statement = &shop_statements[i];
        assert_non_null(strstr(statement->sql, statement->operation));
        assert_int_equal(statement->writes, strcmp(statement->operation, "SELECT") != 0);
        assert_true(!statement->locks_row || statement->writes);
        assert_true(statement->fixed_us > 0);
    }
    for (size_t i = 0; i < shop_index_count; i++) {
        assert_non_null(strstr(shop_indexes[i].sql, shop_indexes[i].name));
        assert_true(strncmp(shop_indexes[i].sql, "CREATE INDEX ", 13) == 0);
    }
}

static void what_heals_creates_what_is_missing(void **state)
{
    (void)state;
    int incidents = 0;
    for (size_t i = 0; i < SQL_COUNT; i++) {
        const struct statement *statement = &shop_statements[i];
        assert_true(!statement->missing_index == !statement->healing_sql);
        if (!statement->missing_index)
            continue;
        incidents++;
        assert_string_equal(statement->plans[0].index, statement->missing_index);
        const struct index_def *index = NULL;
        for (size_t x = 0; x < shop_index_count; x++)
            if (strcmp(shop_indexes[x].name, statement->missing_index) == 0)
                index = &shop_indexes[x];
        assert_non_null(index);
        assert_string_equal(index->sql, statement->healing_sql);
    }
    assert_int_equal(incidents, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_has_a_plan_that_is_always_possible),
        cmocka_unit_test(better_plans_read_fewer_rows),
        cmocka_unit_test(names_are_found_and_differ),
        cmocka_unit_test(the_sql_says_what_the_table_says),
        cmocka_unit_test(what_heals_creates_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
