#include "edges/json_out.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "edges/utf8.h"

static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                            "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                            "8081828384858687888990919293949596979899";

#define HEX_LOW(h)                                                                                           \
    h "0", h "1", h "2", h "3", h "4", h "5", h "6", h "7", h "8", h "9", h "a", h "b", h "c", h "d", h "e", \
        h "f"
static const char hex_pairs[256][2] = {
    HEX_LOW("0"), HEX_LOW("1"), HEX_LOW("2"), HEX_LOW("3"), HEX_LOW("4"), HEX_LOW("5"),
    HEX_LOW("6"), HEX_LOW("7"), HEX_LOW("8"), HEX_LOW("9"), HEX_LOW("a"), HEX_LOW("b"),
    HEX_LOW("c"), HEX_LOW("d"), HEX_LOW("e"), HEX_LOW("f"),
};

/* Bits 7 of the bytes of `word` that are `"`, `\`, below a space, or above ASCII; 0: all plain. (A byte
   after one of these may be marked too: only whether there is any, and where the first is, counts.) */
static uint64_t not_plain(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
    return (word | (word - ones * ' ') | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) &
           tops;
}

/* One character that is not plain; `taken` says how many bytes it was. */
static char *escape(char *at, const char *bytes, size_t len, size_t *taken)
{
    unsigned char byte = (unsigned char)bytes[0];
    *taken = 1;
    if (byte >= 0x80) {
        size_t length = utf8_length((const unsigned char *)bytes, len);
        if (!length)
            return JSON_PUT(at, "\xef\xbf\xbd");
        *taken = length;
        return json_bytes(at, bytes, length);
    }
    if (byte < ' ') {
        at = JSON_PUT(at, "\\u00");
        return json_bytes(at, hex_pairs[byte], 2);
    }
    if (byte == '"' || byte == '\\')
        *at++ = '\\';
    *at++ = (char)byte;
    return at;
}

char *json_text(char *at, const char *bytes, size_t len)
{
    while (len) {
        uint64_t word = UINT64_C(0x2020202020202020);
        size_t chunk = MIN(len, sizeof word);
        if (chunk == sizeof word)
            memcpy(&word, bytes, sizeof word);
        else
            memcpy(&word, bytes, chunk);
        memcpy(at, &word, sizeof word);
        uint64_t marks = not_plain(word);
        size_t plain = marks ? (size_t)__builtin_ctzll(marks) / 8 : chunk;
        size_t taken = 0;
        at += plain;
        if (marks)
            at = escape(at, bytes + plain, len - plain, &taken);
        bytes += plain + taken;
        len -= plain + taken;
    }
    return at;
}

char *json_url_part(char *at, const char *bytes, size_t len)
{
    /* Letters, digits and -._~!$&'()*+,;=:@ of ASCII; 32 to a word. */
    static const uint32_t plain[8] = {0, 0x2fff7fd2, 0x87ffffff, 0x47fffffe};
    static const char upper[] = "0123456789ABCDEF";
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (plain[byte >> 5] >> (byte & 31) & 1) {
            *at++ = (char)byte;
        } else {
            *at++ = '%';
            *at++ = upper[byte >> 4];
            *at++ = upper[byte & 15];
        }
    }
    return at;
}

char *json_hex64(char *at, uint64_t value)
{
    for (int shift = 56; shift >= 0; shift -= 8, at += 2)
        memcpy(at, hex_pairs[value >> shift & 0xff], 2);
    return at;
}

/* Eight digits, zeros in front. */
static char *eight_digits(char *at, uint32_t value)
{
    uint32_t high = value / 10000, low = value % 10000;
    memcpy(at, pairs + high / 100 * 2, 2);
    memcpy(at + 2, pairs + high % 100 * 2, 2);
    memcpy(at + 4, pairs + low / 100 * 2, 2);
    memcpy(at + 6, pairs + low % 100 * 2, 2);
    return at + 8;
}

char *json_u64(char *at, uint64_t value)
{
    const uint64_t eight = 100000000;
    if (value >= eight) {
        at = json_u64(at, value / eight);
        return eight_digits(at, (uint32_t)(value % eight));
    }
    char digits[8];
    eight_digits(digits, (uint32_t)value);
    size_t zeros = 0;
    while (zeros < 7 && digits[zeros] == '0')
        zeros++;
    return json_bytes(at, digits + zeros, sizeof digits - zeros);
}

char *json_i64(char *at, int64_t value)
{
    if (value < 0)
        *at++ = '-';
    return json_u64(at, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* value = units / scale, exactly: `decimals` digits after the point, none that are zero at the end. */
static char *scaled(char *at, uint64_t units, uint64_t scale, int decimals)
{
    at = json_u64(at, units / scale);
    uint64_t part = units % scale;
    if (!part)
        return at;
    *at++ = '.';
    for (int i = decimals; i-- > 0; part /= 10)
        at[i] = (char)('0' + part % 10);
    at += decimals;
    while (at[-1] == '0')
        at--;
    return at;
}

/* The fewest of 15 to 17 significant digits that read back the same. */
static char *shortest(char *at, double value)
{
    char digits[32];
    int len = 0;
    for (int precision = 15; precision <= 17; precision++) {
        len = snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    char *comma = memchr(digits, ',', (size_t)len);
    if (comma)
        *comma = '.'; /* a locale's */
    return json_bytes(at, digits, (size_t)len);
}

char *json_double(char *at, double value)
{
    static const struct {
        uint64_t scale;
        int decimals;
    } steps[] = {{1, 0}, {1000, 3}, {1000000, 6}, {1000000000, 9}};
    if (isnan(value))
        return JSON_PUT(at, "\"NaN\"");
    if (isinf(value))
        return value < 0 ? JSON_PUT(at, "\"-Infinity\"") : JSON_PUT(at, "\"Infinity\"");
    if (signbit(value))
        *at++ = '-';
    double size = fabs(value);
    /* Most values have few decimals. A quotient of whole numbers below 2^53 is rounded as reading the
       decimal text would be, so if it gives the value back, the text does too. */
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        double scale = (double)steps[i].scale;
        if (size * scale >= 0x1p53)
            break;
        uint64_t units = (uint64_t)(size * scale + 0.5);
        if ((double)units / scale == size)
            return scaled(at, units, steps[i].scale, steps[i].decimals);
    }
    return shortest(at, size);
}
