/*
 * far_toy: one of the processes of a toy run. driver visits front, which asks shelf, which runs a statement; those that are
 * not hosted are played by the test, which sees what leaves in `edge`.
 *
 * One toy at a time: `toy`, begun by far_open and ended by toy_end.
 */
#ifndef TESTS_CORE_FAR_TOY_H
#define TESTS_CORE_FAR_TOY_H

#include "core/parts.h"
#include "tests/core/toy_world.h"

enum { DRIVER, FRONT, SHELF, DATABASE, FAR_SERVICES, FAR_ASKS_MAX = 64 };

struct kept_ask {
    struct far_ask ask;
    unsigned char body[64];
    char state[64];
};

struct far_edge {
    struct kept_ask asks[FAR_ASKS_MAX];
    size_t ask_count, cancel_count, answer_count;
    uint64_t cancelled;
    struct {
        uint64_t token;
        enum status status;
        int64_t number; /* that the body begins with; -1: no body */
    } answers[FAR_ASKS_MAX];
    enum status at_once; /* not STATUS_OK: what asks are answered from within */
};

extern struct toy toy;
extern struct far_edge edge;
extern const struct actor_kind *const far_kinds[FAR_SERVICES];
extern const bool only_front[FAR_SERVICES], only_shelf[FAR_SERVICES], only_database[FAR_SERVICES],
    shop[FAR_SERVICES]; /* shop: shelf and database */

/* A world of two minutes and two phases that hosts those. */
void far_open(const bool hosts[FAR_SERVICES]);
/* For an ask that has left; `body` has no NUL. What comes of it in this instant has come. */
void far_answer_now(uint64_t token, enum status status, const char *body);
/* One that could well come from front. */
struct far_ask far_good_ask(uint16_t to, uint16_t route, uint64_t token);
void far_ask_here(const struct far_ask *ask);

#endif
