#include "core/pack.h"

#include <msgpack/pack.h>
#include <stdlib.h>

enum { SKIP_DEPTH_MAX = 32 };

/* ---- Bodies ---- */

static const uint32_t class_bytes[BODY_CLASSES] = {128, 512, 2048, 8192, 32768, BODY_BYTES_MAX};

struct body *body_new(struct body_pool *pool, const void *bytes, size_t len)
{
    ASSERT(len <= BODY_BYTES_MAX);
    uint8_t size_class = 0;
    while (class_bytes[size_class] < len)
        size_class++;
    struct body *body = pool->free[size_class];
    if (body)
        pool->free[size_class] = body->next_free;
    else
        body = base_alloc(1, sizeof *body + class_bytes[size_class]);
    body->next_free = NULL;
    body->refs = 1;
    body->len = (uint32_t)len;
    body->size_class = size_class;
    if (len)
        memcpy(body->bytes, bytes, len);
    pool->live++;
    return body;
}

struct body *body_ref(struct body *body)
{
    if (body)
        body->refs++;
    return body;
}

void body_unref(struct body_pool *pool, struct body *body)
{
    if (!body)
        return;
    ASSERT(body->refs > 0);
    if (--body->refs)
        return;
    body->next_free = pool->free[body->size_class];
    pool->free[body->size_class] = body;
    pool->live--;
}

void body_pool_fini(struct body_pool *pool)
{
    for (size_t i = 0; i < BODY_CLASSES; i++) {
        for (struct body *body = pool->free[i], *next; body; body = next) {
            next = body->next_free;
            free(body);
        }
        pool->free[i] = NULL;
    }
}

/* ---- Writing ---- */

static int append(void *data, const char *bytes, size_t len)
{
    struct pack *pack = data;
    if (pack->overflow)
        return -1;
    if (len > BODY_BYTES_MAX - pack->len) {
        pack->overflow = true;
        pack->len = 0;
        return -1;
    }
    if (len)
        memcpy(pack->bytes + pack->len, bytes, len);
    pack->len += len;
    return 0;
}

static msgpack_packer packer_of(struct pack *pack)
{
    return (msgpack_packer){.data = pack, .callback = append};
}

void pack_array(struct pack *pack, uint32_t items)
{
    msgpack_packer packer = packer_of(pack);
    msgpack_pack_array(&packer, items);
}

void pack_int(struct pack *pack, int64_t value)
{
    msgpack_packer packer = packer_of(pack);
    msgpack_pack_int64(&packer, value);
}

void pack_real(struct pack *pack, double value)
{
    msgpack_packer packer = packer_of(pack);
    msgpack_pack_double(&packer, value);
}

void pack_bool(struct pack *pack, bool value)
{
    msgpack_packer packer = packer_of(pack);
    if (value)
        msgpack_pack_true(&packer);
    else
        msgpack_pack_false(&packer);
}

void pack_nil(struct pack *pack)
{
    msgpack_packer packer = packer_of(pack);
    msgpack_pack_nil(&packer);
}

void pack_text(struct pack *pack, const char *text)
{
    pack_text_len(pack, text, strlen(text));
}

void pack_text_len(struct pack *pack, const char *text, size_t len)
{
    msgpack_packer packer = packer_of(pack);
    msgpack_pack_str(&packer, len);
    append(pack, text, len);
}

void pack_label(struct pack *pack, const char *prefix, uint64_t number)
{
    char digits[20];
    size_t first = sizeof digits, prefix_len = strlen(prefix);
    do
        digits[--first] = (char)('0' + number % 10);
    while (number /= 10);
    msgpack_packer packer = packer_of(pack);
    msgpack_pack_str(&packer, prefix_len + sizeof digits - first);
    append(pack, prefix, prefix_len);
    append(pack, digits + first, sizeof digits - first);
}

void pack_raw(struct pack *pack, const void *bytes, size_t len)
{
    append(pack, bytes, len);
}

/* ---- Reading ---- */

enum kind {
    KIND_NONE,
    KIND_NIL,
    KIND_BOOL,
    KIND_INT,
    KIND_REAL,
    KIND_TEXT,
    KIND_BYTES,
    KIND_ARRAY,
    KIND_MAP
};

