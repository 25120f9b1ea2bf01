#include "edges/promtool_series.h"

#include "edges/promtool_expr.h"

#include <stdlib.h>

enum { SLOTS_FIRST = 1024, VALUE_MAX = 31 };

/* One line of a page, sample by sample. */
struct kept {
    char *key; /* name{labels}, as a page has it */
    const char *job;
    bool wanted;
    uint16_t service;
    size_t from, samples; /* its first one, and how many it has */
    struct text values; /* " 1 2 5+0x3" */
    char last[VALUE_MAX + 1];
    size_t equal; /* values like the last, behind it, not yet written */
};

struct promtool_series {
    struct promtool_series_options options;
    struct kept **kept; /* in the order of their first line */
    size_t count, room;
    uint32_t *slots; /* index + 1 by hash of key and service; 0: free */
    size_t slot_count;
    size_t samples, bytes;
    int64_t first_at_ns;
    bool full;
    struct text page;
};

struct promtool_series *promtool_series_new(const struct promtool_series_options *options)
{
    struct promtool_series *series = base_alloc(1, sizeof *series);
    series->options = *options;
    series->slot_count = SLOTS_FIRST;
    series->slots = base_alloc(series->slot_count, sizeof *series->slots);
    return series;
}

void promtool_series_free(struct promtool_series *series)
{
    if (!series)
        return;
    for (size_t i = 0; i < series->count; i++) {
        free(series->kept[i]->key);
        text_fini(&series->kept[i]->values);
        free(series->kept[i]);
    }
    free(series->kept);
    free(series->slots);
    text_fini(&series->page);
    free(series);
}

/* ---- lines by their names ---- */

static uint64_t hash_of(const char *key, size_t len, uint16_t service)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ service; /* FNV-1a */
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)key[i]) * UINT64_C(1099511628211);
    return hash;
}

static uint32_t *slot_of(const struct promtool_series *series, const char *key, size_t len, uint16_t service)
{
    size_t at = hash_of(key, len, service) & (series->slot_count - 1);
    for (;; at = (at + 1) & (series->slot_count - 1)) {
        uint32_t *slot = &series->slots[at];
        if (!*slot)
            return slot;
        const struct kept *kept = series->kept[*slot - 1];
        if (kept->service == service && !strncmp(kept->key, key, len) && !kept->key[len])
            return slot;
    }
}

static void grow_slots(struct promtool_series *series)
{
    free(series->slots);
    series->slot_count *= 2;
    series->slots = base_alloc(series->slot_count, sizeof *series->slots);
    for (size_t i = 0; i < series->count; i++) {
        const struct kept *kept = series->kept[i];
        *slot_of(series, kept->key, strlen(kept->key), kept->service) = (uint32_t)i + 1;
    }
}

static bool is_wanted(const struct promtool_series *series, const char *key)
{
    char name[128];
    size_t len = strcspn(key, "{");
    if (!series->options.mentions)
        return true;
    if (len >= sizeof name)
        return false;
    memcpy(name, key, len);
    name[len] = '\0';
    return strstr(series->options.mentions, name) != NULL;
}

static struct kept *find(struct promtool_series *series, const char *key, size_t len, uint16_t service,
                         const char *job)
{
    uint32_t *slot = slot_of(series, key, len, service);
    if (*slot)
        return series->kept[*slot - 1];
    if (series->count == series->room) {
        series->room = MAX(2 * series->room, SLOTS_FIRST / 2);
        series->kept = base_grow(series->kept, series->count, series->room, sizeof(struct kept *));
    }
    struct kept *kept = base_alloc(1, sizeof *kept);
    kept->key = base_alloc(len + 1, 1);
    memcpy(kept->key, key, len);
    kept->wanted = is_wanted(series, kept->key);
    kept->service = service;
    kept->job = job;
    kept->from = series->samples;
    *slot = (uint32_t)series->count + 1;
    series->kept[series->count++] = kept;
    if (2 * series->count > series->slot_count)
        grow_slots(series);
    return kept;
}

/* ---- samples ---- */

static void write_equal(struct text *values, size_t equal)
{
    if (!equal)
        return;
    text_lit(values, "+0x");
    text_u64(values, equal);
}

static void put(struct promtool_series *series, struct kept *kept, const char *value, size_t len)
{
    ASSERT(len <= VALUE_MAX);
    size_t before = kept->values.len;
    if (kept->samples++ && strlen(kept->last) == len && !memcmp(kept->last, value, len)) {
        kept->equal++;
        return;
    }
    write_equal(&kept->values, kept->equal);
    text_char(&kept->values, ' ');
    text_bytes(&kept->values, value, len);
    memcpy(kept->last, value, len);
    kept->last[len] = '\0';
    kept->equal = 0;
    series->bytes += kept->values.len - before;
}

