/* pg_*: what needs no server - codes, plans, parameters and results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>

#include "core/text.h"
#include "edges/pg_plan.h"
#include "edges/pg_row.h"
#include "edges/pg_status.h"

/* ---- codes ---- */

static void a_code_has_one_status(void **state)
{
    (void)state;
    static const struct {
        const char *sqlstate;
        enum status status;
    } cases[] = {
        {NULL, STATUS_CONNECTION_LOST},
        {"08006", STATUS_CONNECTION_LOST},
        {"08P01", STATUS_CONNECTION_LOST},
        {"57P01", STATUS_CONNECTION_LOST},
        {"57P03", STATUS_CONNECTION_LOST},
        {"57P04", STATUS_FAILED},
        {"57014", STATUS_DEADLINE},
        {"55P03", STATUS_LOCK_TIMEOUT},
        {"53300", STATUS_CONNECTIONS_EXHAUSTED},
        {"53200", STATUS_FAILED},
        {"40001", STATUS_FAILED},
        {"40P01", STATUS_FAILED},
        {"23505", STATUS_FAILED},
        {"23514", STATUS_BAD_INPUT},
        {"22003", STATUS_BAD_INPUT},
        {"22021", STATUS_BAD_INPUT},
        {"42601", STATUS_FAILED},
        {"", STATUS_FAILED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(pg_status(cases[i].sqlstate), cases[i].status);
}

/* ---- plans ---- */

static const struct statement scans = {
    .name = "scans",
    .operation = "SELECT",
    .collection = "things",
    .plans = {{.index = "best", .rows = 1}, {.index = "second", .rows = 2}, {.share = 1}}};
static const struct statement inserts = {.name = "inserts",
                                         .operation = "INSERT",
                                         .collection = "things",
                                         .plans = {{.index = "things_pkey", .rows = 1}}};
static const struct statement keyed = {.name = "keyed",
                                       .operation = "SELECT",
                                       .collection = "things",
                                       .plans = {{.index = "things_pkey", .rows = 1}}};

static void the_plan_is_that_of_the_index_used(void **state)
{
    (void)state;
    static const struct {
        const struct statement *statement;
        const char *json;
        int plan;
    } cases[] = {
        {&scans, "[{\"Plan\":{\"Node Type\":\"Seq Scan\"}}]", 2},
        {&scans, "[{\"Plan\":{\"Node Type\":\"Index Scan\",\"Index Name\":\"best\"}}]", 0},
        {&scans,
         "[{\"Plan\":{\"Node Type\":\"Limit\",\"Plans\":[{\"Plans\":[{\"Index Name\":\"second\"}]}]}}]", 1},
        {&scans, "[{\"Plan\":{\"Plans\":[{\"Index Name\":\"second\"},{\"Index Name\":\"best\"}]}}]", 0},
        {&scans, "[{\"Plan\":{\"Index Name\":\"another\"}}]", 2},
        {&keyed, "[{\"Plan\":{\"Index Name\":\"things_pkey\"}}]", 0},
        {&keyed, "[{\"Plan\":{\"Node Type\":\"Seq Scan\"}}]", 1}, /* not in the table: no index */
        {&inserts, "[{\"Plan\":{\"Node Type\":\"ModifyTable\"}}]", 0},
        {&scans, "", 7},
        {&scans, "[", 7},
        {&scans, "[]", 7},
        {&scans, "{}", 7},
        {&scans, "[3]", 7},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(pg_plan_read(cases[i].statement, cases[i].json, 7), cases[i].plan);
}

static void nesting_has_an_end(void **state)
{
    (void)state;
    enum { DEEP = 200 };
    struct text json = {0};
    text_lit(&json, "[");
    for (int i = 0; i < DEEP; i++)
        text_lit(&json, "{\"Plan\":");
    text_lit(&json, "{\"Index Name\":\"best\"}");
    for (int i = 0; i < DEEP; i++)
        text_lit(&json, "}");
    text_lit(&json, "]");
    assert_int_equal(pg_plan_read(&scans, text_c(&json), 7), 2);
    text_fini(&json);
}

/* ---- parameters ---- */

static const struct statement made = {.name = "made",
                                      .takes = "id:int name:text price:real active:bool key?:text",
                                      .answers = "rows:[id:int name:text price:real active:bool]"};

static struct body *body_of(const struct pack *pack)
{
    struct body *body = base_alloc(1, sizeof *body + pack->len);
    body->len = (uint32_t)pack->len;
    memcpy(body->bytes, pack->bytes, pack->len);
    return body;
}

static bool read_params(struct pg_params *params, int64_t id, struct slice name, double price, bool key)
{
    static unsigned char bytes[BODY_BYTES_MAX];
    struct pg_shape shape;
    struct pack pack = {.bytes = bytes};
    pg_shape_read(&shape, &made);
    pack_array(&pack, 5);
    pack_int(&pack, id);
    pack_text_len(&pack, name.at, name.len);
    pack_real(&pack, price);
    pack_bool(&pack, true);
    if (key)
        pack_text(&pack, "k");
    else
        pack_nil(&pack);
    struct body *body = body_of(&pack);
    bool read = pg_params_read(params, &shape, body);
    free(body);
    return read;
}

static void parameters_are_written_as_they_are(void **state)
{
    (void)state;
    struct pg_params *params = base_alloc(1, sizeof *params);
    assert_true(read_params(params, INT64_MIN, (struct slice){"it's \\ \xc3\xa9", 9}, 0.1, false));
    assert_int_equal(params->count, 5);
    assert_string_equal(params->values[0], "-9223372036854775808");
    assert_string_equal(params->values[1], "it's \\ \xc3\xa9");
    assert_string_equal(params->values[2], "0.1");
    assert_string_equal(params->values[3], "t");
    assert_null(params->values[4]);
    assert_true(read_params(params, 1, (struct slice){"", 0}, 1.0 / 3, true));
    assert_string_equal(params->values[1], "");
    assert_true(strtod(params->values[2], NULL) == 1.0 / 3);
    assert_string_equal(params->values[4], "k");
    free(params);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    struct pg_params *params = base_alloc(1, sizeof *params);
    assert_false(read_params(params, 1, (struct slice){"a\0b", 3}, 1, false));
    assert_false(read_params(params, 1, (struct slice){"\xc0\xaf", 2}, 1, false));
    assert_false(read_params(params, 1, (struct slice){"a", 1}, INFINITY, false));
    assert_false(read_params(params, 1, (struct slice){"a", 1}, NAN, false));
    free(params);
}

/* ---- results ---- */

static PGresult *result_of(int rows, const char *const *cells)
{
    static char names[4][8] = {"id", "name", "price", "active"};
    PGresAttDesc columns[4] = {{0}};
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    for (int i = 0; i < 4; i++)
        columns[i].name = names[i];
    assert_true(PQsetResultAttrs(result, 4, columns));
    for (int cell = 0; cell < rows * 4; cell++) {
        char text[32] = "";
        if (cells[cell])
            strcpy(text, cells[cell]);
        assert_true(PQsetvalue(result, cell / 4, cell % 4, cells[cell] ? text : NULL,
                               cells[cell] ? (int)strlen(text) : -1));
    }
    return result;
}

static bool pack_result(const char *answers, int rows, const char *const *cells, struct body **body)
{
    static unsigned char bytes[BODY_BYTES_MAX];
    struct pack pack = {.bytes = bytes};
    struct pg_shape shape;
    struct statement statement = made;
    statement.answers = answers;
    pg_shape_read(&shape, &statement);
    PGresult *result = result_of(rows, cells);
    bool packed = pg_result_pack(result, &shape, &pack);
    PQclear(result);
    *body = body_of(&pack);
    return packed;
}

static void a_result_is_what_the_statement_declares(void **state)
{
    (void)state;
    static const char *const cells[] = {"7", "Chair", "19.99", "t", "-8", NULL, "0.5", "f"};
    struct body *body;
    assert_true(pack_result(made.answers, 2, cells, &body));
    struct cursor cursor = cursor_of(body);
    assert_int_equal(cursor_array(&cursor), 2);
    assert_int_equal(cursor_array(&cursor), 4);
    assert_int_equal(cursor_int(&cursor), 7);
    assert_true(slice_is(cursor_text(&cursor), "Chair"));
    assert_true(cursor_real(&cursor) == 19.99);
    assert_true(cursor_bool(&cursor));
    assert_int_equal(cursor_array(&cursor), 4);
    assert_int_equal(cursor_int(&cursor), -8);
    assert_true(cursor_nil(&cursor));
    assert_true(cursor_real(&cursor) == 0.5);
    assert_false(cursor_bool(&cursor));
    assert_true(!cursor.bad && cursor.at == cursor.end);
    free(body);
    assert_true(pack_result(made.answers, 0, NULL, &body));
    cursor = cursor_of(body);
    assert_int_equal(cursor_array(&cursor), 0);
    free(body);
}

static void one_row_stands_alone(void **state)
{
    (void)state;
    static const char *const cells[] = {"7", "Chair", "19.99", "t"};
    static const char one[] = "id:int name:text price:real active:bool";
    struct body *body;
    assert_true(pack_result(one, 1, cells, &body));
    struct cursor cursor = cursor_of(body);
    assert_int_equal(cursor_array(&cursor), 4);
    assert_int_equal(cursor_int(&cursor), 7);
    free(body);
    assert_true(pack_result(one, 0, NULL, &body));
    cursor = cursor_of(body);
    assert_int_equal(cursor_array(&cursor), 0);
    assert_false(cursor.bad);
    free(body);
}

static void another_result_is_noticed(void **state)
{
    (void)state;
    static const char *const cells[] = {"7x", "Chair", "19.99", "t"};
    static const char *const reals[] = {"7", "Chair", "much", "t"};
    struct body *body;
    assert_false(pack_result(made.answers, 1, cells, &body));
    free(body);
    assert_false(pack_result(made.answers, 1, reals, &body));
    free(body);
    assert_false(pack_result("rows:[id:int]", 1, cells, &body));
    free(body);
    assert_false(pack_result("rows:[a:int b:int c:int d:int e:int]", 1, cells, &body));
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_has_one_status),
        cmocka_unit_test(the_plan_is_that_of_the_index_used),
        cmocka_unit_test(nesting_has_an_end),
        cmocka_unit_test(parameters_are_written_as_they_are),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(a_result_is_what_the_statement_declares),
        cmocka_unit_test(one_row_stands_alone),
        cmocka_unit_test(another_result_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
