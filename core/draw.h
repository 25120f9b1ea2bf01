/*
 * draw: all chance in the world, as keyed draws.
 *
 * A draw is a function of (seed, key, purpose): no state, so that adding a service or moving one to
 * another process does not shift another's draws. `key` is a span id or a stream and request number;
 * `purpose` tells apart the draws made under one key. Philox4x32-10 (Random123) does the mixing.
 */
#ifndef CORE_DRAW_H
#define CORE_DRAW_H

#include "core/base.h"

struct draw {
    uint64_t a, b;
};

/* A log-normal duration by its median and 99th percentile; p99 = p50 means constant. */
struct duration_dist {
    int64_t p50_ns, p99_ns;
};

struct draw draw(uint64_t seed, uint64_t key, uint32_t purpose, uint32_t index);

double draw_uniform(uint64_t bits); /* in (0, 1), 53 bits */
double draw_exponential(uint64_t bits); /* mean 1 */
double draw_normal(uint64_t bits); /* mean 0, deviation 1 */
uint64_t draw_below(uint64_t bits, uint64_t bound);
/* exp(sigma z - sigma^2 / 2): mean 1. */
double draw_lognormal_mean1(uint64_t bits, double sigma);
int64_t draw_duration(uint64_t bits, const struct duration_dist *dist, double sigma);
/* The sigma that belongs to dist, worked out once. */
double duration_dist_sigma(const struct duration_dist *dist);

#endif
