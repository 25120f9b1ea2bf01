#include "edges/scenario_shape.h"

#include "core/curve.h"
#include "core/quantity.h"
#include "edges/hint.h"

#include <stdarg.h>
#include <stdio.h>

static bool node_is_number(const struct yaml_node *node)
{
    return node->kind == NODE_INTEGER || node->kind == NODE_NUMBER;
}

/* Whether the node's kind is the one that the shape begins with. */
static bool suits(const struct yaml_node *node, const struct shape *shape)
{
    switch (shape->kind) {
    case SHAPE_STRING:
    case SHAPE_CHOICE:
        return node->kind == NODE_TEXT;
    case SHAPE_INTEGER:
    case SHAPE_NUMBER:
        return node_is_number(node);
    case SHAPE_LIST:
    case SHAPE_PAIR:
        return node->kind == NODE_LIST;
    case SHAPE_NAMED:
    case SHAPE_MAP:
        return node->kind == NODE_MAP;
    case SHAPE_EITHER:
        return suits(node, shape->item) || suits(node, shape->other);
    }
    return false;
}

struct sentence {
    char text[240];
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void say(struct sentence *sentence, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t left = sizeof sentence->text - sentence->used;
    int more = vsnprintf(sentence->text + sentence->used, left, format, args);
    sentence->used += MIN((size_t)more, left - 1);
    va_end(args);
}

/* What the shape is, in words. */
static void say_shape(struct sentence *sentence, const struct shape *shape)
{
    switch (shape->kind) {
    case SHAPE_STRING:
        say(sentence, "%s", shape->format->expected);
        break;
    case SHAPE_CHOICE:
        for (size_t i = 0; i < SHAPE_CHOICES_MAX && shape->choices[i]; i++)
            say(sentence, "%s%s", i ? " or " : "", shape->choices[i]);
        break;
    case SHAPE_INTEGER:
    case SHAPE_NUMBER:
        if (shape->low < shape->high)
            say(sentence, "%s from %.15g to %.15g",
                shape->kind == SHAPE_INTEGER ? "a whole number" : "a number", shape->low, shape->high);
        else
            say(sentence, "%.15g", shape->low);
        break;
    case SHAPE_EITHER:
        say_shape(sentence, shape->item);
        say(sentence, " or ");
        say_shape(sentence, shape->other);
        break;
    case SHAPE_LIST:
        say(sentence, "a list of ");
        say_shape(sentence, shape->item);
        break;
    case SHAPE_PAIR:
        say(sentence, "pairs [");
        say_shape(sentence, shape->item);
        say(sentence, ", ");
        say_shape(sentence, shape->other);
        say(sentence, "]");
        break;
    case SHAPE_NAMED:
        say(sentence, "a map of names");
        break;
    case SHAPE_MAP:
        say(sentence, "a map with %s", shape->fields[0].key);
        for (const struct field *field = shape->fields + 1; field->key; field++)
            say(sentence, ", %s", field->key);
        break;
    }
}

static bool refuse(const struct yaml_node *node, const struct shape *shape, const char *why,
                   struct problems *problems)
{
    if (problem_counted(problems))
        return false;
    struct sentence expected = {0};
    struct found found;
    say_shape(&expected, shape);
    problem_add(problems, node, "expected %s, found %s%s%s%s", expected.text, problem_found(&found, node),
                why ? " (" : "", why ? why : "", why ? ")" : "");
    return false;
}

static size_t characters(const struct yaml_node *node)
{
    size_t count = 0;
    for (uint32_t i = 0; i < node->len; i++)
        count += ((unsigned char)node->text[i] & 0xc0) != 0x80;
    return count;
}

static bool check_string(struct yaml_node *node, const struct shape *shape, struct problems *problems)
{
    const struct format *format = shape->format;
    const char *why = NULL;
    if (format->read && (node->kind == NODE_TEXT || node_is_number(node)))
        why = format->read(node);
    else if (!format->read && node->kind != NODE_TEXT && node->kind != NODE_NOTHING)
        why = "put quotes around it";
    else if (!format->read && node->kind == NODE_TEXT && !node->len)
        why = "empty";
    else if (!format->read && characters(node) > format->chars_max)
        why = "too long";
    return node->kind == NODE_TEXT && !why ? true : refuse(node, shape, why, problems);
}

static bool check_choice(struct yaml_node *node, const struct shape *shape, struct problems *problems)
{
    for (size_t i = 0; node->kind == NODE_TEXT && i < SHAPE_CHOICES_MAX && shape->choices[i]; i++) {
        if (!strcmp(node->text, shape->choices[i])) {
            node->whole = (int64_t)i;
            return true;
        }
    }
    return refuse(node, shape, NULL, problems);
}

static bool check_number(struct yaml_node *node, const struct shape *shape, struct problems *problems)
{
    if (!node_is_number(node) || !quantity_number(yaml_node_slice(node), &node->real) ||
        node->real < shape->low || node->real > shape->high)
        return refuse(node, shape, NULL, problems);
    node->whole = (int64_t)node->real;
    if (shape->kind == SHAPE_INTEGER && (double)node->whole < node->real)
        return refuse(node, shape, NULL, problems);
    return true;
}

static bool check_count(const struct yaml_node *node, const struct shape *shape, struct problems *problems)
{
    if (node->count >= shape->low && node->count <= shape->high)
        return true;
    problem_add(problems, node, "expected %.0f to %.0f of them, found %u", shape->low, shape->high,
                node->count);
    return false;
}

static bool check_list(struct yaml_node *node, const struct shape *shape, struct problems *problems)
{
    bool right = check_count(node, shape, problems);
    for (struct yaml_node *child = node->first; child; child = child->next)
        right &= shape_check(child, shape->item, problems);
    return right;
}

static bool check_pair(struct yaml_node *node, const struct shape *shape, struct problems *problems)
{
    if (node->count != 2)
        return refuse(node, shape, "not two things", problems);
    bool first = shape_check(node->first, shape->item, problems);
    return shape_check(node->last, shape->other, problems) && first;
}

static bool check_named(struct yaml_node *node, const struct shape *shape, struct problems *problems)
{
    bool right = check_count(node, shape, problems);
    for (struct yaml_node *child = node->first; child; child = child->next) {
        const struct format *key = shape->other->format;
        struct yaml_node name = {.kind = NODE_TEXT, .text = child->key, .len = (uint32_t)strlen(child->key)};
        if (key->read(&name)) {
            problem_add_at(problems, child->key_at, child, "expected %s, found `%.40s`", key->expected,
                           child->key);
            right = false;
        }
        right &= shape_check(child, shape->item, problems);
    }
    return right;
}

static bool check_rule(const struct yaml_node *node, const struct rule *rule, struct problems *problems)
{
    if (rule->given && !yaml_node_key(node, rule->given))
        return true;
    struct sentence keys = {0}, there = {0};
    unsigned count = 0;
    for (size_t i = 0; i < RULE_KEYS_MAX && rule->keys[i]; i++) {
        say(&keys, "%s%s", i ? ", " : "", rule->keys[i]);
        if (yaml_node_key(node, rule->keys[i]))
            say(&there, "%s%s", count++ ? " and " : "", rule->keys[i]);
    }
    if (count == 1)
        return true;
    const char *amount = rule->keys[1] ? "exactly one of " : "the key ";
    problem_add(problems, node, "expected %s%s%s%s, found %s", amount, keys.text,
                rule->given ? " beside " : "", rule->given ? rule->given : "", count ? there.text : "none");
    return false;
}

static bool refuse_key(const struct yaml_node *child, const struct shape *shape, struct problems *problems)
{
    if (problem_counted(problems))
        return false;
    struct sentence keys = {0};
    const char *names[FIELDS_MAX];
    size_t count = 0;
    for (const struct field *field = shape->fields; field->key; field++) {
        ASSERT(count < FIELDS_MAX);
        names[count++] = field->key;
        say(&keys, "%s%s", count > 1 ? ", " : "", field->key);
    }
    const char *nearest = hint_nearest(child->key, names, count);
    problem_add_at(problems, child->key_at, child, "expected one of the keys %s, found an unknown key%s%s%s",
                   keys.text, nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
    return false;
}

static bool check_key(struct yaml_node *child, const struct shape *shape, struct problems *problems)
{
    for (const struct field *field = shape->fields; field->key; field++)
        if (!strcmp(field->key, child->key))
            return shape_check(child, field->shape, problems);
    return refuse_key(child, shape, problems);
}

static bool check_map(struct yaml_node *node, const struct shape *shape, struct problems *problems)
{
    bool right = true;
    for (const struct field *field = shape->fields; field->key; field++) {
        if (field->required && !yaml_node_key(node, field->key)) {
            problem_add(problems, node, "expected the key %s, found none", field->key);
            right = false;
        }
    }
    for (struct yaml_node *child = node->first; child; child = child->next)
        right &= check_key(child, shape, problems);
    for (size_t i = 0; i < SHAPE_RULES_MAX && shape->rules[i].keys[0]; i++)
        right &= check_rule(node, &shape->rules[i], problems);
    return right;
}

static bool check_either(struct yaml_node *node, const struct shape *shape, struct problems *problems)
{
    if (suits(node, shape->item))
        return shape_check(node, shape->item, problems);
    if (suits(node, shape->other))
        return shape_check(node, shape->other, problems);
    /* A bare number where one with a unit belongs: the slip has a name. */
    if (shape->item->kind == SHAPE_STRING && node_is_number(node))
        return refuse(node, shape, shape->item->format->read(node), problems);
    return refuse(node, shape, NULL, problems);
}

bool shape_check(struct yaml_node *node, const struct shape *shape, struct problems *problems)
{
    static bool (*const checks[])(struct yaml_node *, const struct shape *, struct problems *) = {
        [SHAPE_STRING] = check_string, [SHAPE_CHOICE] = check_choice, [SHAPE_INTEGER] = check_number,
        [SHAPE_NUMBER] = check_number, [SHAPE_EITHER] = check_either, [SHAPE_LIST] = check_list,
        [SHAPE_PAIR] = check_pair,     [SHAPE_NAMED] = check_named,   [SHAPE_MAP] = check_map,
    };
    bool whole = shape->kind >= SHAPE_LIST;
    return whole && !suits(node, shape) ? refuse(node, shape, NULL, problems)
                                        : checks[shape->kind](node, shape, problems);
}

/* ---- Filling ---- */

/* A value, constant from 0m on; or points [at, value]. */
static struct curve make_curve(struct yaml_tree *tree, const struct yaml_node *node)
{
    bool list = node->kind == NODE_LIST;
    struct curve curve = {.count = list ? node->count : 1};
    curve.points = yaml_tree_alloc(tree, curve.count, sizeof *curve.points);
    if (!list)
        curve.points[0].value = node->real;
    const struct yaml_node *pair = list ? node->first : NULL;
    for (size_t i = 0; pair; pair = pair->next, i++)
        curve.points[i] = (struct curve_point){.at_ns = pair->first->whole, .value = pair->last->real};
    return curve;
}

static void put(struct yaml_tree *tree, const struct yaml_node *node, const struct shape *shape, void *into)
{
    if (shape->kind == SHAPE_EITHER && shape->other->kind == SHAPE_LIST)
        *(struct curve *)into = make_curve(tree, node);
    else if (shape->kind == SHAPE_STRING && shape->format->value == VALUE_TEXT)
        *(const char **)into = node->text;
    else if (shape->kind == SHAPE_STRING && shape->format->value == VALUE_WHOLE)
        *(int64_t *)into = node->whole;
    else if (shape->kind == SHAPE_INTEGER)
        *(int *)into = (int)node->whole;
    else if (shape->kind == SHAPE_CHOICE)
        *(bool *)into = node->whole != 0;
    else
        *(double *)into = node->real;
}

/* The table's own text, read like a plain scalar of the file. */
static struct yaml_node fallback_node(const struct field *field)
{
    struct yaml_node node = {0};
    struct problems problems = {0};
    yaml_node_plain(&node, field->fallback, (uint32_t)strlen(field->fallback));
    ASSERT(shape_check(&node, field->shape, &problems));
    return node;
}

void shape_fill(struct yaml_tree *tree, const struct yaml_node *map, const struct shape *shape, void *into)
{
    for (const struct field *field = shape->fields; field->key; field++) {
        const struct yaml_node *given = map ? yaml_node_key(map, field->key) : NULL;
        if (!field->place || (!given && !field->fallback))
            continue;
        struct yaml_node fallback;
        if (!given) {
            fallback = fallback_node(field);
            given = &fallback;
        }
        put(tree, given, field->shape, (char *)into + field->place - 1);
    }
}
