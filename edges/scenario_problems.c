#include "edges/scenario_problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH_BYTES_MAX = 160 };

/* Bytes of the text that fit in `max` without splitting a character. */
static int cut(const char *text, int max)
{
    int len = (int)strnlen(text, (size_t)max + 1);
    if (len <= max)
        return len;
    while (max && ((unsigned char)text[max] & 0xc0) == 0x80)
        max--;
    return max;
}

/* streams.demo.rate.0; a path that is too long loses its middle. */
static void write_path(const struct yaml_node *node, char *out, size_t size)
{
    const struct yaml_node *steps[YAML_NESTING_MAX + 2];
    size_t count = 0, used = 0;
    for (; node && node->parent && count < ARRAY_LEN(steps); node = node->parent)
        steps[count++] = node;
    snprintf(out, size, "%s", count ? "" : "scenario");
    while (count--) {
        const char *dot = used ? "." : "";
        int more = steps[count]->key
                       ? snprintf(out + used, size - used, "%s%.*s", dot, cut(steps[count]->key, 40),
                                  steps[count]->key)
                       : snprintf(out + used, size - used, "%s%u", dot, yaml_node_position(steps[count]));
        used = MIN(used + (size_t)more, size - 1);
    }
}

/* Control characters would end the line or colour the terminal. */
static void clean(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

bool problem_counted(struct problems *problems)
{
    bool full = problems->count == PROBLEMS_MAX;
    problems->more += full;
    return full;
}

__attribute__((format(printf, 4, 0))) static void add(struct problems *problems, struct yaml_place at,
                                                      const struct yaml_node *node, const char *format,
                                                      va_list args)
{
    if (problem_counted(problems))
        return;
    struct problem *problem = &problems->list[problems->count++];
    char path[PATH_BYTES_MAX];
    write_path(node, path, sizeof path);
    problem->at = at;
    int used = snprintf(problem->text, sizeof problem->text, "%s: ", path);
    vsnprintf(problem->text + used, sizeof problem->text - (size_t)used, format, args);
    clean(problem->text);
}

void problem_add(struct problems *problems, const struct yaml_node *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(problems, node->at, node, format, args);
    va_end(args);
}

void problem_add_at(struct problems *problems, struct yaml_place at, const struct yaml_node *path_of,
                    const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(problems, at, path_of, format, args);
    va_end(args);
}

const char *problem_found(struct found *found, const struct yaml_node *node)
{
    const char *quote = node->kind == NODE_TEXT ? "`" : "";
    switch (node->kind) {
    case NODE_NOTHING:
        return "nothing";
    case NODE_LIST:
        return "a list";
    case NODE_MAP:
        return "a map";
    default:
        snprintf(found->text, sizeof found->text, "%s%.*s%s%s", quote, cut(node->text, 40), node->text,
                 node->len > 40 ? "..." : "", quote);
        return found->text;
    }
}

static int compare(const void *left, const void *right)
{
    const struct yaml_place *a = &((const struct problem *)left)->at,
                            *b = &((const struct problem *)right)->at;
    int by_source = (strcmp(a->source, "--set") == 0) - (strcmp(b->source, "--set") == 0);
    int by_line = (a->line > b->line) - (a->line < b->line);
    int by_col = (a->col > b->col) - (a->col < b->col);
    return by_source ? by_source : by_line ? by_line : by_col;
}

void problems_write(struct problems *problems, struct text *out)
{
    qsort(problems->list, problems->count, sizeof problems->list[0], compare);
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->list[i];
        text_str(out, problem->at.source);
        text_char(out, ':');
        text_u64(out, problem->at.line);
        text_char(out, ':');
        text_u64(out, problem->at.col);
        text_lit(out, ": ");
        text_str(out, problem->text);
        text_char(out, '\n');
    }
    if (problems->more) {
        text_lit(out, "and ");
        text_u64(out, problems->more);
        text_lit(out, " more\n");
    }
}
