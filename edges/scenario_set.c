#include "edges/scenario_set.h"

struct set {
    struct yaml_tree *tree;
    struct problems *problems;
    const char *setting;
    uint32_t number;
    unsigned depth;
};

/* One part of the path, and whether it is the last. */
struct step {
    const char *text;
    size_t len;
    bool last;
    struct yaml_place at;
};

static struct yaml_place place_of(const struct set *set, const char *at)
{
    uint32_t col = 1;
    for (const char *c = set->setting; c < at; c++)
        col += ((unsigned char)*c & 0xc0) != 0x80;
    return (struct yaml_place){"--set", set->number, col};
}

static struct yaml_node *refuse(const struct set *set, const struct yaml_node *node, struct yaml_place at,
                                const char *expected, const char *found)
{
    problem_add_at(set->problems, at, node, "expected %s, found %s", expected, found);
    return NULL;
}

static bool is(const struct step *step, const char *word)
{
    return strlen(word) == step->len && !memcmp(step->text, word, step->len);
}

static struct yaml_node *add(struct set *set, struct yaml_node *parent, const struct step *step,
                             struct yaml_node *child)
{
    if (!child)
        return refuse(set, NULL, step->at, "at most 20000 values", "more");
    if (parent->kind == NODE_MAP) {
        child->key = yaml_tree_copy(set->tree, step->text, step->len);
        child->key_at = step->at;
    }
    yaml_node_append(parent, child);
    return child;
}

/* The child that the step names, or NULL: none, or (a problem) none possible. */
static struct yaml_node *find(struct set *set, const struct yaml_node *parent, const struct step *step)
{
    if (parent->kind == NODE_MAP) {
        for (struct yaml_node *child = parent->first; child; child = child->next)
            if (is(step, child->key))
                return child;
        if (parent->count == YAML_KEYS_MAX)
            refuse(set, parent, step->at, "at most 256 keys", "more");
        return NULL;
    }
    if (parent->kind != NODE_LIST)
        return refuse(set, parent, step->at, "a map or a list to set something in", "a single value");
    if (is(step, "+"))
        return NULL;
    uint32_t index = 0;
    for (size_t i = 0; i < step->len; i++) {
        if (step->text[i] < '0' || step->text[i] > '9' || index > YAML_NODES_MAX)
            return refuse(set, parent, step->at, "a position in the list, or + to append", "something else");
        index = index * 10 + (uint32_t)(step->text[i] - '0');
    }
    struct yaml_node *child = yaml_node_index(parent, index);
    char found[48] = "none";
    return child ? child : refuse(set, parent, step->at, "a position within the list, from 0", found);
}

/* The next point or equals sign ends a part of the path. */
static bool next_step(struct set *set, const char **path, const char *equals, struct step *step)
{
    const char *end = *path;
    while (end < equals && *end != '.')
        end++;
    *step = (struct step){*path, (size_t)(end - *path), end == equals, place_of(set, *path)};
    *path = end + 1;
    if (!step->len)
        refuse(set, NULL, step->at, "a key", "nothing");
    else if (++set->depth > YAML_NESTING_MAX)
        refuse(set, NULL, step->at, "nesting of at most 64 levels", "more");
    else
        return true;
    return false;
}

/* Makes what is missing on the way: a list where the next part appends, else a map. */
static struct yaml_node *make(struct set *set, struct yaml_node *parent, const struct step *step,
                              const char *next)
{
    enum node_kind kind = *next == '+' && (next[1] == '=' || next[1] == '.') ? NODE_LIST : NODE_MAP;
    return add(set, parent, step, yaml_node_new(set->tree, kind, step->at));
}

static void put(struct set *set, struct yaml_node *parent, struct yaml_node *old, const struct step *step,
                const char *value)
{
    struct yaml_error error;
    struct yaml_node *fresh =
        yaml_tree_read(set->tree, place_of(set, value), set->depth, value, strlen(value), &error);
    if (!fresh) {
        refuse(set, old, error.at, error.expected, error.found);
        return;
    }
    if (!old) {
        add(set, parent, step, fresh);
        return;
    }
    fresh->key = old->key;
    fresh->key_at = old->key_at;
    yaml_node_replace(old, fresh);
}

void scenario_set(struct yaml_tree *tree, struct yaml_node *root, const char *setting, size_t number,
                  struct problems *problems)
{
    struct set set = {.tree = tree, .problems = problems, .setting = setting, .number = (uint32_t)number};
    const char *equals = strchr(setting, '='), *path = setting;
    struct yaml_node *node = root;
    struct step step;
    size_t before = problems->count;
    if (!equals || strchr(setting, '\n')) {
        refuse(&set, NULL, place_of(&set, setting), "path=value on one line", equals ? "two lines" : "no =");
        return;
    }
    while (next_step(&set, &path, equals, &step)) {
        struct yaml_node *child = find(&set, node, &step);
        if (problems->count > before)
            return;
        if (step.last) {
            put(&set, node, child, &step, equals + 1);
            return;
        }
        node = child ? child : make(&set, node, &step, path);
        if (!node)
            return;
    }
}
