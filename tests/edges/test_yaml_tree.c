/* yaml_tree: nodes, their kinds and places, and what is refused while it is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/text.h"
#include "edges/yaml_tree.h"

static struct yaml_tree tree;

static int clear(void **state)
{
    (void)state;
    yaml_tree_free(&tree);
    return 0;
}

static struct yaml_node *read_bytes(const char *bytes, size_t len, struct yaml_error *error)
{
    return yaml_tree_read(&tree, (struct yaml_place){"test", 1, 1}, 0, bytes, len, error);
}

static struct yaml_node *read_text(const char *text)
{
    struct yaml_error error = {.expected = ""};
    struct yaml_node *root = read_bytes(text, strlen(text), &error);
    if (!root)
        fail_msg("%s: expected %s, found %s", text, error.expected, error.found);
    return root;
}

static void assert_refused(const char *text, uint32_t line, uint32_t col, const char *expected)
{
    struct yaml_error error;
    yaml_tree_free(&tree);
    assert_null(read_bytes(text, strlen(text), &error));
    assert_string_equal(error.expected, expected);
    assert_int_equal(error.at.line, line);
    assert_int_equal(error.at.col, col);
    assert_string_equal(error.at.source, "test");
}

static void assert_at(const struct yaml_node *node, uint32_t line, uint32_t col)
{
    assert_int_equal(node->at.line, line);
    assert_int_equal(node->at.col, col);
}

static void nodes_know_where_they_stand(void **state)
{
    (void)state;
    const struct yaml_node *root = read_text("a: 1\nb:\n  - x\n  - {c: 'd', é: \"e\"}\n");
    assert_int_equal(root->kind, NODE_MAP);
    assert_int_equal(root->count, 2);
    assert_at(root, 1, 1);
    assert_at(yaml_node_key(root, "a"), 1, 4);
    const struct yaml_node *list = yaml_node_key(root, "b"), *map = yaml_node_index(list, 1);
    assert_int_equal(list->kind, NODE_LIST);
    assert_int_equal(list->key_at.line, 2);
    assert_at(list, 3, 3);
    assert_at(yaml_node_index(list, 0), 3, 5);
    assert_at(yaml_node_key(map, "c"), 4, 9);
    assert_at(yaml_node_key(map, "é"), 4, 17);
    assert_int_equal(yaml_node_key(map, "é")->key_at.col, 14);
    assert_int_equal(yaml_node_position(map), 1);
    assert_ptr_equal(map->parent, list);
    assert_null(yaml_node_key(map, "f"));
    assert_null(yaml_node_key(list, "c"));
    assert_null(yaml_node_index(list, 2));
    assert_null(yaml_node_index(map, 0));
}

static void plain_scalars_have_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum node_kind kind;
    } cases[] = {
        {"null", NODE_NOTHING}, {"~", NODE_NOTHING},   {"Null", NODE_NOTHING},  {"nULL", NODE_TEXT},
        {"true", NODE_TRUTH},   {"FALSE", NODE_TRUTH}, {"yes", NODE_TEXT},      {"no", NODE_TEXT},
        {"on", NODE_TEXT},      {"off", NODE_TEXT},    {"1", NODE_INTEGER},     {"-1", NODE_INTEGER},
        {"0x1F", NODE_INTEGER}, {"0o7", NODE_INTEGER}, {"1.0", NODE_NUMBER},    {"1e3", NODE_NUMBER},
        {".5", NODE_NUMBER},    {".inf", NODE_TEXT},   {"1:30", NODE_TEXT},     {"1_000", NODE_TEXT},
        {"30m", NODE_TEXT},     {"'1'", NODE_TEXT},    {"\"true\"", NODE_TEXT}, {"2026-11-27", NODE_TEXT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(read_text(cases[i].text)->kind, cases[i].kind);
    assert_int_equal(yaml_node_key(read_text("a:\n"), "a")->kind, NODE_NOTHING);
}

static void text_knows_how_far_it_is_shifted(void **state)
{
    (void)state;
    assert_int_equal(read_text("plain")->text_shift, 0);
    assert_int_equal(read_text("'qüöted'")->text_shift, 1);
    assert_int_equal(read_text("\"quoted\"")->text_shift, 1);
    assert_int_equal(read_text("\"esc\\u0061ped\"")->text_shift, -1);
    assert_int_equal(read_text("'it''s'")->text_shift, -1);
    assert_int_equal(read_text("two\n lines")->text_shift, -1);
    assert_int_equal(read_text("|\n  block\n")->text_shift, -1);
}

static void extras_are_refused(void **state)
{
    (void)state;
    assert_refused("a: &b 1", 1, 4, "no anchors or aliases");
    assert_refused("a: &b [1]", 1, 4, "no anchors or aliases");
    assert_refused("a: *b", 1, 4, "no anchors or aliases");
    assert_refused("a: !!int 1", 1, 4, "no tags");
    assert_refused("a: !b {}", 1, 4, "no tags");
    assert_refused("%YAML 1.2\n--- a", 1, 1, "no YAML directives");
    assert_refused("a\n---\nb", 2, 1, "one document");
    assert_refused("a: 1\nb: 2\na: 3", 3, 1, "each key once");
    assert_refused("? [a]\n: b", 1, 3, "a key that is a word");
    assert_refused("", 1, 1, "a YAML document");
    assert_refused("# a\n", 1, 1, "a YAML document");
    assert_refused("a: \"\\0\"", 1, 4, "text");
    assert_refused("a:\n\x01", 2, 1, "text in UTF-8");
    assert_refused("a: \xff", 1, 4, "text in UTF-8");
    assert_refused("é: \xc3", 1, 4, "text in UTF-8");
    assert_refused("a: [1", 1, 6, "YAML");
}

static struct text repeated(const char *part, unsigned times)
{
    struct text text = {0};
    while (times--)
        text_str(&text, part);
    return text;
}

static void assert_bound(struct text text, bool fits)
{
    struct yaml_error error;
    yaml_tree_free(&tree);
    assert_int_equal(read_bytes(text_c(&text), text.len, &error) != NULL, fits);
    text_fini(&text);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    struct text text = repeated("[", YAML_NESTING_MAX), close = repeated("]", YAML_NESTING_MAX);
    text_bytes(&text, close.bytes, close.len);
    text_fini(&close);
    assert_bound(text, true);
    assert_bound(repeated("[", YAML_NESTING_MAX + 1), false);
    assert_bound(repeated("[", 40000), false);
    struct yaml_error error;
    assert_null(yaml_tree_read(&tree, (struct yaml_place){"test", 1, 1}, YAML_NESTING_MAX, "[]", 2, &error));
    assert_non_null(
        yaml_tree_read(&tree, (struct yaml_place){"test", 1, 1}, YAML_NESTING_MAX - 1, "[]", 2, &error));
}

static void size_is_bounded(void **state)
{
    (void)state;
    assert_bound(repeated("#", YAML_BYTES_MAX + 1), false);
    struct text text = repeated("x", YAML_BYTES_MAX);
    assert_bound(text, true);
    assert_bound(repeated("- \n", YAML_NODES_MAX - 1), true);
    assert_bound(repeated("- \n", YAML_NODES_MAX), false);
}

static void a_map_holds_so_many_keys(void **state)
{
    (void)state;
    for (unsigned keys = YAML_KEYS_MAX; keys <= YAML_KEYS_MAX + 1; keys++) {
        struct text text = {0};
        for (unsigned i = 0; i < keys; i++) {
            text_char(&text, 'k');
            text_u64(&text, i);
            text_lit(&text, ": 1\n");
        }
        assert_bound(text, keys == YAML_KEYS_MAX);
    }
}

static void nodes_change_places(void **state)
{
    (void)state;
    struct yaml_node *list = read_text("[a, b, c]");
    for (uint32_t i = 0; i < 3; i++) {
        struct yaml_node *fresh = yaml_node_new(&tree, NODE_LIST, list->at);
        yaml_node_replace(yaml_node_index(list, i), fresh);
        assert_ptr_equal(yaml_node_index(list, i), fresh);
        assert_int_equal(yaml_node_position(fresh), i);
    }
    yaml_node_append(list, yaml_node_new(&tree, NODE_MAP, list->at));
    assert_int_equal(list->count, 4);
    assert_int_equal(yaml_node_index(list, 3)->kind, NODE_MAP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nodes_know_where_they_stand, clear),
        cmocka_unit_test_teardown(plain_scalars_have_kinds, clear),
        cmocka_unit_test_teardown(text_knows_how_far_it_is_shifted, clear),
        cmocka_unit_test_teardown(extras_are_refused, clear),
        cmocka_unit_test_teardown(nesting_is_bounded, clear),
        cmocka_unit_test_teardown(size_is_bounded, clear),
        cmocka_unit_test_teardown(a_map_holds_so_many_keys, clear),
        cmocka_unit_test_teardown(nodes_change_places, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
