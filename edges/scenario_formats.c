#include "edges/scenario_formats.h"

#include "core/quantity.h"

#define DECIMAL "[0-9]{1,9}([.][0-9]{1,9})?"
#define DURATION                                                                                             \
    "(?=[0-9])(" DECIMAL "h)?(" DECIMAL "m)?(" DECIMAL "s)?(" DECIMAL "ms)?(" DECIMAL "us)?(" DECIMAL "ns)?"

enum { NAME_CHARS_MAX = 64 };

static const char *reason(enum quantity_result result)
{
    return result == QUANTITY_OK ? NULL : quantity_problem(result);
}

static bool between(char c, char low, char high)
{
    return c >= low && c <= high;
}

static const char *read_name(struct yaml_node *node)
{
    if (!between(*node->text, 'a', 'z'))
        return "it begins with a small letter";
    for (const char *c = node->text; *c; c++)
        if (!between(*c, 'a', 'z') && !between(*c, '0', '9') && *c != '-' && *c != '_')
            return "small letters, digits, - and _ alone";
    return node->len > NAME_CHARS_MAX ? "too long" : NULL;
}

/* METHOD /path */
static bool is_route(const char *text)
{
    static const char *const methods[] = {"GET /", "POST /", "PUT /", "PATCH /", "DELETE /"};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (!strncmp(text, methods[i], strlen(methods[i])))
            return true;
    return false;
}

/* What stands behind the method. */
static const char *read_path(const char *path)
{
    for (const char *c = path; *c; c++)
        if (!between(*c, '!', '~'))
            return "a path has neither spaces nor signs beyond ASCII";
    return NULL;
}

static const char *read_route(struct yaml_node *node)
{
    return is_route(node->text) ? read_path(strchr(node->text, '/')) : "not METHOD /path";
}

/* SERVICE METHOD /path */
static const char *read_call(struct yaml_node *node)
{
    const char *space = strchr(node->text, ' ');
    if (!space || !is_route(space + 1))
        return "not SERVICE METHOD /path";
    const char *wrong = read_path(strchr(space, '/'));
    if (wrong)
        return wrong;
    for (const char *c = node->text; c < space; c++)
        if (!between(*c, 'a', 'z') && !between(*c, '0', '9') && *c != '-')
            return "no such service name";
    return between(*node->text, 'a', 'z') ? NULL : "no such service name";
}

static const char *read_duration(struct yaml_node *node)
{
    return reason(quantity_duration(yaml_node_slice(node), &node->whole));
}

/* 500ms, or 100ms..300ms */
static const char *read_delay(struct yaml_node *node)
{
    struct slice least = yaml_node_slice(node), most = least;
    const char *dots = strstr(node->text, "..");
    int64_t most_ns = 0;
    if (dots) {
        least.len = (uint32_t)(dots - node->text);
        most = (struct slice){dots + 2, node->len - least.len - 2};
    }
    const char *why = reason(quantity_duration(least, &node->whole));
    if (!why)
        why = reason(quantity_duration(most, &most_ns));
    node->real = (double)most_ns;
    return why;
}

static const char *read_fine_duration(struct yaml_node *node)
{
    int64_t duration_ps = 0;
    enum quantity_result result = quantity_duration_ps(yaml_node_slice(node), &duration_ps);
    node->real = (double)duration_ps / 1000;
    return reason(result);
}

static const char *read_rate(struct yaml_node *node)
{
    return reason(quantity_rate(yaml_node_slice(node), &node->real));
}

static const char *read_percent(struct yaml_node *node)
{
    return reason(quantity_percent(yaml_node_slice(node), &node->real));
}

static const char *read_bound(struct yaml_node *node)
{
    if (quantity_percent(yaml_node_slice(node), &node->real) == QUANTITY_OK)
        return NULL;
    const char *why = reason(quantity_duration(yaml_node_slice(node), &node->whole));
    node->real = (double)node->whole / (double)NS_PER_S;
    return why;
}

const struct format format_name = {.expected = "a name like black-friday",
                                   .pattern = "^[a-z][a-z0-9_-]{0,63}$",
                                   .read = read_name,
                                   .value = VALUE_TEXT};
const struct format format_label = {
    .expected = "text of 1 to 100 characters", .chars_max = 100, .value = VALUE_TEXT};
const struct format format_story = {
    .expected = "text of 1 to 1000 characters", .chars_max = 1000, .value = VALUE_TEXT};
const struct format format_expectation = {
    .expected = "an expectation in quotes", .chars_max = 200, .value = VALUE_TEXT};
const struct format format_call = {.expected = "a call like `checkout POST /orders/create`",
                                   .pattern = "^[a-z][a-z0-9-]* (GET|POST|PUT|PATCH|DELETE) /[!-~]*$",
                                   .read = read_call,
                                   .value = VALUE_TEXT};
const struct format format_route = {.expected = "a route like `POST /orders/create`",
                                    .pattern = "^(GET|POST|PUT|PATCH|DELETE) /[!-~]*$",
                                    .read = read_route,
                                    .value = VALUE_TEXT};
const struct format format_duration = {.expected = "a duration with its unit, like 90s or 5m",
                                       .pattern = "^" DURATION "$",
                                       .read = read_duration,
                                       .value = VALUE_WHOLE};
const struct format format_delay = {.expected = "a delay like 500ms, or a range like 100ms..300ms",
                                    .pattern = "^" DURATION "([.][.]" DURATION ")?$",
                                    .read = read_delay,
                                    .value = VALUE_WHOLE};
const struct format format_fine_duration = {.expected = "a duration with its unit, like 1.05us",
                                            .pattern = "^" DURATION "$",
                                            .read = read_fine_duration,
                                            .value = VALUE_REAL};
const struct format format_rate = {.expected = "a rate with its unit, like 800/min",
                                   .pattern = "^" DECIMAL "/(s|min|h)$",
                                   .read = read_rate,
                                   .value = VALUE_REAL};
const struct format format_percent = {
    .expected = "a share like 99%", .pattern = "^" DECIMAL "%$", .read = read_percent, .value = VALUE_REAL};
const struct format format_bound = {.expected = "a share like 70% or a duration like 500ms",
                                    .pattern = "^(" DECIMAL "%|" DURATION ")$",
                                    .read = read_bound,
                                    .value = VALUE_REAL};
