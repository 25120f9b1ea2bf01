#include "core/gather.h"

#include "core/ledger.h"

#include <stdlib.h>

enum { HEAD_BYTES_MAX = 29, FIGURE_BYTES_MAX = 5 + 9 };

/* The last frame is kept as its bytes: to acknowledge it is to read it. */
struct gather {
    struct ledger ledger;
    struct told told; /* and acknowledged */
    uint64_t *kept; /* of each recent peak: the highest that was forgotten before it was told */
    struct pack figures; /* of the frame under way */
    struct pack frame; /* written last */
    bool pending; /* it is not acknowledged */
    bool forgotten; /* peaks have begun anew since it was written */
    int64_t sequence;
    int64_t zero_ns; /* of the timeline that `told` knows */
    int64_t written_zero_ns; /* likewise, the frame */
    size_t first; /* where the next frame begins */
    size_t last; /* where the one written last ended: 0 where it held all there was */
};

/* Only the database's process knows what stands in it. */
static bool has_database(const struct world *world)
{
    return world->postgresql && !world->postgresql->away;
}

/* What counts begins at 0 on either side; of the rest nobody knows what the other side believes. */
void gather_again(struct gather *gather)
{
    const struct ledger *ledger = &gather->ledger;
    told_fini(&gather->told);
    told_init(&gather->told, ledger);
    for (size_t i = 0; i < ledger->entry_count; i++)
        if (ledger->entries[i].merge > LEDGER_MINUTE)
            gather->told.words[i] = LEDGER_UNTOLD;
    gather->zero_ns = ledger->world->last_zero_ns;
    gather->first = 0;
    gather->pending = false;
}

struct gather *gather_new(struct world *world)
{
    ASSERT(!world->gather);
    struct gather *gather = base_alloc(1, sizeof *gather);
    ledger_init(&gather->ledger, world);
    gather_again(gather);
    gather->kept = base_alloc(gather->ledger.entry_count, sizeof *gather->kept);
    gather->figures.bytes = base_alloc(BODY_BYTES_MAX, 1);
    gather->frame.bytes = base_alloc(BODY_BYTES_MAX, 1);
    world->gather = gather;
    return gather;
}

void gather_free(struct gather *gather)
{
    if (!gather)
        return;
    gather->ledger.world->gather = NULL;
    told_fini(&gather->told);
    ledger_fini(&gather->ledger);
    free(gather->kept);
    free(gather->figures.bytes);
    free(gather->frame.bytes);
    free(gather);
}

/* What has been told already belongs to the time that ends; what comes is told whatever it is. */
void gather_keep_peaks(struct gather *gather)
{
    for (size_t i = 0; i < gather->ledger.entry_count; i++) {
        const struct ledger_entry *entry = &gather->ledger.entries[i];
        if (entry->merge != LEDGER_RECENT)
            continue;
        uint64_t now = ledger_word(entry->from, (enum ledger_type)entry->type);
        if (now != gather->told.words[i])
            gather->kept[i] = MAX(gather->kept[i], now);
        gather->told.words[i] = LEDGER_UNTOLD;
    }
    gather->forgotten = true;
}

/* ---- writing ---- */

/* A frame as it grows. */
struct writing {
    struct pack *figures;
    size_t room;
    uint32_t count;
    size_t next; /* behind the index told last */
    bool full;
};

/* False: it has no room, and the frame is full. */
static bool put(struct writing *writing, size_t index, uint64_t word, bool real)
{
    struct pack *figures = writing->figures;
    size_t before = figures->len;
    pack_int(figures, (int64_t)(index - writing->next));
    if (real)
        pack_real(figures, ledger_real(word));
    else
        pack_int(figures, (int64_t)word);
    if (figures->len > writing->room) {
        figures->len = before;
        writing->full = true;
        return false;
    }
    writing->count++;
    writing->next = index + 1;
    return true;
}

static void write_entries(const struct gather *gather, struct writing *writing, size_t first)
{
    const struct ledger *ledger = &gather->ledger;
    bool own = has_database(ledger->world);
    for (size_t i = first; i < ledger->entry_count; i++) {
        const struct ledger_entry *entry = &ledger->entries[i];
        uint64_t word = ledger_word(entry->from, (enum ledger_type)entry->type);
        word = entry->merge == LEDGER_RECENT ? MAX(word, gather->kept[i]) : word;
        if (word == gather->told.words[i] || (entry->merge == LEDGER_OWN && !own))
            continue;
        if (!put(writing, i, word, entry->type == LEDGER_REAL))
            return;
    }
}

