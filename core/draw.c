#include "core/draw.h"

#include "core/arith.h"

#define R123_ASSERT(condition) ASSERT(condition)
#include <Random123/philox.h>

/* The z of a normal variable's 99th percentile. */
static const double z_p99 = 2.3263478740408411;

/* Durations end here, so that adding one to an instant cannot overflow. */
static const double duration_max_ns = 0x1p60;

struct draw draw(uint64_t seed, uint64_t key, uint32_t purpose, uint32_t index)
{
    philox4x32_ctr_t counter = {{(uint32_t)key, (uint32_t)(key >> 32), purpose, index}};
    philox4x32_key_t words = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    philox4x32_ctr_t out = philox4x32(counter, words);
    return (struct draw){.a = (uint64_t)out.v[1] << 32 | out.v[0], .b = (uint64_t)out.v[3] << 32 | out.v[2]};
}

/* Odd multiples of 2^-53: neither 0 nor 1, symmetric about a half, and exact. */
double draw_uniform(uint64_t bits)
{
    return (double)(bits >> 11 | 1) * 0x1p-53;
}

double draw_exponential(uint64_t bits)
{
    return -arith_log(draw_uniform(bits));
}

double draw_normal(uint64_t bits)
{
    return arith_normal_quantile(draw_uniform(bits));
}

/* The high half of the product: uniform but for a bias below bound / 2^64. */
uint64_t draw_below(uint64_t bits, uint64_t bound)
{
    return (uint64_t)((unsigned __int128)bits * bound >> 64);
}

double draw_lognormal_mean1(uint64_t bits, double sigma)
{
    return arith_exp(sigma * draw_normal(bits) - sigma * sigma / 2);
}

int64_t draw_duration(uint64_t bits, const struct duration_dist *dist, double sigma)
{
    if (sigma <= 0)
        return dist->p50_ns;
    double ns = (double)dist->p50_ns * arith_exp(sigma * draw_normal(bits)) + 0.5;
    return (int64_t)MIN(ns, duration_max_ns);
}

double duration_dist_sigma(const struct duration_dist *dist)
{
    if (dist->p50_ns <= 0 || dist->p99_ns <= dist->p50_ns)
        return 0;
    return arith_log((double)dist->p99_ns / (double)dist->p50_ns) / z_p99;
}
