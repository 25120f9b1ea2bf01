#include "core/ledger.h"

#include <stdlib.h>

enum { FRAME_ITEMS = 4, ROOM_AT_FIRST = 256 };

/* ---- what is in it ---- */

struct listing {
    struct ledger *ledger;
    size_t entry_room, histogram_room;
};

static void list_apart(struct listing *listing, void *from, void *into, enum ledger_type type,
                       enum ledger_merge merge)
{
    struct ledger *ledger = listing->ledger;
    if (ledger->entry_count == listing->entry_room) {
        size_t room = MAX(2 * listing->entry_room, (size_t)ROOM_AT_FIRST);
        ledger->entries = base_grow(ledger->entries, listing->entry_room, room, sizeof *ledger->entries);
        listing->entry_room = room;
    }
    ledger->entries[ledger->entry_count++] = (struct ledger_entry){from, into, (uint8_t)type, (uint8_t)merge};
}

static void list(struct listing *listing, void *figure, enum ledger_type type, enum ledger_merge merge)
{
    list_apart(listing, figure, figure, type, merge);
}

static void list_counts(struct listing *listing, uint64_t *figures, size_t count)
{
    for (size_t i = 0; i < count; i++)
        list(listing, &figures[i], LEDGER_U64, LEDGER_COUNT);
}

static void list_histogram(struct listing *listing, struct histogram *histogram)
{
    struct ledger *ledger = listing->ledger;
    if (ledger->histogram_count == listing->histogram_room) {
        size_t room = MAX(2 * listing->histogram_room, (size_t)ROOM_AT_FIRST);
        ledger->histograms =
            base_grow(ledger->histograms, listing->histogram_room, room, sizeof(struct histogram *));
        listing->histogram_room = room;
    }
    ledger->histograms[ledger->histogram_count++] = histogram;
}

static void list_services(struct listing *listing, struct run_stats *stats)
{
    for (size_t i = 0; i < stats->service_count; i++) {
        struct service_stats *service = &stats->services[i];
        list(listing, &service->spans, LEDGER_U64, LEDGER_COUNT);
        list(listing, &service->errors, LEDGER_U64, LEDGER_COUNT);
        list(listing, &service->asks_peak, LEDGER_U32, LEDGER_PEAK);
        list_histogram(listing, &service->latency);
    }
    for (size_t i = 0; i < stats->edge_count; i++) {
        struct edge_stats *edge = &stats->edges[i];
        list(listing, &edge->calls, LEDGER_U64, LEDGER_COUNT);
        list(listing, &edge->errors, LEDGER_U64, LEDGER_COUNT);
        list_histogram(listing, &edge->latency);
    }
}

static void list_pool(struct listing *listing, struct pool_stats *pool)
{
    list(listing, &pool->peak_used, LEDGER_I32, LEDGER_PEAK);
    list(listing, &pool->acquired, LEDGER_U64, LEDGER_COUNT);
    list(listing, &pool->timeouts, LEDGER_U64, LEDGER_COUNT);
    list(listing, &pool->refused, LEDGER_U64, LEDGER_COUNT);
    list(listing, &pool->given_up, LEDGER_U64, LEDGER_COUNT);
    list(listing, &pool->waiters_most, LEDGER_U32, LEDGER_PEAK);
    list_histogram(listing, &pool->wait);
    list_histogram(listing, &pool->wait_any);
    for (size_t m = 0; m < pool->minute_count; m++) {
        list(listing, &pool->minutes[m].acquired, LEDGER_U32, LEDGER_MINUTE);
        list(listing, &pool->minutes[m].timeouts, LEDGER_U32, LEDGER_MINUTE);
        list(listing, &pool->minutes[m].given_up, LEDGER_U32, LEDGER_MINUTE);
    }
}

