#include "edges/profile.h"

#include "edges/proto/profile.pb-c.h"

#include <stdlib.h>
#include <zlib.h>

enum { FRAMES = 3, VALUES = 2, GZIP_WINDOW_BITS = 15 + 16, ZIP_MEMORY = 8 };

#define PERIOD_NS NS_PER_MS

static int64_t samples_of(const struct profile_line *line)
{
    return (int64_t)(line->cpu_ns / (double)PERIOD_NS + 0.5);
}

static void write_folded(struct text *out, const struct run_stats *stats)
{
    for (size_t i = 0; i < stats->profile_count; i++) {
        const struct profile_line *line = &stats->profile[i];
        if (!samples_of(line))
            continue;
        text_str(out, line->service);
        text_char(out, ';');
        text_str(out, line->route);
        text_char(out, ';');
        text_str(out, line->function);
        text_char(out, ' ');
        text_i64(out, samples_of(line));
        text_char(out, '\n');
    }
}

/* ---- pprof ---- */

/* Everything that the message points to; arrays have room for what all lines could need. */
struct making {
    Pprof__Profile profile;
    Pprof__ValueType types[VALUES], period;
    Pprof__Sample *samples;
    Pprof__Location *locations;
    Pprof__Line *lines;
    Pprof__Function *functions;
    uint64_t (*stacks)[FRAMES];
    int64_t (*values)[VALUES];
};

static int64_t string_of(struct making *making, const char *text)
{
    Pprof__Profile *profile = &making->profile;
    for (size_t i = 0; i < profile->n_string_table; i++)
        if (strcmp(profile->string_table[i], text) == 0)
            return (int64_t)i;
    profile->string_table[profile->n_string_table] = (char *)text;
    return (int64_t)profile->n_string_table++;
}

/* One location a function: there are no addresses. */
static uint64_t location_of(struct making *making, const char *name)
{
    Pprof__Profile *profile = &making->profile;
    int64_t string = string_of(making, name);
    for (size_t i = 0; i < profile->n_function; i++)
        if (profile->function[i]->name == string)
            return i + 1;
    size_t place = profile->n_function++;
    Pprof__Function *function = &making->functions[place];
    pprof__function__init(function);
    function->id = place + 1;
    function->name = function->system_name = string;
    profile->function[place] = function;
    Pprof__Line *line = &making->lines[place];
    pprof__line__init(line);
    line->function_id = function->id;
    Pprof__Location *location = &making->locations[place];
    pprof__location__init(location);
    location->id = function->id;
    location->n_line = 1;
    location->line = base_alloc(1, sizeof(Pprof__Line *));
    location->line[0] = line;
    profile->location[place] = location;
    profile->n_location = profile->n_function;
    return function->id;
}

static void add_type(struct making *making, Pprof__ValueType *type, const char *name, const char *unit)
{
    pprof__value_type__init(type);
    type->type = string_of(making, name);
    type->unit = string_of(making, unit);
}

static void add_sample(struct making *making, const struct profile_line *line)
{
    size_t place = making->profile.n_sample++;
    Pprof__Sample *sample = &making->samples[place];
    pprof__sample__init(sample);
    const char *frames[FRAMES] = {line->function, line->route, line->service}; /* the leaf first */
    for (size_t i = 0; i < FRAMES; i++)
        making->stacks[place][i] = location_of(making, frames[i]);
    making->values[place][0] = samples_of(line);
    making->values[place][1] = (int64_t)line->cpu_ns;
    sample->n_location_id = FRAMES;
    sample->location_id = making->stacks[place];
    sample->n_value = VALUES;
    sample->value = making->values[place];
    making->profile.sample[place] = sample;
}

static void make(struct making *making, const struct run_stats *stats, int64_t duration_ns)
{
    size_t lines = MAX(stats->profile_count, 1), functions = lines * FRAMES;
    Pprof__Profile *profile = &making->profile;
    making->samples = base_alloc(lines, sizeof *making->samples);
    making->stacks = base_alloc(lines, sizeof *making->stacks);
    making->values = base_alloc(lines, sizeof *making->values);
    making->locations = base_alloc(functions, sizeof *making->locations);
    making->lines = base_alloc(functions, sizeof *making->lines);
    making->functions = base_alloc(functions, sizeof *making->functions);
    profile->sample = base_alloc(lines, sizeof *profile->sample);
    profile->location = base_alloc(functions, sizeof *profile->location);
    profile->function = base_alloc(functions, sizeof *profile->function);
    profile->string_table = base_alloc(functions + 1 + 2 * VALUES, sizeof *profile->string_table);
    profile->sample_type = base_alloc(VALUES, sizeof *profile->sample_type);
    string_of(making, "");
    add_type(making, &making->types[0], "samples", "count");
    add_type(making, &making->types[1], "cpu", "nanoseconds");
    for (size_t i = 0; i < VALUES; i++)
        profile->sample_type[i] = &making->types[i];
    profile->n_sample_type = VALUES;
    making->period = making->types[1];
    profile->period_type = &making->period;
    profile->period = PERIOD_NS;
    profile->duration_nanos = duration_ns;
    for (size_t i = 0; i < stats->profile_count; i++)
        if (samples_of(&stats->profile[i]))
            add_sample(making, &stats->profile[i]);
}

static void unmake(struct making *making)
{
    Pprof__Profile *profile = &making->profile;
    for (size_t i = 0; i < profile->n_location; i++)
        free(profile->location[i]->line);
    free(profile->sample);
    free(profile->location);
    free(profile->function);
    free(profile->string_table);
    free(profile->sample_type);
    free(making->samples);
    free(making->stacks);
    free(making->values);
    free(making->locations);
    free(making->lines);
    free(making->functions);
}

static void write_zipped(struct text *out, unsigned char *bytes, size_t len)
{
    z_stream zip = {0};
    ASSERT(deflateInit2(&zip, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS, ZIP_MEMORY,
                        Z_DEFAULT_STRATEGY) == Z_OK);
    size_t most = deflateBound(&zip, len);
    text_reserve(out, most);
    zip.next_in = bytes;
    zip.avail_in = (unsigned)len;
    zip.next_out = (unsigned char *)out->bytes + out->len;
    zip.avail_out = (unsigned)most;
    ASSERT(deflate(&zip, Z_FINISH) == Z_STREAM_END);
    out->len += most - zip.avail_out;
    deflateEnd(&zip);
}

static void write_pprof(struct text *out, const struct run_stats *stats, int64_t duration_ns)
{
    struct making making = {.profile = PPROF__PROFILE__INIT};
    make(&making, stats, duration_ns);
    size_t len = pprof__profile__get_packed_size(&making.profile);
    unsigned char *bytes = base_alloc(MAX(len, 1), 1);
    pprof__profile__pack(&making.profile, bytes);
    write_zipped(out, bytes, len);
    free(bytes);
    unmake(&making);
}

void profile_write(struct text *out, const char *path, const struct run_stats *stats, int64_t duration_ns)
{
    static const char ending[] = ".pb.gz";
    size_t len = strlen(path), tail = sizeof ending - 1;
    if (len > tail && strcmp(path + len - tail, ending) == 0)
        write_pprof(out, stats, duration_ns);
    else
        write_folded(out, stats);
}
