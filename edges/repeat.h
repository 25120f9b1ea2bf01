/*
 * repeat: the command that plays a failing run once more - its last line, whatever made it fail.
 *
 * One run a process: the line is kept here, so that a broken assertion can print it too.
 */
#ifndef EDGES_REPEAT_H
#define EDGES_REPEAT_H

#include "core/text.h"
#include "core/world.h"
#include "edges/options.h"

/* From now on a broken assertion prints the seed and the command. What is passed must outlive the run. */
void repeat_watch(const struct options *options, const char *file, uint64_t seed);
/* ... and the instant, while there is a world; NULL: there is none any more. */
void repeat_world(const struct world *world);

/* "repeat: doorbuster simulate FILE --seed N --set ..." on stderr. */
void repeat_print(void);

/* A word as a POSIX shell reads it back. */
void repeat_quote(struct text *text, const char *word);

#endif