static void list_actor(struct listing *listing, struct actor *actor)
{
    list(listing, &actor->queries, LEDGER_U64, LEDGER_COUNT);
    list(listing, &actor->queries_delayed, LEDGER_U64, LEDGER_COUNT);
    for (size_t i = 0; i < actor->pool_count; i++) {
        struct pool *pool = &actor->pools[i].pool;
        struct pool_away *away = &pool->away;
        list_apart(listing, &pool->used, &away->used, LEDGER_I32, LEDGER_LEVEL);
        list_apart(listing, &pool->waiters, &away->waiters, LEDGER_U32, LEDGER_LEVEL);
        list_apart(listing, &pool->waiters_peak, &away->waiters_peak, LEDGER_U32, LEDGER_RECENT);
        for (size_t f = 0; f < POOL_FAULTS; f++)
            list_apart(listing, &pool->fault_peaks[f], &away->fault_peaks[f], LEDGER_I32, LEDGER_RECENT);
    }
}

static void list_statements(struct listing *listing, struct run_stats *stats)
{
    for (size_t i = 0; i < stats->statement_count; i++) {
        struct statement_stats *statement = &stats->statements[i];
        list(listing, &statement->runs, LEDGER_U64, LEDGER_COUNT);
        list(listing, &statement->full_scans, LEDGER_U64, LEDGER_COUNT);
        list(listing, &statement->scan_rows_max, LEDGER_U64, LEDGER_PEAK);
        list_histogram(listing, &statement->latency);
    }
    for (size_t i = 0; i < stats->profile_count; i++) {
        struct profile_line *line = &stats->profile[i];
        list(listing, &line->cpu_ns, LEDGER_REAL, LEDGER_COUNT);
        list(listing, &line->scanned_ns, LEDGER_REAL, LEDGER_COUNT);
        list(listing, &line->locked_ns, LEDGER_REAL, LEDGER_COUNT);
        for (size_t s = 0; s < SPENT_COUNT; s++)
            list(listing, &line->spent_ns[s], LEDGER_REAL, LEDGER_COUNT);
        list_counts(listing, line->lost, SPENT_COUNT);
    }
}

static void list_stores(struct listing *listing, struct store_stats *stores)
{
    list(listing, &stores->active_peak, LEDGER_U32, LEDGER_PEAK);
    list(listing, &stores->connections_peak, LEDGER_U32, LEDGER_PEAK);
    list(listing, &stores->active_recent, LEDGER_U32, LEDGER_RECENT);
    list(listing, &stores->connections_recent, LEDGER_U32, LEDGER_RECENT);
    list(listing, &stores->lock_timeouts, LEDGER_U64, LEDGER_COUNT);
    list(listing, &stores->cache_hits, LEDGER_U64, LEDGER_COUNT);
    list(listing, &stores->cache_misses, LEDGER_U64, LEDGER_COUNT);
    list_histogram(listing, &stores->lock_wait);
}

static void list_business(struct listing *listing, struct business_stats *shop)
{
    list_counts(listing, shop->count, BUSINESS_COUNT);
    list(listing, &shop->revenue_cents, LEDGER_I64, LEDGER_COUNT);
    list(listing, &shop->db_orders, LEDGER_U64, LEDGER_OWN);
    list(listing, &shop->db_revenue_cents, LEDGER_I64, LEDGER_OWN);
    list(listing, &shop->db_pieces, LEDGER_I64, LEDGER_OWN);
    list(listing, &shop->db_stock_taken, LEDGER_I64, LEDGER_OWN);
    list(listing, &shop->hot_sold, LEDGER_I64, LEDGER_OWN);
    list(listing, &shop->hot_left, LEDGER_I64, LEDGER_OWN);
}

