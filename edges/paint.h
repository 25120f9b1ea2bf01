/*
 * paint: what a terminal can show - colour, bars and columns, or plain ASCII.
 *
 * Widths are in characters, one column each. Text from a scenario goes through here, so that no control
 * character of it reaches a terminal.
 */
#ifndef EDGES_PAINT_H
#define EDGES_PAINT_H

#include "core/text.h"

struct paint {
    bool colour, utf8;
};

enum hue { HUE_NONE, HUE_BOLD, HUE_DIM, HUE_GREEN, HUE_YELLOW, HUE_RED };

/* Colour on a terminal alone, never with NO_COLOR (no-color.org: set and not empty) or TERM=dumb;
   UTF-8 where the locale has it. */
struct paint paint_for(int fd);

/* Columns of the terminal; 0: not a terminal, or it does not tell. */
size_t paint_columns(int fd);

/* The string, control characters (and in ASCII whatever is not) as `?`. */
void paint_plain(struct text *text, const struct paint *paint, const char *string);
void paint_hue(struct text *text, const struct paint *paint, enum hue hue, const char *string);

/* At most `width` characters; the last one shows where something was cut off. */
void paint_cut(struct text *text, const struct paint *paint, enum hue hue, const char *string, size_t width);
/* A column `width` wide: padded, or cut. */
void paint_left(struct text *text, const struct paint *paint, enum hue hue, const char *string, size_t width);
/* What a line begins with, a column `width` wide; a longer name is told whole, out of line. */
void paint_label(struct text *text, const struct paint *paint, const char *string, size_t width);
void paint_right(struct text *text, const struct paint *paint, enum hue hue, const char *string,
                 size_t width);

/* Paragraphs of words in lines of at most so many columns; a longer word has a line of its own. */
void paint_wrapped(struct text *text, const struct paint *paint, const char *string, size_t columns);

/* A bar of `ratio` of the width (0 to 1), padded to the width; more than nothing is always seen. */
void paint_bar(struct text *text, const struct paint *paint, enum hue hue, double ratio, size_t width);
/* One character, as high as the ratio. */
void paint_spark(struct text *text, const struct paint *paint, enum hue hue, double ratio);

void paint_spaces(struct text *text, size_t count);

/* How bad a share of errors is: green up to 2 %, yellow up to 20 %, then red. */
enum hue paint_error_hue(double ratio);

#endif
