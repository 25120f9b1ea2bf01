#include "edges/yaml_tree.h"

#include "core/quantity.h"

#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

enum { CHUNK_BYTES = 32 * 1024 };

struct yaml_chunk {
    struct yaml_chunk *next;
    size_t used, size;
    max_align_t bytes[];
};

void *yaml_tree_alloc(struct yaml_tree *tree, size_t count, size_t size)
{
    ASSERT(size == 0 || count <= SIZE_MAX / 2 / size);
    size_t bytes = (count * size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    struct yaml_chunk *chunk = tree->chunks;
    if (!chunk || chunk->size - chunk->used < bytes) {
        size_t room = MAX(bytes, (size_t)CHUNK_BYTES);
        chunk = base_alloc(1, sizeof *chunk + room);
        chunk->size = room;
        chunk->next = tree->chunks;
        tree->chunks = chunk;
    }
    void *memory = (char *)chunk->bytes + chunk->used;
    chunk->used += bytes;
    return memory;
}

const char *yaml_tree_copy(struct yaml_tree *tree, const char *bytes, size_t len)
{
    char *copy = yaml_tree_alloc(tree, len + 1, 1);
    memcpy(copy, bytes, len);
    return copy;
}

void yaml_tree_free(struct yaml_tree *tree)
{
    for (struct yaml_chunk *chunk = tree->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    *tree = (struct yaml_tree){0};
}

struct yaml_node *yaml_node_new(struct yaml_tree *tree, enum node_kind kind, struct yaml_place at)
{
    if (tree->node_count == YAML_NODES_MAX)
        return NULL;
    tree->node_count++;
    struct yaml_node *node = yaml_tree_alloc(tree, 1, sizeof *node);
    node->kind = kind;
    node->at = at;
    node->text = "";
    return node;
}

void yaml_node_append(struct yaml_node *parent, struct yaml_node *child)
{
    child->parent = parent;
    *(parent->last ? &parent->last->next : &parent->first) = child;
    parent->last = child;
    parent->count++;
}

void yaml_node_replace(struct yaml_node *old, struct yaml_node *fresh)
{
    struct yaml_node *parent = old->parent, **link = &parent->first;
    while (*link != old)
        link = &(*link)->next;
    *link = fresh;
    fresh->next = old->next;
    fresh->parent = parent;
    if (parent->last == old)
        parent->last = fresh;
}

struct yaml_node *yaml_node_key(const struct yaml_node *map, const char *key)
{
    for (struct yaml_node *child = map->kind == NODE_MAP ? map->first : NULL; child; child = child->next)
        if (!strcmp(child->key, key))
            return child;
    return NULL;
}

struct yaml_node *yaml_node_index(const struct yaml_node *list, uint32_t index)
{
    struct yaml_node *child = list->kind == NODE_LIST ? list->first : NULL;
    while (child && index--)
        child = child->next;
    return child;
}

uint32_t yaml_node_position(const struct yaml_node *node)
{
    uint32_t position = 0;
    for (const struct yaml_node *child = node->parent->first; child != node; child = child->next)
        position++;
    return position;
}

void yaml_node_plain(struct yaml_node *node, const char *text, uint32_t len)
{
    static const struct {
        const char *text;
        enum node_kind kind;
    } words[] = {{"", NODE_NOTHING},     {"~", NODE_NOTHING},    {"null", NODE_NOTHING},
                 {"Null", NODE_NOTHING}, {"NULL", NODE_NOTHING}, {"true", NODE_TRUTH},
                 {"True", NODE_TRUTH},   {"TRUE", NODE_TRUTH},   {"false", NODE_TRUTH},
                 {"False", NODE_TRUTH},  {"FALSE", NODE_TRUTH}};
    node->text = text;
    node->len = len;
    node->kind = NODE_TEXT;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (!strcmp(words[i].text, text))
            node->kind = words[i].kind;
    struct slice slice = {text, len};
    double number;
    if (quantity_number(slice, &number))
        node->kind = quantity_is_integer(slice) ? NODE_INTEGER : NODE_NUMBER;
}

/* ---- Reading ---- */

struct reading {
    struct yaml_tree *tree;
    struct yaml_place start;
    unsigned depth; /* levels open now */
    struct yaml_error *error;
    struct yaml_place end; /* behind the last byte */
    struct yaml_node *top, *open; /* the innermost map or list that is open */
    const char *key; /* read and waiting for its value */
    struct yaml_place key_at;
    bool done;
};

static bool refuse(struct reading *reading, struct yaml_place at, const char *expected, const char *found)
{
    struct yaml_error *error = reading->error;
    error->at = at;
    error->within = reading->open;
    error->expected = expected;
    snprintf(error->found, sizeof error->found, "%s", found);
    return false;
}

static struct yaml_place place_of(const struct reading *reading, size_t line, size_t col)
{
    const struct yaml_place *start = &reading->start;
    uint32_t first = line == 0 ? start->col : 1;
    return (struct yaml_place){start->source, start->line + (uint32_t)line, first + (uint32_t)col};
}

/* Length of the UTF-8 character at `at`, 0 if it is none or one that YAML 1.2 (5.1) does not allow. */
static size_t character_bytes(const unsigned char *at, size_t left)
{
    unsigned char c = *at;
    if (c < 0x80)
        return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c != 0x7f);
    size_t len = c >= 0xc2 && c < 0xe0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    if (!len || left < len)
        return 0;
    uint32_t code = c & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3f);
    }
    bool overlong = code < (len == 2 ? 0x80u : len == 3 ? 0x800u : 0x10000u);
    bool refused = (code < 0xa0 && code != 0x85) || (code >= 0xd800 && code < 0xe000) || code == 0xfeff ||
                   code == 0xfffe || code == 0xffff || code > 0x10ffff;
    return overlong || refused ? 0 : len;
}

