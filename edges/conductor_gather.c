/* Waiting until all can begin together. */
#include "edges/conductor_parts.h"
#include "edges/loop_wait.h"

#include <stdio.h>

#define WAITING_TOLD_S 2.0

/* Services that nobody who is ready hosts. */
static bool all_ready(const struct conductor *conductor, struct text *missing)
{
    const struct registry *registry = conductor->options.registry;
    bool all = true;
    for (size_t s = 0; s < registry->kind_count; s++) {
        bool hosted = conductor->options.placement->hosts[s];
        for (size_t i = 0; i < conductor->member_count && !hosted; i++) {
            const struct member *member = conductor->members[i];
            hosted = member->hosts[s] && member->state == MEMBER_READY && member->connection;
        }
        if (hosted)
            continue;
        if (!all)
            text_lit(missing, ", ");
        text_str(missing, registry->kinds[s]->service);
        all = false;
    }
    return all;
}

/* One line each time somebody else is missing; `left_ms`: for how long they can still come. */
static void tell_missing(const struct conductor *conductor, struct text *told, struct text *missing,
                         int64_t left_ms)
{
    bool news = told->len != missing->len || memcmp(told->bytes, missing->bytes, told->len) != 0;
    if (conductor->options.quiet || !news)
        return;
    fprintf(stderr, "doorbuster: waiting for %s; without them the run ends in %lld s\n", text_c(missing),
            (long long)(left_ms / 1000));
    told->len = 0;
    text_bytes(told, missing->bytes, missing->len);
}

bool conductor_gather(struct conductor *conductor, struct peers *peers, int64_t limit_ms)
{
    struct text missing = {0}, told = {0};
    struct loop_wait wait;
    double waited_s = 0;
    bool complete = false;
    loop_wait_begin(&wait, conductor->options.loop, 0.01);
    while (!complete && !wait.cut_short && waited_s * 1e3 < (double)limit_ms) {
        waited_s = loop_wait_turn(&wait);
        missing.len = 0;
        complete = all_ready(conductor, &missing) && peers_complete(peers, &missing);
        if (!complete && waited_s > WAITING_TOLD_S)
            tell_missing(conductor, &told, &missing, limit_ms - (int64_t)(waited_s * 1e3));
    }
    loop_wait_end(&wait);
    conductor->cut_short = wait.cut_short && !complete;
    if (!complete && !conductor->cut_short)
        fprintf(
            stderr,
            "doorbuster: the run cannot begin without %s; start them, or say where they are with --peer\n",
            text_c(&missing));
    text_fini(&missing);
    text_fini(&told);
    return complete;
}

bool conductor_was_cut_short(const struct conductor *conductor)
{
    return conductor->cut_short;
}
