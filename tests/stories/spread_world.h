/*
 * spread_world: one run whose actors are dealt to several worlds, in virtual time and in step. What is asked between them
 * takes no time; figures are told before each sample, and at the end.
 *
 * `part_of` says by service which part hosts it; the one with the load generator gathers. Spans of all parts go to
 * `span`. Owner: the test; spread_end gives everything back.
 */
#ifndef TESTS_STORIES_SPREAD_WORLD_H
#define TESTS_STORIES_SPREAD_WORLD_H

#include "core/gather.h"
#include "core/slab.h"
#include "core/world.h"

enum { PARTS_MAX = 16 };

struct spread_run;

struct spread_part {
    struct spread_run *run;
    struct world *world;
    struct gather *gather; /* NULL: it gathers */
    struct gathered *gathered; /* likewise */
    bool hosts[SERVICES_MAX];
};

struct spread_run {
    struct spread_part parts[PARTS_MAX];
    size_t part_count;
    struct spread_part *whole; /* the one that gathers */
    const unsigned *part_of;
    struct slab crossing;
    uint64_t crossed, cancelled;
    struct sink sink; /* the test's: spans and logs */
    struct pack pack;
    int64_t tell_at_ns;
};

/* `options` as for the one world; its sink has `span` and `log` at most. */
void spread_open(struct spread_run *run, const struct world_options *options, const unsigned *part_of);
void spread_play(struct spread_run *run); /* to the end, and judged */
void spread_end(struct spread_run *run);

#endif