/* What comes next: its first bytes, decoded. */
struct head {
    enum kind kind;
    uint64_t value; /* bits of an integer or a real; bytes or items that follow */
};

/* The forms that start with 0xc0 to 0xdf: the bytes of the number that follows, and what is fixed. */
struct form {
    uint8_t kind;
    uint8_t width;
    uint8_t add; /* to the value: fixed sizes; one byte for the type of an extension */
    uint64_t sign; /* the bit that holds it; 0: never negative */
};

static const struct form forms[32] = {
    [0x00] = {.kind = KIND_NIL},
    [0x02] = {.kind = KIND_BOOL, .add = 0},
    [0x03] = {.kind = KIND_BOOL, .add = 1},
    [0x04] = {.kind = KIND_BYTES, .width = 1},
    [0x05] = {.kind = KIND_BYTES, .width = 2},
    [0x06] = {.kind = KIND_BYTES, .width = 4},
    [0x07] = {.kind = KIND_BYTES, .width = 1, .add = 1},
    [0x08] = {.kind = KIND_BYTES, .width = 2, .add = 1},
    [0x09] = {.kind = KIND_BYTES, .width = 4, .add = 1},
    [0x0a] = {.kind = KIND_REAL, .width = 4},
    [0x0b] = {.kind = KIND_REAL, .width = 8},
    [0x0c] = {.kind = KIND_INT, .width = 1},
    [0x0d] = {.kind = KIND_INT, .width = 2},
    [0x0e] = {.kind = KIND_INT, .width = 4},
    [0x0f] = {.kind = KIND_INT, .width = 8},
    [0x10] = {.kind = KIND_INT, .width = 1, .sign = 0x80},
    [0x11] = {.kind = KIND_INT, .width = 2, .sign = 0x8000},
    [0x12] = {.kind = KIND_INT, .width = 4, .sign = UINT64_C(1) << 31},
    [0x13] = {.kind = KIND_INT, .width = 8, .sign = UINT64_C(1) << 63},
    [0x14] = {.kind = KIND_BYTES, .add = 1 + 1},
    [0x15] = {.kind = KIND_BYTES, .add = 1 + 2},
    [0x16] = {.kind = KIND_BYTES, .add = 1 + 4},
    [0x17] = {.kind = KIND_BYTES, .add = 1 + 8},
    [0x18] = {.kind = KIND_BYTES, .add = 1 + 16},
    [0x19] = {.kind = KIND_TEXT, .width = 1},
    [0x1a] = {.kind = KIND_TEXT, .width = 2},
    [0x1b] = {.kind = KIND_TEXT, .width = 4},
    [0x1c] = {.kind = KIND_ARRAY, .width = 2},
    [0x1d] = {.kind = KIND_ARRAY, .width = 4},
    [0x1e] = {.kind = KIND_MAP, .width = 2},
    [0x1f] = {.kind = KIND_MAP, .width = 4},
};

static struct head mismatch(struct cursor *cursor)
{
    cursor->bad = true;
    cursor->at = cursor->end;
    return (struct head){0};
}

static uint64_t left(const struct cursor *cursor)
{
    return (uint64_t)(cursor->end - cursor->at);
}

