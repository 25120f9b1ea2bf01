#include "edges/scenario_load.h"

#include "edges/scenario_fields.h"
#include "edges/scenario_fill.h"
#include "edges/scenario_set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads what the file must be; one problem or none. */
static struct yaml_node *read_tree(struct yaml_tree *tree, const char *name, const char *bytes, size_t len,
                                   struct problems *problems)
{
    struct yaml_error error;
    struct yaml_place start = {yaml_tree_copy(tree, name, strlen(name)), 1, 1};
    struct yaml_node *root = yaml_tree_read(tree, start, 0, bytes, len, &error);
    if (!root)
        problem_add_at(problems, error.at, error.within, "expected %s, found %s", error.expected,
                       error.found);
    return root;
}

static bool load_tree(struct filling *filling, const char *name, const char *bytes, size_t len,
                      const char *const *settings, size_t setting_count)
{
    struct yaml_node *root = read_tree(filling->tree, name, bytes, len, filling->problems);
    for (size_t i = 0; root && i < setting_count; i++)
        scenario_set(filling->tree, root, settings[i], i + 1, filling->problems);
    filling->root = root;
    if (!root || filling->problems->count || !shape_check(root, &shape_scenario, filling->problems))
        return false;
    scenario_fill(filling);
    return filling->problems->count == 0;
}

struct scenario *scenario_load_text(const char *name, const char *bytes, size_t len,
                                    const struct registry *registry, const char *const *settings,
                                    size_t setting_count, struct text *errors)
{
    struct problems problems = {0};
    struct scenario *scenario = base_alloc(1, sizeof *scenario);
    struct yaml_tree *tree = base_alloc(1, sizeof *tree);
    scenario->memory = tree;
    struct filling filling = {
        .tree = tree, .registry = registry, .scenario = scenario, .problems = &problems};
    if (load_tree(&filling, name, bytes, len, settings, setting_count)) {
        scenario->file = filling.root->at.source;
        return scenario;
    }
    problems_write(&problems, errors);
    scenario_free(scenario);
    return NULL;
}

void scenario_free(struct scenario *scenario)
{
    if (!scenario)
        return;
    yaml_tree_free(scenario->memory);
    free(scenario->memory);
    free(scenario);
}

/* ---- The file ---- */

static struct scenario *refuse_file(const char *file, const char *expected, const char *found,
                                    struct text *errors)
{
    struct problems problems = {0};
    problem_add_at(&problems, (struct yaml_place){file, 1, 1}, NULL, "expected %s, found %s", expected,
                   found);
    problems_write(&problems, errors);
    return NULL;
}

/* At most one byte more than a scenario may have, so that its reader refuses it. -1: errno says why. */
static ssize_t read_all(int fd, char *bytes, size_t size)
{
    size_t len = 0;
    while (len < size) {
        ssize_t more = read(fd, bytes + len, size - len);
        if (more < 0 && errno != EINTR)
            return -1;
        if (more == 0)
            break;
        len += more > 0 ? (size_t)more : 0;
    }
    return (ssize_t)len;
}

struct scenario *scenario_load(const char *file, const struct registry *registry, const char *const *settings,
                               size_t setting_count, struct text *errors)
{
    /* A pipe or a device must not be waited for. */
    int fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat about;
    if (fd < 0)
        return refuse_file(file, "a file that can be read", strerror(errno), errors);
    struct scenario *scenario = NULL;
    if (fstat(fd, &about) || !S_ISREG(about.st_mode)) {
        refuse_file(file, "a regular file", S_ISDIR(about.st_mode) ? "a directory" : "something else",
                    errors);
    } else {
        size_t size = YAML_BYTES_MAX + 1;
        char *bytes = base_alloc(size, 1);
        ssize_t len = read_all(fd, bytes, size);
        if (len < 0)
            refuse_file(file, "a file that can be read", strerror(errno), errors);
        else
            scenario =
                scenario_load_text(file, bytes, (size_t)len, registry, settings, setting_count, errors);
        free(bytes);
    }
    close(fd);
    return scenario;
}
