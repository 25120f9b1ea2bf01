/*
 * pack: message bodies - msgpack fixed arrays, written by msgpack-c's packer, read with a cursor.
 *
 * A body is immutable once sent and reference-counted, so that an answer can be passed on without a
 * copy; the same bytes travel in a process and between processes. Bodies come from pools by size class
 * and hold at most BODY_BYTES_MAX. Writing past that makes the body empty and `overflow` true: the
 * sender then fails its request, so nothing is cut silently.
 *
 * The cursor reads without allocating and never past the end. Any mismatch makes it `bad` for good, and
 * every further read gives zero: read all, then look at `bad` once. Claims of more items than bytes
 * left are bad at once.
 */
#ifndef CORE_PACK_H
#define CORE_PACK_H

#include "core/base.h"

enum { BODY_BYTES_MAX = 64 * 1024, BODY_CLASSES = 6 };

struct body {
    struct body *next_free;
    uint32_t refs;
    uint32_t len;
    uint8_t size_class;
    unsigned char bytes[];
};

struct body_pool {
    struct body *free[BODY_CLASSES];
    size_t live; /* bodies in use */
};

/* A copy of the bytes; one reference, the caller's. */
struct body *body_new(struct body_pool *pool, const void *bytes, size_t len);
struct body *body_ref(struct body *body); /* NULL passes */
void body_unref(struct body_pool *pool, struct body *body);
void body_pool_fini(struct body_pool *pool);

/* Writer: one scratch a world, used within one call of an actor's function. */
struct pack {
    unsigned char *bytes; /* BODY_BYTES_MAX of them */
    size_t len;
    bool overflow;
};

void pack_array(struct pack *pack, uint32_t items);
void pack_int(struct pack *pack, int64_t value);
void pack_real(struct pack *pack, double value);
void pack_bool(struct pack *pack, bool value);
void pack_nil(struct pack *pack);
void pack_text(struct pack *pack, const char *text);
void pack_text_len(struct pack *pack, const char *text, size_t len);
/* "prefix" followed by a number: cart-1234. */
void pack_label(struct pack *pack, const char *prefix, uint64_t number);
/* Bytes that already are msgpack. */
void pack_raw(struct pack *pack, const void *bytes, size_t len);

struct cursor {
    const unsigned char *at, *end;
    bool bad;
};

struct cursor cursor_of(const struct body *body); /* NULL: an empty cursor */
uint32_t cursor_array(struct cursor *cursor); /* number of items that follow */
int64_t cursor_int(struct cursor *cursor);
double cursor_real(struct cursor *cursor); /* takes integers as well */
bool cursor_bool(struct cursor *cursor);
struct slice cursor_text(struct cursor *cursor);
bool cursor_nil(struct cursor *cursor); /* true and past it if nil comes next; no mismatch otherwise */
void cursor_skip(struct cursor *cursor); /* one whole value, nesting at most 32 */
/* The bytes of the next value, past it. */
struct slice cursor_raw(struct cursor *cursor);

bool slice_is(struct slice slice, const char *text);

#endif