/* From a cell on. */
static void write_histogram(const struct gather *gather, struct writing *writing, size_t which, size_t cell)
{
    const struct histogram *now = gather->ledger.histograms[which], *told = &gather->told.histograms[which];
    size_t base = gather->ledger.entry_count + which * HISTOGRAM_CELLS;
    const struct {
        uint64_t now, told;
    } heads[CELL_BUCKETS] = {
        [CELL_ZEROS] = {now->zeros, told->zeros},
        [CELL_SUM] = {ledger_bits(now->sum), ledger_bits(told->sum)},
        [CELL_MIN] = {ledger_bits(now->min), ledger_bits(told->min)},
        [CELL_MAX] = {ledger_bits(now->max), ledger_bits(told->max)},
    };
    for (; cell < CELL_BUCKETS; cell++)
        if (heads[cell].now != heads[cell].told &&
            !put(writing, base + cell, heads[cell].now, cell != CELL_ZEROS))
            return;
    for (; cell < HISTOGRAM_CELLS; cell++) {
        uint32_t bucket = now->buckets[cell - CELL_BUCKETS];
        if (bucket != told->buckets[cell - CELL_BUCKETS] && !put(writing, base + cell, bucket, false))
            return;
    }
}

/* One that was cut in two may have got all its buckets, but not the sum that goes with the last of them. */
static bool is_told(const struct histogram *now, const struct histogram *told)
{
    return now->count == told->count && ledger_bits(now->sum) == ledger_bits(told->sum);
}

static struct writing write_from(struct gather *gather, size_t first, size_t room)
{
    const struct ledger *ledger = &gather->ledger;
    struct writing writing = {.figures = &gather->figures, .room = room};
    gather->figures.len = 0;
    write_entries(gather, &writing, first);
    size_t behind = first > ledger->entry_count ? first - ledger->entry_count : 0;
    size_t which = behind / HISTOGRAM_CELLS, cell = behind % HISTOGRAM_CELLS;
    for (; which < ledger->histogram_count && !writing.full; which++, cell = 0)
        if (!is_told(ledger->histograms[which], &gather->told.histograms[which]))
            write_histogram(gather, &writing, which, cell);
    return writing;
}

/* The frame written last, to be read. */
static struct frame written(const struct gather *gather)
{
    struct frame frame;
    struct slice bytes = {.at = (const char *)gather->frame.bytes, .len = (uint32_t)gather->frame.len};
    bool opened = frame_open(&frame, &gather->ledger, bytes);
    ASSERT(opened);
    return frame;
}

/* The frame may have arrived or not: of what can fall again nobody knows what the other side believes. */
static void doubt(struct gather *gather)
{
    size_t index;
    uint64_t word;
    for (struct frame frame = written(gather); frame_next(&frame, &gather->ledger, &index, &word);)
        if (ledger_merge_at(&gather->ledger, index) > LEDGER_MINUTE)
            gather->told.words[index] = LEDGER_UNTOLD;
    gather->pending = false;
}

bool gather_write(struct gather *gather, struct pack *pack, size_t bytes_max)
{
    const struct world *world = gather->ledger.world;
    size_t room = MIN(bytes_max, BODY_BYTES_MAX - pack->len);
    ASSERT(room >= GATHER_BYTES_MIN);
    room = MIN(room, BODY_BYTES_MAX - FIGURE_BYTES_MAX) - HEAD_BYTES_MAX;
    if (gather->pending)
        doubt(gather);
    if (gather->zero_ns != world->last_zero_ns) {
        told_restart(&gather->told, &gather->ledger);
        gather->zero_ns = world->last_zero_ns;
    }
    struct writing writing = write_from(gather, gather->first, room);
    if (!writing.count && gather->first)
        writing = write_from(gather, 0, room);
    if (!writing.count)
        return false;
    struct pack *frame = &gather->frame;
    frame->len = 0;
    pack_array(frame, 4);
    pack_int(frame, ++gather->sequence);
    pack_int(frame, (int64_t)gather->ledger.size);
    pack_int(frame, world->last_zero_ns);
    pack_array(frame, 2 * writing.count);
    pack_raw(frame, gather->figures.bytes, gather->figures.len);
    pack_raw(pack, frame->bytes, frame->len);
    gather->last = writing.full ? writing.next : 0;
    gather->written_zero_ns = world->last_zero_ns;
    gather->forgotten = false;
    gather->pending = true;
    return true;
}

void gather_acknowledge(struct gather *gather)
{
    const struct ledger *ledger = &gather->ledger;
    size_t index;
    uint64_t word;
    if (!gather->pending)
        return;
    for (struct frame frame = written(gather); frame_next(&frame, ledger, &index, &word);) {
        enum ledger_merge merge = ledger_merge_at(ledger, index);
        if ((merge == LEDGER_RECENT && gather->forgotten) ||
            (merge == LEDGER_MINUTE && gather->written_zero_ns != ledger->world->last_zero_ns))
            continue;
        if (merge == LEDGER_RECENT)
            gather->kept[index] = 0;
        told_set(&gather->told, ledger, index, word);
    }
    gather->first = gather->last;
    gather->pending = false;
}

bool gather_more(const struct gather *gather)
{
    return gather->first > 0;
}
