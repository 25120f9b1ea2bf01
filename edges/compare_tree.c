#define _GNU_SOURCE /* memmem; NOLINT(cert-dcl51-cpp,bugprone-reserved-identifier) */
#include "edges/compare_tree.h"

#include "edges/trace_facts.h"

#include <stdio.h>
#include <stdlib.h>

enum { PATH_MAX_SPANS = 64, VALUE_BYTES_MAX = 200, HEX_ID = 32 };

/* ---- reading ---- */

struct keeping {
    struct trace_pair *pairs;
    size_t count;
    char (*ids)[2][HEX_ID + 1]; /* of each pair, in both cases */
    unsigned side;
    struct fact_taker taker;
    struct kept_span *span; /* whose facts come */
    struct kept_span resource; /* facts of the resource under way */
};

static void keep_fact(void *owner, const char *kind, const char *key, struct slice value)
{
    struct keeping *keeping = owner;
    struct kept_span *span = keeping->span;
    struct text name = {0};
    text_str(&name, kind);
    text_str(&name, key);
    span->facts = base_grow(span->facts, span->fact_count, span->fact_count + 1, sizeof *span->facts);
    struct kept_fact *fact = &span->facts[span->fact_count++];
    fact->name = base_copy(text_c(&name));
    text_fini(&name);
    text_bytes(&name, value.at, value.len);
    fact->value = base_copy(text_c(&name));
    text_fini(&name);
}

static void forget(struct kept_span *span)
{
    for (size_t i = 0; i < span->fact_count; i++) {
        free(span->facts[i].name);
        free(span->facts[i].value);
    }
    free(span->facts);
    free(span->name);
    *span = (struct kept_span){0};
}

static void keep_resource(void *owner, const json_t *attributes)
{
    struct keeping *keeping = owner;
    forget(&keeping->resource);
    keeping->span = &keeping->resource;
    trace_facts_resource(attributes, &keeping->taker);
}

static int by_name(const void *a, const void *b)
{
    const struct kept_fact *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order ? order : strcmp(left->value, right->value);
}

static bool keep_span(void *owner, const struct trace_file_span *span)
{
    struct keeping *keeping = owner;
    struct trace_pair *pair = keeping->pairs, *end = pair + keeping->count;
    while (pair < end && (pair->hi != span->trace_hi || pair->lo != span->trace_lo))
        pair++;
    if (pair == end)
        return true;
    struct kept_trace *trace = &pair->side[keeping->side];
    if (trace->count == KEPT_SPANS_MAX) {
        trace->left_out++;
        return true;
    }
    trace->spans = base_grow(trace->spans, trace->count, trace->count + 1, sizeof *trace->spans);
    struct kept_span *kept = &trace->spans[trace->count++];
    kept->id = span->id;
    kept->parent = span->parent;
    kept->name = base_copy(span->name);
    keeping->span = kept;
    for (size_t i = 0; i < keeping->resource.fact_count; i++) {
        const struct kept_fact *fact = &keeping->resource.facts[i];
        keep_fact(keeping, "", fact->name, (struct slice){fact->value, (uint32_t)strlen(fact->value)});
    }
    trace_facts_span(span, &keeping->taker);
    qsort(kept->facts, kept->fact_count, sizeof *kept->facts, by_name);
    return true;
}

static bool names_one(void *owner, const char *line, size_t len)
{
    const struct keeping *keeping = owner;
    for (size_t i = 0; i < keeping->count; i++)
        for (int upper = 0; upper < 2; upper++)
            if (memmem(line, len, keeping->ids[i][upper], HEX_ID))
                return true;
    return false;
}

static int by_id(const void *a, const void *b)
{
    const struct kept_span *left = a, *right = b;
    return left->id < right->id ? -1 : left->id > right->id;
}

