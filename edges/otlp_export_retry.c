#include "edges/otlp_export_retry.h"

#include <curl/curl.h>
#include <time.h>

enum otlp_verdict otlp_verdict(long http_code)
{
    if (http_code >= 200 && http_code <= 299)
        return OTLP_ACCEPTED;
    return http_code == 429 || http_code == 502 || http_code == 503 || http_code == 504 ? OTLP_RETRY
                                                                                        : OTLP_REFUSED;
}

double otlp_backoff_s(unsigned failures, double chance)
{
    double wait_s = 1;
    for (unsigned i = 1; i < failures && wait_s < 5; i++)
        wait_s *= 1.5;
    return MIN(wait_s, 5.0) * (0.8 + 0.4 * chance);
}

static double bounded(double wait_s)
{
    return MAX(0.0, MIN(wait_s, (double)OTLP_RETRY_AFTER_MAX_S));
}

double otlp_retry_after_s(const char *value, size_t len, double now_unix_s)
{
    char text[64];
    while (len && (*value == ' ' || *value == '\t')) {
        value++;
        len--;
    }
    while (len && strchr(" \t\r\n", value[len - 1]))
        len--;
    if (!len || len >= sizeof text)
        return -1;
    memcpy(text, value, len);
    text[len] = '\0';
    if (strspn(text, "0123456789") == len) {
        double seconds = 0;
        for (size_t i = 0; i < len; i++)
            seconds = seconds * 10 + (text[i] - '0');
        return bounded(seconds);
    }
    /* curl reads the three forms of RFC 9110; a number is none of them. */
    time_t at = strchr(text, ':') ? curl_getdate(text, NULL) : -1;
    return at < 0 ? -1 : bounded((double)at - now_unix_s);
}
