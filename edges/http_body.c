#include "edges/http_body.h"

#include <errno.h>
#include <stdlib.h>

/* Where in the request a value is, for the words of an error: "items[2].weight". */
struct place {
    const struct place *outer;
    struct slice name;
    size_t item; /* of a list */
};

struct packer {
    const struct body_shape *shape;
    struct pack *pack;
    struct text *error;
};

static void text_place(struct text *text, const struct place *place)
{
    if (place->outer) {
        text_place(text, place->outer);
        text_char(text, '[');
        text_u64(text, place->outer->item);
        text_lit(text, "].");
    }
    text_bytes(text, place->name.at, place->name.len);
}

static const char *const wanted[] = {
    [BODY_TEXT] = "text",
    [BODY_INT] = "a whole number",
    [BODY_REAL] = "a number",
    [BODY_BOOL] = "true or false",
    [BODY_ANY] = "a number, text, true or false",
    [BODY_LIST] = "a list of objects",
};

static bool refuse(struct packer *packer, const struct place *place, const char *is, enum body_type type)
{
    text_place(packer->error, place);
    text_str(packer->error, is);
    text_str(packer->error, wanted[type]);
    return false;
}

/* JSON's grammar of a number: -?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)? *whole: it is one without point and exponent. */
static bool is_number(struct slice text, bool *whole)
{
    const char *at = text.at, *end = at + text.len;
#define DIGITS(least) /* at least so many */                                                                 \
    do {                                                                                                     \
        const char *first = at;                                                                              \
        while (at < end && *at >= '0' && *at <= '9')                                                         \
            at++;                                                                                            \
        if (at - first < (least))                                                                            \
            return false;                                                                                    \
    } while (0)
    at += at < end && *at == '-';
    const char *integer = at;
    DIGITS(1);
    if (*integer == '0' && at - integer > 1)
        return false;
    *whole = at == end;
    if (at < end && *at == '.') {
        at++;
        DIGITS(1);
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        DIGITS(1);
    }
#undef DIGITS
    return at == end;
}

enum { NUMBER_BYTES_MAX = 63 };

static bool text_to_int(struct slice text, int64_t *value)
{
    char copy[NUMBER_BYTES_MAX + 1];
    bool whole;
    if (text.len > NUMBER_BYTES_MAX || !is_number(text, &whole) || !whole)
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    errno = 0;
    *value = strtoll(copy, NULL, 10);
    return errno == 0;
}

static bool text_to_real(struct slice text, double *value)
{
    char copy[NUMBER_BYTES_MAX + 1];
    bool whole;
    if (text.len > NUMBER_BYTES_MAX || !is_number(text, &whole))
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    *value = strtod(copy, NULL);
    return *value <= 1e300 && *value >= -1e300;
}

static bool pack_from_text(struct pack *pack, enum body_type type, struct slice text)
{
    int64_t integer;
    double real;
    switch (type) {
    case BODY_INT:
        if (!text_to_int(text, &integer))
            return false;
        pack_int(pack, integer);
        return true;
    case BODY_REAL:
        if (!text_to_real(text, &real))
            return false;
        pack_real(pack, real);
        return true;
    case BODY_BOOL:
        if (!slice_is(text, "true") && !slice_is(text, "false"))
            return false;
        pack_bool(pack, text.at[0] == 't');
        return true;
    case BODY_ANY:
        if (text_to_int(text, &integer)) {
            pack_int(pack, integer);
            return true;
        }
        pack_text_len(pack, text.at, text.len);
        return true;
    case BODY_TEXT:
        pack_text_len(pack, text.at, text.len);
        return true;
    case BODY_LIST:
        break;
    }
    return false;
}

static bool takes_scalar(enum body_type type, const json_t *value)
{
    switch (type) {
    case BODY_TEXT:
        return json_is_string(value);
    case BODY_INT:
        return json_is_integer(value);
    case BODY_REAL:
        return json_is_number(value);
    case BODY_BOOL:
        return json_is_boolean(value);
    case BODY_ANY:
        return json_is_string(value) || json_is_number(value) || json_is_boolean(value);
    case BODY_LIST:
        break;
    }
    return false;
}

