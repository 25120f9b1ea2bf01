/*
 * log: structured records, tied to the span they belong to. Read by the sink during the call only.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "core/span.h"

enum log_severity { LOG_INFO = 9, LOG_WARN = 13, LOG_ERROR = 17 }; /* OTLP severity numbers */

/* The bodies the program logs; alerts and metrics count them by this index. */
enum log_body {
    LOG_BODY_SLOW_QUERY,
    LOG_BODY_POOL_EXHAUSTED,
    LOG_BODY_PHASE,
    LOG_BODY_FAULT,
    LOG_BODY_COUNT
};

struct log_record {
    enum log_body body;
    enum log_severity severity;
    uint16_t service;
    int64_t at_ns;
    uint64_t trace_hi, trace_lo, span; /* 0: no span */
    uint8_t flags; /* W3C trace flags, of the span */
    struct attrs attrs;
};

const char *log_body_text(enum log_body body);
const char *log_severity_text(enum log_severity severity);

#endif
