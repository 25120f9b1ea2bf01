/*
 * real_time: a toy world (tests/core/toy_world.h) against the clock, on a libev loop, for stores that are real.
 *
 * real_time_begin before the store is opened and the world made; then real_time_until in place of toy_run_until. Owner: the
 * test.
 */
#ifndef TESTS_CONTRACT_REAL_TIME_H
#define TESTS_CONTRACT_REAL_TIME_H

#include "tests/core/toy_world.h"

#include <ev.h>

struct real_time {
    struct ev_loop *loop;
    struct toy *toy;
    int64_t began_ns; /* on the monotonic clock */
    ev_timer tick;
};

void real_time_begin(struct real_time *real, struct toy *toy);
void real_time_end(struct real_time *real); /* after the store has been closed */

int64_t real_time_now(void *real); /* the world's clock, as a store asks for it */

/* Until `done` says so (NULL: never), or the limit has passed: false. */
bool real_time_until(struct real_time *real, bool (*done)(void *owner), void *owner, int64_t limit_ns);
/* Until that request is answered; its answer. Fails the test after the limit. */
const struct toy_answer *real_time_answer(struct real_time *real, uint64_t token, int64_t limit_ns);

#endif
