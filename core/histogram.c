#include "core/histogram.h"

enum { MANTISSA_BITS = 52, EXPONENT_BIAS = 1023, EXPONENT_ALL_ONES = 0x7ff, CELL_BITS = 7 };

/* Mantissa of 2^(j/64), rounded down: an irrational bound lies just above it, so that a value is above
   the bound exactly when its mantissa is greater. The last line ends the search. */
static const uint64_t bound_mantissa[HISTOGRAM_PER_OCTAVE + 1] = {
    0x0000000000000, 0x02c9a3e778060, 0x059b0d3158574, 0x0874518759bc8, 0x0b5586cf9890f, 0x0e3ec32d3d1a2,
    0x11301d0125b50, 0x1429aaea92ddf, 0x172b83c7d517a, 0x1a35beb6fcb75, 0x1d4873168b9aa, 0x2063b88628cd6,
    0x2387a6e756238, 0x26b4565e27cdd, 0x29e9df51fdee1, 0x2d285a6e4030b, 0x306fe0a31b715, 0x33c08b26416ff,
    0x371a7373aa9ca, 0x3a7db34e59ff6, 0x3dea64c123422, 0x4160a21f72e29, 0x44e086061892d, 0x486a2b5c13cd0,
    0x4bfdad5362a27, 0x4f9b2769d2ca6, 0x5342b569d4f81, 0x56f4736b527da, 0x5ab07dd485429, 0x5e76f15ad2148,
    0x6247eb03a5584, 0x6623882552224, 0x6a09e667f3bcc, 0x6dfb23c651a2e, 0x71f75e8ec5f73, 0x75feb564267c8,
    0x7a11473eb0186, 0x7e2f336cf4e62, 0x82589994cce12, 0x868d99b4492ec, 0x8ace5422aa0db, 0x8f1ae99157736,
    0x93737b0cdc5e4, 0x97d829fde4e4f, 0x9c49182a3f090, 0xa0c667b5de564, 0xa5503b23e255c, 0xa9e6b5579fdbf,
    0xae89f995ad3ad, 0xb33a2b84f15fa, 0xb7f76f2fb5e46, 0xbcc1e904bc1d2, 0xc199bdd85529c, 0xc67f12e57d14b,
    0xcb720dcef9069, 0xd072d4a07897b, 0xd5818dcfba487, 0xda9e603db3285, 0xdfc97337b9b5e, 0xe502ee78b3ff6,
    0xea4afa2a490d9, 0xefa1bee615a27, 0xf50765b6e4540, 0xfa7c1819e90d8, UINT64_MAX,
};

/* How many bounds lie below each 128th of an octave: none holds two, so one comparison completes it. */
static const uint8_t bounds_below[1 << CELL_BITS] = {
    0,  1,  2,  3,  3,  4,  5,  5,  6,  7,  7,  8,  9,  9,  10, 11, 11, 12, 13, 13, 14, 15, 15, 16, 16, 17,
    18, 18, 19, 19, 20, 21, 21, 22, 22, 23, 23, 24, 25, 25, 26, 26, 27, 27, 28, 28, 29, 29, 30, 30, 31, 31,
    32, 32, 33, 34, 34, 35, 35, 36, 36, 36, 37, 37, 38, 38, 39, 39, 40, 40, 41, 41, 42, 42, 43, 43, 44, 44,
    44, 45, 45, 46, 46, 47, 47, 48, 48, 48, 49, 49, 50, 50, 51, 51, 51, 52, 52, 53, 53, 53, 54, 54, 55, 55,
    55, 56, 56, 57, 57, 57, 58, 58, 59, 59, 59, 60, 60, 60, 61, 61, 62, 62, 62, 63, 63, 63, 64, 64,
};

/* Whole octaves down to 2^HISTOGRAM_LOWEST, then the part of an octave: no logarithm, the same on
   every machine. Upper bounds belong to their bucket, so a power of two is one bucket lower. */
