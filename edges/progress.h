/*
 * progress: one line on a terminal that says how far a long run is. Nothing where stderr is no terminal.
 *
 * The first line comes after PROGRESS_AFTER_MS of wall time, then one every PROGRESS_EVERY_MS; the line is
 * wiped at the end. Wall time is read once in PROGRESS_TURNS calls.
 */
#ifndef EDGES_PROGRESS_H
#define EDGES_PROGRESS_H

#include "core/world.h"
#include "edges/paint.h"

enum { PROGRESS_AFTER_MS = 300, PROGRESS_EVERY_MS = 100, PROGRESS_TURNS = 256 };

struct progress {
    const struct scenario *scenario;
    struct paint paint;
    bool wanted, shown;
    unsigned turns;
    int64_t next_ns; /* wall clock */
    int64_t on_timeline_ns, duration_ns; /* now, and its end; negative: the demo waits */
    struct text line;
};

void progress_open(struct progress *progress, const struct scenario *scenario, bool quiet);
void progress_close(struct progress *progress);

/* To be called after every turn. */
static inline bool progress_due(struct progress *progress)
{
    return progress->wanted && ++progress->turns % PROGRESS_TURNS == 0;
}
void progress_show(struct progress *progress, const struct world *world);

/* What the line says: of each stream the newest minute that is over, a warm-up's included. */
void progress_line(struct text *line, const struct progress *progress, const struct run_stats *stats);

#endif
