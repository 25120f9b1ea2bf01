#include "core/curve.h"

#include "core/arith.h"

/* A century and a half: past it an instant counts as never, and no sum overflows. */
static const double beyond_all_time_ns = 0x1p62;

/* Number of points at or before the instant. */
static size_t points_passed(const struct curve *curve, int64_t at_ns)
{
    size_t low = 0, high = curve->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (curve->points[middle].at_ns <= at_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The value between two neighbours; a is at or before the instant and b after it. */
static double between(const struct curve_point *a, const struct curve_point *b, int64_t at_ns)
{
    double share = (double)(at_ns - a->at_ns) / (double)(b->at_ns - a->at_ns);
    return a->value + (b->value - a->value) * share;
}

double curve_at(const struct curve *curve, int64_t at_ns)
{
    size_t passed = points_passed(curve, at_ns);
    if (passed == 0)
        return 0;
    const struct curve_point *last = &curve->points[passed - 1];
    return passed == curve->count ? last->value : between(last, last + 1, at_ns);
}

/* `minutes` after the instant, to the nearest nanosecond; NEVER if that is beyond all time. */
static int64_t later(int64_t at_ns, double minutes)
{
    double ns = minutes * (double)NS_PER_MIN + 0.5;
    return ns + (double)at_ns < beyond_all_time_ns ? at_ns + (int64_t)ns : NEVER;
}

/*
 * Minutes until the area under a line that starts at `value` and rises by `slope` a minute is `area`.
 * It solves slope/2 x^2 + value x = area in the form that does not cancel and stands a slope of zero.
 */
static double minutes_to_area(double value, double slope, double area)
{
    double square = value * value + 2 * slope * area;
    return 2 * area / (value + arith_sqrt(MAX(square, 0)));
}

int64_t curve_advance(const struct curve *curve, int64_t from_ns, double area)
{
    if (area <= 0)
        return from_ns;
    if (curve->count == 0)
        return NEVER;
    size_t next = points_passed(curve, from_ns);
    int64_t at_ns = from_ns;
    double value = curve_at(curve, from_ns);
    if (next == 0) {
        at_ns = curve->points[0].at_ns;
        value = curve->points[0].value;
        next = 1;
    }
    for (; next < curve->count; next++) {
        const struct curve_point *end = &curve->points[next];
        double minutes = (double)(end->at_ns - at_ns) / (double)NS_PER_MIN;
        double piece = (value + end->value) / 2 * minutes;
        if (area <= piece) {
            double slope = (end->value - value) / minutes;
            return MIN(later(at_ns, minutes_to_area(value, slope, area)), end->at_ns);
        }
        area -= piece;
        at_ns = end->at_ns;
        value = end->value;
    }
    return value > 0 ? later(at_ns, area / value) : NEVER;
}
