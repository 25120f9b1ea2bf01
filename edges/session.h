/*
 * session: one run of one scenario, from its file to the exit code. What differs between virtual and real time
 * is the driver's: it gets a world that is ready and plays it.
 *
 * Telemetry written to files is wired here; a driver may add its own sink, which hears everything too.
 */
#ifndef EDGES_SESSION_H
#define EDGES_SESSION_H

#include "core/world.h"
#include "edges/answer_key.h"
#include "edges/options.h"
#include "edges/otlp_json.h"
#include "edges/output.h"
#include "edges/pace.h"

struct session {
    const struct options *options;
    const struct driver *driver;
    const char *file;
    struct scenario *scenario;
    struct scenario *forked; /* the second run's; NULL: there is none */
    uint64_t seed;
    uint64_t instance; /* drawn for each process of a spread run, as copies have the same services; else 0 */
    int64_t start_unix_ns; /* instant 0 of the world's clock */
    int64_t now_unix_ns; /* of a run by the clock: the instant for which that was reckoned */
    int64_t from_ns; /* of the timeline: what lies before it only warms up */
    struct outputs outputs;
    struct otlp_json *otlp; /* NULL: no telemetry is written to files */
    struct answer_key *key; /* NULL: not asked for */
    struct sink extra; /* the driver's own */
    const struct rule_outcomes *rules; /* the user's own (edges/rules_trial.h); NULL: none */
    struct world *world;
    struct pace pace; /* of a run by the clock */
    bool paced; /* it is one */
    struct otlp_machine machine; /* likewise: where it runs */
    const struct conductor_tally
        *processes; /* of a run that this process conducts; NULL: there is but this one */
    bool part; /* of a run that another process conducts, which tells of it and judges */
    bool interrupted, failed_to_write;
    bool unheard; /* nobody was where the telemetry was to go */
    int64_t wall_ns, played_ns; /* how long the run took, and how much of the world's time it was */
    int exit_code; /* the driver's, where it could not even begin; EXIT_CODE_HELD otherwise */
};

struct driver {
    const char *layout; /* for the report */
    const char *no_http; /* why not, where it cannot honour `via: http`: "in virtual time"; NULL: it can */
    /* Before the world is made: sets start_unix_ns, `extra` and what it needs of the world's options. False:
       explained on stderr, exit_code set. */
    bool (*prepare)(struct session *session, struct world_options *options);
    /* Plays the world to its end and finishes it, or sets `interrupted`. */
    void (*play)(struct session *session);
    /* What is to be found out when the run is over, before it is told; sets exit_code where that fails. May be
       NULL. */
    void (*judge)(struct session *session);
    /* After the world is gone, also where `prepare` failed. May be NULL. */
    void (*leave)(struct session *session);
    /* Plays one more world to its end, for a fork; false: interrupted. NULL where time cannot be had twice. */
    bool (*play_again)(struct session *session, struct world *world);
};

/* Takes --from over into the world's options. False: it lies behind the end; explained. */
bool session_from(struct session *session, struct world_options *world);

/* A mode that cannot honour a field refuses the file. False: explained. */
bool session_honours(const struct driver *driver, const struct scenario *scenario);

/* Telemetry for files that has been gathered so far is written: of a run by the clock, so that a crash costs little of it. */
void session_flush(struct session *session);

/* The seed asked for, or a random one of 40 bits: short enough to type, plenty to be different each time. */
uint64_t session_seed(const struct options *options);

int session_run(const struct options *options, const struct driver *driver);

#endif
