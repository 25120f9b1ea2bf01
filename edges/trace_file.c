#include "edges/trace_file.h"

#include "edges/part_file.h"
#include "edges/registry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The bytes of a file that have been read and not yet taken. */
struct lines {
    FILE *file;
    char *bytes;
    size_t from, to, cap;
};

enum line_result { LINE_TAKEN, LINE_NONE, LINE_TOO_LONG, LINE_FAILED };

static bool read_more(struct lines *lines)
{
    if (lines->from) {
        memmove(lines->bytes, lines->bytes + lines->from, lines->to - lines->from);
        lines->to -= lines->from;
        lines->from = 0;
    }
    if (lines->to == lines->cap) {
        size_t cap = MAX(lines->cap * 2, (size_t)1 << 20);
        lines->bytes = base_grow(lines->bytes, lines->cap, cap, 1);
        lines->cap = cap;
    }
    size_t got = fread(lines->bytes + lines->to, 1, lines->cap - lines->to, lines->file);
    lines->to += got;
    return got > 0;
}

/* The next line, without its end; the last one may have none. */
static enum line_result next_line(struct lines *lines, struct slice *line)
{
    size_t seen = 0;
    for (;;) {
        char *start = lines->bytes + lines->from;
        size_t held = lines->to - lines->from;
        char *end = held > seen ? memchr(start + seen, '\n', held - seen) : NULL;
        if (end) {
            *line = (struct slice){start, (uint32_t)(end - start)};
            lines->from += line->len + 1u;
            return LINE_TAKEN;
        }
        if (held > TRACE_LINE_BYTES_MAX)
            return LINE_TOO_LONG;
        seen = held;
        if (read_more(lines))
            continue;
        if (ferror(lines->file))
            return LINE_FAILED;
        *line = (struct slice){lines->bytes + lines->from, (uint32_t)held};
        lines->from = lines->to;
        return held ? LINE_TAKEN : LINE_NONE;
    }
}

/* ---- what a line says ---- */

static const char *read_hex(const json_t *node, uint64_t *words, size_t count)
{
    const char *text = json_string_value(node);
    if (!text || json_string_length(node) != count * 16)
        return NULL;
    for (size_t i = 0; i < count * 16; i++) {
        char c = text[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 16;
        if (digit > 15)
            return NULL;
        words[i / 16] = words[i / 16] << 4 | digit;
    }
    return text;
}

/* NULL, or what was expected. */
static const char *read_span(const json_t *json, const struct trace_file_reader *reader)
{
    uint64_t trace[2] = {0};
    struct trace_file_span span = {.json = json, .name = json_string_value(json_object_get(json, "name"))};
    const json_t *parent = json_object_get(json, "parentSpanId");
    if (!read_hex(json_object_get(json, "traceId"), trace, 2))
        return "a traceId of 32 hexadecimal digits";
    if (!read_hex(json_object_get(json, "spanId"), &span.id, 1))
        return "a spanId of 16 hexadecimal digits";
    if (parent && json_string_length(parent) && !read_hex(parent, &span.parent, 1))
        return "a parentSpanId of 16 hexadecimal digits";
    if (!span.name)
        return "a name of the span";
    if (!reader->span)
        return NULL;
    span.trace_hi = trace[0];
    span.trace_lo = trace[1];
    return reader->span(reader->owner, &span) ? NULL : "fewer traces: these are too many";
}

static const char *read_resource(const json_t *resource, const struct trace_file_reader *reader)
{
    size_t s, i;
    json_t *scope, *span;
    const json_t *scopes = json_object_get(resource, "scopeSpans");
    if (!json_is_array(scopes))
        return "a list scopeSpans";
    if (reader->resource)
        reader->resource(reader->owner, json_object_get(json_object_get(resource, "resource"), "attributes"));
    json_array_foreach(scopes, s, scope)
    {
        const json_t *spans = json_object_get(scope, "spans");
        if (!json_is_array(spans))
            return "a list spans";
        json_array_foreach(spans, i, span)
        {
            const char *expected = read_span(span, reader);
            if (expected)
                return expected;
        }
    }
    return NULL;
}

static bool read_line(struct slice line, const struct trace_file_reader *reader, struct text *why)
{
    size_t i;
    json_error_t error;
    json_t *resource, *root = json_loadb(line.at, line.len, 0, &error);
    const json_t *resources = json_object_get(root, "resourceSpans");
    const char *expected = json_is_array(resources) ? NULL : "a list resourceSpans";
    if (!root) {
        text_str(why, "not JSON: ");
        text_str(why, error.text);
        return false;
    }
    json_array_foreach(resources, i, resource)
    {
        if (!expected)
            expected = read_resource(resource, reader);
    }
    json_decref(root);
    if (expected) {
        text_str(why, "expected ");
        text_str(why, expected);
    }
    return !expected;
}

/* ---- files ---- */

static bool blank(struct slice line)
{
    for (uint32_t i = 0; i < line.len; i++)
        if (!strchr(" \t\r", line.at[i]) || !line.at[i])
            return false;
    return true;
}

static void explain(struct text *error, const char *file, uint64_t line, const char *why)
{
    text_str(error, file);
    text_char(error, ':');
    text_u64(error, line);
    text_lit(error, ": ");
    text_str(error, why);
}

static bool read_lines(const char *file, struct lines *lines, const struct trace_file_reader *reader,
                       struct text *error)
{
    struct slice line;
    enum line_result result;
    uint64_t number = 1;
    for (; (result = next_line(lines, &line)) == LINE_TAKEN; number++) {
        struct text why = {0};
        if (blank(line) || (reader->wants && !reader->wants(reader->owner, line.at, line.len)))
            continue;
        bool good = read_line(line, reader, &why);
        if (!good)
            explain(error, file, number, text_c(&why));
        text_fini(&why);
        if (!good)
            return false;
    }
    if (result == LINE_TOO_LONG)
        explain(error, file, number, "a line of more than 64 MiB");
    if (result == LINE_FAILED)
        explain(error, file, number, strerror(errno));
    return result == LINE_NONE;
}

static bool read_file(const char *file, const struct trace_file_reader *reader, struct text *error)
{
    struct lines lines = {.file = fopen(file, "rb")};
    if (!lines.file) {
        text_str(error, file);
        text_lit(error, ": ");
        text_str(error, strerror(errno));
        return false;
    }
    bool good = read_lines(file, &lines, reader, error);
    fclose(lines.file);
    free(lines.bytes);
    return good;
}

/* Of a name that stands for the files of many processes. False: there are none, or one cannot be read. */
static bool read_parts(const char *file, const struct trace_file_reader *reader, struct text *error)
{
    struct text parts = {0};
    size_t count = part_files_find(file, &registry, &parts);
    bool good = true;
    if (!count) {
        text_str(error, file);
        text_lit(error, ": ");
        text_str(error, strerror(ENOENT));
        good = false;
    }
    for (const char *part = parts.bytes; good && count--; part += strlen(part) + 1)
        good = read_file(part, reader, error);
    text_fini(&parts);
    return good;
}

bool trace_files_read(const char *list, const struct trace_file_reader *reader, struct text *error)
{
    char *names = base_copy(list), *rest = names, *file;
    bool good = true;
    while (good && (file = strsep(&rest, ","))) {
        bool parts = access(file, F_OK) && errno == ENOENT;
        good = parts ? read_parts(file, reader, error) : read_file(file, reader, error);
    }
    free(names);
    return good;
}
