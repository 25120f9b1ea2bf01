#include "edges/utf8.h"

size_t utf8_length(const unsigned char *bytes, size_t len)
{
    unsigned char first = bytes[0];
    size_t want = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || len < want)
        return 0;
    unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (bytes[1] < low || bytes[1] > high)
        return 0;
    for (size_t i = 2; i < want; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    return want;
}

/* Most text is ASCII: eight bytes at a time. */
static size_t ascii_prefix(const char *bytes, size_t len)
{
    size_t at = 0;
    for (uint64_t word; len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    while (at < len && !((unsigned char)bytes[at] & 0x80))
        at++;
    return at;
}

bool utf8_valid(const char *bytes, size_t len)
{
    for (size_t at = ascii_prefix(bytes, len); at < len; at += ascii_prefix(bytes + at, len - at)) {
        size_t length = utf8_length((const unsigned char *)bytes + at, len - at);
        if (!length)
            return false;
        at += length;
    }
    return true;
}

void utf8_repair(struct text *text, const char *bytes, size_t len)
{
    text_reserve(text, 3 * len + 1);
    for (size_t at = 0; at < len;) {
        size_t plain = ascii_prefix(bytes + at, len - at);
        text_bytes(text, bytes + at, plain);
        at += plain;
        if (at == len)
            break;
        size_t length = utf8_length((const unsigned char *)bytes + at, len - at);
        if (length)
            text_bytes(text, bytes + at, length);
        else
            text_lit(text, "\xef\xbf\xbd");
        at += MAX(length, 1);
    }
}

size_t utf8_prefix(const char *bytes, size_t len, size_t characters)
{
    size_t at = 0;
    if (len <= characters)
        return len;
    for (; at < len && characters; characters--)
        at += MAX(utf8_length((const unsigned char *)bytes + at, len - at), 1);
    return at;
}
