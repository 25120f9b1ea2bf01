#include "edges/scenario_find.h"

#include "edges/hint.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The folder that the program stands in, or "" where the system does not tell. */
static void program_folder(char folder[static PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", folder, PATH_MAX - 1);
    folder[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = '\0';
}

static bool known(const struct scenario_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->files[i].name, name))
            return true;
    return false;
}

static void list_folder(struct scenario_list *list, const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir)) && list->count < SCENARIOS_MAX;) {
        struct scenario_file *file = &list->files[list->count];
        const char *dot = strrchr(entry->d_name, '.');
        size_t len = dot ? (size_t)(dot - entry->d_name) : 0;
        if (!len || len > SCENARIO_NAME_MAX || entry->d_name[0] == '.' || strcmp(dot, ".yaml"))
            continue;
        memcpy(file->name, entry->d_name, len);
        file->name[len] = '\0';
        int path_len = snprintf(file->path, sizeof file->path, "%s/%s", folder, entry->d_name);
        if (path_len < (int)sizeof file->path && !known(list, file->name))
            list->count++;
    }
    closedir(dir);
}

static void list_folders(struct scenario_list *list, const char *folders)
{
    char folder[PATH_MAX];
    for (const char *at = folders; at && *at;) {
        size_t len = strcspn(at, ":");
        if (len && len < sizeof folder) {
            memcpy(folder, at, len);
            folder[len] = '\0';
            list_folder(list, folder);
        }
        at += len + (at[len] == ':');
    }
}

static int by_name(const void *a, const void *b)
{
    const struct scenario_file *one = a, *other = b;
    return strcmp(one->name, other->name);
}

void scenario_list_init(struct scenario_list *list)
{
    static const char *const beside[] = {"/../share/doorbuster/scenarios", "/../scenarios"};
    char program[PATH_MAX], folder[PATH_MAX + 64];
    *list = (struct scenario_list){.files = base_alloc(SCENARIOS_MAX, sizeof *list->files)};
    list_folders(list, getenv("DOORBUSTER_SCENARIOS"));
    list_folder(list, "scenarios");
    program_folder(program);
    for (size_t i = 0; *program && i < ARRAY_LEN(beside); i++) {
        snprintf(folder, sizeof folder, "%s%s", program, beside[i]);
        list_folder(list, folder);
    }
    qsort(list->files, list->count, sizeof *list->files, by_name);
}

void scenario_list_fini(struct scenario_list *list)
{
    free(list->files);
    *list = (struct scenario_list){0};
}

const char *scenario_find(const char *argument, char path[static PATH_MAX])
{
    struct scenario_list list;
    if (strchr(argument, '/') || access(argument, F_OK) == 0)
        return argument;
    scenario_list_init(&list);
    const char *found = argument;
    for (size_t i = 0; i < list.count; i++)
        if (!strcmp(list.files[i].name, argument))
            found = memcpy(path, list.files[i].path, sizeof list.files[i].path);
    scenario_list_fini(&list);
    return found;
}

void scenario_find_explain(const char *file)
{
    struct scenario_list list;
    const char *names[SCENARIOS_MAX];
    if (strchr(file, '/') || access(file, F_OK) == 0)
        return;
    scenario_list_init(&list);
    for (size_t i = 0; i < list.count; i++)
        names[i] = list.files[i].name;
    const char *nearest = hint_nearest(file, names, list.count);
    if (nearest)
        fprintf(stderr, "Did you mean %s? ", nearest);
    fputs("See `doorbuster scenarios` for those found.\n", stderr);
    scenario_list_fini(&list);
}
