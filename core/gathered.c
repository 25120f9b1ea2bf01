/* gathered: reads what another process tells of its figures into this world's. See core/gather.h. */
#include "core/gather.h"

#include "core/ledger.h"

#include <stdlib.h>

struct gathered {
    struct ledger ledger;
    struct told told;
    int64_t sequence; /* of the last frame; 0: none has come */
    int64_t zero_ns; /* of the teller's timeline, as the last frame said */
};

struct gathered *gathered_new(struct world *world)
{
    struct gathered *gathered = base_alloc(1, sizeof *gathered);
    ledger_init(&gathered->ledger, world);
    told_init(&gathered->told, &gathered->ledger);
    return gathered;
}

void gathered_free(struct gathered *gathered)
{
    if (!gathered)
        return;
    told_fini(&gathered->told);
    ledger_fini(&gathered->ledger);
    free(gathered);
}

/* ---- one figure ---- */

static void add(void *into, enum ledger_type type, uint64_t more)
{
    switch (type) {
    case LEDGER_U8:
        *(uint8_t *)into += (uint8_t)more;
        return;
    case LEDGER_U32:
        *(uint32_t *)into += (uint32_t)more;
        return;
    case LEDGER_I32:
        *(int *)into += (int)(int64_t)more;
        return;
    case LEDGER_U64:
    case LEDGER_I64: /* bounded: their sums do not overflow */
        *(uint64_t *)into += more;
        return;
    case LEDGER_REAL:
        break;
    }
    ASSERT(!"reals have no differences in words");
}

static void set(void *into, enum ledger_type type, uint64_t word)
{
    switch (type) {
    case LEDGER_U8:
        *(uint8_t *)into = (uint8_t)word;
        return;
    case LEDGER_U32:
        *(uint32_t *)into = (uint32_t)word;
        return;
    case LEDGER_I32:
        *(int *)into = (int)(int64_t)word;
        return;
    case LEDGER_U64:
    case LEDGER_I64:
        *(uint64_t *)into = word;
        return;
    case LEDGER_REAL:
        *(double *)into = ledger_real(word);
    }
}

static void apply_entry(const struct ledger_entry *entry, uint64_t old, uint64_t word)
{
    enum ledger_type type = (enum ledger_type)entry->type;
    switch ((enum ledger_merge)entry->merge) {
    case LEDGER_COUNT:
    case LEDGER_MINUTE:
    case LEDGER_LEVEL:
        if (type == LEDGER_REAL)
            *(double *)entry->into += ledger_real(word) - ledger_real(old);
        else
            add(entry->into, type, word - old);
        return;
    case LEDGER_PEAK:
    case LEDGER_RECENT:
        if (word > ledger_word(entry->into, type))
            set(entry->into, type, word);
        return;
    case LEDGER_OWN:
        set(entry->into, type, word);
    }
}

/* Behind the cells that `told` has just got. */
static void settle(struct histogram *into, const struct histogram *told)
{
    if (!told->count)
        return;
    bool alone = into->count == told->count;
    into->min = alone ? told->min : MIN(into->min, told->min);
    into->max = alone ? told->max : MAX(into->max, told->max);
}

static void apply_cell(struct histogram *into, size_t cell, uint64_t old, uint64_t word)
{
    if (cell == CELL_SUM)
        into->sum += ledger_real(word) - ledger_real(old);
    if (cell != CELL_ZEROS && cell < CELL_BUCKETS)
        return;
    into->count += word - old;
    if (cell == CELL_ZEROS)
        into->zeros += word - old;
    else
        into->buckets[cell - CELL_BUCKETS] += (uint32_t)(word - old);
}

/* ---- a frame ---- */

static bool is_minute(const struct ledger *ledger, size_t index)
{
    return ledger_merge_at(ledger, index) == LEDGER_MINUTE;
}

/* Whether the teller's timeline is the one that runs here. */
static bool same_timeline(const struct gathered *gathered, const struct frame *frame)
{
    return frame->zero_ns == gathered->ledger.world->last_zero_ns;
}

/* All of it, before any of it counts. */
static bool is_sane(const struct gathered *gathered, struct frame frame)
{
    const struct ledger *ledger = &gathered->ledger;
    bool anew = frame.zero_ns != gathered->zero_ns;
    size_t index;
    uint64_t word;
    while (frame_next(&frame, ledger, &index, &word))
        if (!(anew && is_minute(ledger, index)) &&
            !ledger_follows(ledger, index, told_word(&gathered->told, ledger, index), word))
            return false;
    return !frame.cursor.bad && frame.cursor.at == frame.cursor.end;
}

/* Connections in use over all processes; those that a fault holds are held here as well. */
static void add_up_connections(struct world *world)
{
    struct pool_total *total = &world->connections;
    total->active = 0;
    for (size_t a = 0; a < world->actor_count; a++)
        for (size_t i = 0; i < world->actors[a].pool_count; i++) {
            const struct pool *pool = &world->actors[a].pools[i].pool;
            total->active += pool_active(pool) + pool->away.used;
        }
    *total->peak = (uint32_t)MAX(*total->peak, total->active);
    *total->recent = (uint32_t)MAX(*total->recent, total->active);
}

static void apply(struct gathered *gathered, struct frame frame)
{
    const struct ledger *ledger = &gathered->ledger;
    bool same = same_timeline(gathered, &frame);
    size_t index, touched = SIZE_MAX;
    uint64_t word;
    while (frame_next(&frame, ledger, &index, &word)) {
        uint64_t old = told_word(&gathered->told, ledger, index);
        if (is_minute(ledger, index) && !same)
            continue;
        told_set(&gathered->told, ledger, index, word);
        size_t which = SIZE_MAX;
        if (index < ledger->entry_count)
            apply_entry(&ledger->entries[index], old, word);
        else
            which = (index - ledger->entry_count) / HISTOGRAM_CELLS;
        if (which != touched && touched != SIZE_MAX)
            settle(ledger->histograms[touched], &gathered->told.histograms[touched]);
        touched = which;
        if (which != SIZE_MAX)
            apply_cell(ledger->histograms[which], (index - ledger->entry_count) % HISTOGRAM_CELLS, old, word);
    }
    if (touched != SIZE_MAX)
        settle(ledger->histograms[touched], &gathered->told.histograms[touched]);
    add_up_connections(ledger->world);
}

bool gathered_read(struct gathered *gathered, struct cursor *from)
{
    struct frame frame;
    struct slice bytes = cursor_raw(from);
    if (from->bad || !frame_open(&frame, &gathered->ledger, bytes) ||
        (frame.sequence > gathered->sequence && !is_sane(gathered, frame)))
        return false;
    if (frame.sequence <= gathered->sequence)
        return true; /* what was written since says the same and more */
    if (gathered->sequence && frame.zero_ns != gathered->zero_ns)
        told_restart(&gathered->told, &gathered->ledger);
    gathered->sequence = frame.sequence;
    gathered->zero_ns = frame.zero_ns;
    apply(gathered, frame);
    return true;
}

void gathered_gone(struct gathered *gathered)
{
    const struct ledger *ledger = &gathered->ledger;
    for (size_t i = 0; i < ledger->entry_count; i++) {
        const struct ledger_entry *entry = &ledger->entries[i];
        if (entry->merge != LEDGER_LEVEL)
            continue;
        apply_entry(entry, gathered->told.words[i], 0);
        gathered->told.words[i] = 0;
    }
    add_up_connections(ledger->world);
}
