#include "core/probe.h"

/* A name is FAMILY.WORD, or FAMILY.NAME.WORD where the capitals stand for a name of the shop. */
struct series_line {
    const char *name;
    enum probe_kind kind;
    int index;
    struct probe_type type;
};

/* clang-format off */
#define COUNTER(...) {PROBE_COUNTER, PROBE_COUNT, ##__VA_ARGS__}
#define RATIO(...) {PROBE_COUNTER, PROBE_RATE, ##__VA_ARGS__}
#define LEVEL {PROBE_LEVEL, PROBE_COUNT, false}
#define SHARE {PROBE_LEVEL, PROBE_RATE, false}
#define DISTRIBUTION {PROBE_DISTRIBUTION, PROBE_SECONDS, false}
#define WHOLE {PROBE_WHOLE, PROBE_COUNT, false}
#define MOST {PROBE_MOST, PROBE_COUNT, false}
#define WHOLE_SHARE {PROBE_WHOLE, PROBE_RATE, false}
/* clang-format on */

/* Lines of one family stand together: messages list them. */
static const struct series_line series[] = {
    {"STREAM.requests", PROBE_REQUESTS, 0, COUNTER(true)},
    {"STREAM.errors", PROBE_ERRORS, 0, RATIO(true)},
    {"STREAM.latency", PROBE_LATENCY, 0, DISTRIBUTION},
    {"pool.NAME.waiters", PROBE_POOL_WAITERS, 0, LEVEL},
    {"pool.NAME.used", PROBE_POOL_USED, 0, LEVEL},
    {"pool.NAME.timeouts", PROBE_POOL_TIMEOUTS, 0, COUNTER(true)},
    {"pool.NAME.wait", PROBE_POOL_WAIT, 0, DISTRIBUTION},
    {"query.STATEMENT.latency", PROBE_QUERY_LATENCY, 0, DISTRIBUTION},
    {"query.STATEMENT.cpu", PROBE_QUERY_CPU, 0, WHOLE_SHARE},
    {"database.active", PROBE_DATABASE_ACTIVE, 0, LEVEL},
    {"database.connections", PROBE_DATABASE_CONNECTIONS, 0, LEVEL},
    {"database.lock_wait", PROBE_LOCK_WAIT, 0, DISTRIBUTION},
    {"database.lock_timeouts", PROBE_LOCK_TIMEOUTS, 0, COUNTER(true)},
    {"cache.hits", PROBE_CACHE_HITS, 0, RATIO(false)},
    {"script.failure_rate", PROBE_SCRIPT_RATE, 0, SHARE},
    {"logs.slow_query", PROBE_LOGS, LOG_BODY_SLOW_QUERY, COUNTER(true)},
    {"logs.pool_exhausted", PROBE_LOGS, LOG_BODY_POOL_EXHAUSTED, COUNTER(true)},
    {"trace.depth", PROBE_TRACE_DEPTH, 0, MOST},
    {"trace.services", PROBE_TRACE_SERVICES, 0, WHOLE},
    {"trace.spans", PROBE_TRACE_SPANS, 0, WHOLE},
    {"business.orders", PROBE_ORDERS, 0, COUNTER(false)},
    {"business.revenue", PROBE_REVENUE, 0, COUNTER(false)},
    {"business.sold_out", PROBE_SOLD_OUT, 0, COUNTER(true)},
    {"business.abandoned", PROBE_ABANDONED, 0, COUNTER(false)},
    {"business.hot_sold", PROBE_HOT_SOLD, 0, COUNTER(false)},
    {"business.hot_left", PROBE_HOT_LEFT, 0, LEVEL},
};

const struct probe_type *probe_type(enum probe_kind kind)
{
    for (size_t i = 0; i < ARRAY_LEN(series); i++)
        if (series[i].kind == kind)
            return &series[i].type;
    ASSERT(!"every kind has a line");
    return NULL;
}

static bool equal(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && !memcmp(text, word, len);
}

static size_t family_len(const struct series_line *line)
{
    return (size_t)(strchr(line->name, '.') - line->name);
}

/* The first line of the family that a name begins with; a first word of no family is a stream. */
static const struct series_line *find_family(const char *text, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(series); i++)
        if (family_len(&series[i]) == len && !memcmp(series[i].name, text, len))
            return &series[i];
    return &series[0];
}

static bool same_family(const struct series_line *line, const struct series_line *first)
{
    return line < series + ARRAY_LEN(series) && family_len(line) == family_len(first) &&
           !memcmp(line->name, first->name, family_len(first));
}

bool probe_name_reserved(const char *stream)
{
    return !strcmp(stream, "all") || !strcmp(stream, "alert") ||
           find_family(stream, strlen(stream)) != &series[0];
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

/* "expected a series like demo.errors, found `demo.error`" */
static bool refuse(struct text *error, const char *text, const struct series_line *family)
{
    text_lit(error, "expected a series like ");
    for (const struct series_line *line = family; same_family(line, family); line++) {
        text_str(error, line == family ? "" : ", ");
        text_str(error, line->name);
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

/* What stands where the line has capitals. */
static bool read_name(const char *name, size_t len, const struct scenario *scenario,
                      const struct registry *registry, struct probe *out, struct text *error)
{
    if (out->kind >= PROBE_POOL_WAITERS && out->kind <= PROBE_POOL_WAIT) {
        out->pool = probe_pool(registry, name, len);
        return out->pool ? true : refuse_unknown(error, "pool", name, len);
    }
    out->index = PROBE_ALL_STREAMS;
    if (probe_of_stream(out->kind)) {
        for (size_t i = 0; i < scenario->stream_count; i++)
            if (equal(name, len, scenario->streams[i].name))
                out->index = (int)i;
        return out->index >= 0 || equal(name, len, "all") ? true : refuse_unknown(error, "stream", name, len);
    }
    for (size_t i = 0; i < registry->statement_count; i++)
        if (equal(name, len, registry->statements[i].name))
            out->index = (int)i;
    return out->index >= 0 ? true : refuse_unknown(error, "statement", name, len);
}

bool probe_parse(const char *text, const struct scenario *scenario, const struct registry *registry,
                 struct probe *out, struct text *error)
{
    *out = (struct probe){.name = text};
    const char *point = strchr(text, '.'), *last = strrchr(text, '.');
    if (!point)
        return refuse(error, text, &series[0]);
    const struct series_line *family = find_family(text, (size_t)(point - text)), *found = NULL;
    bool of_stream = family == &series[0];
    for (const struct series_line *line = family; same_family(line, family); line++) {
        /* A name of three parts has one in the middle, which may be anything here. */
        bool parts = (strchr(line->name, '.') == strrchr(line->name, '.')) == (point == last);
        if (parts && !strcmp(strrchr(line->name, '.'), last))
            found = line;
    }
    if (!found)
        return refuse(error, text, family);
    out->kind = found->kind;
    out->index = found->index;
    if (of_stream)
        return read_name(text, (size_t)(point - text), scenario, registry, out, error);
    if (point == last)
        return true;
    return read_name(point + 1, (size_t)(last - point - 1), scenario, registry, out, error);
}
