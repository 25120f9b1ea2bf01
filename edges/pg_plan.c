#include "edges/pg_plan.h"

#include "core/base.h"

#include <jansson.h>

enum { DEPTH_MAX = 32 };

static bool uses(json_t *node, const char *index, int depth)
{
    const char *key, *name = json_string_value(json_object_get(node, "Index Name"));
    json_t *child;
    size_t i;
    if (name && strcmp(name, index) == 0)
        return true;
    if (depth == DEPTH_MAX)
        return false;
    json_object_foreach(node, key,
                        child) if (json_is_object(child) && uses(child, index, depth + 1)) return true;
    json_array_foreach(json_object_get(node, "Plans"), i,
                       child) if (uses(child, index, depth + 1)) return true;
    return false;
}

/* Every row that is inserted goes through its table's primary key, and EXPLAIN does not mention it. */
static bool inserts_through(const struct statement *statement, const char *index)
{
    size_t len = strlen(statement->collection);
    return strcmp(statement->operation, "INSERT") == 0 && strncmp(index, statement->collection, len) == 0 &&
           strcmp(index + len, "_pkey") == 0;
}

int pg_plan_read(const struct statement *statement, const char *json, int fallback)
{
    json_t *explained = json_loads(json, 0, NULL), *top = json_array_get(explained, 0);
    int plan = fallback, without = -1;
    for (int i = 0; i < STATEMENT_PLANS_MAX && json_is_object(top); i++) {
        const char *index = statement->plans[i].index;
        if (!index && without < 0)
            without = plan = i;
        if (index && (uses(top, index, 0) || inserts_through(statement, index))) {
            plan = i;
            break;
        }
    }
    json_decref(explained);
    return plan;
}