static void pack_scalar(struct pack *pack, const json_t *value)
{
    if (json_is_string(value))
        pack_text_len(pack, json_string_value(value), json_string_length(value));
    else if (json_is_integer(value))
        pack_int(pack, json_integer_value(value));
    else if (json_is_real(value))
        pack_real(pack, json_real_value(value));
    else
        pack_bool(pack, json_is_true(value));
}

static bool pack_list(struct packer *packer, uint16_t index, const json_t *list, struct place *place);

static json_t *member(const json_t *object, struct slice name)
{
    return object ? json_object_getn(object, name.at, name.len) : NULL;
}

static bool pack_json(struct packer *packer, uint16_t index, const json_t *value, struct place *place)
{
    const struct body_field *field = &packer->shape->fields[index];
    if (field->type == BODY_LIST && json_is_array(value))
        return pack_list(packer, index, value, place);
    if (!takes_scalar(field->type, value))
        return refuse(packer, place, " must be ", field->type);
    pack_scalar(packer->pack, value);
    return true;
}

static bool pack_nothing(struct packer *packer, const struct body_field *field, struct place *place)
{
    if (!field->optional)
        return refuse(packer, place, " is missing: ", field->type);
    pack_nil(packer->pack);
    return true;
}

static uint32_t count_fields(const struct body_shape *shape, uint16_t first, uint16_t end)
{
    uint32_t count = 0;
    for (uint16_t i = first; i < end; i = shape->fields[i].next)
        count++;
    return count;
}

/* The items: objects of the fields that follow the list's own. */
static bool pack_list(struct packer *packer, uint16_t index, const json_t *list, struct place *place)
{
    const struct body_shape *shape = packer->shape;
    const struct body_field *field = &shape->fields[index];
    uint16_t first = (uint16_t)(index + 1);
    size_t count = json_array_size(list);
    pack_array(packer->pack, (uint32_t)count);
    for (place->item = 0; place->item < count; place->item++) {
        const json_t *item = json_array_get(list, place->item);
        if (!json_is_object(item))
            return refuse(packer, place, " must be ", BODY_LIST);
        pack_array(packer->pack, count_fields(shape, first, field->next));
        for (uint16_t i = first; i < field->next; i = shape->fields[i].next) {
            const json_t *value = member(item, shape->fields[i].name);
            struct place inner = {.outer = place, .name = shape->fields[i].name};
            bool packed = value && !json_is_null(value) ? pack_json(packer, i, value, &inner)
                                                        : pack_nothing(packer, &shape->fields[i], &inner);
            if (!packed)
                return false;
        }
    }
    return true;
}

static bool pack_text_value(struct packer *packer, const struct body_field *field, struct slice value,
                            struct place *place)
{
    return pack_from_text(packer->pack, field->type, value) ||
           refuse(packer, place, " must be ", field->type);
}

static bool pack_field(struct packer *packer, uint16_t index, const struct http_fields *fields)
{
    const struct body_field *field = &packer->shape->fields[index];
    struct place place = {.name = field->name};
    struct slice given = {0};
    if (fields->first)
        given = http_params_find(fields->first, field->name);
    if (given.at)
        return pack_text_value(packer, field, given, &place);
    const json_t *value = member(fields->body, field->name);
    if (value && !json_is_null(value))
        return pack_json(packer, index, value, &place);
    if (!value && fields->query)
        given = http_params_find(fields->query, field->name);
    if (given.at)
        return pack_text_value(packer, field, given, &place);
    return pack_nothing(packer, field, &place);
}

bool http_body_pack(const struct body_shape *takes, const struct http_fields *fields, struct pack *pack,
                    struct text *error)
{
    struct packer packer = {.shape = takes, .pack = pack, .error = error};
    pack_array(pack, count_fields(takes, 0, takes->count));
    for (uint16_t i = 0; i < takes->count; i = takes->fields[i].next)
        if (!pack_field(&packer, i, fields))
            return false;
    if (pack->overflow)
        text_lit(error, "the request is too large");
    return !pack->overflow;
}

json_t *http_body_parse(struct slice bytes, struct text *error)
{
    json_error_t problem;
    if (bytes.len == 0)
        return json_object();
    json_t *body = json_loadb(bytes.at, bytes.len, JSON_REJECT_DUPLICATES, &problem);
    if (json_is_object(body))
        return body;
    text_lit(error, "the body is not a JSON object");
    if (!body) {
        text_lit(error, ": ");
        text_str(error, problem.text);
    }
    json_decref(body);
    return NULL;
}