static void list_run(struct listing *listing, struct run_stats *stats)
{
    list(listing, &stats->traces, LEDGER_U64, LEDGER_COUNT);
    list(listing, &stats->spans, LEDGER_U64, LEDGER_COUNT);
    list(listing, &stats->logs[LOG_BODY_SLOW_QUERY], LEDGER_U64, LEDGER_COUNT);
    list(listing, &stats->logs[LOG_BODY_POOL_EXHAUSTED], LEDGER_U64, LEDGER_COUNT);
    list(listing, &stats->max_depth, LEDGER_U8, LEDGER_PEAK);
    list(listing, &stats->asks, LEDGER_U64, LEDGER_COUNT);
    list_counts(listing, stats->asks_ended, STATUS_COUNT);
    list(listing, &stats->late_replies, LEDGER_U64, LEDGER_COUNT);
    list(listing, &stats->mailbox_refused, LEDGER_U64, LEDGER_COUNT);
    list(listing, &stats->expired, LEDGER_U64, LEDGER_COUNT);
    for (size_t i = 0; i < FAULTS_MAX; i++) {
        list(listing, &stats->faults[i].requests, LEDGER_U64, LEDGER_COUNT);
        list(listing, &stats->faults[i].failed, LEDGER_U64, LEDGER_COUNT);
    }
}

/* What alerts watch comes early: a frame that is full does not hold it up. */
void ledger_init(struct ledger *ledger, struct world *world)
{
    *ledger = (struct ledger){.world = world};
    struct listing listing = {.ledger = ledger};
    struct run_stats *stats = &world->stats;
    list_run(&listing, stats);
    list_business(&listing, &stats->business);
    list_stores(&listing, &stats->stores);
    list_apart(&listing, &world->delayed, &world->delayed_away, LEDGER_U32, LEDGER_LEVEL);
    for (size_t i = 0; i < world->actor_count; i++)
        list_actor(&listing, &world->actors[i]);
    list_statements(&listing, stats);
    list_services(&listing, stats);
    for (size_t i = 0; i < stats->pool_count; i++)
        list_pool(&listing, &stats->pools[i]);
    ledger->size = ledger->entry_count + ledger->histogram_count * HISTOGRAM_CELLS;
}

void ledger_fini(struct ledger *ledger)
{
    free(ledger->entries);
    free(ledger->histograms);
}

uint64_t ledger_word(const void *at, enum ledger_type type)
{
    switch (type) {
    case LEDGER_U8:
        return *(const uint8_t *)at;
    case LEDGER_U32:
        return *(const uint32_t *)at;
    case LEDGER_I32:
        return (uint64_t)(int64_t) * (const int *)at;
    case LEDGER_U64:
        return *(const uint64_t *)at;
    case LEDGER_I64:
        return (uint64_t) * (const int64_t *)at;
    case LEDGER_REAL:
        break;
    }
    return ledger_bits(*(const double *)at);
}

/* ---- what was told ---- */

void told_init(struct told *told, const struct ledger *ledger)
{
    told->words = base_alloc(ledger->entry_count, sizeof *told->words);
    told->histograms = base_alloc(ledger->histogram_count, sizeof *told->histograms);
}

void told_fini(struct told *told)
{
    free(told->words);
    free(told->histograms);
}

/* A cell of a histogram, by its index. */
struct place {
    size_t histogram, cell;
};

static struct place place_of(const struct ledger *ledger, size_t index)
{
    size_t behind = index - ledger->entry_count;
    return (struct place){behind / HISTOGRAM_CELLS, behind % HISTOGRAM_CELLS};
}

uint64_t told_word(const struct told *told, const struct ledger *ledger, size_t index)
{
    if (index < ledger->entry_count)
        return told->words[index];
    struct place place = place_of(ledger, index);
    const struct histogram *histogram = &told->histograms[place.histogram];
    switch (place.cell) {
    case CELL_ZEROS:
        return histogram->zeros;
    case CELL_SUM:
        return ledger_bits(histogram->sum);
    case CELL_MIN:
        return ledger_bits(histogram->min);
    case CELL_MAX:
        return ledger_bits(histogram->max);
    default:
        return histogram->buckets[place.cell - CELL_BUCKETS];
    }
}

