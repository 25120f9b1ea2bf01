/*
 * promtool_run: one run of Prometheus' promtool, found on PATH, without a shell.
 *
 * What it says on both outputs is kept up to PROMTOOL_SAID_MAX bytes, the rest is read and dropped. It is
 * ended after PROMTOOL_LIMIT_S, which serves for a day of samples, and when `stop` is set, as by a signal.
 */
#ifndef EDGES_PROMTOOL_RUN_H
#define EDGES_PROMTOOL_RUN_H

#include "core/text.h"

#include <signal.h>

enum { PROMTOOL_SAID_MAX = 32 << 20, PROMTOOL_LIMIT_S = 300 };

enum promtool_end {
    PROMTOOL_PASSED, /* its exit code was 0 */
    PROMTOOL_FAILED,
    PROMTOOL_ABSENT, /* there is none on PATH */
    PROMTOOL_BROKEN /* it could not be run to its end; `said` ends with why */
};

/* `arguments` end with NULL; the first one is promtool's own first. */
enum promtool_end promtool_run(const char *const *arguments, struct text *said,
                               const volatile sig_atomic_t *stop);

#endif
