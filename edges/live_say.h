/*
 * live_say: what a live run says on stderr of itself: who listens where, and how well the clock was kept. Nothing with --quiet.
 */
#ifndef EDGES_LIVE_SAY_H
#define EDGES_LIVE_SAY_H

#include "edges/placement.h"
#include "edges/session.h"

/* Where a newcomer may knock; of a spread run, a line for each service that is here. */
void live_say_listening(const struct session *session, const struct placement *placement);
/* How late turns came, and each stream's requests; `lag` as of live_lag. */
void live_say_lag(const struct session *session, const struct histogram *lag);

#endif