/* Lines are `name{labels} value`; labels may hold spaces, values do not. */
static void take_page(struct promtool_series *series, uint16_t service, const char *job)
{
    const char *at = series->page.bytes, *end = at + series->page.len;
    for (const char *next; at < end; at = next) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        next = newline + 1;
        if (*at == '#')
            continue;
        const char *space = newline;
        while (space[-1] != ' ')
            space--;
        struct kept *kept = find(series, at, (size_t)(space - 1 - at), service, job);
        if (kept->wanted)
            put(series, kept, space, (size_t)(newline - space));
    }
}

void promtool_series_take(struct promtool_series *series, const struct world *world,
                          const struct metrics *metrics, int64_t at_ns)
{
    if (!series->samples)
        series->first_at_ns = at_ns;
    series->full |= series->bytes > PROMTOOL_SERIES_TEXT_MAX;
    if (series->full || at_ns > series->options.end_ns ||
        at_ns != promtool_series_at(series, series->samples))
        return;
    for (size_t i = 0; i < world_service_count(world); i++) {
        const char *job = world_service(world, i)->service;
        series->page.len = 0;
        prometheus_write(&series->page, metrics, (uint16_t)i, job, series->options.bounds);
        take_page(series, (uint16_t)i, job);
    }
    series->samples++;
}

size_t promtool_series_samples(const struct promtool_series *series)
{
    return series->samples;
}

size_t promtool_series_count(const struct promtool_series *series)
{
    size_t wanted = 0;
    for (size_t i = 0; i < series->count; i++)
        wanted += series->kept[i]->wanted;
    return wanted;
}

bool promtool_series_full(const struct promtool_series *series)
{
    return series->full;
}

int64_t promtool_series_at(const struct promtool_series *series, size_t sample)
{
    return series->first_at_ns + (int64_t)sample * WORLD_SAMPLE_NS;
}

/* Place of the run's first sample among the test's. */
static size_t lead(const struct promtool_series *series)
{
    return (size_t)(series->first_at_ns / WORLD_SAMPLE_NS) + series->options.past;
}

int64_t promtool_series_test_at(const struct promtool_series *series, size_t sample)
{
    return (int64_t)(lead(series) + sample) * WORLD_SAMPLE_NS;
}

/* ---- what promtool reads ---- */

/* In the single quotes of YAML. */
static void write_key(struct text *yaml, const struct kept *kept)
{
    size_t name = strcspn(kept->key, "{");
    bool bare = !kept->key[name];
    text_bytes(yaml, kept->key, name);
    text_lit(yaml, "{job=\"");
    text_str(yaml, kept->job);
    text_str(yaml, bare ? "\"" : "\",");
    for (const char *c = bare ? "}" : kept->key + name + 1; *c; c++) {
        if (*c == '\'')
            text_char(yaml, '\'');
        text_char(yaml, *c);
    }
}

/* What a series grew by from sample to sample of the past; 0: it has none. */
static double past_step(const struct promtool_series *series, const struct kept *kept)
{
    static const char before[] = "load_requests_ended_total{load_stream=\"";
    const struct scenario *scenario = series->options.scenario;
    if (!series->options.past || strncmp(kept->key, before, sizeof before - 1))
        return 0;
    const char *name = kept->key + sizeof before - 1;
    for (size_t i = 0; i < scenario->stream_count; i++) {
        const struct stream_spec *stream = &scenario->streams[i];
        size_t len = strlen(stream->name);
        if (!strncmp(name, stream->name, len) && name[len] == '"')
            return stream_rate_per_min(stream, 0) * ((double)WORLD_SAMPLE_NS / (double)NS_PER_MIN);
    }
    return 0;
}

/* The values that the run gave, on top of what the past came to. */
static void write_after_past(struct text *yaml, struct kept *kept, double step, size_t past)
{
    promtool_number(yaml, 0);
    text_char(yaml, '+');
    promtool_number(yaml, step);
    text_char(yaml, 'x');
    text_u64(yaml, past);
    for (const char *at = text_c(&kept->values); *at;) {
        char *end;
        text_char(yaml, ' ');
        promtool_number(yaml, strtod(at, &end) + step * (double)past);
        size_t equal = strcspn(end, " ");
        text_bytes(yaml, end, equal);
        at = end + equal;
    }
}

void promtool_series_write(struct promtool_series *series, struct text *yaml)
{
    for (size_t i = 0; i < series->count; i++) {
        struct kept *kept = series->kept[i];
        size_t missing = lead(series) + kept->from;
        double step = past_step(series, kept);
        if (!kept->wanted)
            continue;
        text_lit(yaml, "      - series: '");
        write_key(yaml, kept);
        text_lit(yaml, "'\n        values: '");
        if (step > 0 && missing == series->options.past + 1) {
            write_after_past(yaml, kept, step, series->options.past);
        } else {
            if (missing) {
                text_lit(yaml, "_x");
                text_u64(yaml, missing);
            }
            text_bytes(yaml, kept->values.bytes + !missing, kept->values.len - !missing);
        }
        write_equal(yaml, kept->equal);
        text_lit(yaml, "'\n");
    }
}
