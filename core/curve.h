/*
 * curve: a value along the timeline - points, linear between them, constant after the last, 0 before the first.
 *
 * Units are the owner's (rates are per minute, products are rows). Points are in rising order of time
 * (the loader checks). At most CURVE_POINTS_MAX points.
 */
#ifndef CORE_CURVE_H
#define CORE_CURVE_H

#include "core/base.h"

enum { CURVE_POINTS_MAX = 256 };

struct curve_point {
    int64_t at_ns;
    double value;
};

struct curve {
    struct curve_point *points;
    size_t count;
};

double curve_at(const struct curve *curve, int64_t at_ns);

/* The instant at which the area under the curve from `from_ns` on reaches `area` (value x minutes);
   NEVER if it never does. This is how Poisson arrivals follow a rate. */
int64_t curve_advance(const struct curve *curve, int64_t from_ns, double area);

#endif
