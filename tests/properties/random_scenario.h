/*
 * random_scenario: a short scenario made up from a seed - streams, pools, limits, cores, faults, mailboxes - as
 * the text of a file that the loader takes. Sized so that a run is some thousand spans.
 */
#ifndef TESTS_PROPERTIES_RANDOM_SCENARIO_H
#define TESTS_PROPERTIES_RANDOM_SCENARIO_H

#include "core/text.h"

/* Numbers drawn one after the other from one seed. */
struct chance {
    uint64_t seed;
    uint32_t count;
};

/* low to high, both included */
int64_t chance_between(struct chance *chance, int64_t low, int64_t high);
bool chance_one_in(struct chance *chance, int64_t n);

/* Writes the file. Owner: the caller. */
void random_scenario(uint64_t seed, struct text *yaml);

#endif
