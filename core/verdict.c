/* verdict: takes what only the database can prove of faults to the process that judges. See core/gather.h. */
#include "core/gather.h"

#include "core/parts.h"

enum { VERDICT_ITEMS = 5 };

/* One fault's: its place, what kind it is, and what is said of it. */
struct verdict {
    int64_t index, kind;
    bool applied, landed;
    struct slice evidence;
};

static uint32_t count_of(const struct world *world)
{
    uint32_t count = 0;
    for (size_t i = 0; i < world->stats.fault_count; i++)
        count += evidence_is_stores(&world->stats.faults[i].spec);
    return count;
}

bool gather_verdicts(struct world *world, struct pack *pack)
{
    if (!world->postgresql || world->postgresql->away)
        return false;
    pack_array(pack, count_of(world));
    for (size_t i = 0; i < world->stats.fault_count; i++) {
        struct fault_stats *stats = &world->stats.faults[i];
        if (!evidence_is_stores(&stats->spec))
            continue;
        evidence_judge(world, stats);
        pack_array(pack, VERDICT_ITEMS);
        pack_int(pack, (int64_t)i);
        pack_int(pack, stats->spec.kind);
        pack_bool(pack, stats->applied);
        pack_bool(pack, stats->landed);
        pack_text(pack, stats->evidence);
    }
    return true;
}

/* Evidence is words and numbers of ours: ASCII that can be printed. */
static bool is_plain(struct slice text)
{
    for (uint32_t i = 0; i < text.len; i++)
        if (text.at[i] < ' ' || text.at[i] > '~')
            return false;
    return true;
}

static bool read_verdict(struct world *world, struct cursor *cursor, struct verdict *verdict)
{
    bool whole = cursor_array(cursor) == VERDICT_ITEMS;
    verdict->index = cursor_int(cursor);
    verdict->kind = cursor_int(cursor);
    verdict->applied = cursor_bool(cursor);
    verdict->landed = cursor_bool(cursor);
    verdict->evidence = cursor_text(cursor);
    if (!whole || cursor->bad || verdict->index < 0 || verdict->index >= (int64_t)world->stats.fault_count)
        return false;
    const struct fault_spec *fault = &world->stats.faults[verdict->index].spec;
    return verdict->kind == (int64_t)fault->kind && evidence_is_stores(fault) &&
           verdict->evidence.len < sizeof world->stats.faults[0].evidence && is_plain(verdict->evidence);
}

static void take(struct world *world, const struct verdict *verdict)
{
    struct fault_stats *stats = &world->stats.faults[verdict->index];
    stats->told = true;
    stats->applied = verdict->applied;
    stats->landed = verdict->landed;
    if (verdict->evidence.len)
        memcpy(stats->evidence, verdict->evidence.at, verdict->evidence.len);
    stats->evidence[verdict->evidence.len] = '\0';
}

bool gathered_verdicts(struct world *world, struct cursor *from)
{
    struct verdict verdicts[FAULTS_MAX];
    uint32_t count = cursor_array(from);
    if (from->bad || count > FAULTS_MAX)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!read_verdict(world, from, &verdicts[i]))
            return false;
    for (uint32_t i = 0; i < count; i++)
        take(world, &verdicts[i]);
    return true;
}
