#define _GNU_SOURCE /* memmem; NOLINT(cert-dcl51-cpp,bugprone-reserved-identifier) */
#include "edges/compare_tree.h"

#include "edges/trace_facts.h"

#include <stdio.h>
#include <stdlib.h>

enum { PATH_NAMES_MAX = 64, VALUE_BYTES_MAX = 200, HEX_ID = 32 };

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

/* Names from the root down; a circle of parents is cut. */
static void put_path(struct text *told, const struct kept_trace *trace, const struct kept_span *span)
{
    const char *names[PATH_NAMES_MAX];
    size_t count = 0;
    for (; span && count < PATH_NAMES_MAX; span = span->parent ? find(trace, span->parent) : NULL)
        names[count++] = span->name;
    text_lit(told, "  ");
    while (count--) {
        put_safe(told, names[count]);
        if (count)
            text_lit(told, " > ");
    }
    text_char(told, '\n');
}

static void put_fact(struct text *told, const char *name, const char *a, const char *b)
{
    text_lit(told, "    ");
    put_safe(told, name);
    text_lit(told, ": ");
    put_safe(told, a);
    text_lit(told, " -> ");
    put_safe(told, b);
    text_char(told, '\n');
}

/* Both lists are sorted; false: they are the same. `told` NULL: only looks. */
static bool tell_facts(const struct kept_span *a, const struct kept_span *b, struct text *told)
{
    bool differ = false;
    size_t i = 0, j = 0;
    while (i < a->fact_count || j < b->fact_count) {
        const struct kept_fact *left = i < a->fact_count ? &a->facts[i] : NULL;
        const struct kept_fact *right = j < b->fact_count ? &b->facts[j] : NULL;
        int order = !left ? 1 : !right ? -1 : strcmp(left->name, right->name);
        bool same = !order && !strcmp(left->value, right->value);
        if (!same && told)
            put_fact(told, order <= 0 ? left->name : right->name, order <= 0 ? left->value : "none",
                     order >= 0 ? right->value : "none");
        differ |= !same;
        i += order <= 0;
        j += order >= 0;
    }
    return differ;
}

static void tell_span(const struct trace_pair *pair, const struct kept_span *a, const struct kept_span *b,
                      struct text *told)
{
    put_path(told, &pair->side[!a], a ? a : b);
    if (a && b) {
        tell_facts(a, b, told);
        return;
    }
    text_str(told, a ? "    missing span " : "    extra span ");
    put_id(told, a ? a->id : b->id);
    text_str(told, a ? ": only in A\n" : ": only in B\n");
}

void compare_tree_tell(const struct trace_pair *pair, struct text *told)
{
    const struct kept_trace *a = &pair->side[0], *b = &pair->side[1];
    size_t i = 0, j = 0, differences = 0;
    text_lit(told, "trace ");
    put_id(told, pair->hi);
    put_id(told, pair->lo);
    if (!a->count || !b->count)
        text_str(told, a->count ? ": only in A" : ": only in B");
    text_char(told, '\n');
    while (i < a->count || j < b->count) {
        const struct kept_span *left = i < a->count ? &a->spans[i] : NULL;
        const struct kept_span *right = j < b->count ? &b->spans[j] : NULL;
        int order = !left ? 1 : !right ? -1 : by_id(left, right);
        bool differ = order || tell_facts(left, right, NULL);
        if (differ && differences++ < DIFFERENCES_MAX)
            tell_span(pair, order <= 0 ? left : NULL, order >= 0 ? right : NULL, told);
        i += order <= 0;
        j += order >= 0;
    }
    if (differences > DIFFERENCES_MAX || a->left_out || b->left_out)
        text_lit(told, "  and more\n");
}
