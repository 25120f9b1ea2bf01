/*
 * doctor: whether a run can begin on this machine. Each check looks at one thing that a run needs and leaves findings:
 * what was tried, how it ended, and how to mend it.
 *
 * Nothing is changed: a listener is opened and closed at once, and what an OTLP endpoint gets is an empty request.
 * A warning is no failure: the run works, with what the finding says. At most DOCTOR_FINDINGS_MAX findings; further
 * ones of a check are left out. All checks together take at most DOCTOR_LIMIT_MS for each OTLP signal, and half a second.
 */
#ifndef EDGES_DOCTOR_H
#define EDGES_DOCTOR_H

#include "core/actor.h"
#include "core/text.h"

enum { DOCTOR_FINDINGS_MAX = 64, DOCTOR_LIMIT_MS = 2000 };

enum doctor_state { DOCTOR_OK, DOCTOR_SKIPPED, DOCTOR_WARNING, DOCTOR_FAILED };

struct doctor_finding {
    enum doctor_state state;
    const char *check;
    struct text tried;
    struct text mend; /* empty: nothing to do */
    int exit_code; /* what a run would end with; EXIT_CODE_HELD unless failed */
};

struct doctor_options {
    const struct registry *registry;
    const char *listen; /* numeric address; NULL: 127.0.0.1 */
    const char *otlp; /* of the command line; NULL: the environment's, if any */
    const char *scenario; /* a file or a name; NULL: none */
    const char *const *settings; /* for it */
    size_t setting_count;
};

struct doctor {
    struct doctor_options options;
    struct doctor_finding findings[DOCTOR_FINDINGS_MAX];
    size_t count;
};

/* Makes all checks. doctor_fini frees what they found. */
void doctor_look(struct doctor *doctor, const struct doctor_options *options);
void doctor_fini(struct doctor *doctor);

const char *doctor_state_name(enum doctor_state state); /* "ok", "skipped", "warning", "failed" */
/* That of the first finding that failed; EXIT_CODE_HELD: none has. */
int doctor_exit_code(const struct doctor *doctor);

/* ---- For the checks ---- */

/* One more finding, or NULL. `tried` begins with the string. */
struct doctor_finding *doctor_found(struct doctor *doctor, enum doctor_state state, const char *check,
                                    const char *tried);
/* The finding fails (or warns), and this mends it. NULL is taken. */
void doctor_fail(struct doctor_finding *finding, int exit_code, const char *mend);
void doctor_warn(struct doctor_finding *finding, const char *mend);

void doctor_look_at_otlp(struct doctor *doctor, const char *check);
void doctor_look_at_clock(struct doctor *doctor, const char *check);

#endif
