#include "core/quantity.h"

enum { DIGITS_MAX = 9, PS_PER_NS = 1000 };

#define HOURS_MAX INT64_C(1000)
#define PS_PER_S (NS_PER_S * PS_PER_NS)

static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

/* digits / 10^decimals */
struct decimal {
    int64_t digits;
    int decimals;
};

struct unit {
    const char *name;
    int64_t size;
};

/* A name stands before the ones it begins with: ms before m. */
static const struct unit durations[] = {
    {"h", 3600 * PS_PER_S}, {"ms", PS_PER_S / 1000},    {"m", 60 * PS_PER_S},
    {"s", PS_PER_S},        {"us", PS_PER_S / 1000000}, {"ns", PS_PER_NS},
};

/* Times an hour, so that each is a whole number a minute. */
static const struct unit rates[] = {{"/s", 3600}, {"/min", 60}, {"/h", 1}};

const char *quantity_problem(enum quantity_result result)
{
    static const char *const texts[] = {
        [QUANTITY_OK] = "fine",
        [QUANTITY_FORM] = "not understood",
        [QUANTITY_NO_UNIT] = "missing unit",
        [QUANTITY_NEGATIVE] = "negative",
        [QUANTITY_LARGE] = "above 1000h",
        [QUANTITY_FINE] = "too fine",
    };
    return texts[result];
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int take_digits(struct slice *text, int64_t *digits)
{
    int count = 0;
    for (; text->len && is_digit(*text->at) && count <= DIGITS_MAX; text->at++, text->len--, count++)
        *digits = *digits * 10 + (*text->at - '0');
    return count;
}

/* 1 to 9 digits, and maybe a point and 1 to 9 more. */
static bool take_decimal(struct slice *text, struct decimal *decimal)
{
    *decimal = (struct decimal){0};
    int whole = take_digits(text, &decimal->digits);
    if (!whole || whole > DIGITS_MAX)
        return false;
    if (text->len && *text->at == '.') {
        text->at++, text->len--;
        decimal->decimals = take_digits(text, &decimal->digits);
        return decimal->decimals && decimal->decimals <= DIGITS_MAX;
    }
    return true;
}

static const struct unit *take_unit(struct slice *text, const struct unit *units, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(units[i].name);
        if (text->len >= len && !memcmp(text->at, units[i].name, len)) {
            text->at += len;
            text->len -= (uint32_t)len;
            return &units[i];
        }
    }
    return NULL;
}

/* What is wrong with text that does not read as a quantity: the commonest slips by name. */
static enum quantity_result slip(struct slice text)
{
    bool negative = text.len && *text.at == '-';
    if (negative)
        text.at++, text.len--;
    struct decimal decimal;
    if (!take_decimal(&text, &decimal))
        return QUANTITY_FORM;
    return negative ? QUANTITY_NEGATIVE : text.len ? QUANTITY_FORM : QUANTITY_NO_UNIT;
}

enum quantity_result quantity_duration_ps(struct slice text, int64_t *duration_ps)
{
    struct slice whole = text;
    int64_t sum = 0, below = INT64_MAX;
    do {
        struct decimal decimal;
        if (!take_decimal(&text, &decimal))
            return slip(whole);
        const struct unit *unit = take_unit(&text, durations, ARRAY_LEN(durations));
        if (!unit || unit->size >= below)
            return slip(whole);
        below = unit->size;
        int64_t part = decimal.digits, scale = (int64_t)powers[decimal.decimals];
        /* Their greatest common divisor: sizes that the scale does not divide are powers of ten. */
        int64_t common = unit->size % scale ? unit->size : scale;
        if (part % (scale / common))
            return QUANTITY_FINE;
        part /= scale / common;
        if (__builtin_mul_overflow(part, unit->size / common, &part) ||
            __builtin_add_overflow(sum, part, &sum))
            return QUANTITY_LARGE;
    } while (text.len);
    if (sum > HOURS_MAX * 3600 * PS_PER_S)
        return QUANTITY_LARGE;
    *duration_ps = sum;
    return QUANTITY_OK;
}

