#include "edges/scenario_schema.h"

#include "edges/json_out.h"
#include "edges/scenario_fields.h"

#include <stdio.h>

enum { DEFINITIONS_MAX = 16, INDENT = 2 };

/* JSON, one member a line. */
struct writer {
    struct text *out;
    unsigned depth;
    bool comma; /* something stands before, at this depth */
    const struct shape *definitions[DEFINITIONS_MAX];
    size_t definition_count;
};

static void write_text(struct writer *writer, const char *text)
{
    size_t len = strlen(text);
    struct text *out = writer->out;
    text_char(out, '"');
    text_reserve(out, JSON_TEXT_ROOM(len));
    out->len = (size_t)(json_text(out->bytes + out->len, text, len) - out->bytes);
    text_char(out, '"');
}

static void write_number(struct writer *writer, double number)
{
    char digits[40];
    snprintf(digits, sizeof digits, "%.15g", number);
    text_str(writer->out, digits);
}

/* Starts a member, or an element when `key` is NULL. */
static void member(struct writer *writer, const char *key)
{
    text_str(writer->out, writer->comma ? ",\n" : "\n");
    for (unsigned i = 0; i < writer->depth * INDENT; i++)
        text_char(writer->out, ' ');
    writer->comma = true;
    if (key) {
        write_text(writer, key);
        text_lit(writer->out, ": ");
    }
}

static void begin(struct writer *writer, const char *key, char bracket)
{
    member(writer, key);
    text_char(writer->out, bracket);
    writer->depth++;
    writer->comma = false;
}

static void finish(struct writer *writer, char bracket)
{
    writer->depth--;
    writer->comma = false;
    member(writer, NULL);
    text_char(writer->out, bracket);
}

static void text_member(struct writer *writer, const char *key, const char *text)
{
    member(writer, key);
    write_text(writer, text);
}

static void number_member(struct writer *writer, const char *key, double number)
{
    member(writer, key);
    write_number(writer, number);
}

static void word_member(struct writer *writer, const char *key, const char *word)
{
    member(writer, key);
    text_str(writer->out, word);
}

/* ---- Shapes ---- */

static void write_shape(struct writer *writer, const struct shape *shape);

/* {"$ref": ...} or the shape itself, as the value of `key`. */
static void shape_member(struct writer *writer, const char *key, const struct shape *shape)
{
    begin(writer, key, '{');
    if (shape->definition) {
        char name[64];
        snprintf(name, sizeof name, "#/definitions/%s", shape->definition);
        text_member(writer, "$ref", name);
    } else {
        write_shape(writer, shape);
    }
    finish(writer, '}');
}

static void write_string(struct writer *writer, const struct format *format)
{
    text_member(writer, "type", "string");
    if (format->pattern)
        text_member(writer, "pattern", format->pattern);
    if (!format->chars_max)
        return;
    number_member(writer, "minLength", 1);
    number_member(writer, "maxLength", (double)format->chars_max);
}

static void write_choices(struct writer *writer, const struct shape *shape)
{
    begin(writer, "enum", '[');
    for (size_t i = 0; i < SHAPE_CHOICES_MAX && shape->choices[i]; i++)
        text_member(writer, NULL, shape->choices[i]);
    finish(writer, ']');
}

static void write_list(struct writer *writer, const struct shape *shape)
{
    text_member(writer, "type", "array");
    shape_member(writer, "items", shape->item);
    number_member(writer, "minItems", shape->low);
    number_member(writer, "maxItems", shape->high);
}

static void write_pair(struct writer *writer, const struct shape *shape)
{
    text_member(writer, "type", "array");
    begin(writer, "items", '[');
    shape_member(writer, NULL, shape->item);
    shape_member(writer, NULL, shape->other);
    finish(writer, ']');
    number_member(writer, "minItems", 2);
    number_member(writer, "maxItems", 2);
}

static void write_either(struct writer *writer, const struct shape *shape)
{
    begin(writer, "anyOf", '[');
    shape_member(writer, NULL, shape->item);
    shape_member(writer, NULL, shape->other);
    finish(writer, ']');
}

static void write_named(struct writer *writer, const struct shape *shape)
{
    text_member(writer, "type", "object");
    shape_member(writer, "propertyNames", shape->other);
    shape_member(writer, "additionalProperties", shape->item);
    number_member(writer, "minProperties", shape->low);
    number_member(writer, "maxProperties", shape->high);
}

/* Exactly one of the keys. */
static void write_rule_keys(struct writer *writer, const struct rule *rule)
{
    begin(writer, "oneOf", '[');
    for (size_t i = 0; i < RULE_KEYS_MAX && rule->keys[i]; i++) {
        begin(writer, NULL, '{');
        begin(writer, "required", '[');
        text_member(writer, NULL, rule->keys[i]);
        finish(writer, ']');
        finish(writer, '}');
    }
    finish(writer, ']');
}

