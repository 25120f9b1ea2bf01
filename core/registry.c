#include "core/actor.h"

const struct actor_kind *registry_kind(const struct registry *registry, const char *service)
{
    for (size_t i = 0; i < registry->kind_count; i++)
        if (!strcmp(registry->kinds[i]->service, service))
            return registry->kinds[i];
    return NULL;
}

const struct route *actor_kind_route(const struct actor_kind *kind, const char *name)
{
    for (const struct route *route = kind->routes; route && route->name; route++)
        if (!strcmp(route->name, name))
            return route;
    return NULL;
}

const struct route *registry_journey(const struct registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->kind_count; i++)
        if (registry->kinds[i]->drives_load)
            return actor_kind_route(registry->kinds[i], name);
    return NULL;
}

const struct statement *registry_statement(const struct registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->statement_count; i++)
        if (!strcmp(registry->statements[i].name, name))
            return &registry->statements[i];
    return NULL;
}

const struct index_def *registry_index(const struct registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->index_count; i++)
        if (!strcmp(registry->indexes[i].name, name))
            return &registry->indexes[i];
    return NULL;
}
