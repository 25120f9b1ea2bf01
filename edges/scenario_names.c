#include "edges/scenario_names.h"

#include "edges/hint.h"

#include <stdio.h>

enum { NAMES_MAX = 256 };

struct names {
    const char *list[NAMES_MAX];
    size_t count;
};

static void add(struct names *names, const char *name)
{
    if (name && names->count < NAMES_MAX)
        names->list[names->count++] = name;
}

static void add_of(struct names *names, const struct actor_kind *kind, enum name_kind what)
{
    bool routes = what == NAME_ROUTE || (what == NAME_JOURNEY && kind->drives_load);
    if (what == NAME_SERVICE)
        add(names, kind->service);
    for (size_t i = 0; what == NAME_POOL && i < ARRAY_LEN(kind->pools); i++)
        add(names, kind->pools[i].name);
    for (size_t i = 0; what == NAME_VARIANT && i < ARRAY_LEN(kind->variants); i++)
        add(names, kind->variants[i].name);
    for (const struct route *route = kind->routes; routes && route && route->name; route++)
        add(names, route->name);
}

static void gather(struct names *names, const struct registry *registry, enum name_kind what,
                   const struct actor_kind *of)
{
    for (size_t i = 0; what == NAME_INDEX && i < registry->index_count; i++)
        add(names, registry->indexes[i].name);
    for (size_t i = 0; i < registry->kind_count; i++)
        if (!of || registry->kinds[i] == of)
            add_of(names, registry->kinds[i], what);
}

/* "a known journey (browse, checkout)": of those there are few enough to name them. */
static void say_expected(struct text *said, const struct names *names, enum name_kind kind,
                         const struct actor_kind *of)
{
    static const char *const nouns[] = {"service", "index", "pool", "route", "variant", "journey"};
    text_str(said, of ? "a " : "a known ");
    text_str(said, nouns[kind]);
    if (of) {
        text_lit(said, " of ");
        text_str(said, of->service);
    }
    if (kind != NAME_JOURNEY)
        return;
    for (size_t i = 0; i < names->count; i++) {
        text_str(said, i ? ", " : " (");
        text_str(said, names->list[i]);
    }
    text_str(said, names->count ? ")" : "");
}

void name_unknown_at(const struct filling *filling, const struct yaml_node *node, struct yaml_place at,
                     const char *found, enum name_kind kind, const struct actor_kind *of)
{
    struct names names = {.count = 0};
    struct text said = {0};
    gather(&names, filling->registry, kind, of);
    say_expected(&said, &names, kind, of);
    const char *nearest = hint_nearest(found, names.list, names.count);
    problem_add_at(filling->problems, at, node, "expected %.250s, found `%.60s`%s%s%s", text_c(&said), found,
                   nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
    text_fini(&said);
}

void name_unknown(const struct filling *filling, const struct yaml_node *node, enum name_kind kind,
                  const struct actor_kind *of)
{
    name_unknown_at(filling, node, node->at, node->text, kind, of);
}
