/*
 * gather: how the figures of a world whose actors live in several processes come together in one of them.
 *
 * Every process builds the whole world from the same scenario, registry and version; each figure is counted where its
 * actor lives. The process that has the load generator reports and judges, so the others tell it their
 * figures, over a channel of requests and answers. What is told goes into its own world, next to what it counts
 * itself: counts add up, peaks are the highest of any process, levels add up until their process goes.
 * core/ledger.h lists the figures and describes the bytes.
 *
 *     teller   gather_write   -> bytes -> gathered_read   judge
 *              gather_acknowledge <- answer <-
 *
 * A teller says the value of what has changed since what was acknowledged. What is not acknowledged is said again, with
 * the next sequence number: whichever of the two arrive, and however often, everything counts once. What does not fit
 * waits for the next write; a histogram may be cut in two, and counts as far as it has come.
 *
 * What is not exact: figures are as old as the last write. The peak of connections over all processes is
 * at least the highest of one process, and of the sum whenever somebody tells; one in between is not seen. In several
 * copies of a service, peaks are the highest of one copy.
 *
 * A demo that is started again is started first where figures are gathered: what others still tell of the
 * minutes of the one before is then left out.
 *
 * Owner: the caller; the world must outlive both. One gather a world. Bytes are hostile: bounded by
 * BODY_BYTES_MAX where they are written, checked in full before anything of them counts.
 */
#ifndef CORE_GATHER_H
#define CORE_GATHER_H

#include "core/pack.h"

struct world;
struct gather;
struct gathered;

enum { GATHER_BYTES_MIN = 64 }; /* one figure always fits */

/* Nobody has been told anything. */
struct gather *gather_new(struct world *world);
void gather_free(struct gather *gather); /* NULL: nothing */
/* Whoever gathers may have taken us for gone, or has been started anew: all is told again, as it stands. */
void gather_again(struct gather *gather);

/* Appends one msgpack value of at most `bytes_max` bytes (from GATHER_BYTES_MIN on, and no more than the pack has
   left). False: nothing has changed, and nothing is written. */
bool gather_write(struct gather *gather, struct pack *pack, size_t bytes_max);
/* What was written last has arrived. Nothing where it was acknowledged already. */
void gather_acknowledge(struct gather *gather);
/* What was acknowledged last was full: there may be more to tell at once. */
bool gather_more(const struct gather *gather);

/* One a process that tells, for as long as that lives, however often its connection does not: a process started anew
   is a new one. */
struct gathered *gathered_new(struct world *world);
void gathered_free(struct gathered *gathered); /* NULL: nothing; all that was told stays */

/* Reads one value, and goes past it. False: malformed, of another ledger, out of range, or a count that falls; then
   nothing of it counts, and it is not to be acknowledged. */
bool gathered_read(struct gathered *gathered, struct cursor *from);
/* The process has gone: what it had in use, waiting or delayed is taken back; what it counted stays. Should it come
   back after all, it has to tell all again. */
void gathered_gone(struct gathered *gathered);

/* Of the faults that only the database can prove: whether they landed, and what shows it. Written where it lives,
   at the end of the run; false: it does not live here, and nothing is written. Read before the world is finished that
   gathers, which then keeps them; false: malformed, or of other faults, and nothing of it counts. */
bool gather_verdicts(struct world *world, struct pack *pack);
bool gathered_verdicts(struct world *world, struct cursor *from);

#endif
