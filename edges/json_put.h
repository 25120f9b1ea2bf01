/*
 * json_put: figures as the report writes them, into jansson's objects.
 *
 * Ratios have 4 decimals, milliseconds and money 2, seconds 3; equal figures give equal bytes. `null` means: did
 * not happen. Text that is not UTF-8 keeps its ASCII. Objects take what is put into them.
 */
#ifndef EDGES_JSON_PUT_H
#define EDGES_JSON_PUT_H

#include "core/text.h"

#include <jansson.h>

void json_put(json_t *object, const char *key, json_t *value);
void json_put_count(json_t *object, const char *key, uint64_t value);
void json_put_number(json_t *object, const char *key, double value); /* 2 decimals */
void json_put_ratio(json_t *object, const char *key, double value);
void json_put_ms(json_t *object, const char *key, double seconds);
void json_put_usd(json_t *object, const char *key, double value);
void json_put_seconds(json_t *object, const char *key, int64_t at_ns); /* null: NEVER */
void json_put_text(json_t *object, const char *key, const char *text); /* null: NULL */
void json_put_hex(json_t *object, const char *key, uint64_t high, uint64_t low); /* 32 digits */
void json_put_hex64(json_t *object, const char *key, uint64_t value); /* 16 digits */
void json_add(json_t *array, json_t *value);

/* Adds it, indented, with a newline at its end, and gives the object back. */
void json_write(struct text *out, json_t *root);

#endif
