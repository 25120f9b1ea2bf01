#include "edges/start_time.h"

#include "core/base.h"

#include <time.h>

enum { YEAR_FIRST = 1970, YEAR_LAST = 2261 };

#define SECONDS_LAST INT64_C(9214646400) /* 2262-01-01T00:00:00Z */

/* Exactly `count` digits; moves past them. */
static bool digits(const char **at, int count, int *value)
{
    *value = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *value = *value * 10 + (**at - '0');
    }
    return true;
}

static bool literal(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* Any number of digits, nine of which count. */
static bool fraction(const char **at, int64_t *ns)
{
    int64_t unit = NS_PER_S;
    *ns = 0;
    if (!literal(at, '.'))
        return true;
    if (**at < '0' || **at > '9')
        return false;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        unit /= 10;
        *ns += (**at - '0') * unit;
    }
    return true;
}

/* Z or +hh:mm, in seconds east of UTC. */
static bool offset(const char **at, int *east_s)
{
    int hours, minutes;
    *east_s = 0;
    if (literal(at, 'Z') || literal(at, 'z'))
        return true;
    int sign = **at == '-' ? -1 : 1;
    if (!literal(at, '+') && !literal(at, '-'))
        return false;
    if (!digits(at, 2, &hours) || !literal(at, ':') || !digits(at, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *east_s = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool rfc3339(const char *at, int64_t *unix_ns)
{
    int year, month, day, hour, minute, second, east_s;
    int64_t part_ns;
    if (!digits(&at, 4, &year) || !literal(&at, '-') || !digits(&at, 2, &month) || !literal(&at, '-') ||
        !digits(&at, 2, &day) || (!literal(&at, 'T') && !literal(&at, 't') && !literal(&at, ' ')))
        return false;
    if (!digits(&at, 2, &hour) || !literal(&at, ':') || !digits(&at, 2, &minute) || !literal(&at, ':') ||
        !digits(&at, 2, &second) || !fraction(&at, &part_ns) || !offset(&at, &east_s) || *at)
        return false;
    if (year < YEAR_FIRST || year > YEAR_LAST || month < 1 || month > 12 || day < 1 ||
        day > month_days(year, month) || hour > 23 || minute > 59 || second > 59)
        return false;
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    tm.tm_hour = hour;
    tm.tm_min = minute;
    tm.tm_sec = second;
    int64_t seconds = (int64_t)timegm(&tm) - east_s;
    if (seconds < 0)
        return false;
    *unix_ns = seconds * NS_PER_S + part_ns;
    return true;
}

static bool unix_seconds(const char *at, int64_t *unix_ns)
{
    int64_t seconds = 0;
    if (!*at)
        return false;
    for (; *at; at++) {
        if (*at < '0' || *at > '9')
            return false;
        seconds = seconds * 10 + (*at - '0');
        if (seconds >= SECONDS_LAST)
            return false;
    }
    *unix_ns = seconds * NS_PER_S;
    return true;
}

bool start_time_parse(const char *text, int64_t *unix_ns)
{
    return unix_seconds(text, unix_ns) || rfc3339(text, unix_ns);
}

int64_t start_time_ending_now(int64_t duration_ns)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec - duration_ns;
}
