/*
 * log_lines: log records as JSON lines on a file descriptor, for people and log shippers that read stderr.
 *
 * One line a record: time (RFC 3339, UTC), severity, service, body, trace_id, span_id, then its attributes. Records
 * below the level are dropped. Lines are gathered and written by log_lines_flush, so a turn never waits; nor does the
 * flush for a reader that has stopped, unless it is told to. At most LOG_LINES_BYTES_MAX are held (and the end of a
 * line); what does not fit is counted and said.
 */
#ifndef EDGES_LOG_LINES_H
#define EDGES_LOG_LINES_H

#include "core/log.h"
#include "core/text.h"

enum { LOG_LINES_BYTES_MAX = 1024 * 1024 };

struct log_lines {
    int fd;
    enum log_severity level;
    int64_t start_unix_ns;
    const char *(*service_name)(void *owner, uint16_t service);
    void *owner;
    struct text held;
    uint64_t dropped;
};

/* "info", "warn", "error"; false: another word. */
bool log_level_parse(const char *word, enum log_severity *level);
void log_lines_put(struct log_lines *lines, const struct log_record *record);
/* Waits for the reader at most limit_ms altogether; what it did not take stays. */
void log_lines_flush(struct log_lines *lines, int limit_ms);

#endif
