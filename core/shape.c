#include "core/shape.h"

/* ---- Parsing a declaration ---- */

struct parser {
    const char *at;
    struct body_shape *shape;
};

static const char *const type_names[] = {
    [BODY_TEXT] = "text", [BODY_INT] = "int", [BODY_REAL] = "real", [BODY_BOOL] = "bool", [BODY_ANY] = "any",
};

static bool take(struct parser *parser, char c)
{
    if (*parser->at != c)
        return false;
    parser->at++;
    return true;
}

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* A name or the word of a type; empty if there is none. */
static struct slice take_word(struct parser *parser)
{
    struct slice word = {.at = parser->at};
    while (in_word(*parser->at))
        parser->at++;
    word.len = (uint32_t)(parser->at - word.at);
    return word;
}

/* The name must differ from those between the fields `first` and `end`, which are of the same array. */
static bool is_new(const struct body_shape *shape, uint16_t first, uint16_t end, struct slice name)
{
    for (uint16_t i = first; i < end; i = shape->fields[i].next) {
        struct slice other = shape->fields[i].name;
        if (other.len == name.len && memcmp(other.at, name.at, name.len) == 0)
            return false;
    }
    return true;
}

static bool parse_fields(struct parser *parser, unsigned depth);

static bool parse_type(struct parser *parser, struct body_field *field, unsigned depth)
{
    if (take(parser, '[')) {
        field->type = BODY_LIST;
        uint16_t before = parser->shape->count;
        return depth < BODY_DEPTH_MAX && parse_fields(parser, depth + 1) && parser->shape->count > before &&
               take(parser, ']');
    }
    const char *start = parser->at;
    struct slice word = take_word(parser);
    for (size_t i = 0; i < ARRAY_LEN(type_names); i++) {
        if (slice_is(word, type_names[i])) {
            field->type = (enum body_type)i;
            return true;
        }
    }
    parser->at = start;
    return false;
}

static bool parse_field(struct parser *parser, uint16_t first, unsigned depth)
{
    struct body_shape *shape = parser->shape;
    if (shape->count == BODY_FIELDS_MAX)
        return false;
    const char *start = parser->at;
    struct slice name = take_word(parser);
    if (name.len == 0 || !is_new(shape, first, shape->count, name)) {
        parser->at = start;
        return false;
    }
    struct body_field *field = &shape->fields[shape->count++];
    *field = (struct body_field){.name = name, .optional = take(parser, '?')};
    if (!take(parser, ':') || !parse_type(parser, field, depth))
        return false;
    field->next = shape->count;
    return true;
}

static bool ends(char c)
{
    return c == '\0' || c == ']';
}

/* The fields up to the end of the declaration or of the list. */
static bool parse_fields(struct parser *parser, unsigned depth)
{
    uint16_t first = parser->shape->count;
    while (take(parser, ' '))
        ;
    while (!ends(*parser->at)) {
        if (!parse_field(parser, first, depth) || !(ends(*parser->at) || *parser->at == ' '))
            return false;
        while (take(parser, ' '))
            ;
    }
    return true;
}

bool body_shape_parse(const char *declaration, struct body_shape *shape, size_t *error_at)
{
    shape->count = 0;
    struct parser parser = {.at = declaration ? declaration : "", .shape = shape};
    const char *start = parser.at;
    bool whole = parse_fields(&parser, 0) && *parser.at == '\0';
    if (!whole) {
        shape->count = 0;
        if (error_at)
            *error_at = (size_t)(parser.at - start);
    }
    return whole;
}

/* ---- Checking a body ---- */

static bool check_array(const struct body_shape *shape, uint16_t first, uint16_t end, struct cursor *cursor);

static bool check_list(const struct body_shape *shape, uint16_t first, uint16_t end, struct cursor *cursor)
{
    for (uint32_t items = cursor_array(cursor); items > 0; items--) {
        if (!check_array(shape, first, end, cursor))
            return false;
    }
    return !cursor->bad;
}

static bool check_field(const struct body_shape *shape, uint16_t index, struct cursor *cursor)
{
    const struct body_field *field = &shape->fields[index];
    if (field->optional && cursor_nil(cursor))
        return true;
    switch (field->type) {
    case BODY_TEXT:
        cursor_text(cursor);
        break;
    case BODY_INT:
        cursor_int(cursor);
        break;
    case BODY_REAL:
        cursor_real(cursor);
        break;
    case BODY_BOOL:
        cursor_bool(cursor);
        break;
    case BODY_ANY:
        cursor_skip(cursor);
        break;
    case BODY_LIST:
        return check_list(shape, (uint16_t)(index + 1), field->next, cursor);
    }
    return !cursor->bad;
}

/* An array of exactly the fields from `first` up to `end`. */
static bool check_array(const struct body_shape *shape, uint16_t first, uint16_t end, struct cursor *cursor)
{
    uint32_t items = cursor_array(cursor);
    for (uint16_t i = first; i < end; i = shape->fields[i].next) {
        if (items-- == 0 || !check_field(shape, i, cursor))
            return false;
    }
    return items == 0 && !cursor->bad;
}

bool body_shape_check(const struct body_shape *shape, struct cursor *cursor)
{
    if (cursor->at == cursor->end && !cursor->bad)
        return shape->count == 0;
    return check_array(shape, 0, shape->count, cursor) && cursor->at == cursor->end;
}
