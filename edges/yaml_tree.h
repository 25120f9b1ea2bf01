/*
 * yaml_tree: a YAML document as a small tree whose nodes know where they stand.
 *
 * Made from libyaml's events, so that hostile input is stopped while it is read: at most YAML_BYTES_MAX
 * bytes, YAML_NESTING_MAX levels, YAML_NODES_MAX nodes, YAML_KEYS_MAX keys a map; one document; UTF-8; no
 * anchors, aliases, tags or directives; keys are scalars and unique. Plain scalars are typed as YAML 1.2's core
 * schema types them (10.3.2), except that .inf and .nan, which JSON has not, are text.
 *
 * Owner: the tree owns its nodes and all text in them, and what yaml_tree_alloc gives; yaml_tree_free frees
 * all of it. Lines and columns count from 1, columns in characters. Errors: NULL and a filled yaml_error.
 */
#ifndef EDGES_YAML_TREE_H
#define EDGES_YAML_TREE_H

#include "core/base.h"

enum { YAML_BYTES_MAX = 256 * 1024, YAML_NESTING_MAX = 64, YAML_NODES_MAX = 20000, YAML_KEYS_MAX = 256 };

struct yaml_place {
    const char *source; /* file name, or "--set" */
    uint32_t line, col;
};

enum node_kind { NODE_NOTHING, NODE_TRUTH, NODE_INTEGER, NODE_NUMBER, NODE_TEXT, NODE_LIST, NODE_MAP };

struct yaml_node {
    enum node_kind kind;
    int32_t text_shift; /* column of text[0] less the node's own; -1: not on one line, or escaped */
    struct yaml_place at;
    struct yaml_place key_at; /* of the key, in a map */
    const char *key; /* in a map, else NULL */
    const char *text; /* scalars; NUL-terminated, without a NUL inside */
    uint32_t len;
    uint32_t count; /* children */
    struct yaml_node *parent, *first, *last, *next;
    /* What a reader of the tree makes of a scalar. */
    int64_t whole;
    double real;
};

struct yaml_error {
    struct yaml_place at;
    const struct yaml_node *within; /* the innermost map or list that was open, or NULL */
    const char *expected;
    char found[120];
};

struct yaml_tree {
    struct yaml_chunk *chunks;
    uint32_t node_count;
};

void yaml_tree_free(struct yaml_tree *tree);
/* Zeroed memory that lives as long as the tree. */
void *yaml_tree_alloc(struct yaml_tree *tree, size_t count, size_t size);
const char *yaml_tree_copy(struct yaml_tree *tree, const char *bytes, size_t len);

/* The document's top node. `start` is where its first byte stands (source, line, column); `depth` the
   levels already above it. */
struct yaml_node *yaml_tree_read(struct yaml_tree *tree, struct yaml_place start, unsigned depth,
                                 const char *bytes, size_t len, struct yaml_error *error);

/* A new node without a parent; NULL when the tree is full. */
struct yaml_node *yaml_node_new(struct yaml_tree *tree, enum node_kind kind, struct yaml_place at);
/* Gives it the text and kind of a plain scalar. */
void yaml_node_plain(struct yaml_node *node, const char *text, uint32_t len);
void yaml_node_append(struct yaml_node *parent, struct yaml_node *child);
/* Puts `fresh` into the tree where `old` stands. */
void yaml_node_replace(struct yaml_node *old, struct yaml_node *fresh);

struct yaml_node *yaml_node_key(const struct yaml_node *map, const char *key); /* NULL: none */
struct yaml_node *yaml_node_index(const struct yaml_node *list, uint32_t index);
/* Position among its parent's children, from 0. */
uint32_t yaml_node_position(const struct yaml_node *node);
static inline struct slice yaml_node_slice(const struct yaml_node *node)
{
    return (struct slice){node->text, node->len};
}

#endif
