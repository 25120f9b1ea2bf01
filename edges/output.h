/*
 * output: a file that a run writes, opened before the run so that a mistake shows at once.
 *
 * "-" is standard output, which is not closed. Errors are explained on stderr with the option's name.
 */
#ifndef EDGES_OUTPUT_H
#define EDGES_OUTPUT_H

#include "core/text.h"
#include "edges/options.h"

struct outputs {
    int fd[OUTPUT_KINDS]; /* -1: not wanted */
};

/* Opens (and empties) what the options name; false: explained, nothing is left open. */
bool outputs_open(struct outputs *outputs, const struct options *options);
/* False: a file could not be completed; explained. */
bool outputs_close(struct outputs *outputs, const struct options *options);

/* Writes it all; `name` for the message. */
bool output_write(int fd, const char *name, const struct text *text);
/* Says on stderr that `name` could not be written, for this errno. */
void output_failed(const char *name, int error);

#endif
