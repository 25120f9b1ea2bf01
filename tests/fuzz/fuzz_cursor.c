/*
 * fuzz_cursor: the cursor over bytes from anywhere.
 *
 * The first byte chooses how the others are read: whole values by skipping, or one typed read after
 * another. Whatever is skipped as sound must be what msgpack-c takes for one value of the same length.
 */
#include <msgpack.h>
#include <stdlib.h>

#include "core/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void require_inside(const struct cursor *cursor, const unsigned char *before)
{
    require(cursor->at >= before && cursor->at <= cursor->end);
    require(!cursor->bad || cursor->at == cursor->end);
}

static void require_sound(struct slice raw)
{
    msgpack_zone zone;
    msgpack_object object;
    size_t taken = 0;
    require(msgpack_zone_init(&zone, 4096));
    msgpack_unpack_return result = msgpack_unpack(raw.at, raw.len, &taken, &zone, &object);
    require(result == MSGPACK_UNPACK_SUCCESS && taken == raw.len);
    msgpack_zone_destroy(&zone);
}

static void read_whole_values(struct cursor cursor)
{
    while (!cursor.bad && cursor.at < cursor.end) {
        const unsigned char *before = cursor.at;
        struct cursor skipped = cursor;
        cursor_skip(&skipped);
        struct slice raw = cursor_raw(&cursor);
        require_inside(&cursor, before);
        require(skipped.at == cursor.at && skipped.bad == cursor.bad);
        if (!cursor.bad)
            require_sound(raw);
    }
}

static void read_one(struct cursor *cursor, unsigned want)
{
    switch (want % 7) {
    case 0:
        require(cursor_array(cursor) <= cursor->end - cursor->at);
        break;
    case 1:
        cursor_int(cursor);
        break;
    case 2:
        require(cursor_real(cursor) - 1e308 < 1e308);
        break;
    case 3:
        cursor_bool(cursor);
        break;
    case 4: {
        struct slice text = cursor_text(cursor);
        require(text.at + text.len == (const char *)cursor->at);
        break;
    }
    case 5:
        cursor_nil(cursor);
        break;
    default:
        cursor_skip(cursor);
        break;
    }
}

/* Each read is of the type that the value has, except where the choice says otherwise. */
static unsigned fitting(unsigned first)
{
    static const struct {
        unsigned char from;
        unsigned char want;
    } ranges[] = {{0xe0, 1}, {0xde, 6}, {0xdc, 0}, {0xd9, 4}, {0xd4, 6}, {0xcc, 1}, {0xca, 2},
                  {0xc4, 6}, {0xc2, 3}, {0xc0, 5}, {0xa0, 4}, {0x90, 0}, {0x80, 6}, {0x00, 1}};
    size_t i = 0;
    while (first < ranges[i].from)
        i++;
    return ranges[i].want;
}

static void read_typed(struct cursor cursor, unsigned choice)
{
    for (unsigned reads = 0; !cursor.bad && cursor.at < cursor.end; reads++) {
        const unsigned char *before = cursor.at;
        bool astray = reads % 8 == choice % 8 && choice & 0x40;
        unsigned want = astray ? choice >> 3 : fitting(*cursor.at);
        read_one(&cursor, want);
        require_inside(&cursor, before);
        require(cursor.at > before || want % 7 == 5);
        if (cursor.at == before)
            read_one(&cursor, 6);
    }
    require(cursor_int(&cursor) == 0 && cursor.bad);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct cursor cursor = {.at = data + 1, .end = data + size};
    if (data[0] & 0x80)
        read_whole_values(cursor);
    else
        read_typed(cursor, data[0]);
    return 0;
}