bool compare_tree_read(struct trace_pair *pairs, size_t count, const char *a, const char *b,
                       struct text *error)
{
    struct keeping keeping = {.pairs = pairs, .count = count};
    keeping.taker = (struct fact_taker){.owner = &keeping, .take = keep_fact};
    keeping.ids = base_alloc(count, sizeof *keeping.ids);
    for (size_t i = 0; i < count; i++) {
        unsigned long long hi = pairs[i].hi, lo = pairs[i].lo;
        snprintf(keeping.ids[i][0], HEX_ID + 1, "%016llx%016llx", hi, lo);
        snprintf(keeping.ids[i][1], HEX_ID + 1, "%016llX%016llX", hi, lo);
    }
    const struct trace_file_reader reader = {
        .owner = &keeping, .wants = names_one, .resource = keep_resource, .span = keep_span};
    bool read = true;
    for (; read && keeping.side < 2; keeping.side++) {
        read = trace_files_read(keeping.side ? b : a, &reader, error);
        for (size_t i = 0; i < count; i++) {
            struct kept_trace *trace = &pairs[i].side[keeping.side];
            if (trace->count)
                qsort(trace->spans, trace->count, sizeof *trace->spans, by_id);
        }
    }
    forget(&keeping.resource);
    text_fini(&keeping.taker.scratch);
    free(keeping.ids);
    return read;
}

void compare_tree_free(struct trace_pair *pair)
{
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < pair->side[side].count; i++)
            forget(&pair->side[side].spans[i]);
        free(pair->side[side].spans);
    }
}

/* ---- telling ---- */

/* Text of a file, so that it can do no harm to a terminal. */
static void put_safe(struct text *told, const char *value)
{
    size_t len = strlen(value), shown = MIN(len, VALUE_BYTES_MAX);
    for (size_t i = 0; i < shown; i++) {
        bool control = (unsigned char)value[i] < ' ' || value[i] == 0x7f;
        text_bytes(told, control ? "?" : &value[i], 1);
    }
    if (shown < len)
        text_lit(told, "...");
}

static void put_id(struct text *told, uint64_t id)
{
    char hex[20];
    text_bytes(told, hex, (size_t)snprintf(hex, sizeof hex, "%016llx", (unsigned long long)id));
}

static const struct kept_span *find(const struct kept_trace *trace, uint64_t id)
{
    const struct kept_span key = {.id = id};
    return trace->count ? bsearch(&key, trace->spans, trace->count, sizeof key, by_id) : NULL;
}

/* The service, as the resource tells it in quotes, and the name. */
static void put_span(struct text *told, const struct kept_span *span)
{
    static const char service[] = "resource service.name";
    for (size_t i = 0; i < span->fact_count; i++) {
        const struct kept_fact *fact = &span->facts[i];
        if (!strcmp(fact->name, service) && fact->value[0] == '"') {
            char *name = base_copy(fact->value + 1);
            name[strcspn(name, "\"")] = '\0';
            put_safe(told, name);
            text_char(told, ' ');
            free(name);
        }
    }
    put_safe(told, span->name);
}

static void indent(struct text *told, size_t depth)
{
    while (depth--)
        text_lit(told, "  ");
}

/* A parent, which may not be there. */
static void put_parent(struct text *told, const struct kept_trace *trace, const struct kept_span *span)
{
    const struct kept_span *parent = find(trace, span->parent);
    if (!span->parent) {
        text_lit(told, "none");
        return;
    }
    put_id(told, span->parent);
    text_lit(told, " (");
    if (parent)
        put_span(told, parent);
    else
        text_lit(told, "not in this trace");
    text_char(told, ')');
}

/* A span that differs: in A, in B; one of them may be NULL. */
struct difference {
    const struct trace_pair *pair;
    const struct kept_span *a, *b;
    const struct kept_span
        *path[PATH_MAX_SPANS]; /* from the root down to it; of a circle of parents, an arc */
    size_t depth;
};

static void put_fact(struct text *told, const struct difference *of, const char *name, const char *a,
                     const char *b)
{
    bool parent = !strcmp(name, "parent");
    indent(told, of->depth + 1);
    put_safe(told, name);
    text_lit(told, ": ");
    if (parent)
        put_parent(told, &of->pair->side[0], of->a);
    else
        put_safe(told, a);
    text_lit(told, " -> ");
    if (parent)
        put_parent(told, &of->pair->side[1], of->b);
    else
        put_safe(told, b);
    text_char(told, '\n');
}

/* Both lists are sorted; false: they are the same. `told` NULL: only looks. */
static bool tell_facts(const struct difference *of, struct text *told)
{
    const struct kept_span *a = of->a, *b = of->b;
    bool differ = false;
    size_t i = 0, j = 0;
    while (i < a->fact_count || j < b->fact_count) {
        const struct kept_fact *left = i < a->fact_count ? &a->facts[i] : NULL;
        const struct kept_fact *right = j < b->fact_count ? &b->facts[j] : NULL;
        int order = !left ? 1 : !right ? -1 : strcmp(left->name, right->name);
        bool same = !order && !strcmp(left->value, right->value);
        if (!same && told)
            put_fact(told, of, order <= 0 ? left->name : right->name, order <= 0 ? left->value : "none",
                     order >= 0 ? right->value : "none");
        differ |= !same;
        i += order <= 0;
        j += order >= 0;
    }
    return differ;
}