static void write_rules(struct writer *writer, const struct shape *shape)
{
    if (!shape->rules[0].keys[0])
        return;
    begin(writer, "allOf", '[');
    for (size_t i = 0; i < SHAPE_RULES_MAX && shape->rules[i].keys[0]; i++) {
        const struct rule *rule = &shape->rules[i];
        begin(writer, NULL, '{');
        if (rule->given) {
            begin(writer, "dependencies", '{');
            begin(writer, rule->given, '{');
        }
        write_rule_keys(writer, rule);
        if (rule->given) {
            finish(writer, '}');
            finish(writer, '}');
        }
        finish(writer, '}');
    }
    finish(writer, ']');
}

/* A fallback is a number where its shape is. */
static void write_default(struct writer *writer, const struct field *field)
{
    struct yaml_node node = {0};
    yaml_node_plain(&node, field->fallback, (uint32_t)strlen(field->fallback));
    if (node.kind == NODE_INTEGER || node.kind == NODE_NUMBER)
        word_member(writer, "default", field->fallback);
    else
        text_member(writer, "default", field->fallback);
}

/* Keywords beside $ref mean nothing in draft-07, so it stands in an allOf. */
static void write_field(struct writer *writer, const struct field *field)
{
    begin(writer, field->key, '{');
    text_member(writer, "description", field->about);
    if (field->fallback)
        write_default(writer, field);
    if (field->shape->definition) {
        begin(writer, "allOf", '[');
        shape_member(writer, NULL, field->shape);
        finish(writer, ']');
    } else {
        write_shape(writer, field->shape);
    }
    finish(writer, '}');
}

static void write_map(struct writer *writer, const struct shape *shape)
{
    bool required = false;
    text_member(writer, "type", "object");
    begin(writer, "properties", '{');
    for (const struct field *field = shape->fields; field->key; field++) {
        write_field(writer, field);
        required |= field->required;
    }
    finish(writer, '}');
    word_member(writer, "additionalProperties", "false");
    if (required) {
        begin(writer, "required", '[');
        for (const struct field *field = shape->fields; field->key; field++)
            if (field->required)
                text_member(writer, NULL, field->key);
        finish(writer, ']');
    }
    write_rules(writer, shape);
}

static void write_shape(struct writer *writer, const struct shape *shape)
{
    switch (shape->kind) {
    case SHAPE_STRING:
        write_string(writer, shape->format);
        break;
    case SHAPE_CHOICE:
        write_choices(writer, shape);
        break;
    case SHAPE_INTEGER:
    case SHAPE_NUMBER:
        text_member(writer, "type", shape->kind == SHAPE_INTEGER ? "integer" : "number");
        number_member(writer, "minimum", shape->low);
        number_member(writer, "maximum", shape->high);
        break;
    case SHAPE_EITHER:
        write_either(writer, shape);
        break;
    case SHAPE_LIST:
        write_list(writer, shape);
        break;
    case SHAPE_PAIR:
        write_pair(writer, shape);
        break;
    case SHAPE_NAMED:
        write_named(writer, shape);
        break;
    case SHAPE_MAP:
        write_map(writer, shape);
        break;
    }
}

/* Notes each shape that has a name, once, however deep it lies. */
static void find_definitions(struct writer *writer, const struct shape *shape)
{
    for (size_t i = 0; i < writer->definition_count; i++)
        if (writer->definitions[i] == shape)
            return;
    if (shape->definition) {
        ASSERT(writer->definition_count < DEFINITIONS_MAX);
        writer->definitions[writer->definition_count++] = shape;
    }
    if (shape->item)
        find_definitions(writer, shape->item);
    if (shape->other)
        find_definitions(writer, shape->other);
    for (const struct field *field = shape->fields; field && field->key; field++)
        find_definitions(writer, field->shape);
}

void scenario_schema_write(struct text *out)
{
    struct writer writer = {.out = out, .depth = 1};
    text_char(out, '{');
    text_member(&writer, "$schema", "http://json-schema.org/draft-07/schema#");
    text_member(&writer, "title", "A doorbuster scenario");
    write_shape(&writer, &shape_scenario);
    find_definitions(&writer, &shape_scenario);
    begin(&writer, "definitions", '{');
    for (size_t i = 0; i < writer.definition_count; i++) {
        begin(&writer, writer.definitions[i]->definition, '{');
        write_shape(&writer, writer.definitions[i]);
        finish(&writer, '}');
    }
    finish(&writer, '}');
    text_lit(out, "\n}\n");
}
