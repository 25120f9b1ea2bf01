#include "edges/part_file.h"

#include <dirent.h>

enum { LIFE_DIGITS_MAX = 9 };

/* A path: folder (with its slash), stem, and the extension with its point, which may be empty. */
struct path_parts {
    struct slice folder, stem, extension;
};

static struct path_parts parts_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *end = name + strlen(name), *point = strrchr(name, '.');
    if (!point || point == name)
        point = end;
    return (struct path_parts){
        {path, (uint32_t)(name - path)}, {name, (uint32_t)(point - name)}, {point, (uint32_t)(end - point)}};
}

static void put(struct text *text, struct slice part)
{
    text_bytes(text, part.at, part.len);
}

void part_file_name(struct text *name, const char *path, const char *service, unsigned life)
{
    struct path_parts parts = parts_of(path);
    put(name, parts.folder);
    put(name, parts.stem);
    text_char(name, '.');
    text_str(name, service);
    if (life > 1) {
        text_char(name, '.');
        text_u64(name, life);
    }
    put(name, parts.extension);
}

/* Takes what the name begins with; false: it begins otherwise. */
static bool take(const char **name, const char *word, size_t len)
{
    bool begins = !strncmp(*name, word, len);
    *name += begins ? len : 0;
    return begins;
}

/* What stands behind a service's name: .2.jsonl, or .jsonl */
static bool ends(const char *name, struct slice extension)
{
    size_t digits = *name == '.' ? strspn(name + 1, "0123456789") : 0;
    bool whole = !strncmp(name, extension.at, extension.len) && !name[extension.len];
    if (whole)
        return true;
    if (!digits || digits > LIFE_DIGITS_MAX || name[1] == '0')
        return false;
    name += 1 + digits;
    return !strncmp(name, extension.at, extension.len) && !name[extension.len];
}

static bool is_part(const char *name, const struct path_parts *of, const struct registry *registry)
{
    if (!take(&name, of->stem.at, of->stem.len) || !take(&name, ".", 1))
        return false;
    for (size_t i = 0; i < registry->kind_count; i++) {
        const char *service = registry->kinds[i]->service, *rest = name;
        if (take(&rest, service, strlen(service)) && ends(rest, of->extension))
            return true;
    }
    return false;
}

size_t part_files_find(const char *path, const struct registry *registry, struct text *paths)
{
    struct path_parts of = parts_of(path);
    struct text folder = {0};
    put(&folder, of.folder);
    DIR *in = opendir(folder.len ? text_c(&folder) : ".");
    const struct dirent *entry;
    size_t count = 0;
    while (in && (entry = readdir(in))) {
        if (!is_part(entry->d_name, &of, registry))
            continue;
        put(paths, of.folder);
        text_str(paths, entry->d_name);
        text_char(paths, '\0');
        count++;
    }
    if (in)
        closedir(in);
    text_fini(&folder);
    return count;
}
