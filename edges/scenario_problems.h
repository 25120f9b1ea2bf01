/*
 * scenario_problems: what is wrong with a scenario file, collected while it is read.
 *
 * Each problem is one line, `file:line:col: path: expected X, found Y`; the path is that of the node
 * (streams.demo.rate.0), `scenario` for the file as a whole. At most PROBLEMS_MAX are kept, the rest counted.
 * Written in the order of the file, those of --set last.
 */
#ifndef EDGES_SCENARIO_PROBLEMS_H
#define EDGES_SCENARIO_PROBLEMS_H

#include "core/text.h"
#include "edges/yaml_tree.h"

enum { PROBLEMS_MAX = 20, PROBLEM_BYTES_MAX = 400 };

struct problem {
    struct yaml_place at;
    char text[PROBLEM_BYTES_MAX];
};

struct problems {
    struct problem list[PROBLEMS_MAX];
    size_t count, more;
};

/* Whether the list is full: this problem is counted then, and needs no words. */
bool problem_counted(struct problems *problems);

/* The format says the rest of the line: "expected 1 to 9, found %s". Columns to the right of the node's
   own are said with `shift`. */
void problem_add(struct problems *problems, const struct yaml_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void problem_add_at(struct problems *problems, struct yaml_place at, const struct yaml_node *path_of,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The node as a person would name it: `800/min`, a list, nothing. Bounded, without control characters;
   in a buffer of `found`. */
struct found {
    char text[64];
};
const char *problem_found(struct found *found, const struct yaml_node *node);

void problems_write(struct problems *problems, struct text *out);

#endif
