#include "edges/http_body.h"
#include "edges/json_out.h"

static void write_text(struct text *json, struct slice value)
{
    text_reserve(json, JSON_TEXT_ROOM(value.len) + 2);
    char *at = json->bytes + json->len;
    *at++ = '"';
    at = json_text(at, value.at, value.len);
    *at++ = '"';
    json->len = (size_t)(at - json->bytes);
}

static void write_name(struct text *json, bool first, struct slice name)
{
    text_char(json, first ? '{' : ',');
    write_text(json, name);
    text_char(json, ':');
}

static void write_int(struct text *json, int64_t value)
{
    text_i64(json, value);
}

static void write_real(struct text *json, double value)
{
    text_reserve(json, JSON_NUMBER_ROOM);
    json->len = (size_t)(json_double(json->bytes + json->len, value) - json->bytes);
}

static void write_bool(struct text *json, bool value)
{
    text_str(json, value ? "true" : "false");
}

/* One value of any scalar kind; a list or a map is none. */
static void write_any(struct text *json, struct cursor *cursor)
{
    struct cursor as = *cursor;
    struct slice text = cursor_text(&as);
    if (!as.bad) {
        write_text(json, text);
        *cursor = as;
        return;
    }
    as = *cursor;
    int64_t integer = cursor_int(&as);
    if (!as.bad) {
        write_int(json, integer);
        *cursor = as;
        return;
    }
    as = *cursor;
    double real = cursor_real(&as);
    if (!as.bad) {
        write_real(json, real);
        *cursor = as;
        return;
    }
    write_bool(json, cursor_bool(cursor));
}

static void write_object(const struct body_shape *shape, uint16_t first, uint16_t end, struct cursor *cursor,
                         struct text *json);

void http_body_write_value(const struct body_shape *shape, uint16_t index, struct cursor *cursor,
                           struct text *json)
{
    const struct body_field *field = &shape->fields[index];
    if (cursor_nil(cursor)) {
        text_lit(json, "null");
        return;
    }
    switch (field->type) {
    case BODY_TEXT:
        write_text(json, cursor_text(cursor));
        return;
    case BODY_INT:
        write_int(json, cursor_int(cursor));
        return;
    case BODY_REAL:
        write_real(json, cursor_real(cursor));
        return;
    case BODY_BOOL:
        write_bool(json, cursor_bool(cursor));
        return;
    case BODY_ANY:
        write_any(json, cursor);
        return;
    case BODY_LIST:
        break;
    }
    text_char(json, '[');
    uint32_t items = cursor_array(cursor);
    for (uint32_t i = 0; i < items && !cursor->bad; i++) {
        if (i)
            text_char(json, ',');
        write_object(shape, (uint16_t)(index + 1), field->next, cursor, json);
    }
    text_char(json, ']');
}

static void write_object(const struct body_shape *shape, uint16_t first, uint16_t end, struct cursor *cursor,
                         struct text *json)
{
    cursor_array(cursor);
    for (uint16_t i = first; i < end; i = shape->fields[i].next) {
        write_name(json, i == first, shape->fields[i].name);
        http_body_write_value(shape, i, cursor, json);
    }
    if (first == end)
        text_char(json, '{');
    text_char(json, '}');
}

static bool is_empty(const struct body *body)
{
    struct cursor cursor = cursor_of(body);
    return cursor.at == cursor.end || (cursor_array(&cursor) == 0 && !cursor.bad && cursor.at == cursor.end);
}

bool http_body_write(const struct body_shape *answers, const struct body *body, struct text *json)
{
    struct cursor check = cursor_of(body), cursor = check;
    if (is_empty(body)) {
        text_lit(json, "{}");
        return true;
    }
    size_t len = json->len;
    if (body_shape_check(answers, &check))
        write_object(answers, 0, answers->count, &cursor, json);
    bool written = !check.bad && check.at == check.end && !cursor.bad && cursor.at == cursor.end;
    if (!written)
        json->len = len;
    return written;
}

static struct slice slice_of(const char *text)
{
    return (struct slice){text, (uint32_t)strlen(text)};
}

void http_body_write_reason(const char *reason, struct text *json)
{
    write_name(json, true, slice_of("error"));
    write_text(json, slice_of(reason));
    text_char(json, '}');
}

void http_body_write_error(enum status status, const struct body *body, struct text *json)
{
    struct cursor cursor = cursor_of(body);
    uint32_t fields = is_empty(body) ? 0 : cursor_array(&cursor);
    struct slice error = slice_of(status_info(status)->text), reason = {0};
    int64_t minute = 0;
    if (fields > 0)
        error = cursor_text(&cursor);
    if (fields > 1)
        reason = cursor_text(&cursor);
    if (fields > 2)
        minute = cursor_int(&cursor);
    if (cursor.bad) {
        http_body_write_reason(status_info(status)->text, json);
        return;
    }
    write_name(json, true, slice_of("error"));
    write_text(json, error);
    if (fields > 1) {
        write_name(json, false, slice_of("reason"));
        write_text(json, reason);
    }
    if (fields > 2) {
        write_name(json, false, slice_of("demo_minute"));
        write_int(json, minute);
    }
    text_char(json, '}');
}
