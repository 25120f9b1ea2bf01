/*
 * ledger: all figures of a world that another process may have to be told of, in one fixed order.
 *
 * For core/gather.c, which writes them, and core/gathered.c, which reads them. Two worlds of one scenario,
 * registry and version have the same ledger: first the entries, one figure each, then the histograms, of
 * HISTOGRAM_CELLS each. A figure's place in that order is its index. A histogram's count is not told: it is
 * what its buckets and zeros add up to, so that it fits them also while only half of it has been told.
 *
 * Not in it: what belongs to the load generator (streams, alerts, expectations), what each process sets for itself
 * because the timeline runs in all of them (limits of pools, connections held, logs of phases and faults),
 * and series of metrics, which are exported where they are counted.
 *
 * Owner: whoever made it; it points into the world, which must outlive it. Nothing is bound in a world once
 * it has been made, so nothing moves.
 *
 * A frame is what one write says: an array of (sequence, size of the ledger, the timeline's 0, array of
 * figures), the figures as pairs (places to go on by, from 0; value now). Values are not differences: who
 * keeps what was told last (struct told) knows the difference, and a frame that is told twice adds nothing.
 * From outside every byte is hostile: frame_open and frame_next check shape, range and order; see there.
 */
#ifndef CORE_LEDGER_H
#define CORE_LEDGER_H

#include "core/parts.h"

enum ledger_type { LEDGER_U8, LEDGER_U32, LEDGER_U64, LEDGER_I32, LEDGER_I64, LEDGER_REAL };

/* What becomes of a figure where several tell it. */
enum ledger_merge {
    LEDGER_COUNT, /* only grows: adds up */
    LEDGER_MINUTE, /* likewise, and begins anew with the timeline */
    LEDGER_LEVEL, /* adds up, and is taken back when who told it has gone */
    LEDGER_PEAK, /* the highest */
    LEDGER_RECENT, /* likewise, since the last sample or fault: of either all processes know */
    LEDGER_OWN /* as it is: only the process of the database tells it */
};

/* Levels are at most that, integers so far from 0, reals so high: sums of them stay exact, or finite. */
#define LEDGER_LEVEL_MAX (INT64_C(1) << 20)
#define LEDGER_INT_MAX (INT64_C(1) << 53)
#define LEDGER_REAL_MAX 1e18

struct ledger_entry {
    void *from, *into; /* where it is counted; where what others tell goes, mostly the same place */
    uint8_t type, merge; /* enum ledger_type, ledger_merge */
};

enum {
    CELL_ZEROS,
    CELL_SUM,
    CELL_MIN,
    CELL_MAX,
    CELL_BUCKETS,
    HISTOGRAM_CELLS = CELL_BUCKETS + HISTOGRAM_BUCKETS
};

struct ledger {
    struct world *world;
    struct ledger_entry *entries;
    size_t entry_count;
    struct histogram **histograms;
    size_t histogram_count;
    size_t size; /* indexes in all */
};

/* A cell of a histogram is a count, or a peak of its own kind: what it says does not fall. */
static inline enum ledger_merge ledger_merge_at(const struct ledger *ledger, size_t index)
{
    return index < ledger->entry_count ? (enum ledger_merge)ledger->entries[index].merge : LEDGER_COUNT;
}

void ledger_init(struct ledger *ledger, struct world *world);
void ledger_fini(struct ledger *ledger);

/* A figure in 64 bits: an integer's own, or a real's. */
uint64_t ledger_word(const void *at, enum ledger_type type);
static inline double ledger_real(uint64_t word)
{
    double value;
    memcpy(&value, &word, sizeof value);
    return value;
}
static inline uint64_t ledger_bits(double value)
{
    uint64_t word;
    memcpy(&word, &value, sizeof word);
    return word;
}

/* No figure's word: has not been told. */
#define LEDGER_UNTOLD (UINT64_C(1) << 63)

/* What has been told last of each figure. */
struct told {
    uint64_t *words; /* of the entries */
    struct histogram *histograms;
};

void told_init(struct told *told, const struct ledger *ledger); /* all 0 */
void told_fini(struct told *told);
uint64_t told_word(const struct told *told, const struct ledger *ledger, size_t index);
/* A histogram's count grows with its cells. */
void told_set(struct told *told, const struct ledger *ledger, size_t index, uint64_t word);
/* The timeline begins anew: so do the figures by minute. */
void told_restart(struct told *told, const struct ledger *ledger);

/* Whether a figure of the new value may follow one of the old: counts do not fall. */
bool ledger_follows(const struct ledger *ledger, size_t index, uint64_t old, uint64_t word);

struct frame {
    int64_t sequence; /* from 1 */
    int64_t zero_ns;
    struct cursor cursor;
    uint32_t left; /* figures still to read */
    size_t next; /* the lowest index that can come */
};

/* False: no frame of such a ledger. Reads no further than the bytes given. */
bool frame_open(struct frame *frame, const struct ledger *ledger, struct slice bytes);
/* The next figure; false: there is none, or (frame.cursor.bad) it is out of range. */
bool frame_next(struct frame *frame, const struct ledger *ledger, size_t *index, uint64_t *word);

#endif
