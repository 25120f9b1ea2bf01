/*
 * json_out: JSON values written at a cursor, fast and without a locale.
 *
 * Each function writes at `at` and returns the end of what it wrote; the caller has made room first
 * (JSON_TEXT_ROOM for text, JSON_NUMBER_ROOM for numbers). Text may hold any bytes: what JSON
 * (RFC 8259) wants escaped is escaped, and what is not UTF-8 becomes U+FFFD. Nothing here can fail.
 */
#ifndef EDGES_JSON_OUT_H
#define EDGES_JSON_OUT_H

#include "core/base.h"

/* A control character takes six bytes; copying goes by eight bytes and may pass the end. */
#define JSON_TEXT_ROOM(len) (6 * (size_t)(len) + 8)
#define JSON_URL_ROOM(len) (3 * (size_t)(len))
enum { JSON_NUMBER_ROOM = 40 };

/* A literal whose length the compiler knows. */
#define JSON_PUT(at, literal) ((char *)memcpy((at), "" literal, sizeof(literal) - 1) + sizeof(literal) - 1)

/* As they are. */
static inline char *json_bytes(char *at, const char *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

char *json_text(char *at, const char *bytes, size_t len); /* escaped, without the quotes */
char *json_url_part(char *at, const char *bytes, size_t len); /* percent-encoded (RFC 3986, pchar) */
char *json_hex64(char *at, uint64_t value); /* 16 digits, lower case */
char *json_u64(char *at, uint64_t value);
char *json_i64(char *at, int64_t value);
/* Reads back as the same double; "NaN", "Infinity" and "-Infinity" in quotes (proto3 JSON). */
char *json_double(char *at, double value);

#endif