static int bucket_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    int octave = (int)(bits >> MANTISSA_BITS) - EXPONENT_BIAS - HISTOGRAM_LOWEST;
    uint64_t mantissa = bits & ((UINT64_C(1) << MANTISSA_BITS) - 1);
    int below = bounds_below[mantissa >> (MANTISSA_BITS - CELL_BITS)];
    below += mantissa > bound_mantissa[below];
    int bucket = octave * HISTOGRAM_PER_OCTAVE + below - 1;
    return MAX(0, MIN(bucket, HISTOGRAM_BUCKETS - 1));
}

static bool is_finite(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits >> MANTISSA_BITS & EXPONENT_ALL_ONES) != EXPONENT_ALL_ONES;
}

/* Infinities and NaN are no measurements: ignored, as OpenTelemetry asks. */
void histogram_add(struct histogram *histogram, double value)
{
    if (!is_finite(value))
        return;
    if (histogram->count == 0 || value < histogram->min)
        histogram->min = value;
    if (histogram->count == 0 || value > histogram->max)
        histogram->max = value;
    histogram->count++;
    histogram->sum += value;
    if (value > 0)
        histogram->buckets[bucket_of(value)]++;
    else
        histogram->zeros++;
}

static double power_of_two(int exponent, uint64_t mantissa)
{
    uint64_t bits = (uint64_t)(exponent + EXPONENT_BIAS) << MANTISSA_BITS | mantissa;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

double histogram_bound(int bucket)
{
    ASSERT(bucket >= 0 && bucket < HISTOGRAM_BUCKETS);
    int upper = bucket + 1;
    return power_of_two(HISTOGRAM_LOWEST + upper / HISTOGRAM_PER_OCTAVE,
                        bound_mantissa[upper % HISTOGRAM_PER_OCTAVE]);
}

/* Geometric. */
static double middle(int bucket)
{
    static const double half_bucket = 1.0054299011128028; /* 2^(1/128) */
    return histogram_bound(bucket) / half_bucket;
}

double histogram_quantile(const struct histogram *histogram, double q)
{
    if (histogram->count == 0)
        return 0;
    double exact = MAX(0.0, MIN(q, 1.0)) * (double)histogram->count;
    uint64_t rank = (uint64_t)exact;
    rank += (double)rank < exact;
    rank = MAX(rank, 1);

    double value = 0;
    uint64_t seen = histogram->zeros;
    for (int i = 0; seen < rank && i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen >= rank)
            value = middle(i);
    }
    return MAX(histogram->min, MIN(value, histogram->max));
}

uint64_t histogram_above(const struct histogram *histogram, double bound)
{
    if (!(bound > 0))
        return histogram->count - histogram->zeros;
    uint64_t above = 0;
    int bucket = bucket_of(bound);
    for (int i = middle(bucket) > bound ? bucket : bucket + 1; i < HISTOGRAM_BUCKETS; i++)
        above += histogram->buckets[i];
    return above;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    if (!from->count)
        return;
    into->min = into->count ? MIN(into->min, from->min) : from->min;
    into->max = into->count ? MAX(into->max, from->max) : from->max;
    into->count += from->count;
    into->zeros += from->zeros;
    into->sum += from->sum;
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
}

void histogram_settle(struct histogram *part, const struct histogram *whole)
{
    int low = 0, high = HISTOGRAM_BUCKETS - 1;
    part->min = part->max = 0;
    while (low < HISTOGRAM_BUCKETS && !part->buckets[low])
        low++;
    while (high >= 0 && !part->buckets[high])
        high--;
    if (high < 0)
        return;
    part->max = MIN(histogram_bound(high), whole->max);
    if (!part->zeros && low > 0)
        part->min = MAX(histogram_bound(low - 1), whole->min);
}

void histogram_since(struct histogram *out, const struct histogram *now, const struct histogram *before)
{
    out->count = now->count - before->count;
    out->zeros = now->zeros - before->zeros;
    out->sum = now->sum - before->sum;
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
        out->buckets[i] = now->buckets[i] - before->buckets[i];
    histogram_settle(out, now);
}
