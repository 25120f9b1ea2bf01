#include "edges/shared_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

enum { RUN_FIELDS = 7, BEGIN_FIELDS = 3 };

void shared_write_run(struct pack *pack, const struct shared_run *run)
{
    pack_array(pack, RUN_FIELDS);
    pack_int(pack, (int64_t)run->run);
    pack_int(pack, (int64_t)run->seed);
    pack_int(pack, run->from_ns);
    pack_int(pack, run->duration_ns);
    pack_real(pack, run->speed);
    pack_bool(pack, run->waits);
    pack_bool(pack, run->begun);
}

bool shared_read_run(struct cursor *from, struct shared_run *run)
{
    uint32_t fields = cursor_array(from);
    run->run = (uint64_t)cursor_int(from);
    run->seed = (uint64_t)cursor_int(from);
    run->from_ns = cursor_int(from);
    run->duration_ns = cursor_int(from);
    run->speed = cursor_real(from);
    run->waits = cursor_bool(from);
    run->begun = cursor_bool(from);
    return !from->bad && fields == RUN_FIELDS && run->run && run->from_ns >= 0 && run->duration_ns > 0 &&
           isfinite(run->speed) && run->speed > 0;
}

void shared_write_begin(struct pack *pack, const struct shared_begin *begin)
{
    pack_array(pack, BEGIN_FIELDS);
    pack_int(pack, begin->begins_unix_ns);
    pack_int(pack, begin->first_ns);
    pack_int(pack, begin->start_unix_ns);
}

bool shared_read_begin(struct cursor *from, struct shared_begin *begin)
{
    uint32_t fields = cursor_array(from);
    begin->begins_unix_ns = cursor_int(from);
    begin->first_ns = cursor_int(from);
    begin->start_unix_ns = cursor_int(from);
    return !from->bad && fields == BEGIN_FIELDS && begin->begins_unix_ns > 0 && begin->first_ns >= 0;
}

/* FNV-1a, 64 bits: draft-eastlake-fnv. It guards against mistakes, not against malice. */
static void mix(uint64_t *hash, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < len; i++)
        *hash = (*hash ^ at[i]) * UINT64_C(0x100000001b3);
    *hash = (*hash ^ 0x1ff) * UINT64_C(0x100000001b3); /* where one ends and the next begins */
}

bool shared_scenario(uint64_t *hash, const char *file, const char *const *settings, size_t setting_count)
{
    /* What changes the scenario behind its file. */
    static const char *const variables[] = {"BASELINE_ENABLED",  "BASELINE_RPM",  "BASELINE_ENDPOINT",
                                            "DEMO_ENDPOINT",     "DEMO_BASE_RPM", "DEMO_PEAK_RPM",
                                            "DB_MAX_CONNECTIONS"};
    char bytes[4096];
    size_t got;
    *hash = UINT64_C(0xcbf29ce484222325);
    FILE *stream = fopen(file, "re");
    if (!stream)
        return false;
    while ((got = fread(bytes, 1, sizeof bytes, stream)) > 0)
        mix(hash, bytes, got);
    bool whole = !ferror(stream);
    fclose(stream);
    for (size_t i = 0; i < setting_count; i++)
        mix(hash, settings[i], strlen(settings[i]));
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        const char *value = getenv(variables[i]);
        mix(hash, value ? value : "", value ? strlen(value) : 0);
    }
    return whole;
}

uint64_t shared_draw(void)
{
    uint64_t drawn = 0;
    while (!drawn)
        ASSERT(getrandom(&drawn, sizeof drawn, 0) == sizeof drawn);
    return drawn;
}

int64_t shared_unix_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}
