#include "edges/paint.h"

#include <langinfo.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct paint paint_for(int fd)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    bool colour = isatty(fd) && !(no_color && *no_color) && term && strcmp(term, "dumb");
    return (struct paint){.colour = colour, .utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8")};
}

static void hue_begin(struct text *text, const struct paint *paint, enum hue hue)
{
    static const char *const codes[] = {
        [HUE_NONE] = "",          [HUE_BOLD] = "\x1b[1m",    [HUE_DIM] = "\x1b[2m",
        [HUE_GREEN] = "\x1b[32m", [HUE_YELLOW] = "\x1b[33m", [HUE_RED] = "\x1b[31m",
    };
    if (paint->colour)
        text_str(text, codes[hue]);
}

static void hue_end(struct text *text, const struct paint *paint, enum hue hue)
{
    if (paint->colour && hue != HUE_NONE)
        text_lit(text, "\x1b[0m");
}

size_t paint_columns(int fd)
{
    struct winsize size;
    return isatty(fd) && !ioctl(fd, TIOCGWINSZ, &size) ? size.ws_col : 0;
}

/* Bytes of the UTF-8 character at `at`; 1 for a byte that starts none. */
static size_t character_bytes(const unsigned char *at)
{
    size_t len = *at < 0xc2 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : *at < 0xf5 ? 4 : 1;
    for (size_t i = 1; i < len; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 1;
    return len;
}

/* At most `most` characters; returns how many the string has. */
static size_t put_characters(struct text *text, const struct paint *paint, const char *string, size_t most)
{
    size_t count = 0;
    for (const unsigned char *at = (const unsigned char *)string; *at; count++) {
        size_t bytes = character_bytes(at);
        bool control = *at < 0x20 || *at == 0x7f || (*at == 0xc2 && bytes == 2 && at[1] < 0xa0);
        bool shown = bytes == 1 ? *at < 0x80 && !control : paint->utf8 && !control;
        if (count < most) {
            if (shown)
                text_bytes(text, at, bytes);
            else
                text_char(text, '?');
        }
        at += bytes;
    }
    return count;
}

void paint_plain(struct text *text, const struct paint *paint, const char *string)
{
    put_characters(text, paint, string, SIZE_MAX);
}

void paint_hue(struct text *text, const struct paint *paint, enum hue hue, const char *string)
{
    hue_begin(text, paint, hue);
    paint_plain(text, paint, string);
    hue_end(text, paint, hue);
}

void paint_spaces(struct text *text, size_t count)
{
    while (count--)
        text_char(text, ' ');
}

void paint_cut(struct text *text, const struct paint *paint, enum hue hue, const char *string, size_t width)
{
    size_t all = put_characters(text, paint, string, 0);
    hue_begin(text, paint, hue);
    if (all <= width) {
        put_characters(text, paint, string, width);
    } else if (width) {
        put_characters(text, paint, string, width - 1);
        text_str(text, paint->utf8 ? "…" : "~");
    }
    hue_end(text, paint, hue);
}

void paint_left(struct text *text, const struct paint *paint, enum hue hue, const char *string, size_t width)
{
    size_t all = put_characters(text, paint, string, 0);
    paint_cut(text, paint, hue, string, width);
    paint_spaces(text, width - MIN(all, width));
}

void paint_label(struct text *text, const struct paint *paint, const char *string, size_t width)
{
    size_t all = put_characters(text, paint, string, SIZE_MAX);
    paint_spaces(text, all < width ? width - all : 2);
}

void paint_right(struct text *text, const struct paint *paint, enum hue hue, const char *string, size_t width)
{
    size_t all = put_characters(text, paint, string, 0);
    paint_spaces(text, width - MIN(all, width));
    paint_cut(text, paint, hue, string, width);
}

void paint_wrapped(struct text *text, const struct paint *paint, const char *string, size_t columns)
{
    struct text word = {0};
    size_t used = 0;
    for (const char *at = string; *at;) {
        size_t spaces = strspn(at, " \n\t"), len = strcspn(at + spaces, " \n\t");
        at += spaces;
        if (!len)
            break;
        word.len = 0;
        text_bytes(&word, at, len);
        size_t width = put_characters(text, paint, text_c(&word), 0);
        if (used && used + 1 + width > columns) {
            text_char(text, '\n');
            used = 0;
        } else if (used) {
            text_char(text, ' ');
            used++;
        }
        paint_plain(text, paint, text_c(&word));
        used += width;
        at += len;
    }
    text_fini(&word);
}

void paint_bar(struct text *text, const struct paint *paint, enum hue hue, double ratio, size_t width)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    size_t steps = paint->utf8 ? 8 : 1;
    double within = ratio < 0 ? 0 : ratio > 1 ? 1 : ratio;
    size_t filled = (size_t)(within * (double)(width * steps) + 0.5);
    if (ratio > 0 && !filled)
        filled = 1;
    hue_begin(text, paint, hue);
    for (size_t i = 0; i < filled / steps; i++)
        text_str(text, paint->utf8 ? "█" : "#");
    text_str(text, eighths[filled % steps]);
    hue_end(text, paint, hue);
    paint_spaces(text, width - (filled + steps - 1) / steps);
}

void paint_spark(struct text *text, const struct paint *paint, enum hue hue, double ratio)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const plain[] = {"_", ".", ":", "-", "=", "+", "*", "#"};
    size_t level = ratio <= 0 ? 0 : 1 + (size_t)(MIN(ratio, 1.0) * 6.999);
    hue_begin(text, paint, hue);
    text_str(text, paint->utf8 ? blocks[MIN(level, 7u)] : plain[MIN(level, 7u)]);
    hue_end(text, paint, hue);
}

enum hue paint_error_hue(double ratio)
{
    return ratio <= 0.02 ? HUE_GREEN : ratio <= 0.2 ? HUE_YELLOW : HUE_RED;
}
