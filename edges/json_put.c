#include "edges/json_put.h"

#include <stdlib.h>

void json_put(json_t *object, const char *key, json_t *value)
{
    ASSERT(json_object_set_new(object, key, value) == 0);
}

void json_add(json_t *array, json_t *value)
{
    ASSERT(json_array_append_new(array, value) == 0);
}

void json_put_count(json_t *object, const char *key, uint64_t value)
{
    json_put(object, key, json_integer((json_int_t)value));
}

/* Rounded half up here, so that printing 15 digits shows the decimals and no more. */
static json_t *rounded(double value, double scale)
{
    double scaled = value * scale;
    int64_t whole = (int64_t)(scaled + (scaled < 0 ? -0.5 : 0.5));
    return json_real((double)whole / scale);
}

void json_put_number(json_t *object, const char *key, double value)
{
    json_put(object, key, rounded(value, 1e2));
}

void json_put_ratio(json_t *object, const char *key, double value)
{
    json_put(object, key, rounded(value, 1e4));
}

void json_put_ms(json_t *object, const char *key, double seconds)
{
    json_put(object, key, rounded(seconds * 1e3, 1e2));
}

void json_put_usd(json_t *object, const char *key, double value)
{
    json_put(object, key, rounded(value, 1e2));
}

void json_put_seconds(json_t *object, const char *key, int64_t at_ns)
{
    json_put(object, key, at_ns == NEVER ? json_null() : rounded((double)at_ns / 1e9, 1e3));
}

static json_t *string(const char *text)
{
    json_t *value = json_string(text);
    if (value)
        return value;
    char *mended = base_copy(text);
    for (char *at = mended; *at; at++)
        if ((unsigned char)*at >= 0x80)
            *at = '?';
    value = json_string(mended);
    free(mended);
    return value;
}

void json_put_text(json_t *object, const char *key, const char *text)
{
    json_put(object, key, text ? string(text) : json_null());
}

static void add_hex(struct text *text, uint64_t value)
{
    for (int shift = 60; shift >= 0; shift -= 4)
        text_char(text, "0123456789abcdef"[value >> shift & 15]);
}

void json_put_hex(json_t *object, const char *key, uint64_t high, uint64_t low)
{
    struct text hex = {0};
    add_hex(&hex, high);
    add_hex(&hex, low);
    json_put_text(object, key, text_c(&hex));
    text_fini(&hex);
}

void json_put_hex64(json_t *object, const char *key, uint64_t value)
{
    struct text hex = {0};
    add_hex(&hex, value);
    json_put_text(object, key, text_c(&hex));
    text_fini(&hex);
}

static int to_text(const char *bytes, size_t len, void *out)
{
    text_bytes(out, bytes, len);
    return 0;
}

void json_write(struct text *out, json_t *root)
{
    ASSERT(json_dump_callback(root, to_text, out, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) == 0);
    text_char(out, '\n');
    json_decref(root);
}
