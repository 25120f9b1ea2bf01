#include "core/probe.h"

struct word {
    const char *name;
    enum probe_kind kind;
    int index;
};

/* The first word of a name says which of the second may follow; any other first word is a stream. */
enum { WORDS_MAX = 4 };

struct family {
    const char *name;
    struct word words[WORDS_MAX];
};

static const struct family stream_family = {
    "STREAM", {{"requests", PROBE_REQUESTS, 0}, {"errors", PROBE_ERRORS, 0}, {"latency", PROBE_LATENCY, 0}}};

static const struct family families[] = {
    {"pool.NAME",
     {{"waiters", PROBE_POOL_WAITERS, 0},
      {"used", PROBE_POOL_USED, 0},
      {"timeouts", PROBE_POOL_TIMEOUTS, 0}}},
    {"logs",
     {{"slow_query", PROBE_LOGS, LOG_BODY_SLOW_QUERY},
      {"pool_exhausted", PROBE_LOGS, LOG_BODY_POOL_EXHAUSTED}}},
    {"trace",
     {{"depth", PROBE_TRACE_DEPTH, 0},
      {"services", PROBE_TRACE_SERVICES, 0},
      {"spans", PROBE_TRACE_SPANS, 0}}},
    {"business", {{"orders", PROBE_ORDERS, 0}, {"revenue", PROBE_REVENUE, 0}}},
};

static bool equal(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && !memcmp(text, word, len);
}

/* The part of a family's name before the point: "pool" of "pool.NAME". */
static size_t family_len(const struct family *family)
{
    const char *point = strchr(family->name, '.');
    return point ? (size_t)(point - family->name) : strlen(family->name);
}

static const struct family *find_family(const char *text, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(families); i++)
        if (family_len(&families[i]) == len && !memcmp(families[i].name, text, len))
            return &families[i];
    return NULL;
}

bool probe_name_reserved(const char *stream)
{
    return !strcmp(stream, "all") || !strcmp(stream, "alert") || find_family(stream, strlen(stream));
}

const char *probe_pool(const struct registry *registry, const char *name, size_t len)
{
    for (size_t i = 0; i < registry->kind_count; i++)
        for (size_t p = 0; p < SERVICE_POOLS_MAX; p++) {
            const char *pool = registry->kinds[i]->pools[p].name;
            if (pool && equal(name, len, pool))
                return pool;
        }
    return NULL;
}

/* "expected one of demo.errors, found `demo.error`" */
static bool refuse(struct text *error, const char *text, const struct family *family)
{
    text_lit(error, "expected a series like ");
    for (size_t i = 0; i < WORDS_MAX && family->words[i].name; i++) {
        text_str(error, i ? ", " : "");
        text_str(error, family->name);
        text_char(error, '.');
        text_str(error, family->words[i].name);
    }
    text_lit(error, ", found `");
    text_str(error, text);
    text_char(error, '`');
    return false;
}

static bool refuse_unknown(struct text *error, const char *what, const char *name, size_t len)
{
    text_lit(error, "expected a known ");
    text_str(error, what);
    text_lit(error, ", found `");
    text_bytes(error, name, len);
    text_char(error, '`');
    return false;
}

bool probe_parse(const char *text, const struct scenario *scenario, const struct registry *registry,
                 struct probe *out, struct text *error)
{
    *out = (struct probe){.name = text};
    const char *point = strchr(text, '.'), *last = strrchr(text, '.');
    if (!point)
        return refuse(error, text, &stream_family);
    size_t len = (size_t)(point - text);
    const struct family *family = find_family(text, len);
    bool pool = family == &families[0];
    if (!pool && last != point)
        return refuse(error, text, family ? family : &stream_family);
    if (pool && last == point)
        return refuse(error, text, family);
    const struct word *words = (family ? family : &stream_family)->words, *word = NULL;
    for (size_t i = 0; i < WORDS_MAX && words[i].name; i++)
        if (!strcmp(words[i].name, last + 1))
            word = &words[i];
    if (!word)
        return refuse(error, text, family ? family : &stream_family);
    out->kind = word->kind;
    out->index = word->index;
    if (pool && !(out->pool = probe_pool(registry, point + 1, (size_t)(last - point - 1))))
        return refuse_unknown(error, "pool", point + 1, (size_t)(last - point - 1));
    if (family)
        return true;
    out->index = PROBE_ALL_STREAMS;
    for (size_t i = 0; i < scenario->stream_count; i++)
        if (equal(text, len, scenario->streams[i].name))
            out->index = (int)i;
    return out->index >= 0 || equal(text, len, "all") ? true : refuse_unknown(error, "stream", text, len);
}