static void find_path(struct difference *difference)
{
    const struct kept_trace *trace = &difference->pair->side[!difference->a];
    const struct kept_span *span = difference->a ? difference->a : difference->b;
    size_t from = PATH_MAX_SPANS;
    for (; span && from; span = span->parent ? find(trace, span->parent) : NULL)
        difference->path[--from] = span;
    difference->depth = PATH_MAX_SPANS - from;
    memmove(difference->path, difference->path + from, difference->depth * sizeof difference->path[0]);
}

/* What stands below the same spans stands together. */
static int by_path(const void *left, const void *right)
{
    const struct difference *a = left, *b = right;
    for (size_t i = 0; i < MIN(a->depth, b->depth); i++)
        if (a->path[i]->id != b->path[i]->id)
            return a->path[i]->id < b->path[i]->id ? -1 : 1;
    return a->depth < b->depth ? -1 : a->depth > b->depth;
}

/* Below the one told before: what of the path is the same is not said again. */
static void tell_difference(const struct difference *before, const struct difference *now, struct text *told)
{
    size_t same = 0;
    while (before && same < MIN(before->depth, now->depth) && before->path[same]->id == now->path[same]->id)
        same++;
    for (; same < now->depth; same++) {
        indent(told, same + 1);
        put_span(told, now->path[same]);
        text_char(told, '\n');
    }
    if (now->a && now->b) {
        tell_facts(now, told);
        return;
    }
    indent(told, now->depth + 1);
    text_str(told, now->a ? "missing span " : "extra span ");
    put_id(told, now->a ? now->a->id : now->b->id);
    text_str(told, now->a ? ": only in A\n" : ": only in B\n");
}

/* At most DIFFERENCES_MAX of them are kept; how many there are. */
static size_t find_differences(const struct trace_pair *pair, struct difference *differences)
{
    const struct kept_trace *a = &pair->side[0], *b = &pair->side[1];
    size_t i = 0, j = 0, count = 0;
    while (i < a->count || j < b->count) {
        const struct kept_span *left = i < a->count ? &a->spans[i] : NULL;
        const struct kept_span *right = j < b->count ? &b->spans[j] : NULL;
        int order = !left ? 1 : !right ? -1 : by_id(left, right);
        struct difference difference = {
            .pair = pair, .a = order <= 0 ? left : NULL, .b = order >= 0 ? right : NULL};
        if ((order || tell_facts(&difference, NULL)) && count++ < DIFFERENCES_MAX) {
            find_path(&difference);
            differences[count - 1] = difference;
        }
        i += order <= 0;
        j += order >= 0;
    }
    return count;
}

/* A trace of one side: where it begins, and how large it is. */
static void tell_root(const struct kept_trace *trace, struct text *told)
{
    const struct kept_span *root = &trace->spans[0];
    for (size_t i = trace->count; i--;)
        if (!trace->spans[i].parent)
            root = &trace->spans[i];
    text_lit(told, "  ");
    put_span(told, root);
    text_lit(told, " (");
    text_count(told, trace->count + trace->left_out);
    text_str(told, trace->count > 1 ? " spans)\n" : " span)\n");
}

void compare_tree_tell(const struct trace_pair *pair, struct text *told)
{
    const struct kept_trace *a = &pair->side[0], *b = &pair->side[1];
    text_lit(told, "trace ");
    put_id(told, pair->hi);
    put_id(told, pair->lo);
    if (!a->count || !b->count) {
        text_str(told, a->count ? ": only in A\n" : ": only in B\n");
        tell_root(a->count ? a : b, told);
        return;
    }
    text_char(told, '\n');
    struct difference *differences = base_alloc(DIFFERENCES_MAX, sizeof *differences);
    size_t found = find_differences(pair, differences), kept = MIN(found, (size_t)DIFFERENCES_MAX);
    qsort(differences, kept, sizeof *differences, by_path);
    for (size_t i = 0; i < kept; i++)
        tell_difference(i ? &differences[i - 1] : NULL, &differences[i], told);
    if (found > kept || a->left_out || b->left_out)
        text_lit(told, "  and more\n");
    free(differences);
}