/* Looks the bytes over before libyaml does: what is not text, and directives, of which libyaml compares
   each new one with all before it. */
static bool check_bytes(struct reading *reading, const char *bytes, size_t len)
{
    size_t line = 0, col = 0;
    for (size_t i = 0, step; i < len; i += step) {
        step = character_bytes((const unsigned char *)bytes + i, len - i);
        if (!step)
            return refuse(reading, place_of(reading, line, col), "text in UTF-8", "bytes that are no text");
        if (bytes[i] == '%' && col == 0)
            return refuse(reading, place_of(reading, line, col), "no YAML directives",
                          "a line that begins with %");
        col++;
        if (bytes[i] == '\n' || (bytes[i] == '\r' && !(i + 1 < len && bytes[i + 1] == '\n')))
            line++, col = 0;
    }
    reading->end = place_of(reading, line, col);
    return true;
}

static bool add_node(struct reading *reading, struct yaml_node *node, struct yaml_place at)
{
    if (!node)
        return refuse(reading, at, "at most 20000 values", "more");
    struct yaml_node *open = reading->open;
    if (!open) {
        reading->top = node;
        return true;
    }
    if (open->kind == NODE_MAP) {
        node->key = reading->key;
        node->key_at = reading->key_at;
        reading->key = NULL;
    }
    yaml_node_append(open, node);
    return true;
}

static bool read_key(struct reading *reading, const yaml_event_t *event, struct yaml_place at)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    char found[100];
    if (reading->open->count == YAML_KEYS_MAX)
        return refuse(reading, at, "at most 256 keys", "more");
    const struct yaml_node *same = yaml_node_key(reading->open, text);
    if (same) {
        snprintf(found, sizeof found, "`%.40s` again (first on line %u)", text, same->key_at.line);
        return refuse(reading, at, "each key once", found);
    }
    reading->key = yaml_tree_copy(reading->tree, text, len);
    reading->key_at = at;
    return true;
}

/* Where the first character of the text stands, seen from the start of the scalar. */
static int32_t shift_of(const yaml_event_t *event)
{
    const yaml_mark_t *from = &event->start_mark, *to = &event->end_mark;
    size_t chars = 0;
    for (size_t i = 0; i < event->data.scalar.length; i++)
        chars += (event->data.scalar.value[i] & 0xc0) != 0x80;
    int quotes = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    bool same = from->line == to->line && to->column - from->column == chars + 2 * (size_t)quotes;
    return same ? quotes : -1;
}

