/*
 * otlp_export_retry: what an attempt's outcome means, and how long to wait for the next one
 * (OpenTelemetry protocol 1.11, "OTLP/HTTP Response"; RFC 9110, Retry-After).
 */
#ifndef EDGES_OTLP_EXPORT_RETRY_H
#define EDGES_OTLP_EXPORT_RETRY_H

#include "core/base.h"

enum otlp_verdict { OTLP_ACCEPTED, OTLP_RETRY, OTLP_REFUSED };

enum otlp_verdict otlp_verdict(long http_code);

/* 1 s, then half as much again each time, up to 5 s; times 0.8 to 1.2. `chance` in [0, 1). */
double otlp_backoff_s(unsigned failures, double chance);

/* Seconds from now_unix_s that a Retry-After asks for: a number of them, or a date. At most an hour; a
   negative number: it cannot be read. `value` need not end with NUL. */
enum { OTLP_RETRY_AFTER_MAX_S = 3600 };
double otlp_retry_after_s(const char *value, size_t len, double now_unix_s);

#endif
