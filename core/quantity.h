/*
 * quantity: numbers with units as a person writes them - 90s, 2m30s, 1.0465us, 800/min, 75%.
 *
 * Whole digits and decimals are kept apart and multiplied as integers, so nothing is lost on the way:
 * a duration is exact to the picosecond, a rate or share is one correctly rounded division. At most 9
 * digits before the point and 9 behind it. Nothing is allocated; no locale.
 */
#ifndef CORE_QUANTITY_H
#define CORE_QUANTITY_H

#include "core/base.h"

enum quantity_result {
    QUANTITY_OK,
    QUANTITY_FORM, /* not written like this kind of quantity */
    QUANTITY_NO_UNIT, /* a bare number */
    QUANTITY_NEGATIVE, /* would be right without the minus */
    QUANTITY_LARGE, /* above 1,000 hours */
    QUANTITY_FINE /* finer than what it is kept in */
};

/* Why it was refused, as the end of a sentence: "missing unit". */
const char *quantity_problem(enum quantity_result result);

/* Units h, m, s, ms, us, ns, each at most once and falling: 2m30s. In picoseconds, or in nanoseconds. */
enum quantity_result quantity_duration_ps(struct slice text, int64_t *duration_ps);
enum quantity_result quantity_duration(struct slice text, int64_t *duration_ns);

/* 800/min, 5/s, 1000/h, as a rate per minute. */
enum quantity_result quantity_rate(struct slice text, double *per_min);

/* 75% as 0.75. */
enum quantity_result quantity_percent(struct slice text, double *share);

/* A number as YAML 1.2 (core schema, 10.3.2) and JSON write it: 20, -1.5, 1e3, 0x1f, 0o17. Total: more
   digits than a double holds are rounded, what is too large becomes infinite. */
bool quantity_number(struct slice text, double *number);
bool quantity_is_integer(struct slice text); /* no point, no exponent */

#endif
