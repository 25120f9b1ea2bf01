/*
 * processes_parts: the inside of processes: who hosts what, a child's arguments, and its beginning. For processes*.c and
 * their tests alone.
 */
#ifndef EDGES_PROCESSES_PARTS_H
#define EDGES_PROCESSES_PARTS_H

#include "core/scenario.h"
#include "edges/processes.h"

#include <signal.h>
#include <sys/types.h>

enum { PROCESSES_CANNOT_RUN = 127 }; /* exit code of a child whose program is not there */

struct child {
    const struct actor_kind *hosts[SERVICES_MAX]; /* it is called by the first */
    size_t host_count;
    pid_t pid; /* 0: it is not there */
    unsigned lives; /* begun so far */
    int64_t begun_ms; /* the latest */
    int64_t due_ms; /* the next; NEVER: none is to begin. All are due from the start */
    bool left; /* it has ended well, though nobody is known to have told it to */
    int64_t back_off_ms;
};

/* What a child is made with. */
struct spread {
    const struct options *options;
    const struct registry *registry;
    const char *program;
    struct child children[SERVICES_MAX]; /* the load generator's is the first */
    size_t count;
    sigset_t mask; /* signals that a child is to have blocked: those that we had before */
};

struct words {
    char **list; /* ends with NULL */
    size_t count;
};

/* Deals the actors to options->processes children. */
void spread_deal(struct spread *spread);

/* The child's arguments in its coming life, from argv[0] on. Free with words_fini. */
void spread_arguments(const struct spread *spread, const struct child *child, struct words *words);
void words_fini(struct words *words);

/* Begins the child's next life. False: no process could be made; explained. */
bool spread_begin(const struct spread *spread, struct child *child, int64_t now_ms);

#endif
