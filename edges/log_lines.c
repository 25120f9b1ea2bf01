#include "edges/log_lines.h"

#include "edges/json_out.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

static const struct level {
    const char *word;
    enum log_severity level;
} levels[] = {{"info", LOG_INFO}, {"warn", LOG_WARN}, {"error", LOG_ERROR}};

bool log_level_parse(const char *word, enum log_severity *level)
{
    for (size_t i = 0; i < ARRAY_LEN(levels); i++)
        if (!strcmp(levels[i].word, word)) {
            *level = levels[i].level;
            return true;
        }
    return false;
}

static void put_string(struct text *line, const char *bytes, size_t len)
{
    text_char(line, '"');
    text_reserve(line, JSON_TEXT_ROOM(len));
    line->len = (size_t)(json_text(line->bytes + line->len, bytes, len) - line->bytes);
    text_char(line, '"');
}

static void put_hex(struct text *line, uint64_t value)
{
    text_reserve(line, 16);
    line->len = (size_t)(json_hex64(line->bytes + line->len, value) - line->bytes);
}

static void put_time(struct text *line, int64_t unix_ns)
{
    time_t seconds = unix_ns / NS_PER_S;
    struct tm utc;
    char date[32];
    gmtime_r(&seconds, &utc);
    text_bytes(line, date, strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S.", &utc));
    int64_t millis = unix_ns % NS_PER_S / NS_PER_MS;
    char digits[4] = {(char)('0' + millis / 100), (char)('0' + millis / 10 % 10), (char)('0' + millis % 10),
                      'Z'};
    text_bytes(line, digits, sizeof digits);
}

static void put_value(struct text *line, const struct attr *attr)
{
    text_reserve(line, JSON_NUMBER_ROOM);
    char *at = line->bytes + line->len;
    switch ((enum attr_type)attr->type) {
    case ATTR_TEXT:
        put_string(line, attr->text, attr->len);
        return;
    case ATTR_INT:
        line->len = (size_t)(json_i64(at, attr->integer) - line->bytes);
        return;
    case ATTR_REAL:
        line->len = (size_t)(json_double(at, attr->real) - line->bytes);
        return;
    case ATTR_BOOL:
        text_str(line, attr->truth ? "true" : "false");
        return;
    }
}

void log_lines_put(struct log_lines *lines, const struct log_record *record)
{
    struct text *line = &lines->held;
    if (record->severity < lines->level)
        return;
    if (line->len > LOG_LINES_BYTES_MAX) {
        lines->dropped++;
        return;
    }
    text_lit(line, "{\"time\":\"");
    put_time(line, lines->start_unix_ns + record->at_ns);
    text_lit(line, "\",\"severity\":\"");
    text_str(line, log_severity_text(record->severity));
    text_lit(line, "\",\"service\":");
    const char *service = lines->service_name(lines->owner, record->service);
    put_string(line, service, strlen(service));
    text_lit(line, ",\"body\":");
    const char *body = log_body_text(record->body);
    put_string(line, body, strlen(body));
    if (record->trace_hi | record->trace_lo) {
        text_lit(line, ",\"trace_id\":\"");
        put_hex(line, record->trace_hi);
        put_hex(line, record->trace_lo);
        text_lit(line, "\",\"span_id\":\"");
        put_hex(line, record->span);
        text_char(line, '"');
    }
    for (size_t i = 0; i < record->attrs.count; i++) {
        const char *name = attr_name((enum attr_key)record->attrs.list[i].key);
        text_char(line, ',');
        put_string(line, name, strlen(name));
        text_char(line, ':');
        put_value(line, &record->attrs.list[i]);
    }
    text_lit(line, "}\n");
}

static void say_dropped(struct log_lines *lines)
{
    struct text *held = &lines->held;
    if (!lines->dropped || held->len > LOG_LINES_BYTES_MAX)
        return;
    text_lit(held,
             "{\"severity\":\"WARN\",\"body\":\"log lines dropped: nobody reads fast enough\",\"dropped\":");
    text_u64(held, lines->dropped);
    text_lit(held, "}\n");
    lines->dropped = 0;
}

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / NS_PER_MS;
}

/* Standard error is shared with others, so it cannot be made non-blocking: a pipe that polls as writable takes
   PIPE_BUF bytes without waiting. */
void log_lines_flush(struct log_lines *lines, int limit_ms)
{
    struct text *held = &lines->held;
    struct pollfd reader = {.fd = lines->fd, .events = POLLOUT};
    int64_t until_ms = monotonic_ms() + limit_ms;
    size_t written = 0;
    say_dropped(lines);
    while (written < held->len) {
        int ready = poll(&reader, 1, (int)MAX(until_ms - monotonic_ms(), 0));
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            break;
        ssize_t bytes = write(lines->fd, held->bytes + written, MIN(held->len - written, (size_t)PIPE_BUF));
        if (bytes < 0 && errno == EINTR)
            continue;
        if (bytes <= 0)
            break;
        written += (size_t)bytes;
    }
    if (!written)
        return;
    held->len -= written;
    memmove(held->bytes, held->bytes + written, held->len);
}
