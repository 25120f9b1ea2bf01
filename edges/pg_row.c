#include "edges/pg_row.h"

#include "edges/utf8.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Of pg_type.dat: they are the same in every PostgreSQL. A price is compared as exactly as it is kept. */
static const Oid types[] = {
    [BODY_TEXT] = 25, /* text */
    [BODY_INT] = 20, /* bigint */
    [BODY_REAL] = 1700, /* numeric */
    [BODY_BOOL] = 16, /* boolean */
};

void pg_shape_read(struct pg_shape *shape, const struct statement *statement)
{
    bool declared = body_shape_parse(statement->takes, &shape->takes, NULL) &&
                    body_shape_parse(statement->answers, &shape->answers, NULL);
    ASSERT(declared && shape->takes.count <= PG_PARAMS_MAX && shape->answers.count > 0);
    shape->param_count = shape->takes.count;
    for (int i = 0; i < shape->param_count; i++) {
        enum body_type type = shape->takes.fields[i].type;
        ASSERT((size_t)type < ARRAY_LEN(types));
        shape->param_types[i] = types[type];
    }
}

/* ---- parameters ---- */

/* The shortest that reads as the same number. */
static bool write_real(char *to, double value)
{
    if (!isfinite(value))
        return false;
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(to, PG_NUMBER_BYTES, "%.*g", digits, value);
        if (strtod(to, NULL) == value)
            break;
    }
    return true;
}

static bool write_text(char *to, struct slice text)
{
    if (memchr(text.at, '\0', text.len) || !utf8_valid(text.at, text.len))
        return false;
    memcpy(to, text.at, text.len);
    to[text.len] = '\0';
    return true;
}

static bool write_param(char *to, enum body_type type, struct cursor *cursor)
{
    switch (type) {
    case BODY_INT:
        snprintf(to, PG_NUMBER_BYTES, "%lld", (long long)cursor_int(cursor));
        return true;
    case BODY_REAL:
        return write_real(to, cursor_real(cursor));
    case BODY_BOOL:
        memcpy(to, cursor_bool(cursor) ? "t" : "f", sizeof "t");
        return true;
    default:
        return write_text(to, cursor_text(cursor));
    }
}

bool pg_params_read(struct pg_params *params, const struct pg_shape *shape, const struct body *body)
{
    struct cursor cursor = cursor_of(body), checked = cursor;
    char *to = params->bytes;
    if (!body_shape_check(&shape->takes, &checked))
        return false;
    params->count = shape->param_count;
    cursor_array(&cursor);
    for (int i = 0; i < params->count; i++) {
        params->values[i] = NULL;
        if (cursor_nil(&cursor))
            continue;
        if (!write_param(to, shape->takes.fields[i].type, &cursor))
            return false;
        params->values[i] = to;
        to += strlen(to) + 1;
    }
    return true;
}

/* ---- results ---- */

static bool pack_int_text(struct pack *pack, const char *text)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    pack_int(pack, value);
    return *text && !*end && !errno;
}

static bool pack_value(struct pack *pack, enum body_type type, const PGresult *result, int row, int column)
{
    const char *text = PQgetvalue(result, row, column);
    char *end = NULL;
    if (PQgetisnull(result, row, column)) {
        pack_nil(pack);
        return true;
    }
    switch (type) {
    case BODY_INT:
        return pack_int_text(pack, text);
    case BODY_REAL:
        pack_real(pack, strtod(text, &end));
        return *text && !*end;
    case BODY_BOOL:
        pack_bool(pack, *text == 't');
        return true;
    default:
        pack_text_len(pack, text, (size_t)PQgetlength(result, row, column));
        return true;
    }
}

static bool pack_row(struct pack *pack, const struct body_field *columns, int count, const PGresult *result,
                     int row)
{
    bool whole = true;
    pack_array(pack, (uint32_t)count);
    for (int i = 0; i < count; i++)
        whole &= pack_value(pack, columns[i].type, result, row, i);
    return whole;
}

bool pg_result_pack(const PGresult *result, const struct pg_shape *shape, struct pack *pack)
{
    const struct body_field *columns = shape->answers.fields;
    bool list = columns[0].type == BODY_LIST, whole = true;
    int count = shape->answers.count - list, rows = PQntuples(result);
    if (PQnfields(result) != count)
        return false;
    if (!list && rows == 0)
        pack_array(pack, 0);
    else if (!list)
        return pack_row(pack, columns, count, result, 0);
    else
        pack_array(pack, (uint32_t)rows);
    for (int row = 0; row < rows; row++)
        whole &= pack_row(pack, columns + 1, count, result, row);
    return whole;
}