void told_set(struct told *told, const struct ledger *ledger, size_t index, uint64_t word)
{
    if (index < ledger->entry_count) {
        told->words[index] = word;
        return;
    }
    struct place place = place_of(ledger, index);
    struct histogram *histogram = &told->histograms[place.histogram];
    switch (place.cell) {
    case CELL_ZEROS:
        histogram->count += word - histogram->zeros;
        histogram->zeros = word;
        return;
    case CELL_SUM:
        histogram->sum = ledger_real(word);
        return;
    case CELL_MIN:
        histogram->min = ledger_real(word);
        return;
    case CELL_MAX:
        histogram->max = ledger_real(word);
        return;
    default:
        histogram->count += word - histogram->buckets[place.cell - CELL_BUCKETS];
        histogram->buckets[place.cell - CELL_BUCKETS] = (uint32_t)word;
    }
}

void told_restart(struct told *told, const struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->entry_count; i++)
        if (ledger->entries[i].merge == LEDGER_MINUTE)
            told->words[i] = 0;
}

/* ---- frames ---- */

static enum ledger_type type_at(const struct ledger *ledger, size_t index)
{
    if (index < ledger->entry_count)
        return (enum ledger_type)ledger->entries[index].type;
    size_t cell = place_of(ledger, index).cell;
    if (cell == CELL_ZEROS)
        return LEDGER_U64;
    return cell < CELL_BUCKETS ? LEDGER_REAL : LEDGER_U32;
}

static int64_t most_of(enum ledger_type type)
{
    switch (type) {
    case LEDGER_U8:
        return UINT8_MAX;
    case LEDGER_U32:
        return UINT32_MAX;
    case LEDGER_I32:
        return INT32_MAX;
    default:
        return LEDGER_INT_MAX;
    }
}

static uint64_t read_value(struct cursor *cursor, const struct ledger *ledger, size_t index)
{
    enum ledger_type type = type_at(ledger, index);
    if (type == LEDGER_REAL) {
        double real = cursor_real(cursor);
        cursor->bad |= real < 0 || real > LEDGER_REAL_MAX;
        return ledger_bits(real + 0.0); /* no -0 */
    }
    enum ledger_merge merge = ledger_merge_at(ledger, index);
    int64_t value = cursor_int(cursor), most = merge == LEDGER_LEVEL ? LEDGER_LEVEL_MAX : most_of(type);
    int64_t least = merge == LEDGER_OWN && type == LEDGER_I64 ? -most : 0;
    cursor->bad |= value < least || value > most;
    return (uint64_t)value;
}

bool ledger_follows(const struct ledger *ledger, size_t index, uint64_t old, uint64_t word)
{
    if (index >= ledger->entry_count) {
        size_t cell = place_of(ledger, index).cell;
        if (cell == CELL_MIN || cell == CELL_MAX)
            return true;
    } else if (ledger->entries[index].merge > LEDGER_MINUTE) {
        return true;
    }
    if (type_at(ledger, index) == LEDGER_REAL)
        return ledger_real(word) >= ledger_real(old);
    return word >= old;
}

bool frame_open(struct frame *frame, const struct ledger *ledger, struct slice bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.at;
    *frame = (struct frame){.cursor = {.at = at, .end = at + bytes.len}};
    struct cursor *cursor = &frame->cursor;
    bool whole = cursor_array(cursor) == FRAME_ITEMS;
    frame->sequence = cursor_int(cursor);
    bool same = cursor_int(cursor) == (int64_t)ledger->size;
    frame->zero_ns = cursor_int(cursor);
    uint32_t items = cursor_array(cursor);
    frame->left = items / 2;
    return whole && same && frame->sequence > 0 && items % 2 == 0 && !cursor->bad;
}

bool frame_next(struct frame *frame, const struct ledger *ledger, size_t *index, uint64_t *word)
{
    struct cursor *cursor = &frame->cursor;
    if (!frame->left || cursor->bad)
        return false;
    frame->left--;
    int64_t skipped = cursor_int(cursor);
    cursor->bad |= skipped < 0 || skipped >= (int64_t)(ledger->size - frame->next);
    if (cursor->bad)
        return false;
    *index = frame->next + (size_t)skipped;
    *word = read_value(cursor, ledger, *index);
    frame->next = *index + 1;
    return !cursor->bad;
}