enum quantity_result quantity_duration(struct slice text, int64_t *duration_ns)
{
    int64_t duration_ps = 0;
    enum quantity_result result = quantity_duration_ps(text, &duration_ps);
    if (result == QUANTITY_OK && duration_ps % PS_PER_NS)
        return QUANTITY_FINE;
    *duration_ns = duration_ps / PS_PER_NS;
    return result;
}

enum quantity_result quantity_rate(struct slice text, double *per_min)
{
    struct slice whole = text;
    struct decimal decimal;
    const struct unit *unit = NULL;
    if (take_decimal(&text, &decimal))
        unit = take_unit(&text, rates, ARRAY_LEN(rates));
    if (!unit || text.len)
        return slip(whole);
    *per_min = (double)decimal.digits * (double)unit->size / (60.0 * powers[decimal.decimals]);
    return QUANTITY_OK;
}

enum quantity_result quantity_percent(struct slice text, double *share)
{
    struct slice whole = text;
    struct decimal decimal;
    if (!take_decimal(&text, &decimal) || text.len != 1 || *text.at != '%')
        return slip(whole);
    *share = (double)decimal.digits / (100.0 * powers[decimal.decimals]);
    return QUANTITY_OK;
}

/* 0x1f and 0o17 */
static bool number_of_base(struct slice text, int base, double *number)
{
    double value = 0;
    for (uint32_t i = 2; i < text.len; i++) {
        char c = text.at[i];
        int digit = is_digit(c)            ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : base;
        if (digit >= base)
            return false;
        value = value * base + digit;
    }
    *number = value;
    return text.len > 2;
}

static bool take_exponent(struct slice *text, int *exponent)
{
    text->at++, text->len--;
    bool negative = text->len && *text->at == '-';
    if (text->len && (*text->at == '-' || *text->at == '+'))
        text->at++, text->len--;
    int value = 0, count = 0;
    for (; text->len && is_digit(*text->at); text->at++, text->len--, count++)
        value = value < 1000 ? value * 10 + (*text->at - '0') : value;
    *exponent += negative ? -value : value;
    return count > 0;
}

bool quantity_number(struct slice text, double *number)
{
    if (text.len > 2 && text.at[0] == '0' && (text.at[1] == 'x' || text.at[1] == 'o'))
        return number_of_base(text, text.at[1] == 'x' ? 16 : 8, number);
    bool negative = text.len && *text.at == '-';
    if (text.len && (*text.at == '-' || *text.at == '+'))
        text.at++, text.len--;
    int64_t digits = 0;
    int exponent = 0, count = 0;
    bool point = false;
    for (; text.len && (is_digit(*text.at) || (*text.at == '.' && !point)); text.at++, text.len--) {
        if (*text.at == '.') {
            point = true;
            continue;
        }
        count++;
        bool fits = digits < INT64_C(100000000000000000);
        digits = fits ? digits * 10 + (*text.at - '0') : digits;
        exponent += (fits ? 0 : 1) - (point ? 1 : 0);
    }
    if (!count || (text.len && (*text.at == 'e' || *text.at == 'E') && !take_exponent(&text, &exponent)) ||
        text.len)
        return false;
    double value = (double)digits;
    exponent = MAX(MIN(exponent, 400), -400);
    for (; exponent > 0; exponent -= MIN(exponent, 9))
        value *= powers[MIN(exponent, 9)];
    for (; exponent < 0; exponent += MIN(-exponent, 9))
        value /= powers[MIN(-exponent, 9)];
    *number = negative ? -value : value;
    return true;
}

bool quantity_is_integer(struct slice text)
{
    double number;
    if (!quantity_number(text, &number))
        return false;
    if (text.len > 2 && text.at[0] == '0' && (text.at[1] == 'x' || text.at[1] == 'o'))
        return true;
    for (uint32_t i = 0; i < text.len; i++)
        if (text.at[i] == '.' || text.at[i] == 'e' || text.at[i] == 'E')
            return false;
    return true;
}
