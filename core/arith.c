#include "core/arith.h"

#if defined __SSE2__
#include <emmintrin.h>
#elif defined __aarch64__
#include <arm_neon.h>
#endif

#include "core/base.h"

enum { EXPONENT_BITS = 52, EXPONENT_BIAS = 1023, EXP_STEPS = 32, EXP_LIMIT = 700 };

/* ln 2 and ln 2 / 32 in two parts; the high ones end in zeros, so that whole multiples are exact. */
static const double ln2_high = 0x1.62e42fefa0000p-1, ln2_low = 0x1.cf79abc9e3b3ap-40;
static const double step_high = 0x1.62e42fefa0000p-6, step_low = 0x1.cf79abc9e3b3ap-45;
static const double steps_per_unit = 0x1.71547652b82fep+5;

/* 2^(j / 32), correctly rounded. */
static const double exp_table[EXP_STEPS] = {
    0x1.0000000000000p+0, 0x1.059b0d3158574p+0, 0x1.0b5586cf9890fp+0, 0x1.11301d0125b51p+0,
    0x1.172b83c7d517bp+0, 0x1.1d4873168b9aap+0, 0x1.2387a6e756238p+0, 0x1.29e9df51fdee1p+0,
    0x1.306fe0a31b715p+0, 0x1.371a7373aa9cbp+0, 0x1.3dea64c123422p+0, 0x1.44e086061892dp+0,
    0x1.4bfdad5362a27p+0, 0x1.5342b569d4f82p+0, 0x1.5ab07dd485429p+0, 0x1.6247eb03a5585p+0,
    0x1.6a09e667f3bcdp+0, 0x1.71f75e8ec5f74p+0, 0x1.7a11473eb0187p+0, 0x1.82589994cce13p+0,
    0x1.8ace5422aa0dbp+0, 0x1.93737b0cdc5e5p+0, 0x1.9c49182a3f090p+0, 0x1.a5503b23e255dp+0,
    0x1.ae89f995ad3adp+0, 0x1.b7f76f2fb5e47p+0, 0x1.c199bdd85529cp+0, 0x1.cb720dcef9069p+0,
    0x1.d5818dcfba487p+0, 0x1.dfc97337b9b5fp+0, 0x1.ea4afa2a490dap+0, 0x1.f50765b6e4540p+0,
};

static double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t to_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/*
 * x = (32 e + j) ln2/32 + r with |r| <= ln2/64, so exp(x) = 2^e 2^(j/32) exp(r); six terms of the
 * series for exp(r) - 1 leave an error of 4e-18.
 */
double arith_exp(double x)
{
    x = MAX(-EXP_LIMIT, MIN(EXP_LIMIT, x));
    int64_t steps = (int64_t)(x * steps_per_unit + (x < 0 ? -0.5 : 0.5));
    int64_t exponent = (steps - (steps & (EXP_STEPS - 1))) / EXP_STEPS;
    double r = (x - (double)steps * step_high) - (double)steps * step_low;
    double tail = r * r * (1.0 / 2 + r * (1.0 / 6 + r * (1.0 / 24 + r * (1.0 / 120 + r * (1.0 / 720)))));
    double base = exp_table[steps & (EXP_STEPS - 1)];
    double power = from_bits((uint64_t)(exponent + EXPONENT_BIAS) << EXPONENT_BITS);
    return (base + base * (r + tail)) * power;
}

/*
 * x = 2^e m with m between sqrt(1/2) and sqrt(2); log(m) = 2 (s + s^3/3 + s^5/5 + ...) for
 * s = (m - 1) / (m + 1). |s| < 0.172, so the terms up to s^19 leave an error of 3e-17. The series is
 * summed as two, which the processor works on at the same time.
 */
double arith_log(double x)
{
    uint64_t bits = to_bits(x);
    int64_t exponent = (int64_t)(bits >> EXPONENT_BITS) - EXPONENT_BIAS;
    double m =
        from_bits((bits & ((UINT64_C(1) << EXPONENT_BITS) - 1)) | (uint64_t)EXPONENT_BIAS << EXPONENT_BITS);
    if (m > 0x1.6a09e667f3bcdp+0) {
        m *= 0.5;
        exponent++;
    }
    double f = m - 1, s = f / (2 + f), z = s * s, w = z * z;
    double odd = 1.0 / 3 + w * (1.0 / 7 + w * (1.0 / 11 + w * (1.0 / 15 + w * (1.0 / 19))));
    double even = 1.0 / 5 + w * (1.0 / 9 + w * (1.0 / 13 + w * (1.0 / 17)));
    double tail = 2 * s * (z * odd + w * even);
    double e = (double)exponent;
    return e * ln2_high + (2 * s + (tail + e * ln2_low));
}

/* The processor's instruction: the C library's function would be called where nothing is optimised. */
double arith_sqrt(double x)
{
#if defined __SSE2__
    return _mm_cvtsd_f64(_mm_sqrt_sd(_mm_set_sd(x), _mm_set_sd(x)));
#elif defined __aarch64__
    return vget_lane_f64(vsqrt_f64(vdup_n_f64(x)), 0);
#else
    return __builtin_sqrt(x);
#endif
}

/* A polynomial by Horner's rule, highest power first. */
static double polynomial(const double *coefficients, size_t count, double x)
{
    double sum = coefficients[0];
    for (size_t i = 1; i < count; i++)
        sum = sum * x + coefficients[i];
    return sum;
}

/* The lower tail, p < 0.02425. */
static double quantile_of_tail(double p)
{
    static const double top[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                                 -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
    static const double bottom[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                                    3.754408661907416e+00, 1};
    double q = arith_sqrt(-2 * arith_log(p));
    return polynomial(top, ARRAY_LEN(top), q) / polynomial(bottom, ARRAY_LEN(bottom), q);
}

double arith_normal_quantile(double p)
{
    static const double tail = 0.02425;
    static const double top[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                                 1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
    static const double bottom[] = {-5.447609879822406e+01, 1.615858368580409e+02,  -1.556989798598866e+02,
                                    6.680131188771972e+01,  -1.328068155288572e+01, 1};
    if (p < tail)
        return quantile_of_tail(p);
    if (p > 1 - tail)
        return -quantile_of_tail(1 - p);
    double q = p - 0.5, r = q * q;
    return q * polynomial(top, ARRAY_LEN(top), r) / polynomial(bottom, ARRAY_LEN(bottom), r);
}
