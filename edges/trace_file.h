/*
 * trace_file: reads OTLP/JSON trace files, one request of the protocol a line, as `--traces` writes them.
 *
 * A list of files is their names with commas between. One that is not there stands for its parts, which the processes
 * of a spread run have written in its place (edges/part_file.h). Lines are read one at a time: at most
 * TRACE_LINE_BYTES_MAX each. What is not such a file is told as FILE:LINE: what was expected. Ids may be in
 * either case. Everything handed out is the reader's, and good for the call alone.
 */
#ifndef EDGES_TRACE_FILE_H
#define EDGES_TRACE_FILE_H

#include "core/text.h"

#include <jansson.h>

enum { TRACE_LINE_BYTES_MAX = 64 * 1024 * 1024 };

/* What a line's span says of itself, checked. */
struct trace_file_span {
    uint64_t trace_hi, trace_lo, id, parent; /* parent 0: none */
    const char *name;
    const json_t *json;
};

struct trace_file_reader {
    void *owner;
    bool (*wants)(void *owner, const char *line, size_t len); /* NULL: every line */
    void (*resource)(void *owner, const json_t *attributes); /* of the spans that follow; may be NULL */
    bool (*span)(void *owner, const struct trace_file_span *span); /* false: too many for the reader */
};

/* False, and why, when a file cannot be read to its end. */
bool trace_files_read(const char *list, const struct trace_file_reader *reader, struct text *error);

#endif
