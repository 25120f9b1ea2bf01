#include "core/log.h"

const char *log_body_text(enum log_body body)
{
    static const char *const texts[] = {
        [LOG_BODY_SLOW_QUERY] = "Slow query detected: missing index",
        [LOG_BODY_POOL_EXHAUSTED] = "Connection pool exhausted",
        [LOG_BODY_PHASE] = "Phase changed",
        [LOG_BODY_FAULT] = "Fault landed",
    };
    _Static_assert(ARRAY_LEN(texts) == LOG_BODY_COUNT, "every body has a text");
    ASSERT((unsigned)body < LOG_BODY_COUNT);
    return texts[body];
}

const char *log_severity_text(enum log_severity severity)
{
    return severity >= LOG_ERROR ? "ERROR" : severity >= LOG_WARN ? "WARN" : "INFO";
}