static bool read_scalar(struct reading *reading, const yaml_event_t *event, struct yaml_place at)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    if (memchr(text, '\0', len))
        return refuse(reading, at, "text", "a NUL character");
    if (reading->open && reading->open->kind == NODE_MAP && !reading->key)
        return read_key(reading, event, at);
    struct yaml_node *node = yaml_node_new(reading->tree, NODE_TEXT, at);
    if (!add_node(reading, node, at))
        return false;
    text = yaml_tree_copy(reading->tree, text, len);
    node->text = text;
    node->len = (uint32_t)len;
    node->text_shift = shift_of(event);
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        yaml_node_plain(node, text, (uint32_t)len);
    return true;
}

static bool open_node(struct reading *reading, enum node_kind kind, struct yaml_place at)
{
    if (reading->open && reading->open->kind == NODE_MAP && !reading->key)
        return refuse(reading, at, "a key that is a word", kind == NODE_MAP ? "a map" : "a list");
    if (++reading->depth > YAML_NESTING_MAX)
        return refuse(reading, at, "nesting of at most 64 levels", "more");
    struct yaml_node *node = yaml_node_new(reading->tree, kind, at);
    if (!add_node(reading, node, at))
        return false;
    reading->open = node;
    return true;
}

static bool no_extras(struct reading *reading, const yaml_char_t *anchor, const yaml_char_t *tag,
                      struct yaml_place at)
{
    if (anchor)
        return refuse(reading, at, "no anchors or aliases", "an anchor");
    return tag ? refuse(reading, at, "no tags", "a tag") : true;
}

static bool take_event(struct reading *reading, const yaml_event_t *event)
{
    struct yaml_place at = place_of(reading, event->start_mark.line, event->start_mark.column);
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return refuse(reading, at, "no anchors or aliases", "an alias");
    case YAML_DOCUMENT_START_EVENT:
        return reading->top ? refuse(reading, at, "one document", "a second one") : true;
    case YAML_SCALAR_EVENT:
        return no_extras(reading, event->data.scalar.anchor, event->data.scalar.tag, at) &&
               read_scalar(reading, event, at);
    case YAML_SEQUENCE_START_EVENT:
        return no_extras(reading, event->data.sequence_start.anchor, event->data.sequence_start.tag, at) &&
               open_node(reading, NODE_LIST, at);
    case YAML_MAPPING_START_EVENT:
        return no_extras(reading, event->data.mapping_start.anchor, event->data.mapping_start.tag, at) &&
               open_node(reading, NODE_MAP, at);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        reading->open = reading->open->parent;
        reading->depth--;
        return true;
    case YAML_STREAM_END_EVENT:
        reading->done = true;
        return true;
    default:
        return true;
    }
}

static bool refuse_syntax(struct reading *reading, const yaml_parser_t *parser)
{
    char found[120];
    const char *problem = parser->problem ? parser->problem : "what libyaml cannot read";
    snprintf(found, sizeof found, "%s%s%s", parser->context ? parser->context : "",
             parser->context ? ", " : "", problem);
    /* libyaml thinks of one more line at the end. */
    struct yaml_place at = place_of(reading, parser->problem_mark.line, parser->problem_mark.column);
    return refuse(reading, at.line > reading->end.line ? reading->end : at, "YAML", found);
}

static bool read_events(struct reading *reading, yaml_parser_t *parser)
{
    while (!reading->done) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return refuse_syntax(reading, parser);
        bool taken = take_event(reading, &event);
        yaml_event_delete(&event);
        if (!taken)
            return false;
    }
    return true;
}

struct yaml_node *yaml_tree_read(struct yaml_tree *tree, struct yaml_place start, unsigned depth,
                                 const char *bytes, size_t len, struct yaml_error *error)
{
    struct reading reading = {.tree = tree, .start = start, .depth = depth, .error = error};
    if (len > YAML_BYTES_MAX) {
        refuse(&reading, start, "at most 256 KiB", "more");
        return NULL;
    }
    if (len >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3))
        bytes += 3, len -= 3;
    if (!check_bytes(&reading, bytes, len))
        return NULL;
    yaml_parser_t parser;
    ASSERT(yaml_parser_initialize(&parser));
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, len);
    bool read = read_events(&reading, &parser);
    yaml_parser_delete(&parser);
    if (read && !reading.top)
        read = refuse(&reading, start, "a YAML document", "nothing");
    return read ? reading.top : NULL;
}
