/*
 * scenario_shape: the language in which the table of fields (scenario_fields.h) is written, and the check
 * of a tree against it.
 *
 * A shape says what one value may look like. The same shapes are checked here and written as JSON Schema
 * by scenario_schema.h, so an editor and the loader cannot disagree. What a shape cannot say - names that the
 * registry knows, instants within the duration - is meaning, and checked where the structs are filled.
 *
 * The check leaves what it read in the nodes: integers, choices (their index) and durations (ns) in `whole`,
 * numbers, rates (per minute), shares and fine durations (ns) in `real`.
 */
#ifndef EDGES_SCENARIO_SHAPE_H
#define EDGES_SCENARIO_SHAPE_H

#include "edges/scenario_problems.h"

enum shape_kind {
    SHAPE_STRING, /* text in a format */
    SHAPE_CHOICE, /* one of a few words */
    SHAPE_INTEGER, /* low to high */
    SHAPE_NUMBER,
    SHAPE_EITHER, /* a value of `item`, or of `other` */
    SHAPE_LIST, /* of `item`, low to high of them */
    SHAPE_PAIR, /* a list of `item` and `other` */
    SHAPE_NAMED, /* a map with free keys, of `item`, low to high of them; keys are like `other` */
    SHAPE_MAP /* a map with these fields */
};

enum { SHAPE_CHOICES_MAX = 4, SHAPE_RULES_MAX = 8, RULE_KEYS_MAX = 16, FIELDS_MAX = 20 };

enum format_value { VALUE_TEXT, VALUE_WHOLE, VALUE_REAL };

/* How a string is written. `pattern` is the schema's regular expression, `read` its equal in C; it leaves
   what it read in the node. `read` NULL: any text of 1 to `chars_max` characters. */
struct format {
    const char *expected; /* "a duration like 90s or 5m" */
    const char *pattern;
    const char *(*read)(struct yaml_node *node); /* NULL, or why not: "missing unit" */
    size_t chars_max;
    enum format_value value; /* what shape_fill copies */
};

/* When the key `given` is there (NULL: always), exactly one of `keys` must be. */
struct rule {
    const char *given;
    const char *keys[RULE_KEYS_MAX];
};

struct shape {
    enum shape_kind kind;
    const char *definition; /* its name in the schema; needed where shapes contain themselves */
    const struct format *format;
    const char *choices[SHAPE_CHOICES_MAX];
    double low, high;
    const struct shape *item, *other;
    const struct field *fields; /* ends with a field without a key */
    struct rule rules[SHAPE_RULES_MAX];
};

struct field {
    const char *key;
    const struct shape *shape;
    const char *about; /* for editors, and for people */
    const char *fallback; /* the value when it is not there, as it would be written; NULL: none */
    bool required;
    size_t place; /* where it goes in the struct being filled, + 1; 0: filled by hand */
};

#define INTO(type, member) .place = 1 + offsetof(type, member)

/* Whether the node and all below it have the shape; if not, says why. */
bool shape_check(struct yaml_node *node, const struct shape *shape, struct problems *problems);

/* Copies the fields that have a place: text to const char *, integers to int, choices to bool, durations to
   int64_t, numbers and the like to double, curves to struct curve; fallbacks where nothing is given. `map` NULL: nothing is. */
void shape_fill(struct yaml_tree *tree, const struct yaml_node *map, const struct shape *shape, void *into);

#endif
