#include "core/text.h"

#include <stdlib.h>

void text_fini(struct text *text)
{
    free(text->bytes);
    *text = (struct text){0};
}

void text_reserve(struct text *text, size_t more)
{
    size_t need = text->len + more;
    if (need <= text->cap)
        return;
    size_t cap = MAX(MAX(need, text->cap * 2), 64);
    text->bytes = realloc(text->bytes, cap);
    ASSERT(text->bytes);
    text->cap = cap;
}

const char *text_c(struct text *text)
{
    text_reserve(text, 1);
    text->bytes[text->len] = '\0';
    return text->bytes;
}

void text_str(struct text *text, const char *string)
{
    text_bytes(text, string, strlen(string));
}

void text_u64(struct text *text, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    text_bytes(text, digits + at, sizeof digits - at);
}

void text_i64(struct text *text, int64_t value)
{
    if (value < 0)
        text_char(text, '-');
    text_u64(text, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void text_count(struct text *text, uint64_t value)
{
    char digits[27]; /* 20 digits, 6 commas */
    size_t at = sizeof digits;
    for (int written = 0; written == 0 || value; written++, value /= 10) {
        if (written && written % 3 == 0)
            digits[--at] = ',';
        digits[--at] = (char)('0' + value % 10);
    }
    text_bytes(text, digits + at, sizeof digits - at);
}

void text_fixed(struct text *text, double value, int decimals)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    ASSERT(decimals >= 0 && decimals < (int)ARRAY_LEN(powers));
    ASSERT(value > -1e15 && value < 1e15);
    uint64_t scale = (uint64_t)powers[decimals];
    double size = value < 0 ? -value : value;
    uint64_t whole = (uint64_t)size;
    uint64_t part = (uint64_t)((size - (double)whole) * powers[decimals] + 0.5);
    if (part >= scale) {
        whole++;
        part -= scale;
    }
    if (value < 0 && (whole || part))
        text_char(text, '-');
    text_u64(text, whole);
    if (!decimals)
        return;
    text_char(text, '.');
    char digits[9];
    for (int i = decimals; i-- > 0; part /= 10)
        digits[i] = (char)('0' + part % 10);
    text_bytes(text, digits, (size_t)decimals);
}

/* value in units of `unit`, at most three decimals, none that are zero at the end. */
static void scaled(struct text *text, int64_t value, int64_t unit, const char *name)
{
    int64_t thousandths = (value % unit) * 1000 / unit;
    text_i64(text, value / unit);
    if (thousandths) {
        char part[4] = {'.', (char)('0' + thousandths / 100), (char)('0' + thousandths / 10 % 10),
                        (char)('0' + thousandths % 10)};
        size_t len = 4;
        while (part[len - 1] == '0')
            len--;
        text_bytes(text, part, len);
    }
    text_str(text, name);
}

void text_duration(struct text *text, int64_t duration_ns)
{
    if (duration_ns < 0) {
        text_char(text, '-');
        duration_ns = -duration_ns;
    }
    if (duration_ns >= NS_PER_HOUR && duration_ns % NS_PER_HOUR == 0) {
        text_i64(text, duration_ns / NS_PER_HOUR);
        text_char(text, 'h');
    } else if (duration_ns >= NS_PER_MIN) {
        text_i64(text, duration_ns / NS_PER_MIN);
        text_char(text, 'm');
        if (duration_ns % NS_PER_MIN)
            scaled(text, duration_ns % NS_PER_MIN, NS_PER_S, "s");
    } else if (duration_ns >= NS_PER_S || duration_ns == 0) {
        scaled(text, duration_ns, NS_PER_S, "s");
    } else if (duration_ns >= NS_PER_MS) {
        scaled(text, duration_ns, NS_PER_MS, "ms");
    } else {
        scaled(text, duration_ns, NS_PER_US, "us");
    }
}

static void two_digits(struct text *text, int64_t value)
{
    text_char(text, (char)('0' + value / 10 % 10));
    text_char(text, (char)('0' + value % 10));
}

void text_clock(struct text *text, int64_t at_ns)
{
    int64_t seconds = at_ns / NS_PER_S;
    if (seconds >= 3600) {
        text_i64(text, seconds / 3600);
        text_char(text, ':');
    }
    two_digits(text, seconds / 60 % 60);
    text_char(text, ':');
    two_digits(text, seconds % 60);
}