static uint64_t big_endian(const unsigned char *bytes, size_t width)
{
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* The bits of a double from those of a float. */
static uint64_t widened(uint64_t bits)
{
    uint32_t narrow = (uint32_t)bits;
    float value;
    memcpy(&value, &narrow, sizeof value);
    double wide = value;
    memcpy(&bits, &wide, sizeof bits);
    return bits;
}

/* The forms of more than one byte, and those that stand for themselves; past them. */
static struct head next_long(struct cursor *cursor)
{
    const struct form *form = &forms[*cursor->at++ - 0xc0];
    if (form->kind == KIND_NONE || form->width > left(cursor))
        return mismatch(cursor);
    uint64_t value = big_endian(cursor->at, form->width);
    cursor->at += form->width;
    switch ((enum kind)form->kind) {
    case KIND_INT:
        if (!form->sign && value > INT64_MAX)
            return mismatch(cursor);
        value = (value ^ form->sign) - form->sign; /* the sign bit spreads upwards */
        break;
    case KIND_REAL:
        value = form->width == sizeof(float) ? widened(value) : value;
        break;
    case KIND_MAP:
        value *= 2;
        break;
    default:
        value += form->add;
        break;
    }
    return (struct head){.kind = (enum kind)form->kind, .value = value};
}

/* Decodes what comes next and goes past it, but not past the bytes of a text or the items of an array. */
static inline struct head next(struct cursor *cursor)
{
    if (cursor->at == cursor->end)
        return mismatch(cursor);
    unsigned first = *cursor->at;
    struct head head;
    if (first < 0x80)
        head = (struct head){KIND_INT, first};
    else if (first < 0x90)
        head = (struct head){KIND_MAP, 2 * (first & 0x0f)};
    else if (first < 0xa0)
        head = (struct head){KIND_ARRAY, first & 0x0f};
    else if (first < 0xc0)
        head = (struct head){KIND_TEXT, first & 0x1f};
    else if (first < 0xe0)
        return next_long(cursor);
    else
        head = (struct head){KIND_INT, (uint64_t)first - 0x100};
    cursor->at++;
    return head;
}

/* What comes next if it is of that kind and, where it counts bytes or items, they can be there. */
static inline struct head expect(struct cursor *cursor, enum kind kind)
{
    struct head head = next(cursor);
    if (head.kind != kind || (kind >= KIND_TEXT && head.value > left(cursor)))
        return mismatch(cursor);
    return head;
}

struct cursor cursor_of(const struct body *body)
{
    if (!body)
        return (struct cursor){0};
    return (struct cursor){.at = body->bytes, .end = body->bytes + body->len};
}

uint32_t cursor_array(struct cursor *cursor)
{
    return (uint32_t)expect(cursor, KIND_ARRAY).value;
}

int64_t cursor_int(struct cursor *cursor)
{
    return (int64_t)expect(cursor, KIND_INT).value;
}

double cursor_real(struct cursor *cursor)
{
    struct head head = next(cursor);
    if (head.kind == KIND_INT)
        return (double)(int64_t)head.value;
    double value;
    memcpy(&value, &head.value, sizeof value);
    if (head.kind == KIND_REAL && value - value == 0)
        return value;
    mismatch(cursor);
    return 0;
}

bool cursor_bool(struct cursor *cursor)
{
    return expect(cursor, KIND_BOOL).value != 0;
}

struct slice cursor_text(struct cursor *cursor)
{
    struct head head = expect(cursor, KIND_TEXT);
    struct slice text = {.at = (const char *)cursor->at, .len = (uint32_t)head.value};
    if (!cursor->bad)
        cursor->at += text.len;
    return text;
}

bool cursor_nil(struct cursor *cursor)
{
    if (cursor->at == cursor->end || *cursor->at != 0xc0)
        return false;
    cursor->at++;
    return true;
}

void cursor_skip(struct cursor *cursor)
{
    uint64_t items[SKIP_DEPTH_MAX + 1]; /* still to skip, at each depth */
    size_t depth = 0;
    items[0] = 1;
    for (;;) {
        while (items[depth] == 0) {
            if (depth-- == 0)
                return;
        }
        items[depth]--;
        struct head head = next(cursor);
        if (head.kind == KIND_NONE || (head.kind >= KIND_TEXT && head.value > left(cursor)) ||
            (head.kind >= KIND_ARRAY && depth == SKIP_DEPTH_MAX)) {
            mismatch(cursor);
            return;
        }
        if (head.kind >= KIND_ARRAY)
            items[++depth] = head.value;
        else if (head.kind >= KIND_TEXT)
            cursor->at += head.value;
    }
}

struct slice cursor_raw(struct cursor *cursor)
{
    const unsigned char *start = cursor->at;
    cursor_skip(cursor);
    if (cursor->bad)
        return (struct slice){0};
    return (struct slice){.at = (const char *)start, .len = (uint32_t)(cursor->at - start)};
}

bool slice_is(struct slice slice, const char *text)
{
    size_t len = strlen(text);
    return slice.len == len && (len == 0 || memcmp(slice.at, text, len) == 0);
}
