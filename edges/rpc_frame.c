#include "edges/rpc_frame.h"

/* What a value's first byte says: how long its own header is, how many bytes its payload has, how many values follow. */
struct head {
    unsigned header; /* bytes, with the first */
    uint64_t payload, values;
};

static uint64_t big_endian(const unsigned char *bytes, unsigned width)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < width; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* From 0xc0 to 0xdf: bytes of a length behind the first, fixed payload, values for each of that length. */
static const struct form {
    uint8_t length_width, payload, values;
    bool is_payload; /* the length is of bytes */
    bool never; /* 0xc1 */
} forms[32] = {
    [0x01] = {.never = true},
    [0x04] = {.length_width = 1, .is_payload = true}, /* bin */
    [0x05] = {.length_width = 2, .is_payload = true},
    [0x06] = {.length_width = 4, .is_payload = true},
    [0x07] = {.length_width = 1, .payload = 1, .is_payload = true}, /* ext: a type on top */
    [0x08] = {.length_width = 2, .payload = 1, .is_payload = true},
    [0x09] = {.length_width = 4, .payload = 1, .is_payload = true},
    [0x0a] = {.payload = 4}, /* float */
    [0x0b] = {.payload = 8},
    [0x0c] = {.payload = 1}, /* uint */
    [0x0d] = {.payload = 2},
    [0x0e] = {.payload = 4},
    [0x0f] = {.payload = 8},
    [0x10] = {.payload = 1}, /* int */
    [0x11] = {.payload = 2},
    [0x12] = {.payload = 4},
    [0x13] = {.payload = 8},
    [0x14] = {.payload = 2}, /* fixext */
    [0x15] = {.payload = 3},
    [0x16] = {.payload = 5},
    [0x17] = {.payload = 9},
    [0x18] = {.payload = 17},
    [0x19] = {.length_width = 1, .is_payload = true}, /* str */
    [0x1a] = {.length_width = 2, .is_payload = true},
    [0x1b] = {.length_width = 4, .is_payload = true},
    [0x1c] = {.length_width = 2, .values = 1}, /* array */
    [0x1d] = {.length_width = 4, .values = 1},
    [0x1e] = {.length_width = 2, .values = 2}, /* map */
    [0x1f] = {.length_width = 4, .values = 2},
};

static enum rpc_scanned read_head(struct head *head, const unsigned char *at, size_t left)
{
    if (!left)
        return RPC_MORE;
    unsigned char first = at[0];
    *head = (struct head){.header = 1};
    if (first >= 0x80 && first < 0x90)
        head->values = 2 * (uint64_t)(first & 0x0f);
    else if (first >= 0x90 && first < 0xa0)
        head->values = first & 0x0f;
    else if (first >= 0xa0 && first < 0xc0)
        head->payload = first & 0x1f;
    if (first < 0xc0 || first >= 0xe0)
        return RPC_WHOLE;
    const struct form *form = &forms[first - 0xc0];
    if (form->never)
        return RPC_BAD;
    if (left < 1u + form->length_width)
        return RPC_MORE;
    uint64_t length = big_endian(at + 1, form->length_width);
    head->header += form->length_width;
    head->payload = form->payload + (form->is_payload ? length : 0);
    head->values = form->values * length;
    return RPC_WHOLE;
}

/* Every value that is due has a byte at least, so a claim that cannot be kept is refused when it is made. */
enum rpc_scanned rpc_scan(struct rpc_scan *scan, const unsigned char *bytes, size_t len)
{
    if (!scan->begun) {
        scan->begun = true;
        scan->due = 1;
    }
    while (scan->due) {
        struct head head;
        enum rpc_scanned read =
            scan->at < len ? read_head(&head, bytes + scan->at, len - scan->at) : RPC_MORE;
        if (read == RPC_MORE && len >= RPC_FRAME_BYTES_MAX)
            return RPC_BAD;
        if (read != RPC_WHOLE)
            return read;
        size_t room = RPC_FRAME_BYTES_MAX - scan->at;
        if (head.header > room || head.payload > room - head.header || head.values > room)
            return RPC_BAD;
        scan->at += head.header + (size_t)head.payload;
        scan->due += head.values - 1;
        if (scan->due > RPC_FRAME_BYTES_MAX - scan->at)
            return RPC_BAD;
    }
    return scan->at <= len ? RPC_WHOLE : RPC_MORE;
}

bool rpc_read(struct rpc_frame *frame, const unsigned char *bytes, size_t len)
{
    struct cursor cursor = {.at = bytes, .end = bytes + len};
    uint32_t items = cursor_array(&cursor);
    int64_t kind = cursor_int(&cursor);
    *frame = (struct rpc_frame){.kind = (enum rpc_kind)kind};
    if (cursor.bad || kind < RPC_REQUEST || kind > RPC_NOTICE || items != (kind == RPC_NOTICE ? 3u : 4u))
        return false;
    if (kind != RPC_NOTICE) {
        int64_t id = cursor_int(&cursor);
        if (id < 0 || id > UINT32_MAX)
            return false;
        frame->id = (uint32_t)id;
    }
    if (kind != RPC_RESPONSE) {
        frame->method = cursor_text(&cursor);
    } else if (!cursor_nil(&cursor)) {
        struct cursor text = cursor;
        frame->error = cursor_text(&text);
        if (text.bad)
            frame->error = (struct slice){"", 0};
        cursor_skip(&cursor);
    }
    frame->value = cursor;
    cursor_skip(&cursor);
    return !cursor.bad && cursor.at == cursor.end;
}

const char *rpc_shown(struct slice error, char shown[static RPC_SHOWN_BYTES])
{
    uint32_t len = MIN(error.len, (uint32_t)RPC_SHOWN_BYTES - 1);
    for (uint32_t i = 0; i < len; i++)
        shown[i] = (char)(error.at[i] < ' ' || error.at[i] > '~' ? '?' : error.at[i]);
    shown[len] = '\0';
    return shown;
}

void rpc_request(struct pack *pack, uint32_t id, const char *method)
{
    pack_array(pack, 4);
    pack_int(pack, RPC_REQUEST);
    pack_int(pack, id);
    pack_text(pack, method);
}

void rpc_response(struct pack *pack, uint32_t id, const char *error)
{
    pack_array(pack, 4);
    pack_int(pack, RPC_RESPONSE);
    pack_int(pack, id);
    if (error)
        pack_text(pack, error);
    else
        pack_nil(pack);
}

void rpc_notice(struct pack *pack, const char *method)
{
    pack_array(pack, 3);
    pack_int(pack, RPC_NOTICE);
    pack_text(pack, method);
}
