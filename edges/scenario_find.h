/*
 * scenario_find: scenario files by name.
 *
 * Looked for as NAME.yaml, in this order: the folders of DOORBUSTER_SCENARIOS (separated by colons),
 * ./scenarios, ../share/doorbuster/scenarios from where the program stands (an installed one), ../scenarios
 * from there (one just built). The first file of a name hides the later ones. At most SCENARIOS_MAX names;
 * further ones are left out.
 */
#ifndef EDGES_SCENARIO_FIND_H
#define EDGES_SCENARIO_FIND_H

#include "core/base.h"

#include <limits.h>

enum { SCENARIOS_MAX = 256, SCENARIO_NAME_MAX = 127 };

struct scenario_file {
    char name[SCENARIO_NAME_MAX + 1];
    char path[PATH_MAX];
};

struct scenario_list {
    struct scenario_file *files; /* sorted by name */
    size_t count;
};

void scenario_list_init(struct scenario_list *list);
void scenario_list_fini(struct scenario_list *list);

/* The file that an argument means: the argument itself where it is a path (has a slash, or is there),
   else the file of that name; an argument that is neither stays as it is. In `path`. */
const char *scenario_find(const char *argument, char path[static PATH_MAX]);

/* After scenario_find: where there is no such file, says on stderr which name was probably meant. */
void scenario_find_explain(const char *file);

#endif
