/* scenario_schema: the copy that editors read is what the table of fields writes, and is JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "edges/scenario_schema.h"

#define SCHEMA "scenarios/scenario.schema.json"

static void the_copy_is_not_stale(void **state)
{
    (void)state;
    struct text fresh = {0};
    scenario_schema_write(&fresh);
    FILE *file = fopen(SCHEMA, "rb");
    assert_non_null(file);
    char *copy = malloc(fresh.len + 1);
    size_t len = fread(copy, 1, fresh.len + 1, file);
    fclose(file);
    /* On purpose: DOORBUSTER_WRITE=1 makes the copy anew. */
    bool same = len == fresh.len && !memcmp(copy, fresh.bytes, len);
    if (!same && getenv("DOORBUSTER_WRITE")) {
        file = fopen(SCHEMA, "wb");
        assert_non_null(file);
        same = fwrite(fresh.bytes, 1, fresh.len, file) == fresh.len;
        fclose(file);
    }
    free(copy);
    text_fini(&fresh);
    if (!same)
        fail_msg(SCHEMA " is stale; DOORBUSTER_WRITE=1 with this test writes it anew");
}

/* Every property says what it is for, so that an editor can. */
static void check_described(const json_t *schema)
{
    const char *key;
    json_t *property;
    json_object_foreach(json_object_get(schema, "properties"), key, property)
    {
        const char *about = json_string_value(json_object_get(property, "description"));
        if (!about || strlen(about) < 5)
            fail_msg("%s has no description", key);
    }
}

static void every_key_is_described(void **state)
{
    (void)state;
    struct text text = {0};
    json_error_t error;
    const char *name;
    json_t *definition;
    scenario_schema_write(&text);
    json_t *schema = json_loadb(text.bytes, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!schema)
        fail_msg("%d:%d: %s", error.line, error.column, error.text);
    check_described(schema);
    json_t *definitions = json_object_get(schema, "definitions");
    assert_true(json_object_size(definitions) >= 10);
    json_object_foreach(definitions, name, definition) check_described(definition);
    json_decref(schema);
    text_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_copy_is_not_stale),
        cmocka_unit_test(every_key_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
